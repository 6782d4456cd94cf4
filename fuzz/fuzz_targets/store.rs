#![no_main]
use std::sync::LazyLock;
use xunjian::crawl::{Forgetful, Start, Stores, Todo};
use xunjian_core::model::{config::Config, fetch::Answer};

static STORES: LazyLock<Vec<(xunjian::crawl::Store, Vec<Todo>)>> = LazyLock::new(|| {
    let stores = Stores::load(None, &Config::default()).unwrap();
    let starts = [
        Start::Catalogue(None),
        Start::Package("a.b".into()),
        Start::Words("x".into()),
        Start::Url("https://a.example/sitemap.xml".into()),
        Start::Url("https://a.example/app".into()),
    ];
    let steps = ["detail", "detail-at", "by-id", "index", "entry.json", "index-v1.json", "index-v1.jar"];
    let todos = |store: &xunjian::crawl::Store| -> Vec<Todo> {
        let first = starts.iter().filter_map(|start| store.start(start).ok()).flatten();
        first.chain(steps.iter().map(|step| Todo { step: (*step).into(), ..Todo::default() })).collect()
    };
    stores.all().map(|store| (store.clone(), todos(store))).collect()
});

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let answer = Answer { status: 200, url: "https://a.example/x".into(), body: body.to_vec(), ..Answer::default() };
    for (store, todos) in STORES.iter() {
        for todo in todos {
            let _ = store.read(todo, &answer, &Forgetful);
        }
    }
});
