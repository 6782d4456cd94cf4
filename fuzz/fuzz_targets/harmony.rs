#![no_main]
use xunjian_core::extract::{Resources, entry, harmony};
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let budget = Default::default();
    for magic in [b"Restool 5".as_slice(), b"RestoolV2"] {
        let index = [magic, bytes].concat();
        let (resources, _) = Resources::read(&index, "a.hap!/resources.index", &budget);
        let _ = harmony::module(bytes, "a.hap!/module.json", &resources, &budget);
    }
    let _ = harmony::pack(bytes);
    let code = [b"PANDA\0\0\0".as_slice(), bytes].concat();
    let _ = entry("ets/modules.abc", "a.hap!/ets/modules.abc", &code, &budget);
});
