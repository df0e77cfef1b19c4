//! `postls fingerprint`: what it prints is what openssl and Postfix make of the same files.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use postls::certificate::{Of, subject_of_der};
use postls::postfix::Digest;
use serde_json::Value;
use tempfile::TempDir;

use crate::generator;
use crate::lab::{self, Lab, Outcome};

/// What `openssl genpkey` takes.
const KEYS: &[(&str, &[&str])] = &[
    ("rsa1024", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
    ("rsa2048", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("pss", &["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("p521", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("k1", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    ("ed25519", &["-algorithm", "ED25519"]),
    ("ed448", &["-algorithm", "ED448"]),
];

/// Runs the openssl program in a directory.
pub(crate) fn openssl(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    let output = command.output().expect("openssl is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs postls in a directory, where no configuration is but one that is named.
pub(crate) fn postls(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.args(arguments).current_dir(directory).env_remove("MAIL_CONFIG").stdin(Stdio::null());
    command.output().expect("it is built")
}

#[track_caller]
pub(crate) fn printed(output: Output, status: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{said}");
    String::from_utf8(output.stdout).expect("it is text")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `hex` or `HE:X0`, whichever: the pairs.
fn pairs(text: &str) -> String {
    text.replace(':', "").to_ascii_uppercase()
}

/// A directory with `NAME.key`, `NAME.pem` and `NAME.csr`.
fn made(name: &str, key: &[&str]) -> TempDir {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let at = scratch.path();
    let (key_file, pem, csr) =
        (format!("{name}.key"), format!("{name}.pem"), format!("{name}.csr"));
    openssl(at, &[&["genpkey", "-out", &key_file], key].concat());
    let subject = ["-subj", "/O=a \"b\" \\\\ c/CN=mx.partner.example", "-key", &key_file];
    openssl(at, &[&["req", "-x509", "-days", "30", "-out", &pem], &subject[..]].concat());
    openssl(at, &[&["req", "-new", "-out", &csr], &subject[..]].concat());
    scratch
}

#[test]
fn fingerprints_are_those_that_openssl_prints() {
    let mut equal = 0;
    for (name, key) in KEYS {
        let scratch = made(name, key);
        let at = scratch.path();
        let [key, pem, csr] = ["key", "pem", "csr"].map(|it| format!("{name}.{it}"));
        for (of, inside, out) in
            [("x509", pem.as_str(), "pem.der"), ("req", &csr, "csr.der"), ("pkey", &key, "key.der")]
        {
            openssl(at, &[of, "-in", inside, "-outform", "DER", "-out", out]);
        }
        openssl(at, &["pkey", "-in", &key, "-pubout", "-out", "public.pem"]);
        openssl(at, &["pkey", "-in", &key, "-pubout", "-outform", "DER", "-out", "public.der"]);
        let files =
            [pem.as_str(), &csr, &key, "public.pem", "pem.der", "csr.der", "key.der", "public.der"];
        let options = ["fingerprint", "--digest", "all", "--format", "json"];
        let text = printed(postls(at, &[&options[..], &files].concat()), 0);
        let found: Value = serde_json::from_str(&text).expect("it is JSON");
        let items = found["items"].as_array().expect("it is a list");
        assert_eq!(items.len(), files.len(), "{name}");
        for digest in Digest::ALL {
            let digest = digest.name();
            let option = format!("-{digest}");
            let of_key = openssl(at, &["dgst", &option, "-r", "public.der"]);
            let of_key = String::from_utf8_lossy(&of_key).into_owned();
            let of_key = of_key.split(' ').next().expect("it prints one");
            let whole = openssl(at, &["x509", "-in", &pem, "-noout", "-fingerprint", &option]);
            let whole = String::from_utf8_lossy(&whole).trim().to_owned();
            let (_, whole) = whole.split_once('=').expect("it prints one");
            for (file, item) in files.iter().zip(items) {
                let made = &item["fingerprints"];
                let text = made["public_key"][digest].as_str().expect("it is text");
                assert_eq!(pairs(text), pairs(of_key), "{name} {file} {digest}");
                equal += 1;
                match made["certificate"][digest].as_str() {
                    // To the letter: it is Postfix's form.
                    Some(text) => assert_eq!(text, whole, "{name} {file} {digest}"),
                    None => assert!(!file.contains("pem") || *file == "public.pem", "{file}"),
                }
            }
            equal += 2;
        }
    }
    println!("{} kinds of keys: {equal} fingerprints equal, 0 different", KEYS.len());
}

/// Bare DER that was changed or cut is read or not, and never more or less than the whole of it.
#[test]
fn changed_der_is_read_whole_or_not() {
    let scratch = made("p256", KEYS[3].1);
    let at = scratch.path();
    let der = ["x509", "req", "pkey"].map(|of| {
        let file = match of {
            "x509" => "p256.pem",
            "req" => "p256.csr",
            _ => "p256.key",
        };
        openssl(at, &[of, "-in", file, "-outform", "DER"])
    });
    let mut read = 0;
    generator::rounds(3000, |seed, round, random| {
        let mut bytes = der[random.below(der.len())].clone();
        for _ in 0..random.below(3) {
            let place = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.truncate(place.max(1)),
                1 => bytes.insert(place, 0x30),
                _ => bytes[place] = u8::try_from(random.below(256)).expect("it is one"),
            }
        }
        let _shown = generator::Shown { seed, round, input: &bytes };
        let Some(subject) = subject_of_der(&bytes) else { return };
        read += 1;
        assert!(subject.fingerprint(Of::PublicKey, Digest::Sha256).is_some());
        if let Some(certificate) = subject.certificate() {
            assert_eq!(certificate.der(), bytes);
        }
    });
    assert!(read > 1000, "only {read} were read");
}

#[test]
fn the_digest_is_the_one_that_the_configuration_needs() {
    let scratch = made("p256", KEYS[3].1);
    let at = scratch.path();
    for (main_cf, master_cf, policy, digest, from) in [
        ("", "", "", "md5", "default of smtp_tls_fingerprint_digest since 3.6"),
        (
            "compatibility_level = 3.6\n",
            "",
            "",
            "sha256",
            "default of smtp_tls_fingerprint_digest since 3.6",
        ),
        (
            "# x\nsmtp_tls_fingerprint_digest = sha512\n",
            "",
            "",
            "sha512",
            "main.cf:2 smtp_tls_fingerprint_digest",
        ),
        (
            "smtp_tls_fingerprint_digest = SHA-1\n",
            "",
            "",
            "sha1",
            "main.cf:1 smtp_tls_fingerprint_digest",
        ),
        (
            "smtp_tls_fingerprint_digest = sha1\n",
            "smtp unix - - n - - smtp\n  -o smtp_tls_fingerprint_digest=sha384\n",
            "",
            "sha384",
            "master.cf:2 smtp_tls_fingerprint_digest",
        ),
        (
            "smtp_tls_fingerprint_digest = sha1\n",
            "",
            "version: 1\nparameters: {smtp_tls_fingerprint_digest: sha256}\n",
            "sha256",
            "postls.yaml:2 smtp_tls_fingerprint_digest",
        ),
        (
            "smtp_tls_fingerprint_digest = sha1\nlmtp_tls_fingerprint_digest = sha224\n",
            "",
            "version: 1\ntable: {parameter: lmtp_tls_policy_maps}\n",
            "sha224",
            "main.cf:2 lmtp_tls_fingerprint_digest",
        ),
    ] {
        let etc = tempfile::tempdir_in(at).expect("a temporary directory");
        for (name, text) in
            [("main.cf", main_cf), ("master.cf", master_cf), ("postls.yaml", policy)]
        {
            if !text.is_empty() || name == "main.cf" {
                fs::write(etc.path().join(name), text).expect("it can be written");
            }
        }
        let directory = etc.path().to_string_lossy();
        let run = |more: &[&str]| {
            let options = ["fingerprint", "-c", &directory, "--postfix", "3.7", "p256.pem"];
            printed(postls(at, &[&options, more].concat()), 0)
        };
        let found: Value = serde_json::from_str(&run(&["--format", "json"])).expect("it is JSON");
        assert_eq!((&found["digest"], &found["digest_from"]), (&digest.into(), &from.into()));
        let human = run(&[]);
        assert!(human.contains(&format!("\n  * {digest:<7} ")), "{human}");
        assert!(
            human.contains(&format!("{digest} is what this configuration needs: {from}")),
            "{human}"
        );
        let made = &found["items"][0]["fingerprints"];
        let pin = made["public_key"][digest].as_str().expect("it is text");
        assert!(run(&["--yaml"]).contains(&format!("- public-key: \"{pin}\"\n")), "{digest}");
        let whole = made["certificate"][digest].as_str().expect("it is text");
        assert_eq!(run(&["--match", "--of", "certificate"]), format!("match={whole}\n"));
    }
}

#[test]
fn what_postls_does_not_make_is_said() {
    let scratch = made("p256", KEYS[3].1);
    let at = scratch.path();
    fs::create_dir(at.join("etc")).expect("it can be made");
    fs::write(at.join("etc/main.cf"), "smtp_tls_fingerprint_digest = sha3-256\n").unwrap();
    let run = |more: &[&str]| postls(at, &[&["fingerprint", "p256.pem"], more].concat());
    let human = printed(run(&["-c", "etc"]), 0);
    assert!(
        human.contains("needs \"sha3-256\", which postls does not make: main.cf:1 "),
        "{human}"
    );
    for option in ["--yaml", "--match"] {
        let output = run(&["-c", "etc", option]);
        assert!(said(&output).contains("sha3-256"), "{}", said(&output));
        assert_eq!(printed(output, 2), "");
        assert!(printed(run(&["-c", "etc", option, "--digest", "sha256"]), 0).contains(':'));
    }
    let output = run(&["--match", "--digest", "sha1,sha256"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    // Named, and not there.
    assert!(said(&run(&["-c", "nowhere"])).contains("main.cf: there is no such file"));
}

#[test]
fn a_bad_file_keeps_no_other_from_being_printed() {
    let scratch = made("p256", KEYS[3].1);
    let at = scratch.path();
    for (cipher, style, out) in
        [("-aes256", "pkey", "pkcs8.pem"), ("-aes128", "ec", "traditional.pem")]
    {
        let word = ["-passout", "pass:x", "-out", out];
        openssl(at, &[&[style, cipher, "-in", "p256.key"], &word[..]].concat());
    }
    let word = ["-passout", "pass:", "-out", "both.p12"];
    let both = ["pkcs12", "-export", "-inkey", "p256.key", "-in", "p256.pem"];
    openssl(at, &[&both, &word[..]].concat());
    fs::write(at.join("text.pem"), "no certificate\n").unwrap();
    let bad = ["pkcs8.pem", "traditional.pem", "both.p12", "text.pem", "missing.pem", "."];
    let output = postls(at, &[&["fingerprint"], &bad[..], &["p256.pem"]].concat());
    let text = said(&output);
    for (file, what) in [
        ("pkcs8.pem", "encrypted: \"openssl pkey -pubout -in pkcs8.pem\" makes its public key"),
        ("traditional.pem", "encrypted: \"openssl pkey -pubout -in traditional.pem\""),
        ("both.p12", "\"openssl pkcs12 -nodes -in both.p12\" makes PEM of it"),
        ("text.pem", "there is no certificate and no key in it"),
        ("missing.pem", "there is no such file"),
        (".", "is a directory"),
    ] {
        let is_it =
            |line: &str| line.starts_with(&format!("postls: {file}: ")) && line.contains(what);
        assert!(text.lines().any(is_it), "{file}: {text}");
    }
    assert!(printed(output, 2).starts_with("p256.pem: certificate\n"));
    let output = postls(at, &["fingerprint", "--yaml", "--of", "certificate", "p256.key"]);
    assert!(said(&output).contains("there is no certificate in it"), "{}", said(&output));
    let output = postls(at, &["fingerprint", "-", "-"]);
    assert!(said(&output).contains("standard input can be read once"), "{}", said(&output));
}

/// Of a file with several the first certificate is the one that is pinned.
#[test]
fn of_a_chain_the_first_certificate_is_pinned() {
    let (leaf, other) = (made("a", KEYS[3].1), made("b", KEYS[3].1));
    let read = |name: &str| {
        let place = if name.starts_with('a') { &leaf } else { &other };
        fs::read(place.path().join(name)).expect("openssl wrote it")
    };
    let at = leaf.path();
    fs::write(at.join("chain.pem"), [read("a.key"), read("a.pem"), read("b.pem")].concat())
        .unwrap();
    let run = |file: &str, more: &[&str]| {
        printed(postls(at, &[&["fingerprint", file], more].concat()), 0)
    };
    for of in ["public-key", "certificate"] {
        let options = ["--match", "--of", of];
        assert_eq!(run("chain.pem", &options), run("a.pem", &options));
    }
    let human = run("chain.pem", &[]);
    let heads: Vec<&str> = human.lines().filter(|it| it.starts_with("chain.pem")).collect();
    assert_eq!(
        heads,
        [
            "chain.pem: private key, 1 of 3",
            "chain.pem: certificate, 2 of 3: this one is pinned",
            "chain.pem: certificate, 3 of 3"
        ]
    );
}

/// What --yaml prints is a list of pins to our own reader, whatever the names in it are.
#[test]
fn pins_can_be_pasted() {
    let scratch = made("p256", KEYS[3].1);
    let at = scratch.path();
    let odd = "a \" # ' : {\n.key";
    fs::copy(at.join("p256.key"), at.join(odd)).unwrap();
    fs::create_dir(at.join("etc")).unwrap();
    let main_cf =
        "compatibility_level = 3.6\nsmtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n";
    fs::write(at.join("etc/main.cf"), main_cf).unwrap();
    let several: &[&str] = &["--yaml", "--digest", "md5,sha256,sha512"];
    for (of, files, yaml, begin) in [
        ("public-key", &["p256.pem", odd][..], &["--yaml"][..], "\""),
        ("certificate", &["p256.pem"], &["--yaml"], "\""),
        ("public-key", &["p256.pem", odd], several, "[\""),
        ("certificate", &["p256.pem"], several, "[\""),
    ] {
        let run = |option: &[&str]| {
            let options = ["fingerprint", "-c", "etc", "--postfix", "3.7", "--of", of];
            printed(postls(at, &[&options, option, files].concat()), 0)
        };
        let policy = format!(
            "version: 1\ntable: {{type: texthash}}\ndestinations:\n  mx.partner.example:\n    level: fingerprint\n    pins:\n{}",
            run(yaml)
        );
        let pins = policy.matches(&format!("\n      - {of}: {begin}")).count();
        assert_eq!(pins, files.len(), "{policy}");
        fs::write(at.join("etc/postls.yaml"), &policy).unwrap();
        let table = printed(postls(at, &["compile", "-c", "etc"]), 0);
        let row = run(&["--match"]).replace('|', " match=");
        let compiled = table.split_whitespace().filter(|it| it.starts_with("match="));
        let mut compiled: Vec<&str> = compiled.collect();
        compiled.dedup();
        assert_eq!(compiled, row.split_whitespace().collect::<Vec<_>>(), "{policy}");
    }
}

/// A Postfix with a row made by us sends to the server with the key, and to no other.
#[test]
fn postfix_takes_what_is_printed_for_its_tables() {
    lab::with_each(|postfix| {
        let main_cf = b"smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
            smtp_tls_fingerprint_digest = sha256\n";
        let mut lab = Lab::new(postfix, &[("main.cf", main_cf)]);
        let other = made("other", KEYS[3].1);
        let run = |file: &Path, of: &str| {
            let file = file.to_string_lossy().into_owned();
            let config = lab.config_dir().to_string_lossy().into_owned();
            let options = ["fingerprint", "-c", &config, "--match", "--of", of, &file];
            printed(postls(other.path(), &options), 0)
        };
        let rows = [
            ("a.example", run(&lab.path("key.pem"), "public-key")),
            ("b.example", run(&lab.path("server.pem"), "public-key")),
            ("c.example", run(&lab.path("server.pem"), "certificate")),
            ("d.example", run(&other.path().join("other.pem"), "public-key")),
        ];
        let rows = rows.map(|(domain, pin)| format!("{domain} fingerprint {pin}"));
        lab.write("tls_policy", rows.concat().as_bytes());
        assert!(lab.start().status.success(), "{}", lab.log());
        lab.send(&["a.example", "b.example", "c.example", "d.example"]);
        for domain in ["a.example", "b.example", "c.example"] {
            let outcome = lab.outcome(domain);
            assert!(matches!(outcome, Outcome::Sent { .. }), "{domain}: {outcome:?}");
        }
        let outcome = lab.outcome("d.example");
        assert!(matches!(outcome, Outcome::Deferred { .. }), "{outcome:?}");
    });
}

/// Who trusts a certificate is what `openssl verify` says, with what stands behind it in its file.
#[cfg(feature = "openssl")]
#[test]
fn a_certificate_is_trusted_by_whom_openssl_says() {
    let scratch = made("server", KEYS[3].1);
    let at = scratch.path();
    let signed = |name: &str, by: &str, extensions: &str| {
        fs::write(at.join("extensions"), extensions).expect("it can be written");
        let [key, csr, out] = ["key", "csr", "pem"].map(|it| format!("{name}.{it}"));
        let [ca, ca_key] = ["pem", "key"].map(|it| format!("{by}.{it}"));
        if !at.join(&key).exists() {
            openssl(at, &[&["genpkey", "-out", &key], KEYS[3].1].concat());
        }
        openssl(at, &["req", "-new", "-key", &key, "-subj", &format!("/CN={name}"), "-out", &csr]);
        let request = ["x509", "-req", "-in", &csr, "-days", "30", "-out", &out];
        let issuer: &[&str] = if by == name {
            &["-signkey", &key, "-extfile", "extensions"]
        } else {
            &["-CA", &ca, "-CAkey", &ca_key, "-set_serial", "7", "-extfile", "extensions"]
        };
        openssl(at, &[&request[..], issuer].concat());
        fs::read(at.join(out)).expect("it was made")
    };
    let authority = "basicConstraints = critical, CA:TRUE\n";
    let root = signed("root", "root", authority);
    let middle = signed("middle", "root", authority);
    let server = signed("server", "middle", "subjectAltName = DNS:mx.partner.example\n");
    let client = signed("client", "middle", "extendedKeyUsage = clientAuth\n");
    let alone = signed("alone", "alone", "subjectAltName = DNS:mx.partner.example\n");
    fs::write(at.join("main.cf"), "smtp_tls_CAfile = /etc/postfix/root.pem\n").expect("it can be");
    let mut trusted = 0;
    for (parts, reason) in [
        (vec![&server, &middle], None),
        (vec![&server, &middle, &root], None),
        (vec![&root], None),
        (vec![&server], Some("no trusted issuer is found")),
        (vec![&server, &alone], Some("no trusted issuer is found")),
        (vec![&client, &middle], Some("a certificate is not for this purpose")),
        (vec![&alone], Some("it ends with a certificate that signed itself")),
    ] {
        let chain: Vec<u8> = parts.iter().flat_map(|it| it.iter().copied()).collect();
        fs::write(at.join("chain.pem"), chain).expect("it can be written");
        fs::write(at.join("own.pem"), parts[0]).expect("it can be written");
        let verify = ["-purpose", "sslserver", "-CAfile", "root.pem", "-untrusted", "chain.pem"];
        let mut openssl = Command::new("openssl");
        openssl.current_dir(at).arg("verify").args(verify).args(["-no-CApath", "own.pem"]);
        let holds = openssl.output().expect("openssl is installed").status.success();
        assert_eq!(holds, reason.is_none(), "{reason:?}");
        let options = ["fingerprint", "-c", ".", "--format", "json", "chain.pem"];
        let said: Value = serde_json::from_str(&printed(postls(at, &options), 0)).expect("JSON");
        let by = said["items"][0]["trust"].as_array().expect("it is a list");
        assert_eq!(by[0]["by"], "smtp_tls_CAfile (/etc/postfix/root.pem)");
        assert_eq!((&by[0]["trusted"], by[0]["reason"].as_str()), (&holds.into(), reason));
        // Of this system's own authorities none has signed any of these.
        assert!(by[1..].iter().all(|it| it["trusted"] == false), "{by:?}");
        trusted += usize::from(holds);
    }
    assert_eq!(trusted, 3);
    fs::remove_file(at.join("root.pem")).expect("it is there");
    let text = printed(postls(at, &["fingerprint", "-c", ".", "own.pem"]), 0);
    let wanted = "trusted   by smtp_tls_CAfile (/etc/postfix/root.pem): not known: there is no such file in this copy";
    assert!(text.contains(wanted), "{text}");
}
