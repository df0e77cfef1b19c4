//! `mydestination = $mydomain`, `virtual_mailbox_domains = $mydomain`.

use crate::config::Configuration;
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE};
use crate::text::{Span, shortened};

pub(super) static RULE: Rule = Rule {
    id: "domain-in-two-classes",
    severity: Severity::Warning,
    summary: "a domain is in two lists of which only one can hold it",
    doc: "
A domain is local (mydestination), one of virtual aliases, one of virtual
mailboxes, or one that mail is relayed to: each list has recipients and a
transport of its own. Where two lists hold a domain, trivial-rewrite(8) takes the
first of them in this order, warns for each message that the domain should not be
listed in both, and what other programs make of it is not promised. Mail to users
that only the other list knows is refused.

Only names that stand in main.cf are compared, not those in lookup tables.
mydestination and relay_domains may overlap: that is how old defaults were.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
mydestination = localhost, example.com
virtual_mailbox_domains = example.com, example.net
#                         ^^^^^^^^^^^ mydestination has example.com too
",
    good: "
mydestination = localhost, mail.example.com
virtual_alias_domains = hash:/etc/postfix/domains, example.com
virtual_mailbox_domains = example.net
relay_domains = $mydestination, .example.com
",
    check,
};

/// In the order in which trivial-rewrite(8) asks; relayed mail is not warned of beside local one.
const CLASSES: [&str; 4] =
    ["mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(main) = &context.configuration else { return };
    let classes = CLASSES.map(|it| (it, domains(main, it)));
    for (index, (loser, domains)) in classes.iter().enumerate() {
        for (domain, span) in domains {
            let winner = classes[..index]
                .iter()
                .find_map(|(winner, it)| Some((*winner, it.iter().find(|it| it.0.eq_ignore_ascii_case(domain))?.1)));
            if let Some((winner, at)) = winner
                && (winner, *loser) != (CLASSES[0], CLASSES[3])
            {
                let domain = shortened(&String::from_utf8_lossy(domain));
                let finding = findings.at(*span, format!("{winner} has {domain} too"));
                finding.related(at, "here").help("leave it in one of them");
            }
        }
    }
}

/// The domains that a list in main.cf names itself, each with its place.
fn domains(main: &Configuration<'_>, name: &str) -> Vec<(Vec<u8>, Span)> {
    let Some(setting) = main.setting(name) else { return Vec::new() };
    let value = setting.value();
    let text = value.text();
    let mut found: Vec<(Vec<u8>, Span)> = Vec::new();
    for word in lists::words(text, COMMA_SPACE) {
        let Ok(expanded) = main.expand(&text[word.clone()]) else { return Vec::new() };
        for domain in lists::words(&expanded, COMMA_SPACE) {
            let domain = expanded[domain].to_vec();
            // What an exclamation mark excludes takes away from what follows; a comment is a finding of its own.
            if domain.starts_with(b"!") || domain.starts_with(b"#") {
                return found;
            }
            let is_name = !domain.iter().any(|it| b":/{}[]".contains(it));
            if is_name && !found.iter().any(|it| it.0.eq_ignore_ascii_case(&domain)) {
                found.push((domain, setting.span_in_value(word.clone())));
            }
        }
    }
    found
}
