//! Signatures that prove nothing.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "weak-signature",
    severity: Severity::Warning,
    summary: "a certificate is signed with a weak digest",
    doc: "
Others can make a certificate with the same MD5 or SHA-1 digest, so the signature
proves nothing, and clients that verify the certificate refuse it.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate is signed with SHA-1\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/sha1.pem"),
        include_str!("examples/old.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    super::each_certificate(context, &mut |loaded, identity, certificate| {
        // Nobody checks the signature of what stands for itself.
        let digest = certificate.weak_digest.filter(|_| !certificate.is_self_issued());
        if let Some(digest) = digest {
            let which = super::which(identity, certificate);
            let text = format!("{which} is signed with {digest}");
            let help = "have it signed again, with SHA-256";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
