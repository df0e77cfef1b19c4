//! Which names in main.cf and master.cf count as parameters, as postconf sees
//! it (`postconf/postconf_user.c`, `postconf_service.c`, `postconf_dbms.c`).
//!
//! Besides the built-in ones these are: what services have by their name
//! (`relay_destination_recipient_limit`); a name of the user's own that some
//! value refers to, or that smtpd_restriction_classes lists; and what belongs
//! to a table of an old style (`ldap:accounts` and `accounts_server_host`).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::RandomState;

use super::services::Scope;
use super::{Effective, Origin, Refusal, Within};
use crate::postfix::{self, Build, Version};
use crate::syntax::expand::{self, Error};
use crate::syntax::lists::{self, COMMA_SPACE};

/// What counts as a parameter.
#[derive(Debug)]
pub struct Names<'e> {
    effective: &'e Effective<'e>,
    /// Names of the user's own in main.cf that count.
    accepted: HashSet<Vec<u8>, RandomState>,
    /// The same for services, each by its place in `scopes`.
    local: BTreeMap<usize, HashSet<Vec<u8>, RandomState>>,
    /// Names that a value refers to, and that nobody sets and Postfix does not have.
    undefined: BTreeSet<(Option<usize>, Vec<u8>)>,
    /// Configuration files of lookup clients, such as the one of `mysql:/etc/postfix/x.cf`:
    /// type and name. postconf reads them, and stops where one is broken.
    pub client_files: BTreeSet<(String, Vec<u8>)>,
    /// The first value that cannot be expanded, and why: postconf stops there.
    pub unexpandable: Option<Refusal>,
}

/// Who refers to a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Because {
    /// A value with `$name`, or a restriction class.
    Reference,
    /// A table of an old style, whose parameters may be left out.
    Table,
}

impl<'e> Names<'e> {
    pub(super) fn of(effective: &'e Effective<'e>) -> Names<'e> {
        let mut names = Names {
            effective,
            accepted: HashSet::default(),
            local: BTreeMap::new(),
            undefined: BTreeSet::new(),
            client_files: BTreeSet::new(),
            unexpandable: None,
        };
        for (index, scope) in effective.scopes.iter().enumerate() {
            names.read_service(index, scope);
        }
        names.read_defaults();
        names.read_main_cf();
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

    /// Whether a value refers to a name that stands for nothing: in main.cf, or
    /// in a service by its place in `scopes`.
    pub fn is_undefined(&self, service: Option<usize>, name: &[u8]) -> bool {
        self.undefined.contains(&(service, name.to_vec()))
    }

    /// Whether it is Postfix's, or belongs to a service.
    fn built_in(&self, name: &[u8]) -> bool {
        let Ok(name) = str::from_utf8(name) else { return false };
        let build = self.build();
        postfix::parameter(name).is_some_and(|it| it.exists_in(build) || it.is_legacy_in(build))
            || self.effective.service_default(name).is_some()
    }

