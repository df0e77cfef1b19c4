//! What main.cf and master.cf tell smtp(8) or lmtp(8) about TLS: what holds for each destination
//! where its policy says nothing, and what no policy can change.
//!
//! Follows `smtp/smtp.c` and `smtp/smtp_tls_policy.c`. Files that the values name are not opened.

use std::fmt;

use super::row::is_hostname;
use crate::postfix::{Digest, SecurityLevel, Version};
use crate::syntax::lists::{self, COMMA_SPACE};

/// A client's settings.
#[allow(clippy::struct_excessive_bools, reason = "they are parameters of that type")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `smtp` or `lmtp`, which begins the names of its parameters.
    pub name: &'static str,
    /// The Postfix that it belongs to.
    pub version: Version,
    /// The level of destinations without a policy; `Err`: a word that is none, on which the
    /// program exits at its start.
    pub level: Result<SecurityLevel, String>,
    /// The parameter that the level comes from.
    pub level_from: &'static str,
    /// `tls_fingerprint_digest`
    pub digest: String,
    /// `tls_fingerprint_cert_match`
    pub fingerprints: String,
    /// `tls_protocols`, for level may.
    pub protocols: String,
    /// `tls_mandatory_protocols`, for the levels above.
    pub mandatory_protocols: String,
    /// `tls_ciphers`, for level may.
    pub ciphers: String,
    /// `tls_mandatory_ciphers`, for the levels above.
    pub mandatory_ciphers: String,
    /// `tls_exclude_ciphers`
    pub exclude: String,
    /// `tls_mandatory_exclude_ciphers`, for the levels above may.
    pub mandatory_exclude: String,
    /// `tls_verify_cert_match`
    pub verify_match: String,
    /// `tls_secure_cert_match`
    pub secure_match: String,
    /// `tls_servername`
    pub servername: String,
    /// `tls_connection_reuse`
    pub connection_reuse: bool,
    /// `tls_enable_rpk`
    pub enable_rpk: bool,
    /// Whom it trusts to sign certificates, one entry for each parameter that names somebody.
    pub trust: Vec<Trust>,
    /// `tls_wrappermode`
    pub wrappermode: bool,
    /// Why TLSA records cannot be looked up, if so.
    pub no_dane: Option<NoDane>,
    /// `tls_enforce_sts_mx_patterns`
    pub sts_patterns: bool,
    /// Whether the older per-site table decides, and no policy table.
    pub per_site: bool,
    /// `smtputf8_enable`: tables have to be UTF-8.
    pub utf8: bool,
    /// Files that policies name in `tafile=` and that cannot be used, where somebody has looked.
    pub bad_files: Vec<(String, BadFile)>,
}

/// Why a file of trust anchors cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFile {
    /// It is not there.
    Missing,
    /// It has no certificate and no key in PEM form.
    NotPem,
    /// What it has in PEM form is none; it counts for nothing beside others.
    Garbage,
}

/// A parameter that names certification authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The parameter, without the client's name.
    pub parameter: &'static str,
    /// Its value.
    pub value: String,
}

/// Why the levels dane and dane-only cannot work with these settings (`dane_init`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDane {
    /// `dns_support_level` is not `dnssec`.
    NoDnssec,
    /// `host_lookup` is without `dns`.
    NoDns,
    /// `ignore_mx_lookup_error`
    MxErrorsIgnored,
    /// `dns_resolver_options` has `res_defnames` or `res_dnsrch`.
    ResolverOptions,
}

impl NoDane {
    /// The parameter, without the client's name where it begins with one.
    pub fn parameter(self) -> &'static str {
        match self {
            NoDane::NoDnssec => "dns_support_level",
            NoDane::NoDns => "host_lookup",
            NoDane::MxErrorsIgnored => "ignore_mx_lookup_error",
            NoDane::ResolverOptions => "dns_resolver_options",
        }
    }
}

impl fmt::Display for NoDane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoDane::NoDnssec => "DNSSEC lookups are off",
            NoDane::NoDns => "DNS lookups are off",
            NoDane::MxErrorsIgnored => "MX lookup errors are ignored",
            NoDane::ResolverOptions => {
                "the resolver options res_defnames and res_dnsrch rule it out"
            }
        })
    }
}

