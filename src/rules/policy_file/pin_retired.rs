//! Pins whose day to go has come.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "pin-retired",
    severity: Severity::Warning,
    summary: "a pin should be gone by now",
    doc: "
`retire:` is the day from which on a pin should be gone. postls goes on to compile
it: mail to a server that still has the old key would wait. Until it is taken out
whoever has that key, perhaps since it was stolen, is taken for the partner.

See that mail goes to the new key, then take the entry out.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> postls.yaml <==
version: 1
parameters: {smtp_tls_fingerprint_digest: sha1}
destinations:
  bank.example:
    level: fingerprint
    pins:
      - public-key: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B\"
        retire: 2026-11-24
#               ^^^^^^^^^^ it should be gone since this day
      - public-key: \"09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C\"
",
    good: "
==> postls.yaml <==
version: 1
parameters: {smtp_tls_fingerprint_digest: sha1}
destinations:
  bank.example:
    level: fingerprint
    pins:
      - public-key: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B\"
        retire: 2026-11-25
      - public-key: \"09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C\"
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((policies, today)) = context.policies.zip(context.today) else { return };
    for destination in &policies.destinations {
        let pins = destination.policy.pins.as_deref().unwrap_or_default();
        let stays = pins.iter().any(|it| !it.is_overdue(today));
        let overdue = pins.iter().filter(|it| it.is_overdue(today));
        for retire in overdue.filter_map(|it| it.retire) {
            let finding = findings.at(retire.span, "it should be gone since this day");
            finding.help(if stays {
                "take the entry out, once mail goes to the new key"
            } else {
                "pin the new key first: there is no other pin that stays"
            });
        }
    }
}
