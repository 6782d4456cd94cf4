//! Which of several texts a phone set to simplified Chinese shows.
//!
//! Android matches by language and script (`LocaleDataCompareRegions` and `ResTable_config::match`
//! of `ResourceTypes.cpp`): `zh-Hans-CN` takes `zh`, `zh-rCN`, `zh-rSG` and `b+zh+Hans`, else the
//! default; `zh-rTW` and `zh-rHK` are written in another script and never match. HarmonyOS and
//! iOS do likewise, the latter with the language of development for a default. One rule is
//! ours: where the default says nothing in Chinese, a name in traditional characters comes
//! before it, for it tells a reviewer more.

use crate::signature::is_han;

/// Language, script and region of a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Locale<'a> {
    language: &'a str,
    script: &'a str,
    region: &'a str,
}

impl<'a> Locale<'a> {
    /// Reads `zh-rCN`, `mcc460-zh-rCN-v21`, `b+zh+Hans+CN`, `zh_CN`, `zh-Hant`.
    fn of(config: &'a str) -> Self {
        let mut locale = Self::default();
        for part in config.split(['-', '_']) {
            if let Some(tags) = part.strip_prefix("b+") {
                tags.split('+').for_each(|tag| locale.tag(tag));
                return locale;
            }
            // Telephone networks stand before, sizes and versions behind.
            if part.starts_with("mcc") || part.starts_with("mnc") {
                continue;
            }
            let region = part.strip_prefix('r').filter(|region| region.len() == 2).unwrap_or(part);
            let is_tag = locale.language.is_empty()
                || matches!(region.len(), 2 | 4) && region.starts_with(|c: char| c.is_ascii_uppercase());
            if !is_tag {
                return locale;
            }
            locale.tag(region);
        }
        locale
    }

    fn tag(&mut self, tag: &'a str) {
        let is = |test: fn(&u8) -> bool| tag.bytes().all(|b| test(&b));
        match tag.len() {
            2 | 3 if self.language.is_empty() && is(u8::is_ascii_lowercase) => self.language = tag,
            4 if tag.starts_with(|c: char| c.is_ascii_uppercase()) => self.script = tag,
            2 | 3 if is(u8::is_ascii_uppercase) => self.region = tag,
            _ => {}
        }
    }

    fn is_traditional(&self) -> bool {
        self.script == "Hant" || self.script.is_empty() && ["TW", "HK", "MO"].contains(&self.region)
    }
}

/// Place of a configuration on such a phone, the one it shows first: simplified Chinese, the
/// region first; the default; traditional Chinese; English; the rest.
fn order(config: &str, default_is_chinese: bool) -> u8 {
    let locale = Locale::of(config);
    match (locale.language, locale.is_traditional()) {
        ("zh", false) if locale.region == "CN" => 0,
        ("zh", false) if locale.region.is_empty() => 1,
        ("zh", false) => 2,
        ("zh", true) if default_is_chinese => 5,
        ("zh", true) => 3,
        ("", _) => 4,
        ("en", _) => 6,
        _ => 7,
    }
}

/// Puts texts of one resource in order: (configuration, text).
pub fn arrange(texts: &mut Vec<(String, String)>) {
    let is_default = |config: &str| Locale::of(config).language.is_empty();
    let default_is_chinese = texts.iter().any(|(config, text)| is_default(config) && text.chars().any(is_han));
    texts.sort_by_cached_key(|(config, text)| (order(config, default_is_chinese), config.clone(), text.clone()));
    texts.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(texts: &[(&str, &str)]) -> String {
        let mut texts = texts.iter().map(|(c, t)| ((*c).to_owned(), (*t).to_owned())).collect();
        arrange(&mut texts);
        texts[0].1.clone()
    }

    #[test]
    fn a_phone_in_simplified_chinese_shows() {
        for texts in [
            &[("zh-rTW", "王臺"), ("", "王"), ("en", "King")][..],
            &[("b+zh+Hans", "王"), ("b+zh+Hant", "王臺"), ("", "Snap")],
            &[("b+zh+Hans+CN", "王"), ("zh-rTW", "王臺"), ("", "Snap")],
            &[("zh-rCN", "王"), ("zh", "汪"), ("zh-rSG", "旺"), ("", "Snap")],
            &[("zh-rSG", "王"), ("zh-rHK", "王臺"), ("", "Snap")],
            &[("mcc460-zh-rCN-v21", "王"), ("", "Snap"), ("en", "Snap")],
            &[("zh_CN", "王"), ("zh-Hant", "王臺"), ("", "Snap")],
            &[("zh-Hans-CN", "王"), ("zh-Hant-TW", "王臺")],
            &[("zh-rHK", "王"), ("", "Snap")],
            &[("", "王"), ("zh-Hant", "王臺")],
            &[("", "王"), ("en", "King"), ("ja", "キング")],
            &[("en", "王"), ("fr", "Roi")],
        ] {
            assert_eq!(first(texts), "王", "{texts:?}");
        }
    }
}
