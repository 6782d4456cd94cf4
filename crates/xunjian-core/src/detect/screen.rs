//! What a package says to its users, gathered from all over it and read as one text.
//!
//! Words that would stand in a listing stand in the tables, pages, scripts, databases and code of an app
//! that has none, a sentence here and a button there. They are taken together, each where it was met,
//! so that clues written for listings hold on them and what is told in pieces adds up.
//!
//! Words for users are: labels and resources; the texts between the marks of pages, scripts and data;
//! string constants that the app's **own** code uses: a class is own that no library of the catalogue
//! and no part of a platform claims. Left out are files of libraries, legal texts (which name children,
//! schools and complaints in every app), comments in code, and lists of words with their glosses.

use std::collections::{BTreeMap, HashSet};

use super::{library_file, matching, model, normal_of};
use crate::model::{Block, Hits, Kind, Kinds, ModelVerdict};
use crate::signature::{Normal, Pack, is_han};

/// Bytes taken from one block of an asset, of code, of resources.
const ASSET_MAX: usize = 24 << 10;
const CODE_MAX: usize = 96 << 10;
const RESOURCE_MAX: usize = 192 << 10;
/// Bytes taken from a package.
const PACKAGE_MAX: usize = 768 << 10;
/// Bytes of one text; a longer one is cut.
const TEXT_MAX: usize = 6_000;
/// Han characters that a text of a script or of code has at least.
const HAN_MIN: usize = 2;
/// Bytes of what the text models read: they were trained on descriptions.
const MODEL_MAX: usize = 12 << 10;
/// Han characters that they want.
const MODEL_MIN: usize = 60;

/// Platforms and runtimes, beside the catalogue of libraries.
const PLATFORM: &[&str] = &[
    "android.",
    "androidx.",
    "java.",
    "javax.",
    "kotlin.",
    "kotlinx.",
    "dalvik.",
    "com.google.",
    "com.android.",
    "org.apache.",
    "org.json.",
    "okhttp3.",
    "okio.",
    "retrofit2.",
    "gnu.",
    "kawa.",
    "org.intellij.",
    "org.jetbrains.",
    "io.reactivex.",
    "com.squareup.",
    "com.bumptech.",
    "com.facebook.",
    "org.bouncycastle.",
    "org.jsoup.",
    "org.apache.",
    "io.dcloud.",
    "com.taobao.weex.",
    "org.apache.cordova.",
    "com.unity3d.",
    "org.cocos2dx.",
    "io.flutter.",
    "com.alibaba.fastjson",
];

/// Beginnings of the names of resources that libraries bring.
const RESOURCES: &[&str] = &[
    "abc_",
    "common_google_play",
    "common_open_on_phone",
    "appbar_",
    "bottom_sheet",
    "mtrl_",
    "material_",
    "character_counter",
    "exo_",
    "umeng_",
    "ucrop_",
    "picture_",
    "pull_to_refresh",
    "srl_",
    "com_facebook",
    "com_crashlytics",
    "tbs_",
    "dcloud_",
    "tt_",
    "ksad_",
    "gdt_",
    "mbridge_",
    "sobot_",
    "rc_",
    "hms_",
    "upsdk_",
    "brvah_",
    "jpush_",
    "mq_",
    "sns_",
    "ssdk_",
    "xlistview_",
    "bga_",
    "preference_",
    "password_toggle",
    "path_password",
    "fab_transformation",
    "hide_bottom",
    "search_menu",
    "status_bar_notification",
    "ijkplayer_",
    "leak_canary",
    "firebase_",
    "google_",
    "gcm_",
    "fcm_",
    "androidx_",
    "v7_",
];

/// Words of which a legal text holds several.
const LEGAL: &[&str] = &[
    "个人信息",
    "隐私政策",
    "隐私权",
    "用户协议",
    "服务协议",
    "本协议",
    "本政策",
    "本条款",
    "法律法规",
    "监护人",
    "知识产权",
    "免责",
    "不可抗力",
    "争议",
    "第三方sdk",
    "第三方SDK",
    "管辖",
    "授权同意",
    "收集的信息",
    "Cookie",
];

/// Parts of paths of legal texts.
const LEGAL_PATHS: &[&str] =
    &["privacy", "agreement", "yinsi", "xieyi", "terms", "disclaimer", "隐私", "协议", "条款", "legal"];

