//! What every queue of work must do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use xunjian::model::Skipped;
use xunjian::store::{DeadCount, DeadQuery, Failed, NewJob, State, Work};

const SECOND: i64 = 1000;

fn job(key: &str, priority: i64) -> NewJob {
    NewJob { key: key.into(), queue: "1/fetch".into(), priority, payload: format!("{{\"of\":\"{key}\"}}") }
}

fn why(target: &str, code: &str, reason: &str) -> Skipped {
    Skipped { target: target.into(), stage: "crawl".into(), code: code.into(), reason: reason.into() }
}

async fn counted(work: &impl Work, state: &str) -> u64 {
    work.counts("1/").await.unwrap().iter().filter(|c| c.state == state).map(|c| c.count).sum()
}

pub async fn a_key_is_pushed_once(work: &impl Work) {
    let two = [job("a", 0), job("b", 0)];
    assert_eq!(work.push(&two, 0).await.unwrap(), 2);
    assert_eq!(work.push(&two, 0).await.unwrap(), 0, "pushed again");
    assert_eq!(work.push(&[job("a", 9), job("a", 9)], 0).await.unwrap(), 0);
    let lease = work.lease(&["1/fetch"], 0, SECOND).await.unwrap().unwrap();
    assert_eq!((lease.key.as_str(), lease.attempts), ("a", 1));
    assert!(work.complete(&lease, &[], 0).await.unwrap());
    assert_eq!(work.push(&two, 0).await.unwrap(), 0, "done is not new");
    assert_eq!(counted(work, "done").await, 1);
}

pub async fn higher_priority_goes_first_then_the_first_pushed(work: &impl Work) {
    work.push(&[job("low", 0), job("high", 5), job("high too", 5)], 0).await.unwrap();
    let mut order = Vec::new();
    while let Some(lease) = work.lease(&["1/fetch"], 0, SECOND).await.unwrap() {
        order.push(lease.key.clone());
        work.complete(&lease, &[], 0).await.unwrap();
    }
    assert_eq!(order, ["high", "high too", "low"]);
    assert_eq!(work.lease(&["2/fetch"], 0, SECOND).await.unwrap(), None, "another queue");
}

/// Whoever takes from several queues takes from the first that has something due, whatever its priority.
pub async fn the_first_queue_with_a_job_goes_first(work: &impl Work) {
    let of = |queue: &str, key: &str, priority| NewJob { queue: queue.into(), ..job(key, priority) };
    let pushed = [of("1/listing/s", "listing", 9), of("1/catalogue/s", "page", 5), of("1/package/s", "package", 0)];
    work.push(&pushed, 0).await.unwrap();
    let queues = ["1/package/s", "1/listing/s", "1/catalogue/s"];
    let mut order = Vec::new();
    for _ in 0..2 {
        let lease = work.lease(&queues, 0, SECOND).await.unwrap().unwrap();
        order.push(lease.key.clone());
        work.complete(&lease, &[], 0).await.unwrap();
    }
    work.push(&[of("1/package/s", "package too", 0)], 0).await.unwrap();
    assert_eq!(work.lease(&queues[1..2], 0, SECOND).await.unwrap(), None, "other queues than these stay as they are");
    while let Some(lease) = work.lease(&queues, 0, SECOND).await.unwrap() {
        assert_eq!(lease.queue == "1/package/s", lease.key == "package too", "told where it comes from");
        order.push(lease.key.clone());
        work.complete(&lease, &[], 0).await.unwrap();
    }
    assert_eq!(order, ["package", "listing", "package too", "page"]);
}

pub async fn a_crash_before_the_acknowledgement_loses_nothing(work: &impl Work) {
    work.push(&[job("a", 0)], 0).await.unwrap();
    let lost = work.lease(&["1/fetch"], 0, 10 * SECOND).await.unwrap().unwrap();
    assert_eq!(work.lease(&["1/fetch"], 9 * SECOND, 20 * SECOND).await.unwrap(), None, "still in hands");
    assert_eq!(work.next_due("1/").await.unwrap(), Some(10 * SECOND));
    let again = work.lease(&["1/fetch"], 10 * SECOND, 20 * SECOND).await.unwrap().unwrap();
    assert_eq!((again.key.as_str(), again.attempts, again.payload), ("a", 2, lost.payload));
    assert!(again.token > lost.token);
}

