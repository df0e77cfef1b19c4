//! Tables that hold the names of files in place of what is in them.

use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};

pub(super) static RULE: Rule = Rule {
    id: "sni-table-of-names",
    severity: Severity::Error,
    summary: "a table of certificates was made without postmap -F",
    doc: "
The rows of tls_server_sni_maps name files, and `postmap -F` puts what these hold
into the indexed file. Without `-F` the names are in it: for each client that asks
for a name in the table, smtpd(8) ends the TLS handshake.

After each renewal the table has to be made again. The indexed file holds private
keys then, and nobody but root has to read it.

Looked at in a live directory, or with `--host`, where `postmap -s` lists the rows.
",
    postfix_says: "malformed BASE64 value",
    fix: FixKind::Never,
    bad: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
tls_server_sni_maps = lmdb:/etc/postfix/sni
#                          ^^^^^^^^^^^^^^^^ its indexed file holds the names of files
==> sni <==
mx.example.net /etc/postfix/server.pem
==> host <==
# All is well, and so the rows are those of the source file.
",
    good: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/postfix/server.pem
tls_server_sni_maps = texthash:/etc/postfix/sni
==> sni <==
mx.example.net /etc/postfix/server.pem
==> host <==
# texthash reads the files when smtpd(8) starts.
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(seen) = &context.seen else { return };
    for table in context.table_uses().iter().filter(|it| it.parameter == "tls_server_sni_maps") {
        let part = |range: &std::ops::Range<usize>| &table.text[range.clone()];
        let (table_type, path) = (part(&table.reference.table_type), part(&table.reference.name));
        let is_indexed = matches!(table_type, b"lmdb" | b"hash" | b"btree" | b"cdb");
        if !is_indexed || table.reference.problem.is_some() || !path.starts_with(b"/") {
            continue;
        }
        if seen.rows_equal(table_type, path) {
            let shown = |text| String::from_utf8_lossy(text).into_owned();
            let help = format!("run postmap -F {}:{}", shown(table_type), shown(path));
            let span = table.span(table.reference.name.clone());
            findings.at(span, "its indexed file holds the names of files").help(help);
        }
    }
}
