//! What a report rests on, in words: the files and who signed them, the rules and whether they bind, and what
//! speaks for the provider. A hearing asks for all of it.

use super::clean::{self, clean};
use super::words::{self, Phrase, find, said, ui};
use super::{facts, registers};
use crate::model::{Answer, Artifact, Asks, Audit, Basis, Finding, RegisterKind, Signer};

/// Files named where there is little room.
const FILES: usize = 8;

/// Who signed a file: name, validity, schemes, fingerprint.
pub(super) fn signer(signer: &Signer) -> Phrase {
    let subject = if signer.subject.is_empty() { "?".to_owned() } else { clean(&signer.subject, clean::NAME) };
    let schemes: Vec<String> = signer.schemes.iter().map(|scheme| clean(scheme, 20)).collect();
    said(
        "origin.signer",
        &[
            ("subject", &subject),
            ("from", &clean(&signer.from, 20)),
            ("until", &clean(&signer.until, 20)),
            ("schemes", &schemes.join("+")),
            ("sha256", &clean(&signer.sha256, 64)),
        ],
    )
}

/// A file: where it came from, its size and hash.
pub(super) fn file(artifact: &Artifact) -> String {
    let (name, sha256) = (clean(&artifact.name, clean::TEXT), clean(&artifact.sha256, 64));
    format!("{name} · {} · SHA-256 {sha256}", facts::size(artifact.bytes))
}

/// Other names under which the same bytes were given.
pub(super) fn also(artifact: &Artifact) -> Option<String> {
    let names: Vec<String> = artifact.also.iter().take(FILES).map(|name| clean(name, clean::TEXT)).collect();
    let more = if artifact.also.len() > FILES { " …" } else { "" };
    (!names.is_empty()).then(|| names.join(" · ") + more)
}

/// Files and their signers, for a list under the app's name.
pub(super) fn rows(audit: &Audit) -> Vec<(Phrase, Phrase)> {
    let mut rows = Vec::new();
    for artifact in audit.artifacts.iter().take(FILES) {
        rows.push((ui("file"), Phrase::same(&file(artifact))));
        rows.extend(also(artifact).map(|names| (ui("same_file"), Phrase::same(&names))));
    }
    if let Some(more) = audit.artifacts.len().checked_sub(FILES).filter(|more| *more > 0) {
        rows.push((ui("file"), ui("files_more").with("n", &more.to_string())));
    }
    let mut told: Vec<&str> = Vec::new();
    for one in audit.artifacts.iter().flat_map(|artifact| &artifact.signers) {
        if !told.contains(&one.sha256.as_str()) && told.len() < FILES {
            told.push(&one.sha256);
            rows.push((ui("signer"), signer(one)));
        }
    }
    rows
}

/// Who provides the app, as store or package say.
pub(super) fn provider(audit: &Audit) -> Phrase {
    if !audit.app.developer.trim().is_empty() {
        return said("origin.provider_store", &[("name", &clean(&audit.app.developer, clean::NAME))]);
    }
    match &audit.profile.provider {
        Some(provider) => {
            let mut parts = vec![clean(&provider.name, clean::NAME)];
            parts.extend(provider.credit_codes.iter().map(|code| clean(code, 40)));
            parts.retain(|part| !part.is_empty());
            said("origin.provider_package", &[("name", &parts.join(" "))])
        }
        None => ui("provider_unknown"),
    }
}

/// A policy with its full title, number, day and whether it binds.
pub(super) fn policy(basis: &Basis) -> Phrase {
    let title = Phrase::from(&basis.title);
    let status = words::status(basis.status);
    Phrase::make(|lang| {
        let mut parts = vec![clean(&basis.number, clean::NAME), clean(&basis.issued, 20)];
        parts.push(status.get(lang).to_owned());
        parts.retain(|part| !part.is_empty());
        let (open, sep, close) = if lang == words::Lang::Zh { ("（", "，", "）") } else { (" (", ", ", ")") };
        format!("{}{open}{}{close}", clean(title.get(lang), clean::TEXT), parts.join(sep))
    })
}

/// What speaks for the provider: of a finding what counts against it, and of the app what was seen of its duties.
pub(super) fn in_favour(audit: &Audit, finding: Option<&Finding>) -> Vec<Phrase> {
    let mut told = Vec::new();
    for item in finding.map_or(&[] as &[_], |finding| &finding.evidence).iter().filter(|e| e.counted && e.weight < 0) {
        let why = Phrase::from(&item.why);
        let text = clean(item.text.trim(), 60);
        told.push(Phrase::make(|lang| {
            let why = clean(why.get(lang), clean::TEXT);
            let quote = if lang == words::Lang::Zh { format!("：“{text}”") } else { format!(": “{text}”") };
            if text.is_empty() { why } else { format!("{why}{quote}") }
        }));
    }
    let clears = |kind: &RegisterKind, answer: &Answer| {
        answer.is_valid() && !matches!(kind, RegisterKind::Grey | RegisterKind::Black)
    };
    let valid: Vec<&RegisterKind> =
        audit.standings.answers.iter().filter(|(k, a)| clears(k, a)).map(|(k, _)| k).collect();
    for (name, answer) in registers::rows_of(audit, &valid) {
        let sep = ui("label_sep");
        told.push(Phrase::make(|lang| format!("{}{}{}", name.get(lang), sep.get(lang), answer.get(lang))));
    }
    let seen = audit.checks.iter().filter(|check| !check.silent && facts::is_seen(check));
    told.extend(seen.filter_map(|check| find(&format!("seen.{}", check.sign.id()))));
    told
}

/// A permission as people know it, with its name; the name alone where it is not known.
pub(super) fn permission(name: &str) -> Phrase {
    let last = name.rsplit('.').next().unwrap_or_default();
    let shown = clean(name, clean::NAME);
    match find(&format!("permission.{}", last.to_ascii_lowercase().replace('_', "-"))) {
        Some(words) => Phrase::make(|lang| {
            if lang == words::Lang::Zh {
                format!("{}（{}）", words.get(lang), clean(last, clean::NAME))
            } else {
                format!("{} ({})", words.get(lang), clean(last, clean::NAME))
            }
        }),
        None => Phrase::same(&shown),
    }
}

/// Versions of Android that it is made for, as the manifest says.
pub(super) fn levels(asks: &Asks) -> Phrase {
    let level = |level: u32| if level == 0 { "?".to_owned() } else { level.to_string() };
    said("origin.levels", &[("min", &level(asks.min_sdk)), ("target", &level(asks.target_sdk))])
}
