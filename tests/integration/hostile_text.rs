//! Whatever a listing or a package says, it is judged, the same each time, with marks that lie
//! within what they mark.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::select;
use xunjian::audit::Auditor;
use xunjian::model::{Audit, Block, Budget, Facts, Kind, Listing};
use xunjian::signature::{Pack, Source};

static AUDITOR: LazyLock<Auditor> = LazyLock::new(|| {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies["bj-2022-02-draft"].clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
});

/// Terms, what undoes and disguises them, what expressions look for, and what breaks texts.
const PIECES: &[&str] = &[
    "拍照搜题",
    "拍",
    "照",
    "搜",
    "题",
    "小学",
    "数学",
    "三年级",
    "高考",
    "提高考试",
    "宝宝",
    "识字",
    "3-6岁",
    "直播课",
    "是一款",
    "游戏",
    "电话",
    "400-123-4567",
    "qq",
    "京ICP备12345678号",
    "教APP备3200001号",
    "每生每学期",
    "199元",
    "无广告",
    "不提供",
    "不仅",
    "已下线",
    "pai1",
    "zhao4",
    "p.",
    "zst",
    "P",
    "T",
    "①",
    "🅟",
    "の",
    "丶",
    "1",
    "a",
    "@",
    "#",
    "，",
    "。",
    ",",
    " ",
    "\u{3000}",
    "\u{200b}",
    "\n",
    "\0",
    "<b>",
    "</b>",
    "<p>",
    "<",
    "&nbsp;",
    "&#25293;",
    "\\u62cd",
    "%E6%8B%8D",
    "é",
    "\u{301}",
    "\u{1f600}",
    "\u{2fa1f}",
    "ﷺ",
    "İ",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn judged(title: &str, said: &str, inside: &str) -> Audit {
    let listing =
        Listing { title: title.into(), description: said.into(), changelog: inside.into(), ..Listing::default() };
    let mut facts = Facts::default();
    for kind in [Kind::Label, Kind::Resource, Kind::Asset, Kind::Code, Kind::Class, Kind::Component, Kind::Metadata] {
        let mut block = Block::new(kind, "app.apk!/entry", "string");
        block.push(1, inside);
        block.push(2, said);
        facts.push(block);
    }
    AUDITOR.conclude(Some(&listing), vec![AUDITOR.read_facts("com.example", &facts)])
}

/// What a reviewer sees of a match is cut and cleaned; the number that is looked up is not.
#[test]
fn a_filing_number_is_taken_as_it_stands() {
    let spread = format!("京ICP备{}12345678号", " ".repeat(300));
    for (said, number) in [(&*spread, "京ICP备12345678号"), ("京ICP备\u{200b}12345678号", "京ICP备\u{200b}12345678号")]
    {
        assert_eq!(judged("", said, "").profile.filing_numbers, [number], "{said}");
    }
}

proptest! {
    #[test]
    fn hostile_texts_are_judged(title in text(), said in text(), inside in text()) {
        let audit = judged(&title, &said, &inside);
        for finding in audit.findings.iter().chain(&audit.out_of_scope) {
            prop_assert!(!finding.evidence.is_empty());
            for item in &finding.evidence {
                let [from, to] = item.mark.unwrap_or_default();
                prop_assert!(from <= to && to <= item.text.chars().count(), "{item:?}");
            }
            let counted: i32 = finding.evidence.iter().filter(|e| e.counted).map(|e| e.weight).sum();
            let base = finding.sum.iter().find(|line| line.group == "base-rate").unwrap().weight;
            prop_assert_eq!(counted + base, finding.sum.iter().map(|line| line.weight).sum::<i32>());
        }
        prop_assert_eq!(serde_json::to_string(&audit).unwrap(), serde_json::to_string(&judged(&title, &said, &inside)).unwrap());
    }
}
