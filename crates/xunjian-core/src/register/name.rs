//! Legal names in a form that compares.

use crate::signature::{is_letter, normalise};

/// Normal form of a provider's legal name: simplified, lower case, without blanks,
/// punctuation and brackets, with the legal form's spellings made one.
#[must_use]
pub fn legal_name(name: &str) -> String {
    let plain: String = normalise(name).text.chars().filter(|&c| is_letter(c)).collect();
    for (long, short) in
        [("股份有限公司", "股份公司"), ("有限责任公司", "有限公司"), ("co ltd", "coltd"), ("limited", "ltd")]
    {
        if let Some(stem) = plain.strip_suffix(long) {
            return format!("{stem}{short}");
        }
    }
    plain
}

/// Edit distance, if at most `most`.
pub(super) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let is_far = a.chars().count().abs_diff(b.chars().count()) > most;
    (!is_far).then(|| strsim::levenshtein(a, b)).filter(|&distance| distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name() {
        let names = [
            "示例（北京）教育科技有限公司",
            "示例(北京) 教育科技有限责任公司",
            "示例北京教育科技有限公司",
            "示例（北京）教育科技有限公司 ",
        ];
        for name in names {
            assert_eq!(legal_name(name), "示例北京教育科技有限公司");
        }
        assert_eq!(legal_name("範例教育"), "范例教育");
    }

    #[test]
    fn near_is_not_far() {
        assert_eq!(distance("示例教育", "示列教育", 2), Some(1));
        assert_eq!(distance("示例教育", "别的公司", 2), None);
    }
}
