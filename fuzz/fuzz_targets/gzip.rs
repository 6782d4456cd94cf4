#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for magic in [b"\x1f\x8b\x08".as_slice(), b"\x78\x9c", b"\x28\xb5\x2f\xfd"] {
        let bytes = [magic, bytes].concat();
        let _ = xunjian_core::extract::entry(
            "assets/bank.json.gz",
            "a.apk!/assets/bank.json.gz",
            &bytes,
            &Default::default(),
        );
    }
});
