//! Pins that should be gone before they come.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "pin-retired-when-added",
    severity: Severity::Warning,
    summary: "a pin should be gone on the day on which it was added",
    doc: "
`added:` is the day on which a pin came, `retire:` the one from which on it should be
gone. The second one before the first is a slip of the pen, mostly in the year; a pin
that stays longer than somebody meant is found too late or too early then.
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
        added: 2026-12-01
        retire: 2026-12-01
#               ^^^^^^^^^^ that is not behind the day on which it was added
      - {public-key: \"09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C\", note: next}
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
        added: 2026-12-01
        retire: 2026-12-02
      - {public-key: \"09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C\", note: next}
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let destinations = context.policies.iter().flat_map(|it| &it.destinations);
    for pin in destinations.flat_map(|it| it.policy.pins.iter().flat_map(|it| it.iter())) {
        let Some((added, retire)) = pin.added.zip(pin.retire) else { continue };
        if retire.value <= added.value {
            let text = "that is not behind the day on which it was added";
            findings.at(retire.span, text).related(added.span, "added");
        }
    }
}
