//! Chains without the issuer.

use crate::certificate::{Certificate, trust};
use crate::config::TrustKind;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "chain-incomplete",
    severity: Severity::Warning,
    summary: "the issuer's certificate is not sent",
    doc: "
Clients know the roots, and not the issuers between. Where smtpd(8) does not send
the certificate of its own certificate's issuer, clients that verify it do not
trust it. That some programs fetch it from the address in the certificate, or have
it from elsewhere, hides the mistake.

Authorities deliver it along: `fullchain.pem` has it, `cert.pem` does not. Where one
issuer follows and a second one would have to, this is not seen.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate of its issuer \"CN=Example Issuer\" does not follow\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
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
    let anchors = known_authorities(context);
    for loaded in context.loaded().iter().filter(|it| it.is_server()) {
        for identity in &loaded.loading.identities {
            // Whether the issuer of an issuer is a root cannot be seen: public authorities say of both
            // where they are to be had.
            if !identity.chain.is_empty() {
                continue;
            }
            let own = &identity.certificate;
            // Whose issuer can be fetched is not signed by a root. OpenSSL looks for what is not
            // given among the authorities that it knows.
            let is_known = || anchors.iter().any(|it| own.is_issued_by(it));
            if own.is_self_issued() || !names_its_issuer(own) || is_known() {
                continue;
            }
            let issuer = shortened(&own.issuer.to_string());
            let text = format!("the certificate of its issuer \"{issuer}\" does not follow");
            let help = "add the issuer's certificate behind it: with certbot, name fullchain.pem";
            findings.at(loaded.span_of(own), text).help(help);
        }
    }
}

/// The authorities that the configuration names.
fn known_authorities(context: &Context<'_>) -> Vec<Certificate> {
    let named = context.views().flat_map(|it| it.trust_uses(context.sources));
    let files = named.filter(|it| it.kind == TrustKind::File).collect::<Vec<_>>();
    let bytes = files.iter().filter_map(|it| context.files.bytes(&it.file.path).there());
    bytes.filter_map(|it| trust::ca_file(&it).ok()).flatten().collect()
}

/// Whether a certificate says where that of its issuer is to be had (`id-ad-caIssuers`): those that
/// public authorities make for servers do, and roots sign none of these.
fn names_its_issuer(certificate: &Certificate) -> bool {
    const CA_ISSUERS: [u8; 10] = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    memchr::memmem::find(certificate.der(), &CA_ISSUERS).is_some()
}
