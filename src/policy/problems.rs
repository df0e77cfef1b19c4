//! How smtp(8) or lmtp(8) judges a policy: every mistake in a right-hand side is found.
//!
//! Follows `smtp/smtp_tls_policy.c` and `tls/tls_client.c`. A client stops at the first mistake
//! and defers all mail to the destination; here all of them are found. What is wrong with
//! main.cf is not found in a row: it is wrong everywhere.

use std::ops::Range;

use super::client::Client;
use super::row::{self, Attribute, Row, is_hostname};
use super::what::{Impossible, Ineffective, Name, Pin, Problem, Refused, Rest, What};
use crate::postfix::{
    CipherGrade, Fingerprint, Protocol, Protocols, SecurityLevel, Version, protocols_since,
    refused_exclusion,
};
use crate::syntax::lists::{self, BAR, COLON, COMMA_SPACE};
use crate::text::nearest;

/// Where the problems of a row go.
type Note<'n> = dyn FnMut(Range<usize>, What) + 'n;

/// What is found out on the way through a row.
struct Found<'r> {
    /// The attributes up to here that may stand only once, or whose last one counts.
    seen: Vec<(&'static str, Range<usize>)>,
    /// The names of all `match=`.
    names: Vec<Range<usize>>,
    /// The fingerprints of all `match=`.
    pins: Vec<Range<usize>>,
    has_match: bool,
    row: &'r Row<'r>,
}

impl Row<'_> {
    /// Hands every problem of the row to `found`; `key` is the left-hand side.
    pub fn problems(&self, key: &[u8], client: &Client, found: &mut dyn FnMut(Problem)) {
        let mut note = |range: Range<usize>, what: What| found(Problem { range, what });
        let level = self.security_level();
        if level == Some(SecurityLevel::None) {
            for word in self.words() {
                note(word, What::Ineffective(Ineffective::NoTls));
            }
        }
        match level {
            Some(level) => {
                let has_anchors = self.values("tafile").next().is_some();
                if let Some(what) = impossible(level, key, has_anchors, client) {
                    note(self.level.clone(), what);
                }
                if level == SecurityLevel::None {
                    return;
                }
            }
            None => note(self.level.clone(), What::Level),
        }
        let compares_names = matches!(level, Some(SecurityLevel::Verify | SecurityLevel::Secure));
        let mut so_far = Found {
            seen: Vec::new(),
            names: Vec::new(),
            pins: Vec::new(),
            has_match: false,
            row: self,
        };
        for word in self.words() {
            // To Postfix a word like the others; to whoever wrote it, the end of the row.
            if self.text[word.start] == b'#' {
                note(word.start..self.text.len(), What::Comment);
                break;
            }
            // Four of five rows say this and no more: it needs no closer look.
            if compares_names && is_plain_match(&self.text[word.clone()]) {
                continue;
            }
            so_far.attribute(row::attribute(self.text, word), level, client, &mut note);
        }
        so_far.policy_attributes(&mut note);
        match level {
            Some(SecurityLevel::Fingerprint) => so_far.fingerprints(client, &mut note),
            Some(SecurityLevel::Verify | SecurityLevel::Secure) => so_far.names(&mut note),
            Some(
                SecurityLevel::None
                | SecurityLevel::May
                | SecurityLevel::Encrypt
                | SecurityLevel::Dane
                | SecurityLevel::DaneOnly,
            )
            | None => {}
        }
    }
}

