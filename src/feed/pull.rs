//! Standings asked for, and the case backend told what became of them.

use serde_json::{Value, json};

use super::standings::{BYTES_MAX, NOTES, StandingsError, Taken, are_there, take};
use crate::store::State;

/// Name of what the case backend is told.
const REPORT: &str = "xunjian/standings-report/1";

/// Where standings are asked for.
#[derive(Debug, Clone)]
pub struct Source {
    /// Address.
    pub from: url::Url,
    /// Folder of registers.
    pub folder: std::path::PathBuf,
}

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Nothing changed since the last time.
    Unchanged,
    /// New ones.
    Taken(Taken),
    /// No standings came; why.
    Refused(String),
}

impl super::Feed {
    /// Asks the case backend for standings, with the `ETag` of those it gave last as long as they are
    /// still there; then tells it what became of them. `now` in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// When they cannot be kept, or are none.
    pub async fn ask_for_standings(&self, source: &Source, now: i64) -> Result<Asked, StandingsError> {
        let state = &self.home.state;
        self.report(source, now).await?;
        let mut request = self.signed(self.client.get(source.from.clone()), "standings", b"", now);
        if let Some(etag) = state.noted(NOTES, "etag").await?.filter(|etag| !etag.is_empty())
            && are_there(state, &source.folder).await?
        {
            request = request.header("if-none-match", etag);
        }
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Asked::Refused(error.without_url().to_string())),
        };
        match answer.status().as_u16() {
            304 => return Ok(Asked::Unchanged),
            200 => {}
            status => return Ok(Asked::Refused(format!("status {status}"))),
        }
        let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= BYTES_MAX => bytes.extend_from_slice(&chunk),
                Ok(Some(_)) => return Ok(Asked::Refused(format!("more than {BYTES_MAX} bytes"))),
                Ok(None) => break,
                Err(error) => return Ok(Asked::Refused(error.without_url().to_string())),
            }
        }
        let taken = take(state, &source.folder, &bytes, now).await;
        if let Some(report) = report_of(&taken) {
            state.note(NOTES, "report", &report.to_string()).await?;
            self.report(source, now).await?;
        }
        let taken = taken?;
        state.note(NOTES, "etag", etag.as_deref().unwrap_or_default()).await?;
        Ok(Asked::Taken(taken))
    }

    /// Tells the case backend what became of its lists, if that is due: at the address they come from.
    /// Where it does not want to know, that is all; where it cannot be reached, it is told the next time.
    async fn report(&self, source: &Source, now: i64) -> Result<(), StandingsError> {
        let state = &self.home.state;
        let Some(report) = state.noted(NOTES, "report").await?.filter(|report| !report.is_empty()) else {
            return Ok(());
        };
        let body = report.into_bytes();
        let request = self.signed(self.client.post(source.from.clone()), "standings-report", &body, now);
        let answer = request.header("content-type", "application/json").body(body).send().await;
        match answer.map(|answer| answer.status().as_u16()) {
            Ok(429 | 500..) => {}
            Ok(status) => {
                tracing::info!(status, "the case backend was told what became of its lists");
                state.note(NOTES, "report", "").await?;
            }
            Err(error) => tracing::info!(error = %error.without_url(), "what became of the lists is not told yet"),
        }
        Ok(())
    }
}

/// What the case backend is told; `None` where it is not at fault.
fn report_of(taken: &Result<Taken, StandingsError>) -> Option<Value> {
    match taken {
        Ok(taken) => {
            let kept: serde_json::Map<String, Value> =
                taken.kept.iter().map(|(list, entries)| ((*list).to_owned(), json!(entries))).collect();
            Some(json!({ "schema": REPORT, "taken": true, "kept": kept, "left_out": taken.left_out,
                "left_out_count": taken.left_out_count, "unknown": taken.unknown }))
        }
        Err(error) => {
            let code = error.code()?;
            Some(json!({ "schema": REPORT, "taken": false, "refused": { "code": code, "reason": error.to_string() } }))
        }
    }
}
