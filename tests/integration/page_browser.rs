//! The reviewers' page in a real browser: `page/drive.mjs` on the real program.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::desk::{PASSWORD, Server, Sweeper, add_person, listing};
use xunjian::model::Skipped;
use xunjian::store::{NewJob, State, Work};

/// Where Debian and others put Chromium.
const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Browser and the folder whose `node_modules` has playwright-core; `XUNJIAN_NODE` names that
/// folder.
fn browser() -> (PathBuf, PathBuf) {
    let node = std::env::var_os("XUNJIAN_NODE").map(PathBuf::from);
    let chromium = BROWSERS.iter().map(PathBuf::from).find(|path| path.exists());
    let node = node.expect("set XUNJIAN_NODE to a folder with playwright-core and @axe-core/playwright");
    (chromium.expect("this test needs Chromium"), node)
}

async fn seed(dir: &Path) -> Sweeper {
    let mut sweeper = Sweeper::new(dir).await;
    let search = "拍照搜题，秒出答案。支持小学初中高中数学语文英语作业辅导，拍一拍就有解析。";
    let mut apps: Vec<_> =
        (0..4).map(|n| listing(&format!("cn.example.photo{n}"), &format!("作业拍拍搜题 {n}"), search)).collect();
    apps.push(listing(
        "cn.example.kids",
        "幼儿拼音识字启蒙",
        "3-6岁幼儿学拼音、识字、数学启蒙，幼小衔接必备，每日打卡。",
    ));
    apps.push(listing("cn.example.live", "名师直播课堂", "小学初中数学英语直播课，名师在线辅导，同步教材，提分快。"));
    apps.push(listing("cn.example.<b>", "=1+1 <img src=x onerror=alert(1)>\u{202e}", search));
    let mut shown = listing("cn.example.shown", "作业答案大全", search);
    shown.permissions = vec!["android.permission.CAMERA".into(), "android.permission.READ_CONTACTS".into()];
    shown.screenshots = vec!["https://shots.example/1.png".into()];
    shown.changelog = "优化拍照搜题速度".into();
    apps.push(shown);
    sweeper.sweep(&apps).await;
    let mut changed = apps.clone();
    changed[7].description = changed[7].description.replace("秒出答案", "三秒出答案");
    sweeper.sweep(&changed).await;
    bury(&sweeper).await;
    sweeper
}

/// Jobs that died, of a run that goes on.
async fn bury(sweeper: &Sweeper) {
    let state = &sweeper.home.state;
    let run = state.begin("sweep", "our-store", 1_790_000_000_000).await.unwrap().id;
    let told = [
        (
            "page",
            "our-store http://127.0.0.1/list?category=education&page=17",
            "adapter-broken",
            "$.apps[*]: nothing there",
        ),
        ("app", "our-store:cn.example.photo1", "not-found", "http://127.0.0.1/app/cn.example.photo1: HTTP 404"),
        ("audit", "our-store:cn.example.<b>\u{202e}", "failed", "it ended the program 30 times"),
    ];
    for (number, (sort, target, code, reason)) in told.into_iter().enumerate() {
        let queue = if sort == "audit" { format!("{run}/audit") } else { format!("{run}/fetch/our-store") };
        let (key, at) = (format!("{run}/{sort}/our-store/{number}"), 1_790_000_000_000 + number as i64);
        state.push(&[NewJob { key, queue: queue.clone(), priority: 0, payload: "{}".into() }], at).await.unwrap();
        let lease = state.lease(&[&queue], at, at + 1).await.unwrap().unwrap();
        let why = Skipped { target: target.into(), stage: "crawl".into(), code: code.into(), reason: reason.into() };
        state.fail(&lease, &why, at, at, 0).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium, and XUNJIAN_NODE with playwright-core"]
async fn a_person_works_through_the_page() {
    let (chromium, node) = browser();
    let dir = tempfile::tempdir().unwrap();
    let _sweeper = seed(dir.path()).await;
    add_person(dir.path(), "lead", "lead");
    let server = Server::start(dir.path());
    let shots = std::env::var_os("XUNJIAN_SHOTS").unwrap_or_default();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/drive.mjs");
    let output = Command::new("node")
        .arg(script)
        .args([server.url.as_str(), PASSWORD])
        .arg(chromium)
        .arg(shots)
        .env("NODE_MODULES", node.join("any.js"))
        .output()
        .expect("node is here");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.ends_with("ok\n"), "{out}{err}");
}
