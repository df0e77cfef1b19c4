//! How Postfix and OpenSSL go through the blocks of files, from one to the next.

use std::fmt;

use super::super::judge::{self, NoKey, PrivateKey};
use super::super::pem::{self, Block};
use super::super::{Certificate, Key};
use super::{Place, Problem, ProblemKind, problem};

#[derive(Debug)]
pub(super) enum Stop {
    Problem(Problem),
    NotChecked(&'static str),
}

impl Stop {
    fn new(kind: ProblemKind, place: &Place, text: impl fmt::Display) -> Stop {
        Stop::Problem(problem(kind, place, text))
    }
}

/// What is loaded up to now.
#[derive(Default)]
pub(super) struct Found {
    pub(super) identities: Vec<Loaded>,
    pub(super) problems: Vec<Problem>,
    pub(super) not_checked: Option<&'static str>,
}

pub(super) struct Loaded {
    pub(super) certificate: (Certificate, Place),
    pub(super) chain: Vec<(Certificate, Place)>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    KeysFirst,
    OneKeyAnywhere,
}

/// `None` in place of a key: this build cannot read it.
type MaybeKey = Option<PrivateKey>;

/// The states of Postfix's `pem_load_state_t`: which of key and certificate are there.
pub(super) struct Loader {
    style: Style,
    first_file: usize,
    key: Option<(MaybeKey, Place)>,
    certificate: Option<(Certificate, Place)>,
    chain: Vec<(Certificate, Place)>,
    encrypted: Option<Place>,
    blocks: usize,
    pub(super) found: Found,
}

impl Loader {
    pub(super) fn new(style: Style, first_file: usize) -> Loader {
        Loader {
            style,
            first_file,
            key: None,
            certificate: None,
            chain: Vec::new(),
            encrypted: None,
            blocks: 0,
            found: Found::default(),
        }
    }

    /// Reads one file through its end.
    pub(super) fn file(&mut self, file: usize, bytes: &[u8]) -> Result<(), Stop> {
        for block in pem::read(bytes) {
            let block = block.map_err(|it| malformed_block(file, &it))?;
            let place = (file, block.range.clone());
            match block.label {
                b"CERTIFICATE" | b"X509 CERTIFICATE" => self.certificate(&block, place)?,
                b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" | b"DSA PRIVATE KEY" => {
                    self.key(&block, place)?;
                }
                b"ENCRYPTED PRIVATE KEY" => self.encrypted = self.encrypted.take().or(Some(place)),
                _ => {}
            }
            self.blocks += 1;
        }
        Ok(())
    }

    fn certificate(&mut self, block: &Block<'_>, place: Place) -> Result<(), Stop> {
        if self.style == Style::KeysFirst && self.key.is_none() {
            return Err(match self.encrypted.take() {
                Some(key) => encrypted(&key),
                None => Stop::new(
                    ProblemKind::KeyNotFirst,
                    &place,
                    "this certificate stands in front of its private key, or has none",
                ),
            });
        }
        let certificate = certificate(block, &place)?;
        if certificate.der().len() < block.der.len() {
            return Err(Stop::new(
                ProblemKind::Malformed,
                &place,
                "there is more in this block than a certificate",
            ));
        }
        match self.certificate {
            None => self.certificate = Some((certificate, place)),
            Some(_) => self.chain.push((certificate, place)),
        }
        Ok(())
    }

    fn key(&mut self, block: &Block<'_>, place: Place) -> Result<(), Stop> {
        match (self.style, &self.key, &self.certificate) {
            (Style::KeysFirst, Some((_, first)), None) => {
                return Err(Stop::new(
                    ProblemKind::CertificateMissing,
                    first,
                    "this private key is followed by another one, not by its certificate",
                ));
            }
            (Style::KeysFirst, Some(_), Some(_)) => self.use_chain()?,
            (Style::OneKeyAnywhere, Some(_), _) => {
                let text = "this is a second private key: Postfix ignores it";
                self.found.problems.push(problem(ProblemKind::PassedOver, &place, text));
                return Ok(());
            }
            (_, None, _) => {}
        }
        let key = match PrivateKey::of_block(block.label, &block.der) {
            _ if block.is_encrypted() => return Err(encrypted(&place)),
            Ok(key) => Some(key),
            Err(NoKey::NotChecked) => None,
            Err(NoKey::Refused) => return Err(malformed_key(&place)),
        };
        self.key = Some((key, place));
        Ok(())
    }

