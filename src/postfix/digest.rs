//! Message digests and fingerprints (`tls/tls_fprint.c`, TLS_README).

use std::fmt;

/// A digest that `smtp_tls_fingerprint_digest` can name.
///
/// Postfix takes any name that its OpenSSL knows; these are the ones whose
/// fingerprints have a length of their own, plus sha224.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// 16 bytes; Postfix's default below `compatibility_level` 3.6.
    Md5,
    /// 20 bytes.
    Sha1,
    /// 28 bytes.
    Sha224,
    /// 32 bytes; Postfix's default from `compatibility_level` 3.6.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl Digest {
    /// All of them, shortest first.
    pub const ALL: [Digest; 6] =
        [Digest::Md5, Digest::Sha1, Digest::Sha224, Digest::Sha256, Digest::Sha384, Digest::Sha512];

    /// The digest that OpenSSL takes `name` for.
    pub fn parse(name: &[u8]) -> Option<Digest> {
        let dashed = |it: &Digest| it.name().replacen("sha", "sha-", 1);
        Digest::ALL.into_iter().find(|it| {
            name.eq_ignore_ascii_case(it.name().as_bytes())
                || (*it != Digest::Md5 && name.eq_ignore_ascii_case(dashed(it).as_bytes()))
        })
    }

    /// The digest whose fingerprints have this many bytes.
    pub fn of_length(bytes: usize) -> Option<Digest> {
        Digest::ALL.into_iter().find(|it| it.length() == bytes)
    }

    /// The name in main.cf.
    pub fn name(self) -> &'static str {
        match self {
            Digest::Md5 => "md5",
            Digest::Sha1 => "sha1",
            Digest::Sha224 => "sha224",
            Digest::Sha256 => "sha256",
            Digest::Sha384 => "sha384",
            Digest::Sha512 => "sha512",
        }
    }

    /// Bytes in a fingerprint.
    pub fn length(self) -> usize {
        match self {
            Digest::Md5 => 16,
            Digest::Sha1 => 20,
            Digest::Sha224 => 28,
            Digest::Sha256 => 32,
            Digest::Sha384 => 48,
            Digest::Sha512 => 64,
        }
    }

    /// Whether two inputs with the same digest can be made (RFC 6194, RFC 6151).
    pub fn is_weak(self) -> bool {
        match self {
            Digest::Md5 | Digest::Sha1 => true,
            Digest::Sha224 | Digest::Sha256 | Digest::Sha384 | Digest::Sha512 => false,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which OpenSSL has a digest of some name (`EVP_get_digestbyname`, tried with 1.1.1, 3.0 and 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestName {
    /// Each one.
    Known,
    /// From OpenSSL 3 on.
    Newer,
    /// Up to OpenSSL 1.1; from 3 on, where its legacy provider is loaded.
    Legacy,
    /// None.
    Unknown,
}

impl DigestName {
    /// What is known of `name`; upper and lower case are the same to OpenSSL.
    pub fn of(name: &[u8]) -> DigestName {
        let is_in =
            |names: &[&str]| names.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()));
        // OpenSSL 3 looks up the number of an object identifier as well.
        let is_number = name.contains(&b'.') && name.iter().all(|it| b"0123456789.".contains(it));
        if is_in(KNOWN) {
            DigestName::Known
        } else if is_in(NEWER) || is_number {
            DigestName::Newer
        } else if is_in(LEGACY) {
            DigestName::Legacy
        } else {
            DigestName::Unknown
        }
    }
}

#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "blake2b512", "blake2s256", "id-rsassa-pkcs1-v1_5-with-sha3-224",
    "id-rsassa-pkcs1-v1_5-with-sha3-256", "id-rsassa-pkcs1-v1_5-with-sha3-384",
    "id-rsassa-pkcs1-v1_5-with-sha3-512", "md5", "md5-sha1", "md5WithRSAEncryption", "ripemd",
    "ripemd160", "ripemd160WithRSA", "rmd160", "RSA-MD5", "RSA-RIPEMD160", "RSA-SHA1",
    "RSA-SHA1-2", "RSA-SHA224", "RSA-SHA256", "RSA-SHA3-224", "RSA-SHA3-256", "RSA-SHA3-384",
    "RSA-SHA3-512", "RSA-SHA384", "RSA-SHA512", "RSA-SHA512/224", "RSA-SHA512/256", "RSA-SM3",
    "sha1", "sha1WithRSAEncryption", "sha224", "sha224WithRSAEncryption", "sha256",
    "sha256WithRSAEncryption", "sha3-224", "sha3-256", "sha3-384", "sha3-512", "sha384",
    "sha384WithRSAEncryption", "sha512", "sha512-224", "sha512-224WithRSAEncryption",
    "sha512-256", "sha512-256WithRSAEncryption", "sha512WithRSAEncryption", "shake128",
    "shake256", "sm3", "sm3WithRSAEncryption", "ssl3-md5", "ssl3-sha1",
];

