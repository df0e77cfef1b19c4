//! From a destination to addresses: what postls says, by zones that say everything.

mod answers;
mod judged;
mod judged_tlsa;
mod wild;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use postls::observation::Looked;
use postls::observation::route::{By, NoRoute, Route, Seen};
use postls::probe::dns::Resolver;
use postls::probe::route::{self, BEYOND_LIMIT, Dane, ENOUGH, Host, RouteSettings, WAITING};

use super::name_server::NameServer;

const HOSTS: &[u8] = b"127.0.0.1 localhost\n192.0.2.77 listed.example both.example\n";
const SERVICES: &[u8] = b"smtp 25/tcp mail\nodd-smtp 2525/tcp\n";

/// Settings as main.cf gives them, of a host with one interface.
fn settings(name: &'static str, main_cf: &str) -> RouteSettings {
    let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(192, 0, 2, 99).into()];
    let host = Host { interfaces: &own, hosts: HOSTS, services: SERVICES };
    RouteSettings::of(name, &host, &|parameter| {
        let lines = main_cf.split(';').filter_map(|it| it.split_once('='));
        let value = lines.into_iter().find(|it| it.0.trim() == parameter);
        value.map_or_else(Vec::new, |it| it.1.trim().as_bytes().to_vec())
    })
}

/// A route in one line: how it was found, then each host with its preference, addresses and trouble.
fn words(route: &Result<Route, NoRoute>) -> String {
    let route = match route {
        Ok(route) => route,
        Err(NoRoute::Malformed(why)) => return format!("malformed: {why}"),
        Err(NoRoute::NotNetwork) => return "not network".to_owned(),
        Err(NoRoute::NotFound(words)) => return format!("bounces: {words}"),
        Err(NoRoute::Loops(words)) => return format!("loops: {words}"),
        Err(NoRoute::HandedOn(words)) => return format!("handed on: {words}"),
        Err(NoRoute::NullMx) => return "null mx".to_owned(),
        Err(NoRoute::Failed(words)) => return format!("waits: {words}"),
    };
    let mut words = match route.by {
        By::Exchangers { secure: true } => "mx!",
        By::Exchangers { secure: false } => "mx",
        By::Implicit { secure: true } => "implicit!",
        By::Implicit { secure: false } => "implicit",
        By::Brackets => "brackets",
        By::Native => "native",
    }
    .to_owned();
    for server in &route.servers {
        words.push_str(" | ");
        if let Some(preference) = server.preference {
            write!(words, "{preference} ").unwrap();
        }
        words.push_str(&server.name);
        if let Some(canonical) = &server.canonical {
            write!(words, " -> {canonical}").unwrap();
        }
        if server.secure {
            words.push('!');
        }
        for address in &server.addresses {
            write!(words, " {}", address.socket).unwrap();
            if address.seen == Seen::NotTried(BEYOND_LIMIT) {
                words.push_str("(beyond)");
            }
        }
        if let Some(trouble) = &server.trouble {
            write!(words, " ({trouble})").unwrap();
        }
        match &server.tlsa {
            Looked::Found(it) => write!(
                words,
                " tlsa{} {} {}",
                if it.secure { "!" } else { "" },
                it.base,
                it.records.len()
            )
            .unwrap(),
            Looked::Failed(_) => words.push_str(" tlsa failed"),
            Looked::Late(_) => words.push_str(" tlsa late"),
            Looked::Nothing => words.push_str(" no tlsa"),
            Looked::NotAsked(_) => {}
        }
    }
    words
}

fn check(zone: &str, cases: &[(&str, &str, &str)]) {
    check_client("smtp", zone, cases);
}

