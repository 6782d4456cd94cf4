//! Times as people read them, in the server's zone.

use chrono::{Local, NaiveDate, TimeZone};

/// Now, in milliseconds since 1970 UTC.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// `2026-11-24 10:33`
pub(super) fn told(at: i64) -> String {
    Local.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%Y-%m-%d %H:%M").to_string())
}

/// Today, e.g. `2026-11-24`.
pub(super) fn today() -> String {
    Local::now().format("%Y-%m-%d").to_string()
}

/// The day `days` from today.
pub(super) fn in_days(days: u64) -> String {
    let day = Local::now().date_naive().checked_add_days(chrono::Days::new(days));
    day.map_or_else(String::new, |day| day.format("%Y-%m-%d").to_string())
}

/// A day as forms write it.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}
