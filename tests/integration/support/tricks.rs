//! Hostile tricks, each as a change to an ordinary package.
//!
//! Every trick keeps all that the package says: an audit must give the same findings,
//! and the flag.

mod contents;

use super::package::{Member, Package, end_record};
use contents::*;

/// One trick.
pub struct Trick {
    pub name: &'static str,
    /// Code of the limit that must be told.
    pub flag: &'static str,
    /// Changes the package; the bytes to audit.
    pub apply: fn(Package) -> Vec<u8>,
    /// Facts of the trick's own may join: a copy read twice, a decoy.
    pub adds: bool,
}

macro_rules! tricks {
    ($($name:ident => $flag:literal $(, $mark:ident)?;)*) => {
        /// Every trick.
        pub const ALL: &[Trick] = &[$(Trick {
            name: stringify!($name),
            flag: $flag,
            apply: $name,
            adds: {
                let marks: &[&str] = &[$(stringify!($mark))?];
                !marks.is_empty()
            },
        },)*];
    };
}

tricks! {
    bogus_method_of_stored => "tampered-archive";
    bogus_method_of_deflated => "tampered-archive";
    bogus_method_in_local_header => "tampered-archive";
    encryption_bit => "tampered-archive";
    encryption_bit_in_directory_only => "tampered-archive";
    lying_sizes_in_local_headers => "tampered-archive";
    lying_size_in_directory => "tampered-archive";
    lying_compressed_size_in_directory => "tampered-archive";
    decoy_end_record_before => "tampered-archive";
    broken_end_record_in_comment => "tampered-archive";
    wrong_entry_count => "tampered-archive";
    wrong_lengths_in_directory => "tampered-archive";
    junk_before_counted => "tampered-archive", adds;
    junk_before_uncounted => "tampered-archive", adds;
    junk_behind => "tampered-archive";
    janus => "hidden-code", adds;
    duplicate_of_code => "tampered-archive", adds;
    decoy_manifest_behind => "tampered-archive", adds;
    shared_data => "tampered-archive", adds;
    empty_name => "tampered-archive", adds;
    colliding_names => "tampered-archive", adds;
    colliding_case => "tampered-archive", adds;
    absolute_name => "tampered-archive", adds;
    parent_name => "tampered-archive", adds;
    folder_with_data => "tampered-archive", adds;
    other_local_names => "tampered-archive";
    idle_zip64_record => "tampered-archive";
    lying_zip64_field => "tampered-archive";
    unknown_pair_in_signing_block => "tampered-archive";
    code_in_signing_block => "hidden-code", adds;
    manifest_first_byte => "tampered-manifest";
    manifest_outer_header => "tampered-manifest";
    manifest_junk_chunks => "tampered-manifest";
    manifest_string_count => "tampered-manifest";
    manifest_junk_behind => "tampered-manifest";
    manifest_node_headers => "tampered-manifest";
    manifest_wide_attributes => "tampered-manifest";
    layouts_first_byte => "tampered-resources";
    table_first_byte => "tampered-resources";
    table_junk_chunks => "tampered-resources";
    table_string_count => "tampered-resources";
    moved_resources => "obfuscated-paths";
    code_in_assets => "hidden-code";
    code_in_odd_places => "hidden-code";
    code_in_archive_in_assets => "hidden-code", adds;
    code_in_archive_behind_junk => "hidden-code", adds;
    code_in_archive_behind_picture => "lying-name", adds;
    code_named_as_picture => "lying-name";
    texts_named_as_pictures => "lying-name";
}

fn bogus_method_of_stored(mut p: Package) -> Vec<u8> {
    for name in ["AndroidManifest.xml", "classes.dex", "resources.arsc"] {
        if let Some(member) = p.member(name) {
            *member = Member::new(name, &member.data(), false);
            member.both(|h| h.method = 0x7601);
        }
    }
    p.write()
}

fn bogus_method_of_deflated(mut p: Package) -> Vec<u8> {
    for member in p.members.iter_mut().filter(|m| m.central.method == 8) {
        member.both(|h| h.method = 99);
    }
    p.write()
}

fn bogus_method_in_local_header(mut p: Package) -> Vec<u8> {
    p.members.iter_mut().for_each(|m| m.local.method = 0x4242);
    p.write()
}

fn encryption_bit(mut p: Package) -> Vec<u8> {
    p.members.iter_mut().for_each(|m| m.both(|h| h.flags |= 1));
    p.write()
}

fn encryption_bit_in_directory_only(mut p: Package) -> Vec<u8> {
    p.members.iter_mut().for_each(|m| m.central.flags |= 1);
    p.write()
}

fn lying_sizes_in_local_headers(mut p: Package) -> Vec<u8> {
    for member in &mut p.members {
        (member.local.compressed, member.local.size, member.local.crc) = (7, 0x7fff_ffff, 0);
    }
    p.write()
}

fn lying_size_in_directory(mut p: Package) -> Vec<u8> {
    for member in p.members.iter_mut().filter(|m| m.central.method == 8) {
        member.central.size = 0x00ff_ffff;
    }
    p.write()
}

