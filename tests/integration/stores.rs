//! Every store's adapter end to end: pages of our own writing in the store's shape, served over
//! HTTP, audited by the program.

use std::path::Path;

use crate::support::server::{Reply, Request, Server};
use crate::support::{project, report, stderr, stdout, xunjian};
use serde_json::{Value, json};

fn apk(name: &str) -> Reply {
    Reply::file(std::fs::read(project("tests/fixtures/apks").join(name)).unwrap())
}

/// A configuration in which stores stand at the server.
fn config(folder: &Path, server: &Server, stores: &[&str]) -> String {
    let mut text = "[network]\nallow-private = true\ncontact = \"ops@inspector.example\"\nbackoff = 0.01\nretries = 1\n\
                    [pace]\nevery = 0.0\n[host.\"127.0.0.1\"]\nevery = 0.0\nat-once = 4\n[caps]\nfree-bytes = 0\npages = 5\n"
        .to_owned();
    for store in stores {
        text.push_str(&format!("[store.{store}]\nbase = \"{}\"\n", server.base));
    }
    let path = folder.join("config.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn run(server: &Server, store: &str, args: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), server, &[store]);
    let mut all: Vec<&str> = args.to_vec();
    all.extend(["--config", &config]);
    xunjian(&all)
}

fn audit(server: &Server, store: &str, target: &str) -> Value {
    let output = run(server, store, &["audit", target, "--format", "json"]);
    let report = report(&output);
    eprintln!("{target}: {} {}", stderr(&output), report["skipped"]);
    report
}

/// One audit of 题山 with its package, and nothing skipped.
fn is_tishan(report: &Value, store: &str, title: &str) {
    assert_eq!(report["audits"].as_array().map(Vec::len), Some(1), "{report}");
    let audit = &report["audits"][0];
    assert_eq!(audit["app"]["store"], store);
    assert_eq!(audit["app"]["title"], title);
    assert_eq!(audit["app"]["package"], "cn.example.tishan");
    assert_eq!(audit["artifacts"].as_array().map(Vec::len), Some(1), "{}", report["skipped"]);
    assert!(audit["findings"].as_array().unwrap().iter().any(|f| f["sign"] == "photo-search"));
    assert_eq!(report["skipped"], json!([]));
}

fn huawei(r: &Request) -> Option<Reply> {
    let app = |package: &str| {
        json!({"appId": "C10001", "pkgName": package, "name": "题山", "developerName": "示例科技", "kindName": "教育",
               "briefDes": "学习", "description": "拍照搜题，一拍就会", "version": "3.2", "versionCode": 32, "isShelves": 1})
    };
    match r.path.split('?').next()? {
        "/edge/webedge/appinfo" if r.body.contains("cn.example.tishan") || r.body.contains("C10001") => {
            Some(Reply::json(&app("cn.example.tishan")))
        }
        // Who asks without JSON, or for what there is not, is told nothing.
        "/edge/webedge/appinfo" => Some(Reply::new(200, "application/json", "")),
        "/edge/index/completeSearchWord" if r.method == "POST" && r.body.contains("题") => {
            let item = json!({"id": "C10001", "package": "cn.example.tishan", "name": "题山"});
            Some(Reply::json(&json!({"rtnCode": 0, "app": item, "appList": [item]})))
        }
        "/edge/index/completeSearchWord" => Some(Reply::json(&json!({"rtnCode": 0, "appList": []}))),
        "/appdl/C10001" => Some(Reply::redirect("/dl/cn.example.tishan.2405011200.apk")),
        "/dl/cn.example.tishan.2405011200.apk" => Some(apk("photosearch.apk")),
        "/uowap/index" => Some(Reply::json(&json!({"hasNextPage": 0, "totalPages": 1, "layoutData": [
            {"dataList": [{"appid": "C10001", "package": "cn.example.tishan", "name": "题山"}]}]}))),
        _ => None,
    }
}

#[test]
fn huawei_by_package_by_page_by_words() {
    let server = Server::new(huawei);
    let pages =
        ["/app/C10001", "/#/app/C10001", "/app/detail?id=cn.example.tishan", "/ag/n/app/C10001", "/appdl/C10001"];
    let pages = pages.map(|path| format!("{}{path}", server.base));
    for target in ["huawei:cn.example.tishan", "huawei:?拍照搜题"].into_iter().chain(pages.iter().map(String::as_str))
    {
        is_tishan(&audit(&server, "huawei", target), "huawei", "题山");
    }
    let none = audit(&server, "huawei", "huawei:?nothing");
    assert!(none["skipped"][0]["reason"].as_str().unwrap().starts_with("not-found"), "{none}");
    let missing = audit(&server, "huawei", "huawei:com.nobody.knows");
    assert_eq!(missing["audits"], json!([]));
    assert!(missing["skipped"][0]["reason"].as_str().unwrap().starts_with("not-found"), "{missing}");
}

/// Tencent's store as its newest clients read it.
fn tencent(r: &Request) -> Option<Reply> {
    let file = format!("http://{}/file?fsname=cn.example.tishan_3.apk", r.header("host"));
    let item = |package: &str, name: &str| {
        json!({"pkg_name": package, "app_id": "7", "name": name, "developer": "示例科技", "version_name": "3.2",
               "description": "拍照搜题", "tags": "学习,教育", "icon": "/i.png", "snap_shots": "/1.png,/2.png, /3.png",
               "permissions_list": [{"title": "使用相机"}], "download_url": file})
    };
    let program =
        json!({"pkg_name": "cn.example.pcgame", "name": "电脑版", "exe_download_url": "http://x.example/a.exe"});
    let cards = |items: Vec<Value>| json!({"data": {"components": [{"cardId": "yybn_game_basic_info", "data": {"itemData": items}}]}});
    let asked: Value = serde_json::from_str(&r.body).unwrap_or_default();
    let layout = asked["body"]["layout"].as_str().unwrap_or_default();
    match (r.path.split('?').next()?, layout) {
        // The page counts by numbers, and the other offset stays.
        ("/v2/dc_pcyyb_official", "YYB_HOME_APP_LIBRARY_LIST") => {
            let (from, other) = (&asked["body"]["listI"]["offset"]["repInt"][0], &asked["body"]["offset"]);
            let items = match (from.as_u64(), other.as_u64()) {
                (Some(0), Some(0)) => vec![item("cn.example.tishan", "题山"), program, Value::Null],
                _ => Vec::new(),
            };
            Some(Reply::json(&cards(items)))
        }
        ("/v2/dc_pcyyb_official", "yybn_search_result_list") => {
            Some(Reply::json(&cards(vec![program, item("cn.example.tishan", "题山")])))
        }
        ("/v2/dc_pcyyb_official", "yybn_game_basic_info") => {
            match asked["body"]["listS"]["pkgname"]["repStr"][0].as_str()? {
                "cn.example.tishan" if asked["head"]["hostAppInfo"]["scene"] == "game_detail" => {
                    Some(Reply::json(&cards(vec![item("cn.example.tishan", "题山")])))
                }
                "cn.example.moved" => Some(Reply::json(&json!({"ret": 0, "data": {"cards": []}}))),
                _ => Some(Reply::json(&json!({"ret": 0, "data": {"components": []}}))),
            }
        }
        ("/appdetail/cn.example.moved", _) => {
            let data = json!({"props": {"pageProps": {"dynamicCardResponse": cards(vec![
                item("cn.example.other", "别的"), item("cn.example.moved", "题海")])}}});
            Some(Reply::html(format!("<script id=\"__NEXT_DATA__\" type=\"application/json\">{data}</script>")))
        }
        ("/o/simple.jsp", _) => Some(Reply::html(format!(
            "<script>\nwindow.systemData={};var x = 1;</script>",
            json!({"appDetail": {"appName": "题山", "author": "示例科技", "versionName": "3.2", "apkUrl": file, "apkUrl64": ""}})
        ))),
        // Its servers of packages want to know from where they are linked.
        ("/file", _) if r.header("referer").starts_with("http") => Some(apk("photosearch.apk")),
        ("/file", _) => Some(Reply::html("<script>function(){}</script>")),
        _ => None,
    }
}

#[test]
fn tencent_by_cards_by_pages_and_by_the_share_page() {
    let server = Server::new(tencent);
    for target in ["tencent:cn.example.tishan", "tencent:?题山"] {
        is_tishan(&audit(&server, "tencent", target), "tencent", "题山");
    }
    for page in ["/o/simple.jsp?pkgname=cn.example.tishan", "/appdetail/cn.example.tishan"] {
        is_tishan(&audit(&server, "tencent", &format!("{}{page}", server.base)), "tencent", "题山");
    }
    let missing = audit(&server, "tencent", "tencent:com.nobody.knows");
    assert!(missing["skipped"][0]["reason"].as_str().unwrap().starts_with("not-found"), "{missing}");
    let asked = server.paths();
    for picture in ["/1.png", "/2.png", "/3.png", "/i.png"] {
        assert!(asked.iter().any(|path| path == picture), "{picture}: {asked:?}");
    }
}

#[test]
fn where_a_card_does_not_fit_the_page_is_asked_and_that_is_said() {
    let server = Server::new(tencent);
    let report = audit(&server, "tencent", "tencent:cn.example.moved");
    assert_eq!(report["audits"][0]["app"]["title"], "题海", "{report}");
    let reason = report["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("adapter-broken") && reason.contains("step card"), "{reason}");
}

#[test]
fn tencents_catalogue_is_walked_by_its_cards_and_programs_for_computers_are_left_out() {
    let (server, home) = (Server::new(tencent), tempfile::tempdir().unwrap());
    let home = home.path().display().to_string();
    let swept = report(&run(&server, "tencent", &["sweep", "tencent", "--home", &home, "--format", "json"]));
    is_tishan(&swept, "tencent", "题山");
}

#[test]
fn xiaomi_by_positions_in_a_list() {
    let server = Server::new(|r| match r.path.as_str() {
        "/details?id=cn.example.tishan" => Some(Reply::html(
            "<div class=\"intro-titles\"><p>示例科技</p><h3>题山</h3><p class=\"special-font\"><b>分类：</b>学习教育<span>|</span></p></div>\
             <div class=\"app-text\"><p class=\"pslide\">拍照搜题，一拍就会</p><p class=\"pslide\">修复问题</p></div>\
             <div class=\"details\"><ul class=\"cf\"><li>软件大小</li><li>20 M</li><li>版本号</li><li>3.2</li><li>更新时间</li>\
             <li>2021-05-01</li><li>包名</li><li>cn.example.tishan</li><li>appId</li><li>4711</li></ul></div>",
        )),
        // Blocks of a label and a value, as newer readers know it: no position tells anything.
        "/details?id=cn.example.newer" => Some(Reply::html(
            "<title>题山-小米应用商店</title><div class=\"intro-titles\"><h3>题山</h3></div><div class=\"bigimg-scroll-title\">应用截图</div>\
             <div class=\"app-text\"><p class=\"pslide\">拍照搜题</p></div><div class=\"details\"><div><div class=\"label\">版本号</div> \
             <div class=\"value\">3.3</div></div><div><div>开发者</div><div>示例科技</div></div></div>",
        )),
        "/details?id=cn.example.none" => Some(Reply::html("<title>手机游戏应用商店-小米</title><h3>热门</h3>")),
        "/download/4711" => Some(Reply::redirect("/f/tishan.apk")),
        "/f/tishan.apk" => Some(apk("photosearch.apk")),
        "/details?id=cn.example.gone" => Some(Reply::html("<p>该应用已下架</p>")),
        _ => None,
    });
    is_tishan(&audit(&server, "xiaomi", "xiaomi:cn.example.tishan"), "xiaomi", "题山");
    let newer = audit(&server, "xiaomi", "xiaomi:cn.example.newer");
    let app = &newer["audits"][0]["app"];
    assert_eq!((&app["package"], &app["version_name"]), (&json!("cn.example.newer"), &json!("3.3")), "{newer}");
    assert_eq!(app["developer"], "示例科技");
    let none = audit(&server, "xiaomi", "xiaomi:cn.example.none");
    assert!(none["skipped"][0]["reason"].as_str().unwrap().starts_with("not-found"), "{none}");
    let gone = audit(&server, "xiaomi", "xiaomi:cn.example.gone");
    assert!(gone["skipped"][0]["reason"].as_str().unwrap().starts_with("delisted"), "{gone}");
}

#[test]
fn vivo_finds_a_package_through_its_search() {
    let server = Server::new(|r| {
        let file = format!("http://{}/f.apk", r.header("host"));
        let detail = |package: &str| {
            json!({"package_name": package, "title_zh": "题山", "version_name": "3.2", "version_code": 32,
                   "developer": "示例科技", "upload_time": "2026-01-01", "introduction": "拍照搜题", "download_url": file})
        };
        match r.path.split('?').next()? {
            "/h5appstore/search/result-list" => Some(Reply::json(&json!({"data": {"appSearchResponse": {"maxPage": 1,
                "value": [{"id": 1, "title_zh": "题山"}, {"id": 2, "title_zh": "题海"}]}}}))),
            "/detail/1" => Some(Reply::json(&detail("cn.example.tishan"))),
            "/detail/2" => Some(Reply::json(&detail("cn.example.tihai"))),
            "/f.apk" => Some(apk("photosearch.apk")),
            _ => None,
        }
    });
    is_tishan(&audit(&server, "vivo", "vivo:cn.example.tishan"), "vivo", "题山");
    let report = audit(&server, "vivo", "vivo:?题");
    assert_eq!(report["audits"].as_array().map(Vec::len), Some(2));
}

const WANDOUJIA: &str = "<html><body data-pn=\"cn.example.tishan\" data-title=\"题山\">\
    <a class=\"install-btn\" data-app-vname=\"3.2\" data-app-vcode=\"32\">安装</a><span class=\"dev-sites\">示例科技</span>\
    <div class=\"desc-info\"><div class=\"con\">拍照搜题<br>一拍就会</div></div><a class=\"normal-dl-btn\" href=\"/d/t.apk\">下载</a></body></html>";

#[test]
fn coolapk_wants_a_token_and_is_marked_as_unverified() {
    let server = Server::new(|r| {
        let detail = json!({"data": {"id": 7, "title": "题山", "apkversionname": "3.2", "developername": "示例科技",
                                     "changelog": "拍照搜题，一拍就会", "lastupdate": 1700000000}});
        match (r.path.as_str(), r.header("x-app-token")) {
            ("/robots.txt", _) => None,
            (_, "") => Some(Reply::status(403)),
            ("/v6/apk/detail?id=cn.example.tishan", "given-to-us") => Some(Reply::json(&detail)),
            _ => Some(Reply::json(&json!({"status": -2, "message": "应用不存在"}))),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), &server, &["coolapk"]);
    let ask = |target: &str| report(&xunjian(&["audit", target, "--format", "json", "--config", &path]));
    let refused = ask("coolapk:cn.example.tishan");
    assert!(refused["skipped"][0]["reason"].as_str().unwrap().starts_with("throttled"), "never absent: {refused}");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}vars = {{ token = \"given-to-us\" }}\n")).unwrap();
    let found = ask("coolapk:cn.example.tishan");
    let app = &found["audits"][0]["app"];
    assert_eq!((&app["title"], &app["package"]), (&json!("题山"), &json!("cn.example.tishan")), "{found}");
    assert_eq!((&app["developer"], &app["version_name"]), (&json!("示例科技"), &json!("3.2")));
    assert!(found["audits"][0]["findings"].as_array().unwrap().iter().any(|f| f["sign"] == "photo-search"), "{found}");
    let unknown = ask("coolapk:cn.example.none");
    assert!(unknown["skipped"][0]["reason"].as_str().unwrap().starts_with("not-found"), "{unknown}");
    let checked = stdout(&xunjian(&["store", "check", "coolapk", "cn.example.tishan", "--config", &path]));
    assert!(checked.contains("未核实：") && checked.contains("+ title"), "{checked}");
    assert!(stdout(&xunjian(&["store", "list", "--lang", "en"])).contains("not verified: needs a token"));
}

#[test]
fn wandoujia_pages_and_its_captcha() {
    let server = Server::new(|r| match r.path.as_str() {
        "/apps/cn.example.tishan" => Some(Reply::html(WANDOUJIA)),
        "/apps/cn.example.fast" => Some(Reply::html("<div id=\"nc_1_wrapper\">请拖动滑块</div>")),
        // An app's own words are no captcha, whatever they are.
        "/apps/cn.example.own" => Some(Reply::html(
            WANDOUJIA
                .replace("cn.example.tishan", "cn.example.own")
                .replace("一拍就会", "支持滑动验证登录，no punishment"),
        )),
        "/apps/cn.example.gbk" => {
            let page = "<html><head><meta charset=gbk></head><body>亲，请拖动下方滑块完成验证 滑动验证</body>";
            Some(Reply::new(200, "text/html; charset=gbk", encoding_rs::GBK.encode(page).0.into_owned()))
        }
        "/d/t.apk" => Some(apk("photosearch.apk")),
        _ => None,
    });
    is_tishan(&audit(&server, "wandoujia", "wandoujia:cn.example.tishan"), "wandoujia", "题山");
    let own = audit(&server, "wandoujia", "wandoujia:cn.example.own");
    assert_eq!((own["audits"].as_array().unwrap().len(), &own["skipped"]), (1, &json!([])), "{own}");
    let gbk = audit(&server, "wandoujia", "wandoujia:cn.example.gbk");
    assert!(gbk["skipped"][0]["reason"].as_str().unwrap().starts_with("throttled"), "{gbk}");
    let fast = audit(&server, "wandoujia", "wandoujia:cn.example.fast");
    assert!(fast["skipped"][0]["reason"].as_str().unwrap().starts_with("throttled"), "{fast}");
}

#[test]
fn baidu_and_360_pages() {
    let server = Server::new(|r| match r.path.as_str() {
        "/software/99.html" => Some(Reply::html(
            "<h1><span>题山</span></h1><span class=\"version\">版本: 3.2</span><span class=\"one-setup-btn\" data_package=\"cn.example.tishan\"></span>\
             <div class=\"introduction\"><p class=\"brief-long\">拍照搜题</p></div><a class=\"apk\" href=\"/b.apk\">下载</a>",
        )),
        "/detail/index/soft_id/5" => Some(Reply::html(
            "<h2 id=\"app-name\"><span title=\"题山\">题山</span></h2><script>var detail = {'pname': \"cn.example.tishan\"};</script>\
             <td><strong>作者：</strong>示例科技</td><td><strong>版本：</strong>3.2</td><div class=\"breif\">拍照搜题</div>",
        )),
        "/b.apk" => Some(apk("photosearch.apk")),
        _ => None,
    });
    is_tishan(&audit(&server, "baidu", &format!("{}/software/99.html", server.base)), "baidu", "题山");
    let report = audit(&server, "s360", &format!("{}/detail/index/soft_id/5", server.base));
    let app = &report["audits"][0]["app"];
    assert_eq!(
        (&app["title"], &app["package"], &app["developer"]),
        (&json!("题山"), &json!("cn.example.tishan"), &json!("示例科技"))
    );
}

#[test]
fn google_play_and_apple_are_listings() {
    let server = Server::new(|r| match r.path.split('?').next()? {
        "/store/apps/details" => Some(Reply::html(
            "<script type=\"application/ld+json\">{\"@context\":\"https://schema.org\",\"@type\":\"SoftwareApplication\",\"name\":\"Tishan\",\
             \"applicationCategory\":\"EDUCATION\",\"contentRating\":\"Everyone\",\"author\":{\"@type\":\"Person\",\"name\":\"Example\"}}</script>\
             <div data-g-id=\"description\">拍照搜题<br>一拍就会</div>\
             <script>AF_initDataCallback({key: 'ds:5', hash: '1', data:[null,[null,null,[]]], sideChannel: {}});</script>",
        )),
        "/lookup" if r.path.contains("cn.example.tishan") || r.path.contains("id=42") => {
            Some(Reply::json(&json!({"resultCount": 1,
            "results": [{"trackId": 42, "bundleId": "cn.example.tishan", "trackName": "题山", "description": "拍照搜题",
                "sellerName": "示例科技", "genres": ["教育", "参考"], "contentAdvisoryRating": "4+", "version": "3.2",
                "screenshotUrls": ["https://is1.example/1.png"], "trackViewUrl": "https://apps.apple.com/cn/app/id42"}]})))
        }
        "/lookup" => Some(Reply::json(&json!({"resultCount": 0, "results": []}))),
        _ => None,
    });
    let play = audit(&server, "google-play", "google-play:cn.example.tishan");
    assert_eq!(play["audits"][0]["app"]["title"], "Tishan", "{play}");
    assert_eq!(play["audits"][0]["app"]["developer"], "Example");
    assert_eq!(audit(&server, "apple", "apple:cn.example.tishan")["audits"][0]["app"]["id"], "42");
    assert_eq!(
        audit(&server, "apple", &format!("{}/cn/app/tishan/id42", server.base))["audits"][0]["app"]["title"],
        "题山"
    );
    let missing = audit(&server, "apple", "apple:cn.example.nobody");
    assert!(missing["skipped"][0]["reason"].as_str().unwrap().starts_with("not-found"), "{missing}");
}

#[test]
fn any_page_and_a_sitemap_of_pages() {
    let server = Server::new(|r| {
        let host = format!("http://{}", r.header("host"));
        match r.path.as_str() {
            "/apps/tishan" => Some(Reply::html(
                "<script type=\"application/ld+json\">{\"@graph\":[{\"@type\":\"WebPage\"},{\"@type\":[\"MobileApplication\"],\"name\":\"题山\",\
                 \"identifier\":\"cn.example.tishan\",\"description\":\"拍照搜题\"}]}</script><a href=\"/f/tishan.apk\">下载</a>",
            )),
            "/apps/og" => Some(Reply::html(
                "<meta property=\"og:title\" content=\"校园通知\"><meta property=\"og:description\" content=\"课表\">",
            )),
            "/sitemap.xml" => Some(Reply::new(
                200,
                "application/xml",
                format!("<sitemapindex><sitemap><loc>{host}/sitemap-1.xml</loc></sitemap></sitemapindex>"),
            )),
            "/sitemap-1.xml" => Some(Reply::new(
                200,
                "application/xml",
                format!(
                    "<urlset><url><loc>{host}/apps/tishan</loc><lastmod>2026-01-01</lastmod></url><url><loc>{host}/apps/og</loc></url></urlset>"
                ),
            )),
            "/f/tishan.apk" => Some(apk("photosearch.apk")),
            "/apps/nothing" => Some(Reply::html("<p>没有名字</p>")),
            _ => None,
        }
    });
    let at = |path: &str| {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), &server, &[]);
        report(&xunjian(&["audit", &format!("{}{path}", server.base), "--format", "json", "--config", &config]))
    };
    is_tishan(&at("/apps/tishan"), "page", "题山");
    let both = at("/sitemap.xml");
    let titles: Vec<_> =
        both["audits"].as_array().unwrap().iter().map(|a| a["app"]["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["题山", "校园通知"], "{both}");
    let nothing = at("/apps/nothing");
    assert!(nothing["skipped"][0]["reason"].as_str().unwrap().starts_with("adapter-broken"), "{nothing}");
}

#[test]
fn a_required_field_gone_is_the_adapters_fault_and_the_page_is_kept() {
    let server = Server::new(|r| match r.path.as_str() {
        "/apps/cn.example.tishan" => Some(Reply::html(WANDOUJIA.replace("data-title", "data-name"))),
        _ => None,
    });
    let report = audit(&server, "wandoujia", "wandoujia:cn.example.tishan");
    assert_eq!(report["audits"], json!([]), "never an empty listing");
    let reason = report["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("adapter-broken") && reason.contains("title"), "{reason}");
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().display().to_string();
    let output = run(&server, "wandoujia", &["store", "check", "wandoujia", "cn.example.tishan", "--keep", &keep]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("adapter-broken"), "{}", stdout(&output));
    let kept =
        std::fs::read_to_string(std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path()).unwrap();
    assert!(kept.contains("data-name"), "{kept}");
}

#[test]
fn hostile_names_never_become_paths_or_requests() {
    let server = Server::new(|r| match r.path.split('?').next()? {
        "/search" => Some(Reply::json(&json!({"resultCount": 3, "results": [
            {"trackId": 1, "bundleId": "../../etc/passwd", "trackName": "甲", "description": "x"},
            {"trackId": 2, "bundleId": "cn.example.ok", "trackName": "乙\u{202e}gnp.exe\u{0007}", "description": "x\u{0000}y"},
            {"trackId": 2, "bundleId": "cn.example.ok", "trackName": "乙", "description": "again"}]}))),
        _ => None,
    });
    let report = audit(&server, "apple", "apple:?x");
    assert_eq!(report["audits"].as_array().map(Vec::len), Some(1), "one of them twice: {report}");
    assert_eq!(report["audits"][0]["app"]["title"], "乙gnp.exe");
    let reason = report["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("1 of 3 items lack") && reason.contains("package"), "{reason}");
}

#[test]
fn endless_lists_end_at_the_cap_and_circles_are_noticed() {
    let server = Server::new(|r| {
        let page: u32 = r.path.split("page_index=").nth(1)?.split('&').next()?.parse().ok()?;
        let id = if r.path.contains("key=circle") { 1 } else { page };
        Some(Reply::json(&json!({"data": {"appSearchResponse": {"value": [{"id": id, "title_zh": "题山"}]}}})))
    });
    let report = audit(&server, "vivo", "vivo:?endless");
    let lists = server.paths().iter().filter(|p| p.contains("key=endless")).count();
    assert_eq!(lists, 5, "caps.pages");
    assert!(
        report["skipped"]
            .as_array()
            .unwrap()
            .iter()
            .any(|s| s["reason"].as_str().unwrap().contains("goes on after 5 pages"))
    );
    audit(&server, "vivo", "vivo:?circle");
    assert_eq!(server.paths().iter().filter(|p| p.contains("key=circle")).count(), 2);
}

#[test]
fn a_package_that_cannot_be_had_leaves_the_listing_and_says_so() {
    let server = Server::new(|r| match r.path.as_str() {
        "/apps/cn.example.tishan" => Some(Reply::html(WANDOUJIA)),
        "/d/t.apk" => Some(Reply::html("请先登录")),
        _ => None,
    });
    let report = audit(&server, "wandoujia", "wandoujia:cn.example.tishan");
    assert_eq!(report["audits"][0]["app"]["title"], "题山");
    assert_eq!(report["audits"][0]["artifacts"], json!([]));
    let reason = report["skipped"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("adapter-broken") && reason.contains("instead of a package"), "{reason}");
}

#[test]
fn words_go_to_every_store_that_can_search() {
    let server = Server::new(huawei);
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &server, &["huawei", "honor", "samsung", "tencent", "vivo", "apple", "fdroid"]);
    let report = report(&xunjian(&["audit", "*:?题山", "--format", "json", "--config", &config]));
    assert_eq!(report["audits"].as_array().map(Vec::len), Some(1), "{report}");
    let skipped: Vec<_> = report["skipped"].as_array().unwrap().iter().map(|s| s["target"].as_str().unwrap()).collect();
    assert_eq!(
        skipped,
        ["apple:?题山", "fdroid:?题山", "honor:?题山", "samsung:?题山", "tencent:?题山", "vivo:?题山"],
        "no store is passed over in silence"
    );
}

#[test]
fn stores_are_listed_and_a_folder_adds_and_replaces() {
    let output = xunjian(&["store", "list", "--lang", "en"]);
    let text = stdout(&output);
    for id in [
        "apkpure",
        "apple",
        "aptoide",
        "baidu",
        "coolapk",
        "fdroid",
        "google-play",
        "honor",
        "huawei",
        "oppo",
        "page",
        "s360",
        "samsung",
        "taptap",
        "tencent",
        "vivo",
        "wandoujia",
        "xiaomi",
    ] {
        assert!(text.lines().any(|line| line.starts_with(&format!("{id}\t"))), "{id}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let good = "title = { zh = \"我的\", en = \"mine\" }\nseen = \"now\"\n[hosts]\na = \"http://a.example\"\n\
                [start]\npackage = \"p\"\n[steps.p]\nurl = \"{a}/{package}\"\nfields = { title = { from = \"$.t\", required = true } }\n";
    std::fs::write(&file, good).unwrap();
    let dir = folder.path().display().to_string();
    assert!(stdout(&xunjian(&["store", "list", "--stores", &dir])).contains("mine\t我的"));
    for (from, to, says) in [
        ("$.t", "$.[", "mine.toml:9:"),
        ("required", "requird", "mine.toml:9:"),
        ("title = { from", "titel = { from", "no field `titel`"),
        ("package = \"p\"", "package = \"q\"", "no step `q`"),
        ("{a}/", "{b}/", "begins with a host"),
        ("a = \"http", "page = \"http", "a host cannot be called `page`"),
        ("seen", "sene", "mine.toml:2:1"),
    ] {
        std::fs::write(&file, good.replace(from, to)).unwrap();
        let output = xunjian(&["store", "list", "--stores", &dir]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        assert!(stderr(&output).contains(says), "{to}: {}", stderr(&output));
    }
}

#[test]
fn the_configuration_is_shown_with_its_words_and_faults_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "[network]\nproxy = \"http://u:pw@proxy.example\"\n").unwrap();
    let config = path.display().to_string();
    let chinese = stdout(&xunjian(&["config", "show", "--config", &config]));
    assert!(chinese.contains("# 写入 User-Agent 的邮箱或网址") && !chinese.contains("# Mail"), "{chinese}");
    let text = stdout(&xunjian(&["config", "show", "--config", &config, "--lang", "en"]));
    assert!(
        text.contains("# Mail or web address") && text.contains("********@proxy.example") && !text.contains("pw"),
        "{text}"
    );
    std::fs::write(&path, "[network]\nprxy = 1\n").unwrap();
    let output = xunjian(&["config", "show", "--config", &config]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("c.toml:2:1"), "{}", stderr(&output));
}

#[test]
fn loopback_is_refused_unless_allowed() {
    let server = Server::new(|_| Some(Reply::html("<h1>inside</h1>")));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "[network]\ncontact = \"ops@inspector.example\"\n").unwrap();
    let url = format!("{}/app", server.base);
    let report = report(&xunjian(&["audit", &url, "--format", "json", "--config", &path.display().to_string()]));
    assert!(report["skipped"][0]["reason"].as_str().unwrap().contains("not a public address"), "{report}");
    assert!(server.log().is_empty());
}

/// The example of the documentation is a store that loads.
#[test]
fn the_documented_file_loads() {
    let page = std::fs::read_to_string(project("docs/stores.md")).unwrap();
    let example = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("example.toml"), example).unwrap();
    let output = xunjian(&["store", "list", "--stores", &folder.path().display().to_string()]);
    assert!(stdout(&output).contains("example\t示例商店"), "{}", stderr(&output));
}

/// Stores of which only what public clients read is known, each in that shape.
#[test]
fn honor_taptap_apkpure_aptoide_and_oppo() {
    let server = Server::new(|r| {
        let file = format!("http://{}/f.apk", r.header("host"));
        match r.path.split('?').next()? {
            "/market/searchapi/v2/app/list" if r.method == "POST" => {
                let item = |package: &str| {
                    json!({"name": "题山", "pName": package, "developer": "示例科技", "verName": "3.2",
                    "verCode": 32, "brief": "拍照搜题", "downUrl": file})
                };
                let first = r.body.contains("\"start\":0");
                let all = if first { vec![item("cn.example.other"), item("cn.example.tishan")] } else { Vec::new() };
                Some(Reply::json(&json!({"data": {"appLst": all}})))
            }
            "/webapiv2/app/v3/detail" if r.path.contains("X-UA=V%3D1%26PN%3DWebApp") => {
                Some(Reply::json(&json!({"data": {"app": {
                "id": 7, "title": "题山", "description": {"text": "拍照搜题"}, "download": {"apk": {"version_name": "3.2"}}}}})))
            }
            "/v3/get_app_his_version" => Some(Reply::json(&json!({"version_list": [
                {"package_name": "cn.example.tishan", "title": "题山", "whatsnew": "拍照搜题", "version_name": "3.2", "version_code": 32, "asset": {"url": file}},
                {"package_name": "cn.example.tishan", "title": "题山", "version_name": "3.1"}]}))),
            "/api/7/getApp/app_id/7" => Some(Reply::json(&json!({"nodes": {"meta": {"data": {"id": 7, "name": "题山",
                "package": "cn.example.tishan", "media": {"description": "拍照搜题"}, "file": {"vername": "3.2", "vercode": 32, "path": file}}}}}))),
            "/f.apk" => Some(apk("photosearch.apk")),
            _ => None,
        }
    });
    is_tishan(&audit(&server, "honor", "honor:cn.example.tishan"), "honor", "题山");
    is_tishan(&audit(&server, "apkpure", "apkpure:cn.example.tishan"), "apkpure", "题山");
    is_tishan(&audit(&server, "aptoide", &format!("{}/api/7/getApp/app_id/7", server.base)), "aptoide", "题山");
    let taptap = audit(&server, "taptap", &format!("{}/app/7", server.base));
    assert_eq!(taptap["audits"][0]["app"]["version_name"], "3.2", "{taptap}");
    assert!(taptap["audits"][0]["findings"].as_array().unwrap().iter().any(|f| f["sign"] == "photo-search"));
}

#[test]
fn samsung_speaks_xml_and_its_site_json() {
    let value = |name: &str, text: &str| format!("<value name=\"{name}\">{text}</value>");
    let answer = move |list: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SamsungProtocol version=\"6.5\"><response id=\"2040\" returnCode=\"0\">\
             <errorInfo><errorString errorCode=\"0\"/></errorInfo>{list}</response></SamsungProtocol>"
        )
    };
    let server = Server::new(move |r| match r.path.split('?').next()? {
        "/ods.as" if r.body.contains("<param name=\"keyword\">拍照 &lt;搜题&gt;</param>") => {
            let app = [
                value("productID", "000007"),
                value("GUID", "cn.example.tishan"),
                value("productName", "题山 &amp; 题"),
            ];
            let list = format!(
                "<list numValue=\"1\">{}</list><list numValue=\"3\">{}</list>",
                value("keyword", "x"),
                app.concat()
            );
            Some(Reply::new(200, "application/xml", answer(&list)))
        }
        "/ods.as" if r.body.contains("nothing") => Some(Reply::new(200, "application/xml", answer(""))),
        "/ods.as" => Some(Reply::new(200, "application/xml", "<?xml version=\"1.0\"?><html><body>503</body></html>")),
        "/api/detail/cn.example.tishan" => Some(Reply::json(&json!({"appId": "cn.example.tishan", "DetailMain": {
            "contentName": "题山", "contentDescription": "拍照搜题，一拍就会", "sellerName": "示例科技", "contentBinaryVersion": "3.2"}}))),
        "/api/detail/com.nobody.knows" => Some(Reply::json(&json!({"errCode": "9901", "errMsg": "gone"}))),
        _ => None,
    });
    for target in
        ["samsung:cn.example.tishan", "samsung:?拍照 <搜题>", &format!("{}/detail/cn.example.tishan", server.base)]
    {
        let report = audit(&server, "samsung", target);
        let app = &report["audits"][0]["app"];
        assert_eq!((&app["title"], &app["version_name"]), (&json!("题山"), &json!("3.2")), "{target}: {report}");
        assert!(report["audits"][0]["findings"].as_array().unwrap().iter().any(|f| f["sign"] == "photo-search"));
    }
    for (target, outcome) in [
        ("samsung:com.nobody.knows", "not-found"),
        ("samsung:?nothing", "not-found"),
        ("samsung:?odd", "adapter-broken"),
    ] {
        let report = audit(&server, "samsung", target);
        assert!(report["skipped"][0]["reason"].as_str().unwrap().starts_with(outcome), "{target}: {report}");
    }
}

#[test]
fn vivo_asks_for_no_more_than_it_needs_and_google_plays_newer_pages_are_read() {
    let server = Server::new(|r| {
        let app = |n: u32| {
            json!({"id": 100 + n, "title_zh": format!("题山{n}"), "package_name": format!("cn.example.t{n}"),
            "developer": "x", "version_name": "1.0", "version_code": 1, "introduction": "拍照搜题"})
        };
        match r.path.split('?').next()? {
            "/h5appstore/search/result-list" => {
                let all: Vec<_> = (0..20).map(app).collect();
                Some(Reply::json(&json!({"code": 0, "data": {"appSearchResponse": {"maxPage": 1, "value": all}}})))
            }
            "/store/apps/details" => {
                let mut root = vec![Value::Null; 146];
                root.push(json!({"141": [[["9.9.9"]]], "145": [null, [null, "更新：新增拍照搜题"]]}));
                let data = json!([null, [null, null, root]]);
                Some(Reply::html(format!(
                    "<script type=\"application/ld+json\">{{\"@type\":\"SoftwareApplication\",\"name\":\"题山\"}}</script>\
                     <div data-g-id=\"description\">学习</div><script>AF_initDataCallback({{key: 'ds:5', data:{data}}});</script>"
                )))
            }
            path => {
                let id: u32 = path.strip_prefix("/detail/")?.parse().ok()?;
                Some(Reply::json(&app(id - 100)))
            }
        }
    });
    let vivo = audit(&server, "vivo", "vivo:cn.example.t3");
    assert_eq!(vivo["audits"][0]["app"]["title"], "题山3", "{vivo}");
    assert_eq!(server.paths().len(), 2, "{:?}", server.paths());
    let play = audit(&server, "google-play", "google-play:cn.example.tishan");
    assert_eq!(play["audits"][0]["app"]["version_name"], "9.9.9", "{play}");
    assert!(play["audits"][0]["findings"].as_array().unwrap().iter().any(|f| f["sign"] == "photo-search"), "{play}");
}

/// Pages that are not the app's, for whoever reads any page: each told for what it is, those that lead on followed.
#[test]
fn pages_that_are_no_apps_are_told_apart_or_followed() {
    let server = Server::new(|r| {
        let page =
            |head: &str| Some(Reply::html(format!("<html><head>{head}</head><body><h1>题山</h1></body></html>")));
        let named = |name: &str| Some(Reply::html(format!("<title>{name}</title><body><h1>{name}</h1></body>")));
        match r.path.split('?').next()? {
            "/real" => page(
                "<meta property=\"og:title\" content=\"题山\"><meta name=\"Description\" content=\"一键拍照搜题，秒出解析\">",
            ),
            "/refresh" => Some(Reply::html(
                "<meta http-equiv=\"refresh\" content=\"0; url=/real?id=cn.example.a\"><title>正在跳转</title><h1>正在跳转</h1>",
            )),
            "/js" => Some(Reply::html("<h1>Loading…</h1><script>location.href=\"/real?id=cn.example.a\"</script>")),
            "/circle" => Some(Reply::html("<script>location.replace('/circle?x=1')</script>")),
            "/raw" => Some(Reply::redirect(&xunjian::model::fetch::octets_text(
                &encoding_rs::GBK.encode("/详情?id=cn.example.a").0,
            ))),
            "/%CF%EA%C7%E9" => {
                page("<meta property=\"og:title\" content=\"题山\"><meta name=\"description\" content=\"拍照搜题\">")
            }
            "/soft404" => named("404 页面不存在"),
            "/cf" => named("Just a moment..."),
            "/login" => named("请登录"),
            _ => None,
        }
    });
    let at = |path: &str| {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), &server, &[]);
        report(&xunjian(&[
            "audit",
            &format!("{}{path}?id=cn.example.a", server.base),
            "--format",
            "json",
            "--config",
            &config,
        ]))
    };
    for path in ["/real", "/refresh", "/js", "/raw"] {
        let read = at(path);
        assert_eq!(read["audits"][0]["app"]["title"], "题山", "{path}: {read}");
        assert!(
            read["audits"][0]["findings"].as_array().unwrap().iter().any(|f| f["sign"] == "photo-search"),
            "{path}"
        );
    }
    for (path, outcome) in
        [("/soft404", "not-found"), ("/cf", "throttled"), ("/login", "login-wanted"), ("/circle", "adapter-broken")]
    {
        let told = at(path);
        assert_eq!(told["audits"], json!([]), "{path}: {told}");
        assert!(told["skipped"][0]["reason"].as_str().unwrap().starts_with(outcome), "{path}: {told}");
    }
    let hash = at("/#/app/C100");
    assert!(hash["skipped"][0]["reason"].as_str().unwrap().contains("behind `#`"), "{hash}");
}
