//! What smtp(8) or lmtp(8) does with mail for a destination: its policy, filled up from main.cf
//! (`policy_create` in `smtp/smtp_tls_policy.c`), and what becomes of the mail.
//!
//! Known limits: certificates and keys that the values name are not opened, TLSA records are not
//! looked up, and `TLS-Required: no` in a message is not known beforehand.

use std::ops::Range;

use super::attribute::Asked;
use super::client::Client;
use super::matching::{self, is_sts, pin, pins_of_main_cf};
use super::outcome::{Delivery, Outcome, Server, held_by_row, impossible, reason};
use super::problems;
use super::row::{self, Row};
use super::what::{Pin, What};
use crate::postfix::{DigestName, Protocols, SecurityLevel, Version};
use crate::syntax::lists::{self, BAR, COLON, COMMA_SPACE};

/// A destination's policy with everything that main.cf adds to it.
#[derive(Clone, Debug)]
pub struct EffectivePolicy {
    /// The level that the client acts at; `None` where there is none: the row or main.cf has a
    /// word that is no level.
    pub level: Option<Chosen<SecurityLevel>>,
    /// What a certificate's names are compared with, at verify and secure.
    pub names: Option<Chosen<Vec<String>>>,
    /// The patterns of MX hosts of a policy that an MTA-STS plug-in made; hosts that match none are passed over. Empty:
    /// any host will do.
    pub mx_patterns: Vec<String>,
    /// What certificates and keys are compared with, at fingerprint.
    pub fingerprints: Option<Chosen<Vec<String>>>,
    /// The digest in force.
    pub digest: Chosen<String>,
    /// The TLS protocols, as a list; `None`: no TLS.
    pub protocols: Option<Chosen<String>>,
    /// The cipher grade; `None`: no TLS.
    pub ciphers: Option<Chosen<String>>,
    /// The ciphers that are left out.
    pub exclude: Option<Chosen<String>>,
    /// The name that the client asks the server for.
    pub servername: Option<Chosen<String>>,
    /// Files with the authorities that are trusted at verify and secure, or the parameters that
    /// name them.
    pub trust: Vec<Chosen<String>>,
    /// Whether connections are used again.
    pub connection_reuse: Chosen<bool>,
    /// Whether a server may show a key without a certificate.
    pub enable_rpk: Chosen<bool>,
    /// What becomes of mail.
    pub outcome: Outcome,
    /// Why, in one sentence.
    pub reason: String,
}

/// A value and who chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen<T> {
    /// The value.
    pub value: T,
    /// Who chose it.
    pub by: By,
}

/// Who chooses a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// These bytes of the policy's right-hand side.
    Row(Range<usize>),
    /// The parameter with this name behind the client's.
    Parameter(&'static str),
}

impl EffectivePolicy {
    /// The policy of a destination for which the tables have this row, if any. `key`: what the row
    /// was found with.
    pub fn new(client: &Client, key: &[u8], row: Option<&[u8]>) -> EffectivePolicy {
        let row = row.map(row::parse);
        let mut policy = Filler { client, row: row.as_ref() }.fill();
        (policy.outcome, policy.reason) = policy.judge(client, key, row.as_ref());
        policy
    }

    /// The policy where the tables cannot be asked: `why` they hold the mail.
    pub fn held(client: &Client, why: &str) -> EffectivePolicy {
        let mut policy = Filler { client, row: None }.fill();
        policy.level = None;
        (policy.outcome, policy.reason) =
            (Outcome::Deferred, format!("{why}: all mail to this destination is deferred (4.7.5)"));
        policy
    }

    /// Who chose each value, by the names of the fields that hold them; of a list of files the first.
    pub fn origins(&self) -> Vec<(&'static str, &By)> {
        let all = [
            ("level", self.level.as_ref().map(|it| &it.by)),
            ("match", self.names.as_ref().map(|it| &it.by)),
            ("fingerprints", self.fingerprints.as_ref().map(|it| &it.by)),
            ("digest", self.fingerprints.as_ref().map(|_| &self.digest.by)),
            ("protocols", self.protocols.as_ref().map(|it| &it.by)),
            ("ciphers", self.ciphers.as_ref().map(|it| &it.by)),
            ("exclude", self.exclude.as_ref().map(|it| &it.by)),
            ("servername", self.servername.as_ref().map(|it| &it.by)),
            ("trust", self.trust.first().map(|it| &it.by)),
            ("connection_reuse", Some(&self.connection_reuse.by)),
            ("enable_rpk", Some(&self.enable_rpk.by)),
        ];
        all.into_iter().filter_map(|(field, by)| Some((field, by?))).collect()
    }

