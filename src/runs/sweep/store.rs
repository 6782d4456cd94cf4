//! Stores by their adapters, as a sweep walks through them.

use super::{Catalogue, Next, Turn};
use crate::crawl::{Hand, Memory, Start, Store, Todo};
use crate::model::fetch::{Answer, Ask, Fault};

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

    fn read(&self, step: &Todo, answer: &Answer, memory: &dyn Memory, hand: Hand<'_>) -> Turn<Todo> {
        let harvest = self.read_each(step, answer, memory, hand);
        let next = harvest.next.into_iter().map(|todo| match todo.key.as_str() {
            "" => Next::Page(todo),
            key => Next::App { name: key.to_owned(), summary: todo.mark.clone(), step: todo },
        });
        Turn { next: next.collect(), faults: harvest.faults, keep: harvest.keep }
    }
}
