//! What a sweep asks of a store's adapter.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crawl::{Hand, Keep, Memory};
use crate::model::fetch::{Answer, Ask, Fault};

/// A store that can be walked through: steps are asked, answers become apps and further steps.
pub trait Catalogue: Send + Sync {
    /// One request of the walk with what the adapter needs to read its answer.
    type Step: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// The store's id.
    fn id(&self) -> &str;

    /// Where the walk begins.
    ///
    /// # Errors
    /// When the adapter knows no catalogue.
    fn start(&self) -> Result<Vec<Self::Step>, Fault>;

    /// Where the way to one app begins.
    ///
    /// # Errors
    /// When the adapter knows no way to an app by its package.
    fn aim(&self, package: &str) -> Result<Vec<Self::Step>, Fault>;

    /// The request of a step.
    fn ask(&self, step: &Self::Step) -> Ask;

    /// Reads an answer and hands on the apps told in full, one by one. Where all of it does not
    /// fit, or it says that there is nothing, none is handed on and the turn holds nothing but a
    /// fault.
    fn read(&self, step: &Self::Step, answer: &Answer, memory: &dyn Memory, hand: Hand<'_>) -> Turn<Self::Step>;
}

/// What an answer came to, besides apps.
#[derive(Debug)]
pub struct Turn<S> {
    /// Steps that follow.
    pub next: Vec<Next<S>>,
    /// Parts that did not fit.
    pub faults: Vec<Fault>,
    /// To be remembered for the next sweep, by name.
    pub keep: Vec<(String, Keep)>,
}

impl<S> Default for Turn<S> {
    fn default() -> Self {
        Self { next: Vec::new(), faults: Vec::new(), keep: Vec::new() }
    }
}

/// A step that follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<S> {
    /// Another page of the catalogue.
    Page(S),
    /// An app's own page.
    App {
        /// The step.
        step: S,
        /// What the catalogue calls the app.
        name: String,
        /// Changes with what the catalogue says of it; empty where it says nothing more.
        summary: String,
    },
}
