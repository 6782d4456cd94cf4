#![no_main]
use xunjian_core::model::Budget;
use xunjian_core::unpack::{Archive, signing_block};

// Directory, headers, inflation, signing block; the seeds are the fixture packages.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let budget = Budget::default().with_total(8 << 20);
    let Ok(archive) = Archive::open(&bytes, "a.apk", &budget) else { return };
    let _ = signing_block(&archive);
    let _ = archive.lead_bytes(&budget);
    for entry in archive.entries.iter().take(64) {
        let _ = archive.peek(entry, 16);
        let _ = archive.read(entry, "a.apk!/e", &budget);
    }
});
