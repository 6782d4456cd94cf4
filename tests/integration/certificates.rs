//! Whose signature a package bears: APKs, HarmonyOS packages, iOS packages.

use crate::support;

use std::sync::{Arc, LazyLock};

use crate::support::containers::{App, hap, ipa};
use crate::support::package::{Member, Package};
use crate::support::{shared, signed};

use xunjian::audit::{Auditor, sha256};
use xunjian::extract::certificate::Certificates;
use xunjian::model::{Audit, Budget, LimitCode};
use xunjian::signature::{Pack, Source};

static AUDITOR: LazyLock<Auditor> = LazyLock::new(|| {
    let pack = Pack::load(&Source::embedded()).expect("the pack loads");
    let policy = pack.policies.values().next().expect("a policy").clone();
    Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() }
});

const ROOT: &str = "Example Root";
/// Types of the values in HarmonyOS's signing block.
const SIGNATURE: u32 = 0x2000_0000;
const PROFILE: u32 = 0x2000_0002;
const PROPERTY: u32 = 0x2000_0003;
const MAGIC: &[u8; 16] = b"<hap sign block>";

fn audit(bytes: &[u8]) -> Audit {
    let reading = AUDITOR.read("a", &sha256(bytes), &bytes).expect("a package");
    AUDITOR.conclude(None, vec![reading])
}

fn limits(audit: &Audit) -> Vec<(LimitCode, &str)> {
    let limits = audit.coverage.limits.iter().filter(|l| l.code != LimitCode::NoListing);
    limits.map(|l| (l.code, l.detail.as_str())).collect()
}

/// Facts of a certificate or profile, with their place.
fn facts(found: &Certificates) -> Vec<String> {
    let blocks = found.facts.blocks.iter();
    blocks.flat_map(|b| b.iter().map(|f| format!("{}: {}", b.place_of(f.index), f.text))).collect()
}

fn developer() -> Vec<u8> {
    signed::certificate("小象教育科技", ROOT, 7)
}

fn root() -> Vec<u8> {
    signed::certificate(ROOT, ROOT, 1)
}

/// What a developer's signature over a HarmonyOS package is.
fn signature() -> Vec<u8> {
    signed::message(b"digests", &[&root(), &developer()], ROOT, 7)
}

fn harmony_profile() -> Vec<u8> {
    let said = r#"{"type": "release", "app-distribution-type": "enterprise",
        "bundle-info": {"developer-id": "900086000", "bundle-name": "cn.example.youketang"}}"#;
    signed::message(said.as_bytes(), &[&signed::certificate("Store", ROOT, 9), &root()], ROOT, 9)
}

#[test]
fn marks_of_markets_are_facts_and_no_tampering() {
    let bytes = std::fs::read(support::project("tests/fixtures/apks/cleanedu.apk")).unwrap();
    let plain = audit(&bytes);
    assert_eq!(plain.artifacts[0].certificates.len(), 1);
    for (id, name) in [(0x7177_7777, "Walle"), (0x8811_55ff, "VasDolly"), (0x7a78_6b21, "PackerNg")] {
        let mut package = Package::read(&bytes);
        package.pairs.push((id, b"{\"channel\":\"market-7\"}".to_vec()));
        let marked = audit(&package.write());
        assert_eq!(limits(&marked), [], "{name}");
        assert_eq!(marked.artifacts[0].certificates, plain.artifacts[0].certificates, "{name}");
        let mut found = Certificates::default();
        found.android(&package.pairs, "a.apk");
        assert!(
            facts(&found).contains(&format!("a.apk channel mark ({name}): {{\"channel\":\"market-7\"}}")),
            "{name}"
        );
    }
}

#[test]
fn harmony_packages_name_their_signer() {
    let plain = hap::hap(&App::subject());
    for magic in [MAGIC, b"HAP Sig Block 42"] {
        let (signature, profile) = (signature(), harmony_profile());
        let values = [(SIGNATURE, signature.as_slice()), (PROFILE, &profile), (PROPERTY, b"digests of code")];
        let found = audit(&signed::harmony(&plain, magic, &values));
        // The signer's alone: every developer shares the issuer's.
        assert_eq!(found.artifacts[0].certificates, [sha256(&developer())]);
        assert_eq!(limits(&found), []);
        let without = audit(&plain);
        assert_eq!(without.artifacts[0].certificates, [""; 0]);
        assert_eq!(format!("{:?}", found.findings), format!("{:?}", without.findings));
    }
}

#[test]
fn harmony_profiles_tell_who_hands_the_app_out() {
    let mut found = Certificates::default();
    found.harmony(&[(SIGNATURE, signature()), (PROFILE, harmony_profile())], "a.hap");
    assert_eq!(
        facts(&found),
        [
            format!("a.hap certificate hap {}: CN=小象教育科技", sha256(&developer())),
            "a.hap profile: type=release".into(),
            "a.hap profile: app-distribution-type=enterprise".into(),
            "a.hap profile: bundle-name=cn.example.youketang".into(),
            "a.hap profile: developer-id=900086000".into(),
        ]
    );
}

