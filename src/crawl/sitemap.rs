//! Sitemaps and sitemap indexes (<https://www.sitemaps.org/protocol.html>), gzipped ones too.

use std::collections::BTreeMap;
use std::io::Read;

use quick_xml::events::Event;

use super::adapter::Step;
use super::linked::entities;
use super::store::{DEPTH_MAX, Store};
use super::{Harvest, Todo, xml};
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
    let text = xml::text_of(body, None).0;
    if !text.contains('<') {
        return Ok(lines(&text));
    }
    let text = references_whole(text.trim_start_matches('\u{feff}').trim_start());
    let mut found = Walk::default().entries(&text)?;
    found.iter_mut().for_each(|entry| entry.loc = entry.loc.trim().to_owned());
    found.retain(|entry| !entry.loc.is_empty());
    Ok(found)
}

/// The form without markup: an address a line.
fn lines(text: &str) -> Vec<Entry> {
    let is_address = |line: &&str| line.starts_with("http://") || line.starts_with("https://");
    let addresses = text.lines().map(str::trim).filter(is_address);
    addresses.take(ENTRIES_MAX).map(|loc| Entry { loc: loc.into(), ..Entry::default() }).collect()
}

/// An `&` that begins no reference stands for itself; within CDATA every one does already.
fn references_whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_cdata = rest.starts_with("<![CDATA[");
        let taken = if is_cdata { rest.find("]]>").map_or(rest.len(), |end| end + 3) } else { 1 };
        out.push_str(&rest[..taken]);
        if rest.starts_with('&') && !is_reference(rest) {
            out.push_str("amp;");
        }
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

fn is_reference(text: &str) -> bool {
    let end = text.bytes().take(12).skip(1).position(|b| matches!(b, b';' | b'&')).map(|at| at + 1);
    end.is_some_and(|end| text.as_bytes()[end] == b';' && entities(&text[..=end]) != text[..=end])
}

/// A walk through a sitemap.
#[derive(Default)]
struct Walk {
    /// Elements that are open, from the outermost.
    open: Vec<String>,
    found: Vec<Entry>,
}

/// Elements nest no deeper in a sitemap; more is none.
const OPEN_MAX: usize = 64;

impl Walk {
    fn entries(mut self, text: &str) -> Result<Vec<Entry>, String> {
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        loop {
            match reader.read_event().map_err(|e| format!("no sitemap: {e}"))? {
                Event::Start(tag) => self.begin(tag.name().as_ref()),
                Event::End(_) => drop(self.open.pop()),
                Event::Text(text) => self.put(&text),
                Event::CData(text) => self.put(&text),
                Event::GeneralRef(name) => self.put(&entities(&format!("&{};", &*name))),
                Event::Eof => return Ok(self.found),
                _ => {}
            }
            if self.found.len() > ENTRIES_MAX {
                return Err("a sitemap of more than 50,000 addresses".into());
            }
            if self.open.len() > OPEN_MAX {
                return Err("no sitemap: elements without end".into());
            }
        }
    }

    fn begin(&mut self, name: &str) {
        match name.rsplit(':').next() {
            Some("url") => self.found.push(Entry::default()),
            Some("sitemap") => self.found.push(Entry { is_map: true, ..Entry::default() }),
            _ => {}
        }
        self.open.push(name.to_owned());
    }

    /// Text counts where it stands right within an entry's own `loc` or `lastmod`: pictures and videos have
    /// theirs, under another prefix and one element deeper.
    fn put(&mut self, text: &str) {
        let [.., parent, name] = self.open.as_slice() else { return };
        let (of, parent) = parent.split_once(':').unwrap_or(("", parent));
        let (prefix, name) = name.split_once(':').unwrap_or(("", name));
        if of != prefix || !matches!(parent, "url" | "sitemap") {
            return;
        }
        match (name, self.found.last_mut()) {
            ("loc", Some(entry)) if entry.loc.len() < 4096 => entry.loc.push_str(text),
            ("lastmod", Some(entry)) if entry.lastmod.len() < 64 => entry.lastmod.push_str(text.trim()),
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    fn locs(body: &[u8]) -> Vec<String> {
        entries(body).unwrap().into_iter().map(|entry| entry.loc).collect()
    }

    #[test]
    fn addresses_of_apps_are_the_direct_ones() {
        let map = r#"<?xml version="1.0"?><urlset xmlns:image="i">
            <url><loc>http://x/1</loc><image:image><image:loc>http://x/1.jpg</image:loc></image:image></url>
            <url><image:image><image:loc>http://x/2.jpg</image:loc></image:image><loc>http://x/2</loc></url>
            <url><image:loc>http://x/3.jpg</image:loc><loc>http://x/3</loc><lastmod>2026-01-01</lastmod></url></urlset>"#;
        assert_eq!(locs(map.as_bytes()), ["http://x/1", "http://x/2", "http://x/3"]);
        assert_eq!(entries(map.as_bytes()).unwrap()[2].lastmod, "2026-01-01");
        let prefixed = "<s:urlset xmlns:s='x'><s:url><s:loc>http://x/1</s:loc></s:url></s:urlset>";
        assert_eq!(locs(prefixed.as_bytes()), ["http://x/1"]);
    }

    #[test]
    fn forms_as_they_are_met() {
        for (body, wanted) in [
            ("\u{feff}<urlset><url><loc>http://x/1?a&#38;b</loc></url></urlset>", "http://x/1?a&b"),
            ("\n <?xml version='1.0'?><urlset><url><loc>http://x/?a&#x26;b</loc></url></urlset>", "http://x/?a&b"),
            ("<urlset><url><loc>http://x/?a=1&id=b&amp;c</loc></url></urlset>", "http://x/?a=1&id=b&c"),
            ("<urlset><url><loc><![CDATA[http://x/?a&b]]></loc></url></urlset>", "http://x/?a&b"),
            ("<urlset><url><loc>http://x/it&apos;s&quot;</loc></url></urlset>", "http://x/it's\""),
            ("<urlset><url><loc>\n  http://x/1\n</loc></url><url><loc>", "http://x/1"),
            ("http://x/1\nnonsense\n", "http://x/1"),
        ] {
            assert_eq!(locs(body.as_bytes()), [wanted], "{body}");
        }
        let gbk = "<?xml version='1.0' encoding='GBK'?><urlset><url><loc>http://x/应用/1</loc></url></urlset>";
        assert_eq!(locs(&encoding_rs::GBK.encode(gbk).0), ["http://x/应用/1"]);
        let wide = "\u{feff}<?xml version='1.0' encoding='UTF-16'?><urlset><url><loc>http://x/1</loc></url></urlset>";
        assert_eq!(locs(&wide.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()), ["http://x/1"]);
        assert!(entries("<a>".repeat(100).as_bytes()).is_err());
    }
}