impl Client {
    /// The settings of `name`, `smtp` or `lmtp`. `value` gives the value of a parameter, expanded;
    /// an empty one where the Postfix at hand has no such parameter.
    pub fn new(name: &'static str, version: Version, value: &dyn Fn(&str) -> Vec<u8>) -> Client {
        let text = |suffix: &str| {
            let value = value(&format!("{name}_{suffix}"));
            String::from_utf8_lossy(&value).trim().to_owned()
        };
        let yes = |suffix: &str| text(suffix).eq_ignore_ascii_case("yes");
        let (level, level_from) = level(&text, &yes);
        let trust = ["tls_CAfile", "tls_CApath", "tls_trust_anchor_file"];
        let trust = trust.map(|parameter| Trust { parameter, value: text(parameter) });
        let appends = value("tls_append_default_CA").trim_ascii().eq_ignore_ascii_case(b"yes");
        let system = Trust { parameter: "tls_append_default_CA", value: "yes".to_owned() };
        let mut trust: Vec<Trust> = trust.into_iter().filter(|it| !it.value.is_empty()).collect();
        // It adds to those of the first two, and is nothing where they are missing.
        let has_others = trust.iter().any(|it| it.parameter != "tls_trust_anchor_file");
        trust.extend((appends && has_others).then_some(system));
        Client {
            name,
            version,
            level,
            level_from,
            digest: text("tls_fingerprint_digest"),
            fingerprints: text("tls_fingerprint_cert_match"),
            protocols: text("tls_protocols"),
            mandatory_protocols: text("tls_mandatory_protocols"),
            ciphers: text("tls_ciphers"),
            mandatory_ciphers: text("tls_mandatory_ciphers"),
            exclude: text("tls_exclude_ciphers"),
            mandatory_exclude: text("tls_mandatory_exclude_ciphers"),
            verify_match: text("tls_verify_cert_match"),
            secure_match: text("tls_secure_cert_match"),
            servername: text("tls_servername"),
            connection_reuse: yes("tls_connection_reuse"),
            enable_rpk: yes("tls_enable_rpk"),
            trust,
            wrappermode: yes("tls_wrappermode"),
            no_dane: no_dane(name, value),
            sts_patterns: yes("tls_enforce_sts_mx_patterns"),
            per_site: text("tls_policy_maps").is_empty() && !text("tls_per_site").is_empty(),
            utf8: value("smtputf8_enable").trim_ascii().eq_ignore_ascii_case(b"yes"),
            bad_files: Vec::new(),
        }
    }

    /// The names of main.cf at a level that compares some.
    pub fn names(&self, level: Option<SecurityLevel>) -> impl Iterator<Item = &[u8]> {
        let list = if level == Some(SecurityLevel::Verify) {
            &self.verify_match
        } else {
            &self.secure_match
        };
        let words = list.as_bytes().split(|it| b", \t\r\n:".contains(it));
        words.filter(|it| !it.is_empty())
    }

    /// The digest in force; `None` if it is one that postls does not know.
    pub fn known_digest(&self) -> Option<Digest> {
        Digest::parse(self.digest.as_bytes())
    }
}

