//! The law as data: every sentence quoted stands in a text kept with its source, nothing that is a
//! paraphrase is quoted, faults are named and hurt no other policy, and what does not bind says so.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::fake_store::FakeStore;
use crate::support::{project, report, stderr, stdout, xunjian};
use serde_json::Value;
use xunjian::model::{Known, Sign, Status};
use xunjian::signature::{Instrument, Pack, Source};

/// A text that is kept: its lines of provenance, and the rest.
fn kept(id: &str) -> (Vec<String>, String) {
    let text =
        std::fs::read_to_string(project(&format!("law/{id}.txt"))).unwrap_or_else(|e| panic!("law/{id}.txt: {e}"));
    let (notes, body): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("# "));
    (notes.into_iter().map(|line| line[2..].to_owned()).collect(), body.join("\n"))
}

/// What is wrong with the quotations of an instrument.
fn misquoted(instrument: &Instrument) -> Vec<String> {
    let id = &instrument.basis.id;
    let (notes, body) = kept(id);
    let mut faults = Vec::new();
    for article in instrument.articles.values() {
        let name = format!("{id}#{}", article.id.get_ref());
        if !body.contains(article.text.get_ref().as_str()) {
            faults.push(format!("{name} does not stand in law/{id}.txt word for word"));
        }
        let is_sourced = !article.source.is_empty() && notes.iter().any(|note| note.starts_with(&article.source));
        if article.known == Known::Reported && !is_sourced {
            faults.push(format!("{name}: no source of the report in law/{id}.txt"));
        }
    }
    faults
}

