//! Timestamps of evidence bags (RFC 3161): asked of an authority of our own that answers with
//! `openssl`, checked by us and by `openssl ts -verify`, and refused where they do not hold.

use crate::support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::authority::Authority;
use crate::support::fake_store::swept;
use crate::support::server::{Reply, Request, Server};
use crate::support::{stderr, stdout, xunjian};
use proptest::prelude::*;
use xunjian::preserve::{self, stamp};

/// Where our query has the SHA-256 of the tag manifest, and its nonce: both have fixed lengths.
const IMPRINT: std::ops::Range<usize> = 22..54;
const NONCE: std::ops::Range<usize> = 56..72;

fn changed(query: &[u8], part: std::ops::Range<usize>) -> Vec<u8> {
    let mut query = query.to_vec();
    query[part.end - 1] ^= 1;
    query
}

/// What the authority answers, by path.
fn answer(authority: &Authority, request: &Request) -> Option<Reply> {
    let query = &request.bytes;
    if request.method != "POST" {
        return None;
    }
    assert_eq!(request.header("content-type"), "application/timestamp-query");
    let anew = |signer: &str, options: &str| authority.signed_anew(&authority.reply(query, "stamps"), signer, options);
    let body = match request.path.as_str() {
        "/stamps" => authority.reply(query, "stamps"),
        "/curve" => authority.reply(query, "curve"),
        "/nonce" => authority.reply(&changed(query, NONCE), "stamps"),
        "/other" => authority.reply(&changed(query, IMPRINT), "stamps"),
        "/expired" => authority.reply(query, "expired"),
        "/uncritical" => anew("uncritical", "-cades"),
        "/mail" => anew("mail", "-cades"),
        "/unnamed" => anew("stamps", ""),
        "/rubbish" => b"<html>sign in first</html>".to_vec(),
        "/huge" => vec![0x30; 1 << 20],
        // Status 2, "busy", and that its clock is not available (bit 14).
        "/refused" => [&[0x30, 18, 0x30, 16, 2, 1, 2, 0x30, 6, 0x0c, 4][..], b"busy", &[3, 3, 1, 0, 2]].concat(),
        "/slow" => {
            return Some(Reply { wait: Duration::from_secs(5), ..Reply::file(authority.reply(query, "stamps")) });
        }
        "/away" => return Some(Reply::redirect("http://10.0.0.1/")),
        _ => return Some(Reply::status(404)),
    };
    Some(Reply::new(200, "application/timestamp-reply", body))
}

/// A swept home, an authority and its server.
struct Scene {
    dir: tempfile::TempDir,
    home: String,
    finding: String,
    authority: Authority,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new(&dir.path().join("authority"));
        let (home, finding) = swept(dir.path());
        let by = authority.clone();
        let server = Server::new(move |request| answer(&by, request));
        Self { dir, home, finding, authority, server }
    }

    /// Exports with the authority at this path of the server.
    fn export(&self, path: &str, bag: &str, more: &[&str]) -> (PathBuf, Output) {
        let out = self.dir.path().join(bag);
        let config = self.dir.path().join(format!("{bag}.toml"));
        let text = format!(
            "[network]\nretries = 0\n[pace]\nevery = 0.0\n[evidence]\ntimestamp-authority = \"{}{path}\"\n\
             timestamp-timeout = 2.0\n",
            self.server.base
        );
        std::fs::write(&config, text).unwrap();
        let given = ["--out", out.to_str().unwrap(), "--home", &self.home, "--config", config.to_str().unwrap()];
        let exported = xunjian(&[&["evidence", "export", &self.finding][..], &given, more].concat());
        (out, exported)
    }

    fn bag(&self, path: &str, bag: &str) -> PathBuf {
        let (out, exported) = self.export(path, bag, &["--allow-private"]);
        assert!(exported.status.success(), "{path}: {}", stderr(&exported));
        out
    }

    /// What `evidence verify` says, and whether all holds.
    fn verify(&self, bag: &Path, more: &[&str]) -> (bool, String) {
        let verified = xunjian(&[&["evidence", "verify", bag.to_str().unwrap(), "--lang", "en"][..], more].concat());
        (verified.status.success(), stdout(&verified))
    }
}

fn tags(bag: &Path) -> [Vec<u8>; 3] {
    [preserve::name::TAG_MANIFEST, preserve::name::TIMESTAMP_QUERY, preserve::name::TIMESTAMP_REPLY]
        .map(|name| std::fs::read(bag.join(name)).unwrap())
}

