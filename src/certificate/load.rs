//! What Postfix ends up with when it loads the files that it proves itself with (`tls/tls_certkey.c`, and of OpenSSL
//! `SSL_CTX_use_certificate_chain_file` and `SSL_CTX_use_PrivateKey_file`).
//!
//! Postfix loads at OpenSSL's security level 0 in every version, whatever openssl.cnf says, so that no key is too small
//! and no signature too weak for it here. Known limit: a file that cannot be opened is not this module's matter.

use std::fmt;
use std::ops::Range;

use super::judge::{self, NoKey, PrivateKey};
use super::pem::{self, Block, Overlooked};
use super::{Binary, Certificate, Key};

/// What Postfix has when it has read all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// One for each kind of key. Empty where a problem switches TLS off.
    pub identities: Vec<Identity>,
    /// What is wrong, in the order in which Postfix comes to it; at most one of them switches TLS off.
    pub problems: Vec<Problem>,
    /// What could not be checked, and why; then problems may be missing, and identities may be too many.
    pub not_checked: Option<&'static str>,
}

/// A certificate whose key Postfix has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its own.
    pub certificate: Certificate,
    /// What is sent behind it, in this order. Where it is empty, OpenSSL sends what it finds in its trust store.
    pub chain: Vec<Certificate>,
}

/// Something that is wrong with one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// Which of the given files.
    pub file: usize,
    /// Which bytes of it.
    pub range: Range<usize>,
    /// What is so, for people.
    pub text: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The file is DER, PKCS#12 or PKCS#7, not PEM.
    Der,
    /// There is no PEM block in it.
    NotPem,
    /// A block is not well-formed, or what stands in it is not what its label says.
    Malformed,
    /// There is no certificate where one has to be.
    CertificateMissing,
    /// There is no private key where one has to be.
    KeyMissing,
    /// The private key is encrypted; Postfix has no passphrase.
    KeyEncrypted,
    /// The private key is another one than the certificate's.
    KeyMismatch,
    /// TLS has no use for keys of this kind.
    KeyUnusable,
    /// In chain files a certificate stands in front of its private key.
    KeyNotFirst,
    /// A second certificate with the same kind of key, where Postfix refuses that.
    SecondOfOneKind,
    /// A later certificate with the same kind of key replaces this one.
    Replaced,
    /// A certificate is not the issuer of the one in front of it.
    ChainOrder,
    /// The chain ends with its root, which nobody needs.
    RootIncluded,
    /// Something that OpenSSL passes over, and Postfix with it.
    PassedOver,
    /// A byte order mark: OpenSSL 1.1.1 does not see what is behind it.
    ByteOrderMark,
}

impl ProblemKind {
    /// Whether Postfix switches TLS off because of it. Otherwise it obeys.
    pub fn switches_tls_off(self) -> bool {
        match self {
            ProblemKind::Der
            | ProblemKind::NotPem
            | ProblemKind::Malformed
            | ProblemKind::CertificateMissing
            | ProblemKind::KeyMissing
            | ProblemKind::KeyEncrypted
            | ProblemKind::KeyMismatch
            | ProblemKind::KeyUnusable
            | ProblemKind::KeyNotFirst
            | ProblemKind::SecondOfOneKind => true,
            ProblemKind::Replaced
            | ProblemKind::ChainOrder
            | ProblemKind::RootIncluded
            | ProblemKind::PassedOver
            | ProblemKind::ByteOrderMark => false,
        }
    }
}

/// A certificate file with its key file: `smtpd_tls_cert_file` with `smtpd_tls_key_file` and the like.
#[derive(Clone, Copy, Debug)]
pub enum Pair<'b> {
    /// Two files.
    Two {
        /// The certificate and its issuers.
        certificate: &'b [u8],
        /// The private key.
        key: &'b [u8],
    },
    /// Both parameters name the same file in the same words.
    OneFile(&'b [u8]),
}

/// Loads `smtpd_tls_chain_files` and the like: key, certificate, issuers, again and again.
pub fn chain_files(files: &[&[u8]]) -> Loading {
    let mut loader = Loader::new(Style::KeysFirst, 0);
    let read = files.iter().enumerate().try_for_each(|(file, bytes)| loader.file(file, bytes));
    let done = read.and_then(|()| loader.finish());
    conclude(files, done, loader.found)
}

/// Loads a `*_cert_file` with its `*_key_file`: file 0 and file 1.
pub fn certificate_and_key(certificate: &[u8], key: &[u8]) -> Loading {
    pairs(&[Pair::Two { certificate, key }])
}

