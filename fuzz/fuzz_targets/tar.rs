#![no_main]
// Headers in a row: sizes, names, archives within archives.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut tar = bytes.to_vec();
    tar.resize(tar.len().max(512), 0);
    tar[257..263].copy_from_slice(b"ustar\0");
    let _ = xunjian_core::extract::entry("assets/a.amr", "a.apk!/assets/a.amr", &tar, &Default::default());
});