/// What must not be quoted: instrument and words.
fn not_to_quote() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(project("law/not-to-quote.tsv")).unwrap();
    let row = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        (cells.next().unwrap(), cells.next().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

fn shipped() -> Pack {
    let pack = Pack::load(&Source::embedded()).unwrap();
    assert_eq!(pack.faults, [], "what is shipped is sound");
    pack
}

#[test]
fn every_sentence_stands_in_a_text_that_is_kept() {
    let pack = shipped();
    assert!(pack.instruments.len() > 20, "{}", pack.instruments.len());
    let faults: Vec<String> = pack.instruments.values().flat_map(misquoted).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    // The check sees one character that differs, and a report without a source.
    let mut wrong = pack.instruments["cn-minors-law"].clone();
    let text = wrong.articles["74-3"].text.get_ref().replace("不得", "不应");
    *wrong.articles.get_mut("74-3").unwrap().text.as_mut() = text;
    assert_eq!(misquoted(&wrong).len(), 1);
    let mut wrong = pack.instruments["bj-2022-04-notice"].clone();
    wrong.articles.get_mut("photo").unwrap().source = "某报".into();
    assert_eq!(misquoted(&wrong).len(), 1);
}

#[test]
fn no_paraphrase_is_quoted() {
    let pack = shipped();
    let barred = not_to_quote();
    assert!(barred.len() > 10);
    for (id, words) in barred {
        let instrument = pack.instruments.get(&id).unwrap_or_else(|| panic!("{id} is no instrument"));
        for article in instrument.articles.values() {
            assert!(!article.text.get_ref().contains(&words), "{id}#{}: {words}", article.id.get_ref());
        }
        let (_, body) = kept(&id);
        assert!(!body.contains(&words), "law/{id}.txt keeps {words}");
    }
    // Of an instrument whose text nobody had, every sentence is marked as reported.
    for instrument in pack.instruments.values().filter(|i| i.basis.status == Status::Reported) {
        assert!(instrument.articles.values().all(|a| a.known == Known::Reported), "{}", instrument.basis.id);
    }
}

#[test]
fn policies_that_bind_rest_on_what_binds_and_keep_the_draft_last() {
    let pack = shipped();
    for policy in pack.policies.values().filter(|policy| policy.basis[0].status.binds()) {
        for (sign, said) in &policy.signs {
            let own = said.rules.iter().filter(|rule| !rule.cited.lineage);
            assert!(own.clone().count() > 0, "{} {sign}", policy.id);
            assert!(own.clone().all(|rule| rule.cited.status.binds()), "{} {sign}", policy.id);
        }
    }
    let ours = &pack.policies["bj-in-force"];
    for sign in Sign::ALL.iter().filter(|sign| !sign.is_further()) {
        let rules = &ours.of(*sign).unwrap().rules;
        let last = &rules.last().unwrap().cited;
        assert!(last.lineage && last.instrument == "bj-2022-02-draft", "{sign}");
    }
    let of_notice = Sign::ALL.iter().filter(|sign| !sign.is_further()).count();
    assert_eq!(pack.policies["cn"].signs.len(), of_notice);
    // What the notice does not know is raised under a policy that names it, and under no other.
    assert!(pack.policies["cn-adverts"].signs.keys().eq(["guaranteed-results"]));
    assert!(pack.policies["cn-minors-mode"].signs.keys().eq(["minors-mode"]));
    assert!(ours.of(Sign::GuaranteedResults).is_none() && ours.of(Sign::MinorsMode).is_none());
    assert!(pack.policies["bj-2022-04-final"].of(Sign::MinorPrivacy).is_none(), "no sentence of it was seen");
}

/// A folder of signatures with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const NOTICE: &str = "title = { zh = \"南河省教育应用通知\", en = \"Nanhe notice\" }\ncite = \"南教〔2026〕1号\"\nissuer = { zh = \"南河省教育厅\", en = \"Nanhe education department\" }\nissued = \"2026-03-01\"\nstatus = \"in-force\"\nregion = \"南河省\"\nsource = { zh = \"全文\", en = \"whole text\" }\n\n[[articles]]\nid = \"3\"\nname = \"第三条\"\ntext = \"教育应用不得出现广告。\"\nknown = \"verbatim\"\n";
const POLICY: &str = "instrument = \"nanhe-2026\"\neducation-prior = -12\n\n[signs.advertising]\nseverity = \"medium\"\nprior = -13\n\n[[signs.advertising.grounds]]\narticle = \"nanhe-2026#3\"\n";

fn faults(files: &[(&str, &str)]) -> (Pack, Vec<String>) {
    let folder = folder(files);
    let mut source = Source::embedded();
    source.overlay(folder.path()).unwrap();
    let pack = Pack::load(&source).unwrap();
    let told = pack.faults.iter().map(ToString::to_string).collect();
    (pack, told)
}

#[test]
fn another_province_is_data_and_may_be_silent() {
    let (pack, told) = faults(&[("instruments/nanhe-2026.toml", NOTICE), ("policies/nanhe-2026.toml", POLICY)]);
    assert_eq!(told, Vec::<String>::new());
    let policy = pack.policy("nanhe-2026").unwrap();
    assert_eq!((policy.basis[0].title.zh.as_str(), policy.signs.len()), ("南河省教育应用通知", 1));
    let folder = folder(&[("instruments/nanhe-2026.toml", NOTICE), ("policies/nanhe-2026.toml", POLICY)]);
    let signatures = folder.path().to_str().unwrap();
    let args = ["audit", "tests/fixtures/apks/adstudy.apk", "--signatures", signatures, "--policy", "nanhe-2026"];
    let json = report(&xunjian(&[&args[..], &["--format", "json"]].concat()));
    let audit = &json["audits"][0];
    let found: Vec<&str> = audit["findings"].as_array().unwrap().iter().map(|f| f["sign"].as_str().unwrap()).collect();
    assert_eq!(found, ["advertising"], "only what it speaks of is raised");
    assert_eq!(audit["findings"][0]["clause"], "第三条");
    let silent = audit["checks"].as_array().unwrap().iter().filter(|check| check["silent"] == true).count();
    assert_eq!(silent, Sign::ALL.iter().filter(|sign| !sign.is_further()).count() - 1);
    let human = stdout(&xunjian(&args));
    assert!(human.contains("南河省教育应用通知") && human.contains("本依据未涉及：面向学龄前"), "{human}");
}

#[test]
fn faults_are_named_where_they_stand_and_the_others_load() {
    let cases: BTreeMap<&str, (String, String, &str, &str)> = BTreeMap::from([
        (
            "an article that is not there",
            (
                NOTICE.into(),
                POLICY.replace("nanhe-2026#3", "nanhe-2026#9"),
                "policies/nanhe-2026.toml:9:11",
                "holds no article `9`",
            ),
        ),
        (
            "words that are not there",
            (
                NOTICE.into(),
                format!("{POLICY}words = \"不得出现游戏\"\n"),
                "policies/nanhe-2026.toml:10:9",
                "does not hold these words",
            ),
        ),
        (
            "an instrument that is not there",
            (
                NOTICE.into(),
                POLICY.replace("nanhe-2026#3", "nanhe#3"),
                "policies/nanhe-2026.toml:9:11",
                "no instrument `nanhe`",
            ),
        ),
        (
            "an unknown sign",
            (
                NOTICE.into(),
                POLICY.replace("signs.advertising", "signs.adverts"),
                "policies/nanhe-2026.toml:4:8",
                "no sign `adverts`",
            ),
        ),
        (
            "a date that is none",
            (
                NOTICE.replace("2026-03-01", "2026-02-30"),
                POLICY.into(),
                "instruments/nanhe-2026.toml:4:10",
                "`2026-02-30` is no date",
            ),
        ),
        (
            "a second article",
            (
                format!("{NOTICE}\n[[articles]]\nid = \"3\"\nname = \"第四条\"\ntext = \"甲\"\nknown = \"verbatim\"\n"),
                POLICY.into(),
                "instruments/nanhe-2026.toml:16:6",
                "a second article `3`",
            ),
        ),
        (
            "a scope that is none",
            (
                NOTICE.into(),
                format!("{POLICY}scope = {{ stages = [\"adult\"] }}\n"),
                "policies/nanhe-2026.toml:10:21",
                "no stage `adult`",
            ),
        ),
        (
            "a wrong key",
            (NOTICE.into(), POLICY.replace("severity", "severty"), "policies/nanhe-2026.toml:5:1", "severty"),
        ),
        (
            "a draft among what binds",
            (
                NOTICE.into(),
                POLICY.replace("nanhe-2026#3", "bj-2022-02-draft#3-content"),
                "policies/nanhe-2026.toml:9:11",
                "lineage = true",
            ),
        ),
    ]);
    for (what, (notice, policy, place, words)) in cases {
        let (pack, told) = faults(&[("instruments/nanhe-2026.toml", &notice), ("policies/nanhe-2026.toml", &policy)]);
        assert!(
            told.iter().any(|fault| fault.starts_with(&format!("{place}:")) && fault.contains(words)),
            "{what}: {told:#?}"
        );
        assert!(pack.policy("nanhe-2026").is_none(), "{what}");
        assert!(pack.policy("bj-in-force").is_some() && pack.policy("cn").is_some(), "{what}");
    }
}

#[test]
fn two_policies_of_one_id_and_two_quotations_of_one_article() {
    let second = format!("id = \"nanhe-2026\"\n{POLICY}");
    let (pack, told) = faults(&[
        ("instruments/nanhe-2026.toml", NOTICE),
        ("policies/nanhe-2026.toml", POLICY),
        ("policies/other.toml", &second),
    ]);
    assert!(
        told.len() == 1 && told[0].starts_with("policies/other.toml:1:7: a second policy `nanhe-2026`"),
        "{told:?}"
    );
    assert!(pack.policy("nanhe-2026").is_some());
    let other = NOTICE.replace("不得出现广告", "不得有广告");
    let (_, told) = faults(&[("instruments/nanhe-2026.toml", NOTICE), ("instruments/nanhe-again.toml", &other)]);
    assert!(told.len() == 1 && told[0].starts_with("instruments/nanhe-again.toml:12:8: 第三条"), "{told:?}");
}

/// A subject app that finds answers by photograph.
const LISTING: &str = r#"{"id":"p1","package":"cn.example.p","title":"初中数学拍照搜题","description":"初中数学同步辅导，名师讲解，拍照搜题，一拍出答案，作业秒解。中考真题题库，面向初一初二初三学生。"}"#;

fn audit_listing(policies: &[&str], format: &str) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.jsonl");
    std::fs::write(&path, LISTING).unwrap();
    let mut args = vec!["audit", path.to_str().unwrap(), "--format", format];
    policies.iter().for_each(|id| args.extend(["--policy", id]));
    xunjian(&args)
}

