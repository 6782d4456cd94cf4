#![no_main]
libfuzzer_sys::fuzz_target!(|line: &str| {
    if let Ok(listing) = xunjian::model::Listing::parse(line) {
        let _ = xunjian::extract::listing(&listing);
    }
});
