//! TLSA records by zones, and resolvers that are slow, broken or hostile.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use postls::probe::dns::Resolver;
use postls::probe::route::{self, Dane};

use super::{check, settings, words};
use crate::probe::name_server::NameServer;

#[test]
fn tlsa_records_are_those_of_the_name_where_postfix_looks() {
    let zone = "\
        a.example secure
        a.example MX 10 mx.a.example
        mx.a.example secure
        mx.a.example A 192.0.2.1
        _25._tcp.mx.a.example secure
        _25._tcp.mx.a.example TLSA 3 1 1 abcd
        _25._tcp.mx.a.example TLSA 2 0 1 abcd
        _587._tcp.mx.a.example TLSA 3 1 1 abcd
        plain.example A 192.0.2.2
        _25._tcp.plain.example secure
        _25._tcp.plain.example TLSA 3 1 1 abcd
        alias.example secure
        alias.example CNAME mx.a.example
        alone.example secure
        alone.example alone
        alone.example CNAME mx.a.example
        out.example secure
        out.example CNAME plain.example
        _25._tcp.out.example secure
        _25._tcp.out.example TLSA 3 1 1 abcd
        both.example secure
        both.example CNAME none.example
        none.example secure
        none.example A 192.0.2.3
        _25._tcp.both.example secure
        _25._tcp.both.example TLSA 3 1 1 abcd
        unsigned.example CNAME mx.a.example
        halfway.example alone
        halfway.example CNAME mx.a.example
        bad.example secure
        bad.example A 192.0.2.4
        _25._tcp.bad.example code 2
        implicit.example secure
        implicit.example A 192.0.2.5
        short.example secure
        short.example A 192.0.2.6
        _25._tcp.short.example secure
        _25._tcp.short.example raw 00340001000000000003030101
        moved.example secure
        moved.example A 192.0.2.7
        _25._tcp.moved.example secure
        _25._tcp.moved.example CNAME _dane.a.example
        _dane.a.example secure
        _dane.a.example TLSA 3 1 1 abcd";
    check(
        zone,
        &[
            ("", "a.example", "mx! | 10 mx.a.example! 192.0.2.1:25 tlsa! mx.a.example 2"),
            (
                "",
                "[mx.a.example]:587",
                "brackets | mx.a.example! 192.0.2.1:587 tlsa mx.a.example 1",
            ),
            ("", "[mx.a.example]:588", "brackets | mx.a.example! 192.0.2.1:588 no tlsa"),
            ("", "[plain.example]", "brackets | plain.example 192.0.2.2:25"),
            (
                "smtp_tls_force_insecure_host_tlsa_lookup=yes",
                "[plain.example]",
                "brackets | plain.example 192.0.2.2:25 tlsa! plain.example 1",
            ),
            (
                "",
                "[alias.example]",
                "brackets | alias.example -> mx.a.example! 192.0.2.1:25 tlsa! mx.a.example 2",
            ),
            (
                "smtp_cname_overrides_servername=yes",
                "[alone.example]",
                "brackets | mx.a.example -> mx.a.example! 192.0.2.1:25 tlsa! mx.a.example 2",
            ),
            // A signed alias of a host that is not: its own records count.
            (
                "",
                "[out.example]",
                "brackets | out.example -> plain.example 192.0.2.2:25 tlsa! out.example 1",
            ),
            (
                "",
                "[both.example]",
                "brackets | both.example -> none.example! 192.0.2.3:25 tlsa! both.example 1",
            ),
            ("", "[unsigned.example]", "brackets | unsigned.example -> mx.a.example 192.0.2.1:25"),
            ("", "[halfway.example]", "brackets | halfway.example -> mx.a.example 192.0.2.1:25"),
            ("", "[bad.example]", "brackets | bad.example! 192.0.2.4:25 tlsa failed"),
            ("", "[moved.example]", "brackets | moved.example! 192.0.2.7:25 tlsa! moved.example 1"),
            ("", "implicit.example", "implicit! | implicit.example! 192.0.2.5:25 no tlsa"),
            ("", "[short.example]", "brackets | short.example! 192.0.2.6:25 tlsa! short.example 1"),
            ("smtp_host_lookup=native", "[mx.a.example]", "brackets | mx.a.example 192.0.2.1:25"),
        ],
    );
}

