//! TLS or no mail, for everybody.

use super::each_client;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::postfix::SecurityLevel;

pub(super) static RULE: Rule = Rule {
    id: "mandatory-level-for-anybody",
    severity: Severity::Warning,
    summary: "all mail servers must have TLS as this host wants it",
    doc: "
Where no relayhost and no table says otherwise smtp(8) delivers to the mail servers
of all domains, and not all of them have TLS. At level encrypt and above mail to
the others waits and comes back after some days. Few have a certificate with the
name that secure or verify wants, and all but the ones that are listed have another
fingerprint. The level dane-only takes only servers with TLSA records.

Level may or dane is for all, and smtp_tls_policy_maps asks for more where it is
known to be there. A host that relays all its mail sets relayhost.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtp_tls_security_level = encrypt
#                         ^^^^^^^ mail to servers without TLS waits
",
    good: "
smtp_tls_security_level = encrypt
relayhost = [127.0.0.2]:587
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    each_client(context, &mut |seen| {
        let client = &seen.client;
        let Some(global) = client.level() else { return };
        let text = match global.level {
            SecurityLevel::None | SecurityLevel::May | SecurityLevel::Dane => return,
            SecurityLevel::Encrypt => "mail to servers without TLS waits",
            SecurityLevel::DaneOnly => "mail to servers without TLSA records waits",
            SecurityLevel::Fingerprint => "mail to servers that have another certificate waits",
            SecurityLevel::Verify | SecurityLevel::Secure => {
                "mail to servers without a trusted certificate for their name waits"
            }
        };
        let is_public = client.delivers_to_anybody() && !seen.has_policies();
        if let Some(set) = global.given.set.filter(|_| is_public) {
            findings.at(set, text).help("may or dane, and a policy table for those that have more");
        }
    });
}
