//! What a probe found, as Nagios and those who speak its language take it from a plugin: an exit status, a line,
//! performance data and more lines.

use std::fmt::Write as _;

use super::probe::{Meets, Probed, Report, Testing, cut, signed, words};
use super::prometheus::certificates;
use crate::policy::Date;
use crate::verdict::Verdict;

/// So many destinations are named in the first line.
const MAX_NAMED: usize = 3;
/// So many lines follow: Nagios takes a few kilobytes.
const MAX_LINES: usize = 40;
/// The longest line.
const MAX_LINE: usize = 200;

/// What Nagios calls a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All is as the policy asks.
    Ok,
    /// Something could not be seen, and nothing worse is so.
    Unknown,
    /// Mail goes out as it should, and something will bite.
    Warning,
    /// A destination does not meet its policy.
    Critical,
}

impl Status {
    /// The exit status of the plugin.
    pub fn code(self) -> u8 {
        match self {
            Status::Ok => 0,
            Status::Warning => 1,
            Status::Critical => 2,
            Status::Unknown => 3,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::Warning => "WARNING",
            Status::Critical => "CRITICAL",
            Status::Unknown => "UNKNOWN",
        }
    }
}

/// What it is of a destination. A policy that is not in force is no trouble, whatever was seen.
fn status_of(probed: &Probed) -> Status {
    match (probed.testing, probed.meets()) {
        (Testing::Testing, _) => Status::Ok,
        (Testing::InForce, Meets::No) => Status::Critical,
        (Testing::InForce, Meets::NotSeen) => Status::Unknown,
        (Testing::InForce, Meets::Yes) if probed.judgement.notes.is_empty() => Status::Ok,
        (Testing::InForce, Meets::Yes) => Status::Warning,
    }
}

/// The status, and the plugin's output.
pub fn plugin(report: &Report<'_>) -> (Status, String) {
    let all: Vec<(Status, &Probed)> = report.probed.iter().map(|it| (status_of(it), it)).collect();
    // Nothing was looked at: that is not health.
    let status = all.iter().map(|it| it.0).max().unwrap_or(Status::Unknown);
    let mut out = format!("POSTLS {} - {} | ", status.name(), first_line(status, &all));
    out.push_str(&performance(report));
    out.push('\n');
    let lines: Vec<String> = all.iter().flat_map(|it| lines(it.0, it.1)).collect();
    for line in lines.iter().take(MAX_LINES) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{line}");
    }
    if let Some(more) = lines.len().checked_sub(MAX_LINES).filter(|it| *it > 0) {
        let _ = writeln!(out, "and {more} more lines");
    }
    (status, out)
}

/// The same where nothing could be looked at.
pub fn could_not_look(why: &str) -> (Status, String) {
    let status = Status::Unknown;
    (status, format!("POSTLS {} - {}\n", status.name(), harmless(why)))
}

fn first_line(status: Status, all: &[(Status, &Probed)]) -> String {
    let count = all.len();
    let s = if count == 1 { "" } else { "s" };
    let these: Vec<&Probed> = all.iter().filter(|it| it.0 == status).map(|it| it.1).collect();
    let what = match status {
        Status::Ok => return format!("{count} destination{s} as the policy asks"),
        Status::Unknown if count == 0 => return "no destination was probed".to_owned(),
        Status::Unknown => "could not be seen",
        Status::Warning => "have something that will bite",
        Status::Critical => "do not meet the policy",
    };
    let name = |it: &&Probed| {
        let note = it.judgement.notes.first().filter(|_| status == Status::Warning);
        let why = note.unwrap_or(&it.judgement.why);
        format!("{} ({})", harmless(&it.name()), why.reason.id())
    };
    let named: Vec<String> = these.iter().take(MAX_NAMED).map(name).collect();
    let more = if these.len() > MAX_NAMED { ", …" } else { "" };
    format!("{} of {count} destination{s} {what}: {}{more}", these.len(), named.join(", "))
}

fn performance(report: &Report<'_>) -> String {
    let mut parts: Vec<String> = Verdict::ALL
        .iter()
        .map(|it| format!("{}={};;;0;{}", it.name(), report.count(*it), report.probed.len()))
        .collect();
    parts.push(format!("failed={};;;0", report.probed.iter().filter(|it| it.fails()).count()));
    let now = signed(report.ended);
    let ends = report.probed.iter().flat_map(certificates).map(|it| it.2.not_after);
    let days = ends.min().map(|it| it.saturating_sub(now).div_euclid(Date::SECONDS));
    parts.extend(days.map(|it| format!("certificate_days={it}")));
    parts.push(format!("time={}s;;;0", report.ended.saturating_sub(report.began)));
    parts.join(" ")
}

/// What is to be said of a destination, in lines.
fn lines(status: Status, probed: &Probed) -> Vec<String> {
    let verdict = words(probed.judgement.verdict).to_ascii_uppercase();
    let testing = match probed.testing {
        Testing::InForce => "",
        Testing::Testing => " (testing)",
    };
    let mut lines = Vec::new();
    if matches!(status, Status::Critical | Status::Unknown) || probed.meets() == Meets::No {
        lines.push(format!("{verdict}{testing} {}: {}", probed.name(), probed.reason()));
    }
    for note in &probed.judgement.notes {
        let name = probed.name();
        lines.push(format!("NOTE{testing} {name}: {}: {}", note.reason.id(), note.text));
    }
    lines.iter().map(|it| harmless(it)).collect()
}

/// Nagios ends a line's text at the first bar.
fn harmless(text: &str) -> String {
    cut(text, MAX_LINE).replace('|', "/")
}
