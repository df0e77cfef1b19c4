//! What kind of key, from its `SubjectPublicKeyInfo` (RFC 5280, 8410, 5480).

use std::fmt;

use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

/// What kind of key, and how large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// With the bits of its modulus.
    Rsa(usize),
    /// RSA that signs with PSS only; its bits.
    RsaPss(usize),
    /// Elliptic curve, with the object identifier of the curve; empty: with explicit parameters.
    Ec(String),
    /// DSA, which no TLS of today takes; the bits of its public number, about those of its modulus.
    Dsa(usize),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Of another algorithm, by its object identifier.
    Other(String),
}

impl Key {
    /// The kind of the key in this `SubjectPublicKeyInfo`; `None`: it is none.
    pub fn of(public_key: &[u8]) -> Option<Key> {
        let (_, key) = SubjectPublicKeyInfo::from_der(public_key).ok()?;
        let algorithm = key.algorithm.algorithm.to_id_string();
        let bits = match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => significant_bits(rsa.modulus),
            Ok(PublicKey::DSA(number)) => significant_bits(number),
            Ok(_) | Err(_) => 0,
        };
        Some(match algorithm.as_str() {
            "1.2.840.113549.1.1.1" => Key::Rsa(bits),
            // The parser takes plain RSA only, and both are written alike.
            "1.2.840.113549.1.1.10" => Key::RsaPss(pss_bits(key.subject_public_key.data.as_ref())),
            "1.2.840.10045.2.1" => {
                let parameters = key.algorithm.parameters.as_ref();
                let curve = parameters.filter(|it| it.tag() == Tag::Oid);
                let curve = curve.and_then(|it| it.as_oid().ok());
                Key::Ec(curve.map(|it| it.to_id_string()).unwrap_or_default())
            }
            "1.2.840.10040.4.1" => Key::Dsa(bits),
            "1.3.101.112" => Key::Ed25519,
            "1.3.101.113" => Key::Ed448,
            _ => Key::Other(algorithm),
        })
    }

    /// Whether it is weaker than RSA of 2048 bits, which is what certificates in use have at least.
    pub fn is_weak(&self) -> bool {
        match self {
            Key::Rsa(bits) | Key::RsaPss(bits) => *bits < 2048,
            // Curves of less than 224 bits: P-192 and its like of the same size and below.
            Key::Ec(curve) => matches!(
                curve.as_str(),
                "1.2.840.10045.3.1.1"
                    | "1.2.840.10045.3.1.2"
                    | "1.2.840.10045.3.1.3"
                    | "1.3.132.0.6"
                    | "1.3.132.0.7"
                    | "1.3.132.0.8"
                    | "1.3.132.0.9"
                    | "1.3.132.0.28"
                    | "1.3.132.0.29"
                    | "1.3.132.0.30"
                    | "1.3.132.0.31"
            ),
            Key::Dsa(_) => true,
            Key::Ed25519 | Key::Ed448 | Key::Other(_) => false,
        }
    }
}

fn significant_bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|it| **it == 0).count();
    let first = number.get(zeros).map_or(0, |it| it.leading_zeros() as usize);
    (number.len() - zeros) * 8 - first
}

fn pss_bits(key: &[u8]) -> usize {
    let rsa = x509_parser::public_key::RSAPublicKey::from_der(key);
    rsa.map_or(0, |(_, it)| significant_bits(it.modulus))
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
            Key::Dsa(bits) => write!(f, "DSA {bits}"),
            Key::Ed25519 => f.write_str("Ed25519"),
            Key::Ed448 => f.write_str("Ed448"),
            Key::Other(algorithm) => f.write_str(algorithm),
        }
    }
}
