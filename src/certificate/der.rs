//! Certificates and keys as bare DER. Postfix reads none; who asks for a fingerprint may have one.

use data_encoding::BASE64;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

use super::{Subject, subjects};

/// What DER can be the inside of. A public key is told by its form.
const LABELS: [&str; 5] =
    ["CERTIFICATE", "CERTIFICATE REQUEST", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// What these bytes are, if they are one certificate, request or key and nothing else.
pub fn subject_of_der(bytes: &[u8]) -> Option<Subject> {
    if !is_alone(bytes) {
        return None;
    }
    let within = |label: &str| {
        let text = BASE64.encode(bytes);
        // OpenSSL takes lines of any length below 255 bytes, and its own have 64.
        let lines = text.as_bytes().chunks(64).map(|it| String::from_utf8_lossy(it) + "\n");
        let lines: String = lines.collect();
        let pem = format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n");
        subjects(pem.as_bytes()).ok()?.into_iter().next()
    };
    match SubjectPublicKeyInfo::from_der(bytes) {
        Ok(([], _)) => within("PUBLIC KEY"),
        _ => LABELS.into_iter().find_map(within),
    }
}

/// Whether the bytes are one DER sequence with a length of one to three bytes behind its tag.
fn is_alone(der: &[u8]) -> bool {
    let (length, content) = match der {
        [0x30, 0x81, a, content @ ..] => (usize::from(*a), content),
        [0x30, 0x82, a, b, content @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), content),
        [0x30, short @ ..=0x7f, content @ ..] => (usize::from(*short), content),
        _ => return false,
    };
    content.len() == length
}
