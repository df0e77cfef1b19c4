//! What Postfix did with the rows.

use std::collections::{HashMap, HashSet};

use postls::policy::outcome::Outcome as Word;

use super::Trial;
use super::said::Policy;
use crate::lab::{Delivery, Outcome};

/// All deliveries of a scenario, by the recipient's domain.
pub(super) struct Seen {
    deliveries: HashMap<String, Delivery>,
    ignored: HashSet<String>,
}

impl Seen {
    pub(super) fn new(deliveries: HashMap<String, Delivery>) -> Seen {
        let ignored = ignored(&deliveries);
        Seen { deliveries, ignored }
    }

    pub(super) fn delivery(&self, trial: &Trial) -> Option<&Delivery> {
        self.deliveries.get(&trial.domain)
    }

    /// Whether Postfix reads the table as if the row was not there.
    pub(super) fn is_ignored(&self, trial: &Trial) -> bool {
        self.ignored.contains(&trial.key)
    }

    /// Whether Postfix does not take the row.
    pub(super) fn is_without(&self, trial: &Trial) -> bool {
        self.is_ignored(trial) || self.is_refused(trial)
    }

    /// Whether a row holds mail whatever the server does. What the server is not trusted for is its author's wish, if
    /// the same row for this server is kept.
    fn is_refused(&self, trial: &Trial) -> bool {
        const WISHES: &[&str] =
            &["Server certificate not ", "server unavailable or unable to receive"];
        let Some(reason) = self.held(&trial.domain) else { return false };
        let is_wish = WISHES.iter().any(|it| reason.starts_with(it))
            && trial.twin.as_ref().is_some_and(|it| self.held(it).is_none());
        !is_wish
    }

    /// What became of mail, in postls' words: this server offers TLS, and another one does not.
    fn outcome(&self, trial: &Trial) -> Word {
        let sent = |domain: &String| match self.deliveries.get(domain).map(|it| &it.outcome) {
            Some(Outcome::Sent { tls }) => Some(tls.is_some()),
            Some(Outcome::Deferred { .. } | Outcome::Bounced { .. } | Outcome::Unknown) | None => {
                None
            }
        };
        match (sent(&trial.domain), sent(&trial.clear_domain)) {
            _ if self.is_refused(trial) => Word::Deferred,
            (Some(false), _) => Word::Plaintext,
            (Some(true) | None, Some(_)) => Word::Opportunistic,
            (Some(true) | None, None) => Word::Enforced,
        }
    }

    /// What is otherwise than the policy says, if something is; `level` is main.cf's.
    pub(super) fn other_than(
        &self,
        policy: &Policy,
        trial: &Trial,
        level: Option<&str>,
    ) -> Option<String> {
        let outcome = self.outcome(trial);
        if policy.outcome != outcome.name() {
            return Some(format!("{outcome:?} and not {}", policy.outcome));
        }
        let main_cf = level?;
        if outcome == Word::Deferred {
            return None;
        }
        let level = self.delivery(trial).and_then(|it| it.level.as_deref()).unwrap_or(main_cf);
        let said = policy.level.as_deref();
        // With TLSA records at hand, Postfix makes no difference any more.
        let same = said == Some(level) || (said, level) == (Some("dane-only"), "dane");
        (!same).then(|| format!("level {level} and not {said:?}"))
    }

    /// Why a message is held, where that is not the server's doing.
    fn held(&self, domain: &str) -> Option<&str> {
        /// What this server answers, another one might take.
        const SERVER: &[&str] = &["alert handshake failure", "alert protocol version"];
        let Some(delivery) = self.deliveries.get(domain) else { return Some("nothing is known") };
        let by_server = |said: &String| SERVER.iter().any(|it| said.contains(it));
        match &delivery.outcome {
            Outcome::Sent { .. } => None,
            Outcome::Deferred { .. } if delivery.warnings.iter().any(by_server) => None,
            Outcome::Deferred { reason } | Outcome::Bounced { reason } => Some(reason),
            Outcome::Unknown => Some("nothing is known"),
        }
    }
}

/// The keys whose rows Postfix does without, when it reads the table.
fn ignored(deliveries: &HashMap<String, Delivery>) -> HashSet<String> {
    let key = |said: &String| {
        // A tabulator is shown as a question mark.
        let (_, row) = said.strip_suffix("-- ignoring this line")?.split_once('"')?;
        Some(row.split([' ', '?']).next()?.to_owned())
    };
    deliveries.values().flat_map(|it| &it.warnings).filter_map(key).collect()
}
