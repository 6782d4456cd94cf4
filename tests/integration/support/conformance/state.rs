//! What every memory of apps must do.

use xunjian::model::{ArtifactKind, Audit, Listing, MadeBy, Skipped};
use xunjian::store::{NewAudit, NewFetch, PackageFile, Seen, Sight, State, Withheld};

fn listing(store: &str, package: &str, title: &str) -> Listing {
    Listing { store: store.into(), package: package.into(), title: title.into(), ..Listing::default() }
}

async fn see(state: &impl State, run: i64, listing: &Listing, at: i64) -> Sight {
    state.see(Seen { run, listing, key: Some((&listing.package, "mark")), fetch: None, at }).await.unwrap()
}

pub async fn a_run_is_continued_until_it_ends(state: &impl State) {
    let first = state.begin("sweep", "a,b", 10).await.unwrap();
    assert!(!first.is_resumed);
    let again = state.begin("sweep", "a,b", 20).await.unwrap();
    assert_eq!((again.id, again.began, again.is_resumed), (first.id, 10, true));
    assert_ne!(state.begin("sweep", "a", 20).await.unwrap().id, first.id, "another scope");
    state.end(first.id, "{}", 30).await.unwrap();
    let next = state.begin("sweep", "a,b", 40).await.unwrap();
    assert!(next.id > first.id && !next.is_resumed);
    let runs = state.runs(9).await.unwrap();
    assert_eq!(runs.len(), 3);
    assert_eq!(runs.iter().find(|r| r.id == first.id).unwrap().ended, Some(30));
}

pub async fn versions_of_listings_are_kept(state: &impl State) {
    let run = state.begin("sweep", "s", 1).await.unwrap().id;
    let (old, new) = (listing("s", "cn.a", "甲"), listing("s", "cn.a", "甲 2"));
    assert_eq!(state.known("s", "cn.a").await.unwrap(), None);
    let first = see(state, run, &old, 5).await;
    assert!(first.is_new && !first.is_changed);
    let same = see(state, run, &old, 6).await;
    assert_eq!(same, Sight { is_new: false, ..first });
    let changed = see(state, run, &new, 7).await;
    assert!(changed.is_changed && changed.app == first.app && changed.listing != first.listing);
    let back = see(state, run, &old, 8).await;
    assert!(back.is_changed && back.listing == first.listing, "a version that returns is the same version");
    let other = see(state, run, &listing("t", "cn.a", "甲"), 8).await;
    assert!(other.is_new && other.app != first.app, "a copy in another store is another app");
    let versions = state.listings(first.app, 9).await.unwrap();
    let titles: Vec<&str> = versions.iter().map(|v| v.listing.title.as_str()).collect();
    assert_eq!(titles, ["甲", "甲 2"], "last seen first");
    assert_eq!((versions[0].first_seen, versions[0].last_seen), (5, 8));
    assert_eq!(state.listing(changed.listing).await.unwrap().unwrap().listing, new);
    let known = state.known("s", "cn.a").await.unwrap().unwrap();
    assert_eq!((known.listing, known.outcome.as_str(), known.last_run), (Some(first.listing), "ok", Some(run)));
    assert_eq!(known.mark, "mark");
    state.missed(run, first.app, "delisted").await.unwrap();
    assert_eq!(state.known("s", "cn.a").await.unwrap().unwrap().outcome, "delisted");
    assert_eq!(state.find("", "cn.a").await.unwrap().len(), 2);
    assert_eq!(state.find("t", "cn.a").await.unwrap().len(), 1);
    assert_eq!(state.apps(0, 9).await.unwrap().len(), 2);
    assert_eq!(state.apps(first.app, 9).await.unwrap().len(), 1);
}