    /// What becomes of mail for such a server.
    pub fn delivery(&self, server: Server) -> Delivery {
        use SecurityLevel::{
            Dane, DaneOnly, Encrypt, Fingerprint, May, None as Never, Secure, Verify,
        };
        match (self.outcome, &self.level) {
            (Outcome::Deferred, _) | (_, None) => return Delivery::Deferred,
            (Outcome::Plaintext, _) => return Delivery::Clear,
            (Outcome::Enforced | Outcome::Opportunistic, _) => {}
        }
        let Some(level) = self.level.as_ref().map(|it| it.value) else { return Delivery::Deferred };
        match (level, server) {
            (Never, _) | (May, Server::WithoutStarttls) => Delivery::Clear,
            (Dane, _) => Delivery::AsTlsaSays,
            (Encrypt | DaneOnly | Fingerprint | Verify | Secure, Server::WithoutStarttls)
            | (Verify | Secure, Server::Untrusted | Server::OtherName)
            | (Fingerprint, Server::OtherKey) => Delivery::Deferred,
            (DaneOnly, Server::Untrusted | Server::OtherName | Server::OtherKey) => {
                Delivery::AsTlsaSays
            }
            (May | Encrypt, Server::Untrusted | Server::OtherName | Server::OtherKey)
            | (Fingerprint, Server::Untrusted | Server::OtherName)
            | (Verify | Secure, Server::OtherKey) => Delivery::Encrypted,
        }
    }

    /// What becomes of mail, and why.
    fn judge(&self, client: &Client, key: &[u8], row: Option<&Row<'_>>) -> (Outcome, String) {
        if let Err(word) = &client.level {
            let program = client.name;
            return (
                Outcome::Deferred,
                format!("{program}(8) exits at its start, since \"{word}\" is no security level"),
            );
        }
        let mut wrong: Option<What> = None;
        if let Some(row) = row {
            row.problems(key, client, &mut |it| {
                // What makes the row no policy at all says more than what a level lacks.
                let first = wrong.as_ref().is_none_or(|it| matches!(it, What::LevelImpossible(_)));
                if it.what.holds_mail() && first {
                    wrong = Some(it.what);
                }
            });
        }
        if let Some(what) = wrong {
            return (Outcome::Deferred, held_by_row(&what));
        }
        let asked = row.and_then(Row::security_level).or(client.level.as_ref().ok().copied());
        let (Some(level), Some(asked)) = (self.level.as_ref().map(|it| it.value), asked) else {
            return (Outcome::Deferred, "there is no security level".to_owned());
        };
        // Of a row this was found with the row.
        let of_main_cf = row.is_none().then(|| problems::impossible(asked, key, &|| false, client));
        if let Some(Some(What::LevelImpossible(why))) = of_main_cf {
            return (Outcome::Deferred, impossible(why));
        }
        if level == SecurityLevel::None {
            let why = "TLS is off for this destination: mail goes out in the clear";
            return (Outcome::Plaintext, why.to_owned());
        }
        if let Some(unusable) = engine_is_off(client, level) {
            return unusable;
        }
        if let Some(why) = self.cannot_start(client, level) {
            return (Outcome::Deferred, why);
        }
        let mut reason = reason(level).to_owned();
        if let (SecurityLevel::Dane, Some(why)) = (asked, client.no_dane) {
            reason = format!("dane acts as may, since {why}: {reason}");
        }
        let outcome = match level {
            SecurityLevel::None => Outcome::Plaintext,
            SecurityLevel::May | SecurityLevel::Dane => Outcome::Opportunistic,
            SecurityLevel::Encrypt
            | SecurityLevel::DaneOnly
            | SecurityLevel::Fingerprint
            | SecurityLevel::Verify
            | SecurityLevel::Secure => Outcome::Enforced,
        };
        (outcome, reason)
    }

