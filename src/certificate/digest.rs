//! Fingerprints as Postfix makes them (`tls/tls_fprint.c`).

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

use crate::postfix::{Digest, Fingerprint};

/// The digest of these bytes: of a certificate's DER, or of a public key's `SubjectPublicKeyInfo`.
pub fn fingerprint(digest: Digest, bytes: &[u8]) -> Fingerprint {
    Fingerprint::new(match digest {
        Digest::Md5 => Md5::digest(bytes).to_vec(),
        Digest::Sha1 => Sha1::digest(bytes).to_vec(),
        Digest::Sha224 => Sha224::digest(bytes).to_vec(),
        Digest::Sha256 => Sha256::digest(bytes).to_vec(),
        Digest::Sha384 => Sha384::digest(bytes).to_vec(),
        Digest::Sha512 => Sha512::digest(bytes).to_vec(),
    })
}
