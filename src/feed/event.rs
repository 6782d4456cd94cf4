//! A letter as the case backend reads it: a CloudEvent with everything about the finding.

use serde_json::{Value, json};

use crate::model::Finding;
use crate::report::law;
use crate::store::{AuditRow, Letter, Result, Review, State, in_force, timestamp};

/// The event of a letter. Made from what never changes (the audit and the decisions), so that
/// every try sends the same bytes.
///
/// `source` names this installation, `page` is the address of the reviewers' page or empty.
///
/// # Errors
/// When the state cannot be read.
pub async fn event(state: &impl State, letter: &Letter, source: &str, page: &str) -> Result<Value> {
    let audit = state.audit(letter.audit).await?;
    let known = if letter.finding.is_empty() { None } else { state.finding(&letter.finding).await? };
    let mut data = stood(state, letter).await?;
    if let Some(audit) = &audit {
        let is_it = |finding: &&Finding| known.as_ref().is_some_and(|known| known.sign == finding.sign.id());
        about_audit(&mut data, audit, audit.audit.findings.iter().find(is_it))?;
        data["app"]["number"] = json!(letter.app);
        data["app"]["listed"] = json!(audit.listed);
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
        let former = state.former_ids(&letter.finding).await?;
        if !former.is_empty() {
            data["former_ids"] = json!(former);
        }
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

/// What stood when the letter was written. Letters of before did not keep it: the decision in
/// force at their time.
async fn stood(state: &impl State, letter: &Letter) -> Result<Value> {
    if let Ok(about @ Value::Object(_)) = serde_json::from_str(&letter.about) {
        let mut data = json!({ "decision": null });
        for (key, value) in about.as_object().into_iter().flatten() {
            data[key] = value.clone();
        }
        return Ok(data);
    }
    let reviews = if letter.finding.is_empty() { Vec::new() } else { state.reviews(&letter.finding).await? };
    let until: Vec<Review> = reviews.into_iter().filter(|review| review.at <= letter.at).collect();
    Ok(json!({ "decision": in_force(&until).map(Review::told) }))
}

fn about_audit(data: &mut Value, row: &AuditRow, finding: Option<&Finding>) -> Result<()> {
    let audit = &row.audit;
    data["app"] = serde_json::to_value(&audit.app)?;
    data["artifacts"] = serde_json::to_value(&audit.artifacts)?;
    data["coverage"] = json!({ "level": audit.coverage.level, "reading": audit.coverage.reading().id() });
    data["basis"] = serde_json::to_value(&audit.basis)?;
    if let Some(banner) = law::banner(&audit.basis) {
        data["banner"] = json!({ "zh": banner.zh, "en": banner.en });
    }
    data["made_by"] = serde_json::to_value(&row.made_by)?;
    data["audit"] = json!({ "id": row.id, "at": timestamp(row.at), "as_of": row.as_of });
    if let Some(finding) = finding {
        data["finding"] = serde_json::to_value(finding)?;
    }
    Ok(())
}
