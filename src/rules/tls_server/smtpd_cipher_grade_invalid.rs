//! The server's cipher grades.

use crate::config::ServerTls;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::CipherGrade;

pub(super) static RULE: Rule = Rule {
    id: "smtpd-cipher-grade-invalid",
    severity: Severity::Error,
    summary: "the server's cipher grade does not exist",
    doc: "
smtpd(8) looks at the grade when a client has said STARTTLS. Where it does not
know it, the session ends there: nobody can use TLS, and clients that want it
deliver in clear text or not at all. `postfix check` says nothing.

The grades are high, medium, low, export and null, in upper or lower case, of
which only high and medium are of use. A list of ciphers is no grade; what must
not be used goes to smtpd_tls_exclude_ciphers.
",
    postfix_says: "invalid cipher grade: \"strong\"",
    fix: FixKind::Sometimes,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_ciphers = strong
#                   ^^^^^^ \"strong\" is no grade: STARTTLS fails
",
    good: "
smtpd_tls_security_level = may
smtpd_tls_ciphers = HIGH
# not read at level may
smtpd_tls_mandatory_ciphers = strong
smtpd_tls_chain_files = /etc/postfix/server.pem
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let grades = super::read(context, |tls| match tls {
        ServerTls::Off => &[],
        ServerTls::Opportunistic => &["smtpd_tls_ciphers"],
        ServerTls::Mandatory => &["smtpd_tls_mandatory_ciphers"],
    });
    for (set, _) in grades {
        // On an empty value smtpd(8) exits: smtpd-tls-value-empty.
        if !set.text.is_empty() && CipherGrade::parse(&set.text).is_none() {
            let grade = set.shown();
            let text = format!("\"{grade}\" is no grade: STARTTLS fails");
            let finding = findings.at(set.span, text).help("high or medium");
            finding.fix = context.rewrite_as_one_of(set.span, &set.text, &["high", "medium"]);
        }
    }
}
