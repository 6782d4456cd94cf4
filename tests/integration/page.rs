//! The reviewers' page, served by the real program over loopback.

use crate::support::desk;

use crate::support::desk::{Browser, Server, Sweeper, add_person, listing};
use xunjian::model::Listing;
use xunjian::store::{Delivery, Desk, DeskQuery, Outbox, State};

const SEARCH: &str = "拍照搜题，秒出答案。支持小学初中高中数学语文英语作业辅导，拍一拍就有解析。";

fn photo() -> Listing {
    listing("cn.example.photo", "作业拍拍搜题", SEARCH)
}

/// A home with one app that searches by photograph, its server and its app's number.
async fn one_app(dir: &std::path::Path) -> (Sweeper, Server, i64) {
    let mut sweeper = Sweeper::new(dir).await;
    let app = sweeper.sweep(&[photo()]).await[0];
    for role in ["viewer", "reviewer", "lead", "operator"] {
        add_person(dir, role, role);
    }
    (sweeper, Server::start(dir), app)
}

async fn finding(sweeper: &Sweeper, app: i64) -> xunjian::store::DeskFinding {
    let row = sweeper.home.state.desk_row(app).await.unwrap().expect("on the desk");
    row.findings.into_iter().find(|finding| finding.sign == "photo-search").expect("a finding")
}