pub async fn a_stale_lease_changes_nothing(work: &impl Work) {
    work.push(&[job("a", 0)], 0).await.unwrap();
    let stale = work.lease(&["1/fetch"], 0, SECOND).await.unwrap().unwrap();
    let held = work.lease(&["1/fetch"], SECOND, 9 * SECOND).await.unwrap().unwrap();
    assert!(!work.complete(&stale, &[job("child", 0)], SECOND).await.unwrap());
    assert!(!work.extend(&stale, 99 * SECOND).await.unwrap());
    assert!(!work.defer(&stale, "late", 0).await.unwrap());
    assert_eq!(work.fail(&stale, &why("a", "network", "late"), 0, 0, 1).await.unwrap(), Failed::Stale);
    assert_eq!(counted(work, "ready").await, 0, "the child of a stale lease is not there");
    assert!(work.extend(&held, 20 * SECOND).await.unwrap());
    assert_eq!(work.lease(&["1/fetch"], 19 * SECOND, 30 * SECOND).await.unwrap(), None, "held longer");
    assert!(work.complete(&held, &[job("child", 0)], SECOND).await.unwrap());
    assert!(!work.complete(&held, &[], SECOND).await.unwrap(), "done is done");
    assert_eq!(counted(work, "ready").await, 1);
}

pub async fn a_job_that_always_fails_dies_with_its_reason(work: &impl Work) {
    work.push(&[job("poison", 0), job("sound", 0)], 0).await.unwrap();
    for attempt in 1..=3 {
        let lease = work.lease(&["1/fetch"], attempt * SECOND, (attempt + 1) * SECOND).await.unwrap().unwrap();
        assert_eq!((lease.key.as_str(), lease.attempts), ("poison", attempt));
        let expected = if attempt == 3 { Failed::Dead } else { Failed::Again };
        let again_at = (attempt + 1) * SECOND;
        let why = why("s:poison", "network", &format!("broken {attempt}"));
        assert_eq!(work.fail(&lease, &why, attempt * SECOND, again_at, 3).await.unwrap(), expected);
    }
    let dead = work.dead(&DeadQuery { prefix: "1/".into(), most: 10, ..DeadQuery::default() }).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].key.as_str(), dead[0].attempts, dead[0].died), ("poison", 3, 3 * SECOND));
    assert_eq!(dead[0].skipped, why("s:poison", "network", "broken 3"));
    assert_eq!(dead[0].payload, "{\"of\":\"poison\"}");
    let lease = work.lease(&["1/fetch"], 9 * SECOND, 10 * SECOND).await.unwrap().unwrap();
    assert_eq!(lease.key, "sound", "the queue goes on");
    assert!(work.defer(&lease, "throttled", 60 * SECOND).await.unwrap());
    assert_eq!(work.lease(&["1/fetch"], 59 * SECOND, 99 * SECOND).await.unwrap(), None);
    let lease = work.lease(&["1/fetch"], 60 * SECOND, 99 * SECOND).await.unwrap().unwrap();
    assert_eq!(lease.attempts, 1, "waiting is no attempt");
}

pub async fn leases_of_the_dead_are_freed_and_queues_forgotten(work: &impl Work) {
    work.push(&[job("a", 0), NewJob { queue: "2/fetch".into(), ..job("b", 0) }], 0).await.unwrap();
    let lost = work.lease(&["1/fetch"], 0, 1000 * SECOND).await.unwrap().unwrap();
    assert_eq!(work.release("1/", 5).await.unwrap(), 1);
    let held = work.lease(&["1/fetch"], 5, 1000 * SECOND).await.unwrap().unwrap();
    assert!(!work.complete(&lost, &[], 5).await.unwrap(), "the dead does not answer");
    assert!(work.complete(&held, &[], 5).await.unwrap());
    assert_eq!(work.next_due("1/").await.unwrap(), None);
    assert_eq!(work.forget("1/").await.unwrap(), 1);
    assert_eq!(work.push(&[job("a", 0)], 0).await.unwrap(), 1, "forgotten keys are new");
    assert!(work.lease(&["2/fetch"], 0, SECOND).await.unwrap().is_some(), "other queues stay");
}