/// What a client takes where nobody configures anything, for a table that stands alone.
impl From<(&'static str, Version)> for Client {
    fn from((name, version): (&'static str, Version)) -> Client {
        let value = |parameter: &str| match parameter.split_once('_').map_or("", |it| it.1) {
            "tls_fingerprint_digest" => b"sha256".to_vec(),
            // Whom it trusts and where it looks names up is not known, and not to be complained of.
            "tls_CAfile" => b"unknown".to_vec(),
            "dns_support_level" => b"dnssec".to_vec(),
            "host_lookup" => b"dns".to_vec(),
            "tls_verify_cert_match" | "tls_secure_cert_match" => b"hostname".to_vec(),
            "tls_mandatory_protocols" => b"!SSLv3".to_vec(),
            _ => Vec::new(),
        };
        Client::new(name, version, &value)
    }
}

/// `global_tls_level`: the level, and the parameter that says so.
fn level(
    text: &dyn Fn(&str) -> String,
    yes: &dyn Fn(&str) -> bool,
) -> (Result<SecurityLevel, String>, &'static str) {
    let word = text("tls_security_level");
    if !word.is_empty() {
        return (SecurityLevel::parse(word.as_bytes()).ok_or(word), "tls_security_level");
    }
    if yes("enforce_tls") {
        // Its default is yes.
        let by_name = !text("tls_enforce_peername").eq_ignore_ascii_case("no");
        let level = if by_name { SecurityLevel::Verify } else { SecurityLevel::Encrypt };
        return (Ok(level), "enforce_tls");
    }
    if yes("use_tls") {
        return (Ok(SecurityLevel::May), "use_tls");
    }
    (Ok(SecurityLevel::None), "tls_security_level")
}

fn no_dane(name: &str, value: &dyn Fn(&str) -> Vec<u8>) -> Option<NoDane> {
    let has = |suffix: &str, word: &[u8]| {
        let value = value(&format!("{name}_{suffix}"));
        lists::words(&value, COMMA_SPACE).any(|it| value[it].eq_ignore_ascii_case(word))
    };
    if !has("host_lookup", b"dns") {
        return Some(NoDane::NoDns);
    }
    if !has("dns_support_level", b"dnssec") {
        return Some(NoDane::NoDnssec);
    }
    let ignored = value("ignore_mx_lookup_error");
    if name == "smtp" && ignored.trim_ascii().eq_ignore_ascii_case(b"yes") {
        return Some(NoDane::MxErrorsIgnored);
    }
    let incompatible =
        has("dns_resolver_options", b"res_defnames") || has("dns_resolver_options", b"res_dnsrch");
    incompatible.then_some(NoDane::ResolverOptions)
}

/// The keys that a client looks a destination up with, in order (`tls_policy_lookup`): a host or
/// domain name also as each of its parents with a leading dot, anything else only as it is.
/// `utf8`: `smtputf8_enable`, which makes names of other letters names.
pub fn keys(destination: &[u8], utf8: bool) -> Vec<Vec<u8>> {
    let mut keys = vec![destination.to_vec()];
    if !is_name(destination, utf8) {
        return keys;
    }
    let mut rest = destination;
    // A dot in the first place is a part of the key.
    while let Some(dot) = rest.iter().skip(1).position(|it| *it == b'.') {
        rest = &rest[dot + 1..];
        keys.push(rest.to_vec());
    }
    keys
}

/// `valid_utf8_hostname`
pub(super) fn is_name(text: &[u8], utf8: bool) -> bool {
    if text.is_ascii() || !utf8 {
        return is_hostname(text);
    }
    let ascii = str::from_utf8(text).ok().and_then(|it| idna::domain_to_ascii(it).ok());
    ascii.is_some_and(|it| is_hostname(it.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_looked_up_by_their_parents() {
        let keys = |it: &str| {
            let keys = super::keys(it.as_bytes(), true).into_iter();
            keys.map(|it| String::from_utf8(it).expect("it was UTF-8")).collect::<Vec<_>>()
        };
        assert_eq!(keys("a.b.example"), ["a.b.example", ".b.example", ".example"]);
        assert_eq!(keys("b\u{fc}cher.example"), ["b\u{fc}cher.example", ".example"]);
        for alone in ["a.example:587", "[a.example]", "192.0.2.1", "com", "a..b", "/var/x.y", ""] {
            assert_eq!(keys(alone), [alone]);
        }
    }

    fn client(values: &[(&str, &str)]) -> Client {
        let value = |name: &str| {
            let found = values.iter().find(|(it, _)| *it == name);
            found.map_or(Vec::new(), |(_, value)| value.as_bytes().to_vec())
        };
        Client::new("smtp", Version::new(3, 7), &value)
    }

    #[test]
    fn old_parameters_give_a_level_where_the_new_one_is_empty() {
        for (values, level, from) in [
            (&[] as &[_], SecurityLevel::None, "tls_security_level"),
            (&[("smtp_use_tls", "yes")], SecurityLevel::May, "use_tls"),
            (&[("smtp_enforce_tls", "yes")], SecurityLevel::Verify, "enforce_tls"),
            (
                &[("smtp_enforce_tls", "yes"), ("smtp_tls_enforce_peername", "no")],
                SecurityLevel::Encrypt,
                "enforce_tls",
            ),
            (
                &[("smtp_enforce_tls", "yes"), ("smtp_tls_security_level", "may")],
                SecurityLevel::May,
                "tls_security_level",
            ),
        ] {
            let client = client(values);
            assert_eq!((client.level, client.level_from), (Ok(level), from), "{values:?}");
        }
    }
}
