//! A whole store whose answers are wrong in one of many ways, one way a sweep: nothing false is remembered,
//! everything true is, each loss is told, and no more is asked than may be.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::project;
use crate::support::server::{Reply, Request, Server};
use serde_json::{Value, json};

/// The app whose answers are wrong.
const TARGET: &str = "cn.example.target";
const OTHERS: [&str; 3] = ["cn.example.one", "cn.example.two", "cn.example.three"];
const WORDS: &str = "一键拍照搜题，秒出解析，中小学作业全覆盖";

fn adapter(base: &str) -> String {
    format!(
        r#"
title = {{ zh = "试", en = "try" }}
seen = "2026"
captcha = ["nc_1_wrapper"]
[hosts]
main = "{base}"
[pace]
every = 0.0
at-once = 4
[start]
catalogue = "list"
package = "app"
[steps.list]
url = "{{main}}/list?page={{page}}"
items = "$.apps[*]"
then = "app"
paging = {{ last = "$.last" }}
fields = {{ package = {{ from = "$.package", required = true }} }}
[steps.app]
url = "{{main}}/app?name={{package}}"
[steps.app.fields]
package = {{ from = "$.package", required = true }}
title = {{ from = "$.title", required = true }}
description = "$.description"
version_name = "$.version"
version_code = "$.code"
download_url = "$.download"
sha256 = "$.sha256"
bytes = "$.size"
"#
    )
}

