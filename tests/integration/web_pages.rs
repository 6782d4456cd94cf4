//! Pages, maps of sites and answers as public bug reports tell of them, each from a real server: what is there is
//! read, and what cannot be read is told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::support::server::{Reply, Server};
use crate::support::{report, xunjian};
use encoding_rs::GBK;
use serde_json::{Value, json};

const DESC: &str = "一键拍照搜题，秒出解析，中小学作业全覆盖。拍一拍，答案马上就有。";

pub(crate) fn config(folder: &Path, more: &str) -> String {
    config_at_once(4, folder, more)
}

/// A configuration by which at most so many requests are open at the test's server.
fn config_at_once(at_once: usize, folder: &Path, more: &str) -> String {
    let text = format!(
        "[network]\nallow-private = true\ncontact = \"ops@inspector.example\"\nbackoff = 0.01\nretries = 1\n\
         [pace]\nevery = 0.0\n[host.\"127.0.0.1\"]\nevery = 0.0\nat-once = {at_once}\n[caps]\nfree-bytes = 0\npages = 5\n{more}"
    );
    let path = folder.join("config.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A report over these targets.
pub(crate) fn audit(targets: &[String], more: &str, args: &[&str]) -> Value {
    audit_at_once(4, targets, more, args)
}

/// The same with at most so many requests open at the server.
pub(crate) fn audit_at_once(at_once: usize, targets: &[String], more: &str, args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let config = config_at_once(at_once, folder.path(), more);
    let mut all: Vec<&str> = vec!["audit"];
    all.extend(targets.iter().map(String::as_str));
    all.extend(["--format", "json", "--config", &config]);
    all.extend(args);
    report(&xunjian(&all))
}

pub(crate) fn of<'r>(report: &'r Value, package: &str) -> Option<&'r Value> {
    report["audits"].as_array().unwrap().iter().find(|audit| audit["app"]["package"] == package)
}

pub(crate) fn has_sign(audit: &Value) -> bool {
    audit["findings"].as_array().unwrap().iter().any(|finding| finding["sign"] == "photo-search")
}

fn skip_of<'r>(report: &'r Value, part: &str) -> Option<&'r str> {
    let skipped = report["skipped"].as_array().unwrap().iter();
    skipped.map(|skip| skip["reason"].as_str().unwrap()).find(|reason| reason.contains(part))
}

/// Serves each reply under `/NUMBER`, asks for all of them at once, and says which were read with their sign.
fn read_all(replies: Vec<(&str, Reply)>) -> (Value, BTreeMap<String, bool>) {
    let names: Vec<String> = replies.iter().map(|(name, _)| (*name).to_owned()).collect();
    let replies = Arc::new(replies.into_iter().map(|(_, reply)| reply).collect::<Vec<_>>());
    let served = Arc::clone(&replies);
    let server = Server::new(move |request| {
        let number: usize = request.path[1..].split('?').next()?.parse().ok()?;
        served.get(number).cloned()
    });
    let targets: Vec<String> = (0..names.len()).map(|n| format!("{}/{n}?id=cn.example.c{n}", server.base)).collect();
    let report = audit(&targets, "", &[]);
    let is_read = |n: usize| {
        of(&report, &format!("cn.example.c{n}")).is_some_and(|a| a["app"]["title"] == "题山作业" && has_sign(a))
    };
    let read = names.iter().enumerate().map(|(n, name)| (name.clone(), is_read(n))).collect();
    (report, read)
}

fn page(head: &str) -> String {
    format!(
        "<html><head>{head}<title>题山</title><meta property=\"og:title\" content=\"题山作业\">\
         <meta name=\"description\" content=\"{DESC}\"></head><body><h1>题山</h1></body></html>"
    )
}

