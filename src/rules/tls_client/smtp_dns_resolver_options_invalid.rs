//! What the client asks of the resolver.

use super::{each_client, shown};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

pub(super) static RULE: Rule = Rule {
    id: "smtp-dns-resolver-options-invalid",
    severity: Severity::Error,
    summary: "the client asks the resolver for something that Postfix does not have",
    doc: "
smtp(8) and lmtp(8) exit at their start when they do not know a word; all mail
that they should deliver waits in the queue. The words are res_defnames and
res_dnsrch, in lower case. `postfix check` says nothing.
",
    postfix_says: "unknown smtp_dns_resolver_options value \"RES_DNSRCH\"",
    fix: FixKind::Never,
    bad: "
smtp_dns_resolver_options = RES_DNSRCH
#                           ^^^^^^^^^^ smtp(8) exits on \"RES_DNSRCH\"
",
    good: "
smtp_dns_resolver_options = res_defnames, res_dnsrch
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(given) = client.own("dns_resolver_options") else { return };


        let mut words = lists::words(&given.value, COMMA_SPACE_FLAT).map(|it| &given.value[it]);
        let unknown = words.find(|it| !matches!(*it, b"res_defnames" | b"res_dnsrch"));
        if let (Some(set), Some(word)) = (given.set, unknown) {
            let text = format!("{}(8) exits on \"{}\"", client.program, shown(word));
            findings.at(set, text).help("res_defnames, res_dnsrch");
        }
    });
}
