//! Every way to give Postfix the files: in one chain file, in two files, in one file for both parameters, and more.

use postls::certificate::load::{Loading, Pair, chain_files, pairs};

use super::made::bytes;
use super::odd;

/// Files, and how Postfix is told of them.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) how: How,
}

pub(super) enum How {
    /// `smtpd_tls_chain_files`.
    Chain(Vec<Vec<u8>>),
    /// `smtpd_tls_cert_file` with `smtpd_tls_key_file`, the same with `ec`. No key: both name the same file.
    Pairs(Vec<(Vec<u8>, Option<Vec<u8>>)>),
}

impl Case {
    fn new(name: String, how: How) -> Case {
        Case { name, how }
    }

    /// What postls says of it.
    pub(super) fn loading(&self) -> Loading {
        match &self.how {
            How::Chain(files) => chain_files(&files.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            How::Pairs(files) => pairs(&files.iter().map(pair).collect::<Vec<_>>()),
        }
    }
}

fn pair((certificate, key): &(Vec<u8>, Option<Vec<u8>>)) -> Pair<'_> {
    match key {
        Some(key) => Pair::Two { certificate, key },
        None => Pair::OneFile(certificate),
    }
}

/// A key and a certificate that fit, or do not.
const PAIRS: [(&str, &str); 38] = [
    ("rsa1024", "rsa1024"),
    ("rsa2048", "rsa2048"),
    ("rsa3072", "rsa3072"),
    ("rsa4096", "rsa4096"),
    ("pss", "pss"),
    ("p224", "p224"),
    ("p256", "p256"),
    ("p384", "p384"),
    ("p521", "p521"),
    ("k256", "k256"),
    ("brainpool", "brainpool"),
    ("explicit", "explicit"),
    ("ed25519", "ed25519"),
    ("ed448", "ed448"),
    ("dsa", "dsa"),
    ("x25519", "x25519"),
    ("root", "root"),
    ("middle", "middle"),
    ("leaf", "leaf"),
    ("leaf-rsa", "leaf-rsa"),
    ("client", "client"),
    ("version1", "version1"),
    ("old-root", "old-root"),
    ("sha1", "sha1"),
    ("md5", "md5"),
    ("sha1-pss", "sha1-pss"),
    ("sha256-pss", "sha256-pss"),
    ("expired", "expired"),
    ("early", "early"),
    ("false-middle", "other-p256"),
    ("other-rsa", "rsa2048"),
    ("other-p256", "p256"),
    ("p256", "rsa2048"),
    ("rsa2048", "p256"),
    ("rsa2048", "pss"),
    ("pss", "rsa2048"),
    ("ed25519", "ed448"),
    ("explicit", "p256"),
];

/// All cases, and how many files and how many pairs of key and certificate there are.
pub(super) fn all() -> (Vec<Case>, usize, usize) {
    let mut cases = Vec::new();
    let odd = odd::all();
    let files = odd.len();
    for it in odd {
        three_ways(it.name, &it.key, &it.certificates, &mut cases);
    }
    for (key, certificate) in PAIRS {
        let name = format!("{key} with {certificate}");
        let files = [bytes(&format!("{key}.key")), bytes(&format!("{certificate}.crt"))];
        three_ways(&name, &files[0], &files[1], &mut cases);
    }
    cases.extend(several());
    (cases, files, PAIRS.len())
}

fn three_ways(name: &str, key: &[u8], certificates: &[u8], cases: &mut Vec<Case>) {
    let one = |parts: [&[u8]; 2]| parts.concat();
    let ways = [
        ("chain", How::Chain(vec![one([key, certificates])])),
        ("two files", How::Pairs(vec![(certificates.to_vec(), Some(key.to_vec()))])),
        ("one file", How::Pairs(vec![(one([certificates, key]), None)])),
    ];
    cases.extend(ways.map(|(way, how)| Case::new(format!("{name}, {way}"), how)));
}

