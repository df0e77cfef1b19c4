//! Pins of the policy file: the rows that are compiled of them, what openssl says of the same files, and
//! what a real Postfix then does.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use postls::certificate;
use postls::finding::Severity;
use postls::policy::{self, Policies, compile, yaml};
use postls::postfix::Digest;
use postls::rules;
use postls::text::Sources;

use crate::fixture::Fixture;
use crate::lab::{self, Lab, Outcome};

/// The policies of these files of a directory, and what is wrong with them.
fn read(directory: &Path, pins: &str) -> (Policies, Vec<String>) {
    let text = format!(
        "version: 1\ndestinations:\n  a.example:\n    level: fingerprint\n    pins:\n{pins}"
    );
    let mut sources = Sources::default();
    let source = sources.add("postls.yaml", text.as_bytes().to_vec());
    let mut file = yaml::read(source, text.as_bytes(), yaml::Role::Main);
    file.read_pins(&mut |path| {
        fs::read(directory.join(path)).map_err(|_| "there is no such file".to_owned())
    });
    let (policies, problems) = policy::join(vec![file]);
    let said = problems.iter().map(|it| format!("{}: {}", sources.text(it.span), it.text));
    (policies, said.collect())
}

/// What stands in the row behind `match=`.
fn compiled(policies: &Policies, digest: Option<Digest>) -> Vec<String> {
    let rows = compile::rows(policies, digest);
    let words = rows[0].policy.split(' ').filter_map(|it| it.strip_prefix("match="));
    words.map(str::to_owned).collect()
}

fn openssl(directory: &Path, arguments: &str) -> Vec<u8> {
    let mut command = Command::new("openssl");
    command.current_dir(directory).args(arguments.split(' '));
    let output = command.output().expect("openssl is there");
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Keys and certificates of several kinds, made by openssl: `x.key`, `x.pub`, `x.csr`, `x.pem`, and a
/// chain of all certificates, `chain.pem`, which begins with the one of `rsa`.
fn made(directory: &Path) {
    let mut chain = Vec::new();
    for (name, key) in [
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("ec", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("ed", "ED25519"),
    ] {
        openssl(directory, &format!("genpkey -out {name}.key -algorithm {key}"));
        openssl(directory, &format!("pkey -in {name}.key -pubout -out {name}.pub"));
        openssl(directory, &format!("req -new -key {name}.key -subj /CN={name} -out {name}.csr"));
        openssl(directory, &format!("req -x509 -key {name}.key -subj /CN={name} -out {name}.pem"));
        chain.extend(fs::read(directory.join(format!("{name}.pem"))).expect("it was made"));
    }
    fs::write(directory.join("chain.pem"), chain).expect("it can be written");
    let both = [fs::read(directory.join("ec.key")), fs::read(directory.join("ec.pem"))];
    fs::write(directory.join("both.pem"), both.map(Result::unwrap).concat()).expect("it can be");
}

/// The certificate's fingerprint as openssl prints it.
fn of_certificate(directory: &Path, name: &str, digest: Digest) -> String {
    let said = openssl(directory, &format!("x509 -in {name}.pem -noout -fingerprint -{digest}"));
    let said = String::from_utf8(said).expect("it is text");
    said.trim().split_once('=').expect("it is NAME=FINGERPRINT").1.to_owned()
}

/// The public key's, of what openssl makes of it.
fn of_key(directory: &Path, name: &str, digest: Digest) -> String {
    openssl(directory, &format!("pkey -pubin -in {name}.pub -outform DER -out {name}.der"));
    let said = openssl(directory, &format!("dgst -c -{digest} {name}.der"));
    let said = String::from_utf8(said).expect("it is text").to_uppercase();
    said.trim().split_once("= ").expect("it is NAME= FINGERPRINT").1.to_owned()
}

#[test]
fn a_file_gives_what_openssl_prints_in_every_digest() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    made(directory);
    for digest in Digest::ALL {
        let key = |name| of_key(directory, name, digest);
        let certificate = |name| of_certificate(directory, name, digest);
        for (pin, want) in [
            ("pem: rsa.pem", key("rsa")),
            ("{pem: rsa.pem, of: public-key}", key("rsa")),
            ("{pem: rsa.pem, of: certificate}", certificate("rsa")),
            ("pem: rsa.key", key("rsa")),
            ("pem: rsa.pub", key("rsa")),
            ("pem: rsa.csr", key("rsa")),
            ("{pem: chain.pem, of: certificate}", certificate("rsa")),
            ("pem: ec.pem", key("ec")),
            ("{pem: both.pem, of: certificate}", certificate("ec")),
            ("pem: both.pem", key("ec")),
            ("pem: ec.csr", key("ec")),
            ("pem: ed.key", key("ed")),
            ("{pem: ed.pem, of: certificate}", certificate("ed")),
        ] {
            let (policies, problems) = read(directory, &format!("      - {pin}\n"));
            assert_eq!(problems, [] as [&str; 0], "{pin}");
            assert_eq!(compiled(&policies, Some(digest)), [want], "{pin} {digest}");
        }
    }
}

#[test]
fn the_digest_in_force_is_emitted() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    made(directory);
    let key = |digest| of_key(directory, "ec", digest);
    let (sha1, sha256, sha512) = (key(Digest::Sha1), key(Digest::Sha256), key(Digest::Sha512));
    let several = format!("      - public-key: [\"{sha1}\", \"{sha256}\"]\n");
    let with_file = format!("      - {{public-key: \"{sha1}\", pem: ec.pem}}\n");
    for (pins, digest, want) in [
        (&several, Some(Digest::Sha1), &sha1),
        (&several, Some(Digest::Sha256), &sha256),
        // What Postfix does not take stands there for the rules to find it.
        (&several, Some(Digest::Sha512), &sha1),
        (&with_file, Some(Digest::Sha1), &sha1),
        (&with_file, Some(Digest::Sha256), &sha256),
        (&with_file, Some(Digest::Sha512), &sha512),
        // A digest that postls does not know.
        (&with_file, None, &sha1),
    ] {
        let (policies, problems) = read(directory, pins);
        assert_eq!(problems, [] as [&str; 0], "{pins}");
        assert_eq!(compiled(&policies, digest), [want.as_str()], "{pins} {digest:?}");
    }
    let (policies, _) = read(directory, "      - pem: ec.pem\n");
    assert_eq!(compiled(&policies, None), [] as [&str; 0]);
}

