//! The report for people at a terminal.

use std::fmt::Write as _;

use super::{
    Detail, Fact, Probed, Report, Testing, cut, name, of_destination, of_server, of_session, plain,
    tested, words,
};
use crate::observation::route::{Address, Seen};
use crate::report::Style;
use crate::verdict::{AddressJudgement, Suggestion, TestResult, Verdict};

/// The widest column of destinations; longer ones stand out of it.
const WIDEST: usize = 40;
/// So many addresses with trouble are shown where nobody asks for all.
const MAX_ADDRESSES: usize = 8;
/// So many lines of a suggestion are shown.
const MAX_LINES: usize = 40;

/// All of it.
pub(super) fn probe(report: &Report<'_>, style: Style, detail: Detail) -> String {
    let mut out = String::new();
    let width = |it: &Probed| it.name().chars().count();
    let widest = report.probed.iter().map(width).max().unwrap_or(0).min(WIDEST);
    for probed in report.probed {
        one(&mut out, report, probed, style, (detail, widest));
    }
    if !style.quiet {
        for (what, why) in report.not_checked {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "not checked: {}: {}", plain(what), plain(why));
        }
        closing(&mut out, report);
    }
    out
}

fn closing(out: &mut String, report: &Report<'_>) {
    let count = report.probed.len();
    let s = if count == 1 { "" } else { "s" };
    let mut parts = vec![format!("{count} destination{s}")];
    for verdict in Verdict::ALL {
        match report.count(verdict) {
            0 => {}
            some => parts.push(format!("{some} {}", words(verdict))),
        }
    }
    let _ = writeln!(
        out,
        "{} (service {}, Postfix {}: {})",
        parts.join(", "),
        name(report.service),
        report.postfix,
        plain(report.postfix_why)
    );
}

fn one(
    out: &mut String,
    report: &Report<'_>,
    probed: &Probed,
    style: Style,
    (detail, widest): (Detail, usize),
) {
    let by = match probed.decided_by(report.sources) {
        none if none.is_empty() => none,
        place => format!(" ({place})"),
    };
    let testing = match probed.testing {
        Testing::InForce => "",
        Testing::Testing => " testing",
    };
    let verdict = painted(probed.judgement.verdict, style);
    let destination = probed.name();
    let _ = writeln!(
        out,
        "{verdict} {destination:<widest$}  {}{by}{testing}  {}",
        probed.level(),
        probed.reason()
    );
    if detail == Detail::Full {
        facts(out, 4, &of_destination(probed));
    }
    addresses(out, report, probed, style, detail);
    for note in &probed.judgement.notes {
        let _ = writeln!(out, "    note: {}: {}", note.reason.id(), plain(&note.text));
    }
    if let (Detail::Full, Some(could)) = (detail, &probed.judgement.could) {
        let _ = writeln!(out, "    could be: {}: {}", plain(&could.policy), plain(&could.text));
    }
    if let Some(suggestion) = &probed.judgement.suggestion {
        suggested(out, suggestion);
    }
    if detail == Detail::Full {
        out.push('\n');
    }
}

fn suggested(out: &mut String, suggestion: &Suggestion) {
    let _ = writeln!(out, "    to do: {}", plain(&suggestion.text));
    for line in suggestion.yaml.iter().flat_map(|it| it.lines()).take(MAX_LINES) {
        let _ = writeln!(out, "      {}", plain(line));
    }
    if let Some(command) = &suggestion.command {
        // Cut, it would be another command.
        let _ = writeln!(out, "      $ {}", cut(command, usize::MAX));
    }
}

fn addresses(out: &mut String, report: &Report<'_>, probed: &Probed, style: Style, detail: Detail) {
    match detail {
        Detail::Brief => {
            let all = probed.observation.addresses().zip(&probed.judgement.addresses);
            // Of addresses that are left alone while others deliver nobody has to hear.
            let delivers = probed.judgement.verdict.delivers();
            let is_left = |seen: &Seen| delivers && matches!(seen, Seen::NotTried(_));
            let troubled: Vec<_> = all
                .filter(|((_, address), judged)| {
                    !judged.verdict.delivers() && !is_left(&address.seen)
                })
                .collect();
            for ((server, address), judged) in troubled.iter().take(MAX_ADDRESSES) {
                address_line(out, &server.name, address, Some(judged), style);
            }
            if let Some(more) = troubled.len().checked_sub(MAX_ADDRESSES).filter(|it| *it > 0) {
                let _ = writeln!(out, "    and {more} more addresses");
            }
        }
        Detail::Full => {
            let mut judged = probed.judgement.addresses.iter();
            for server in probed.observation.route.iter().flat_map(|it| &it.servers) {
                let preference = server.preference.map(|it| format!(" (preference {it})"));
                let _ =
                    writeln!(out, "    {}{}", name(&server.name), preference.unwrap_or_default());
                facts(out, 6, &of_server(server));
                for address in &server.addresses {
                    let judged = judged.next();
                    address_line(out, &server.name, address, judged, style);
                    seen(out, report, probed, address);
                    tests(out, judged, style);
                }
            }
        }
    }
}

fn address_line(
    out: &mut String,
    server: &str,
    address: &Address,
    judged: Option<&AddressJudgement>,
    style: Style,
) {
    let _ = match judged {
        Some(it) => writeln!(
            out,
            "    {} {} {}: {}: {}",
            painted(it.verdict, style),
            address.socket,
            name(server),
            it.why.reason.id(),
            plain(&it.why.text)
        ),
        None => writeln!(out, "    {} {}", address.socket, name(server)),
    };
}

fn seen(out: &mut String, report: &Report<'_>, probed: &Probed, address: &Address) {
    match &address.seen {
        Seen::Session(session) => {
            facts(out, 6, &of_session(session, report.today(), probed.digest()));
        }
        Seen::Unreachable(why) => {
            let _ = writeln!(out, "      unreachable: {}", plain(why));
        }
        Seen::NotTried(why) => {
            let _ = writeln!(out, "      not tried: {}", plain(why));
        }
    }
}

fn tests(out: &mut String, judged: Option<&AddressJudgement>, style: Style) {
    for test in judged.iter().flat_map(|it| &it.tests) {
        let word = format!("{:<10}", tested(test.result));
        let word = match test.result {
            TestResult::Passed => colored(&word, "32", style),
            TestResult::Failed => colored(&word, "31", style),
            TestResult::NotNeeded | TestResult::NotSeen => word,
        };
        let _ = writeln!(out, "      {word} {}: {}", name(test.name), plain(&test.text));
    }
}

fn facts(out: &mut String, indent: usize, facts: &[Fact]) {
    for Fact { label, text } in facts {
        let _ = writeln!(out, "{:indent$}{label:<16} {text}", "");
    }
}

/// The verdict as a word that stands out, in a column.
fn painted(verdict: Verdict, style: Style) -> String {
    let code = match verdict {
        Verdict::Verified | Verdict::Trusted => "32",
        Verdict::Encrypted => "36",
        Verdict::Plaintext => "33",
        Verdict::WouldDefer => "31",
        Verdict::Unknown => "35",
    };
    colored(&format!("{:<11}", words(verdict).to_ascii_uppercase()), code, style)
}

fn colored(text: &str, code: &str, style: Style) -> String {
    if style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
