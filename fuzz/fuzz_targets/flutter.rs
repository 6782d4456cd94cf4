#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\x7fELF _kDart \xf5\xf5\xdc\xdc".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "lib/arm64-v8a/libapp.so",
        "a.apk!/lib/arm64-v8a/libapp.so",
        &bytes,
        &Default::default(),
    );
});