fn app(request: &Request, name: &str) -> Value {
    let host = request.header("host");
    json!({ "package": name, "title": format!("应用 {name}"), "description": WORDS, "version": "1.0", "code": 3,
        "download": format!("http://{host}/apk?of={name}") })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A way to go wrong: what it spoils, and how.
type Spoil = fn(&Request, Reply, &Files) -> Reply;

struct Files {
    right: Vec<u8>,
    other: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Of {
    List,
    Page,
    Package,
}

/// The way, what it spoils, whether all that is true can be told all the same.
const WAYS: &[(&str, Of, bool, Spoil)] = &[
    ("500 each time", Of::Page, false, |_, _, _| Reply::status(500)),
    ("503 once, in a second", Of::Page, true, |r, ok, _| once(r, ok, Reply::status(503).with("retry-after", "1"))),
    ("429 once, in a second", Of::Page, true, |r, ok, _| once(r, ok, Reply::status(429).with("retry-after", "1"))),
    ("403", Of::Page, false, |_, _, _| Reply::status(403)),
    ("404", Of::Page, false, |_, _, _| Reply::status(404)),
    ("410", Of::Page, false, |_, _, _| Reply::status(410)),
    ("451", Of::Page, false, |_, _, _| Reply::status(451)),
    ("no body", Of::Page, false, |_, _, _| Reply::new(200, "application/json", "")),
    ("half of the JSON", Of::Page, false, |_, ok, _| part(ok, 60)),
    ("broken off", Of::Page, false, |_, ok, _| Reply { cut_after: Some(60), ..ok }),
    ("a length that lies", Of::Page, false, |_, ok, _| Reply { lies_length: Some(ok.body.len() + 9), ..ok }),
    ("a captcha", Of::Page, false, |_, _, _| Reply::html("<div id=nc_1_wrapper>请拖动滑块</div>")),
    ("a captcha in GBK", Of::Page, false, |_, _, _| gbk("<title>安全验证</title><body>请拖动下方滑块完成验证")),
    ("a login", Of::Page, false, |_, _, _| Reply::html("<title>登录</title><h1>请登录</h1>")),
    ("just a moment", Of::Page, false, |_, _, _| Reply::html("<title>Just a moment...</title>")),
    ("a soft 404", Of::Page, false, |_, _, _| Reply::html("<title>页面不存在</title><h1>404</h1>")),
    ("a page that leads to a login", Of::Page, false, |_, _, _| {
        Reply::html("<meta http-equiv=refresh content='0;url=/passport/login'>")
    }),
    ("another app", Of::Page, false, |r, _, _| Reply::json(&app(r, OTHERS[0]))),
    ("no title", Of::Page, false, |r, _, _| field(r, "title", None)),
    ("null for a title", Of::Page, false, |r, _, _| field(r, "title", Some(Value::Null))),
    ("a list for a title", Of::Page, false, |r, _, _| field(r, "title", Some(json!([])))),
    ("no package", Of::Page, false, |r, _, _| field(r, "package", None)),
    ("a path for a package", Of::Page, false, |r, _, _| field(r, "package", Some(json!("../../x")))),
    ("a list of apps", Of::Page, false, |r, _, _| Reply::json(&json!([app(r, TARGET)]))),
    ("half an emoji", Of::Page, true, |_, ok, _| edit(ok, "\"code\":3", "\"code\":3,\"x\":\"\\ud83d\"")),
    ("NaN", Of::Page, true, |_, ok, _| edit(ok, "\"code\":3", "\"code\":3,\"score\":NaN")),
    ("a raw line break", Of::Page, true, |_, ok, _| edit(ok, "\"code\":3", "\"code\":3,\"x\":\"a\nb\"")),
    ("12.0 for 12", Of::Page, true, |_, ok, _| edit(ok, "\"code\":3", "\"code\":3.0")),
    ("GBK called UTF-8", Of::Page, true, |_, ok, _| gbk(&String::from_utf8(ok.body).unwrap())),
    ("gzip that nobody tells of", Of::Page, true, |_, ok, _| Reply { body: gzip(&ok.body), ..ok }),
    ("plain that is called gzip", Of::Page, true, |_, ok, _| ok.with("content-encoding", "gzip")),
    ("half of a gzip", Of::Page, false, |_, ok, _| part(Reply { body: gzip(&ok.body), ..ok }, 90)),
    ("a circle of redirects", Of::Page, false, |r, _, _| Reply::redirect(&r.path)),
    ("a redirect to a file", Of::Page, false, |_, _, _| Reply::redirect("file:///etc/passwd")),
    ("a redirect into what is forbidden", Of::Page, false, |_, _, _| Reply::redirect("/private/app")),
    ("a page for a package", Of::Package, false, |_, _, _| Reply::file("<html>请登录")),
    ("JSON for a package", Of::Package, false, |_, _, _| Reply::file("{\"code\":403}")),
    ("an empty package", Of::Package, false, |_, _, _| Reply::file("")),
    ("a package broken off for good", Of::Package, false, |_, ok, _| Reply { cut_after: Some(4_000), ..ok }),
    ("half a package, called whole", Of::Package, false, |_, ok, _| part(ok, 9_000)),
    ("a piece that nobody asked for", Of::Package, false, |_, ok, f| {
        let mut reply = part(ok, 5_000).with("content-range", &format!("bytes 0-4999/{}", f.right.len()));
        reply.status = 206;
        reply
    }),
    ("the rest of another file", Of::Package, false, |r, ok, f| {
        let half = f.right.len() / 2;
        if r.header("range").is_empty() {
            return Reply { cut_after: Some(half), ..ok }.with("etag", "\"one\"");
        }
        let mut reply = Reply::file(&f.other[half..]).with("etag", "\"two\"");
        reply.status = 206;
        reply.with("content-range", &format!("bytes {half}-{}/{}", f.other.len() - 1, f.other.len()))
    }),
    ("pieces of a thousand", Of::Package, true, |r, ok, f| {
        let Some(start) = r.header("range").strip_prefix("bytes=").and_then(|r| r.trim_end_matches('-').parse().ok())
        else {
            return Reply { cut_after: Some(9_000), ..ok }.with("etag", "\"one\"");
        };
        let start: usize = start;
        let end = (start + 1_000).min(f.right.len());
        let mut reply = Reply::file(&f.right[start..end]).with("etag", "\"one\"");
        reply.status = 206;
        reply.with("content-range", &format!("bytes {start}-{}/{}", end - 1, f.right.len()))
    }),
    ("a package called a page", Of::Package, true, |_, ok, _| Reply { headers: kind("text/html"), ..ok }),
    ("a package under gzip", Of::Package, true, |_, ok, _| {
        Reply { body: gzip(&ok.body), ..ok }.with("content-encoding", "gzip")
    }),
    ("a package refused", Of::Package, false, |_, _, _| Reply::status(403)),
    ("a package gone", Of::Package, false, |_, _, _| Reply::status(404)),
    ("null in the list", Of::List, true, |_, ok, _| edit(ok, "\"apps\":[", "\"apps\":[null,")),
    ("a nameless app in the list", Of::List, true, |_, ok, _| edit(ok, "\"apps\":[", "\"apps\":[{\"x\":1},")),
];

fn once(request: &Request, right: Reply, wrong: Reply) -> Reply {
    if request.nth == 0 { wrong } else { right }
}

fn part(reply: Reply, bytes: usize) -> Reply {
    Reply { body: reply.body[..bytes].to_vec(), ..reply }
}

fn gbk(text: &str) -> Reply {
    Reply::new(200, "text/html; charset=utf-8", encoding_rs::GBK.encode(text).0.into_owned())
}

fn kind(kind: &str) -> Vec<(String, String)> {
    vec![("content-type".into(), kind.into())]
}

fn edit(reply: Reply, from: &str, to: &str) -> Reply {
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    Reply { body: text.replace(from, to).into_bytes(), ..reply }
}

fn field(request: &Request, name: &str, value: Option<Value>) -> Reply {
    let mut app = app(request, TARGET);
    match value {
        Some(value) => app[name] = value,
        None => drop(app.as_object_mut().unwrap().remove(name)),
    }
    Reply::json(&app)
}

fn sweep(dir: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["sweep", "try", "--stores", "stores", "--config", "config.toml", "--allow-private"])
        .args(["--home", "home", "--format", "json"])
        .current_dir(dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3 | 10)), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"))
}

