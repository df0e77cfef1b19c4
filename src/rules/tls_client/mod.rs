//! TLS settings of smtp(8) and lmtp(8), which main.cf and master.cf decide.

use std::sync::Arc;

use crate::config::{Given, TlsClient};
use crate::finding::{Finding, Severity};
use crate::lint::{Context, PolicyClient};
use crate::policy::{Policies, row};
use crate::postfix::{Protocol, Protocols, SecurityLevel, protocols_since};
use crate::text::{Span, shortened};

mod dane;

rules! {
    common_fingerprint_invalid,
    dane_insecure_mx_policy_invalid,
    dane_with_ignored_mx_errors,
    dane_with_native_lookup,
    dane_with_search_list,
    dane_without_dnssec,
    global_fingerprint_without_pins,
    implicit_fingerprint_digest,
    mandatory_level_for_anybody,
    match_name_unlikely,
    missing_client_ca,
    per_site_ignored,
    secure_match_hostname,
    smtp_certificate_ignored,
    smtp_cipher_exclusion_invalid,
    smtp_cipher_grade_invalid,
    smtp_ciphers_empty,
    smtp_dns_resolver_options_invalid,
    smtp_dns_support_level_invalid,
    smtp_host_lookup_invalid,
    smtp_key_without_certificate,
    smtp_newest_protocol_missing,
    smtp_protocol_bound_empty,
    smtp_protocol_hole,
    smtp_protocol_invalid,
    smtp_protocols_empty,
    smtp_setting_of_other_level,
    smtp_tls_disabled,
    smtp_tls_level_invalid,
    smtp_tls_servername_invalid,
    unknown_fingerprint_digest,
    weak_fingerprint_digest,
    wrappermode_needs_encrypt,
    wrappermode_without_relay,
}

/// A level and the place that sets it.
struct Level {
    span: Span,
    value: Vec<u8>,
}

impl Level {
    /// The value for a message: it may have come out of an expansion.
    fn shown(&self) -> String {
        shown(&self.value)
    }
}

/// The levels that main.cf, services of master.cf and the policy file set, expanded, in
/// front of a comment that stands behind one: the comment is a finding of its own.
fn levels(context: &Context<'_>, name: &str) -> Vec<Level> {
    let Some(configuration) = &context.configuration else { return Vec::new() };
    let setting =
        configuration.setting(name).map(|it| (it.value_span(), it.value().text().to_vec()));
    let overrides = context.overrides(name).map(|it| (it.value_span, it.value.clone()));
    let wanted = context.policies.iter().flat_map(|it| &it.parameters);
    let wanted = wanted.filter(|it| it.name.value == name).filter_map(|it| it.value.as_ref());
    let wanted = wanted.map(|it| (it.span, it.value.clone().into_bytes()));
    setting
        .into_iter()
        .chain(overrides)
        .chain(wanted)
        .filter_map(|(span, value)| {
            let mut value = configuration.expand(&value).ok()?;
            if let Some(comment) = value.windows(2).position(|it| it == b" #") {
                value.truncate(comment);
            }
            let value = value.trim_ascii().to_vec();
            (!value.is_empty()).then_some(Level { span, value })
        })
        .collect()
}

/// A client and the policies that it has for single destinations.
struct Seen<'v> {
    client: TlsClient<'v>,
    context: &'v Context<'v>,
    /// Those of the policy file, if these are the settings that it finds when it is applied.
    policies: Option<&'v Policies>,
}

/// Hands over each client: first as main.cf is, then as the policy file wants it.
fn each_client(context: &Context<'_>, look: &mut dyn FnMut(&Seen<'_>)) {
    let views: Vec<_> = context.views().collect();
    for (index, view) in views.iter().enumerate() {
        for client in view.tls_clients() {
            let is_last = index + 1 == views.len();
            let policies =
                context.policies.filter(|it| is_last && it.table.client() == client.program);
            look(&Seen { client, context, policies });
        }
    }
}

