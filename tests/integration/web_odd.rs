//! Ways in which an answer is odd, octet by octet: charsets and codings that are not what their labels say, pieces
//! that do not belong together, statuses that nobody asked for, numbers and texts of another kind.

use std::io::Write;

use crate::support::server::{Reply, Request};
use crate::web_ways::{Of, Way, edit, field, gbk, gzip, kind, once, part};
use serde_json::json;

pub const ODD: &[Way] = &[
    // Charsets.
    ("UTF-16 with a mark, called UTF-8", Of::Page, true, |_, ok, _| utf16(ok, true)),
    ("UTF-16 without a mark", Of::Page, true, |_, ok, _| utf16(ok, false)),
    ("UTF-8 called GBK", Of::Page, true, |_, ok, _| called(ok, "application/json; charset=GBK")),
    ("UTF-8 called Latin-1", Of::Page, true, |_, ok, _| called(ok, "text/html; charset=ISO-8859-1")),
    ("UTF-8 behind a mark", Of::Page, true, |_, ok, _| Reply { body: [b"\xef\xbb\xbf", &*ok.body].concat(), ..ok }),
    ("GBK called Latin-1", Of::Page, true, |_, ok, _| called(gbk(&text(&ok)), "text/html; charset=windows-1252")),
    ("GBK called what there is not", Of::Page, true, |_, ok, _| {
        called(gbk(&text(&ok)), "application/json; charset=x-none")
    }),
    ("GBK in quotes", Of::Page, true, |_, ok, _| called(gbk(&text(&ok)), "application/json; charset='gb2312'")),
    ("GBK in octets", Of::Page, true, |_, ok, _| called(gbk(&text(&ok)), "application/octet-stream")),
    // Codings.
    ("x-gzip", Of::Page, true, |_, ok, _| coded(ok, "x-gzip")),
    ("GZIP in capitals, with blanks", Of::Page, true, |_, ok, _| coded(ok, "  GZIP ")),
    ("gzip twice, named once", Of::Page, true, |_, ok, _| {
        let body = gzip(&gzip(&ok.body));
        Reply { body, ..ok }.with("content-encoding", "gzip")
    }),
    ("gzip in two members", Of::Page, true, |_, ok, _| {
        let (a, b) = ok.body.split_at(50);
        let body = [gzip(a), gzip(b)].concat();
        Reply { body, ..ok }.with("content-encoding", "gzip")
    }),
    ("gzip and zeros behind it", Of::Page, true, |_, ok, _| {
        let body = [gzip(&ok.body), vec![0; 64]].concat();
        Reply { body, ..ok }.with("content-encoding", "gzip")
    }),
    ("gzip of another sum", Of::Page, false, |_, ok, _| {
        let mut body = gzip(&ok.body);
        let at = body.len() - 6;
        body[at] ^= 0x55;
        Reply { body, ..ok }.with("content-encoding", "gzip")
    }),
    ("raw deflate", Of::Page, true, |_, ok, _| {
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(&ok.body).unwrap();
        Reply { body: out.finish().unwrap(), ..ok }.with("content-encoding", "deflate")
    }),
    ("plain that is called br", Of::Page, true, |_, ok, _| ok.with("content-encoding", "br")),
    ("plain that is called zstd", Of::Page, true, |_, ok, _| ok.with("content-encoding", "zstd")),
    ("a charset for a coding", Of::Page, true, |_, ok, _| ok.with("content-encoding", "utf-8")),
    ("a package under x-gzip", Of::Package, true, |_, ok, _| coded(ok, "x-gzip")),
    ("a package that is called gzip", Of::Package, true, |_, ok, _| ok.with("content-encoding", "gzip")),
    ("half of a packed package", Of::Package, false, |_, ok, _| {
        let body = gzip(&ok.body);
        part(Reply { body, ..ok }.with("content-encoding", "gzip"), 7_000)
    }),
    // Pieces.
    ("the rest of a longer file", Of::Package, false, |r, ok, f| {
        rest(r, ok, |at, all| (at, all, all + 1, "\"one\""), &f.right)
    }),
    ("the rest under a weak tag", Of::Package, false, |r, ok, f| {
        rest(r, ok, |at, all| (at, all, all, "W/\"one\""), &f.right)
    }),
    ("the rest that begins before", Of::Package, false, |r, ok, f| {
        rest(r, ok, |at, all| (at - 500, all, all, "\"one\""), &f.right)
    }),
    ("the rest that begins behind", Of::Package, false, |r, ok, f| {
        rest(r, ok, |at, all| (at + 500, all, all, "\"one\""), &f.right)
    }),
    ("the rest of nobody knows how much", Of::Package, false, |r, ok, f| {
        let half = f.right.len() / 2;
        if r.header("range").is_empty() {
            return Reply { cut_after: Some(half), ..ok }.with("etag", "\"one\"");
        }
        piece(&f.right[half..], &format!("bytes {half}-{}/*", f.right.len() - 1), "\"one\"")
    }),
    ("the rest that is shorter than it says", Of::Package, false, |r, ok, f| {
        let half = f.right.len() / 2;
        if r.header("range").is_empty() {
            return Reply { cut_after: Some(half), ..ok }.with("etag", "\"one\"");
        }
        let last = f.right.len() - 1;
        piece(&f.right[half..last - 9], &format!("bytes {half}-{last}/{}", last + 1), "\"one\"")
    }),
    ("pieces in an envelope", Of::Package, false, |_, ok, f| {
        let head = format!("--b\r\nContent-Range: bytes 0-99/{}\r\n\r\n", f.right.len());
        let body = [head.as_bytes(), &ok.body[..100], b"\r\n--b--"].concat();
        Reply::new(206, "multipart/byteranges; boundary=b", body)
    }),
    ("all of it as a piece", Of::Package, true, |_, _, f| {
        piece(&f.right, &format!("bytes 0-{}/{}", f.right.len() - 1, f.right.len()), "\"one\"")
    }),
    ("nothing left where half is", Of::Package, false, |r, ok, f| {
        if r.header("range").is_empty() {
            return Reply { cut_after: Some(9_000), ..ok }.with("etag", "\"one\"");
        }
        Reply::status(416).with("content-range", &format!("bytes */{}", f.right.len()))
    }),
    ("another size than the listing's", Of::Page, false, |r, _, f| field(r, "size", Some(json!(f.right.len() + 1)))),
    ("another hash than the listing's", Of::Page, false, |r, _, _| field(r, "sha256", Some(json!("0".repeat(64))))),
    ("a hash that is none", Of::Page, true, |r, _, _| field(r, "sha256", Some(json!("unknown")))),
    ("a size in words", Of::Page, true, |r, _, _| field(r, "size", Some(json!("17 MB")))),
    // Statuses.
    ("unchanged, though nobody asked", Of::Page, false, |_, _, _| Reply::status(304)),
    ("a package unchanged, though nobody asked", Of::Package, false, |_, _, _| Reply::status(304)),
    ("no content", Of::Page, false, |_, _, _| Reply::status(204)),
    ("a package of no content", Of::Package, false, |_, _, _| Reply::status(204)),
    ("many choices", Of::Page, false, |_, _, _| Reply::status(300)),
    ("a piece of a page", Of::Page, false, |_, ok, _| {
        let mut reply = part(ok, 60).with("content-range", "bytes 0-59/400");
        reply.status = 206;
        reply
    }),
    ("401", Of::Page, false, |_, _, _| Reply::status(401)),
    ("418", Of::Page, false, |_, _, _| Reply::status(418)),
    ("999", Of::Page, false, |_, _, _| Reply::status(999)),
    ("a redirect to nowhere", Of::Page, false, |_, _, _| Reply::status(302)),
    ("a redirect in GBK", Of::Page, true, |r, _, _| to_gbk(r)),
    ("a package behind a redirect in GBK", Of::Package, true, |r, _, _| to_gbk(r)),
    ("a package behind a login", Of::Package, false, |_, _, _| Reply::redirect("/passport/login")),
    ("hints before the answer", Of::Page, true, |_, ok, _| {
        let head = format!(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            ok.body.len()
        );
        Reply::octets([head.as_bytes(), &*ok.body].concat())
    }),
    ("a length in two versions", Of::Page, false, |_, ok, _| {
        Reply::octets([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 90\r\n\r\n", &*ok.body].concat())
    }),
    ("chunks that lie", Of::Page, false, |_, ok, _| {
        Reply::octets(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n", &*ok.body, b"\r\n0\r\n\r\n"].concat(),
        )
    }),
    ("half a package until it hangs up", Of::Package, false, |_, ok, _| {
        Reply::octets(
            [b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n", &ok.body[..9_000]].concat(),
        )
    }),
    // Pages that are no app's, and what stands for a package.
    ("a wall of cookies", Of::Page, false, |_, _, _| {
        Reply::html("<title>Before you continue</title><h1>We value your privacy</h1>")
    }),
    ("a soft 404 in JSON", Of::Page, false, |_, _, _| Reply::json(&json!({ "code": 404, "msg": "页面不存在" }))),
    ("a login in JSON", Of::Page, false, |_, _, _| Reply::json(&json!({ "code": 401, "msg": "请登录" }))),
    ("a captcha under 405", Of::Page, false, |_, _, _| Reply { status: 405, ..Reply::html("<div id=nc_1_wrapper>") }),
    ("a page that leads to itself", Of::Page, false, |r, _, _| {
        Reply::html(format!("<script>location.href='{}&y=1'</script>", r.path))
    }),
    ("a marked page for a package", Of::Package, false, |_, _, _| {
        Reply::file("\u{feff}\r\n <!DOCTYPE html><html>请登录")
    }),
    ("a refusal in XML for a package", Of::Package, false, |_, _, _| {
        Reply::file("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>")
    }),
    ("a page in UTF-16 for a package", Of::Package, false, |_, _, _| {
        utf16(Reply::file("<html><body>请登录</body></html>"), true)
    }),
    ("a packed page for a package", Of::Package, false, |_, _, _| coded(Reply::file("<html>请登录"), "gzip")),
    ("another archive for a package", Of::Package, false, |_, _, _| Reply::file("Rar!\x1a\x07\x00and more")),
    // Records.
    ("a call around the JSON", Of::Page, false, |_, ok, _| wrapped(ok, "cb(", ")")),
    ("a guard before the JSON", Of::Page, false, |_, ok, _| wrapped(ok, ")]}'\n", "")),
    ("words behind the JSON", Of::Page, false, |_, ok, _| wrapped(ok, "", "<!-- served in 3 ms -->")),
    ("JSON that is null", Of::Page, false, |_, _, _| Reply::new(200, "application/json", "null")),
    ("JSON that is a text", Of::Page, false, |_, _, _| Reply::new(200, "application/json", "\"ok\"")),
    ("a version beyond all numbers", Of::Page, true, |_, ok, _| {
        edit(ok, "\"code\":3", "\"code\":99999999999999999999999")
    }),
    ("a version that is a map", Of::Page, true, |r, _, _| field(r, "code", Some(json!({})))),
    ("a version below nothing", Of::Page, true, |r, _, _| field(r, "code", Some(json!(-1)))),
    ("a list for a version", Of::Page, true, |r, _, _| field(r, "version", Some(json!([])))),
    ("true for a package", Of::Page, false, |r, _, _| field(r, "package", Some(json!(true)))),
    ("an address that is none", Of::Page, false, |r, _, _| field(r, "download", Some(json!("http://[")))),
    ("an address of a file", Of::Page, false, |r, _, _| field(r, "download", Some(json!("file:///etc/passwd")))),
    ("a map for a package in the list", Of::List, true, |_, ok, _| {
        edit(ok, "\"apps\":[", "\"apps\":[{\"package\":{}},")
    }),
    ("an app twice in the list", Of::List, true, |_, ok, _| {
        edit(ok, "\"apps\":[", "\"apps\":[{\"package\":\"cn.example.one\"},")
    }),
    ("half an emoji in the list", Of::List, true, |_, ok, _| {
        edit(ok, "\"apps\":[", "\"apps\":[{\"package\":\"a\\udc00\"},")
    }),
    ("the list in GBK, once throttled", Of::List, true, |r, ok, _| {
        once(r, gbk(&text(&ok)), Reply::status(403).with("retry-after", "1"))
    }),
];

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

fn called(reply: Reply, label: &str) -> Reply {
    Reply { headers: kind(label), ..reply }
}

fn coded(reply: Reply, name: &str) -> Reply {
    Reply { body: gzip(&reply.body), ..reply }.with("content-encoding", name)
}

fn utf16(reply: Reply, is_marked: bool) -> Reply {
    let mark = is_marked.then_some('\u{feff}');
    let units = mark.into_iter().chain(text(&reply).chars()).collect::<String>();
    Reply { body: units.encode_utf16().flat_map(u16::to_le_bytes).collect(), ..reply }
}

fn wrapped(reply: Reply, before: &str, behind: &str) -> Reply {
    Reply { body: [before.as_bytes(), &reply.body, behind.as_bytes()].concat(), ..reply }
}

/// Where a piece begins, where it ends, how long the whole is said to be, and its tag.
type Claim = fn(usize, usize) -> (usize, usize, usize, &'static str);

/// Half of a file, and then a piece that makes a claim.
fn rest(request: &Request, whole: Reply, claim: Claim, file: &[u8]) -> Reply {
    let half = file.len() / 2;
    if request.header("range").is_empty() {
        return Reply { cut_after: Some(half), ..whole }.with("etag", "\"one\"");
    }
    let (start, end, total, tag) = claim(half, file.len());
    piece(&file[start..end], &format!("bytes {start}-{}/{total}", end - 1), tag)
}

fn piece(body: &[u8], range: &str, tag: &str) -> Reply {
    let mut reply = Reply::file(body).with("etag", tag).with("content-range", range);
    reply.status = 206;
    reply
}

/// A redirect to what is asked for, with a value in GBK.
fn to_gbk(request: &Request) -> Reply {
    let head = format!("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {}&x=", request.path);
    Reply::octets([head.as_bytes(), b"\xd3\xa6\xd3\xc3\r\n\r\n"].concat())
}