/// Why a level does not do what it says for this client, if so. `key`: what the destination was
/// found with; `has_anchors`: whether its policy names trust anchors of its own.
pub fn impossible(
    level: SecurityLevel,
    key: &[u8],
    has_anchors: bool,
    client: &Client,
) -> Option<What> {
    use SecurityLevel::{Dane, DaneOnly, Encrypt, Fingerprint, May, None as Never, Secure, Verify};
    let why = match (level, client.no_dane) {
        // Hosts and domains have no slash.
        (Dane | DaneOnly, _) if client.name == "lmtp" && key.contains(&b'/') => {
            Impossible::DaneOverSocket
        }
        (DaneOnly, Some(why)) => Impossible::DaneOnly(why),
        (Dane, Some(why)) if !client.wrappermode => return Some(What::DaneAsMay(why)),
        (Never | May, _) | (Dane, Some(_)) if client.wrappermode => Impossible::BelowWrappermode,
        (Verify | Secure, _) if client.trust.is_empty() && !has_anchors => {
            Impossible::NobodyTrusted
        }
        (Never | May | Encrypt | Dane | DaneOnly | Fingerprint | Verify | Secure, _) => {
            return None;
        }
    };
    Some(What::LevelImpossible(why))
}

impl Found<'_> {
    fn attribute(
        &mut self,
        attribute: Attribute,
        level: Option<SecurityLevel>,
        client: &Client,
        note: &mut Note<'_>,
    ) {
        let text = self.row.text;
        let name = row::known(&text[attribute.name.clone()]);
        let (Some((name, since)), Some(value)) = (name, attribute.value) else {
            note(attribute.word, What::UnknownAttribute);
            return;
        };
        let braces = text[attribute.word.start] == b'{';
        let since = match *name {
            _ if braces => Version::new(3, 10),
            "protocols" => protocols_since(&text[value.clone()]).unwrap_or(*since),
            _ => *since,
        };
        if client.version < since {
            note(attribute.word.clone(), What::NewerAttribute(since));
        }
        // Before 3.10 the word would end at the first blank or comma, but that makes it no better.
        let asked = Asked { name, value: &text[value.clone()], level, client, seen: &self.seen };
        let refused = asked.refused();
        if let Some(why) = refused {
            note(attribute.word.clone(), What::Refused(why));
        }
        if *name == "match" {
            self.has_match = true;
            if refused.is_none() {
                self.match_list(attribute.word, value, level, note);
            }
            return;
        }
        if matches!(*name, "connection_reuse" | "enable_rpk") {
            let before = self.seen.iter().filter(|(it, _)| it == name);
            for (_, word) in before {
                note(word.clone(), What::Ineffective(Ineffective::Overridden));
            }
            self.seen.retain(|(it, _)| it != name);
        }
        self.seen.push((name, attribute.word));
    }

    /// The words of one `match=`.
    fn match_list(
        &mut self,
        word: Range<usize>,
        value: Range<usize>,
        level: Option<SecurityLevel>,
        note: &mut Note<'_>,
    ) {
        let inner = |separators| {
            let words = lists::words(&self.row.text[value.clone()], separators);
            words.map(|it| value.start + it.start..value.start + it.end).collect::<Vec<_>>()
        };
        match level {
            Some(SecurityLevel::Fingerprint) => self.pins.extend(inner(BAR)),
            Some(SecurityLevel::Verify | SecurityLevel::Secure) => {
                let names = inner(COLON);
                if names.is_empty() {
                    note(word, What::Refused(Refused::NoName));
                }
                self.names.extend(names);
            }
            Some(
                level @ (SecurityLevel::None
                | SecurityLevel::May
                | SecurityLevel::Encrypt
                | SecurityLevel::Dane
                | SecurityLevel::DaneOnly),
            ) => note(word, What::MatchAtWrongLevel(level)),
            None => {}
        }
    }

    /// What belongs to `policy_type=` and stands without it.
    fn policy_attributes(&self, note: &mut Note<'_>) {
        if self.seen.iter().any(|(name, _)| *name == "policy_type") {
            return;
        }
        for (name, word) in &self.seen {
            if name.starts_with("policy_") || *name == "mx_host_pattern" {
                note(word.clone(), What::Refused(Refused::WithoutPolicyType));
            }
        }
    }

    /// Fingerprints that match nothing.
    fn fingerprints(&self, client: &Client, note: &mut Note<'_>) {
        if self.pins.is_empty() {
            // `match=|` is a list as well, and an empty one.
            if self.has_match || !pins_of_main_cf(client).any(|it| it.is_ok()) {
                note(self.row.level.clone(), What::NoFingerprint);
            }
            return;
        }
        let judged: Vec<Result<Fingerprint, Pin>> =
            self.pins.iter().map(|it| pin(&self.row.text[it.clone()], client)).collect();
        let rest = if judged.iter().any(Result::is_ok) { Rest::Something } else { Rest::Nothing };
        for (range, judged) in self.pins.iter().zip(judged) {
            if let Err(why) = judged {
                note(range.clone(), What::Pin(why, rest));
            }
        }
    }

    /// Names that match nothing.
    fn names(&self, note: &mut Note<'_>) {
        let judged: Vec<Option<Name>> =
            self.names.iter().map(|it| name(&self.row.text[it.clone()])).collect();
        // What the plain ones are was not noted.
        let plain = self.row.words().any(|it| is_plain_match(&self.row.text[it]));
        let something = plain || judged.iter().any(Option::is_none);
        let rest = if something { Rest::Something } else { Rest::Nothing };
        for (range, judged) in self.names.iter().zip(judged) {
            if let Some(why) = judged {
                note(range.clone(), What::Name(why, rest));
            }
        }
    }
}

