//! The time line of the ends of certificates.
//!
//! A bar reaches from the day of the run to the day of the end. What it says stands in words above it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escaped;
use crate::certificate::Certificate;
use crate::policy::Date;
use crate::report::certificate::{Validity, date};
use crate::report::probe::{Probed, Report, name, signed};
use crate::report::prometheus::certificates;
use crate::verdict::Reason;

/// The line has at least and at most so many days.
const DAYS: (i64, i64) = (28, 400);
/// So many parts it has.
const PARTS: i64 = 4;
/// So many names are shown of those that have the same certificate.
const MAX_NAMES: usize = 3;

/// A certificate, and where it was seen.
struct Seen<'a> {
    certificate: &'a Certificate,
    servers: Vec<&'a str>,
    destinations: Vec<&'a Probed>,
}

pub(super) fn section(out: &mut String, report: &Report<'_>) {
    out.push_str("<section aria-labelledby=\"ends\">\n<h2 id=\"ends\">Ends of certificates</h2>\n");
    let all = seen(report);
    if all.is_empty() {
        out.push_str("<p>No certificate was seen.</p>\n</section>\n");
        return;
    }
    let today = signed(report.today());
    let day = |it: &Certificate| it.not_after.div_euclid(Date::SECONDS);
    let last = all.iter().map(|it| day(it.certificate).saturating_sub(today)).max().unwrap_or(0);
    let days = (last.clamp(DAYS.0, DAYS.1) + PARTS - 1) / PARTS * PARTS;
    out.push_str("<p class=\"quiet\">The certificates that the servers themselves showed, the one that ends first first. Whether the level looks at these days is said with the tests of each destination.</p>\n");
    out.push_str("<div class=\"axis\" aria-hidden=\"true\">");
    for part in 0..=PARTS {
        let tick = Date::of_second(
            (today.saturating_add(days / PARTS * part)).saturating_mul(Date::SECONDS),
        );
        let text = tick.map(|it| it.to_string()).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(out, "<span style=\"left:{}%\">{text}</span>", part * 100 / PARTS);
    }
    out.push_str("</div>\n<ol class=\"ends\">\n");
    for it in &all {
        line(out, report, it, days);
    }
    out.push_str("</ol>\n</section>\n");
}

/// Each certificate once, the one that ends first first.
fn seen<'a>(report: &Report<'a>) -> Vec<Seen<'a>> {
    let mut all: BTreeMap<(i64, &[u8]), Seen<'a>> = BTreeMap::new();
    for probed in report.probed {
        for (server, _, certificate) in certificates(probed) {
            let new = || Seen { certificate, servers: Vec::new(), destinations: Vec::new() };
            let it = all.entry((certificate.not_after, certificate.der())).or_insert_with(new);
            if !it.servers.contains(&server.name.as_str()) {
                it.servers.push(&server.name);
            }
            if it.destinations.last().is_none_or(|last| !std::ptr::eq(*last, probed)) {
                it.destinations.push(probed);
            }
        }
    }
    all.into_values().collect()
}

fn line(out: &mut String, report: &Report<'_>, it: &Seen<'_>, days: i64) {
    let noted = it.destinations.iter().flat_map(|it| &it.judgement.notes);
    let soon = noted.clone().any(|it| it.reason == Reason::CertificateExpiresSoon);
    let plural = |count: i64| if count == 1 { "day" } else { "days" };
    let until_end = it.certificate.not_after.saturating_sub(signed(report.ended)) / Date::SECONDS;
    let share = until_end.clamp(0, days) * 1000 / days;
    let (class, verb, left) = match Validity::of(it.certificate, report.today()) {
        Validity::Expired(ago) => ("ended", "ended on", format!("{ago} {} ago", plural(ago))),
        Validity::NotYet(ahead) => {
            ("not-yet", "ends on", format!("and begins in {ahead} {}", plural(ahead)))
        }
        Validity::Left(0) => ("soon", "ends on", "today".to_owned()),
        Validity::Left(left) => {
            let class = match (left > days, soon) {
                (true, _) => "beyond",
                (false, true) => "soon",
                (false, false) => "later",
            };
            (class, "ends on", format!("in {left} {}", plural(left)))
        }
    };
    let mark = match class {
        "ended" => " <span class=\"chip\">ended</span>",
        "soon" => " <span class=\"chip\">soon</span>",
        "not-yet" => " <span class=\"chip\">not yet valid</span>",
        _ => "",
    };
    let destinations: Vec<&str> =
        it.destinations.iter().map(|it| it.answered.destination.as_str()).collect();
    let _ = writeln!(
        out,
        "<li class=\"{class}\"><p><b>{}</b> <span class=\"quiet\">for {}</span></p><p>{verb} <time>{}</time>, <b>{left}</b>{mark}</p><div class=\"track\" aria-hidden=\"true\"><i style=\"width:{}.{}%\"></i></div></li>",
        first(&it.servers),
        first(&destinations),
        date(it.certificate.not_after),
        share / 10,
        share % 10
    );
}

fn first(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(|it| escaped(&name(it))).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