    /// At the end of the last file.
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        let whole = (self.first_file, 0..0);
        match (&self.key, &self.certificate) {
            (None, None) if self.encrypted.is_none() => {
                let text = match self.blocks {
                    0 => "there is no PEM block in it",
                    _ => "there is no private key and no certificate in it",
                };
                Err(Stop::new(ProblemKind::NotPem, &whole, text))
            }
            (None, _) => Err(match self.encrypted.take() {
                Some(key) => encrypted(&key),
                None => Stop::new(ProblemKind::KeyMissing, &whole, "there is no private key in it"),
            }),
            (Some((_, place)), None) => Err(Stop::new(
                ProblemKind::CertificateMissing,
                place,
                "no certificate follows this private key",
            )),
            (Some(_), Some(_)) => self.use_chain(),
        }
    }

    /// `SSL_CTX_use_cert_and_key`, which replaces nothing.
    fn use_chain(&mut self) -> Result<(), Stop> {
        let (Some((key, key_place)), Some((certificate, place))) =
            (self.key.take(), self.certificate.take())
        else {
            return Ok(());
        };
        let chain = std::mem::take(&mut self.chain);
        self.compare(key.as_ref(), &key_place, &certificate, &place)?;
        let taken = |it: &&Loaded| is_same_kind(&it.certificate.0.key, &certificate.key);
        if self.found.identities.iter().any(|it| taken(&it)) {
            let text = format!(
                "this is a second certificate with an {} key: Postfix takes one of each kind",
                kind(&certificate.key)
            );
            return Err(Stop::new(ProblemKind::SecondOfOneKind, &place, text));
        }
        self.found.identities.push(Loaded { certificate: (certificate, place), chain });
        Ok(())
    }

    /// A certificate file, and then a key file, which replace what is of the same kind.
    pub(super) fn two_files(&mut self, certificate: &[u8], key: &[u8]) -> Result<(), Stop> {
        let (own, chain) = certificate_file(self.first_file, certificate)?;
        let (key, key_place) = key_file(self.first_file + 1, key)?;
        self.compare(key.as_ref(), &key_place, &own.0, &own.1)?;
        let of_this_kind = |it: &Loaded| is_same_kind(&it.certificate.0.key, &own.0.key);
        if let Some(at) = self.found.identities.iter().position(of_this_kind) {
            let replaced = self.found.identities.remove(at).certificate;
            let text = format!(
                "this certificate is never sent: a later one has an {} key too",
                kind(&replaced.0.key)
            );
            self.found.problems.push(problem(ProblemKind::Replaced, &replaced.1, text));
        }
        self.found.identities.push(Loaded { certificate: own, chain });
        Ok(())
    }

    fn compare(
        &mut self,
        key: Option<&PrivateKey>,
        key_place: &Place,
        certificate: &Certificate,
        place: &Place,
    ) -> Result<(), Stop> {
        let Some(key) = key else {
            self.found.not_checked = Some(judge::NOT_CHECKED);
            return Ok(());
        };
        let unusable = |text: &str| Err(Stop::new(ProblemKind::KeyUnusable, place, text));
        match key.fits(certificate) {
            None => unusable("OpenSSL cannot read this certificate's public key"),
            Some(false) => Err(Stop::new(
                ProblemKind::KeyMismatch,
                key_place,
                "this private key is not the certificate's",
            )),
            Some(true) if !can_sign(&certificate.key) => {
                unusable("TLS has no use for a key of this kind")
            }
            Some(true) => Ok(()),
        }
    }
}