#[test]
fn pages_are_read_in_the_charset_they_are_in_whatever_they_are_called() {
    const META: &str = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gbk\">";
    let gbk = |head: &str, kind: &str| Reply::new(200, kind, GBK.encode(&page(head)).0.into_owned());
    let utf8 = |head: &str, kind: &str| Reply::new(200, kind, page(head));
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let late = format!("<!--{}-->{META}", "x".repeat(3000));
    let (report, read) = read_all(vec![
        ("meta gbk", gbk(META, "text/html")),
        ("header gb2312", gbk("", "text/html; Charset=gb2312")),
        ("mark, meta gbk", Reply::new(200, "text/html", format!("\u{feff}{}", page(META)))),
        ("a script's charset first", gbk(&format!("<script charset=\"utf-8\" src=/a.js></script>{META}"), "text/html")),
        (
            "a script's gb2312 first",
            utf8("<script charset=gb2312 src=/h.js></script><meta charset=utf-8>", "text/html"),
        ),
        ("a comment first", gbk(&format!("<!-- <meta charset=\"utf-8\"> -->{META}"), "text/html")),
        ("two metas", gbk(&format!("<meta charset=\"\">{META}"), "text/html")),
        ("a late meta", gbk(&late, "text/html")),
        ("called gbk", utf8("<meta charset=utf-8>", "text/html; charset=gbk")),
        ("called utf-8", gbk(META, "text/html; charset=utf-8")),
        ("called latin-1", gbk(META, "text/html;charset=ISO-8859-1")),
        ("called two", utf8("<meta charset=utf-8>", "text/html; charset=utf-8,gbk")),
        ("an unknown label", gbk(META, "text/html; charset=GB18030-2022")),
        ("single quotes", gbk("", "text/html; charset='gbk'")),
        ("an empty label", gbk(META, "text/html; charset=")),
        ("nothing at all", gbk("", "text/html")),
        ("utf8mb4", utf8("<meta charset=utf8mb4>", "text/html")),
        ("utf-16 with a mark", Reply::new(200, "text/html", wide(&format!("\u{feff}{}", page(""))))),
        ("utf-16 by header", Reply::new(200, "text/html; charset=utf-16le", wide(&page("")))),
    ]);
    assert!(read.values().all(|read| *read), "{read:?} {}", report["skipped"]);
    // What decodes in nothing is no page without findings: it is told.
    let mut broken = page("<meta charset=utf-8>").into_bytes();
    let at = broken.len() - 40;
    broken[at..at + 6].fill(0xff);
    let (report, _) = read_all(vec![("broken", Reply::new(200, "text/html", broken))]);
    let limits = report["audits"][0]["coverage"]["limits"].to_string();
    assert!(limits.contains("unread-listing"), "{report}");
}

#[test]
fn bodies_are_decoded_as_browsers_do() {
    use flate2::Compression;
    use std::io::Write;
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let plain = page("<meta charset=utf-8>").into_bytes();
    let zipped = gzip(&plain);
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&plain).unwrap();
    let coded = |body: &[u8], codings: &[&str]| {
        codings.iter().fold(Reply::new(200, "text/html", body), |reply, coding| reply.with("content-encoding", coding))
    };
    let (report, read) = read_all(vec![
        ("gzip", coded(&zipped, &["gzip"])),
        ("gzip, not said", coded(&zipped, &[])),
        ("said, and is none", coded(&plain, &["gzip"])),
        ("x-gzip", coded(&zipped, &["x-gzip"])),
        ("GZIP", coded(&zipped, &["GZIP"])),
        ("twice", coded(&gzip(&zipped), &["gzip, gzip"])),
        ("twice, in two lines", coded(&gzip(&zipped), &["gzip", "gzip"])),
        ("deflate", coded(&deflate.finish().unwrap(), &["deflate"])),
        ("utf-8 for a coding", coded(&plain, &["utf-8"])),
        ("with a tail", coded(&[zipped.as_slice(), b"\0\0\0\0garbage"].concat(), &["gzip"])),
    ]);
    assert!(read.values().all(|read| *read), "{read:?} {}", report["skipped"]);
    let (report, read) = read_all(vec![("cut", coded(&zipped[..zipped.len() - 40], &["gzip"]))]);
    assert!(!read["cut"] && skip_of(&report, "does not decode").is_some(), "{report}");
}

