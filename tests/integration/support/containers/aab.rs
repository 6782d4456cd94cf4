//! An Android App Bundle, its protocol buffers written field by field (`Resources.proto`
//! of aapt2).

use super::{App, archive};

/// Writers of protocol buffers.
pub mod proto {
    pub fn varint(mut value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    }

    /// A number.
    pub fn number(field: u64, value: u32) -> Vec<u8> {
        [varint(field << 3), varint(value.into())].concat()
    }

    /// A message or text.
    pub fn bytes(field: u64, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let bytes = bytes.as_ref();
        [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
    }

    /// A message in a field.
    pub fn message(field: u64, parts: &[Vec<u8>]) -> Vec<u8> {
        bytes(field, parts.concat())
    }

    /// `Item` that is a string.
    pub fn string_item(text: &str) -> Vec<u8> {
        message(2, &[bytes(1, text)])
    }

    /// `Item` that refers to a resource.
    pub fn reference_item(id: u32, name: &str) -> Vec<u8> {
        message(1, &[number(2, id), bytes(3, name)])
    }

    /// `Item` that is a whole number.
    pub fn number_item(value: u32) -> Vec<u8> {
        message(7, &[number(6, value)])
    }

    /// `Item` that is true or false.
    pub fn boolean_item(value: bool) -> Vec<u8> {
        message(7, &[number(8, value.into())])
    }

    /// `XmlAttribute`; an empty item is left out.
    pub fn attribute(name: &str, value: &str, item: Vec<u8>) -> Vec<u8> {
        let android = bytes(1, "http://schemas.android.com/apk/res/android");
        let item = if item.is_empty() { Vec::new() } else { bytes(6, item) };
        message(4, &[android, bytes(2, name), bytes(3, value), item])
    }

    /// `XmlElement` as a child of another.
    pub fn child(name: &str, parts: &[Vec<u8>]) -> Vec<u8> {
        message(5, &[element(name, parts)])
    }

    /// `XmlNode` that is an element.
    pub fn element(name: &str, parts: &[Vec<u8>]) -> Vec<u8> {
        message(1, &[bytes(3, name), parts.concat()])
    }

    /// `Entry` of a type with its values: (locale, value).
    pub fn entry(id: u32, name: &str, values: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let values: Vec<Vec<u8>> = values
            .iter()
            .map(|(locale, value)| message(6, &[message(1, &[bytes(3, locale)]), bytes(2, value)]))
            .collect();
        message(3, &[message(1, &[number(1, id)]), bytes(2, name), values.concat()])
    }

    /// `Value` that is an item.
    pub fn value(item: Vec<u8>) -> Vec<u8> {
        bytes(4, item)
    }

    /// `Value` that is an array of items.
    pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
        let elements: Vec<Vec<u8>> = items.iter().map(|item| message(1, &[bytes(3, item)])).collect();
        message(5, &[message(4, &elements)])
    }

    /// `Value` that is a plural.
    pub fn plural(items: &[Vec<u8>]) -> Vec<u8> {
        let entries: Vec<Vec<u8>> = items.iter().map(|item| message(1, &[number(3, 5), bytes(4, item)])).collect();
        message(5, &[message(5, &entries)])
    }

    /// `Type` with its entries.
    pub fn kind(id: u32, name: &str, entries: &[Vec<u8>]) -> Vec<u8> {
        message(3, &[message(1, &[number(1, id)]), bytes(2, name), entries.concat()])
    }

    /// `ResourceTable` with one package.
    pub fn table(package: u32, name: &str, kinds: &[Vec<u8>]) -> Vec<u8> {
        let tool = message(4, &[bytes(1, "fixture"), bytes(2, "1")]);
        [
            bytes(1, message(1, &[])),
            message(2, &[message(1, &[number(1, package)]), bytes(2, name), kinds.concat()]),
            tool,
        ]
        .concat()
    }
}

use proto::*;

