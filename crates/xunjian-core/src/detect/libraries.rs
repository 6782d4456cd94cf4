//! Third-party libraries by class, component, native file, asset.

use crate::model::{Block, Hits, Trace};
use crate::signature::Pack;

/// Class names. Neighbours share their package, so the last answer is tried first.
pub(super) fn classes(pack: &Pack, block: &Block, hits: &mut Hits) {
    let mut last: (&str, Option<u32>) = ("", None);
    for fact in block.iter() {
        let package = fact.text.rsplit_once('.').map_or("", |(package, _)| package);
        let found = if package == last.0 && !package.is_empty() {
            last.1.or_else(|| pack.libraries.of_class(fact.text))
        } else {
            last = (package, pack.libraries.of_class(package));
            last.1.or_else(|| pack.libraries.of_class(fact.text))
        };
        match found {
            Some(library) => {
                hits.note_library(library, Trace::Class, || format!("{} {}", block.place_of(fact.index), fact.text));
            }
            None => note_own(fact.text, hits),
        }
    }
}

/// Counts a class of the app itself. Inner classes go by the outermost; `R` is short in
/// every app and says nothing.
fn note_own(class: &str, hits: &mut Hits) {
    let name = class.rsplit('.').next().unwrap_or(class);
    let outer = name.split('$').next().unwrap_or(name);
    if outer != "R" {
        hits.own_classes.all += 1;
        hits.own_classes.short += usize::from(outer.chars().count() <= 2);
    }
}

/// Manifest components.
pub(super) fn components(pack: &Pack, block: &Block, hits: &mut Hits) {
    for fact in block.iter() {
        if let Some(library) = pack.libraries.of_component(fact.text) {
            hits.note_library(library, Trace::Component, || format!("{} {}", block.place_of(fact.index), fact.text));
        }
    }
}

/// Entry paths: native libraries under `lib/`, everything else by asset name.
pub(super) fn files(pack: &Pack, block: &Block, hits: &mut Hits) {
    for fact in block.iter() {
        let name = fact.text.rsplit('/').next().unwrap_or(fact.text);
        if name.ends_with(".so")
            && let Some(library) = pack.libraries.of_native(name)
        {
            hits.note_library(library, Trace::Native, || fact.text.to_owned());
        }
        for library in pack.libraries.of_asset(fact.text) {
            hits.note_library(library, Trace::Asset, || fact.text.to_owned());
        }
    }
}
