//! Reports for people: what they must say, and what hostile apps must not make them do.

#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests, outside `#[test]`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use xunjian::model::{Audit, Kind, LimitCode, MadeBy, Outcome, Sign, Skipped, Trick};
use xunjian::report::words::{self, Lang, Phrase};
use xunjian::report::{self, Format, Style};

/// A writer whose bytes stay readable after it was given away.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn report(format: Format, lang: &str, colour: bool, audits: &[Audit], skips: &[Skipped]) -> String {
    let out = Shared::default();
    let made_by = MadeBy { version: "9.9.9".into(), pack_sha256: "ab".repeat(32), policy: "bj-2022-02-draft".into() };
    let style = Style { lang: lang.into(), colour, ..Style::default() };
    let mut writer = report::writer(format, Box::new(out.clone()), style, made_by);
    for audit in audits {
        writer.audit(audit.clone()).unwrap();
    }
    for skip in skips {
        writer.skipped(skip.clone()).unwrap();
    }
    writer.finish().unwrap();
    let bytes = out.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

const CLAUSE: &str = "非学科培训类教育移动应用不得提供和传播“拍照搜题”等惰化中小学生思维能力、影响学生独立思考、违背教育教学规律的不良学习方法。";

fn evidence(weight: i32, group: &str, counted: bool, text: &str, mark: serde_json::Value) -> serde_json::Value {
    json!({
        "signature": "photo-search/wording", "clue": group, "kind": "listing", "weight": weight, "group": group,
        "counted": counted, "text": text, "mark": mark, "where": "example listing title", "times": 3,
        "why": {"zh": "标题写明拍照搜题", "en": "the title says so"},
        "written_as": {"term": "拍照搜题", "trick": "strewn"}
    })
}

/// An app as a store might list it; `word` stands wherever an app can put words.
fn audit(word: &str, level: &str, limits: serde_json::Value) -> Audit {
    let finding = json!({
        "id": "0011223344556677", "sign": "photo-search", "clause": "三（二）2", "clause_text": CLAUSE,
        "severity": "high", "confidence": "likely", "probability": 0.8337, "standing": "not-checked",
        "sum": [{"group": "base-rate", "weight": -20}, {"group": "a", "weight": 18}, {"group": "b", "weight": 9}],
        "evidence": [
            evidence(18, "a", true, &format!("作业拍照搜题神器{word}"), json!([2, 6])),
            evidence(9, "b", true, word, json!(null)),
            evidence(4, "b", false, word, json!([0, 99999])),
        ]
    });
    let outcome = |sign: &Sign| match sign {
        Sign::PhotoSearch => "found",
        Sign::Advertising if level == "partial" => "not-assessable",
        _ => "not-found",
    };
    let checks: Vec<_> = Sign::ALL
        .iter()
        .filter(|sign| !sign.is_further())
        .map(|sign| {
            let because: &[&str] = if outcome(sign) == "not-assessable" { &["packed"] } else { &[] };
            json!({"sign": sign.id(), "outcome": outcome(sign), "probability": 0.1,
                   "searched": ["title", "resource"], "sum": [], "because": because})
        })
        .collect();
    let value = json!({
        "app": {"store": word, "package": word, "title": word, "developer": word, "version_name": word,
                "version_code": 7, "url": "https://store.example.cn/app?a=1&b=2", "id": word},
        "artifacts": [{"name": word, "sha256": "cd".repeat(32), "bytes": 4096, "kind": "apk", "certificates": ["ef".repeat(32)]}],
        "profile": {"education": {"verdict": "yes", "probability": 0.97, "evidence": [evidence(9, "e", true, word, json!([0, 1]))]},
                    "kind": "subject", "stages": ["junior", "primary", word], "subjects": ["maths"], "languages": {"zh": 100},
                    "framework": [word],
                    "libraries": [{"name": word, "vendor": word, "category": "ads", "where": word, "faint": true}],
                    "filing_numbers": [word]},
        "coverage": {"level": level, "limits": limits, "read": {"entries": 3, "bytes": 2048, "strings": 5, "classes": 1}},
        "checks": checks, "findings": [finding], "out_of_scope": []
    });
    serde_json::from_value(value).unwrap()
}

fn plain() -> Audit {
    audit("题闪闪", "full", json!([]))
}

fn packed() -> Audit {
    audit("题闪闪", "partial", json!([{"code": "packed", "detail": "a shell", "where": "a.apk!/lib/x.so"}]))
}

