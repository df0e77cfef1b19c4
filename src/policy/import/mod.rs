//! The policy file for a configuration that is there: a function of bytes.
//!
//! What comes out is read back: the reader of policy files finds no mistake in it, and compiled
//! again each row says what it said. What cannot be said so stands in it as a comment, with the
//! reason, and is handed back beside it; nothing is left out in silence.
//!
//! Known limits: one table; a fingerprint does not say whether it is that of a certificate or of a
//! public key, so that each is written as a certificate's, which asks for a new look at each renewal.

pub mod comments;
mod destination;
mod rows;
mod write;

use std::collections::BTreeMap;

use super::yaml::{self, Role};
use super::{Destination, Policies, compile, join, same};
use crate::text::{Sources, Span};
use rows::Rows;
use write::{Part, Text};

/// The parameters of main.cf that decide about a client's TLS where a policy is silent, and those
/// that no policy can change: what [`super::Client`] is made of. Certificates and keys of this
/// host, logs and caches are not among them.
pub const PARAMETERS: &[&str] = &[
    "smtp_tls_security_level",
    "smtp_use_tls",
    "smtp_enforce_tls",
    "smtp_tls_enforce_peername",
    "smtp_tls_wrappermode",
    "smtp_dns_support_level",
    "smtp_host_lookup",
    "smtp_dns_resolver_options",
    "ignore_mx_lookup_error",
    "smtp_tls_protocols",
    "smtp_tls_mandatory_protocols",
    "smtp_tls_ciphers",
    "smtp_tls_mandatory_ciphers",
    "smtp_tls_exclude_ciphers",
    "smtp_tls_mandatory_exclude_ciphers",
    "smtp_tls_fingerprint_digest",
    "smtp_tls_fingerprint_cert_match",
    "smtp_tls_verify_cert_match",
    "smtp_tls_secure_cert_match",
    "smtp_tls_servername",
    "smtp_tls_CAfile",
    "smtp_tls_CApath",
    "smtp_tls_trust_anchor_file",
    "tls_append_default_CA",
    "smtp_tls_connection_reuse",
    "smtp_tls_enable_rpk",
    "smtp_tls_enforce_sts_mx_patterns",
];

/// A configuration that is there.
#[derive(Debug, Default)]
pub struct Live<'a> {
    /// What stands above all, line for line, without `#`.
    pub header: Vec<String>,
    /// Parameters of main.cf, in the order of the file.
    pub parameters: Vec<LiveParameter>,
    /// The table that becomes that of the policy file.
    pub table: Option<LiveTable<'a>>,
}

/// A parameter that main.cf sets.
#[derive(Debug, Default)]
pub struct LiveParameter {
    /// Its name.
    pub name: String,
    /// Its value on one line.
    pub value: Vec<u8>,
    /// The comments above it and in it, from their `#` on.
    pub comments: Vec<String>,
    /// Why it cannot be taken over, if that is known.
    pub refused: Option<String>,
}

/// A TLS policy table of rows in the configuration directory.
#[derive(Debug)]
pub struct LiveTable<'a> {
    /// Relative to the configuration directory.
    pub path: String,
    /// Its lookup table type.
    pub kind: String,
    /// The parameter that lists it.
    pub parameter: String,
    /// The comments above that parameter.
    pub comments: Vec<String>,
    /// Its source.
    pub bytes: &'a [u8],
}

/// What is not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The line in the table, from 1; `None`: of main.cf, or the table itself.
    pub line: Option<usize>,
    /// What stands there.
    pub text: String,
    /// Why.
    pub why: String,
}

/// A policy file that may still have mistakes which only others can see.
#[derive(Debug)]
pub struct Draft<'a> {
    live: &'a Live<'a>,
    rows: Rows<'a>,
    refused: BTreeMap<Part, String>,
    text: Text,
}

