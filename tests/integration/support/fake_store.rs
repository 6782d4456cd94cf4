//! A store of our own over real HTTP on loopback: pages of a list, an app's page as JSON, and
//! fixture packages for every tenth app. It counts what it is asked and what it sends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::project;

/// Apps on one page of the list.
const PAGE: usize = 50;

/// A running store; it ends with the process.
pub struct FakeStore {
    pub port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    apps: usize,
    packages: Vec<PathBuf>,
    /// Version of each app that is not of version 1.
    versions: Mutex<BTreeMap<usize, u64>>,
    /// Files that stand in for those of some apps.
    replaced: Mutex<BTreeMap<usize, Vec<u8>>>,
    /// What stands in for the screenshots that are there.
    shown: Mutex<Option<Vec<u8>>>,
    /// Bytes sent, headers included.
    sent: AtomicU64,
    asked: Mutex<BTreeMap<String, u32>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    starts: Mutex<Vec<Instant>>,
    /// Answers to the first requests of these paths: status instead of content.
    faults: Mutex<Vec<(String, u16)>>,
    slow: Duration,
}

impl FakeStore {
    /// Serves `apps` apps, each answer after `slow`.
    pub fn serve(apps: usize, slow: Duration) -> Self {
        let folder = project("tests/fixtures/apks");
        let mut packages: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "apk"))
            .collect();
        packages.sort();
        let inner = Arc::new(Inner {
            apps,
            packages,
            versions: Mutex::default(),
            replaced: Mutex::default(),
            shown: Mutex::default(),
            sent: AtomicU64::new(0),
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            starts: Mutex::default(),
            faults: Mutex::default(),
            slow,
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inner = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = inner.talk(&stream, port);
                });
            }
        });
        Self { port, inner }
    }

    /// Writes the store's adapter into `folder`: `fake.toml`.
    pub fn adapter(&self, folder: &Path, every: f64, at_once: u32) {
        std::fs::create_dir_all(folder).unwrap();
        let text = format!(
            r#"
title = {{ zh = "测试商店", en = "test store" }}
seen = "2026"

[hosts]
main = "http://127.0.0.1:{port}"

[pace]
every = {every:?}
at-once = {at_once}

[start]
catalogue = "list"
package = "app"

[steps.list]
url = "{{main}}/list?page={{page}}"
items = "$.apps[*]"
then = "app"
paging = {{ last = "$.last" }}

[steps.list.fields]
package = {{ from = "$.package", required = true }}
version_code = "$.version"

[steps.app]
url = "{{main}}/app/{{package}}"

[steps.app.fields]
package = {{ from = "$.package", required = true }}
title = {{ from = "$.title", required = true }}
developer = "$.developer"
description = "$.description"
version_code = "$.version"
download_url = "$.download"
screenshots = "$.shots[*]"
"#,
            port = self.port
        );
        std::fs::write(folder.join("fake.toml"), text).unwrap();
    }

    /// Gives an app a new version.
    pub fn update(&self, app: usize, version: u64) {
        self.inner.versions.lock().unwrap().insert(app, version);
    }

    /// Shows this picture as the screenshot of every app that has one.
    pub fn show(&self, picture: Vec<u8>) {
        *self.inner.shown.lock().unwrap() = Some(picture);
    }

    /// Hands out another file as an app's package.
    pub fn replace(&self, app: usize, bytes: Vec<u8>) {
        self.inner.replaced.lock().unwrap().insert(app, bytes);
    }

    /// The next request of a path fails with a status.
    pub fn fail_once(&self, path: &str, status: u16) {
        self.inner.faults.lock().unwrap().push((path.into(), status));
    }

    /// Fetched again, a path is as it should be: takes back what [`Self::fail_once`] left over.
    pub fn mend(&self) {
        self.inner.faults.lock().unwrap().clear();
    }

    /// Requests of paths that begin so.
    pub fn asked(&self, path: &str) -> usize {
        let asked = self.inner.asked.lock().unwrap();
        asked.iter().filter(|(of, _)| of.starts_with(path)).map(|(_, times)| *times as usize).sum()
    }

    /// Bytes sent since the last call.
    pub fn take_sent(&self) -> u64 {
        self.inner.sent.swap(0, Ordering::Relaxed)
    }

    /// Requests by path since the last call.
    pub fn take_asked(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut self.inner.asked.lock().unwrap())
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.inner.starts.lock().unwrap().len()
    }

    /// Requests under way at one time, at most.
    pub fn most_at_once(&self) -> usize {
        self.inner.most_at_once.load(Ordering::Relaxed)
    }

    /// Time from the first request to the last, and how many there were.
    pub fn spread(&self) -> (Duration, usize) {
        let starts = self.inner.starts.lock().unwrap();
        match (starts.first(), starts.last()) {
            (Some(first), Some(last)) => (*last - *first, starts.len()),
            _ => (Duration::ZERO, 0),
        }
    }

    /// Shortest time between the starts of two requests.
    pub fn shortest_gap(&self) -> Duration {
        let starts = self.inner.starts.lock().unwrap();
        starts.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(Duration::MAX)
    }
}

