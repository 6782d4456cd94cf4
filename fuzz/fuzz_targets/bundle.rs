#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"UnityFS\0".as_slice(), bytes].concat();
    let _ = xunjian_core::extract::entry(
        "assets/bin/Data/data.unity3d",
        "a.apk!/assets/bin/Data/data.unity3d",
        &bytes,
        &Default::default(),
    );
});
