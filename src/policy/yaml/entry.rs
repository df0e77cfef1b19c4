//! Destinations and profiles.

use std::rc::Rc;

use super::pin::pins;
use super::reader::{Field, Reader};
use super::tree::{Kind, Value};
use crate::policy::{Date, Nexthop, Placed, Policy, ProblemKind};
use crate::postfix::SecurityLevel;
use crate::text::{nearest, shortened};

/// A destination whose profile is not filled in yet.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) nexthop: Placed<Nexthop>,
    pub(crate) settings: Settings,
}

/// What stands behind a destination.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) testing: bool,
    pub(crate) owner: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) expires: Option<Placed<Date>>,
    /// The name behind `use:`.
    pub(crate) profile: Option<Placed<String>>,
    /// Whether it has a level that was refused, so that it is not missing too.
    pub(crate) level_refused: bool,
}

const POLICY: &[&str] = &[
    "level",
    "match",
    "pins",
    "protocols",
    "ciphers",
    "exclude",
    "servername",
    "tafile",
    "connection_reuse",
    "enable_rpk",
];
const DESTINATION: &[&str] = &["use", "owner", "reason", "expires", "testing"];

pub(super) fn profiles(reader: &mut Reader, value: Value<'_>) -> Vec<(Placed<String>, Policy)> {
    let mut profiles = Vec::new();
    for field in reader.fields(value, "profiles") {
        let mut policy = Policy::default();
        for inner in reader.fields(field.value, "a profile") {
            if !attribute(reader, inner, &mut policy) {
                reader.unknown_key(inner, "a profile", POLICY);
            }
        }
        profiles.push((Placed { value: field.name.to_owned(), span: field.key }, policy));
    }
    profiles
}

pub(super) fn destinations(reader: &mut Reader, value: Value<'_>) -> Vec<Entry> {
    let fields = reader.fields(value, "destinations");
    let mut entries = Vec::with_capacity(fields.len());
    entries.extend(fields.into_iter().filter_map(|field| destination(reader, field)));
    entries
}

/// Reads all of it, also where the key is refused: for the other mistakes.
fn destination(reader: &mut Reader, field: Field<'_>) -> Option<Entry> {
    let nexthop = Nexthop::parse(field.name);
    if let Err(why) = &nexthop {
        reader.note(ProblemKind::Nexthop, field.key, why.to_string());
    }
    let mut settings = Settings::default();
    match field.value.kind() {
        // The short form: a level.
        Kind::Scalar { .. } => {
            settings.policy.level = level(reader, field.value);
            settings.level_refused = settings.policy.level.is_none();
        }
        Kind::Sequence => {
            reader.wrong_type(field.value, "a destination", "a level or a mapping");
            settings.level_refused = true;
        }
        Kind::Mapping => {
            for inner in reader.fields(field.value, "a destination") {
                setting(reader, inner, &mut settings);
            }
        }
    }
    Some(Entry { nexthop: Placed { value: nexthop.ok()?, span: field.key }, settings })
}

/// One key of a destination.
fn setting(reader: &mut Reader, field: Field<'_>, settings: &mut Settings) {
    let text = |reader: &mut Reader| {
        let text = reader.text(field.value, field.name)?;
        Some(Placed { value: text.value.to_owned(), span: text.span })
    };
    match field.name {
        "use" => {
            settings.profile = text(reader);
            settings.level_refused |= settings.profile.is_none();
        }
        "owner" => settings.owner = text(reader).map(|it| it.value),
        "reason" => settings.reason = text(reader).map(|it| it.value),
        "expires" => settings.expires = date(reader, field.value, "expires"),
        "testing" => {
            let testing = reader.boolean(field.value, "testing");
            settings.testing = testing.is_some_and(|it| it.value);
        }
        name => {
            if !attribute(reader, field, &mut settings.policy) {
                let known: Vec<&str> = POLICY.iter().chain(DESTINATION).copied().collect();
                reader.unknown_key(field, "a destination", &known);
            }
            settings.level_refused |= name == "level" && settings.policy.level.is_none();
        }
    }
}

/// One key that profiles and destinations share; says whether it is one.
fn attribute(reader: &mut Reader, field: Field<'_>, policy: &mut Policy) -> bool {
    let value = field.value;
    match field.name {
        "level" => policy.level = level(reader, value),
        "match" => policy.names = Some(words(reader, value, "match", NAME)),
        "pins" => policy.pins = Some(pins(reader, value)),
        "protocols" => policy.protocols = joined(reader, value, "protocols", PROTOCOL),
        "ciphers" => policy.ciphers = word(reader, value, "ciphers", GRADE),
        "exclude" => policy.exclude = joined(reader, value, "exclude", CIPHER),
        "servername" => policy.servername = word(reader, value, "servername", SERVER_NAME),
        "tafile" => policy.tafiles = Some(words(reader, value, "tafile", PATH)),
        "connection_reuse" => policy.connection_reuse = reader.boolean(value, "connection_reuse"),
        "enable_rpk" => policy.enable_rpk = reader.boolean(value, "enable_rpk"),
        _ => return false,
    }
    true
}