#[test]
fn harmony_blocks_that_do_not_hold_are_said() {
    let plain = hap::hap(&App::subject());
    let limits_of = |values: &[(u32, &[u8])]| {
        let found = audit(&signed::harmony(&plain, MAGIC, values));
        assert_eq!(found.artifacts[0].certificates, [""; 0]);
        limits(&found).into_iter().map(|(code, detail)| (code, detail.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(limits_of(&[(SIGNATURE, b"nothing")])[0].0, LimitCode::BadCertificate);
    let foreign = signed::message(b"", &[&root()], "Somebody Else", 3);
    assert_eq!(
        limits_of(&[(SIGNATURE, &foreign)]),
        [(LimitCode::BadCertificate, "the signature holds no certificate of its signer".into())]
    );
    let no_json = signed::message(b"[1]", &[&root()], ROOT, 1);
    assert_eq!(
        limits_of(&[(PROFILE, &no_json)]),
        [(LimitCode::BadCertificate, "the profile holds no JSON object".into())]
    );
    let odd = limits_of(&[(0x0bad_cafe, b"channel=7")]);
    assert_eq!(
        odd[0],
        (LimitCode::TamperedArchive, "signing block holds 9 bytes under the unknown id 0x0badcafe".into())
    );
    // Code hidden where Android's signing block could hide it as well.
    let apk = std::fs::read(support::project("tests/fixtures/apks/cleanedu.apk")).unwrap();
    let code = Package::read(&apk).member("classes.dex").unwrap().data();
    assert!(limits_of(&[(0x0bad_cafe, &code)]).iter().any(|(code, _)| *code == LimitCode::HiddenCode));
}

/// The iOS fixture with a profile.
fn with_profile(profile: &[u8]) -> Vec<u8> {
    let mut package = Package::read(&ipa::ipa(&App::subject(), true));
    package.members.push(Member::new("Payload/Lessons.app/embedded.mobileprovision", profile, true));
    package.write()
}

#[test]
fn ios_profiles_name_the_team_and_its_certificates() {
    let said = signed::profile("小象教育科技", &[&developer()]);
    let apple = signed::certificate("Apple iPhone OS Provisioning Profile Signing", "Apple", 4);
    let profile = signed::message(said.as_bytes(), &[&apple], "Apple", 4);
    let found = audit(&with_profile(&profile));
    assert_eq!(found.artifacts[0].certificates, [sha256(&developer())]);
    assert_eq!(limits(&found), []);
    let mut found = Certificates::default();
    found.ios(&profile, "a.ipa!/p");
    let said = facts(&found);
    for fact in
        ["profile: TeamName=小象教育科技", "profile: TeamIdentifier=A1B2C3D4E5", "profile: ProvisionsAllDevices=true"]
    {
        assert!(said.contains(&format!("a.ipa!/p {fact}")), "{said:?}");
    }
}

#[test]
fn ios_profiles_that_do_not_hold_are_said() {
    let of = |content: &[u8]| signed::message(content, &[&root()], ROOT, 1);
    for (profile, detail) in [
        (b"nothing".to_vec(), "the profile: no PKCS #7"),
        (of(b"\0\xff\xff"), "the profile holds no property list"),
        (of(signed::profile("a", &[]).as_bytes()), "the profile holds no certificate of a developer"),
        (
            of(b"<plist><dict><key>DeveloperCertificates</key><array><data>%%</data></array></dict></plist>"),
            "a certificate of the profile is no base64",
        ),
    ] {
        let found = audit(&with_profile(&profile));
        let said = limits(&found);
        assert!(
            said.iter().any(|(code, said)| *code == LimitCode::BadCertificate && said.starts_with(detail)),
            "{detail}: {said:?}"
        );
    }
}

#[test]
#[ignore = "needs shared data beside the project"]
fn given_data_a_real_profile_names_its_developer() {
    let dir = shared("apks/containers");
    let found = audit(&std::fs::read(dir.join("test_files__ios.ipa")).unwrap());
    let certificates = &found.artifacts[0].certificates;
    assert_eq!(certificates.len(), 1, "{certificates:?}");
    assert!(found.coverage.limits.iter().all(|l| l.code != LimitCode::BadCertificate), "{:?}", found.coverage.limits);
}

#[test]
fn corrupted_signatures_never_panic() {
    let said = signed::profile("a", &[&developer()]);
    let whole = [signature(), harmony_profile(), signed::message(said.as_bytes(), &[&root()], ROOT, 1)];
    let plain = hap::hap(&App::subject());
    let mut state = 1_u64;
    let mut pick = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for round in 0..2_000 {
        let mut bytes = whole[round % 3].clone();
        for _ in 0..=pick(6) {
            let at = pick(bytes.len());
            bytes[at] = pick(256) as u8;
        }
        let mut found = Certificates::default();
        found.jar(&bytes, "a");
        found.harmony(&[(SIGNATURE, bytes.clone()), (PROFILE, bytes.clone())], "a");
        found.ios(&bytes, "a");
    }
    // Heads and tail of the block.
    let block = signed::harmony(&plain, MAGIC, &[(SIGNATURE, &whole[0]), (PROFILE, &whole[1])]);
    let tail = memchr::memmem::find(&block, MAGIC).unwrap();
    let size = u64::from_le_bytes(block[tail - 8..tail].try_into().unwrap()) as usize;
    let heads = tail + 20 - size;
    for _ in 0..200 {
        let mut bytes = block.clone();
        for _ in 0..=pick(3) {
            let at = if pick(2) == 0 { heads + pick(24) } else { tail - 12 + pick(32) };
            bytes[at] = pick(256) as u8;
        }
        let _ = audit(&bytes);
    }
}
