//! How long to wait: what servers ask for, and backoff with jitter.

use std::time::{Duration, SystemTime};

use crate::model::config::Network;

/// Longest wait that a header is taken to mean: a week.
const ASKED_MAX: u64 = 7 * 86_400;

/// Seconds that `Retry-After` asks for, given as seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(ASKED_MAX).min(ASKED_MAX));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    // A second more than the date says: dates are cut to whole seconds.
    Some(at.duration_since(now).map_or(0, |d| (d.as_secs() + 1).min(ASKED_MAX)))
}

/// Wait before try `attempt` (1 is the second one): exponential, half of it at random, so that
/// many clients do not come back at once.
pub(super) fn backoff(network: &Network, attempt: u32) -> Duration {
    let full = (network.backoff * 2f64.powi(attempt.saturating_sub(1).min(30) as i32)).min(network.backoff_max);
    Duration::from_secs_f64((full * (0.5 + fastrand::f64() / 2.0)).clamp(0.0, 86_400.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        assert_eq!(retry_after("120", now), Some(120));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:29:00 GMT", now), Some(61));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:00:00 GMT", now), Some(0));
        assert_eq!(retry_after("99999999999999999999999", now), Some(ASKED_MAX));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }

    #[test]
    fn backoff_doubles_within_its_cap() {
        let network = Network { backoff: 2.0, backoff_max: 10.0, ..Network::default() };
        for (attempt, full) in [(1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0), (u32::MAX, 10.0)] {
            let wait = backoff(&network, attempt).as_secs_f64();
            assert!((full / 2.0..=full).contains(&wait), "{attempt}: {wait}");
        }
    }
}
