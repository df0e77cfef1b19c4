//! A real Postfix goes the same way: with the same DNS it tries the same hosts in the same order, and bounces or keeps
//! mail for the same reasons.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use postls::observation::route::{NoRoute, Route, Seen};
use postls::probe::dns::Resolver;
use postls::probe::route::{self, BEYOND_LIMIT, Dane, Host, RouteSettings};

use crate::lab::{self, Lab};
use crate::probe::name_server::{self, NameServer};

/// Nobody listens at 127.0.1.0/24, so that Postfix tries one address after the other, and says so.
const ZONE: &str = "\
    order.example MX 20 o2.example
    order.example MX 10 o1.example
    order.example MX 15 gone.example
    order.example MX 30 o3.example
    o1.example A 127.0.1.1
    o2.example A 127.0.1.2
    o3.example A 127.0.1.3
    same.example MX 10 o1.example
    same.example MX 10 o2.example
    same.example MX 10 o3.example
    implicit.example A 127.0.1.4
    empty.example TXT nothing
    null.example MX 0 .
    lost.example MX 10 gone.example
    hazy.example MX 10 gone.example
    hazy.example MX 20 fails.example
    hazy2.example MX 10 fails.example
    hazy2.example MX 20 gone.example
    odd.example MX 10 -odd-.example
    odd2.example MX 10 -odd-.example
    odd2.example MX 20 o2.example
    numeric.example MX 10 127.0.1.44
    fails.example code 2
    refuses.example code 5
    unknowing.example code 4
    form.example code 1
    broken.example code 9
    class.example raw 000f000300000000000401020304
    short.example raw 00010001000000000003010203
    best.example MX 10 me.example
    best.example MX 20 o1.example
    backup.example MX 10 o1.example
    backup.example MX 20 me.example
    backup.example MX 30 o2.example
    lame.example MX 10 gone.example
    lame.example MX 20 me.example
    me.example A 127.0.0.1
    alias.example CNAME order.example
    hostalias.example CNAME o1.example
    far.example MX 5 hostalias.example
    loop.example alone
    loop.example CNAME loop2.example
    loop2.example alone
    loop2.example CNAME loop.example
    tcp.example truncated
    tcp.example MX 10 o1.example
    crowd.example MX 10 six.example
    crowd.example MX 20 seven.example
    six.example A 127.0.1.61
    six.example A 127.0.1.62
    six.example A 127.0.1.63
    six.example A 127.0.1.64
    seven.example A 127.0.1.71
    seven.example A 127.0.1.72
    seven.example A 127.0.1.73
    both.example MX 10 v6.example
    both.example MX 20 seven.example
    v6.example AAAA 2001:db8::1
    v6.example AAAA 2001:db8::2
    v6.example AAAA 2001:db8::3
    v6.example AAAA 2001:db8::4
    v6.example AAAA 2001:db8::5
    mixed.example A 127.0.1.81
    mixed.example A 127.0.1.82
    mixed.example AAAA 2001:db8::81
    xn--bcher-kva.example A 127.0.1.90";

