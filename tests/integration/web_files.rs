//! Indexes, lists, rules for robots, packages and tables as public bug reports tell of them, each from a real server.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use crate::support::project;
use crate::support::server::{Reply, Server};
use crate::web_pages::{audit, audit_at_once, config, has_sign};
use serde_json::{Value, json};

const DESC: &str = "一键拍照搜题，秒出解析，中小学作业全覆盖。拍一拍，答案马上就有。";

fn apk() -> Vec<u8> {
    std::fs::read(project("tests/fixtures/apks/photosearch.apk")).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    xunjian::audit::sha256(bytes)
}

fn at<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    value.pointer_mut(path).unwrap_or_else(|| panic!("{path}"))
}

#[test]
fn an_app_of_an_older_index_is_read_field_by_field_whatever_locale_has_it() {
    let english = json!({"name": "Tishan", "summary": "sum", "description": DESC});
    let localized = |zh: Value| json!({"localized": {"en-US": english, "zh-CN": zh}});
    let cases = [
        json!({"localized": {"en-US": english}}),
        localized(json!({"phoneScreenshots": ["1.png"]})),
        localized(json!({"whatsNew": "修复"})),
        localized(json!({"name": "", "summary": "", "description": ""})),
        json!({"localized": {"de": english}}),
        json!({"localized": {"en-US": {"icon": "i.png"}, "en-GB": english}}),
        json!({"localized": {"zh-CN": {"icon": "i.png"}, "zh-TW": {"name": "Tishan", "description": "一鍵拍照搜題，秒出解析"}}}),
        json!({"localized": {"en-US": {"name": "Tishan", "description": DESC, "whatsNew": null}}}),
        json!({"localized": {"en-US": {"name": "Tishan", "description": null}}, "description": DESC}),
        json!({"localized": {"en-US": english}, "authorName": null}),
        json!({"localized": {"en-US": english}, "suggestedVersionCode": null}),
    ];
    let bytes = apk();
    let (served, hash) = (cases.clone(), sha256(&bytes));
    let server = Server::new(move |request| {
        let (number, file) = request.path[1..].split_once("/repo/")?;
        let mut app = served.get(number.parse::<usize>().ok()?)?.clone();
        app["packageName"] = json!("cn.example.tishan");
        app["lastUpdated"] = json!(1_700_000_000_000_i64);
        let version = json!([{"apkName": "a.apk", "hash": hash, "hashType": "sha256", "size": bytes.len(), "versionCode": 204,
            "versionName": "2.0.4", "packageName": "cn.example.tishan"}]);
        match file {
            "index-v1.json" => Some(Reply::json(&json!({"repo": {"timestamp": 1, "name": "x"}, "apps": [app],
                "packages": {"cn.example.tishan": version}}))),
            "a.apk" => Some(Reply::file(bytes.clone())),
            _ => None,
        }
    });
    let targets: Vec<String> =
        (0..cases.len()).map(|n| format!("fdroid+{}/{n}/repo#cn.example.tishan", server.base)).collect();
    let report = audit(&targets, "", &[]);
    assert_eq!(report["skipped"], json!([]), "{report}");
    let audits = report["audits"].as_array().unwrap();
    assert_eq!(audits.len(), cases.len());
    for (audit, case) in audits.iter().zip(&cases) {
        assert_eq!(
            (&audit["app"]["title"], audit["artifacts"].as_array().unwrap().len()),
            (&json!("Tishan"), 1),
            "{case}"
        );
        let evidence = audit["findings"].to_string();
        assert!(evidence.contains("description"), "{case}: the description is searched");
    }
}

