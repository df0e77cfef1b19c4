//! Which names in main.cf and master.cf count as parameters, as postconf sees
//! it (`postconf/postconf_user.c`, `postconf_service.c`, `postconf_dbms.c`).
//!
//! Besides the built-in ones these are: what services have by their name
//! (`relay_destination_recipient_limit`); a name of the user's own that some
//! value refers to, or that smtpd_restriction_classes lists; and what belongs
//! to a table of an old style (`ldap:accounts` and `accounts_server_host`).
//! On the way postconf complains of values; that is kept here too.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use foldhash::fast::RandomState;

use super::effective::service_default;
use super::services::{Local, Scope};
use super::{Effective, Refusal, Setting, Within};
use crate::postfix::{self, Build, Parameter, Type, Version};
use crate::syntax::expand::{self, Error};
use crate::syntax::lists::{self, BraceProblem, COMMA_SPACE};
use crate::text::Span;

/// What counts as a parameter.
#[derive(Debug)]
pub struct Names {
    build: Build,
    /// Names and commands of the services.
    services: Vec<(Vec<u8>, Vec<u8>)>,
    /// Names of the user's own in main.cf that count.
    accepted: HashSet<Vec<u8>, RandomState>,
    /// The same for services, each by its place in `scopes`.
    local: BTreeMap<usize, HashSet<Vec<u8>, RandomState>>,
    /// Names that a value refers to, and that nobody sets and Postfix does not have.
    pub undefined: Vec<Undefined>,
    /// Values that cannot be expanded, and why: postconf stops at the first one. One may be
    /// here several times.
    pub unexpandable: Vec<Refusal>,
    /// The same where nobody expands that part of a value: it stands in a branch that is not
    /// taken now, or the name is none of Postfix's.
    pub unscannable: Vec<Refusal>,
    /// What postconf takes for comments in lists, from 3.8 on.
    pub comments: Vec<Span>,
    /// Words of lists whose braces postconf complains of.
    pub braces: Vec<(Span, BraceProblem)>,
    /// Configuration files of lookup clients, such as the one of `mysql:/etc/postfix/x.cf`:
    /// type and name. postconf reads them, and stops where one is broken.
    pub client_files: BTreeSet<(String, Vec<u8>)>,
}

/// A name that stands for nothing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undefined {
    /// Where a value refers to it first.
    pub span: Span,
    /// The name.
    pub name: String,
    /// Who refers to it.
    pub because: Because,
}

/// Who refers to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// A value with `$name`.
    Reference,
    /// The list of restriction classes.
    Class,
}

/// Builds a [`Names`].
struct Reader<'e> {
    effective: &'e Effective<'e>,
    names: Names,
}

/// A value, and the way back to its bytes.
#[derive(Clone, Copy)]
enum Written<'e> {
    Main(Setting<'e>),
    /// Of the service at this place in `scopes`.
    Service(usize, &'e Local),
}

impl Written<'_> {
    fn service(&self) -> Option<usize> {
        match self {
            Written::Main(_) => None,
            Written::Service(index, _) => Some(*index),
        }
    }

    fn span(&self) -> Span {
        match self {
            Written::Main(setting) => setting.value_span(),
            Written::Service(_, local) => local.span,
        }
    }

    /// Where a part of the value stands; all of it, where that is not known.
    fn locate(&self, range: Range<usize>) -> Span {
        match self {
            Written::Main(setting) => setting.span_in_value(range),
            Written::Service(_, Local { value, span, .. }) => {
                let at = span.range();
                if at.len() != value.len() {
                    return *span;
                }
                Span::new(span.source, at.start + range.start..at.start + range.end)
            }
        }
    }
}

