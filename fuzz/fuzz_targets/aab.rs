#![no_main]
use xunjian_core::extract::{Resources, manifest, network_config};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The first byte says where the table ends and the manifest begins.
    let Some((&cut, rest)) = bytes.split_first() else { return };
    let (table, document) = rest.split_at(rest.len() * usize::from(cut) / 256);
    let table = [b"\x12".as_slice(), table].concat();
    let document = [b"\x0a".as_slice(), document].concat();
    let budget = Default::default();
    let (resources, _) = Resources::read(&table, "a.aab!/base/resources.pb", &budget);
    let _ = manifest(&document, "a.aab!/base/manifest/AndroidManifest.xml", &resources, &budget);
    let _ = network_config(&document, "a.aab!/base/res/xml/network.xml", &budget);
    let _ = xunjian_core::extract::entry("res/layout/a.xml", "a.aab!/base/res/layout/a.xml", &document, &budget);
    let _ = xunjian_core::extract::toc(bytes, "a.apks!/toc.pb");
});
