//! Signed messages: PKCS #7, which is CMS (RFC 5652).

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::Decode;
use der::asn1::OctetString;
use x509_cert::Certificate;

use super::CERTIFICATES_MAX;

/// What a message carries.
pub(super) struct Message {
    /// All of them, issuers too.
    pub(super) certificates: Vec<Certificate>,
    /// What is signed; empty where it lies outside of the message.
    pub(super) content: Vec<u8>,
    signers: Vec<SignerInfo>,
}

impl Message {
    /// Reads a message; the error says what is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let info = ContentInfo::from_der(trim_der(bytes)).map_err(|e| format!("no PKCS #7: {e}"))?;
        let signed: SignedData = info.content.decode_as().map_err(|e| format!("no signed data: {e}"))?;
        let set = signed.certificates.ok_or("no certificate in it")?;
        let certificates = set.0.into_vec().into_iter().filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        });
        let content = signed.encap_content_info.econtent.and_then(|any| any.decode_as::<OctetString>().ok());
        Ok(Self {
            certificates: certificates.take(CERTIFICATES_MAX).collect(),
            content: content.map(OctetString::into_bytes).unwrap_or_default(),
            signers: signed.signer_infos.0.into_vec(),
        })
    }

    /// The certificates of those who signed, without their issuers.
    pub(super) fn signers(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().filter(|certificate| self.signers.iter().any(|signer| is_of(certificate, signer)))
    }
}

fn is_of(certificate: &Certificate, signer: &SignerInfo) -> bool {
    let tbs = &certificate.tbs_certificate;
    match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => id.issuer == tbs.issuer && id.serial_number == tbs.serial_number,
        SignerIdentifier::SubjectKeyIdentifier(_) => false,
    }
}

/// Cuts what follows the outermost DER value: some signers pad the file.
fn trim_der(bytes: &[u8]) -> &[u8] {
    let length = match bytes {
        [_, n @ 0..=0x7f, ..] => 2 + usize::from(*n),
        [_, 0x81, a, ..] => 3 + usize::from(*a),
        [_, 0x82, a, b, ..] => 4 + usize::from(u16::from_be_bytes([*a, *b])),
        [_, 0x83, a, b, c, ..] => 5 + u32::from_be_bytes([0, *a, *b, *c]) as usize,
        _ => bytes.len(),
    };
    bytes.get(..length).unwrap_or(bytes)
}
