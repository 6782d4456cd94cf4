#![no_main]
// Whatever has no magic: encodings, escapes, base64, joined literals, start pages.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for path in ["assets/a.js", "assets/capacitor.config.json"] {
        let _ = xunjian_core::extract::entry(path, "a.apk!/assets/a", bytes, &Default::default());
    }
});
