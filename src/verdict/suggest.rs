//! What to do about a verdict: a row, a pin, a `match=`.

use std::fmt::Write as _;

use super::judge::sessions;
use super::{Could, Reason, Subject, Suggestion, Verdict, Why, proof};
use crate::observation::Observation;
use crate::policy::outcome::Outcome;

/// The suggestion, where there is one.
pub(super) fn suggest(
    subject: &Subject<'_>,
    observation: &Observation,
    why: &Why,
    verdict: Verdict,
    could: Option<&Could>,
) -> Option<Suggestion> {
    let destination = observation.destination.as_str();
    let row = |text: String, policy: &str| Suggestion {
        text,
        yaml: Some(yaml(destination, policy)),
        command: None,
    };
    match why.reason {
        Reason::FingerprintMismatch => Some(new_pin(subject, observation)),
        Reason::NameMismatch | Reason::TlsaMissing | Reason::TlsaUnusable => {
            let could = could.filter(|it| authenticates(it))?;
            let text = format!("today this would deliver: {}", could.text);
            Some(row(text, &could.policy))
        }
        Reason::ChainUntrusted => {
            let by_system = sessions(observation)
                .all(|(_, tls)| tls.trusted_by_system.as_ref().is_some_and(Result::is_ok));
            if by_system {
                let text = "this host's own authorities signed for it: name them in \
                            smtp_tls_CAfile, or in tafile= of the policy";
                return Some(Suggestion { text: text.to_owned(), yaml: None, command: None });
            }
            let could = could.filter(|it| authenticates(it))?;
            Some(row(format!("today this would deliver: {}", could.text), &could.policy))
        }
        Reason::StarttlsNotOffered
        | Reason::StarttlsRefused
        | Reason::HandshakeFailed
        | Reason::TlsaMismatch
        | Reason::StarttlsInjection
        | Reason::ServerBusy
        | Reason::ServerRefuses
        | Reason::NoAnswer
        | Reason::Unreachable
        | Reason::PolicyDefers
        | Reason::DnsFailed => {
            let advice = why.reason.facts().advice;
            let text = advice.to_owned();
            (!advice.is_empty()).then_some(Suggestion { text, yaml: None, command: None })
        }
        Reason::TlsIsEnough | Reason::TlsOff => {
            let is_open = match subject.policy.outcome {
                Outcome::Opportunistic | Outcome::Plaintext => true,
                Outcome::Enforced | Outcome::Deferred => false,
            };
            let could = could.filter(|it| is_open && verdict.delivers() && it.policy != "may")?;
            Some(row(format!("it could have more: {}", could.text), &could.policy))
        }
        Reason::CertificateVerified
        | Reason::FingerprintMatched
        | Reason::TlsaMatched
        | Reason::NoSuchDomain
        | Reason::MailLoops
        | Reason::DestinationMalformed
        | Reason::NotTried
        | Reason::CertificateExpiresSoon
        | Reason::PinNotSeen
        | Reason::AddressWouldDefer
        | Reason::FallbackRelay
        | Reason::StsConflict => None,
    }
}

/// Whether it asks who the server is: nobody is told to give that up.
fn authenticates(could: &Could) -> bool {
    let level = could.policy.split(' ').next().unwrap_or_default();
    ["secure", "fingerprint", "dane-only"].contains(&level)
}

fn new_pin(subject: &Subject<'_>, observation: &Observation) -> Suggestion {
    let destination = observation.destination.as_str();
    let since = sessions(observation)
        .find_map(|(_, tls)| Some(proof::days(tls.chain.first()?.not_before, subject.at)));
    let since = since.map(|it| format!(", with a certificate that began {it} days ago"));
    let text = format!(
        "it has another key now{}; ask the other side for its fingerprint by other means, and \
         give it as what is expected",
        since.unwrap_or_default()
    );
    // In a shell nothing between these quotes means anything, but for the quote itself.
    let quoted = destination.replace('\'', "'\\''");
    let command = Some(format!("postls probe --pin '{quoted}' --expect FINGERPRINT"));
    Suggestion { text, yaml: None, command }
}

/// An entry for `destinations:`, from the right-hand side of a row.
pub fn yaml(destination: &str, policy: &str) -> String {
    let (level, rest) = policy.split_once(' ').unwrap_or((policy, ""));
    let plain = destination.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_".contains(&it));
    // A number or a word that YAML knows is none of them: names have letters and a dot.
    let has_letter = destination.bytes().any(|it| it.is_ascii_alphabetic());
    let key = if plain && has_letter && destination.contains('.') && !destination.starts_with('-') {
        destination.to_owned()
    } else {
        double_quoted(destination)
    };
    let Some(list) = rest.strip_prefix("match=") else { return format!("{key}: {level}\n") };
    if level == "fingerprint" {
        let mut text = format!("{key}:\n  level: fingerprint\n  pins:\n");
        for pin in list.split('|') {
            let _ = writeln!(text, "    - public-key: \"{pin}\"");
        }
        return text;
    }
    let names: Vec<&str> = list.split(':').collect();
    format!("{key}: {{level: {level}, match: [{}]}}\n", names.join(", "))
}

/// A text in YAML's double quotes.
fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            // Those that are control characters fit in four digits.
            it if it.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(it));
            }
            it => quoted.push(it),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_yaml_whatever_it_is_about() {
        for (destination, policy, want) in [
            ("a.example", "encrypt", "a.example: encrypt\n"),
            ("[a.example]:25", "may", "\"[a.example]:25\": may\n"),
            ("b\u{fc}cher.example", "may", "\"b\u{fc}cher.example\": may\n"),
            ("a\"\\\n: x", "may", "\"a\\\"\\\\\\u000a: x\": may\n"),
            ("1.5", "may", "\"1.5\": may\n"),
            (
                "a.example",
                "secure match=x.example:.y.example",
                "a.example: {level: secure, match: [x.example, .y.example]}\n",
            ),
            (
                "a.example",
                "fingerprint match=AA:BB|CC:DD",
                "a.example:\n  level: fingerprint\n  pins:\n    - public-key: \"AA:BB\"\n    \
                 - public-key: \"CC:DD\"\n",
            ),
        ] {
            assert_eq!(yaml(destination, policy), want);
        }
    }
}
