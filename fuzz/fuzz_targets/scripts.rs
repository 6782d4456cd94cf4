#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "assets/src/main.luac",
        "a.apk!/assets/src/main.luac",
        &bytes,
        &Default::default(),
    );
});
