//! What real servers offer, where they do not say in the log what the rules say of them.

use std::fs::{Permissions, set_permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::thread;

use postls::finding::Severity;
use postls::lint;
use postls::rules;

use crate::fixture::{self, Fixture};
use crate::lab::{self, Lab};

const AUTH: &str = "smtpd_sasl_auth_enable = yes\n";

/// Before STARTTLS a server offers AUTH where the rule says so, and never where AUTH is said to
/// wait for a TLS that is off.
#[test]
fn logins_are_offered_without_tls_where_the_rule_says_so() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let sasl = lab.run("postconf", &["-a"]);
        if !String::from_utf8_lossy(&sasl.stdout).contains("dovecot") {
            println!("skipped: {} is built without SASL", postfix.full_version);
            return;
        }
        let path = lab.path("auth");
        offer_logins(UnixListener::bind(&path).expect("a socket"), "PLAIN");
        set_permissions(&path, Permissions::from_mode(0o777)).expect("it is ours");
        let [open, shut] = ["auth-without-tls", "auth-never-offered"]
            .map(|it| rules::find(it).expect("it is a rule"));
        for (settings, starttls) in [
            ("", false),
            ("smtpd_tls_security_level = may\n", true),
            ("smtpd_use_tls = yes\nsmtpd_tls_auth_only = YES\n", true),
            ("smtpd_tls_auth_only = yes\n", false),
            ("smtpd_tls_security_level = secure\n", true),
            ("smtpd_enforce_tls = yes\n", true),
            ("smtpd_enforce_tls = yes\nsmtpd_tls_security_level = none\n", false),
        ] {
            let main_cf = format!("{AUTH}{settings}");
            let fixture = Fixture::new(&main_cf);
            let context = fixture.context(postfix.version);
            let found = [open, shut].map(|it| !lint::run(it, &context).is_empty());
            let socket = format!(
                "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n{main_cf}",
                path.display()
            );
            let verdict = lab.judge(&[("main.cf", socket.as_bytes())]);
            let offers = |word: &str| verdict.ehlo.iter().any(|it| it.contains(word));
            assert!(offers("SIZE"), "{main_cf}{verdict:?}");
            assert_eq!(offers("STARTTLS"), starttls, "{main_cf}{verdict:?}");
            assert_eq!(found, [offers("AUTH"), !offers("AUTH") && !starttls], "{main_cf}");
        }
    });
}

/// One setting after the other, at level may if it says nothing else: postls has an error where
/// Postfix complains, and only there.
#[test]
fn an_error_in_a_setting_is_an_error_for_the_server() {
    const SETTINGS: [&str; 19] = [
        "smtpd_tls_protocols = >= TLSv1.2",
        "smtpd_tls_protocols = >=0x303 <=None",
        "smtpd_tls_protocols = TLSv1.2+",
        "smtpd_tls_mandatory_protocols = all",
        "smtpd_tls_mandatory_protocols = all\nsmtpd_tls_security_level = encrypt",
        "smtpd_tls_mandatory_protocols = all\nsmtpd_tls_security_level = none",
        "smtpd_tls_ciphers = low",
        "smtpd_tls_ciphers = ECDHE+AESGCM",
        "smtpd_tls_mandatory_ciphers = strong\nsmtpd_enforce_tls = yes\nsmtpd_tls_security_level =",
        "smtpd_tls_mandatory_ciphers = $empty\nsmtpd_tls_security_level = none",
        "smtpd_tls_exclude_ciphers = aNULL, eNULL, EXPORT, DES, RC4, MD5, PSK, NOSUCH",
        "smtpd_tls_exclude_ciphers = HIGH\nsmtpd_tls_ciphers = high",
        "smtpd_tls_exclude_ciphers = aNULL:+RC4",
        "smtpd_tls_mandatory_exclude_ciphers = !RC4",
        "smtpd_tls_mandatory_exclude_ciphers = !RC4\nsmtpd_tls_security_level = encrypt",
        "smtpd_tls_ask_ccert = yes",
        "smtpd_tls_chain_files =\nsmtpd_tls_ask_ccert = yes\nsmtpd_tls_cert_file = none",
        "smtpd_tls_chain_files =\nsmtpd_tls_security_level = none",
        "smtpd_tls_chain_files =\nsmtpd_use_tls = yes\nsmtpd_tls_security_level =",
    ];
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let mut wrong = Vec::new();
        for setting in SETTINGS {
            let mut main_cf = format!("{setting}\n");
            if setting.contains("$empty") {
                main_cf.push_str("empty =\n");
            }
            for (name, value) in
                [("security_level", "may"), ("chain_files", "/etc/postfix/server.pem")]
            {
                if !setting.contains(name) {
                    main_cf.push_str(&format!("smtpd_tls_{name} = {value}\n"));
                }
            }
            let fixture = Fixture::new(&main_cf);
            let found = lint::run_all(rules::all(), &fixture.context(postfix.version));
            let errors = found.iter().filter(|it| it.severity == Severity::Error);
            let errors: Vec<&str> = errors.map(|it| it.rule).collect();
            let mut said = lab.judge(&[("main.cf", main_cf.as_bytes())]).said;
            // Deprecated parameters are warnings of postls too.
            said.retain(|it| !it.contains("postconf: warning"));
            if said.is_empty() != errors.is_empty() {
                wrong.push(format!("{setting}: postls {errors:?}, Postfix {said:?}"));
            }
        }
        assert_eq!(wrong, [] as [&str; 0]);
    });
}