fn lying_compressed_size_in_directory(mut p: Package) -> Vec<u8> {
    for member in p.members.iter_mut().filter(|m| m.central.method == 8) {
        member.central.compressed = 3;
    }
    p.write()
}

/// A whole decoy archive whose end record stands before the real one.
fn decoy_end_record_before(mut p: Package) -> Vec<u8> {
    let decoy = Package { members: vec![Member::new("readme.txt", b"nothing here", false)], ..Package::default() };
    p.before_end = decoy.write();
    p.write()
}

/// An end record in the comment that leads nowhere.
fn broken_end_record_in_comment(mut p: Package) -> Vec<u8> {
    p.comment = [b"see ".to_vec(), end_record(1, 46, 0x7000_0000, b"")].concat();
    p.write()
}

fn wrong_entry_count(mut p: Package) -> Vec<u8> {
    p.end.entries = Some(1);
    p.write()
}

fn wrong_lengths_in_directory(mut p: Package) -> Vec<u8> {
    let length = p.members.len();
    p.members[length / 2].central.extra_len = Some(17);
    p.write()
}

fn junk_before_counted(mut p: Package) -> Vec<u8> {
    p.lead = b"#!/system/bin/sh\nexit 0\n".to_vec();
    p.write()
}

fn junk_before_uncounted(p: Package) -> Vec<u8> {
    let mut p = p;
    p.lead = vec![0x90; 4_096];
    p.lead_is_uncounted = true;
    p.write()
}

fn junk_behind(mut p: Package) -> Vec<u8> {
    p.tail = vec![0x11; 70_000];
    p.write()
}

/// The code stands before the archive, and the archive holds none (CVE-2017-13156).
fn janus(mut p: Package) -> Vec<u8> {
    let at = p.members.iter().position(|m| m.name() == "classes.dex").expect("fixtures have code");
    p.lead = p.members.remove(at).data();
    p.write()
}

fn duplicate_of_code(mut p: Package) -> Vec<u8> {
    let copy = p.member("classes.dex").expect("code").clone();
    p.members.push(copy);
    p.write()
}

fn decoy_manifest_behind(mut p: Package) -> Vec<u8> {
    p.members.push(Member::new("AndroidManifest.xml", b"<manifest package=\"decoy\"/>", true));
    p.write()
}

/// Two names for the same bytes.
fn shared_data(mut p: Package) -> Vec<u8> {
    let first = p.members[0].clone();
    p.members.push(Member { shares: Some(0), ..first });
    let last = p.members.len() - 1;
    p.members[last].central.name = b"assets/again.bin".to_vec();
    p.write()
}

fn added(mut p: Package, name: &str) -> Vec<u8> {
    p.members.insert(0, Member::new(name, b"x", false));
    p.write()
}

fn empty_name(p: Package) -> Vec<u8> {
    added(p, "")
}

fn colliding_names(p: Package) -> Vec<u8> {
    added(p, "classes.dex/a.txt")
}

fn colliding_case(p: Package) -> Vec<u8> {
    added(p, "Classes.dex")
}

fn absolute_name(p: Package) -> Vec<u8> {
    added(p, "/data/local/tmp/a.txt")
}

fn parent_name(p: Package) -> Vec<u8> {
    added(p, "assets/../../../a.txt")
}

fn folder_with_data(p: Package) -> Vec<u8> {
    added(p, "assets/folder/")
}

fn other_local_names(mut p: Package) -> Vec<u8> {
    p.members.iter_mut().for_each(|m| m.local.name.iter_mut().for_each(|b| *b = b'z'));
    p.write()
}

/// A ZIP64 end record that sends whoever follows it unasked elsewhere.
fn idle_zip64_record(mut p: Package) -> Vec<u8> {
    let at = p.write().len() as u64 - 22;
    let mut record = b"PK\x06\x06".to_vec();
    record.extend_from_slice(&44_u64.to_le_bytes());
    record.resize(56, 0);
    let locator = [b"PK\x06\x07\0\0\0\0".as_slice(), &at.to_le_bytes(), &[1, 0, 0, 0]].concat();
    p.before_end = [record, locator].concat();
    p.write()
}

fn lying_zip64_field(mut p: Package) -> Vec<u8> {
    for member in &mut p.members {
        member.central.extra = [&[1, 0, 16, 0][..], &9_u64.to_le_bytes(), &9_u64.to_le_bytes()].concat();
    }
    p.write()
}

fn unknown_pair_in_signing_block(mut p: Package) -> Vec<u8> {
    p.pairs.push((0x0bad_cafe, b"channel=market-7".to_vec()));
    p.write()
}

fn code_in_signing_block(mut p: Package) -> Vec<u8> {
    let at = p.members.iter().position(|m| m.name() == "classes.dex").expect("fixtures have code");
    let code = p.members.remove(at).data();
    p.pairs.push((0x0bad_cafe, code));
    p.write()
}
