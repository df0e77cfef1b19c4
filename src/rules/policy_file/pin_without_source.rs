//! Pins of which nobody can tell where they come from.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::Pin;
use crate::syntax::lines;
use crate::text::Span;

pub(super) static RULE: Rule = Rule {
    id: "pin-without-source",
    severity: Severity::Advice,
    summary: "nothing says where a pin comes from",
    doc: "
A fingerprint alone cannot be reviewed: nobody sees whose key it is, who has checked
it and when. Say it in a `note:`, give the day in `added:`, or name the certificate
in `pem:`; a comment at the entry or above it will do. A pin that has a day in
`retire:` is on its way out, and needs no more.
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
      - {note: read to us by Ms. Okafor, public-key: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B\"}
      - public-key: \"09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C\"
#                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing says whose key this is, and since when
",
    good: "
==> postls.yaml <==
version: 1
parameters: {smtp_tls_fingerprint_digest: sha1}
destinations:
  bank.example:
    level: fingerprint
    pins:
      - {public-key: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0:B4:88:CD:9B\", added: 2026-11-24}
      # the next key
      - public-key: \"09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C\"
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let destinations = context.policies.iter().flat_map(|it| &it.destinations);
    for pin in destinations.flat_map(|it| it.policy.pins.iter().flat_map(|it| it.iter())) {
        let is_said =
            pin.note.is_some() || pin.added.is_some() || pin.pem.is_some() || pin.retire.is_some();
        if !is_said && !has_comment(context, pin) {
            findings
                .at(pin.place(), "nothing says whose key this is, and since when")
                .help("add a note, or the day on which it was added");
        }
    }
}

/// Whether a comment stands above the entry, or behind a line of it.
fn has_comment(context: &Context<'_>, pin: &Pin) -> bool {
    let Span { source, .. } = pin.span;
    let bytes = context.sources.source(source).bytes();
    let line_start = |at: usize| bytes[..at].iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
    let rest = |at: usize| &bytes[at..lines::line_end(bytes, at)];
    let first = line_start(pin.span.range().start);
    let above = first.checked_sub(1).map(|it| rest(line_start(it)).trim_ascii_start());
    let behind = [rest(pin.place().range().end), rest(pin.span.range().start)];
    above.is_some_and(|it| it.starts_with(b"#"))
        || behind.iter().any(|it| it.windows(2).any(|it| it == b" #"))
}