#[test]
#[ignore = "needs openssl, and bagit of PyPI"]
fn a_bag_is_stamped_and_others_tools_agree() {
    let scene = Scene::new();
    let [root, stranger] = ["root.pem", "stranger.pem"].map(|name| scene.authority.path(name));
    for (path, who) in [("/stamps", "CN=Example-stamps"), ("/curve", "CN=Example-curve")] {
        let bag = scene.bag(path, &path[1..]);
        let (holds, said) = scene.verify(&bag, &[]);
        assert!(holds && said.contains(who) && said.contains("within 1.5 s"), "{said}");
        assert!(said.contains("not verified") && said.contains("--timestamp-ca"), "{said}");
        let (holds, said) = scene.verify(&bag, &["--timestamp-ca", &root]);
        assert!(holds && said.contains("leads to one of the file given"), "{said}");
        let (holds, said) = scene.verify(&bag, &["--timestamp-ca", &stranger]);
        assert!(!holds && said.contains("timestamp.tsr: ") && said.contains("does not lead"), "{said}");

        let info = std::fs::read_to_string(bag.join("bag-info.txt")).unwrap();
        assert!(info.contains(&format!("Xunjian-Timestamp: by {}{path}\n", scene.server.base)), "{info}");
        let at = |name: &str| bag.join(name).display().to_string();
        for by in [format!("-queryfile {}", at("timestamp.tsq")), format!("-data {}", at("tagmanifest-sha256.txt"))] {
            let words = format!("ts -verify -in {} {by} -CAfile root.pem", at("timestamp.tsr"));
            assert!(scene.authority.openssl(&words).contains("Verification: OK"), "{words}");
        }
        let bagit = Command::new("python3").args(["-m", "bagit", "--validate"]).arg(&bag).output().unwrap();
        assert!(bagit.status.success(), "{}", String::from_utf8_lossy(&bagit.stderr));
    }
    assert!(!scene.server.log().iter().any(|request| request.path == "/robots.txt"), "a service is not crawled");
}

/// A tag manifest, a query and a reply, made as `tests/fixtures/timestamp/make.sh` says.
fn kept() -> [Vec<u8>; 3] {
    ["tagmanifest-sha256.txt", "timestamp.tsq", "timestamp.tsr"]
        .map(|name| std::fs::read(support::project(&format!("tests/fixtures/timestamp/{name}"))).unwrap())
}

#[test]
fn a_kept_timestamp_holds_without_any_tool() {
    let [manifest, query, reply] = kept();
    let stamp = stamp::check(&manifest, &query, &reply).unwrap();
    assert_eq!(stamp.signer_name(), "CN=Example-stamps");
    let root = std::fs::read(support::project("tests/fixtures/timestamp/root.pem")).unwrap();
    assert_eq!(stamp.check_chain(&root), Ok(()));
    for odd in [&b""[..], b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(stamp.check_chain(odd).is_err());
    }
}

