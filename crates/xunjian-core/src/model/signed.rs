//! Signed messages: PKCS #7, which is CMS (RFC 5652), and whether their signature holds.
//!
//! JARs, packages and timestamps are signed in the same way; what each asks of the certificate
//! is its own.

use cms::cert::CertificateChoices;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedAttributes, SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Any, ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// Certificates of one message; chains have three or four.
const CERTIFICATES_MAX: usize = 32;
/// Signed data (RFC 5652, 5.1).
const OID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// Attributes that hold the content's type and its digest (RFC 5652, 11.1 and 11.2).
const OID_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const OID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// Keys (RFC 3279, 2.3.1 and 2.3.5).
const OID_RSA: &str = "1.2.840.113549.1.1.1";
const OID_EC: &str = "1.2.840.10045.2.1";
const OID_P256: &str = "1.2.840.10045.3.1.7";
const OID_P384: &str = "1.3.132.0.34";

/// A digest that signatures are made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1: only where old devices still need it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// The digest of an algorithm identifier (RFC 5754, 2; RFC 3370, 2.1); none for others, nor
    /// for one with parameters that these do not have.
    #[must_use]
    pub fn named(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        if !has_no_parameters(algorithm) {
            return None;
        }
        match algorithm.oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Some(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Self::Sha512),
            "1.3.14.3.2.26" => Some(Self::Sha1),
            _ => None,
        }
    }
}

/// A signed message.
#[derive(Debug, Clone)]
pub struct Message {
    /// All certificates in it, issuers too.
    pub certificates: Vec<Certificate>,
    /// Version of the syntax.
    pub version: CmsVersion,
    /// What sort of content is signed.
    pub content_type: ObjectIdentifier,
    /// What is signed; empty where it lies outside of the message.
    pub content: Vec<u8>,
    digests: Vec<AlgorithmIdentifierOwned>,
    signers: Vec<SignerInfo>,
}

/// A signature that holds.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// Of whoever signed. Nothing is said of who issued it.
    pub certificate: &'a Certificate,
    attributes: Option<&'a SignedAttributes>,
}

impl Message {
    /// Reads a message in DER; the error says what is wrong with it.
    ///
    /// # Errors
    /// When it is no signed message, or names no certificate.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let info = ContentInfo::from_der(bytes).map_err(|e| format!("no PKCS #7: {e}"))?;
        if info.content_type != OID_SIGNED_DATA {
            return Err(format!("no signed data: content of type {}", info.content_type));
        }
        let signed: SignedData = info.content.decode_as().map_err(|e| format!("no signed data: {e}"))?;
        let set = signed.certificates.ok_or("no certificate in it")?;
        let certificates = set.0.into_vec().into_iter().filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        });
        let content = signed.encap_content_info.econtent.and_then(|any| any.decode_as::<OctetString>().ok());
        Ok(Self {
            certificates: certificates.take(CERTIFICATES_MAX).collect(),
            version: signed.version,
            content_type: signed.encap_content_info.econtent_type,
            content: content.map(OctetString::into_bytes).unwrap_or_default(),
            digests: signed.digest_algorithms.into_vec(),
            signers: signed.signer_infos.0.into_vec(),
        })
    }

    /// The certificates of those who signed, without their issuers.
    pub fn signers(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().filter(|certificate| self.signers.iter().any(|signer| is_of(certificate, signer)))
    }

    /// Checks the one signature over `content`. SHA-1 is taken only with `old`.
    ///
    /// # Errors
    /// When there is not exactly one, or it does not hold.
    pub fn verify(&self, content: &[u8], old: bool) -> Result<Signature<'_>, String> {
        let [signer] = self.signers.as_slice() else { return Err("not exactly one signer".into()) };
        let certificate = self.certificates.iter().find(|certificate| is_of(certificate, signer));
        let certificate = certificate.ok_or("the signer's certificate is not in it")?;
        let digest = Digest::named(&signer.digest_alg).filter(|digest| old || *digest != Digest::Sha1);
        let digest = digest.ok_or("a digest that is not trusted")?;
        // RFC 5652, 5.1 and 5.3: the head lists the digest, and the version follows the name of the signer.
        let is_by_key = matches!(signer.sid, SignerIdentifier::SubjectKeyIdentifier(_));
        let version = if is_by_key { CmsVersion::V3 } else { CmsVersion::V1 };
        if signer.version != version || !self.digests.iter().any(|named| Digest::named(named) == Some(digest)) {
            return Err("its head and its signer do not fit together".into());
        }
        let signature = Signature { certificate, attributes: signer.signed_attrs.as_ref() };
        // RFC 5652, 5.4: where there are attributes, they are what is signed, as a SET in DER.
        let message = match signature.attributes {
            Some(attributes) => {
                self.check_attributes(&signature, &digest.of(content))?;
                attributes.to_der().map_err(|e| e.to_string())?
            }
            None => content.to_vec(),
        };
        let key = &certificate.tbs_certificate.subject_public_key_info;
        let algorithm = algorithm(key, &signer.signature_algorithm, digest)?;
        let bits = key.subject_public_key.as_bytes().ok_or("an odd key")?;
        UnparsedPublicKey::new(algorithm, bits)
            .verify(&message, signer.signature.as_bytes())
            .map_err(|_| "the key does not fit the signature".to_owned())?;
        Ok(signature)
    }

    /// The signed attributes name the type and the digest of what is signed (RFC 5652, 5.3).
    fn check_attributes(&self, signature: &Signature<'_>, ours: &[u8]) -> Result<(), String> {
        let theirs: OctetString = signature.attribute(&OID_MESSAGE_DIGEST)?.ok_or("no message digest")?;
        if theirs.as_bytes() != ours {
            return Err("the message digest differs".into());
        }
        let kind: ObjectIdentifier = signature.attribute(&OID_CONTENT_TYPE)?.ok_or("no content type is signed")?;
        if kind == self.content_type { Ok(()) } else { Err("the content type differs".into()) }
    }
}

