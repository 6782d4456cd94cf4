//! The start page of an app that is a shell around web pages, where the package says
//! that it lies on a server: then what people see is not in the package.
//!
//! Sources: Cordova's `config.xml` (<https://cordova.apache.org/docs/en/latest/config_ref/>,
//! `<content src>`), Capacitor's `server.url`
//! (<https://capacitorjs.com/docs/config>), the manifest of DCloud's 5+ and uni-app
//! (<https://uniapp.dcloud.net.cn/collocation/manifest.html>, `launch_path`), GoNative's
//! `appConfig.json`, and the `DEFAULT_URL` of Trusted Web Activities
//! (<https://github.com/GoogleChrome/android-browser-helper>).

use apk_info_axml::AXML;
use serde_json::Value;

use super::{Input, chunks};
use crate::model::{Limit, LimitCode};

/// Meta-data that names the start page of a Trusted Web Activity.
pub(super) const TRUSTED_WEB: &str = "android.support.customtabs.trusted.DEFAULT_URL";
/// A configuration is small.
const CONFIG_MAX: usize = 1 << 20;
/// Longest address shown.
const ADDRESS_MAX: usize = 300;

/// The limit, if the configuration file `path` sends people to a server.
pub(super) fn of_file(path: &str, input: Input<'_>) -> Option<Limit> {
    let bytes = input.bytes();
    if bytes.len() > CONFIG_MAX {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let said = match name {
        "config.xml" => cordova(input)?,
        "capacitor.config.json" => json(bytes)?.pointer("/server/url")?.as_str()?.to_owned(),
        "appConfig.json" => json(bytes)?.pointer("/general/initialUrl")?.as_str()?.to_owned(),
        "manifest.json" => json(bytes)?.get("launch_path")?.as_str()?.to_owned(),
        _ => return None,
    };
    of_address(&said, input.place)
}

/// The limit, if `address` is a page on a server.
pub(super) fn of_address(address: &str, place: &str) -> Option<Limit> {
    let address = address.trim();
    is_remote(address).then(|| {
        let shown: String = address.chars().take(ADDRESS_MAX).collect();
        Limit::new(LimitCode::RemoteContent, place, shown)
    })
}

/// An `http` address of another machine: not the device itself nor a developer's desk.
pub(crate) fn is_remote(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) else { return false };
    let host = rest.split(['/', ':', '?', '#']).next().unwrap_or(rest);
    let is_local = host == "localhost"
        || ["127.", "10.", "192.168.", "0.0.0.0"].iter().any(|start| host.starts_with(start))
        || host.ends_with(".local");
    host.contains('.') && !is_local
}

fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()
}

/// `<content src="…">`: compiled in a package, text in a bundle of iOS.
fn cordova(input: Input<'_>) -> Option<String> {
    if let Ok(tidy) = chunks::document(input) {
        let document = AXML::new(&mut tidy.bytes.as_slice(), None).ok()?;
        let content = document.root.descendants().find(|element| element.name() == "content")?;
        return content.attr("src").map(str::to_owned);
    }
    let text = std::str::from_utf8(input.bytes()).ok()?;
    let element = text.split("<content").nth(1)?.split('>').next()?;
    element.split("src=").nth(1)?.trim_start().split(['"', '\'']).nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Budget, Meter};

    fn shown(path: &str, text: &str) -> Option<String> {
        let budget = Budget::default();
        let meter = Meter::new(&budget, text.len());
        of_file(path, Input::new(text.as_bytes(), "", &meter)).map(|limit| limit.detail)
    }

    #[test]
    fn a_start_page_on_a_server_is_shown() {
        for (path, text) in [
            ("config.xml", "<widget><content src=\"https://m.example.cn/\" /></widget>"),
            ("assets/capacitor.config.json", "{\"server\":{\"url\":\"https://m.example.cn/\"}}"),
            ("assets/apps/H5/www/manifest.json", "\u{feff}{\"launch_path\":\"https://m.example.cn/\"}"),
            ("assets/appConfig.json", "{\"general\":{\"initialUrl\":\"https://m.example.cn/\"}}"),
        ] {
            assert_eq!(shown(path, text).as_deref(), Some("https://m.example.cn/"), "{path}");
        }
    }

    #[test]
    fn a_page_of_the_package_or_of_the_device_is_not_remote() {
        for (path, text) in [
            ("config.xml", "<widget><content src=\"index.html\" /></widget>"),
            ("assets/capacitor.config.json", "{\"server\":{\"url\":\"http://192.168.1.2:8100\"}}"),
            ("assets/capacitor.config.json", "{\"server\":{\"androidScheme\":\"https\"}}"),
            ("assets/apps/H5/www/manifest.json", "{\"launch_path\":\"index.html\"}"),
            ("assets/www/other.json", "{\"launch_path\":\"https://m.example.cn/\"}"),
        ] {
            assert_eq!(shown(path, text), None, "{path} {text}");
        }
    }
}
