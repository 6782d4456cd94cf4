//! Fetching over real HTTP on loopback: politeness measured at the server, faults, the guard.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::server::{Reply, Server, ranged};
use xunjian::acquire::{Client, Lookup, Names};
use xunjian::model::config::Config;
use xunjian::model::fetch::{Ask, Expected, Outcome, Purpose, Validators};

/// Fast, and allowed to reach loopback.
fn quick() -> Config {
    let mut config = Config::default();
    config.network.allow_private = true;
    config.network.backoff = 0.02;
    config.network.backoff_max = 3.0;
    config.network.breaker_after = 1000;
    config.network.contact = "ops@inspector.example".into();
    config.pace.every = 0.0;
    config.pace.at_once = 8;
    config.caps.free_bytes = 0;
    config
}

fn client(config: &Config) -> Client {
    Client::new(config).unwrap()
}

fn page(url: &str) -> Ask {
    Ask::get(url, Purpose::Page)
}

#[tokio::test]
async fn requests_say_who_asks_and_robots_is_asked_once() {
    let server = Server::new(|r| match r.path.as_str() {
        "/robots.txt" => Some(Reply::new(
            200,
            "text/plain",
            "User-agent: *\nDisallow: /private\n\nUser-agent: xunjian\nDisallow: /not-us\nAllow: /not-us/but-this\n",
        )),
        _ => Some(Reply::html("ok")),
    });
    let client = client(&quick());
    let base = &server.base;
    for path in ["/a", "/private/x", "/not-us/but-this"] {
        assert_eq!(client.fetch(&page(&format!("{base}{path}"))).await.unwrap().status, 200, "{path}");
    }
    let fault = client.fetch(&page(&format!("{base}/not-us/x"))).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::BlockedByRobots, "{fault}");
    let log = server.log();
    assert_eq!(log.iter().filter(|r| r.path == "/robots.txt").count(), 1);
    assert!(log.iter().all(|r| r.header("user-agent").contains("ops@inspector.example")));
    assert!(!log.iter().any(|r| r.path == "/not-us/x"), "what robots.txt forbids is never asked");
}

#[tokio::test]
async fn a_robots_that_cannot_be_had_forbids_everything() {
    for (status, blocked) in [(500, true), (503, true), (429, true), (404, false), (403, false)] {
        let server = Server::new(move |r| match r.path.as_str() {
            "/robots.txt" => Some(Reply::status(status)),
            _ => Some(Reply::html("ok")),
        });
        let result = client(&quick()).fetch(&page(&format!("{}/a", server.base))).await;
        match result {
            Ok(_) => assert!(!blocked, "{status}"),
            Err(fault) => assert!(blocked && fault.outcome == Outcome::BlockedByRobots, "{status}: {fault}"),
        }
    }
}

#[tokio::test]
async fn a_huge_robots_is_read_in_part() {
    let server = Server::new(|r| match r.path.as_str() {
        "/robots.txt" => {
            let mut text = String::from("User-agent: *\nDisallow: /no\n");
            text.push_str(&"# filler filler filler filler\n".repeat(200_000));
            Some(Reply::new(200, "text/plain", text))
        }
        _ => Some(Reply::html("ok")),
    });
    let client = client(&quick());
    assert!(client.fetch(&page(&format!("{}/yes", server.base))).await.is_ok());
    let fault = client.fetch(&page(&format!("{}/no", server.base))).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::BlockedByRobots);
}

#[tokio::test]
async fn pace_and_concurrency_hold_as_measured_at_the_server() {
    let server = Server::new(|_| Some(Reply { wait: Duration::from_millis(120), ..Reply::html("ok") }));
    let mut config = quick();
    config.pace.every = 0.05;
    config.pace.at_once = 2;
    let client = Arc::new(client(&config));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..12 {
        let (client, url) = (Arc::clone(&client), format!("{}/{n}", server.base));
        tasks.spawn(async move { client.fetch(&page(&url)).await.unwrap().status });
    }
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(server.log().len(), 13, "twelve pages and one robots.txt");
    assert!(server.most_at_once() <= 2, "{}", server.most_at_once());
    // What left 50 ms apart may arrive a little closer.
    assert!(server.least_gap() >= Duration::from_millis(40), "{:?}", server.least_gap());
}

