//! Decisions, and what they make of findings and the inbox.

use sqlx::AnyConnection;

use super::outbox::{self, News};
use super::people;
use super::reading::reviews_of;
use super::{Database, Thing};
use crate::store::{AuditLogEntry, Result, Review, in_force};

/// Counts an app's findings into its row of the inbox. What waits, see `DeskFinding::is_waiting`.
const REFRESH: &str = "
    WITH told AS (
        SELECT *, verdict <> '' AND decided <> '' AND decided <> evidence AS is_stale FROM findings WHERE app = $1
    ), ranked AS (
        SELECT *, state = 'open' AS is_open,
               state = 'open' AND (verdict IN ('', 'again') OR is_stale) AS is_waiting,
               probability * CASE severity WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END AS rank
        FROM told
    ), counted AS (
        SELECT count(*) FILTER (WHERE is_open) AS open,
               count(*) FILTER (WHERE is_waiting) AS waiting,
               count(*) FILTER (WHERE is_waiting AND verdict = '' AND first_audit = last_audit
                                  AND sight = 'whole') AS fresh,
               count(*) FILTER (WHERE is_waiting AND verdict = '' AND moved = last_audit
                                  AND first_audit <> last_audit AND sight = 'whole') AS changed,
               count(*) FILTER (WHERE is_open AND is_stale) AS stale,
               count(*) FILTER (WHERE is_open AND verdict = 'confirmed') AS confirmed,
               count(*) FILTER (WHERE is_open AND verdict = 'dismissed') AS dismissed,
               count(*) FILTER (WHERE NOT is_open AND verdict = 'confirmed' AND cause = 'app') AS mended,
               count(*) FILTER (WHERE NOT is_open AND verdict = 'confirmed' AND cause <> 'app') AS reassessed,
               count(*) FILTER (WHERE is_open AND sight <> 'whole') AS unseen,
               count(*) AS findings,
               coalesce(min(mend_by) FILTER (WHERE is_open AND verdict = 'confirmed' AND mend_by <> ''), '') AS mend_by,
               coalesce(max(rank) FILTER (WHERE is_waiting), max(rank) FILTER (WHERE is_open), 0.0) AS rank
        FROM ranked
    )
    UPDATE desk SET open = c.open, waiting = c.waiting, fresh = c.fresh, changed = c.changed, stale = c.stale,
        confirmed = c.confirmed, dismissed = c.dismissed, mended = c.mended, reassessed = c.reassessed,
        unseen = c.unseen, findings = c.findings, mend_by = c.mend_by, rank = c.rank
    FROM counted c WHERE desk.app = $1";

/// Counts an app's findings into its row of the inbox, where it has one.
pub(super) async fn refresh(change: &mut AnyConnection, app: i64) -> Result<()> {
    sqlx::query(REFRESH).bind(app).execute(change).await?;
    Ok(())
}

/// Writes the decision in force beside the finding it is about.
pub(super) async fn put_in_force(change: &mut AnyConnection, finding: &str, force: &Review) -> Result<()> {
    sqlx::query(
        "UPDATE findings SET verdict = $1, decided = $2, decided_by = $3, decided_at = $4, mend_by = $5
         WHERE id = $6",
    )
    .bind(&force.verdict)
    .bind(&force.evidence)
    .bind(&force.who)
    .bind(force.at)
    .bind(&force.mend_by)
    .bind(finding)
    .execute(change)
    .await?;
    Ok(())
}

impl Database {
    pub(super) async fn keep_review(&self, review: &Review) -> Result<()> {
        let mut change = self.change().await?;
        let app: i64 = sqlx::query_scalar("SELECT app FROM findings WHERE id = $1")
            .bind(&review.finding)
            .fetch_one(&mut *change)
            .await?;
        self.hold(&mut change, Thing::App(app)).await?;
        let before: String = sqlx::query_scalar("SELECT verdict FROM findings WHERE id = $1")
            .bind(&review.finding)
            .fetch_one(&mut *change)
            .await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO reviews (finding, audit, evidence, who, verdict, reason, mend_by, note, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        )
        .bind(&review.finding)
        .bind(review.audit)
        .bind(&review.evidence)
        .bind(&review.who)
        .bind(&review.verdict)
        .bind(&review.reason)
        .bind(&review.mend_by)
        .bind(&review.note)
        .bind(review.at)
        .fetch_one(&mut *change)
        .await?;
        let reviews = reviews_of(&mut change, &review.finding).await?;
        let none = Review::default();
        let force = in_force(&reviews).unwrap_or(&none);
        put_in_force(&mut change, &review.finding, force).await?;
        let kind = match (before.as_str(), force.verdict.as_str()) {
            // A remark changes nothing; a second confirmation may change the day to mend by.
            _ if review.verdict == "remark" => None,
            (_, "confirmed") => Some("finding.confirmed"),
            ("confirmed", _) => Some("finding.withdrawn"),
            _ => None,
        };
        if let Some(kind) = kind {
            let (audit, mark) = (review.audit, id.to_string());
            // What stands after it: a confirmation taken up again has its own day, not that of the taking back.
            let decision = in_force(&reviews).map(Review::told);
            let about = serde_json::json!({ "decision": decision, "act": review.told() });
            let news = News { kind, app, finding: &review.finding, audit, mark: &mark, at: review.at, about };
            outbox::write(&mut change, news).await?;
        }
        let did = if review.verdict == "undone" { "took-back" } else { "decided" };
        let about = format!("{} {}", review.finding, review.verdict);
        people::log(&mut change, &[AuditLogEntry::new(&review.who, did, &about, review.at)]).await?;
        refresh(&mut change, app).await?;
        change.commit().await?;
        Ok(())
    }
}