/// Everything that has ever got through somewhere, in one name.
fn hostile() -> Audit {
    let word = format!(
        "</bdi></td><script>alert(1)</script>\"' onmouseover=x <img src=x onerror=y> \u{202e}gpj\u{2066} \0 \u{1b}[31m \u{9b}2J \u{1b}]0;x\u{7} \u{200b}\r\n {{{{ 7 }}}} {}",
        "长".repeat(5_000)
    );
    let mut audit = audit(&word, "partial", json!([{"code": "packed", "detail": word, "where": word}]));
    audit.app.url = "javascript:alert(1)//https://".into();
    audit.icon = Some("data:image/png;base64,AA\" onerror=\"alert(1)".into());
    for finding in &mut audit.findings {
        finding.clause = word.clone();
        finding.clause_text = word.clone();
        finding.id = word.clone();
        for item in &mut finding.evidence {
            (item.kind, item.place, item.why.zh, item.why.en) =
                (word.clone().into(), word.clone(), word.clone(), word.clone());
            item.written_as.as_mut().unwrap().term = word.clone();
        }
    }
    audit.out_of_scope = audit.findings.clone();
    audit
}

fn hostile_skip() -> Skipped {
    let word = "<script>alert(2)</script>\u{1b}[2J\u{202e}\0";
    Skipped { target: word.into(), stage: word.into(), reason: word.into(), ..Skipped::default() }
}

/// Characters that change how a page or a terminal reads.
fn unsafe_characters(text: &str) -> Vec<char> {
    let is_unsafe = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().filter(is_unsafe).collect()
}

#[test]
fn a_hostile_listing_is_harmless_in_html() {
    let page = report(Format::Html, "zh", false, &[hostile()], &[hostile_skip()]);
    assert_eq!(unsafe_characters(&page), Vec::<char>::new());
    // The page has no script and no handler of its own, so it has none at all.
    for bad in [
        "<script",
        "</script",
        "<img",
        "javascript:alert(1)//https://\"",
        "onerror=\"",
        "' onmouseover",
        "\" onmouseover",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)"), "the words are shown, not dropped");
    assert!(!page.contains("href=\"javascript"));
    assert!(page.len() < 120_000, "{} bytes: long words are cut", page.len());
}

#[test]
fn a_hostile_listing_is_harmless_in_a_terminal() {
    for (lang, colour) in [("zh", false), ("en", false), ("zh", true)] {
        let text = report(Format::Human, lang, colour, &[hostile()], &[hostile_skip()]);
        let without_ours = if colour { strip_our_colours(&text) } else { text };
        assert_eq!(unsafe_characters(&without_ours), Vec::<char>::new());
    }
}

/// Removes the sequences that set bold, underline, dim and colours.
fn strip_our_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (codes, rest) = part.strip_prefix('[').and_then(|p| p.split_once('m')).expect("a colour, nothing else");
        assert!(codes.chars().all(|c| c.is_ascii_digit() || c == ';'), "{codes:?}");
        out.push_str(rest);
    }
    out
}

#[test]
fn the_page_asks_the_network_for_nothing() {
    let page = report(Format::Html, "zh", false, &[plain(), hostile()], &[]);
    assert!(
        page.contains(
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
        )
    );
    for bad in ["<link", "<iframe", "<object", "@import", "url(", " src=\"http", "<form"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("href=\"https://store.example.cn/app?a=1&#38;b=2\" rel=\"noopener noreferrer\""));
}

#[test]
fn the_page_says_what_a_reviewer_needs() {
    let page = report(Format::Html, "zh", false, &[plain(), packed()], &[]);
    for part in [
        "以下是供人工核查的线索，不是违规认定。",
        "These are signs for a person to follow up, not a verdict.",
        "三（二）2",
        CLAUSE,
        "作业<mark>拍照搜题</mark>神器",
        "−20 基准 + 18 [1] 拍照搜题 + 9 [2] 标题写明拍照搜题 = 7 → 83 %",
        "−20 base rate + 18 [1] 拍照搜题",
        "写法变形：原词“拍照搜题”，夹杂其他字符",
        "小学、初中",
        "程序已加固",
        "请应用提供者提交未加固的安装包",
        &"cd".repeat(32),
        &"ef".repeat(32),
        &"ab".repeat(32),
        "href=\"#a2\"",
        "id=\"a2\"",
        "无法判断",
        "仅有痕迹",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains('⟦'), "a word is missing from locales/app.yml");
    assert!(!page.contains("%{"), "a slot was not filled");
    assert!(page.find("<table").unwrap() < page.find("<article").unwrap(), "the summary comes first");
}

#[test]
fn the_language_chosen_is_the_one_shown_first() {
    let zh = report(Format::Html, "zh", false, &[plain()], &[]);
    let en = report(Format::Html, "en", false, &[plain()], &[]);
    assert!(zh.contains("id=\"lang-zh\" checked") && zh.contains("<html lang=\"zh-CN\">"));
    assert!(en.contains("id=\"lang-en\" checked") && en.contains("<html lang=\"en\">"));
}