    /// Whether values that the row did not choose stop every delivery with TLS.
    fn cannot_start(&self, client: &Client, level: SecurityLevel) -> Option<String> {
        let by_main_cf = |by: &By| matches!(by, By::Parameter(_));
        let name = |suffix: &str| format!("{}_{suffix}", client.name);
        if let Some(names) = &self.names
            && by_main_cf(&names.by)
            && !names.value.iter().any(|it| matching::name(it.as_bytes(), client).is_none())
        {
            return Some("main.cf has no name to compare certificates with".to_owned());
        }
        if level == SecurityLevel::Fingerprint
            && self.fingerprints.as_ref().is_some_and(|it| by_main_cf(&it.by))
            && !pins_of_main_cf(client).any(|it| it.is_ok())
        {
            let why =
                format!("{} has no fingerprint that counts", name("tls_fingerprint_cert_match"));
            return Some(why);
        }
        // The same judgement as of a row's attributes.
        let texts = [
            ("servername", &self.servername),
            ("protocols", &self.protocols),
            ("ciphers", &self.ciphers),
            ("exclude", &self.exclude),
        ];
        let empty = row::parse(b"");
        texts.into_iter().find_map(|(name, chosen)| {
            let chosen = chosen.as_ref().filter(|it| !it.value.is_empty())?;
            let By::Parameter(parameter) = chosen.by else { return None };
            let value = chosen.value.as_bytes();
            let asked = Asked { name, value, level: Some(level), client, seen: &[], row: &empty };
            let is_new = name == "protocols" && Protocols::parse(value, client.version).is_err();
            if !is_new && asked.refused().is_none() {
                return None;
            }
            let why = format!("TLS cannot start with {}_{parameter}", client.name);
            Some(match level {
                SecurityLevel::May => {
                    format!("{why}; after some minutes mail goes out in the clear")
                }
                _ => format!("{why}: all mail waits"),
            })
        })
    }
}

/// Collects the values of a policy.
struct Filler<'f> {
    client: &'f Client,
    row: Option<&'f Row<'f>>,
}

