//! The report of a probe as one page, for a browser, a phone and paper.
//!
//! It needs nothing else: no script, no font, no image, no request, and its policy of content forbids them.
//! What servers said is text in it, whatever it looks like.

mod destination;
mod ends;

use std::fmt::Write as _;

use super::probe::{Meets, Probed, Report, Testing, cut, moment, name, plain, signed, words};
use crate::verdict::Verdict;

const STYLE: &str = include_str!("page.css");
const ICONS: &str = include_str!("icons.svg");

/// Groups of destinations: what a person has to look at comes first.
const ORDER: [Verdict; 6] = [
    Verdict::WouldDefer,
    Verdict::Plaintext,
    Verdict::Unknown,
    Verdict::Encrypted,
    Verdict::Trusted,
    Verdict::Verified,
];

/// The page.
pub fn html(report: &Report<'_>) -> String {
    let mut out = String::new();
    head(&mut out, report);
    summary(&mut out, report);
    destinations(&mut out, report);
    ends::section(&mut out, report);
    levels(&mut out, report);
    not_checked(&mut out, report);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn head(out: &mut String, report: &Report<'_>) {
    let host = escaped(&name(report.host));
    let day = moment(signed(report.ended)).unwrap_or_default();
    let when = day.replace('T', " ").replace(":00Z", " UTC").replace('Z', " UTC");
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"referrer\" content=\"no-referrer\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Mail over TLS from {host}</title>
<style>
{STYLE}</style>
</head>
<body>
{ICONS}<header>
<h1>Mail over TLS from <span class=\"host\">{host}</span></h1>
<p class=\"quiet\">Probed until <time datetime=\"{day}\">{when}</time>, in {} s. Service {}, judged for Postfix {} ({}).</p>
<nav aria-label=\"Parts of this page\"><a href=\"#destinations\">Destinations</a> <a href=\"#ends\">Certificates</a> <a href=\"#levels\">Levels</a> <a href=\"#not-checked\">Not checked</a></nav>
</header>
<main>
",
        report.ended.saturating_sub(report.began),
        escaped(&name(report.service)),
        report.postfix,
        escaped(&plain(report.postfix_why)),
    );
}

