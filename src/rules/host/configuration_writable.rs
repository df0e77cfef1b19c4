//! Others may change what Postfix obeys.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

use super::{configuration_files, named};

pub(super) static RULE: Rule = Rule {
    id: "configuration-writable",
    severity: Severity::Warning,
    summary: "others than their owner may write to files of the configuration",
    doc: "
Whoever may write to main.cf, master.cf, a lookup table or its indexed file
decides where mail goes, and as which user programs run. In the configuration
directory `postfix check` warns \"group or other writable\".

Of tables outside of the configuration directory only what everybody may write
is reported: other software may share them with a group.

Looked at in a live directory, or with `--host`.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy
#                               ^^^^^^^^^^^^^^^^^^^^^^^ the group of \"/etc/postfix/tls_policy\" may write to it
==> tls_policy <==
a.example may
==> host <==
/etc/postfix/tls_policy has mode 664
",
    good: "
==> main.cf <==
virtual_alias_maps = lmdb:/var/lib/lists/virtual
==> host <==
/var/lib/lists/virtual has mode 664
/var/lib/lists/virtual.lmdb has mode 664
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for file in configuration_files(context) {
        let Some(there) = seen.file(&file.path).there() else { continue };
        let path = named(&file.path);
        // With an access list the group's bits say what the list may grant at most.
        let text = if there.others_write() {
            format!("everybody may write to {path}")
        } else if there.group_writes() && file.is_inside && !there.has_access_list {
            format!("the group of {path} may write to it")
        } else {
            continue;
        };
        findings.at(file.place, text);
    }
}