#[test]
fn a_resolver_may_be_slow_broken_or_hostile() {
    let mut zone = "\
        tcp.example truncated
        tcp.example A 192.0.2.1
        old.example code-edns 1
        old.example A 192.0.2.2
        form.example code 1
        strange.example strangers
        strange.example A 192.0.2.3
        class.example raw 0001000300000000000401020304
        long.example raw 000100010000000000ff01020304
        short.example raw 00010001000000000003010203
        owner.example owner -.example
        owner.example A 192.0.2.4
        loop.example alone
        loop.example CNAME pool.example
        pool.example alone
        pool.example CNAME loop.example\n"
        .to_owned();
    for number in 0..12 {
        writeln!(zone, "c{number}.example alone\nc{number}.example CNAME c{}.example", number + 1)
            .unwrap();
    }
    zone.push_str("c12.example A 192.0.2.5\n");
    for number in 0..300 {
        writeln!(zone, "many.example A 10.0.{}.{}", number / 250, number % 250).unwrap();
    }
    check(
        &zone,
        &[
            ("", "[tcp.example]", "brackets | tcp.example 192.0.2.1:25"),
            ("", "[old.example]", "brackets | old.example 192.0.2.2:25"),
            ("", "[form.example]", "bounces: asked for AAAA of form.example: FORMERR"),
            ("", "[strange.example]", "brackets | strange.example 192.0.2.3:25"),
            ("", "[class.example]", "waits: the reply about AAAA of class.example is broken"),
            ("", "[long.example]", "waits: the reply about AAAA of long.example is broken"),
            ("", "[short.example]", "waits: the reply about A of short.example is broken"),
            ("", "[owner.example]", "bounces: the A records of owner.example have what is no…"),
            ("", "[loop.example]", "bounces: the CNAME records of loop.example come to no end"),
            ("", "[c3.example]", "brackets | c3.example -> c12.example 192.0.2.5:25"),
            ("", "[c0.example]", "bounces: the CNAME records of c0.example come to no end"),
        ],
    );
    let server = NameServer::start(&zone);
    let route = route::route(
        &Resolver::at(server.at),
        &settings("smtp", "inet_protocols=ipv4"),
        "[many.example]",
        Dane::DontAsk,
    );
    assert_eq!(route.unwrap().servers[0].addresses.len(), 100);
}

#[test]
fn time_has_an_end() {
    let mut zone = "silent.example silent\nhalf.example silent-udp\n".to_owned();
    for number in 0..40 {
        writeln!(zone, "many.example MX {number} m{number}.example\nm{number}.example silent")
            .unwrap();
    }
    let server = NameServer::start(&zone);
    let resolver = Resolver::at(server.at).within(Duration::from_millis(300));
    let mut settings = settings("smtp", "");
    settings.patience = Duration::from_millis(900);
    for destination in ["silent.example", "[half.example]", "many.example"] {
        let begin = Instant::now();
        let route = words(&route::route(&resolver, &settings, destination, Dane::Ask));
        assert!(route.starts_with("waits: "), "{route}");
        // Far from 80 times the time of a question.
        assert!(begin.elapsed() < Duration::from_secs(10), "{destination}: {:?}", begin.elapsed());
    }
    // Of TLSA records too: whether Postfix would get them is not known, and it is no failure of the resolver.
    let zone = "here.example A 192.0.2.1\nhere.example secure\n_25._tcp.here.example silent\n\
                broken.example A 192.0.2.2\nbroken.example secure\n_25._tcp.broken.example code 2\n";
    let server = NameServer::start(zone);
    let resolver = Resolver::at(server.at).within(Duration::from_millis(700));
    settings.patience = Duration::from_secs(20);
    for (destination, want) in [
        ("[here.example]", "brackets | here.example! 192.0.2.1:25 tlsa late"),
        ("[broken.example]", "brackets | broken.example! 192.0.2.2:25 tlsa failed"),
    ] {
        let route = words(&route::route(&resolver, &settings, destination, Dane::Ask));
        assert_eq!(route, want);
    }
    // Nobody is there.
    let gone = { NameServer::start("").at };
    let resolver = Resolver::at(gone).within(Duration::from_secs(2));
    let route = words(&route::route(&resolver, &settings, "a.example", Dane::Ask));
    assert!(route.starts_with("waits: asked for MX of a.example: "), "{route}");
}
