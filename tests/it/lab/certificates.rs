//! Certificates for a lab, made by the openssl command: an authority of the test process, and a server
//! certificate for the names that a lab needs.
//!
//! The server's key is always the same one, so that an example can have its fingerprint in plain text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The files of one lab.
#[derive(Default)]
pub(super) struct Certificates {
    directory: PathBuf,
    names: BTreeSet<String>,
}

impl Certificates {
    /// Writes `ca.pem`, `key.pem`, `certificate.pem` and `server.pem` (both, as `smtpd_tls_chain_files` wants them).
    pub(super) fn make(&mut self, directory: &Path, names: BTreeSet<String>) {
        if (self.directory.as_path(), &self.names) == (directory, &names) {
            return;
        }
        let authority = authority();
        write(directory, "ca.pem", &authority.certificate);
        write(directory, "key.pem", server_key());
        // One name at least, and the wildcard forms that Postfix 3.6 and newer accept.
        let mut subject = String::from("subjectAltName=DNS:receiver.lab.test");
        for name in &names {
            subject.push_str(",DNS:");
            subject.push_str(name);
            if name.contains('.') {
                subject.push_str(",DNS:*.");
                subject.push_str(name);
            }
        }
        let scratch = tempfile::tempdir().expect("a temporary directory");
        write(scratch.path(), "authority.key", &authority.key);
        write(scratch.path(), "extensions", subject.as_bytes());
        let request = scratch.path().join("request");
        run(Command::new("openssl")
            .args(["req", "-new", "-subj", "/CN=receiver.lab.test", "-key"])
            .arg(directory.join("key.pem"))
            .arg("-out")
            .arg(&request));
        let certificate = run(Command::new("openssl")
            .args(["x509", "-req", "-days", "30", "-set_serial", "2", "-in"])
            .arg(&request)
            .arg("-CA")
            .arg(directory.join("ca.pem"))
            .arg("-CAkey")
            .arg(scratch.path().join("authority.key"))
            .arg("-extfile")
            .arg(scratch.path().join("extensions")));
        write(directory, "certificate.pem", &certificate);
        write(directory, "server.pem", &[server_key(), certificate.as_slice()].concat());
        *self = Certificates { directory: directory.to_owned(), names };
    }

    /// The certificate's digest in Postfix's form.
    pub(super) fn fingerprint(&self, digest: &str) -> String {
        let der = run(Command::new("openssl")
            .args(["x509", "-outform", "DER", "-in"])
            .arg(self.directory.join("certificate.pem")));
        fingerprint(&der, digest)
    }
}

/// The public key's digest in Postfix's form. It is the same in every lab: sha256 is
/// F8:57:AE:4E:D6:E3:4E:33:76:1A:EA:25:CA:AE:E3:FE:54:A1:59:60:FB:92:DC:D6:3A:37:5A:B1:21:DE:B2:A9.
pub(crate) fn public_key_fingerprint(digest: &str) -> String {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    write(scratch.path(), "key.pem", server_key());
    let key = scratch.path().join("key.pem");
    let der =
        run(Command::new("openssl").args(["pkey", "-pubout", "-outform", "DER", "-in"]).arg(key));
    fingerprint(&der, digest)
}

/// The certificate of an authority that has signed nothing here.
pub(crate) fn another_authority() -> Vec<u8> {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("another authority")).certificate.clone()
}

struct Authority {
    key: Vec<u8>,
    certificate: Vec<u8>,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("postls lab authority"))
}

impl Authority {
    fn new(name: &str) -> Authority {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let (key, certificate) = (scratch.path().join("key"), scratch.path().join("certificate"));
        run(Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-days", "30", "-subj"])
            .arg(format!("/CN={name}"))
            .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate));
        let read = |path: &Path| fs::read(path).expect("openssl wrote it");
        Authority { key: read(&key), certificate: read(&certificate) }
    }
}

/// An elliptic curve key on P-256 whose secret number is 0x0101…01. It protects nothing, and can be seen to.
fn server_key() -> &'static [u8] {
    // RFC 5915: version 1, 32 bytes of number, the curve's name.
    const HEAD: &[u8] = &[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    const CURVE: &[u8] = &[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        write(scratch.path(), "key", &[HEAD, &[1; 32], CURVE].concat());
        let key = scratch.path().join("key");
        run(Command::new("openssl").args(["ec", "-inform", "DER", "-in"]).arg(key))
    })
}

fn fingerprint(der: &[u8], digest: &str) -> String {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    write(scratch.path(), "der", der);
    let mut command = Command::new("openssl");
    command.args(["dgst", &format!("-{digest}"), "-c", "-r"]).arg(scratch.path().join("der"));
    let printed = String::from_utf8(run(&mut command)).expect("openssl prints ASCII");
    let hex = printed.split_whitespace().next().expect("openssl prints a digest").replace(':', "");
    let pairs: Vec<String> =
        hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    pairs.join(":")
}

fn write(directory: &Path, name: &str, bytes: &[u8]) {
    fs::write(directory.join(name), bytes).expect("the directory is writable");
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().expect("openssl is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
