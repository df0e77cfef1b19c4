//! Pins: the certificates and keys that a server may have, by their fingerprints.
//!
//! A pin says its fingerprint in one digest or in several, or names the file that it is made of, or
//! both. What goes into the table is the fingerprint in the digest in force.

use super::{Date, Placed};
use crate::certificate::{Of, Subject};
use crate::postfix::{Digest, Fingerprint};
use crate::text::Span;

/// A certificate or key that a server may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The entry.
    pub span: Span,
    /// What its fingerprints are of.
    pub of: Of,
    /// The fingerprints that the policy file says, of the same key or certificate; each has the
    /// length of a digest, and no two of one digest differ.
    pub given: Vec<Placed<Fingerprint>>,
    /// The file that it is made of.
    pub pem: Option<PinFile>,
    /// A remark.
    pub note: Option<Placed<String>>,
    /// The day on which it was added.
    pub added: Option<Placed<Date>>,
    /// The day from which on it should be gone.
    pub retire: Option<Placed<Date>>,
}

/// A file with a certificate or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinFile {
    /// Its name: absolute, or relative to the directory of the policy file that says it.
    pub path: Placed<String>,
    /// The first certificate or key in it, or why there is none, for people; `None`: nobody has looked.
    pub subject: Option<Result<Subject, String>>,
}

impl Pin {
    /// Its fingerprint in this digest: given, or made of the file.
    pub fn fingerprint(&self, digest: Digest) -> Option<Fingerprint> {
        let given = self.given.iter().find(|it| it.value.digest() == Some(digest));
        given.map(|it| it.value.clone()).or_else(|| self.subject()?.fingerprint(self.of, digest))
    }

    /// What the table gets while this digest is in force, and where the policy file says so. Where
    /// it cannot be had in that digest, that is a fingerprint that Postfix does not take, or nothing
    /// if none is given. `None`: a digest that postls does not know.
    pub fn in_force(&self, digest: Option<Digest>) -> Option<Placed<Fingerprint>> {
        let place = |value| {
            let given = self.given.iter().find(|it| it.value == value);
            Placed { span: given.map_or(self.place(), |it| it.span), value }
        };
        let wanted = digest.and_then(|it| self.fingerprint(it));
        wanted.map(place).or_else(|| self.given.first().cloned())
    }

    /// Where the policy file says which key or certificate it is.
    pub fn place(&self) -> Span {
        let file = self.pem.iter().map(|it| it.path.span);
        self.given.iter().map(|it| it.span).chain(file).next().unwrap_or(self.span)
    }

    /// What the file holds, where it was read.
    pub fn subject(&self) -> Option<&Subject> {
        self.pem.as_ref()?.subject.as_ref()?.as_ref().ok()
    }

    /// Its fingerprints in all digests in which it can be had.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> {
        Digest::ALL.into_iter().filter_map(|it| self.fingerprint(it))
    }

    /// Whether the day has come from which on it should be gone.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.retire.is_some_and(|it| it.value <= today)
    }
}
