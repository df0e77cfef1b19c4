//! Why no program of Postfix reads the files to their end.

use std::collections::BTreeSet;

use super::{Configuration, Effective, Names, Services};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};
use crate::syntax::main_cf::{self, MainCf};
use crate::syntax::master_cf;
use crate::text::{SourceId, Sources, Span};

/// What stops postconf, and with it what the files mean.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Where.
    pub span: Span,
    /// What is so.
    pub why: String,
}

impl Effective<'_> {
    /// The first reason why postconf prints nothing of these files (exit status 1), if there is one.
    pub fn refusal(&self, services: Option<&Services<'_>>, names: &Names) -> Option<Refusal> {
        in_main_cf(self.main.span(0..0).source, self.main.main_cf())
            .or_else(|| services.and_then(in_master_cf))
            .or_else(|| names.unexpandable.first().cloned())
            .or_else(|| in_defaults(self.main))
    }
}

/// Why a configuration file of a lookup client, which has the form of main.cf, is not read to its end.
pub fn refusal_of_client(sources: &Sources, source: SourceId) -> Option<Refusal> {
    in_main_cf(source, &main_cf::parse(sources.source(source).bytes()))
}

fn in_main_cf(source: SourceId, main_cf: &MainCf) -> Option<Refusal> {
    main_cf.groups.iter().find_map(|group| {
        let why = match group.kind {
            main_cf::Kind::MissingEquals => "there is no \"=\" behind the parameter's name",
            main_cf::Kind::MissingName => "no name stands before the \"=\"",
            main_cf::Kind::Trivia | main_cf::Kind::Entry(_) | main_cf::Kind::Orphan => return None,
        };
        Some(Refusal { span: Span::new(source, group.range.clone()), why: why.to_owned() })
    })
}

fn in_master_cf(services: &Services<'_>) -> Option<Refusal> {
    services.master_cf().groups.iter().find_map(|group| match &group.kind {
        master_cf::Kind::FewFields => Some(Refusal {
            span: services.span(group.range.clone()),
            why: "a service has eight fields, and this one fewer".to_owned(),
        }),
        master_cf::Kind::Service(service) => {
            let text = service.text(services.bytes());
            let index = text.invalid_field()?;
            Some(Refusal {
                span: services.span(text.field_range(index)),
                why: format!("this cannot be the {} field", master_cf::FIELDS[index]),
            })
        }
        master_cf::Kind::Trivia | master_cf::Kind::Orphan => None,
    })
}

/// For the defaults of three parameters, postconf reads others, with nothing but
/// what main.cf sets. What inet_interfaces says must be on the host too, which is not looked at here.
fn in_defaults(main: &Configuration<'_>) -> Option<Refusal> {
    let without_domain = main.environment.hostname.as_ref().is_some_and(|it| !it.contains('.'));
    let read: &[(&str, bool, &[&str])] = &[
        ("myhostname", without_domain, &["mydomain"]),
        ("mydomain", true, &["myhostname"]),
        ("mynetworks", true, &["inet_interfaces", "mynetworks_style", "inet_protocols"]),
    ];
    let read = read.iter().filter(|(name, reads, _)| *reads && main.setting(name).is_none());
    let mut settings = read.flat_map(|it| it.2).filter_map(|name| main.setting(name));
    let unexpandable = settings.find_map(|it| {
        let error = main.expand_alone(it.value().text()).err()?;
        Some(Refusal { span: it.value_span(), why: error.to_string() })
    });
    unexpandable.or_else(|| in_networks(main))
}

/// Two parameters are words of a few.
fn in_networks(main: &Configuration<'_>) -> Option<Refusal> {
    if main.setting("mynetworks").is_some() {
        return None;
    }
    let words = |name, known: &[&[u8]]| {
        let setting = main.setting(name)?;
        let value = main.expand_alone(setting.value().text()).ok()?;
        let words: BTreeSet<&[u8]> =
            lists::words(&value, COMMA_SPACE_FLAT).map(|it| &value[it]).collect();
        let unknown = words.iter().find(|it| !known.contains(it));
        let why = unknown.map(|it| format!("{name} cannot be \"{}\"", String::from_utf8_lossy(it)));
        Some((setting.value_span(), words.len(), why))
    };
    let protocols = words("inet_protocols", &[b"all", b"ipv4", b"ipv6"]);
    let protocols = protocols.and_then(|(span, _, why)| Some(Refusal { span, why: why? }));
    let style = || {
        let (span, count, why) = words("mynetworks_style", &[b"class", b"subnet", b"host"])?;
        let one = || (count != 1).then(|| "mynetworks_style is one word".to_owned());
        Some(Refusal { span, why: why.or_else(one)? })
    };
    protocols.or_else(style)
}
