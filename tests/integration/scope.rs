//! Which apps are education apps, by the six examples of the official answers to the notice of 2022, each in a name
//! and words of our own: a general messenger is none and its edition for schools is one; training for a degree by
//! self-study is one, for driving and for the civil service is none; a general dictionary is none, one for children is.

use crate::support::{report, xunjian};
use serde_json::json;

/// Package, title, category of the store, description, and whether it is one.
const APPS: &[(&str, &str, &str, &str, bool)] = &[
    (
        "cn.example.messenger",
        "捎话",
        "社交",
        "捎话是一款即时通讯软件：发文字、语音和图片，建群聊天，视频通话，朋友圈分享生活。班级群、同事群、家人群都在用。",
        false,
    ),
    (
        "cn.example.messenger.school",
        "捎话校园版",
        "教育",
        "捎话校园版专为中小学校打造：班级通知、家校沟通、作业布置与提交、在线课堂、成绩发布，服务教师、学生和家长，助力学校教学与管理。",
        true,
    ),
    (
        "cn.example.selfstudy",
        "自学本科",
        "教育",
        "自考本科、成人高考备考平台：自学考试课程、历年真题、章节练习、直播答疑，帮助在职人员取得学历。",
        true,
    ),
    (
        "cn.example.driving",
        "一把过驾考",
        "教育",
        "驾考科目一、科目四最新题库，模拟考试、顺序练习、错题回顾，交通标志速记，覆盖小车、货车、客车、摩托车驾驶证考试。",
        false,
    ),
    (
        "cn.example.civil",
        "上岸公考",
        "教育",
        "国考省考公务员考试题库，行测申论真题，每日一练、模考大赛，事业单位、公务员面试备考。",
        false,
    ),
    (
        "cn.example.dictionary",
        "通用词典",
        "工具",
        "权威英汉词典，离线查词、拍照翻译、文档翻译、人工翻译，支持一百多种语言，出国旅行、商务办公必备。",
        false,
    ),
    (
        "cn.example.dictionary.kids",
        "少儿词典",
        "教育",
        "专为小学生和中学生打造的词典：同步教材单词，动画释义，笔顺笔画，古诗词学习，单词听写打卡，让孩子爱上学习。",
        true,
    ),
];

#[test]
fn scope_follows_the_official_answers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("apps.jsonl");
    let lines = APPS.iter().map(|(package, title, category, description, _)| {
        json!({ "package": package, "title": title, "category": category, "description": description }).to_string()
    });
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let report = report(&xunjian(&["audit", &path.display().to_string(), "--format", "json"]));
    let audits = report["audits"].as_array().unwrap();
    assert_eq!(audits.len(), APPS.len());
    for (audit, (package, .., is_one)) in audits.iter().zip(APPS) {
        let wanted = if *is_one { "yes" } else { "no" };
        let verdict = &audit["profile"]["education"]["verdict"];
        assert_eq!(verdict, wanted, "{package}: {}", audit["profile"]["education"]["probability"]);
        assert!(*is_one || audit["findings"] == json!([]), "{package}: what is none has no findings");
    }
}
