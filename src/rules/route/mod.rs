//! Where mail goes next, and which policy and password it meets there.

use crate::config::{Destination, Effective};
use crate::lint::{Credentials, Route};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::text::shortened;

rules! {
    client_wrappermode_on_starttls_port,
    fallback_relay_uncovered,
    next_hop_invalid,
    policy_key_form_mismatch,
    policy_key_invalid,
    policy_key_not_ascii,
    policy_key_unreachable,
    port_465_without_wrappermode,
    relay_credentials_over_opportunistic_tls,
    relay_credentials_unauthenticated_peer,
    sasl_key_form_mismatch,
    transport_unknown,
}

/// A text of a table or value, for a message.
fn shown(text: &[u8]) -> String {
    shortened(&String::from_utf8_lossy(text))
}

/// A route's destination, for a message.
fn destination(route: &Route) -> String {
    shown(&route.hop.text)
}

/// The routes on which a password is sent to another host. Where the password table cannot
/// be read, it is taken to be for relayhost.
fn with_password(routes: &[Route]) -> impl Iterator<Item = &Route> {
    let sends = |route: &&Route| match route.credentials {
        Credentials::Found => true,
        Credentials::Unknown => route.hop.parameter == "relayhost",
        Credentials::Off | Credentials::Nothing(_) => false,
    };
    let is_far =
        |route: &&Route| Destination::parse(&route.hop.text).is_ok_and(|it| !it.is_loopback());
    routes.iter().filter(is_far).filter(sends)
}

/// Whether a mechanism that sends the password itself may be used; `options`: the parameter
/// that may forbid it.
fn sends_password(effective: &Effective<'_>, route: &Route, options: &str) -> bool {
    let client = route.hop.client;
    let words = |rest: &str| {
        let value = effective.value(&client.parameter(rest), client.within(effective)).0;
        let value = value.unwrap_or_default().to_ascii_lowercase();
        let words = lists::words(&value, COMMA_SPACE).map(|it| value[it].to_vec());
        words.collect::<Vec<_>>()
    };
    let safe: [&[u8]; 5] = [b"cram-md5", b"digest-md5", b"external", b"gssapi", b"ntlm"];
    let mut mechanisms = words("sasl_mechanism_filter");
    mechanisms.retain(|it| !it.starts_with(b"!"));
    let only_safe = !mechanisms.is_empty()
        && mechanisms.iter().all(|it| safe.contains(&&it[..]) || it.starts_with(b"scram-"));
    !only_safe && !words(options).iter().any(|it| it == b"noplaintext")
}