/// More than one file, or more than one kind of key.
fn several() -> Vec<Case> {
    let file = |names: &[&str]| names.iter().flat_map(|it| bytes(it)).collect::<Vec<u8>>();
    let chain = |files: &[&[&str]]| How::Chain(files.iter().map(|it| file(it)).collect());
    let two = |certificate: &[&str], key: &[&str]| (file(certificate), Some(file(key)));
    let cases = [
        ("two files", chain(&[&["leaf.key"], &["leaf.crt", "middle.crt"]])),
        ("certificate file first", chain(&[&["leaf.crt"], &["leaf.key"]])),
        (
            "rsa and ec",
            chain(&[&["leaf-rsa.key", "leaf-rsa.crt", "middle.crt"], &["leaf.key", "leaf.crt"]]),
        ),
        (
            "ec and rsa",
            chain(&[&["leaf.key", "leaf.crt", "leaf-rsa.key", "leaf-rsa.crt", "middle.crt"]]),
        ),
        (
            "the first does not fit",
            chain(&[&["p256.key", "leaf.crt"], &["rsa2048.key", "rsa2048.crt"]]),
        ),
        (
            "the second does not fit",
            chain(&[&["leaf.key", "leaf.crt"], &["other-rsa.key", "rsa2048.crt"]]),
        ),
        ("two of one kind", chain(&[&["p256.key", "p256.crt"], &["p384.key", "p384.crt"]])),
        ("a key at the end", chain(&[&["p256.key", "p256.crt"], &["rsa2048.key"]])),
        ("an empty file between", chain(&[&["p256.key"], &[], &["p256.crt"]])),
        ("a der file behind", chain(&[&["p256.key", "p256.crt"], &["p256.crt.der"]])),
        ("a der certificate behind its key", chain(&[&["p256.key"], &["p256.crt.der"]])),
        ("a der key in front", chain(&[&["p256.key.der"], &["p256.crt"]])),
        ("an encrypted key behind", chain(&[&["p256.key", "p256.crt"], &["p256.encrypted"]])),
        (
            "an encrypted key and its certificate behind",
            chain(&[&["rsa2048.key", "rsa2048.crt"], &["p256.encrypted", "p256.crt"]]),
        ),
        ("rsa and pss", chain(&[&["rsa2048.key", "rsa2048.crt", "pss.key", "pss.crt"]])),
        ("ed25519 and ec", chain(&[&["ed25519.key", "ed25519.crt", "p256.key", "p256.crt"]])),
        (
            "pairs",
            How::Pairs(vec![
                two(&["rsa2048.crt"], &["rsa2048.key"]),
                two(&["leaf.crt", "middle.crt"], &["leaf.key"]),
            ]),
        ),
        (
            "pairs of one kind",
            How::Pairs(vec![
                two(&["p256.crt"], &["p256.key"]),
                two(&["leaf.crt", "middle.crt"], &["leaf.key"]),
            ]),
        ),
        (
            "pairs, the second does not fit",
            How::Pairs(vec![
                two(&["rsa2048.crt"], &["rsa2048.key"]),
                two(&["leaf.crt"], &["p256.key"]),
            ]),
        ),
        (
            "pairs of one kind, each in one file",
            How::Pairs(vec![
                (file(&["p256.crt", "p256.key"]), None),
                (file(&["leaf.crt", "leaf.key"]), None),
            ]),
        ),
        (
            "pairs of one kind, the second in one file",
            How::Pairs(vec![
                two(&["p256.crt"], &["p256.key"]),
                (file(&["leaf.crt", "leaf.key"]), None),
            ]),
        ),
    ];
    cases.map(|(name, how)| Case::new(format!("several: {name}"), how)).into()
}

/// A PEM block.
pub(super) fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let text = data_encoding::BASE64.encode(der);
    let lines: String =
        text.as_bytes().chunks(64).map(|it| String::from_utf8_lossy(it) + "\n").collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n").into()
}
