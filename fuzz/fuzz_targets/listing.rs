#![no_main]
libfuzzer_sys::fuzz_target!(|line: &str| {
    if let Ok(listing) = xunjian_core::model::Listing::parse(line) {
        let _ = xunjian_core::extract::listing(&listing);
    }
});