async fn waiting(sweeper: &Sweeper) -> Vec<i64> {
    let asked = DeskQuery { sign: "photo-search".into(), most: 10, ..DeskQuery::default() };
    sweeper.home.state.desk(&asked).await.unwrap().into_iter().map(|row| row.app).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_see_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_sweeper, server, app) = one_app(dir.path()).await;
    let stranger = Browser::stranger(&server);
    let paths = ["/", "/mending", "/results", "/people", "/log", "/me", "/export/csv"];
    for path in paths.map(str::to_owned).into_iter().chain([format!("/app/{app}"), format!("/app/{app}/dossier")]) {
        let (status, to, text) = stranger.get(&path).await;
        assert_eq!((status, to.as_str()), (303, "/sign-in"), "{path}");
        assert!(!text.contains("cn.example.photo"), "{path}");
    }
    assert_eq!(stranger.post_bare("/", &[("csrf", "")], &[]).await.0, 303);
    let answer = stranger.raw().get(format!("{}/sign-in", server.url)).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_passwords_lock_out_and_names_do_not_show() {
    let dir = tempfile::tempdir().unwrap();
    let (_sweeper, server, _) = one_app(dir.path()).await;
    let stranger = Browser::stranger(&server);
    let try_in = async |name: &str, password: &str| {
        stranger.post_bare("/sign-in", &[("name", name), ("password", password)], &[]).await
    };
    let (status, _, wrong) = try_in("reviewer", "wrong password").await;
    let (_, _, nobody) = try_in("nobody", "wrong password").await;
    assert_eq!(status, 401);
    assert_eq!(wrong.replace("value=\"reviewer\"", ""), nobody.replace("value=\"nobody\"", ""), "told alike");
    for _ in 0..4 {
        try_in("reviewer", "wrong password").await;
    }
    assert_eq!(try_in("reviewer", desk::PASSWORD).await.0, 401, "locked");
    assert_eq!(try_in("lead", desk::PASSWORD).await.0, 303, "nobody else is");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_and_of_the_wrong_people_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (sweeper, server, app) = one_app(dir.path()).await;
    let found = finding(&sweeper, app).await;
    let path = format!("/finding/{}", found.id);
    let fields = [("verdict", "dismissed"), ("reason", "negated"), ("evidence", found.evidence.as_str())];
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    assert_eq!(reviewer.post_bare(&path, &fields, &[]).await.0, 403, "no token");
    let mut signed = vec![("csrf", reviewer.csrf.as_str())];
    signed.extend_from_slice(&fields);
    for header in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(reviewer.post_bare(&path, &signed, &[header]).await.0, 403, "{header:?}");
    }
    assert_eq!(reviewer.post_bare(&path, &signed, &[("host", "evil.example")]).await.0, 421, "another host name");
    for role in ["viewer", "operator"] {
        assert_eq!(Browser::sign_in(&server, role).await.post(&path, &fields).await.0, 403, "{role}");
    }
    assert_eq!(reviewer.get("/people").await.0, 403);
    assert_eq!(reviewer.post("/people", &[("name", "me"), ("role", "lead")]).await.0, 403);
    assert!(sweeper.home.state.reviews(&found.id).await.unwrap().is_empty(), "nothing was decided");
    assert_eq!(reviewer.post(&path, &fields).await.0, 303, "the same from our page is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_finding_returns_when_its_evidence_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sweeper, server, app) = one_app(dir.path()).await;
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let found = finding(&sweeper, app).await;
    assert!(found.is_fresh && found.is_waiting());
    let path = format!("/finding/{}", found.id);
    let fields = [("verdict", "dismissed"), ("reason", "negated"), ("evidence", found.evidence.as_str())];
    assert_eq!(reviewer.post(&path, &fields[..1]).await.0, 422, "a reason is asked for");
    let (status, to, _) = reviewer.post(&path, &fields).await;
    assert_eq!(status, 303);
    assert!(to.starts_with(&format!("/app/{app}?did=decided")), "{to}");
    assert_eq!(waiting(&sweeper).await, [] as [i64; 0]);

    sweeper.sweep(&[Listing { version_name: "1.1".into(), ..photo() }]).await;
    assert_eq!(finding(&sweeper, app).await.verdict, "dismissed");
    assert_eq!(waiting(&sweeper).await, [] as [i64; 0], "the next version with the same evidence stays dismissed");

    let changed = Listing { description: SEARCH.replace("秒出答案", "全新搜题引擎"), ..photo() };
    sweeper.sweep(&[changed]).await;
    assert!(finding(&sweeper, app).await.is_stale());
    assert_eq!(waiting(&sweeper).await, [app]);
    let (_, _, page) = reviewer.get(&format!("/app/{app}")).await;
    assert!(page.contains("<del><bdi>") && page.contains("<ins><bdi>") && page.contains("全新搜题引擎"), "{page}");

    assert_eq!(reviewer.post(&path, &fields).await.0, 409, "what the form shows is no longer there");
    assert_eq!(reviewer.post(&path, &[("verdict", "undone")]).await.0, 303);
    assert_eq!(finding(&sweeper, app).await.verdict, "");
    assert_eq!(reviewer.post(&path, &[("verdict", "undone")]).await.0, 422, "nothing left to take back");
    let told: Vec<String> =
        sweeper.home.state.reviews(&found.id).await.unwrap().into_iter().map(|r| r.verdict).collect();
    assert_eq!(told, ["dismissed", "undone"], "history is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_findings_are_followed_until_they_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sweeper, server, app) = one_app(dir.path()).await;
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let found = finding(&sweeper, app).await;
    let path = format!("/finding/{}", found.id);
    let confirm = |day: &'static str| vec![("verdict", "confirmed"), ("reason", "seen-in-listing"), ("mend_by", day)];
    for day in ["", "2020-01-01", "9999-01-01", "tomorrow", "2099-13-01"] {
        let mut fields = confirm(day);
        fields.push(("evidence", &found.evidence));
        assert_eq!(reviewer.post(&path, &fields).await.0, 422, "{day:?}");
    }
    // Tomorrow where the program counts its days by default, in Asia/Shanghai.
    let soon = (chrono::Utc::now() + chrono::Duration::hours(8 + 24)).format("%Y-%m-%d").to_string();
    let fields = [
        ("verdict", "confirmed"),
        ("reason", "seen-in-listing"),
        ("mend_by", soon.as_str()),
        ("evidence", found.evidence.as_str()),
    ];
    assert_eq!(reviewer.post(&path, &fields).await.0, 303);
    let later =
        DeskQuery { tray: xunjian::store::Tray::Overdue, today: "2099-01-01".into(), most: 9, ..Default::default() };
    assert_eq!(sweeper.home.state.desk(&later).await.unwrap().len(), 1, "overdue once the day has passed");
    let (_, _, page) = reviewer.get("/mending").await;
    assert!(page.contains("state still\"") && page.contains(&soon), "{page}");

    sweeper.sweep(&[listing("cn.example.photo", "乐学词典", "英语词典，查词发音。")]).await;
    let gone = finding(&sweeper, app).await;
    assert!(!gone.is_open);
    let (_, _, page) = reviewer.get("/mending").await;
    assert!(page.contains("state gone\""), "{page}");
    assert_eq!(sweeper.home.state.desk(&later).await.unwrap().len(), 0, "mended, so not overdue");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_apps_are_decided_at_once_but_only_as_they_were_seen() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let all: Vec<Listing> = (0..3).map(|n| Listing { package: format!("cn.example.p{n}"), ..photo() }).collect();
    let apps = sweeper.sweep(&all).await;
    add_person(dir.path(), "reviewer", "reviewer");
    let server = Server::start(dir.path());
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let mut seen = Vec::new();
    for app in &apps {
        seen.push(format!("{app}:{}", sweeper.home.state.desk_row(*app).await.unwrap().unwrap().audit));
    }
    sweeper.sweep(&all[..1]).await;
    let mut fields = vec![("verdict", "dismissed"), ("reason", "other-sense"), ("query", "sign=photo-search")];
    assert_eq!(reviewer.post("/", &fields).await.0, 422, "nothing selected");
    fields.extend(seen.iter().map(|seen| ("app", seen.as_str())));
    let (status, to, _) = reviewer.post("/", &fields).await;
    assert_eq!(status, 303);
    assert!(to.contains("did=moved&n=2&moved=1"), "{to}");
    assert_eq!(waiting(&sweeper).await, [apps[0]], "audited again while one looked: not decided");
    let row = sweeper.home.state.desk_row(apps[1]).await.unwrap().unwrap();
    let others = row.findings.iter().filter(|f| f.sign != "photo-search");
    assert!(others.clone().all(|f| f.verdict.is_empty()), "other signs were not asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_give_apps_out_and_everything_is_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (sweeper, server, app) = one_app(dir.path()).await;
    let (lead, reviewer) = (Browser::sign_in(&server, "lead").await, Browser::sign_in(&server, "reviewer").await);
    let path = format!("/app/{app}/assign");
    assert_eq!(reviewer.post(&path, &[("person", "lead")]).await.0, 403, "a reviewer gives nothing to others");
    assert_eq!(reviewer.post(&path, &[("person", "reviewer")]).await.0, 303);
    assert_eq!(lead.post(&path, &[("person", "nobody")]).await.0, 422);
    let (_, _, page) = lead.get("/?assigned=reviewer").await;
    assert!(page.contains("cn.example.photo"));
    let (_, _, page) = lead.get("/?assigned=-").await;
    assert!(!page.contains("cn.example.photo"));
    assert_eq!(reviewer.post("/views", &[("view", "我的"), ("query", "assigned=reviewer")]).await.0, 303);
    assert!(reviewer.get("/").await.2.contains("我的"));
    assert!(!lead.get("/").await.2.contains("我的"), "a view is one's own");

    let added = [("name", "新人"), ("role", "reviewer"), ("password", desk::PASSWORD)];
    assert_eq!(lead.post("/people", &added).await.0, 303);
    let newcomer = Browser::sign_in(&server, "新人").await;
    assert_eq!(newcomer.get("/").await.1, "/me", "a password that was given is good for choosing another");
    assert_eq!(newcomer.get(&format!("/app/{app}")).await.1, "/me");
    assert!(newcomer.get("/me").await.2.contains("他人设置"));
    assert!(lead.get("/people").await.2.contains("密码由 lead 设置"));
    let chosen = [("old", desk::PASSWORD), ("password", desk::PASSWORD)];
    assert_eq!(newcomer.post("/me", &chosen).await.0, 422, "another one");
    let chosen = [("old", desk::PASSWORD), ("password", "a password of my own")];
    assert_eq!(newcomer.post("/me", &chosen).await.1, "/sign-in");
    let newcomer = Browser::sign_in_with(&server, "新人", "a password of my own").await;
    assert_eq!(newcomer.get("/").await.0, 200);
    assert!(!lead.get("/people").await.2.contains("密码由 lead 设置"));
    assert_eq!(lead.post("/people", &[("name", "新人"), ("role", "viewer"), ("stop", "1")]).await.0, 303);
    assert_eq!(newcomer.get("/").await.1, "/sign-in", "who is stopped is signed out");
    assert_eq!(lead.post("/people", &[("name", "lead"), ("role", "viewer")]).await.0, 422, "not oneself");
    let (_, _, log) = lead.get("/log").await;
    for told in ["新人", "更新人员", "分派", "登录"] {
        assert!(log.contains(told), "{told}");
    }
    assert!(!log.contains(desk::PASSWORD));
    drop(sweeper);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_nobody_took_is_shown_with_its_answer_and_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let (sweeper, server, app) = one_app(dir.path()).await;
    let found = finding(&sweeper, app).await;
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let day = (chrono::Local::now() + chrono::Duration::days(30)).format("%Y-%m-%d").to_string();
    let fields = [
        ("verdict", "confirmed"),
        ("reason", "seen-in-listing"),
        ("mend_by", day.as_str()),
        ("evidence", found.evidence.as_str()),
    ];
    assert_eq!(reviewer.post(&format!("/finding/{}", found.id), &fields).await.0, 303);
    let state = &sweeper.home.state;
    let letter = state.letters("ready", 1).await.unwrap().remove(0);
    state.delivered(letter.id, Delivery::Dead, "500 <b>out of order</b>").await.unwrap();
    assert_eq!(reviewer.get("/letters").await.0, 403, "a reviewer has no part in it");
    let operator = Browser::sign_in(&server, "operator").await;
    let (_, _, page) = operator.get("/letters").await;
    assert!(page.contains("线索已确认") && page.contains("500 &#60;b&#62;out of order"), "{page}");
    let replay = format!("/letters/{}/replay", letter.id);
    assert_eq!(reviewer.post(&replay, &[]).await.0, 403);
    assert_eq!(operator.post(&replay, &[]).await.0, 303);
    assert_eq!(state.letters("ready", 1).await.unwrap()[0].id, letter.id);
    assert!(!operator.get("/letters").await.2.contains("out of order"));
    assert!(operator.get("/letters?state=ready").await.2.contains("线索已确认"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_finding_drafts_an_example_that_the_checks_understand() {
    let dir = tempfile::tempdir().unwrap();
    let (sweeper, server, app) = one_app(dir.path()).await;
    let found = finding(&sweeper, app).await;
    let reviewer = Browser::sign_in(&server, "reviewer").await;
    let (_, _, page) = reviewer.get(&format!("/app/{app}")).await;
    assert!(!page.contains("[[no-match]]"), "nothing is wrong yet");
    let fields = [("verdict", "dismissed"), ("reason", "negated"), ("evidence", found.evidence.as_str())];
    assert_eq!(reviewer.post(&format!("/finding/{}", found.id), &fields).await.0, 303);
    let (_, _, page) = reviewer.get(&format!("/app/{app}")).await;
    let (_, rest) = page.split_once("signatures/photo-search/wording.toml").expect("a draft for the file");
    let (_, rest) = rest.split_once("<pre tabindex=\"0\"><code>").unwrap();
    let draft = rest.split("</code>").next().unwrap().replace("&#34;", "\"");
    assert!(draft.starts_with("[[no-match]]\n"), "{draft}");
    // The mistake is still there, and the checks now say so, at the example.
    let folder = dir.path().join("signatures");
    std::fs::create_dir_all(folder.join("photo-search")).unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/signatures/photo-search/wording.toml");
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(folder.join("photo-search/wording.toml"), format!("{text}\n{draft}")).unwrap();
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["signatures", "check", "--signatures"])
        .arg(&folder)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(!checked.status.success() && said.contains("photo-search/wording"), "{said}");
    assert!(said.contains("holds here"), "an example that fails, not a file that does not read: {said}");
}

const HOSTILE: &str = "<script>alert(1)</script>\u{202e}txt.exe\0\"'=cmd|' /C calc'!A0 拍照搜题";

#[tokio::test(flavor = "multi_thread")]
async fn hostile_words_are_shown_and_exported_harmlessly() {
    let dir = tempfile::tempdir().unwrap();
    let mut sweeper = Sweeper::new(dir.path()).await;
    let hostile = Listing {
        title: format!("=HYPERLINK(\"http://evil\") {HOSTILE}"),
        developer: format!("@SUM(1) {HOSTILE}"),
        description: format!("{SEARCH}{HOSTILE}{}", "长".repeat(1 << 20)),
        changelog: HOSTILE.into(),
        permissions: vec![HOSTILE.into()],
        screenshots: vec!["javascript:alert(1)".into(), "https://shots.example/1.png".into()],
        url: "javascript:alert(1)".into(),
        ..listing("cn.аpple.<b>", "", "")
    };
    let app = sweeper.sweep(&[hostile]).await[0];
    add_person(dir.path(), "lead", "lead");
    let server = Server::start(dir.path());
    let lead = Browser::sign_in(&server, "lead").await;
    let query = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect::<String>();
    let paths = [
        "/".to_owned(),
        format!("/?search={query}&sign={query}&provider={query}"),
        format!("/app/{app}"),
        format!("/app/{app}/dossier"),
        format!("/app/{app}?from={query}&did={query}"),
        "/mending".into(),
    ];
    for path in paths {
        let (status, _, page) = lead.get(&path).await;
        assert_eq!(status, 200, "{path}");
        assert!(!page.contains("<script>alert") && !page.contains("<b>"[..].repeat(2).as_str()), "{path}");
        assert!(!page.contains(['\u{202e}', '\0']), "{path}: characters that turn text round");
        assert!(!page.contains("javascript:alert") || !page.contains("href=\"javascript"), "{path}");
        assert!(page.len() < 2 << 20, "{path}: {} bytes", page.len());
    }
    let csv = String::from_utf8(lead.bytes("/export/csv").await).unwrap();
    for cell in csv.lines().skip(1).flat_map(|line| line.split(',')) {
        assert!(!cell.trim_start_matches('"').starts_with(['=', '@', '+']), "{cell}");
    }
    let sarif: serde_json::Value =
        serde_json::from_slice(&lead.bytes(&format!("/app/{app}/export/sarif")).await).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(lead.bytes("/export/xlsx").await.starts_with(b"PK"));
    let json: serde_json::Value =
        serde_json::from_slice(&lead.bytes(&format!("/app/{app}/export/json")).await).unwrap();
    assert_eq!(json["audits"].as_array().unwrap().len(), 1);
    assert_eq!(lead.get("/export/exe").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_two_languages_without_a_word_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (_sweeper, server, app) = one_app(dir.path()).await;
    let lead = Browser::sign_in(&server, "lead").await;
    for path in ["/", "/mending", "/results", "/people", "/log", "/me", &format!("/app/{app}")] {
        let (_, _, zh) = lead.get(path).await;
        assert!(zh.contains("lang=\"zh-CN\"") && !zh.contains('⟦'), "{path}");
        let request = lead.raw().get(format!("{}{path}", lead.url)).header("cookie", lead.cookie_in("en"));
        let en = request.send().await.unwrap().text().await.unwrap();
        assert!(en.contains("lang=\"en-GB\"") && !en.contains('⟦'), "{path}");
    }
    assert_eq!(lead.get("/lang/en").await.1, "/");
    assert_eq!(lead.get("/lang/xx").await.0, 404);
}
