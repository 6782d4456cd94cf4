//! Audits of a sweep: each is remembered once a run.

use tracing::Instrument;

use super::jobs::{About, Judge};
use super::tally::count;
use super::trace;
use super::{Catalogue, Sweep, SweepError, now};
use crate::audit::stage;
use crate::model::fetch::{Fault, Outcome};
use crate::runs::judge::{self, Judged};
use crate::store::{Lease, NewAudit, PackageFile, State, Vault, Work};

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    pub(super) async fn judge(&self, run: i64, lease: &Lease) -> Result<(), SweepError> {
        let Judge { about, file } = match serde_json::from_str(&lease.payload) {
            Ok(judge) => judge,
            Err(error) => {
                return self.bury_one(run, lease, &format!("of another version of xunjian: {error}")).await;
            }
        };
        let about = self.traced_about(about, run).await?;
        let span = about.trace.span("audit", run, &about.store, &about.name);
        self.judge_app(run, lease, about, file).instrument(span).await
    }

    async fn judge_app(
        &self,
        run: i64,
        lease: &Lease,
        about: About,
        file: Option<(String, Option<i64>)>,
    ) -> Result<(), SweepError> {
        let Some(listing) = self.state.listing(about.listing).await?.map(|row| row.listing) else {
            self.skip(run, "lost", &about.target(), "audit", "its listing is not in the state any more").await?;
            self.state.complete(lease, &[], now()).await?;
            return Ok(());
        };
        let name = judge::file_name(Some(&listing));
        let sha256 = file.as_ref().map(|(sha256, _)| sha256.as_str());
        let asks: Vec<_> = super::picture_asks(&listing).map(|(_, ask)| ask).collect();
        let places = (&self.state, &self.vault);
        let judged = judge::judge(places, &self.auditor, Some(listing), sha256, self.plan.timeout).await?;
        let mut facts = String::new();
        if let Some((sha256, fetch)) = &file {
            if judged.is_lost {
                let withheld = self.state.withheld(about.app).await?;
                super::want_again(&self.state, about.app, sha256, withheld.as_ref()).await?;
            } else {
                self.keep_file(&about, sha256, *fetch, &judged).await?;
            }
            facts = judge::keep(places, sha256, &name, &judged, now()).await?;
        }
        if let Some(reason) = &judged.unread {
            self.skip(run, judge::unread_code(reason), &about.target(), "unpack", reason).await?;
        }
        let audit = NewAudit {
            run,
            app: about.app,
            listing: Some(about.listing),
            artifact: judged.file(sha256),
            audit: &judged.audit,
            made_by: &self.auditor.made_by(),
            as_of: &self.plan.as_of,
            registers: &self.plan.registers,
            facts: &facts,
            controls: &[],
            at: now(),
        };
        let controls = judge::controls(places, &self.auditor, &audit, self.plan.timeout).await?;
        let audit = NewAudit { controls: &controls, ..audit };
        let remembering = async {
            let delta = self.state.remember(audit).await?;
            if delta.is_kept {
                judged.audit.findings.iter().for_each(trace::finding);
            }
            Ok::<_, SweepError>(delta)
        };
        if remembering.instrument(stage("remember")).await?.is_kept {
            count(&self.tally.audits, 1);
        }
        tracing::Span::current().record("findings", judged.audit.findings.len());
        trace::ended(judged.unread.as_deref().map_or("ok", judge::unread_code));
        // Those that were to be read were fetched before.
        let is_settled = judged.audit.findings.is_empty() || !self.pictures_first(about.listing).await?.is_empty();
        let asks = if is_settled { Vec::new() } else { asks };
        self.state.complete(lease, &Self::pictures(run, &about, asks)?, now()).await?;
        Ok(())
    }

    /// Keeps which file the listing's offer stands for.
    async fn keep_file(
        &self,
        about: &About,
        sha256: &str,
        fetch: Option<i64>,
        judged: &Judged,
    ) -> Result<(), SweepError> {
        if about.offer.is_empty() {
            return Ok(());
        }
        let lack = if about.is_vouched { None } else { judged.incomplete() };
        let offer = if lack.is_some() { about.incomplete_offer() } else { about.offer.clone() };
        let artifact = judged.audit.artifacts.first().filter(|_| judged.unread.is_none());
        let app = &judged.audit.app;
        let identity = match artifact {
            Some(_) => (app.package.as_str(), app.version_name.as_str(), app.version_code),
            None => ("", "", 0),
        };
        let file = PackageFile {
            app: about.app,
            offer: &offer,
            sha256,
            bytes: self.vault.size(sha256).await?.unwrap_or_default(),
            kind: artifact.map(|artifact| artifact.kind),
            certificates: artifact.map_or(&[] as &[String], |artifact| &artifact.certificates),
            identity,
            fetch,
            at: now(),
        };
        self.state.package(file).await?;
        // Kept as what was answered, and asked for again: it may be whole the next time.
        match lack {
            Some(lack) => self.withhold(about, &Fault::new(Outcome::Network, lack)).await,
            None => Ok(()),
        }
    }
}
