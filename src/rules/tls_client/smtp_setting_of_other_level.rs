//! Settings for a level that the client does not use.

use super::{each_client, related};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{Protocol, Protocols, SecurityLevel};

pub(super) static RULE: Rule = Rule {
    id: "smtp-setting-of-other-level",
    severity: Severity::Warning,
    summary: "a setting is for a level that the client does not use",
    doc: "
smtp(8) reads smtp_tls_mandatory_protocols, smtp_tls_mandatory_ciphers and
smtp_tls_mandatory_exclude_ciphers where TLS is mandatory, and smtp_tls_protocols
and smtp_tls_ciphers at level may. A setting for the other level has no effect,
and what it should have changed has its default.

Found where no policy table can ask for the other level, and the counterpart that
smtp(8) does read is not set. It is advice where it is about ciphers: at level may
a server with weak ones is better than clear text.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = may
smtp_tls_mandatory_protocols = >=TLSv1.2
#                              ^^^^^^^^^ not read at level may: smtp(8) reads smtp_tls_protocols
",
    good: "
smtp_tls_security_level = may
smtp_tls_mandatory_protocols = >=TLSv1.2
smtp_tls_protocols = >=TLSv1.2
lmtp_tls_security_level = encrypt
lmtp_tls_mandatory_ciphers = high
",
    check,
};

/// Each setting, and what is read at the other level.
const MANDATORY: [(&str, &str); 3] = [
    ("tls_mandatory_protocols", "tls_protocols"),
    ("tls_mandatory_ciphers", "tls_ciphers"),
    ("tls_mandatory_exclude_ciphers", "tls_exclude_ciphers"),
];
const OPPORTUNISTIC: [(&str, &str); 2] =
    [("tls_protocols", "tls_mandatory_protocols"), ("tls_ciphers", "tls_mandatory_ciphers")];

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(global) = client.level().filter(|_| !seen.has_policies()) else { return };
        let pairs: &[(&str, &str)] = match global.level {
            SecurityLevel::May => &MANDATORY,
            // At level dane both are read; without TLS none.
            SecurityLevel::None | SecurityLevel::Dane => &[],
            SecurityLevel::Encrypt
            | SecurityLevel::DaneOnly
            | SecurityLevel::Fingerprint
            | SecurityLevel::Verify
            | SecurityLevel::Secure => &OPPORTUNISTIC,
        };
        for (name, counterpart) in pairs {
            let (Some(given), Some(read)) = (client.own(name), client.own(counterpart)) else { continue };
            let (Some(span), None) = (given.set, read.set) else { continue };
            if means_the_same(context, &given.value, &read.value) {
                continue;
            }
            let is_weak = name.ends_with("protocols");
            let severity = if is_weak { Severity::Warning } else { Severity::Advice };
            let (level, program, read) = (global.level, client.program, &read.name);
            let text = format!("not read at level {level}: {program}(8) reads {read}");
            related(findings.milder(severity, span, text), &global.given, "the level");
        }
    });
}

/// Whether nothing would change if the one were read in place of the other.
fn means_the_same(context: &Context<'_>, value: &[u8], other: &[u8]) -> bool {
    let usable = |list: &[u8]| -> Option<Vec<Protocol>> {
        let protocols = Protocols::parse(list, context.version()).ok()?;
        Some(protocols.enabled().filter(|it| *it != Protocol::Ssl3).collect())
    };
    let protocols = usable(value);
    value.eq_ignore_ascii_case(other) || (protocols.is_some() && protocols == usable(other))
}