impl Inner {
    fn talk(&self, stream: &TcpStream, port: u16) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut out = stream.try_clone()?;
        loop {
            let mut first = String::new();
            if reader.read_line(&mut first)? == 0 {
                return Ok(());
            }
            let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
            let mut tag = String::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 || line == "\r\n" {
                    break;
                }
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("if-none-match")
                {
                    tag = value.trim().to_owned();
                }
            }
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            self.starts.lock().unwrap().push(Instant::now());
            *self.asked.lock().unwrap().entry(path.clone()).or_default() += 1;
            std::thread::sleep(self.slow);
            let (status, kind, body) = self.answer(&path, port);
            let own = format!("\"{}\"", &xunjian::audit::sha256(&body)[..16]);
            let is_same = status == 200 && tag == own;
            let (status, body) = if is_same { (304, Vec::new()) } else { (status, body) };
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\netag: {own}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            self.sent.fetch_add((head.len() + body.len()) as u64, Ordering::Relaxed);
            // In one piece: two would wait for each other's acknowledgement, 40 ms each time.
            let written = out.write_all(&[head.into_bytes(), body].concat());
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            written?;
        }
    }

    fn answer(&self, path: &str, port: u16) -> (u16, &'static str, Vec<u8>) {
        const JSON: &str = "application/json; charset=utf-8";
        let mut faults = self.faults.lock().unwrap();
        if let Some(at) = faults.iter().position(|(of, _)| of == path) {
            return (faults.remove(at).1, "text/plain", b"fault".to_vec());
        }
        drop(faults);
        if path == "/robots.txt" {
            return (200, "text/plain", b"User-agent: *\nAllow: /\n".to_vec());
        }
        if let Some(page) = path.strip_prefix("/list?page=").and_then(|n| n.parse::<usize>().ok()) {
            return (200, JSON, self.list(page));
        }
        let number = |text: &str| text.strip_prefix("cn.example.app")?.parse::<usize>().ok().filter(|n| *n < self.apps);
        if let Some(n) = path.strip_prefix("/app/").and_then(number) {
            return (200, JSON, self.app(n, port));
        }
        if let Some(n) = path.strip_prefix("/apk/").and_then(|rest| number(rest.split('?').next()?)) {
            let replaced = self.replaced.lock().unwrap().get(&n).cloned();
            let bytes =
                replaced.unwrap_or_else(|| std::fs::read(&self.packages[n / 10 % self.packages.len()]).unwrap());
            return (200, "application/vnd.android.package-archive", bytes);
        }
        if path.starts_with("/shot/") && path.ends_with("/a.png") {
            let shown = self.shown.lock().unwrap().clone();
            return (200, "image/png", shown.unwrap_or_else(|| b"\x89PNG\r\n\x1a\nof our own making".to_vec()));
        }
        (404, "text/plain", b"not here".to_vec())
    }

    fn version(&self, n: usize) -> u64 {
        self.versions.lock().unwrap().get(&n).copied().unwrap_or(1)
    }

    fn list(&self, page: usize) -> Vec<u8> {
        let numbers = (page * PAGE)..((page + 1) * PAGE).min(self.apps);
        let apps: Vec<_> = numbers
            .map(|n| serde_json::json!({ "package": format!("cn.example.app{n}"), "version": self.version(n) }))
            .collect();
        let last = self.apps.div_ceil(PAGE).saturating_sub(1);
        serde_json::json!({ "apps": apps, "last": last }).to_string().into_bytes()
    }

    fn app(&self, n: usize, port: u16) -> Vec<u8> {
        let words = ["拍照搜题，秒出解析", "名师直播课，中小学同步提分", "亲子绘本阅读", "记账与待办"][n % 4];
        let version = self.version(n);
        let mut app = serde_json::json!({
            "package": format!("cn.example.app{n}"),
            "title": format!("测试应用 {n}"),
            "developer": "示例公司",
            "description": format!("{words}。第 {version} 版。{}", "这是一段介绍文字，用来让页面像真的一样长。".repeat(12)),
            "version": version,
        });
        if n.is_multiple_of(10) {
            let shot = |name: &str| format!("http://127.0.0.1:{port}/shot/{n}/{name}");
            app["shots"] = serde_json::json!([shot("a.png"), shot("gone.png")]);
            app["download"] = format!("http://127.0.0.1:{port}/apk/cn.example.app{n}?v={version}").into();
        }
        app.to_string().into_bytes()
    }
}

/// The home of a sweep of such a store, and the id of the first finding of an app with a package.
pub fn swept(dir: &Path) -> (String, String) {
    let store = FakeStore::serve(12, Duration::ZERO);
    store.adapter(&dir.join("stores"), 0.0, 4);
    let path = |name: &str| dir.join(name).display().to_string();
    let (stores, home, out) = (path("stores"), path("home"), path("out.jsonl"));
    let places = ["--stores", &stores, "--home", &home, "--out", &out];
    let args = [&["sweep", "fake", "--allow-private", "--format", "jsonl"][..], &places].concat();
    let swept = super::xunjian(&args);
    assert!(matches!(swept.status.code(), Some(0 | 3)), "{}", super::stderr(&swept));
    let text = std::fs::read_to_string(&out).unwrap();
    let audits = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let has = |audit: &serde_json::Value, key: &str| !audit[key].as_array().unwrap().is_empty();
    let audit = audits.into_iter().find(|a| has(a, "artifacts") && has(a, "findings")).expect("a finding in a package");
    (home, audit["findings"][0]["id"].as_str().unwrap().to_owned())
}
