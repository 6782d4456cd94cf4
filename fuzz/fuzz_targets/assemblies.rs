#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"XABA".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "assemblies/assemblies.blob",
        "a.apk!/assemblies/assemblies.blob",
        &bytes,
        &Default::default(),
    );
});