fn of<'r>(report: &'r Value, name: &str) -> Option<&'r Value> {
    report["audits"]
        .as_array()
        .unwrap()
        .iter()
        .find(|audit| audit["app"]["package"] == name || audit["app"]["title"] == format!("应用 {name}"))
}

/// What of an audit is false, if anything.
fn is_false(audit: &Value, name: &str, sha256: &str) -> Option<String> {
    let title = audit["app"]["title"].as_str().unwrap_or_default();
    let packages: Vec<&str> =
        audit["artifacts"].as_array().unwrap().iter().filter_map(|file| file["sha256"].as_str()).collect();
    let is_limited = audit["coverage"]["limits"]
        .as_array()
        .unwrap()
        .iter()
        .any(|limit| ["damaged-archive", "unreadable-entry"].contains(&limit["code"].as_str().unwrap_or_default()));
    let wrong = packages.iter().any(|other| *other != sha256) && !is_limited;
    (title != format!("应用 {name}") || wrong).then(|| format!("{title} {packages:?}"))
}

fn is_whole(audit: Option<&Value>, sha256: &str) -> bool {
    audit.is_some_and(|audit| audit["artifacts"].as_array().unwrap().iter().any(|file| file["sha256"] == sha256))
}

/// How the store asks to be asked: seconds between requests, and requests at once.
#[derive(Clone, Copy)]
struct Pace {
    every: f64,
    at_once: usize,
}

/// As fast as it goes.
const FAST: Pace = Pace { every: 0.0, at_once: 4 };