#[test]
fn any_byte_changed_in_a_timestamp_is_found() {
    let kept = kept();
    let mut missed = Vec::new();
    for (which, whole) in kept.iter().enumerate() {
        for (at, bit) in (0..whole.len()).flat_map(|at| [1, 0x20, 0x80].map(|bit| (at, bit))) {
            let mut changed = kept.clone();
            changed[which][at] ^= bit;
            let [manifest, query, reply] = &changed;
            if stamp::check(manifest, query, reply).is_ok() {
                missed.push((which, at, bit));
            }
        }
    }
    assert_eq!(missed, [], "file, byte, bit");
    let [manifest, query, reply] = &kept;
    for cut in 0..reply.len() {
        assert!(stamp::check(manifest, query, &reply[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
#[ignore = "needs openssl, and bagit of PyPI"]
fn a_byte_changed_in_a_bags_timestamp_is_named() {
    let scene = Scene::new();
    let bag = scene.bag("/stamps", "bag");
    let mut reply = std::fs::read(bag.join("timestamp.tsr")).unwrap();
    *reply.last_mut().unwrap() ^= 1;
    std::fs::write(bag.join("timestamp.tsr"), &reply).unwrap();
    let (holds, said) = scene.verify(&bag, &[]);
    assert!(!holds && said.contains("timestamp.tsr: the signature does not hold"), "{said}");
    assert!(!said.contains("Timestamp: "), "no time is told of a stamp that does not hold: {said}");
}

#[test]
#[ignore = "needs openssl, and bagit of PyPI"]
fn a_timestamp_of_another_bag_or_none_at_all_is_named() {
    let scene = Scene::new();
    let (one, two) = (scene.bag("/curve", "one"), scene.bag("/stamps", "two"));
    let [manifest, _, other_reply] = tags(&one);
    let [_, query, reply] = tags(&two);
    assert_ne!(other_reply, reply);
    let says = |needle: &str| {
        let told = preserve::verify(&two);
        assert!(told.iter().any(|d| format!("{}: {}", d.file, d.what).contains(needle)), "{needle}: {told:?}");
    };
    assert_eq!(preserve::verify(&two), []);
    // Asked anew over the same bag: another nonce.
    let again = stamp::query(&tags(&two)[0], [7; 16]).unwrap();
    std::fs::write(two.join("timestamp.tsr"), scene.authority.reply(&again, "stamps")).unwrap();
    says("timestamp.tsr: the nonce is not that of the query");
    std::fs::write(two.join("timestamp.tsr"), &other_reply).unwrap();
    says("timestamp.tsr: the stamp is on something else than this bag's tag manifest");
    std::fs::write(two.join("timestamp.tsq"), stamp::query(&manifest, [7; 16]).unwrap()).unwrap();
    says("timestamp.tsq: asks for a stamp on something else");
    std::fs::write(two.join("timestamp.tsq"), &query).unwrap();
    std::fs::remove_file(two.join("timestamp.tsr")).unwrap();
    says("timestamp.tsr: cannot be read");
    std::fs::remove_file(two.join("timestamp.tsq")).unwrap();
    says("timestamp.tsq: cannot be read");
}

#[test]
#[ignore = "needs openssl, and bagit of PyPI"]
fn without_a_valid_timestamp_there_is_no_bag() {
    let scene = Scene::new();
    for (path, why) in [
        ("/nonce", "the nonce is not that of the query"),
        ("/other", "on something else than this bag's tag manifest"),
        ("/expired", "was valid from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z, not at the time of the stamp"),
        ("/uncritical", "does not mark timestamping as its critical purpose"),
        ("/mail", "is not one for timestamps"),
        ("/unnamed", "does not say which certificate made it"),
        ("/rubbish", "is no timestamp reply"),
        ("/huge", "the body is over 262144 bytes"),
        ("/refused", "the authority did not grant it: rejected; its clock is not available; it says: busy"),
        ("/slow", "no answer in 2 s"),
        ("/nowhere", "HTTP 404"),
    ] {
        let began = Instant::now();
        let (out, exported) = scene.export(path, "none", &["--allow-private"]);
        let said = stderr(&exported);
        assert_eq!(exported.status.code(), Some(3), "{path}: {said}");
        assert!(said.contains(why), "{path}: {said}");
        assert!(said.contains(&format!("no timestamp from {}{path}", scene.server.base)), "{said}");
        assert!(said.contains("--without-timestamp"), "it says what to do: {said}");
        assert!(!out.exists(), "{path}: nothing that could be taken for a bag is left");
        assert!(began.elapsed() < Duration::from_secs(20), "{path}");
    }
}

#[test]
#[ignore = "needs openssl, and bagit of PyPI"]
fn private_addresses_are_asked_only_where_that_is_allowed() {
    let scene = Scene::new();
    let (out, exported) = scene.export("/stamps", "none", &[]);
    assert_eq!(exported.status.code(), Some(3));
    assert!(stderr(&exported).contains("not a public address"), "{}", stderr(&exported));
    assert!(!out.exists() && scene.server.log().is_empty());
}

#[test]
#[ignore = "needs openssl, and bagit of PyPI"]
fn a_bag_without_the_timestamp_that_was_to_be_says_so() {
    let scene = Scene::new();
    let (bag, exported) = scene.export("/nowhere", "bag", &["--without-timestamp"]);
    assert!(exported.status.success(), "{}", stderr(&exported));
    assert!(scene.server.log().is_empty());
    let info = std::fs::read_to_string(bag.join("bag-info.txt")).unwrap();
    assert!(info.contains("Xunjian-Timestamp: left out\n"), "{info}");
    let (holds, said) = scene.verify(&bag, &[]);
    assert!(holds && said.contains("has no timestamp"), "{said}");
    let root = scene.authority.path("root.pem");
    let (holds, said) = scene.verify(&bag, &["--timestamp-ca", &root]);
    assert!(!holds && said.contains("timestamp.tsr: there is none in the bag"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Nothing breaks on any bytes, and nothing but the true reply holds.
    #[test]
    fn hostile_replies_end_in_an_error(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..12), cut in any::<bool>()) {
        let [manifest, query, reply] = kept();
        for (which, whole) in [(0, &query), (1, &reply)] {
            let at = at.index(whole.len());
            let end = if cut { whole.len() } else { (at + bytes.len()).min(whole.len()) };
            let changed = [&whole[..at], &bytes, &whole[end..]].concat();
            let (query, reply) = if which == 0 { (&changed, &reply) } else { (&query, &changed) };
            let held = stamp::check(&manifest, query, reply).is_ok();
            prop_assert_eq!(held, changed == *whole);
        }
    }
}
