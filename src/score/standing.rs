//! What the registers add to a sign.

use crate::model::{Answer, Evidence, RegisterKind, Row, Sign, Standing, Standings, Words};

/// Decibans of not being in the licence register: most who teach without are not in it,
/// and so are some whose name is written another way.
const UNLICENSED: i32 = 6;
/// Decibans of the filing register, which is looked up by package and number.
const UNFILED: i32 = 20;
const FILED: i32 = -40;

/// The register that speaks about a sign.
#[must_use]
pub(super) const fn register_of(sign: Sign) -> Option<RegisterKind> {
    match sign {
        Sign::SubjectTutoring | Sign::DisguisedTutoring | Sign::LiveTutoring => Some(RegisterKind::Licence),
        Sign::FilingMissing => Some(RegisterKind::Filing),
        _ => None,
    }
}

/// What the register says of the sign, as an answer and as evidence.
pub(super) fn of(sign: Sign, standings: &Standings) -> (Answer, Option<Evidence>) {
    let Some(kind) = register_of(sign) else { return (Answer::not_checked(), None) };
    let answer = standings.of(kind);
    let weight = match (kind, answer.standing) {
        (_, Standing::NotChecked) => return (answer, None),
        (RegisterKind::Filing, Standing::Listed) if answer.is_valid() => FILED,
        (RegisterKind::Filing, _) => UNFILED,
        (_, Standing::NotListed) => UNLICENSED,
        // A licence does not make the teaching go away: the finding stays, as information.
        (_, Standing::Listed) => 0,
    };
    let evidence = (weight != 0).then(|| evidence(kind, &answer, weight));
    (answer, evidence)
}

fn evidence(kind: RegisterKind, answer: &Answer, weight: i32) -> Evidence {
    let (zh, en) = match (kind, answer.standing) {
        (RegisterKind::Filing, Standing::Listed) => ("备案名册中有此应用", "the filing register lists this app"),
        (RegisterKind::Filing, _) => ("备案名册中没有此应用", "the filing register does not list this app"),
        _ => ("学科培训许可名册中没有此提供者", "the licence register does not list this provider"),
    };
    let row = answer.row.as_ref().or_else(|| answer.near.first());
    Evidence {
        signature: "register".into(),
        clue: kind.id().into(),
        kind: "register".into(),
        weight,
        group: "register".into(),
        counted: true,
        text: row.map_or_else(String::new, described),
        mark: None,
        place: row
            .map_or_else(|| format!("{} register", kind.id()), |r| format!("{} register row {}", kind.id(), r.row)),
        times: 1,
        why: Words { zh: zh.into(), en: en.into() },
        written_as: None,
    }
}

fn described(row: &Row) -> String {
    let fields = [&row.provider, &row.app, &row.package, &row.number, &row.credit_code, &row.until];
    fields.into_iter().filter(|f| !f.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}
