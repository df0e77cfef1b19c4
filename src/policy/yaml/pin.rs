//! The pins of a destination or a profile.

use std::rc::Rc;

use super::entry::date;
use super::reader::{Field, Reader};
use super::tree::{Kind, Value};
use crate::certificate::{self, Of, Subject, Unreadable};
use crate::policy::pin::PinFile;
use crate::policy::{Pin, Placed, Problem, ProblemKind};
use crate::postfix::{Digest, Fingerprint};
use crate::text::{Span, shortened};

const KNOWN: &[&str] = &["public-key", "certificate", "pem", "of", "note", "added", "retire"];

pub(super) fn pins(reader: &mut Reader, value: Value<'_>) -> Rc<[Pin]> {
    let items = reader.items(value, "pins", "a list of pins");
    items.into_iter().filter_map(|item| pin(reader, item)).collect()
}

/// What is said of one pin up to here.
#[derive(Default)]
struct Said {
    /// What the fingerprints are of, and the key that says so.
    given_of: Option<Placed<Of>>,
    given: Vec<Placed<Fingerprint>>,
    pem: Option<Placed<String>>,
    of: Option<Placed<Of>>,
    /// Whether a part that would say what is pinned was not understood.
    refused: bool,
}

fn pin(reader: &mut Reader, value: Value<'_>) -> Option<Pin> {
    let mut said = Said { refused: value.kind() != Kind::Mapping, ..Said::default() };
    let (mut note, mut added, mut retire) = (None, None, None);
    for field in reader.fields(value, "a pin") {
        match field.name {
            "public-key" => said.fingerprints(reader, field, Of::PublicKey),
            "certificate" => said.fingerprints(reader, field, Of::Certificate),
            "pem" => {
                let text = reader.text(field.value, "pem");
                said.refused |= text.is_none();
                said.pem = text.map(owned);
            }
            "of" => {
                said.of = of(reader, field);
                said.refused |= said.of.is_none();
            }
            "note" => note = reader.text(field.value, "note").map(owned),
            "added" => added = date(reader, field.value, "added"),
            "retire" => retire = date(reader, field.value, "retire"),
            _ => reader.unknown_key(field, "a pin", KNOWN),
        }
    }
    let of = said.of(reader, value.span())?;
    let pem = said.pem.map(|path| PinFile { path, subject: None });
    Some(Pin { span: value.span(), of, given: said.given, pem, note, added, retire })
}

impl Said {
    /// `public-key:` or `certificate:`, one text or several.
    fn fingerprints(&mut self, reader: &mut Reader, field: Field<'_>, of: Of) {
        if self.given_of.is_some() {
            let text = "a pin is of a key or of a certificate; this is a second one";
            reader.note(ProblemKind::Value, field.key, text).help =
                Some("make it an entry of its own".to_owned());
            return;
        }
        self.given_of = Some(Placed { value: of, span: field.key });
        let texts = reader.texts(field.value, field.name);
        self.refused |= texts.is_empty();
        for text in texts {
            let Some(fingerprint) = fingerprint(reader, text) else {
                self.refused = true;
                continue;
            };
            let digest = fingerprint.value.digest();
            let same = self.given.iter().find(|it| it.value.digest() == digest);
            match (same, digest) {
                (Some(first), Some(digest)) if first.value != fingerprint.value => {
                    let first = first.span;
                    let text = format!("a second {digest} fingerprint, and another one");
                    let note = reader.note(ProblemKind::Value, fingerprint.span, text);
                    note.related = Some((first, "the first one".to_owned()));
                    note.help = Some("make it an entry of its own".to_owned());
                }
                _ => self.given.push(fingerprint),
            }
        }
    }

    /// What the pin is of; `None`: it is not said what is pinned.
    fn of(&self, reader: &mut Reader, entry: Span) -> Option<Of> {
        if let (Some(of), Some(given_of)) = (self.of, self.given_of)
            && of.value != given_of.value
        {
            let text = format!("the fingerprint beside it is that of a {}", named(given_of.value));
            reader.note(ProblemKind::Value, of.span, text).related =
                Some((given_of.span, "it says so".to_owned()));
        } else if let (Some(of), None) = (self.of, &self.pem) {
            reader.note(ProblemKind::Value, of.span, "this belongs to pem, which is not there");
        }
        if self.pem.is_none() && self.given.is_empty() {
            if !self.refused {
                let text = "a pin needs \"public-key\", \"certificate\" or \"pem\"";
                reader.note(ProblemKind::Pin, entry, text);
            }
            return None;
        }
        // What survives a renewal is the better choice where nobody has made one.
        let of = self.given_of.or(self.of);
        Some(of.map_or(Of::PublicKey, |it| it.value))
    }
}

