//! Files that are not PEM but what stands in PEM blocks: saved in the other of the usual two forms.

use std::fmt;

use super::Certificate;

/// What a file in DER holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// A certificate.
    Certificate,
    /// A private key of either style.
    PrivateKey,
    /// A key with its certificates, as Windows keeps them (`.p12`, `.pfx`).
    Pkcs12,
    /// Certificates (`.p7b`).
    Pkcs7,
    /// Something else, or something that was cut.
    Other,
}

impl Binary {
    /// What a whole file is; `None`: not DER.
    pub fn of(bytes: &[u8]) -> Option<Binary> {
        const PKCS7_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
        const PKCS7_SIGNED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
        let head = &bytes[..bytes.len().min(64)];
        let holds = |part: &[u8]| head.windows(part.len()).any(|it| it == part);
        if Certificate::parse(bytes).is_ok() {
            return Some(Binary::Certificate);
        }
        // Such files have indefinite lengths, where Windows wrote them.
        if bytes.starts_with(b"\x30") && holds(PKCS7_SIGNED) {
            return Some(Binary::Pkcs7);
        }
        if bytes.starts_with(b"\x30") && holds(PKCS7_DATA) {
            return Some(Binary::Pkcs12);
        }
        let content = sequence(bytes)?;
        Some(match content {
            [2, 1, 0 | 1, ..] => Binary::PrivateKey,
            _ => Binary::Other,
        })
    }

    /// What turns it into PEM: the arguments of the openssl program, without the files' names.
    pub fn to_pem(self) -> Option<&'static str> {
        match self {
            Binary::Certificate => Some("x509 -inform DER"),
            Binary::PrivateKey => Some("pkey -inform DER"),
            Binary::Pkcs12 => Some("pkcs12 -nodes"),
            Binary::Pkcs7 => Some("pkcs7 -inform DER -print_certs"),
            Binary::Other => None,
        }
    }
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Binary::Certificate => "a certificate in DER, not PEM",
            Binary::PrivateKey => "a private key in DER, not PEM",
            Binary::Pkcs12 => "a PKCS#12 file, not PEM",
            Binary::Pkcs7 => "a PKCS#7 file, not PEM",
            Binary::Other => "DER, not PEM",
        })
    }
}

/// Whether the bytes are one DER sequence and no more.
pub(super) fn is_sequence(der: &[u8]) -> bool {
    sequence(der).is_some()
}

/// The content of a DER sequence that these bytes are.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *tag != 0x30 {
        return None;
    }
    let (length, content) = match first {
        short @ ..0x80 => (usize::from(*short), rest),
        long => {
            let (length, content) = rest.split_at_checked(usize::from(*long & 0x7f))?;
            if length.len() > 4 {
                return None;
            }
            (length.iter().fold(0_usize, |sum, it| sum << 8 | usize::from(*it)), content)
        }
    };
    (content.len() == length).then_some(content)
}
