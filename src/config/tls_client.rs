//! The TLS settings of smtp(8) and lmtp(8), in each place where they hold
//! (`smtp/smtp.c`, `smtp/smtp_tls_policy.c`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::{Effective, Scope, Within};
use crate::postfix::{self, SecurityLevel};
use crate::text::Span;

/// smtp(8) or lmtp(8), where it runs with the same settings.
#[derive(Clone, Copy, Debug)]
pub struct TlsClient<'e> {
    /// `smtp` or `lmtp`: the program, and what its parameters begin with.
    pub program: &'static str,
    /// main.cf or a service of master.cf.
    pub within: Within<'e>,
    effective: &'e Effective<'e>,
}

/// What a parameter says.
#[derive(Clone, Debug)]
pub struct Given {
    /// The parameter.
    pub name: String,
    /// Its value, expanded, without blanks around it and in front of a comment that stands
    /// behind it: the comment is a mistake of its own.
    pub value: Vec<u8>,
    /// Where it is set; `None`: Postfix's default.
    pub set: Option<Span>,
}

impl Given {
    /// Whether it is `yes`.
    pub fn is_yes(&self) -> bool {
        self.value.eq_ignore_ascii_case(b"yes")
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }
}

/// How much a client asks of servers that no lookup table speaks of.
#[derive(Clone, Debug)]
pub struct GlobalLevel {
    /// The level.
    pub level: SecurityLevel,
    /// The parameter that says so: the level itself, or one of those before Postfix 2.3.
    pub given: Arc<Given>,
}

/// What main.cf says to all programs, once somebody has asked: each rule asks again, and a
/// value can take long to expand.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<HashMap<String, Option<Arc<Given>>, RandomState>>);

impl Effective<'_> {
    /// The client `program` with the values of main.cf.
    pub fn tls_client(&self, program: &'static str) -> TlsClient<'_> {
        self.tls_client_within(program, Within::Main)
    }

    /// The client `program` with the values that hold there.
    pub fn tls_client_within<'e>(
        &'e self,
        program: &'static str,
        within: Within<'e>,
    ) -> TlsClient<'e> {
        TlsClient { program, within, effective: self }
    }

    /// smtp(8) and lmtp(8), once for each set of values.
    pub fn tls_clients(&self) -> Vec<TlsClient<'_>> {
        let of = |program: &'static str| {
            let all = self.within(&[program]).into_iter();
            all.map(move |within| TlsClient { program, within, effective: self })
        };
        of("smtp").chain(of("lmtp")).collect()
    }
}

impl TlsClient<'_> {
    /// The client's own parameter: `tls_ciphers` is smtp_tls_ciphers to smtp(8). `None` where
    /// it cannot be expanded, which is a mistake of its own.
    pub fn own(&self, name: &str) -> Option<Arc<Given>> {
        self.common(&format!("{}_{name}", self.program))
    }

    /// A parameter of all programs.
    pub fn common(&self, name: &str) -> Option<Arc<Given>> {
        if matches!(self.within, Within::Service(_)) {
            return self.ask(name).map(Arc::new);
        }
        let Asked(asked) = &self.effective.main.asked;
        let known = asked.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let given = self.ask(name).map(Arc::new);
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.insert(name.to_owned(), given.clone());
            given
        })
    }

    fn ask(&self, name: &str) -> Option<Given> {
        let mut value = self.exactly(name)?;
        let exists = self.exists(name);
        let origin = self.effective.origin(name, self.within);
        let mut signs = memchr::memchr_iter(b'#', &value);
        let comment = signs.find(|at| *at > 0 && value[at - 1].is_ascii_whitespace());
        value.truncate(comment.unwrap_or(value.len()));
        let set = origin.span().filter(|_| exists);
        Some(Given { name: name.to_owned(), value: value.trim_ascii().to_vec(), set })
    }

    /// The value as the client gets it, with what stands behind it and is meant as a comment.
    pub fn exactly(&self, name: &str) -> Option<Vec<u8>> {
        if !self.exists(name) {
            return Some(Vec::new());
        }
        self.effective.value(name, self.within).0.ok()
    }

    fn exists(&self, name: &str) -> bool {
        let build = &self.effective.main.environment.build;
        postfix::parameter(name).is_none_or(|it| it.exists_in(build))
    }

    /// `None` where the client does not start with what is said, or that cannot be known.
    pub fn level(&self) -> Option<GlobalLevel> {
        let given = self.own("tls_security_level")?;
        if !given.is_empty() {
            return Some(GlobalLevel { level: SecurityLevel::parse(&given.value)?, given });
        }
        let (enforced, used) = (self.own("enforce_tls")?, self.own("use_tls")?);
        let (level, given) = if enforced.is_yes() {
            let names = self.own("tls_enforce_peername")?.is_yes();
            (if names { SecurityLevel::Verify } else { SecurityLevel::Encrypt }, enforced)
        } else if used.is_yes() {
            (SecurityLevel::May, used)
        } else if given.set.is_none() && used.set.is_some() {
            (SecurityLevel::None, used)
        } else {
            (SecurityLevel::None, given)
        };
        Some(GlobalLevel { level, given })
    }

    /// Whether lookup tables have a word in the level: the parameter that names them.
    pub fn level_tables(&self) -> Option<Arc<Given>> {
        let maps = self.own("tls_policy_maps")?;
        let given = if maps.is_empty() { self.own("tls_per_site")? } else { maps };
        (!given.is_empty()).then_some(given)
    }

    /// Whether the client makes its TLS engine ready: an opportunistic or mandatory level,
    /// or tables that could ask for one.
    pub fn uses_tls(&self) -> bool {
        let by_level = self.level().is_some_and(|it| it.level != SecurityLevel::None);
        by_level || self.level_tables().is_some()
    }

    /// Whether it is the one that sends mail to the Internet where nothing says otherwise:
    /// default_transport and relayhost are as Postfix has them, and no table routes mail.
    pub fn delivers_to_anybody(&self) -> bool {
        let unset = |name: &str| self.common(name).is_some_and(|it| it.is_empty());
        let default = |name: &str| self.common(name).is_some_and(|it| it.set.is_none());
        self.is_default_transport()
            && default("default_transport")
            && ["relayhost", "transport_maps", "sender_dependent_relayhost_maps"]
                .into_iter()
                .all(unset)
            && unset("sender_dependent_default_transport_maps")
    }

    /// Whether the settings are those of the service `smtp`, which default_transport names
    /// where nobody sets it.
    pub fn is_default_transport(&self) -> bool {
        let is_it = |scope: &Scope| scope.name == b"smtp/unix";
        let is_within = match self.within {
            Within::Service(scope) => is_it(scope),
            Within::Main => {
                !self.effective.scopes.iter().any(|it| is_it(it) && it.settings.is_some())
            }
        };
        is_within && self.program == "smtp"
    }
}