fn photo<'a>(report: &'a Value, list: &str) -> Option<&'a Value> {
    report["audits"][0][list].as_array()?.iter().find(|finding| finding["sign"] == "photo-search")
}

#[test]
fn a_ground_that_does_not_fit_is_shown_and_carries_nothing() {
    let ours = report(&audit_listing(&[], "json"));
    assert_eq!(ours["made_by"]["policy"], "bj-in-force");
    assert_eq!(ours["audits"][0]["profile"]["kind"], "subject");
    let finding = photo(&ours, "findings").expect("the notice covers every education app");
    let grounds = finding["grounds"].as_array().unwrap();
    assert_eq!(finding["clause"], grounds[0]["clause"]);
    assert_eq!(finding["clause_text"], grounds[0]["text"]);
    assert_eq!(grounds[0]["instrument"], "bj-2022-04-notice");
    assert_eq!(grounds[0]["known"], "reported");
    assert_eq!(grounds.last().unwrap()["lineage"], true);
    assert_eq!(grounds.last().unwrap()["carries"], false);
    let draft = report(&audit_listing(&["bj-2022-02-draft"], "json"));
    assert!(photo(&draft, "findings").is_none(), "the draft speaks of non-subject apps alone");
    let aside = photo(&draft, "out_of_scope").expect("kept for the record");
    assert_eq!(aside["grounds"][0]["misfits"], serde_json::json!(["kind"]));
    assert_eq!(aside["policies"], serde_json::json!([]));
}

