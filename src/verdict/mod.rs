//! What an observation means for a policy: whether mail goes out, to the right server, encrypted.
//!
//! A function of data. What is said here of a server is what Postfix does with it under the same policy
//! (`smtp/smtp_proto.c`, `smtp/smtp_tls_policy.c`, `tls/tls_client.c`); its log is the judge in the tests.

mod address;
mod could;
pub mod dane;
mod judge;
pub mod names;
mod proof;
pub mod reason;
mod suggest;

pub use judge::judge;
pub use reason::Reason;
pub use suggest::yaml as suggested;

use crate::observation::Looked;
use crate::observation::published::mx_matches;
use crate::observation::route::{By, Server};
use crate::policy::client::Client;
use crate::policy::effective::EffectivePolicy;
use crate::policy::session::{self, Exchanger, HostLevel, Records, Wait};

/// What an observation is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The client's settings.
    pub client: &'s Client,
    /// What no policy changes.
    pub parameters: &'s session::Parameters,
    /// The policy that holds for the destination.
    pub policy: &'s EffectivePolicy,
    /// The next-hop destination without brackets and port.
    pub nexthop: &'s str,
    /// When, in seconds since 1970-01-01 UTC.
    pub at: i64,
    /// So many days before its end a certificate is reported.
    pub expires_within: i64,
    /// Why the policy is not known: only a running Postfix can ask some table.
    pub undecided: Option<&'s str>,
    /// Why the client has no TLS at all, if so: a file with authorities that OpenSSL does not take.
    pub no_engine: Option<&'s str>,
    /// Whether it logs in to servers.
    pub logins: Logins,
    /// Who gets what the destination's servers do not take (`smtp_fallback_relay`); empty: nobody.
    pub fallback_relay: &'s str,
}

/// Whether a client logs in to servers (`smtp_sasl_auth_enable` and its password tables).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logins {
    /// Never.
    Never,
    /// To those that the tables have passwords for.
    Perhaps,
}

impl Subject<'_> {
    /// The level that holds at a server of the destination.
    pub fn level_at(&self, by: By, server: &Server) -> HostLevel {
        let exchanger = match by {
            By::Exchangers { secure: true } => Exchanger::Secure,
            By::Exchangers { secure: false } => Exchanger::Insecure,
            By::Implicit { .. } | By::Brackets | By::Native => Exchanger::None,
        };
        let patterns = &self.policy.mx_patterns;
        if !patterns.is_empty() && !patterns.iter().any(|it| mx_matches(it, &server.name)) {
            return HostLevel::Deferred(Wait::NotAuthorized);
        }
        let records = self.records(server);
        session::level_at(self.client, self.parameters, self.policy, exchanger, records)
    }

    /// What the server's TLSA records are good for.
    fn records(&self, server: &Server) -> Records {
        let tlsa = match &server.tlsa {
            Looked::Found(tlsa) if tlsa.secure => tlsa,
            Looked::Found(_) | Looked::Nothing | Looked::NotAsked(_) => return Records::Nothing,
            Looked::Failed(_) | Looked::Late(_) => return Records::Failed,
        };
        match dane::usable(&tlsa.records, &self.parameters.dane_digests) {
            dane::Usable::Some => Records::Usable,
            dane::Usable::NoneByUsage => Records::UnusableUsage,
            dane::Usable::NoneByContent => Records::UnusableContent,
        }
    }
}

/// What becomes of mail, in Postfix's words for TLS connections where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Over TLS, to a server that proved to be the one that the policy names.
    Verified,
    /// Over TLS, to a server whose certificate a trusted authority signed; nobody asked for which name.
    Trusted,
    /// Over TLS, to whoever answered.
    Encrypted,
    /// In the clear.
    Plaintext,
    /// It would wait, and at last come back.
    WouldDefer,
    /// The probe could not see it: no connection, a server that is busy, a resolver that failed.
    Unknown,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Verdict; 6] = [
        Verdict::Verified,
        Verdict::Trusted,
        Verdict::Encrypted,
        Verdict::Plaintext,
        Verdict::WouldDefer,
        Verdict::Unknown,
    ];

    /// The word in outputs for programs.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Verified => "verified",
            Verdict::Trusted => "trusted",
            Verdict::Encrypted => "encrypted",
            Verdict::Plaintext => "plaintext",
            Verdict::WouldDefer => "would-defer",
            Verdict::Unknown => "unknown",
        }
    }
}

/// What is so for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What becomes of mail: of the addresses that would take it, the weakest; where none would, would-defer
    /// if one was seen, and else unknown.
    pub verdict: Verdict,
    /// Why.
    pub why: Why,
    /// The addresses, in the order of [`crate::observation::Observation::addresses`].
    pub addresses: Vec<AddressJudgement>,
    /// What is so beside that and will bite: certificates that end, pins that nobody shows, addresses that
    /// would defer while others deliver, a published policy that asks for more than ours.
    pub notes: Vec<Why>,
    /// The strictest policy that everything that was seen would satisfy; `None`: nothing was seen.
    pub could: Option<Could>,
    /// What to do, if there is something.
    pub suggestion: Option<Suggestion>,
}

/// What is so for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressJudgement {
    /// What becomes of mail there.
    pub verdict: Verdict,
    /// Why.
    pub why: Why,
    /// Each thing that was looked at, in the order in which a connection meets them.
    pub tests: Vec<Test>,
}

/// A reason, with what is so in this case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The reason.
    pub reason: Reason,
    /// What is so, for people: one sentence, without a full stop.
    pub text: String,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name, for people and programs: `starttls`, `chain`, `names`, …
    pub name: &'static str,
    /// What came of it.
    pub result: TestResult,
    /// What is so, for people.
    pub text: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// As it should be.
    Passed,
    /// Not so, and the policy asks for it.
    Failed,
    /// Not so, and the policy does not ask for it.
    NotNeeded,
    /// It could not be seen.
    NotSeen,
}

impl TestResult {
    /// The word in outputs for programs.
    pub fn name(self) -> &'static str {
        match self {
            TestResult::Passed => "passed",
            TestResult::Failed => "failed",
            TestResult::NotNeeded => "not-needed",
            TestResult::NotSeen => "not-seen",
        }
    }
}

/// The strictest policy that would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Could {
    /// The policy as the right-hand side of a TLS policy table.
    pub policy: String,
    /// Why that, for people.
    pub text: String,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// In words.
    pub text: String,
    /// Lines for `destinations:` of the policy file, where that is the way.
    pub yaml: Option<String>,
    /// A command, where there is one for it.
    pub command: Option<String>,
}