/// Each case: parameters, a destination, and the route in words.
fn check_client(client: &'static str, zone: &str, cases: &[(&str, &str, &str)]) {
    let server = NameServer::start(zone);
    let resolver = Resolver::at(server.at).within(Duration::from_secs(10));
    let mut wrong = Vec::new();
    for (main_cf, destination, want) in cases {
        let settings = settings(client, main_cf);
        let got = words(&route::route(&resolver, &settings, destination, Dane::Ask));
        let is_it = match want.strip_suffix('…') {
            Some(beginning) => got.starts_with(beginning),
            None => got == *want,
        };
        if !is_it {
            wrong.push(format!("{main_cf} {destination}\n  got  {got}\n  want {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn exchangers_come_in_the_order_of_their_preference() {
    let zone = "\
        a.example MX 20 mx2.a.example
        a.example MX 10 mx1.a.example
        a.example MX 20 mx0.a.example
        mx1.a.example A 192.0.2.11
        mx1.a.example AAAA 2001:db8::11
        mx2.a.example A 192.0.2.12
        mx0.a.example A 192.0.2.10
        implicit.example A 192.0.2.20
        empty.example TXT nothing
        null.example MX 0 .
        nulls.example MX 10 mx1.a.example
        nulls.example MX 0 .
        numeric.example MX 10 192.0.2.44
        lame.example MX 10 gone.example
        lame.example MX 20 mx1.a.example
        lost.example MX 10 gone.example
        hazy.example MX 10 gone.example
        hazy.example MX 20 fails.example
        odd.example MX 10 -odd-.example
        odd2.example MX 10 -odd-.example
        odd2.example MX 20 mx1.a.example
        fails.example code 2
        refuses.example code 5
        broken.example code 9
        xn--bcher-kva.example A 192.0.2.60";
    check(
        zone,
        &[
            (
                "",
                "a.example",
                "mx | 10 mx1.a.example 192.0.2.11:25 [2001:db8::11]:25 | 20 mx0.a.example 192.0.2.10:25 \
                 | 20 mx2.a.example 192.0.2.12:25",
            ),
            ("", "implicit.example", "implicit | implicit.example 192.0.2.20:25"),
            ("", "IMPLICIT.example:587", "implicit | IMPLICIT.example 192.0.2.20:587"),
            ("", "[implicit.example]", "brackets | implicit.example 192.0.2.20:25"),
            ("", "[implicit.example]:odd-smtp", "brackets | implicit.example 192.0.2.20:2525"),
            (
                "smtp_tcp_port=2526",
                "[implicit.example]",
                "brackets | implicit.example 192.0.2.20:2526",
            ),
            (
                "known_tcp_ports=x=y=99, smtp=25",
                "[implicit.example]:y",
                "brackets | implicit.example 192.0.2.20:99",
            ),
            ("", "[implicit.example]:nonesuch", "malformed: unknown service"),
            ("", "[implicit.example", "malformed: missing \"]\""),
            ("", "192.0.2.1", "implicit | 192.0.2.1 192.0.2.1:25"),
            ("", "[192.0.2.1]:26", "brackets | 192.0.2.1 192.0.2.1:26"),
            ("", "[IPv6:2001:db8::1]", "brackets | 2001:db8::1 [2001:db8::1]:25"),
            (
                "inet_protocols=ipv4",
                "[IPv6:2001:db8::1]",
                "bounces: 2001:db8::1 is no name that DNS has",
            ),
            ("", "null.example", "null mx"),
            ("", "nulls.example", "null mx"),
            ("", "numeric.example", "mx | 10 192.0.2.44 192.0.2.44:25"),
            (
                "",
                "lame.example",
                "mx | 10 gone.example (gone.example does not exist) \
                 | 20 mx1.a.example 192.0.2.11:25 [2001:db8::11]:25",
            ),
            ("", "lost.example", "bounces: no MX host has an address: gone.example does not exist"),
            ("smtp_defer_if_no_mx_address_found=yes", "lost.example", "waits: no MX host…"),
            (
                "",
                "hazy.example",
                "waits: no MX host has an address: asked for AAAA of fails.example: …",
            ),
            ("", "gone.example", "bounces: gone.example does not exist"),
            ("", "empty.example", "bounces: empty.example has no AAAA records"),
            (
                "relayhost=[gone.example]",
                "[gone.example]",
                "waits: gone.example does not exist; mail…",
            ),
            ("", "odd.example", "bounces: the MX records of odd.example have what is no host name"),
            ("", "odd2.example", "mx | 20 mx1.a.example 192.0.2.11:25 [2001:db8::11]:25"),
            ("", "fails.example", "waits: asked for MX of fails.example: …"),
            ("", "refuses.example", "waits: asked for MX of refuses.example: …"),
            ("", "broken.example", "bounces: asked for MX of broken.example: …"),
            ("", "b\u{fc}cher.example", "malformed: valid hostname or network address required"),
            (
                "smtputf8_enable=yes",
                "b\u{fc}cher.example",
                "implicit | xn--bcher-kva.example 192.0.2.60:25",
            ),
            (
                "use_srv_lookup=submission",
                "a.example:submission",
                "waits: use_srv_lookup has service…",
            ),
            ("use_srv_lookup=submission", "a.example", "mx | 10…"),
        ],
    );
}

#[test]
fn families_limits_and_preferences_are_those_of_main_cf() {
    let mut zone = "\
        a.example MX 10 x.a.example
        a.example MX 10 y.a.example
        x.a.example A 192.0.2.1
        y.a.example A 192.0.2.2
        y.a.example AAAA 2001:db8::2
        four.example A 192.0.2.4
        six.example AAAA 2001:db8::6
        crowd.example MX 10 v6.example
        crowd.example MX 20 v4.example
        row.example MX 10 one.example
        row.example MX 20 v4.example
        row.example MX 30 two.example
        one.example A 192.0.2.101
        two.example A 192.0.2.102\n"
        .to_owned();
    for number in 1..=6 {
        writeln!(zone, "v6.example AAAA 2001:db8::a{number}").unwrap();
        writeln!(zone, "v4.example A 192.0.2.{number}").unwrap();
    }
    check(
        &zone,
        &[
            (
                "smtp_address_preference=ipv6",
                "a.example",
                "mx | 10 y.a.example [2001:db8::2]:25 192.0.2.2:25 | 10 x.a.example 192.0.2.1:25",
            ),
            (
                "smtp_address_preference=ipv4",
                "a.example",
                "mx | 10 x.a.example 192.0.2.1:25 | 10 y.a.example 192.0.2.2:25 [2001:db8::2]:25",
            ),
            (
                "inet_protocols=ipv4",
                "a.example",
                "mx | 10 x.a.example 192.0.2.1:25 | 10 y.a.example 192.0.2.2:25",
            ),
            ("inet_protocols=ipv6", "a.example", "mx | 10 y.a.example [2001:db8::2]:25 | 10 x…"),
            ("inet_protocols=ipv6", "four.example", "bounces: four.example has no AAAA records"),
            ("inet_protocols=ipv4", "six.example", "bounces: six.example has no A records"),
            // Two of six, and three of the better kind: five.
            (
                "smtp_balance_inet_protocols=yes",
                "crowd.example",
                "mx | 10 v6.example [2001:db8::a1]:25 [2001:db8::a2]:25 [2001:db8::a3]:25 [2001:db8::a4]:25 \
                 [2001:db8::a5]:25 [2001:db8::a6]:25 | 20 v4.example 192.0.2.1:25 192.0.2.2:25 192.0.2.3:25 \
                 192.0.2.4:25 192.0.2.5:25 192.0.2.6:25",
            ),
            (
                "smtp_balance_inet_protocols=no",
                "crowd.example",
                "mx | 10 v6.example [2001:db8::a1]:25 [2001:db8::a2]:25 [2001:db8::a3]:25 [2001:db8::a4]:25 \
                 [2001:db8::a5]:25 [2001:db8::a6]:25 | 20 v4.example 192.0.2.1:25(beyond) 192.0.2.2:25(beyond) \
                 192.0.2.3:25(beyond) 192.0.2.4:25(beyond) 192.0.2.5:25(beyond) 192.0.2.6:25(beyond)",
            ),
            // Nothing is shuffled: which ones are cut off is certain.
            (
                "smtp_randomize_addresses=no",
                "crowd.example",
                "mx | 10 v6.example [2001:db8::a1]:25 [2001:db8::a2]:25 [2001:db8::a3]:25 \
                 [2001:db8::a4]:25(beyond) [2001:db8::a5]:25(beyond) [2001:db8::a6]:25(beyond) \
                 | 20 v4.example 192.0.2.1:25 192.0.2.2:25 192.0.2.3:25(beyond) 192.0.2.4:25(beyond) \
                 192.0.2.5:25(beyond) 192.0.2.6:25(beyond)",
            ),
            (
                "smtp_mx_address_limit=3",
                "row.example",
                "mx | 10 one.example 192.0.2.101:25 | 20 v4.example 192.0.2.1:25 192.0.2.2:25 192.0.2.3:25 \
                 192.0.2.4:25 192.0.2.5:25 192.0.2.6:25 | 30 two.example 192.0.2.102:25(beyond)",
            ),
            (
                "smtp_mx_address_limit=0",
                "row.example",
                "mx | 10 one.example 192.0.2.101:25 | 20 v4…",
            ),
            (
                "inet_protocols=none",
                "a.example",
                "waits: no MX host has an address: inet_protocols…",
            ),
        ],
    );
}

#[test]
fn mail_does_not_go_to_this_host_itself() {
    let zone = "\
        best.example MX 10 me.example
        best.example MX 20 you.example
        backup.example MX 10 you.example
        backup.example MX 20 me.example
        backup.example MX 30 more.example
        lame.example MX 10 gone.example
        lame.example MX 20 me.example
        me.example A 192.0.2.99
        you.example A 192.0.2.1
        more.example A 192.0.2.2";
    let mine = "not tried: this host is an MX host itself, with preference 20";
    let backup = format!(
        "mx | 10 you.example 192.0.2.1:25 | 20 me.example ({mine}) | 30 more.example ({mine})"
    );
    check(
        zone,
        &[
            ("", "best.example", "loops: the best MX host of best.example is this host itself"),
            ("best_mx_transport=local", "best.example", "handed on: …"),
            ("relayhost=best.example", "best.example", "waits: the best MX host…"),
            ("", "backup.example", &backup),
            ("", "lame.example", "waits: this host is an MX host of lame.example, and no better…"),
            ("", "[me.example]", "loops: me.example is this host itself"),
            ("", "[192.0.2.99]", "loops: 192.0.2.99 is this host itself"),
            // Only on port 25.
            ("", "[me.example]:587", "brackets | me.example 192.0.2.99:587"),
            (
                "",
                "best.example:587",
                "mx | 10 me.example 192.0.2.99:587 | 20 you.example 192.0.2.1:587",
            ),
            (
                "inet_interfaces=loopback-only",
                "[me.example]",
                "brackets | me.example 192.0.2.99:25",
            ),
            (
                "inet_interfaces=loopback-only",
                "[127.0.0.1]",
                "loops: 127.0.0.1 is this host itself",
            ),
            (
                "inet_interfaces=[192.0.2.1]",
                "[you.example]",
                "loops: you.example is this host itself",
            ),
            (
                "proxy_interfaces=192.0.2.1",
                "[you.example]",
                "loops: you.example is this host itself",
            ),
        ],
    );
}

#[test]
fn hosts_are_looked_up_where_main_cf_says() {
    let zone = "\
        a.example MX 10 listed.example
        both.example A 192.0.2.78
        fails.example code 2";
    check(
        zone,
        &[
            ("", "[listed.example]", "bounces: listed.example does not exist"),
            ("smtp_host_lookup=dns, native", "a.example", "mx | 10 listed.example 192.0.2.77:25"),
            (
                "smtp_host_lookup=dns, native",
                "[both.example]",
                "brackets | both.example 192.0.2.78:25",
            ),
            ("smtp_host_lookup=native", "[both.example]", "brackets | both.example 192.0.2.77:25"),
            ("smtp_host_lookup=native", "a.example", "mx | 10 listed.example 192.0.2.77:25"),
            (
                "smtp_host_lookup=native",
                "[nonesuch.example]",
                "bounces: nonesuch.example does not exist",
            ),
            ("smtp_host_lookup=dns, native", "[fails.example]", "waits: asked for AAAA of fails…"),
            (
                "smtp_dns_support_level=disabled",
                "a.example",
                "bounces: a.example has no AAAA records",
            ),
            ("disable_dns_lookups=yes", "listed.example", "native | listed.example 192.0.2.77:25"),
            (
                "disable_dns_lookups=yes;smtp_dns_support_level=enabled",
                "listed.example",
                "bounces: listed.example does not exist",
            ),
            ("ignore_mx_lookup_error=yes", "fails.example", "waits: asked for AAAA of fails…"),
        ],
    );
}

#[test]
fn lmtp_asks_for_no_exchangers() {
    let zone = "\
        a.example MX 10 mx.a.example
        a.example A 192.0.2.1
        mx.a.example A 192.0.2.99";
    check_client(
        "lmtp",
        zone,
        &[
            ("", "a.example", "brackets | a.example 192.0.2.1:24"),
            ("", "inet:a.example:2424", "brackets | a.example 192.0.2.1:2424"),
            ("", "inet:[mx.a.example]:25", "brackets | mx.a.example 192.0.2.99:25"),
            ("", "unix:/run/lmtp", "not network"),
            (
                "lmtp_address_preference=ipv4;lmtp_tcp_port=lmtp",
                "a.example",
                "brackets | a.example 192.0.2.1:24",
            ),
        ],
    );
}

/// A hundred hosts with a hundred addresses each would be 10,000 connections.
#[test]
fn no_domain_has_more_than_its_share_of_connections() {
    let mut zone = String::new();
    for host in 0..12 {
        writeln!(zone, "many.example MX 10 m{host:02}.example").unwrap();
        for number in 1..=30 {
            writeln!(zone, "m{host:02}.example A 192.0.{host}.{number}").unwrap();
        }
    }
    let server = NameServer::start(&zone);
    let resolver = Resolver::at(server.at).within(Duration::from_secs(10));
    let settings = settings("smtp", "");
    let route = route::route(&resolver, &settings, "many.example", Dane::DontAsk).expect("hosts");
    let counts: Vec<usize> = route.servers.iter().map(|it| it.addresses.len()).collect();
    assert_eq!(counts, [30, 30, 30, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
    let words = "not looked up: the hosts before it have 100 addresses";
    assert!(route.servers[4..].iter().all(|it| it.trouble.as_deref() == Some(words)));
    let seen: Vec<&Seen> =
        route.servers.iter().flat_map(|it| &it.addresses).map(|it| &it.seen).collect();
    assert!(seen[..20].iter().all(|it| **it == Seen::NotTried(WAITING)));
    assert!(seen[20..].iter().all(|it| **it == Seen::NotTried(ENOUGH)));
}
