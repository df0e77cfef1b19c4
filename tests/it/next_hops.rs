//! What smtp(8) takes for a next-hop destination, and which keys it asks tables of policies and
//! passwords for.

use std::fmt::Write;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use postls::config::Destination;
use postls::lint::{Answer, Credentials};

use crate::fixture::Fixture;
use crate::lab::{self, Lab, Outcome};

const FORMS: [&str; 30] = [
    "a.example",
    "a.example:",
    "a.example:587",
    "a.example:submission",
    "[a.example]",
    "[a.example]:",
    "[a.example]:25",
    "[192.0.2.1]",
    "[192.0.2.1]:25",
    "192.0.2.1:25",
    "[A_b.Example]:25",
    "[a.example",
    "[a.example:25]",
    "[a.example]25",
    "[a.example].",
    "[]:25",
    ":25",
    "a..example",
    "-a.example",
    "a-.example",
    "a.example.",
    "192.0.2",
    "192.0.2.256",
    "[IPv6:a.example]",
    "smtp:[a.example]",
    "smtp:[a.example]:25",
    "a.example:2x",
    "a.example:0",
    "a.example:65536",
    "u@a.example",
];

/// Each form has a service of its own: one that exits is started again much later.
#[test]
fn a_client_exits_on_a_destination_that_postls_does_not_read_and_only_then() {
    lab::with_each(|postfix| {
        let (mut services, mut routes) = (String::new(), String::new());
        for (number, form) in FORMS.iter().enumerate() {
            writeln!(services, "s{number} unix - - n - 1 smtp").unwrap();
            writeln!(routes, "n{number}.lab.test s{number}:{form}").unwrap();
        }
        let mut lab = Lab::new(
            postfix,
            &[
                ("main.cf", b"transport_maps = texthash:/etc/postfix/routes\n"),
                ("master.cf", services.as_bytes()),
                ("routes", routes.as_bytes()),
            ],
        );
        send_to_all(&mut lab, FORMS.len());
        let exited = |form: &str, log: &str| {
            let service = form.rsplit_once(':').map_or("none", |it| it.1);
            let ends = [format!(": {form}"), format!("unknown service: {service}/tcp")];
            let mut fatal = log.lines().filter(|it| it.contains("fatal: "));
            fatal.find(|it| ends.iter().any(|end| it.ends_with(end))).map(str::to_owned)
        };
        let fates = |log: &str| {
            let sent = |number| log.contains(&format!("to=<u@n{number}.lab.test>, relay="));
            FORMS.iter().enumerate().all(|(number, it)| sent(number) || exited(it, log).is_some())
        };
        wait(&lab, fates);
        let mut wrong = Vec::new();
        for (number, form) in FORMS.iter().enumerate() {
            let sent = matches!(lab.outcome_now(number), Outcome::Sent { .. });
            let said = exited(form, &lab.log());
            let agree = match Destination::parse(form.as_bytes()) {
                Ok(_) => sent && said.is_none(),
                Err(why) => !sent && said.as_ref().is_some_and(|it| it.contains(why)),
            };
            if !agree {
                wrong.push(format!("{form}: sent: {sent}, said: {said:?}"));
            }
        }
        lab.stop();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), lab.log());
    });
}