impl Seen<'_> {
    /// The level word of the first row of the client's tables that has such a level.
    fn row(&self, wanted: impl Fn(SecurityLevel) -> bool) -> Option<Span> {
        let tables = self.context.tables.iter();
        let asks = |it: &PolicyClient| it.client.name == self.client.program;
        tables.filter(|it| it.clients.iter().any(asks)).find_map(|table| {
            let bytes = self.context.sources.source(table.source).bytes();
            let levels = SecurityLevel::ALL.into_iter().filter(|it| wanted(*it));
            let row = levels.filter_map(|it| table.first_at(it)).min()?;
            let row = &table.table.rows[row];
            let level = row::parse(&row.value(bytes)).level;
            Some(Span::new(table.source, row.text(bytes).locate(level)))
        })
    }

    /// The levels of destinations in the policy file.
    fn destinations(&self) -> impl Iterator<Item = (SecurityLevel, Span)> {
        let destinations = self.policies.into_iter().flat_map(|it| &it.destinations);
        let levels = destinations.filter(|it| !it.testing).filter_map(|it| it.policy.level);
        levels.map(|it| (it.value, it.span))
    }

    /// Whether destinations may have a level of their own.
    fn has_policies(&self) -> bool {
        self.client.level_tables().is_some() || self.destinations().next().is_some()
    }

    /// Whether mail goes at such a level unless a table says otherwise.
    fn is_at(&self, wanted: impl Fn(SecurityLevel) -> bool) -> bool {
        self.client.level().is_some_and(|it| wanted(it.level))
    }
}

/// A value for a message: it may have come out of an expansion.
fn shown(value: &[u8]) -> String {
    shortened(&String::from_utf8_lossy(value))
}

/// Names the parameter as another place, where somebody sets it.
fn related(finding: &mut Finding, given: &Given, text: &str) {
    if let Some(set) = given.set {
        finding.related(set, text);
    }
}

/// A setting that a client reads at some levels, and somebody has set.
struct LevelSetting {
    given: Arc<Given>,
    span: Span,
    /// An error where the client reads it at its level; a warning where a table may ask for
    /// a level at which it does.
    severity: Severity,
}

/// What a client reads of `ciphers`, `protocols` or `exclude_ciphers`.
fn level_settings(seen: &Seen<'_>, what: &str) -> Vec<LevelSetting> {
    use SecurityLevel::{Dane, DaneOnly, Encrypt, Fingerprint, May, Secure, Verify};
    const MANDATORY: &[SecurityLevel] = &[Dane, DaneOnly, Encrypt, Fingerprint, Secure, Verify];
    // Without TLSA records level dane is may.
    let opportunistic: &[SecurityLevel] = match what {
        "exclude_ciphers" => &SecurityLevel::ALL[1..],
        _ => &[May, Dane],
    };
    let names =
        [(format!("tls_{what}"), opportunistic), (format!("tls_mandatory_{what}"), MANDATORY)];
    let read = names.into_iter().filter_map(|(name, levels)| {
        let given = seen.client.own(&name)?;
        let severity = if seen.is_at(|level| levels.contains(&level)) {
            Severity::Error
        } else if seen.has_policies() {
            Severity::Warning
        } else {
            return None;
        };
        Some(LevelSetting { span: given.set?, given, severity })
    });
    read.collect()
}

/// The lists of protocols that Postfix takes.
fn protocol_lists(seen: &Seen<'_>) -> Vec<(LevelSetting, Protocols)> {
    let parse = |setting: LevelSetting| {
        let protocols = Protocols::parse(&setting.given.value, seen.context.version()).ok()?;
        Some((setting, protocols))
    };
    level_settings(seen, "protocols").into_iter().filter_map(parse).collect()
}

/// `TLSv1.1 and TLSv1.2`
fn names(protocols: impl Iterator<Item = Protocol>) -> String {
    protocols.map(Protocol::name).collect::<Vec<_>>().join(" and ")
}

/// How to ask for TLSv1.2 and what is newer.
fn modern_list(context: &Context<'_>) -> &'static str {
    match protocols_since(b">=TLSv1.2") {
        Some(since) if context.version() >= since => ">=TLSv1.2",
        Some(_) | None => "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1",
    }
}

/// The words of a list that may have colons between them: of ciphers, or of names to compare
/// certificates with.
fn words(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|it| b", \t\r\n:".contains(it)).filter(|it| !it.is_empty())
}
