//! The provisioning profile of iOS apps: a message signed by Apple around a property list,
//! which names the team and holds the certificates that its apps may be signed with
//! (<https://developer.apple.com/documentation/technotes/tn3125-inside-code-signing-provisioning-profiles>).
//!
//! Apps from Apple's store have none: Apple signs them, and no certificate says whose they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Certificates, message};
use crate::extract::json::{list, text};
use crate::extract::plist;

/// Keys that tell whose app it is and how it is handed out: `ProvisionsAllDevices` is in
/// profiles of companies, for anyone without Apple's store.
const SAID: &[(&str, &str)] = &[
    ("/Name", "Name"),
    ("/AppIDName", "AppIDName"),
    ("/TeamName", "TeamName"),
    ("/TeamIdentifier/0", "TeamIdentifier"),
    ("/ProvisionsAllDevices", "ProvisionsAllDevices"),
    ("/Entitlements/get-task-allow", "get-task-allow"),
];

pub(super) fn read(bytes: &[u8], place: &str, out: &mut Certificates) {
    let message = match message::read(bytes) {
        Ok(message) => message,
        Err(reason) => return out.bad(place, format!("the profile: {reason}")),
    };
    let Some(said) = plist::value(&message.content) else {
        return out.bad(place, "the profile holds no property list");
    };
    SAID.iter().for_each(|(pointer, key)| out.say(key, &text(&said, pointer), place));
    let known = out.sha256.len();
    for base64 in list(&said, "/DeveloperCertificates").filter_map(Value::as_str) {
        let plain: String = base64.split_whitespace().collect();
        match STANDARD.decode(plain) {
            Ok(der) => out.add("profile", &der, place),
            Err(error) => out.bad(place, format!("a certificate of the profile is no base64: {error}")),
        }
    }
    if out.sha256.len() == known {
        out.bad(place, "the profile holds no certificate of a developer");
    }
}