#[test]
fn one_odd_app_of_an_index_costs_a_field_of_its_own_at_most() {
    let bytes = apk();
    let hash = sha256(&bytes);
    let package = || {
        json!({"metadata": {"name": {"en-US": "Tishan", "zh-CN": "题山"}, "summary": {"zh-CN": "x"}, "description": {"zh-CN": DESC},
            "added": 1, "lastUpdated": 1_700_000_000_000_i64, "categories": ["Education"]},
            "versions": {"v": {"added": 1_700_000_000_000_i64, "file": {"name": "/a.apk", "sha256": hash, "size": bytes.len()},
                "manifest": {"versionName": "2.0.4", "versionCode": 204, "usesSdk": {"minSdkVersion": 21, "targetSdkVersion": 34}}}}})
    };
    let changes: Vec<(&str, Value)> = vec![
        ("/metadata/somethingNew", json!({"a": [1, null]})),
        ("/metadata/authorName", Value::Null),
        ("/metadata/webSite", Value::Null),
        ("/metadata/description", json!({"zh-CN": null, "en-US": DESC})),
        ("/metadata/description", json!({"zh-CN": "", "en-US": DESC})),
        ("/metadata/categories", Value::Null),
        ("/metadata/lastUpdated", json!("1700000000000")),
        ("/metadata/screenshots", Value::Null),
        ("/metadata/screenshots", json!({"phone": null})),
        ("/versions/v/manifest/versionName", Value::Null),
        ("/versions/v/manifest/versionCode", json!(u64::MAX)),
        ("/versions/v/manifest/versionCode", json!("204")),
        ("/versions/v/manifest/versionCode", json!(204.0)),
        ("/versions/v/manifest/nativecode", Value::Null),
        ("/versions/v/manifest/usesPermission", Value::Null),
        ("/versions/v/manifest/signer", Value::Null),
        ("/versions/v/whatsNew", Value::Null),
        ("/versions/v/whatsNew", json!([])),
        ("/versions/v/antiFeatures", json!(["Ads"])),
        ("/versions/v/file/size", Value::Null),
        ("/versions", json!([])),
        ("/versions", Value::Null),
        ("/metadata/description/zh-CN", json!(format!("{DESC}LONE"))),
    ];
    let indexes: Vec<String> = changes
        .iter()
        .map(|(path, value)| {
            let mut odd = package();
            let (parent, name) = path.rsplit_once('/').unwrap();
            at(&mut odd, parent)[name] = value.clone();
            let all = json!({"repo": {"name": {"en-US": "r"}, "address": "x", "timestamp": 1},
                "packages": {"cn.example.good": package(), "cn.example.odd": odd, "cn.example.none": null}});
            all.to_string().replace("LONE", "\\ud83d")
        })
        .collect();
    let served = Arc::new(indexes);
    let files = Arc::clone(&served);
    let file = bytes.clone();
    let server = Server::new(move |request| {
        let (number, name) = request.path[1..].split_once("/repo/")?;
        let index = files.get(number.parse::<usize>().ok()?)?;
        match name {
            "entry.json" => Some(Reply::json(&json!({"timestamp": 1, "version": 20002, "diffs": {}, "index":
                {"name": "/index-v2.json", "sha256": sha256(index.as_bytes()), "size": index.len(), "numPackages": 3}}))),
            "index-v2.json" => Some(Reply::new(200, "application/json", index.clone())),
            "a.apk" => Some(Reply::file(file.clone())),
            _ => None,
        }
    });
    let target = |n: usize, app: &str| format!("fdroid+{}/{n}/repo#cn.example.{app}", server.base);
    let targets: Vec<String> = (0..changes.len()).flat_map(|n| [target(n, "good"), target(n, "odd")]).collect();
    let report = audit(&targets, "", &[]);
    let audits = report["audits"].as_array().unwrap();
    for (n, change) in changes.iter().enumerate() {
        let store = format!("fdroid+{}/{n}/repo", server.base);
        let apps: Vec<_> = audits.iter().filter(|audit| audit["app"]["store"] == store).collect();
        assert_eq!(apps.len(), 2, "{change:?}: {}", report["skipped"]);
        assert!(apps.iter().all(|app| app["app"]["title"] == "题山" && has_sign(app)), "{change:?}");
    }
}