#[test]
fn several_policies_judge_at_once() {
    let both = report(&audit_listing(&["bj-in-force", "cn"], "json"));
    assert_eq!(both["made_by"]["policy"], "bj-in-force+cn");
    let finding = photo(&both, "findings").unwrap();
    assert_eq!(finding["policies"], serde_json::json!(["bj-in-force", "cn"]));
    let grounds = finding["grounds"].as_array().unwrap();
    let national: Vec<&Value> = grounds.iter().filter(|g| g["instrument"] == "cn-double-reduction").collect();
    assert_eq!(national.len(), 1, "what both cite is cited once");
    assert_eq!(national[0]["policies"], serde_json::json!(["bj-in-force", "cn"]));
    assert_eq!(both["audits"][0]["basis"].as_array().unwrap().len(), 2);
    // What the draft rests on is not told once more as where the sign comes from, and names its document.
    let both = report(&audit_listing(&["bj-in-force", "bj-2022-02-draft"], "json"));
    let grounds = photo(&both, "findings").unwrap()["grounds"].as_array().unwrap().clone();
    let draft: Vec<&Value> = grounds.iter().filter(|g| g["instrument"] == "bj-2022-02-draft").collect();
    assert_eq!(draft.len(), 1, "{grounds:?}");
    assert_eq!(draft[0]["policies"], serde_json::json!(["bj-2022-02-draft"]));
    assert!(draft[0]["clause"].as_str().unwrap().contains("征求意见稿"), "{draft:?}");
}

#[test]
fn a_further_sign_is_raised_beside_the_others_where_a_policy_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.jsonl");
    let line = r#"{"package":"cn.example.p","title":"中考冲刺","description":"初中数学同步辅导，名师讲解中考真题，签约保过，不过全额退费。"}"#;
    std::fs::write(&path, line).unwrap();
    let audit = |policies: &[&str]| {
        let mut args = vec!["audit", path.to_str().unwrap(), "--format", "json"];
        policies.iter().for_each(|id| args.extend(["--policy", id]));
        report(&xunjian(&args))["audits"][0].clone()
    };
    let promised = |audit: &Value| {
        let finding = |finding: &&Value| finding["sign"] == "guaranteed-results";
        audit["findings"].as_array().unwrap().iter().find(finding).cloned()
    };
    let beside = promised(&audit(&["bj-in-force", "cn-adverts"])).expect("promised results");
    assert_eq!(beside["policies"], serde_json::json!(["cn-adverts"]));
    assert_eq!(beside["clause"], "《广告法》第二十四条第一项");
    assert!(beside["grounds"][0]["sanction"]["clause"].as_str().unwrap().contains("第五十八条"), "{beside}");
    let ours = audit(&[]);
    assert!(promised(&ours).is_none() && !ours.to_string().contains("guaranteed-results"), "off by default");
}

