#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"SQLite format 3\0".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("assets/quiz.db", "a.apk!/assets/quiz.db", &bytes, &Default::default());
});
