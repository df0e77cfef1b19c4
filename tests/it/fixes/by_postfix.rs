//! What a real Postfix makes of fixed files.

use std::sync::atomic::{AtomicUsize, Ordering};

use postls::finding::Severity;
use postls::lint::fix::{Wanted, edits};
use postls::lint::{self, Rule};
use postls::rules;

use super::{Files, files, fixed};
use crate::fixture::Fixture;
use crate::judges::Judge;
use crate::lab::{self, Lab};
use crate::rules as examples;

/// The examples with what the safe fixes of their rules make of them.
fn safely_fixed() -> impl Iterator<Item = (&'static Rule, Files, Files)> {
    examples::all_examples().into_iter().filter_map(|(rule, text)| {
        let before = files(&text);
        let after = fixed(before.clone(), &[rule], Wanted::Safe);
        (after != before).then_some((rule, before, after))
    })
}

#[test]
fn what_is_fixed_is_fixed_for_postfix() {
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[]);
        for (rule, before, after) in safely_fixed() {
            let is_error = rule.severity == Severity::Error && !rule.postfix_says.is_empty();
            let is_bad = before == files(rule.bad);
            if !(is_error && is_bad && Fixture::of(&after).found_by(rule).is_empty()) {
                continue;
            }
            let after: Vec<(&str, &[u8])> =
                after.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
            let said = lab.judge(&after).said;
            // Further wordings, of older versions, say what a pin of nobody's leads to as well.
            let says = rule.postfix_says.lines().next().expect("it is not empty");
            let still = said.iter().any(|line| line.contains(says));
            assert!(!still, "{}: {said:#?}", rule.id);
        }
    });
}

/// What postconf understands of main.cf and master.cf.
fn understood(postfix: &Judge, files: &Files) -> [String; 2] {
    let chamber = postfix.chamber();
    chamber.write("main.cf", b"");
    chamber.write("master.cf", b"");
    for (name, bytes) in files {
        chamber.write(name, bytes);
    }
    ["-n", "-P"].map(|option| {
        let at = chamber.path().display();
        let output = chamber.shell(&format!("postconf -c {at} {option} 2>&1"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.replace(&at.to_string(), "/etc/postfix").replace(">= TLS", ">=TLS")
    })
}

/// A safe fix of what is no error changes nothing that Postfix understands, but for new names.
#[test]
fn safe_fixes_of_what_is_no_error_change_nothing_else() {
    let mut seen = 0;
    for (rule, before, after) in safely_fixed() {
        if rule.severity == Severity::Error || rule.id == "deprecated-parameter" {
            continue;
        }
        seen += 1;
        lab::with_each(|postfix| {
            let [before, after] = [&before, &after].map(|it| understood(postfix, it));
            assert_eq!(before, after, "{}", rule.id);
        });
    }
    assert!(seen > 2);
}

/// The new name has the value that the old one gave it, and no other parameter another one.
#[test]
fn deprecated_names_give_their_values_to_the_new_ones() {
    let seen = AtomicUsize::new(0);
    lab::with_each(|postfix| {
        for (old, value) in [
            ("virtual_maps", "static:x"),
            ("fallback_relay", "relay.example"),
            ("smtpd_client_connection_limit_exceptions", "127.0.0.1"),
            ("authorized_verp_clients", "127.0.0.1"),
            ("postscreen_whitelist_interfaces", "127.0.0.1"),
            ("postscreen_blacklist_action", "drop"),
            ("smtp_per_record_deadline", "yes"),
        ] {
            let text = format!("{old} = {value}\n");
            let files: Files = vec![("main.cf".to_owned(), text.into_bytes())];
            let fixture = Fixture::of(&files);
            let rule = rules::find("deprecated-parameter").expect("it is a rule");
            let found = lint::run(rule, &fixture.context(postfix.build.clone()));
            for fix in found.iter().filter_map(|it| it.fix.as_ref()) {
                let edits = edits([fix]);
                let (id, edits) = edits.into_iter().next().expect("it has edits");
                let after = edits.apply(fixture.sources.source(id).bytes());
                let chamber = postfix.chamber();
                let all = |bytes: &[u8]| {
                    chamber.write("main.cf", bytes);
                    chamber.write("master.cf", b"");
                    let at = chamber.path().display();
                    let output = chamber.shell(&format!("postconf -c {at} -x 2>/dev/null"));
                    String::from_utf8_lossy(&output.stdout).into_owned()
                };
                let others = |bytes: &[u8]| -> Vec<String> {
                    let is_other = |it: &&str| {
                        !it.starts_with(&format!("{old} =")) && !it.starts_with("process_id =")
                    };
                    all(bytes).lines().filter(is_other).map(str::to_owned).collect()
                };
                let (before, after) = (others(&files[0].1), others(&after));
                let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
                assert_eq!(changed, [], "{old}");
                seen.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    assert!(seen.into_inner() >= 3 * lab::all().len());
}