/// Only whom the regulation asks may lack the mode, and only under the policy that names it.
#[test]
fn a_missing_minors_mode_is_raised_of_live_services_under_its_own_policy() {
    let package = project("tests/fixtures/apks/livelesson.apk").display().to_string();
    let audit = |policies: &[&str], package: &str| {
        let mut args = vec!["audit", package, "--format", "json"];
        policies.iter().for_each(|id| args.extend(["--policy", id]));
        report(&xunjian(&args))["audits"][0].clone()
    };
    let lacking = |audit: &Value| {
        let all = audit["findings"].as_array().unwrap();
        all.iter().find(|finding| finding["sign"] == "minors-mode").cloned()
    };
    let found = lacking(&audit(&["bj-in-force", "cn-minors-mode"], &package)).expect("no minors' mode");
    assert_eq!(found["policies"], serde_json::json!(["cn-minors-mode"]));
    assert_eq!(found["clause"], "《未成年人网络保护条例》第四十三条");
    assert!(found["grounds"][0]["sanction"]["clause"].as_str().unwrap().contains("第五十六条"), "{found}");
    let ours = audit(&[], &package);
    assert!(!ours.to_string().contains("minors-mode"), "off by default");
    let quiet = project("tests/fixtures/apks/photosearch.apk").display().to_string();
    assert!(lacking(&audit(&["cn-minors-mode"], &quiet)).is_none(), "no live, no video, no community");
}

/// Training before school that stands in the filing register is one more anomaly; not to stand there is as it should be.
#[test]
fn a_filed_preschool_app_is_one_more_anomaly() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("registers").display().to_string();
    let row =
        |package: &str| format!("应用名称,包名,备案号,有效期至\n豆芽早教,{package},教APP备1100001号,2027-12-31\n");
    let audited = |package: &str, as_of: &str| {
        let table = dir.path().join("filing.csv");
        std::fs::write(&table, row(package)).unwrap();
        let table = table.display().to_string();
        let imported = xunjian(&["register", "import", "filing", &table, "--registers", &folder, "--replace-anyway"]);
        assert!(imported.status.success(), "{}", stderr(&imported));
        let app = project("tests/fixtures/apks/preschool.apk").display().to_string();
        let told = xunjian(&["audit", &app, "--registers", &folder, "--as-of", as_of, "--format", "json"]);
        let findings = report(&told)["audits"][0]["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["sign"] == "preschool-training").expect("training before school")
    };
    let of_register = |finding: &Value| {
        let all = finding["evidence"].as_array().unwrap();
        all.iter().find(|evidence| evidence["clue"] == "filed-preschool").cloned()
    };
    let filed = audited("cn.example.douya", "2026-12-01");
    let evidence = of_register(&filed).expect("an evidence of its own");
    assert!(evidence["text"].as_str().unwrap().contains("教APP备1100001号"), "{evidence}");
    assert!(evidence["why"]["zh"].as_str().unwrap().contains("备案异常"), "{evidence}");
    assert_eq!(evidence["weight"], 0, "it proves no training: {evidence}");
    let expired = of_register(&audited("cn.example.douya", "2028-01-01")).expect("expired, and there");
    assert!(expired["why"]["zh"].as_str().unwrap().contains("2027-12-31 到期"), "{expired}");
    let other = audited("cn.example.other", "2026-12-01");
    assert!(of_register(&other).is_none(), "{other}");
    assert_eq!(other["probability"], filed["probability"], "the register does not make it likelier");
}

