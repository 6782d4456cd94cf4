#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\x1f\x8b\x08".as_slice(), bytes].concat();
    let _ = xunjian::extract::entry("assets/bank.json.gz", "a.apk!/assets/bank.json.gz", &bytes, &Default::default());
});
