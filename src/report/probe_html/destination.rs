//! One destination on the page: what is so, what it could be, what to do, and every test.

use std::fmt::Write as _;

use super::{block, escaped, icon};
use crate::observation::route::{Address, Seen, Server};
use crate::report::probe::{
    Fact, Probed, Report, Testing, name, of_destination, of_server, of_session, plain, tested,
    words,
};
use crate::verdict::{AddressJudgement, Suggestion, TestResult, Why};

pub(super) fn article(out: &mut String, report: &Report<'_>, index: usize, probed: &Probed) {
    let judgement = &probed.judgement;
    let testing = match probed.testing {
        Testing::InForce => "",
        Testing::Testing => " <span class=\"chip\">testing</span>",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<article id=\"d{index}\" class=\"{}\">\n<h4>{}{testing}</h4>\n<p>{}</p>",
        judgement.verdict.name(),
        escaped(&probed.name()),
        why(&judgement.why)
    );
    has_and_could(out, report, probed);
    if !judgement.notes.is_empty() {
        out.push_str("<ul class=\"notes\">\n");
        for note in &judgement.notes {
            let _ = writeln!(out, "<li>{}</li>", why(note));
        }
        out.push_str("</ul>\n");
    }
    if let Some(suggestion) = &judgement.suggestion {
        to_do(out, suggestion);
    }
    // What is wrong is to be seen at once.
    let open = if probed.fails() { " open" } else { "" };
    let _ = writeln!(out, "<details{open}>\n<summary>{}</summary>", counted(probed));
    servers(out, report, probed);
    more(out, "The policy, the route, and what the domain publishes", &of_destination(probed));
    out.push_str("</details>\n</article>\n");
}

fn why(it: &Why) -> String {
    let text = escaped(&plain(&it.text));
    format!("{text} <code class=\"id\">{}</code>", it.reason.id())
}

fn has_and_could(out: &mut String, report: &Report<'_>, probed: &Probed) {
    let _ = writeln!(
        out,
        "<dl class=\"pair\">\n<div><dt>Has</dt><dd><b>{}</b> <span class=\"quiet\">{}</span></dd></div>",
        probed.level(),
        escaped(&probed.decided_by(report.sources))
    );
    let could = match &probed.judgement.could {
        Some(it) => {
            let (policy, text) = (escaped(&plain(&it.policy)), escaped(&plain(&it.text)));
            format!("<code>{policy}</code> <span class=\"quiet\">{text}</span>")
        }
        None => "<span class=\"quiet\">nothing was seen</span>".to_owned(),
    };
    let _ = writeln!(out, "<div><dt>Could have</dt><dd>{could}</dd></div>\n</dl>");
}

fn to_do(out: &mut String, suggestion: &Suggestion) {
    let text = escaped(&plain(&suggestion.text));
    let _ = writeln!(out, "<div class=\"to-do\">\n<h5>To do</h5>\n<p>{text}</p>");
    if let Some(yaml) = &suggestion.yaml {
        let _ = writeln!(out, "<pre><code>{}</code></pre>", block(yaml));
    }
    if let Some(command) = &suggestion.command {
        let _ = writeln!(out, "<pre><code>{}</code></pre>", block(command));
    }
    out.push_str("</div>\n");
}

/// The tests of all addresses in numbers.
fn counted(probed: &Probed) -> String {
    let addresses = &probed.judgement.addresses;
    let tests = || addresses.iter().flat_map(|it| &it.tests);
    let all = [TestResult::Failed, TestResult::Passed, TestResult::NotNeeded, TestResult::NotSeen];
    let counts = all.map(|result| (tests().filter(|it| it.result == result).count(), result));
    let words: Vec<String> = counts
        .iter()
        .filter(|it| it.0 > 0)
        .map(|(count, result)| format!("{count} {}", tested(*result)))
        .collect();
    let s = if addresses.len() == 1 { "" } else { "es" };
    if words.is_empty() {
        return "What was seen".to_owned();
    }
    format!("Tests at {} address{s}: {}", addresses.len(), words.join(", "))
}

/// Facts that stand behind what they explain.
fn more(out: &mut String, summary: &str, all: &[Fact]) {
    let _ = writeln!(out, "<details class=\"more\">\n<summary>{summary}</summary>");
    facts(out, all);
    out.push_str("</details>\n");
}

fn facts(out: &mut String, all: &[Fact]) {
    out.push_str("<dl class=\"facts\">\n");
    for Fact { label, text } in all {
        // Fingerprints break between their bytes.
        let is_pin = label.ends_with("pin") || *label == "fingerprints";
        let text = escaped(text);
        let text = if is_pin { text.replace(':', ":<wbr>") } else { text };
        let _ = writeln!(out, "<div><dt>{label}</dt><dd>{text}</dd></div>");
    }
    out.push_str("</dl>\n");
}

fn servers(out: &mut String, report: &Report<'_>, probed: &Probed) {
    let mut judged = probed.judgement.addresses.iter();
    for server in probed.observation.route.iter().flat_map(|it| &it.servers) {
        let preference =
            server.preference.map(|it| format!(" <span class=\"quiet\">preference {it}</span>"));
        let _ = writeln!(
            out,
            "<section class=\"server\">\n<h5>{}{}</h5>",
            escaped(&name(&server.name)),
            preference.unwrap_or_default()
        );
        facts(out, &of_server(server));
        for it in &server.addresses {
            address(out, report, probed, (server, it), judged.next());
        }
        out.push_str("</section>\n");
    }
}

fn address(
    out: &mut String,
    report: &Report<'_>,
    probed: &Probed,
    (server, address): (&Server, &Address),
    judged: Option<&AddressJudgement>,
) {
    let _ = writeln!(out, "<h6>{}</h6>", address.socket);
    if let Some(it) = judged {
        let _ = writeln!(
            out,
            "<p class=\"verdict {0}\">{1}<b>{2}</b> {3}</p>",
            it.verdict.name(),
            icon(it.verdict.name()),
            words(it.verdict),
            why(&it.why)
        );
        if !it.tests.is_empty() {
            tests(out, &format!("{}, {}", address.socket, name(&server.name)), it);
        }
    }
    match &address.seen {
        Seen::Session(session) => {
            let all = of_session(session, report.today(), probed.digest());
            more(out, "What the server said and showed", &all);
        }
        Seen::Unreachable(why) => {
            facts(out, &[Fact { label: "unreachable", text: plain(why) }]);
        }
        Seen::NotTried(why) => facts(out, &[Fact { label: "not tried", text: plain(why) }]),
    }
}

fn tests(out: &mut String, at: &str, judged: &AddressJudgement) {
    let _ = writeln!(
        out,
        "<table class=\"tests\">\n<caption>Tests at {}</caption>\n<thead><tr><th scope=\"col\">Result</th><th scope=\"col\">Test</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>",
        escaped(at)
    );
    for test in &judged.tests {
        let result = test.result.name();
        let _ = writeln!(
            out,
            "<tr class=\"{result}\"><td class=\"result\">{}{}</td><th scope=\"row\">{}</th><td>{}</td></tr>",
            icon(result),
            tested(test.result),
            escaped(&name(test.name)),
            escaped(&plain(&test.text))
        );
    }
    out.push_str("</tbody>\n</table>\n");
}
