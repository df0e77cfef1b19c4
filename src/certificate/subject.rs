//! What of a file a fingerprint can be made of.

use x509_parser::prelude::{FromDer, X509CertificationRequest};

use super::judge::{NOT_CHECKED, NoKey, PrivateKey};
use super::pem::Block;
use super::{Binary, Certificate, Key, fingerprint, pem};
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
    ///
    /// A public key is taken as its certificate writes it, which is what OpenSSL compares with. Where that is not the
    /// usual way (RSA without the NULL behind its identifier), Postfix 3.9 and newer logs, and looks up for clients,
    /// another one (`tls_pkey_fprint`). So does any Postfix with `tls_legacy_public_key_fingerprints`.
    pub fn fingerprint(&self, of: Of, digest: Digest) -> Option<Fingerprint> {
        match (of, &self.kind) {
            (Of::PublicKey, _) => Some(fingerprint(digest, &self.public_key)),
            (Of::Certificate, Kind::Certificate(it)) => Some(fingerprint(digest, it.der())),
            (Of::Certificate, Kind::PublicKey | Kind::PrivateKey | Kind::Request) => None,
        }
    }

    /// What kind of key it has; `None`: of an unknown kind.
    pub fn key(&self) -> Option<Key> {
        Key::of(&self.public_key)
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
    let mut found = Vec::new();
    for block in pem::read(bytes) {
        let block = block.map_err(|it| {
            Unreadable(format!("it holds a block that OpenSSL cannot read: {}", it.why))
        })?;
        found.extend(subject(&block).transpose()?);
    }
    if !found.is_empty() {
        return Ok(found);
    }
    Err(match Binary::of(bytes) {
        Some(binary) => Unreadable(format!("it is {binary}")),
        None => unreadable("there is no certificate and no key in it"),
    })
}

/// What a block holds; `None`: nothing of which there are fingerprints.
fn subject(block: &Block<'_>) -> Option<Result<Subject, Unreadable>> {
    match block.label {
        b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => {
            let certificate = Certificate::parse(&block.der).map(Subject::from);
            Some(certificate.map_err(|_| unreadable("it holds a malformed certificate")))
        }
        b"PUBLIC KEY" => Some(match Key::of(&block.der) {
            Some(_) => Ok(Subject { kind: Kind::PublicKey, public_key: block.der.clone() }),
            None => Err(unreadable("it holds a malformed public key")),
        }),
        b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {
            let request = X509CertificationRequest::from_der(&block.der).map(|(_, it)| {
                let key = it.certification_request_info.subject_pki.raw.to_vec();
                Subject { kind: Kind::Request, public_key: key }
            });
            Some(request.map_err(|_| unreadable("it holds a malformed request")))
        }
        _ if block.is_encrypted() => Some(Err(unreadable("its private key is encrypted"))),
        label if block.is_private_key() => {
            let key = PrivateKey::of_block(label, &block.der).and_then(|it| it.public_key());
            let subject = |public_key| Subject { kind: Kind::PrivateKey, public_key };
            Some(key.map(subject).map_err(|it| match it {
                NoKey::Refused => unreadable("its private key cannot be read"),
                NoKey::NotChecked => unreadable(NOT_CHECKED),
            }))
        }
        _ => None,
    }
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(why.to_owned())
}