impl Names {
    pub(super) fn of<'e>(effective: &'e Effective<'e>) -> Names {
        let service = |scope: &Scope| (scope.service.clone(), scope.command.clone());
        let names = Names {
            build: effective.main.environment.build.clone(),
            services: effective.scopes.iter().map(service).collect(),
            accepted: HashSet::default(),
            local: BTreeMap::new(),
            undefined: Vec::new(),
            unexpandable: Vec::new(),
            unscannable: Vec::new(),
            comments: Vec::new(),
            braces: Vec::new(),
            client_files: BTreeSet::new(),
        };
        let mut reader = Reader { effective, names };
        for (index, scope) in effective.scopes.iter().enumerate() {
            reader.read_service(index, scope);
        }
        reader.read_defaults();
        reader.read_main_cf();
        let mut names = reader.names;
        // Services with one name share what they set.
        names.undefined.sort();
        names.undefined.dedup();
        names.comments.sort();
        names.comments.dedup();
        names.braces.sort_by_key(|it| it.0);
        names.braces.dedup();
        names
    }

    /// Whether main.cf can set it, as far as postconf is concerned.
    pub fn knows(&self, name: &[u8]) -> bool {
        self.built_in(name) || self.accepted.contains(name)
    }

    /// Whether the service at this place in `scopes` can set it.
    pub fn knows_in(&self, service: usize, name: &[u8]) -> bool {
        self.knows(name) || self.local.get(&service).is_some_and(|it| it.contains(name))
    }

    /// Whether it is Postfix's, or belongs to a service.
    fn built_in(&self, name: &[u8]) -> bool {
        let Ok(name) = str::from_utf8(name) else { return false };
        let exists = |it: &Parameter| it.exists_in(&self.build) || it.is_legacy_in(&self.build);
        postfix::parameter(name).is_some_and(exists) || self.is_of_service(name)
    }

    /// Whether a service has it by its name.
    fn is_of_service(&self, name: &str) -> bool {
        let services = self.services.iter().map(|(name, command)| (&name[..], &command[..]));
        service_default(services, name).is_some()
    }
}

/// The parameters with a default that refers to a name which not every version has.
const WITH_OLD_NAMES: &[&str] = &[
    "address_verify_map",
    "lmtp_per_request_deadline",
    "postscreen_allowlist_interfaces",
    "postscreen_cache_map",
    "postscreen_denylist_action",
    "postscreen_dnsbl_allowlist_threshold",
    "postscreen_dnsbl_max_ttl",
    "postscreen_tls_enable_rpk",
    "postscreen_tls_loglevel_maps",
    "postscreen_tls_trace_size_limit",
    "proxy_read_maps",
    "smtp_fallback_relay",
    "smtp_per_request_deadline",
    "smtpd_authorized_verp_clients",
    "smtpd_client_event_limit_exceptions",
    "smtpd_per_request_deadline",
    "tlsproxy_client_policy_maps",
    "tlsproxy_client_security_level",
    "tlsproxy_tls_enable_rpk",
    "virtual_alias_maps",
];

impl<'e> Reader<'e> {
    fn version(&self) -> Version {
        self.names.build.version
    }

    fn read_service(&mut self, index: usize, scope: &'e Scope) {
        for (name, local) in scope.settings.iter().flatten() {
            if name == b"smtpd_restriction_classes" {
                self.classes(&Written::Service(index, local), &local.value);
            }
        }
        for (name, local) in scope.settings.iter().flatten() {
            let name = String::from_utf8_lossy(name);
            self.value(&name, &Written::Service(index, local), &local.value);
        }
    }

    /// Defaults refer to names of old, which so count where they are set.
    fn read_defaults(&mut self) {
        let main = self.effective.main;
        let build = &main.environment.build;
        let parameters = WITH_OLD_NAMES.iter().filter_map(|it| postfix::parameter(it));
        for parameter in parameters {
            let is_default = parameter.exists_in(build) && main.setting(parameter.name).is_none();
            let Some(text) = is_default.then(|| parameter.default_in(build)).flatten() else {
                continue;
            };
            let (names, _) = expand::names(text.as_bytes(), main.environment.dialect());
            for name in names {
                self.refer(&text.as_bytes()[name], None);
            }
        }
    }

    fn read_main_cf(&mut self) {
        let main = self.effective.main;
        if let Some(classes) = main.setting("smtpd_restriction_classes") {
            self.classes(&Written::Main(classes), classes.value().text());
        }
        for setting in main.effective_settings() {
            let name = String::from_utf8_lossy(setting.name());
            self.value(&name, &Written::Main(setting), setting.value().text());
        }
    }

