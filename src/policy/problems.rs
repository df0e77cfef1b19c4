//! How smtp(8) or lmtp(8) judges a policy: every mistake in a right-hand side is found.
//!
//! Follows `smtp/smtp_tls_policy.c` and `tls/tls_client.c`. A client stops at the first mistake
//! and defers all mail to the destination; here all of them are found. What is wrong with
//! main.cf is not found in a row: it is wrong everywhere.

use std::ops::Range;

use super::attribute::{Asked, is_null, is_separator};
use super::client::Client;
use super::matching::{is_plain_match, is_sts, name, pin, pins_of_main_cf};
use super::row::{self, Attribute, Row};
use super::what::{Impossible, Ineffective, Name, Pin, Problem, Refused, Rest, What};
use crate::postfix::{Fingerprint, Protocol, Protocols, SecurityLevel, Version, protocols_since};
use crate::syntax::lists::{self, BAR, COLON, COMMA_SPACE_FLAT};

/// The first version with `{ name = value }`.
const BRACES_SINCE: Version = Version::new(3, 10);

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
                let has_anchors = || self.values("tafile").next().is_some();
                if let Some(what) = impossible(level, key, &has_anchors, client) {
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
                so_far.has_match = true;
                continue;
            }
            // Before 3.10 braces do not hold a word together.
            if client.version < BRACES_SINCE && self.text[word.start] != b'{' {
                for part in lists::words(&self.text[word.clone()], COMMA_SPACE_FLAT) {
                    let part = word.start + part.start..word.start + part.end;
                    so_far.attribute(row::attribute(self.text, part), level, client, &mut note);
                }
                continue;
            }
            so_far.attribute(row::attribute(self.text, word), level, client, &mut note);
        }
        so_far.together(level, client, &mut note);
        match level {
            Some(SecurityLevel::Fingerprint) => so_far.fingerprints(client, &mut note),
            Some(SecurityLevel::Verify | SecurityLevel::Secure) => so_far.names(client, &mut note),
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
    has_anchors: &dyn Fn() -> bool,
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
        (Verify | Secure, _) if client.trust.is_empty() && !has_anchors() => {
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
            _ if braces => BRACES_SINCE,
            "protocols" => protocols_since(&text[value.clone()]).unwrap_or(*since),
            _ => *since,
        };
        if client.version < since {
            note(attribute.word.clone(), What::NewerAttribute(since));
        }
        // Before 3.10 the word would end at the first blank or comma, but that makes it no better.
        let asked = Asked {
            name,
            value: &text[value.clone()],
            level,
            client,
            seen: &self.seen,
            row: self.row,
        };
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

    /// The value of an attribute that may stand once.
    fn value(&self, name: &str) -> Option<&[u8]> {
        let value = self.row.values(name).next()?;
        Some(&self.row.text[value])
    }

    /// Attributes that cannot stand together.
    fn together(&self, level: Option<SecurityLevel>, client: &Client, note: &mut Note<'_>) {
        let seen = |wanted: &str| self.seen.iter().find(|(name, _)| *name == wanted);
        let authenticates = level.is_some_and(SecurityLevel::takes_match);
        let as_may = match level {
            Some(SecurityLevel::Dane) => client.no_dane.is_some(),
            level => matches!(level, None | Some(SecurityLevel::None | SecurityLevel::May)),
        };
        if let (Some((_, word)), false) = (seen("ciphers"), as_may) {
            // Without encryption there are ciphers for old protocols, which these levels rule out.
            let list = self.value("protocols").unwrap_or(client.mandatory_protocols.as_bytes());
            let protocols = Protocols::parse(list, Version::NEWEST);
            let newest = protocols.is_ok_and(|it| it.enabled().any(|it| it == Protocol::Tls1_3));
            if !newest && self.value("ciphers").is_some_and(is_null) {
                note(word.clone(), What::Refused(Refused::NoEncryption));
            }
        }
        if let (Some((_, word)), Some(_)) = (seen("exclude"), seen("ciphers")) {
            let all: [&[u8]; 3] = [b"enull", b"null", b"complementofall"];
            let mut words = self.value("exclude").unwrap_or_default().split(|it| is_separator(*it));
            let excludes = words.any(|it| all.contains(&it.to_ascii_lowercase().as_slice()));
            if excludes && self.value("ciphers").is_some_and(is_null) {
                note(word.clone(), What::Refused(Refused::NoCipher));
            }
        }
        if matches!(level, Some(SecurityLevel::Verify | SecurityLevel::Secure))
            && is_sts(self.row, client)
        {
            let patterns: Vec<Range<usize>> = self.row.values("mx_host_pattern").collect();
            if !patterns.iter().any(|it| is_mx_pattern(&self.row.text[it.clone()])) {
                note(patterns[0].clone(), What::Refused(Refused::NoMxHost));
            }
        }
        if seen("policy_type").is_some() {
            if let (Some((_, word)), true) = (seen("policy_failure"), authenticates) {
                note(word.clone(), What::Refused(Refused::PolicyFailed));
            }
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
        let texts = self.pins.iter().map(|it| &self.row.text[it.clone()]);
        let judged: Vec<Result<Fingerprint, Pin>> = texts.map(|it| pin(it, client)).collect();
        // Postfix 3.5 keeps any text; later ones drop what is no fingerprint.
        let is_kept = |it: &&Result<Fingerprint, Pin>| {
            client.version < Version::new(3, 6) || !matches!(it, Err(Pin::Malformed))
        };
        let has_some = judged.iter().any(|it| is_kept(&it));
        let takes_main_cf = !self.has_match || (!has_some && client.version < Version::new(3, 9));
        let of_main_cf = takes_main_cf && pins_of_main_cf(client).any(|it| it.is_ok());
        // The list is replaced by the word hostname then, which is no fingerprint.
        let replaced = self.has_match && is_sts(self.row, client);
        let some = !replaced && (of_main_cf || judged.iter().any(Result::is_ok));
        if replaced || (self.pins.is_empty() && !some) {
            note(self.row.level.clone(), What::NoFingerprint);
        }
        for (range, judged) in self.pins.iter().zip(judged) {
            if let Err(why) = judged {
                // On a single digit smtp(8) of 3.6 and newer dies.
                let is_fatal = range.len() == 1 && client.version >= Version::new(3, 6);
                let rest = if some && !is_fatal { Rest::Something } else { Rest::Nothing };
                note(range.clone(), What::Pin(why, rest));
            }
        }
    }

    /// Names that match nothing.
    fn names(&self, client: &Client, note: &mut Note<'_>) {
        if !self.has_match {
            if !client.names(self.row.security_level()).any(|it| name(it, client).is_none()) {
                note(self.row.level.clone(), What::LevelImpossible(Impossible::NoName));
            }
            return;
        }
        let texts = self.names.iter().map(|it| &self.row.text[it.clone()]);
        let judged: Vec<Option<Name>> = texts.map(|it| name(it, client)).collect();
        // What the plain ones are was not noted.
        let plain = self.row.words().any(|it| is_plain_match(&self.row.text[it]));
        let replaced = is_sts(self.row, client);
        let address = client.version >= Version::new(3, 6) && judged.contains(&Some(Name::Address));
        let something = replaced || (!address && (plain || judged.iter().any(Option::is_none)));
        let rest = if something { Rest::Something } else { Rest::Nothing };
        for (range, judged) in self.names.iter().zip(judged) {
            if let Some(why) = judged {
                note(range.clone(), What::Name(why, rest));
            }
        }
    }
}

/// Whether a host can match it: a host name, or `*.` and one.
fn is_mx_pattern(text: &[u8]) -> bool {
    row::is_hostname(text.strip_prefix(b"*.").unwrap_or(text))
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
                What::NotUtf8 => "not utf8",
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
            ("encrypt exclude={A, B}", &["refused exclude={A", "unknown B}"]),
            ("secure match={a, b}", &["unknown b}", "name {a"]),
            ("encrypt ciphers=strong", &["refused ciphers=strong"]),
            ("encrypt protocols={TLSv1.2, x}", &["refused protocols={TLSv1.2", "unknown x}"]),
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
