//! In which order Postfix tries addresses, and which it never comes to (`dns_rr_sort`, `smtp_balance_inet_proto`, and
//! the loop in `smtp_connect_inet`).

use std::net::{IpAddr, SocketAddr};

use super::settings::{Preference, RouteSettings};
use crate::observation::route::{Address, Seen, Server};

/// What stands at an address where nobody has connected yet.
pub const WAITING: &str = "nobody has connected yet";

/// What stands at an address that never has its turn.
pub const BEYOND_LIMIT: &str = "so many others come before it that mx_address_limit cuts it off";

/// What stands at an address that is one too many for the probe.
pub const ENOUGH: &str =
    "20 addresses of the destination come before it, and no more are looked at";

/// So many addresses of a destination are connected to: with MX records of one preference Postfix may take any, and who
/// publishes a hundred must not have a probe make a hundred connections.
const CONNECTIONS: usize = 20;

/// Puts servers and their addresses in order, and marks those that Postfix never tries.
///
/// What it shuffles comes in the order of names and addresses, so that the same records give the same answer.
pub(super) fn arrange(servers: &mut [Server], settings: &RouteSettings) {
    let of_kind = |address: &Address| kind(address.socket.ip(), settings.preference);
    for server in servers.iter_mut() {
        if settings.randomize {
            server.addresses.sort_by_key(|it| it.socket);
        }
        server.addresses.sort_by_key(of_kind);
    }
    if settings.randomize {
        servers.sort_by(|a, b| a.name.cmp(&b.name));
    }
    // What has no address has no place among the others: behind those of its preference.
    let first = |it: &Server| it.addresses.first().map_or(u8::MAX, of_kind);
    servers.sort_by_key(|it| (it.preference, first(it)));
    cut(servers, settings);
    let addresses = servers.iter_mut().flat_map(|it| &mut it.addresses);
    let tried = addresses.filter(|it| it.seen == Seen::NotTried(WAITING));
    for address in tried.skip(CONNECTIONS) {
        address.seen = Seen::NotTried(ENOUGH);
    }
}

/// Marks the addresses that are certainly cut off.
fn cut(servers: &mut [Server], settings: &RouteSettings) {
    let limit = settings.address_limit;
    if limit == 0 {
        return;
    }
    let mut places: Vec<Place> = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        for (index, address) in server.addresses.iter().enumerate() {
            let ip = address.socket.ip();
            // Where nothing is shuffled, the order of the records decides.
            let turn = if settings.randomize { (0, 0) } else { (at, index) };
            let kind = kind(ip, settings.preference);
            let rank = (server.preference.unwrap_or(0), kind, turn);
            places.push(Place { at, index, is_ipv6: ip.is_ipv6(), rank });
        }
    }
    let shares = settings.balance.then(|| shares(&places, limit)).flatten();
    let ranks = |counts: &dyn Fn(&&Place) -> bool| -> Vec<Rank> {
        let mut ranks: Vec<Rank> = places.iter().filter(counts).map(|it| it.rank).collect();
        ranks.sort_unstable();
        ranks
    };
    let (all, ipv4, ipv6) = (ranks(&|_| true), ranks(&|it| !it.is_ipv6), ranks(&|it| it.is_ipv6));
    for place in &places {
        let (ranks, left) = match (shares, place.is_ipv6) {
            (None, _) => (&all, limit),
            (Some((left, _)), false) => (&ipv4, left),
            (Some((_, left)), true) => (&ipv6, left),
        };
        // So many certainly come before it.
        if ranks.partition_point(|it| *it < place.rank) >= left {
            servers[place.at].addresses[place.index].seen = Seen::NotTried(BEYOND_LIMIT);
        }
    }
}

/// The preference, the kind of address, and where nothing is shuffled the place: what is less comes first.
type Rank = (u16, u8, (usize, usize));

struct Place {
    at: usize,
    index: usize,
    is_ipv6: bool,
    rank: Rank,
}

/// So many IPv4 and IPv6 addresses are left where one kind would crowd out the other.
fn shares(places: &[Place], limit: usize) -> Option<(usize, usize)> {
    let ipv6 = places.iter().filter(|it| it.is_ipv6).count();
    let ipv4 = places.len() - ipv6;
    if ipv4 == 0 || ipv6 == 0 || places.len() <= limit {
        return None;
    }
    if ipv6 <= limit / 2 {
        return Some((limit - ipv6, ipv6));
    }
    if ipv4 <= limit / 2 {
        return Some((ipv4, limit - ipv4));
    }
    // The odd one goes to the kind of the first address, and which that is may be chance.
    let best = places.iter().map(|it| it.rank).min();
    let first =
        |is_ipv6: bool| places.iter().any(|it| Some(it.rank) == best && it.is_ipv6 == is_ipv6);
    let share = |is_first: bool| limit.midpoint(usize::from(is_first));
    Some((share(first(false)), share(first(true))))
}

fn kind(address: IpAddr, preference: Preference) -> u8 {
    match (preference, address) {
        (Preference::Any, _)
        | (Preference::Ipv4, IpAddr::V4(_))
        | (Preference::Ipv6, IpAddr::V6(_)) => 0,
        (Preference::Ipv4, IpAddr::V6(_)) | (Preference::Ipv6, IpAddr::V4(_)) => 1,
    }
}

/// An address where nobody has connected yet.
pub(super) fn waiting(address: IpAddr, port: u16) -> Address {
    Address { socket: SocketAddr::new(address, port), seen: Seen::NotTried(WAITING) }
}
