//! A host that relays to itself.

use crate::config::Within;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::fold;

pub(super) static RULE: Rule = Rule {
    id: "relayhost-is-myhostname",
    severity: Severity::Error,
    summary: "relayhost is this host",
    doc: "
With relayhost and myhostname the same, mail would come back for ever. No program of
Postfix starts.

A relayhost in brackets or with a port is not compared by Postfix, and not here.
",
    postfix_says: "myhostname and relayhost parameter settings must not be identical",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
relayhost = mail.example.com
==> master.cf <==
#                                      vvvvvvvvvvvvvvvv this is relayhost
smtp unix - - n - - smtp -o myhostname=mail.example.com
",
    good: "
myhostname = mail.example.com
relayhost = example.com
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views() {
        let with_settings = view.scopes.iter().filter(|it| it.settings.is_some());
        let services = with_settings.map(Within::Service);
        for within in std::iter::once(Within::Main).chain(services) {
            let (relay, origin) = view.value("relayhost", within);
            let (name, name_origin) = view.value("myhostname", within);
            // What the host calls itself is another one's business.
            let (Some(name_span), Some(span)) = (name_origin.span(), origin.span()) else { continue };
            let (Ok(relay), Ok(name)) = (relay, name) else { continue };
            if name.is_empty() || fold(&relay) != fold(&name) {
                continue;
            }
            // Of what main.cf says and a service, the service is the one that is mistaken.
            if matches!(within, Within::Service(_)) && view.main.origin("myhostname").span() != Some(name_span) {
                findings.at(name_span, "this is relayhost").related(span, "it is set here");
            } else {
                findings.at(span, "this is myhostname").related(name_span, "it is set here");
            }
        }
    }
}
