//! A real Postfix finds the same TLSA records: at level dane-only mail goes out if, and only if, the records that postls
//! finds are validated and have the key of the receiver.

use std::fmt::Write as _;
use std::time::Duration;

use postls::observation::Looked;
use postls::observation::route::{By, NoRoute, Route};
use postls::probe::dns::Resolver;
use postls::probe::route::{self, Dane};

use crate::lab::{self, Lab, public_key_fingerprint};
use crate::probe::name_server::{self, NameServer};

/// Hosts at the receiver. With three bytes instead of two in the record of `short`, smtp(8) of 3.7.11 panics. `GOOD` is a record with its key, `BAD` one with another.
const ZONE: &str = "\
    plain.example MX 10 host.example
    signed.example secure
    signed.example MX 10 host.example
    host.example secure
    host.example A 127.0.0.2
    _25._tcp.host.example secure
    _25._tcp.host.example GOOD
    _587._tcp.host.example secure
    _587._tcp.host.example BAD
    bad.example secure
    bad.example A 127.0.0.2
    _25._tcp.bad.example secure
    _25._tcp.bad.example BAD
    open.example A 127.0.0.2
    _25._tcp.open.example secure
    _25._tcp.open.example GOOD
    bare.example secure
    bare.example A 127.0.0.2
    loose.example secure
    loose.example A 127.0.0.2
    _25._tcp.loose.example GOOD
    tohost.example secure
    tohost.example CNAME host.example
    _25._tcp.tohost.example secure
    _25._tcp.tohost.example BAD
    tobad.example secure
    tobad.example CNAME bad.example
    _25._tcp.tobad.example secure
    _25._tcp.tobad.example GOOD
    tobare.example secure
    tobare.example CNAME bare.example
    _25._tcp.tobare.example secure
    _25._tcp.tobare.example GOOD
    toloose.example secure
    toloose.example CNAME loose.example
    _25._tcp.toloose.example secure
    _25._tcp.toloose.example GOOD
    toopen.example secure
    toopen.example CNAME open.example
    _25._tcp.toopen.example secure
    _25._tcp.toopen.example GOOD
    astray.example CNAME host.example
    step.example secure
    step.example alone
    step.example CNAME tohost.example
    fails.example secure
    fails.example A 127.0.0.2
    _25._tcp.fails.example code 2
    short.example secure
    short.example A 127.0.0.2
    _25._tcp.short.example secure
    _25._tcp.short.example raw 003400010000000000020301
    moved.example secure
    moved.example A 127.0.0.2
    _25._tcp.moved.example secure
    _25._tcp.moved.example CNAME _25._tcp.host.example
    away.example secure
    away.example A 127.0.0.2
    _25._tcp.away.example CNAME _25._tcp.host.example";

const CASES: &[(&str, &str)] = &[
    ("", "plain.example"),
    ("", "signed.example"),
    ("", "signed.example:587"),
    ("", "[host.example]"),
    ("", "host.example"),
    ("", "[host.example]:587"),
    ("", "[bad.example]"),
    ("", "[open.example]"),
    (" -o smtp_tls_force_insecure_host_tlsa_lookup=yes", "[open.example]"),
    ("", "[bare.example]"),
    ("", "[loose.example]"),
    ("", "[tohost.example]"),
    ("", "[tobad.example]"),
    ("", "[tobare.example]"),
    ("", "[toloose.example]"),
    ("", "[toopen.example]"),
    ("", "[astray.example]"),
    ("", "[step.example]"),
    ("", "[fails.example]"),
    ("", "[short.example]"),
    ("", "[moved.example]"),
    ("", "[away.example]"),
    ("", "[127.0.0.2]"),
];

#[test]
fn postfix_finds_the_same_tlsa_records() {
    let key = public_key_fingerprint("sha256").replace(':', "");
    let zone = ZONE.replace("GOOD", &format!("TLSA 3 1 1 {key}"));
    let zone = zone.replace("BAD", &format!("TLSA 3 1 1 {}", "00".repeat(32)));
    let outside = NameServer::start(&zone);
    let resolver = Resolver::at(outside.at).within(Duration::from_secs(20));
    lab::with_each(|postfix| {
        let (mut services, mut routes) = (String::new(), String::new());
        for (number, (more, destination)) in CASES.iter().enumerate() {
            writeln!(services, "s{number} unix - - n - 1 smtp{more}").unwrap();
            writeln!(routes, "n{number}.lab.test s{number}:{destination}").unwrap();
        }
        let main_cf = "transport_maps = texthash:/etc/postfix/routes\nsmtp_host_lookup = dns\n\
                       smtp_dns_support_level = dnssec\nsmtp_tls_security_level = dane-only\n\
                       default_process_limit = 100\n";
        let files = [("main.cf", main_cf), ("master.cf", &services), ("routes", &routes)];
        let mut lab = Lab::new(postfix, &files.map(|(name, text)| (name, text.as_bytes())));
        let started = lab.start();
        assert!(started.status.success(), "{started:?}");
        let inside = name_server::start_in(&lab, &zone);
        let domains: Vec<String> = (0..CASES.len()).map(|it| format!("n{it}.lab.test")).collect();
        lab.send(&domains.iter().map(String::as_str).collect::<Vec<_>>());
        for number in 0..CASES.len() {
            lab.logs(&format!("to=<u@n{number}.lab.test>, "), 1);
        }
        let log = lab.log();
        lab.stop();
        drop(inside);
        let mut wrong = Vec::new();
        for (number, (more, destination)) in CASES.iter().enumerate() {
            let more = more.replace(" -o ", ";");
            let settings = super::settings("smtp", &format!("inet_protocols=ipv4{more}"));
            let ours = route::route(&resolver, &settings, destination, Dane::Ask);
            let lines =
                || log.lines().filter(|it| it.contains(&format!("to=<u@n{number}.lab.test>, ")));
            let sent = lines().next().map(|it| it.contains("status=sent"));
            if sent != Some(is_good(&ours, &key)) {
                let is_about = |it: &&str| {
                    it.contains("fatal: ") || it.contains("panic: ") || it.contains("warning: ")
                };
                let said =
                    lines().chain(log.lines().filter(is_about)).collect::<Vec<_>>().join("\n    ");
                wrong.push(format!("{more} {destination}: sent: {sent:?}\n  {ours:?}\n    {said}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

fn is_good(route: &Result<Route, NoRoute>, key: &str) -> bool {
    let route = route.as_ref().unwrap();
    let is_secure = match route.by {
        By::Exchangers { secure } => secure,
        By::Implicit { .. } | By::Brackets | By::Native => true,
    };
    let Looked::Found(tlsa) = &route.servers[0].tlsa else { return false };
    let hex = |data: &[u8]| data.iter().fold(String::new(), |all, it| format!("{all}{it:02X}"));
    is_secure && tlsa.secure && tlsa.records.iter().any(|it| hex(&it.data) == key)
}
