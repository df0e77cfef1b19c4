//! Trials of the lab itself: it is silent on what is healthy, and hears what is not.

use super::{Lab, Outcome, public_key_fingerprint, with_each};
use postls::postfix::Version;

fn sent(tls: &str) -> Outcome {
    Outcome::Sent { tls: Some(tls.to_owned()) }
}

#[track_caller]
fn assert_said(lab: &mut Lab, files: &[(&str, &[u8])], expected: &str) {
    let begin = std::time::Instant::now();
    let verdict = lab.judge(files);
    println!("{:?} {verdict:#?}", begin.elapsed());
    assert!(
        verdict.said.iter().any(|said| said.contains(expected)),
        "not said: {expected}; {verdict:#?}"
    );
}

#[track_caller]
fn assert_silent(lab: &mut Lab, files: &[(&str, &[u8])]) -> super::Verdict {
    let begin = std::time::Instant::now();
    let verdict = lab.judge(files);
    println!("{:?} {verdict:#?}", begin.elapsed());
    assert!(verdict.said.is_empty(), "{verdict:#?}");
    verdict
}

#[test]
fn healthy_configurations_are_met_with_silence() {
    with_each(|postfix| {
        let lab = &mut Lab::new(postfix, &[]);
        let verdict = assert_silent(lab, &[]);
        assert_eq!(verdict.outcome("plain.example"), &Outcome::Sent { tls: None });
        assert!(verdict.ehlo.iter().any(|line| line.starts_with("250")), "{verdict:?}");

        let good =
            b"# opportunistic\nsmtp_tls_security_level = may\nsmtpd_tls_security_level = may";
        let verdict = assert_silent(lab, &[("main.cf", good)]);
        assert_eq!(verdict.outcome("plain.example"), &sent("Trusted"));
        assert!(verdict.ehlo.iter().any(|line| line.ends_with("STARTTLS")), "{verdict:?}");

        let reuse = b"smtp_tls_security_level = secure\nsmtp_tls_connection_reuse = yes\n";
        let verdict = assert_silent(lab, &[("main.cf", reuse)]);
        assert_eq!(verdict.outcome("plain.example"), &sent("Verified"));

        let files = b"smtpd_tls_cert_file = /etc/postfix/certificate.pem\nsmtpd_tls_key_file = /etc/postfix/key.pem\n\
            smtpd_tls_security_level = may\n";
        assert!(
            assert_silent(lab, &[("main.cf", files)])
                .ehlo
                .iter()
                .any(|line| line.ends_with("STARTTLS"))
        );
    });
}

#[test]
fn every_kind_of_next_hop_is_tried() {
    with_each(|postfix| {
        let lab = &mut Lab::new(postfix, &[]);
        let pin = public_key_fingerprint("sha256");
        let table = format!(
            "bank.example fingerprint match={pin}\n.partner.example secure\n[mx.a.example]:587 verify\n\
            mail.b.example:2525 encrypt\nold.cleartext.example may\n[192.0.2.1]:587 encrypt\n"
        );
        for kind in ["texthash", "hash", "lmdb", "cdb"] {
            // Debian's 3.11 warns that hash tables will go.
            let healthy = kind != "hash" || postfix.version < Version::new(3, 11);
            if !healthy || !postfix.table_types.contains(kind) {
                continue;
            }
            let main = format!(
                "smtp_tls_policy_maps = {kind}:/etc/postfix/tls_policy\n\
                smtp_tls_fingerprint_digest = sha256\n"
            );
            let verdict = assert_silent(
                lab,
                &[("main.cf", main.as_bytes()), ("tls_policy", table.as_bytes())],
            );
            assert_eq!(verdict.outcome("bank.example"), &sent("Verified"));
            assert_eq!(verdict.outcome("sub.partner.example"), &sent("Verified"));
            assert_eq!(verdict.outcome("[mx.a.example]:587"), &sent("Verified"));
            assert_eq!(verdict.outcome("mail.b.example:2525"), &sent("Trusted"));
            assert_eq!(verdict.outcome("[192.0.2.1]:587"), &sent("Trusted"));
            assert_eq!(verdict.outcome("old.cleartext.example"), &Outcome::Sent { tls: None });
            assert_eq!(verdict.outcome("plain.example"), &Outcome::Sent { tls: None });
        }
    });
}