#[test]
fn whoever_asks_for_an_hour_is_left_alone_whatever_the_status() {
    for status in [429, 503, 403, 200] {
        let server = Server::new(move |request| {
            request.path.starts_with("/app/").then(|| {
                Reply::new(status, "application/json", "{\"message\":\"slow down\"}").with("retry-after", "3600")
            })
        });
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "title = {{ zh = \"试\", en = \"try\" }}\nseen = \"2026\"\n[hosts]\nmain = \"{}\"\n[pace]\nevery = 0.0\n\
             [start]\npackage = \"app\"\n[steps.app]\nurl = \"{{main}}/app/{{package}}\"\n[steps.app.fields]\n\
             title = {{ from = \"$.title\", required = true }}\n",
            server.base
        );
        std::fs::write(dir.path().join("try.toml"), text).unwrap();
        let targets: Vec<String> = (0..4).map(|n| format!("try:cn.example.a{n}")).collect();
        // One after the other: what was sent before the answer came could not know of it.
        let report = audit_at_once(1, &targets, "", &["--stores", &dir.path().display().to_string()]);
        assert_eq!(server.paths().len(), 1, "{status}: {:?}", server.paths());
        assert_eq!(report["skipped"].as_array().unwrap().len(), 4, "{status}: each is told of: {report}");
    }
}

/// Rules for robots (RFC 9309), the path asked for, and whether it may be.
fn rules() -> Vec<(Vec<u8>, &'static str, bool)> {
    let all = |rest: &str| format!("User-agent: *\n{rest}").into_bytes();
    vec![
        (all("Disallow: /private"), "/private/1", false),
        (all("Disallow: /private"), "/open/1", true),
        ("\u{feff}User-agent: *\nDisallow: /private".into(), "/private/1", false),
        ("User-agent: *\r\nDisallow: /private\r\n".into(), "/private/1", false),
        ("User-agent: *\rDisallow: /private\r".into(), "/private/1", false),
        ("User-agent : *\nDisallow : /private".into(), "/private/1", false),
        (all("Disallow: /搜索"), "/%E6%90%9C%E7%B4%A2?q=1", false),
        (all("Disallow: /%e6%90%9c"), "/%E6%90%9C%E7%B4%A2", false),
        (all("Disallow: /%E6%90%9C"), "/%E6%90%9C%E7%B4%A2", false),
        (all("Disallow: /%70rivate"), "/private/1", false),
        (all("Disallow: /private"), "/%70rivate/1", false),
        (all("Disallow: /a%2Fb"), "/a/b", true),
        (all("Disallow: /a%2fb"), "/a%2Fb", false),
        (encoding_rs::GBK.encode("User-agent: *\nDisallow: /搜索").0.into_owned(), "/%CB%D1%CB%F7", false),
        (all("Disallow: /*?sort="), "/x?sort=1", false),
        (all("Disallow: /*.php$"), "/a.php", false),
        (all("Disallow: /*.php$"), "/a.php?x", true),
        (all("Disallow: /a%2Ab"), "/a*b", false),
        (all("Disallow: /\nAllow: /open"), "/open/1", true),
        (all("Disallow: /p\nAllow: /p"), "/p", true),
        (all("Disallow:"), "/p", true),
        (all("Disallow: /\nAllow:"), "/p", false),
        ("User-agent: *\nDisallow:\n\nUser-agent: xunjian\nDisallow: /".into(), "/p", false),
        ("User-agent: XunJian\nDisallow: /".into(), "/p", false),
        ("User-agent: xunjian/1.0\nDisallow: /".into(), "/p", false),
        ("User-agent: *\nDisallow: /\n\nUser-agent: xunjian\nAllow: /".into(), "/p", true),
        ("User-agent: *\nDisallow: /a\n\nUser-agent: *\nDisallow: /b".into(), "/b", false),
        ("User-agent: foo\nUser-agent: *\nDisallow: /b".into(), "/b", false),
        (all("Sitemap: http://x/s.xml\nDisallow: /b"), "/b", false),
        ("User-agent: foo\nCrawl-delay: 1\nUser-agent: *\nDisallow: /b".into(), "/b", false),
        (all("Disallow: /b # why"), "/b", false),
        (all("Disallow: /b#why"), "/b", false),
        ("<html><body>404</body></html>".into(), "/b", true),
        ("Disallow: /b\n".into(), "/b", true),
        (all(&format!("Disallow: /b{}\nDisallow: /c", "x".repeat(3000))), "/c", false),
        (all(&format!("Disallow: /{}\nDisallow: /c", "*a".repeat(200))), "/c", false),
    ]
}

