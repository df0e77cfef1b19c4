//! `postls publish`: the keys that smtpd(8) has, for partners and for DNS.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::fingerprint::{openssl, postls, printed};
use crate::lab::{self, Lab, Outcome};

const MASTER_CF: &str = "smtp inet n - n - - smtpd\nsubmissions inet n - n - - smtpd\n  \
    -o smtpd_tls_wrappermode=yes\n127.0.0.1:10025 inet n - n - - smtpd\n";

/// Makes `NAME.key` and `NAME.pem` for the host `NAME`.
fn make(at: &Path, name: &str, key: &str) {
    let [key_file, pem] = ["key", "pem"].map(|it| format!("{name}.{it}"));
    let subject = format!("/CN={name}");
    let kind: &[&str] = if key == "rsa" {
        &["-newkey", "rsa:2048"]
    } else {
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    };
    let rest = ["-nodes", "-keyout", &key_file, "-out", &pem, "-subj", &subject, "-days", "30"];
    openssl(at, &[&["req", "-x509"], kind, &rest].concat());
}

/// The data of the TLSA record, by openssl alone.
fn tlsa(at: &Path, pem: &str) -> String {
    let key = openssl(at, &["x509", "-in", pem, "-noout", "-pubkey"]);
    fs::write(at.join("public"), key).unwrap();
    openssl(at, &["pkey", "-pubin", "-in", "public", "-outform", "DER", "-out", "public.der"]);
    let digest = openssl(at, &["dgst", "-sha256", "-r", "public.der"]);
    let digest = String::from_utf8(digest).expect("it is text");
    format!("3 1 1 {}", digest.split(' ').next().expect("it prints one"))
}

