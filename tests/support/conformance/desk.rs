//! What every memory of people and of their decisions must do.

use xunjian::store::{ApiClient, Deed, Desk, DeskQuery, People, Person, Review, State, Tray};

fn person(name: &str) -> Person {
    Person {
        name: name.into(),
        role: "reviewer".into(),
        password: "hash".into(),
        is_active: true,
        failures: 0,
        locked_until: 0,
        made_at: 1,
    }
}

pub async fn people_sign_in_until_they_may_not(state: &impl People) {
    state.keep_person(&person("a")).await.unwrap();
    state.keep_person(&person("b")).await.unwrap();
    assert_eq!(state.people().await.unwrap().len(), 2);
    state.sign_in("token", "a", "csrf", 100).await.unwrap();
    let session = state.session("token", 99, 99, 101).await.unwrap().unwrap();
    assert_eq!((session.person.name.as_str(), session.csrf.as_str(), session.begun), ("a", "csrf", 100));
    assert_eq!(state.session("token", 100, 0, 101).await.unwrap(), None, "begun too long ago");
    assert_eq!(state.session("token", 0, 100, 101).await.unwrap(), None, "not seen for too long");
    assert_eq!(state.session("other", 0, 0, 101).await.unwrap(), None);
    assert!(state.session("token", 0, 0, 200_000).await.unwrap().is_some());
    assert!(state.session("token", 0, 150_000, 200_001).await.unwrap().is_some(), "seen just now");
    state.keep_person(&Person { is_active: false, ..person("a") }).await.unwrap();
    assert_eq!(state.session("token", 0, 0, 101).await.unwrap(), None, "stopped, so signed out");
    state.sign_in("second", "b", "csrf", 100).await.unwrap();
    state.sign_out("second").await.unwrap();
    assert_eq!(state.session("second", 0, 0, 101).await.unwrap(), None);
}

pub async fn wrong_passwords_are_counted(state: &impl People) {
    state.keep_person(&person("a")).await.unwrap();
    for _ in 0..2 {
        state.count_failure("a", 3, 500).await.unwrap();
    }
    assert_eq!(state.person("a").await.unwrap().unwrap().locked_until, 0);
    state.count_failure("a", 3, 500).await.unwrap();
    assert_eq!(state.person("a").await.unwrap().unwrap().locked_until, 500);
    state.forgive("a").await.unwrap();
    assert_eq!(state.person("a").await.unwrap().unwrap().failures, 0);
}

pub async fn deeds_and_views_are_kept(state: &impl People) {
    for at in 1..=3 {
        let deed = Deed { id: 0, who: "a".into(), what: "signed-in".into(), about: String::new(), at };
        state.deed(&deed).await.unwrap();
    }
    let latest = state.deeds(0, 2).await.unwrap();
    assert_eq!(latest.iter().map(|deed| deed.at).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(state.deeds(latest[1].id, 9).await.unwrap().len(), 1);
    state.keep_person(&person("a")).await.unwrap();
    state.keep_view("a", "mine", "tray=new").await.unwrap();
    state.keep_view("a", "mine", "tray=stale").await.unwrap();
    assert_eq!(state.views("a").await.unwrap(), [("mine".to_owned(), "tray=stale".to_owned())]);
    state.keep_view("a", "mine", "").await.unwrap();
    assert_eq!(state.views("a").await.unwrap(), []);
}

pub async fn clients_use_the_api_until_they_may_not(state: &impl People) {
    let client = |token: &str, is_active| ApiClient {
        name: "backend".into(),
        token: token.into(),
        rights: "read audit".into(),
        is_active,
        made_at: 5,
    };
    state.keep_client(&client("first", true)).await.unwrap();
    assert_eq!(state.client("first").await.unwrap(), Some(client("first", true)));
    state.keep_client(&client("second", true)).await.unwrap();
    assert_eq!(state.client("first").await.unwrap(), None, "a new token ends the one before");
    state.keep_client(&client("second", false)).await.unwrap();
    assert_eq!(state.client("second").await.unwrap(), None);
    assert_eq!(state.clients().await.unwrap(), [client("second", false)]);
}

/// On a state that `findings_come_and_go` has left with one app and its findings open.
pub async fn decisions_move_apps_between_trays(state: &(impl State + Desk)) {
    let asked = |tray| DeskQuery { tray, today: "2026-06-01".into(), most: 10, ..DeskQuery::default() };
    let app = state.apps(0, 9).await.unwrap()[0].id;
    let row = state.desk_row(app).await.unwrap().unwrap();
    assert!(!row.findings.is_empty());
    for finding in &row.findings {
        for (verdict, mend_by) in [("dismissed", ""), ("undone", ""), ("confirmed", "2026-05-01")] {
            let review = Review {
                finding: finding.id.clone(),
                audit: finding.last_audit,
                evidence: finding.evidence.clone(),
                who: "a".into(),
                verdict: verdict.into(),
                mend_by: mend_by.into(),
                at: 9,
                ..Review::default()
            };
            state.review(&review).await.unwrap();
        }
    }
    for (tray, expected) in [
        (Tray::Waiting, 0),
        (Tray::Confirmed, 1),
        (Tray::Overdue, 1),
        (Tray::Dismissed, 0),
        (Tray::Stale, 0),
        (Tray::All, 1),
    ] {
        assert_eq!(state.desk(&asked(tray)).await.unwrap().len(), expected, "{tray:?}");
        let counts = state.desk_counts(&asked(tray)).await.unwrap();
        assert_eq!((counts.found, counts.trays[&tray]), (expected as u64, expected as u64), "{tray:?}");
    }
    let by_signature = state.by_signature().await.unwrap();
    assert!(!by_signature.is_empty() && by_signature.iter().all(|told| told.dismissed == 0 && told.confirmed > 0));
    state.assign(app, "a").await.unwrap();
    let mine = DeskQuery { assigned: "a".into(), ..asked(Tray::All) };
    assert_eq!(state.desk(&mine).await.unwrap().len(), 1);
    for (after, expected) in [(0, 1), (app, 0)] {
        let query = DeskQuery { after: Some(after), ..asked(Tray::All) };
        assert_eq!(state.desk(&query).await.unwrap().len(), expected, "after {after}");
    }
    let odd = DeskQuery { search: "%' OR 1=1 --".into(), ..asked(Tray::All) };
    assert_eq!(state.desk(&odd).await.unwrap().len(), 0, "what is searched for stands for itself");
}
