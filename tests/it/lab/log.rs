//! Reads the log that Postfix writes: what became of a message, and what Postfix complained of.

use super::Delivery;
use std::collections::HashMap;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Delivered. With the first word of "Verified TLS connection established" (Verified, Trusted,
    /// Untrusted or Anonymous), or None: in clear text, or with a TLS log level of 0.
    Sent {
        /// The word.
        tls: Option<String>,
    },
    /// To be tried again.
    Deferred {
        /// The text in parentheses.
        reason: String,
    },
    /// Given up.
    Bounced {
        /// The text in parentheses.
        reason: String,
    },
    /// The log does not say.
    Unknown,
}

/// One line: `Nov 24 08:47:07 lab postfix/smtp[13616]: text`.
struct Line<'a> {
    /// `postfix/smtp`.
    program: &'a str,
    /// `postfix/smtp[13616]`.
    process: &'a str,
    text: &'a str,
}

fn lines(log: &str) -> impl DoubleEndedIterator<Item = Line<'_>> {
    log.lines().filter_map(|line| {
        let (head, text) = line.split_once("]: ")?;
        let process = &head[head.rfind(' ')? + 1..];
        Some(Line { program: process.split_once('[')?.0, process, text })
    })
}

/// What the log says of the newest message to `u@` this domain.
pub(super) fn outcome(log: &str, domain: &str) -> Outcome {
    let recipient = format!(": to=<u@{domain}>, ");
    let mut lines = lines(log).rev();
    let Some(line) =
        lines.find(|line| line.text.contains(&recipient) && line.text.contains(", status="))
    else {
        return Outcome::Unknown;
    };
    // The process said this before, but after its last delivery.
    let same_delivery = lines
        .filter(|other| other.process == line.process)
        .take_while(|other| !other.text.contains(", status="));
    let mut tls =
        same_delivery.filter_map(|other| other.text.split_once(" TLS connection established to "));
    ending(line.text, tls.next().map(|(word, _)| word.to_owned()))
}

/// The outcome that stands in the line that ends a delivery.
fn ending(text: &str, tls: Option<String>) -> Outcome {
    let (_, status) = text.split_once(", status=").unwrap_or_default();
    let (word, rest) = status.split_once(' ').unwrap_or((status, ""));
    let reason =
        rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest).to_owned();
    match word {
        "sent" => Outcome::Sent { tls },
        "deferred" => Outcome::Deferred { reason },
        "bounced" => Outcome::Bounced { reason },
        _ => Outcome::Unknown,
    }
}

/// Does the log say that a daemon dies on its configuration? Then mail waits for a minute or more.
pub(super) fn daemon_cannot_run(log: &str) -> bool {
    lines(log).any(|line| line.text.contains("bad command startup -- throttling"))
}

/// Has any daemon died, or could master(8) not start?
pub(super) fn fatal(log: &str) -> bool {
    lines(log).any(|line| is_fatal(line.text))
}

fn is_fatal(text: &str) -> bool {
    text.starts_with("fatal: ") || text.starts_with("panic: ")
}

/// The complaints in the log, each once, without times and process numbers.
pub(super) fn complaints(log: &str) -> Vec<String> {
    let mut complaints: Vec<String> = Vec::new();
    for line in lines(log) {
        if is_complaint(line.text) {
            add(
                &mut complaints,
                format!("{}: {}", line.program, without_process_number(line.text)),
            );
        }
    }
    complaints
}

/// master(8) names the process that died.
fn without_process_number(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    if let Some(at) =
        words.iter().position(|word| *word == "pid").filter(|_| text.contains(": process "))
    {
        words.drain(at..(at + 2).min(words.len()));
    }
    words.join(" ")
}

/// Is this what one of Postfix's programs prints for a problem? With or without the program's name before it.
pub(super) fn is_complaint(text: &str) -> bool {
    // The clocks of a machine that was stopped for a moment are no matter of its configuration.
    let of_clocks = ["file system clock is ", "resetting file time stamps"];
    if of_clocks.iter().any(|it| text.contains(it)) {
        return false;
    }
    // A queue id and a colon may stand before "warning".
    let mut words = text.splitn(4, ": ").take(3);
    words.any(|word| ["warning", "error", "fatal", "panic"].contains(&word)) || is_fatal(text)
}

/// Adds a line that is not there yet: postconf repeats what it says of a young file.
pub(super) fn add(complaints: &mut Vec<String>, complaint: String) {
    if !complaints.contains(&complaint) {
        complaints.push(complaint);
    }
}

/// What became of each recipient `u@domain`, by domain. A process says all that it has to say of a delivery before
/// the line that ends it, and after the one that ended its last.
pub(super) fn deliveries(log: &str) -> HashMap<String, Delivery> {
    let mut open: HashMap<&str, Delivery> = HashMap::new();
    let mut ended = HashMap::new();
    for line in lines(log) {
        let new = || Delivery { outcome: Outcome::Unknown, warnings: Vec::new(), level: None };
        let delivery = open.entry(line.process).or_insert_with(new);
        if let Some((_, rest)) = line.text.split_once(": to=<u@")
            && let Some((domain, rest)) = rest.split_once(">, ")
            && rest.contains(", status=")
        {
            let mut delivery = open.remove(line.process).expect("it is there");
            delivery.outcome = ending(rest, tls_word(&delivery.outcome));
            ended.insert(domain.to_owned(), delivery);
        } else if let Some((word, _)) = line.text.split_once(" TLS connection established to ") {
            delivery.outcome = Outcome::Sent { tls: Some(word.to_owned()) };
        } else if let Some(level) = line.text.strip_prefix("effective TLS level: ") {
            delivery.level = Some(level.to_owned());
        } else if is_complaint(line.text) {
            delivery.warnings.push(line.text.to_owned());
        }
    }
    ended
}

fn tls_word(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Sent { tls } => tls.clone(),
        Outcome::Deferred { .. } | Outcome::Bounced { .. } | Outcome::Unknown => None,
    }
}
