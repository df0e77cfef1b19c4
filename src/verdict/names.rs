//! Which name of a certificate a policy takes (`match=`), as Postfix compares them.
//!
//! From 3.6 on OpenSSL does it for Postfix (`add_namechecks` in `tls/tls_client.c`, X509_check_host(3)), before that
//! Postfix itself (`match_servername`, the same file). Names that are no names match nothing.
//!
//! Known limit: before 3.6 a wildcard stands for several labels, as `tls_wildcard_matches_multiple_labels` has it by
//! default; that parameter is not read.

use std::net::IpAddr;

use crate::certificate::Certificate;
use crate::postfix::Version;

/// Since this version OpenSSL compares.
const OPENSSL_SINCE: Version = Version::new(3, 6);

/// A name of a certificate and the pattern that takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// As it stands in the certificate.
    pub name: String,
    /// As it stands in the policy.
    pub pattern: String,
}

/// The first of a certificate's names that a pattern of `match=` takes: `nexthop`, `dot-nexthop`, `hostname`, a
/// name, or a domain behind a dot for all names below it. `nexthop` is the next-hop destination without brackets and
/// port, `host` the name of the server as its MX record has it.
pub fn matched<'n>(
    names: &'n [String],
    pattern: &str,
    nexthop: &str,
    host: &str,
    version: Version,
) -> Option<&'n str> {
    let wanted = Wanted::new(pattern, nexthop, host)?;
    let names = names.iter().map(String::as_str);
    // The subject's common name can be in other letters, which are never compared.
    let mut names = names.filter(|it| it.is_ascii());
    names.find(|name| {
        if version < OPENSSL_SINCE {
            wanted.is_met_by_postfix(name)
        } else {
            wanted.is_met_by_openssl(name)
        }
    })
}

/// What makes a certificate's names good for a policy with these patterns.
///
/// To an address OpenSSL compares the certificate's addresses: it must be one of them *and* one of the other patterns
/// must be met. So the nexthop `[192.0.2.1]` is never met together with `dot-nexthop`.
pub fn accepted(
    certificate: &Certificate,
    patterns: &[String],
    nexthop: &str,
    host: &str,
    version: Version,
) -> Option<Match> {
    let found = |pattern: &String| {
        let name = matched(&certificate.names, pattern, nexthop, host, version)?;
        Some(Match { name: name.to_owned(), pattern: pattern.clone() })
    };
    if version < OPENSSL_SINCE {
        return patterns.iter().find_map(found);
    }
    let address = |pattern: &String| Wanted::new(pattern, nexthop, host)?.address();
    let (addresses, names): (Vec<&String>, Vec<&String>) =
        patterns.iter().partition(|it| address(it).is_some());
    let by_name = names.iter().find_map(|it| found(it));
    // Postfix warns of a second one and does without it.
    let Some(pattern) = addresses.first() else { return by_name };
    let wanted = address(pattern)?;
    let holds = certificate.addresses.contains(&wanted);
    if !holds || (by_name.is_none() && !names.is_empty()) {
        return None;
    }
    by_name.or_else(|| Some(Match { name: wanted.to_string(), pattern: (*pattern).clone() }))
}

/// What a pattern stands for.
struct Wanted {
    /// In ASCII.
    name: String,
    /// Whether names below it are meant, and not it.
    below: bool,
}

