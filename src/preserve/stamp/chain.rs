//! Whether an authority's certificate leads to one that whoever verifies trusts (RFC 5280, 6).

use std::time::Duration;

use der::Encode;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

use super::Stamp;

/// Certificates of a file that are tried.
const ANCHORS_MAX: usize = 1000;
/// `id-kp-timeStamping`, 1.3.6.1.5.5.7.3.8, as DER without tag and length.
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];

/// Builds a chain at the time of the stamp. Revocation is not looked up: that needs the network.
pub(super) fn check(stamp: &Stamp, pem: &[u8]) -> Result<(), String> {
    let mut roots = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem).take(ANCHORS_MAX) {
        roots.push(certificate.map_err(|e| format!("the file of trusted certificates cannot be read: {e}"))?);
    }
    let anchors: Vec<_> =
        roots.iter().filter_map(|certificate| webpki::anchor_from_trusted_cert(certificate).ok()).collect();
    if anchors.is_empty() {
        return Err("the file of trusted certificates holds none in PEM".into());
    }
    let encode = |e: der::Error| e.to_string();
    let signer = CertificateDer::from(stamp.signer.to_der().map_err(encode)?);
    let others = stamp.others.iter().map(|c| c.to_der().map(CertificateDer::from));
    let others = others.collect::<Result<Vec<_>, _>>().map_err(encode)?;
    let end = EndEntityCert::try_from(&signer).map_err(|e| format!("the signer's certificate: {e}"))?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(stamp.at));
    let usage = KeyUsage::required(TIME_STAMPING);
    end.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &others, at, usage, None, None)
        .map(|_| ())
        .map_err(|e| format!("the signer's certificate does not lead to one of the trusted file: {e}"))
}
