//! A mailbox that is smaller than a message.

use super::number_invalid::number;
use crate::config::{Effective, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "mailbox-limit-too-small",
    severity: Severity::Error,
    summary: "a mailbox may be no larger than a message, or less",
    doc: "
A mailbox must hold at least one message: with mailbox_size_limit below
message_size_limit local(8) exits as soon as it starts, with virtual_mailbox_limit
virtual(8) does, and mail for their mailboxes stays in the queue. The defaults are 51200000 for mailboxes and
10240000 for messages: whoever lets larger messages in must raise the other limit as
well, or set it to 0, which is none.

Where no mail goes to that program, as with `mydestination =` or a local_transport of
another program, nothing is said.
",
    postfix_says: "configuration error: mailbox_size_limit is smaller than message_size_limit",
    fix: FixKind::Never,
    bad: "
mydestination = plain.example
message_size_limit = 104857600
#                    ^^^^^^^^^ more than mailbox_size_limit, which is 51200000
",
    good: "
message_size_limit = 104857600
mailbox_size_limit = 0
virtual_mailbox_domains = example.com
virtual_transport = lmtp:unix:private/dovecot-lmtp
",
    check,
};

/// A program, its limit, what has to be there, and the transport that leads to it.
const PROGRAMS: [[&str; 4]; 2] = [
    ["local", "mailbox_size_limit", "mydestination", "local_transport"],
    ["virtual", "virtual_mailbox_limit", "virtual_mailbox_domains", "virtual_transport"],
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for view in context.views() {
        for [program, name, domains, transport] in PROGRAMS {
            let service = transport_of(&view, transport);
            let has_domains = view.value(domains, Within::Main).0.is_ok_and(|it| !it.is_empty());
            let Some(within) = agent(&view, program, &service).filter(|_| has_domains) else {
                continue;
            };
            let (mailbox, set) = view.value(name, within);
            let (message, message_set) = view.value("message_size_limit", within);
            let of = |name, value: Result<Vec<u8>, _>| number(name, &value.ok()?);
            let (Some(mailbox), Some(message)) = (of(name, mailbox), of("message_size_limit", message)) else {
                continue;
            };
            let (set, message_set) = (set.span(), message_set.span());
            let Some(span) = set.or(message_set) else { continue };
            if mailbox <= 0 || (message > 0 && mailbox >= message) {
                continue;
            }
            let said = match (set, message) {
                (None, 0) => format!("more than {name}, which is {mailbox}: 0 is no limit"),
                (None, _) => format!("more than {name}, which is {mailbox}"),
                (Some(_), 0) => "less than message_size_limit, which is none".to_owned(),
                (Some(_), _) => format!("less than message_size_limit, which is {message}"),
            };
            let finding = findings.at(span, said).help(format!("raise {name}, or set it to 0 for none"));
            if let Some(other) = set.and(message_set) {
                finding.related(other, "it is set here");
            }
        }
    }
}

/// The name in front of the first colon.
fn transport_of(view: &Effective<'_>, parameter: &str) -> Vec<u8> {
    let value = view.value(parameter, Within::Main).0.unwrap_or_default();
    value.split(|it| *it == b':').next().unwrap_or_default().to_vec()
}

/// Where the values of the delivery agent hold, if the service runs that program.
fn agent<'e>(view: &'e Effective<'_>, program: &str, service: &[u8]) -> Option<Within<'e>> {
    if view.scopes.is_empty() {
        return (service == program.as_bytes()).then_some(Within::Main);
    }
    let of = view.scopes.iter().find(|it| it.service == service && it.program() == program.as_bytes())?;
    Some(Within::Service(of))
}
