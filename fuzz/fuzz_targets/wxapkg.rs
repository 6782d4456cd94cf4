#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\xbe\0\0\0\0\0\0\0\x30\0\0\0\x30\xed".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry("assets/a.wxapkg", "a.apk!/assets/a.wxapkg", &bytes, &Default::default());
});