    /// One value of main.cf or of a service.
    fn value(&mut self, name: &str, written: &Written<'_>, text: &[u8]) {
        let build = &self.names.build;
        let parameter = postfix::parameter(name);
        let exists = parameter.is_some_and(|it| it.exists_in(build));
        let is_raw = parameter.is_some_and(|it| it.kind == Type::Raw) && exists;
        if is_raw || parameter.is_some_and(|it| it.is_read_only_in(build)) {
            return;
        }
        let syntax = self.references(written, text);
        // In values of Postfix's own parameters tables may stand.
        let is_expanded = exists || self.names.is_of_service(name);
        let within = self.within(written.service());
        let expanded = is_expanded.then(|| self.effective.expand(text, within));
        if let Some(error) = syntax
            && !matches!(expanded, Some(Err(_)))
        {
            let refusal = Refusal { span: written.span(), why: error.to_string() };
            self.names.unscannable.push(refusal);
        }
        match expanded {
            Some(Ok(expanded)) => self.tables(
                &expanded,
                0..expanded.len(),
                true,
                &|range| {
                    if expanded == text { written.locate(range) } else { written.span() }
                },
                written.service(),
            ),
            Some(Err(error)) => self.cannot_expand(written, error),
            None => {}
        }
    }

    fn cannot_expand(&mut self, written: &Written<'_>, error: Error) {
        let refusal = Refusal { span: written.span(), why: error.to_string() };
        self.names.unexpandable.push(refusal);
    }

