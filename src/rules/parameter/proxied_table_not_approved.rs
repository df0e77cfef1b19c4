//! `proxy:` in front of a table that proxymap(8) does not open.

use std::collections::HashSet;

use crate::config::{Effective, Origin, TableUse, Within};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::{TableList, Version};
use crate::syntax::lists::{self, COMMA_SPACE};

pub(super) static RULE: Rule = Rule {
    id: "proxied-table-not-approved",
    severity: Severity::Error,
    summary: "proxymap(8) refuses a table, since proxy_read_maps does not name it",
    doc: "
proxymap(8) opens the tables that proxy_read_maps names with `proxy:` in front, and
no others; the program that asks for another one exits, or has no answer. By default
the list refers to most parameters that hold tables, but not to all (relay_clientcerts is
not among them); a list of one's own must have them all, and
$local_recipient_maps as well, whose default is a proxied table.

Tables of restriction classes count by themselves from Postfix 3.11 on.

Add the parameter to the list, as in `proxy_read_maps = $virtual_alias_maps
$local_recipient_maps`. Tables inside other tables, such as unionmap, are not looked at here.
",
    postfix_says: "request for unapproved table: \"texthash:/etc/postfix/tls_policy\"",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = proxy:texthash:$config_directory/tls_policy
#                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ proxy_read_maps does not have this table
proxy_read_maps = $local_recipient_maps $virtual_alias_maps
==> tls_policy <==
partner.example encrypt
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = proxy:texthash:$config_directory/tls_policy
proxy_read_maps = $local_recipient_maps, $smtp_tls_policy_maps
==> tls_policy <==
partner.example encrypt
",
    check,
};

/// They are opened without proxymap(8) by the programs that deliver (`DICT_FLAG_PARANOID`).
const OPENED_DIRECTLY: [&str; 5] =
    ["alias_maps", "mailbox_command_maps", "virtual_gid_maps", "virtual_mailbox_maps", "virtual_uid_maps"];

/// What local_recipient_maps has by default.
const ACCOUNTS: &[u8] = b"unix:passwd.byname";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(view) = context.effective() else { return };
    let service = view.scopes.iter().find(|it| it.name == b"proxymap/unix");
    let within = service.map_or(Within::Main, Within::Service);
    let (list, origin) = view.value("proxy_read_maps", within);
    let Ok(list) = list else { return };
    let mut approved = HashSet::new();
    approve(&list, 0, &mut approved);
    // What restriction classes name it knows by itself since then.
    if context.version() >= Version::new(3, 11) {
        let classes = view.value("smtpd_restriction_classes", within).0.unwrap_or_default();
        for class in lists::words(&classes, COMMA_SPACE) {
            let name = str::from_utf8(&classes[class]).unwrap_or_default();
            approve(&view.value(name, within).0.unwrap_or_default(), 0, &mut approved);
        }
    }
    for table in context.table_uses() {
        let refused = unproxied(&table.text).is_some_and(|it| !approved.contains(it));
        if refused && is_asked(&view, table) {
            let all = table.span(0..table.text.len());
            let finding = findings
                .at(all, "proxy_read_maps does not have this table")
                .help(format!("add ${} to proxy_read_maps", table.parameter));
            if let Some(span) = origin.span() {
                finding.related(span, "it is set here");
            }
        }
    }
    let (maps, maps_origin) = view.value("local_recipient_maps", Within::Main);
    let accounts = maps_origin == Origin::Default && maps.is_ok_and(|it| it.starts_with(b"proxy:unix:passwd.byname"));
    if let (true, Some(span)) = (accounts && runs(&view, "smtpd") && !approved.contains(ACCOUNTS), origin.span()) {
        findings
            .at(span, "smtpd asks proxy:unix:passwd.byname, which is not in it")
            .help("add $local_recipient_maps to proxy_read_maps");
    }
}

/// The tables of a list, without `proxy:`, wherever it has them.
fn approve(list: &[u8], depth: u8, approved: &mut HashSet<Vec<u8>>) {
    for word in lists::words(list, COMMA_SPACE) {
        if list[word.start] == b'{' && depth < 10 {
            approve(&list[lists::braces(list, word).0], depth + 1, approved);
        } else if let Some(table) = unproxied(&list[word]) {
            approved.insert(table.to_vec());
        }
    }
}

/// What stands behind `proxy:`, where that stands there.
fn unproxied(table: &[u8]) -> Option<&[u8]> {
    let mut table = table.strip_prefix(b"proxy:")?;
    while let Some(rest) = table.strip_prefix(b"proxy:") {
        table = rest;
    }
    Some(table)
}

/// Whether a program asks for the table by way of proxymap(8), as far as its name says.
fn is_asked(view: &Effective<'_>, table: &TableUse) -> bool {
    let of = |program: &&str| table.parameter.strip_prefix(program).is_some_and(|it| it.starts_with('_'));
    let reader = ["smtp", "lmtp", "smtpd", "postscreen", "tlsproxy"].into_iter().find(|it| of(it));
    // A table for caches is written to, which is another service's part.
    let is_read = match table.list {
        TableList::One => false,
        TableList::Tables | TableList::MatchList | TableList::Restrictions | TableList::Words => true,
    };
    is_read && !OPENED_DIRECTLY.contains(&&*table.parameter) && reader.is_none_or(|it| runs(view, it))
}

fn runs(view: &Effective<'_>, program: &str) -> bool {
    view.scopes.is_empty() || view.scopes.iter().any(|it| it.program() == program.as_bytes())
}
