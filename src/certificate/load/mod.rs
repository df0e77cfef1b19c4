//! What Postfix ends up with when it loads the files that it proves itself with (`tls/tls_certkey.c`, and of OpenSSL
//! `SSL_CTX_use_certificate_chain_file` and `SSL_CTX_use_PrivateKey_file`).
//!
//! Postfix loads at OpenSSL's security level 0 in every version, whatever openssl.cnf says, so that no key is too small
//! and no signature too weak for it here. Known limit: a file that cannot be opened is not this module's matter.

mod loader;

use std::fmt;
use std::ops::Range;

use super::pem::{self, Block, Overlooked};
use super::{Binary, Certificate, judge};

use loader::{Found, Loaded, Loader, Stop, Style};

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

impl Identity {
    /// All that are sent, the own one first.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.certificate).chain(&self.chain)
    }
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

/// A file that a parameter names, and what it holds.
pub type Named<'b> = (&'b [u8], &'b [u8]);

impl<'b> Pair<'b> {
    /// A certificate file with its key file.
    pub fn of(certificate: Named<'b>, key: Named<'b>) -> Pair<'b> {
        if certificate.0 == key.0 {
            Pair::OneFile(certificate.1)
        } else {
            Pair::Two { certificate: certificate.1, key: key.1 }
        }
    }
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

fn problem(kind: ProblemKind, (file, range): &Place, text: impl fmt::Display) -> Problem {
    Problem { kind, file: *file, range: range.clone(), text: text.to_string() }
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
            blame_missing_key(&mut stop, files);
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

/// A key that is nowhere is not in the wrong place.
fn blame_missing_key(stop: &mut Problem, files: &[&[u8]]) {
    let is_key = |it: &Block<'_>| it.is_private_key();
    let has_key = |it: &&[u8]| pem::read(it).filter_map(Result::ok).any(|it| is_key(&it));
    if stop.kind == ProblemKind::KeyNotFirst && !files.iter().any(has_key) {
        stop.kind = ProblemKind::KeyMissing;
        "there is no private key for this certificate".clone_into(&mut stop.text);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFS5V4AxqytP23CzGkJ8JXQFToF/dnoXI7ES8P2OMl6w
-----END PRIVATE KEY-----
";
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBPjCB8aADAgECAhQlsVXbcxpSroHmXAxqmzTd0ZoElDAFBgMrZXAwFDESMBAG
A1UEAwwJYS5leGFtcGxlMCAXDTI2MTEzMDE0MzIxOFoYDzIxMjYxMTA2MTQzMjE4
WjAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwKjAFBgMrZXADIQA5AbXnh1q7NfCZDPY+
Dkw1Pnh1H3U90HOuk1QhQwPECKNTMFEwHQYDVR0OBBYEFFAGjEikJDXQQ237VR8I
DrCO1UB5MB8GA1UdIwQYMBaAFFAGjEikJDXQQ237VR8IDrCO1UB5MA8GA1UdEwEB
/wQFMAMBAf8wBQYDK2VwA0EA3XNmD1vJacLFTy/fb8x8MOxh+xa9Het02GUB2/LT
qb5iZ3hZ3QMvYHHsZLjJ6J0Dd3TGKE+1klBcgc/5V4tsDg==
-----END CERTIFICATE-----
";

    fn kinds(loading: &Loading) -> Vec<ProblemKind> {
        loading.problems.iter().map(|it| it.kind).collect()
    }

    #[test]
    fn a_key_and_its_certificate_are_an_identity() {
        let file = [KEY, CERTIFICATE].concat();
        let loading = chain_files(&[file.as_bytes()]);
        assert_eq!(loading.identities.len(), 1);
        assert_eq!(kinds(&loading), []);
        let key = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
        let loading = certificate_and_key(CERTIFICATE.as_bytes(), key.as_bytes());
        assert_eq!(kinds(&loading), [ProblemKind::KeyEncrypted]);
        assert_eq!(loading.identities, []);
        let place = (loading.problems[0].file, loading.problems[0].range.clone());
        assert_eq!(place, (1, 0..key.len() - 1));
    }

    /// The structure of files is checked, and what was not checked is said.
    #[cfg(not(feature = "openssl"))]
    #[test]
    fn without_openssl_keys_are_not_checked() {
        let loading = certificate_and_key(CERTIFICATE.as_bytes(), KEY.as_bytes());
        assert_eq!(loading.not_checked, Some(judge::NOT_CHECKED));
        assert!(judge::NOT_CHECKED.contains("built without OpenSSL"));
        let loading = chain_files(&[CERTIFICATE.as_bytes(), KEY.as_bytes()]);
        assert_eq!(kinds(&loading), [ProblemKind::KeyNotFirst]);
        let anchors =
            crate::certificate::trust::ca_file(CERTIFICATE.as_bytes()).expect("a certificate");
        let verdict = crate::certificate::trust::verify(&anchors[0], &[], &anchors, 2_000_000_000);
        assert_eq!(verdict, crate::certificate::trust::Verdict::NotChecked(judge::NOT_CHECKED));
        let unreadable = crate::certificate::subjects(KEY.as_bytes()).expect_err("no OpenSSL");
        assert_eq!(unreadable.0, judge::NOT_CHECKED);
    }
}
