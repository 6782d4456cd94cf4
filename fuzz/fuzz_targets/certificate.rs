#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let v1 = [("META-INF/A.RSA".to_owned(), bytes.to_vec())];
    let pairs = [(0x7109_871a, bytes.to_vec()), (0xf053_68c0, bytes.to_vec())];
    let _ = xunjian::extract::certificate::read(&v1, &pairs, "a.apk");
});
