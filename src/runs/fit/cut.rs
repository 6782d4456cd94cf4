//! Cuts recorded answers down to what a store's file reads in them: whatever can go without changing which fields
//! are found goes, and what an answer says of its app is put into words of our own. By trying, so that it holds for
//! any form of answer and any selector (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
//! 2002).

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use regex::Regex;

use super::markup::{self, Node};
use super::replay::replay;
use super::{Exchange, Field, Fixture};
use crate::crawl::Store;

/// Tries for one fixture; what is left after them stays.
const TRIES_MAX: usize = 3_000;
/// Answers larger than this are kept as they came: each try reads them whole.
const BODY_MAX: usize = 2 << 20;
/// Fields whose values stay as the store gave them: they say which app it is, and which version.
const KEPT: [&str; 4] = ["package", "id", "version_name", "version_code"];

/// Mail addresses, and numbers of phones and identity cards.
static PERSONAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\w.+-]+@[\w-]+\.[\w.-]+|\b\d{17}[\dXx]\b|\b1[3-9]\d{9}\b|\b0\d{2,3}-\d{7,8}\b").ok()
});

/// Answers being cut.
struct Cut<'a> {
    store: &'a Store,
    fixture: Fixture,
    name: String,
    found: BTreeMap<String, String>,
    tries: usize,
}

/// The answers, cut down to what shows the app of this name with the fields it has.
pub(super) fn down(store: &Store, whole: &Fixture, name: &str) -> Vec<Exchange> {
    let mut cut = Cut { store, fixture: whole.clone(), name: name.to_owned(), found: BTreeMap::new(), tries: 0 };
    let Some(found) = cut.reads() else { return cut.fixture.exchanges };
    cut.found = found;
    cut.answers();
    for number in 0..cut.fixture.exchanges.len() {
        cut.body(number);
        cut.persons(number);
    }
    cut.fixture.exchanges
}

/// Fields that were found, with the values of those that are kept.
fn shape(fields: &[Field]) -> BTreeMap<String, String> {
    let found = fields.iter().filter(|field| !field.value.is_empty());
    let value = |field: &Field| if KEPT.contains(&field.name.as_str()) { field.value.clone() } else { String::new() };
    found.map(|field| (field.name.clone(), value(field))).collect()
}

impl Cut<'_> {
    /// What is read of the app; nothing where anything is wrong.
    fn reads(&self) -> Option<BTreeMap<String, String>> {
        let replayed = replay(self.store, &self.fixture);
        let app = replayed.apps.iter().find(|(name, _)| *name == self.name);
        app.filter(|_| replayed.faults.is_empty()).map(|(_, fields)| shape(fields))
    }

    fn holds(&mut self) -> bool {
        self.tries += 1;
        self.tries <= TRIES_MAX && self.reads().as_ref() == Some(&self.found)
    }

    /// Answers that nothing is read from.
    fn answers(&mut self) {
        let mut number = self.fixture.exchanges.len();
        while number > 0 {
            number -= 1;
            let one = self.fixture.exchanges.remove(number);
            if !self.holds() {
                self.fixture.exchanges.insert(number, one);
            }
        }
    }

    fn body(&mut self, number: usize) {
        let body = self.fixture.exchanges[number].body.clone();
        if body.len() > BODY_MAX {
            return;
        }
        let mut tree = markup::tree(&body);
        shrink(&mut tree, &mut |text| {
            let before = std::mem::replace(&mut self.fixture.exchanges[number].body, text);
            let holds = self.holds();
            if !holds {
                self.fixture.exchanges[number].body = before;
            }
            holds
        });
    }

    /// What names or reaches people, wherever it still stands.
    fn persons(&mut self, number: usize) {
        let Some(personal) = PERSONAL.as_ref() else { return };
        let mut from = 0;
        while let Some(met) = personal.find_at(&self.fixture.exchanges[number].body, from) {
            let range = met.range();
            let stand = if met.as_str().contains('@') { "a@example.com" } else { "0" };
            let before = self.fixture.exchanges[number].body.clone();
            self.fixture.exchanges[number].body.replace_range(range.clone(), stand);
            from = range.start + stand.len();
            if !self.holds() {
                from = range.end;
                self.fixture.exchanges[number].body = before;
            }
        }
    }
}

/// Takes away of a tree what may go, from the outside in, and replaces texts by shorter ones.
fn shrink(tree: &mut Node, holds: &mut dyn FnMut(String) -> bool) {
    let mut queue = VecDeque::from([Vec::new()]);
    while let Some(path) = queue.pop_front() {
        if tree.at(&path).is_some_and(|node| node.is_open()) {
            thin(tree, &path, holds, &|kids, range| drop(kids.drain(range)));
        }
        // Where places are counted, what stands there may go, but not the place.
        if tree.at(&path).is_some_and(|node| node.is_counted) {
            thin(tree, &path, holds, &|kids, range| kids[range].fill(Node::text("null".into())));
        }
        reword(tree, &path, holds);
        let kids = tree.at(&path).map_or(0, |node| node.kids.len());
        queue.extend((0..kids).map(|number| [path.as_slice(), &[number]].concat()));
    }
}

type Change = dyn Fn(&mut Vec<Node>, std::ops::Range<usize>);

/// Tries a change on halves of a node's children, then on quarters, and so on to each.
fn thin(tree: &mut Node, path: &[usize], holds: &mut dyn FnMut(String) -> bool, change: &Change) {
    let mut size = tree.at(path).map_or(0, |node| node.kids.len());
    while size > 0 {
        let mut end = tree.at(path).map_or(0, |node| node.kids.len());
        while end > 0 {
            let start = end.saturating_sub(size);
            let Some(node) = tree.at(path) else { return };
            let before = node.kids.clone();
            change(&mut node.kids, start..end);
            let is_other = node.kids != before;
            if is_other
                && !holds(tree.written())
                && let Some(node) = tree.at(path)
            {
                node.kids = before;
            }
            end = start;
        }
        size /= 2;
    }
}

/// Tries other words for what a node says.
fn reword(tree: &mut Node, path: &[usize], holds: &mut dyn FnMut(String) -> bool) {
    let mut number = 0;
    loop {
        let Some(node) = tree.at(path) else { return };
        // Made anew each time: what is taken away moves the rest.
        let Some(other) = node.others().into_iter().nth(number) else { return };
        let before = std::mem::replace(&mut node.open, other);
        let is_taken = node.open != before && holds(tree.written());
        if is_taken {
            continue;
        }
        if let Some(node) = tree.at(path) {
            node.open = before;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_stays_and_the_rest_goes() {
        let cut = |text: &str, needs: &[&str]| {
            let mut tree = markup::tree(text);
            shrink(&mut tree, &mut |text| needs.iter().all(|need| text.contains(need)));
            tree.written()
        };
        let json = r#"{"a":[{"x":1,"name":"somebody"},{"y":"题山"}],"b":{"c":[1,2,3]},"d":null}"#;
        assert_eq!(cut(json, &["题山"]), r#"{"a":[{"y":"题山"}]}"#);
        assert_eq!(cut("[null,[2,3],\"x\"]", &["[null,[", "3"]), "[null,[3]]");
        let html = "<html><head><title>t</title></head><body class=\"a\" data-pn='p'><div><p>x</p><p>题山</p></div></body></html>";
        assert_eq!(
            cut(html, &["data-pn='p'", "题山</p>"]),
            "<html><body data-pn='p'><div><p>题山</p></div></body></html>"
        );
    }
}
