//! What is said of certificates, keys and their fingerprints, wherever they come from.

use schemars::JsonSchema;
use serde::Serialize;

use crate::certificate::{Certificate, Kind, Subject};
use crate::policy::Date;

/// Further ahead nobody counts days.
const MOST_DAYS_LEFT: i64 = 1000;

/// When a certificate is valid, as of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Not before this many days from now.
    NotYet(i64),
    /// For this many days more; 0: until today.
    Left(i64),
    /// Not any more, for this many days.
    Expired(i64),
}

impl Validity {
    /// What it is on a day, counted from 1970-01-01.
    pub fn of(certificate: &Certificate, today: u64) -> Validity {
        // No day that a certificate can name is beyond these.
        let today = i64::try_from(today).unwrap_or(i64::MAX);
        let day = |seconds: i64| seconds.div_euclid(Date::SECONDS);
        let (first, last) = (day(certificate.not_before), day(certificate.not_after));
        if last < today {
            Validity::Expired(today - last)
        } else if first > today {
            Validity::NotYet(first - today)
        } else {
            Validity::Left(last - today)
        }
    }
}

/// The days on which a certificate begins and ends, and how long that is from now.
pub(super) fn valid(certificate: &Certificate, today: u64) -> String {
    let (from, until) = (date(certificate.not_before), date(certificate.not_after));
    let note = match Validity::of(certificate, today) {
        Validity::NotYet(days) => format!(", NOT YET: it begins in {}", counted(days)),
        Validity::Expired(days) => format!(", EXPIRED {} ago", counted(days)),
        Validity::Left(0) => ", it ends today".to_owned(),
        Validity::Left(days) if days < MOST_DAYS_LEFT => format!(", {} left", counted(days)),
        Validity::Left(_) => String::new(),
    };
    format!("{from} to {until}{note}")
}

fn counted(days: i64) -> String {
    format!("{days} {}", if days == 1 { "day" } else { "days" })
}

/// The day of a second, as certificates count them.
pub(super) fn date(seconds: i64) -> String {
    match Date::of_second(seconds) {
        Some(date) => date.to_string(),
        None if seconds < 0 => "before 1970".to_owned(),
        None => "after 9999".to_owned(),
    }
}

/// The names and addresses that a certificate is for.
pub(super) fn names(certificate: &Certificate) -> String {
    let addresses = certificate.addresses.iter().map(ToString::to_string);
    certificate.names.iter().cloned().chain(addresses).collect::<Vec<_>>().join(", ")
}

/// What something in a file is.
pub(super) fn kind(subject: &Subject) -> &'static str {
    match &subject.kind {
        Kind::Certificate(_) => "certificate",
        Kind::PublicKey => "public key",
        Kind::PrivateKey => "private key",
        Kind::Request => "request for a certificate",
    }
}

/// A certificate.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "certificate")]
pub(super) struct Facts {
    /// Whom it is for.
    subject: String,
    /// Who signed it.
    issuer: String,
    /// The DNS names that it is for; where it has none, its common name.
    names: Vec<String>,
    /// The addresses that it is for.
    addresses: Vec<String>,
    /// The first day on which it is valid, UTC, such as 2026-11-24.
    not_before: String,
    /// The last day on which it is valid, UTC.
    not_after: String,
    /// The days until that day; negative: it has expired.
    days_left: i64,
    /// Whether its issuer has the name of its subject: it is self-signed, or the root of a chain.
    self_issued: bool,
    /// Whether it may sign other certificates.
    ca: bool,
}

/// What stands in it, for programs.
pub(super) fn facts(certificate: &Certificate, today: u64) -> Facts {
    let today = i64::try_from(today).unwrap_or(i64::MAX);
    Facts {
        subject: certificate.subject.to_string(),
        issuer: certificate.issuer.to_string(),
        names: certificate.names.clone(),
        addresses: certificate.addresses.iter().map(ToString::to_string).collect(),
        not_before: date(certificate.not_before),
        not_after: date(certificate.not_after),
        days_left: certificate.not_after.div_euclid(Date::SECONDS) - today,
        self_issued: certificate.is_self_issued(),
        ca: certificate.is_ca,
    }
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn seconds_have_a_day() {
        for (seconds, want) in [
            (-1, "before 1970"),
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (86_400, "1970-01-02"),
            (253_402_300_799, "9999-12-31"),
            (253_402_300_800, "after 9999"),
            (i64::MIN, "before 1970"),
            (i64::MAX, "after 9999"),
        ] {
            assert_eq!(date(seconds), want);
        }
    }
}
