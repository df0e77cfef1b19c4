//! Certificates and keys as bare DER. Postfix reads none; who asks for a fingerprint may have one.

use data_encoding::BASE64;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

use super::binary::is_sequence;
use super::{Subject, subjects};

/// What DER can be the inside of. A public key is told by its form.
const LABELS: [&str; 5] =
    ["CERTIFICATE", "CERTIFICATE REQUEST", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// What these bytes are, if they are one certificate, request or key and nothing else.
pub fn subject_of_der(bytes: &[u8]) -> Option<Subject> {
    if !is_sequence(bytes) {
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
