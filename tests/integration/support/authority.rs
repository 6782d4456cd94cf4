//! A timestamp authority of our own: certificates and replies by `openssl`, in a folder that the
//! test throws away.

use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIGURATION: &str = "
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[uncritical]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = timeStamping
[mail]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,emailProtection
[tsa]
default_tsa = authority
[authority]
serial = tsa.serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1, millisecs:500
tsa_name = yes
ess_cert_id_alg = sha256
";
/// When certificates are valid that are to be.
const ALWAYS: (&str, &str) = ("20200101000000Z", "20991231000000Z");

/// An authority in a folder.
#[derive(Clone)]
pub struct Authority {
    dir: PathBuf,
}

impl Authority {
    /// With its root `root.pem` and the signers `stamps` (RSA), `curve` (P-256), `expired`,
    /// `uncritical` and `mail`.
    pub fn new(dir: &Path) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join("openssl.cnf"), CONFIGURATION).unwrap();
        std::fs::write(dir.join("index.txt"), "").unwrap();
        std::fs::write(dir.join("serial"), "1000").unwrap();
        let authority = Self { dir: dir.to_owned() };
        authority.root("root");
        authority.root("stranger");
        authority.signer("stamps", "rsa:2048", "stamps", ALWAYS);
        authority.signer("curve", "ec", "stamps", ALWAYS);
        authority.signer("expired", "ec", "stamps", ("20200101000000Z", "20210101000000Z"));
        authority.signer("uncritical", "ec", "uncritical", ALWAYS);
        authority.signer("mail", "ec", "mail", ALWAYS);
        authority
    }

    /// A file of this authority.
    pub fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// Runs openssl in the folder; what it printed.
    pub fn openssl(&self, words: &str) -> String {
        let output = Command::new("openssl").args(words.split_whitespace()).current_dir(&self.dir).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "openssl {words}: {said}");
        said
    }

    fn root(&self, name: &str) {
        self.openssl(&format!(
            "req -config openssl.cnf -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 3650 \
             -subj /CN=Example-{name} -extensions root"
        ));
    }

    fn signer(&self, name: &str, key: &str, extensions: &str, (from, to): (&str, &str)) {
        let curve = if key == "ec" { "-pkeyopt ec_paramgen_curve:P-256" } else { "" };
        self.openssl(&format!(
            "req -config openssl.cnf -new -newkey {key} {curve} -nodes -keyout {name}.key -out {name}.csr \
             -subj /CN=Example-{name}"
        ));
        self.openssl(&format!(
            "ca -config openssl.cnf -batch -notext -cert root.pem -keyfile root.key -in {name}.csr -out {name}.pem \
             -extensions {extensions} -startdate {from} -enddate {to}"
        ));
    }

    /// What it answers to a query, signed by one of its signers that `openssl ts` lets sign.
    pub fn reply(&self, query: &[u8], signer: &str) -> Vec<u8> {
        let work = tempfile::tempdir_in(&self.dir).unwrap();
        let name = work.path().file_name().unwrap().to_str().unwrap();
        std::fs::write(work.path().join("q"), query).unwrap();
        self.openssl(&format!(
            "ts -reply -config openssl.cnf -queryfile {name}/q -signer {signer}.pem -inkey {signer}.key -out {name}/r"
        ));
        std::fs::read(work.path().join("r")).unwrap()
    }

    /// The same stamp as `reply` holds, signed anew by a signer that `openssl ts` would not let.
    pub fn signed_anew(&self, reply: &[u8], signer: &str, options: &str) -> Vec<u8> {
        let work = tempfile::tempdir_in(&self.dir).unwrap();
        let name = work.path().file_name().unwrap().to_str().unwrap();
        std::fs::write(work.path().join("r"), reply).unwrap();
        self.openssl(&format!("ts -reply -in {name}/r -token_out -out {name}/t"));
        self.openssl(&format!("cms -verify -noverify -binary -inform DER -in {name}/t -out {name}/info"));
        self.openssl(&format!(
            "cms -sign -binary -nodetach -nosmimecap -econtent_type 1.2.840.113549.1.9.16.1.4 -md sha256 {options} \
             -in {name}/info -signer {signer}.pem -inkey {signer}.key -outform DER -out {name}/t"
        ));
        let token = std::fs::read(work.path().join("t")).unwrap();
        let length = u16::try_from(token.len() + 5).unwrap().to_be_bytes();
        [&[0x30, 0x82, length[0], length[1], 0x30, 3, 2, 1, 0], token.as_slice()].concat()
    }
}