/// Takes from a block what its users read.
pub(super) fn gather(pack: &Pack, block: &Block, hits: &mut Hits) {
    let most = match block.kind {
        Kind::Label | Kind::Resource => RESOURCE_MAX,
        Kind::Literal | Kind::Code => CODE_MAX,
        Kind::Asset | Kind::Native => ASSET_MAX,
        _ => return,
    };
    if !is_read(block) {
        return;
    }
    let mut taken = Block::new(Kind::Screen, block.place.clone(), &block.unit);
    for fact in block.iter() {
        if taken.text().len() >= most {
            break;
        }
        let name = block.name_of(fact.index).unwrap_or("");
        let wanted = match block.kind {
            Kind::Label => true,
            Kind::Resource => !is_library_resource(name) && is_worded(fact.text),
            Kind::Literal => fact.text.contains(is_han) && is_own(pack, name),
            // In data of no known form two bytes of anything look like a character.
            _ if &*block.unit == "offset" => library_file::is_prose(fact.text),
            _ => fact.text.contains(is_han),
        };
        if !wanted || is_legal(fact.text) {
            continue;
        }
        if matches!(block.kind, Kind::Label | Kind::Resource) && !fact.text.contains('<') {
            taken.push_part(block, fact.index, cut(fact.text));
        } else {
            let has_comments = matches!(block.kind, Kind::Asset);
            runs(fact.text, has_comments, |run| taken.push_part(block, fact.index, run));
        }
    }
    hits.add_screen(taken, PACKAGE_MAX);
}

/// Whether a block may hold words for users.
fn is_read(block: &Block) -> bool {
    let place = &*block.place;
    match block.kind {
        Kind::Label | Kind::Literal | Kind::Resource => true,
        // Constants of DEX files are told with who uses them.
        Kind::Code => &*block.unit != "string" || !place.ends_with(".dex"),
        Kind::Native => place.ends_with("/libapp.so") || place.ends_with("App.framework/App"),
        Kind::Asset => {
            let path = place.rsplit("!/").next().unwrap_or(place).to_lowercase();
            !library_file::is_one(block)
                && !LEGAL_PATHS.iter().any(|part| path.contains(part))
                && !is_legal_file(block)
                && !is_word_list(block)
        }
        _ => false,
    }
}

/// Whether a class belongs to the app itself.
fn is_own(pack: &Pack, class: &str) -> bool {
    !PLATFORM.iter().any(|prefix| class.starts_with(prefix)) && pack.libraries.of_class(class).is_none()
}

/// Words rather than a name, a number, a path or a colour.
fn is_worded(text: &str) -> bool {
    if text.contains(is_han) {
        return true;
    }
    let text = text.trim();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_machine = text.contains(['/', '_', '\\', '{', '$', '#', '@', '=', '|']) && !text.contains(' ');
    letters >= 3
        && !is_machine
        && letters * 3 >= text.chars().count() * 2
        && (text.contains(' ') || text.starts_with(char::is_uppercase))
}

/// What a library brought, or what is written for readers of another language than Chinese and English:
/// `string/name [fr]`.
fn is_library_resource(name: &str) -> bool {
    let (name, config) = name.split_once(" [").unwrap_or((name, ""));
    let language =
        config.split(['-', ']', '+']).find(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase()));
    let name = name.rsplit('/').next().unwrap_or(name);
    language.is_some_and(|language| !matches!(language, "zh" | "en"))
        || RESOURCES.iter().any(|prefix| name.starts_with(prefix))
}

/// A text that speaks as agreements and policies do.
fn is_legal(text: &str) -> bool {
    text.len() > 60 && LEGAL.iter().filter(|word| text.contains(**word)).count() >= 2
}

/// Bytes of a file that is looked at for being a legal text; they are no longer than a short story.
const LEGAL_FILE_MAX: usize = 128 << 10;
/// Lines of a contract are numbered so.
const ARTICLES: &[&str] = &["第一条", "第二条", "第三条", "一、", "二、", "三、"];

/// A file that is an agreement or a policy by what it says, whatever its name: several of the words of
/// such texts, and close together or under numbered articles.
fn is_legal_file(block: &Block) -> bool {
    let text = block.text();
    if text.len() > LEGAL_FILE_MAX {
        return false;
    }
    let (mut kinds, mut times) = (0, 0);
    for word in LEGAL {
        let met = text.matches(word).count();
        kinds += usize::from(met > 0);
        times += met;
    }
    let articles = ARTICLES.iter().filter(|mark| text.contains(**mark)).count();
    let is_dense = times * 240 >= text.len();
    kinds >= 4 && is_dense || kinds >= 2 && articles >= 3
}