impl Filler<'_> {
    fn fill(&self) -> EffectivePolicy {
        let client = self.client;
        let level = self.level();
        let at = level.as_ref().map(|it| it.value);
        let tls = at.filter(|it| *it != SecurityLevel::None);
        let opportunistic = at == Some(SecurityLevel::May);
        let protocols = if opportunistic {
            self.one("protocols", "tls_protocols", &client.protocols)
        } else {
            self.one("protocols", "tls_mandatory_protocols", &client.mandatory_protocols)
        };
        let ciphers = if opportunistic {
            self.one("ciphers", "tls_ciphers", &client.ciphers)
        } else {
            self.one("ciphers", "tls_mandatory_ciphers", &client.mandatory_ciphers)
        };
        EffectivePolicy {
            names: self.names(at),
            mx_patterns: self.mx_patterns(),
            fingerprints: self.fingerprints(at),
            digest: by("tls_fingerprint_digest", client.digest.clone()),
            protocols: tls.map(|_| protocols),
            ciphers: tls.map(|_| ciphers),
            exclude: tls.map(|it| self.exclude(it)),
            servername: tls.map(|_| self.one("servername", "tls_servername", &client.servername)),
            trust: self.trust(at),
            connection_reuse: self.yes_no(
                "connection_reuse",
                "tls_connection_reuse",
                client.connection_reuse,
            ),
            enable_rpk: self.yes_no("enable_rpk", "tls_enable_rpk", client.enable_rpk),
            level,
            outcome: Outcome::Deferred,
            reason: String::new(),
        }
    }

    /// The level; dane acts as may where TLSA records cannot be looked up.
    fn level(&self) -> Option<Chosen<SecurityLevel>> {
        let level = match self.row {
            Some(row) => Chosen { value: row.security_level()?, by: By::Row(row.level.clone()) },
            None => by(self.client.level_from, self.client.level.clone().ok()?),
        };
        let value = match level.value {
            SecurityLevel::Dane if self.client.no_dane.is_some() => SecurityLevel::May,
            value => value,
        };
        Some(Chosen { value, ..level })
    }

    fn names(&self, level: Option<SecurityLevel>) -> Option<Chosen<Vec<String>>> {
        let (suffix, list) = match level? {
            SecurityLevel::Verify => ("tls_verify_cert_match", &self.client.verify_match),
            SecurityLevel::Secure => ("tls_secure_cert_match", &self.client.secure_match),
            SecurityLevel::None
            | SecurityLevel::May
            | SecurityLevel::Encrypt
            | SecurityLevel::Dane
            | SecurityLevel::DaneOnly
            | SecurityLevel::Fingerprint => return None,
        };
        if let Some(of_row) = self.list("match", COLON) {
            if self.row.is_some_and(|it| is_sts(it, self.client)) {
                return Some(Chosen { value: vec!["hostname".to_owned()], by: of_row.by });
            }
            return Some(of_row);
        }
        let words = list.split(|it: char| it == ':' || it == ',' || it.is_ascii_whitespace());
        Some(by(suffix, words.filter(|it| !it.is_empty()).map(str::to_owned).collect()))
    }

    /// `smtp_tls_authorize_mx_hostname`: only where `match=` gives way to the host's name.
    fn mx_patterns(&self) -> Vec<String> {
        let Some(row) = self.row.filter(|it| is_sts(it, self.client)) else { return Vec::new() };
        if row.values("match").next().is_none() {
            return Vec::new();
        }
        row.values("mx_host_pattern").map(|it| self.shown(&it)).collect()
    }

    fn fingerprints(&self, level: Option<SecurityLevel>) -> Option<Chosen<Vec<String>>> {
        if level != Some(SecurityLevel::Fingerprint) {
            return None;
        }
        let of_main_cf = || {
            let text = &self.client.fingerprints;
            let words = lists::words(text.as_bytes(), COMMA_SPACE);
            by("tls_fingerprint_cert_match", words.map(|it| text[it].to_owned()).collect())
        };
        // Before 3.9 a list of which nothing is left counts as none.
        let is_kept = |it: &String| match pin(it.as_bytes(), self.client) {
            Err(Pin::Malformed) => self.client.version < Version::new(3, 6),
            Err(Pin::Compact | Pin::Length(..)) | Ok(_) => true,
        };
        let of_row = self
            .list("match", BAR)
            .filter(|it| self.client.version >= Version::new(3, 9) || it.value.iter().any(is_kept));
        Some(of_row.unwrap_or_else(of_main_cf))
    }

    fn exclude(&self, level: SecurityLevel) -> Chosen<String> {
        let also = match level {
            SecurityLevel::None | SecurityLevel::May => "",
            SecurityLevel::Encrypt => "eNULL",
            SecurityLevel::Dane
            | SecurityLevel::DaneOnly
            | SecurityLevel::Fingerprint
            | SecurityLevel::Verify
            | SecurityLevel::Secure => "aNULL",
        };
        let mandatory = if also.is_empty() { "" } else { &self.client.mandatory_exclude };
        let from = if self.client.exclude.is_empty() && !mandatory.is_empty() {
            "tls_mandatory_exclude_ciphers"
        } else {
            "tls_exclude_ciphers"
        };
        let base = self.text("exclude").unwrap_or_else(|| {
            by(from, [self.client.exclude.as_str(), mandatory].join(" ").trim().to_owned())
        });
        Chosen { value: [base.value.as_str(), also].join(" ").trim().to_owned(), by: base.by }
    }

    fn trust(&self, level: Option<SecurityLevel>) -> Vec<Chosen<String>> {
        if !matches!(level, Some(SecurityLevel::Verify | SecurityLevel::Secure)) {
            return Vec::new();
        }
        let files = self.row.iter().flat_map(|row| {
            row.values("tafile").map(|it| Chosen { value: self.shown(&it), by: By::Row(it) })
        });
        let mut files: Vec<Chosen<String>> = files.collect();
        // Trust anchors of its own replace all others, and those of main.cf the authorities.
        let all = self.client.trust.iter().map(|it| by(it.parameter, it.value.clone()));
        let anchors = self.client.trust.iter().filter(|it| it.parameter == "tls_trust_anchor_file");
        if files.is_empty() {
            files.extend(anchors.map(|it| by(it.parameter, it.value.clone())));
        }
        if files.is_empty() { all.collect() } else { files }
    }

    /// The value of an attribute that may stand once.
    fn text(&self, attribute: &str) -> Option<Chosen<String>> {
        let range = self.row?.values(attribute).next()?;
        Some(Chosen { value: self.shown(&range), by: By::Row(range) })
    }

    fn one(&self, attribute: &str, suffix: &'static str, of_main_cf: &str) -> Chosen<String> {
        self.text(attribute).unwrap_or_else(|| by(suffix, of_main_cf.to_owned()))
    }

    /// The last `yes` or `no` of an attribute.
    fn yes_no(&self, attribute: &str, suffix: &'static str, of_main_cf: bool) -> Chosen<bool> {
        let last = self.row.and_then(|row| row.values(attribute).last());
        match last {
            Some(range) => {
                Chosen { value: self.shown(&range).eq_ignore_ascii_case("yes"), by: By::Row(range) }
            }
            None => by(suffix, of_main_cf),
        }
    }

    /// The entries of all attributes of a name; `None` where there is no such attribute.
    fn list(&self, attribute: &str, separators: &lists::Separators) -> Option<Chosen<Vec<String>>> {
        let row = self.row?;
        let values: Vec<Range<usize>> = row.values(attribute).collect();
        let (first, last) = (values.first()?, values.last()?);
        let by = By::Row(first.start..last.end);
        let value = values.iter().flat_map(|value| {
            let text = self.shown(value);
            let words = lists::words(text.as_bytes(), separators);
            words.map(|it| text[it].to_owned()).collect::<Vec<_>>()
        });
        Some(Chosen { value: value.collect(), by })
    }

    fn shown(&self, range: &Range<usize>) -> String {
        let text = self.row.map_or(&[] as &[u8], |it| &it.text[range.clone()]);
        String::from_utf8_lossy(text).into_owned()
    }
}