/// What is printed as a zone for a main.cf, without comments; what is said.
fn zone(
    at: &Path,
    main_cf: &str,
    master_cf: &str,
    more: &[&str],
    status: i32,
) -> (Vec<String>, String) {
    fs::write(at.join("main.cf"), main_cf).unwrap();
    fs::write(at.join("master.cf"), master_cf).unwrap();
    let output = postls(at, &[&["publish", "-c", ".", "--format", "zone"], more].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let zone = printed(output, status);
    let record = |it: &str| it.split(" ; ").next().unwrap_or_default().to_owned();
    (zone.lines().map(record).collect(), said)
}

const HEAD: &str = "myhostname = a.example\nsmtpd_tls_security_level = may\n";

/// A directory with keys and certificates of four hosts.
fn hosts() -> TempDir {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for (name, key) in
        [("a.example", "ec"), ("b.example", "rsa"), ("c.example", "ec"), ("d.example", "rsa")]
    {
        make(scratch.path(), name, key);
    }
    scratch
}

/// A main.cf with the keys and certificates of these hosts.
fn chain(names: &[&str]) -> String {
    let files = names.iter().map(|it| format!(" /etc/postfix/{it}.key /etc/postfix/{it}.pem"));
    format!("{HEAD}smtpd_tls_chain_files ={}\n", files.collect::<String>())
}

/// Records of names at ports, each with the host whose key it is.
fn records(at: &Path, want: &[(&str, &str)]) -> Vec<String> {
    let data = |host: &str| tlsa(at, &format!("{host}.pem"));
    want.iter().map(|(owner, host)| format!("_{owner}. IN TLSA {}", data(host))).collect()
}

#[test]
fn records_are_those_of_the_keys_that_servers_have() {
    let scratch = hosts();
    let at = scratch.path();
    let pair = "smtpd_tls_cert_file = $config_directory/a.example.pem\n\
        smtpd_tls_key_file = $config_directory/a.example.key\n\
        smtpd_tls_eccert_file =\nsmtpd_tls_dcert_file = /etc/postfix/b.example.pem\n\
        smtpd_tls_dkey_file = /etc/postfix/b.example.key\n";
    let own = format!("{MASTER_CF}  -o smtpd_tls_security_level=may\n")
        .replace("-o smtpd_tls_wrappermode=yes", "-o smtpd_tls_wrappermode=yes\n  -o smtpd_tls_chain_files=/etc/postfix/b.example.key,/etc/postfix/b.example.pem");
    let postscreen = "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n\
        tlsproxy unix - - n - 0 tlsproxy\n";
    for (what, main_cf, master_cf, more, want) in [
        (
            "one",
            chain(&["a.example"]),
            MASTER_CF,
            &[][..],
            vec![("25._tcp.a.example", "a.example")],
        ),
        (
            "no master.cf services",
            chain(&["a.example"]),
            "",
            &[],
            vec![("25._tcp.a.example", "a.example")],
        ),
        (
            // The later one takes the place of the one before, as the loading of Postfix does.
            "two pairs of one kind",
            format!(
                "{HEAD}smtpd_tls_cert_file = /etc/postfix/a.example.pem\n\
                 smtpd_tls_key_file = /etc/postfix/a.example.key\n\
                 smtpd_tls_eccert_file = /etc/postfix/c.example.pem\n\
                 smtpd_tls_eckey_file = /etc/postfix/c.example.key\n"
            ),
            MASTER_CF,
            &["--name", "a.example"],
            vec![("25._tcp.a.example", "c.example")],
        ),
        (
            "two kinds of keys",
            chain(&["a.example", "b.example"]),
            MASTER_CF,
            &[],
            vec![("25._tcp.a.example", "a.example"), ("25._tcp.a.example", "b.example")],
        ),
        (
            "pairs",
            format!("{HEAD}{pair}"),
            MASTER_CF,
            &[],
            vec![("25._tcp.a.example", "a.example"), ("25._tcp.a.example", "b.example")],
        ),
        (
            "a service with its own",
            chain(&["a.example"]),
            &own,
            &["--port", "25,465"],
            vec![("25._tcp.a.example", "a.example"), ("465._tcp.a.example", "b.example")],
        ),
        (
            "behind postscreen",
            chain(&["a.example"]),
            postscreen,
            &[],
            vec![("25._tcp.a.example", "a.example")],
        ),
        (
            "what will come",
            chain(&["a.example"]),
            MASTER_CF,
            &["--next", "b.example.key", "--next", "d.example.pem", "--next", "a.example.pem"],
            vec![
                ("25._tcp.a.example", "a.example"),
                ("25._tcp.a.example", "b.example"),
                ("25._tcp.a.example", "d.example"),
            ],
        ),
    ] {
        let (zone, said) = zone(at, &main_cf, master_cf, more, 0);
        assert_eq!(zone, records(at, &want), "{what}: {said}");
    }
}

#[test]
fn records_are_of_the_names_that_the_server_has() {
    let scratch = hosts();
    let at = scratch.path();
    let sni = format!("{}tls_server_sni_maps = hash:/etc/postfix/sni\n", chain(&["a.example"]));
    fs::write(
        at.join("sni"),
        "c.example /etc/postfix/c.example.key /etc/postfix/c.example.pem\n\
         .c.example /etc/postfix/d.example.key, /etc/postfix/d.example.pem\n",
    )
    .unwrap();
    for (main_cf, more, want) in [
        (
            chain(&["a.example"]),
            &["--name", "x.example", "--name", "Y.example."][..],
            &[("25._tcp.x.example", "a.example"), ("25._tcp.y.example", "a.example")][..],
        ),
        (
            sni.clone(),
            &[],
            &[("25._tcp.a.example", "a.example"), ("25._tcp.c.example", "c.example")],
        ),
        (sni, &["--name", "x.y.c.example"], &[("25._tcp.x.y.c.example", "d.example")]),
    ] {
        let (zone, said) = zone(at, &main_cf, MASTER_CF, more, 0);
        assert_eq!(zone, records(at, want), "{more:?}: {said}");
    }
    let policy = "version: 1\nlint: {mx: [mx1.example, MX2.example]}\n";
    fs::write(at.join("postls.yaml"), policy).unwrap();
    let (zone, _) = zone(at, &chain(&["a.example"]), MASTER_CF, &[], 0);
    let want = [("25._tcp.mx1.example", "a.example"), ("25._tcp.mx2.example", "a.example")];
    assert_eq!(zone, records(at, &want));
}

/// A real smtpd(8) has the keys that are published for the name that a client asks for, and no others.
#[test]
fn smtpd_shows_what_is_published() {
    lab::with_each(|postfix| {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let at = scratch.path();
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, key) in
            [("a.example", "ec"), ("b.example", "rsa"), ("c.example", "ec"), ("d.example", "rsa")]
        {
            make(at, name, key);
            for file in ["key", "pem"].map(|it| format!("{name}.{it}")) {
                files.push((file.clone(), fs::read(at.join(&file)).expect("it was made")));
            }
        }
        let main_cf = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files =\n \
            /etc/postfix/a.example.key /etc/postfix/a.example.pem\n \
            /etc/postfix/b.example.key,/etc/postfix/b.example.pem\n\
            tls_server_sni_maps = texthash:/etc/postfix/sni\n";
        let sni = "c.example /etc/postfix/c.example.key, /etc/postfix/c.example.pem\n\
            .c.example /etc/postfix/d.example.key /etc/postfix/d.example.pem\n";
        files.push(("sni".to_owned(), sni.into()));
        files.push(("main.cf".to_owned(), main_cf.into()));
        for (name, bytes) in &files {
            fs::write(at.join(name), bytes).unwrap();
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|it| (&it.0[..], &it.1[..])).collect();
        let mut lab = Lab::new(postfix, &files);
        assert!(lab.start().status.success(), "{}", lab.log());
        for name in ["a.example", "b.example", "c.example", "x.c.example", "x.y.c.example"] {
            let mut shown: Vec<String> = ["aECDSA", "aRSA"]
                .into_iter()
                .filter_map(|kind| {
                    let pem = certificate_of(&lab, name, kind)?;
                    fs::write(at.join("shown.pem"), pem).unwrap();
                    Some(format!("_25._tcp.{name}. IN TLSA {}", tlsa(at, "shown.pem")))
                })
                .collect();
            let (mut zone, said) = zone(at, main_cf, "", &["--name", name], 0);
            shown.sort();
            zone.sort();
            assert_eq!(zone, shown, "{name}: {said}\n{}", lab.log());
        }
    });
}

