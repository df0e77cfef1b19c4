//! Which TLSA record what a server shows matches (RFC 6698, 7671, 7672), as Postfix has OpenSSL do it.
//!
//! Follows `parse_tlsa_rr` and `tls_dane_enable` in `tls/tls_dane.c`, SSL_dane_enable(3), and `dane_match` in OpenSSL's
//! `crypto/x509/x509_vfy.c`. Usage 3 is about the server's own certificate or key alone: neither names nor dates count.
//! Usage 2 is about one that signs: the chain to it, its dates and the names count.

use crate::certificate::store::{self, Anchors, Terms};
use crate::certificate::trust::{self, Refusal};
use crate::certificate::{Certificate, Key, fingerprint};
use crate::observation::dns::TlsaRecord;
use crate::observation::session::NotTrusted;
use crate::postfix::{Digest, Fingerprint, Version};

use super::names::{self, Match};

/// Since this version OpenSSL compares, and looks at how strong the key is.
const OPENSSL_SINCE: Version = Version::new(3, 6);

/// A record that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<'r> {
    /// Which.
    pub record: &'r TlsaRecord,
    /// The certificate that it is about: 0 is the server's own. `None`: one, or a key, that the server did not send.
    pub depth: Option<usize>,
    /// The name that was good, where names count.
    pub name: Option<Match>,
}

/// Why none matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// None is of a kind that Postfix uses.
    Unusable,
    /// None is about what the server shows.
    Different,
    /// One is about an authority of the chain, and the chain does not hold.
    Untrusted(NotTrusted),
    /// The chain holds, and the certificate has none of the names.
    Names,
}

/// What becomes of the records of a host before any connection is made (`tls_dane_unusable`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usable {
    /// One can be used at least.
    Some,
    /// None has a usage that Postfix knows.
    NoneByUsage,
    /// Those that have one are malformed or of an unknown digest, which Postfix sees when TLS begins.
    NoneByContent,
}

/// Whether any of these records can be used, with these digests.
pub fn usable(records: &[TlsaRecord], digests: &[u8]) -> Usable {
    if !records.iter().any(is_for_mail) {
        return Usable::NoneByUsage;
    }
    if records.iter().any(|it| is_usable(it, digests)) {
        Usable::Some
    } else {
        Usable::NoneByContent
    }
}

/// Whether the record can be used: usage 2 or 3, a certificate or a key, in full or by one of these digests, and
/// data that can be that.
pub fn is_usable(record: &TlsaRecord, digests: &[u8]) -> bool {
    let is_content = match (record.matching, record.selector) {
        (0, 0) => Certificate::parse(&record.data).is_ok_and(|it| it.der() == record.data),
        (0, 1) => Key::of(&record.data).is_some(),
        (1, 0 | 1) => digests.contains(&1) && record.data.len() == Digest::Sha256.length(),
        (2, 0 | 1) => digests.contains(&2) && record.data.len() == Digest::Sha512.length(),
        _ => false,
    };
    is_for_mail(record) && is_content
}

/// Looks for the record that makes the server good.
///
/// `digests`: matching types, the strongest first; of the records of one usage and selector only those of the
/// strongest digest that occurs count, and those in full. `chain`: as sent, the server's own first; empty for an
/// anonymous one. `names`: the TLSA base domain and the next-hop domains (RFC 7672, section 3.2.2). `terms`: those of the
/// session, with the depth of `smtp_tls_scert_verifydepth` and one more, which OpenSSL gets.
pub fn matched<'r>(
    records: &'r [TlsaRecord],
    digests: &[u8],
    chain: &[Certificate],
    names: &[String],
    terms: &Terms,
    version: Version,
) -> Result<Matched<'r>, Mismatch> {
    let counting = counting(records, digests);
    if counting.is_empty() {
        return Err(Mismatch::Unusable);
    }
    let Some(leaf) = chain.first() else { return Err(Mismatch::Different) };
    for record in counting.iter().filter(|it| it.usage == 3) {
        let bytes = if record.selector == 0 { leaf.der() } else { leaf.public_key() };
        let is_met = is_about(record, bytes);
        let is_weak = || store::is_strong(leaf.public_key()) == Some(false);
        if is_met && version >= OPENSSL_SINCE && is_weak() {
            let reason = store::WEAK.to_owned();
            return Err(Mismatch::Untrusted(NotTrusted { reason, depth: 0 }));
        }
        if is_met {
            return Ok(Matched { record, depth: Some(0), name: None });
        }
    }
    let authorities: Vec<&TlsaRecord> = counting.into_iter().filter(|it| it.usage == 2).collect();
    anchored(&authorities, leaf, chain, names, terms, version)
}

