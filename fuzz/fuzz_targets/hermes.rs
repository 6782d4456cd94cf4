#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f", bytes].concat();
    let _ = xunjian_core::extract::entry("assets/index.android.bundle", "a.apk!/b", &bytes, &Default::default());
});