#[test]
fn metadata_is_read_as_found_in_the_wild() {
    let ld = |kind: Value, text: &str| json!({"@context": "https://schema.org", "@type": kind, "name": "题山作业", "description": text});
    let app = |text: &str| ld(json!("MobileApplication"), text).to_string();
    let with = |script: &str, kind: &str, meta: &str| {
        Reply::html(format!(
            "<html><head><meta property=\"og:title\" content=\"题山作业\">{meta}<script type=\"{kind}\">{script}</script></head>\
             <body><h1>题山作业</h1></body></html>"
        ))
    };
    let plain = |script: &str| with(script, "application/ld+json", "<meta name=description content=一款学习软件>");
    let meta = |meta: &str| with("{}", "application/ld+json", meta);
    let (report, read) = read_all(vec![
        ("plain", plain(&app(DESC))),
        ("a raw line break", plain(&app(&format!("一行XX{DESC}")).replace("XX", "\n"))),
        ("a raw tab", plain(&app(&format!("一行XX{DESC}")).replace("XX", "\t"))),
        ("in a comment", plain(&format!("<!-- {} -->", app(DESC)))),
        ("in CDATA", plain(&format!("//<![CDATA[\n{}\n//]]>", app(DESC)))),
        ("a comma too many", plain(&app(DESC).replace('}', ",}"))),
        ("a semicolon", plain(&format!("{};", app(DESC)))),
        ("a type in full", plain(&ld(json!("http://schema.org/MobileApplication"), DESC).to_string())),
        ("two types", plain(&ld(json!(["Product", "MobileApplication"]), DESC).to_string())),
        ("a game", plain(&ld(json!("GameApplication"), DESC).to_string())),
        ("capitals", with(&app(DESC), "application/LD+JSON", "")),
        ("a charset in the type", with(&app(DESC), "application/ld+json; charset=utf-8", "")),
        ("two values", plain(&format!("{}{}", ld(json!("Organization"), "x"), app(DESC)))),
        ("a graph", plain(&json!({"@graph": [ld(json!("MobileApplication"), DESC)]}).to_string())),
        ("half an emoji", plain(&app(&format!("{DESC}XX")).replace("XX", "\\ud83d"))),
        ("a mark", plain(&format!("\u{feff}{}", app(DESC)))),
        ("references", plain(&app("一键拍照&#25628;题，秒出解析"))),
        ("Description", meta(&format!("<meta name=\"Description\" content=\"{DESC}\">"))),
        ("META", meta(&format!("<META NAME=\"DESCRIPTION\" CONTENT=\"{DESC}\">"))),
        ("og by name", meta(&format!("<meta name=\"og:description\" content=\"{DESC}\">"))),
        ("twitter", meta(&format!("<meta name=\"twitter:description\" content=\"{DESC}\">"))),
    ]);
    let lost: Vec<_> = read.iter().filter(|(_, read)| !**read).map(|(name, _)| name).collect();
    assert!(lost.is_empty(), "{lost:?} {}", report["skipped"]);
    // JSON-LD that does not parse is a limit, never silence.
    let (report, _) = read_all(vec![("broken", plain("{\"@type\": \"MobileApplication\", \"name\" }"))]);
    assert!(report["audits"][0]["coverage"]["limits"].to_string().contains("unread-listing"), "{report}");
}

