//! Whom OpenSSL trusts: CA files, hashed directories, and whether a chain verifies.
//!
//! Known limit: trust settings behind a certificate (`TRUSTED CERTIFICATE`) are not looked at.

use std::collections::BTreeSet;
use std::ops::Range;

use super::judge::{self, NoKey, PrivateKey};
use super::{Binary, Certificate, pem};

/// What is wrong with a `*_CAfile`: Postfix switches TLS off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unloadable {
    /// Which bytes.
    pub range: Range<usize>,
    /// What is so, for people.
    pub text: String,
}

/// Whether a chain leads to an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Trusted,
    /// It does not.
    Refused {
        /// Of what kind OpenSSL's reason is.
        refusal: Refusal,
        /// OpenSSL's reason in its words.
        reason: String,
        /// Which certificate: 0 is the server's own, 1 its issuer.
        depth: u32,
    },
    /// This build cannot say it; why.
    NotChecked(&'static str),
}

/// Kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The issuer of the last certificate is not there: the chain is incomplete, or its root not trusted.
    IssuerMissing,
    /// The chain ends with a certificate that signed itself and is not trusted.
    SelfSigned,
    /// A certificate has expired.
    Expired,
    /// A certificate is not yet valid.
    NotYetValid,
    /// A certificate is not for servers, or signs without being a CA.
    Purpose,
    /// A key or a signature is too weak. SHA-1 is so for OpenSSL 3 only, and not for 1.1.1.
    Weak,
    /// Something else.
    Other,
}

/// The certificates of a `*_CAfile`, as `X509_load_cert_crl_file` takes them: a malformed block refuses all.
pub fn ca_file(bytes: &[u8]) -> Result<Vec<Certificate>, Unloadable> {
    let unloadable = |range: &Range<usize>, text: &str| Unloadable {
        range: range.clone(),
        text: text.to_owned(),
    };
    let (mut certificates, mut count) = (Vec::new(), 0);
    for block in pem::read(bytes) {
        let block = block.map_err(|it| {
            unloadable(&it.range, &format!("OpenSSL cannot read this block: {}", it.why))
        })?;
        let range = &block.range;
        match block.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" | b"X509 CRL"
                if !block.headers.is_empty() =>
            {
                let text = "this block has lines in front that OpenSSL does not take";
                return Err(unloadable(range, text));
            }
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => {
                if !judge::is_certificate(&block.der) {
                    return Err(unloadable(range, "what stands in this block is no certificate"));
                }
                certificates.extend(Certificate::parse(&block.der).ok());
            }
            b"X509 CRL" => {
                if !judge::is_revocation_list(&block.der) {
                    return Err(unloadable(
                        range,
                        "what stands in this block is no list of revoked certificates",
                    ));
                }
            }
            b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" | b"DSA PRIVATE KEY"
                if block.headers.is_empty() =>
            {
                if PrivateKey::of_block(block.label, &block.der)
                    .is_err_and(|it| it == NoKey::Refused)
                {
                    return Err(unloadable(range, "what stands in this block is no private key"));
                }
                continue;
            }
            _ => continue,
        }
        count += 1;
    }
    if count > 0 {
        return Ok(certificates);
    }
    let text = match Binary::of(bytes) {
        Some(binary) => format!("this is {binary}"),
        None => "there is no certificate in it".to_owned(),
    };
    Err(Unloadable { range: 0..bytes.len(), text })
}