fn summary(out: &mut String, report: &Report<'_>) {
    let all = report.probed.len();
    let failing: Vec<(usize, &Probed)> =
        report.probed.iter().enumerate().filter(|it| it.1.fails()).collect();
    let not_seen = report.probed.iter().filter(|it| it.meets() == Meets::NotSeen).count();
    let sentence = match (all, failing.len()) {
        (0, _) => "No destination was probed".to_owned(),
        (_, 0) if not_seen == all => "No destination could be seen".to_owned(),
        (_, 0) if not_seen > 0 => format!(
            "Every destination that could be seen is as the policy asks; {not_seen} of {all} could not"
        ),
        (1, 0) => "The destination is as the policy asks".to_owned(),
        (_, 0) => format!("All {all} destinations are as the policy asks"),
        (_, 1) => format!("1 of {all} destinations does not meet its policy"),
        (_, some) => format!("{some} of {all} destinations do not meet their policy"),
    };
    let tone = match (failing.len(), not_seen) {
        (0, 0) => Verdict::Verified,
        (0, _) => Verdict::Unknown,
        (_, _) => Verdict::WouldDefer,
    };
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n<p class=\"headline {}\">{}{sentence}.</p>",
        tone.name(),
        icon(tone.name())
    );
    bar(out, report);
    out.push_str("<ul class=\"counts\">\n");
    for verdict in ORDER.into_iter().rev() {
        let count = report.count(verdict);
        let word = match count {
            0 => format!("<span class=\"word\">{}</span>", words(verdict)),
            _ => format!("<a class=\"word\" href=\"#{}\">{}</a>", verdict.name(), words(verdict)),
        };
        let none = if count == 0 { " none" } else { "" };
        let _ = writeln!(
            out,
            "<li class=\"{}{none}\">{}<b class=\"number\">{count}</b> {word} <span class=\"meaning\">{}</span></li>",
            verdict.name(),
            icon(verdict.name()),
            meaning(verdict)
        );
    }
    out.push_str("</ul>\n");
    if !failing.is_empty() {
        out.push_str("<h3>Not as the policy asks</h3>\n<ul class=\"failing\">\n");
        for (index, probed) in failing {
            let _ = writeln!(
                out,
                "<li><a href=\"#d{index}\">{}</a> {}</li>",
                escaped(&probed.name()),
                escaped(&plain(&probed.judgement.why.text))
            );
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
}

/// The share of each verdict, for the eye: the list below says it in numbers.
fn bar(out: &mut String, report: &Report<'_>) {
    if report.probed.is_empty() {
        return;
    }
    out.push_str("<div class=\"shares\" aria-hidden=\"true\">");
    for verdict in ORDER.into_iter().rev() {
        let count = report.count(verdict);
        if count > 0 {
            let _ = write!(out, "<i class=\"{}\" style=\"flex-grow:{count}\"></i>", verdict.name());
        }
    }
    out.push_str("</div>\n");
}

fn destinations(out: &mut String, report: &Report<'_>) {
    out.push_str("<section aria-labelledby=\"destinations\">\n<h2 id=\"destinations\">Destinations by verdict</h2>\n");
    for verdict in ORDER {
        let count = report.count(verdict);
        if count == 0 {
            continue;
        }
        let _ = writeln!(
            out,
            "<h3 id=\"{0}\" class=\"group {0}\">{1}{2} <span class=\"quiet\">{count}</span></h3>",
            verdict.name(),
            icon(verdict.name()),
            capital(words(verdict))
        );
        let all = report.probed.iter().enumerate();
        for (index, probed) in all.filter(|it| it.1.judgement.verdict == verdict) {
            destination::article(out, report, index, probed);
        }
    }
    if report.probed.is_empty() {
        out.push_str("<p>There are none.</p>\n");
    }
    out.push_str("</section>\n");
}

fn levels(out: &mut String, report: &Report<'_>) {
    out.push_str(
        "<section aria-labelledby=\"levels\">
<h2 id=\"levels\">Levels</h2>
<table class=\"levels\">
<caption>The security level that each destination has, and the strictest policy that everything that was seen would satisfy</caption>
<thead><tr><th scope=\"col\">Destination</th><th scope=\"col\">Has</th><th scope=\"col\">Could have</th></tr></thead>
<tbody>
",
    );
    for (index, probed) in report.probed.iter().enumerate() {
        let testing = match probed.testing {
            Testing::InForce => "",
            Testing::Testing => " <span class=\"chip\">testing</span>",
        };
        let could = probed.judgement.could.as_ref().map_or_else(
            || "<td class=\"none quiet\">nothing was seen</td>".to_owned(),
            |it| format!("<td><code>{}</code></td>", escaped(&name(&it.policy))),
        );
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"#d{index}\">{}</a></th><td><b>{}</b>{testing} <span class=\"quiet\">{}</span></td>{could}</tr>",
            escaped(&probed.name()),
            probed.level(),
            escaped(&probed.decided_by(report.sources)),
        );
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}

fn not_checked(out: &mut String, report: &Report<'_>) {
    out.push_str(
        "<section aria-labelledby=\"not-checked\">\n<h2 id=\"not-checked\">Not checked</h2>\n",
    );
    if report.not_checked.is_empty() {
        out.push_str("<p>Everything was looked at that a probe looks at.</p>\n");
    } else {
        out.push_str("<dl class=\"facts\">\n");
        for (what, why) in report.not_checked {
            let (what, why) = (escaped(&plain(what)), escaped(&plain(why)));
            let _ = writeln!(out, "<div><dt>{what}</dt><dd>{why}</dd></div>");
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</section>\n");
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "over TLS, to a server that proved to be the right one",
        Verdict::Trusted => "over TLS, with a trusted certificate, of whatever name",
        Verdict::Encrypted => "over TLS, to whoever answers",
        Verdict::Plaintext => "in the clear",
        Verdict::WouldDefer => "mail would wait, and at last come back",
        Verdict::Unknown => "could not be seen",
    }
}

/// A word as headings begin.
fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// A sign beside a word that says the same.
fn icon(of: &str) -> String {
    format!(
        "<svg class=\"icon\" aria-hidden=\"true\" viewBox=\"0 0 16 16\"><use href=\"#icon-{of}\"/></svg>"
    )
}

/// Text for a page. What has no length of its own is cut before.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A text that is to be copied: as long as it is, line by line.
fn block(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|it| escaped(&cut(it, usize::MAX))).collect();
    lines.join("\n")
}