/// TLS is mandatory, the server has none, and one row says that it may be so.
#[test]
fn a_policy_is_found_under_the_keys_that_postls_expects() {
    const HOPS: [&str; 6] = [
        "mx.cleartext.example",
        "mx.cleartext.example:25",
        "mx.cleartext.example:smtp",
        "[mx.cleartext.example]",
        "[mx.cleartext.example]:25",
        "[MX.cleartext.example]:smtp",
    ];
    const MORE_KEYS: [&str; 6] = [
        ".cleartext.example",
        "cleartext.example",
        ".mx.cleartext.example",
        ".example",
        "*.cleartext.example",
        "smtp:[mx.cleartext.example]",
    ];
    let keys: Vec<&str> = HOPS.into_iter().chain(MORE_KEYS).collect();
    lab::with_each(|postfix| {
        let main_cf = "transport_maps = texthash:/etc/postfix/routes\nsmtp_tls_security_level = encrypt\n\
                       default_process_limit = 20\n";
        let (mut services, mut routes) = (String::new(), String::new());
        let mut tables = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            tables.push((format!("k{number}"), format!("{key} may\n")));
        }
        let pairs: Vec<(&str, usize)> =
            HOPS.iter().flat_map(|hop| (0..keys.len()).map(move |key| (*hop, key))).collect();
        for (number, (hop, key)) in pairs.iter().enumerate() {
            writeln!(
                services,
                "s{number} unix - - n - 1 smtp -o smtp_tls_policy_maps=texthash:/etc/postfix/k{key}"
            )
            .unwrap();
            writeln!(routes, "n{number}.lab.test s{number}:{hop}").unwrap();
        }
        let mut files: Vec<(&str, &str)> =
            vec![("main.cf", main_cf), ("master.cf", &services), ("routes", &routes)];
        files.extend(tables.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let bytes: Vec<(&str, &[u8])> =
            files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        let mut lab = Lab::new(postfix, &bytes);
        send_to_all(&mut lab, pairs.len());
        let count = pairs.len();
        wait(&lab, |log| {
            (0..count).all(|number| log.contains(&format!("to=<u@n{number}.lab.test>, relay=")))
        });
        let text: String = files
            .iter()
            .map(|(name, text)| {
                format!("==> {name} <==\n{}", text.replace("/etc/postfix", "$config_directory"))
            })
            .collect();
        let fixture = Fixture::new(&text);
        let context = fixture.context(postfix.version);
        let (effective, routes) = context.routes().next().expect("there is a main.cf");
        let mut wrong = Vec::new();
        for (number, (hop, key)) in pairs.iter().enumerate() {
            let service = format!("s{number}");
            let route = routes.routes.iter().find(|it| {
                let scope = it.hop.client.scope.map(|it| &effective.scopes[it]);
                scope.is_some_and(|it| it.service == service.as_bytes())
            });
            let found = matches!(route.expect("it is named").policy, Answer::Row(_));
            let sent = matches!(lab.outcome_now(number), Outcome::Sent { .. });
            if found != sent {
                wrong.push(format!("{hop} {}: found: {found}, sent: {sent}", keys[*key]));
            }
        }
        lab.stop();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), lab.log());
    });
}