/// Whether the client cannot do TLS at all, since its OpenSSL has no such digest.
fn engine_is_off(client: &Client, level: SecurityLevel) -> Option<(Outcome, String)> {
    if DigestName::of(client.digest.as_bytes()) != DigestName::Unknown {
        return None;
    }
    let (program, digest) = (client.name, &client.digest);
    if digest.is_empty() {
        let why = format!("{program}(8) exits at its start, since the fingerprint digest is empty");
        return Some((Outcome::Deferred, why));
    }
    let why = format!("{program}(8) does without TLS, since \"{digest}\" is no digest");
    Some(match level {
        SecurityLevel::None | SecurityLevel::May | SecurityLevel::Dane => {
            (Outcome::Plaintext, format!("{why}: mail goes out in the clear"))
        }
        SecurityLevel::Encrypt
        | SecurityLevel::DaneOnly
        | SecurityLevel::Fingerprint
        | SecurityLevel::Verify
        | SecurityLevel::Secure => (Outcome::Deferred, format!("{why}: all mail waits")),
    })
}

fn by<T>(parameter: &'static str, value: T) -> Chosen<T> {
    Chosen { value, by: By::Parameter(parameter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a row cannot have, main.cf cannot have for it.
    #[test]
    fn what_main_cf_breaks_holds_mail_of_policies_that_do_not_mend_it() {
        let client = |name: &str, value: &str| {
            let usual = Client::from(("smtp", Version::new(3, 7)));
            let value = value.to_owned();
            match name {
                "protocols" => Client { mandatory_protocols: value, ..usual },
                "ciphers" => Client { mandatory_ciphers: value, ..usual },
                "exclude" => Client { mandatory_exclude: value, ..usual },
                _ => Client { servername: value, ..usual },
            }
        };
        for (name, broken, sound) in [
            ("protocols", "SSLv3", ">=TLSv1.2"),
            ("protocols", "TLSv1.4", "TLSv1.2:TLSv1.3"),
            ("ciphers", "strong", "high"),
            ("ciphers", "null", "medium"),
            ("exclude", "ALL", "RC4"),
            ("exclude", "!RC4", "aNULL"),
            ("servername", "a..b", "hostname"),
        ] {
            let outcome = |value: &str, row: &str| {
                let client = client(name, value);
                EffectivePolicy::new(&client, b"a.example", Some(row.as_bytes())).outcome
            };
            // Without a grade there is none to take.
            let grade = if name == "ciphers" { "" } else { " ciphers=high" };
            let row = format!("encrypt{grade}");
            assert_eq!(outcome(broken, &row), Outcome::Deferred, "{name} {broken}");
            assert_eq!(outcome(sound, &row), Outcome::Enforced, "{name} {sound}");
            let mended = format!("encrypt{grade} {name}={sound}");
            assert_eq!(outcome(broken, &mended), Outcome::Enforced, "{name} {broken} mended");
        }
    }
}