/// What smtpd(8) shows to a client that asks for a name and takes one kind of keys, if it shows any.
fn certificate_of(lab: &Lab, name: &str, kind: &str) -> Option<String> {
    let mut client = lab.inside("openssl");
    client.args(["s_client", "-starttls", "smtp", "-connect", "127.0.0.1:25", "-tls1_2"]);
    client.args(["-cipher", kind, "-servername", name]);
    let text = String::from_utf8_lossy(&client.output().expect("openssl runs").stdout).into_owned();
    let begin = text.find("-----BEGIN CERTIFICATE-----")?;
    let end = text.find("-----END CERTIFICATE-----")?;
    Some(format!("{}-----END CERTIFICATE-----\n", &text[begin..end]))
}

#[test]
fn what_is_not_as_it_should_be_is_said() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let at = scratch.path();
    make(at, "a.example", "ec");
    make(at, "b.example", "ec");
    let wrong = "smtpd_tls_chain_files = /etc/postfix/b.example.key /etc/postfix/a.example.pem\n";
    let chain = "smtpd_tls_chain_files = /etc/postfix/a.example.key /etc/postfix/a.example.pem\n";
    let elsewhere = "smtpd_tls_chain_files = /etc/ssl/a.key /etc/ssl/a.pem\n";
    let without_key = "smtpd_tls_cert_file = /etc/postfix/a.example.pem\n\
        smtpd_tls_key_file = /etc/ssl/private/a.key\n";
    let missing = "smtpd_tls_chain_files = /etc/postfix/x.key /etc/postfix/a.example.pem\n";
    let second = chain.replace('=', "= /etc/postfix/b.example.key /etc/postfix/b.example.pem");
    let issuer = "smtpd_tls_chain_files = /etc/postfix/x.pem /etc/postfix/issuer.pem\n";
    let authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"];
    openssl(at, &[&["req", "-x509", "-nodes", "-newkey", "rsa:2048"], &authority[..]].concat());
    fs::write(at.join("extension"), "basicConstraints = CA:TRUE\n").unwrap();
    let request = ["req", "-new", "-key", "b.example.key", "-subj", "/CN=issuer", "-out", "csr"];
    openssl(at, &request);
    let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7", "-out", "issuer.pem"];
    let extended = ["x509", "-req", "-in", "csr", "-extfile", "extension"];
    openssl(at, &[&extended[..], &signed].concat());
    let on = "myhostname = a.example\nsmtpd_tls_security_level = may\n";
    for (main_cf, more, status, records, want) in [
        (format!("{on}{chain}"), &[][..], 0, 1, ""),
        (format!("{on}{chain}"), &["--name", "b.example"], 0, 1, "is not for b.example"),
        (format!("{on}{chain}"), &["--port", "587"], 2, 0, "no smtpd(8) offers TLS on port 587"),
        (format!("{on}{wrong}"), &[], 0, 1, "Postfix switches TLS off"),
        (format!("{on}{second}"), &[], 0, 2, "Postfix switches TLS off"),
        (format!("{on}{issuer}"), &[], 2, 0, "it is an issuer's certificate"),
        (format!("{on}{elsewhere}"), &[], 2, 0, "/etc/ssl/a.pem: it is not in this directory"),
        (format!("{on}{without_key}"), &[], 0, 1, ""),
        (format!("{on}{missing}"), &[], 0, 1, "/etc/postfix/x.key: there is no such file"),
        (format!("{on}{chain}"), &["--next", "x"], 2, 0, "x: there is no such file"),
        (format!("myhostname = a.example\n{chain}"), &[], 2, 0, "offers TLS on port 25"),
        (chain.replace("smtpd_", "smtpd_tls_security_level = may\nsmtpd_"), &[], 2, 0, "--name"),
        (on.to_owned(), &[], 2, 0, "there is nothing to publish"),
    ] {
        let (zone, said) = zone(at, &main_cf, MASTER_CF, more, status);
        assert_eq!(zone.len(), records, "{main_cf}: {said}");
        assert!(said.contains(want) && said.is_empty() == want.is_empty(), "{main_cf}: {said}");
    }
    fs::copy("tests/data/certificates/expired.pem", at.join("a.example.pem")).unwrap();
    let (_, said) = zone(at, &format!("{on}{chain}"), MASTER_CF, &[], 0);
    assert!(said.contains("the certificate has expired"), "{said}");
}

