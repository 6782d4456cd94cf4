//! What the case backend is told of an audit.

use serde_json::{Value, json};
use sqlx::{AnyConnection, Row};

use super::moving::{Case, Moves};
use super::outbox::{self, News};
use super::reading::reviews_of;
use crate::store::{NewAudit, Result, Review, in_force};

impl Moves {
    /// Writes the letters: what was mended, what came back, and what only whoever judges sees otherwise.
    pub(super) async fn tell(&self, change: &mut AnyConnection, audit: i64, new: &NewAudit<'_>) -> Result<()> {
        let mark = format!("audit {audit}");
        let news = |kind, finding, about| News { kind, app: new.app, finding, audit, mark: &mark, at: new.at, about };
        for (case, causes, is_found) in &self.reassessed {
            let mut about = decisions(change, &case.id).await?;
            about["causes"] = json!(causes);
            about["outcome"] = json!(if *is_found { "found" } else { "not-found" });
            outbox::write(change, news("finding.reassessed", &case.id, about)).await?;
        }
        if !self.mended.is_empty() {
            let left = confirmed(change, new.app).await?;
            let mended: Vec<Value> = self.mended.iter().map(told).collect();
            outbox::write(change, news("app.mended", "", json!({ "findings": mended, "left": left }))).await?;
        }
        for case in &self.back {
            let mut about = decisions(change, &case.id).await?;
            about["came_back"] = json!(true);
            outbox::write(change, news("finding.confirmed", &case.id, about)).await?;
        }
        Ok(())
    }
}

fn told(case: &Case) -> Value {
    json!({ "finding_id": case.id, "sign": case.sign, "mend_by": case.mend_by })
}

/// The decision in force about a finding, as an event tells it.
pub(super) async fn decisions(change: &mut AnyConnection, finding: &str) -> Result<Value> {
    let reviews = reviews_of(change, finding).await?;
    Ok(json!({ "decision": in_force(&reviews).map(Review::told) }))
}

/// The confirmed findings of an app that are still open, and how they were last seen.
pub(super) async fn confirmed(change: &mut AnyConnection, app: i64) -> Result<Vec<Value>> {
    let rows = sqlx::query(
        "SELECT id, sign, mend_by, sight, because FROM findings
         WHERE app = $1 AND state = 'open' AND verdict = 'confirmed' ORDER BY mend_by, id",
    )
    .bind(app)
    .fetch_all(change)
    .await?;
    let mut all = Vec::new();
    for row in rows {
        let text = |column: &str| row.try_get::<String, _>(column);
        let because: Vec<String> = text("because")?.split_whitespace().map(str::to_owned).collect();
        all.push(json!({ "finding_id": text("id")?, "sign": text("sign")?, "mend_by": text("mend_by")?,
            "seen": text("sight")?, "because": because }));
    }
    Ok(all)
}
