//! Masses of mail: one message to very many next-hop destinations, and what Postfix said of each delivery.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Lab;
use super::log::{self, Outcome};
use super::running::wait;

/// How long a delivery may take where many wait for their turn.
const SILENCE: Duration = Duration::from_secs(30);

/// What became of the message to one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// What the log says at its end.
    pub(crate) outcome: Outcome,
    /// What the process warned of on the way.
    pub(crate) warnings: Vec<String>,
    /// The security level, where the process is verbose and the level is not that of main.cf.
    pub(crate) level: Option<String>,
}

impl Lab {
    /// Queues one message to `u@` each of these domains, and waits until the log says what became of each,
    /// or says nothing new of any for a while. What it says of older messages to others is there as well.
    pub(crate) fn deliver(&self, domains: &[&str]) -> HashMap<String, Delivery> {
        let count = || self.log().matches(": to=<u@").count();
        let before = count();
        let mut known = (before, Instant::now());
        self.send(domains);
        wait(Duration::from_secs(3600), || {
            std::thread::sleep(Duration::from_millis(200));
            let count = count();
            if count != known.0 {
                known = (count, Instant::now());
            }
            let over = count >= before + domains.len() || known.1.elapsed() > SILENCE;
            over.then_some(())
        });
        log::deliveries(&self.log())
    }
}
