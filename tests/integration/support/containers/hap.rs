//! HarmonyOS packages: `module.json`, `resources.index` in both layouts of `restool`,
//! Ark bytecode with its strings and classes.

use super::{App, archive};

/// A resource: id, type (`ResType`), name, and (locale, value) pairs.
pub struct Resource {
    pub id: u32,
    pub kind: u32,
    pub name: &'static str,
    pub values: Vec<(&'static str, Vec<u8>)>,
}

/// `ResType`.
pub const STRING: u32 = 9;
pub const ARRAY: u32 = 10;
pub const PLURAL: u32 = 17;
pub const MEDIA: u32 = 19;

/// The app as an entry module, with a permission, a deep link and code.
pub fn hap(app: &App) -> Vec<u8> {
    archive(vec![
        ("module.json", module(app, "entry", "entry").into_bytes()),
        ("pack.info", pack_info(app, &["entry-default"]).into_bytes()),
        ("resources.index", first(&resources(app))),
        ("resources/rawfile/bank.json", "{\"q\":\"鸡兔同笼\"}".into()),
        (
            "ets/modules.abc",
            abc(&["Lcn.example.youketang/entry/ets/pages/Index;"], &["名师带你提分", "[公告]😀", "ok"]),
        ),
    ])
}

/// An app of modules, named as `pack.info` names them.
pub fn app(app: &App, named: &[&str], modules: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut entries = vec![("pack.info", pack_info(app, named).into_bytes())];
    entries.extend(modules.iter().map(|(name, bytes)| (*name, bytes.clone())));
    archive(entries)
}

/// `module.json` of a module.
pub fn module(app: &App, name: &str, kind: &str) -> String {
    serde_json::json!({
        "app": {
            "bundleName": app.package, "versionName": app.version_name, "versionCode": app.version_code,
            "label": "$string:app_name", "labelId": 16_777_216, "icon": "$media:app_icon", "debug": true,
            "vendor": "example"
        },
        "module": {
            "name": name, "type": kind, "mainElement": "EntryAbility",
            "requestPermissions": [{"name": "ohos.permission.CAMERA", "reason": "$string:tab_quiz"}],
            "metadata": [{"name": "client_id", "value": "42"}],
            "abilities": [{
                "name": "EntryAbility", "label": "$string:tab_course",
                "skills": [{
                    "actions": ["ohos.want.action.viewData"],
                    "uris": [{"scheme": "youketang", "host": "course", "pathStartWith": "list"}]
                }]
            }]
        }
    })
    .to_string()
}

/// `config.json` of the FA model.
pub fn config(app: &App) -> String {
    serde_json::json!({
        "app": {"bundleName": app.package, "version": {"name": app.version_name, "code": app.version_code}},
        "deviceConfig": {"default": {"network": {"cleartextTraffic": true}}},
        "module": {
            "package": app.package,
            "distro": {"moduleName": "entry", "moduleType": "entry"},
            "reqPermissions": [{"name": "ohos.permission.INTERNET"}],
            "abilities": [{"name": ".MainAbility", "label": "$string:app_name"}]
        }
    })
    .to_string()
}

fn pack_info(app: &App, packages: &[&str]) -> String {
    let packages: Vec<_> = packages.iter().map(|name| serde_json::json!({"name": name})).collect();
    serde_json::json!({
        "summary": {"app": {
            "bundleName": app.package, "version": {"code": app.version_code, "name": app.version_name}
        }},
        "packages": packages
    })
    .to_string()
}

/// The app's strings in Chinese, its label in the default locale as well, an array, a
/// plural and a picture.
pub fn resources(app: &App) -> Vec<Resource> {
    let mut all: Vec<Resource> = app
        .strings
        .iter()
        .enumerate()
        .map(|(index, (name, words))| Resource {
            id: 0x0100_0000 + index as u32,
            kind: STRING,
            name: name.clone().leak(),
            values: vec![("zh_CN", words.clone().into_bytes())],
        })
        .collect();
    all[0].values.insert(0, ("", b"Lessons".to_vec()));
    let parts = |words: &[&str]| words.iter().flat_map(|w| sized(w.as_bytes())).collect();
    let more = [
        (ARRAY, "grades", "", parts(&["小学三年级", "初三（中考）"])),
        (PLURAL, "left", "zh_CN", parts(&["other", "还有 %d 道题"])),
        (MEDIA, "app_icon", "", b"entry/resources/base/media/app_icon.png".to_vec()),
    ];
    for (index, (kind, name, locale, value)) in more.into_iter().enumerate() {
        all.push(Resource { id: 0x0100_1000 + index as u32, kind, name, values: vec![(locale, value)] });
    }
    all
}

fn word(value: usize) -> [u8; 4] {
    (value as u32).to_le_bytes()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_le_bytes(), bytes].concat()
}

fn version(text: &str) -> Vec<u8> {
    let mut out = text.as_bytes().to_vec();
    out.resize(128, 0);
    out
}

/// Key and value of a locale: letters as one number, the first letter highest.
fn params(locale: &str) -> Vec<(usize, usize)> {
    let number = |letters: &str| letters.bytes().fold(0_usize, |n, b| n << 8 | usize::from(b));
    let mut parts = locale.split('_').filter(|p| !p.is_empty());
    let language = parts.next().map(|p| (0, number(p)));
    language.into_iter().chain(parts.map(|p| (1, number(p)))).collect()
}

fn keys(number: usize, locale: &str) -> Vec<u8> {
    let params = params(locale);
    let mut out = [b"KEYS".as_slice(), &word(number), &word(params.len())].concat();
    params.into_iter().for_each(|(key, value)| out.extend([word(key), word(value)].concat()));
    out
}