/// Dead jobs are told by stage and reason, page by page; they outlive their run, and come back while it goes on.
pub async fn the_dead_are_listed_and_come_back_while_their_run_goes_on(work: &(impl Work + State)) {
    let run = work.begin("sweep", "s", 1).await.unwrap().id;
    let (fetch, audit) = (format!("{run}/fetch/s"), format!("{run}/audit"));
    let on = |queue: &str, key: &str| NewJob { queue: queue.into(), ..job(&format!("{run}/{key}"), 0) };
    let jobs = [on(&fetch, "a"), on(&fetch, "b"), on(&fetch, "c"), on(&audit, "d"), on(&fetch, "done")];
    work.push(&jobs, 1).await.unwrap();
    let mut died = Vec::new();
    for (at, (queue, code)) in
        [(&fetch, "network"), (&fetch, "not-found"), (&fetch, "network"), (&audit, "failed")].into_iter().enumerate()
    {
        let at = at as i64 + 10;
        let lease = work.lease(&[queue], at, at + SECOND).await.unwrap().unwrap();
        assert_eq!(work.fail(&lease, &why(&lease.key, code, "broken"), at, at, 0).await.unwrap(), Failed::Dead);
        assert!(!work.complete(&lease, &[], at).await.unwrap(), "the dead do nothing");
        died.push(lease);
    }
    let all = DeadQuery { most: 10, ..DeadQuery::default() };
    let keys = async |query: &DeadQuery| -> Vec<String> {
        work.dead(query)
            .await
            .unwrap()
            .into_iter()
            .map(|job| job.key[job.key.find('/').unwrap() + 1..].into())
            .collect()
    };
    assert_eq!(keys(&all).await, ["d", "c", "b", "a"], "who died last comes first");
    let first = work.dead(&DeadQuery { most: 2, ..all.clone() }).await.unwrap();
    let after = Some((first[1].died, first[1].id));
    assert_eq!(keys(&DeadQuery { after, ..all.clone() }).await, ["b", "a"]);
    assert_eq!(keys(&DeadQuery { stage: "audit".into(), ..all.clone() }).await, ["d"]);
    assert_eq!(keys(&DeadQuery { code: "network".into(), stage: "fetch".into(), ..all.clone() }).await, ["c", "a"]);
    assert_eq!(keys(&DeadQuery { prefix: format!("{run}/audit"), ..all.clone() }).await, ["d"]);
    assert_eq!(keys(&DeadQuery { prefix: "999/".into(), ..all.clone() }).await, [] as [&str; 0]);
    let count = |stage: &str, code: &str, count| DeadCount { stage: stage.into(), code: code.into(), count };
    let counts = [count("audit", "failed", 1), count("fetch", "network", 2), count("fetch", "not-found", 1)];
    assert_eq!(work.dead_counts().await.unwrap(), counts);

    let [a, b] = [died[0].job, died[1].job];
    assert!(work.revive(a, run, 20).await.unwrap());
    assert!(!work.revive(a, run, 20).await.unwrap(), "it is not dead any more");
    assert_eq!(work.dead_job(a).await.unwrap(), None);
    let lease = work.lease(&[&fetch], 20, 20 + SECOND).await.unwrap().unwrap();
    assert_eq!((lease.job, lease.attempts, &lease.payload), (a, 1, &died[0].payload), "as if never tried");
    assert!(lease.token > died[0].token);
    assert!(work.complete(&lease, &[], 20).await.unwrap());
    // Somebody asks for another try in the moment in which the run ends: nothing is lost.
    assert!(work.revive(b, run, 30).await.unwrap());
    work.end(run, "{}", 30).await.unwrap();
    assert_eq!(work.forget(&format!("{run}/")).await.unwrap(), 2, "what was done");
    assert_eq!(keys(&all).await, ["d", "c", "b"], "the dead outlive their run");
    assert!(!work.revive(b, run, 40).await.unwrap(), "nobody works on it any more");
    assert_eq!(work.lease(&[&fetch], 99 * SECOND, 100 * SECOND).await.unwrap(), None);
    assert!(work.let_go(b).await.unwrap());
    assert!(!work.let_go(b).await.unwrap());
    assert_eq!(keys(&all).await, ["d", "c"]);
}

/// Eight workers, some of which drop what they hold: every key done once, children too.
pub async fn many_workers_do_every_key_once(work: &(impl Work + Clone + 'static)) {
    const JOBS: usize = 200;
    let jobs: Vec<NewJob> = (0..JOBS).map(|n| job(&format!("k{n}"), 0)).collect();
    work.push(&jobs, 0).await.unwrap();
    let clock = Arc::new(AtomicI64::new(0));
    let done: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let workers = (0..8).map(|worker| {
        let (work, clock, done) = (work.clone(), Arc::clone(&clock), Arc::clone(&done));
        tokio::spawn(async move {
            loop {
                let now = clock.fetch_add(1, Ordering::Relaxed);
                let Some(lease) = work.lease(&["1/fetch"], now, now + 200).await.unwrap() else {
                    if work.next_due("1/").await.unwrap().is_none() {
                        return;
                    }
                    continue;
                };
                if (lease.job + worker + lease.attempts) % 5 == 0 && lease.attempts < 4 {
                    continue;
                }
                let child = lease.key.starts_with('k').then(|| job(&format!("child of {}", lease.key), 1));
                if work.complete(&lease, child.as_slice(), now).await.unwrap() {
                    *done.lock().unwrap().entry(lease.key).or_default() += 1;
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let done = done.lock().unwrap();
    assert_eq!(done.len(), 2 * JOBS);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
}