#[tokio::test]
async fn retry_after_is_waited_for_and_a_long_one_is_throttled() {
    let server = Server::new(|r| match (r.path.as_str(), r.nth) {
        ("/soon", 0) => Some(Reply::status(429).with("retry-after", "1")),
        ("/busy", 0) => Some(Reply::status(503).with("retry-after", "1")),
        ("/soon" | "/busy", _) => Some(Reply::html("ok")),
        ("/later", _) => Some(Reply::status(429).with("retry-after", "3600")),
        _ => None,
    });
    let client = client(&quick());
    for path in ["/soon", "/busy"] {
        let begun = Instant::now();
        assert_eq!(client.fetch(&page(&format!("{}{path}", server.base))).await.unwrap().status, 200);
        assert!(begun.elapsed() >= Duration::from_secs(1), "{path}");
    }
    let fault = client.fetch(&page(&format!("{}/later", server.base))).await.unwrap_err();
    assert_eq!((fault.outcome, fault.retry_after), (Outcome::Throttled, Some(3600)), "{fault}");
    let asked = server.log().len();
    // The whole host is left alone.
    let fault = client.fetch(&page(&format!("{}/soon", server.base))).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Throttled, "{fault}");
    assert_eq!(server.log().len(), asked);
}

#[tokio::test]
async fn a_captcha_page_is_throttled_and_never_absent() {
    let server = Server::new(|_| Some(Reply::html("<div id=nc_1_wrapper>滑动验证</div>")));
    let mut config = quick();
    config.network.retries = 1;
    // In place of a package nothing else can be meant; a page is looked at by whoever reads it.
    let ask = Ask::get(format!("{}/app", server.base), Purpose::Package);
    let ask = Ask { captcha: vec!["nc_1_wrapper".into()], ..ask };
    let folder = tempfile::tempdir().unwrap();
    let fault = client(&config).download(&ask, &Expected::default(), folder.path()).await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Throttled, "{fault}");
    assert!(fault.page.is_some(), "the page is kept");
    assert_eq!(server.paths().len(), 2, "and asked for again after a while");
}

#[tokio::test]
async fn failures_that_pass_are_tried_again_and_the_breaker_opens() {
    let server = Server::new(|r| match (r.path.as_str(), r.nth) {
        ("/flaky", 0 | 1) => Some(Reply::status(502)),
        ("/flaky", _) => Some(Reply::html("ok")),
        ("/dead", _) => Some(Reply::status(500)),
        _ => None,
    });
    let mut config = quick();
    config.network.breaker_after = 4;
    let client = client(&config);
    assert_eq!(client.fetch(&page(&format!("{}/flaky", server.base))).await.unwrap().status, 200);
    assert_eq!(client.fetch(&page(&format!("{}/dead", server.base))).await.unwrap_err().outcome, Outcome::Network);
    let asked = server.log().len();
    let fault = client.fetch(&page(&format!("{}/flaky", server.base))).await.unwrap_err();
    assert!(fault.detail.contains("left alone") && fault.retry_after.is_some(), "{fault}");
    assert_eq!(server.log().len(), asked, "a host that fails is left alone");
    assert!(client.hosts()[0].rests > 0);
}

#[tokio::test]
async fn conditional_requests_bring_304() {
    let server = Server::new(|r| match r.header("if-none-match") {
        "\"v1\"" => Some(Reply::status(304)),
        _ => Some(Reply::html("ok").with("etag", "\"v1\"").with("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT")),
    });
    let client = client(&quick());
    let url = format!("{}/list", server.base);
    let first = client.fetch(&page(&url)).await.unwrap();
    let validators = first.validators().unwrap();
    assert_eq!(
        validators,
        Validators { etag: Some("\"v1\"".into()), last_modified: Some("Wed, 21 Oct 2015 07:28:00 GMT".into()) }
    );
    let again = client.fetch(&Ask { validators: Some(validators), ..page(&url) }).await.unwrap();
    assert!(again.is_unchanged());
}

