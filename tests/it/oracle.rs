//! Real Postfixes are the judges of what postls says and does: each one at hand, side by side.

use std::fs;
use std::path::Path;

use postls::finding::Severity;
use postls::lint::{self, Rule};
use postls::postfix::Version;
use postls::rules;

use crate::fixture::{self, Fixture};
use crate::lab::{self, Lab, Outcome, Verdict};

/// The configuration files of an example, without the policy file, which Postfix never sees.
fn files(text: &str) -> Vec<(&str, &[u8])> {
    let files = fixture::files(text).into_iter();
    files
        .filter(|(name, _)| *name != "postls.yaml")
        .map(|(name, text)| (name, text.as_bytes()))
        .collect()
}

/// What Postfix says of an example.
fn judge(lab: &mut Lab, text: &str) -> Verdict {
    let files = files(text).into_iter().map(|(name, text)| (name, fixture::bytes(text)));
    let files: Vec<(&str, Vec<u8>)> = files.collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, it)| (*name, &it[..])).collect();
    lab.judge(&files)
}

/// The rules whose errors Postfix can confirm; who works on some of them names those in
/// `POSTLS_RULES=rule,rule`, and waits seconds instead of minutes.
fn confirmable() -> impl Iterator<Item = &'static Rule> {
    let named = std::env::var("POSTLS_RULES").ok();
    let named: Option<Vec<&Rule>> = named.map(|it| {
        it.split(',')
            .map(|id| rules::find(id).unwrap_or_else(|| panic!("{id} is no rule")))
            .collect()
    });
    rules::all().filter(move |rule| {
        rule.severity == Severity::Error
            && !rule.postfix_says.is_empty()
            && named.as_ref().is_none_or(|it| it.iter().any(|one| one.id == rule.id))
    })
}

#[test]
fn postfix_says_of_each_bad_example_what_the_rule_says_it_says() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let newest = lab::all().last().is_some_and(|it| it.version == postfix.version);
        for rule in confirmable() {
            let found = lint::run(rule, &Fixture::new(rule.bad).context(postfix.version));
            assert!(found.iter().any(|it| it.severity == Severity::Error), "{}", rule.id);
            let said = judge(&mut lab, rule.bad).said;
            let wordings = rule.postfix_says.lines().take(if newest { 1 } else { usize::MAX });
            let confirmed =
                wordings.clone().any(|part| said.iter().any(|line| line.contains(part)));
            let wordings: Vec<&str> = wordings.collect();
            assert!(confirmed, "{}: expected {wordings:?}, Postfix said {said:#?}", rule.id);
        }
    });
}

#[test]
fn postfix_says_nothing_of_the_good_examples() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        for rule in confirmable() {
            let fixture = Fixture::new(rule.good);
            let found = lint::run_all(rules::all(), &fixture.context(postfix.version));
            let errors = found.iter().filter(|it| it.severity == Severity::Error);
            assert_eq!(errors.count(), 0, "{}", rule.id);
            let said = judge(&mut lab, rule.good).said;
            assert_eq!(said, [] as [&str; 0], "{}", rule.id);
        }
    });
}

/// Files that are wrong in another way, or named elsewhere, are as bad for Postfix as those of the examples.
#[test]
fn what_is_wrong_with_certificates_switches_tls_off() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let of_certificates = crate::rules::case_files()
            .into_iter()
            .filter(|(rule, _)| rules::of_topic("certificate").iter().any(|it| it.id == rule.id));
        let mut judged = 0;
        for (rule, path) in of_certificates {
            let text = fs::read_to_string(&path).expect("it was listed");
            // What the policy file wants is not there yet.
            if text.contains("==> postls.yaml <==") {
                continue;
            }
            let found = lint::run(rule, &Fixture::new(&text).context(postfix.version));
            if found.iter().any(|it| it.severity == Severity::Error) {
                let said = judge(&mut lab, &text).said;
                assert!(!said.is_empty(), "{}", path.display());
                judged += 1;
            }
        }
        assert!(judged > 3, "{judged}");
    });
}