#[test]
fn programs_get_the_same() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let at = scratch.path();
    make(at, "a.example", "ec");
    make(at, "b.example", "rsa");
    let main_cf = "myhostname = a.example\nsmtpd_tls_security_level = may\n\
        smtpd_tls_chain_files = /etc/postfix/a.example.key /etc/postfix/a.example.pem\n";
    let (records, _) = zone(at, main_cf, MASTER_CF, &["--next", "b.example.key"], 0);
    let run = |more: &[&str]| {
        let options = ["publish", "-c", ".", "--next", "b.example.key"];
        printed(postls(at, &[&options, more].concat()), 0)
    };
    let found: Value = serde_json::from_str(&run(&["--format", "json"])).expect("it is JSON");
    let keys = found["endpoints"][0]["keys"].as_array().expect("it is a list");
    let text = |key: &Value, field: &str| key["tlsa"][field].as_str().unwrap_or("").to_owned();
    let of_json =
        keys.iter().map(|it| format!("{} IN TLSA {}", text(it, "owner"), text(it, "data")));
    assert_eq!(of_json.collect::<Vec<_>>(), records);
    let states: Vec<&str> = keys.iter().filter_map(|it| it["state"].as_str()).collect();
    assert_eq!(states, ["current", "next"]);
    let human = run(&["--digest", "sha256,sha512"]);
    for record in &records {
        assert!(human.contains(record), "{human}");
    }
    for key in keys {
        let pin = key["fingerprints"]["public_key"]["sha256"].as_str().expect("it is text");
        assert!(human.contains(pin), "{human}");
    }
    assert!(human.contains("wait two TTLs"), "{human}");
}

/// A Postfix at dane-only that finds our records sends to the server whose configuration they were
/// made of; where the name has those of another key, mail waits.
#[test]
fn postfix_trusts_a_server_by_its_records() {
    lab::with_each(|postfix| {
        let main_cf = b"smtp_tls_security_level = dane-only\nsmtp_dns_support_level = dnssec\n\
            smtp_host_lookup = dns\n";
        let mut lab = Lab::new(postfix, &[("main.cf", main_cf)]);
        let scratch = tempfile::tempdir().expect("a temporary directory");
        make(scratch.path(), "other.example", "ec");
        let receiver = lab.path("receiver/etc").to_string_lossy().into_owned();
        let domains = ["now.example", "soon.example", "other.example"];
        lab.write("transport", domains.map(|it| format!("{it} smtp:[{it}]\n")).concat().as_bytes());
        assert!(lab.start().status.success(), "{}", lab.log());
        let run = |name: &str, more: &[&str]| {
            let options =
                ["publish", "-c", &receiver, "--host", "--format", "zone", "--name", name];
            printed(postls(scratch.path(), &[&options, more].concat()), 0)
        };
        let wrong = tlsa(scratch.path(), "other.example.pem");
        let zone = [
            run("now.example", &[]),
            run("soon.example", &["--next", "other.example.key"]),
            format!("_25._tcp.other.example. IN TLSA {wrong} ; another key\n"),
        ];
        let nameserver = lab.serve_zone(&zone.concat());
        lab.send(&domains);
        for domain in ["now.example", "soon.example"] {
            let outcome = lab.outcome(domain);
            assert!(
                matches!(outcome, Outcome::Sent { .. }),
                "{domain}: {outcome:?}\n{}",
                lab.log()
            );
        }
        let outcome = lab.outcome("other.example");
        assert!(matches!(outcome, Outcome::Deferred { .. }), "{outcome:?}");
        lab.stop();
        drop(nameserver);
    });
}
