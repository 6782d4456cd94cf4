//! Crawl and fetch joined: a start into apps.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::acquire::Client;
use crate::crawl::{Harvest, Memory, Start, Store, Todo};
use crate::model::fetch::{Answer, Ask, Fault, Found, Outcome};

/// What a visit brought.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Apps, in the order found.
    pub found: Vec<Found>,
    /// The exchange that each was read from, where they were asked to be kept.
    pub pages: Vec<Arc<(Ask, Answer)>>,
    /// What went wrong.
    pub faults: Vec<Fault>,
    /// Requests that were not made because enough had been found.
    pub left: usize,
}

/// Fetches and reads one request of a store. The answer is handed back as evidence.
pub async fn visit_one(client: &Client, store: &Store, todo: &Todo, memory: &dyn Memory) -> (Option<Answer>, Harvest) {
    match client.fetch(&todo.ask).await {
        Ok(answer) => {
            let harvest = store.read(todo, &answer, memory);
            (Some(answer), harvest)
        }
        // A repository that has no such index answers 404; what else failed, failed.
        Err(fault) => (None, Harvest { faults: vec![fault], ..Harvest::default() }),
    }
}

/// Follows a start to its end, one request after the other, or until `max` apps are found.
pub async fn visit(client: &Client, store: &Store, start: &Start, memory: &dyn Memory, max: usize) -> Visit {
    visit_each(client, store, start, memory, max, (false, &mut |_, _| {})).await
}

/// The same; the exchange that each app was read from is handed over as well.
pub async fn visit_keeping(client: &Client, store: &Store, start: &Start, memory: &dyn Memory, max: usize) -> Visit {
    visit_each(client, store, start, memory, max, (true, &mut |_, _| {})).await
}

/// What is told of each answer, beside its request.
type Note<'n> = &'n mut (dyn FnMut(&Ask, &Answer) + Send);

/// The same; each answer is told of beside its request.
pub(super) async fn visit_each(
    client: &Client,
    store: &Store,
    start: &Start,
    memory: &dyn Memory,
    max: usize,
    (keeps, note): (bool, Note<'_>),
) -> Visit {
    for (host, pace) in store.paces() {
        client.set_pace(&host, pace);
    }
    let mut visit = Visit::default();
    let mut todos: VecDeque<Todo> = match store.start(start) {
        Ok(todos) => todos.into(),
        Err(fault) => return Visit { faults: vec![fault], ..Visit::default() },
    };
    while let Some(todo) = todos.pop_front() {
        if visit.found.len() >= max {
            visit.left = todos.len() + 1;
            break;
        }
        let (answer, harvest) = visit_one(client, store, &todo, memory).await;
        if let Some(answer) = &answer {
            note(&todo.ask, answer);
        }
        if let Some(answer) = answer.as_ref().filter(|_| keeps && !harvest.found.is_empty()) {
            let page = Arc::new((todo.ask.clone(), answer.clone()));
            let room = max.saturating_sub(visit.found.len());
            visit.pages.extend(harvest.found.iter().take(room).map(|_| Arc::clone(&page)));
        }
        // What reads as a plea to slow down was no failure of the request.
        if let Some(answer) = answer.filter(|_| harvest.faults.iter().any(|f| f.outcome == Outcome::Throttled)) {
            client.slow_down(&answer.url);
        }
        visit.faults.extend(harvest.faults);
        let room = max.saturating_sub(visit.found.len());
        visit.left += harvest.found.len().saturating_sub(room);
        visit.found.extend(harvest.found.into_iter().take(room));
        // Apps before the next page of the list.
        for next in harvest.next.into_iter().rev() {
            if next.key.is_empty() { todos.push_back(next) } else { todos.push_front(next) }
        }
    }
    visit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sweep runs many at once.
    #[allow(dead_code, reason = "compiles or does not")]
    fn a_visit_may_be_spawned(client: &Client, store: &Store, todo: &Todo, memory: &dyn Memory) {
        fn is_send<T: Send>(_: T) {}
        is_send(visit_one(client, store, todo, memory));
        is_send(visit(client, store, &Start::Catalogue(None), memory, 1));
    }
}
