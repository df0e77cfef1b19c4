//! Looks at servers as Postfix would meet them: the only module that makes connections.
//!
//! `route` comes from a next-hop destination to addresses, `dns` asks the resolver and `hosts` the file of
//! that name, `connection` talks SMTP, `tls` does the handshake, `sts` gets MTA-STS policies, and `schedule`
//! does all of that for many destinations at once, within limits. What comes out is an
//! [`Observation`](crate::observation::Observation); what it means is not said here.
//!
//! Never sends a sender or a recipient. What a server sends is bounded in time and in bytes, and is never
//! trusted: it may be anything.

pub mod connection;
pub mod dns;
pub mod hosts;
pub mod published;
mod reply;
pub mod route;
pub mod schedule;
pub mod sent;
pub mod sts;
mod timed;
pub mod tls;

/// What is said of a server that says nothing.
const NOTHING_CAME: &str = "nothing came in time";

/// The system's words for an error, without its number.
fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |it| it.0.to_owned())
}
