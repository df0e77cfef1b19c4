//! TLS settings of main.cf.

use crate::config::{Configuration, Setting};

rules! {
    smtp_tls_level_invalid,
    smtpd_tls_level_invalid,
    weak_fingerprint_digest,
}

/// A level that main.cf sets, expanded, in front of a comment that stands
/// behind it: the comment is a finding of its own.
fn level<'c>(configuration: &'c Configuration<'_>, name: &str) -> Option<(Setting<'c>, Vec<u8>)> {
    let setting = configuration.setting(name)?;
    let mut level = configuration.value(name).0.ok()?;
    if let Some(comment) = level.windows(2).position(|it| it == b" #") {
        level.truncate(comment);
    }
    Some((setting, level.trim_ascii().to_vec()))
}
