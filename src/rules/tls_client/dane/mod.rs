//! What the rules about DANE have in common: who wants it.

use std::sync::Arc;

use super::{Seen, each_client, related};
use crate::config::{Given, TlsClient};
use crate::finding::Severity;
use crate::lint::{Context, Findings};
use crate::postfix::SecurityLevel;
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

/// Why a client does not do DANE.
pub(super) struct Reason {
    /// The setting that is so.
    pub(super) given: Arc<Given>,
    /// `without dnssec`
    pub(super) why: &'static str,
    /// What to do about it.
    pub(super) help: String,
}

/// Reports each client that should do DANE and has a reason not to. A row dane-only holds its
/// mail by itself, and is not reported here.
pub(super) fn check(
    context: &Context<'_>,
    findings: &mut Findings,
    reason: &dyn Fn(&TlsClient<'_>) -> Option<Reason>,
) {
    each_client(context, &mut |seen| {
        if let Some(reason) = reason(&seen.client) {
            report(seen, findings, &reason);
        }
    });
}

fn report(seen: &Seen<'_>, findings: &mut Findings, reason: &Reason) {
    let Reason { given, why, help } = reason;
    let acts = |level| match level {
        SecurityLevel::DaneOnly => format!("all mail at level dane-only waits {why}"),
        _ => format!("level dane acts as may {why}"),
    };
    let is_dane = |level| matches!(level, SecurityLevel::Dane | SecurityLevel::DaneOnly);
    if let Some(global) = seen.client.level().filter(|it| is_dane(it.level))
        && let Some(set) = given.set.or(global.given.set)
    {
        let finding = findings.at(set, acts(global.level));
        related(finding.help(help.clone()), &global.given, "the level");
        return;
    }
    if let Some(row) = seen.row(|level| level == SecurityLevel::Dane)
        && let Some(set) = given.set.or(seen.client.level_tables().and_then(|it| it.set))
    {
        let finding = findings.at(set, acts(SecurityLevel::Dane));
        finding.help(help.clone()).related(row, "this row wants dane");
    }
    // What dane-only cannot do is found with each policy.
    for (level, span) in seen.destinations().filter(|it| it.0 == SecurityLevel::Dane) {
        let finding = findings.milder(Severity::Error, span, acts(level));
        related(finding.help(help.clone()), given, "the setting");
    }
}

/// Whether a list has a word. In upper case it is a mistake of its own.
pub(super) fn has_word(given: &Given, word: &str) -> bool {
    let mut words = lists::words(&given.value, COMMA_SPACE_FLAT);
    words.any(|it| given.value[it].eq_ignore_ascii_case(word.as_bytes()))
}