/// The fingerprints of main.cf, for policies that have none.
pub(super) fn pins_of_main_cf(client: &Client) -> impl Iterator<Item = Result<Fingerprint, Pin>> {
    let text = client.fingerprints.as_bytes();
    lists::words(text, COMMA_SPACE).map(move |it| pin(&text[it], client))
}

/// A fingerprint as the client reads it.
pub fn pin(text: &[u8], client: &Client) -> Result<Fingerprint, Pin> {
    let fingerprint = Fingerprint::parse(text).ok_or(Pin::Malformed)?;
    // Text of either case is compared then.
    if client.version < Version::new(3, 6)
        && !fingerprint.to_string().as_bytes().eq_ignore_ascii_case(text)
    {
        return Err(Pin::Compact);
    }
    match client.known_digest() {
        Some(digest) if digest.length() != fingerprint.length() => {
            Err(Pin::Length(fingerprint, digest))
        }
        Some(_) | None => Ok(fingerprint),
    }
}

/// Why no certificate has this name, if so.
pub fn name(text: &[u8]) -> Option<Name> {
    const STRATEGIES: [&str; 3] = ["hostname", "nexthop", "dot-nexthop"];
    if STRATEGIES.iter().any(|it| text.eq_ignore_ascii_case(it.as_bytes())) {
        return None;
    }
    let plain = |it: &u8| it.is_ascii_alphanumeric() || b"-_.*".contains(it) || !it.is_ascii();
    if text == b"." || !text.iter().all(plain) {
        return Some(Name::Letters);
    }
    if text.contains(&b'.') {
        return None;
    }
    nearest(str::from_utf8(text).ok()?, STRATEGIES.into_iter()).map(Name::Typo)
}

/// Whether a word is `match=` in its usual form, with names behind it that each have a dot.
fn is_plain_match(word: &[u8]) -> bool {
    let plain = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.');
    word.strip_prefix(b"match=").is_some_and(|names| {
        let name = |it: &[u8]| it.len() > 1 && it.contains(&b'.') && it.iter().all(plain);
        names.split(|it| *it == b':').all(name)
    })
}

/// An attribute and what stands around it.
struct Asked<'a> {
    name: &'a str,
    value: &'a [u8],
    level: Option<SecurityLevel>,
    client: &'a Client,
    /// The attributes before it.
    seen: &'a [(&'static str, Range<usize>)],
}

