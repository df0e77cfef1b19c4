//! Parameters that take one of a few words, or a list of them.

use super::{read_values, refused, shown, unquoted, written};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::Type;
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};
use crate::text::all_nearest;

pub(super) static RULE: Rule = Rule {
    id: "word-invalid",
    severity: Severity::Error,
    summary: "a value has a word that the parameter does not take",
    doc: "
Some parameters take one of a few words, or a list of such words, and the program
that reads another one exits at its start. `postfix check` and `postconf` say
nothing. Lists, and the actions of postscreen(8), are compared letter by
letter.

Looked at here are the classes of addresses (canonical_classes and the like,
masquerade_classes, propagate_unmatched_extensions), mailbox locks,
allow_mail_to_commands and allow_mail_to_files, prepend_delivered_header, the
actions of postscreen(8), header_from_format, the protocols of a proxy in front,
syslog_facility, and what smtp(8) and lmtp(8) prefer and verify. Levels, protocols and other words of TLS have rules of their
own. Where no service in master.cf runs such a program it is a warning.
",
    postfix_says: "unknown canonical_classes value \"header_senders\"",
    fix: FixKind::Sometimes,
    bad: "
canonical_classes = envelope_sender, header_senders
#                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ canonical_classes does not take \"header_senders\"
",
    good: "
canonical_classes = envelope_sender header_sender, header_recipient
smtp_address_preference = IPv6
masquerade_classes =
notify_classes = resource, software
",
    check,
};

/// How a parameter takes its words.
enum Takes {
    /// One of them, in any case.
    One,
    /// One of them, letter by letter.
    Exactly,
    /// Some of them, letter by letter.
    Some,
}

/// The words of each parameter.
const WORDS: &[(&str, Takes, &[&str])] = &[
    ("allow_mail_to_commands", Takes::Some, EXPANSIONS),
    ("allow_mail_to_files", Takes::Some, EXPANSIONS),
    ("canonical_classes", Takes::Some, ADDRESSES),
    ("header_from_format", Takes::One, &["standard", "obsolete"]),
    ("lmtp_address_preference", Takes::One, PREFERENCES),
    ("lmtp_address_verify_target", Takes::One, TARGETS),
    ("mailbox_delivery_lock", Takes::Some, LOCKS),
    ("masquerade_classes", Takes::Some, ADDRESSES),
    ("postscreen_bare_newline_action", Takes::Exactly, ACTIONS),
    ("postscreen_blacklist_action", Takes::Exactly, ACTIONS),
    ("postscreen_denylist_action", Takes::Exactly, ACTIONS),
    ("postscreen_dnsbl_action", Takes::Exactly, ACTIONS),
    ("postscreen_greet_action", Takes::Exactly, ACTIONS),
    ("postscreen_non_smtp_command_action", Takes::Exactly, ACTIONS),
    ("postscreen_pipelining_action", Takes::Exactly, ACTIONS),
    ("postscreen_upstream_proxy_protocol", Takes::Exactly, PROXIES),
    ("prepend_delivered_header", Takes::Some, &["command", "file", "forward"]),
    (
        "propagate_unmatched_extensions",
        Takes::Some,
        &["canonical", "virtual", "alias", "forward", "include", "generic"],
    ),
    ("recipient_canonical_classes", Takes::Some, &["envelope_recipient", "header_recipient"]),
    ("sender_canonical_classes", Takes::Some, &["envelope_sender", "header_sender"]),
    ("smtp_address_preference", Takes::One, PREFERENCES),
    ("smtp_address_verify_target", Takes::One, TARGETS),
    ("smtpd_upstream_proxy_protocol", Takes::Exactly, PROXIES),
    ("syslog_facility", Takes::Exactly, FACILITIES),
    ("virtual_mailbox_lock", Takes::Some, LOCKS),
];

const ACTIONS: &[&str] = &["ignore", "enforce", "drop"];
const ADDRESSES: &[&str] =
    &["envelope_sender", "envelope_recipient", "header_sender", "header_recipient"];
const EXPANSIONS: &[&str] = &["alias", "forward", "include"];
/// `security` is of some systems alone.
const FACILITIES: &[&str] = &[
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7", "lpr", "mail", "news", "security", "syslog", "user", "uucp",
];
const LOCKS: &[&str] = &["flock", "fcntl", "dotlock"];
const PREFERENCES: &[&str] = &["any", "ipv4", "ipv6"];
const PROXIES: &[&str] = &["haproxy"];
const TARGETS: &[&str] = &["rcpt", "data"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for it in read_values(context, &[Type::String, Type::Enum]) {
        let Some((name, takes, words)) = WORDS.iter().find(|of| of.0 == it.name) else { continue };
        let exactly = |given: &[u8]| words.iter().any(|word| word.as_bytes() == given);
        let given = it.value.as_slice();
        let wrong = match takes {
            // That is a finding of its own.
            Takes::One | Takes::Exactly if given.is_empty() => continue,
            Takes::One if words.iter().any(|word| given.eq_ignore_ascii_case(word.as_bytes())) => continue,
            Takes::Exactly if exactly(given) => continue,
            Takes::One | Takes::Exactly => given,
            Takes::Some => {
                let mut all = lists::words(given, COMMA_SPACE_FLAT).map(|range| &given[range]);
                let Some(wrong) = all.find(|word| !exactly(word)) else { continue };
                wrong
            }
        };
        let meant = String::from_utf8_lossy(unquoted(wrong)).to_ascii_lowercase();
        let near = all_nearest(&meant, words.iter().copied(), |length| 1 + length / 10);
        let fix = match near.as_slice() {
            [only] if wrong == given => written(context, &it, only),
            _ => None,
        };
        let text = format!("{name} does not take {}", shown(wrong));
        refused(findings, &it, text, fix);
    }
}
