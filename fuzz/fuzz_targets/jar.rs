#![no_main]
libfuzzer_sys::fuzz_target!(|jar: &[u8]| {
    for old in [false, true] {
        let _ = xunjian::crawl::open_jar(jar, "entry.json", 1 << 20, old);
    }
});