/// As Dovecot does it: whoever connects hears which mechanisms there are.
pub(crate) fn offer_logins(listener: UnixListener, mechanism: &'static str) {
    thread::spawn(move || {
        let mut connected = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = write!(
                stream,
                "VERSION\t1\t1\nMECH\t{mechanism}\tplaintext\nSPID\t1\nCUID\t1\n\
                 COOKIE\t00000000000000000000000000000000\nDONE\n"
            );
            connected.push(stream);
        }
    });
}

/// A protocol between two others can be off: a server takes those above and below.
#[test]
fn what_a_list_leaves_on_is_what_a_server_takes() {
    lab::with_each(|postfix| {
        for (list, taken) in [
            ("!SSLv2, !SSLv3, !TLSv1, !TLSv1.2", "TLSv1.1 TLSv1.3"),
            ("!SSLv3, TLSv1.2 TLSv1", "TLSv1 TLSv1.2"),
        ] {
            let main_cf = format!("smtpd_tls_security_level = may\nsmtpd_tls_protocols = {list}\n");
            let mut lab = Lab::new(postfix, &[("main.cf", main_cf.as_bytes())]);
            lab.start();
            let try_all = "for v in tls1 tls1_1 tls1_2 tls1_3; do printf 'QUIT\\r\\n' | openssl s_client -quiet -$v \
                -cipher ALL:@SECLEVEL=0 -starttls smtp -connect 127.0.0.1:25 >/dev/null 2>&1 && echo $v; done";
            let output = lab.inside("bash").args(["-c", try_all]).output().expect("bash runs");
            lab.stop();
            let found = String::from_utf8_lossy(&output.stdout).replace('_', ".");
            let found = found.replace("tls", "TLSv");
            assert_eq!(found.split_whitespace().collect::<Vec<_>>().join(" "), taken, "{list}");
        }
    });
}

/// Without a tlsproxy(8) what postscreen(8) offers fails.
#[test]
fn postscreen_needs_a_tlsproxy() {
    let text = "==> main.cf <==\nsmtpd_tls_security_level = may\npostscreen_tls_security_level = may\n\
        tlsproxy_service_name = nobody\npostscreen_access_list =\npostscreen_greet_wait = 1s\n\
        postscreen_bare_newline_enable = yes\n==> master.cf <==\nsmtp inet n - n - 1 postscreen\n\
        smtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\n";
    lab::with_each(|postfix| {
        let rule = rules::find("postscreen-without-tlsproxy").expect("it is a rule");
        assert_eq!(lint::run(rule, &Fixture::new(text).context(postfix.version)).len(), 1);
        let files = fixture::files(text);
        let files: Vec<(&str, &[u8])> = files.iter().map(|it| (it.0, it.1.as_bytes())).collect();
        let verdict = Lab::new(postfix, &[]).judge(&files);
        assert!(verdict.ehlo.iter().any(|it| it.contains("STARTTLS")), "{verdict:?}");
        let said = |it: &String| it.contains("connect to private/nobody service");
        assert!(verdict.said.iter().any(said), "{verdict:?}");
    });
}
