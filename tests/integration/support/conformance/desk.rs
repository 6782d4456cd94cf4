//! What every memory of people and of their decisions must do.

use xunjian::store::{
    ApiClient, AuditLogEntry, Counted, Desk, DeskQuery, Identity, Limit, People, Person, Review, Session, State, Tray,
};

fn person(name: &str) -> Person {
    Person {
        name: name.into(),
        role: "reviewer".into(),
        password: "hash".into(),
        set_by: String::new(),
        is_active: true,
        made_at: 1,
    }
}

fn begun(name: &str, how: &str, at: i64) -> Session {
    Session { person: person(name), csrf: "csrf".into(), how: how.into(), begun: at, seen: at }
}

pub async fn people_sign_in_until_they_may_not(state: &impl People) {
    state.keep_person(&person("a"), &[]).await.unwrap();
    state.keep_person(&person("b"), &[]).await.unwrap();
    assert_eq!(state.people().await.unwrap().len(), 2);
    state.sign_in("token", &begun("a", "", 100), 0, 0).await.unwrap();
    let session = state.session("token", 99, 99, 101).await.unwrap().unwrap();
    assert_eq!((session.person.name.as_str(), session.csrf.as_str(), session.begun), ("a", "csrf", 100));
    assert_eq!(state.session("token", 100, 0, 101).await.unwrap(), None, "begun too long ago");
    assert_eq!(state.session("token", 0, 100, 101).await.unwrap(), None, "not seen for too long");
    assert_eq!(state.session("other", 0, 0, 101).await.unwrap(), None);
    assert!(state.session("token", 0, 0, 200_000).await.unwrap().is_some());
    assert!(state.session("token", 0, 150_000, 200_001).await.unwrap().is_some(), "seen just now");
    state.keep_person(&Person { is_active: false, ..person("a") }, &[]).await.unwrap();
    assert_eq!(state.session("token", 0, 0, 101).await.unwrap(), None, "stopped, so signed out");
    state.sign_in("second", &begun("b", "oidc", 100), 0, 0).await.unwrap();
    assert_eq!(state.session("second", 0, 0, 101).await.unwrap().unwrap().how, "oidc");
    state.sign_in("third", &begun("b", "", 900), 100, 0).await.unwrap();
    assert_eq!(state.session("second", 0, 0, 901).await.unwrap(), None, "what ended is forgotten at the next sign-in");
    assert!(state.session("third", 0, 0, 901).await.unwrap().is_some());
    state.sign_out("second").await.unwrap();
    assert_eq!(state.session("second", 0, 0, 101).await.unwrap(), None);
}

pub async fn wrong_passwords_are_counted(state: &impl People) {
    let limit = Limit { most: 3, lock: 1_000 };
    let count = async |source: &str, now| state.count("a", source, limit, now).await.unwrap();
    for expected in [Counted::Go, Counted::Go, Counted::Last, Counted::Locked, Counted::Locked] {
        assert_eq!(count("here", 10_000).await, expected);
    }
    assert_eq!(count("there", 10_000).await, Counted::Go, "one source says nothing of another");
    assert!(state.is_locked("a", 10_999).await.unwrap() && !state.is_locked("b", 10_999).await.unwrap());
    assert_eq!(count("here", 10_999).await, Counted::Locked, "tries do not make it longer");
    assert!(!state.is_locked("a", 11_000).await.unwrap());
    for expected in [Counted::Go, Counted::Go, Counted::Last, Counted::Locked] {
        assert_eq!(count("here", 11_000).await, expected, "a lock that ended begins anew");
    }
    assert!(!state.was_right("a", "here", 0).await.unwrap());
    state.uncount("a", "here", limit, true, 11_500).await.unwrap();
    assert!(
        state.was_right("a", "here", 11_499).await.unwrap() && !state.was_right("a", "here", 11_500).await.unwrap()
    );
    assert_eq!(count("here", 11_501).await, Counted::Go, "forgiven");
    // Of those that share a count, a right one takes back its own.
    for _ in 0..3 {
        count("*", 20_000).await;
    }
    state.uncount("a", "*", limit, false, 20_001).await.unwrap();
    assert_eq!((count("*", 20_002).await, count("*", 20_002).await), (Counted::Last, Counted::Locked));
    assert_eq!((count("old", 30_000).await, count("old", 32_000).await), (Counted::Go, Counted::Go));
    assert_eq!(count("old", 32_001).await, Counted::Go, "what is long past does not count");
    state.keep_person(&person("a"), &[]).await.unwrap();
    assert_eq!(count("*", 20_003).await, Counted::Go, "another password, nothing counted");
    state.forget_tries(20_004, 0).await.unwrap();
    assert_eq!(count("*", 20_003).await, Counted::Go, "forgotten");
}