#[test]
fn nothing_is_asked_that_robots_forbids() {
    let rules = rules();
    let servers: Vec<Server> = rules
        .iter()
        .map(|(robots, ..)| {
            let robots = robots.clone();
            Server::new(move |request| match request.path.as_str() {
                "/robots.txt" => Some(Reply::new(200, "text/plain", robots.clone())),
                _ => {
                    Some(Reply::html("<meta property=\"og:title\" content=\"题山\"><meta name=description content=x>"))
                }
            })
        })
        .collect();
    let ask = |path: &str| {
        if path.ends_with(".php") {
            path.to_owned()
        } else {
            format!("{path}{}id=cn.example.a", if path.contains('?') { '&' } else { '?' })
        }
    };
    let targets: Vec<String> =
        rules.iter().zip(&servers).map(|((_, path, _), server)| format!("{}{}", server.base, ask(path))).collect();
    audit(&targets, "", &[]);
    for ((robots, path, may), server) in rules.iter().zip(&servers) {
        let text = String::from_utf8_lossy(robots);
        assert_eq!(!server.paths().is_empty(), *may, "{path} by {text:.80}: {:?}", server.paths());
    }
}

#[test]
fn packages_are_told_by_what_they_are_and_taken_only_whole() {
    let bytes = apk();
    let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    let head = |line: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n{line}\r\n\r\n").into_bytes()
    };
    let whole = bytes.len();
    let length = |n: usize| [head(&format!("content-length: {n}\r\nconnection: close")), bytes.clone()].concat();
    let called = |kind: &str| Reply::new(200, kind, bytes.clone());
    let page = "<html><head><title>访问验证</title></head><body>请完成安全验证后下载</body></html>";
    let ranged = |status: u16, part: &[u8]| {
        let reply = Reply::file(part).with("content-range", &format!("bytes 0-{}/{whole}", part.len() - 1));
        Reply { status, ..reply }
    };
    let cases: Vec<(&str, Reply, bool)> = vec![
        ("called a page", called("text/html"), true),
        ("called text", called("text/plain"), true),
        ("called JSON", called("application/json"), true),
        ("coding utf-8", called("application/octet-stream").with("content-encoding", "utf-8"), true),
        ("an empty coding", called("application/octet-stream").with("content-encoding", ""), true),
        ("coding binary", called("application/octet-stream").with("content-encoding", "binary"), true),
        ("a page", Reply::file(page), false),
        ("JSON", Reply::file("{\"code\":403,\"msg\":\"签名过期\"}"), false),
        (
            "XML",
            Reply::new(200, "application/xml", "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"),
            false,
        ),
        ("nothing", Reply::file(""), false),
        ("204", Reply::status(204), false),
        (
            "chunks broken off",
            Reply::octets([head("transfer-encoding: chunked"), chunk(&bytes[..5000])].concat()),
            false,
        ),
        ("chunks without an end", Reply::octets([head("transfer-encoding: chunked"), chunk(&bytes)].concat()), false),
        ("until closed", Reply::octets([head("connection: close"), bytes.clone()].concat()), true),
        ("a length too long", Reply::octets(length(whole + 10)), false),
        ("206 that nobody asked for, whole", ranged(206, &bytes), true),
        ("206 that nobody asked for, in part", ranged(206, &bytes[..5000]), false),
        ("203", Reply { status: 203, ..called("application/octet-stream") }, true),
    ];
    let served: Vec<Reply> = cases.iter().map(|(_, reply, _)| reply.clone()).collect();
    let server = Server::new(move |request| {
        if let Some(number) = request.path.strip_prefix("/apk/") {
            return served.get(number.parse::<usize>().ok()?).cloned();
        }
        let number = request.path.strip_prefix("/app/cn.example.c")?;
        Some(Reply::json(&json!({"title": "题山", "download": format!("/apk/{number}")})))
    });
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "title = {{ zh = \"试\", en = \"try\" }}\nseen = \"2026\"\n[hosts]\nmain = \"{}\"\n[pace]\nevery = 0.0\nat-once = 4\n\
         [start]\npackage = \"app\"\n[steps.app]\nurl = \"{{main}}/app/{{package}}\"\n[steps.app.fields]\n\
         title = {{ from = \"$.title\", required = true }}\ndownload_url = \"$.download\"\n",
        server.base
    );
    std::fs::write(dir.path().join("try.toml"), text).unwrap();
    let targets: Vec<String> = (0..cases.len()).map(|n| format!("try:cn.example.c{n}")).collect();
    let report = audit(&targets, "", &["--stores", &dir.path().display().to_string()]);
    for (n, (name, _, is_whole)) in cases.iter().enumerate() {
        let audit = report["audits"].as_array().unwrap().get(n);
        let got: Vec<u64> = audit.map_or_else(Vec::new, |audit| {
            audit["artifacts"].as_array().unwrap().iter().filter_map(|file| file["bytes"].as_u64()).collect()
        });
        assert_eq!(got == [whole as u64], *is_whole, "{name}: {got:?} {}", report["skipped"]);
        let is_told = report["skipped"].to_string().contains(&format!("/apk/{n}:"));
        assert_eq!(is_told, !is_whole, "{name}: {}", report["skipped"]);
    }
}

