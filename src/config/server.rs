//! What an smtpd(8) makes of its TLS settings (`smtpd/smtpd.c`, `pre_jail_init`), and where it listens.

use std::net::IpAddr;

use super::{Effective, Origin, Within};
use crate::postfix::SecurityLevel;
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};
use crate::text::Span;

/// An smtpd(8) as it runs.
#[derive(Debug)]
pub struct Server<'e> {
    effective: &'e Effective<'e>,
    /// The service; main.cf alone where master.cf has none.
    pub within: Within<'e>,
    /// Whether clients can, or must, use TLS.
    pub tls: ServerTls,
    /// The parameter that says so.
    pub decided_by: &'static str,
}

/// What a server offers or wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTls {
    /// No TLS.
    Off,
    /// TLS for those who want it.
    Opportunistic,
    /// TLS for all.
    Mandatory,
}

/// The ports of SMTP, by number or by a name of services(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// 25
    Smtp,
    /// 587, where sessions begin without TLS.
    Submission,
    /// 465, where they begin with TLS.
    Submissions,
    /// Another one.
    Other,
}

impl Effective<'_> {
    /// The servers of master.cf, or the one of main.cf where master.cf has none; without those that exit at
    /// once, since what decides about TLS is no value.
    pub fn servers(&self) -> Vec<Server<'_>> {
        let mut services = self.scopes.iter().filter(|it| it.program() == b"smtpd").peekable();
        let main = services.peek().is_none().then_some(Within::Main);
        let all = services.map(Within::Service).chain(main);
        all.filter_map(|within| {
            let (tls, decided_by) = self.server_tls(within)?;
            Some(Server { effective: self, within, tls, decided_by })
        })
        .collect()
    }

    fn server_tls(&self, within: Within<'_>) -> Option<(ServerTls, &'static str)> {
        let is_on = |name| self.is_on(name, within);
        let (use_tls, enforce_tls) = (is_on("smtpd_use_tls")?, is_on("smtpd_enforce_tls")?);
        if is_on("smtpd_tls_wrappermode")? {
            return Some((ServerTls::Mandatory, "smtpd_tls_wrappermode"));
        }
        let level = self.value("smtpd_tls_security_level", within).0.ok()?;
        if level.is_empty() {
            return Some(match (enforce_tls, use_tls) {
                (true, _) => (ServerTls::Mandatory, "smtpd_enforce_tls"),
                (false, true) => (ServerTls::Opportunistic, "smtpd_use_tls"),
                (false, false) => (ServerTls::Off, "smtpd_tls_security_level"),
            });
        }
        let tls = match SecurityLevel::parse(&level)? {
            SecurityLevel::None => ServerTls::Off,
            SecurityLevel::May => ServerTls::Opportunistic,
            SecurityLevel::Encrypt
            | SecurityLevel::Fingerprint
            | SecurityLevel::Verify
            | SecurityLevel::Secure => ServerTls::Mandatory,
            SecurityLevel::Dane | SecurityLevel::DaneOnly => return None,
        };
        Some((tls, "smtpd_tls_security_level"))
    }

    /// `None` where the value is neither yes nor no.
    fn is_on(&self, name: &str, within: Within<'_>) -> Option<bool> {
        match self.value(name, within).0.ok()?.to_ascii_lowercase().as_slice() {
            b"yes" => Some(true),
            b"no" => Some(false),
            _ => None,
        }
    }
}