#[test]
fn a_master_cf_needs_only_the_services_in_question() {
    with_each(|postfix| {
        let lab = &mut Lab::new(postfix, &[]);
        let master =
            b"smtp inet n - y - - smtpd\n -o smtpd_tls_security_level=may\nsmtp unix - - y - - smtp\n \
            -o smtp_tls_security_level=encrypt";
        let verdict = assert_silent(lab, &[("master.cf", master)]);
        assert_eq!(verdict.outcome("plain.example"), &sent("Trusted"));
        assert!(verdict.ehlo.iter().any(|line| line.ends_with("STARTTLS")), "{verdict:?}");
        let wrong: &[u8] = b"smtp unix - - n - - smtp\n  -o smtp_tls_security_level=mayy\n";
        assert_said(lab, &[("master.cf", wrong)], "Invalid TLS level");
    });
}

#[test]
fn mistakes_in_main_cf_are_heard() {
    with_each(|postfix| {
        let lab = &mut Lab::new(postfix, &[]);
        let client = b"smtp_tls_security_level = may # opportunistic\n";
        assert_said(lab, &[("main.cf", client)], "Invalid TLS level");
        let server = b"smtpd_tls_security_level = dane\n";
        assert_said(lab, &[("main.cf", server)], "fatal: Invalid TLS level");
        let limit = b"default_process_limit = 100 # plenty\n";
        assert_said(lab, &[("main.cf", limit)], "postfix does not start");
        let twice = b"smtp_tls_loglevel = 1\nsmtp_tls_loglevel = 2\n";
        assert_said(lab, &[("main.cf", twice)], "overriding earlier entry: smtp_tls_loglevel=1");
        let broken = b"smtp_tls_loglevel\n";
        assert_said(lab, &[("main.cf", broken)], "missing '=' after attribute name");
    });
}

#[test]
fn mistakes_in_a_table_are_heard() {
    with_each(|postfix| {
        let lab = &mut Lab::new(postfix, &[]);
        let main: (&str, &[u8]) =
            ("main.cf", b"smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n");
        assert_said(
            lab,
            &[main, ("tls_policy", b"a.example encrypt # comment\n")],
            "malformed attribute/value pair",
        );
        let twice: &[u8] = b"a.example encrypt\na.example may\n";
        assert_said(lab, &[main, ("tls_policy", twice)], "duplicate entry");
        let wrong_pin = format!(
            "a.example fingerprint match={}\n",
            public_key_fingerprint("sha256").replace('F', "0")
        );
        assert_said(
            lab,
            &[main, ("tls_policy", wrong_pin.as_bytes())],
            "Server certificate not verified",
        );
        let stranger: &[u8] = b"wrong.example secure\n";
        assert_said(lab, &[main, ("tls_policy", stranger)], "Server certificate not verified");
        assert_said(
            lab,
            &[main, ("tls_policy", b"cleartext.example encrypt\n")],
            "TLS is required",
        );
    });
}

#[test]
fn a_lab_can_be_changed_while_it_runs() {
    with_each(|postfix| {
        let main = b"smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
            smtp_tls_fingerprint_digest = sha256\n";
        let mut lab =
            Lab::new(postfix, &[("main.cf", main), ("tls_policy", b"a.example encrypt\n")]);
        assert!(lab.start().status.success(), "{}", lab.log());
        lab.send(&["a.example"]);
        assert_eq!(lab.outcome("a.example"), sent("Trusted"));

        let pinned =
            format!("b.example fingerprint match={}\n", lab.certificate_fingerprint("sha256"));
        lab.write("tls_policy", pinned.as_bytes());
        assert!(lab.reload().status.success());
        lab.send(&["b.example"]);
        assert_eq!(lab.outcome("b.example"), sent("Verified"));
        lab.stop();
        assert!(lab.start().status.success(), "{}", lab.log());
        assert!(lab.receiver_log().contains("status=sent"));
    });
}
