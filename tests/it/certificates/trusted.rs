//! Whom OpenSSL trusts: CA files, hashed directories and chains, against the openssl program.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use postls::certificate::trust::{Refusal, Verdict, ca_file, hash_link, hash_links, verify};
use postls::certificate::{Certificate, subjects};

use super::cases::pem;
use super::made::{bytes, directory, openssl, text};

fn certificate(name: &str) -> Certificate {
    subjects(&bytes(name)).expect("a certificate")[0].certificate().expect("one").clone()
}

#[test]
fn chains_verify_as_for_the_openssl_program() {
    use Refusal::{Expired, IssuerMissing, NotYetValid, Purpose, SelfSigned, Weak};
    const NOW: i64 = 1_900_000_000;
    let (mut trusted, mut refused) = (0, 0);
    for (leaf, chain, anchors, at, expected) in [
        ("leaf", "middle", "root", NOW, None),
        ("leaf-rsa", "middle", "root", NOW, None),
        ("leaf", "", "root", NOW, Some(IssuerMissing)),
        ("leaf", "", "root middle", NOW, None),
        ("leaf", "", "middle", NOW, Some(IssuerMissing)),
        ("leaf", "middle root", "", NOW, Some(SelfSigned)),
        ("leaf", "middle", "other-rsa", NOW, Some(IssuerMissing)),
        ("leaf", "false-middle", "root", NOW, Some(SelfSigned)),
        ("leaf", "root middle", "root", NOW, None),
        ("leaf", "middle", "root", 1_000_000_000, Some(NotYetValid)),
        ("leaf", "middle", "root", 4_000_000_000, Some(Expired)),
        ("expired", "middle", "root", NOW, Some(Expired)),
        ("early", "middle", "root", NOW, Some(NotYetValid)),
        ("client", "middle", "root", NOW, Some(Purpose)),
        ("version1", "middle", "root", NOW, None),
        ("p256", "", "", NOW, Some(SelfSigned)),
        ("p256", "", "p256", NOW, None),
        ("sha1", "", "old-root", NOW, Some(Weak)),
        ("md5", "", "old-root", NOW, Some(Weak)),
        ("rsa1024", "", "rsa1024", NOW, None),
        ("sha256-pss", "", "other-rsa", NOW, None),
        ("sha1-pss", "", "other-rsa", NOW, Some(Weak)),
    ] {
        let all = |names: &str| {
            names.split_whitespace().map(|it| certificate(&format!("{it}.crt"))).collect::<Vec<_>>()
        };
        let ours = verify(&certificate(&format!("{leaf}.crt")), &all(chain), &all(anchors), at);
        let kind = match &ours {
            Verdict::Refused { refusal, .. } => Some(*refusal),
            Verdict::Trusted => None,
            Verdict::NotChecked(why) => panic!("{why}"),
        };
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, names: &str| {
            let all = names.split_whitespace().flat_map(|it| bytes(&format!("{it}.crt")));
            let path = scratch.path().join(name);
            fs::write(&path, all.collect::<Vec<u8>>()).expect("it is ours");
            path.display().to_string()
        };
        let mut arguments = vec![
            "verify",
            "-purpose",
            "sslserver",
            "-auth_level",
            "1",
            "-no-CApath",
            "-no-CAstore",
        ];
        let (anchor_file, chain_file) = (write("anchors", anchors), write("chain", chain));
        if anchors.is_empty() {
            arguments.push("-no-CAfile");
        } else {
            arguments.extend(["-CAfile", &anchor_file]);
        }
        if !chain.is_empty() {
            arguments.extend(["-untrusted", &chain_file]);
        }
        let (at, leaf) = (at.to_string(), format!("{leaf}.crt"));
        arguments.extend(["-attime", &at, &leaf]);
        let output = Command::new("openssl")
            .args(&arguments)
            .current_dir(directory())
            .output()
            .expect("openssl runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            kind.is_none(),
            output.status.success(),
            "{leaf} {chain} {anchors} {at}: {ours:?}\n{said}"
        );
        match &ours {
            Verdict::Refused { reason, depth, .. } => {
                refused += 1;
                assert!(
                    said.contains(reason.as_str()) && said.contains(&format!("at {depth} depth")),
                    "{ours:?}\n{said}"
                );
            }
            Verdict::Trusted | Verdict::NotChecked(_) => trusted += 1,
        }
        assert_eq!(kind, expected, "{leaf} {chain} {anchors} {at}: {ours:?}\n{said}");
    }
    println!(
        "chains: {trusted} trusted as by the openssl program, {refused} refused with its reason"
    );
}

