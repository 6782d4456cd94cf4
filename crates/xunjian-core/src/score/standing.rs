//! What the registers add to a sign.

use crate::model::{Answer, Evidence, RegisterKind, Row, SMALL_REGISTER, Sign, Standing, Standings, Words};

/// Decibans of not being in the licence register: most who teach without are not in it,
/// and so are some whose name is written another way.
const UNLICENSED: i32 = 6;
/// Decibans of the filing register, which is looked up by package and number.
const UNFILED: i32 = 20;
const FILED: i32 = -40;

/// What the register says of the sign, as an answer and as evidence.
pub(super) fn of(sign: Sign, standings: &Standings) -> (Answer, Option<Evidence>) {
    let Some(kind) = sign.register() else { return (Answer::not_checked(), None) };
    let answer = standings.of(kind);
    if sign == Sign::PreschoolTraining {
        return revoked(answer);
    }
    let weight = match (kind, answer.standing) {
        (_, Standing::NotChecked) => return (answer, None),
        (RegisterKind::Filing, _) if answer.is_valid() => FILED,
        (RegisterKind::Filing, _) => UNFILED,
        // A licence does not make the teaching go away: the finding stays, as information.
        _ if answer.is_valid() => 0,
        _ => UNLICENSED,
    };
    let evidence = evidence(kind, &answer, weight);
    (answer, Some(evidence))
}

/// Training before school cannot be filed, and what was filed is revoked: that it stands in the register is one more
/// anomaly. It says nothing of whether the app is such a one, and that it is not there is as it should be.
fn revoked(answer: Answer) -> (Answer, Option<Evidence>) {
    if answer.standing != Standing::Listed {
        return (Answer::not_checked(), None);
    }
    let until = answer.row.as_ref().map_or("", |row| row.until.as_str());
    let (end, to) = if answer.expired {
        (format!("（已于 {until} 到期）"), format!(" (ended on {until})"))
    } else {
        (String::new(), String::new())
    };
    let why = Words {
        zh: format!("备案名册中有此应用{end}：学前培训不得备案，此记录属备案异常，应核查撤销"),
        en: format!(
            "on the filing register{to}: training before school is not filed, so this entry is an anomaly to be looked into and revoked"
        ),
    };
    let evidence = Evidence { clue: "filed-preschool".into(), why, ..evidence(RegisterKind::Filing, &answer, 0) };
    (answer, Some(evidence))
}

fn evidence(kind: RegisterKind, answer: &Answer, weight: i32) -> Evidence {
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
        why: why(kind, answer),
        written_as: None,
        cut_out: None,
    }
}

/// What the register says, with what makes it strong or weak: dates, numbers, how many rows were looked through.
fn why(kind: RegisterKind, answer: &Answer) -> Words {
    let is_filing = kind == RegisterKind::Filing;
    let (zh, en) =
        if is_filing { ("备案名册", "filing register") } else { ("学科培训许可名册", "licence register") };
    let until = answer.row.as_ref().map_or("", |row| row.until.as_str());
    let (rows, day) = (answer.rows, &answer.as_of);
    match answer.standing {
        Standing::Listed if answer.expired => Words {
            zh: format!("{zh}中有此记录，已于 {until} 到期（按 {day} 判断）"),
            en: format!("on the {en}, ended on {until} (judged on {day})"),
        },
        Standing::Listed => {
            let (end, to) = match until {
                "" => ("，未写有效期".to_owned(), ", no last day given".to_owned()),
                day => (format!("，有效期至 {day}"), format!(", valid until {day}")),
            };
            Words { zh: format!("{zh}中有此记录{end}"), en: format!("on the {en}{to}") }
        }
        _ => {
            let shown = answer.shown.join("、");
            let (said, told) = if shown.is_empty() {
                (String::new(), String::new())
            } else {
                (format!("应用所示备案号：{shown}；"), format!("the app shows {shown}; "))
            };
            let (only, just) = if rows < SMALL_REGISTER { ("仅 ", "only ") } else { ("共 ", "") };
            Words {
                zh: format!("{zh}中未查到（{said}名册{only}{rows} 条，按 {day} 判断）"),
                en: format!("not found on the {en} ({told}it has {just}{rows} rows; judged on {day})"),
            }
        }
    }
}

fn described(row: &Row) -> String {
    let fields = [&row.provider, &row.app, &row.package, &row.number, &row.credit_code, &row.until];
    fields.into_iter().filter(|f| !f.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}
