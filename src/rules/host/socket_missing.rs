//! `unix:private/policy`, and nobody listens.

use crate::config::{Effective, Endpoint, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::text::Span;

use super::shown;

pub(super) static RULE: Rule = Rule {
    id: "socket-missing",
    severity: Severity::Warning,
    summary: "the socket of a server that Postfix asks is not there",
    doc: "
Milters, policy servers, socketmap tables, Dovecot's authentication and LMTP
delivery can be reached through a socket in the file system. While it is not
there, clients get a temporary error, or mail waits. The server may be stopped,
or make its socket in another place: names that are relative are relative to
queue_directory, and in a chroot jail so are the absolute ones.

Sockets that master(8) makes for a service of master.cf are not looked for, and
nothing is connected to.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_milters = inet:127.0.0.1:8891, unix:spamass/milter.sock
#                                    ^^^^^^^^^^^^^^^^^^^^^^^^ there is no \"/var/spool/postfix/spamass/milter.sock\"
==> host <==
/var/spool/postfix/spamass/milter.sock is missing
",
    good: "
==> main.cf <==
smtpd_milters = unix:/run/milter.sock
smtpd_recipient_restrictions = check_policy_service unix:private/policy
==> master.cf <==
policy unix - n n - 0 spawn user=nobody argv=/usr/bin/policy
==> host <==
/run/milter.sock is missing
/var/spool/postfix/private/policy is missing
",
    check,
};

/// What names sockets, beside the tables and next hops.
const PARAMETERS: [&str; 10] = [
    "non_smtpd_milters",
    "smtpd_client_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
    "smtpd_etrn_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_milters",
    "smtpd_recipient_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_sender_restrictions",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(seen), Some(effective)) = (&context.seen, context.effective()) else { return };
    let value = |name| effective.value(name, Within::Main).0.unwrap_or_default();
    let queue = value("queue_directory");
    if !queue.starts_with(b"/") {
        return;
    }
    for (path, span) in sockets(context, &effective) {
        // master(8) makes those of its services, private or not.
        let of_service = |folder: &[u8]| {
            let name = path.strip_prefix(folder);
            name.is_some_and(|name| effective.scopes.iter().any(|it| it.service == name))
        };
        if of_service(b"private/") || of_service(b"public/") {
            continue;
        }
        let inside = [&queue, b"/".as_slice(), path.strip_prefix(b"/").unwrap_or(&path)].concat();
        let outside = path.starts_with(b"/").then_some(path);
        // In a jail or not: it is enough if one of them is there.
        let missing = |it: &Vec<u8>| seen.file(it).is_missing();
        if missing(&inside) && outside.as_ref().is_none_or(missing) {
            let path = shown(outside.as_ref().unwrap_or(&inside));
            findings.at(span, format!("there is no \"{path}\""));
        }
    }
}

/// The sockets that main.cf names, and where.
fn sockets(context: &Context<'_>, effective: &Effective<'_>) -> Vec<(Vec<u8>, Span)> {
    let mut sockets = Vec::new();
    for parameter in PARAMETERS {
        for word in effective.tables(parameter, Within::Main) {
            let text = word.text.trim_start_matches(['{', ' ', '\t']);
            let text = text.split([',', ' ', '\t', '}']).next().unwrap_or_default();
            let path = text.strip_prefix("unix:").or_else(|| text.strip_prefix("local:"));
            sockets.extend(path.zip(word.span).map(|(path, span)| (path.into(), span)));
        }
    }
    for table in context.table_uses() {
        let name = &table.text[table.reference.name.clone()];
        let is_socketmap = &table.text[table.reference.table_type.clone()] == b"socketmap";
        if let Some(rest) = name.strip_prefix(b"unix:").filter(|_| is_socketmap) {
            let end = rest.iter().position(|it| *it == b':').unwrap_or(rest.len());
            sockets.push((rest[..end].to_vec(), table.span(table.reference.name.clone())));
        }
    }
    for (_, routes) in context.routes() {
        let local = routes.hops.named.iter().filter(|it| it.endpoint == Endpoint::Socket);
        sockets.extend(local.map(|it| (it.text.clone(), it.span)));
    }
    let (path, origin) = effective.value("smtpd_sasl_path", Within::Main);
    let set = |name, value: &[u8]| {
        effective.value(name, Within::Main).0.is_ok_and(|it| it.eq_ignore_ascii_case(value))
    };
    let asks_dovecot = set("smtpd_sasl_type", b"dovecot") && set("smtpd_sasl_auth_enable", b"yes");
    if let (Ok(path), Some(span), true) = (path, origin.span(), asks_dovecot)
        && !path.starts_with(b"inet:")
    {
        sockets.push((path.strip_prefix(b"unix:").unwrap_or(&path).to_vec(), span));
    }
    sockets.retain(|(path, _)| !path.is_empty());
    sockets
}
