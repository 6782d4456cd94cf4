//! Days and times as people here have them: one notion of now and today, in the zone that the configuration names.

use std::sync::atomic::{AtomicI32, Ordering};

use chrono::{DateTime, FixedOffset, NaiveDate, Offset, TimeZone, Utc};

/// Minutes east of UTC; Beijing's until a configuration says otherwise.
static EAST: AtomicI32 = AtomicI32::new(8 * 60);

/// Takes over the zone of the configuration, for the whole process.
pub(crate) fn set_zone(minutes_east: i32) {
    EAST.store(minutes_east, Ordering::Relaxed);
}

fn zone() -> FixedOffset {
    let seconds = EAST.load(Ordering::Relaxed).saturating_mul(60);
    // The configuration lets no other offsets through.
    FixedOffset::east_opt(seconds).unwrap_or_else(|| Utc.fix())
}

fn here() -> DateTime<FixedOffset> {
    Utc::now().with_timezone(&zone())
}

/// Now, in milliseconds since 1970 UTC.
pub(crate) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// When a report is made: now, or what `SOURCE_DATE_EPOCH` says (seconds since 1970 UTC), so that a report can be
/// made again byte by byte (<https://reproducible-builds.org/specs/source-date-epoch/>).
pub(crate) fn made_at() -> i64 {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<i64>().ok());
    given.and_then(|seconds| seconds.checked_mul(1000)).unwrap_or_else(now)
}

/// A time in milliseconds since 1970 UTC as people read it, with its zone: `2026-11-24 10:33 +08:00`.
pub(crate) fn told(at: i64) -> String {
    let at = zone().timestamp_millis_opt(at).single();
    at.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M %:z").to_string())
}

/// Today, e.g. `2026-11-24`.
pub(crate) fn today() -> String {
    here().format("%Y-%m-%d").to_string()
}

/// The day `days` from today.
pub(crate) fn in_days(days: u64) -> String {
    let day = here().date_naive().checked_add_days(chrono::Days::new(days));
    day.map_or_else(String::new, |day| day.format("%Y-%m-%d").to_string())
}

/// A day as forms and command lines write it, `2026-01-31`; `None` for anything else.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_beijing() {
        // 2026-11-30 22:50 UTC is the next day there.
        assert_eq!(told(1_796_079_000_000), "2026-12-01 06:50 +08:00");
    }

    #[test]
    fn a_day_is_a_day_of_the_calendar() {
        assert!(day("2026-02-28").is_some());
        for text in ["2026-02-29", "2026-13-40", "2025-6-1", "昨天", "2026-01-31 ", ""] {
            assert!(day(text).is_none(), "{text}");
        }
    }
}