impl<'a> Draft<'a> {
    /// The policy file that says what `live` says.
    pub fn new(live: &'a Live<'a>) -> Draft<'a> {
        let rows = Rows::new(live.table.as_ref().map_or(&[], |it| it.bytes));
        let mut refused: BTreeMap<Part, String> = BTreeMap::new();
        for (index, parameter) in live.parameters.iter().enumerate() {
            refused.extend(parameter.refused.iter().map(|it| (Part::Parameter(index), it.clone())));
        }
        refused.extend(rows.without_effect().into_iter().map(|(at, why)| (Part::Row(at), why)));
        let mut draft = Draft { live, rows, refused, text: Text::default() };
        draft.settle();
        draft
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// What is not in it, or only as a comment.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let mut lines = self.rows.lines();
        let left_out = |(part, why): (&Part, &String)| {
            let (line, text) = match *part {
                Part::Parameter(index) => (None, write::parameter(&self.live.parameters[index])),
                Part::Table => (None, "the table".to_owned()),
                Part::Row(index) => (Some(lines(index)), self.rows.as_written(index)),
            };
            LeftOut { line, text, why: why.clone() }
        };
        self.refused.iter().map(left_out).collect()
    }

    /// Makes comments of the parts in which there are mistakes, each with the reason. A mistake is
    /// told by its place in [`Draft::text`]. Says whether any of them is in a part.
    pub fn refuse(&mut self, mistakes: impl IntoIterator<Item = (Span, String)>) -> bool {
        let found = self.note(mistakes);
        if found {
            self.settle();
        }
        found
    }

    fn note(&mut self, mistakes: impl IntoIterator<Item = (Span, String)>) -> bool {
        let before = self.refused.len();
        for (span, why) in mistakes {
            if let Some(part) = self.text.part_at(span.range().start) {
                self.refused.entry(part).or_insert(why);
            }
        }
        self.refused.len() > before
    }

    /// Writes the file until it is read back as it was meant.
    fn settle(&mut self) {
        loop {
            self.text = write::file(self.live, &self.rows, &mut self.refused);
            let mut sources = Sources::default();
            let source = sources.add("", Vec::new());
            let file = yaml::read(source, self.text.text.as_bytes(), Role::Main);
            let (policies, problems) = join(vec![file]);
            let said = problems.into_iter().map(|it| (it.span, it.text));
            let mistakes: Vec<(Span, String)> = said.chain(self.changed(&policies)).collect();
            if !self.note(mistakes) {
                return;
            }
        }
    }

    /// The destinations that would have another policy than their rows.
    fn changed(&self, policies: &Policies) -> Vec<(Span, String)> {
        let is_changed = |it: &&Destination| {
            let Some(Part::Row(index)) = self.text.part_at(it.nexthop.span.range().start) else {
                return true;
            };
            let row = compile::placed(&it.policy, None).0;
            !same(row.as_bytes(), &self.rows.value(index))
        };
        let changed = policies.destinations.iter().filter(is_changed);
        let why = "a policy file cannot say just this";
        changed.map(|it| (it.nexthop.span, why.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::Client;
    use crate::postfix::Version;

    /// What decides about TLS is taken over, and nothing else.
    #[test]
    fn the_parameters_are_those_that_a_client_asks_for() {
        let asked = RefCell::new(BTreeSet::new());
        for answer in ["", "yes", "no", "dns", "dnssec"] {
            Client::new("smtp", Version::NEWEST, &|name| {
                asked.borrow_mut().insert(name.to_owned());
                let is_level = name == "smtp_tls_security_level";
                if is_level { Vec::new() } else { answer.as_bytes().to_vec() }
            });
        }
        Client::new("smtp", Version::NEWEST, &|name| {
            asked.borrow_mut().insert(name.to_owned());
            if name == "smtp_dns_support_level" { b"dnssec".to_vec() } else { b"dns".to_vec() }
        });
        // They list tables, and say what a table must be.
        let others = ["smtp_tls_policy_maps", "smtp_tls_per_site", "smtputf8_enable"];
        let asked: BTreeSet<String> =
            asked.into_inner().into_iter().filter(|it| !others.contains(&it.as_str())).collect();
        let taken: BTreeSet<String> = PARAMETERS.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(taken, asked);
    }
}