/// Usage 2: DANE-TA.
fn anchored<'r>(
    records: &[&'r TlsaRecord],
    leaf: &Certificate,
    chain: &[Certificate],
    names: &[String],
    terms: &Terms,
    version: Version,
) -> Result<Matched<'r>, Mismatch> {
    let mut anchors = Anchors::default();
    let mut first: Option<(&TlsaRecord, Option<usize>)> = None;
    for record in records {
        // Never the server's own, which usage 3 is for.
        for (depth, certificate) in chain.iter().enumerate().skip(1) {
            let bytes =
                if record.selector == 0 { certificate.der() } else { certificate.public_key() };
            if is_about(record, bytes) && certificate.der() != leaf.der() {
                anchors.certificates.push(certificate.clone());
                if first.is_none_or(|(_, known)| known.is_none_or(|it| depth < it)) {
                    first = Some((record, Some(depth)));
                }
            }
        }
        if record.matching != 0 {
            continue;
        }
        // In full they count without being sent.
        if record.selector == 1 {
            anchors.keys.push(record.data.clone());
        } else if record.data != leaf.der() {
            anchors.certificates.extend(Certificate::parse(&record.data).ok());
        }
        first = first.or(Some((record, None)));
    }
    let Some((record, depth)) = first else { return Err(Mismatch::Different) };
    match anchors.verify(chain, terms) {
        trust::Verdict::Trusted => {}
        trust::Verdict::Refused { refusal, reason, depth: at } => {
            let is_elsewhere = match refusal {
                Refusal::IssuerMissing | Refusal::SelfSigned => depth.is_none(),
                Refusal::Expired
                | Refusal::NotYetValid
                | Refusal::Purpose
                | Refusal::Weak
                | Refusal::Other => false,
            };
            if is_elsewhere {
                return Err(Mismatch::Different);
            }
            return Err(Mismatch::Untrusted(NotTrusted { reason, depth: at }));
        }
        trust::Verdict::NotChecked(why) => {
            return Err(Mismatch::Untrusted(NotTrusted { reason: why.to_owned(), depth: 0 }));
        }
    }
    // They are names and none of the words that `match=` knows.
    let name = names::accepted(leaf, names, "", "", version).ok_or(Mismatch::Names)?;
    Ok(Matched { record, depth, name: Some(name) })
}

/// Those with which what the server shows is compared, usage 3 first.
fn counting<'r>(records: &'r [TlsaRecord], digests: &[u8]) -> Vec<&'r TlsaRecord> {
    let usable: Vec<&TlsaRecord> = records.iter().filter(|it| is_usable(it, digests)).collect();
    let strength = |it: &TlsaRecord| digests.iter().position(|digest| *digest == it.matching);
    let is_strongest = |it: &&TlsaRecord| {
        let peers = usable.iter().filter(|that| {
            that.matching != 0 && (that.usage, that.selector) == (it.usage, it.selector)
        });
        it.matching == 0 || peers.map(|that| strength(that)).min() == Some(strength(it))
    };
    let mut counting: Vec<&TlsaRecord> = usable.iter().copied().filter(is_strongest).collect();
    counting.sort_by_key(|it| std::cmp::Reverse(it.usage));
    counting
}

/// What `parse_tlsa_rr` leaves of them. 255 stands for fingerprints in Postfix's own lists.
fn is_for_mail(record: &TlsaRecord) -> bool {
    matches!(record.usage, 2 | 3) && record.matching != 255
}

fn is_about(record: &TlsaRecord, bytes: &[u8]) -> bool {
    let digest = match record.matching {
        0 => return record.data == bytes,
        1 => Digest::Sha256,
        2 => Digest::Sha512,
        _ => return false,
    };
    Fingerprint::new(record.data.clone()) == fingerprint(digest, bytes)
}

#[cfg(all(test, feature = "openssl"))]
#[allow(clippy::unwrap_used, reason = "OpenSSL makes them, or the test is none")]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
    use openssl::x509::{X509, X509Builder, X509NameBuilder};

    use super::*;

    fn key() -> PKey<Private> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
    }

    /// A certificate of this name, signed by another one, or by itself.
    fn certificate(name: &str, key: &PKey<Private>, by: Option<&(X509, PKey<Private>)>) -> X509 {
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        let mut it = X509Builder::new().unwrap();
        it.set_version(2).unwrap();
        it.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
        it.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        it.set_not_after(&Asn1Time::days_from_now(9).unwrap()).unwrap();
        it.set_subject_name(&subject).unwrap();
        it.set_issuer_name(by.map_or(&subject, |it| it.0.subject_name())).unwrap();
        it.set_pubkey(key).unwrap();
        let extension = if name.contains('.') {
            let names = it.x509v3_context(None, None);
            SubjectAlternativeName::new().dns(name).build(&names).unwrap()
        } else {
            BasicConstraints::new().critical().ca().build().unwrap()
        };
        it.append_extension(extension).unwrap();
        it.sign(by.map_or(key, |it| &it.1), MessageDigest::sha256()).unwrap();
        it.build()
    }

    /// What stands between the server's own certificate and that of the record has to be within the depth.
    #[test]
    fn a_chain_is_no_longer_than_the_depth() {
        let root = key();
        let mut chain = vec![(certificate("root", &root, None), root)];
        for name in ["one", "two", "three", "mx.example"] {
            let key = key();
            let next = certificate(name, &key, chain.last());
            chain.push((next, key));
        }
        let shown: Vec<Certificate> = chain
            .iter()
            .rev()
            .map(|it| Certificate::parse(&it.0.to_der().unwrap()).unwrap())
            .collect();
        let digest = openssl::sha::sha256(shown[4].der());
        let record = TlsaRecord { usage: 2, selector: 0, matching: 1, data: digest.to_vec() };
        let (records, names) = ([record], ["mx.example".to_owned()]);
        let at = shown[0].not_before + 60;
        let found = |depth| {
            let terms = Terms { security_level: 1, depth, at };
            matched(&records, &[2, 1], &shown, &names, &terms, Version::new(3, 7))
        };
        assert_eq!(found(3).map(|it| it.depth), Ok(Some(4)));
        let Err(Mismatch::Untrusted(why)) = found(2) else { panic!("{:?}", found(2)) };
        assert_eq!(why.reason, "certificate chain too long");
    }
}
