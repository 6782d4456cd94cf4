//! What of a bag a person opens: the report as a page, and what the bag holds.

use std::io::{self, Read, Seek};

use crate::model::Sign;
use crate::report::words::{self, Lang};
use crate::report::{self, Format, Style, clean};
use crate::store::{AuditRow, FindingRow};
use crate::time;

/// The report as a page.
pub(super) fn html(row: &AuditRow) -> io::Result<Vec<u8>> {
    let mut file = tempfile::tempfile()?;
    let style = Style { lang: "zh".into(), at: time::told(row.at), ..Style::default() };
    let mut writer = report::writer(Format::Html, Box::new(file.try_clone()?), style, row.made_by.clone());
    writer.audit(row.audit.clone())?;
    writer.finish()?;
    drop(writer);
    file.rewind()?;
    let mut page = Vec::new();
    file.read_to_end(&mut page)?;
    Ok(page)
}

/// Longest name told.
const NAME_MAX: usize = 200;

/// What the bag holds, in both languages.
pub(super) fn readme(row: &AuditRow, finding: &FindingRow) -> String {
    let told = |lang: Lang| {
        let sign = Sign::from_id(&finding.sign)
            .map_or_else(|| finding.sign.clone(), |sign| words::sign(sign).get(lang).to_owned());
        let title = if row.audit.app.title.is_empty() { &row.audit.app.package } else { &row.audit.app.title };
        let sha256 = row.artifact.clone().unwrap_or_else(|| "—".into());
        rust_i18n::t!(
            "evidence.readme",
            locale = lang.code(),
            app = clean(title, NAME_MAX),
            sign = sign,
            id = finding.id,
            at = time::told(row.at),
            sha256 = sha256,
            version = row.made_by.version,
            pack = row.made_by.pack_sha256
        )
        .into_owned()
    };
    format!("{}\n\n{}\n", told(Lang::Zh), told(Lang::En))
}