#[test]
fn a_field_that_cannot_be_read_costs_a_line_that_field() {
    let base = || json!({"package": "cn.example.tishan", "title": "题山", "description": DESC});
    let with = |key: &str, value: Value| {
        let mut one = base();
        one[key] = value;
        one.to_string()
    };
    let lines: Vec<(String, bool)> = vec![
        (base().to_string(), true),
        (with("description", json!(format!("{DESC}LONE"))).replace("LONE", "\\ud83d"), true),
        (with("score", json!("NAN")).replace("\"NAN\"", "NaN"), true),
        (with("version_code", json!(12.0)), true),
        (with("version_code", json!("1.2.3")), false),
        (with("version_code", json!(-1)), false),
        (with("version_code", json!("")), true),
        (with("permissions", json!("a,b")), true),
        (with("permissions", json!(["a", null])), true),
        (with("screenshots", json!([{"url": "http://x/1.png"}])), true),
        (with("category", json!(["教育", "学习"])), true),
        (with("developer", json!({"name": "x"})), true),
        (with("id", json!({"$oid": "5f"})), true),
        (format!("{},}}", base().to_string().trim_end_matches('}')), true),
        (format!("\u{a0}{}", base()), true),
        (format!("{}\r", base()), true),
    ];
    let dir = tempfile::tempdir().unwrap();
    let mut targets = Vec::new();
    for (n, (line, _)) in lines.iter().enumerate() {
        let path = dir.path().join(format!("{n:02}.jsonl"));
        std::fs::write(&path, format!("{line}\n{}\n", json!({"title": "后一行", "description": DESC}))).unwrap();
        targets.push(path.display().to_string());
    }
    let octets = |text: &str| -> Vec<u8> { text.as_bytes().to_vec() };
    let cut = octets(&base().to_string()).windows(3).position(|three| three == "答".as_bytes()).unwrap();
    let mut bad = octets(&base().to_string());
    bad[cut + 2] = b'?';
    let wide: Vec<u8> = format!("\u{feff}{}\n", base()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let whole_files: [(&str, Vec<u8>, usize); 4] = [
        ("gbk", encoding_rs::GBK.encode(&base().to_string()).0.into_owned(), 1),
        ("mark", octets(&format!("\u{feff}{}", base())), 1),
        ("one-octet", bad, 1),
        ("utf-16", wide, 0),
    ];
    let report = audit(&targets, "", &[]);
    let audits = report["audits"].as_array().unwrap();
    assert_eq!(audits.len(), 2 * lines.len(), "{}", report["skipped"]);
    for (audit, (line, is_whole)) in audits.iter().step_by(2).zip(&lines) {
        assert!(audit["app"]["title"] == "题山" && has_sign(audit), "{line}");
        let limits = audit["coverage"]["limits"].to_string();
        assert_eq!(limits.contains("unread-listing"), !is_whole, "{line}: {limits}");
    }
    for (name, octets, read) in whole_files {
        let path = dir.path().join(format!("{name}.jsonl"));
        std::fs::write(&path, octets).unwrap();
        let report = audit(&[path.display().to_string()], "", &[]);
        assert_eq!(report["audits"].as_array().unwrap().len(), read, "{name}: {report}");
        let is_told = report["skipped"] != json!([]) || report.to_string().contains("unread-listing");
        assert_eq!(is_told, matches!(name, "one-octet" | "utf-16"), "{name}: {report}");
    }
}

#[test]
fn addresses_as_people_paste_them_lead_to_their_stores() {
    const TENCENT: &str = "yybadaccess.3g.qq.com/v2/dc_pcyyb_official";
    let places = BTreeMap::from([
        ("https://appgallery.huawei.com/app/C100", "web-drcn.hispace.dbankcloud.com"),
        ("https://appgallery.huawei.com/#/app/C100", "web-drcn.hispace.dbankcloud.com"),
        ("https://appgallery.huawei.com/app/detail?id=com.example.app", "web-drcn.hispace.dbankcloud.com"),
        ("https://appgallery.cloud.huawei.com/ag/n/app/C100", "web-drcn.hispace.dbankcloud.com"),
        ("https://appgallery.cloud.huawei.com/appdl/C100", "web-drcn.hispace.dbankcloud.com"),
        ("https://h5.appstore.vivo.com.cn/#/details?appId=40413", "h5-api.appstore.vivo.com.cn/detail/40413"),
        (
            "https://h5coml.vivo.com.cn/h5coml/appdetail_h5/browser_v2/index.html?appId=4",
            "h5-api.appstore.vivo.com.cn/detail/4",
        ),
        ("https://sj.qq.com/appdetail/com.example.a/review", TENCENT),
        ("https://sj.qq.com/myapp/detail.htm?apkName=com.example.a", TENCENT),
        ("https://a.app.qq.com/o/simple.jsp?pkgname=com.example.a", "a.app.qq.com/o/simple.jsp"),
        ("https://android.myapp.com/myapp/detail.htm?apkName=com.example.a", TENCENT),
        ("https://webcdn.m.qq.com/webapp/homepage/index.html#/appDetail?apkName=com.example.a", TENCENT),
        ("https://m.app.mi.com/details?id=com.example.a", "https://app.mi.com/details?id=com.example.a"),
        ("https://app.xiaomi.com/details?id=com.example.a", "https://app.mi.com/details?id=com.example.a"),
        ("https://m.wandoujia.com/apps/280621", "www.wandoujia.com/apps/280621"),
        ("https://m.coolapk.com/apk/com.example.a", "api2.coolapk.com"),
        ("https://itunes.apple.com/cn/app/id414478124", "itunes.apple.com/lookup?id=414478124"),
        ("https://play.google.com/store/apps/details?hl=en&id=com.example.a", "details?id=com.example.a&hl=zh_CN"),
        ("https://galaxystore.samsung.com/detail/com.example.a", "galaxystore.samsung.com/api/detail/com.example.a"),
        ("https://apps.galaxyappstore.com/detail/com.example.a", "galaxystore.samsung.com/api/detail/com.example.a"),
    ]);
    // Nothing is dialled: names are looked up before, and through a proxy that is not there.
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "");
    let text = "[network]\nretries = 0\nconnect-timeout = 1.0\nproxy = \"http://127.0.0.1:9\"\n";
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.arg("audit").args(places.keys()).args(["--format", "json", "--config", &path]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let skipped = report["skipped"].as_array().unwrap();
    for (address, asked) in places {
        let skip =
            skipped.iter().find(|skip| skip["target"] == address).unwrap_or_else(|| panic!("{address}: {report}"));
        assert!(skip["reason"].as_str().unwrap().contains(asked), "{address}: {skip}");
    }
}

#[test]
fn what_a_spreadsheet_takes_for_a_number_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.jsonl");
    let line = json!({"package": "cn.example.a", "title": "题山", "version_name": "1.10", "description": DESC});
    std::fs::write(&path, format!("{line}\n")).unwrap();
    let out = dir.path().join("o.csv").display().to_string();
    let args = ["audit", &path.display().to_string(), "--format", "csv", "--out", &out];
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian")).args(args).output().unwrap();
    assert!(output.status.success() || output.status.code() == Some(3), "{output:?}");
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.starts_with('\u{feff}') && text.contains(",'1.10,"), "{text:.400}");
}