#[test]
fn the_terminal_says_what_a_reviewer_needs() {
    let skip = Skipped {
        target: "x.apk".into(),
        stage: "unpack".into(),
        reason: "not a package".into(),
        ..Skipped::default()
    };
    let text = report(Format::Human, "zh", false, &[plain(), packed()], std::slice::from_ref(&skip));
    for part in [
        "以下是供人工核查的线索，不是违规认定。",
        "▲ 拍照搜题  严重程度：高 · 线索可信度：较强 83 % · 条款 三（二）2：非学科培训类",
        CLAUSE,
        "作业【拍照搜题】神器",
        "计分：基准 −20；[1] +18；[2] +9；合计 7，估算 83 %（每 10 分，可能性比乘以 10）",
        "无法判断：广告（程序已加固）",
        "! 程序已加固",
        "x.apk",
        "not a package",
        "共检查 2 个应用，有线索 2 个，未能完整读取 1 个，跳过 1 项",
        "     2  拍照搜题",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains('⟦') && !text.contains("%{"));
    let coloured = report(Format::Human, "en", true, &[plain()], &[skip]);
    assert!(coloured.contains("\u{1b}[1m") && coloured.contains("not a verdict") && !coloured.contains('【'));
}

#[test]
fn an_app_out_of_scope_is_marked_so() {
    let mut app = plain();
    app.out_of_scope = std::mem::take(&mut app.findings);
    let text = report(Format::Human, "zh", false, &[app.clone()], &[]);
    assert!(text.contains("○ 不在适用范围的线索：拍照搜题 83 %") && text.contains("有线索 0 个"));
    let page = report(Format::Html, "zh", false, &[app], &[]);
    assert!(page.contains("不在适用范围"));
}

#[test]
fn an_app_that_was_not_read_is_never_called_clean() {
    let mut app = packed();
    app.findings.clear();
    for format in [Format::Human, Format::Html] {
        let text = report(format, "zh", false, std::slice::from_ref(&app), &[]);
        assert!(text.contains("没有发现线索，但有 1 项检查无法判断，不能视为没有问题。"));
    }
}

#[test]
fn an_empty_run_is_a_whole_report() {
    for format in [Format::Human, Format::Html] {
        let text = report(format, "zh", false, &[], &[]);
        assert!(text.contains("共检查 0 个应用") && text.contains("不是违规认定"));
    }
    assert!(report(Format::Html, "zh", false, &[], &[]).trim_end().ends_with("</html>"));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for format in [Format::Human, Format::Html] {
        let run = || report(format, "zh", false, &[plain(), packed(), hostile()], &[hostile_skip()]);
        assert_eq!(run(), run());
    }
}

fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn both(what: &str, phrase: &Phrase) {
    assert!(has_han(phrase.get(Lang::Zh)), "{what} has no Chinese: {phrase:?}");
    assert!(!phrase.get(Lang::En).is_empty() && !has_han(phrase.get(Lang::En)), "{what} has no English: {phrase:?}");
}

#[test]
fn every_noun_has_both_languages() {
    Sign::ALL.iter().for_each(|sign| both(sign.id(), &words::sign(*sign)));
    Kind::ALL.iter().for_each(|kind| both(kind.id(), &words::kind(*kind)));
    Kind::ALL.iter().for_each(|kind| both(kind.id(), &words::evidence_kind(kind.evidence_kind())));
    for code in LimitCode::ALL {
        let limit = words::limit(*code);
        both(code.id(), &limit.name);
        both(code.id(), &limit.meaning);
        both(code.id(), &limit.step);
    }
    for outcome in [Outcome::Found, Outcome::NotFound, Outcome::NotAssessable] {
        both("outcome", &words::outcome(outcome));
    }
    for trick in [Trick::Strewn, Trick::Respelt] {
        both("trick", &words::trick(trick));
    }
    for id in ["library", "combination", "absence", "model", "domain"] {
        both(id, &words::evidence_kind(id));
    }
    xunjian::model::Reading::ALL.iter().for_each(|reading| both(reading.id(), &words::reading(*reading)));
    both("not a verdict", &words::not_a_verdict());
}

#[test]
fn every_library_category_and_facet_of_the_pack_has_both_languages() {
    let pack = xunjian::signature::Pack::load(&xunjian::signature::Source::embedded()).unwrap();
    for library in &pack.libraries.all {
        both(&library.category, &words::library(&library.category));
    }
    for (lexicon, label) in &pack.facets {
        match lexicon.as_str() {
            "stages" => both(label, &words::stage(label)),
            "subjects" => both(label, &words::subject(label)),
            _ => {}
        }
    }
    for policy in pack.policies.keys() {
        assert!(has_han(words::policy(policy).get(Lang::Zh)), "{policy}");
    }
}

/// The file itself: each key under a heading has a `zh` and an `en` line, in that order.
#[test]
fn the_locale_file_is_complete() {
    let text = include_str!("../../locales/app.yml");
    let (zh, en) = ("zh: ", "en: ");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with(zh)) {
        let english = lines.get(index + 1).and_then(|next| next.strip_prefix(en)).unwrap_or_default();
        assert!(english.len() > 2, "line {}: {line} has no English", index + 1);
    }
    let count = |prefix: &str| lines.iter().filter(|line| line.starts_with(prefix)).count();
    assert_eq!(count(zh), count(en));
    assert!(count(zh) > 200);
}
