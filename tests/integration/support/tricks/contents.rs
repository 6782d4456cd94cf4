//! Tricks with what the entries hold and where they lie.

use super::super::chunked;
use super::super::package::{Member, Package};

fn changed(mut p: Package, name: &str, change: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    if let Some(member) = p.member(name) {
        let data = change(&member.data());
        member.set_data(&data);
    }
    p.write()
}

const MANIFEST: &str = "AndroidManifest.xml";
const TABLE: &str = "resources.arsc";

pub fn manifest_first_byte(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, chunked::wrong_first_byte)
}

pub fn manifest_outer_header(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, chunked::long_outer_header)
}

pub fn manifest_junk_chunks(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, chunked::junk_between_chunks)
}

pub fn manifest_string_count(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, chunked::absurd_string_count)
}

pub fn manifest_junk_behind(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, chunked::junk_behind)
}

pub fn manifest_node_headers(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, chunked::long_node_headers)
}

pub fn manifest_wide_attributes(p: Package) -> Vec<u8> {
    changed(p, MANIFEST, |bytes| chunked::wide_attributes(&chunked::garbage_attribute_names(bytes)))
}

pub fn layouts_first_byte(mut p: Package) -> Vec<u8> {
    for member in p.members.iter_mut().filter(|m| m.name().starts_with("res/") && m.name().ends_with(".xml")) {
        let data = chunked::wrong_first_byte(&member.data());
        member.set_data(&data);
    }
    p.write()
}

pub fn table_first_byte(p: Package) -> Vec<u8> {
    changed(p, TABLE, chunked::wrong_first_byte)
}

pub fn table_junk_chunks(p: Package) -> Vec<u8> {
    changed(p, TABLE, chunked::junk_in_packages)
}

pub fn table_string_count(p: Package) -> Vec<u8> {
    changed(p, TABLE, chunked::absurd_string_count)
}

/// Files of `res/` under names that tell nothing, as obfuscators of resources leave them.
pub fn moved_resources(mut p: Package) -> Vec<u8> {
    let mut table = p.member(TABLE).map(|m| m.data()).expect("fixtures have a table");
    for (index, member) in p.members.iter_mut().enumerate() {
        let old = member.name();
        let Some((_, end)) = old.strip_prefix("res/").and_then(|rest| rest.rsplit_once('.')) else { continue };
        let stem = format!("r/{index:x}/");
        let new = format!("{stem}{}.{end}", "a".repeat(old.len() - stem.len() - end.len() - 1));
        for at in memchr::memmem::find_iter(&table.clone(), old.as_bytes()) {
            table[at..at + old.len()].copy_from_slice(new.as_bytes());
        }
        member.rename(&new);
    }
    p.member(TABLE).expect("still there").set_data(&table);
    p.write()
}

pub fn code_in_assets(mut p: Package) -> Vec<u8> {
    p.member("classes.dex").expect("code").rename("assets/plugin.dex");
    p.write()
}

pub fn code_in_odd_places(mut p: Package) -> Vec<u8> {
    p.member("classes.dex").expect("code").rename("META-INF/services/a");
    if let Some(second) = p.member("classes2.dex") {
        second.rename("lib/arm64-v8a/libx.so");
    }
    p.write()
}

pub fn code_in_archive_in_assets(mut p: Package) -> Vec<u8> {
    let at = p.members.iter().position(|m| m.name() == "classes.dex").expect("fixtures have code");
    let code = p.members.remove(at);
    let inner = Package { members: vec![code], ..Package::default() };
    p.members.push(Member::new("assets/data.bin", &inner.write(), true));
    p.write()
}

/// An archive whose first bytes say nothing: readers of archives begin at the end.
pub fn code_in_archive_behind_junk(p: Package) -> Vec<u8> {
    code_behind(p, b"\x01\x02 data of our own \x03\x04", "assets/data.bin")
}

pub fn code_in_archive_behind_picture(p: Package) -> Vec<u8> {
    code_behind(p, b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "assets/logo.png")
}

fn code_behind(mut p: Package, lead: &[u8], name: &str) -> Vec<u8> {
    let at = p.members.iter().position(|m| m.name() == "classes.dex").expect("fixtures have code");
    let code = p.members.remove(at);
    let inner = Package { lead: lead.to_vec(), lead_is_uncounted: true, members: vec![code], ..Package::default() };
    p.members.push(Member::new(name, &inner.write(), false));
    p.write()
}

pub fn code_named_as_picture(mut p: Package) -> Vec<u8> {
    p.member("classes.dex").expect("code").rename("assets/logo.png");
    p.write()
}

pub fn texts_named_as_pictures(mut p: Package) -> Vec<u8> {
    for member in &mut p.members {
        let name = member.name();
        if name.starts_with("assets/")
            && [".json", ".txt", ".js", ".html", ".csv"].iter().any(|end| name.ends_with(end))
        {
            member.rename(&format!("{name}.png"));
        }
    }
    p.write()
}
