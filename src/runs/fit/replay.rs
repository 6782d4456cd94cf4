//! Recorded answers read again.

use std::collections::VecDeque;

use super::{Field, Fixture, fields, is_whole};
use crate::crawl::{Forgetful, Harvest, Store, Todo};

/// Steps of one replay: answers are few, and none is to lead in a circle.
const STEPS_MAX: usize = 200;
const APPS_MAX: usize = 50;

/// What a store's file reads in recorded answers.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// Apps by name, with their fields.
    pub apps: Vec<(String, Vec<Field>)>,
    /// What went wrong, in words.
    pub faults: Vec<String>,
    /// Fields that the fixture has found before and this reading does not.
    pub lost: Vec<String>,
}

impl Replayed {
    /// All that is required is found, in at least one app, and nothing else went wrong.
    #[must_use]
    pub fn fits(&self) -> bool {
        !self.apps.is_empty()
            && self.faults.is_empty()
            && self.lost.is_empty()
            && self.apps.iter().all(|(_, fields)| is_whole(fields))
    }

    /// Names of the apps.
    pub(super) fn names(&self) -> Vec<String> {
        self.apps.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Names of the first app's fields that were found.
    pub(super) fn found(&self) -> Vec<String> {
        let first = self.apps.first().into_iter().flat_map(|(_, fields)| fields);
        first.filter(|field| !field.value.is_empty()).map(|field| field.name.clone()).collect()
    }
}

/// Reads the answers of a fixture.
pub(super) fn replay(store: &Store, fixture: &Fixture) -> Replayed {
    let mut replayed = Replayed::default();
    let mut todos: VecDeque<Todo> = match store.start(&fixture.start) {
        Ok(todos) => todos.into(),
        Err(fault) => return Replayed { faults: vec![fault.to_string()], ..replayed },
    };
    for _ in 0..STEPS_MAX {
        let Some(todo) = todos.pop_front() else { break };
        let Some(harvest) = step(store, fixture, &todo) else {
            // Further pages and further apps of a list were not all followed; a first question must be here.
            if todo.key.is_empty() && todo.page == 0 && replayed.apps.is_empty() {
                replayed.faults.push(format!("asks for what was not recorded: {}", todo.ask.url));
            }
            continue;
        };
        replayed.faults.extend(harvest.faults.iter().map(ToString::to_string));
        let room = APPS_MAX - replayed.apps.len();
        let apps = harvest.found.iter().take(room);
        replayed.apps.extend(apps.map(|found| (found.listing.name().to_owned(), fields(store, found))));
        todos.extend(harvest.next);
    }
    if replayed.apps.is_empty() && replayed.faults.is_empty() {
        replayed.faults.push("no app is found in what was recorded".into());
    }
    let found = replayed.found();
    replayed.lost = fixture.fields.iter().filter(|name| !found.contains(name)).cloned().collect();
    replayed
}

/// Reads the answer to one question, where it was recorded.
pub(super) fn step(store: &Store, fixture: &Fixture, todo: &Todo) -> Option<Harvest> {
    let exchange = fixture.exchanges.iter().find(|exchange| exchange.answers(&todo.ask))?;
    Some(store.read(todo, &exchange.answer(), &Forgetful))
}
