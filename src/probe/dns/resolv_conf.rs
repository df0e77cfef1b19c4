//! What resolv.conf(5) says of resolvers, as the GNU C library reads it.
//!
//! `search`, `domain`, `ndots`, `edns0` and `trust-ad` make no difference to what Postfix asks. Lines that are nothing are
//! passed over.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::{PATIENCE, Resolver, Transport};

/// The library takes the first three.
const SERVERS: usize = 3;

pub(super) fn read(text: &[u8]) -> Resolver {
    let mut resolver = Resolver {
        servers: Vec::new(),
        timeout: Duration::from_secs(5),
        attempts: 2,
        transport: Transport::Udp,
        turn: None,
        patience: PATIENCE,
    };
    for line in text.split(|it| *it == b'\n') {
        let line = String::from_utf8_lossy(line);
        // Blanks before a keyword make another line of it.
        let mut words = line.split_ascii_whitespace();
        match words.next().filter(|it| line.starts_with(it)) {
            Some("nameserver") if resolver.servers.len() < SERVERS => {
                let address = words.next().and_then(|it| it.parse::<IpAddr>().ok());
                resolver.servers.extend(address.map(|it| SocketAddr::new(it, 53)));
            }
            Some("options") => words.for_each(|it| option(&mut resolver, it)),
            _ => {}
        }
    }
    if resolver.servers.is_empty() {
        resolver.servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53));
    }
    resolver
}

fn option(resolver: &mut Resolver, option: &str) {
    let (name, value) = option.split_once(':').unwrap_or((option, ""));
    let number = || value.parse::<u32>().ok();
    match name {
        // The library has the same bounds.
        "timeout" => {
            let seconds = number().map(|it| it.clamp(1, 30));
            resolver.timeout =
                seconds.map_or(resolver.timeout, |it| Duration::from_secs(it.into()));
        }
        "attempts" => resolver.attempts = number().map_or(resolver.attempts, |it| it.clamp(1, 5)),
        "rotate" => resolver.turn = Some(AtomicUsize::new(0)),
        "use-vc" => resolver.transport = Transport::Tcp,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_options_are_read_as_the_c_library_does() {
        let text = b"# nameserver 192.0.2.9\nsearch lab.test\nnameserver 192.0.2.1\n\
                     nameserver\t2001:db8::1 ; the other\n nameserver 192.0.2.8\nnameserver x\n\
                     options timeout:1 attempts:9 rotate ndots:2\n";
        let resolver = read(text);
        let servers = ["192.0.2.1:53", "[2001:db8::1]:53"];
        assert_eq!(resolver.servers, servers.map(|it| it.parse().expect("it is a socket")));
        assert_eq!((resolver.timeout, resolver.attempts), (Duration::from_secs(1), 5));
        assert!(resolver.turn.is_some());
    }

    #[test]
    fn without_a_server_it_is_the_one_on_this_host() {
        for text in ["", "options timeout:x attempts:\n", "nameserver\n", "\u{0}\n"] {
            let resolver = read(text.as_bytes());
            assert_eq!(resolver.servers, ["127.0.0.1:53".parse().expect("it is a socket")]);
            assert_eq!((resolver.timeout, resolver.attempts), (Duration::from_secs(5), 2));
        }
    }

    #[test]
    fn no_more_than_three_servers_are_taken() {
        let text = "nameserver 192.0.2.1\n".repeat(9);
        assert_eq!(read(text.as_bytes()).servers.len(), 3);
    }

    #[test]
    fn the_place_of_a_resolver_has_a_port_or_none() {
        for (text, want) in [
            ("192.0.2.1", Some("192.0.2.1:53")),
            ("192.0.2.1:5353", Some("192.0.2.1:5353")),
            ("2001:db8::1", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]", Some("[2001:db8::1]:53")),
            ("[2001:db8::1]:5353", Some("[2001:db8::1]:5353")),
            ("ns.example", None),
            ("192.0.2.1:x", None),
            ("", None),
        ] {
            let want = want.map(|it| it.parse().expect("it is a socket"));
            assert_eq!(Resolver::place(text), want, "{text}");
        }
    }
}