/// Parameters of the client, and the destination.
const CASES: &[(&str, &str)] = &[
    ("", "order.example"),
    ("smtp_mx_address_limit=2", "order.example"),
    ("smtp_mx_address_limit=0", "crowd.example"),
    ("", "crowd.example"),
    ("smtp_randomize_addresses=no", "crowd.example"),
    ("", "same.example"),
    ("smtp_randomize_addresses=no", "same.example"),
    ("", "implicit.example"),
    ("", "implicit.example:587"),
    ("", "[implicit.example]"),
    ("", "[implicit.example]:submission"),
    ("", "[127.0.1.5]"),
    ("", "127.0.1.5"),
    ("", "gone.example"),
    ("", "[gone.example]"),
    ("", "empty.example"),
    ("", "null.example"),
    ("", "lost.example"),
    ("smtp_defer_if_no_mx_address_found=yes", "lost.example"),
    ("", "hazy.example"),
    ("", "hazy2.example"),
    ("", "odd.example"),
    ("", "odd2.example"),
    ("", "numeric.example"),
    ("", "fails.example"),
    ("", "refuses.example"),
    ("", "unknowing.example"),
    ("", "form.example"),
    ("", "broken.example"),
    ("", "class.example"),
    ("", "[short.example]"),
    ("", "best.example"),
    ("", "best.example:587"),
    ("", "backup.example"),
    ("", "lame.example"),
    ("", "[me.example]"),
    ("", "alias.example"),
    ("", "[hostalias.example]"),
    ("smtp_cname_overrides_servername=yes", "[hostalias.example]"),
    ("", "far.example"),
    ("", "loop.example"),
    ("", "tcp.example"),
    ("inet_protocols=all", "both.example"),
    ("inet_protocols=all,smtp_randomize_addresses=no", "both.example"),
    ("inet_protocols=all,smtp_balance_inet_protocols=no", "both.example"),
    (
        "inet_protocols=all,smtp_randomize_addresses=no,smtp_address_preference=ipv6",
        "[mixed.example]",
    ),
    (
        "inet_protocols=all,smtp_randomize_addresses=no,smtp_address_preference=ipv4",
        "[mixed.example]",
    ),
    ("inet_protocols=ipv4", "[v6.example]"),
    ("smtputf8_enable=yes", "b\u{fc}cher.example"),
    ("ignore_mx_lookup_error=yes", "broken.example"),
    ("smtp_host_lookup=native", "[o1.example]"),
    ("smtp_host_lookup=native", "order.example"),
    ("smtp_host_lookup=native", "[gone.example]"),
    ("smtp_dns_support_level=disabled", "order.example"),
    ("disable_dns_lookups=yes,smtp_dns_support_level=", "implicit.example"),
];