/// Loads all such pairs, in Postfix's order: without a prefix, `d`, `ec`. The files of pair n are 2n and 2n + 1.
pub fn pairs(pairs: &[Pair<'_>]) -> Loading {
    let mut found = Found::default();
    let done = pairs.iter().enumerate().try_for_each(|(at, pair)| {
        let mut loader = Loader::new(Style::OneKeyAnywhere, 2 * at);
        loader.found = std::mem::take(&mut found);
        let done = match pair {
            Pair::Two { certificate, key } => loader.two_files(certificate, key),
            Pair::OneFile(bytes) => loader.file(2 * at, bytes).and_then(|()| loader.finish()),
        };
        found = loader.found;
        done
    });
    let files: Vec<&[u8]> = pairs
        .iter()
        .flat_map(|it| match it {
            Pair::Two { certificate, key } => [*certificate, *key],
            Pair::OneFile(bytes) => [*bytes, &[]],
        })
        .collect();
    conclude(&files, done, found)
}

/// Where something stands: the file and the bytes.
type Place = (usize, Range<usize>);

#[derive(Debug)]
enum Stop {
    Problem(Problem),
    NotChecked(&'static str),
}

impl Stop {
    fn new(kind: ProblemKind, place: &Place, text: impl fmt::Display) -> Stop {
        Stop::Problem(problem(kind, place, text))
    }
}

fn problem(kind: ProblemKind, (file, range): &Place, text: impl fmt::Display) -> Problem {
    Problem { kind, file: *file, range: range.clone(), text: text.to_string() }
}

/// What is loaded up to now.
#[derive(Default)]
struct Found {
    identities: Vec<Loaded>,
    problems: Vec<Problem>,
    not_checked: Option<&'static str>,
}

struct Loaded {
    certificate: (Certificate, Place),
    chain: Vec<(Certificate, Place)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    KeysFirst,
    OneKeyAnywhere,
}

/// `None` in place of a key: this build cannot read it.
type MaybeKey = Option<PrivateKey>;

/// The states of Postfix's `pem_load_state_t`: which of key and certificate are there.
struct Loader {
    style: Style,
    first_file: usize,
    key: Option<(MaybeKey, Place)>,
    certificate: Option<(Certificate, Place)>,
    chain: Vec<(Certificate, Place)>,
    encrypted: Option<Place>,
    blocks: usize,
    found: Found,
}

impl Loader {
    fn new(style: Style, first_file: usize) -> Loader {
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
    fn file(&mut self, file: usize, bytes: &[u8]) -> Result<(), Stop> {
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
    fn finish(&mut self) -> Result<(), Stop> {
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
    fn two_files(&mut self, certificate: &[u8], key: &[u8]) -> Result<(), Stop> {
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

/// Adds what Postfix does not say: better reasons, chains in disorder, blocks that nobody reads.
fn conclude(files: &[&[u8]], done: Result<(), Stop>, found: Found) -> Loading {
    let Found { mut identities, mut problems, mut not_checked } = found;
    for (file, bytes) in files.iter().enumerate() {
        if pem::read(bytes).next().is_none()
            && let Some(binary) = Binary::of(bytes)
        {
            let place = (file, 0..bytes.len());
            problems.push(problem(ProblemKind::PassedOver, &place, format!("this is {binary}")));
        }
        problems.extend(pem::overlooked(bytes).into_iter().map(|it| of_overlooked(file, it)));
    }
    match done {
        Ok(()) => {}
        Err(Stop::NotChecked(why)) => not_checked = Some(why),
        Err(Stop::Problem(mut stop)) => {
            identities.clear();
            blame_binary(&mut stop, files, &mut problems);
            if stop.range.is_empty() {
                stop.range = 0..files.get(stop.file).map_or(0, |it| it.len());
            }
            problems.insert(0, stop);
        }
    }
    for identity in &identities {
        problems.extend(chain_problems(identity));
    }
    let without_places = |it: Loaded| Identity {
        certificate: it.certificate.0,
        chain: it.chain.into_iter().map(|(it, _)| it).collect(),
    };
    let identities = identities.into_iter().map(without_places).collect();
    Loading { identities, problems, not_checked }
}

/// Where something is missing and a file is in DER, that is why.
fn blame_binary(stop: &mut Problem, files: &[&[u8]], problems: &mut Vec<Problem>) {
    let misses = match stop.kind {
        ProblemKind::NotPem => true,
        ProblemKind::CertificateMissing | ProblemKind::KeyMissing | ProblemKind::KeyNotFirst => {
            files.len() > 1
        }
        _ => false,
    };
    let binary = |it: &Problem| {
        it.kind == ProblemKind::PassedOver
            && (stop.kind != ProblemKind::NotPem || files.len() == 1 || it.file == stop.file)
            && Binary::of(files[it.file]).is_some()
    };
    if let Some(at) = problems.iter().position(binary).filter(|_| misses) {
        *stop = Problem { kind: ProblemKind::Der, ..problems.remove(at) };
    }
}

fn of_overlooked(file: usize, overlooked: Overlooked) -> Problem {
    let (kind, range, text) = match overlooked {
        Overlooked::Inside(range) => (
            ProblemKind::PassedOver,
            range,
            "this block begins inside of another one, whose END line is missing: OpenSSL does not read it",
        ),
        Overlooked::NotALine(range) => (
            ProblemKind::PassedOver,
            range,
            "OpenSSL does not take this for the beginning of a block: it has to be a line of its own",
        ),
        Overlooked::ByteOrderMark(range) => (
            ProblemKind::ByteOrderMark,
            range,
            "there is a byte order mark: OpenSSL before 3.0 does not see the block behind it",
        ),
    };
    problem(kind, &(file, range), text)
}

fn chain_problems(identity: &Loaded) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut before = &identity.certificate.0;
    for (certificate, place) in &identity.chain {
        let is_issuer = before.is_issued_by(certificate)
            && judge::is_signed_by(before, certificate) != Some(false);
        let text = if certificate == before || *certificate == identity.certificate.0 {
            Some("this certificate is there twice")
        } else if !is_issuer {
            Some("this certificate is not the issuer of the one in front of it")
        } else {
            None
        };
        problems.extend(text.map(|it| problem(ProblemKind::ChainOrder, place, it)));
        before = certificate;
    }
    if let Some((last, place)) = identity.chain.last()
        && problems.is_empty()
        && last.is_self_issued()
    {
        let text = "this root is sent to every client: those that trust it have it";
        problems.push(problem(ProblemKind::RootIncluded, place, text));
    }
    problems
}