/// The server offers a mechanism that no client has: a client with a password gives up, and one
/// without goes on.
#[test]
fn a_password_is_found_under_the_keys_that_postls_expects() {
    const HOPS: [&str; 3] =
        ["mx.relay.example:2526", "[mx.relay.example]:2526", "[MX.relay.example]:2526"];
    const KEYS: [&str; 6] = [
        "mx.relay.example",
        "[mx.relay.example]",
        "[mx.relay.example]:25",
        "MX.relay.example:2526",
        "[mx.relay.example]:2526",
        "relay.example",
    ];
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        let has = |option: &str, word: &str| {
            String::from_utf8_lossy(&lab.run("postconf", &[option]).stdout).contains(word)
        };
        if !has("-a", "dovecot") || !has("-A", "cyrus") {
            println!("skipped: {} is built without SASL", postfix.full_version);
            return;
        }
        let socket = lab.path("auth");
        crate::server::offer_logins(UnixListener::bind(&socket).expect("a socket"), "NONESUCH");
        set_permissions(&socket, Permissions::from_mode(0o777)).expect("it is ours");
        let main_cf = format!(
            "transport_maps = texthash:/etc/postfix/routes\nsmtp_sasl_auth_enable = yes\n\
             smtp_sasl_security_options =\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n\
             mynetworks = 127.0.0.0/8\ndefault_process_limit = 20\n",
            socket.display()
        );
        let mut services =
            "127.0.0.2:2526 inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n  \
                            -o content_filter=discard:\n"
                .to_owned();
        let mut routes = String::new();
        let pairs: Vec<(&str, usize)> =
            HOPS.iter().flat_map(|hop| (0..KEYS.len()).map(move |key| (*hop, key))).collect();
        for (number, (hop, key)) in pairs.iter().enumerate() {
            let table = format!("smtp_sasl_password_maps=texthash:/etc/postfix/k{key}");
            writeln!(services, "s{number} unix - - n - 1 smtp -o {table}").unwrap();
            writeln!(routes, "n{number}.lab.test s{number}:{hop}").unwrap();
        }
        let tables = KEYS.iter().enumerate();
        let tables: Vec<(String, String)> =
            tables.map(|(number, key)| (format!("k{number}"), format!("{key} u:p\n"))).collect();
        let mut files: Vec<(&str, &str)> =
            vec![("main.cf", &main_cf), ("master.cf", &services), ("routes", &routes)];
        files.extend(tables.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let bytes: Vec<(&str, &[u8])> =
            files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        lab.refurnish(&bytes);
        send_to_all(&mut lab, pairs.len());
        let fate = |number: usize, log: &str| {
            let recipient = format!(": to=<u@n{number}.lab.test>, ");
            let mut lines =
                log.lines().filter(|it| it.contains("/smtp[") && it.contains(&recipient));
            lines.next().map(|it| it.contains("SASL authentication failed"))
        };
        wait(&lab, |log| (0..pairs.len()).all(|number| fate(number, log).is_some()));
        let text: String = files
            .iter()
            .map(|(name, text)| {
                format!("==> {name} <==\n{}", text.replace("/etc/postfix", "$config_directory"))
            })
            .collect();
        let fixture = Fixture::new(&text);
        let context = fixture.context(postfix.version);
        let (_, routes) = context.routes().next().expect("there is a main.cf");
        let mut wrong = Vec::new();
        for (number, (hop, key)) in pairs.iter().enumerate() {
            let route = routes.routes.iter().find(|it| {
                let scope = it.hop.client.scope.map(|it| &context.scopes[it]);
                scope.is_some_and(|it| it.service == format!("s{number}").as_bytes())
            });
            let (found, refuted) = match &route.expect("it is named").credentials {
                Credentials::Found => (true, false),
                Credentials::Nothing(alike) => (false, !alike.is_empty()),
                Credentials::Off | Credentials::Unknown => panic!("{hop}: nothing is known"),
            };
            let used = fate(number, &lab.log());
            if found && used != Some(true) || refuted && used != Some(false) || used.is_none() {
                wrong.push(format!("{hop} {}: {found} {refuted}, used: {used:?}", KEYS[*key]));
            }
        }
        lab.stop();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), lab.log());
    });
}

/// One message to `n0.lab.test`, `n1.lab.test` and so on.
fn send_to_all(lab: &mut Lab, count: usize) {
    let domains: Vec<String> = (0..count).map(|number| format!("n{number}.lab.test")).collect();
    lab.start();
    lab.send(&domains.iter().map(String::as_str).collect::<Vec<_>>());
}

fn wait(lab: &Lab, done: impl Fn(&str) -> bool) {
    for _ in 0..600 {
        if done(&lab.log()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Lab {
    /// What the log says by now.
    fn outcome_now(&self, number: usize) -> Outcome {
        let recipient = format!(": to=<u@n{number}.lab.test>, ");
        let log = self.log();
        match log.lines().rev().find(|it| it.contains(&recipient)) {
            Some(line) if line.contains("status=sent") => Outcome::Sent { tls: None },
            Some(line) => Outcome::Deferred { reason: line.to_owned() },
            None => Outcome::Unknown,
        }
    }
}
