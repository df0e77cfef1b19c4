//! What stands in a certificate (RFC 5280).

use std::fmt;
use std::ops::Range;

use x509_parser::prelude::{
    FromDer, GeneralName, ParsedExtension, SubjectPublicKeyInfo, X509Certificate, X509Name,
};
use x509_parser::public_key::PublicKey;

/// A certificate, and the facts that postls speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    spki: Range<usize>,
    subject_der: Range<usize>,
    issuer_der: Range<usize>,
    /// Whom it is for.
    pub subject: NameText,
    /// Who signed it.
    pub issuer: NameText,
    /// The DNS names of its subjectAltName; where it has none, the common name of its subject.
    pub names: Vec<String>,
    /// The first second at which it is valid, since 1970-01-01 UTC.
    pub not_before: i64,
    /// The last second at which it is valid.
    pub not_after: i64,
    /// Its public key.
    pub key: Key,
    /// The object identifier of the algorithm that it is signed with, in dotted numbers.
    pub signature: String,
    /// 1 to 3.
    pub version: u32,
    /// Whether it may sign others, by its basicConstraints.
    pub is_ca: bool,
}

/// A distinguished name, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameText(String);

/// What kind of key, and how large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// With the bits of its modulus.
    Rsa(usize),
    /// RSA that signs with PSS only; its bits.
    RsaPss(usize),
    /// Elliptic curve, with the object identifier of the curve; empty: with explicit parameters.
    Ec(String),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Of another algorithm, by its object identifier.
    Other(String),
}

/// Bytes that are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Certificate {
    /// Reads the certificate that these bytes begin with, as `d2i_X509` does: what is behind it counts for nothing.
    pub fn parse(der: &[u8]) -> Result<Certificate, Malformed> {
        let (rest, it) = X509Certificate::from_der(der).map_err(|_| Malformed)?;
        let whole = &der[..der.len() - rest.len()];
        Ok(Certificate {
            spki: place(whole, it.public_key().raw),
            subject_der: place(whole, it.subject().as_raw()),
            issuer_der: place(whole, it.issuer().as_raw()),
            subject: NameText::of(it.subject()),
            issuer: NameText::of(it.issuer()),
            names: names(&it),
            not_before: it.validity().not_before.timestamp(),
            not_after: it.validity().not_after.timestamp(),
            key: Key::of(it.public_key()),
            signature: it.signature_algorithm.algorithm.to_id_string(),
            version: it.version().0 + 1,
            is_ca: it.is_ca(),
            der: whole.to_vec(),
        })
    }

    /// All its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The bytes of its `SubjectPublicKeyInfo`.
    pub fn public_key(&self) -> &[u8] {
        &self.der[self.spki.clone()]
    }

    /// Whether its issuer is named as its subject.
    pub fn is_self_issued(&self) -> bool {
        self.is_issued_by(self)
    }

    /// Whether its issuer has the name of that certificate's subject.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        self.der[self.issuer_der.clone()] == issuer.der[issuer.subject_der.clone()]
    }
}

impl Key {
    /// The kind of this key.
    fn of(key: &SubjectPublicKeyInfo<'_>) -> Key {
        let algorithm = key.algorithm.algorithm.to_id_string();
        let bits = match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => rsa.key_size(),
            Ok(_) | Err(_) => 0,
        };
        match algorithm.as_str() {
            "1.2.840.113549.1.1.1" => Key::Rsa(bits),
            "1.2.840.113549.1.1.10" => Key::RsaPss(bits),
            "1.2.840.10045.2.1" => {
                let curve = key.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
                Key::Ec(curve.map(|it| it.to_id_string()).unwrap_or_default())
            }
            "1.3.101.112" => Key::Ed25519,
            "1.3.101.113" => Key::Ed448,
            _ => Key::Other(algorithm),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Rsa(bits) => write!(f, "RSA {bits}"),
            Key::RsaPss(bits) => write!(f, "RSA-PSS {bits}"),
            Key::Ec(curve) => f.write_str(match curve.as_str() {
                "1.2.840.10045.3.1.7" => "P-256",
                "1.3.132.0.34" => "P-384",
                "1.3.132.0.35" => "P-521",
                "1.3.132.0.10" => "secp256k1",
                "" => "EC with explicit parameters",
                other => return write!(f, "EC {other}"),
            }),
            Key::Ed25519 => f.write_str("Ed25519"),
            Key::Ed448 => f.write_str("Ed448"),
            Key::Other(algorithm) => f.write_str(algorithm),
        }
    }
}

impl NameText {
    fn of(name: &X509Name<'_>) -> NameText {
        NameText(name.to_string())
    }
}

impl fmt::Display for NameText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names that a client compares with (`tls/tls_verify.c`): a common name counts only where there is no DNS name.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension()
        else {
            continue;
        };
        for name in &alternative.general_names {
            if let GeneralName::DNSName(name) = name {
                names.push((*name).to_owned());
            }
        }
    }
    if names.is_empty() {
        let common = certificate.subject().iter_common_name().next();
        names.extend(common.map(|it| String::from_utf8_lossy(it.as_slice()).into_owned()));
    }
    names
}

/// Where a part of the bytes stands in them.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..(start + part.len()).min(whole.len())
}
