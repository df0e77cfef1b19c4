//! What has to be done about pins on which day.

use postls::certificate;
use postls::policy::rotation::{Rotation, Unapplied, Urgency};
use postls::policy::{self, Date, Policies, yaml};
use postls::postfix::Digest;
use postls::report::{Style, pin as report};
use postls::text::Sources;

use crate::pin::{self, FIRST, SECOND};

fn read(text: &str, sources: &mut Sources, pem: &[u8]) -> Policies {
    let source = sources.add("postls.yaml", text.as_bytes().to_vec());
    let mut file = yaml::read(source, text.as_bytes(), yaml::Role::Main);
    file.read_pins(&mut |_| Ok(pem.to_vec()));
    let (policies, problems) = policy::join(vec![file]);
    assert!(problems.is_empty(), "{problems:?}");
    policies
}

/// The first line about the pins, and the last one, on some day.
fn said(pins: &str, today: Date, pem: &[u8]) -> (Urgency, String, String) {
    let text = format!(
        "version: 1\ndestinations: {{a.example: {{level: fingerprint, pins: [{pins}]}}}}\n"
    );
    let mut sources = Sources::default();
    let policies = read(&text, &mut sources, pem);
    let destination = &policies.destinations[0];
    let rotation = Rotation::new(destination, Some(Digest::Sha256), today, Unapplied::default())
        .expect("pins");
    let urgency = rotation.urgency(30);
    let digest = Some(Digest::Sha256);
    let pins =
        report::Pins { sources: &sources, rotations: vec![rotation], digest, today, within: 30 };
    let style = Style { color: false, unicode: false, links: false, quiet: false };
    let status = report::status(&pins, style);
    let first = status.lines().next().expect("it has a line").to_owned();
    let next = status.trim_end().lines().last().expect("it has a line").trim();
    (urgency, first, next.strip_prefix("next: ").expect("it says what is next").to_owned())
}

fn day(text: &str) -> Date {
    Date::parse(text).expect("it is a day")
}

#[test]
fn what_is_to_be_done_depends_on_the_day() {
    let [a, b] = [FIRST, SECOND].map(|it| format!("public-key: \"{it}\""));
    for (pins, today, urgency, first, next) in [
        (
            format!("{{{a}}}, {{{b}}}"),
            "2026-11-30",
            Urgency::Fine,
            "OK - a.example: 2 pins",
            "nothing",
        ),
        (
            format!("{{{a}}}"),
            "2026-11-30",
            Urgency::Fine,
            "OK - a.example: 1 pin, no backup",
            "pin a second key",
        ),
        (
            format!("{{{a}}}, {{{a}}}"),
            "2026-11-30",
            Urgency::Fine,
            "OK - a.example: 2 pins, no backup",
            "pin a second key",
        ),
        (
            format!("{{{a}, retire: 2027-01-31}}, {{{b}}}"),
            "2026-11-30",
            Urgency::Fine,
            "OK - a.example: pin 1 is to go on 2027-01-31, in 62 days",
            "nothing for 62 days",
        ),
        (
            format!("{{{a}, retire: 2027-01-31}}, {{{b}}}"),
            "2027-01-01",
            Urgency::Due,
            "DUE - a.example: pin 1 is to go on 2027-01-31, in 30 days",
            "in 30 days, take pin 1 out: `postls pin retire a.example 1 --remove`",
        ),
        (
            format!("{{{a}, retire: 2027-01-31}}, {{{b}}}"),
            "2027-01-31",
            Urgency::Overdue,
            "OVERDUE - a.example: pin 1 should be gone since 2027-01-31, today",
            "take pin 1 out, once mail goes to the new key: `postls pin retire a.example 1 --remove`",
        ),
        (
            format!("{{{b}}}, {{{a}, retire: 2027-01-31}}"),
            "2027-02-01",
            Urgency::Overdue,
            "OVERDUE - a.example: pin 2 should be gone since 2027-01-31, 1 day ago",
            "take pin 2 out, once mail goes to the new key: `postls pin retire a.example 2 --remove`",
        ),
        (
            format!("{{{a}, retire: 2027-01-31}}"),
            "2027-01-30",
            Urgency::Due,
            "DUE - a.example: pin 1 is to go on 2027-01-31, in 1 day, and no other pin stays",
            "pin the new key first: `postls pin add a.example FINGERPRINT`; then take pin 1 out",
        ),
        (
            format!("{{{a}, retire: 2027-03-01}}, {{{b}, retire: 2027-01-31}}"),
            "2027-04-01",
            Urgency::Overdue,
            "OVERDUE - a.example: pin 2 should be gone since 2027-01-31, 60 days ago, and no other pin stays",
            "pin the new key first",
        ),
    ] {
        let got = said(&pins, day(today), b"");
        assert_eq!((got.0, got.1.as_str()), (urgency, first), "{pins}");
        assert!(got.2.starts_with(next), "{pins}: {}", got.2);
    }
}

#[test]
fn the_end_of_a_certificate_counts_where_nothing_outlasts_it() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let pem = pin::certificate(scratch.path(), "a", 40);
    let subjects = certificate::subjects(&pem).expect("it is one");
    let end = subjects[0].certificate().expect("it is one").not_after;
    let on = |days: i64| {
        let day = end.div_euclid(24 * 60 * 60) + days;
        Date::of_unix_day(u64::try_from(day).expect("a day")).expect("a day")
    };
    let other = format!("{{public-key: \"{FIRST}\"}}");
    for (pins, today, urgency, want) in [
        ("{pem: x, of: certificate}", -30, Urgency::Fine, "ends on"),
        ("{pem: x, of: certificate}", -29, Urgency::Due, "ends on"),
        ("{pem: x, of: certificate}", 0, Urgency::Due, "today, and no other pin lasts longer"),
        (
            "{pem: x, of: certificate}",
            1,
            Urgency::Overdue,
            "1 day ago, and no other pin lasts longer",
        ),
        ("{pem: x}", 1, Urgency::Fine, "1 pin, no backup"),
        ("{pem: x}, {pem: x, of: certificate}", 1, Urgency::Fine, "2 pins, no backup"),
        (&format!("{{pem: x, of: certificate}}, {other}"), 1, Urgency::Fine, "2 pins"),
    ] {
        let (got, first, _) = said(pins, on(today), &pem);
        assert_eq!(got, urgency, "{pins} {today}: {first}");
        assert!(first.contains(want), "{pins} {today}: {first}");
    }
}
