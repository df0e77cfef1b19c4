//! What hosts(5) and services(5) of a host say, where Postfix asks the system and not DNS.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;

/// The names in a hosts(5).
#[derive(Clone, Debug, Default)]
pub struct Hosts(HashMap<String, Vec<IpAddr>, RandomState>);

impl Hosts {
    /// Reads the file; lines that say nothing are passed over.
    pub fn read(text: &[u8]) -> Hosts {
        let mut names: HashMap<String, Vec<IpAddr>, RandomState> = HashMap::default();
        for line in lines(text) {
            let mut words = line.split_ascii_whitespace();
            let Some(address) = words.next().and_then(|it| it.parse::<IpAddr>().ok()) else {
                continue;
            };
            for name in words {
                let known = names.entry(name.to_ascii_lowercase()).or_default();
                if !known.contains(&address) {
                    known.push(address);
                }
            }
        }
        Hosts(names)
    }

    /// The addresses of a name, in the order of the file.
    pub fn addresses(&self, name: &str) -> &[IpAddr] {
        self.0.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}

/// The port that services(5) has for the name of a service of TCP.
pub fn service_port(services: &[u8], name: &str) -> Option<u16> {
    lines(services).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let first = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        let is_it = first == name || words.any(|it| it == name);
        if is_it { port.parse().ok() } else { None }
    })
}

fn lines(text: &[u8]) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    let lines = text.split(|it| *it == b'\n');
    lines.map(|line| {
        let end = line.iter().position(|it| *it == b'#').unwrap_or(line.len());
        String::from_utf8_lossy(&line[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_addresses_of_all_their_lines() {
        let text = b"127.0.0.1 localhost mx.example # x.example\n2001:db8::1\tMX.example\n#192.0.2.1 mx.example\n\
                     mx.example 192.0.2.2\n127.0.0.1 mx.example\n\xff\xfe \x00\n";
        let hosts = Hosts::read(text);
        let want: [IpAddr; 2] = ["127.0.0.1", "2001:db8::1"].map(|it| it.parse().expect("it is"));
        assert_eq!(hosts.addresses("Mx.Example"), want);
        assert!(hosts.addresses("x.example").is_empty());
    }

    #[test]
    fn services_are_found_by_name_and_by_alias() {
        let text = b"smtp 25/tcp mail\nodd 9/udp\nodd 2525/tcp # mail2\nbroken\nbig 99999/tcp\n";
        let port = |it| service_port(text, it);
        assert_eq!(
            ["smtp", "mail", "odd", "mail2", "big", ""].map(port),
            [Some(25), Some(25), Some(2525), None, None, None]
        );
    }
}
