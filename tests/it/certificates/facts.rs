//! Fingerprints, and what else postls says of a certificate, against the openssl program and real Postfixes.

use std::fmt::Write as _;
use std::fs;

use postls::certificate::load::{Pair, pairs};
use postls::certificate::{Certificate, Of, subjects};
use postls::postfix::Digest;

use super::made::{bytes, certificates, directory};
use crate::lab::{self, Lab};

const DIGESTS: [(Digest, &str); 6] = [
    (Digest::Md5, "md5"),
    (Digest::Sha1, "sha1"),
    (Digest::Sha224, "sha224"),
    (Digest::Sha256, "sha256"),
    (Digest::Sha384, "sha384"),
    (Digest::Sha512, "sha512"),
];

fn certificate(name: &str) -> Certificate {
    let subjects = subjects(&bytes(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    subjects[0].certificate().unwrap_or_else(|| panic!("{name} is no certificate")).clone()
}

#[test]
fn fingerprints_are_those_of_the_openssl_program() {
    let script = r#"for f in *.crt; do for d in md5 sha1 sha224 sha256 sha384 sha512; do
        echo "$f $d $(openssl x509 -in "$f" -noout -fingerprint -$d | cut -d= -f2) $(openssl x509 -in "$f" -noout -pubkey |
            openssl pkey -pubin -outform DER | openssl dgst -$d -r | cut -d' ' -f1 | sed 's/../&:/g; s/:$//' | tr a-f A-F)"
    done; done"#;
    let mut command = std::process::Command::new("sh");
    let output = command.args(["-c", script]).current_dir(directory()).output().expect("sh runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let (mut equal, mut different) = (0, Vec::new());
    for line in printed.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [file, digest, of_certificate, of_key] = words[..] else { panic!("{line}") };
        let subject =
            &subjects(&bytes(file)).unwrap_or_else(|error| panic!("{file}: {error:?}"))[0];
        let (digest, _) = DIGESTS.iter().find(|it| it.1 == digest).expect("one of them");
        for (of, theirs) in [(Of::Certificate, of_certificate), (Of::PublicKey, of_key)] {
            let ours = subject.fingerprint(of, *digest).expect("a certificate").to_string();
            if ours == theirs { equal += 1 } else { different.push(format!("{line}: {ours}")) }
        }
    }
    println!("fingerprints: {equal} equal to the openssl program's, {} different", different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(equal, certificates().len() * 12);
}

/// smtpd(8) logs the fingerprints of its clients' certificates.
#[test]
fn fingerprints_are_those_that_postfix_logs() {
    const CLIENTS: [&str; 11] = [
        "rsa1024", "rsa2048", "pss", "p256", "p384", "p521", "ed25519", "ed448", "leaf",
        "version1", "expired",
    ];
    lab::with_each(|postfix| {
        let main_cf = "smtpd_tls_security_level = may\nsmtpd_tls_ask_ccert = yes\nsmtpd_tls_loglevel = 2\n\
            smtpd_peername_lookup = no\nmax_use = 1\n";
        let mut master_cf = String::new();
        for (at, (_, name)) in DIGESTS.iter().enumerate() {
            writeln!(
                master_cf,
                "127.0.0.1:{} inet n - n - - smtpd -o smtpd_tls_fingerprint_digest={name} -o syslog_name={name}x",
                20_000 + at
            )
            .expect("a String takes all");
        }
        let mut lab = Lab::new(
            postfix,
            &[("main.cf", main_cf.as_bytes()), ("master.cf", master_cf.as_bytes())],
        );
        lab.start();
        let script = format!(
            "cd \"$1\"; for f in {}; do for n in 0 1 2 3 4 5; do timeout 20 openssl s_client -starttls smtp \
             -connect 127.0.0.1:2000$n -cipher ALL:@SECLEVEL=0 -curves X25519:P-256:P-384:P-521:secp256k1 \
             -cert $f.crt -key $f.key </dev/null >/dev/null 2>&1; done; done",
            CLIENTS.join(" ")
        );
        lab.inside("bash").args(["-c", &script, "x"]).arg(directory()).status().expect("bash runs");
        let _ = lab.logs("pkey fingerprint=", CLIENTS.len() * DIGESTS.len());
        let log = lab.log();
        lab.stop();
        let (mut equal, mut missing) = (0, Vec::new());
        for client in CLIENTS {
            let subject = &subjects(&bytes(&format!("{client}.crt"))).expect("a certificate")[0];
            for (digest, name) in DIGESTS {
                let says = |of| subject.fingerprint(of, digest).expect("a certificate").to_string();
                for (word, of) in [("cert", Of::Certificate), ("pkey", Of::PublicKey)] {
                    // Postfix 3.5 names the first "fingerprint" only.
                    let text = [
                        format!("{word} fingerprint={}", says(of)),
                        format!("{word}_fingerprint={}", says(of)),
                        format!(", fingerprint={}", says(of)),
                    ];
                    let is_said = |line: &str| {
                        line.contains(&format!(" {name}x/"))
                            && text.iter().any(|it| line.contains(it.as_str()))
                    };
                    if log.lines().any(is_said) {
                        equal += 1;
                    } else {
                        missing.push(format!("{client} {name} {word}"));
                    }
                }
            }
        }
        println!(
            "fingerprints: {equal} as Postfix {} logs them, {} not",
            postfix.full_version,
            missing.len()
        );
        let logged: Vec<&str> =
            log.lines().filter(|it| it.contains("fingerprint")).take(6).collect();
        assert!(missing.is_empty(), "{missing:?}\n{}", logged.join("\n"));
    });
}

#[test]
fn what_stands_in_certificates() {
    for (name, key, is_weak) in [
        ("rsa1024", "RSA 1024", true),
        ("rsa2048", "RSA 2048", false),
        ("rsa4096", "RSA 4096", false),
        ("pss", "RSA-PSS 2048", false),
        ("p224", "EC 1.3.132.0.33", false),
        ("p256", "P-256", false),
        ("p384", "P-384", false),
        ("p521", "P-521", false),
        ("k256", "secp256k1", false),
        ("explicit", "EC with explicit parameters", false),
        ("ed25519", "Ed25519", false),
        ("ed448", "Ed448", false),
        ("dsa", "DSA 1024", true),
    ] {
        let it = certificate(&format!("{name}.crt"));
        let shown = if name == "dsa" { "DSA" } else { key };
        assert!(it.key.to_string().starts_with(shown), "{name}: {}", it.key);
        assert_eq!(it.key.is_weak(), is_weak, "{name}");
        let of_key = subjects(&bytes(&format!("{name}.key"))).expect("a key");
        let of_key = of_key.iter().find_map(postls::certificate::Subject::key);
        assert_eq!(of_key.map(|it| it.to_string()), Some(it.key.to_string()), "{name}");
    }
    for (name, digest) in [
        ("md5", Some("MD5")),
        ("sha1", Some("SHA-1")),
        ("sha1-pss", Some("SHA-1")),
        ("sha256-pss", None),
        ("leaf", None),
        ("old-root", Some("SHA-1")),
    ] {
        assert_eq!(certificate(&format!("{name}.crt")).weak_digest, digest, "{name}");
    }
    let leaf = certificate("leaf.crt");
    assert_eq!(leaf.names, ["mail.example", "*.mx.example", "xn--bcher-kva.example"]);
    let addresses: Vec<String> = leaf.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.0.2.1", "2001:db8::1"]);
    for (host, is_covered) in [
        ("mail.example", true),
        ("MAIL.example", true),
        ("a.mx.example", true),
        ("a.b.mx.example", false),
        ("mx.example", false),
        ("b\u{fc}cher.example", true),
        ("leaf.example", false),
    ] {
        assert_eq!(leaf.covers(host), is_covered, "{host}");
    }
    assert_eq!((leaf.version, certificate("version1.crt").version), (3, 1));
    let (client, root) = (certificate("client.crt"), certificate("root.crt"));
    assert!(!client.purposes.servers && client.purposes.clients);
    assert!(leaf.purposes.servers && root.is_ca && root.is_self_issued());
    assert_eq!(certificate("early.crt").not_before, 3_786_912_000);
    assert_eq!(certificate("early.crt").not_after, 6_942_585_600);
}

/// OpenSSL itself, called as Postfix calls it for two files.
#[test]
fn two_files_are_loaded_as_by_openssl() {
    use openssl::ssl::{SslContext, SslFiletype, SslMethod};
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let (certificate, key) = (scratch.path().join("certificate"), scratch.path().join("key"));
    let (mut loaded, mut refused) = (0, 0);
    for case in super::cases::all().0 {
        let super::cases::How::Pairs(files) = &case.how else { continue };
        let [(certificates, Some(keys))] = &files[..] else { continue };
        fs::write(&certificate, certificates).expect("it is ours");
        fs::write(&key, keys).expect("it is ours");
        let mut context = SslContext::builder(SslMethod::tls()).expect("a context");
        context.set_security_level(0);
        let is_encrypted = keys.windows(9).any(|it| it == b"ENCRYPTED");
        // OpenSSL would ask for a passphrase on the terminal.
        let theirs = !is_encrypted
            && context.set_certificate_chain_file(&certificate).is_ok()
            && context.set_private_key_file(&key, SslFiletype::PEM).is_ok()
            && context.check_private_key().is_ok();
        let ours = pairs(&[Pair::Two { certificate: certificates, key: keys }]);
        assert_eq!(!ours.identities.is_empty(), theirs, "{}: {ours:#?}", case.name);
        if theirs { loaded += 1 } else { refused += 1 }
    }
    println!("two files: {loaded} loaded as by OpenSSL, {refused} refused as by OpenSSL");
}