#[test]
fn postfix_tries_the_same_hosts_in_the_same_order() {
    let outside = NameServer::start(ZONE);
    let resolver = Resolver::at(outside.at).within(Duration::from_secs(20));
    lab::with_each(|postfix| {
        let (mut services, mut routes) = (String::new(), String::new());
        for (number, (parameters, destination)) in CASES.iter().enumerate() {
            let more = parameters.split(',').filter(|it| !it.is_empty());
            let more = more.fold(String::new(), |all, it| all + " -o " + it);
            writeln!(
                services,
                "s{number} unix - - n - 1 smtp -o syslog_name=postfix/s{number}{more}"
            )
            .unwrap();
            writeln!(routes, "n{number}.lab.test s{number}:{destination}").unwrap();
        }
        let main_cf = "transport_maps = texthash:/etc/postfix/routes\nsmtp_host_lookup = dns\n\
                       smtp_dns_support_level = dnssec\nsmtp_tls_security_level = may\nsmtputf8_enable = yes\n\
                       default_process_limit = 100\nsoft_bounce = no\n";
        let files = [("main.cf", main_cf), ("master.cf", &services), ("routes", &routes)];
        let mut lab = Lab::new(postfix, &files.map(|(name, text)| (name, text.as_bytes())));
        let started = lab.start();
        assert!(started.status.success(), "{started:?}");
        let inside = name_server::start_in(&lab, ZONE);
        let domains: Vec<String> = (0..CASES.len()).map(|it| format!("n{it}.lab.test")).collect();
        lab.send(&domains.iter().map(String::as_str).collect::<Vec<_>>());
        for number in 0..CASES.len() {
            lab.logs(&format!("to=<u@n{number}.lab.test>, "), 1);
        }
        let (log, hosts) = (lab.log(), std::fs::read(lab.path("hosts")).unwrap());
        lab.stop();
        drop(inside);
        let mut wrong = Vec::new();
        for (number, (parameters, destination)) in CASES.iter().enumerate() {
            let settings = settings(parameters, &hosts);
            let ours = route::route(&resolver, &settings, destination, Dane::DontAsk);
            if let Some(difference) = difference(&ours, &log, number, &settings) {
                let said: Vec<&str> =
                    log.lines().filter(|it| it.contains(&format!("postfix/s{number}/"))).collect();
                let said = said.join("\n    ");
                wrong.push(format!(
                    "{parameters} {destination}: {difference}\n  {ours:?}\n    {said}"
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

fn settings(parameters: &str, hosts: &[u8]) -> RouteSettings {
    let own: [IpAddr; 1] = [Ipv4Addr::LOCALHOST.into()];
    let host = Host { interfaces: &own, hosts, services: b"" };
    let usual = "inet_protocols=ipv4,inet_interfaces=127.0.0.1,smtp_host_lookup=dns,\
                 smtp_dns_support_level=dnssec,smtputf8_enable=yes";
    RouteSettings::of("smtp", &host, &|parameter| {
        let all = parameters.split(',').chain(usual.split(','));
        let mut values = all.filter_map(|it| it.split_once('=')).filter(|it| it.0 == parameter);
        values.next().map_or_else(Vec::new, |it| it.1.as_bytes().to_vec())
    })
}

/// What Postfix did otherwise.
fn difference(
    ours: &Result<Route, NoRoute>,
    log: &str,
    number: usize,
    settings: &RouteSettings,
) -> Option<String> {
    let lines = || log.lines().filter(|it| it.contains(&format!("postfix/s{number}/smtp[")));
    let tried: Vec<&str> = lines()
        .filter_map(|it| it.split_once("]: connect to ")?.1.split_once(": ").map(|it| it.0))
        .collect();
    let fate = lines().find_map(|it| {
        let (_, fate) = it.split_once(&format!("to=<u@n{number}.lab.test>, "))?;
        fate.split_once("status=").map(|it| it.1)
    });
    let Some(fate) = fate else { return Some("nothing became of it".to_owned()) };
    let route = match ours {
        Ok(route) => route,
        Err(why) => {
            let bounces = match why {
                NoRoute::NotFound(_) | NoRoute::Loops(_) | NoRoute::NullMx => true,
                NoRoute::Failed(_) => false,
                NoRoute::Malformed(_) | NoRoute::NotNetwork | NoRoute::HandedOn(_) => {
                    return Some("it has no fate".into());
                }
            };
            let did = (fate.starts_with("bounced"), fate.contains("loops back to myself"));
            let want = (bounces, matches!(why, NoRoute::Loops(_)));
            let is_it = did == want && tried.is_empty();
            return (!is_it).then(|| format!("bounces: {bounces}"));
        }
    };
    let mut rows: Vec<(u16, String, bool)> = Vec::new();
    for server in &route.servers {
        for address in &server.addresses {
            let (ip, port) = (address.socket.ip(), address.socket.port());
            let beyond = address.seen == Seen::NotTried(BEYOND_LIMIT);
            let text = format!("{}[{ip}]:{port}", server.name);
            rows.push((server.preference.unwrap_or(0), text, beyond));
        }
    }
    let known = |it: &&str| rows.iter().find(|row| row.1 == **it);
    let relay = lines().find_map(|it| it.split_once("relay=")?.1.split(',').next());
    let tried: Vec<&str> = match relay.filter(|_| fate.starts_with("sent")) {
        Some(relay) => tried.into_iter().chain([relay]).collect(),
        None => tried,
    };
    if tried.iter().any(|it| known(it).is_none_or(|row| row.2)) {
        return Some(format!("it tried others: {tried:?}"));
    }
    let limit = if settings.address_limit == 0 { usize::MAX } else { settings.address_limit };
    let all = rows.iter().filter(|it| !it.2).count().min(limit);
    // Who takes the mail is the last one.
    let want = if fate.starts_with("sent") { 1 } else { all };
    if tried.len() != want || tried.iter().collect::<BTreeSet<_>>().len() != want {
        return Some(format!("{want} should be tried: {tried:?}"));
    }
    let preferences: Vec<u16> = tried.iter().filter_map(known).map(|it| it.0).collect();
    if !preferences.is_sorted() {
        return Some(format!("another order: {tried:?}"));
    }
    let order = rows.iter().filter(|it| !it.2).map(|it| it.1.as_str());
    let is_other = !settings.randomize && !order.eq(tried.iter().copied());
    is_other.then(|| format!("another order: {tried:?}"))
}