/// `SSL_CTX_use_certificate_chain_file`: the first certificate, and those behind it.
#[allow(clippy::type_complexity)]
fn certificate_file(
    file: usize,
    bytes: &[u8],
) -> Result<((Certificate, Place), Vec<(Certificate, Place)>), Stop> {
    let mut own = None;
    let (mut chain, mut blocks) = (Vec::new(), 0);
    for block in pem::read(bytes) {
        let block = block.map_err(|it| malformed_block(file, &it))?;
        blocks += 1;
        let place = (file, block.range.clone());
        let is_trusted = own.is_none() && block.label == b"TRUSTED CERTIFICATE";
        if !block.is_certificate() && !is_trusted {
            continue;
        }
        if !block.headers.is_empty() {
            let text = "this certificate has lines in front that OpenSSL does not take";
            return Err(Stop::new(ProblemKind::Malformed, &place, text));
        }
        let certificate = certificate(&block, &place)?;
        // The first may have trust settings behind it, and nothing else.
        if own.is_none() && !is_trusted && certificate.der().len() < block.der.len() {
            let text = "there is more in this block than a certificate";
            return Err(Stop::new(ProblemKind::Malformed, &place, text));
        }
        match own {
            None => own = Some((certificate, place)),
            Some(_) => chain.push((certificate, place)),
        }
    }
    let whole = (file, 0..0);
    let missing = match blocks {
        0 => Stop::new(ProblemKind::NotPem, &whole, "there is no PEM block in it"),
        _ => Stop::new(ProblemKind::CertificateMissing, &whole, "there is no certificate in it"),
    };
    Ok((own.ok_or(missing)?, chain))
}

/// `SSL_CTX_use_PrivateKey_file`: the first private key.
fn key_file(file: usize, bytes: &[u8]) -> Result<(MaybeKey, Place), Stop> {
    let mut blocks = 0;
    for block in pem::read(bytes) {
        let block = block.map_err(|it| malformed_block(file, &it))?;
        blocks += 1;
        let place = (file, block.range.clone());
        if !block.is_private_key() {
            continue;
        }
        if block.is_encrypted() {
            return Err(encrypted(&place));
        }
        return match PrivateKey::first(bytes) {
            Ok(key) => Ok((Some(key), place)),
            Err(NoKey::NotChecked) => Ok((None, place)),
            Err(NoKey::Refused) => Err(malformed_key(&place)),
        };
    }
    let whole = (file, 0..0);
    Err(match blocks {
        0 => Stop::new(ProblemKind::NotPem, &whole, "there is no PEM block in it"),
        _ => Stop::new(ProblemKind::KeyMissing, &whole, "there is no private key in it"),
    })
}

fn certificate(block: &Block<'_>, place: &Place) -> Result<Certificate, Stop> {
    match (judge::is_certificate(&block.der), Certificate::parse(&block.der)) {
        (true, Ok(certificate)) => Ok(certificate),
        (true, Err(_)) => Err(Stop::NotChecked("there is a certificate that postls cannot read")),
        (false, _) => Err(Stop::new(
            ProblemKind::Malformed,
            place,
            "what stands in this block is no certificate",
        )),
    }
}

fn malformed_block(file: usize, block: &pem::Malformed) -> Stop {
    let text = format!("OpenSSL cannot read this block: {}", block.why);
    Stop::new(ProblemKind::Malformed, &(file, block.range.clone()), text)
}

fn malformed_key(place: &Place) -> Stop {
    Stop::new(ProblemKind::Malformed, place, "what stands in this block is no private key")
}

fn encrypted(place: &Place) -> Stop {
    let text = "this private key is encrypted, and Postfix has no passphrase";
    Stop::new(ProblemKind::KeyEncrypted, place, text)
}

/// Keys of one kind share one place in OpenSSL.
fn is_same_kind(one: &Key, other: &Key) -> bool {
    kind(one) == kind(other)
}

fn kind(key: &Key) -> &str {
    match key {
        Key::Rsa(_) => "RSA",
        Key::RsaPss(_) => "RSA-PSS",
        Key::Ec(_) => "elliptic curve",
        Key::Dsa(_) => "DSA",
        Key::Ed25519 => "Ed25519",
        Key::Ed448 => "Ed448",
        Key::Other(algorithm) => algorithm,
    }
}

fn can_sign(key: &Key) -> bool {
    match key {
        Key::Rsa(_) | Key::RsaPss(_) | Key::Ec(_) | Key::Dsa(_) | Key::Ed25519 | Key::Ed448 => true,
        Key::Other(_) => false,
    }
}
