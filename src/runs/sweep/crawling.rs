//! Catalogue pages and listings.

use std::sync::Arc;
use std::time::SystemTime;

use tracing::Instrument;

use super::jobs::{self, About, Errand, Judge};
use super::remembered::Remembered;
use super::tally::count;
use super::trace::{self, Trace, Way};
use super::{Catalogue, Next, Sweep, SweepError, Turn, now};
use crate::crawl::Keep;
use crate::model::fetch::{Answer, Fault, Found, Outcome};
use crate::store::{Known, Lease, NewJob, Seen, State, Vault, Work, name_of};

/// Jobs pushed at once while an answer is worked through: an index may name 100,000 apps.
const BATCH: usize = 200;
/// Apps read ahead of being remembered.
const APPS_AHEAD: usize = 64;

impl<S, V, C> Sweep<S, V, C>
where
    S: State + Work + Clone + 'static,
    V: Vault + Clone + 'static,
    C: Catalogue + 'static,
{
    /// Pushes where each store's catalogue begins.
    pub(super) async fn seed(&self, run: i64) -> Result<(), SweepError> {
        for (store, package) in &self.aims {
            self.seed_app(run, store, package).await?;
        }
        for store in self.stores.iter().filter(|_| self.aims.is_empty()) {
            match store.start() {
                Ok(steps) => {
                    let pages = steps.into_iter().map(|step| {
                        let ask = store.ask(&step);
                        jobs::errand(run, store.id(), &Errand::Page { step }, &ask)
                    });
                    self.state.push(&pages.collect::<Result<Vec<_>, _>>()?, now()).await?;
                }
                Err(fault) => self.skip(run, fault.outcome.id(), store.id(), "crawl", &fault.detail).await?,
            }
        }
        Ok(())
    }

    async fn seed_app(&self, run: i64, store: &str, package: &str) -> Result<(), SweepError> {
        let Some(store) = self.store(store) else { return Ok(()) };
        match store.aim(package) {
            Ok(steps) => {
                let mark = self.mark(run).await?;
                let trace = Way::Line { run: &mark, began: SystemTime::now() }.next(store.id(), package);
                let jobs = steps.into_iter().map(|step| {
                    let ask = store.ask(&step);
                    let (name, summary, trace) = (package.to_owned(), String::new(), trace.clone());
                    jobs::errand(run, store.id(), &Errand::App { step, name, summary, trace }, &ask)
                });
                self.state.push(&jobs.collect::<Result<Vec<_>, _>>()?, now()).await?;
                Ok(())
            }
            Err(fault) => {
                let target = format!("{}:{package}", store.id());
                self.skip(run, fault.outcome.id(), &target, "crawl", &fault.detail).await
            }
        }
    }

    pub(super) async fn errand(&self, run: i64, store: &Arc<C>, lease: &Lease) -> Result<(), SweepError> {
        let errand = match serde_json::from_str(&lease.payload) {
            Ok(errand) => errand,
            Err(error) => {
                return self.bury_one(run, lease, &format!("of another version of xunjian: {error}")).await;
            }
        };
        match errand {
            Errand::Page { step } => {
                let span = trace::page(run, store.id());
                self.page(run, store, lease, step).instrument(span).await
            }
            Errand::App { step, name, summary, trace } => {
                let trace = self.traced(trace, run, store.id(), &name).await?;
                let span = trace.span("listing", run, store.id(), &name);
                self.app(run, store, lease, step, (&name, &summary), &trace).instrument(span).await
            }
            Errand::Package { about, wanted } => {
                let about = self.traced_about(about, run).await?;
                let span = about.trace.span("package", run, &about.store, &about.name);
                self.package(run, lease, about, &wanted).instrument(span).await
            }
            Errand::Pictures { asks, judge } => {
                let span = judge.about.trace.span("pictures", run, &judge.about.store, &judge.about.name);
                self.read_pictures(run, lease, &asks, judge).instrument(span).await
            }
            Errand::Picture { about, ask } => {
                let span = about.trace.span("screenshot", run, &about.store, &about.name);
                self.picture(run, lease, &about, &ask).instrument(span).await
            }
        }
    }

    /// What tells this run from every other one; empty where nobody traces.
    async fn mark(&self, run: i64) -> Result<String, SweepError> {
        if !trace::is_on() {
            return Ok(String::new());
        }
        let began = self.state.run(run).await?.map_or(0, |run| run.began);
        Ok(format!("{run} {began}"))
    }

    /// The trace of a job; begun here where whoever pushed the job does not trace.
    async fn traced(&self, trace: Trace, run: i64, store: &str, app: &str) -> Result<Trace, SweepError> {
        if !trace.is_empty() {
            return Ok(trace);
        }
        let mark = self.mark(run).await?;
        Ok(Way::Line { run: &mark, began: SystemTime::now() }.next(store, app))
    }

    pub(super) async fn traced_about(&self, about: About, run: i64) -> Result<About, SweepError> {
        let trace = self.traced(about.trace, run, &about.store, &about.name).await?;
        Ok(About { trace, ..about })
    }

    async fn page(&self, run: i64, store: &Arc<C>, lease: &Lease, step: C::Step) -> Result<(), SweepError> {
        let target = format!("{} {}", store.id(), store.ask(&step).url);
        let mark = self.mark(run).await?;
        let way = || Way::Line { run: &mark, began: SystemTime::now() };
        let (turn, fetch, mut follow) = match self.turn(run, store, &step, None, &way).await? {
            Ok(read) => read,
            Err(fault) => {
                trace::ended(fault.outcome.id());
                return self.fail(run, lease, &target, "crawl", &fault).await.map(|_| ());
            }
        };
        for fault in &turn.faults {
            self.skip(run, fault.outcome.id(), &target, "crawl", &fault.detail).await?;
        }
        for next in turn.next {
            follow.extend(self.follow(run, store, next, &way()).await?);
            self.push_full(&mut follow).await?;
        }
        count(&self.tally.pages, 1);
        self.state.push(&follow, now()).await?;
        self.keep(store.id(), turn.keep, fetch).await?;
        self.state.complete(lease, &[], now()).await?;
        trace::ended("ok");
        Ok(())
    }

    async fn push_full(&self, jobs: &mut Vec<NewJob>) -> Result<(), SweepError> {
        if jobs.len() >= BATCH {
            self.state.push(jobs, now()).await?;
            jobs.clear();
        }
        Ok(())
    }

    async fn follow(
        &self,
        run: i64,
        store: &Arc<C>,
        next: Next<C::Step>,
        way: &Way<'_>,
    ) -> Result<Option<NewJob>, SweepError> {
        match next {
            Next::Page(_) if self.room.is_full(store.id()) => Ok(None),
            Next::Page(step) => {
                let ask = store.ask(&step);
                Ok(Some(jobs::errand(run, store.id(), &Errand::Page { step }, &ask)?))
            }
            Next::App { step, name, summary } => {
                if !self.room.take(store.id(), &name) {
                    return Ok(None);
                }
                let known = self.state.known(store.id(), &name).await?;
                if let Some(known) = known.filter(|known| self.says_the_same(known, &summary)) {
                    match self.state.withheld(known.app).await? {
                        // Its page is what the way to its package begins with.
                        Some(withheld) if withheld.again_at <= now() => {}
                        // Nor is a file that is not kept any more.
                        _ if self.lacks_file(known.app).await? => {}
                        withheld => {
                            self.skip_withheld(run, &format!("{}:{name}", store.id()), withheld.as_ref()).await?;
                            return self.again(run, store.id(), &name, &known, way).await;
                        }
                    }
                }
                let ask = store.ask(&step);
                let trace = way.next(store.id(), &name);
                Ok(Some(jobs::errand(run, store.id(), &Errand::App { step, name, summary, trace }, &ask)?))
            }
        }
    }

    /// The file that an app was last judged by is gone from the vault.
    async fn lacks_file(&self, app: i64) -> Result<bool, SweepError> {
        let Some(artifact) = self.state.judged(app).await?.and_then(|judged| judged.artifact) else { return Ok(false) };
        Ok(self.vault.size(&artifact).await?.is_none())
    }

    /// The catalogue says of an app what it said when its page was last read.
    fn says_the_same(&self, known: &Known, summary: &str) -> bool {
        !self.plan.refresh
            && !summary.is_empty()
            && known.listing.is_some()
            && known.mark == summary
            && known.outcome == Outcome::Ok.id()
    }

    /// An app whose listing is as it was: audited again only by another pack.
    async fn again(
        &self,
        run: i64,
        store: &str,
        name: &str,
        known: &Known,
        way: &Way<'_>,
    ) -> Result<Option<NewJob>, SweepError> {
        self.state.seen_again(run, known.app, now()).await?;
        let (Some(listing), Some(judged)) = (known.listing, self.state.judged(known.app).await?) else {
            return Ok(None);
        };
        let file = judged.artifact.clone().map(|artifact| (artifact, None));
        let about = About { store: store.into(), name: name.into(), app: known.app, listing, ..About::default() };
        self.judgement(run, Judge { about, file }, way).await
    }

    async fn app(
        &self,
        run: i64,
        store: &Arc<C>,
        lease: &Lease,
        step: C::Step,
        (name, summary): (&str, &str),
        trace: &Trace,
    ) -> Result<(), SweepError> {
        let way = || Way::Job(trace);
        let (turn, _, mut follow) = match self.turn(run, store, &step, Some((name, summary)), &way).await? {
            Ok(read) => read,
            Err(fault) => {
                trace::ended(fault.outcome.id());
                return self.missed(run, store.id(), lease, name, &fault).await;
            }
        };
        for fault in &turn.faults {
            self.skip(run, fault.outcome.id(), &format!("{}:{name}", store.id()), "crawl", &fault.detail).await?;
        }
        for next in turn.next {
            follow.extend(self.follow(run, store, next, &way()).await?);
        }
        self.state.complete(lease, &follow, now()).await?;
        trace::ended("ok");
        Ok(())
    }

    async fn missed(&self, run: i64, store: &str, lease: &Lease, name: &str, fault: &Fault) -> Result<(), SweepError> {
        let is_over = self.fail(run, lease, &format!("{store}:{name}"), "crawl", fault).await?;
        // Only what the store says of the app is remembered of the app.
        let is_told = matches!(fault.outcome, Outcome::NotFound | Outcome::Delisted | Outcome::RegionLocked);
        if is_over
            && is_told
            && let Some(known) = self.state.known(store, name).await?
        {
            self.state.missed(run, known.app, fault.outcome.id()).await?;
        }
        Ok(())
    }

    /// Asks a step and reads the answer, off the threads of the network. Apps are remembered while
    /// it is read, a few at a time; the jobs that follow from the last of them come back.
    async fn turn<'w>(
        &self,
        run: i64,
        store: &Arc<C>,
        step: &C::Step,
        key: Option<(&str, &str)>,
        way: &(dyn Fn() -> Way<'w> + Sync),
    ) -> Result<Result<(Turn<C::Step>, i64, Vec<NewJob>), Fault>, SweepError> {
        let ask = store.ask(step);
        let answered = match self.answer(&ask).await? {
            Ok(answered) => answered,
            Err(fault) => return Ok(Err(fault)),
        };
        let (reader, step, answer) = (Arc::clone(store), step.clone(), answered.answer);
        let memory = Remembered {
            state: self.state.clone(),
            vault: self.vault.clone(),
            store: store.id().to_owned(),
            incoming: self.incoming.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let (sender, mut apps) = tokio::sync::mpsc::channel(APPS_AHEAD);
        let read = tokio::task::spawn_blocking(move || {
            // Nobody takes them only where the sweep has failed, and its error is told.
            let mut hand = |found| drop(sender.blocking_send(found));
            let mut turn = reader.read(&step, &answer, &memory, &mut hand);
            turn.faults = turn.faults.into_iter().map(|fault| with_page(fault, &answer)).collect();
            turn
        });
        let (mut follow, mut told) = (Vec::new(), 0);
        while let Some(found) = apps.recv().await {
            told += 1;
            follow.extend(self.found(run, found, key, Some(answered.fetch), &way()).await?);
            self.push_full(&mut follow).await?;
        }
        let mut turn = match read.await {
            Ok(turn) => turn,
            // A reader that fails on one page must not end the sweep.
            Err(error) if error.is_panic() => {
                let detail = format!("{}: the adapter's reader failed on this page; report it", ask.url);
                return Ok(Err(Fault::new(Outcome::AdapterBroken, detail)));
            }
            Err(error) => return Err(error.into()),
        };
        for fault in turn.faults.iter().filter(|fault| fault.page.is_some()) {
            self.keep_fault(&ask, fault).await?;
            if fault.outcome == Outcome::Throttled {
                self.client.slow_down(&fault.page.as_ref().map_or_else(|| ask.url.clone(), |page| page.url.clone()));
            }
        }
        tracing::Span::current().record("apps", told + turn.next.len());
        let is_lost = told == 0 && turn.next.is_empty();
        match turn.faults.pop() {
            Some(fault) if is_lost => Ok(Err(fault)),
            last => {
                turn.faults.extend(last);
                Ok(Ok((turn, answered.fetch, follow)))
            }
        }
    }

    /// Remembers what the adapter wants to know next time. Only once all that the answer
    /// named is in the queue: a crash before must not make the next sweep believe it has it.
    async fn keep(&self, store: &str, keep: Vec<(String, Keep)>, fetch: i64) -> Result<(), SweepError> {
        for (name, keep) in keep {
            if self.room.is_limited() {
                if let Keep::File { path, .. } = &keep {
                    let _ = std::fs::remove_file(path);
                }
                continue;
            }
            let blob = match keep {
                Keep::Bytes(bytes) => self.vault.put(&bytes).await?,
                Keep::File { path, sha256 } => {
                    self.vault.adopt(&path, &sha256).await?;
                    sha256
                }
                Keep::Answer => match self.state.fetch(fetch).await? {
                    Some(row) => row.fetch.body,
                    None => continue,
                },
            };
            self.state.note(store, &name, &blob).await?;
        }
        Ok(())
    }

    /// Remembers a listing; what is left to do for its app.
    async fn found(
        &self,
        run: i64,
        found: Found,
        key: Option<(&str, &str)>,
        fetch: Option<i64>,
        way: &Way<'_>,
    ) -> Result<Option<NewJob>, SweepError> {
        let (store, name) = (found.listing.store.clone(), name_of(&found.listing).to_owned());
        // An app that a list named has its room under the list's key.
        if key.is_none() && !self.room.take(&store, &name) {
            return Ok(None);
        }
        if let Some(why) = self.is_another(&found) {
            self.doubt(run, &found, fetch, &why).await?;
            return Ok(None);
        }
        if let Some((known, lost)) = self.has_lost(&found, &name).await? {
            let why = format!(
                "lost what it had the last time: {}; mend the store's file, or accept it by `accept-losses`",
                lost.join(", ")
            );
            self.doubt(run, &found, fetch, &why).await?;
            return self.again(run, &store, &name, &known, way).await;
        }
        let seen = Seen { run, listing: &found.listing, key, fetch, at: now() };
        let sight = self.state.see(seen).await?;
        count(&self.tally.listings, 1);
        let mut about = About { store, name, app: sight.app, listing: sight.listing, ..About::default() };
        let withheld = self.state.withheld(sight.app).await?;
        let Some(wanted) = found.package else {
            self.end_withheld(sight.app, withheld.as_ref()).await?;
            return self.judgement(run, Judge { about, file: None }, way).await;
        };
        let listing = &found.listing;
        about.offer = jobs::offer(&wanted, &listing.version_name, listing.version_code);
        about.is_vouched = wanted.expected.sha256.is_some();
        // An address without version or hash may give something else each time.
        let is_telling =
            wanted.expected.sha256.is_some() || listing.version_code > 0 || !listing.version_name.is_empty();
        if !self.plan.refresh
            && let Some(artifact) = self.state.offered(sight.app, &about.offer).await?
            && is_telling
            && self.vault.size(&artifact).await?.is_some()
        {
            self.end_withheld(sight.app, withheld.as_ref()).await?;
            return self.judgement(run, Judge { about, file: Some((artifact, None)) }, way).await;
        }
        if let Some(withheld) = withheld.filter(|withheld| self.rests(withheld, &about.offer)) {
            self.skip_withheld(run, &about.target(), Some(&withheld)).await?;
            // What came and is not whole is judged for what it is until something better comes.
            let file = self.state.offered(sight.app, &about.incomplete_offer()).await?.map(|sha256| (sha256, None));
            return self.judgement(run, Judge { about, file }, way).await;
        }
        about.trace = way.next(&about.store, &about.name);
        let store = about.store.clone();
        let ask = wanted.ask.clone();
        let errand: Errand<C::Step> = Errand::Package { about, wanted: Box::new(wanted) };
        Ok(Some(jobs::errand(run, &store, &errand, &ask)?))
    }

    /// The job that judges an app, unless its last audit rests on the same.
    pub(super) async fn judgement(
        &self,
        run: i64,
        mut judge: Judge,
        way: &Way<'_>,
    ) -> Result<Option<NewJob>, SweepError> {
        let judged = self.state.judged(judge.about.app).await?;
        let is_same = judged.is_some_and(|judged| {
            judged.listing == Some(judge.about.listing)
                && judged.artifact.as_ref() == judge.file.as_ref().map(|(sha256, _)| sha256)
                && judged.made_by == self.auditor.made_by()
        });
        // Apps that were asked for by name are judged again: registers and the day may differ.
        if is_same && self.aims.is_empty() {
            count(&self.tally.unchanged, 1);
            return Ok(None);
        }
        judge.about.trace = way.next(&judge.about.store, &judge.about.name);
        let asks = self.pictures_first(judge.about.listing).await?;
        let Some(first) = asks.first().cloned() else { return Ok(Some(jobs::judge(run, &judge)?)) };
        let store = judge.about.store.clone();
        let errand: Errand<C::Step> = Errand::Pictures { asks, judge };
        Ok(Some(jobs::errand(run, &store, &errand, &first)?))
    }
}

fn with_page(mut fault: Fault, answer: &Answer) -> Fault {
    if fault.page.is_none() && fault.outcome == Outcome::AdapterBroken {
        fault.page = Some(Box::new(answer.clone()));
    }
    fault
}