impl Server<'_> {
    /// A parameter's value; empty where it cannot be expanded, which is a finding of its own.
    pub fn value(&self, name: &str) -> Vec<u8> {
        self.effective.value(name, self.within).0.unwrap_or_default()
    }

    /// Whether a parameter's value is known, and empty.
    pub fn is_empty(&self, name: &str) -> bool {
        self.effective.value(name, self.within).0.is_ok_and(|it| it.is_empty())
    }

    /// Where a parameter is set, if it is.
    pub fn set(&self, name: &str) -> Option<Span> {
        match self.effective.origin(name, self.within) {
            Origin::Set(span) => Some(span),
            Origin::Default => None,
        }
    }

    /// Whether a parameter says yes.
    pub fn is_on(&self, name: &str) -> bool {
        self.effective.is_on(name, self.within) == Some(true)
    }

    /// Whether clients may say AUTH before STARTTLS, or without it.
    pub fn takes_logins_without_tls(&self) -> bool {
        let without_tls = match self.tls {
            ServerTls::Off | ServerTls::Opportunistic => !self.is_on("smtpd_tls_auth_only"),
            ServerTls::Mandatory => false,
        };
        without_tls && self.is_on("smtpd_sasl_auth_enable")
    }

    /// Where master.cf names the service.
    pub fn service_span(&self) -> Option<Span> {
        match self.within {
            Within::Main => None,
            Within::Service(scope) => Some(scope.service_span),
        }
    }

    /// The port that it listens on, where it listens on one.
    pub fn port(&self) -> Option<Port> {
        let (_, port) = self.endpoint()?;
        Some(match port.to_ascii_lowercase().as_slice() {
            b"25" | b"smtp" | b"mail" => Port::Smtp,
            b"587" | b"submission" | b"msa" => Port::Submission,
            b"465" | b"submissions" | b"smtps" | b"ssmtp" | b"urd" => Port::Submissions,
            _ => Port::Other,
        })
    }

    /// Whether nobody from outside reaches it: it listens on loopback alone, or on no port at all.
    pub fn is_local(&self) -> bool {
        self.listens_only(|address| address.is_loopback())
    }

    /// Whether only hosts of a private network reach it.
    pub fn is_private(&self) -> bool {
        self.listens_only(|address| match address {
            IpAddr::V4(address) => address.is_loopback() || address.is_private(),
            IpAddr::V6(address) => {
                let first = address.segments()[0];
                address.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
            }
        })
    }

    /// Whether a proxy stands in front: it may speak TLS with the client, which nobody here can see.
    pub fn is_behind_proxy(&self) -> bool {
        !self.value("smtpd_upstream_proxy_protocol").is_empty()
    }

    fn listens_only(&self, is_inside: impl Fn(IpAddr) -> bool) -> bool {
        let inside = |host: &[u8]| {
            let host = host.strip_prefix(b"[").and_then(|it| it.strip_suffix(b"]")).unwrap_or(host);
            let text = str::from_utf8(host).unwrap_or_default();
            let address = text.strip_prefix("ipv6:").unwrap_or(text).parse();
            text.eq_ignore_ascii_case("localhost") || address.is_ok_and(&is_inside)
        };
        match self.endpoint() {
            Some((host, _)) if !host.is_empty() => return inside(host),
            Some(_) => {}
            None => match self.within {
                // postscreen(8) hands over the clients of its own port.
                Within::Service(scope) if !scope.name.ends_with(b"/pass") => return true,
                Within::Service(_) | Within::Main => {}
            },
        }
        let interfaces = self.value("inet_interfaces");
        let mut all = lists::words(&interfaces, COMMA_SPACE_FLAT).map(|it| &interfaces[it]);
        all.all(|it| it.eq_ignore_ascii_case(b"loopback-only") || inside(it))
    }

    /// Host, which may be empty, and port of a service of the type inet.
    fn endpoint(&self) -> Option<(&[u8], &[u8])> {
        let Within::Service(scope) = self.within else { return None };
        if !scope.name.ends_with(b"/inet") {
            return None;
        }
        let service = scope.service.as_slice();
        Some(match service.iter().rposition(|byte| *byte == b':') {
            Some(colon) => (&service[..colon], &service[colon + 1..]),
            None => (b"", service),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Configuration, Services};
    use crate::postfix::Version;
    use crate::text::Sources;

    fn with_server<T>(main_cf: &str, service: &str, ask: impl Fn(&Server<'_>) -> T) -> Option<T> {
        let mut sources = Sources::default();
        let main_cf = sources.add("main.cf", main_cf.as_bytes().to_vec());
        let (service, options) = service.split_once(' ').unwrap_or((service, ""));
        let (name, kind) = service.rsplit_once('/').expect("name/type");
        let line = format!("{name} {kind} n - n - - smtpd {options}\n");
        let master_cf = sources.add("master.cf", line.into_bytes());
        let configuration = Configuration::new(&sources, main_cf, Version::NEWEST);
        let services = Services::new(&sources, master_cf);
        let effective = Effective::new(&configuration, Some(&services));
        effective.servers().first().map(ask)
    }

    #[test]
    fn tls_is_as_smtpd_decides() {
        use ServerTls::{Mandatory, Off, Opportunistic};
        for (main_cf, options, tls) in [
            ("", "", Some(Off)),
            ("smtpd_use_tls = yes", "", Some(Opportunistic)),
            ("smtpd_enforce_tls = YES", "", Some(Mandatory)),
            ("smtpd_enforce_tls = yes", " -o smtpd_tls_security_level=none", Some(Off)),
            ("smtpd_use_tls = no\nsmtpd_tls_security_level = may", "", Some(Opportunistic)),
            (
                "smtpd_tls_security_level = may",
                " -o smtpd_tls_security_level=encrypt",
                Some(Mandatory),
            ),
            ("smtpd_tls_security_level = secure", "", Some(Mandatory)),
            ("smtpd_tls_security_level = dane", "", None),
            ("smtpd_tls_security_level = may # x", "", None),
            ("smtpd_tls_security_level = dane", " -o smtpd_tls_wrappermode=yes", Some(Mandatory)),
            ("smtpd_tls_wrappermode = true", "", None),
        ] {
            let service = format!("smtp/inet{options}");
            assert_eq!(with_server(main_cf, &service, |it| it.tls), tls, "{main_cf} {options}");
        }
    }

    #[test]
    fn a_server_knows_where_it_listens() {
        for (main_cf, service, port, local, private) in [
            ("", "smtp/inet", Some(Port::Smtp), false, false),
            ("inet_interfaces = loopback-only", "25/inet", Some(Port::Smtp), true, true),
            ("inet_interfaces = 127.0.0.1, [::1]", "msa/inet", Some(Port::Submission), true, true),
            ("inet_interfaces = 10.0.0.1", "submission/inet", Some(Port::Submission), false, true),
            ("", "127.0.0.1:10025/inet", Some(Port::Other), true, true),
            ("", "[::1]:465/inet", Some(Port::Submissions), true, true),
            ("", "192.0.2.1:smtps/inet", Some(Port::Submissions), false, false),
            ("", "smtpd/pass", None, false, false),
            ("", "private/x/unix", None, true, true),
        ] {
            let seen =
                with_server(main_cf, service, |it| (it.port(), it.is_local(), it.is_private()));
            assert_eq!(seen, Some((port, local, private)), "{service}");
        }
    }
}