#[tokio::test]
async fn redirects_are_followed_and_loops_end() {
    let server = Server::new(|r| match r.path.as_str() {
        "/a" => Some(Reply::redirect("/b")),
        "/b" => Some(Reply::redirect("/c?x=1")),
        "/c?x=1" => Some(Reply::html("there")),
        "/loop" => Some(Reply::redirect("/loop")),
        "/file" => Some(Reply::redirect("file:///etc/passwd")),
        "/nowhere" => Some(Reply::status(302)),
        path if path.starts_with("/deep") => Some(Reply::redirect(&format!("{path}x"))),
        _ => None,
    });
    let client = client(&quick());
    let base = &server.base;
    let answer = client.fetch(&page(&format!("{base}/a"))).await.unwrap();
    assert_eq!((answer.url, answer.hops.len()), (format!("{base}/c?x=1"), 2));
    for path in ["/loop", "/deep", "/file", "/nowhere"] {
        let fault = client.fetch(&page(&format!("{base}{path}"))).await.unwrap_err();
        assert_eq!(fault.outcome, Outcome::AdapterBroken, "{path}: {fault}");
    }
    assert!(server.log().len() < 25, "{}", server.log().len());
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn bombs_and_broken_bodies_are_faults() {
    let bomb = {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..64 {
            gzip.write_all(&vec![b'a'; 1 << 20]).unwrap();
        }
        gzip.finish().unwrap()
    };
    let gzip = gzipped("a page that was cut while it was packed".as_bytes());
    let server = Server::new(move |r| match r.path.as_str() {
        "/bomb" => Some(Reply::new(200, "text/html", bomb.clone()).with("content-encoding", "gzip")),
        "/short" => Some(Reply { lies_length: Some(1000), ..Reply::html("only this") }),
        "/cut" => Some(Reply { cut_after: Some(4), ..Reply::html("cut in the middle") }),
        "/slow" => Some(Reply { wait: Duration::from_secs(5), ..Reply::html("late") }),
        "/no-gzip" => Some(Reply::html("not gzip at all").with("content-encoding", "gzip")),
        "/half-gzip" => {
            Some(Reply::new(200, "text/html", gzip[..gzip.len() - 9].to_vec()).with("content-encoding", "gzip"))
        }
        _ => None,
    });
    let mut config = quick();
    config.caps.page_bytes = 1 << 20;
    config.network.retries = 1;
    config.network.page_timeout = 0.5;
    let client = client(&config);
    for (path, outcome) in [
        ("/bomb", Outcome::AdapterBroken),
        ("/short", Outcome::Network),
        ("/cut", Outcome::Network),
        ("/slow", Outcome::Network),
        ("/half-gzip", Outcome::Network),
    ] {
        let fault = client.fetch(&page(&format!("{}{path}", server.base))).await.unwrap_err();
        assert_eq!(fault.outcome, outcome, "{path}: {fault}");
    }
    let plain = client.fetch(&page(&format!("{}/no-gzip", server.base))).await.unwrap();
    assert_eq!(plain.body, b"not gzip at all", "as browsers take it");
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed_and_verified() {
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let sha256 = xunjian::audit::sha256(&bytes);
    let served = bytes.clone();
    let server = Server::new(move |r| match r.path.as_str() {
        "/app.apk" => {
            let reply = ranged(r, &served, "\"one\"");
            let cut_after = (r.nth < 2).then_some(1_000_000);
            Some(Reply { cut_after, ..reply })
        }
        "/changing.apk" => {
            let (etag, cut) = if r.nth == 0 { ("\"old\"", Some(500_000)) } else { ("\"new\"", None) };
            Some(Reply { cut_after: cut, ..ranged(r, &served, etag) })
        }
        _ => None,
    });
    let client = client(&quick());
    let folder = tempfile::tempdir().unwrap();
    let expected = Expected { sha256: Some(sha256.clone()), bytes: Some(3_000_000) };
    let ask = Ask::get(format!("{}/app.apk", server.base), Purpose::Package);
    let file = client.download(&ask, &expected, folder.path()).await.unwrap();
    assert_eq!((file.sha256.as_str(), file.bytes, file.resumed), (sha256.as_str(), 3_000_000, 2));
    assert_eq!(std::fs::read(&file.path).unwrap(), bytes);
    let ranges: Vec<_> = server.log().iter().map(|r| r.header("range").to_owned()).filter(|r| !r.is_empty()).collect();
    assert_eq!(ranges, ["bytes=1000000-", "bytes=2000000-"]);
    // The file changed in between: `If-Range` makes the server send all of it.
    let ask = Ask::get(format!("{}/changing.apk", server.base), Purpose::Package);
    let file = client.download(&ask, &Expected::default(), folder.path()).await.unwrap();
    assert_eq!(file.sha256, sha256);
}

#[tokio::test]
async fn a_download_is_refused_for_what_it_is() {
    let server = Server::new(|r| match r.path.as_str() {
        "/page.apk" => Some(Reply::html("请登录")),
        "/gone.apk" => Some(Reply::status(410)),
        "/large.apk" => Some(Reply { lies_length: Some(1 << 40), cut_after: Some(0), ..Reply::file("x") }),
        "/endless.apk" => Some(Reply::file(vec![0u8; 300_000])),
        "/wrong.apk" | "/short.apk" => Some(Reply::file("not what was promised")),
        _ => None,
    });
    let mut config = quick();
    config.caps.package_bytes = 200_000;
    let client = client(&config);
    let folder = tempfile::tempdir().unwrap();
    let hash = Expected { sha256: Some("0".repeat(64)), bytes: None };
    let length = Expected { sha256: None, bytes: Some(7) };
    let none = Expected::default();
    for (path, expected, outcome) in [
        ("/page.apk", &none, Outcome::AdapterBroken),
        ("/gone.apk", &none, Outcome::Delisted),
        ("/missing.apk", &none, Outcome::NotFound),
        ("/large.apk", &none, Outcome::AdapterBroken),
        ("/endless.apk", &none, Outcome::AdapterBroken),
        ("/wrong.apk", &hash, Outcome::Network),
        ("/short.apk", &length, Outcome::Network),
    ] {
        let ask = Ask::get(format!("{}{path}", server.base), Purpose::Package);
        let fault = client.download(&ask, expected, folder.path()).await.unwrap_err();
        assert_eq!(fault.outcome, outcome, "{path}: {fault}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    config.caps.free_bytes = u64::MAX;
    let ask = Ask::get(format!("{}/endless.apk", server.base), Purpose::Package);
    let fault = Client::new(&config).unwrap().download(&ask, &length, folder.path()).await.unwrap_err();
    assert!(fault.detail.contains("free"), "{fault}");
}

/// Knows loopback and nothing else.
struct OnlyLoopback;

impl Names for OnlyLoopback {
    fn look_up(&self, _: &str) -> Lookup {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
    }
}

#[tokio::test]
async fn the_guard_refuses_before_anything_is_dialled() {
    let server = Server::new(|_| Some(Reply::html("inside")));
    let port = server.base.rsplit(':').next().unwrap();
    let mut config = quick();
    config.network.allow_private = false;
    config.network.retries = 1;
    let guarded = Client::with_names(&config, Arc::new(OnlyLoopback)).unwrap();
    for host in ["store.example", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"] {
        let fault = guarded.fetch(&page(&format!("http://{host}:{port}/"))).await.unwrap_err();
        assert_ne!(fault.outcome, Outcome::Throttled);
        assert!(fault.detail.contains("public address"), "{host}: {fault}");
    }
    assert!(server.log().is_empty(), "nothing came through");
    // The same names pass once private addresses are allowed.
    config.network.allow_private = true;
    let open = Client::with_names(&config, Arc::new(OnlyLoopback)).unwrap();
    assert!(open.fetch(&page(&format!("http://store.example:{port}/"))).await.is_ok());
}

#[tokio::test]
async fn redirects_to_private_addresses_are_refused_at_every_hop() {
    // The proxy is ours and on loopback: what it is asked for is never dialled.
    let proxy = Server::new(|r| {
        let to = r.path.strip_prefix("http://store.example/to/")?;
        Some(Reply::redirect(&format!("http://{to}/latest/meta-data")))
    });
    let mut config = quick();
    config.network.allow_private = false;
    config.network.proxy = proxy.base.clone();
    let client = Client::with_names(&config, Arc::new(OnlyPublic)).unwrap();
    for host in ["169.254.169.254", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[fd00::1]", "10.0.0.1:8080"] {
        let fault = client.fetch(&page(&format!("http://store.example/to/{host}"))).await.unwrap_err();
        assert!(fault.detail.contains("public address"), "{host}: {fault}");
        let folder = tempfile::tempdir().unwrap();
        let ask = Ask::get(format!("http://store.example/to/{host}"), Purpose::Package);
        let fault = client.download(&ask, &Expected::default(), folder.path()).await.unwrap_err();
        assert!(fault.detail.contains("public address"), "{host}: {fault}");
    }
    assert!(proxy.paths().iter().all(|path| path.starts_with("http://store.example/")), "{:?}", proxy.paths());
}

#[tokio::test]
async fn any_answer_may_ask_for_patience_and_the_whole_host_has_it() {
    for status in [403, 404, 429, 503, 200] {
        let server = Server::new(move |r| match r.path.as_str() {
            "/robots.txt" => None,
            _ => Some(Reply { body: b"slow down".to_vec(), ..Reply::status(status) }.with("retry-after", "3600")),
        });
        let client = client(&quick());
        let mut throttled = 0;
        for n in 0..8 {
            let asked = client.fetch(&page(&format!("{}/app?{n}", server.base))).await;
            throttled += usize::from(asked.is_err_and(|fault| fault.outcome == Outcome::Throttled));
        }
        assert_eq!(server.paths().len(), 1, "{status}");
        assert!(throttled >= 7, "{status}: {throttled}");
    }
    // Without a time: longer each time.
    let server = Server::new(|r| (r.path != "/robots.txt").then(|| Reply::status(403)));
    let mut config = quick();
    config.network.backoff = 0.2;
    let client = client(&config);
    let begun = Instant::now();
    for n in 0..4 {
        assert_eq!(client.fetch(&page(&format!("{}/{n}", server.base))).await.unwrap().status, 403);
    }
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn redirects_are_kept_whole_and_their_octets_followed() {
    let raw = xunjian::model::fetch::octets_text(b"/\xcf\xea\xc7\xe9");
    let server = Server::new(move |r| match r.path.as_str() {
        "/go" => Some(Reply { body: b"moved".to_vec(), ..Reply::redirect(&raw) }.with("set-cookie", "a=1")),
        "/%CF%EA%C7%E9" => Some(Reply::html("there")),
        _ => None,
    });
    let answer = client(&quick()).fetch(&page(&format!("{}/go", server.base))).await.unwrap();
    assert_eq!((answer.status, answer.hops.len()), (200, 1));
    let hop = &answer.hops[0];
    assert_eq!((hop.method.as_str(), hop.status, hop.body.as_str(), hop.is_cut), ("GET", 302, "moved", false));
    let location = hop.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value);
    assert_eq!(xunjian::model::fetch::text_octets(location.unwrap()), b"/\xcf\xea\xc7\xe9");
    assert!(hop.sent.iter().any(|(name, _)| name == "user-agent") && hop.peer.is_some());
}

/// Knows every name, and that it is public.
struct OnlyPublic;

impl Names for OnlyPublic {
    fn look_up(&self, _: &str) -> Lookup {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9))]) })
    }
}