impl Signature<'_> {
    /// The one value of a signed attribute; none where it is not there.
    ///
    /// # Errors
    /// When it is there more than once, or is of another form.
    pub fn attribute<T>(&self, oid: &ObjectIdentifier) -> Result<Option<T>, String>
    where
        T: for<'d> der::Choice<'d> + for<'d> der::DecodeValue<'d>,
    {
        let all = self.attributes.into_iter().flat_map(|attributes| attributes.iter());
        let found: Vec<&Any> = all.filter(|a| a.oid == *oid).flat_map(|a| a.values.iter()).collect();
        match found.as_slice() {
            [] => Ok(None),
            [value] => value.decode_as().map(Some).map_err(|e| format!("attribute {oid}: {e}")),
            _ => Err(format!("attribute {oid} has several values")),
        }
    }
}

fn is_of(certificate: &Certificate, signer: &SignerInfo) -> bool {
    let tbs = &certificate.tbs_certificate;
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => id.issuer == tbs.issuer && id.serial_number == tbs.serial_number,
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            matches!(tbs.get::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *id)
        }
    }
}

/// NULL and nothing mean the same here (RFC 5754, 2).
fn has_no_parameters(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.parameters.as_ref().is_none_or(|any| any.is_null())
}

fn curve(key: &SubjectPublicKeyInfoOwned) -> Option<String> {
    Some(key.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?.to_string())
}

/// How a signature of this key over this digest is checked. The signature's own algorithm must
/// say the same: PKCS #1 v1.5, named with the digest or without (RFC 3370, 3.2), or ECDSA.
fn algorithm(
    key: &SubjectPublicKeyInfoOwned,
    named: &AlgorithmIdentifierOwned,
    digest: Digest,
) -> Result<&'static dyn VerificationAlgorithm, String> {
    use Digest::{Sha1, Sha256, Sha384, Sha512};
    let (kind, curve, named_oid) = (key.algorithm.oid.to_string(), curve(key), named.oid.to_string());
    let fits = match (kind.as_str(), digest) {
        (OID_RSA, _) if named_oid == OID_RSA => true,
        (OID_RSA, Sha1) => named_oid == "1.2.840.113549.1.1.5",
        (OID_RSA, Sha256) => named_oid == "1.2.840.113549.1.1.11",
        (OID_RSA, Sha384) => named_oid == "1.2.840.113549.1.1.12",
        (OID_RSA, Sha512) => named_oid == "1.2.840.113549.1.1.13",
        (OID_EC, Sha256) => named_oid == "1.2.840.10045.4.3.2",
        (OID_EC, Sha384) => named_oid == "1.2.840.10045.4.3.3",
        _ => false,
    };
    let unsupported = || format!("a key {kind} {curve:?} with signature {named_oid} over {digest:?} is not supported");
    if !fits || !has_no_parameters(named) {
        return Err(unsupported());
    }
    Ok(match (kind.as_str(), curve.as_deref(), digest) {
        (OID_RSA, _, Sha1) => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (OID_RSA, _, Sha256) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (OID_RSA, _, Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (OID_RSA, _, Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (OID_EC, Some(OID_P256), Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (OID_EC, Some(OID_P256), Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (OID_EC, Some(OID_P384), Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (OID_EC, Some(OID_P384), Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        _ => return Err(unsupported()),
    })
}
