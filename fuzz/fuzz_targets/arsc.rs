#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (table, _) = xunjian::extract::Resources::read(bytes, "a.apk!/resources.arsc", &Default::default());
    let _ = table.texts(0x7f01_0000);
    let _ = table.paths().count();
});
