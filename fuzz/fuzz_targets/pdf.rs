#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"%PDF-".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("assets/a.pdf", "a.apk!/assets/a.pdf", &bytes, &Default::default());
});
