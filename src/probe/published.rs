//! What DNS publishes about a domain's mail besides its servers: where reports about TLS go to (RFC 8460), and the record
//! that says that there is an MTA-STS policy (RFC 8461).

use super::dns::{Answer, Data, Kind, Resolver};
use crate::observation::Looked;
use crate::observation::published;

/// The records at `_smtp._tls` of a domain. Whether they are good is said by
/// [`tls_report_trouble`](published::tls_report_trouble).
pub fn tls_reports(resolver: &Resolver, domain: &str) -> Looked<Vec<String>> {
    match texts(resolver, "_smtp._tls", domain) {
        Looked::Found(texts) => match published::tls_report_records(texts) {
            records if records.is_empty() => Looked::Nothing,
            records => Looked::Found(records),
        },
        other => other,
    }
}

/// The texts at a name below a domain. What is not UTF-8 in them is replaced.
pub(super) fn texts(resolver: &Resolver, below: &str, domain: &str) -> Looked<Vec<String>> {
    let Ok(domain) = idna::domain_to_ascii(domain) else {
        return Looked::NotAsked("it is no domain");
    };
    match resolver.ask(&format!("{below}.{domain}"), Kind::Txt) {
        Answer::Found(found) => {
            let texts = found.records.iter().filter_map(|it| match it {
                Data::Txt(text) => Some(String::from_utf8_lossy(text).into_owned()),
                Data::Mx(..) | Data::Address(_) | Data::Tlsa(_) | Data::Name(_) => None,
            });
            Looked::Found(texts.collect())
        }
        Answer::Nothing(_) | Answer::NullMx => Looked::Nothing,
        Answer::Malformed(words) | Answer::Refused(words) | Answer::Failed(words) => {
            Looked::Failed(words)
        }
        Answer::Late(words) => Looked::Late(words),
    }
}
