//! Whether the chain of a server leads to somebody who is trusted, under the terms of one TLS session.
//!
//! A [`Store`] has authorities, as `*_CAfile` and `*_CApath` name them; made once, it is asked for many chains.
//! [`Anchors`] are those of `tafile=` and of TLSA records: a certificate that may stand anywhere in the chain, or a bare
//! key that has signed some certificate of it (RFC 7671, section 5.2).
//!
//! Known limits: lists of revoked certificates and trust settings behind a certificate are not looked at.

use super::trust::{Refusal, Verdict};
use super::{Certificate, Malformed, pem};
use crate::postfix::Version;

/// What OpenSSL asks of a chain beside signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// OpenSSL's security level (`tls_client_start` in `tls/tls_client.c`): 1 where the server has to prove itself,
    /// else 0, which takes any key.
    pub security_level: u32,
    /// So many certificates may stand between the server's own and the trusted one.
    pub depth: u32,
    /// Seconds since 1970-01-01 UTC.
    pub at: i64,
}

/// Whether the authorities of the system are asked as well (`tls_append_default_CA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// They are.
    Asked,
    /// They are not.
    NotAsked,
}

/// Trust anchors that make a chain good wherever it meets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Bare keys, each a `SubjectPublicKeyInfo`.
    pub keys: Vec<Vec<u8>>,
}

impl Anchors {
    /// Those of a file that `tafile=` names (`tls_dane_load_trustfile` in `tls/tls_dane.c`); other blocks count for
    /// nothing.
    pub fn of_file(bytes: &[u8]) -> Result<Anchors, Malformed> {
        let mut anchors = Anchors::default();
        for block in pem::read(bytes) {
            let block = block.map_err(|_| Malformed)?;
            match block.label {
                // What is none makes the record unusable, and the others stay.
                b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                    anchors.certificates.extend(Certificate::parse(&block.der).ok());
                }
                b"PUBLIC KEY" => anchors.keys.push(block.der),
                _ => {}
            }
        }
        Ok(anchors)
    }

    /// Whether a chain, as [`Anchors::verify`] takes it, is good by a `tafile=` with them, at security level 1. Names are
    /// not compared.
    ///
    /// From 3.6 on the server's own certificate or key may be one of them, and its dates count for nothing then
    /// (`tls_dane_load_trustfile` makes records of usage 3 as well). Before that only what has signed may.
    pub fn verify_file(
        &self,
        chain: &[impl AsRef<[u8]>],
        terms: &Terms,
        version: Version,
    ) -> Verdict {
        let leaf = chain.first().and_then(|it| Certificate::parse(it.as_ref()).ok());
        let Some(leaf) = leaf else { return self.verify(chain, terms) };
        let has_leaf = self.certificates.iter().any(|it| it.der() == leaf.der())
            || self.keys.iter().any(|it| it == leaf.public_key());
        if has_leaf && version >= Version::new(3, 6) {
            return match is_strong(leaf.public_key()) {
                Some(false) => {
                    Verdict::Refused { refusal: Refusal::Weak, reason: WEAK.to_owned(), depth: 0 }
                }
                Some(true) | None => Verdict::Trusted,
            };
        }
        if leaf.is_self_issued() {
            return self.verify(chain, terms);
        }
        let others = self.certificates.iter().filter(|it| it.der() != leaf.der());
        let others = Anchors { certificates: others.cloned().collect(), keys: self.keys.clone() };
        others.verify(chain, terms)
    }

    /// Whether a chain, the server's own certificate first, leads to one of them. Names are not compared.
    ///
    /// The chain is of certificates, or of their DER where OpenSSL reads what [`Certificate::parse`] does not.
    pub fn verify(&self, chain: &[impl AsRef<[u8]>], terms: &Terms) -> Verdict {
        inner::verify_anchored(self, chain, terms)
    }
}

pub use inner::Store;

/// What OpenSSL says of the certificate of a server whose key is too weak (`X509_V_ERR_EE_KEY_TOO_SMALL`).
pub const WEAK: &str = "EE certificate key too weak";

/// Whether OpenSSL takes a certificate with this key (`SubjectPublicKeyInfo`) from a server that has to prove itself: at
/// least 80 bits of security, which is RSA of 1024 bits. From Postfix 3.6 on that holds for pinned certificates and
/// those of TLSA records as well. `None`: it cannot be said.
pub fn is_strong(public_key: &[u8]) -> Option<bool> {
    inner::security_bits(public_key).map(|it| it >= 80)
}

#[cfg(feature = "openssl")]
mod inner {
    use std::sync::Arc;

    use openssl::error::ErrorStack;
    use openssl::pkey::PKey;
    use openssl::stack::Stack;
    use openssl::x509::store::{X509Store, X509StoreBuilder};
    use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
    use openssl::x509::{X509, X509PurposeId, X509StoreContext, X509VerifyResult};

