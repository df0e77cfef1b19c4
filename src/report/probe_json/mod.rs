//! What `postls probe` saw of destinations, for programs. The form is a promise: fields are added, never
//! changed.
//!
//! Texts of servers and domains are in it as they came: whoever shows them makes them harmless.

mod dns;
mod judged;
mod route;
mod session;

use schemars::JsonSchema;
use serde::Serialize;

use super::probe::{Meets, Probed, Report, Testing, moment, signed};
use super::{json, query_json};
use crate::observation;
use crate::verdict::Verdict;
use dns::Sts;
use judged::{Could, Suggestion, VerdictWord, Why};
use route::Route;

/// What `postls probe --format json` prints: what was seen of destinations, and what becomes of mail for them.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls probe")]
pub(super) struct Probe<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/probe/v1"))]
    schema: &'static str,
    /// The version of Postfix that the files were judged for, such as 3.7.
    postfix: String,
    /// Why that version: "the one installed here", "--postfix", "the policy file", …
    postfix_why: &'a str,
    /// The service in master.cf whose mail it is about.
    service: &'a str,
    /// The name of the host that looked, as Postfix has it (myhostname).
    host: &'a str,
    /// When the run began.
    began: Moment,
    /// When it ended.
    ended: Moment,
    /// The destinations, in the order of the questions.
    destinations: Vec<One<'a>>,
    /// What was not looked at. Silence about it does not mean health.
    not_checked: Vec<NotChecked<'a>>,
    /// How many destinations there are of each kind.
    summary: Summary,
}

/// A second.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "moment")]
struct Moment {
    /// Seconds since 1970-01-01 UTC.
    seconds: i64,
    /// The same as text, such as 2026-11-30T08:15:00Z; null before 1970 and after 9999.
    utc: Option<String>,
}

/// One destination.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "destination")]
struct One<'a> {
    /// The next-hop destination.
    destination: &'a str,
    /// What becomes of mail for it.
    verdict: VerdictWord,
    /// Why.
    reason: Why<'a>,
    /// Whether that is as the policy asks; null: it could not be seen.
    meets_policy: Option<bool>,
    /// Whether the policy is `testing: true` in the policy file: judged as if it were in force, and never a
    /// failure of the run.
    testing: bool,
    /// The policy, as `postls query --format json` has it.
    policy: query_json::Answer<'a>,
    /// When it was looked at.
    at: Moment,
    /// The way to its servers, and what they said.
    route: Route<'a>,
    /// The MTA-STS policy of the domain (RFC 8461).
    sts: Looked<'a, Sts<'a>>,
    /// The texts of the domain's TLSRPT records (RFC 8460).
    tls_reports: Looked<'a, &'a [String]>,
    /// What is so beside the verdict and will bite.
    notes: Vec<Why<'a>>,
    /// The strictest policy that everything that was seen would satisfy; null: nothing was seen.
    could: Option<Could<'a>>,
    /// What to do; null: nothing.
    suggestion: Option<Suggestion<'a>>,
}

/// What came of looking for something.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "looked-{T}")]
struct Looked<'a, T> {
    /// What came of it.
    state: State,
    /// Why it could not be seen, or why nobody looked; null otherwise.
    why: Option<&'a str>,
    /// What is there; null: nothing was seen.
    found: Option<T>,
}

/// What came of looking for something.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "looked-state")]
enum State {
    /// It is there.
    Found,
    /// There is certainly nothing.
    Nothing,
    /// It could not be seen.
    Failed,
    /// Nobody looked.
    NotAsked,
}

/// Something that was not looked at.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "not-checked")]
struct NotChecked<'a> {
    /// What.
    what: &'a str,
    /// Why.
    why: &'a str,
}

/// How many destinations there are of each kind.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "summary")]
struct Summary {
    /// All.
    destinations: usize,
    /// Mail goes to a server that proved to be the one that the policy names.
    verified: usize,
    /// To one with a certificate that a trusted authority signed.
    trusted: usize,
    /// Over TLS, to whoever answered.
    encrypted: usize,
    /// In the clear.
    plaintext: usize,
    /// It would wait.
    would_defer: usize,
    /// It could not be seen.
    unknown: usize,
    /// Those that do not meet a policy that is in force.
    failed: usize,
    /// Those whose policy is not in force, `testing: true`.
    testing: usize,
}

/// All as one JSON object.
pub(super) fn probe(report: &Report<'_>) -> String {
    let count = |verdict| report.count(verdict);
    json::pretty(&Probe {
        schema: "postls/probe/v1",
        postfix: report.postfix.to_string(),
        postfix_why: report.postfix_why,
        service: report.service,
        host: report.host,
        began: at(signed(report.began)),
        ended: at(signed(report.ended)),
        destinations: report.probed.iter().map(|it| destination(report, it)).collect(),
        not_checked: report
            .not_checked
            .iter()
            .map(|(what, why)| NotChecked { what, why })
            .collect(),
        summary: Summary {
            destinations: report.probed.len(),
            verified: count(Verdict::Verified),
            trusted: count(Verdict::Trusted),
            encrypted: count(Verdict::Encrypted),
            plaintext: count(Verdict::Plaintext),
            would_defer: count(Verdict::WouldDefer),
            unknown: count(Verdict::Unknown),
            failed: report.probed.iter().filter(|it| it.fails()).count(),
            testing: report.probed.iter().filter(|it| it.testing == Testing::Testing).count(),
        },
    })
}

fn destination<'a>(report: &Report<'a>, probed: &'a Probed) -> One<'a> {
    let (seen, judgement) = (&probed.observation, &probed.judgement);
    One {
        destination: &probed.answered.destination,
        verdict: judged::verdict(judgement.verdict),
        reason: judged::why(&judgement.why),
        meets_policy: match probed.meets() {
            Meets::Yes => Some(true),
            Meets::No => Some(false),
            Meets::NotSeen => None,
        },
        testing: match probed.testing {
            Testing::InForce => false,
            Testing::Testing => true,
        },
        policy: query_json::answer(report.sources, &probed.answered),
        at: at(signed(seen.at)),
        route: route::route(seen, judgement, report.today()),
        sts: looked(&seen.sts, dns::sts),
        tls_reports: looked(&seen.tls_reports, Vec::as_slice),
        notes: judgement.notes.iter().map(judged::why).collect(),
        could: judgement.could.as_ref().map(judged::could),
        suggestion: judgement.suggestion.as_ref().map(judged::suggestion),
    }
}

fn at(seconds: i64) -> Moment {
    Moment { seconds, utc: moment(seconds) }
}

fn looked<'a, T, S>(it: &'a observation::Looked<T>, found: impl Fn(&'a T) -> S) -> Looked<'a, S> {
    let (state, why, found) = match it {
        observation::Looked::Found(it) => (State::Found, None, Some(found(it))),
        observation::Looked::Nothing => (State::Nothing, None, None),
        observation::Looked::Failed(why) | observation::Looked::Late(why) => {
            (State::Failed, Some(why.as_str()), None)
        }
        observation::Looked::NotAsked(why) => (State::NotAsked, Some(*why), None),
    };
    Looked { state, why, found }
}