#[test]
fn maps_of_sites_name_the_apps_and_nothing_else() {
    let forms: Vec<(&str, Vec<u8>, Vec<&str>)> = {
        let url = |loc: &str| format!("<url><loc>BASE{loc}</loc></url>");
        let set = |inner: &str| format!("<urlset>{inner}</urlset>").into_bytes();
        vec![
            ("a mark", [b"\xef\xbb\xbf<?xml version='1.0'?>".to_vec(), set(&url("/a/1?id=cn.example.a"))].concat(), vec!["a"]),
            ("a blank first", [b"\n\n <?xml version='1.0'?>".to_vec(), set(&url("/a/1?id=cn.example.a"))].concat(), vec!["a"]),
            ("a raw &", set(&[url("/a/1?x=1&y&id=cn.example.a"), url("/a/2?id=cn.example.b")].concat()), vec!["a", "b"]),
            ("references", set(&[url("/a/1?id=cn.example.a&#38;x=1"), url("/a/2?id=cn.example.b&#x26;x")].concat()), vec!["a", "b"]),
            ("CDATA", set("<url><loc><![CDATA[BASE/a/1?x=1&id=cn.example.a]]></loc></url>"), vec!["a"]),
            ("&apos;", set(&url("/a/it&apos;s?id=cn.example.a")), vec!["a"]),
            ("a prefix", b"<s:urlset xmlns:s='x'><s:url><s:loc>BASE/a/1?id=cn.example.a</s:loc></s:url></s:urlset>".to_vec(), vec!["a"]),
            ("pictures after", set("<url><loc>BASE/a/1?id=cn.example.a</loc><image:image><image:loc>BASE/p/2.jpg</image:loc></image:image></url>"), vec!["a"]),
            ("pictures before", set("<url><image:image><image:loc>BASE/p/2.jpg</image:loc></image:image><loc>BASE/a/1?id=cn.example.a</loc></url>"), vec!["a"]),
            ("videos", set("<url><loc>BASE/a/1?id=cn.example.a</loc><video:video><video:content_loc>BASE/v</video:content_loc></video:video></url>"), vec!["a"]),
            ("not closed", b"<urlset><url><loc>BASE/a/1?id=cn.example.a</loc></url><url><loc>BASE/a/2?id=cn.example.b</loc>".to_vec(), vec!["a", "b"]),
            ("beyond ASCII", set(&url("/应用/题山 1?id=cn.example.a")), vec!["a"]),
            ("GBK", GBK.encode("<?xml version='1.0' encoding='GBK'?><urlset><url><loc>BASE/应用/1?id=cn.example.a</loc></url></urlset>").0.into_owned(), vec!["a"]),
            ("more data", set("<url><loc>BASE/a/1?id=cn.example.a</loc><data><display><html5_url>BASE/m/1</html5_url></display></data></url>"), vec!["a"]),
        ]
    };
    for (name, body, apps) in forms {
        let server = Server::new(move |request| match request.path.as_str() {
            "/sitemap.xml" => {
                let base = format!("http://{}", request.header("host"));
                // Octets stay as they are.
                let mut out = body.clone();
                while let Some(at) = out.windows(4).position(|four| four == b"BASE") {
                    out.splice(at..at + 4, base.bytes());
                }
                Some(Reply::new(200, "application/xml", out))
            }
            path if path.contains("id=cn.example") => Some(Reply::html(page(""))),
            _ => None,
        });
        let report = audit(&[format!("{}/sitemap.xml", server.base)], "", &[]);
        let found: Vec<_> = report["audits"].as_array().unwrap().iter().map(|a| a["app"]["package"].clone()).collect();
        let wanted: Vec<Value> = apps.iter().map(|app| json!(format!("cn.example.{app}"))).collect();
        assert_eq!(found, wanted, "{name}: {} {:?}", report["skipped"], server.paths());
        assert_eq!(server.paths().len(), 1 + wanted.len(), "{name}: {:?}", server.paths());
        assert_eq!(report["skipped"], json!([]), "{name}");
    }
}