#[test]
fn ca_files_are_loaded_as_by_the_openssl_program() {
    let root = text("root.crt");
    let (mut loaded, mut refused) = (0, 0);
    let bundle =
        fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_else(|_| root.clone().into());
    for (name, bytes, count) in [
        ("one", root.clone().into_bytes(), Some(1)),
        ("two", (root.clone() + &text("middle.crt")).into(), Some(2)),
        ("twice", root.repeat(2).into(), Some(2)),
        (
            "the system's",
            bundle.clone(),
            Some(String::from_utf8_lossy(&bundle).matches("-----BEGIN CERT").count()),
        ),
        ("trusted", bytes("p256.trusted"), Some(1)),
        ("old label", root.replace(" CERTIFICATE", " X509 CERTIFICATE").into(), Some(1)),
        ("list only", bytes("middle.crl"), Some(0)),
        ("key only", bytes("p256.traditional"), None),
        ("key as well", (text("p256.traditional") + &root).into(), Some(1)),
        ("encrypted key as well", (text("p256.encrypted-traditional") + &root).into(), Some(1)),
        ("broken key as well", [pem("RSA PRIVATE KEY", b"x"), root.clone().into()].concat(), None),
        ("other blocks", (text("p256.pub") + &root).into(), Some(1)),
        ("empty", Vec::new(), None),
        ("der", bytes("p256.crt.der"), None),
        ("pkcs7", bytes("p256.p7b"), None),
        ("headers", root.replacen("-----\n", "-----\nComment: x\n\n", 1).into(), None),
        (
            "no certificate inside",
            [pem("CERTIFICATE", b"\x30\0"), root.clone().into()].concat(),
            None,
        ),
        ("broken behind", (root.clone() + "-----BEGIN CERTIFICATE-----\nMAMC\n").into(), None),
        (
            "broken base64 of another kind",
            (root.clone() + "-----BEGIN X-----\n?\n-----END X-----\n").into(),
            None,
        ),
        ("excess", pem("CERTIFICATE", &bytes("p256.excess.der")), Some(1)),
    ] {
        let ours = ca_file(&bytes);
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let path = scratch.path().join("ca");
        fs::write(&path, &bytes).expect("it is ours");
        let mut context =
            openssl::ssl::SslContext::builder(openssl::ssl::SslMethod::tls()).expect("a context");
        let theirs = context.set_ca_file(&path);
        if count.is_some() {
            loaded += 1;
        } else {
            refused += 1;
        }
        // The crate's call takes the names of CAs as well, which a file of lists does not have.
        let lists = name == "list only";
        assert_eq!(ours.is_ok(), theirs.is_ok() || lists, "{name}: {ours:?} {theirs:?}");
        assert_eq!(ours.map(|it| it.len()).ok(), count, "{name}");
    }
    println!("CA files: {loaded} loaded as by OpenSSL, {refused} refused as by OpenSSL");
}

#[test]
fn openssl_opens_the_names_in_a_hashed_directory_that_postls_says() {
    let hash = openssl(&["x509", "-noout", "-subject_hash", "-in", "root.crt"]);
    let hash = hash.trim();
    let other = text("other-rsa.crt");
    for (names, is_found) in [
        (vec![format!("{hash}.0")], true),
        (vec![format!("{hash}.1")], false),
        (vec![format!("{hash}.00")], false),
        (vec![format!("{hash}.r0")], false),
        (vec![format!("{hash}.pem")], false),
        (vec![hash.to_uppercase() + ".0"], false),
        (vec![format!("0{hash}.0")], false),
        // The first is another certificate.
        (vec![format!("{hash}.1"), format!("{hash}.0 other")], true),
        (vec![format!("{hash}.2"), format!("{hash}.0 other")], false),
    ] {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let mut all = Vec::new();
        for name in &names {
            let (name, bytes) = match name.split_once(' ') {
                Some((name, _)) => (name, other.clone()),
                None => (name.as_str(), text("root.crt")),
            };
            fs::write(scratch.path().join("target"), &bytes).expect("it is ours");
            fs::write(scratch.path().join(format!("target-{name}")), &bytes).expect("it is ours");
            symlink(format!("target-{name}"), scratch.path().join(name)).expect("it is ours");
            all.push(name.to_owned());
        }
        let directory = scratch.path().display().to_string();
        let arguments = [
            "verify",
            "-no-CAfile",
            "-no-CAstore",
            "-CApath",
            &directory,
            "-untrusted",
            "middle.crt",
            "leaf.crt",
        ];
        let said = openssl(&arguments);
        assert_eq!(said.contains("OK"), is_found, "{names:?}: {said}");
        let reached = hash_links(all.iter().map(String::as_bytes));
        let ours = names.iter().filter(|it| !it.contains(' ')).any(|it| {
            hash_link(it.as_bytes())
                .is_some_and(|it| format!("{:08x}", it.0) == hash && reached.contains(&it))
        });
        // An upper-case name of digits only is a lower-case one.
        assert_eq!(ours, is_found, "{names:?}: {reached:?}");
    }
}
