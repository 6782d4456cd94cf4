//! A whole store whose answers are wrong in one of many ways, one way a sweep: nothing false is remembered,
//! everything true is, each loss is told, and no more is asked than may be.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::support::project;
use crate::support::server::{Reply, Server};
use crate::web_odd::ODD;
use crate::web_ways::{Files, OTHERS, Of, TARGET, WAYS, Way, app, name_of, part};
use serde_json::{Value, json};

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

/// A store with an app for each of some ways to go wrong, and apps that nothing is wrong with.
struct Shop {
    dir: tempfile::TempDir,
    server: Server,
    /// The ways are taken.
    is_wrong: Arc<AtomicBool>,
    sha256: String,
    pace: Pace,
}

/// The app whose answers are wrong in the way of this number.
fn named(number: usize) -> String {
    format!("{TARGET}{number:03}")
}

impl Shop {
    fn open(ways: &[&'static Way], pace: Pace) -> Self {
        let read = |name: &str| std::fs::read(project("tests/fixtures/apks").join(name)).unwrap();
        let files = Files { right: read("photosearch.apk"), other: read("cleantool.apk") };
        let (sha256, is_wrong) = (xunjian_sha256(&files.right), Arc::new(AtomicBool::new(true)));
        let (ways, wrong) = (ways.to_vec(), Arc::clone(&is_wrong));
        let server = Server::new(move |request| {
            let name = name_of(request);
            let (kind, reply) = match request.path.split('?').next()? {
                "/robots.txt" => return Some(Reply::new(200, "text/plain", "User-agent: *\nDisallow: /private\n")),
                "/list" => {
                    let wrong = (0..ways.len()).map(named);
                    let apps = OTHERS.iter().map(|name| (*name).to_owned()).chain(wrong);
                    let apps: Vec<_> = apps.map(|name| json!({ "package": name })).collect();
                    (Of::List, Reply::json(&json!({ "apps": apps, "last": 0 })))
                }
                "/app" => (Of::Page, Reply::json(&app(request, name))),
                "/apk" => (Of::Package, Reply::file(files.right.clone())),
                _ => return None,
            };
            // What an answer led to is right.
            let is_led = request.path.contains("&x=") || !wrong.load(Ordering::SeqCst);
            let spoils = |(number, way): (usize, &&'static Way)| {
                let is_target = kind == Of::List || name == named(number);
                (is_target && way.1 == kind && !is_led).then_some(way.3)
            };
            Some(match ways.iter().enumerate().find_map(spoils) {
                Some(spoil) => spoil(request, reply, &files),
                None => reply,
            })
        });
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stores")).unwrap();
        std::fs::write(dir.path().join("stores/try.toml"), adapter(&server.base)).unwrap();
        let Pace { every, at_once } = pace;
        let config = format!(
            "[network]\nbackoff = 0.01\nbackoff-max = 1.5\nretries = 1\nbreaker-after = 1000\nwithheld-rest = 0.0\n\
             page-timeout = 20.0\nidle-timeout = 10.0\n[host.\"127.0.0.1\"]\nevery = {every:?}\nat-once = {at_once}\n\
             [caps]\nfree-bytes = 0\n"
        );
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        Self { dir, server, is_wrong, sha256, pace }
    }

    /// A sweep, and what is wrong with how the store was asked. A request is seen late where the machine is busy,
    /// never early: the pace shows from when the sweep began.
    fn swept(&self, faults: &mut Vec<String>) -> Value {
        let (began, before) = (Instant::now(), self.server.log().len());
        let report = sweep(self.dir.path());
        for (number, request) in self.server.log()[before..].iter().enumerate() {
            let after = request.at.duration_since(began).as_secs_f64();
            if after < self.pace.every * number as f64 {
                faults.push(format!("request {number}, {}, comes after {after} s", request.path));
            }
        }
        report
    }
}

/// What of one app that a sweep brought is not as it should be.
fn judged(shop: &Shop, first: &Value, name: &str, (way, _, all_true, _): &Way) -> Result<bool, String> {
    let target = of(first, name);
    let whole = is_whole(target, &shop.sha256);
    let told = first["skipped"].as_array().unwrap().iter().filter(|skip| skip.to_string().contains(name));
    let told: Vec<String> = told.map(|skip| skip["reason"].to_string()).collect();
    if *all_true && !whole {
        return Err(format!("{way}: what is true was not taken: {told:?}"));
    }
    let limits = target.map_or(0, |audit| audit["coverage"]["limits"].as_array().unwrap().len());
    if !whole && told.is_empty() && limits == 0 {
        return Err(format!("{way}: a loss that nobody tells of"));
    }
    Ok(whole)
}

/// Some ways, an app each: what went wrong with how we take them.
fn together(ways: &[&'static Way], pace: Pace) -> Vec<String> {
    let shop = Shop::open(ways, pace);
    let names: Vec<String> = (0..ways.len()).map(named).collect();
    let mut faults = Vec::new();
    let first = shop.swept(&mut faults);
    for name in OTHERS.iter().filter(|name| !is_whole(of(&first, name), &shop.sha256)) {
        faults.push(format!("a neighbour suffers: {name}: {}", first["skipped"]));
    }
    for audit in first["audits"].as_array().unwrap() {
        let title = audit["app"]["title"].as_str().unwrap_or_default().trim_start_matches("应用 ");
        let package = audit["app"]["package"].as_str().unwrap_or_default();
        let Some(name) = names.iter().map(String::as_str).chain(OTHERS).find(|name| [title, package].contains(name))
        else {
            faults.push(format!("an app that there is not: {}", audit["app"]));
            continue;
        };
        let way = names.iter().position(|other| other == name).map_or("nothing", |number| ways[number].0);
        faults.extend(is_false(audit, name, &shop.sha256).map(|what| format!("{way}: false: {what}")));
    }
    let judged = |(name, way): (&String, &&'static Way)| judged(&shop, &first, name, way);
    let outcomes: Vec<_> = names.iter().zip(ways).map(judged).collect();
    let asked = shop.server.log();
    shop.is_wrong.store(false, Ordering::SeqCst);
    let second = shop.swept(&mut faults);
    for ((name, way), outcome) in names.iter().zip(ways).zip(outcomes) {
        match outcome {
            Err(what) => faults.push(what),
            Ok(false) if !is_whole(of(&second, name), &shop.sha256) => {
                faults.push(format!("{}: not whole once the store is: {}", way.0, second["skipped"]));
            }
            Ok(_) => {}
        }
        let times = asked.iter().filter(|request| name_of(request) == name).count();
        if times > 60 {
            faults.push(format!("{}: {times} requests", way.0));
        }
    }
    if shop.server.paths().iter().any(|path| path.starts_with("/private")) {
        faults.push("asked for what robots.txt forbids".into());
    }
    if shop.server.most_at_once() > pace.at_once {
        faults.push(format!("{} requests at once", shop.server.most_at_once()));
    }
    faults
}

/// All ways: those of lists one by one, as a list is that of every app.
fn none_deceives(ways: &'static [Way]) {
    assert!(ways.len() >= 40, "{}", ways.len());
    let (lists, others): (Vec<&'static Way>, Vec<&'static Way>) = ways.iter().partition(|way| way.1 == Of::List);
    let mut faults = together(&others, FAST);
    for way in lists {
        faults.extend(together(&[way], FAST).into_iter().map(|fault| format!("{}: {fault}", way.0)));
    }
    assert!(faults.is_empty(), "{} faults in {} ways:\n{}", faults.len(), ways.len(), faults.join("\n"));
}

fn xunjian_sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn whatever_an_answer_is_nothing_false_is_remembered_and_everything_true_is() {
    none_deceives(WAYS);
}

#[test]
fn whatever_octets_an_answer_is_made_of_nothing_false_is_remembered() {
    none_deceives(ODD);
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
    let faults = together(&ways, slow);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
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
