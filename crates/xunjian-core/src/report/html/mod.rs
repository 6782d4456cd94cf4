//! `html`: one self-contained page.
//!
//! The summary stands at the top, although it is known last: rows, articles and skips are
//! spooled as they come, in memory while they are small and in unnamed temporary files
//! when they are not, and put together at the end. What is held per app in memory is
//! therefore nothing but counts. The page asks the network for nothing and runs no
//! script: language and filter are radio buttons that CSS reads.

mod app;
mod finding;
mod markup;

use std::collections::BTreeMap;
use std::io::{self, Seek, Write};

use askama::Template;
use tempfile::SpooledTempFile;

pub use self::markup::Markup;
use super::clean::{self, clean};
use super::words::{self, Lang, ui};
use super::{ReportWriter, Style, facts, law, origin};
use crate::model::{Audit, Basis, MadeBy, Sign, Skipped};

/// Bytes of a spool kept in memory.
const SPOOL: usize = 4 << 20;
/// Bytes of icons one page carries; past it, apps get a letter.
const ICONS: usize = 24 << 20;

/// Writes the page.
pub(super) struct Html {
    out: Box<dyn Write + Send>,
    lang: Lang,
    made_by: MadeBy,
    at: String,
    /// What the policies say of themselves, as the first audit tells.
    basis: Vec<Basis>,
    rows: SpooledTempFile,
    articles: SpooledTempFile,
    skips: SpooledTempFile,
    icons: usize,
    apps: usize,
    hit: usize,
    unread: usize,
    skipped: usize,
    signs: BTreeMap<Sign, usize>,
}

impl Html {
    pub(super) fn new(out: Box<dyn Write + Send>, style: Style, made_by: MadeBy) -> Self {
        Self {
            out,
            lang: Lang::of(&style.lang),
            made_by,
            at: style.at,
            basis: Vec::new(),
            rows: SpooledTempFile::new(SPOOL),
            articles: SpooledTempFile::new(SPOOL),
            skips: SpooledTempFile::new(SPOOL),
            icons: 0,
            apps: 0,
            hit: 0,
            unread: 0,
            skipped: 0,
            signs: BTreeMap::new(),
        }
    }

    /// The icon, where it is one and the page has room.
    fn icon<'a>(&mut self, audit: &'a Audit) -> Option<&'a str> {
        let icon = clean::icon(audit.icon.as_deref()?)?;
        let total = self.icons.saturating_add(icon.len());
        (total <= ICONS).then(|| {
            self.icons = total;
            icon
        })
    }
}

fn render(template: &impl Template, into: &mut impl Write) -> io::Result<()> {
    // Both traits of askama are implemented; this one writes bytes.
    Template::write_into(template, into)
}

impl ReportWriter for Html {
    fn audit(&mut self, audit: Audit) -> io::Result<()> {
        self.apps += 1;
        if self.basis.is_empty() {
            self.basis.clone_from(&audit.basis);
        }
        self.hit += usize::from(!audit.findings.is_empty());
        self.unread += usize::from(facts::is_unread(&audit));
        for finding in &audit.findings {
            *self.signs.entry(finding.sign).or_default() += 1;
        }
        let icon = self.icon(&audit);
        let classes = app::classes(&audit);
        render(&app::Row::new(self.apps, &classes, &audit), &mut self.rows)?;
        render(&app::App::new(self.apps, &classes, &audit, icon), &mut self.articles)
    }

    fn skipped(&mut self, skipped: Skipped) -> io::Result<()> {
        self.skipped += 1;
        let row = Skip {
            target: clean(&skipped.target, clean::TEXT),
            stage: Markup::phrase(&words::skip_stage(&clean(&skipped.stage, 40))),
            code: words::skip_code(&skipped.code).as_ref().map(Markup::phrase).unwrap_or_default(),
            reason: clean(&skipped.reason, clean::TEXT),
            step: words::skip_step(&skipped.code, &skipped.stage).as_ref().map(Markup::phrase).unwrap_or_default(),
        };
        render(&row, &mut self.skips)
    }