pub async fn of_many_tries_at_once_a_few_go_on<P: People + Clone + 'static>(state: &P) {
    let limit = Limit { most: 5, lock: 60_000 };
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let state = state.clone();
        tries.spawn(async move { state.count("a", "here", limit, 1_000).await.unwrap() });
    }
    let all = tries.join_all().await;
    let of = |counted: Counted| all.iter().filter(|one| **one == counted).count();
    assert_eq!((of(Counted::Go), of(Counted::Last), of(Counted::Locked)), (4, 1, 55));
}

pub async fn an_account_elsewhere_is_one_person_and_stays_it(state: &impl People) {
    let identity = |subject: &str, name: &str| Identity {
        issuer: "https://id.example".into(),
        subject: subject.into(),
        person: name.into(),
        bound_at: 1,
    };
    state.keep_person(&person("a"), &[]).await.unwrap();
    state.keep_person(&person("b"), &[]).await.unwrap();
    assert_eq!(state.identity("https://id.example", "1").await.unwrap(), None);
    assert!(state.bind(&identity("1", "a"), &entry()).await.unwrap());
    assert!(!state.bind(&identity("2", "a"), &entry()).await.unwrap(), "somebody else is that person");
    assert!(!state.bind(&identity("1", "b"), &entry()).await.unwrap(), "they are somebody else");
    assert_eq!(state.identity("https://id.example", "1").await.unwrap().unwrap().name, "a");
    assert_eq!(state.identity("https://other.example", "1").await.unwrap(), None);
    assert_eq!(state.identities().await.unwrap(), [identity("1", "a")]);
    state.sign_in("elsewhere", &begun("a", "oidc", 100), 0, 0).await.unwrap();
    assert_eq!(state.unbind("a", &entry()).await.unwrap(), 1);
    assert_eq!(state.session("elsewhere", 0, 0, 101).await.unwrap(), None, "unbound, so signed out");
    assert!(state.bind(&identity("2", "a"), &entry()).await.unwrap());
}

fn entry() -> AuditLogEntry {
    AuditLogEntry::new("a", "person-changed", "", 1)
}

pub async fn who_asked_for_an_audit_is_known(state: &(impl People + State)) {
    let run = state.begin("asked", "x", 1).await.unwrap().id;
    state.asks(run, "one").await.unwrap();
    state.asks(run, "one").await.unwrap();
    assert!(state.has_asked(run, "one").await.unwrap() && !state.has_asked(run, "other").await.unwrap());
}

pub async fn deeds_and_views_are_kept(state: &impl People) {
    for at in 1..=3 {
        let deed = AuditLogEntry { id: 0, who: "a".into(), what: "signed-in".into(), about: String::new(), at };
        state.log_action(&deed).await.unwrap();
    }
    let latest = state.audit_log(0, 2).await.unwrap();
    assert_eq!(latest.iter().map(|deed| deed.at).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(state.audit_log(latest[1].id, 9).await.unwrap().len(), 1);
    state.keep_person(&person("a"), &[]).await.unwrap();
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
    state.keep_client(&client("first", true), &entry()).await.unwrap();
    assert_eq!(state.client("first").await.unwrap(), Some(client("first", true)));
    state.keep_client(&client("second", true), &entry()).await.unwrap();
    assert_eq!(state.client("first").await.unwrap(), None, "a new token ends the one before");
    state.keep_client(&client("second", false), &entry()).await.unwrap();
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
    assert!(
        !by_signature.is_empty()
            && by_signature.iter().all(|told| if told.is_counter {
                told.right == 0
            } else {
                told.wrong == 0 && told.right > 0
            })
    );
    state.assign(app, "a", &entry()).await.unwrap();
    let mine = DeskQuery { assigned: "a".into(), ..asked(Tray::All) };
    assert_eq!(state.desk(&mine).await.unwrap().len(), 1);
    for (after, expected) in [(0, 1), (app, 0)] {
        let query = DeskQuery { after: Some(after), ..asked(Tray::All) };
        assert_eq!(state.desk(&query).await.unwrap().len(), expected, "after {after}");
    }
    let odd = DeskQuery { search: "%' OR 1=1 --".into(), ..asked(Tray::All) };
    assert_eq!(state.desk(&odd).await.unwrap().len(), 0, "what is searched for stands for itself");
}