/// Parts of paths by which files call themselves dictionaries.
const DICTIONARIES: &[&str] =
    &["/dict", "cidian", "zidian", "glossary", "wordlist", "_dict", "dict.", "dictionary", "thesaurus"];
/// Rows of a list of words before it is one, and of one in which nearly every row has its gloss.
const LIST_MIN: usize = 200;
const GLOSSARY_MIN: usize = 24;
/// Marks of parts of speech that stand before a gloss.
const GLOSSES: &[&str] =
    &["n.", "v.", "vt.", "vi.", "adj.", "adv.", "prep.", "conj.", "pron.", "num.", "int.", "a.", "ad."];

/// Whether a file is a dictionary or a list of words: many rows, and glosses in most of them. What it
/// explains is no word of the app's own.
pub(super) fn is_word_list(block: &Block) -> bool {
    let path = block.place.rsplit("!/").next().unwrap_or(&block.place).to_ascii_lowercase();
    if DICTIONARIES.iter().any(|part| path.contains(part)) {
        return true;
    }
    if block.len() < GLOSSARY_MIN {
        return false;
    }
    let rows = block.len().min(LIST_MIN * 4);
    let glossed = block.iter().take(rows).filter(|fact| has_gloss(fact.text)).count();
    if rows < LIST_MIN { glossed * 3 >= rows * 2 } else { glossed * 3 >= rows }
}

fn has_gloss(text: &str) -> bool {
    text.split(|c: char| {
        c.is_whitespace() || is_han(c) || matches!(c, '"' | '\'' | ',' | '，' | ';' | '；' | ':' | '>' | '|')
    })
    .any(|word| GLOSSES.contains(&word))
        || text.contains(['ə', 'ɪ', 'ʃ', 'ʌ', 'ɑ', 'ˈ', 'θ'])
}

/// The texts between the marks of code, data and pages.
fn runs(text: &str, has_comments: bool, mut take: impl FnMut(&str)) {
    let text = if has_comments { without_comment(text) } else { text };
    for run in text.split(is_mark) {
        let run = run.trim();
        if run.chars().filter(|&c| is_han(c)).count() >= HAN_MIN {
            take(cut(run));
        }
    }
}

const fn is_mark(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '<' | '>' | '{' | '}' | '\\' | '\t' | '\n' | '\0'..='\u{8}' | '=')
}

/// Whether a line says something outside its comment.
pub(super) fn is_said(line: &str) -> bool {
    !without_comment(line).is_empty()
}

