//! Fixes that set the parameter that has taken another one's place, or remove what has no effect.
//!
//! Only where Postfix does the same afterwards: no value refers to the old name, no service of
//! master.cf has a word in it, and the translation is exact.

use super::Context;
use crate::config::{Configuration, Setting};
use crate::finding::{Fix, Safety};
use crate::postfix::{self, Build, Parameter};
use crate::text::Edit;

/// Of these, some programs look at one and some at the other.
const NOT_EXACT: &[&str] = &["disable_dns_lookups", "postscreen_dnsbl_ttl"];

impl Context<'_> {
    /// The fix for a deprecated parameter that main.cf sets.
    pub fn replacement(&self, setting: Setting<'_>, parameter: &Parameter) -> Option<Fix> {
        let configuration = self.configuration.as_ref()?;
        let build = &self.environment.build;
        let instead = postfix::parameter(parameter.instead?).filter(|it| it.exists_in(build))?;
        let name = parameter.name;
        let is_known = parameter.exists_in(build) || parameter.is_legacy_in(build);
        if !is_known || NOT_EXACT.contains(&name) || !self.is_alone(configuration, name) {
            return None;
        }
        let (value, text) = (setting.value(), self.sources.bytes(setting.name_span()));
        let value = String::from_utf8_lossy(value.text()).into_owned();
        let effect = self.effect(configuration, parameter, instead, value.trim())?;
        let edits = match &effect {
            Effect::Nothing => {
                let group = setting.entry().lines(configuration.bytes());
                let lines = group.first()?.start..group.last()?.end;
                self.without_lines(configuration.span(lines))
            }
            Effect::Rename => vec![Edit::new(setting.name_span(), instead.name)],
            // The place of a value with a comment between its lines is no value's alone.
            Effect::Value(level) => {
                let is_plain = self.sources.bytes(setting.value_span()) == value.as_bytes();
                is_plain.then(|| {
                    vec![
                        Edit::new(setting.name_span(), instead.name),
                        Edit::new(setting.value_span(), *level),
                    ]
                })?
            }
        };
        let title = match effect {
            Effect::Nothing => "remove the line".to_owned(),
            Effect::Rename => format!("call it {}", instead.name),
            Effect::Value(level) => format!("set {} = {level}", instead.name),
        };
        (text == name.as_bytes()).then_some(Fix { safety: Safety::Safe, title, edits })
    }

    /// Whether main.cf sets it once, nothing refers to it, and master.cf does not set it.
    fn is_alone(&self, configuration: &Configuration<'_>, name: &str) -> bool {
        let refers = |it: &[u8]| memchr::memmem::find(it, name.as_bytes()).is_some();
        let set = configuration.all_settings().filter(|it| it.name() == name.as_bytes());
        set.count() == 1
            && !configuration.all_settings().any(|it| refers(it.value().text()))
            && !self.all_overrides().iter().any(|it| it.name == name || refers(&it.value))
    }

    fn effect(
        &self,
        configuration: &Configuration<'_>,
        parameter: &Parameter,
        instead: &Parameter,
        value: &str,
    ) -> Option<Effect> {
        let in_services = || self.overrides(instead.name).next().is_some();
        let build = &self.environment.build;
        let others = |names: &[String]| {
            names.iter().any(|it| configuration.sets(it.as_bytes()))
                || self.all_overrides().iter().any(|it| names.contains(&it.name))
        };
        let is_set = configuration.sets(instead.name.as_bytes());
        let now = configuration.value(instead.name).0.ok()?;
        let family = Family::of(parameter.name);
        if let Some(family) = &family
            && others(&family.heirs)
        {
            return None;
        }
        if is_set {
            return (!now.is_empty() && !in_services()).then_some(Effect::Nothing);
        }
        let Some(family) = family else {
            let renamed = !in_services() && is_renamed(parameter, instead, build, value);
            return renamed.then_some(Effect::Rename);
        };
        let sibling = |suffix: &str| format!("{}_{suffix}", family.prefix);
        let siblings = ["use_tls", "enforce_tls", "tls_enforce_peername"].map(sibling);
        if self.all_overrides().iter().any(|it| siblings.contains(&it.name)) {
            return None;
        }
        let is = |word: &str| value.eq_ignore_ascii_case(word);
        let says = |suffix: &str, word: &str| {
            let value = configuration.value(&sibling(suffix)).0;
            value.is_ok_and(|it| it.eq_ignore_ascii_case(word.as_bytes()))
        };
        if in_services() || others(&[sibling("tls_per_site")]) {
            return None;
        }
        match family.what {
            // It is the default.
            "use_tls" | "enforce_tls" if is("no") => Some(Effect::Nothing),
            // With a default of its own the new one counts already.
            _ if !now.is_empty() => None,
            "use_tls" if is("yes") && says("enforce_tls", "no") => Some(Effect::Value("may")),
            "enforce_tls" if is("yes") && family.prefix == "smtpd" => {
                Some(Effect::Value("encrypt"))
            }
            "enforce_tls" if is("yes") && says("tls_enforce_peername", "no") => {
                Some(Effect::Value("encrypt"))
            }
            "enforce_tls" if is("yes") && says("tls_enforce_peername", "yes") => {
                Some(Effect::Value("verify"))
            }
            _ => None,
        }
    }
}

/// What a setting of the old name comes to.
enum Effect {
    Nothing,
    Rename,
    Value(&'static str),
}

/// `smtpd_use_tls` and the like.
struct Family {
    prefix: &'static str,
    what: &'static str,
    /// Parameters of other programs that follow the old one or the new one.
    heirs: Vec<String>,
}

impl Family {
    fn of(name: &str) -> Option<Family> {
        let prefix = ["smtpd", "smtp", "lmtp"]
            .into_iter()
            .find(|it| name.strip_prefix(it).is_some_and(|rest| rest.starts_with('_')))?;
        let what = ["use_tls", "enforce_tls", "tls_enforce_peername", "tls_per_site"];
        let what = what.into_iter().find(|it| name[prefix.len() + 1..] == **it)?;
        let followers: &[&str] = match prefix {
            "smtpd" => &["postscreen", "tlsproxy"],
            "smtp" => &["tlsproxy_client"],
            _ => &[],
        };
        let new = |it: &&str| match *it {
            "tlsproxy_client" => "tlsproxy_client_security_level".to_owned(),
            it => format!("{it}_tls_security_level"),
        };
        let old = |it: &&str| [format!("{it}_use_tls"), format!("{it}_enforce_tls")];
        let heirs = followers.iter().map(new).chain(followers.iter().flat_map(old));
        Some(Family { prefix, what, heirs: heirs.collect() })
    }
}

/// Whether the new name's default is the value of the old one, where that has one.
fn is_renamed(old: &Parameter, new: &Parameter, build: &Build, value: &str) -> bool {
    let (name, default) = (old.name, new.default_in(build).unwrap_or_default());
    // `${name:other}` is nothing where the old one has a value: some versions have such defaults.
    let is_otherwise = default.starts_with(&format!("${{{name}?{{${name}}}:"));
    *default == *format!("${name}") || (is_otherwise && default.ends_with('}') && !value.is_empty())
}
