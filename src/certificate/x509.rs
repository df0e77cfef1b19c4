//! What stands in a certificate (RFC 5280).

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name};
use x509_parser::signature_algorithm::SignatureAlgorithm;

use super::Key;

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
    /// The IP addresses of its subjectAltName.
    pub addresses: Vec<IpAddr>,
    /// The first second at which it is valid, since 1970-01-01 UTC.
    pub not_before: i64,
    /// The last second at which it is valid.
    pub not_after: i64,
    /// Its public key.
    pub key: Key,
    /// 1 to 3.
    pub version: u32,
    /// Whether it may sign others, by its basicConstraints.
    pub is_ca: bool,
    /// What it says that it is for.
    pub purposes: Purposes,
    /// "MD5" or "SHA-1", where the signature that it carries is made with that; also where nobody checks it, since
    /// it is self-signed.
    pub weak_digest: Option<&'static str>,
}

/// What a certificate says that it is for; one that says nothing is for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purposes {
    /// TLS servers (extendedKeyUsage).
    pub servers: bool,
    /// TLS clients (extendedKeyUsage).
    pub clients: bool,
}

/// A distinguished name, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameText(String);

/// Bytes that are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// All its bytes.
impl AsRef<[u8]> for Certificate {
    fn as_ref(&self) -> &[u8] {
        &self.der
    }
}

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
            addresses: addresses(&it),
            not_before: it.validity().not_before.timestamp(),
            not_after: it.validity().not_after.timestamp(),
            key: Key::of(it.public_key().raw).ok_or(Malformed)?,
            version: it.version().0 + 1,
            is_ca: it.is_ca(),
            purposes: Purposes::of(&it),
            weak_digest: weak_digest(&it),
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

    /// Whether it is for a server of this name: exactly, or by a wildcard for its first label. The name may be in UTF-8.
    pub fn covers(&self, host: &str) -> bool {
        let host = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_ascii_lowercase());
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix("*.") {
                Some(rest) => parent == Some(rest),
                None => name == host,
            }
        })
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

impl Purposes {
    fn of(certificate: &X509Certificate<'_>) -> Purposes {
        // An extension that is there twice or malformed says nothing here; OpenSSL's own verdict is `trust::verify`.
        let extended = certificate.extended_key_usage().ok().flatten().map(|it| it.value);
        Purposes {
            servers: extended.is_none_or(|it| it.any || it.server_auth),
            clients: extended.is_none_or(|it| it.any || it.client_auth),
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

fn addresses(certificate: &X509Certificate<'_>) -> Vec<IpAddr> {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names = alternative.iter().flat_map(|it| &it.value.general_names);
    let address = |name: &GeneralName<'_>| match name {
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()
        }
        _ => None,
    };
    names.filter_map(address).collect()
}

fn weak_digest(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    const SHA1: &str = "1.3.14.3.2.26";
    let algorithm = &certificate.signature_algorithm;
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => {
            Some("SHA-1")
        }
        // SHA-1 is what PSS has where nothing else is said.
        "1.2.840.113549.1.1.10" => match SignatureAlgorithm::try_from(algorithm) {
            Ok(SignatureAlgorithm::RSASSA_PSS(it)) => {
                (it.hash_algorithm_oid().to_id_string() == SHA1).then_some("SHA-1")
            }
            Ok(_) | Err(_) => None,
        },
        _ => None,
    }
}

/// Where a part of the bytes stands in them.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..(start + part.len()).min(whole.len())
}
