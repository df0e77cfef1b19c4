//! Certificates for other names than the server's.

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::shortened;

pub(super) static RULE: Rule = Rule {
    id: "certificate-name-mismatch",
    severity: Severity::Warning,
    summary: "no certificate is for the server's name",
    doc: "
Clients that verify the certificate compare its names with that in the MX record,
or with the one that they were configured with; where none fits, they do not
deliver. Without further word this rule takes myhostname for that name. The policy
file says which names lead here:

```yaml
lint:
  mx: [mx1.example.org, mx2.example.org]
```

Certificates that nobody signed but their own key are for no name in particular,
and are left alone.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         myhostname = mail.example.org\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ it is for www.example.net, and not for mail.example.org\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/www.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         myhostname = inside.example.org\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> postls.yaml <==\n\
         version: 1\n\
         lint: {mx: [mail.example.org]}\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/server.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let loaded = context.loaded();
    let servers = || loaded.iter().filter(|it| it.is_server());
    let identities = || servers().flat_map(|it| it.loading.identities.iter());
    let is_covered = |name: &str| identities().any(|it| it.certificate.covers(name));
    let help = "have a certificate made for it, or say in the policy file which names lead here";
    let mx = context.policies.map(|it| it.lint.mx.as_slice()).unwrap_or_default();
    // What cannot be read may be for it.
    let all_are_known = context.certificates().len() == loaded.len();
    let any_is_signed = identities().any(|it| !it.certificate.is_self_issued());
    for name in mx.iter().filter(|_| all_are_known && any_is_signed) {
        if !is_covered(&name.value) {
            let text = format!("no certificate is for \"{}\"", shortened(&name.value));
            findings.at(name.span, text).help(help);
        }
    }
    let Some(effective) = context.effective().filter(|_| mx.is_empty() && all_are_known) else {
        return;
    };
    let Ok(name) = effective.value("myhostname", Within::Main).0 else { return };
    let name = String::from_utf8_lossy(&name);
    // A default is this host's name, which is another one in a copy.
    if effective.origin("myhostname", Within::Main).span().is_none() || is_covered(&name) {
        return;
    }
    for it in servers().filter(|it| !it.is_sni) {
        let own = it.loading.identities.iter().map(|it| &it.certificate);
        for certificate in own.filter(|it| !it.is_self_issued() && !it.names.is_empty()) {
            let names = shortened(&certificate.names.join(", "));
            let text = format!("it is for {names}, and not for {}", shortened(&name));
            findings.at(it.span_of(certificate), text).help(help);
        }
    }
}
