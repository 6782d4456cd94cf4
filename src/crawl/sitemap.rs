//! Sitemaps and sitemap indexes (<https://www.sitemaps.org/protocol.html>), gzipped ones too.

use std::collections::BTreeMap;
use std::io::Read;

use quick_xml::events::Event;

use super::adapter::Step;
use super::store::{DEPTH_MAX, Store};
use super::{Harvest, Todo};
use crate::model::fetch::Answer;

/// The protocol's own caps: 50,000 addresses, 50 MiB.
const ENTRIES_MAX: usize = 50_000;
const BYTES_MAX: u64 = 50 << 20;

/// One entry.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) loc: String,
    pub(super) lastmod: String,
    /// It is a further sitemap.
    pub(super) is_map: bool,
}

pub(super) fn read(store: &Store, step: &Step, todo: &Todo, answer: &Answer) -> Harvest {
    let entries = match entries(&answer.body) {
        Ok(entries) if !entries.is_empty() => entries,
        Ok(_) => return Harvest::fault(store.broken(todo, answer, "a sitemap without an address")),
        Err(why) => return Harvest::fault(store.broken(todo, answer, &why)),
    };
    let mut harvest = Harvest::default();
    for entry in entries {
        let Some(url) = url::Url::parse(&answer.url).ok().and_then(|base| base.join(&entry.loc).ok()) else { continue };
        let mut vars: BTreeMap<String, String> = todo.vars.clone();
        vars.insert("url".into(), url.to_string());
        let mut listing = todo.partial.clone();
        if entry.is_map {
            if todo.page + 1 < DEPTH_MAX {
                match store.todo(&todo.step, vars, listing, todo.page + 1) {
                    Ok(next) => harvest.next.push(Todo { page: todo.page + 1, ..next }),
                    Err(fault) => harvest.faults.push(fault),
                }
            } else {
                harvest.faults.push(store.broken(todo, answer, "sitemaps nested too deep"));
                return harvest;
            }
            continue;
        }
        if !step.only.iter().all(|(name, regex)| vars.get(name).is_some_and(|value| regex.is_match(value))) {
            continue;
        }
        listing.url = url.to_string();
        if !entry.lastmod.is_empty() {
            listing.more.insert("updated".into(), entry.lastmod.into());
        }
        let one = store.pass_on(step, todo, listing, vars, answer);
        harvest.found.extend(one.found);
        harvest.next.extend(one.next);
        harvest.faults.extend(one.faults);
    }
    harvest
}

/// Reads the entries of a sitemap.
pub(super) fn entries(body: &[u8]) -> Result<Vec<Entry>, String> {
    let mut inflated = Vec::new();
    let body = if body.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = flate2::read::MultiGzDecoder::new(body).take(BYTES_MAX + 1);
        decoder.read_to_end(&mut inflated).map_err(|e| format!("no gzip: {e}"))?;
        inflated.as_slice()
    } else {
        body
    };
    if body.len() as u64 > BYTES_MAX {
        return Err("a sitemap over 50 MiB".into());
    }
    let text = String::from_utf8_lossy(body);
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    let mut found: Vec<Entry> = Vec::new();
    let mut inside = String::new();
    loop {
        match reader.read_event().map_err(|e| format!("no sitemap: {e}"))? {
            Event::Start(tag) => {
                inside = tag.local_name().as_ref().to_owned();
                match inside.as_str() {
                    "url" => found.push(Entry::default()),
                    "sitemap" => found.push(Entry { is_map: true, ..Entry::default() }),
                    _ => {}
                }
            }
            Event::End(_) => inside.clear(),
            Event::Text(text) => put(&mut found, &inside, &text),
            Event::CData(text) => put(&mut found, &inside, &text),
            // `&amp;` is the one that addresses need.
            Event::GeneralRef(name) if &*name == "amp" => put(&mut found, &inside, "&"),
            Event::Eof => break,
            _ => {}
        }
        if found.len() > ENTRIES_MAX {
            return Err("a sitemap of more than 50,000 addresses".into());
        }
    }
    found.retain(|entry| !entry.loc.trim().is_empty());
    found.iter_mut().for_each(|entry| entry.loc = entry.loc.trim().to_owned());
    Ok(found)
}

fn put(found: &mut [Entry], inside: &str, text: &str) {
    let Some(entry) = found.last_mut() else { return };
    match inside {
        "loc" if entry.loc.len() < 4096 => entry.loc.push_str(text.trim()),
        "lastmod" if entry.lastmod.len() < 64 => entry.lastmod.push_str(text.trim()),
        _ => {}
    }
}
