#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"dex\n035\0".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("classes.dex", "a.apk!/classes.dex", &bytes, &Default::default());
});