#[test]
fn mistakes_are_found_each_at_its_place() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    made(directory);
    fs::write(directory.join("junk.pem"), "nothing\n").expect("it can be written");
    let sha1 = of_key(directory, "ec", Digest::Sha1);
    let other = of_key(directory, "ed", Digest::Sha1);
    let differs = format!("\"{other}\": the public key in \"ec.pem\" has {sha1}");
    let again = format!("\"{other}\": a second sha1 fingerprint, and another one");
    for (pin, want) in [
        ("pem: no.pem", "no.pem: there is no such file"),
        ("pem: junk.pem", "junk.pem: there is no certificate and no key in it"),
        ("{pem: ec.pub, of: certificate}", "ec.pub: there is no certificate in it, only a key"),
        ("{pem: ec.csr, of: certificate}", "ec.csr: there is no certificate in it, only a key"),
        (&format!("{{public-key: \"{other}\", pem: ec.pem}}"), &differs),
        (&format!("{{public-key: [\"{sha1}\", \"{other}\"]}}"), &again),
        ("{pem: ec.pem, of: key}", "key: \"key\" cannot stand in of"),
        (
            &format!("{{public-key: \"{sha1}\", pem: ec.pem, of: certificate}}"),
            "certificate: the fingerprint beside it is that of a public key",
        ),
        (
            &format!("{{public-key: \"{sha1}\", of: public-key}}"),
            "public-key: this belongs to pem, which is not there",
        ),
        (
            &format!("{{public-key: \"{sha1}\", certificate: \"{sha1}\"}}"),
            "certificate: a pin is of a key or of a certificate; this is a second one",
        ),
        ("{public-key: []}", "[]: public-key is an empty list"),
        ("{pem: [ec.pem]}", "[ec.pem]: pem must be text, and is a list"),
        ("{of: certificate}", "certificate: this belongs to pem, which is not there"),
    ] {
        let (_, problems) = read(directory, &format!("      - {pin}\n"));
        assert_eq!(problems.first().map(String::as_str), Some(want), "{pin}: {problems:?}");
    }
}