/// The subject's hash that the name of a file in a `*_CApath` begins with, and its number (`hhhhhhhh.N`);
/// `None`: OpenSSL never opens a file of this name as a certificate.
pub fn hash_link(name: &[u8]) -> Option<(u32, u32)> {
    let (hash, number) = std::str::from_utf8(name).ok()?.split_once('.')?;
    let is_number =
        number.bytes().all(|it| it.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
    let is_hash = hash.len() == 8 && hash.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    if !is_number || !is_hash {
        return None;
    }
    Some((u32::from_str_radix(hash, 16).ok()?, number.parse().ok()?))
}

/// Of the names in a `*_CApath`, those that OpenSSL comes to: it counts from 0 and stops at the first that is not there.
pub fn hash_links<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Vec<(u32, u32)> {
    let all: BTreeSet<_> = names.into_iter().filter_map(hash_link).collect();
    let is_reached =
        |(hash, number): &&(u32, u32)| (0..*number).all(|it| all.contains(&(*hash, it)));
    all.iter().filter(is_reached).copied().collect()
}

#[cfg(feature = "openssl")]
pub(super) use chains::verdict;
pub use chains::verify;

#[cfg(feature = "openssl")]
mod chains {
    use openssl::error::ErrorStack;
    use openssl::stack::Stack;
    use openssl::x509::store::X509StoreBuilder;
    use openssl::x509::verify::X509VerifyParam;
    use openssl::x509::{X509, X509PurposeId, X509StoreContext, X509VerifyResult};

    use super::{Certificate, Refusal, Verdict};

    /// Whether a client at the levels that authenticate trusts a server with this chain, at a second since 1970-01-01
    /// UTC. Names are not compared.
    pub fn verify(
        leaf: &Certificate,
        chain: &[Certificate],
        anchors: &[Certificate],
        at: i64,
    ) -> Verdict {
        match ask(leaf, chain, anchors, at) {
            Ok((result, depth)) => verdict(result, depth),
            Err(_) => Verdict::NotChecked("OpenSSL could not verify this chain"),
        }
    }

    /// What a result of X509_verify_cert(3) means.
    pub(in super::super) fn verdict(result: X509VerifyResult, depth: u32) -> Verdict {
        if result == X509VerifyResult::OK {
            return Verdict::Trusted;
        }
        Verdict::Refused {
            refusal: refusal(result.as_raw()),
            reason: result.error_string().to_owned(),
            depth,
        }
    }

    fn ask(
        leaf: &Certificate,
        chain: &[Certificate],
        anchors: &[Certificate],
        at: i64,
    ) -> Result<(X509VerifyResult, u32), ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for anchor in anchors {
            store.add_cert(X509::from_der(anchor.der())?)?;
        }
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_purpose(X509PurposeId::SSL_SERVER)?;
        parameters.set_time(at);
        // tls_client.c asks for security level 1 where the server has to prove itself.
        parameters.set_auth_level(1);
        store.set_param(&parameters)?;
        let mut untrusted = Stack::new()?;
        for certificate in chain {
            untrusted.push(X509::from_der(certificate.der())?)?;
        }
        let leaf = X509::from_der(leaf.der())?;
        let mut context = X509StoreContext::new()?;
        context.init(&store.build(), &leaf, &untrusted, |it| {
            it.verify_cert()?;
            Ok((it.error(), it.error_depth()))
        })
    }

    /// By the numbers of `X509_V_ERR_…` (`openssl/x509_vfy.h`).
    fn refusal(number: i32) -> Refusal {
        match number {
            2 | 20 | 21 => Refusal::IssuerMissing,
            18 | 19 => Refusal::SelfSigned,
            10 => Refusal::Expired,
            9 => Refusal::NotYetValid,
            24 | 26 | 32 | 79 => Refusal::Purpose,
            66..=68 => Refusal::Weak,
            _ => Refusal::Other,
        }
    }
}

#[cfg(not(feature = "openssl"))]
mod chains {
    use super::{Certificate, Verdict, judge};

    /// Whether a client at the levels that authenticate trusts a server with this chain, at a second since 1970-01-01
    /// UTC. Names are not compared.
    pub fn verify(_: &Certificate, _: &[Certificate], _: &[Certificate], _: i64) -> Verdict {
        Verdict::NotChecked(judge::NOT_CHECKED)
    }
}
