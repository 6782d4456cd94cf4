//! Packages of other forms than the APK, written byte by byte: one app, whose words are
//! those of the fixture `subject`, as app bundle, HarmonyOS package and iOS package.

pub mod aab;
pub mod hap;
pub mod ipa;

use super::package::{Member, Package};
use super::project;

/// What every form of the app says of itself.
pub struct App {
    pub package: &'static str,
    pub version_name: &'static str,
    pub version_code: u32,
    /// Name of a string, its words; the label is `app_name`.
    pub strings: Vec<(String, String)>,
}

impl App {
    /// The fixture `subject`: lessons and questions for grades 1 to 9.
    pub fn subject() -> Self {
        let path = project("tests/fixtures/apps/subject/res/values/strings.xml");
        let xml = std::fs::read_to_string(path).expect("the fixture's source");
        let strings = xml
            .lines()
            .filter_map(|line| {
                let rest = line.trim().strip_prefix("<string name=\"")?;
                let (name, rest) = rest.split_once("\">")?;
                Some((name.to_owned(), rest.strip_suffix("</string>")?.to_owned()))
            })
            .collect();
        Self { package: "cn.example.youketang", version_name: "5.1.2", version_code: 512, strings }
    }

    pub fn label(&self) -> &str {
        &self.strings.iter().find(|(name, _)| name == "app_name").expect("a label").1
    }
}

/// A ZIP archive; `.apk`, `.hap` and `.abc` are stored as real tools store them.
pub fn archive(entries: Vec<(&str, Vec<u8>)>) -> Vec<u8> {
    let stored = |name: &str| [".apk", ".hap", ".hsp", ".abc", ".obb"].iter().any(|end| name.ends_with(end));
    let members = entries.iter().map(|(name, bytes)| Member::new(name, bytes, !stored(name))).collect();
    Package { members, ..Package::default() }.write()
}
