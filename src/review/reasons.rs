//! Why people decide as they do: the reasons to pick from.

/// Reasons of a verdict; `other` asks for words.
pub(super) const fn of(verdict: &str) -> &'static [&'static str] {
    match verdict.as_bytes() {
        b"confirmed" => &["seen-in-app", "seen-in-listing", "provider-admits", "other"],
        b"dismissed" => &["other-sense", "negated", "unused", "not-education", "licensed", "settled", "other"],
        b"again" => &["run-it", "ask-provider", "ask-colleague", "other"],
        _ => &[],
    }
}

/// Verdicts that a form may carry.
pub(super) const VERDICTS: [&str; 3] = ["confirmed", "dismissed", "again"];
