//! Homes with audited apps in them, for the tests of the reviewers' page.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use xunjian::audit::Auditor;
use xunjian::model::{Audit, Budget, Listing, MadeBy};
use xunjian::signature::{Pack, Source};
use xunjian::store::{Home, NewAudit, Seen, State};

pub const PASSWORD: &str = "correct horse battery";

/// A listing of our own.
pub fn listing(package: &str, title: &str, description: &str) -> Listing {
    Listing {
        store: "our-store".into(),
        package: package.into(),
        title: title.into(),
        developer: "某某教育科技有限公司".into(),
        description: description.into(),
        version_name: "1.0".into(),
        version_code: 1,
        ..Listing::default()
    }
}

/// Judges listings and keeps the audits: one run a call.
pub struct Sweeper {
    auditor: Auditor,
    pub home: Home,
    at: i64,
}

impl Sweeper {
    pub async fn new(dir: &Path) -> Self {
        let pack = Pack::load(&Source::embedded()).unwrap();
        let policy = pack.policies["bj-in-force"].clone();
        let auditor =
            Auditor { pack: pack.into(), policy, budget: Budget::default(), registers: std::sync::Arc::default() };
        Self { auditor, home: Home::open(dir).await.unwrap(), at: 1_790_000_000_000 }
    }

    pub fn judge(&self, listing: &Listing) -> Audit {
        self.auditor.conclude(Some(listing), Vec::new())
    }

    /// Sees and judges every listing in a run of its own; the apps' numbers.
    pub async fn sweep(&mut self, listings: &[Listing]) -> Vec<i64> {
        self.at += 86_400_000;
        let state = &self.home.state;
        let run = state.begin("sweep", "our-store", self.at).await.unwrap().id;
        let made_by: MadeBy = self.auditor.made_by();
        let mut apps = Vec::new();
        for listing in listings {
            let key = Some((&*listing.package, "mark"));
            let sight = state.see(Seen { run, listing, key, fetch: None, at: self.at }).await.unwrap();
            let new = NewAudit {
                run,
                app: sight.app,
                listing: Some(sight.listing),
                artifact: None,
                audit: &self.judge(listing),
                made_by: &made_by,
                as_of: "2026-01-01",
                registers: "",
                facts: "",
                controls: &[],
                at: self.at,
            };
            assert!(state.remember(new).await.unwrap().is_kept);
            apps.push(sight.app);
        }
        state.end(run, "{}", self.at).await.unwrap();
        apps
    }
}

/// `xunjian serve` on a free port; ends with it.
pub struct Server {
    child: Child,
    /// Without the slash at the end.
    pub url: String,
}

impl Server {
    pub fn start(home: &Path) -> Self {
        Self::start_with(home, &[])
    }

    pub fn start_with(home: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--home"]).arg(home).args(more);
        Self::of(command)
    }

    /// A command that serves.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().trim_end_matches('/').to_owned() }
    }
}

impl Server {
    /// Number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Adds a person by the command line.
pub fn add_person(home: &Path, name: &str, role: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["people", "add", name, "--role", role, "--password-stdin", "--home"])
        .arg(home)
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A person's browser, as far as cookies and forms go.
pub struct Browser {
    client: reqwest::Client,
    pub url: String,
    cookie: String,
    pub csrf: String,
}

/// Status, where it sends on to, and the text.
pub type Answer = (u16, String, String);

impl Browser {
    pub fn stranger(server: &Server) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, url: server.url.clone(), cookie: String::new(), csrf: String::new() }
    }

    pub async fn sign_in(server: &Server, name: &str) -> Self {
        Self::sign_in_with(server, name, PASSWORD).await
    }

    pub async fn sign_in_with(server: &Server, name: &str, password: &str) -> Self {
        let mut browser = Self::stranger(server);
        let body = form(&[("name", name), ("password", password)]);
        let answer = browser.client.post(format!("{}/sign-in", browser.url)).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{name} is let in");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        let (_, _, page) = browser.get("/me").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        browser.csrf = rest.split('"').next().unwrap().to_owned();
        browser
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie)).await
    }

    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = self.client.get(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// Sends a form with its token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_bare(path, &all, &[]).await
    }

    /// Sends just these fields, with more headers.
    pub async fn post_bare(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.post(format!("{}{path}", self.url)).header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.body(form(fields))).await
    }

    pub fn raw(&self) -> &reqwest::Client {
        &self.client
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let to = answer.headers().get("location").map_or("", |to| to.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), to, answer.text().await.unwrap())
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Browser {
    /// The session's cookie, and that of a language.
    pub fn cookie_in(&self, lang: &str) -> String {
        format!("{}; xunjian-lang={lang}", self.cookie)
    }
}
