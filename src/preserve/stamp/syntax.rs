//! Syntax of timestamps: RFC 3161, 2.4; of the attribute that names the signer's certificate:
//! RFC 2634, 5.4 and RFC 5035, 3. Ours and not the `x509-tsp` crate's, because that takes no
//! fractions of seconds, which RFC 3161 lets an authority give.

use der::asn1::{Any, BitString, Int, ObjectIdentifier, OctetString};
use der::{DateTime, Sequence};
use x509_cert::ext::Extensions;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// What is stamped.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct MessageImprint {
    pub(super) hash_algorithm: AlgorithmIdentifierOwned,
    pub(super) hashed_message: OctetString,
}

/// `TimeStampReq`.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct Request {
    pub(super) version: u8,
    pub(super) imprint: MessageImprint,
    pub(super) policy: Option<ObjectIdentifier>,
    pub(super) nonce: Option<Int>,
    /// `BOOLEAN DEFAULT FALSE`.
    pub(super) cert_req: Option<bool>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) extensions: Option<Extensions>,
}

/// `TimeStampResp`.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct Response {
    pub(super) status: StatusInfo,
    /// A signed message around [`Info`].
    pub(super) token: Option<Any>,
}

/// `PKIStatusInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct StatusInfo {
    pub(super) status: u8,
    pub(super) text: Option<Vec<String>>,
    pub(super) failure: Option<BitString>,
}

/// `TSTInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct Info {
    pub(super) version: u8,
    pub(super) policy: ObjectIdentifier,
    pub(super) imprint: MessageImprint,
    pub(super) serial: Int,
    pub(super) time: Any,
    pub(super) accuracy: Option<Accuracy>,
    /// `BOOLEAN DEFAULT FALSE`.
    pub(super) ordering: Option<bool>,
    pub(super) nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) extensions: Option<Extensions>,
}

/// How far the clock may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Sequence)]
pub(super) struct Accuracy {
    pub(super) seconds: Option<u32>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) micros: Option<u16>,
}

/// `SigningCertificate` and `SigningCertificateV2`.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct SigningCertificate {
    pub(super) certificates: Vec<CertificateId>,
    pub(super) policies: Option<Any>,
}

/// `ESSCertID`, which names no digest, and `ESSCertIDv2`, which may.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct CertificateId {
    pub(super) hash_algorithm: Option<AlgorithmIdentifierOwned>,
    pub(super) hash: OctetString,
    pub(super) issuer_serial: Option<Any>,
}

/// Seconds since 1970 UTC of a `GeneralizedTime` as RFC 3161 writes it, `YYYYMMDDhhmmss[.s…]Z`;
/// fractions are cut off.
pub(super) fn seconds(time: &Any) -> Option<u64> {
    let text = std::str::from_utf8(time.value()).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_fraction = |f: &str| !f.is_empty() && is_number(f) && !f.ends_with('0');
    if der::Tagged::tag(time) != der::Tag::GeneralizedTime
        || whole.len() != 14
        || !is_number(whole)
        || !fraction.is_none_or(is_fraction)
    {
        return None;
    }
    let two = |at: usize| whole[at..at + 2].parse::<u8>().ok();
    let date = DateTime::new(whole[..4].parse().ok()?, two(4)?, two(6)?, two(8)?, two(10)?, two(12)?).ok()?;
    Some(date.unix_duration().as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_fractions() {
        let read = |text: &str| seconds(&Any::new(der::Tag::GeneralizedTime, text.as_bytes()).unwrap());
        assert_eq!(read("19700101000001Z"), Some(1));
        assert_eq!(read("20000229010203.25Z"), Some(951_786_123));
        for odd in ["20000229010203", "20000229010203.Z", "20000229010203.50Z", "20000230010203Z", "2000022901020Z"] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(read("2000０229010203Z"), None, "a digit of another script");
        assert_eq!(seconds(&Any::new(der::Tag::Utf8String, "19700101000001Z".as_bytes()).unwrap()), None);
    }
}
