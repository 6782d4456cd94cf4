//! Stores by their adapters, as a sweep walks through them.

use super::{Catalogue, Next, Recall, Turn};
use crate::crawl::{Memory, Start, Store, Todo};
use crate::model::fetch::{Answer, Ask, Fault};

/// What an earlier sweep kept, looked up when the adapter asks.
struct Remembered<'a>(Recall<'a>);

impl Memory for Remembered<'_> {
    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        (self.0)(name)
    }
}

impl Catalogue for Store {
    type Step = Todo;

    fn id(&self) -> &str {
        &self.id
    }

    fn start(&self) -> Result<Vec<Todo>, Fault> {
        self.start(&Start::Catalogue(None))
    }

    fn aim(&self, package: &str) -> Result<Vec<Todo>, Fault> {
        self.start(&Start::Package(package.to_owned()))
    }

    fn ask(&self, step: &Todo) -> Ask {
        step.ask.clone()
    }

    fn read(&self, step: &Todo, answer: &Answer, recall: Recall<'_>) -> Turn<Todo> {
        let harvest = self.read(step, answer, &Remembered(recall));
        let next = harvest.next.into_iter().map(|todo| match todo.key.as_str() {
            "" => Next::Page(todo),
            key => Next::App { name: key.to_owned(), summary: todo.mark.clone(), step: todo },
        });
        Turn { found: harvest.found, next: next.collect(), faults: harvest.faults, keep: harvest.keep }
    }
}
