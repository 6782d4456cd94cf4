#![no_main]
use xunjian_core::extract::picture::{cut_out, worth};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = worth("res/drawable/guide.png", bytes, bytes.len() as u64);
    // Decodes, lays on a ground, cuts out; the models read no bytes of a stranger, only pixels.
    let _ = cut_out(bytes, "a.apk!/res/drawable/guide.png @4,4,20,10");
});