/// Knows no name.
struct Nobody;

impl Names for Nobody {
    fn look_up(&self, _: &str) -> Lookup {
        Box::pin(async { Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such host")) })
    }
}

/// Knows a public and a private address.
struct Both;

impl Names for Both {
    fn look_up(&self, _: &str) -> Lookup {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))]) })
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_public_names_alone() {
    let proxy = Server::new(|_| Some(Reply::html("inside")));
    let mut config = quick();
    config.network.allow_private = false;
    config.network.retries = 0;
    config.network.proxy = proxy.base.clone();
    let asked = async |names: Arc<dyn Names>, config: &Config, host: &str| {
        let client = Client::with_names(config, names).unwrap();
        client.fetch(&page(&format!("http://{host}/x"))).await
    };
    for host in [
        "localhost:9911",
        "intranet",
        "metadata.google.internal",
        "a.corp",
        "printer.local",
        "router.home.arpa",
        "LOCALHOST.",
        "127.0.0.1",
        "2130706433",
    ] {
        let fault = asked(Arc::new(OnlyPublic), &config, host).await.unwrap_err();
        assert!(fault.detail.contains("refused"), "{host}: {fault}");
    }
    for names in [Arc::new(OnlyLoopback) as Arc<dyn Names>, Arc::new(Both)] {
        let fault = asked(names, &config, "store.example").await.unwrap_err();
        assert!(fault.detail.contains("no public address"), "{fault}");
    }
    let fault = asked(Arc::new(Nobody), &config, "store.example").await.unwrap_err();
    assert_eq!(fault.outcome, Outcome::Network, "{fault}");
    assert!(fault.detail.contains("proxy-resolves"), "{fault}");
    assert!(proxy.log().is_empty(), "the proxy was asked for nothing: {:?}", proxy.paths());
    assert!(asked(Arc::new(OnlyPublic), &config, "store.example").await.is_ok());
    config.network.proxy_resolves = true;
    assert!(asked(Arc::new(Nobody), &config, "store.example").await.is_ok());
    assert!(asked(Arc::new(Nobody), &config, "metadata.google.internal").await.is_err());
}