/// A line of a script or style up to its comment.
fn without_comment(line: &str) -> &str {
    let start = line.trim_start();
    if ["//", "/*", "*", "#", "<!--", "--"].iter().any(|mark| start.starts_with(mark)) && !start.starts_with("#!") {
        return "";
    }
    let comment = line.match_indices("//").map(|(at, _)| at).find(|&at| !line[..at].ends_with(':'));
    // A quote after the mark: it stands within a string.
    match comment {
        Some(at) if !line[at..].contains(['"', '\'', '`']) => &line[..at],
        _ => line,
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

/// Reads what was gathered. With a listing at hand it can only add: an app is cleared where it says
/// what it is.
pub(super) fn read(pack: &Pack, hits: &mut Hits, models: &mut BTreeMap<String, ModelVerdict>) {
    let blocks = distinct(&std::mem::take(&mut hits.screen));
    if blocks.is_empty() {
        return;
    }
    let normals: Vec<Normal> = blocks.iter().map(normal_of).collect();
    let mut seen = Hits::default();
    blocks.iter().for_each(|block| seen.note_searched(block));
    matching::screen(pack, &blocks, &normals, &mut seen);
    if hits.kinds().intersects(Kinds::PITCH) {
        seen.clues.retain(|&clue, _| pack.clues[clue].weight >= 0);
    } else {
        *models = judged(pack, &blocks);
    }
    hits.merge(seen);
}

/// What the text models say of the Chinese among it. They learnt from descriptions, and screens are
/// written otherwise: of words that are no sentences they lean half as far, and never away.
fn judged(pack: &Pack, blocks: &[Block]) -> BTreeMap<String, ModelVerdict> {
    let mut said = Vec::new();
    let (mut bytes, mut han, mut prose) = (0, 0, 0);
    for block in blocks {
        let mut new = Block::new(Kind::Screen, block.place.clone(), &block.unit);
        for fact in block.iter().filter(|fact| fact.text.contains(is_han)) {
            if bytes < MODEL_MAX {
                bytes += fact.text.len();
                let written = fact.text.chars().filter(|&c| is_han(c)).count();
                han += written;
                prose += if library_file::is_prose(fact.text) { written } else { 0 };
                new.push_part(block, fact.index, fact.text);
            }
        }
        if !new.is_empty() {
            said.push(new);
        }
    }
    if han < MODEL_MIN {
        return BTreeMap::new();
    }
    let normals: Vec<Normal> = said.iter().map(normal_of).collect();
    let mut models = model::verdicts(pack, said.iter().zip(&normals));
    if prose * 2 < han {
        models.values_mut().for_each(|verdict| verdict.lean = verdict.lean.max(0.0) / 2.0);
    }
    models
}

/// The blocks without texts that another holds too: variants of a table repeat one another.
fn distinct(blocks: &[Block]) -> Vec<Block> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut kept = Vec::new();
    for block in blocks {
        let mut new = Block::new(Kind::Screen, block.place.clone(), &block.unit);
        for fact in block.iter().filter(|fact| seen.insert(fact.text)) {
            new.push_part(block, fact.index, fact.text);
        }
        if !new.is_empty() {
            kept.push(new);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> Vec<String> {
        let mut out = Vec::new();
        runs(line, true, |run| out.push(run.to_owned()));
        out
    }

    #[test]
    fn words_are_taken_from_between_the_marks() {
        assert_eq!(taken(r#"var t = "拍照搜题，一拍出答案";"#), ["拍照搜题，一拍出答案"]);
        assert_eq!(taken("<p class='a'>小学数学</p><b>口算</b>"), ["小学数学", "口算"]);
        assert_eq!(taken(r#"["学","","","车"]"#), Vec::<String>::new());
        assert_eq!(taken("// 初始化题库"), Vec::<String>::new());
        assert_eq!(taken("load(); // 学生列表"), Vec::<String>::new());
        assert_eq!(taken("u = 'https://a.example/下载地址'"), ["https://a.example/下载地址"]);
        assert_eq!(taken("拍@照#搜$题"), ["拍@照#搜$题"]);
    }

    #[test]
    fn legal_texts_are_left_out() {
        assert!(is_legal("我们依据法律法规收集您的个人信息，如您是未满十四周岁的儿童，请在监护人陪同下阅读本政策。"));
        assert!(!is_legal("同步课堂，名师讲解，紧跟教材。"));
    }

    #[test]
    fn a_contract_is_one_under_any_name() {
        let mut terms = Block::new(Kind::Asset, "a!/r/4/aaaa.txt", "line");
        terms.push(0, "第一条 本协议由用户与甲公司签订，即用户服务协议。");
        terms.push(1, "第二条 用户报名直播课程后，可申请退款。");
        terms.push(2, "第三条 上课期间，老师可邀请学员打开摄像头。");
        let mut course = Block::new(Kind::Asset, "a!/r/5/aaaa.txt", "line");
        course.push(0, "一、同步课堂 二、名师讲解 三、同学们的错题本");
        course.push(1, "登录即同意用户协议。");
        assert!(is_legal_file(&terms) && !is_legal_file(&course));
    }

    #[test]
    fn dictionaries_are_lists_of_words() {
        let mut list = Block::new(Kind::Asset, "a!/d.db", "row");
        let mut bank = Block::new(Kind::Asset, "a!/q.db", "row");
        for row in 0..300 {
            list.push(row, "accountant n. 会计师");
            bank.push(row, "下列说法正确的是（ ） A. 甲 B. 乙");
        }
        assert!(is_word_list(&list) && !is_word_list(&bank));
        let mut short = Block::new(Kind::Asset, "a!/word-5.txt", "line");
        let mut mixed = Block::new(Kind::Asset, "a!/page.html", "line");
        for row in 0..30 {
            short.push(row, "physics,物理，物理学,,phys,ics,,,n.,学术用语后缀");
            mixed.push(row, if row % 2 == 0 { "physics n. 物理" } else { "初二物理同步课堂" });
        }
        assert!(is_word_list(&short) && !is_word_list(&mixed));
    }
}
