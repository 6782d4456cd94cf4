//! A store of our own whose apps change at a word: their texts, their packages, whether they are
//! listed, and whether their packages can be had.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;
use xunjian::model::Listing;

use super::project;
use super::server::{Reply, Server};

/// One app as the store shows it now.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub version: u64,
    /// Its text promises what the notice bars.
    pub words: bool,
    /// Its package holds what the notice bars; `None`: it promises no package.
    pub package: Option<bool>,
    /// The package can be had.
    pub readable: bool,
    pub listed: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { version: 1, words: false, package: Some(true), readable: true, listed: true }
    }
}

/// The running store.
pub struct Shop {
    pub server: Server,
    pub apps: Arc<Mutex<Vec<Shown>>>,
}

pub fn name_of(number: usize) -> String {
    format!("cn.example.shop{number}")
}

pub fn description_of(words: bool) -> &'static str {
    if words {
        "学习工具。拍照搜题，拍一拍秒出答案和解析，支持小学初中高中作业。"
    } else {
        "学习工具。"
    }
}

/// Bytes of the package that holds what the notice bars, or of one that does not.
pub fn package_of(barred: bool) -> Vec<u8> {
    let name = if barred { "photosearch" } else { "cleanedu" };
    std::fs::read(project(&format!("tests/fixtures/apks/{name}.apk"))).unwrap()
}

impl Shop {
    pub fn open(apps: usize) -> Self {
        let apps = Arc::new(Mutex::new(vec![Shown::default(); apps]));
        let shown = Arc::clone(&apps);
        let packages = [package_of(false), package_of(true)];
        let server = Server::new(move |request| {
            let apps = shown.lock().unwrap();
            let app = |path: &str, prefix: &str| {
                let rest = path.strip_prefix(prefix)?.strip_prefix("cn.example.shop")?;
                let number: usize = rest.split('?').next()?.parse().ok()?;
                apps.get(number).map(|app| (number, *app))
            };
            if request.path == "/list" {
                let all = apps
                    .iter()
                    .enumerate()
                    .filter(|(_, app)| app.listed)
                    .map(|(n, app)| json!({ "package": name_of(n), "version": format!("{}", app.version) }));
                return Some(Reply::json(&json!({ "apps": all.collect::<Vec<_>>() })));
            }
            if let Some((number, app)) = app(&request.path, "/app/") {
                let mut page = json!({ "package": name_of(number), "title": "题闪", "developer": "示例公司",
                    "description": description_of(app.words), "version": app.version });
                if app.package.is_some() {
                    page["download"] = json!(format!("/apk/{}?v={}", name_of(number), app.version));
                }
                return Some(Reply::json(&page));
            }
            let (_, app) = app(&request.path, "/apk/")?;
            let package = app.package.filter(|_| app.readable)?;
            Some(Reply::file(packages[usize::from(package)].clone()))
        });
        Self { server, apps }
    }

    /// Writes the store's adapter into `folder`: `shop.toml`.
    pub fn adapter(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let text = format!(
            r#"
title = {{ zh = "测试商店", en = "test store" }}
seen = "2026"

[hosts]
main = "{base}"

[pace]
every = 0.0
at-once = 4

[start]
catalogue = "list"
package = "app"

[steps.list]
url = "{{main}}/list"
items = "$.apps[*]"
then = "app"

[steps.list.fields]
package = {{ from = "$.package", required = true }}
version_code = "$.version"

[steps.app]
url = "{{main}}/app/{{package}}"

[steps.app.fields]
package = {{ from = "$.package", required = true }}
title = {{ from = "$.title", required = true }}
developer = "$.developer"
description = "$.description"
version_code = "$.version"
download_url = "$.download"
"#,
            base = self.server.base
        );
        std::fs::write(folder.join("shop.toml"), text).unwrap();
    }

    /// The listing of an app as the store tells it.
    pub fn listing(&self, number: usize) -> Listing {
        let app = self.apps.lock().unwrap()[number];
        Listing {
            store: "shop".into(),
            package: name_of(number),
            title: "题闪".into(),
            developer: "示例公司".into(),
            description: description_of(app.words).into(),
            version_code: app.version,
            ..Listing::default()
        }
    }

    pub fn change(&self, number: usize, change: impl FnOnce(&mut Shown)) {
        change(&mut self.apps.lock().unwrap()[number]);
    }
}
