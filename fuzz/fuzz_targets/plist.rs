#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = xunjian_core::extract::ios::label(bytes);
    let bytes = [b"bplist00".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "Payload/A.app/Info.plist",
        "a.apk!/Payload/A.app/Info.plist",
        &bytes,
        &Default::default(),
    );
    let _ = xunjian_core::extract::ios::info(&bytes, "a.ipa!/Payload/A.app/Info.plist", Vec::new());
});