/// A server with the key gets the mail, however the pin is given; another one does not.
#[test]
fn mail_goes_to_the_server_that_has_the_pinned_key() {
    lab::with_each(|postfix| {
        let [sha1, sha256] = ["sha1", "sha256"].map(lab::public_key_fingerprint);
        let scratch = tempfile::tempdir().expect("a temporary directory");
        made(scratch.path());
        let file = |name: &str| fs::read(scratch.path().join(name)).expect("it was made");
        let other = of_key(scratch.path(), "ec", Digest::Sha256);
        let given = [
            ("pem-key.example", "pem: pins/server.pem".to_owned(), true),
            ("pem-certificate.example", "pem: pins/server.pem, of: certificate".to_owned(), true),
            ("sha256.example", format!("public-key: \"{sha256}\""), true),
            ("two.example", format!("public-key: [\"{sha1}\", \"{sha256}\"]"), true),
            ("beside.example", format!("public-key: \"{sha1}\", pem: pins/server.pem"), true),
            ("other-pem.example", "pem: pins/other.pem".to_owned(), false),
            ("other.example", format!("public-key: \"{other}\""), false),
        ];
        let mut policy = String::from(
            "version: 1\ntable: {type: texthash}\n\
             parameters: {smtp_tls_fingerprint_digest: sha256}\ndestinations:\n",
        );
        for (name, pin, _) in &given {
            writeln!(policy, "  {name}: {{level: fingerprint, pins: [{{{pin}}}]}}").unwrap();
        }
        let mut lab = Lab::new(
            postfix,
            &[
                ("main.cf", b"# ours\n"),
                ("postls.yaml", policy.as_bytes()),
                ("pins/other.pem", &file("ec.pem")),
            ],
        );
        let certificate = fs::read(lab.path("certificate.pem")).expect("the lab has one");
        lab.write("pins/server.pem", &certificate);
        let mut apply = lab.outside(env!("CARGO_BIN_EXE_postls"));
        let output = apply.args(["apply", "-c"]).arg(lab.config_dir()).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lab.start();
        let names: Vec<&str> = given.iter().map(|it| it.0).collect();
        lab.send(&names);
        for (name, pin, takes) in &given {
            match lab.outcome(name) {
                Outcome::Sent { tls } => {
                    assert_eq!((tls.as_deref(), *takes), (Some("Verified"), true), "{name}: {pin}");
                }
                Outcome::Deferred { .. } => assert!(!takes, "{name}: {pin}"),
                outcome => panic!("{name}: {outcome:?}"),
            }
        }
        // A file that is another one since then makes another plan.
        lab.write("pins/other.pem", &file("rsa.pem"));
        let mut diff = lab.outside(env!("CARGO_BIN_EXE_postls"));
        let output = diff.args(["diff", "-c"]).arg(lab.config_dir()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&of_key(scratch.path(), "rsa", Digest::Sha256)), "{said}");
        lab.stop();
    });
}

/// Nor names nor validity nor issuer count at level fingerprint, so `pin status` speaks of a certificate's end
/// only because the server will get another one.
#[test]
fn mail_goes_to_a_server_whose_pinned_certificate_has_ended() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let here = lab.path("");
        openssl(&here, "req -new -key key.pem -subj /CN=other.example -out ended.csr");
        openssl(&here, "x509 -req -in ended.csr -signkey key.pem -days -1 -out ended.pem");
        let read = |name: &str| fs::read(lab.path(name)).expect("it was made");
        let chain = [read("key.pem"), read("ended.pem")].concat();
        let pin = of_certificate(&here, "ended", Digest::Sha256);
        fs::write(lab.path("server.pem"), chain).expect("the lab is ours");
        lab.write(
            "main.cf",
            b"smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
              smtp_tls_fingerprint_digest = sha256\n",
        );
        let policy = format!(
            "ended.example fingerprint match={pin}\ntrusted.example secure match=other.example\n"
        );
        lab.write("tls_policy", policy.as_bytes());
        lab.start();
        lab.send(&["ended.example", "trusted.example"]);
        let verified = Outcome::Sent { tls: Some("Verified".to_owned()) };
        assert_eq!(lab.outcome("ended.example"), verified);
        // The receiver does show that one.
        assert!(matches!(lab.outcome("trusted.example"), Outcome::Deferred { .. }));
        lab.stop();
    });
}

