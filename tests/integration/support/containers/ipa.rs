//! An iOS package: `Info.plist` in XML or binary, localised strings in each form.

use serde_json::{Value, json};

use super::{App, archive};

/// The app with Chinese names and strings; the list in XML or binary.
pub fn ipa(app: &App, is_binary: bool) -> Vec<u8> {
    let info = info(app);
    let localisable: String =
        app.strings.iter().map(|(name, words)| format!("/* {name} */\n\"{name}\" = \"{words}\";\n")).collect();
    archive(vec![
        ("Payload/Lessons.app/Info.plist", if is_binary { binary(&info) } else { xml(&info).into_bytes() }),
        ("Payload/Lessons.app/zh-Hans.lproj/InfoPlist.strings", names(app.label())),
        ("Payload/Lessons.app/zh-Hant.lproj/InfoPlist.strings", binary(&json!({"CFBundleDisplayName": "優課堂"}))),
        ("Payload/Lessons.app/zh-Hans.lproj/Localizable.strings", utf16(&localisable)),
        (
            "Payload/Lessons.app/PlugIns/Widget.appex/Info.plist",
            binary(&json!({"CFBundleIdentifier": "cn.example.widget"})),
        ),
        ("Payload/Lessons.app/www/bank.json", "{\"q\":\"鸡兔同笼\"}".into()),
    ])
}

/// `InfoPlist.strings` as text, the key without quotes.
pub fn names(label: &str) -> Vec<u8> {
    format!("/* \"CFBundleDisplayName\" = \"no\"; */\n// names\nCFBundleDisplayName = \"{label}\";\n").into_bytes()
}

/// `Info.plist` as a tree.
pub fn info(app: &App) -> Value {
    json!({
        "CFBundleIdentifier": app.package,
        "CFBundleDisplayName": "Lessons & more",
        "CFBundleName": "Lessons",
        "CFBundleShortVersionString": app.version_name,
        "CFBundleVersion": app.version_code.to_string(),
        "NSCameraUsageDescription": "拍照上传作业",
        "NSAppTransportSecurity": {"NSAllowsArbitraryLoads": true},
        "CFBundleURLTypes": [{"CFBundleURLName": "links", "CFBundleURLSchemes": ["youketang"]}],
        "LSApplicationQueriesSchemes": ["weixin"],
        "UIDeviceFamily": []
    })
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// A tree as a list in XML.
pub fn xml(value: &Value) -> String {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">";
    format!("{head}\n<plist version=\"1.0\">\n<!-- <dict> in a note -->\n{}\n</plist>\n", node(value))
}

fn node(value: &Value) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    match value {
        Value::Object(members) => {
            let members: String =
                members.iter().map(|(k, v)| format!("<key>{}</key>\n{}\n", escaped(k), node(v))).collect();
            format!("<dict>\n{members}</dict>")
        }
        Value::Array(members) if members.is_empty() => "<array/>".into(),
        Value::Array(members) => format!("<array>{}</array>", members.iter().map(node).collect::<String>()),
        Value::Bool(value) => format!("<{value}/>"),
        other => format!("<string>{}</string>", escaped(other.as_str().unwrap_or_default())),
    }
}

/// A tree as a binary list: offsets of four bytes, references of two.
pub fn binary(value: &Value) -> Vec<u8> {
    let mut objects = Vec::new();
    let top = object(value, &mut objects);
    let mut out = b"bplist00".to_vec();
    let mut table = Vec::new();
    for object in &objects {
        table.extend((out.len() as u32).to_be_bytes());
        out.extend(object);
    }
    let table_at = out.len() as u64;
    out.extend(table);
    out.extend([0, 0, 0, 0, 0, 0, 4, 2]);
    for number in [objects.len() as u64, top as u64, table_at] {
        out.extend(number.to_be_bytes());
    }
    out
}

/// Adds a value and what it holds; its number.
fn object(value: &Value, objects: &mut Vec<Vec<u8>>) -> usize {
    let marker = |kind: u8, length: usize| match length {
        0..15 => vec![kind << 4 | length as u8],
        _ => [&[kind << 4 | 0x0f, 0x11], (length as u16).to_be_bytes().as_slice()].concat(),
    };
    let reference = |index: usize| (index as u16).to_be_bytes();
    let bytes = match value {
        Value::Object(members) => {
            let keys: Vec<usize> = members.keys().map(|k| object(&Value::String(k.clone()), objects)).collect();
            let values: Vec<usize> = members.values().map(|v| object(v, objects)).collect();
            [marker(13, members.len()), keys.into_iter().chain(values).flat_map(reference).collect()].concat()
        }
        Value::Array(members) => {
            let members: Vec<usize> = members.iter().map(|v| object(v, objects)).collect();
            [marker(10, members.len()), members.into_iter().flat_map(reference).collect()].concat()
        }
        Value::Bool(value) => vec![if *value { 9 } else { 8 }],
        other => match other.as_str().unwrap_or_default() {
            text if text.is_ascii() => [marker(5, text.len()), text.as_bytes().to_vec()].concat(),
            text => {
                let units: Vec<u16> = text.encode_utf16().collect();
                [marker(6, units.len()), units.iter().flat_map(|u| u.to_be_bytes()).collect()].concat()
            }
        },
    };
    objects.push(bytes);
    objects.len() - 1
}
