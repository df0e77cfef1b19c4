//! The default of mynetworks, from the host's network interfaces (`global/mynetworks.c`,
//! `global/own_inet_addr.c`).
//!
//! Known limit: inet_interfaces with names of hosts, which would have to be
//! looked up, or with addresses that the host does not have; Postfix refuses the latter.

use std::collections::HashSet;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

/// An address of the host, and how many of its leading bits are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The address.
    pub address: IpAddr,
    /// The length of the network's prefix.
    pub prefix: u8,
}

impl From<(IpAddr, u8)> for Interface {
    fn from((address, prefix): (IpAddr, u8)) -> Interface {
        Interface { address, prefix }
    }
}

/// The three parameters that decide, expanded.
pub(super) struct Wanted {
    /// inet_interfaces
    pub(super) interfaces: Vec<u8>,
    /// inet_protocols
    pub(super) protocols: Vec<u8>,
    /// mynetworks_style
    pub(super) style: Vec<u8>,
}

/// The value as postconf has it, with a blank behind each network; `None` where it is not known.
pub(super) fn default(interfaces: &[Interface], wanted: &Wanted) -> Option<Vec<u8>> {
    let protocols: Vec<&[u8]> = words(&wanted.protocols).collect();
    let speaks = |name: &[u8]| protocols.contains(&name) || protocols.contains(&b"all".as_slice());
    let (ipv4, ipv6) = (speaks(b"ipv4"), speaks(b"ipv6"));
    let spoken = interfaces.iter().filter(|it| if it.address.is_ipv4() { ipv4 } else { ipv6 });
    let mut spoken: Vec<Interface> = spoken.copied().collect();
    spoken.sort_by_key(|it| it.address.is_ipv6());
    let chosen = match wanted.interfaces.as_slice() {
        b"all" => spoken,
        b"loopback-only" => spoken.into_iter().filter(|it| it.address.is_loopback()).collect(),
        _ => named(&wanted.interfaces, &spoken)?,
    };
    let (mut value, mut seen) = (String::new(), HashSet::new());
    for interface in chosen {
        let prefix = match (wanted.style.as_slice(), interface.address) {
            (b"host", IpAddr::V4(_)) => 32,
            (b"host", IpAddr::V6(_)) => 128,
            (b"class", IpAddr::V4(address)) => class(address),
            (b"class" | b"subnet", _) => interface.prefix,
            _ => return None,
        };
        let network = network(interface.address, prefix);
        if seen.insert(network.clone()) {
            // Writing to a String cannot fail.
            let _ = write!(value, "{network} ");
        }
    }
    Some(value.into_bytes())
}

/// The interfaces with these addresses, sorted by them as Postfix does.
fn named(addresses: &[u8], interfaces: &[Interface]) -> Option<Vec<Interface>> {
    let find = |word: &[u8]| {
        let bare = word.strip_prefix(b"[").and_then(|it| it.strip_suffix(b"]"));
        let address: IpAddr = str::from_utf8(bare.unwrap_or(word)).ok()?.parse().ok()?;
        interfaces.iter().find(|it| it.address == address).copied()
    };
    let mut found: Vec<Interface> = words(addresses).map(find).collect::<Option<_>>()?;
    found.sort_by_key(|it| it.address);
    Some(found)
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    lists::words(text, COMMA_SPACE_FLAT).map(|word| &text[word])
}

/// The prefix of the network that an address belonged to before 1993.
fn class(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        224..=255 => 4,
    }
}

fn network(address: IpAddr, prefix: u8) -> String {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            format!("{}/{prefix}", Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            format!("[{}]/{prefix}", Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three rows were tried with postconf 3.5 to 3.12 on a host with these interfaces.
    #[test]
    fn networks_are_those_of_postconf() {
        let interfaces = [
            ("127.0.0.1", 8),
            ("::1", 128),
            ("192.0.2.2", 24),
            ("fd00::2", 64),
            ("fe80::fc:ff:fe00:1", 64),
            ("192.0.2.3", 24),
        ]
        .map(|(address, prefix)| Interface { address: address.parse().expect(address), prefix });
        for (chosen, protocols, style, want) in [
            (
                "all",
                "all",
                "subnet",
                Some("127.0.0.0/8 192.0.2.0/24 [::1]/128 [fd00::]/64 [fe80::]/64 "),
            ),
            ("loopback-only", "all", "host", Some("127.0.0.1/32 [::1]/128 ")),
            ("192.0.2.2, 127.0.0.1", "ipv4", "class", Some("127.0.0.0/8 192.0.2.0/24 ")),
            ("all", "ipv6", "host", Some("[::1]/128 [fd00::2]/128 [fe80::fc:ff:fe00:1]/128 ")),
            ("[::1]", "all", "subnet", Some("[::1]/128 ")),
            ("all", "", "subnet", Some("")),
            ("mx.example", "all", "subnet", None),
            ("192.0.2.9", "all", "subnet", None),
            ("all", "all", "x", None),
        ] {
            let bytes = |text: &str| text.as_bytes().to_vec();
            let wanted = Wanted {
                interfaces: bytes(chosen),
                protocols: bytes(protocols),
                style: bytes(style),
            };
            let got = default(&interfaces, &wanted);
            assert_eq!(got, want.map(bytes), "{chosen} {protocols} {style}");
        }
    }
}
