#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"<html>".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("assets/a.html", "a.apk!/assets/a.html", &bytes, &Default::default());
});
