#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"bplist00".as_slice(), bytes].concat();
    let _ = xunjian::extract::entry("Payload/A.app/Info.plist", "a.apk!/Payload/A.app/Info.plist", &bytes, &Default::default());
});
