//! Ways in which a store's answer is wrong: what it says, and what comes instead of it.

use crate::support::server::{Reply, Request};
use serde_json::{Value, json};

/// The app whose answers are wrong.
pub const TARGET: &str = "cn.example.target";
pub const OTHERS: [&str; 3] = ["cn.example.one", "cn.example.two", "cn.example.three"];
const WORDS: &str = "一键拍照搜题，秒出解析，中小学作业全覆盖";

pub fn app(request: &Request, name: &str) -> Value {
    let host = request.header("host");
    json!({ "package": name, "title": format!("应用 {name}"), "description": WORDS, "version": "1.0", "code": 3,
        "download": format!("http://{host}/apk?of={name}") })
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A way to go wrong: what it spoils, and how.
pub type Spoil = fn(&Request, Reply, &Files) -> Reply;

pub struct Files {
    pub right: Vec<u8>,
    pub other: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Of {
    List,
    Page,
    Package,
}

/// The way, what it spoils, whether all that is true can be told all the same, and how.
pub type Way = (&'static str, Of, bool, Spoil);

pub const WAYS: &[Way] = &[
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
    ("a list of apps", Of::Page, false, |r, _, _| Reply::json(&json!([app(r, name_of(r))]))),
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

/// The app that a request is about.
pub fn name_of(request: &Request) -> &str {
    request.path.split(['=', '&']).nth(1).unwrap_or_default()
}

pub fn once(request: &Request, right: Reply, wrong: Reply) -> Reply {
    if request.nth == 0 { wrong } else { right }
}

pub fn part(reply: Reply, bytes: usize) -> Reply {
    Reply { body: reply.body[..bytes].to_vec(), ..reply }
}

pub fn gbk(text: &str) -> Reply {
    Reply::new(200, "text/html; charset=utf-8", encoding_rs::GBK.encode(text).0.into_owned())
}

pub fn kind(kind: &str) -> Vec<(String, String)> {
    vec![("content-type".into(), kind.into())]
}

pub fn edit(reply: Reply, from: &str, to: &str) -> Reply {
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    Reply { body: text.replace(from, to).into_bytes(), ..reply }
}

pub fn field(request: &Request, name: &str, value: Option<Value>) -> Reply {
    let mut app = app(request, name_of(request));
    match value {
        Some(value) => app[name] = value,
        None => drop(app.as_object_mut().unwrap().remove(name)),
    }
    Reply::json(&app)
}
