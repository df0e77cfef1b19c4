//! One address of a server: what becomes of mail there, stage by stage as a connection meets them
//! (`smtp_helo` and `smtp_start_tls` in `smtp/smtp_proto.c`).

use super::proof::{self, Proof};
use super::{AddressJudgement, Logins, Reason, Subject, Test, TestResult, Verdict, Why};
use crate::observation::Looked;
use crate::observation::route::{Address, By, Seen, Server};
use crate::observation::session::{Reply, Said, Session, Starttls, Tls, TlsFailure};
use crate::policy::outcome::Outcome;
use crate::policy::session::{HostLevel, Wait};
use crate::postfix::SecurityLevel;

/// Ends a walk.
struct End(Verdict, Why);

/// What is so for one address.
pub(super) fn judge(
    subject: &Subject<'_>,
    by: By,
    server: &Server,
    address: &Address,
) -> AddressJudgement {
    let level = subject.level_at(by, server);
    let mut walk = Walk { subject, server, tests: Vec::new() };
    let End(verdict, why) = match walk.walk(&level, address) {
        Ok(end) | Err(end) => end,
    };
    let tests = walk.tests;
    // Postfix waits longer for TLSA records than the probe did, and may find them or none.
    if let (HostLevel::Deferred(Wait::TlsaFailed), Looked::Late(text)) = (&level, &server.tlsa)
        && subject.policy.outcome != Outcome::Deferred
    {
        let why = Why { reason: Reason::DnsFailed, text: text.clone() };
        return AddressJudgement { verdict: Verdict::Unknown, why, tests };
    }
    match waits(subject, &level) {
        // Whatever the server does. What was seen stays to be read.
        Some(why) => AddressJudgement { verdict: Verdict::WouldDefer, why, tests },
        None => AddressJudgement { verdict, why, tests },
    }
}

/// Why mail waits before any server is asked, if it does.
fn waits(subject: &Subject<'_>, level: &HostLevel) -> Option<Why> {
    if subject.policy.outcome == Outcome::Deferred {
        return Some(Why { reason: Reason::PolicyDefers, text: subject.policy.reason.clone() });
    }
    if let (Some(why), Needed::Yes) = (subject.no_engine, asks_for_tls(level)) {
        return Some(Why {
            reason: Reason::PolicyDefers,
            text: format!("TLS is unavailable: {why}"),
        });
    }
    let HostLevel::Deferred(wait) = level else { return None };
    let reason = match wait {
        Wait::Policy | Wait::Wrappermode => Reason::PolicyDefers,
        Wait::TlsaFailed => Reason::DnsFailed,
        Wait::TlsaMissing | Wait::InsecureExchanger => Reason::TlsaMissing,
        Wait::TlsaUnusable => Reason::TlsaUnusable,
        Wait::NotAuthorized => Reason::StsConflict,
    };
    Some(Why { reason, text: wait.words().to_owned() })
}

struct Walk<'w> {
    subject: &'w Subject<'w>,
    server: &'w Server,
    tests: Vec<Test>,
}

