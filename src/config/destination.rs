//! A next-hop destination of smtp(8) and lmtp(8), taken apart as they do (`util/host_port.c`,
//! `smtp/smtp_connect.c`).
//!
//! Known limits: a host name that is not ASCII is not judged, since that depends on
//! smtputf8_enable; a port's name is not looked up, since services(5) is the host's.

use std::net::Ipv6Addr;

/// `[host]:port` in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'t> {
    /// The host or domain, without `IPv6:`.
    pub host: &'t [u8],
    /// Whether MX records are asked for.
    pub lookup: Lookup,
    /// The port or its name, where there is one.
    pub service: Option<&'t [u8]>,
}

/// How the servers of a destination are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// `host`: by its MX records, if it has some.
    Exchangers,
    /// `[host]`: it is the server.
    Host,
}

impl<'t> Destination<'t> {
    /// Takes `text` apart; an error is the words with which the client exits.
    pub fn parse(text: &'t [u8]) -> Result<Destination<'t>, &'static str> {
        let (host, lookup, service) = match text.strip_prefix(b"[") {
            Some(inner) => {
                let (host, service) = bracketed(inner)?;
                (host, Lookup::Host, service)
            }
            None => match text.iter().rposition(|byte| *byte == b':') {
                Some(colon) => (&text[..colon], Lookup::Exchangers, &text[colon + 1..]),
                None => (text, Lookup::Exchangers, &b""[..]),
            },
        };
        if host.is_empty() && lookup == Lookup::Exchangers {
            return Err("missing host information");
        }
        if !is_host(host) {
            return Err("valid hostname or network address required");
        }
        let numeric = service.iter().all(u8::is_ascii_digit);
        if service.first().is_some_and(u8::is_ascii_digit) && !numeric {
            return Err("garbage after numerical service");
        }
        if numeric && !service.is_empty() && port_number(service).is_none() {
            return Err("bad network port");
        }
        // services(5) has many names, but none with these bytes.
        if service.iter().any(|it| matches!(it, b'[' | b']' | b'@' | b':' | b'/' | b'=')) {
            return Err("unknown service");
        }
        let service = Some(service).filter(|it| !it.is_empty());
        Ok(Destination { host, lookup, service })
    }

    /// The number of the port; `None` where nothing is said, or a name that is not known here.
    pub fn port(&self) -> Option<u16> {
        let service = self.service?;
        match service {
            b"smtp" => Some(25),
            b"submission" => Some(587),
            b"submissions" | b"smtps" | b"ssmtp" | b"urd" => Some(465),
            b"lmtp" => Some(24),
            _ => port_number(service),
        }
    }

    /// Whether it is this host.
    pub fn is_loopback(&self) -> bool {
        self.host.starts_with(b"127.")
            || self.host == b"::1"
            || self.host.eq_ignore_ascii_case(b"localhost")
            || self.host.to_ascii_lowercase().starts_with(b"localhost.")
    }
}

/// Host and port of what stands behind a `[`.
fn bracketed(inner: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let end = inner.iter().position(|byte| *byte == b']').ok_or("missing \"]\"")?;
    let (host, behind) = (&inner[..end], &inner[end + 1..]);
    let service = match behind {
        [] => behind,
        [b':', service @ ..] => service,
        _ => return Err("garbage after \"]\""),
    };
    match host.split_at_checked(5) {
        Some((prefix, address)) if prefix.eq_ignore_ascii_case(b"IPv6:") => {
            if !is_ipv6(address) {
                return Err("malformed IPv6 address");
            }
            Ok((address, service))
        }
        _ => Ok((host, service)),
    }
}

fn port_number(service: &[u8]) -> Option<u16> {
    str::from_utf8(service).ok()?.parse().ok().filter(|it| *it > 0)
}

fn is_ipv6(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|it| it.parse::<Ipv6Addr>().is_ok())
}

/// `util/valid_hostname.c`, and addresses.
fn is_host(text: &[u8]) -> bool {
    if !text.is_ascii() || is_ipv6(text) {
        return true;
    }
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(is_letter)
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    let labels = || text.split(|byte| *byte == b'.');
    if text.len() > 255 || !labels().all(is_label) {
        return false;
    }
    let numeric = labels().all(|label| label.iter().all(u8::is_ascii_digit));
    let is_byte = |label: &[u8]| str::from_utf8(label).is_ok_and(|it| it.parse::<u8>().is_ok());
    !numeric || (labels().count() == 4 && labels().all(is_byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_taken_apart_as_in_postfix() {
        for (text, host, lookup, service) in [
            ("a.example", "a.example", Lookup::Exchangers, None),
            ("a.example:", "a.example", Lookup::Exchangers, None),
            ("a.example:587", "a.example", Lookup::Exchangers, Some("587")),
            ("[a_b.example]", "a_b.example", Lookup::Host, None),
            ("[a.example]:smtps", "a.example", Lookup::Host, Some("smtps")),
            ("[192.0.2.1]:25", "192.0.2.1", Lookup::Host, Some("25")),
            ("[IPv6:2001:db8::1]:25", "2001:db8::1", Lookup::Host, Some("25")),
            ("[2001:db8::1]", "2001:db8::1", Lookup::Host, None),
        ] {
            let service = service.map(str::as_bytes);
            let want = Destination { host: host.as_bytes(), lookup, service };
            assert_eq!(Destination::parse(text.as_bytes()), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_a_client_exits_on_is_refused() {
        for (text, why) in [
            ("[a.example", "missing \"]\""),
            ("[a.example]587", "garbage after \"]\""),
            ("[a.example:587]", "valid hostname or network address required"),
            ("[]:25", "valid hostname or network address required"),
            ("smtp:[a.example]", "unknown service"),
            ("smtp:[a.example]:25", "valid hostname or network address required"),
            ("a..example", "valid hostname or network address required"),
            ("a.example.", "valid hostname or network address required"),
            ("192.0.2", "valid hostname or network address required"),
            ("[IPv6:a]", "malformed IPv6 address"),
            (":25", "missing host information"),
            ("a.example:2x", "garbage after numerical service"),
            ("a.example:0", "bad network port"),
            ("a.example:70000", "bad network port"),
        ] {
            assert_eq!(Destination::parse(text.as_bytes()), Err(why), "{text}");
        }
    }
}
