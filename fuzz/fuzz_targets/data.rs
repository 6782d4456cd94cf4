#![no_main]
// What is read by its strings behind a magic of its own: words in every encoding at every offset,
// streams packed behind a header, records of old documents.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for magic in [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(),
        b"{\\rtf1",
        b"CWS\x0f",
        b"GDSC",
        b"\x5d\0\0\x80\0",
        b"\x01\0\0\0",
    ] {
        let bytes = [magic, bytes].concat();
        let _ = xunjian_core::extract::entry("assets/a.dat", "a.apk!/assets/a.dat", &bytes, &Default::default());
    }
});
