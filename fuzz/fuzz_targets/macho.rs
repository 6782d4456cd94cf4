#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\xcf\xfa\xed\xfe".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("Payload/A.app/A", "a.apk!/Payload/A.app/A", &bytes, &Default::default());
});
