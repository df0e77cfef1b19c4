//! md5 and sha1 for the fingerprints of clients.

use crate::config::{Server, ServerTls};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Digest;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-fingerprint-digest-weak",
    severity: Severity::Warning,
    summary: "clients are let in by the fingerprint of a weak digest",
    doc: "
relay_clientcerts and check_ccert_access let clients in by the fingerprint of
their certificate. Two certificates with the same md5 or sha1 fingerprint can be
made: whoever gives you one to let in has the other. md5 is the default before
Postfix 3.6 and below compatibility_level 3.6. An OpenSSL in FIPS mode has no
md5 at all, and then the server's TLS is off.

Changing smtpd_tls_fingerprint_digest makes every fingerprint in the tables
invalid: change both in one step.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_ask_ccert = yes
relay_clientcerts = hash:/etc/postfix/relay_clientcerts
smtpd_tls_fingerprint_digest = sha1
#                              ^^^^ clients are known by sha1, which is weak
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_ask_ccert = yes
smtpd_tls_fingerprint_digest = sha1
relay_clientcerts =
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let asks = it.is_on("smtpd_tls_ask_ccert") || it.is_on("smtpd_tls_req_ccert");
        let used = used(it).filter(|_| asks && it.tls != ServerTls::Off)?;
        let digest = Digest::parse(&it.value("smtpd_tls_fingerprint_digest"));
        let digest = digest.filter(|it| it.is_weak())?;
        let set = it.set("smtpd_tls_fingerprint_digest");
        Some((set.unwrap_or(used), (digest, set.map(|_| used))))
    });
    for (span, (digest, used)) in found {
        let text = match used {
            Some(_) => format!("clients are known by {digest}, which is weak"),
            None => format!("the default digest of fingerprints is {digest} here, which is weak"),
        };
        let finding = findings.at(span, text);
        finding.help("use sha256, and fingerprints of that length, in one step");
        if let Some(used) = used {
            finding.related(used, "for this");
        }
    }
}

/// Where fingerprints of clients count.
fn used(server: &Server<'_>) -> Option<Span> {
    const STAGES: [&str; 7] =
        ["client", "helo", "sender", "relay", "recipient", "data", "end_of_data"];
    if !server.value("relay_clientcerts").is_empty() {
        return server.set("relay_clientcerts");
    }
    STAGES.iter().find_map(|stage| {
        let name = format!("smtpd_{stage}_restrictions");
        let asked = memchr::memmem::find(&server.value(&name), b"check_ccert_access").is_some();
        server.set(&name).filter(|_| asked)
    })
}