/// The app as a bundle of two modules: the strings Chinese in the base, a label in English
/// as well, and a feature with a component of its own.
pub fn aab(app: &App) -> Vec<u8> {
    archive(vec![
        ("BundleConfig.pb", message(1, &[bytes(2, "1.15.0")])),
        ("base/manifest/AndroidManifest.xml", base_manifest(app)),
        ("base/resources.pb", base_table(app)),
        ("base/res/xml/network.xml", network()),
        ("base/res/layout/main.xml", layout()),
        ("base/assets/bank/questions.json", "{\"q\":\"鸡兔同笼\"}".into()),
        ("base/lib/arm64-v8a/libquiz.so", b"\x7fELF nothing".to_vec()),
        ("quiz/manifest/AndroidManifest.xml", feature_manifest(app)),
        ("quiz/resources.pb", feature_table()),
    ])
}

pub fn base_manifest(app: &App) -> Vec<u8> {
    let action = child("action", &[attribute("name", "android.intent.action.VIEW", Vec::new())]);
    let data = child(
        "data",
        &[attribute("scheme", "youketang", string_item("youketang")), attribute("host", "course", Vec::new())],
    );
    let course = child(
        "activity",
        &[
            attribute("name", ".CourseActivity", string_item(".CourseActivity")),
            child("intent-filter", &[action, data]),
        ],
    );
    let key = child(
        "meta-data",
        &[
            attribute("name", "UMENG_APPKEY", Vec::new()),
            attribute("value", "0123456789abcdef", string_item("0123456789abcdef")),
        ],
    );
    let application = child(
        "application",
        &[
            // By number, as aapt2 links; the feature below refers by name.
            attribute("label", "@string/app_name", reference_item(0x7f01_0000, "string/app_name")),
            attribute("networkSecurityConfig", "@xml/network", reference_item(0x7f03_0000, "xml/network")),
            attribute("debuggable", "true", boolean_item(true)),
            course,
            key,
        ],
    );
    element(
        "manifest",
        &[
            attribute("package", app.package, Vec::new()),
            attribute("versionCode", &app.version_code.to_string(), number_item(app.version_code)),
            attribute("versionName", app.version_name, string_item(app.version_name)),
            child("uses-permission", &[attribute("name", "android.permission.READ_PHONE_STATE", Vec::new())]),
            application,
        ],
    )
}

pub fn feature_manifest(app: &App) -> Vec<u8> {
    let quiz = child(
        "activity",
        &[
            attribute("name", ".QuizActivity", Vec::new()),
            attribute("label", "@string/quiz", reference_item(0, "string/quiz")),
        ],
    );
    element(
        "manifest",
        &[
            attribute("package", app.package, Vec::new()),
            attribute("split", "quiz", Vec::new()),
            child("application", &[quiz]),
        ],
    )
}

pub fn base_table(app: &App) -> Vec<u8> {
    let strings: Vec<Vec<u8>> = app
        .strings
        .iter()
        .enumerate()
        .map(|(id, (name, words))| {
            let chinese = ("zh-CN", value(string_item(words)));
            let values = if id == 0 { vec![("", value(string_item("Lessons"))), chinese] } else { vec![chinese] };
            entry(id as u32, name, &values)
        })
        .collect();
    let grades = array(&[string_item("小学三年级"), string_item("初三（中考）")]);
    let left = plural(&[string_item("还有 %d 道题")]);
    let file = value(message(5, &[bytes(1, "res/xml/network.xml")]));
    let kinds = [
        kind(1, "string", &strings),
        kind(2, "array", &[entry(0, "grades", &[("", grades)])]),
        kind(3, "xml", &[entry(0, "network", &[("", file)])]),
        kind(4, "plurals", &[entry(0, "left", &[("zh-TW", left)])]),
    ];
    table(0x7f, app.package, &kinds)
}

pub fn feature_table() -> Vec<u8> {
    let quiz = entry(0, "quiz", &[("", value(string_item("名校题库")))]);
    table(0x80, "cn.example.youketang.quiz", &[kind(1, "string", &[quiz])])
}

pub fn network() -> Vec<u8> {
    let base = child("base-config", &[attribute("cleartextTrafficPermitted", "true", boolean_item(true))]);
    element("network-security-config", &[base])
}

pub fn layout() -> Vec<u8> {
    element("TextView", &[attribute("text", "提交答案", string_item("提交答案"))])
}
