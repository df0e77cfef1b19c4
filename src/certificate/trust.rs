//! Whom OpenSSL trusts: CA files, hashed directories, and whether a chain verifies.

use super::Certificate;

/// What is wrong with a `*_CAfile`: Postfix switches TLS off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unloadable(pub String);

/// Whether a chain leads to an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Trusted,
    /// It does not; OpenSSL's reason in words.
    Refused(String),
    /// This build cannot say it; why.
    NotChecked(&'static str),
}

/// The certificates of a `*_CAfile`, as `X509_load_cert_crl_file` takes them.
pub fn ca_file(bytes: &[u8]) -> Result<Vec<Certificate>, Unloadable> {
    let _ = bytes;
    Ok(Vec::new())
}

/// The subject's hash that the name of a file in a `*_CApath` begins with, and its number (`hhhhhhhh.N`);
/// `None`: OpenSSL never opens a file of this name as a certificate.
pub fn hash_link(name: &[u8]) -> Option<(u32, u32)> {
    let _ = name;
    None
}

/// OpenSSL's hash of the certificate's subject, as `openssl x509 -subject_hash` says it; `None`: this build cannot say it.
pub fn subject_hash(certificate: &Certificate) -> Option<u32> {
    let _ = certificate;
    None
}

/// Whether a server with this chain is trusted, at a second since 1970-01-01 UTC. Names are not compared.
pub fn verify(
    leaf: &Certificate,
    chain: &[Certificate],
    anchors: &[Certificate],
    at: i64,
) -> Verdict {
    let _ = (leaf, chain, anchors, at);
    Verdict::NotChecked("")
}