/// One way: what went wrong with how we take it.
fn tried(way: &str, spoils: Of, all_true: bool, spoil: Spoil, pace: Pace) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read(project("tests/fixtures/apks").join(name)).unwrap();
    let files = Arc::new(Files { right: read("photosearch.apk"), other: read("cleantool.apk") });
    let sha256 = xunjian_sha256(&files.right);
    let is_wrong = Arc::new(AtomicBool::new(true));
    let (wrong, served) = (Arc::clone(&is_wrong), Arc::clone(&files));
    let server = Server::new(move |request| {
        let path = request.path.split('?').next()?;
        let name = request.path.split('=').nth(1).unwrap_or_default();
        let spoiled = |kind: Of| kind == spoils && wrong.load(Ordering::SeqCst);
        let (kind, reply) = match path {
            "/robots.txt" => return Some(Reply::new(200, "text/plain", "User-agent: *\nDisallow: /private\n")),
            "/list" => {
                let apps: Vec<_> = OTHERS.iter().chain([&TARGET]).map(|name| json!({ "package": name })).collect();
                (Of::List, Reply::json(&json!({ "apps": apps, "last": 0 })))
            }
            "/app" => (Of::Page, Reply::json(&app(request, name))),
            "/apk" => (Of::Package, Reply::file(served.right.clone())),
            _ => return None,
        };
        let is_target = kind == Of::List || name == TARGET;
        Some(if is_target && spoiled(kind) { spoil(request, reply, &served) } else { reply })
    });
    std::fs::create_dir(dir.path().join("stores")).unwrap();
    std::fs::write(dir.path().join("stores/try.toml"), adapter(&server.base)).unwrap();
    let Pace { every, at_once } = pace;
    let config = format!(
        "[network]\nbackoff = 0.01\nretries = 1\nbreaker-after = 1000\nwithheld-rest = 0.0\npage-timeout = 5.0\n\
         idle-timeout = 2.0\n[host.\"127.0.0.1\"]\nevery = {every:?}\nat-once = {at_once}\n[caps]\nfree-bytes = 0\n"
    );
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let fail = |what: String| Err(format!("{way}: {what}"));
    let first = sweep(dir.path());
    for name in OTHERS {
        if !is_whole(of(&first, name), &sha256) {
            return fail(format!("a neighbour suffers: {name}: {}", first["skipped"]));
        }
    }
    let audits = first["audits"].as_array().unwrap();
    for audit in audits {
        let name = audit["app"]["package"].as_str().unwrap_or_default();
        let listed = audit["app"]["title"].as_str().unwrap_or_default().trim_start_matches("应用 ").to_owned();
        if name != TARGET && !OTHERS.contains(&listed.as_str()) && listed != TARGET {
            return fail(format!("an app that there is not: {}", audit["app"]));
        }
        if let Some(what) = is_false(audit, &listed, &sha256) {
            return fail(format!("false: {what}"));
        }
    }
    let target = audits.iter().find(|audit| audit["app"]["title"] == format!("应用 {TARGET}"));
    let whole = is_whole(target, &sha256);
    if all_true && !whole {
        return fail(format!("what is true was not taken: {}", first["skipped"]));
    }
    let limits = target.map_or(0, |audit| audit["coverage"]["limits"].as_array().unwrap().len());
    if !whole && first["skipped"].as_array().unwrap().is_empty() && limits == 0 {
        return fail("a loss that nobody tells of".into());
    }
    is_wrong.store(false, Ordering::SeqCst);
    let asked = server.log().len();
    let second = sweep(dir.path());
    let again = second["audits"].as_array().unwrap().iter().find(|a| a["app"]["title"] == format!("应用 {TARGET}"));
    if !whole && !is_whole(again, &sha256) {
        return fail(format!("not whole once the store is: {}", second["skipped"]));
    }
    if server.paths().iter().any(|path| path.starts_with("/private")) {
        return fail("asked for what robots.txt forbids".into());
    }
    // The server sees a request when its thread wakes up: a little late is not too early.
    if server.least_gap().as_secs_f64() < every * 0.6 {
        return fail(format!("asked again after {:?}", server.least_gap()));
    }
    if server.most_at_once() > at_once || asked > 60 {
        return fail(format!("{asked} requests, {} at once", server.most_at_once()));
    }
    Ok(())
}