impl Asked<'_> {
    /// Why the attribute cannot stand so, if there is a reason.
    fn refused(&self) -> Option<Refused> {
        const ONCE: &[&str] = &[
            "ciphers",
            "exclude",
            "policy_domain",
            "policy_failure",
            "policy_ttl",
            "policy_type",
            "protocols",
            "servername",
        ];
        const FAILURES: &[&str] = &[
            "sts-policy-fetch-error",
            "sts-policy-invalid",
            "sts-webpki-invalid",
            "validation-failure",
        ];
        let value = self.value;
        let one_of =
            |words: &[&str]| words.iter().any(|it| value.eq_ignore_ascii_case(it.as_bytes()));
        if ONCE.contains(&self.name) && self.seen.iter().any(|(it, _)| *it == self.name) {
            return Some(Refused::Repeated);
        }
        match self.name {
            "ciphers" | "match" | "tafile" if value.is_empty() => Some(Refused::Empty),
            "ciphers" => self.grade(),
            "tafile" => self.file(),
            "connection_reuse" | "enable_rpk" => {
                (!one_of(&["yes", "no"])).then_some(Refused::NotYesNo)
            }
            "servername" | "policy_domain" => (!is_hostname(value)).then_some(Refused::NotHostname),
            "exclude" => self.exclusion(),
            "protocols" => self.protocols(),
            "policy_ttl" => (!is_ttl(value)).then_some(Refused::NotTtl),
            "policy_type" => {
                (!one_of(&["sts", "no-policy-found"])).then_some(Refused::NotPolicyType)
            }
            "policy_failure" => (!one_of(FAILURES)).then_some(Refused::NotPolicyFailure),
            _ => None,
        }
    }

    fn grade(&self) -> Option<Refused> {
        let Some(grade) = CipherGrade::parse(self.value) else { return Some(Refused::NotGrade) };
        let encrypt = self.level == Some(SecurityLevel::Encrypt);
        (encrypt && grade == CipherGrade::Null).then_some(Refused::NoEncryption)
    }

    fn file(&self) -> Option<Refused> {
        match self.level {
            Some(SecurityLevel::Verify | SecurityLevel::Secure) | None => {
                let bad = self.client.bad_files.iter().find(|it| it.0.as_bytes() == self.value);
                bad.map(|(_, why)| Refused::File(*why))
            }
            Some(
                level @ (SecurityLevel::None
                | SecurityLevel::May
                | SecurityLevel::Encrypt
                | SecurityLevel::Dane
                | SecurityLevel::DaneOnly
                | SecurityLevel::Fingerprint),
            ) => Some(Refused::WrongLevel(level)),
        }
    }

    fn exclusion(&self) -> Option<Refused> {
        if refused_exclusion(self.value).is_some() {
            return Some(Refused::NotCipher);
        }
        // More than this is a question to OpenSSL, and each version has another answer.
        let mut words = self.value.split(|it| b", \t\r\n:".contains(it));
        words.any(|it| it == b"ALL").then_some(Refused::NoCipher)
    }

    fn protocols(&self) -> Option<Refused> {
        match Protocols::parse(self.value, Version::NEWEST) {
            Err(_) => Some(Refused::NotProtocols),
            // OpenSSL has no SSLv3 any more.
            Ok(list) => {
                list.enabled().all(|it| it == Protocol::Ssl3).then_some(Refused::NoProtocol)
            }
        }
    }
}

