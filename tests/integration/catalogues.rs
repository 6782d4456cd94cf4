//! Catalogues of every store, read without a network; hostile bytes for every reader.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use xunjian::crawl::{Forgetful, Harvest, Start, Store, Stores, Todo, open_jar};
use xunjian::model::config::Config;
use xunjian::model::fetch::{Answer, Outcome};

fn stores() -> Stores {
    Stores::load(None, &Config::default()).unwrap()
}

fn answer(url: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Answer { status: 200, url: url.into(), headers, body: body.into(), ..Answer::default() }
}

/// The first page of a catalogue: the request and what its answer yields.
fn first(store: &Store, category: &str, body: &str) -> (Todo, Harvest) {
    let todo = store.start(&Start::Catalogue(Some(category.into()))).unwrap().remove(0);
    let kind = if body.starts_with('{') { "application/json" } else { "text/html; charset=utf-8" };
    let harvest = store.read(&todo, &answer(&todo.ask.url, kind, body), &Forgetful);
    (todo, harvest)
}

/// Addresses that a harvest leads to: apps, then lists.
fn asks(harvest: &Harvest) -> Vec<String> {
    assert!(harvest.faults.is_empty(), "{:?}", harvest.faults);
    harvest.next.iter().map(|todo| format!("{} {}", todo.ask.method.name(), todo.ask.url)).collect()
}

