#![no_main]
use xunjian_core::extract::{self, Resources};

// The manifest, a layout, a network configuration.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = extract::manifest(bytes, "a.apk!/AndroidManifest.xml", &Resources::default(), &Default::default());
    let _ = extract::network_config(bytes, "a.apk!/res/xml/n.xml", &Default::default());
    let _ = extract::entry("res/xml/config.xml", "a.apk!/res/xml/config.xml", bytes, &Default::default());
});
