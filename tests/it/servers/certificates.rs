//! The certificates of the servers, made when they are needed: an authority, one that it has certified, and what each
//! server shows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Name, X509NameBuilder};

/// What a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// A certificate for its name, and the one of the authority that signed it.
    Good,
    /// The first of them alone.
    WithoutIntermediate,
    /// One that has signed itself.
    SelfSigned,
    /// One that was good until yesterday.
    Expired,
    /// One that will be good tomorrow.
    NotYet,
    /// One for `other.example`.
    WrongName,
    /// One for all names below the server's domain.
    Wildcard,
    /// One for `xn--bcher-kva.example`.
    Idn,
    /// One with an RSA key of 1024 bits.
    Rsa1024,
    /// One with an RSA key of 768 bits, which OpenSSL takes from nobody who has to prove himself.
    Rsa768,
    /// One without extensions.
    Version1,
    /// One with an Ed25519 key.
    Ed25519,
}

impl Identity {
    pub(crate) const ALL: [Identity; 12] = [
        Identity::Good,
        Identity::WithoutIntermediate,
        Identity::SelfSigned,
        Identity::Expired,
        Identity::NotYet,
        Identity::WrongName,
        Identity::Wildcard,
        Identity::Idn,
        Identity::Rsa1024,
        Identity::Rsa768,
        Identity::Version1,
        Identity::Ed25519,
    ];

    fn file(self) -> String {
        format!("{self:?}.pem")
    }
}

/// Keys and chains in PEM form.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// The authority that is trusted.
    pub(crate) authority: Vec<u8>,
    /// What each server shows: its key and its chain.
    shown: BTreeMap<Identity, Shown>,
}

/// What a server shows.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) key: PKey<Private>,
    /// Its own certificate first.
    pub(crate) chain: Vec<X509>,
}

const DAY: i64 = 86_400;

/// What can stand before a server's domain.
const LABELS: &[&str] = &[
    "mx", "none", "may", "encrypt", "secure", "right", "wrong", "taroot", "tamiddle", "takey",
    "taleaf",
];

impl Certificates {
    /// Makes them for servers with any name of one label below one of these domains.
    pub(crate) fn make(domains: &[&str]) -> Certificates {
        let root = Signer::root();
        let middle = root.certify("servers intermediate");
        let names = domains
            .iter()
            .flat_map(|domain| LABELS.iter().map(move |label| format!("{label}.{domain}")));
        let names: Vec<String> = names.collect();
        let issued = |key: PKey<Private>, names: &[String], days: (i64, i64)| {
            let certificate = middle.issue(&key, names, days);
            Shown { key, chain: vec![certificate, middle.certificate.clone()] }
        };
        let usual = (-1, 30);
        let shown = |identity: Identity| match identity {
            Identity::Good => issued(elliptic(), &names, usual),
            Identity::WithoutIntermediate => {
                let whole = issued(elliptic(), &names, usual);
                Shown { chain: vec![whole.chain[0].clone()], ..whole }
            }
            Identity::SelfSigned => {
                let key = elliptic();
                let name = named(&names[0]);
                let own = Signer { key: key.clone(), name, certificate: root.certificate.clone() };
                let certificate = own.issue(&key, &names, usual);
                Shown { key, chain: vec![certificate] }
            }
            Identity::Expired => issued(elliptic(), &names, (-30, -1)),
            Identity::NotYet => issued(elliptic(), &names, (1, 30)),
            Identity::WrongName => issued(elliptic(), &["other.example".to_owned()], usual),
            Identity::Wildcard => {
                let names: Vec<_> = domains.iter().map(|it| format!("*.{it}")).collect();
                issued(elliptic(), &names, usual)
            }
            Identity::Idn => issued(elliptic(), &["xn--bcher-kva.example".to_owned()], usual),
            Identity::Rsa1024 => issued(rsa(1024), &names, usual),
            Identity::Rsa768 => issued(rsa(768), &names, usual),
            Identity::Version1 => {
                let key = elliptic();
                let certificate = middle.issue_version_1(&key, "secure.version1.example");
                Shown { key, chain: vec![certificate, middle.certificate.clone()] }
            }
            Identity::Ed25519 => issued(PKey::generate_ed25519().unwrap(), &names, usual),
        };
        let shown = Identity::ALL.map(|it| (it, shown(it))).into_iter().collect();
        Certificates { authority: root.certificate.to_pem().unwrap(), shown }
    }

    pub(crate) fn of(&self, identity: Identity) -> &Shown {
        &self.shown[&identity]
    }

    /// Writes them, for another process.
    pub(crate) fn write(&self, directory: &Path) {
        fs::write(directory.join("authority.pem"), &self.authority).unwrap();
        for (identity, shown) in &self.shown {
            let mut text = shown.key.private_key_to_pem_pkcs8().unwrap();
            text.extend(shown.chain.iter().flat_map(|it| it.to_pem().unwrap()));
            fs::write(directory.join(identity.file()), text).unwrap();
        }
    }

    /// Those that another process has written.
    pub(crate) fn read(directory: &Path) -> Certificates {
        let read = |name: &str| fs::read(directory.join(name)).unwrap();
        let shown = Identity::ALL.map(|identity| {
            let text = read(&identity.file());
            let key = PKey::private_key_from_pem(&text).unwrap();
            (identity, Shown { key, chain: X509::stack_from_pem(&text).unwrap() })
        });
        Certificates { authority: read("authority.pem"), shown: shown.into_iter().collect() }
    }
}

/// Somebody who signs.
struct Signer {
    key: PKey<Private>,
    name: X509Name,
    certificate: X509,
}

impl Signer {
    fn root() -> Signer {
        let (key, name) = (elliptic(), named("servers root"));
        let certificate = authority(&key, &name, &key, &name);
        Signer { key, name, certificate }
    }

    fn certify(&self, name: &str) -> Signer {
        let (key, name) = (elliptic(), named(name));
        let certificate = authority(&key, &name, &self.key, &self.name);
        Signer { key, name, certificate }
    }

    /// A certificate for a server; days from now on.
    fn issue(&self, key: &PKey<Private>, names: &[String], days: (i64, i64)) -> X509 {
        let mut builder = begin(2, &named(&names[0]), &self.name, key, days);
        let mut alternative = SubjectAlternativeName::new();
        for name in names {
            alternative.dns(name);
        }
        let context = builder.x509v3_context(None, None);
        let alternative = alternative.build(&context).unwrap();
        builder.append_extension(alternative).unwrap();
        builder.append_extension(ExtendedKeyUsage::new().server_auth().build().unwrap()).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    fn issue_version_1(&self, key: &PKey<Private>, name: &str) -> X509 {
        let mut builder = begin(0, &named(name), &self.name, key, (-1, 30));
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build()
    }
}

fn authority(
    key: &PKey<Private>,
    name: &X509Name,
    signer: &PKey<Private>,
    issuer: &X509Name,
) -> X509 {
    let mut builder = begin(2, name, issuer, key, (-1, 60));
    builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    let usage = KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap();
    builder.append_extension(usage).unwrap();
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build()
}

fn begin(
    version: i32,
    subject: &X509Name,
    issuer: &X509Name,
    key: &PKey<Private>,
    days: (i64, i64),
) -> openssl::x509::X509Builder {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    let day = |it: i64| Asn1Time::from_unix(now + it * DAY).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, openssl::bn::MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(version).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_not_before(&day(days.0)).unwrap();
    builder.set_not_after(&day(days.1)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

fn named(name: &str) -> X509Name {
    let mut builder = X509NameBuilder::new().unwrap();
    builder.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    builder.build()
}

fn elliptic() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}
