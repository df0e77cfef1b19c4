//! What a probe found, as a text file that Prometheus' node exporter collects (its exposition format, 0.0.4).
//!
//! Each series stands once, whatever was asked twice, and the order is always the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::probe::{MAX_NAME, Meets, Probed, Report, Testing, cut, signed};
use crate::certificate::Certificate;
use crate::observation::route::{Address, Seen, Server};
use crate::policy::Date;
use crate::verdict::Verdict;

/// A metric with its series, by their labels.
struct Metric {
    name: &'static str,
    help: &'static str,
    series: BTreeMap<String, i64>,
}

impl Metric {
    fn new(name: &'static str, help: &'static str) -> Metric {
        Metric { name, help, series: BTreeMap::new() }
    }

    /// Adds a series; of two with the same labels the first counts.
    fn add(&mut self, labels: &[(&str, &str)], value: i64) {
        self.series.entry(written(labels)).or_insert(value);
    }

    /// The same; of two with the same labels the smaller counts.
    fn add_least(&mut self, labels: &[(&str, &str)], value: i64) {
        let least = self.series.entry(written(labels)).or_insert(value);
        *least = value.min(*least);
    }
}

/// All of it.
pub fn text(report: &Report<'_>) -> String {
    let mut out = String::new();
    let metrics = [of_destinations(report), of_certificates(report), of_the_run(report)];
    for Metric { name, help, series } in metrics.iter().flatten() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in series {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    }
    out
}

fn of_destinations(report: &Report<'_>) -> Vec<Metric> {
    let mut verdicts = Metric::new(
        "postls_probe_verdict",
        "What becomes of mail for a destination: 1 for the verdict that holds, 0 for the others.",
    );
    let mut meets = Metric::new(
        "postls_probe_meets_policy",
        "1: a destination is as its policy asks; 0: it is not; absent: it could not be seen.",
    );
    let mut testing = Metric::new(
        "postls_probe_testing",
        "1: the policy of a destination is not in force (testing); 0: it is.",
    );
    let mut notes = Metric::new(
        "postls_probe_note",
        "1: this is so of a destination beside its verdict, and will bite.",
    );
    for probed in report.probed {
        let destination = label(&probed.answered.destination);
        let of_it = ("destination", destination.as_str());
        for verdict in Verdict::ALL {
            let holds = i64::from(verdict == probed.judgement.verdict);
            verdicts.add(&[of_it, ("verdict", verdict.name())], holds);
        }
        match probed.meets() {
            Meets::Yes => meets.add(&[of_it], 1),
            Meets::No => meets.add(&[of_it], 0),
            Meets::NotSeen => {}
        }
        match probed.testing {
            Testing::InForce => testing.add(&[of_it], 0),
            Testing::Testing => testing.add(&[of_it], 1),
        }
        for note in &probed.judgement.notes {
            notes.add(&[of_it, ("reason", note.reason.id())], 1);
        }
    }
    let mut counts =
        Metric::new("postls_probe_destinations", "How many destinations have a verdict.");
    for verdict in Verdict::ALL {
        let count = i64::try_from(report.count(verdict)).unwrap_or(i64::MAX);
        counts.add(&[("verdict", verdict.name())], count);
    }
    vec![verdicts, meets, testing, notes, counts]
}

fn of_certificates(report: &Report<'_>) -> Vec<Metric> {
    let mut ends = Metric::new(
        "postls_probe_certificate_not_after_seconds",
        "The last second of a server's certificate, since 1970-01-01 UTC.",
    );
    let mut days = Metric::new(
        "postls_probe_certificate_expires_days",
        "The whole days from the run to that second; negative: it has passed.",
    );
    for probed in report.probed {
        let destination = label(&probed.answered.destination);
        for (server, address, certificate) in certificates(probed) {
            let server = label(&server.name);
            let address = address.socket.to_string();
            let labels =
                [("destination", destination.as_str()), ("server", &server), ("address", &address)];
            let now = signed(report.ended);
            let left = certificate.not_after.saturating_sub(now).div_euclid(Date::SECONDS);
            ends.add_least(&labels, certificate.not_after);
            days.add_least(&labels, left);
        }
    }
    vec![ends, days]
}

/// The servers' own certificates.
pub(super) fn certificates(
    probed: &Probed,
) -> impl Iterator<Item = (&Server, &Address, &Certificate)> {
    probed.observation.addresses().filter_map(|(server, address)| {
        let session = match &address.seen {
            Seen::Session(session) => session,
            Seen::Unreachable(_) | Seen::NotTried(_) => return None,
        };
        let tls = session.tls.as_ref()?.as_ref().ok()?;
        Some((server, address, tls.chain.first()?))
    })
}

fn of_the_run(report: &Report<'_>) -> Vec<Metric> {
    let mut last = Metric::new(
        "postls_probe_last_run_timestamp_seconds",
        "When the last run ended, in seconds since 1970-01-01 UTC.",
    );
    last.add(&[], signed(report.ended));
    let mut duration =
        Metric::new("postls_probe_duration_seconds", "How many seconds the last run took.");
    duration.add(&[], signed(report.ended.saturating_sub(report.began)));
    let mut info = Metric::new("postls_probe_info", "For which service and Postfix it was.");
    let labels = [
        ("host", label(report.host)),
        ("postfix", report.postfix.to_string()),
        ("service", label(report.service)),
    ];
    info.add(&labels.each_ref().map(|(name, value)| (*name, value.as_str())), 1);
    vec![last, duration, info]
}

fn label(text: &str) -> String {
    cut(text, MAX_NAME * 4)
}

/// Labels as the format has them.
fn written(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let one = |(name, value): &(&str, &str)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    format!("{{{}}}", labels.iter().map(one).collect::<Vec<_>>().join(","))
}
