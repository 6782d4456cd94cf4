#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\xaf\x1b\xb1\xfa".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "assets/bin/Data/Managed/Metadata/global-metadata.dat",
        "a.apk!/assets/bin/Data/Managed/Metadata/global-metadata.dat",
        &bytes,
        &Default::default(),
    );
});
