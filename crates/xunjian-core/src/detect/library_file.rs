//! Files of a package that belong to no vendor's words: they came with a library.
//!
//! A list of public suffixes holds `cpa`, a cryptographic library `SSCD`, a licence what licences say,
//! a table of locales every language's months. Wording is not looked for in them; addresses are.

use crate::model::{Block, Kind};
use crate::signature::is_han;

/// Parts of paths, in lower case, below which only libraries, build tools and lawyers write.
const PARTS: &[&str] = &[
    "publicsuffix",
    "public_suffix",
    "meta-inf/",
    "bouncycastle",
    "/icudt",
    "/com/ibm/icu/",
    "license",
    "licence",
    "/notice",
    "third_party",
    "third-party",
    "thirdparty",
    "open_source",
    "opensource",
    "open-source",
    "acknowledgement",
    "node_modules/",
    "cordova-js-src",
    "cordova_plugins",
    "www/plugins/cordova-",
    "www/cordova",
    "kotlin/",
    "org/joda/time/",
    "org/apache/",
    "okhttp3/",
    "timezone",
    "tzdata",
    "zoneinfo",
    "/emoji",
    "pinyindb",
    "unicode_to_",
    "stopwords",
    "proguard",
    "sensitive",
    "badword",
];

/// Beginnings of file names of frameworks for pages.
const NAMES: &[&str] = &[
    "jquery",
    "zepto",
    "bootstrap",
    "vue.",
    "vue-",
    "vuex",
    "vant",
    "element-ui",
    "echarts",
    "highcharts",
    "d3.",
    "moment",
    "angular",
    "react.",
    "react-dom",
    "polyfill",
    "lodash",
    "underscore",
    "hammer",
    "swiper",
    "fastclick",
    "mathjax",
    "katex",
    "tinymce",
    "ckeditor",
    "codemirror",
    "pdf.",
    "cordova",
    "require.",
    "backbone",
    "three.",
    "pixi",
    "phaser",
    "cocos2d",
    "hls.",
    "video.",
    "babel",
    "core-js",
    "layui",
    "layer.",
    "mui.",
    "weui",
    "framework7",
    "ionic",
    "popper",
    "select2",
    "datatables",
    "iscroll",
    "crypto-js",
    "jszip",
    "proj4",
    "leaflet",
    "ol.",
    "createjs",
    "egret",
    "laya.",
];

/// Han characters in a row, at least, that make a sentence for a reader.
const PROSE: usize = 12;

/// Whether the block came with a library, by its path.
pub(super) fn is_one(block: &Block) -> bool {
    // Constants of DEX code are told with who uses them, and code that hides has no path to be told by.
    let is_constant = block.kind == Kind::Code && &*block.unit == "string";
    if !matches!(block.kind, Kind::Asset | Kind::Native | Kind::Code) || is_constant {
        return false;
    }
    let path = block.place.rsplit("!/").next().unwrap_or(&block.place).to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    PARTS.iter().any(|part| path.contains(part))
        || [".js", ".mjs", ".css"].iter().any(|end| name.ends_with(end)) && NAMES.iter().any(|n| name.starts_with(n))
}

/// Whether a text is prose: many Han characters in a row.
pub(super) fn is_prose(text: &str) -> bool {
    let mut row = 0;
    text.chars().any(|c| {
        row = if is_han(c) || matches!(c, '，' | '、' | '“' | '”' | '《' | '》') { row + 1 } else { 0 };
        row >= PROSE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_by_their_paths() {
        let block = |place: &str| Block::one(Kind::Asset, place, "", "x");
        for place in [
            "a.apk!/okhttp3/internal/publicsuffix/publicsuffixes.gz",
            "a.apk!/META-INF/NOTICE.txt",
            "a.apk!/assets/www/js/jquery-3.2.1.min.js",
            "a.apk!/assets/open_source_licenses.html",
        ] {
            assert!(is_one(&block(place)), "{place}");
        }
        for place in ["a.apk!/assets/www/js/app.js", "a.apk!/assets/course.json", "a.apk!/assets/www/index.html"] {
            assert!(!is_one(&block(place)), "{place}");
        }
    }

    #[test]
    fn code_under_the_name_of_a_library_is_code() {
        let mut code = Block::new(Kind::Code, "a.apk!/META-INF/services/a", "string");
        code.push(0, "x");
        assert!(!is_one(&code));
    }

    #[test]
    fn sentences_are_prose_wherever_they_stand() {
        assert!(is_prose("// 拍照搜题功能，一拍出答案，小学生都在用"));
        assert!(!is_prose("公司.cn 网络.cn") && !is_prose("cpa.pro"));
    }
}