/// Digits that fit into a C int.
fn is_ttl(value: &[u8]) -> bool {
    let digits = str::from_utf8(value).ok().filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
    digits.is_some_and(|it| it.parse::<i32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, version: Version) -> Vec<String> {
        let mut found = Vec::new();
        let client = Client { digest: "sha1".to_owned(), ..Client::from(("smtp", version)) };
        row::parse(text.as_bytes()).problems(b"a.example", &client, &mut |problem| {
            let what = match problem.what {
                What::Level => "level",
                What::LevelImpossible(_) => "impossible",
                What::DaneAsMay(_) => "may",
                What::UnknownAttribute => "unknown",
                What::NewerAttribute(_) => "newer",
                What::MatchAtWrongLevel(_) => "match",
                What::Pin(Pin::Malformed, _) => "malformed",
                What::Pin(Pin::Compact, _) => "compact",
                What::Pin(Pin::Length(..), _) => "length",
                What::NoFingerprint => "no fingerprint",
                What::Name(..) => "name",
                What::Comment => "comment",
                What::Refused(_) => "refused",
                What::Ineffective(_) => "ineffective",
            };
            found.push(format!("{what} {}", &text[problem.range]));
        });
        found
    }

    #[test]
    fn rows_are_judged_as_by_smtp() {
        let pin = "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B";
        let good = format!("fingerprint match={pin}|{}", pin.replace(':', "").to_lowercase());
        for text in [
            "encrypt",
            "MAY",
            "encrypt,ciphers=high\tprotocols=>=TLSv1.2",
            "secure match=.example.com:nexthop Match=b",
            "verify tafile=a tafile=b servername=x connection_reuse=yes exclude=",
            &good,
        ] {
            assert_eq!(problems(text, Version::new(3, 7)), [] as [&str; 0], "{text}");
        }
        for (text, want) in [
            ("encypt", &["level encypt"] as &[&str]),
            ("secure match=:", &["refused match=:"]),
            ("secure match=a.example|b.example", &["name a.example|b.example"]),
            ("verify match=hostnam:nexthop", &["name hostnam"]),
            ("encrypt ciphers=null", &["refused ciphers=null"]),
            ("encrypt exclude=RC4:-MD5", &["refused exclude=RC4:-MD5"]),
            ("may connection_reuse=no connection_reuse=yes", &["ineffective connection_reuse=no"]),
            (",", &["level "]),
            ("\"encrypt\"", &["level \"encrypt\""]),
            ("encrypt # c d", &["comment # c d"]),
            ("none what ever=x", &["ineffective what", "ineffective ever=x"]),
            ("# c", &["level ", "comment # c"]),
            ("encrypt cipher=high", &["unknown cipher=high"]),
            ("encrypt foo =x", &["unknown foo", "unknown =x"]),
            ("may match=x", &["match match=x"]),
            ("dane match=x, match=y", &["match match=x", "match match=y"]),
            ("fingerprint", &["no fingerprint fingerprint"]),
            ("fingerprint match=AD:F3|zz", &["length AD:F3", "malformed zz"]),
            ("encrypt enable_rpk=yes", &["newer enable_rpk=yes"]),
            ("encrypt {ciphers = high}", &["newer {ciphers = high}"]),
            ("encrypt exclude={A, B}", &["refused exclude={A, B}"]),
            ("secure match={a, b}", &["name {a, b}"]),
            ("encrypt ciphers=strong", &["refused ciphers=strong"]),
            ("encrypt protocols={TLSv1.2, TLSv1.3}", &["refused protocols={TLSv1.2, TLSv1.3}"]),
            ("encrypt protocols=TLSv1.2:TLSv1.4", &["refused protocols=TLSv1.2:TLSv1.4"]),
            ("encrypt ciphers=", &["refused ciphers="]),
            ("encrypt ciphers=high Ciphers=high", &["refused Ciphers=high"]),
            ("encrypt tafile=x", &["refused tafile=x"]),
            ("secure match= servername=a..b", &["refused match=", "refused servername=a..b"]),
            ("fingerprint match=|", &["no fingerprint fingerprint"]),
            ("encrypt connection_reuse=maybe", &["refused connection_reuse=maybe"]),
        ] {
            assert_eq!(problems(text, Version::new(3, 7)), want, "{text}");
        }
        for text in ["encrypt enable_rpk=yes", "encrypt {ciphers = high}"] {
            assert_eq!(problems(text, Version::new(3, 10)), [] as [&str; 0], "{text}");
        }
        let bound = "encrypt protocols=>=TLSv1.2";
        assert_eq!(problems(bound, Version::new(3, 5)), ["newer protocols=>=TLSv1.2"]);
        assert_eq!(problems(bound, Version::new(3, 6)), [] as [&str; 0]);
        let pins = format!("fingerprint match={}|{}", pin.to_lowercase(), pin.replacen(':', "", 1));
        let compact = format!("compact {}", pin.replacen(':', "", 1));
        assert_eq!(problems(&pins, Version::new(3, 5)), [compact]);
        assert_eq!(problems(&pins, Version::new(3, 6)), [] as [&str; 0]);
    }
}