pub async fn an_answer_that_repeats_is_counted(state: &impl State) {
    let fetch = |body: &str, at| NewFetch {
        ask: "question".into(),
        method: "GET".into(),
        url: "http://a/".into(),
        outcome: "ok".into(),
        status: 200,
        body: body.into(),
        at,
        ..NewFetch::default()
    };
    let first = state.fetched(&fetch("one", 1)).await.unwrap();
    assert_eq!(state.fetched(&fetch("one", 2)).await.unwrap(), first);
    let second = state.fetched(&fetch("two", 3)).await.unwrap();
    assert_ne!(second, first);
    let failed = NewFetch { outcome: "network".into(), status: 0, ..fetch("", 4) };
    let third = state.fetched(&failed).await.unwrap();
    let last = state.last_fetch("question").await.unwrap().unwrap();
    assert_eq!((last.id, last.fetch.body.as_str()), (second, "two"), "the latest with a body");
    let first = state.fetch(first).await.unwrap().unwrap();
    assert_eq!((first.fetch.at, first.last_at, first.times), (1, 2, 2));
    assert_eq!(state.fetch(third).await.unwrap().unwrap().fetch.outcome, "network");
    assert_eq!(state.last_fetch("another").await.unwrap(), None);
}

pub async fn packages_and_facts_are_found_again(state: &impl State) {
    let run = state.begin("sweep", "s", 1).await.unwrap().id;
    let app = see(state, run, &listing("s", "cn.a", "甲"), 5).await.app;
    let (sha256, certificates) = ("f".repeat(64), ["c1".to_owned()]);
    assert_eq!(state.offered(app, "offer").await.unwrap(), None);
    let file = PackageFile {
        app,
        offer: "offer",
        sha256: &sha256,
        bytes: 9,
        kind: Some(ArtifactKind::Apk),
        certificates: &certificates,
        identity: ("cn.a", "1.0", 1),
        fetch: None,
        at: 6,
    };
    state.package(file.clone()).await.unwrap();
    state.package(file).await.unwrap();
    assert_eq!(state.offered(app, "offer").await.unwrap(), Some(sha256.clone()));
    assert_eq!(state.find("s", "cn.a").await.unwrap()[0].certificate, "c1");
    assert_eq!(state.facts(&sha256, "cn.a.apk", "1").await.unwrap(), None);
    state.keep_facts(&sha256, "cn.a.apk", "blob", "1", 7).await.unwrap();
    assert_eq!(state.facts(&sha256, "cn.a.apk", "1").await.unwrap(), Some("blob".into()));
    assert_eq!(state.facts(&sha256, "cn.a.apk", "2").await.unwrap(), None, "another version reads more");
    let any = state.any_facts(&sha256).await.unwrap();
    assert_eq!(any, Some(("cn.a.apk".into(), "blob".into())));
}

