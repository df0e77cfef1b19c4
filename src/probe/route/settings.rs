//! What main.cf says about the way to servers, and what the host itself says.

use std::net::IpAddr;
use std::time::Duration;

use crate::config::Destination;
use crate::probe::hosts::{self, Hosts};

/// A client's settings.
#[allow(clippy::struct_excessive_bools, reason = "they are parameters of that type")]
#[derive(Clone, Debug)]
pub struct RouteSettings {
    /// `smtp` or `lmtp`, which begins the names of its parameters.
    pub name: &'static str,
    /// `tcp_port`: where mail goes if the destination has no port.
    pub service: String,
    /// `known_tcp_ports`
    pub known_ports: String,
    /// `inet_protocols` has IPv4.
    pub ipv4: bool,
    /// `inet_protocols` has IPv6.
    pub ipv6: bool,
    /// `address_preference`
    pub preference: Preference,
    /// `randomize_addresses`
    pub randomize: bool,
    /// `balance_inet_protocols`
    pub balance: bool,
    /// `mx_address_limit`; 0: none.
    pub address_limit: usize,
    /// Whether DNS is asked at all: `dns_support_level`, or the older `disable_dns_lookups`.
    pub dns: bool,
    /// `host_lookup`
    pub host_lookup: HostLookup,
    /// `ignore_mx_lookup_error`
    pub ignore_mx_errors: bool,
    /// `smtp_defer_if_no_mx_address_found`
    pub defer_without_address: bool,
    /// `tls_force_insecure_host_tlsa_lookup`
    pub force_tlsa: bool,
    /// `cname_overrides_servername`
    pub cname_overrides: bool,
    /// `smtputf8_enable`: host names may have other letters.
    pub utf8: bool,
    /// `relayhost`: mail to it never bounces because it is not found.
    pub relayhost: String,
    /// `best_mx_transport`: what takes mail for domains that lead back to this host.
    pub best_mx_transport: String,
    /// `use_srv_lookup`: the services that are found by SRV records.
    pub srv_services: Vec<String>,
    /// The addresses of `inet_interfaces` and `proxy_interfaces`.
    pub own: Vec<IpAddr>,
    /// hosts(5)
    pub hosts: Hosts,
    /// services(5)
    pub services: Vec<u8>,
    /// One destination takes no longer than this.
    pub patience: Duration,
}

/// Which kind of address comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Neither.
    Any,
    /// IPv4
    Ipv4,
    /// IPv6
    Ipv6,
}

/// Who knows the addresses of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostLookup {
    /// DNS.
    Dns,
    /// hosts(5), and then DNS: what nsswitch.conf(5) usually says.
    Native,
    /// DNS, and what it does not know the system.
    DnsThenNative,
}

/// What is so on the host that sends the mail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host<'h> {
    /// The addresses of its interfaces.
    pub interfaces: &'h [IpAddr],
    /// Its hosts(5).
    pub hosts: &'h [u8],
    /// Its services(5).
    pub services: &'h [u8],
}

