//! Earlier audits whose bytes are to be judged anew, to tell a change of the app from one of its judge.

use sqlx::Row;

use super::Database;
use crate::store::{Doubt, NewAudit, Result};

impl Database {
    pub(super) async fn doubts_about(&self, new: &NewAudit<'_>) -> Result<Vec<Doubt>> {
        let rows = sqlx::query(
            "SELECT f.sign, f.state, a.id, a.listing, a.artifact, a.pack_sha256, a.policy, a.version, a.as_of, a.registers
             FROM findings f JOIN audits a
               ON a.id = CASE WHEN f.state = 'gone' AND f.ended > 0 THEN f.ended ELSE f.last_audit END
             WHERE f.app = $1 AND f.verdict = 'confirmed' ORDER BY a.id",
        )
        .bind(new.app)
        .fetch_all(&self.readers)
        .await?;
        let mut doubts: Vec<Doubt> = Vec::new();
        for row in rows {
            let (sign, state): (&str, &str) = (row.try_get("sign")?, row.try_get("state")?);
            let is_found = new.audit.findings.iter().any(|finding| finding.sign.id() == sign);
            if is_found == (state == "open") {
                continue;
            }
            let text = |column: &str| row.try_get::<String, _>(column);
            let is_same_judge = text("pack_sha256")? == new.made_by.pack_sha256
                && text("policy")? == new.made_by.policy
                && text("version")? == new.made_by.version
                && text("registers")? == new.registers
                && (new.registers.is_empty() || text("as_of")? == new.as_of);
            let (listing, artifact): (Option<i64>, Option<String>) =
                (row.try_get("listing")?, row.try_get("artifact")?);
            let is_other_file = artifact.is_some() && new.artifact.is_some() && artifact.as_deref() != new.artifact;
            let reads_more = artifact.is_none() && new.artifact.is_some();
            if (listing == new.listing && !is_other_file) || (is_same_judge && !reads_more) {
                continue;
            }
            let artifact = artifact.or_else(|| new.artifact.map(str::to_owned));
            let doubt = Doubt { audit: row.try_get("id")?, listing, artifact };
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
        Ok(doubts)
    }
}