fn locales(resources: &[Resource]) -> Vec<&'static str> {
    let mut found: Vec<&str> = resources.iter().flat_map(|r| r.values.iter().map(|(locale, _)| *locale)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The layout of `Restool 5`.
pub fn first(resources: &[Resource]) -> Vec<u8> {
    let locales = locales(resources);
    let of = |locale: &str| -> Vec<(&Resource, Vec<u8>)> {
        let with = |r: &Resource| r.values.iter().find(|(l, _)| *l == locale).map(|(_, v)| v.clone());
        resources.iter().filter_map(|r| Some((r, with(r)?))).collect()
    };
    let record = |resource: &Resource, value: &[u8]| {
        // Values and names end in NUL, which their length counts.
        let text = [sized(&[value, b"\0"].concat()), sized(&[resource.name.as_bytes(), b"\0"].concat())].concat();
        [&word(8 + text.len()), &word(resource.kind as usize), &word(resource.id as usize), text.as_slice()].concat()
    };
    let heads: usize = locales.iter().map(|l| keys(0, l).len()).sum();
    let lists: usize = locales.iter().map(|l| 8 + 8 * of(l).len()).sum();
    let (mut key_part, mut list_part, mut records) = (Vec::new(), Vec::new(), Vec::new());
    let base = 136 + heads;
    for locale in &locales {
        key_part.extend(keys(base + list_part.len(), locale));
        let members = of(locale);
        list_part.extend([b"IDSS".as_slice(), &word(members.len())].concat());
        for (resource, value) in members {
            list_part.extend([word(resource.id as usize), word(base + lists + records.len())].concat());
            records.extend(record(resource, &value));
        }
    }
    let size = base + lists + records.len();
    [version("Restool 5.008"), word(size).into(), word(locales.len()).into(), key_part, list_part, records].concat()
}

/// The layout of `RestoolV2 6`.
pub fn second(resources: &[Resource]) -> Vec<u8> {
    let locales = locales(resources);
    let key_part: Vec<u8> = locales.iter().enumerate().flat_map(|(id, locale)| keys(id, locale)).collect();
    let mut kinds: Vec<u32> = resources.iter().map(|r| r.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let names: usize = kinds.len() * 12 + resources.iter().map(|r| 12 + r.name.len()).sum::<usize>();
    let data_at = 140 + key_part.len() + 16 + names;
    let infos: usize = 12 + resources.iter().map(|r| 12 + 8 * r.values.len()).sum::<usize>();
    let mut info = [b"DATA".as_slice(), &word(infos), &word(resources.len())].concat();
    let mut pool = Vec::new();
    let mut offsets = Vec::new();
    for resource in resources {
        offsets.push(data_at + info.len());
        info.extend(
            [word(resource.id as usize), word(12 + 8 * resource.values.len()), word(resource.values.len())].concat(),
        );
        for (locale, value) in &resource.values {
            let config = locales.iter().position(|l| l == locale).unwrap();
            info.extend([word(config), word(data_at + infos + pool.len())].concat());
            pool.extend(sized(value));
        }
    }
    let mut ids = [b"IDSS".as_slice(), &word(16 + names), &word(kinds.len()), &word(resources.len())].concat();
    for kind in &kinds {
        let members: Vec<usize> = (0..resources.len()).filter(|&i| resources[i].kind == *kind).collect();
        let length: usize = 12 + members.iter().map(|&i| 12 + resources[i].name.len()).sum::<usize>();
        ids.extend([word(*kind as usize), word(length), word(members.len())].concat());
        for index in members {
            let name = resources[index].name;
            ids.extend([word(resources[index].id as usize), word(offsets[index]), word(name.len())].concat());
            ids.extend(name.as_bytes());
        }
    }
    let size = data_at + infos + pool.len();
    let head = [version("RestoolV2 6.0.0.003"), word(size).into(), word(locales.len()).into(), word(data_at).into()];
    [head.concat(), key_part, ids, info, pool].concat()
}

/// Ark bytecode with these classes and strings, and between them what looks like code.
pub fn abc(classes: &[&str], strings: &[&str]) -> Vec<u8> {
    let index_at = 60;
    let mut body = Vec::new();
    let mut index = Vec::new();
    let body_at = index_at + classes.len() * 4;
    for text in strings {
        body.extend(string(text));
        body.extend([0x61, 0x0b, 0x04, 0x02, 0x00, 0x7e, 0x0b, 0x00]);
    }
    for name in classes {
        index.extend(word(body_at + body.len()));
        body.extend(string(name));
        // No super class, flags 1, no fields, one method.
        body.extend([0, 0, 0, 0, 1, 0, 1, 0]);
    }
    let size = body_at + body.len();
    let mut head = [b"PANDA\0\0\0".as_slice(), &word(0), &[12, 0, 2, 0], &word(size), &word(0), &word(0)].concat();
    head.extend([word(classes.len()), word(index_at)].concat());
    head.resize(index_at, 0);
    [head, index, body].concat()
}

/// A string item: length with the ASCII bit, modified UTF-8, NUL.
fn string(text: &str) -> Vec<u8> {
    let mut length = (text.encode_utf16().count() as u64) << 1 | u64::from(text.is_ascii());
    let mut out = Vec::new();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    for c in text.chars() {
        let mut units = [0; 2];
        let units = c.encode_utf16(&mut units);
        if units.len() == 1 {
            out.extend(c.to_string().as_bytes());
        } else {
            // Each surrogate as a character of its own.
            out.extend(
                units
                    .iter()
                    .flat_map(|u| [0xe0 | (u >> 12) as u8, 0x80 | (u >> 6 & 0x3f) as u8, 0x80 | (u & 0x3f) as u8]),
            );
        }
    }
    out.push(0);
    out
}