#[test]
fn what_does_not_bind_says_so_in_every_form() {
    for format in ["human", "html", "csv", "sarif"] {
        let draft = stdout(&audit_listing(&["bj-2022-02-draft"], format));
        assert!(draft.contains("征求意见稿，不得作为执法依据"), "{format}: {draft}");
        let ours = stdout(&audit_listing(&[], format));
        assert!(!ours.contains("不得作为执法依据"), "{format}");
        // A program reads the same from the keys.
        let is_sarif = format == "sarif";
        let (lineage, reported) = if is_sarif {
            ("\"lineage\":true", "\"known\":\"reported\"")
        } else {
            ("征求意见稿，未施行", "据报道")
        };
        assert!(ours.contains(lineage), "{format}: the lineage is marked");
        assert!(ours.contains(reported), "{format}");
    }
    // Of several, which of them.
    let both = stdout(&audit_listing(&["bj-in-force", "bj-2022-02-draft"], "human"));
    assert!(both.contains("（征求意见稿，2022年2月16日）是征求意见稿，不得作为执法依据"), "{both}");
    let unknown = audit_listing(&["bj-2030"], "json");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("bj-in-force"), "{}", stderr(&unknown));
}

#[test]
fn a_bag_says_which_of_its_rules_does_not_bind() {
    let dir = tempfile::tempdir().unwrap();
    let store = FakeStore::serve(12, Duration::ZERO);
    store.adapter(&dir.path().join("stores"), 0.0, 4);
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (stores, home, bag) = (path("stores"), path("home"), path("bag"));
    let args = ["sweep", "fake", "--allow-private", "--format", "json", "--stores", &stores, "--home", &home];
    let both = ["--policy", "bj-in-force", "--policy", "bj-2022-02-draft"];
    let swept = report(&xunjian(&[&args[..], &both].concat()));
    let finding = swept["audits"].as_array().unwrap().iter().find_map(|audit| audit["findings"][0]["id"].as_str());
    let exported = xunjian(&["evidence", "export", finding.expect("a finding"), "--home", &home, "--out", &bag]);
    assert_eq!(exported.status.code(), Some(0), "{}", stderr(&exported));
    let info = std::fs::read_to_string(dir.path().join("bag/bag-info.txt")).unwrap();
    assert!(info.contains("征求意见稿，不得作为执法依据"), "{info}");
    assert_eq!(info.lines().count(), 6, "one line a thing: {info}");
    assert_eq!(xunjian(&["evidence", "verify", &bag]).status.code(), Some(0));
}

#[test]
fn the_template_of_the_documents_loads_and_judges() {
    let folder = project("docs/policy-template");
    let signatures = folder.to_str().unwrap();
    let checked = xunjian(&["policies", "check", "--signatures", signatures]);
    assert_eq!((checked.status.code(), stderr(&checked).as_str()), (Some(0), ""));
    let shown = stdout(&xunjian(&["policies", "show", "my-notice", "--signatures", signatures]));
    assert!(shown.contains("某教〔2026〕1号") && shown.contains("罚则 第九条"), "{shown}");
    let listed = stdout(&xunjian(&["policies", "list", "--signatures", signatures, "--lang", "en"]));
    assert!(listed.contains("* bj-in-force\tin force\t13 signs") && listed.contains("my-notice"), "{listed}");
    let args = ["audit", "tests/fixtures/apks/adstudy.apk", "--signatures", signatures, "--policy", "my-notice"];
    let json = report(&xunjian(&[&args[..], &["--format", "json"]].concat()));
    let finding = &json["audits"][0]["findings"][0];
    assert_eq!(finding["clause"], "第三条");
    assert_eq!(finding["grounds"][0]["sanction"]["clause"], "第九条");
    let broken = self::folder(&[("policies/broken.toml", "title = 1\n")]);
    let checked = xunjian(&["policies", "check", "--signatures", broken.path().to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(stderr(&checked).starts_with("policies/broken.toml:1:"), "{}", stderr(&checked));
}
