//! Days as rules write them.

use chrono::NaiveDate;

/// Whether a text is a day (`2022-04-27`) or a month (`2021-09`) of the Gregorian calendar.
#[must_use]
pub(super) fn is_date(text: &str) -> bool {
    let day = if text.len() == "2021-09".len() { format!("{text}-01") } else { text.to_owned() };
    // Written back it is the same: no signs, blanks or missing zeros.
    NaiveDate::parse_from_str(&day, "%Y-%m-%d").is_ok_and(|read| read.to_string() == day)
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
