//! Questions and answers that are kept: a page not modified comes from the vault.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::jobs::ask_key;
use super::tally::count;
use super::{Catalogue, Sweep, SweepError, now};
use crate::model::fetch::{Answer, Ask, Downloaded, Fault, Outcome, Purpose, Validators, Wanted};
use crate::runs::judge;
use crate::store::{FetchRow, NewFetch, State, Vault, Work};

/// A kept answer.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) fetch: i64,
}

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// Asks, and keeps what comes back. The inner error is the store's or the network's.
    pub(super) async fn answer(&self, ask: &Ask) -> Result<Result<Answered, Fault>, SweepError> {
        let key = ask_key(ask);
        let before = self.held(&key).await?;
        let validators = before.as_ref().and_then(|row| validators_of(&row.fetch.headers));
        let sent = Ask { validators, ..ask.clone() };
        let fetched = match ask.purpose {
            Purpose::Repository => {
                self.client.fetch_file(&sent, &self.incoming).await.map(|file| (file.answer.clone(), Some(file)))
            }
            _ => self.client.fetch(&sent).await.map(|answer| (answer, None)),
        };
        let (mut answer, file) = match fetched {
            Ok(fetched) => fetched,
            Err(fault) => {
                self.keep_fault(ask, &fault).await?;
                return Ok(Err(fault));
            }
        };
        if answer.is_unchanged()
            && let Some(row) = before
        {
            count(&self.tally.unmodified, 1);
            self.state.fetched(&NewFetch { at: now(), ..row.fetch.clone() }).await?;
            let mut answer = revived(&row);
            match file {
                Some(file) => {
                    let _ = std::fs::remove_file(&file.path);
                    answer.file = Some(self.vault.local(&row.fetch.body).await?);
                }
                None => answer.body = self.vault.get(&row.fetch.body).await?,
            }
            return Ok(Ok(Answered { fetch: row.id, answer }));
        }
        // A server that answers 304 to a question without conditions is broken.
        let outcome = if answer.is_unchanged() { Outcome::AdapterBroken } else { Outcome::Ok };
        let (body, bytes) = match file {
            Some(file) => {
                self.vault.adopt(&file.path, &file.sha256).await?;
                answer.file = Some(self.vault.local(&file.sha256).await?);
                (file.sha256, file.bytes)
            }
            None => (self.vault.put(&answer.body).await?, answer.body.len() as u64),
        };
        let fetch = self.state.fetched(&kept(ask, outcome, &answer, &body, bytes)?).await?;
        Ok(Ok(Answered { answer, fetch }))
    }

    /// The last answer whose body is still there.
    async fn held(&self, key: &str) -> Result<Option<FetchRow>, SweepError> {
        let Some(row) = self.state.last_fetch(key).await? else { return Ok(None) };
        let is_there = row.fetch.outcome == Outcome::Ok.id() && judge::is_whole(&self.vault, &row.fetch.body).await?;
        Ok(is_there.then_some(row))
    }

    /// Fetches a package; `None` where the one at hand, which must be whole, is still what the address gives.
    pub(super) async fn file(
        &self,
        wanted: &Wanted,
        at_hand: Option<&str>,
    ) -> Result<Result<Option<(Downloaded, i64)>, Fault>, SweepError> {
        let mut ask = wanted.ask.clone();
        if at_hand.is_some() {
            let before = self.state.last_fetch(&ask_key(&wanted.ask)).await?;
            let same = before.filter(|row| Some(row.fetch.body.as_str()) == at_hand);
            ask.validators = same.and_then(|row| validators_of(&row.fetch.headers));
        }
        let expected = if ask.validators.is_some() { Default::default() } else { wanted.expected.clone() };
        let file = match self.client.download(&ask, &expected, &self.incoming).await {
            Ok(file) => file,
            Err(fault) => {
                self.keep_fault(&wanted.ask, &fault).await?;
                return Ok(Err(fault));
            }
        };
        if file.answer.is_unchanged() {
            let _ = std::fs::remove_file(&file.path);
            count(&self.tally.unmodified, 1);
            return Ok(Ok(None));
        }
        self.vault.adopt(&file.path, &file.sha256).await?;
        let fetch = kept(&wanted.ask, Outcome::Ok, &file.answer, &file.sha256, file.bytes)?;
        let fetch = self.state.fetched(&fetch).await?;
        self.tally.bytes.fetch_add(file.bytes, Ordering::Relaxed);
        Ok(Ok(Some((file, fetch))))
    }

    /// Keeps that a question failed, with the page that did not fit.
    pub(super) async fn keep_fault(&self, ask: &Ask, fault: &Fault) -> Result<(), SweepError> {
        let nothing = Answer { url: ask.url.clone(), ..Answer::default() };
        let answer = fault.page.as_deref().unwrap_or(&nothing);
        let page = match &answer.file {
            Some(path) => Cow::Owned(tokio::fs::read(path).await.unwrap_or_default()),
            None => Cow::Borrowed(&answer.body),
        };
        let body = if page.is_empty() { String::new() } else { self.vault.put(&page).await? };
        self.state.fetched(&kept(ask, fault.outcome, answer, &body, page.len() as u64)?).await?;
        Ok(())
    }
}

/// An answer as it is kept.
pub(in crate::runs) fn kept(
    ask: &Ask,
    outcome: Outcome,
    answer: &Answer,
    body: &str,
    bytes: u64,
) -> Result<NewFetch, SweepError> {
    let request = serde_json::json!({ "headers": answer.sent, "body": ask.text(), "hops": answer.hops,
        "peer": answer.peer.map(|peer| peer.to_string()) });
    Ok(NewFetch {
        ask: ask_key(ask),
        method: ask.method.name().into(),
        url: ask.url.clone(),
        request: request.to_string(),
        outcome: outcome.id().into(),
        status: answer.status,
        final_url: answer.url.clone(),
        headers: serde_json::to_string(&answer.headers)?,
        body: body.into(),
        bytes,
        at: now(),
    })
}

fn headers_of(kept: &str) -> Vec<(String, String)> {
    serde_json::from_str(kept).unwrap_or_default()
}

fn validators_of(headers: &str) -> Option<Validators> {
    Answer { headers: headers_of(headers), ..Answer::default() }.validators()
}

/// The answer as it was when it was kept, without its body.
fn revived(row: &FetchRow) -> Answer {
    Answer {
        status: row.fetch.status,
        headers: headers_of(&row.fetch.headers),
        url: row.fetch.final_url.clone(),
        ..Answer::default()
    }
}