    fn finish(&mut self) -> io::Result<()> {
        let head = Head::new(self);
        render(&head, &mut self.out)?;
        pour(&mut self.rows, &mut self.out)?;
        render(&Middle {}, &mut self.out)?;
        if self.skipped > 0 {
            render(&SkipsHead {}, &mut self.out)?;
            pour(&mut self.skips, &mut self.out)?;
            render(&SkipsTail {}, &mut self.out)?;
        }
        pour(&mut self.articles, &mut self.out)?;
        let tail = Tail {
            made_by: Markup::phrase(&ui("made_by").with("version", &clean(&self.made_by.version, 40))),
            pack_sha256: clean(&self.made_by.pack_sha256, 64),
            policy: clean(&self.made_by.policy, clean::NAME),
        };
        render(&tail, &mut self.out)?;
        self.out.flush()
    }
}

/// Style of the page and of the article.
pub const STYLE: &str = include_str!("../../../templates/report/style.css");

/// The article of one app, with markup of the page around it below findings, by id.
///
/// # Errors
/// When the template fails.
pub fn article(audit: &Audit, slots: &BTreeMap<String, Markup>) -> askama::Result<Markup> {
    let icon = audit.icon.as_deref().and_then(clean::icon);
    let classes = app::classes(audit);
    Markup::rendered(&app::App::new(1, &classes, audit, icon).with_slots(slots))
}

fn pour(spool: &mut SpooledTempFile, out: &mut impl Write) -> io::Result<()> {
    spool.rewind()?;
    io::copy(spool, out).map(drop)
}

/// Everything up to the rows of the summary.
#[derive(Template)]
#[template(path = "report/head.html")]
struct Head {
    lang: Lang,
    title: String,
    at: String,
    policies: Vec<Markup>,
    banner: Option<Markup>,
    not_a_verdict: Markup,
    not_a_verdict_more: Markup,
    counts: Vec<Markup>,
    /// Filters: id, name, number of apps.
    filters: Vec<(String, Markup, usize)>,
    signs: Vec<&'static str>,
    skipped: usize,
}

impl Head {
    fn new(page: &Html) -> Self {
        let count = |key: &str, n: usize| Markup::phrase(&ui(key).with("n", &n.to_string()));
        let mut filters = vec![
            ("all".to_owned(), Markup::phrase(&ui("show_all")), page.apps),
            ("hit".to_owned(), Markup::phrase(&ui("show_hit")), page.hit),
            ("unread".to_owned(), Markup::phrase(&ui("show_unread")), page.unread),
        ];
        filters
            .extend(page.signs.iter().map(|(sign, n)| (format!("s-{sign}"), Markup::phrase(&words::sign(*sign)), *n)));
        Self {
            lang: page.lang,
            title: ui("report").get(page.lang).to_owned(),
            at: clean(&page.at, 40),
            policies: match page.basis.as_slice() {
                [] => vec![Markup::phrase(&law::names(&[], &page.made_by.policy))],
                all => all.iter().map(|basis| Markup::phrase(&origin::policy(basis))).collect(),
            },
            banner: law::banner(&page.basis).as_ref().map(Markup::phrase),
            not_a_verdict: Markup::phrase(&words::not_a_verdict()),
            not_a_verdict_more: Markup::phrase(&words::not_a_verdict_more()),
            counts: vec![
                count("apps", page.apps),
                count("apps_with", page.hit),
                count("apps_unread", page.unread),
                count("skipped_n", page.skipped),
            ],
            filters,
            signs: page.signs.keys().map(|sign| sign.id()).collect(),
            skipped: page.skipped,
        }
    }

    fn ui(&self, key: &str) -> Markup {
        Markup::phrase(&ui(key))
    }

    fn is_zh(&self) -> bool {
        self.lang == Lang::Zh
    }
}

macro_rules! parts {
    ($($name:ident { $($field:ident: $type:ty,)* } $path:literal;)*) => {$(
        #[derive(Template)]
        #[template(path = $path)]
        struct $name { $($field: $type,)* }

        impl $name {
            #[allow(dead_code)] // Not every part has words of its own.
            fn ui(&self, key: &str) -> Markup {
                Markup::phrase(&ui(key))
            }
        }
    )*};
}

parts! {
    Middle {} "report/middle.html";
    SkipsHead {} "report/skips_head.html";
    Skip { target: String, stage: Markup, code: Markup, reason: String, step: Markup, } "report/skip.html";
    SkipsTail {} "report/skips_tail.html";
    Tail { made_by: Markup, pack_sha256: String, policy: String, } "report/tail.html";
}
