//! Certificates near their last day.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::Date;

/// Where the policy file says nothing.
const DAYS: i64 = 14;

pub(super) static RULE: Rule = Rule {
    id: "certificate-expires-soon",
    severity: Severity::Warning,
    summary: "a certificate expires soon",
    doc: "
Its last day is less than 14 days away: what renews it has failed, or is about to
be late. Of one that is valid for less than 42 days, the last third counts. The
policy file sets another number of days:

```yaml
lint:
  expires-within: 30
```
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         #                       ^^^^^^^^^^^^^^^^^^^^^^^ the certificate is valid until 2026-12-01, in 7 days\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/soon.pem"),
        include_str!("examples/issuer.pem"),
    ),
    good: concat!(
        "==> main.cf <==\n\
         smtpd_tls_security_level = may\n\
         smtpd_tls_chain_files = /etc/postfix/server.pem\n\
         ==> postls.yaml <==\n\
         version: 1\n\
         lint: {expires-within: 5}\n\
         ==> server.pem <==\n",
        include_str!("examples/key.pem"),
        include_str!("examples/soon.pem"),
        include_str!("examples/issuer.pem"),
    ),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(now) = super::now(context) else { return };
    let wanted = context.policies.and_then(|it| it.lint.expires_within).map(i64::from);
    super::each_certificate(context, &mut |loaded, identity, certificate| {
        let left = (certificate.not_after - now).div_euclid(Date::SECONDS);
        // What is valid for some days is renewed in the last third of them.
        let lifetime = certificate.not_after.saturating_sub(certificate.not_before);
        let usual = DAYS.min(lifetime / Date::SECONDS / 3);
        if (0..wanted.unwrap_or(usual)).contains(&left) {
            let which = super::which(identity, certificate);
            let last = super::day(certificate.not_after);
            let when = match left {
                0 => "today".to_owned(),
                1 => "tomorrow".to_owned(),
                _ => format!("in {left} days"),
            };
            let text = format!("{which} is valid until {last}, {when}");
            let help = "renew it, and let Postfix read it: postfix reload";
            findings.at(loaded.span_of(certificate), text).help(help);
        }
    });
}
