//! Where mail goes next, and which policy and password it meets there.

use crate::config::{Destination, Effective};
use crate::lint::{Context, Credentials, Route};
use crate::text::shortened;

rules! {
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
    wrappermode_on_starttls_port,
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
fn with_password<'r>(
    context: &Context<'_>,
    effective: &Effective<'_>,
    routes: &'r [Route],
) -> Vec<&'r Route> {
    let sends = |route: &&Route| match context.credentials(effective, route) {
        Credentials::Found => true,
        Credentials::Unknown => route.hop.parameter == "relayhost",
        Credentials::Off | Credentials::Nothing(_) => false,
    };
    let is_far =
        |route: &&Route| Destination::parse(&route.hop.text).is_ok_and(|it| !it.is_loopback());
    routes.iter().filter(is_far).filter(sends).collect()
}