/// What a pin is of, for a sentence.
fn named(of: Of) -> &'static str {
    match of {
        Of::PublicKey => "public key",
        Of::Certificate => "certificate",
    }
}

fn of(reader: &mut Reader, field: Field<'_>) -> Option<Placed<Of>> {
    let text = reader.text(field.value, "of")?;
    let value = match text.value {
        "public-key" => Of::PublicKey,
        "certificate" => Of::Certificate,
        other => {
            let note = format!("\"{}\" cannot stand in of", shortened(other));
            reader.note(ProblemKind::Value, text.span, note).help = Some(
                "public-key, which survives a renewal with the same key, or certificate".to_owned(),
            );
            return None;
        }
    };
    Some(Placed { value, span: text.span })
}

fn owned(text: Placed<&str>) -> Placed<String> {
    Placed { value: text.value.to_owned(), span: text.span }
}

fn fingerprint(reader: &mut Reader, text: Placed<&str>) -> Option<Placed<Fingerprint>> {
    let Some(fingerprint) = Fingerprint::parse(text.value.as_bytes()) else {
        reader.note(ProblemKind::Pin, text.span, "this is no fingerprint").help =
            Some("pairs of hexadecimal digits with colons between them, in quotes".to_owned());
        return None;
    };
    if fingerprint.digest().is_none() {
        let lengths: Vec<String> =
            Digest::ALL.iter().map(|it| format!("{it} {}", it.length())).collect();
        let note = format!("{} bytes are the fingerprint of no digest", fingerprint.length());
        reader.note(ProblemKind::Pin, text.span, note).help =
            Some(format!("bytes of each digest: {}", lengths.join(", ")));
        return None;
    }
    Some(Placed { value: fingerprint, span: text.span })
}

/// What a file is named for: its first certificate, which in a chain is the server's own, or where
/// there is none its first key.
pub(super) fn subject(bytes: &[u8]) -> Result<Subject, String> {
    let mut subjects = certificate::subjects(bytes).map_err(|Unreadable(why)| why)?;
    let first = subjects.iter().position(|it| it.certificate().is_some()).unwrap_or(0);
    Ok(subjects.swap_remove(first))
}

/// Looks into the file of a pin, if it names one, and notes what does not fit.
pub(super) fn look_into_file(
    pin: &mut Pin,
    subject: &mut dyn FnMut(&str) -> Result<Subject, String>,
) -> Vec<Problem> {
    let Some(file) = &mut pin.pem else { return Vec::new() };
    let found = file.subject.insert(subject(&file.path.value));
    let unusable = |text: String, help: &str| {
        let (kind, span) = (ProblemKind::PinFile, file.path.span);
        vec![Problem { kind, span, text, related: None, help: Some(help.to_owned()) }]
    };
    let subject = match found {
        Ok(subject) => subject,
        Err(why) => {
            let help =
                "a PEM file with a certificate or a public key, named relative to this policy file";
            return unusable(why.clone(), help);
        }
    };
    if pin.of == Of::Certificate && subject.certificate().is_none() {
        let help = "pin the public key: it stays the same when the certificate is renewed";
        return unusable("there is no certificate in it, only a key".to_owned(), help);
    }
    let differs = |given: &Placed<Fingerprint>| {
        let made = subject.fingerprint(pin.of, given.value.digest()?)?;
        (made != given.value).then(|| Problem {
            kind: ProblemKind::PinFileDiffers,
            span: given.span,
            text: format!(
                "the {} in \"{}\" has {made}",
                named(pin.of),
                shortened(&file.path.value)
            ),
            related: Some((file.path.span, "the file".to_owned())),
            help: Some("ask whose key is which; two keys are two pins".to_owned()),
        })
    };
    pin.given.iter().filter_map(differs).collect()
}