impl RouteSettings {
    /// The settings of `name`, `smtp` or `lmtp`. `value` gives the value of a parameter, expanded; an empty
    /// one where the Postfix at hand has no such parameter, which then counts as its default.
    pub fn of(
        name: &'static str,
        host: &Host<'_>,
        value: &dyn Fn(&str) -> Vec<u8>,
    ) -> RouteSettings {
        let global = |name: &str| String::from_utf8_lossy(&value(name)).trim().to_owned();
        let text = |suffix: &str| global(&format!("{name}_{suffix}"));
        let yes = |word: String| word.eq_ignore_ascii_case("yes");
        let not_no = |word: String| !word.eq_ignore_ascii_case("no");
        let number = |word: String, default: usize| word.parse().unwrap_or(default);
        let or = |word: String, default: &str| {
            if word.is_empty() { default.to_owned() } else { word }
        };
        let protocols = or(global("inet_protocols"), "all");
        let has = |word: &str| words(&protocols).any(|it| it.eq_ignore_ascii_case(word));
        let hosts = Hosts::read(host.hosts);
        let support = text("dns_support_level");
        let dns = if support.is_empty() {
            !yes(global("disable_dns_lookups"))
        } else {
            !support.eq_ignore_ascii_case("disabled")
        };
        let lookup = text("host_lookup");
        let looks = |word: &str| words(&lookup).any(|it| it.eq_ignore_ascii_case(word));
        let is_smtp = name == "smtp";
        RouteSettings {
            name,
            service: or(text("tcp_port"), if is_smtp { "smtp" } else { "24" }),
            known_ports: global("known_tcp_ports"),
            ipv4: has("all") || has("ipv4"),
            ipv6: has("all") || has("ipv6"),
            preference: match text("address_preference").to_ascii_lowercase().as_str() {
                "ipv4" => Preference::Ipv4,
                "ipv6" => Preference::Ipv6,
                _ => Preference::Any,
            },
            randomize: not_no(text("randomize_addresses")),
            balance: not_no(text("balance_inet_protocols")),
            address_limit: number(text("mx_address_limit"), 5),
            dns,
            host_lookup: match (looks("dns"), looks("native")) {
                _ if !dns => HostLookup::Native,
                (true, true) => HostLookup::DnsThenNative,
                (false, true) => HostLookup::Native,
                (_, false) => HostLookup::Dns,
            },
            ignore_mx_errors: yes(global("ignore_mx_lookup_error")),
            defer_without_address: yes(global("smtp_defer_if_no_mx_address_found")),
            force_tlsa: yes(text("tls_force_insecure_host_tlsa_lookup")),
            cname_overrides: yes(text("cname_overrides_servername")),
            utf8: yes(global("smtputf8_enable")),
            relayhost: if is_smtp { global("relayhost") } else { String::new() },
            best_mx_transport: if is_smtp { global("best_mx_transport") } else { String::new() },
            srv_services: words(&global("use_srv_lookup")).map(str::to_owned).collect(),
            own: own(
                host,
                &hosts,
                &or(global("inet_interfaces"), "all"),
                &global("proxy_interfaces"),
            ),
            hosts,
            services: host.services.to_vec(),
            patience: Duration::from_secs(60),
        }
    }

    /// Whether addresses of this kind are used at all.
    pub fn takes(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.ipv4,
            IpAddr::V6(_) => self.ipv6,
        }
    }

    /// The service of a destination, and its port; the error is what the client exits with.
    pub(super) fn port(&self, to: &Destination<'_>) -> Result<(String, u16), &'static str> {
        let service =
            to.service.map_or(self.service.clone(), |it| String::from_utf8_lossy(it).into_owned());
        let number = known(&self.known_ports, &service).unwrap_or(&service);
        if number.bytes().all(|it| it.is_ascii_digit()) {
            let port = number.parse().ok().filter(|it| *it > 0).ok_or("bad network port")?;
            return Ok((service, port));
        }
        let usual = Destination { service: Some(number.as_bytes()), ..*to }.port();
        let port = hosts::service_port(&self.services, number).or(usual);
        Ok((service, port.ok_or("unknown service")?))
    }
}

/// The port in `lmtp=24, smtp=25, smtps=submissions=465` (`util/known_tcp_ports.c`).
fn known<'k>(ports: &'k str, service: &str) -> Option<&'k str> {
    words(ports).find_map(|entry| {
        let (names, port) = entry.rsplit_once('=')?;
        names.split('=').any(|it| it == service).then_some(port)
    })
}

/// `own_inet_addr_init`, `proxy_inet_addr_init`. Names are looked up in hosts(5) alone.
fn own(host: &Host<'_>, hosts: &Hosts, interfaces: &str, proxies: &str) -> Vec<IpAddr> {
    let named = |list: &str| -> Vec<IpAddr> {
        let addresses = words(list).flat_map(|word| {
            let bare = word.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(word);
            let address: Option<IpAddr> = bare.parse().ok();
            address.map_or_else(|| hosts.addresses(bare).to_vec(), |it| vec![it])
        });
        addresses.collect()
    };
    let mut own = match interfaces {
        "all" => host.interfaces.to_vec(),
        "loopback-only" => host.interfaces.iter().copied().filter(IpAddr::is_loopback).collect(),
        list => named(list),
    };
    own.extend(named(proxies));
    own
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\r', '\n']).filter(|it| !it.is_empty())
}
