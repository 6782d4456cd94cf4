//! The signing block of HarmonyOS packages: a signed message over the package, and the
//! profile that a store or developer signed, a message around JSON
//! (`hapsigntool` of <https://gitee.com/openharmony/developtools_hapsigner>; keys as in
//! "HarmonyAppProvision" of <https://gitee.com/openharmony/docs>).

use super::{Certificates, message};
use crate::extract::json::{object, text};

const SIGNATURE: u32 = 0x2000_0000;
const PROFILE: u32 = 0x2000_0002;
/// Proof of rotation, properties (code signature), and what companies sign anew.
const ORDINARY: &[u32] = &[0x2000_0001, 0x2000_0003, 0x2000_0004, 0x2000_0005];
/// Keys of the profile that tell who hands the app out, and to whom.
const SAID: &[(&str, &str)] = &[
    ("/type", "type"),
    ("/app-distribution-type", "app-distribution-type"),
    ("/issuer", "issuer"),
    ("/bundle-info/bundle-name", "bundle-name"),
    ("/bundle-info/developer-id", "developer-id"),
    ("/bundle-info/app-feature", "app-feature"),
];

pub(super) fn read(pairs: &[(u32, Vec<u8>)], place: &str, out: &mut Certificates) {
    for (id, value) in pairs {
        match *id {
            SIGNATURE => match message::read(value) {
                Ok(message) if message.signers().next().is_some() => {
                    message.signers().for_each(|certificate| out.add_read("hap", certificate, place));
                }
                Ok(_) => out.bad(place, "the signature holds no certificate of its signer"),
                Err(reason) => out.bad(place, format!("the signature: {reason}")),
            },
            PROFILE => profile(value, place, out),
            id if ORDINARY.contains(&id) => {}
            id => out.odd(id, value.len(), place),
        }
    }
}

fn profile(bytes: &[u8], place: &str, out: &mut Certificates) {
    let message = match message::read(bytes) {
        Ok(message) => message,
        Err(reason) => return out.bad(place, format!("the profile: {reason}")),
    };
    match object(&message.content) {
        Some(said) => SAID.iter().for_each(|(pointer, key)| out.say(key, &text(&said, pointer), place)),
        None => out.bad(place, "the profile holds no JSON object"),
    }
}
