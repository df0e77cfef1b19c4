//! What holds for main.cf's programs and for each service: `-o` of the service over main.cf over
//! Postfix's defaults, as postconf combines them (`postconf/postconf_lookup.c`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::services::{Local, Scope};
use super::{Configuration, Names, Origin, Services};
use crate::postfix;
use crate::syntax::expand::{Error, Meaning};

/// main.cf and master.cf together.
#[derive(Debug)]
pub struct Effective<'c> {
    /// main.cf.
    pub main: &'c Configuration<'c>,
    /// The services of master.cf, in its order.
    pub scopes: Cow<'c, [Scope]>,
}

/// Where a value holds.
#[derive(Clone, Copy, Debug)]
pub enum Within<'s> {
    /// Everywhere but where a service says otherwise.
    Main,
    /// In a service.
    Service(&'s Scope),
}

impl<'c> Effective<'c> {
    /// Joins the two files; a master.cf that is not there has no services.
    pub fn new(main: &'c Configuration<'c>, services: Option<&Services<'_>>) -> Effective<'c> {
        let scopes = services.map(Services::scopes).unwrap_or_default();
        Effective { main, scopes: Cow::Owned(scopes) }
    }

    /// The same where somebody keeps the [`Services::scopes`].
    pub fn with_scopes(main: &'c Configuration<'c>, scopes: &'c [Scope]) -> Effective<'c> {
        Effective { main, scopes: Cow::Borrowed(scopes) }
    }

    /// Where the values hold that some programs, such as `smtpd`, run with: in each of their
    /// services, and in main.cf for all that set nothing themselves. Where master.cf has none
    /// of them, or is not there, in main.cf.
    pub fn within(&self, programs: &[&str]) -> Vec<Within<'_>> {
        let runs = |scope: &&Scope| programs.iter().any(|it| it.as_bytes() == scope.program());
        let all: Vec<&Scope> = self.scopes.iter().filter(runs).collect();
        let with_settings = all.iter().filter(|it| it.settings.is_some());
        let services: Vec<Within<'_>> = with_settings.map(|it| Within::Service(it)).collect();
        let main = (services.len() < all.len() || services.is_empty()).then_some(Within::Main);
        main.into_iter().chain(services).collect()
    }

    /// The value of a parameter, expanded if it is not a raw one, and who says so. An unknown
    /// name has an empty one.
    pub fn value(&self, name: &str, within: Within<'_>) -> (Result<Vec<u8>, Error>, Origin) {
        let text = self.raw(name, within).unwrap_or_default();
        let value =
            if self.main.is_raw(name) { Ok(text.into_owned()) } else { self.expand(&text, within) };
        (value, self.origin(name, within))
    }

    /// Who says what the value is.
    pub fn origin(&self, name: &str, within: Within<'_>) -> Origin {
        match local(name, within) {
            Some(local) => Origin::Set(local.span),
            None => self.main.origin(name),
        }
    }

    /// Expands `$name` as a program does that runs there.
    pub fn expand(&self, text: &[u8], within: Within<'_>) -> Result<Vec<u8>, Error> {
        let lookup = |name: &str| {
            let text = self.raw(name, within)?;
            Some(Meaning { text, raw: self.main.is_raw(name) })
        };
        self.main.expand_with(text, &lookup)
    }

    /// Whether a service with this in its chroot column sees the queue directory as `/`: `-` means yes at
    /// compatibility level 0, and no from 1 on (`master/master_ent.c`).
    pub fn is_in_jail(&self, chroot: &[u8]) -> bool {
        let level = self.main.value("compatibility_level").0.unwrap_or_default();
        let is_level_0 = level.iter().take_while(|it| it.is_ascii_digit()).all(|it| *it == b'0');
        chroot == b"y" || (chroot == b"-" && is_level_0)
    }

    /// Which names count as parameters here.
    pub fn names(&self) -> Names {
        Names::of(self)
    }

    /// Whether the text refers to nothing that only the host knows, such as its name where that is
    /// not given, directly or by way of other names.
    pub(super) fn is_known(&self, text: &[u8], within: Within<'_>) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = vec![Cow::Borrowed(text)];
        while let Some(text) = left.pop() {
            for name in referred(&text).filter_map(|it| str::from_utf8(it).ok()) {
                if !seen.insert(name.to_owned()) {
                    continue;
                }
                match self.raw(name, within) {
                    Some(text) => left.push(Cow::Owned(text.into_owned())),
                    None if postfix::parameter(name).is_some() => return false,
                    None => {}
                }
            }
        }
        true
    }

    pub(super) fn raw<'e>(&'e self, name: &str, within: Within<'e>) -> Option<Cow<'e, [u8]>> {
        if let Within::Service(scope) = within {
            match name {
                "process_name" => return Some(Cow::Borrowed(scope.program())),
                "service_name" => return Some(Cow::Borrowed(&scope.service)),
                _ => {}
            }
        }
        let local = local(name, within).map(|it| Cow::Borrowed(it.value.as_slice()));
        local
            .or_else(|| self.main.given(name).filter(|_| !self.main.is_read_only(name)))
            .or_else(|| self.main.default(name))
            .or_else(|| {
                let services = self.scopes.iter().map(|it| (&it.service[..], &it.command[..]));
                Some(Cow::Borrowed(service_default(services, name)?.as_bytes()))
            })
    }
}

/// The default of a parameter that exists because one of the services, each with its command, has
/// its name: `relay_destination_recipient_limit`.
pub(super) fn service_default<'s>(
    mut services: impl Iterator<Item = (&'s [u8], &'s [u8])>,
    name: &str,
) -> Option<&'static str> {
    services.find_map(|(service, command)| {
        let service = str::from_utf8(service).ok().filter(|it| name.starts_with(it))?;
        let command = str::from_utf8(command).ok()?;
        let mut parameters = postfix::service_parameters(service, command);
        parameters.find(|(it, _)| it == name).map(|(_, default)| default)
    })
}

/// The names behind each `$`; more of them than are there, where one is quoted.
fn referred(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'$', text).map(|at| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix(b"{").or_else(|| rest.strip_prefix(b"(")).unwrap_or(rest);
        let end = rest.iter().position(|it| !(it.is_ascii_alphanumeric() || *it == b'_'));
        &rest[..end.unwrap_or(rest.len())]
    })
}

fn local<'s>(name: &str, within: Within<'s>) -> Option<&'s Local> {
    match within {
        Within::Main => None,
        Within::Service(scope) => scope.settings.as_ref()?.get(name.as_bytes()),
    }
}