/// Runs postls in a directory; what it says, and on which of the two.
fn postls(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.args(arguments).args(["--postfix", "3.7", "-c"]).arg(directory);
    let output = command.output().expect("the program was built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn names_of_files_are_relative_to_the_file_that_says_them() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let (directory, elsewhere) = (directory.path(), elsewhere.path());
    made(elsewhere);
    let put = |name: &str, text: &[u8]| {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("it is in the directory")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    };
    let made = |name: &str| fs::read(elsewhere.join(name)).expect("it was made");
    put("main.cf", b"smtp_tls_fingerprint_digest = sha256\n");
    put("pins/rsa.pem", &made("rsa.pem"));
    put("partners/keys/ec.pub", &made("ec.pub"));
    let absolute = elsewhere.join("ed.key");
    let policy = |pem: &str| {
        format!(
            "version: 1\ninclude: [partners/*.yaml]\ndestinations:\n  \
               b.example: {{level: fingerprint, pins: [{{pem: {pem}}}]}}\n"
        )
    };
    let included = "destinations: {a.example: {level: fingerprint, pins: [{pem: keys/ec.pub}]}}\n";
    put("partners/a.yaml", included.as_bytes());
    for (pem, name) in [
        ("pins/rsa.pem", "rsa"),
        ("./pins/../pins/rsa.pem", "rsa"),
        (&*absolute.to_string_lossy(), "ed"),
        // This directory is none of this host's: it is a copy.
        ("/etc/postfix/pins/rsa.pem", "rsa"),
    ] {
        put("postls.yaml", policy(pem).as_bytes());
        let (status, table, said) = postls(directory, &["compile"]);
        assert_eq!((status, said.as_str()), (Some(0), ""), "{pem}");
        let [a, b] = ["ec", name].map(|it| of_key(elsewhere, it, Digest::Sha256));
        let rows: Vec<&str> = table.lines().filter(|it| !it.starts_with('#')).collect();
        let want = format!("a.example fingerprint match={a}\nb.example fingerprint match={b}");
        assert_eq!(rows.join("\n").replace("\n   ", ""), want, "{pem}");
    }
    for (pem, why) in [("keys/ec.pub", "there is no such file"), ("pins", "is a directory")] {
        put("postls.yaml", policy(pem).as_bytes());
        let (status, _, said) = postls(directory, &["compile"]);
        assert_eq!(status, Some(2), "{pem}");
        assert!(said.contains("pin-file-unusable") && said.contains(why), "{said}");
    }
    // Without main.cf it is the digest that the policy file wants.
    fs::remove_file(directory.join("main.cf")).expect("it is there");
    let wanted = policy("pins/rsa.pem") + "parameters: {smtp_tls_fingerprint_digest: sha512}\n";
    put("postls.yaml", wanted.as_bytes());
    let (_, table, _) = postls(directory, &["compile"]);
    assert!(table.contains(&of_key(elsewhere, "rsa", Digest::Sha512)), "{table}");
}

/// What postls runs while it makes the plan replaces the file: the table would have the old key.
#[test]
fn a_file_that_changes_meanwhile_is_read_again() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    made(directory);
    let policy =
        "version: 1\ndestinations: {a.example: {level: fingerprint, pins: [{pem: x.pem}]}}\n";
    let put = |name: &str, text: &str| fs::write(directory.join(name), text).expect("it can be");
    put("main.cf", "smtp_tls_fingerprint_digest = sha256\n");
    put("postls.yaml", policy);
    put("postconf", "#!/bin/sh\nsh meanwhile >>log\necho texthash\n");
    fs::set_permissions(directory.join("postconf"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap_or_default());
    let apply = |meanwhile: &str| {
        fs::copy(directory.join("rsa.pem"), directory.join("x.pem")).expect("it was made");
        put("meanwhile", meanwhile);
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.current_dir(directory).env("PATH", &path).args(["apply", "-c", "."]);
        let output = command.output().expect("the program was built");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // Other bytes each time: there is never a plan that is still true when it is made.
    let (status, said) = apply("echo x >>x.pem");
    assert!(status != Some(0) && said.contains("x.pem changed in the meantime"), "{said}");
    assert!(!directory.join("tls_policy").exists(), "nothing was written");
    // Once, and then no more.
    let (status, said) = apply("cp ec.pem x.pem");
    assert_eq!(status, Some(0), "{said}");
    let table = fs::read_to_string(directory.join("tls_policy")).expect("it was written");
    assert!(table.contains(&of_key(directory, "ec", Digest::Sha256)), "{table}");
}

#[test]
fn a_pin_is_as_bad_as_what_becomes_of_the_mail() {
    const PIN: &str = "5D:0A:11:C2:9E:4B:77:60:83:FA:2D:1C:B8:96:E0:54:3F:A7:CC:81";
    const NOBODYS: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
    const SAMPLE: &str = "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B";
    const TABLE: &str = "==> main.cf <==\nsmtp_tls_policy_maps = texthash:$config_directory/t\n\
                         smtp_tls_fingerprint_digest = sha1\n==> t <==\n";
    const POLICY: &str = "==> main.cf <==\nsmtp_tls_fingerprint_digest = sha256\n\
                          ==> postls.yaml <==\nversion: 1\ndestinations: ";
    let row = |pins: &str| format!("{TABLE}a.example fingerprint match={pins}\n");
    let entries =
        |pins: &str| format!("{POLICY}{{a.example: {{level: fingerprint, pins: [{pins}]}}}}\n");
    let sha256 = certificate::fingerprint(Digest::Sha256, b"x");
    for (text, rule, want) in [
        (row(NOBODYS), "placeholder-pin", vec![Severity::Error]),
        (row(&format!("{NOBODYS}|{PIN}")), "placeholder-pin", vec![Severity::Warning]),
        (row(SAMPLE), "placeholder-pin", vec![Severity::Warning]),
        (row(PIN), "single-pin", vec![Severity::Warning]),
        (row(&format!("{PIN}|{PIN}")), "duplicate-pin", vec![Severity::Advice]),
        // What cannot be written is refused, also beside others.
        (
            entries(&format!("{{public-key: \"{PIN}\"}}, {{public-key: \"{sha256}\"}}")),
            "fingerprint-length-mismatch",
            vec![Severity::Error],
        ),
        (
            entries(&format!("{{public-key: [\"{PIN}\", \"{sha256}\"]}}")),
            "fingerprint-length-mismatch",
            vec![],
        ),
        // A mistake is found once.
        (entries("{pem: no.pem}"), "fingerprint-without-pins", vec![]),
        (entries("{pem: no.pem}"), "pin-file-unusable", vec![Severity::Error]),
        (entries("{public-key: zz}"), "fingerprint-without-pins", vec![]),
    ] {
        let rule = rules::find(rule).expect("it is a rule");
        let found = Fixture::new(&text).found_by(rule);
        assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), want, "{text}");
    }
}

