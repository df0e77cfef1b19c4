//! What of a file a fingerprint can be made of.

use x509_parser::prelude::{FromDer, X509CertificationRequest};

use super::{Certificate, fingerprint, judge, pem};
use crate::postfix::{Digest, Fingerprint};

/// What a fingerprint is the digest of. Postfix compares each with both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The public key: survives a renewal with the same key.
    PublicKey,
    /// The certificate.
    Certificate,
}

/// A certificate or a key in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What it is.
    pub kind: Kind,
    /// Its `SubjectPublicKeyInfo`.
    public_key: Vec<u8>,
}

/// What stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A certificate.
    Certificate(Box<Certificate>),
    /// A public key.
    PublicKey,
    /// A private key.
    PrivateKey,
    /// A request for a certificate (RFC 2986).
    Request,
}

/// Why nothing of a file can be pinned; a sentence's end, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl From<Certificate> for Subject {
    fn from(it: Certificate) -> Subject {
        let public_key = it.public_key().to_vec();
        Subject { kind: Kind::Certificate(Box::new(it)), public_key }
    }
}

impl Subject {
    /// Its fingerprint; `None`: it is no certificate, and its certificate is asked for.
    pub fn fingerprint(&self, of: Of, digest: Digest) -> Option<Fingerprint> {
        match (of, &self.kind) {
            (Of::PublicKey, _) => Some(fingerprint(digest, &self.public_key)),
            (Of::Certificate, Kind::Certificate(it)) => Some(fingerprint(digest, it.der())),
            (Of::Certificate, Kind::PublicKey | Kind::PrivateKey | Kind::Request) => None,
        }
    }

    /// The certificate, if it is one.
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.kind {
            Kind::Certificate(it) => Some(it),
            Kind::PublicKey | Kind::PrivateKey | Kind::Request => None,
        }
    }
}

/// All that a PEM file holds, in its order; blocks of other kinds are passed over. Never empty.
pub fn subjects(bytes: &[u8]) -> Result<Vec<Subject>, Unreadable> {
    let unreadable = |why: &str| Unreadable(why.to_owned());
    let blocks = pem::blocks(bytes).map_err(|_| unreadable("it is not well-formed PEM"))?;
    let mut found = Vec::new();
    for block in blocks {
        let subject = match block.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => {
                let it = Certificate::parse(&block.der)
                    .map_err(|_| unreadable("it holds a malformed certificate"))?;
                Subject::from(it)
            }
            b"PUBLIC KEY" => Subject { kind: Kind::PublicKey, public_key: block.der },
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {
                let (_, it) = X509CertificationRequest::from_der(&block.der)
                    .map_err(|_| unreadable("it holds a malformed request"))?;
                let key = it.certification_request_info.subject_pki.raw.to_vec();
                Subject { kind: Kind::Request, public_key: key }
            }
            label if label.ends_with(b"PRIVATE KEY") => {
                let public_key = judge::public_key(bytes)?;
                Subject { kind: Kind::PrivateKey, public_key }
            }
            _ => continue,
        };
        found.push(subject);
    }
    if found.is_empty() {
        return Err(unreadable("there is no certificate and no key in it"));
    }
    Ok(found)
}
