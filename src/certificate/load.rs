//! What Postfix ends up with when it loads the files that it proves itself with (`tls/tls_certkey.c`).

use std::ops::Range;

use super::Certificate;

/// What Postfix has when it has read all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// One for each kind of key. Empty where a problem switches TLS off.
    pub identities: Vec<Identity>,
    /// What is wrong, in the order in which Postfix comes to it.
    pub problems: Vec<Problem>,
    /// What could not be checked, and why.
    pub not_checked: Option<&'static str>,
}

/// A certificate whose key Postfix has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its own.
    pub certificate: Certificate,
    /// What is sent behind it, in this order.
    pub chain: Vec<Certificate>,
}

/// Something that is wrong with one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// Which of the given files.
    pub file: usize,
    /// Which bytes of it.
    pub range: Range<usize>,
    /// What is so, for people.
    pub text: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The file is DER, PKCS#12 or PKCS#7, not PEM.
    Der,
    /// There is no PEM block in it.
    NotPem,
    /// A block is not well-formed, or what stands in it is not what its label says.
    Malformed,
    /// There is no certificate where one has to be.
    CertificateMissing,
    /// There is no private key where one has to be.
    KeyMissing,
    /// The private key is encrypted; Postfix has no passphrase.
    KeyEncrypted,
    /// The private key is another one than the certificate's.
    KeyMismatch,
    /// A certificate stands where its private key has to be: in chain files the key comes first.
    KeyNotFirst,
    /// OpenSSL's security level refuses the key or the signature.
    TooWeak,
    /// Maybe `TooWeak`: it depends on the host's openssl.cnf.
    MaybeTooWeak,
    /// A later certificate with the same kind of key replaces this one.
    Replaced,
    /// The certificate behind another one is not its issuer.
    ChainOrder,
    /// The chain ends with its root, which nobody needs.
    RootIncluded,
}

impl ProblemKind {
    /// Whether Postfix switches TLS off because of it. Otherwise it obeys.
    pub fn switches_tls_off(self) -> bool {
        match self {
            ProblemKind::Der
            | ProblemKind::NotPem
            | ProblemKind::Malformed
            | ProblemKind::CertificateMissing
            | ProblemKind::KeyMissing
            | ProblemKind::KeyEncrypted
            | ProblemKind::KeyMismatch
            | ProblemKind::KeyNotFirst
            | ProblemKind::TooWeak => true,
            ProblemKind::MaybeTooWeak
            | ProblemKind::Replaced
            | ProblemKind::ChainOrder
            | ProblemKind::RootIncluded => false,
        }
    }
}

/// Loads `smtpd_tls_chain_files` and the like: key, certificate, issuers, again and again.
pub fn chain_files(files: &[&[u8]]) -> Loading {
    let _ = files;
    Loading::default()
}

/// Loads a `*_cert_file` with its `*_key_file`: file 0 and file 1. Where both are one file, give it twice.
pub fn certificate_and_key(certificate: &[u8], key: &[u8]) -> Loading {
    let _ = (certificate, key);
    Loading::default()
}
