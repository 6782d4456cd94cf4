//! Days as rules write them.

/// Whether a text is a day (`2022-04-27`) or a month (`2021-09`) of the Gregorian calendar.
#[must_use]
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, len: usize| -> Option<u32> {
        (part.len() == len && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok()).flatten()
    };
    let (year, month, day) = match parts.as_slice() {
        [year, month] => (number(year, 4), number(month, 2), Some(1)),
        [year, month, day] => (number(year, 4), number(month, 2), number(day, 2)),
        _ => return false,
    };
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn days_of_the_calendar_and_nothing_else() {
        for good in ["2022-04-27", "2021-09", "2024-02-29", "2000-02-29"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "",
            "2022",
            "2022-4-27",
            "2022-02-30",
            "2023-02-29",
            "1900-02-29",
            "2022-13-01",
            "2022-04-00",
            "22-04-27",
            "2022年4月",
            "2022-04-27-01",
            "2022-04-2x",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
