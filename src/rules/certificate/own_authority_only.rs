//! Clients that trust nobody but their own authority.

use crate::certificate::trust;
use crate::config::{TrustKind, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Loaded, Rule};

pub(super) static RULE: Rule = Rule {
    id: "own-authority-only",
    severity: Severity::Warning,
    summary: "only servers of one's own authority are trusted",
    doc: "
smtp_tls_CAfile names those whom smtp(8) trusts, not those who signed its own
certificate. At the levels verify and secure, servers with certificates of other
authorities get no mail; here the only authorities in it are those of the own
certificate.

Name the system's authorities: /etc/ssl/certs/ca-certificates.crt on Debian,
/etc/pki/tls/certs/ca-bundle.crt on Red Hat.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/server.pem\n\
         smtp_tls_security_level = secure\n\
         smtp_tls_CAfile = /etc/postfix/chain.pem\n\
         #                 ^^^^^^^^^^^^^^^^^^^^^^ it holds the authority of this server's own certificate alone\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        "==> chain.pem <==\n",
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_cert_file = /etc/postfix/server.pem\n\
         smtp_tls_security_level = secure\n\
         smtp_tls_CAfile = /etc/postfix/authorities.pem\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        "==> authorities.pem <==\n",
        include_str!("examples/issuer.pem"),
        include_str!("examples/old.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let loaded = context.loaded();
    let own = || loaded.iter().filter(|it| it.is_server()).flat_map(Loaded::certificates);
    for view in context.views() {
        let appends = view.value("tls_append_default_CA", Within::Main).0.unwrap_or_default();
        // Who delivers to one relay may well trust its authority alone.
        let is_for_anybody = view.tls_clients().iter().any(crate::config::TlsClient::delivers_to_anybody);
        if !is_for_anybody || !appends.eq_ignore_ascii_case(b"no") {
            continue;
        }
        let all = view.trust_uses(context.sources);
        let alone = |it: &&crate::config::TrustUse| it.kind == TrustKind::File && it.is_alone;
        for it in all.iter().filter(alone).filter(|it| it.is_needed && it.program == "smtp") {
            let bytes = context.files.bytes(&it.file.path).there();
            let anchors = bytes.and_then(|it| trust::ca_file(&it).ok()).unwrap_or_default();
            let is_own = |anchor| own().any(|(_, it)| it == anchor || it.is_issued_by(anchor));
            if !anchors.is_empty() && anchors.iter().all(is_own) {
                let text = "it holds the authority of this server's own certificate alone";
                findings.at(it.file.span, text).help("name the system's authorities");
            }
        }
    }
}