impl Walk<'_> {
    fn walk(&mut self, level: &HostLevel, address: &Address) -> Result<End, End> {
        let session = self.session(address)?;
        if session.starttls != Starttls::Wrapper {
            self.greeted(session)?;
            // What comes of a STARTTLS that Postfix would not send is nothing to it.
            if let Some(why) = self.is_off(level) {
                return Ok(end(Verdict::Plaintext, Reason::TlsOff, why));
            }
            self.starttls(level, session)?;
        }
        let Some(tls) = &session.tls else {
            let text = "TLS was not begun".to_owned();
            return Ok(end(Verdict::Unknown, Reason::NotTried, text));
        };
        let tls = self.handshake(level, tls)?;
        if session.starttls == Starttls::Wrapper {
            self.greeted(session)?;
        }
        // Who it is comes before what it says.
        let end = self.proof(level, tls);
        if end.0.delivers() {
            self.hello_in_tls(session)?;
        }
        Ok(end)
    }

    /// Why there is no TLS whatever the server offers, and mail goes out without.
    fn is_off(&self, level: &HostLevel) -> Option<String> {
        match (level, self.subject.no_engine) {
            (HostLevel::Level(SecurityLevel::None), _) => Some("the policy has no TLS".to_owned()),
            (HostLevel::Level(SecurityLevel::May), Some(why)) => {
                Some(format!("the client has no TLS: {why}"))
            }
            (HostLevel::Level(_) | HostLevel::Tlsa(..) | HostLevel::Deferred(_), _) => None,
        }
    }

    fn session<'s>(&mut self, address: &'s Address) -> Result<&'s Session, End> {
        match &address.seen {
            Seen::Session(session) => {
                let after = format!("after {} ms", session.connected_after);
                self.test("connection", TestResult::Passed, after);
                Ok(session)
            }
            Seen::Unreachable(why) => {
                self.test("connection", TestResult::NotSeen, why.clone());
                Err(end(Verdict::Unknown, Reason::Unreachable, why.clone()))
            }
            Seen::NotTried(why) => {
                self.test("connection", TestResult::NotSeen, (*why).to_owned());
                Err(end(Verdict::Unknown, Reason::NotTried, (*why).to_owned()))
            }
        }
    }

    /// The greeting, and the reply to EHLO or HELO.
    fn greeted(&mut self, session: &Session) -> Result<(), End> {
        for (name, said) in [("greeting", &session.greeting), ("ehlo", &session.hello)] {
            match said {
                None => return Ok(()),
                Some(said) => self.reply(name, said)?,
            }
        }
        Ok(())
    }

    /// A reply without which nothing goes on. Of a server that says no, or nothing, it is not known whether it
    /// would do TLS.
    fn reply(&mut self, name: &'static str, said: &Said) -> Result<(), End> {
        let (reason, text) = match said {
            Said::Reply(reply) if reply.code / 100 == 2 => {
                self.test(name, TestResult::Passed, shown(reply));
                return Ok(());
            }
            Said::Reply(reply) if reply.code / 100 == 5 => (Reason::ServerRefuses, shown(reply)),
            Said::Reply(reply) => (Reason::ServerBusy, shown(reply)),
            Said::Nothing(why) => (Reason::NoAnswer, why.clone()),
        };
        self.test(name, TestResult::NotSeen, text.clone());
        Err(end(Verdict::Unknown, reason, text))
    }

    fn starttls(&mut self, level: &HostLevel, session: &Session) -> Result<(), End> {
        let needed = asks_for_tls(level);
        let (reason, text) = match &session.starttls {
            // A walk that comes here has heard a reply to EHLO.
            Starttls::Wrapper | Starttls::NotReached => return Ok(()),
            Starttls::Accepted => {
                self.test("starttls", TestResult::Passed, "offered and accepted".to_owned());
                return Ok(());
            }
            Starttls::Injected => {
                let text =
                    "what was sent behind the reply to STARTTLS was thrown away, as Postfix does";
                self.test("starttls", TestResult::NotNeeded, text.to_owned());
                return Ok(());
            }
            Starttls::Offered => {
                self.test("starttls", TestResult::NotNeeded, "offered and not used".to_owned());
                return Ok(());
            }
            Starttls::NotOffered => {
                (Reason::StarttlsNotOffered, "the reply to EHLO does not offer STARTTLS".to_owned())
            }
            // With this one it takes its leave, and could do the same before any command.
            Starttls::Refused(Said::Reply(reply)) if reply.code == 421 => {
                self.test("starttls", TestResult::NotSeen, shown(reply));
                return Err(end(Verdict::Unknown, Reason::ServerBusy, shown(reply)));
            }
            Starttls::Refused(Said::Reply(reply)) => {
                (Reason::StarttlsRefused, format!("refused after it was offered: {}", shown(reply)))
            }
            Starttls::Refused(Said::Nothing(why)) => {
                self.test("starttls", TestResult::NotSeen, why.clone());
                return Err(end(Verdict::Unknown, Reason::NoAnswer, why.clone()));
            }
        };
        match needed {
            Needed::Yes => {
                self.test("starttls", TestResult::Failed, text.clone());
                Err(end(Verdict::WouldDefer, reason, text))
            }
            Needed::No => {
                self.test("starttls", TestResult::NotNeeded, text.clone());
                Err(end(Verdict::Plaintext, reason, text))
            }
        }
    }

    fn handshake<'t>(
        &mut self,
        level: &HostLevel,
        tls: &'t Result<Tls, TlsFailure>,
    ) -> Result<&'t Tls, End> {
        let failure = match tls {
            Ok(tls) => {
                let group = tls.group.as_deref().map(|it| format!(", {it}")).unwrap_or_default();
                let text = format!("{} with {}{group}", tls.protocol, tls.cipher);
                self.test("handshake", TestResult::Passed, text);
                return Ok(tls);
            }
            Err(failure) => failure,
        };
        let text = match failure {
            TlsFailure::Handshake(why) | TlsFailure::Settings(why) => why.clone(),
            TlsFailure::Closed => "the server ended the connection".to_owned(),
            // Postfix goes on with it.
            TlsFailure::Unreadable(text) => {
                self.test("handshake", TestResult::NotSeen, text.clone());
                return Err(end(Verdict::Unknown, Reason::NotTried, text.clone()));
            }
            TlsFailure::Timeout => {
                let text = "no answer in time".to_owned();
                self.test("handshake", TestResult::NotSeen, text.clone());
                return Err(end(Verdict::Unknown, Reason::NoAnswer, text));
            }
        };
        match asks_for_tls(level) {
            Needed::Yes => {
                self.test("handshake", TestResult::Failed, text.clone());
                Err(end(Verdict::WouldDefer, Reason::HandshakeFailed, text))
            }
            Needed::No => {
                self.test("handshake", TestResult::NotNeeded, text.clone());
                let unless = match self.subject.logins {
                    Logins::Never => "",
                    // `HAVE_SASL_CREDENTIALS`
                    Logins::Perhaps => {
                        ", unless the client has a password for it: then it waits on"
                    }
                };
                let text = format!(
                    "{text}: mail waits minimal_backoff_time, and then goes in the clear{unless}"
                );
                Err(end(Verdict::Plaintext, Reason::HandshakeFailed, text))
            }
        }
    }

    fn hello_in_tls(&mut self, session: &Session) -> Result<(), End> {
        match &session.hello_in_tls {
            None => Ok(()),
            Some(said) => self.reply("ehlo in tls", said),
        }
    }

    /// What the server proved, and whether that is what the level asks for.
    fn proof(&mut self, level: &HostLevel, tls: &Tls) -> End {
        let Proof { tests, verdict, why } = proof::of(self.subject, level, self.server, tls);
        self.tests.extend(tests);
        End(verdict, why)
    }

    fn test(&mut self, name: &'static str, result: TestResult, text: String) {
        self.tests.push(Test { name, result, text });
    }
}

/// Whether mail waits where there is no TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Yes,
    No,
}

fn asks_for_tls(level: &HostLevel) -> Needed {
    match level {
        HostLevel::Level(SecurityLevel::None | SecurityLevel::May) => Needed::No,
        HostLevel::Level(
            SecurityLevel::Encrypt
            | SecurityLevel::Dane
            | SecurityLevel::DaneOnly
            | SecurityLevel::Fingerprint
            | SecurityLevel::Verify
            | SecurityLevel::Secure,
        )
        | HostLevel::Tlsa(..)
        | HostLevel::Deferred(_) => Needed::Yes,
    }
}

fn end(verdict: Verdict, reason: Reason, text: String) -> End {
    End(verdict, Why { reason, text })
}

/// A reply in one line.
fn shown(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.lines.join(" ")).trim_end().to_owned()
}
