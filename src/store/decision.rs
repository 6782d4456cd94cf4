//! Decisions: which of them is in force, and how it is told.

use serde_json::{Value, json};

use super::Review;

/// The decision in force after all of them: each `undone` takes back the one before it that is
/// not taken back yet; remarks decide nothing. Decisions that were made under different former ids
/// of what is one finding now were taken back under these alone.
#[must_use]
pub fn in_force(reviews: &[Review]) -> Option<&Review> {
    let mut standing: Vec<&Review> = Vec::new();
    for review in reviews {
        match review.verdict.as_str() {
            "undone" => {
                let is_meant = |other: &&Review| review.former.is_empty() || other.former == review.former;
                if let Some(at) = standing.iter().rposition(is_meant) {
                    standing.remove(at);
                }
            }
            "remark" => {}
            _ => standing.push(review),
        }
    }
    standing.pop()
}

impl Review {
    /// As events tell it.
    #[must_use]
    pub fn told(&self) -> Value {
        json!({
            "verdict": self.verdict,
            "reason": self.reason,
            "by": self.who,
            "at": timestamp(self.at),
            "mend_by": self.mend_by,
            "note": self.note,
            "evidence": self.evidence,
        })
    }
}

/// `2026-11-24T10:33:00.000Z`, of milliseconds since 1970 UTC.
#[must_use]
pub fn timestamp(at: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at)
        .map_or_else(String::new, |t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(verdicts: &[(&str, &str)]) -> String {
        let review = |(verdict, former): &(&str, &str)| Review {
            verdict: (*verdict).into(),
            former: (*former).into(),
            ..Review::default()
        };
        let reviews: Vec<Review> = verdicts.iter().map(review).collect();
        in_force(&reviews).map_or(String::new(), |review| format!("{}{}", review.verdict, review.former))
    }

    #[test]
    fn undoing_goes_back_step_by_step() {
        assert_eq!(told(&[]), "");
        assert_eq!(told(&[("confirmed", ""), ("remark", "")]), "confirmed");
        assert_eq!(told(&[("confirmed", ""), ("dismissed", ""), ("undone", "")]), "confirmed");
        assert_eq!(told(&[("confirmed", ""), ("dismissed", ""), ("undone", ""), ("undone", "")]), "");
        assert_eq!(told(&[("undone", ""), ("again", "")]), "again", "nothing to take back is no fault");
    }

    #[test]
    fn what_was_taken_back_under_a_former_id_was_decided_under_it() {
        let two = [("confirmed", "a"), ("dismissed", "b"), ("confirmed", "a"), ("undone", "b")];
        assert_eq!(told(&two), "confirmeda");
        assert_eq!(told(&[&two[..], &[("undone", "")]].concat()), "confirmeda", "the one before it stands again");
        assert_eq!(told(&[&two[..], &[("undone", ""), ("undone", "")]].concat()), "");
    }
}
