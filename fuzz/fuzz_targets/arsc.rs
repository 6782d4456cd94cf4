#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let budget = Default::default();
    let (table, _) = xunjian_core::extract::Resources::read(bytes, "a.apk!/resources.arsc", &budget);
    let _ = table.texts(0x7f01_0000, &xunjian_core::model::Meter::new(&budget, 0));
    let _ = table.paths().count();
});
