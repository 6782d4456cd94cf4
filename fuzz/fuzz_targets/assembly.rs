#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"MZ".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "assets/bin/Data/Managed/Assembly-CSharp.dll",
        "a.apk!/assets/bin/Data/Managed/Assembly-CSharp.dll",
        &bytes,
        &Default::default(),
    );
});
