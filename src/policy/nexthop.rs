//! Next-hop destinations: the keys of a TLS policy table.
//!
//! smtp(8) looks a destination up exactly as it is configured, so that
//! `example.com`, `[example.com]` and `[example.com]:587` are three keys, and
//! none of them stands in for another (TLS_README; `smtp/smtp_tls_policy.c`).
//! What is refused here could never be a next hop, and its policy never used.

use std::fmt;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt, recognize, verify};
use nom::sequence::{delimited, preceded};

use crate::text::fold;

/// A key that smtp(8) could ask for, in lower case, as Postfix folds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nexthop(String);

/// Why a text is no next-hop destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNexthop {
    /// Nothing there.
    Empty,
    /// Blanks or control characters.
    Blank,
    /// `user@domain`.
    Address,
    /// `*` or `*.domain`.
    Wildcard,
    /// `smtp:host` or `https://host`.
    Transport,
    /// `domain.`
    TrailingDot,
    /// `[host:587]`: the port inside the brackets.
    PortInBrackets,
    /// None of the forms.
    Form,
}

impl fmt::Display for NotNexthop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotNexthop::Empty => "an empty key is no next-hop destination",
            NotNexthop::Blank => "a next-hop destination has no blanks or control characters",
            NotNexthop::Address => {
                "this is a mail address; policies are looked up for domains and hosts"
            }
            NotNexthop::Wildcard => {
                "\"*\" is no wildcard here; \".example.com\" covers the sub-domains of example.com"
            }
            NotNexthop::Transport => "the transport is not part of the key, only what follows it",
            NotNexthop::TrailingDot => "Postfix looks names up without a final dot",
            NotNexthop::PortInBrackets => "the port stands behind the brackets: \"[host]:587\"",
            NotNexthop::Form => {
                "none of \"domain\", \".domain\", \"host:port\", \"[host]\", \"[host]:port\""
            }
        })
    }
}

impl Nexthop {
    /// Reads a key in one of the five forms, or the path of a UNIX-domain socket.
    pub fn parse(text: &str) -> Result<Nexthop, NotNexthop> {
        if text.is_empty() {
            return Err(NotNexthop::Empty);
        }
        if text.chars().any(|it| it.is_whitespace() || it.is_control()) {
            return Err(NotNexthop::Blank);
        }
        // Folding may make other letters: what is asked for is the folded text.
        let folded = String::from_utf8_lossy(&fold(text.as_bytes())).into_owned();
        // postmap takes quotes and backslashes for its own.
        let path = text.starts_with('/') && !text.contains(['"', '\\']);
        if path || form(&folded) {
            return Ok(Nexthop(folded));
        }
        Err(match text {
            _ if text.contains('@') => NotNexthop::Address,
            _ if text.contains('*') => NotNexthop::Wildcard,
            _ if text.contains("//")
                || ["smtp:", "lmtp:", "relay:"].iter().any(|it| text.starts_with(it)) =>
            {
                NotNexthop::Transport
            }
            _ if text.ends_with('.') => NotNexthop::TrailingDot,
            _ if text.starts_with('[') && text.ends_with(']') && text.contains(':') => {
                NotNexthop::PortInBrackets
            }
            _ => NotNexthop::Form,
        })
    }

    /// The key as it stands in the table.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nexthop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn form(text: &str) -> bool {
    let port =
        || preceded(char(':'), take_while1(|it: char| it.is_ascii_alphanumeric() || it == '-'));
    let address = || take_while1(|it: char| it.is_ascii_hexdigit() || matches!(it, ':' | '.'));
    let literal = alt((
        recognize(preceded(nom::bytes::complete::tag_no_case("ipv6:"), address())),
        // An IPv6 address has at least two colons; "host:587" has one.
        verify(address(), |it: &str| it.matches(':').count() > 1),
        recognize(name),
    ));
    let bracketed = recognize((delimited(char('['), literal, char(']')), opt(port())));
    let parent = recognize((char('.'), name));
    let host = recognize((name, opt(port())));
    all_consuming(alt((bracketed, parent, host))).parse(text).is_ok()
}

/// Labels of letters, digits, `-` and `_`, between single dots (`util/valid_hostname.c`).
fn name(text: &str) -> nom::IResult<&str, &str> {
    let letters = take_while1(|it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.'));
    verify(letters, |name: &str| {
        name.len() <= 255
            && name.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            })
    })
    .parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_smtp_asks_for_are_next_hops() {
        for text in [
            "example.com",
            ".example.com",
            "example.com:587",
            "example.com:submission",
            "[mx.example.com]",
            "[mx.example.com]:587",
            "[192.0.2.1]:25",
            "[2001:db8::1]",
            "[IPv6:2001:db8::1]:25",
            "192.0.2.1",
            "xn--bcher-kva.example",
            "b\u{fc}cher.example",
            "local_host",
            "com",
            ".com",
            "/var/run/lmtp",
        ] {
            assert!(Nexthop::parse(text).is_ok(), "{text}");
        }
        assert_eq!(
            Nexthop::parse("[MX.Example.COM]:587").map(|it| it.to_string()).as_deref(),
            Ok("[mx.example.com]:587")
        );
    }

    #[test]
    fn what_can_never_be_asked_for_is_refused() {
        for (text, want) in [
            ("", NotNexthop::Empty),
            ("a b", NotNexthop::Blank),
            ("a\n", NotNexthop::Blank),
            ("user@example.com", NotNexthop::Address),
            ("*", NotNexthop::Wildcard),
            ("*.example.com", NotNexthop::Wildcard),
            ("smtp:[mx.example.com]", NotNexthop::Transport),
            ("https://example.com", NotNexthop::Transport),
            ("example.com.", NotNexthop::TrailingDot),
            ("[mx.example.com:587]", NotNexthop::PortInBrackets),
            ("[mx.example.com", NotNexthop::Form),
            ("a..b", NotNexthop::Form),
            ("..b", NotNexthop::Form),
            ("-a.b", NotNexthop::Form),
            ("a:", NotNexthop::Form),
        ] {
            assert_eq!(Nexthop::parse(text), Err(want), "{text}");
        }
    }
}
