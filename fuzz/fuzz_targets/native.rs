#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\x7fELF".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("lib/arm64-v8a/liba.so", "a.apk!/lib", &bytes, &Default::default());
});