/// sha1 becomes sha256 in one step, and mail goes on.
#[test]
fn all_pins_change_their_digest_in_one_step() {
    lab::with_each(|postfix| {
        let pin = lab::public_key_fingerprint("sha1");
        let policy = format!(
            "version: 1\ntable: {{type: texthash}}\n\
             parameters:\n  smtp_tls_fingerprint_digest: sha1 # as ever\n\
             destinations:\n  a.example:\n    level: fingerprint\n    pins:\n      \
               - public-key: \"{pin}\" # theirs\n        pem: server.pem\n"
        );
        let mut lab =
            Lab::new(postfix, &[("main.cf", b"# ours\n"), ("postls.yaml", policy.as_bytes())]);
        let certificate = fs::read(lab.path("certificate.pem")).expect("the lab has one");
        lab.write("server.pem", &certificate);
        let postls = |arguments: &[&str]| {
            let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
            let output = command.args(arguments).arg("-c").arg(lab.config_dir()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        postls(&["apply"]);
        postls(&["lint", "--fix"]);
        let fixed = fs::read_to_string(lab.config_dir().join("postls.yaml")).expect("it is there");
        let sha256 = lab::public_key_fingerprint("sha256");
        let want = policy.replace("digest: sha1", "digest: sha256").replace(&pin, &sha256);
        assert_eq!(fixed, want);
        postls(&["apply"]);
        let digest = lab.run("postconf", &["-h", "smtp_tls_fingerprint_digest"]).stdout;
        assert_eq!(String::from_utf8_lossy(&digest), "sha256\n");
        lab.start();
        lab.send(&["a.example"]);
        assert_eq!(lab.outcome("a.example"), Outcome::Sent { tls: Some("Verified".to_owned()) });
        lab.stop();
    });
}

/// What is written into a file has the line ends that are there.
#[test]
fn a_digest_of_main_cf_is_replaced_in_a_file_with_carriage_returns() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let sha256 = lab::public_key_fingerprint("sha256");
    let policy = format!(
        "version: 1\r\nparameters:\r\n  relayhost: x\r\ndestinations:\r\n  a.example:\r\n    \
         level: fingerprint\r\n    pins:\r\n    - public-key: [\"{}\", \"{sha256}\"]\r\n",
        lab::public_key_fingerprint("sha1")
    );
    let write = |name: &str, text: &str| {
        fs::write(directory.path().join(name), text).expect("it can be written");
    };
    write("main.cf", "smtp_tls_fingerprint_digest = sha1\n");
    write("postls.yaml", &policy);
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.args(["lint", "--fix", "-c"]).arg(directory.path()).output().expect("it is built");
    let fixed = fs::read_to_string(directory.path().join("postls.yaml")).expect("it is there");
    let owned = "parameters:\r\n  smtp_tls_fingerprint_digest: sha256\r\n";
    assert_eq!(fixed, policy.replace("parameters:\r\n", owned));
}
