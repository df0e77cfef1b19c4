//! TLS settings of main.cf.

use crate::lint::Context;
use crate::text::{Span, shortened};

rules! {
    smtp_tls_level_invalid,
    weak_fingerprint_digest,
}

/// A level and the place that sets it.
struct Level {
    span: Span,
    value: Vec<u8>,
}

impl Level {
    /// The value for a message: it may have come out of an expansion.
    fn shown(&self) -> String {
        shortened(&String::from_utf8_lossy(&self.value))
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