    fn within(&self, service: Option<usize>) -> Within<'e> {
        service.map_or(Within::Main, |index| Within::Service(&self.effective.scopes[index]))
    }

    fn references(&mut self, written: &Written<'_>, text: &[u8]) -> Option<Error> {
        memchr::memchr(b'$', text)?;
        let (names, error) = expand::names(text, self.effective.main.environment.dialect());
        let mut seen: HashSet<&[u8], RandomState> = HashSet::default();
        for name in names.into_iter().filter(|it| seen.insert(&text[it.clone()])) {
            if self.refer(&text[name.clone()], written.service()) == Means::Nothing {
                let span = written.locate(name.clone());
                self.undefined(&text[name], span, Because::Reference);
            }
        }
        error
    }

    fn undefined(&mut self, name: &[u8], span: Span, because: Because) {
        let name = String::from_utf8_lossy(name).into_owned();
        self.names.undefined.push(Undefined { span, name, because });
    }

    /// smtpd_restriction_classes: it is expanded with what its own file sets.
    fn classes(&mut self, written: &Written<'_>, text: &[u8]) {
        let main = self.effective.main;
        let classes = match self.within(written.service()) {
            Within::Main => main.expand_alone(text),
            Within::Service(scope) => main.expand_with(text, &|name| {
                let local = scope.settings.as_ref()?.get(name.as_bytes())?;
                main.meaning(name, Some(local.value.as_slice().into()))
            }),
        };
        match classes {
            Ok(classes) => {
                for class in lists::words(&classes, lists::COMMA_SPACE_FLAT) {
                    let name = &classes[class.clone()];
                    if self.refer(name, written.service()) == Means::Nothing {
                        let as_written = classes == text;
                        let span = if as_written { written.locate(class) } else { written.span() };
                        self.undefined(name, span, Because::Class);
                    }
                }
            }
            Err(error) => self.cannot_expand(written, error),
        }
    }

    /// A value refers to `name`: if somebody sets it, it counts (`pcf_flag_user_parameter`).
    fn refer(&mut self, name: &[u8], service: Option<usize>) -> Means {
        if self.names.built_in(name) {
            return Means::Something;
        }
        let effective = self.effective;
        let set_by =
            |scope: &Scope| scope.settings.as_ref().is_some_and(|it| it.contains_key(name));
        let in_main = effective.main.sets(name)
            && !str::from_utf8(name).is_ok_and(|it| effective.main.is_read_only(it));
        let mut supplied = in_main;
        let local = &mut self.names.local;
        match service {
            Some(index) if set_by(&effective.scopes[index]) => {
                supplied = true;
                local.entry(index).or_default().insert(name.to_vec());
            }
            Some(_) | None if in_main => {
                self.names.accepted.insert(name.to_vec());
            }
            Some(_) | None => {}
        }
        if service.is_none() {
            let setting = effective.scopes.iter().enumerate().filter(|(_, scope)| set_by(scope));
            for (index, _) in setting {
                supplied = true;
                self.names.local.entry(index).or_default().insert(name.to_vec());
            }
        }
        if supplied { Means::Something } else { Means::Nothing }
    }

    /// Looks for `type:name` in an expanded value (`pcf_register_dbms_helper`).
    fn tables(
        &mut self,
        text: &[u8],
        range: Range<usize>,
        into_braces: bool,
        locate: &dyn Fn(Range<usize>) -> Span,
        service: Option<usize>,
    ) {
        let since_3_8 = self.version() >= Version::new(3, 8);
        for word in lists::words(&text[range.clone()], COMMA_SPACE) {
            let word = range.start + word.start..range.start + word.end;
            match text.get(word.start) {
                Some(b'#') if since_3_8 => {
                    self.names.comments.push(locate(word.start..range.end));
                    break;
                }
                Some(b'{') => {
                    let inside = self.inside(text, word, locate);
                    if into_braces {
                        self.tables(text, inside, true, locate, service);
                    }
                    continue;
                }
                Some(_) | None => {}
            }
            let Some((kind, name)) = self.table(text, word) else { continue };
            let kind = &text[kind];
            match text[name.clone()].first() {
                Some(b'/') => {
                    let kind = String::from_utf8_lossy(kind).into_owned();
                    if postfix::client_suffixes(&kind, self.version()).next().is_some() {
                        self.names.client_files.insert((kind, text[name].to_vec()));
                    }
                }
                // A name in the queue directory.
                Some(b'.') => {}
                Some(b'{') => {
                    // Patterns are full of braces and `#`.
                    let patterns = since_3_8 && matches!(kind, b"regexp" | b"pcre");
                    let inside = self.inside(text, name, locate);
                    self.tables(text, inside, into_braces && !patterns, locate, service);
                }
                Some(_) | None => {
                    let kind = String::from_utf8_lossy(kind);
                    for suffix in postfix::client_suffixes(&kind, self.version()) {
                        let parameter = [&text[name.clone()], b"_", suffix.as_bytes()].concat();
                        self.refer(&parameter, service);
                    }
                }
            }
        }
    }

    /// What stands in the braces that begin here.
    fn inside(
        &mut self,
        text: &[u8],
        word: Range<usize>,
        locate: &dyn Fn(Range<usize>) -> Span,
    ) -> Range<usize> {
        let (inside, problem) = lists::braces(text, word.clone());
        if let Some(problem) = problem {
            self.names.braces.push((locate(word), problem));
        }
        inside
    }

    /// Type and name behind the adapters in front of them.
    fn table(&self, text: &[u8], word: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
        let mut start = word.start;
        loop {
            let colon = start + memchr::memchr(b':', &text[start..word.end])?;
            let (kind, name) = (start..colon, colon + 1..word.end);
            let adapter = |it| postfix::is_adapter(it, self.version());
            if !str::from_utf8(&text[kind.clone()]).is_ok_and(adapter) {
                return Some((kind, name));
            }
            start = name.start;
        }
    }
}

/// Whether a name stands for something.
#[derive(PartialEq, Eq)]
enum Means {
    Something,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`WITH_OLD_NAMES`] says is so of the registry.
    #[test]
    fn defaults_with_old_names_are_known() {
        let mut found = Vec::new();
        let versions: Vec<Build> = (Version::OLDEST.minor..=Version::NEWEST.minor)
            .map(|minor| Build::of_version(Version::new(3, minor)))
            .flat_map(|build| [Build { debian: true, ..build.clone() }, build])
            .collect();
        for parameter in postfix::parameters() {
            let refers = versions.iter().filter(|it| parameter.exists_in(it)).any(|build| {
                let text = parameter.default_in(build).unwrap_or_default();
                let dialect = crate::config::Environment::from(build.clone()).dialect();
                let (names, _) = expand::names(text.as_bytes(), dialect);
                names.into_iter().any(|name| {
                    postfix::parameter(&text[name])
                        .is_none_or(|it| !versions.iter().all(|build| it.exists_in(build)))
                })
            });
            let raw = parameter.kind == postfix::Type::Raw;
            if refers && !raw {
                found.push(parameter.name);
            }
        }
        assert_eq!(found, WITH_OLD_NAMES);
    }
}
