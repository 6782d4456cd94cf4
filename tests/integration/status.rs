//! Where everything stands: what waits, and what nobody does.

use serde_json::Value;

use crate::support::{stdout, xunjian};
use xunjian::store::{Home, NewJob, State, Work};

const MINUTE: i64 = 60_000;

/// A stage of which jobs wait and none is under way is named, whichever it is; one that is served, or whose jobs
/// were pushed just now, is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_no_worker_takes_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).await.unwrap();
    let now = chrono::Utc::now().timestamp_millis();
    let run = home.state.begin("sweep", "shop", now - 30 * MINUTE).await.unwrap().id;
    let job = |queue: &str, number: u32| NewJob {
        key: format!("{queue}/{number}"),
        queue: queue.into(),
        priority: 0,
        payload: "{}".into(),
    };
    let (pictures, packages) = (format!("{run}/pictures/shop"), format!("{run}/package/shop"));
    let (audits, listings) = (format!("{run}/audit"), format!("{run}/listing/shop"));
    let old = [job(&pictures, 1), job(&pictures, 2), job(&packages, 1), job(&packages, 2), job(&audits, 1)];
    home.state.push(&old, now - 10 * MINUTE).await.unwrap();
    home.state.push(&[job(&listings, 1)], now).await.unwrap();
    let lease = home.state.lease(&[packages.as_str()], now, now + 30 * MINUTE).await.unwrap();
    assert!(lease.is_some());
    let home_text = dir.path().display().to_string();
    let told: Value =
        serde_json::from_str(&stdout(&xunjian(&["status", "--home", &home_text, "--format", "json"]))).unwrap();
    let going = &told["runs"][0];
    assert_eq!(going["left_by_stage"]["pictures"], 2, "{told}");
    let unserved: Vec<&String> = going["unserved"].as_object().unwrap().keys().collect();
    assert_eq!(unserved, ["audit", "pictures"], "{told}");
    let human = stdout(&xunjian(&["status", "--home", &home_text, "--lang", "zh"]));
    assert!(human.contains("环节“pictures”") && human.contains("--stages pictures"), "{human}");
    assert!(!human.contains("环节“package”") && !human.contains("环节“listing”"), "{human}");
}