fn xunjian_sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn whatever_an_answer_is_nothing_false_is_remembered_and_everything_true_is() {
    assert!(WAYS.len() >= 40, "{}", WAYS.len());
    let (next, wrong) = (Mutex::new(WAYS.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some((way, of, all_true, spoil)) = next.lock().unwrap().next() else { return };
                    if let Err(what) = tried(way, *of, *all_true, *spoil, FAST) {
                        wrong.lock().unwrap().push(what);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} ways:\n{}", wrong.len(), WAYS.len(), wrong.join("\n"));
}

#[test]
fn the_pace_is_kept_whatever_comes_back() {
    let slow = Pace { every: 0.1, at_once: 1 };
    let chosen = [
        "503 once, in a second",
        "half of the JSON",
        "a circle of redirects",
        "a package broken off for good",
        "pieces of a thousand",
    ];
    let ways: Vec<_> = WAYS.iter().filter(|(way, ..)| chosen.contains(way)).collect();
    assert_eq!(ways.len(), chosen.len());
    for (way, of, all_true, spoil) in ways {
        tried(way, *of, *all_true, *spoil, slow).unwrap();
    }
}

#[test]
fn what_came_incomplete_is_evidence_of_that_and_refresh_asks_for_packages() {
    let dir = tempfile::tempdir().unwrap();
    let apk = std::fs::read(project("tests/fixtures/apks/photosearch.apk")).unwrap();
    let sha256 = xunjian_sha256(&apk);
    let is_wrong = Arc::new(AtomicBool::new(true));
    let wrong = Arc::clone(&is_wrong);
    let server = Server::new(move |request| match request.path.split('?').next()? {
        "/list" => Some(Reply::json(&json!({ "apps": [{ "package": TARGET }], "last": 0 }))),
        "/app" => Some(Reply::json(&app(request, TARGET))),
        "/apk" if wrong.load(Ordering::SeqCst) => Some(part(Reply::file(apk.clone()), 9_000)),
        "/apk" => Some(Reply::file(apk.clone())),
        _ => None,
    });
    std::fs::create_dir(dir.path().join("stores")).unwrap();
    std::fs::write(dir.path().join("stores/try.toml"), adapter(&server.base)).unwrap();
    let config = "[network]\nbackoff = 0.01\nretries = 1\n[pace]\nevery = 0.0\n[caps]\nfree-bytes = 0\n";
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let first = sweep(dir.path());
    let finding = first["audits"][0]["findings"][0]["id"].as_str().unwrap().to_owned();
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_xunjian")).args(args).current_dir(dir.path()).output().unwrap()
    };
    // As a cell of a spreadsheet has it.
    let exported = run(&["evidence", "export", &format!("'{finding}"), "--out", "bag", "--home", "home"]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let case: Value = serde_json::from_slice(&std::fs::read(dir.path().join("bag/data/case.json")).unwrap()).unwrap();
    assert!(case["incomplete"].as_str().unwrap().contains("not whole"), "{case}");
    let info = std::fs::read_to_string(dir.path().join("bag/bag-info.txt")).unwrap();
    assert!(info.replace("\r\n ", "").contains("incomplete"), "{info}");
    assert!(run(&["evidence", "verify", "bag"]).status.success(), "it is what it says it is");
    is_wrong.store(false, Ordering::SeqCst);
    let packages = || server.paths().iter().filter(|path| path.starts_with("/apk")).count();
    let before = packages();
    let second = sweep(dir.path());
    assert!(is_whole(second["audits"].as_array().unwrap().first(), &sha256), "{second}");
    assert_eq!(packages(), before + 1, "asked for again");
    sweep(dir.path());
    assert_eq!(packages(), before + 1, "what is whole is not");
    let refreshed = [
        "sweep",
        "try",
        "--refresh",
        "--stores",
        "stores",
        "--config",
        "config.toml",
        "--allow-private",
        "--home",
        "home",
    ];
    run(&refreshed);
    assert_eq!(packages(), before + 2, "but by whoever asks for all of it");
}

#[test]
fn a_listing_that_lost_what_it_had_is_kept_as_it_was_until_somebody_accepts_it() {
    let dir = tempfile::tempdir().unwrap();
    let is_wrong = Arc::new(AtomicBool::new(false));
    let wrong = Arc::clone(&is_wrong);
    let server = Server::new(move |request| match request.path.split('?').next()? {
        "/list" => Some(Reply::json(&json!({ "apps": [{ "package": TARGET }], "last": 0 }))),
        "/app" => {
            let mut app = app(request, TARGET);
            app.as_object_mut().unwrap().remove("download");
            if wrong.load(Ordering::SeqCst) {
                app.as_object_mut().unwrap().remove("description");
            }
            Some(Reply::json(&app))
        }
        _ => None,
    });
    std::fs::create_dir(dir.path().join("stores")).unwrap();
    std::fs::write(dir.path().join("stores/try.toml"), adapter(&server.base)).unwrap();
    let config = "[network]\nbackoff = 0.01\nretries = 1\n[pace]\nevery = 0.0\n";
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let signs = |report: &Value| report["audits"][0]["findings"].as_array().map_or(0, Vec::len);
    let first = sweep(dir.path());
    assert!(signs(&first) > 0 && first["skipped"] == json!([]), "{first}");
    is_wrong.store(true, Ordering::SeqCst);
    let second = sweep(dir.path());
    assert_eq!(second["audits"], json!([]), "no change: {second}");
    let reason = second["skipped"][0]["reason"].as_str().unwrap();
    assert!(second["skipped"][0]["code"] == "adapter-broken" && reason.contains("description"), "{reason}");
    std::fs::write(dir.path().join("config.toml"), format!("{config}[store.try]\naccept-losses = true\n")).unwrap();
    let third = sweep(dir.path());
    assert_eq!((third["audits"].as_array().unwrap().len(), signs(&third)), (1, 0), "{third}");
}
