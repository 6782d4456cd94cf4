#![no_main]
use xunjian_core::extract::certificate::Certificates;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let value = || bytes.to_vec();
    let mut found = Certificates::default();
    found.jar(bytes, "a.apk!/META-INF/A.RSA");
    found.android(&[(0x7109_871a, value()), (0xf053_68c0, value())], "a.apk");
    found.harmony(&[(0x2000_0000, value()), (0x2000_0002, value())], "a.hap");
    found.ios(bytes, "a.ipa!/Payload/A.app/embedded.mobileprovision");
});
