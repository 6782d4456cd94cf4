//! A letter as the case backend reads it: a CloudEvent with everything about the finding.

use serde_json::{Value, json};

use crate::model::Finding;
use crate::store::{AuditRow, Letter, Result, Review, State};

/// `2026-11-24T10:33:00.000Z`
fn timestamp(at: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at)
        .map_or_else(String::new, |t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// The event of a letter. Made from what never changes (the audit and the decisions), so that
/// every try sends the same bytes.
///
/// `source` names this installation, `page` is the address of the reviewers' page or empty.
///
/// # Errors
/// When the state cannot be read.
pub async fn event(state: &impl State, letter: &Letter, source: &str, page: &str) -> Result<Value> {
    let audit = state.audit(letter.audit).await?;
    let reviews = if letter.finding.is_empty() { Vec::new() } else { state.reviews(&letter.finding).await? };
    let decision = reviews.iter().rev().find(|review| review.at <= letter.at && review.verdict != "remark");
    let mut data = json!({ "decision": decision.map(decided) });
    if let Some(audit) = &audit {
        let finding = audit.audit.findings.iter().find(|finding| finding.id == letter.finding);
        about_audit(&mut data, audit, finding)?;
    }
    if !page.is_empty() {
        let path = if letter.finding.is_empty() {
            format!("app/{}", letter.app)
        } else {
            format!("finding/{}", letter.finding)
        };
        let address = format!("{}/{path}", page.trim_end_matches('/'));
        data["links"] = json!({ "page": address });
        if !letter.finding.is_empty() {
            data["links"]["bag"] = json!(format!("{address}/bag"));
        }
    }
    if !letter.finding.is_empty() {
        data["finding_id"] = json!(letter.finding);
    }
    Ok(json!({
        "specversion": "1.0",
        "id": letter.event,
        "source": source,
        "type": format!("xunjian.{}", letter.kind),
        "subject": if letter.finding.is_empty() { format!("app/{}", letter.app) } else { format!("finding/{}", letter.finding) },
        "time": timestamp(letter.at),
        "datacontenttype": "application/json",
        // Where this stands among the letters of its app.
        "sequence": letter.id.to_string(),
        "data": data,
    }))
}

fn decided(review: &Review) -> Value {
    json!({
        "verdict": review.verdict,
        "reason": review.reason,
        "by": review.who,
        "at": timestamp(review.at),
        "mend_by": review.mend_by,
        "note": review.note,
        "evidence": review.evidence,
    })
}

fn about_audit(data: &mut Value, row: &AuditRow, finding: Option<&Finding>) -> Result<()> {
    let audit = &row.audit;
    data["app"] = serde_json::to_value(&audit.app)?;
    data["artifacts"] = serde_json::to_value(&audit.artifacts)?;
    data["coverage"] = json!({ "level": audit.coverage.level, "reading": audit.coverage.reading().id() });
    data["made_by"] = serde_json::to_value(&row.made_by)?;
    data["audit"] = json!({ "id": row.id, "at": timestamp(row.at), "as_of": row.as_of });
    if let Some(finding) = finding {
        data["finding"] = serde_json::to_value(finding)?;
    }
    Ok(())
}