#[rustfmt::skip]
const NEWER: &[&str] = &[
    "blake2b-512", "blake2s-256", "ripemd-160", "sha-1", "sha-224", "sha-256", "sha-384",
    "sha-512", "sha-512/224", "sha-512/256", "sha2-224", "sha2-256", "sha2-384", "sha2-512",
    "sha2-512/224", "sha2-512/256", "shake-128", "shake-256",
];

const LEGACY: &[&str] = &["md4", "md4WithRSAEncryption", "RSA-MD4", "whirlpool"];

/// The digest of a certificate or a public key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// The fingerprint that has these bytes.
    pub fn new(bytes: Vec<u8>) -> Fingerprint {
        Fingerprint(bytes)
    }

    /// Reads pairs of hexadecimal digits of either case; a colon may stand
    /// between two pairs (`util/hex_code.c`, as Postfix 3.6 and later read it).
    /// Older ones compare text of either case, and need a colon between all pairs.
    pub fn parse(text: &[u8]) -> Option<Fingerprint> {
        let mut bytes = Vec::with_capacity(text.len() / 2);
        let mut rest = text;
        loop {
            let (pair, behind) = rest.split_at_checked(2)?;
            bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
            rest = match behind {
                [] => return Some(Fingerprint(bytes)),
                [b':', behind @ ..] if behind.len() >= 2 => behind,
                behind => behind,
            };
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// The digest that has fingerprints of this length.
    pub fn digest(&self) -> Option<Digest> {
        Digest::of_length(self.length())
    }
}

impl fmt::Display for Fingerprint {
    /// The form that every Postfix understands: upper case, with colons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        // Tables have many of them: byte by byte through the formatter takes ten times as long.
        for (index, bytes) in self.0.chunks(16).enumerate() {
            let mut text = [b':'; 48];
            for (triple, byte) in text.chunks_exact_mut(3).zip(bytes) {
                triple[1] = DIGITS[usize::from(byte >> 4)];
                triple[2] = DIGITS[usize::from(byte & 0xf)];
            }
            let text = &text[usize::from(index == 0)..3 * bytes.len()];
            f.write_str(str::from_utf8(text).unwrap_or_default())?;
        }
        Ok(())
    }
}

fn digit(byte: u8) -> Option<u8> {
    // A hexadecimal digit is below 16.
    char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_both_forms() {
        for (text, want) in [
            ("ad:F3:c3", Some("AD:F3:C3")),
            ("adf3C3", Some("AD:F3:C3")),
            ("AD", Some("AD")),
            ("", None),
            ("A", None),
            ("AD:F", None),
            ("AD:F3:", None),
            ("AD:F3C3", Some("AD:F3:C3")),
            ("ADF3:C3", Some("AD:F3:C3")),
            ("AD::F3", None),
            (":AD", None),
            ("AG", None),
            ("AD F3", None),
        ] {
            let got = Fingerprint::parse(text.as_bytes()).map(|it| it.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }

    #[test]
    fn digests_are_known_by_their_openssl_names() {
        assert_eq!(Digest::parse(b"SHA256"), Some(Digest::Sha256));
        assert_eq!(Digest::parse(b"sha-256"), Some(Digest::Sha256));
        assert_eq!(Digest::parse(b"sha2"), None);
        assert_eq!(DigestName::of(b"Sha-256"), DigestName::Newer);
        assert_eq!(DigestName::of(b"1.3.14.3.2.26"), DigestName::Newer);
        assert_eq!(DigestName::of(b"sha2"), DigestName::Unknown);
        for digest in Digest::ALL {
            assert_eq!(DigestName::of(digest.name().as_bytes()), DigestName::Known);
            assert_eq!(Digest::of_length(digest.length()), Some(digest));
        }
    }
}
