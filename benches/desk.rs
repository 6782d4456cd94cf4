//! The inbox over 100,000 findings: time of its first page at the server, alone, and with 50
//! readers beside a sweep that writes. Prints a table; see `benches/README.md` for the method.
//!
//! `cargo bench --bench desk`; `DESK_FINDINGS` for another number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark ends by panic")]

#[path = "../tests/integration/support/desk.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use the rest")]
mod desk;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use desk::{Sweeper, listing};
use xunjian::model::Listing;
use xunjian::store::{Desk, DeskQuery, Home, Tray};

const TITLES: [(&str, &str); 3] = [
    ("作业拍拍搜题", "拍照搜题，秒出答案。支持小学初中高中数学语文英语作业辅导，拍一拍就有解析。"),
    ("名师直播课堂", "小学初中数学英语直播课，名师在线辅导，同步教材，提分快。"),
    ("幼儿拼音识字", "3-6岁幼儿学拼音、识字、数学启蒙，幼小衔接必备，每日打卡。"),
];

fn app(n: usize) -> Listing {
    let (title, description) = TITLES[n % TITLES.len()];
    let developer = format!("第{}教育科技有限公司", n % 5_000);
    Listing { developer, ..listing(&format!("cn.example.a{n}"), &format!("{title} {n}"), description) }
}

fn middle(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

async fn ask(home: &Home, query: &DeskQuery) -> Duration {
    let begun = Instant::now();
    let (rows, counts) = tokio::try_join!(home.state.desk(query), home.state.desk_counts(query)).unwrap();
    assert!(counts.found >= rows.len() as u64);
    begun.elapsed()
}

fn queries() -> Vec<(&'static str, DeskQuery)> {
    let page = DeskQuery { today: "2026-11-24".into(), most: 50, ..DeskQuery::default() };
    vec![
        ("first page", page.clone()),
        ("page 400", DeskQuery { skip: 20_000, ..page.clone() }),
        ("one sign", DeskQuery { sign: "photo-search".into(), ..page.clone() }),
        ("search", DeskQuery { search: "拼音".into(), ..page.clone() }),
        ("one provider", DeskQuery { provider: "第7教育科技有限公司".into(), tray: Tray::All, ..page }),
    ]
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    let wanted: usize = std::env::var("DESK_FINDINGS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let (begun, mut findings, mut apps) = (Instant::now(), 0, 0);
    while findings < wanted {
        let piece: Vec<Listing> = (apps..apps + 2_000).map(app).collect();
        findings += piece.iter().take(3).map(|l| sweeper.judge(l).findings.len()).sum::<usize>() * 2_000 / 3;
        sweeper.sweep(&piece).await;
        apps += piece.len();
    }
    let bytes = std::fs::metadata(dir.path().join("state.sqlite")).unwrap().len();
    println!("{apps} apps, about {findings} findings, {} MB, seeded in {:.0?}", bytes >> 20, begun.elapsed());
    let home = sweeper.home.clone();
    println!("| asked for | middle | 99 % |\n|---|---|---|");
    for (name, query) in queries() {
        let mut times = Vec::new();
        for _ in 0..30 {
            times.push(ask(&home, &query).await);
        }
        let (half, most) = middle(times);
        println!("| {name} | {half:.1?} | {most:.1?} |");
    }
    beside_a_sweep(sweeper, apps).await;
}

/// 50 readers ask for the first page over and over while apps are audited and kept.
async fn beside_a_sweep(mut sweeper: Sweeper, apps: usize) {
    let home = sweeper.home.clone();
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let written = std::sync::Arc::new(AtomicUsize::new(0));
    let writer = {
        let (stop, written) = (stop.clone(), written.clone());
        tokio::spawn(async move {
            let mut n = apps;
            while !stop.load(Ordering::Relaxed) {
                sweeper.sweep(&[app(n)]).await;
                written.fetch_add(1, Ordering::Relaxed);
                n += 1;
            }
        })
    };
    let query = queries().remove(0).1;
    let begun = Instant::now();
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (home, query) = (home.clone(), query.clone());
        readers.spawn(async move {
            let mut times = Vec::new();
            while begun.elapsed() < Duration::from_secs(20) {
                times.push(ask(&home, &query).await);
                // A person reads a page for a while before asking for the next one.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            times
        });
    }
    let times: Vec<Duration> = readers.join_all().await.into_iter().flatten().collect();
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    let pages = times.len();
    let (half, most) = middle(times);
    let audits = written.load(Ordering::Relaxed);
    println!("| first page, 50 readers beside a sweep | {half:.1?} | {most:.1?} |");
    println!("{pages} pages and {audits} audits in 20 s");
}