    use super::super::trust::{self, Verdict};
    use super::{Anchors, Certificate, System, Terms};

    const NOT_CHECKED: Verdict = Verdict::NotChecked("OpenSSL could not verify this chain");

    /// Authorities, ready to be asked under the same terms again and again, by several threads.
    #[derive(Clone)]
    pub struct Store(Arc<X509Store>);

    impl std::fmt::Debug for Store {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Store")
        }
    }

    impl Store {
        /// A store with these authorities. Certificates that OpenSSL does not read are left out.
        pub fn new(authorities: &[Certificate], system: System, terms: &Terms) -> Option<Store> {
            let mut store = begin(terms, X509VerifyFlags::empty()).ok()?;
            for authority in authorities {
                if let Ok(authority) = X509::from_der(authority.der()) {
                    store.add_cert(authority).ok()?;
                }
            }
            match system {
                System::Asked => store.set_default_paths().ok()?,
                System::NotAsked => {}
            }
            Some(Store(Arc::new(store.build())))
        }

        /// Whether a chain, the server's own certificate first, leads to one of them. Names are not compared. It is of
        /// certificates, or of their DER.
        pub fn verify(&self, chain: &[impl AsRef<[u8]>]) -> Verdict {
            verdict(&ask(&self.0, chain))
        }
    }

    pub(super) fn verify_anchored(
        anchors: &Anchors,
        chain: &[impl AsRef<[u8]>],
        terms: &Terms,
    ) -> Verdict {
        let build = || {
            let mut store = begin(terms, X509VerifyFlags::PARTIAL_CHAIN)?;
            for anchor in &anchors.certificates {
                if let Ok(anchor) = X509::from_der(anchor.der()) {
                    store.add_cert(anchor)?;
                }
            }
            for key in &anchors.keys {
                let Ok(key) = PKey::public_key_from_der(key) else { continue };
                for certificate in chain {
                    let certificate = X509::from_der(certificate.as_ref())?;
                    if certificate.verify(&key).unwrap_or(false) {
                        store.add_cert(certificate)?;
                    }
                }
            }
            Ok(store.build())
        };
        verdict(&build().and_then(|it: X509Store| ask(&it, chain)))
    }

    pub(super) fn security_bits(public_key: &[u8]) -> Option<u32> {
        PKey::public_key_from_der(public_key).ok().map(|it| it.security_bits())
    }

    fn begin(terms: &Terms, flags: X509VerifyFlags) -> Result<X509StoreBuilder, ErrorStack> {
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_purpose(X509PurposeId::SSL_SERVER)?;
        parameters.set_time(terms.at);
        parameters.set_auth_level(i32::try_from(terms.security_level).unwrap_or(i32::MAX));
        parameters.set_depth(i32::try_from(terms.depth).unwrap_or(i32::MAX));
        if !flags.is_empty() {
            parameters.set_flags(flags)?;
        }
        let mut store = X509StoreBuilder::new()?;
        store.set_param(&parameters)?;
        Ok(store)
    }

    fn ask(
        store: &X509Store,
        chain: &[impl AsRef<[u8]>],
    ) -> Result<(X509VerifyResult, u32), ErrorStack> {
        let Some(leaf) = chain.first() else {
            return Ok((X509VerifyResult::APPLICATION_VERIFICATION, 0));
        };
        let mut untrusted = Stack::new()?;
        for certificate in &chain[1..] {
            untrusted.push(X509::from_der(certificate.as_ref())?)?;
        }
        let leaf = X509::from_der(leaf.as_ref())?;
        let mut context = X509StoreContext::new()?;
        context.init(store, &leaf, &untrusted, |it| {
            it.verify_cert()?;
            Ok((it.error(), it.error_depth()))
        })
    }

    fn verdict(asked: &Result<(X509VerifyResult, u32), ErrorStack>) -> Verdict {
        match asked {
            Ok((result, depth)) => trust::verdict(*result, *depth),
            Err(_) => NOT_CHECKED,
        }
    }
}

// The same signatures, for a store that cannot be.
#[cfg(not(feature = "openssl"))]
mod inner {
    use super::super::judge;
    use super::super::trust::Verdict;
    use super::{Anchors, Certificate, System, Terms};

    /// Authorities; in this build there are none.
    #[derive(Clone, Debug)]
    pub struct Store(std::convert::Infallible);

    impl Store {
        /// In this build there is none.
        pub fn new(_: &[Certificate], _: System, _: &Terms) -> Option<Store> {
            None
        }

        /// Whether a chain leads to one of them.
        pub fn verify(&self, _: &[impl AsRef<[u8]>]) -> Verdict {
            match self.0 {}
        }
    }

    pub(super) fn verify_anchored(_: &Anchors, _: &[impl AsRef<[u8]>], _: &Terms) -> Verdict {
        Verdict::NotChecked(judge::NOT_CHECKED)
    }
    pub(super) fn security_bits(_: &[u8]) -> Option<u32> {
        None
    }
}