fn level(reader: &mut Reader, value: Value<'_>) -> Option<Placed<SecurityLevel>> {
    let text = reader.text(value, "level")?;
    let level = SecurityLevel::parse(text.value.as_bytes());
    if level.is_none() {
        let note = format!("\"{}\" is no security level", shortened(text.value));
        let names = SecurityLevel::ALL.map(SecurityLevel::name);
        let nearest = nearest(text.value, names.into_iter());
        reader.note(ProblemKind::Level, text.span, note).help = Some(match nearest {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("one of {}", SecurityLevel::names()),
        });
    }
    Some(Placed { value: level?, span: text.span })
}

pub(super) fn date(reader: &mut Reader, value: Value<'_>, what: &str) -> Option<Placed<Date>> {
    let text = reader.text(value, what)?;
    let date = Date::parse(text.value);
    if date.is_none() {
        let note = format!("\"{}\" is no date", shortened(text.value));
        reader.note(ProblemKind::Value, text.span, note).help =
            Some("write it as 2027-01-31".to_owned());
    }
    Some(Placed { value: date?, span: text.span })
}

/// A test for one word of a value, and what such a word is, for the message.
type Test = (fn(&str) -> bool, &'static str);

const fn is_separator(it: char) -> bool {
    matches!(it, ',' | ':' | '|' | '{' | '}') || it.is_ascii_whitespace() || it.is_ascii_control()
}

const NAME: Test = (
    |it| {
        !it.contains(is_separator)
            && !it.contains(char::is_whitespace)
            && !it.starts_with('#')
            && it != "."
    },
    "a host name, a domain with a leading dot, or one of hostname, nexthop, dot-nexthop",
);
const PATH: Test = (
    |it| {
        !it.contains([',', '{', '}'])
            && !it.contains(char::is_whitespace)
            && !it.contains(char::is_control)
    },
    "a path without blanks, commas and braces",
);
const GRADE: Test = (
    |it| ["high", "medium", "low", "export", "null"].contains(&it.to_ascii_lowercase().as_str()),
    "one of high, medium, low, export, null",
);
const CIPHER: Test = (
    |it| {
        it.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '+'))
            && !it.starts_with(['-', '+'])
    },
    "a list of cipher names; Postfix itself excludes them",
);
const SERVER_NAME: Test = (
    |it| crate::policy::row::is_hostname(it.as_bytes()),
    "a host name, or one of hostname, nexthop",
);
const PROTOCOL: Test = (
    |it| {
        const NAMES: [&str; 6] = ["sslv2", "sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"];
        let it = it.to_ascii_lowercase();
        let bound = it.strip_prefix(">=").or_else(|| it.strip_prefix("<="));
        match bound {
            Some(name) => name != "sslv2" && NAMES.contains(&name),
            None => NAMES.contains(&it.strip_prefix('!').unwrap_or(&it)),
        }
    },
    "SSLv2 to TLSv1.3, each with \"!\", \">=\" or \"<=\" before it or without",
);

fn word(reader: &mut Reader, value: Value<'_>, what: &str, wanted: Test) -> Option<Placed<String>> {
    let text = reader.text(value, what)?;
    checked(reader, text, what, wanted)
}

fn words(reader: &mut Reader, value: Value<'_>, what: &str, wanted: Test) -> Rc<[Placed<String>]> {
    let texts = reader.texts(value, what);
    texts.into_iter().filter_map(|text| checked(reader, text, what, wanted)).collect()
}

/// Words in one text or a list of them, joined by `:`, which separates them in a policy.
fn joined(
    reader: &mut Reader,
    value: Value<'_>,
    what: &str,
    wanted: Test,
) -> Option<Placed<String>> {
    let mut all = Vec::new();
    for text in reader.texts(value, what) {
        for word in text.value.split([':', ',', ' ', '\t']).filter(|it| !it.is_empty()) {
            let word = Placed { value: word, span: text.span };
            all.extend(checked(reader, word, what, wanted).map(|it| it.value));
        }
    }
    (!all.is_empty()).then(|| Placed { value: all.join(":"), span: value.span() })
}

fn checked(
    reader: &mut Reader,
    text: Placed<&str>,
    what: &str,
    wanted: Test,
) -> Option<Placed<String>> {
    let (fits, want) = wanted;
    if !fits(text.value) {
        let note = format!("\"{}\" cannot stand in {what}", shortened(text.value));
        reader.note(ProblemKind::Value, text.span, note).help = Some(want.to_owned());
        return None;
    }
    Some(Placed { value: text.value.to_owned(), span: text.span })
}