#[test]
fn redirects_are_followed_octet_by_octet_and_addresses_as_browsers_read_them() {
    let gbk = xunjian::model::fetch::octets_text(&GBK.encode("/详情/题山?id=cn.example.c1").0);
    let latin = xunjian::model::fetch::octets_text(b"/synspr\xf8ve?id=cn.example.c2");
    let cases: Vec<(String, &str)> = vec![
        ("/详情/题山?id=cn.example.c0".into(), "/%E8%AF%A6%E6%83%85/%E9%A2%98%E5%B1%B1?id=cn.example.c0"),
        (gbk, "/%CF%EA%C7%E9/%CC%E2%C9%BD?id=cn.example.c1"),
        (latin, "/synspr%F8ve?id=cn.example.c2"),
        ("/a b?id=cn.example.c3".into(), "/a%20b?id=cn.example.c3"),
        ("\\x\\y?id=cn.example.c4".into(), "/x/y?id=cn.example.c4"),
        ("/t\tx?id=cn.example.c5".into(), "/tx?id=cn.example.c5"),
        ("//HOST/f?id=cn.example.c6".into(), "/f?id=cn.example.c6"),
        ("/f?id=cn.example.c7#/!top".into(), "/f?id=cn.example.c7"),
        ("HTTP://HOST/f?id=cn.example.c8".into(), "/f?id=cn.example.c8"),
    ];
    let served = cases.clone();
    let server = Server::new(move |request| {
        if let Some(number) = request.path.strip_prefix("/go/") {
            let (to, _) = served.get(number.split('?').next()?.parse::<usize>().ok()?)?;
            return Some(Reply::redirect(&to.replace("HOST", request.header("host"))));
        }
        served.iter().any(|(_, asked)| *asked == request.path).then(|| Reply::html(page("")))
    });
    let targets: Vec<String> = (0..cases.len()).map(|n| format!("{}/go/{n}?id=cn.example.c{n}", server.base)).collect();
    let report = audit(&targets, "", &[]);
    let asked = server.paths();
    for (n, (_, path)) in cases.iter().enumerate() {
        assert!(asked.contains(&(*path).to_owned()), "{path}: {asked:?}");
        assert!(of(&report, &format!("cn.example.c{n}")).is_some(), "{path}: {}", report["skipped"]);
    }
}

#[test]
fn an_apps_own_words_are_no_captcha_and_a_captcha_in_gbk_is_one() {
    let app = |words: &str| {
        format!(
            "<html><head><meta charset=\"utf-8\"></head><body data-pn=\"cn.example.tishan\" data-title=\"题山作业\">\
             <div class=\"desc-info\"><div class=\"con\">{DESC}{words}</div></div><a class=\"install-btn\" \
             data-app-vname=\"1.0\" data-app-vcode=\"1\"></a></body></html>"
        )
    };
    let captcha = "<html><head><meta charset=\"gbk\"></head><body>亲，请拖动下方滑块完成验证 滑动验证</body></html>";
    let cases = [
        (Reply::html(app("")), true),
        (Reply::html(app(" No punishment for wrong answers.")), true),
        (Reply::html(app(" 支持滑动验证登录")), true),
        (Reply::new(200, "text/html; charset=gbk", GBK.encode(captcha).0.into_owned()), false),
    ];
    for (number, (reply, is_app)) in cases.into_iter().enumerate() {
        let server = Server::new(move |request| request.path.starts_with("/apps/").then(|| reply.clone()));
        let more = format!("[store.wandoujia]\nbase = \"{}\"\n", server.base);
        let report = audit(&["wandoujia:cn.example.tishan".into()], &more, &[]);
        assert_eq!(report["audits"].as_array().unwrap().len(), usize::from(is_app), "{number}: {report}");
        let is_throttled = skip_of(&report, "throttled").is_some();
        assert_eq!(is_throttled, !is_app, "{number}: {}", report["skipped"]);
    }
}

#[test]
fn what_a_page_names_is_relative_to_the_base_it_names() {
    let server = Server::new(|request| match request.path.split('?').next()? {
        "/base" => Some(Reply::html(
            "<html><head><base href=\"/files/\"><meta property=\"og:title\" content=\"题山\"><meta name=\"description\" \
             content=\"拍照搜题\"></head><body><a href=\"a.apk\">下载</a></body></html>",
        )),
        _ => None,
    });
    audit(&[format!("{}/base?id=cn.example.a", server.base)], "", &[]);
    assert!(server.paths().contains(&"/files/a.apk".to_owned()), "{:?}", server.paths());
}
