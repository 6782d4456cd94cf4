//! The words of the page and the reports are those of the glossary: one word for one thing, in both languages.

use crate::support::project;

/// Words of a language file, Chinese beside English.
fn phrases(file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(project(file)).unwrap();
    let words = |line: &str, language: &str| {
        let rest = line.trim_start().strip_prefix(language)?.trim();
        Some(rest.trim_matches('"').to_owned())
    };
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| Some((words(pair[0], "zh:")?, words(pair[1], "en:")?)));
    pairs.collect()
}

/// The rows of the glossary: English, Chinese.
fn glossary() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(project("docs/glossary.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| English"));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap(), cells.next().unwrap())
    })
    .collect()
}

/// Whether an English phrase speaks of a thing by its word, in the singular or the plural.
fn names(phrase: &str, word: &str) -> bool {
    let is_word = |token: &str| token == word || token.strip_suffix('s') == Some(word);
    phrase.to_lowercase().split(|c: char| !c.is_ascii_alphabetic()).any(is_word)
}

#[test]
fn a_word_of_the_glossary_is_said_by_its_word_in_the_other_language() {
    let glossary = glossary();
    let chinese = |word: &str| &glossary.iter().find(|(english, _)| english == word).unwrap().1;
    let mut held = 0;
    for (zh, en) in phrases("locales/app.yml").into_iter().chain(phrases("locales/page.yml")) {
        for word in ["clue", "evidence"] {
            if names(&en, word) {
                held += 1;
                assert!(zh.contains(chinese(word)), "{word}: {zh} | {en}");
            }
        }
        if names(&en, "findings") {
            held += 1;
            assert!(zh.contains(chinese("finding")), "findings: {zh} | {en}");
        }
        // A ground is what the law says; what was seen in the app is evidence.
        assert!(!zh.contains("条依据"), "{zh}");
    }
    assert!(held > 20, "the test sees the words it guards: {held}");
}

#[test]
fn no_two_things_share_a_word() {
    let glossary = glossary();
    for (index, (english, chinese)) in glossary.iter().enumerate() {
        for (other, same) in &glossary[index + 1..] {
            assert!(english != other && chinese != same, "{english} and {other}: {chinese}");
        }
    }
}