    fn build(&self) -> &'e Build {
        &self.effective.main.environment.build
    }

    fn version(&self) -> Version {
        self.build().version
    }

    /// Values that are parameters of Postfix's own, so that tables may stand in them.
    fn may_hold_tables(&self, name: &str) -> bool {
        postfix::parameter(name).is_some_and(|it| it.exists_in(self.build()))
            || self.effective.service_default(name).is_some()
    }

    fn read_service(&mut self, index: usize, scope: &'e Scope) {
        for (name, local) in scope.settings.iter().flatten() {
            if name == b"smtpd_restriction_classes" {
                self.classes(&local.value, Some(index));
            }
        }
        for (name, local) in scope.settings.iter().flatten() {
            self.value(&String::from_utf8_lossy(name), &local.value, Some(index));
        }
    }

    /// Defaults refer to names of old, which so count where they are set.
    fn read_defaults(&mut self) {
        let effective = self.effective;
        let environment = &effective.main.environment;
        for parameter in postfix::parameters() {
            let is_default = parameter.exists_in(&environment.build)
                && !effective.main.is_raw(parameter.name)
                && effective.main.setting(parameter.name).is_none();
            if let Some(text) =
                is_default.then(|| parameter.default_in(&environment.build)).flatten()
            {
                self.references(text.as_bytes(), None);
            }
        }
    }

    fn read_main_cf(&mut self) {
        let main = self.effective.main;
        if let Some(classes) = main.setting("smtpd_restriction_classes") {
            self.classes(classes.value().text(), None);
        }
        for setting in main.effective_settings() {
            self.value(&String::from_utf8_lossy(setting.name()), setting.value().text(), None);
        }
    }

    /// One value of main.cf or of a service.
    fn value(&mut self, name: &str, text: &[u8], service: Option<usize>) {
        if self.effective.main.is_read_only(name) || self.effective.main.is_raw(name) {
            return;
        }
        self.references(text, service);
        if !self.may_hold_tables(name) {
            return;
        }
        match self.effective.expand(text, self.within(service)) {
            Ok(text) => self.tables(&text, service, true),
            Err(error) => self.cannot_expand(name, service, error),
        }
    }

    fn cannot_expand(&mut self, name: &str, service: Option<usize>, error: Error) {
        if let Origin::Set(span) = self.effective.origin(name, self.within(service)) {
            self.unexpandable.get_or_insert_with(|| Refusal { span, why: error.to_string() });
        }
    }

    fn within(&self, service: Option<usize>) -> Within<'e> {
        service.map_or(Within::Main, |index| Within::Service(&self.effective.scopes[index]))
    }

    fn references(&mut self, text: &[u8], service: Option<usize>) {
        if memchr::memchr(b'$', text).is_none() {
            return;
        }
        let (names, _) = expand::names(text, self.effective.main.environment.dialect());
        for name in names {
            self.refer(&text[name], service, Because::Reference);
        }
    }

    /// smtpd_restriction_classes: it is expanded with what its own file sets.
    fn classes(&mut self, text: &[u8], service: Option<usize>) {
        let main = self.effective.main;
        let classes = match self.within(service) {
            Within::Main => main.expand_alone(text),
            Within::Service(scope) => main.expand_with(text, &|name| {
                let local = scope.settings.as_ref()?.get(name.as_bytes())?;
                main.meaning(name, Some(local.value.as_slice().into()))
            }),
        };
        match classes {
            Ok(classes) => {
                for class in classes.split(|byte| b", \t\r\n".contains(byte)) {
                    if !class.is_empty() {
                        self.refer(class, service, Because::Reference);
                    }
                }
            }
            Err(error) => self.cannot_expand("smtpd_restriction_classes", service, error),
        }
    }

    /// A value refers to `name`: if somebody sets it, it counts (`pcf_flag_user_parameter`).
    fn refer(&mut self, name: &[u8], service: Option<usize>, because: Because) {
        let effective = self.effective;
        let set_by =
            |scope: &Scope| scope.settings.as_ref().is_some_and(|it| it.contains_key(name));
        let in_main = effective.main.sets(name)
            && !str::from_utf8(name).is_ok_and(|it| effective.main.is_read_only(it));
        let mut supplied = in_main;
        match service {
            Some(index) if set_by(&effective.scopes[index]) => {
                supplied = true;
                self.local.entry(index).or_default().insert(name.to_vec());
            }
            Some(_) | None if in_main && !self.built_in(name) => {
                self.accepted.insert(name.to_vec());
            }
            Some(_) | None => {}
        }
        if service.is_none() {
            let setting = effective.scopes.iter().enumerate().filter(|(_, scope)| set_by(scope));
            for (index, _) in setting {
                supplied = true;
                self.local.entry(index).or_default().insert(name.to_vec());
            }
        }
        if !supplied && because == Because::Reference && !self.built_in(name) {
            self.undefined.insert((service, name.to_vec()));
        }
    }

    /// Looks for `type:name` in an expanded value (`pcf_register_dbms_helper`).
    fn tables(&mut self, text: &[u8], service: Option<usize>, into_braces: bool) {
        let since_3_8 = self.version() >= Version::new(3, 8);
        for word in lists::words(text, COMMA_SPACE) {
            let word = &text[word];
            if word.starts_with(b"#") && since_3_8 {
                break;
            }
            if word.starts_with(b"{") {
                if into_braces {
                    self.tables(inside(word), service, true);
                }
                continue;
            }
            let Some((kind, name)) = self.table(word) else { continue };
            let is_client =
                |kind: &str| postfix::client_suffixes(kind, self.version()).next().is_some();
            match name.first() {
                Some(b'/') => {
                    let kind = String::from_utf8_lossy(kind).into_owned();
                    if is_client(&kind) {
                        self.client_files.insert((kind, name.to_vec()));
                    }
                }
                // A name in the queue directory.
                Some(b'.') => {}
                Some(b'{') => {
                    // Patterns are full of braces and `#`.
                    let patterns = since_3_8 && matches!(kind, b"regexp" | b"pcre");
                    self.tables(inside(name), service, into_braces && !patterns);
                }
                Some(_) | None => {
                    let kind = String::from_utf8_lossy(kind);
                    for suffix in postfix::client_suffixes(&kind, self.version()) {
                        let parameter = [name, b"_", suffix.as_bytes()].concat();
                        self.refer(&parameter, service, Because::Table);
                    }
                }
            }
        }
    }

    /// Type and name behind the adapters in front of them.
    fn table<'t>(&self, mut word: &'t [u8]) -> Option<(&'t [u8], &'t [u8])> {
        loop {
            let colon = word.iter().position(|byte| *byte == b':')?;
            let (kind, name) = (&word[..colon], &word[colon + 1..]);
            let adapter = |it| postfix::is_adapter(it, self.version());
            let adapter = str::from_utf8(kind).is_ok_and(adapter);
            if !adapter {
                return Some((kind, name));
            }
            word = name;
        }
    }
}

/// What stands in the braces that begin here, as extpar(3) without its strip flag gives it.
fn inside(word: &[u8]) -> &[u8] {
    &word[lists::braces(word, 0..word.len()).0]
}