#[test]
fn catalogues_lead_to_apps_and_further_pages() {
    let stores = stores();
    let store = |id: &str| stores.get(id).unwrap();

    let body = json!({"hasNextPage": 1, "totalPages": 3, "layoutData": [{"dataList": [{"appid": "C1", "package": "a.b", "name": "甲", "appVersionName": "2"}]}]});
    let (todo, harvest) = first(store("huawei"), "education", &body.to_string());
    assert!(todo.ask.url.contains("uri=84471de6a7524d4a9242903fbc9bbe8b") && todo.ask.url.contains("reqPageNum=1"));
    let found = asks(&harvest);
    assert_eq!(found[0], "POST https://web-drcn.hispace.dbankcloud.com/edge/webedge/appinfo");
    assert!(found[1].contains("reqPageNum=2"), "{found:?}");
    assert_eq!((harvest.next[0].key.as_str(), harvest.next[0].mark.len()), ("a.b", 64), "a version makes a mark");
    assert!(harvest.next[0].ask.text().contains("\"pkgName\":\"a.b\""));

    let item = json!({"pkg_name": "a.b", "name": "甲", "version_name": "1"});
    let body = json!({"ret": 0, "data": {"components": [{"data": {"itemData": [item]}}]}});
    let (todo, harvest) = first(store("tencent"), "education", &body.to_string());
    assert!(todo.ask.text().contains("\"repStr\":[\"education\"]") && todo.ask.text().contains("\"offset\":0"));
    assert_eq!(asks(&harvest)[0], "POST https://yybadaccess.3g.qq.com/v2/dc_pcyyb_official");
    assert!(harvest.next[0].ask.text().contains("a.b"), "{}", harvest.next[0].ask.text());
    let page = harvest.next[1].ask.text();
    assert!(page.contains(r#""listI":{"limit":{"repInt":[24]},"offset":{"repInt":[24]}}"#), "{page}");

    let (_, harvest) = first(store("xiaomi"), "education", r#"{"data":[{"packageName":"a.b"},{"packageName":"c.d"}]}"#);
    assert_eq!(asks(&harvest)[1], "GET https://app.mi.com/details?id=c.d");

    let body = json!({"state": {"msg": "Ok"}, "data": {"currPage": 1, "content": "<li><div><a href=\"https://www.wandoujia.com/apps/77\">甲</a></div></li>"}});
    let (_, harvest) = first(store("wandoujia"), "education", &body.to_string());
    assert_eq!(asks(&harvest)[0], "GET https://www.wandoujia.com/apps/77");

    let (todo, harvest) = first(store("baidu"), "education", "<a class=\"app-box\" href=\"/software/11.html\">甲</a>");
    assert_eq!(todo.ask.url, "https://shouji.baidu.com/software/506/list_1.html");
    assert_eq!(asks(&harvest)[0], "GET https://shouji.baidu.com/software/11.html");

    let page = "<ul id=\"iconList\"><li><a href=\"/detail/index/soft_id/5\">甲</a><a href=\"zhushou360://type=apk&name=x&url=http://dl.example/a.apk&x=1\">装</a></li></ul>";
    let (_, harvest) = first(store("s360"), "education", page);
    assert_eq!(asks(&harvest)[0], "GET https://zhushou.360.cn/detail/index/soft_id/5");
    assert_eq!(harvest.next[0].partial.download_url, "http://dl.example/a.apk");

    let body = json!({"feed": {"entry": [{"id": {"attributes": {"im:id": "42", "im:bundleId": "a.b"}}, "im:name": {"label": "甲"}}]}});
    let (_, harvest) = first(store("apple"), "education", &body.to_string());
    assert_eq!(asks(&harvest)[0], "GET https://itunes.apple.com/lookup?id=42&country=cn");
}

#[test]
fn a_catalogue_of_another_form_is_the_adapters_fault_and_an_empty_one_is_not() {
    let stores = stores();
    for id in ["huawei", "tencent", "xiaomi", "wandoujia", "baidu", "s360", "apple"] {
        let store = stores.get(id).unwrap();
        for body in ["<html><body>改版了</body></html>", "{\"new\":\"form\"}", ""] {
            let (_, harvest) = first(store, "education", body);
            assert!(harvest.found.is_empty() && harvest.next.is_empty(), "{id}: {harvest:?}");
            let fault = &harvest.faults[0];
            assert_eq!(fault.outcome, Outcome::AdapterBroken, "{id} {body}: {fault}");
            assert!(fault.page.is_some() && fault.detail.contains(&format!("stores/{id}.toml")), "{fault}");
        }
    }
    let (_, harvest) = first(stores.get("xiaomi").unwrap(), "education", r#"{"data":[]}"#);
    assert_eq!(harvest.faults[0].outcome, Outcome::NotFound);
}

#[test]
fn statuses_are_told_apart() {
    let stores = stores();
    let store = stores.get("xiaomi").unwrap();
    let todo = store.start(&Start::Package("a.b".into())).unwrap().remove(0);
    for (status, outcome) in [
        (404, Outcome::NotFound),
        (410, Outcome::Delisted),
        (451, Outcome::RegionLocked),
        (403, Outcome::Throttled),
        (429, Outcome::Throttled),
        (500, Outcome::Network),
        (400, Outcome::AdapterBroken),
    ] {
        let harvest = store.read(&todo, &Answer { status, ..answer(&todo.ask.url, "text/html", "") }, &Forgetful);
        assert_eq!(harvest.faults[0].outcome, outcome, "{status}");
    }
}

#[test]
fn pages_in_gbk_are_read_and_endless_nesting_ends() {
    let stores = stores();
    let store = stores.get("baidu").unwrap();
    let page = "<h1><span>题山</span></h1><span data_package=\"a.b\"></span>";
    let todo = store.start(&Start::Url("https://shouji.baidu.com/software/9.html".into())).unwrap().remove(0);
    let gbk = encoding_rs::GBK.encode(page).0.into_owned();
    let harvest = store.read(&todo, &answer(&todo.ask.url, "text/html; charset=gbk", gbk), &Forgetful);
    assert_eq!(harvest.found[0].listing.title, "题山");
    let begun = std::time::Instant::now();
    for piece in ["<div>", "<b><p>", "<table><tr><td>", "<a><i>"] {
        let deep = piece.repeat(29_000 / piece.matches('<').count());
        let harvest = store.read(&todo, &answer(&todo.ask.url, "text/html", deep), &Forgetful);
        assert_eq!(harvest.faults[0].outcome, Outcome::AdapterBroken);
        eprintln!("{piece}: {:?}", begun.elapsed());
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let harvest = store.read(&todo, &answer(&todo.ask.url, "text/html", "<div>".repeat(190_000)), &Forgetful);
    assert!(harvest.faults[0].detail.contains("no store's page"), "{:?}", harvest.faults);
}

/// Every request that a store can make first, and those of its steps.
fn todos(store: &Store) -> Vec<Todo> {
    let starts = [
        Start::Catalogue(None),
        Start::Package("cn.example.app".into()),
        Start::Words("题".into()),
        Start::Url("https://any.example/sitemap.xml".into()),
        Start::Url("https://any.example/app".into()),
    ];
    let mut all: Vec<Todo> = starts.iter().filter_map(|start| store.start(start).ok()).flatten().collect();
    let vars: BTreeMap<String, String> =
        [("sha256", ""), ("url", "https://any.example/x"), ("id", "1"), ("package", "a.b")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
    for step in [
        "detail",
        "detail-at",
        "list",
        "search",
        "page",
        "map",
        "index",
        "diff",
        "entry.json",
        "index-v1.json",
        "index-v1.jar",
    ] {
        all.push(Todo { step: step.into(), vars: vars.clone(), ..Todo::default() });
    }
    all
}

/// Bytes that look like what stores send, broken in places.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "<html>",
        "<ul id=\"iconList\"><li>",
        "<a href=\"/detail/1&url=x\">",
        "<body data-pn=\"a.b\" data-title=\"t\">",
        "<script type=\"application/ld+json\">",
        "{\"@type\":\"MobileApplication\",\"name\":",
        "window.systemData=",
        "__NEXT_DATA__",
        ">",
        "{\"data\":",
        "[",
        "]",
        "}",
        "{",
        "\"packages\":{",
        "\"apps\":[",
        "\"a.b\":{\"versions\":{",
        "null",
        "1e999",
        "-9223372036854775808",
        "\"\\ud800\"",
        "<urlset><url><loc>",
        "</loc>",
        "<sitemap>",
        "&amp;",
        "\u{1f}\u{8b}",
        "PK\u{3}\u{4}",
        "\"timestamp\":1,\"index\":{\"name\":\"x\",\"sha256\":\"\",\"size\":18446744073709551615}",
        "<!--",
        "]]>",
        "题山",
        ",",
    ]);
    let text = prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![text, prop::collection::vec(any::<u8>(), 0..400)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_bytes_make_a_reader_fail_or_say_nothing(body in bodies(), status in prop::sample::select(vec![200u16, 304, 404])) {
        for store in stores().all() {
            for todo in todos(store) {
                let answer = Answer { status, ..answer("https://any.example/x", "text/html", body.clone()) };
                let harvest = store.read(&todo, &answer, &Forgetful);
                let says = harvest.found.len() + harvest.next.len() + harvest.faults.len();
                // An index without an app is an answer; nothing else is silent.
                prop_assert!(says > 0 || status == 304 || todo.page > 0 || !harvest.keep.is_empty() || todo.step.contains("index") || todo.step.contains("diff") || todo.step.contains("entry"));
                for found in &harvest.found {
                    prop_assert!(!found.listing.title.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
                }
            }
        }
    }

    #[test]
    fn a_corrupted_jar_is_refused_or_the_same(at in 0usize..2200, to in any::<u8>()) {
        let mut jar = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fdroid/entry.jar")).unwrap();
        let inside = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fdroid/entry.json")).unwrap();
        if let Some(byte) = jar.get_mut(at) {
            *byte = to;
        }
        if let Ok(signed) = open_jar(&jar, "entry.json", 1 << 20, false) {
            prop_assert_eq!(signed.bytes, inside);
        }
    }
}