impl Wanted {
    fn new(pattern: &str, nexthop: &str, host: &str) -> Option<Wanted> {
        let is = |word: &str| pattern.eq_ignore_ascii_case(word);
        let (name, below) = if is("nexthop") {
            (nexthop, false)
        } else if is("dot-nexthop") {
            (nexthop, true)
        } else if is("hostname") {
            (host, false)
        } else {
            // Three other full stops that IDNA knows count as well.
            let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
            match pattern.strip_prefix(dots).filter(|it| !it.is_empty()) {
                Some(domain) => (domain, true),
                None => (pattern, false),
            }
        };
        if name.is_empty() || name == "." {
            return None;
        }
        let name = if name.is_ascii() {
            name.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_owned())
        };
        Some(Wanted { name, below })
    }

    /// SSL_add1_host(3) of OpenSSL 3.0 knows addresses by their form.
    fn address(&self) -> Option<IpAddr> {
        self.name.parse().ok().filter(|_| !self.below)
    }

    /// `match_servername`
    fn is_met_by_postfix(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        if self.below {
            let front = name.strip_suffix(self.name.as_str());
            return front.is_some_and(|it| it.len() > 1 && it.ends_with('.'));
        }
        let by_wildcard = || {
            let suffix = name.strip_prefix('*').filter(|it| it.len() > 1 && it.starts_with('.'));
            let parent = self.name.find('.').map(|it| &self.name[it..]);
            suffix.zip(parent).is_some_and(|(suffix, parent)| parent.ends_with(suffix))
        };
        name == self.name || by_wildcard()
    }

    /// `do_x509_check` in OpenSSL's `crypto/x509/v3_utl.c`, without partial wildcards.
    fn is_met_by_openssl(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        if self.below {
            // All that ends so, whatever it begins with: a wildcard too.
            return name.len() > self.name.len()
                && name.strip_suffix(self.name.as_str()).is_some_and(|front| front.ends_with('.'));
        }
        if self.address().is_some() {
            return false;
        }
        match wildcard_suffix(&name) {
            None => name == self.name,
            Some(suffix) => {
                // What the star stands for may be one label, or a star.
                let label = self.name.strip_suffix(suffix).filter(|it| !it.is_empty());
                let is_label = |it: &str| {
                    it == "*" || it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
                };
                label.is_some_and(is_label)
            }
        }
    }
}

/// What stands behind the star of a certificate's name, where it counts as one (`valid_star`): it is the whole first
/// label, at least two dots are behind it, and the labels are those of host names.
fn wildcard_suffix(name: &str) -> Option<&str> {
    let suffix = name.strip_prefix('*').filter(|it| it.starts_with('.'))?;
    let mut labels = suffix[1..].split('.');
    let is_label = |it: &str| {
        let has_letters = it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        !it.is_empty() && has_letters && !it.starts_with('-') && !it.ends_with('-')
    };
    (labels.clone().count() >= 2 && labels.all(is_label)).then_some(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(name: &str, pattern: &str, version: Version) -> bool {
        let names = [name.to_owned()];
        matched(&names, pattern, "a.example", "MX.a.example", version).is_some()
    }

    #[test]
    fn names_are_compared_as_by_openssl_or_as_by_an_older_postfix() {
        // The last two: since 3.6, and before.
        for (name, pattern, new, old) in [
            ("a.example", "nexthop", true, true),
            ("A.Example", "nexthop", true, true),
            ("b.a.example", "nexthop", false, false),
            ("a.example", "dot-nexthop", false, false),
            ("x.y.a.example", "dot-nexthop", true, true),
            ("xa.example", "dot-nexthop", false, false),
            ("mx.a.example", "hostname", true, true),
            ("*.a.example", "hostname", true, true),
            ("*.a.example", "x.mx.a.example", false, true),
            ("*.a.example", "dot-nexthop", true, true),
            ("*.example", "nexthop", false, true),
            ("*.a.example", "*.a.example", true, true),
            ("m*.a.example", "hostname", false, false),
            ("mx.a.example", ".a.example", true, true),
            ("mx.a.example", ".", false, false),
            ("mx.a.example.", "hostname", false, false),
            ("xn--bcher-kva.example", "b\u{fc}cher.example", true, true),
            ("mx.xn--bcher-kva.example", "\u{3002}b\u{fc}cher.example", true, true),
            ("b\u{fc}cher.example", "b\u{fc}cher.example", false, false),
            ("192.0.2.1", "192.0.2.1", false, true),
            ("", "hostname", false, false),
            ("*", "hostname", false, false),
            ("*.", "hostname", false, false),
        ] {
            assert_eq!(met(name, pattern, Version::new(3, 7)), new, "{name} {pattern}");
            assert_eq!(met(name, pattern, Version::new(3, 5)), old, "{name} {pattern}, before 3.6");
        }
    }

    #[test]
    fn an_empty_nexthop_or_host_is_no_name() {
        let names = [String::new(), ".".to_owned(), "a.example".to_owned()];
        for pattern in ["nexthop", "dot-nexthop", "hostname", ""] {
            assert_eq!(matched(&names, pattern, "", "", Version::NEWEST), None, "{pattern}");
        }
    }
}
