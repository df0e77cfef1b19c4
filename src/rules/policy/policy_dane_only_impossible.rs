//! dane-only where TLSA records cannot be had.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::policy::what::{Impossible, What};

pub(super) static RULE: Rule = Rule {
    id: "policy-dane-only-impossible",
    severity: Severity::Error,
    summary: "a policy needs TLSA records, and they cannot be looked up",
    doc: "
At level dane-only smtp(8) delivers only to servers that their TLSA records
confirm. It looks these up only with `smtp_dns_support_level = dnssec`, with `dns`
in smtp_host_lookup, without ignore_mx_lookup_error and without the resolver options
res_defnames and res_dnsrch; otherwise it defers all mail to the destination with
4.7.5. UNIX-domain sockets have no TLSA records.
",
    postfix_says: "dane-only configured with dnssec lookups disabled",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
example.com dane-only
#           ^^^^^^^^^ DNSSEC lookups are off
",
    good: "
==> main.cf <==
smtp_tls_policy_maps = texthash:$config_directory/tls_policy
==> tls_policy <==
# example.com dane-only
example.com encrypt
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for found in context.row_problems() {
        let name = found.client.client.name;
        match found.problem.what {
            What::LevelImpossible(Impossible::DaneOnly(why)) => {
                let finding = findings.at(found.problem.span, why.to_string());
                let parameter = why.parameter();
                finding.help(format!("mend {}", found.client.parameter(parameter)));
                if let Some(set) = context.set_at(found, parameter) {
                    finding.related(set, "this is why");
                }
            }
            What::LevelImpossible(Impossible::DaneOverSocket) => {
                let text = format!("{name}(8) has no TLSA records for a UNIX-domain socket");
                findings.at(found.problem.span, text);
            }
            _ => {}
        }
    }
}
