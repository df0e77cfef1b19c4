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
            let could = could?;
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
            let could = could?;
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
        | Reason::NotTried
        | Reason::CertificateExpiresSoon
        | Reason::PinNotSeen
        | Reason::AddressWouldDefer
        | Reason::StsConflict => None,
    }
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
    let command = Some(format!("postls probe --pin '{destination}' --expect FINGERPRINT"));
    Suggestion { text, yaml: None, command }
}

/// An entry for `destinations:`, from the right-hand side of a row.
pub fn yaml(destination: &str, policy: &str) -> String {
    let (level, rest) = policy.split_once(' ').unwrap_or((policy, ""));
    let plain = destination.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_".contains(&it));
    // A number or a word that YAML knows is none of them: names have letters and a dot.
    let key = if plain && destination.contains('.') && !destination.starts_with('-') {
        destination.to_owned()
    } else {
        format!("\"{}\"", destination.escape_default())
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
