#![no_main]
// Old documents of Office: tables of sectors and streams, records of workbooks, pieces of texts.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = bytes.to_vec();
    file.resize(file.len().max(1_536), 0);
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    // Sectors of 512 bytes, the first of which is the table.
    file[30..34].copy_from_slice(&[9, 0, 6, 0]);
    file[76..80].fill(0);
    let _ = xunjian_core::extract::entry("assets/a.xls", "a.apk!/assets/a.xls", &file, &Default::default());
});
