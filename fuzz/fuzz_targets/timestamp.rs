#![no_main]
use xunjian::preserve::stamp;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let query = stamp::query(b"bag", [7; 16]).unwrap_or_default();
    let _ = stamp::check(b"bag", bytes, bytes);
    if let Ok(stamp) = stamp::check(b"bag", &query, bytes) {
        let _ = stamp.check_chain(bytes);
    }
});
