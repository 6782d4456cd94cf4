//! Stores by their adapters, as a sweep walks through them.

use std::fs::File;
use std::io::Read;

use super::{Catalogue, Next, Recall, Turn};
use crate::crawl::{Hand, Memory, Start, Store, Todo};
use crate::model::fetch::{Answer, Ask, Fault};

/// What an earlier sweep kept, looked up when the adapter asks.
struct Remembered<'a>(Recall<'a>);

impl Memory for Remembered<'_> {
    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read((self.0)(name)?).ok()
    }

    fn open(&self, name: &str) -> Option<Box<dyn Read>> {
        File::open((self.0)(name)?).ok().map(|file| Box::new(file) as Box<dyn Read>)
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

    fn read(&self, step: &Todo, answer: &Answer, recall: Recall<'_>, hand: Hand<'_>) -> Turn<Todo> {
        let harvest = self.read_each(step, answer, &Remembered(recall), hand);
        let next = harvest.next.into_iter().map(|todo| match todo.key.as_str() {
            "" => Next::Page(todo),
            key => Next::App { name: key.to_owned(), summary: todo.mark.clone(), step: todo },
        });
        Turn { next: next.collect(), faults: harvest.faults, keep: harvest.keep }
    }
}
