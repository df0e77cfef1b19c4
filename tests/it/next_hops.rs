//! What smtp(8) and lmtp(8) take for a destination, and which key they ask for.

use std::fmt::Write;
use std::time::Duration;

use postls::config::Destination;

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
        let main_cf = "transport_maps = texthash:/etc/postfix/routes\nsmtp_host_lookup = native\n";
        let files: [(&str, &[u8]); 3] = [
            ("main.cf", main_cf.as_bytes()),
            ("master.cf", services.as_bytes()),
            ("routes", routes.as_bytes()),
        ];
        let mut lab = Lab::new(postfix, &files);
        let domains: Vec<String> =
            (0..FORMS.len()).map(|number| format!("n{number}.lab.test")).collect();
        lab.start();
        lab.send(&domains.iter().map(String::as_str).collect::<Vec<_>>());
        let exits = |form: &str, log: &str| {
            log.lines()
                .any(|it| it.contains("fatal: ") && !it.contains("throttling") && it.contains(form))
        };
        let mut wrong = Vec::new();
        for (number, form) in FORMS.iter().enumerate() {
            let service = format!("s{number}");
            let exited = |log: &str| {
                log.lines().any(|it| {
                    it.contains(&format!("postfix/{service}/smtp[")) && it.contains("fatal: ")
                })
            };
            let known = || {
                let log = lab.log();
                exited(&log) || exits(form, &log)
            };
            for _ in 0..100 {
                if known() || matches!(lab.outcome(&domains[number]), Outcome::Sent { .. }) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let read = Destination::parse(form.as_bytes());
            let sent = matches!(lab.outcome(&domains[number]), Outcome::Sent { .. });
            if read.is_ok() != sent || read.is_err() != known() {
                wrong.push(format!("{form}: {read:?}, sent: {sent}, exits: {}", known()));
            }
        }
        lab.stop();
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), lab.log());
    });
}