/// `found` has findings, `clean` is of the same app and has none.
pub async fn findings_come_and_go(state: &impl State, found: &Audit, clean: &Audit) {
    let made_by = MadeBy { version: "1".into(), pack_sha256: "p".into(), policy: "q".into() };
    let seen = listing("s", "cn.a", "甲");
    let mut moved = Vec::new();
    for (round, audit) in [found, found, clean, found].into_iter().enumerate() {
        let at = 100 + round as i64;
        let run = state.begin("sweep", "s", at).await.unwrap().id;
        let sight = see(state, run, &seen, at).await;
        let new = NewAudit {
            run,
            app: sight.app,
            listing: Some(sight.listing),
            artifact: None,
            audit,
            made_by: &made_by,
            as_of: "2026-01-01",
            registers: "",
            facts: "",
            controls: &[],
            at,
        };
        let delta = state.remember(new.clone()).await.unwrap();
        assert!(delta.is_kept);
        let twice = state.remember(NewAudit { audit: clean, ..new }).await.unwrap();
        assert!(!twice.is_kept && twice.went.is_empty(), "once a run, whoever comes second");
        moved.push((delta.came.len(), delta.went.len()));
        let tally = state.tally(run).await.unwrap();
        assert_eq!((tally["seen"], tally["audited"], tally["changed"]), (1, 1, 0));
        assert_eq!(tally["new"], u64::from(round == 0));
        state.end(run, "{}", at).await.unwrap();
    }
    let n = found.findings.len();
    assert!(n > 0);
    assert_eq!(moved, [(n, 0), (0, 0), (0, n), (n, 0)]);
    let app = state.find("s", "cn.a").await.unwrap()[0].id;
    let history = state.history(app, 9).await.unwrap();
    assert_eq!(history.len(), 4);
    assert_eq!(&history[0].audit, found, "what comes back is what was kept, icon and all");
    assert_eq!((&history[0].made_by, history[0].as_of.as_str()), (&made_by, "2026-01-01"));
    let judged = state.judged(app).await.unwrap().unwrap();
    assert_eq!((judged.audit, judged.run, judged.at), (history[0].id, history[0].run, 103));
    let row = state.finding(&found.findings[0].id).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.first_seen, row.last_seen), ("open", 100, 103));
    assert_eq!(row.last_audit, history[0].id);
    let review = |verdict: &str, at| xunjian::store::Review {
        evidence: String::new(),
        finding: row.id.clone(),
        audit: row.last_audit,
        who: "reviewer".into(),
        verdict: verdict.into(),
        reason: "wording".into(),
        mend_by: "2026-12-31".into(),
        note: String::new(),
        former: String::new(),
        at,
    };
    state.review(&review("confirmed", 200)).await.unwrap();
    state.review(&review("corrected", 201)).await.unwrap();
    assert_eq!(state.reviews(&row.id).await.unwrap(), [review("confirmed", 200), review("corrected", 201)]);
    assert_eq!(state.audits(history[0].run, 0, 9).await.unwrap().len(), 1);
    assert_eq!(state.audits(history[0].run, history[0].id, 9).await.unwrap().len(), 0);
    assert_eq!(state.audit(history[3].id).await.unwrap().unwrap().at, 100);
}

pub async fn a_package_withheld_is_remembered_until_it_is_had(state: &impl State) {
    let run = state.begin("sweep", "s", 1).await.unwrap().id;
    let app = see(state, run, &listing("s", "cn.a", "甲"), 5).await.app;
    assert_eq!(state.withheld(app).await.unwrap(), None);
    let withheld = |times| Withheld {
        offer: "offer".into(),
        outcome: "not-found".into(),
        detail: "HTTP 404".into(),
        times,
        again_at: 70,
    };
    for times in [1, 2] {
        state.withhold(app, Some(&withheld(times))).await.unwrap();
        assert_eq!(state.withheld(app).await.unwrap(), Some(withheld(times)));
    }
    let sha256 = "e".repeat(64);
    let file = PackageFile {
        app,
        offer: "offer",
        sha256: &sha256,
        bytes: 9,
        kind: None,
        certificates: &[],
        identity: ("", "", 0),
        fetch: None,
        at: 6,
    };
    state.package(file).await.unwrap();
    assert_eq!(state.withheld(app).await.unwrap(), None, "it is had");
    state.withhold(app, Some(&withheld(1))).await.unwrap();
    state.withhold(app, None).await.unwrap();
    assert_eq!(state.withheld(app).await.unwrap(), None);
}

pub async fn skips_are_counted_once(state: &impl State) {
    let run = state.begin("sweep", "s", 1).await.unwrap().id;
    let skip = |target: &str| Skipped {
        target: target.into(),
        stage: "fetch".into(),
        reason: "503".into(),
        code: "network".into(),
    };
    for target in ["s:a", "s:b", "s:a"] {
        state.skip(run, "throttled", &skip(target), 5).await.unwrap();
    }
    assert_eq!(state.tally(run).await.unwrap()["skipped:throttled"], 2);
    let rows = state.skips(run, 0, 9).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.skipped.target.as_str()).collect::<Vec<_>>(), ["s:a", "s:b"]);
    assert_eq!(state.skips(run, rows[0].id, 9).await.unwrap().len(), 1);
}