/// Rows of a table, with and without what the rules say about them: Postfix and
/// postls agree on whether it is an error. `KEY` is the destination.
#[test]
fn an_error_is_an_error_for_postfix_and_only_then() {
    let pin = lab::public_key_fingerprint("sha256");
    let bare = pin.replace(':', "").to_lowercase();
    let md5 = lab::public_key_fingerprint("md5");
    let policies = [
        "encrypt",
        "ENCRYPT,ciphers=high",
        "encrypt ciphers=high protocols=>=TLSv1.2",
        "none whatever=x",
        "may",
        "secure",
        "secure match=KEY",
        "secure match=nexthop:dot-nexthop",
        &format!("fingerprint match={pin}"),
        &format!("fingerprint match={bare}"),
        &format!("fingerprint match={md5}|{pin}"),
        "encypt",
        "\"encrypt\"",
        "encrypt # comment",
        "# comment",
        ",",
        "encrypt match=KEY",
        "may match=KEY",
        "encrypt cipher=high",
        "encrypt foo",
        "encrypt protocols=TLSv1.2,TLSv1.3",
        "encrypt protocols=TLSv1.2:tlsv1.3:!SSLv2",
        "encrypt protocols=!SSLv3:<=0304",
        "encrypt protocols=>=",
        "encrypt protocols=>=SSLv2",
        "encrypt protocols=TLSv1.4",
        "may protocols=TLS",
        "secure match={KEY, x.KEY}",
        "encrypt exclude={RC4, MD5}",
        "encrypt ciphers=strong",
        "may ciphers=export",
        "fingerprint",
        "fingerprint match=zz",
        &format!("fingerprint match={md5}"),
        &format!("fingerprint match={pin}:{pin}"),
        "encrypt enable_rpk=yes",
        "encrypt { ciphers = high }",
        "encrypt protocols={TLSv1.2, TLSv1.3}",
        "secure match=",
        "fingerprint match=|",
        "encrypt ciphers=high ciphers=medium",
        "encrypt ciphers=",
        "encrypt servername=-x",
        "encrypt servername=KEY",
        "encrypt servername=192.0.2.1",
        "encrypt tafile=/etc/postfix/ca.pem",
        "encrypt connection_reuse=maybe",
    ];
    lab::with_each(|postfix| {
        let main_cf = "==> main.cf <==\nsmtp_tls_policy_maps = texthash:$config_directory/tls_policy\n\
             smtp_tls_fingerprint_digest = sha256\nsmtp_tls_CAfile = /etc/postfix/ca.pem\n\
             default_process_limit = 10\n==> tls_policy <==\n";
        let rows = policies.iter().enumerate().map(|(number, policy)| {
            let key = format!("r{number}.example");
            (format!("{key} {}\n", policy.replace("KEY", &key)), key)
        });
        let rows: Vec<(String, String)> = rows.collect();
        let all: String = rows.iter().map(|(row, _)| row.as_str()).collect();
        let verdict = Lab::new(postfix, &[]).judge(&files(&format!("{main_cf}{all}")));
        let mut wrong = Vec::new();
        for (row, key) in &rows {
            let fixture = Fixture::new(&format!("{main_cf}{row}"));
            let found = lint::run_all(rules::all(), &fixture.context(postfix.version));
            let errors = found.iter().filter(|it| it.severity == Severity::Error);
            let errors: Vec<&str> = errors.map(|it| it.rule).collect();
            let said: Vec<&String> = verdict.said.iter().filter(|it| it.contains(key)).collect();
            let delivered = matches!(verdict.outcome(key), Outcome::Sent { .. });
            // What follows the level none is ignored with a warning.
            let ignored = delivered && row.contains(" none ");
            // A fingerprint that matches nothing beside one that does is a warning.
            let of_pins = |it: &&String| {
                it.contains("unusable TLSA RR") || it.contains("malformed fingerprint")
            };
            let dropped = delivered && said.iter().all(of_pins);
            let complains = !said.is_empty() && !ignored && !dropped;
            if complains == errors.is_empty() || !(delivered || complains) {
                wrong.push(format!("{row}postls {errors:?}, Postfix {said:#?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// The promise in one test: the policy file becomes a table that a running
/// Postfix obeys, and what lint said of each row is what happens to its mail.
#[test]
fn mail_goes_where_the_policy_lets_it() {
    lab::with_each(|postfix| {
        for kind in ["texthash", "lmdb", "hash", "cdb"] {
            if !postfix.table_types.contains(kind) {
                continue;
            }
            let pin = lab::public_key_fingerprint("sha256");
            let other = pin.replace(|it: char| it.is_ascii_digit(), "0");
            let policy = format!(
                "version: 1\npostfix: \"3.7\"\ntable: {{type: {kind}}}\n\
                 parameters: {{smtp_tls_fingerprint_digest: sha256}}\n\
                 destinations:\n  \
                   right.example: {{level: fingerprint, pins: [{{public-key: \"{pin}\"}}]}}\n  \
                   other.example: {{level: fingerprint, pins: [{{public-key: \"{other}\"}}]}}\n  \
                   named.example: {{level: secure, match: [named.example]}}\n  \
                   \"[relay.example]:587\": encrypt\n"
            );
            let mut lab = Lab::new(
                postfix,
                &[
                    ("main.cf", b"# ours\nsmtp_tls_loglevel = 1\n"),
                    ("postls.yaml", policy.as_bytes()),
                ],
            );
            let directory = lab.config_dir().clone();
            assert_eq!(postls(&lab, &["lint"]), Some(0), "lint");
            assert_eq!(postls(&lab, &["diff"]), Some(1), "there is something to do");
            assert_eq!(postls(&lab, &["apply"]), Some(0), "apply");
            assert_eq!(postls(&lab, &["diff"]), Some(0), "nothing is left to do");
            assert_eq!(postls(&lab, &["apply", "--detailed-exitcode"]), Some(0), "a second apply");
            let table = format!("{kind}:{}", directory.join("tls_policy").display());
            for key in ["right.example", "other.example", "named.example", "[relay.example]:587"] {
                assert!(lab.run("postmap", &["-q", key, &table]).status.success(), "{kind}: {key}");
            }
            lab.start();
            lab.send(&["right.example", "other.example", "named.example"]);
            let outcome = |domain: &str| lab.outcome(domain);
            assert_eq!(
                outcome("right.example"),
                Outcome::Sent { tls: Some("Verified".to_owned()) },
                "{kind}"
            );
            assert!(matches!(outcome("other.example"), Outcome::Deferred { .. }), "{kind}");
            assert_eq!(
                outcome("named.example"),
                Outcome::Sent { tls: Some("Verified".to_owned()) },
                "{kind}"
            );
            lab.stop();
        }
    });
}

/// Runs postls on a lab's configuration and gives back its exit status.
fn postls(lab: &Lab, arguments: &[&str]) -> Option<i32> {
    let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
    let output = command.args(arguments).arg("-c").arg(lab.config_dir()).output();
    let output = output.expect("the program was built");
    println!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.status.code()
}

#[test]
fn a_running_postfix_is_reloaded_only_when_it_must_be() {
    lab::with_each(|postfix| {
        if !postfix.table_types.contains("lmdb") {
            return;
        }
        let policy = |level: &str| {
            format!(
                "version: 1\ntable: {{type: lmdb}}\ndestinations: {{a.example: {level}, b.example: encrypt}}\n"
            )
        };
        let mut lab = Lab::new(
            postfix,
            &[
                ("main.cf", b"smtp_tls_loglevel = 1\n"),
                ("postls.yaml", policy("encrypt").as_bytes()),
            ],
        );
        let directory = lab.config_dir().clone();
        lab.start();
        let apply = || {
            let mut command = lab.inside(env!("CARGO_BIN_EXE_postls"));
            let output = command.args(["apply", "-c"]).arg(&directory).output().expect("it runs");
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr)
        };
        assert_eq!(apply(), "applied, and Postfix was reloaded\n", "main.cf changed");
        lab.send(&["a.example"]);
        assert_eq!(lab.outcome("a.example"), Outcome::Sent { tls: Some("Trusted".to_owned()) });
        lab.write("postls.yaml", policy("fingerprint").as_bytes());
        assert!(apply().contains("fingerprint-without-pins"), "the result would hold mail");
        lab.write("postls.yaml", policy("secure").as_bytes());
        assert_eq!(apply(), "applied\n", "only an indexed table changed");

        let run = |directory: &Path, name: &str| {
            let program = env!("CARGO_BIN_EXE_postls");
            let script = format!("cd {} && exec {program} apply -c {name}", directory.display());
            let output = lab.inside("sh").args(["-c", &script]).output();
            String::from_utf8_lossy(&output.expect("it runs").stdout).into_owned()
        };
        let with_parameter = policy("secure") + "parameters: {smtp_tls_loglevel: 2}\n";
        lab.write("postls.yaml", with_parameter.as_bytes());
        let (parent, name) =
            (directory.parent().unwrap(), directory.file_name().unwrap().to_string_lossy());
        assert_eq!(
            run(parent, &name),
            "applied, and Postfix was reloaded\n",
            "a relative directory"
        );

        // A copy names the same queue directory, and is none of its business.
        let copy = tempfile::tempdir().expect("a temporary directory");
        for name in ["main.cf", "master.cf"] {
            fs::copy(directory.join(name), copy.path().join(name)).expect("it can be copied");
        }
        fs::write(copy.path().join("postls.yaml"), policy("may")).expect("it can be written");
        assert!(lab.logs("reload -- version", 2), "two of three times");
        assert_eq!(run(copy.path(), "."), "applied\n", "a copy");
        lab.send(&["b.example"]);
        assert_ne!(lab.outcome("b.example"), Outcome::Unknown, "time enough for a reload");
        assert_eq!(lab.log().matches("reload -- version").count(), 2);
        lab.stop();
    });
}

/// What a comment behind a value does depends on the parameter: where postls
/// says error, Postfix complains, and where it says less, Postfix takes it.
#[test]
fn a_comment_behind_a_value_is_as_bad_as_postfix_finds_it() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let rule = rules::find("inline-comment").expect("it is a rule");
        let mut wrong = Vec::new();
        for line in [
            "smtpd_helo_required = yes # c",
            "smtp_tls_loglevel = 1 # c",
            "message_size_limit = 10240000 # c",
            "smtpd_timeout = 300s # c",
            "smtpd_timeout = 300 # c",
            "smtpd_banner = $myhostname ESMTP # c",
            "smtpd_tls_security_level = may # c",
            "smtp_tls_mandatory_protocols = >=TLSv1.2 # c",
            "smtpd_tls_protocols = !SSLv2, !SSLv3 # c",
            "smtp_tls_fingerprint_digest = sha256 # c",
            "smtp_tls_CAfile = /etc/postfix/ca.pem # c",
            "smtpd_tls_chain_files = /etc/postfix/server.pem # c",
            "virtual_alias_maps = static:x # c",
            "relayhost = [relay.example] # c",
            "inet_protocols = ipv4 # c",
            "smtp_dns_support_level = disabled # c",
            "smtp_tls_exclude_ciphers = RC4 # c",
            "myhostname = mail.example # c",
            "smtp_tls_session_cache_timeout = 3600s # c",
            "smtp_fallback_relay = [relay.example] # c",
            "default_transport = smtp # c",
            "notify_classes = resource # c",
            "smtp_dns_resolver_options = # c",
            "tls_ssl_options = NO_RENEGOTIATION # c",
            "tls_disable_workarounds = # c",
            "tls_medium_cipherlist = MEDIUM:HIGH # c",
            "smtp_bind_address = 127.0.0.1 # c",
            "smtp_helo_name = mail.example # c",
            "smtpd_sasl_local_domain = mail.example # c",
            "milter_macro_daemon_name = mail.example # c",
            "smtp_tls_servername = a.example # c",
            "smtp_tls_secure_cert_match = nexthop # c",
            "parent_domain_matches_subdomains = debug_peer_list # c",
            "mydestination = localhost # c",
            "mynetworks = 127.0.0.0/8 # c",
            "inet_interfaces = 127.0.0.1 # c",
            "myorigin = mail.example # c",
            "mail_owner = postfix # c",
            "setgid_group = postdrop # c",
            "default_privs = nobody # c",
            "smtpd_forbidden_commands = CONNECT # c",
            "smtpd_milters = # c",
            "smtp_tls_mandatory_ciphers = medium # c",
            "tls_eecdh_auto_curves = X25519 prime256v1 # c",
        ] {
            // A server that offers no TLS does not read its settings.
            let tls = if line.starts_with("smtpd_tls_s") {
                ""
            } else {
                "smtpd_tls_security_level = may\n"
            };
            let config = format!(
                "==> main.cf <==\n{line}\n{tls}smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n\
                 ==> tls_policy <==\na.example encrypt\n"
            );
            let found = lint::run(rule, &Fixture::new(&config).context(postfix.version));
            let verdict = lab.judge(&files(&config));
            let delivered = matches!(verdict.outcome_of("a.example"), Some(Outcome::Sent { .. }));
            // Lists that end at a comment say so, and the mail goes where it should.
            let hurts = |said: &String| !said.contains("comment at end of line is not supported");
            let complains = verdict.said.iter().any(hurts) || !delivered;
            let severity = found.first().map(|it| it.severity);
            let agrees = match severity {
                Some(Severity::Error) => complains,
                // From 3.8 on postconf warns of every one of them.
                _ if postfix.version >= Version::new(3, 8) => delivered,
                _ => !complains,
            };
            if !agrees {
                wrong.push(format!("{line}: {severity:?}, and Postfix says {:?}", verdict.said));
            }
        }
        assert_eq!(wrong, [] as [&str; 0]);
    });
}

/// In a list of restrictions a comment is two restrictions that do not exist.
#[test]
fn a_comment_in_a_restriction_list_refuses_mail() {
    lab::with_each(|postfix| {
        let rule = rules::find("inline-comment").expect("it is a rule");
        for (value, want) in [
            ("permit_mynetworks # c", "250"),
            ("reject_unauth_destination # c", "451"),
            ("reject_unauth_destination, permit # c", "250"),
        ] {
            let main_cf =
                format!("smtpd_recipient_restrictions = {value}\nmydestination = a.example\n");
            let mut lab = Lab::new(postfix, &[("main.cf", main_cf.as_bytes())]);
            lab.start();
            let script = "exec 3<>/dev/tcp/127.0.0.1/25; read -r l <&3; for c in 'EHLO x' 'MAIL FROM:<>' 'RCPT TO:<root@a.example>'; do \
                printf '%s\\r\\n' \"$c\" >&3; while read -r l <&3; do case $l in ???-*) ;; *) break;; esac; done; done; echo \"$l\"";
            let output = lab.inside("bash").args(["-c", script]).output().expect("bash runs");
            let answer = String::from_utf8_lossy(&output.stdout).into_owned();
            lab.stop();
            assert!(answer.starts_with(want), "{value}: {answer}");
            let found = lint::run(rule, &Fixture::new(&main_cf).context(postfix.version));
            let error = found.iter().any(|it| it.severity == Severity::Error);
            // permit_mynetworks lets this client pass, and refuses all others.
            assert_eq!(error, want == "451" || value.starts_with("permit_mynetworks"), "{value}");
        }
    });
}
