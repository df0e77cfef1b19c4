//! What OpenSSL says of keys and chains: Postfix asks the same library. A build without it reads certificates and says
//! that it could not check the rest.

use super::Certificate;

/// A private key that OpenSSL has read.
#[derive(Clone, Debug)]
pub(super) struct PrivateKey(key::Inner);

/// Why a private key is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// OpenSSL refuses it.
    Refused,
    /// This build has no OpenSSL.
    #[cfg_attr(feature = "openssl", allow(dead_code))]
    NotChecked,
}

/// What a build without OpenSSL says.
pub(super) const NOT_CHECKED: &str =
    "this postls was built without OpenSSL, which reads private keys and verifies chains";

impl PrivateKey {
    /// Reads the content of a block with this label, as Postfix does (`load_pkey` of `tls/tls_certkey.c`): nothing may
    /// stand behind it.
    pub(super) fn of_block(label: &[u8], der: &[u8]) -> Result<PrivateKey, NoKey> {
        key::of_block(label, der).map(PrivateKey)
    }

    /// The first private key of a PEM file, as `SSL_CTX_use_PrivateKey_file` finds it.
    pub(super) fn first(pem: &[u8]) -> Result<PrivateKey, NoKey> {
        key::first(pem).map(PrivateKey)
    }

    /// Its `SubjectPublicKeyInfo`.
    pub(super) fn public_key(&self) -> Result<Vec<u8>, NoKey> {
        key::public_key(&self.0)
    }

    /// Whether it is the certificate's; `None`: OpenSSL cannot read the certificate's public key.
    pub(super) fn fits(&self, certificate: &Certificate) -> Option<bool> {
        key::fits(&self.0, certificate)
    }
}

pub(super) use key::{is_certificate, is_revocation_list, is_signed_by};

#[cfg(feature = "openssl")]
mod key {
    use openssl::ec::EcKey;
    use openssl::pkey::{Id, PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::{X509, X509Crl};

    use super::{Certificate, NoKey};
    use crate::certificate::binary::is_sequence;

    pub(super) type Inner = PKey<Private>;

    pub(super) fn of_block(label: &[u8], der: &[u8]) -> Result<Inner, NoKey> {
        if !is_sequence(der) {
            return Err(NoKey::Refused);
        }
        // Each may stand in PKCS#8, whatever its label says.
        let any = || PKey::private_key_from_der(der);
        let (key, kind) = match label {
            b"RSA PRIVATE KEY" => (
                Rsa::private_key_from_der(der).and_then(PKey::from_rsa).or_else(|_| any()),
                Id::RSA,
            ),
            b"EC PRIVATE KEY" => {
                let plain = EcKey::private_key_from_der(der).and_then(PKey::from_ec_key);
                (plain.or_else(|_| any()), Id::EC)
            }
            b"DSA PRIVATE KEY" => (any(), Id::DSA),
            _ => return PKey::private_key_from_pkcs8(der).map_err(|_| NoKey::Refused),
        };
        key.ok().filter(|it| it.id() == kind).ok_or(NoKey::Refused)
    }

    pub(super) fn first(pem: &[u8]) -> Result<Inner, NoKey> {
        // An empty passphrase, so that nobody is asked for one on the terminal.
        PKey::private_key_from_pem_callback(pem, |_| Ok(0)).map_err(|_| NoKey::Refused)
    }

    pub(super) fn public_key(key: &Inner) -> Result<Vec<u8>, NoKey> {
        key.public_key_to_der().map_err(|_| NoKey::Refused)
    }

    pub(super) fn fits(key: &Inner, certificate: &Certificate) -> Option<bool> {
        let public = X509::from_der(certificate.der()).and_then(|it| it.public_key());
        Some(public.ok()?.public_eq(key))
    }

    /// Whether OpenSSL takes these bytes for a certificate; what is behind it counts for nothing.
    pub(in super::super) fn is_certificate(der: &[u8]) -> bool {
        X509::from_der(der).is_ok()
    }

    /// Whether they are a list of revoked certificates.
    pub(in super::super) fn is_revocation_list(der: &[u8]) -> bool {
        X509Crl::from_der(der).is_ok()
    }

    /// Whether the certificate was signed with that issuer's key; `None`: that cannot be said.
    pub(in super::super) fn is_signed_by(
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Option<bool> {
        let key = X509::from_der(issuer.der()).and_then(|it| it.public_key()).ok()?;
        X509::from_der(certificate.der()).ok()?.verify(&key).ok()
    }
}

#[cfg(not(feature = "openssl"))]
mod key {
    use super::{Certificate, NoKey};

    pub(super) type Inner = std::convert::Infallible;

    pub(super) fn of_block(_: &[u8], _: &[u8]) -> Result<Inner, NoKey> {
        Err(NoKey::NotChecked)
    }

    pub(super) fn first(_: &[u8]) -> Result<Inner, NoKey> {
        Err(NoKey::NotChecked)
    }

    pub(super) fn public_key(key: &Inner) -> Result<Vec<u8>, NoKey> {
        match *key {}
    }

    pub(super) fn fits(key: &Inner, _: &Certificate) -> Option<bool> {
        match *key {}
    }

    pub(in super::super) fn is_certificate(der: &[u8]) -> bool {
        Certificate::parse(der).is_ok()
    }

    pub(in super::super) fn is_revocation_list(_: &[u8]) -> bool {
        true
    }

    pub(in super::super) fn is_signed_by(_: &Certificate, _: &Certificate) -> Option<bool> {
        None
    }
}
