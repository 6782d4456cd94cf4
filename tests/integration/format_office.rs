//! Office documents, books and pages: words that tags tear apart.

use crate::support::formats::*;
use proptest::prelude::*;
use xunjian::model::Budget;
use xunjian::unpack::Archive;

#[allow(clippy::unwrap_used)]
/// Every fact of an archive's parts, as the pipeline reads them.
fn parts(name: &str) -> Vec<(String, String)> {
    let (bytes, budget) = (fixture(name), Budget::default());
    let archive = Archive::open(&bytes, name, &budget).unwrap();
    let mut all = Vec::new();
    for entry in &archive.entries {
        let content = archive.read(entry, name, &budget);
        let found = read(&entry.name, &content.bytes);
        assert!(found.limits.is_empty(), "{}: {:?}", entry.name, found.limits);
        all.extend(facts(&found).into_iter().map(|(_, place, text)| (text, place.replacen("a.apk", name, 1))));
    }
    all
}

#[track_caller]
fn holds(all: &[(String, String)], text: &str, place: &str) {
    assert!(all.contains(&(text.to_owned(), place.to_owned())), "{text} at {place} is not in {all:#?}");
}

#[test]
fn documents_are_read_by_paragraph() {
    let all = parts("notice.docx");
    holds(&all, "小升初冲刺班招生简章", "notice.docx!/word/document.xml paragraph 1");
    holds(&all, "本班提供拍照搜题服务，名师一对一。", "notice.docx!/word/document.xml paragraph 2");
    holds(&all, "第二段：A < B & C。", "notice.docx!/word/document.xml paragraph 3");
    holds(&all, "课时", "notice.docx!/word/document.xml paragraph 4");
    assert!(!all.iter().any(|(text, _)| text.contains("<w:")));
}

#[test]
fn workbooks_are_read_by_cell_or_shared_string() {
    let inline = parts("inline.xlsx");
    holds(&inline, "拍照搜题见分晓", "inline.xlsx!/xl/worksheets/sheet1.xml cell B2");
    holds(&inline, "名师 & 家长", "inline.xlsx!/xl/worksheets/sheet1.xml cell B3");
    assert!(!inline.iter().any(|(text, _)| text == "5"));
    let shared = parts("shared.xlsx");
    holds(&shared, "题干", "shared.xlsx!/xl/sharedStrings.xml string 0");
    holds(&shared, "拍照搜题见分晓", "shared.xlsx!/xl/sharedStrings.xml string 4");
    assert!(shared.iter().any(|(text, _)| text == "小升初真题"), "{shared:#?}");
}

#[test]
fn a_paragraph_of_a_page_is_whole_where_tags_split_it() {
    let all = parts("story.epub");
    holds(&all, "孩子们拍照搜题，", "story.epub!/OEBPS/chapter1.xhtml text from line 4");
    // Not split: its line says it already.
    assert!(!all.iter().any(|(text, place)| text == "名师讲解。" && place.contains("text from")));
}

#[test]
fn scripts_of_a_page_are_no_paragraph() {
    let page = "<!DOCTYPE html>\n<p>拍<i>照</i>\n<script>var a = '<b>' + \"名师\" + '一对一';</SCRIPT>\n<p>搜<u>题</u>";
    let found = read("assets/a.html", page.as_bytes());
    assert_eq!(place_of(&found, "拍照"), "a.apk!/assets/a.html text from line 2");
    assert_eq!(place_of(&found, "搜题"), "a.apk!/assets/a.html text from line 4");
    assert_eq!(place_of(&found, "<b>名师一对一"), "a.apk!/assets/a.html literals joined from line 3");
}

proptest! {
    #[test]
    fn never_panics(text in "<(sst spreadsheetml|worksheet spreadsheetml|w wordprocessingml|html)>[<>/!a-p:c拍 \n\"r=-]{0,80}") {
        let _ = read("assets/a.html", text.as_bytes());
    }
}
