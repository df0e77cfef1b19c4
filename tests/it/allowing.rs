//! Which findings count: those that nobody allows, that are no old ones, of the rules that were asked.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::fixture;

/// A directory with the files of a text.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new(text: &str) -> Scratch {
        let scratch = Scratch(tempfile::tempdir().expect("a temporary directory"));
        scratch.put(text);
        scratch
    }

    fn put(&self, text: &str) {
        for (name, content) in fixture::files(text) {
            fs::write(self.path().join(name), content).expect("it can be written");
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_postls"))
            .args(["lint", "--postfix", "3.7", "-c", "."])
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("it is built")
    }

    /// The rules that find something, and the exit status.
    fn rules(&self, arguments: &[&str]) -> (Vec<String>, i32) {
        let (json, status) = self.json(arguments);
        let findings = json["findings"].as_array().expect("there is a list");
        let rules = findings.iter().map(|it| it["rule"].as_str().unwrap_or_default().to_owned());
        let mut rules: Vec<String> = rules.collect();
        rules.sort();
        (rules, status)
    }

    fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (json, output.status.code().expect("it ends by itself"))
    }

    /// What is said where it cannot be done.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).expect("it is text")
    }
}

fn rules(text: &str) -> (Vec<String>, i32) {
    Scratch::new(text).rules(&[])
}

fn found(rules: &[&str], status: i32) -> (Vec<String>, i32) {
    let mut rules: Vec<String> = rules.iter().map(|it| (*it).to_owned()).collect();
    rules.sort();
    (rules, status)
}

const LEVEL: &str = "smtp_tls_security_level = encypt\n";

#[test]
fn a_comment_above_a_line_allows_what_is_found_in_it() {
    assert_eq!(rules(LEVEL), found(&["smtp-tls-level-invalid"], 1));
    let why = "# postls: allow(smtp-tls-level-invalid) a trap for the new one\n";
    assert_eq!(rules(&format!("{why}{LEVEL}")), found(&[], 0));
    // In each line of it, and in no other line.
    let folded = "smtp_tls_security_level =\n# more\n  encypt\n";
    assert_eq!(rules(&format!("{why}{folded}")), found(&[], 0));
    assert_eq!(
        rules(&format!("{why}smtp_tls_loglevel = 1\n{LEVEL}")),
        found(&["allow-unused", "smtp-tls-level-invalid"], 1)
    );
    // Another rule is not meant.
    let other = "# postls: allow(inline-comment) why not\n";
    assert_eq!(
        rules(&format!("{other}{LEVEL}")),
        found(&["allow-unused", "smtp-tls-level-invalid"], 1)
    );
}

#[test]
fn an_allow_counts_with_a_reason_and_until_its_last_day() {
    let allow = |rest: &str| format!("# postls: allow(smtp-tls-level-invalid){rest}\n{LEVEL}");
    let level = "smtp-tls-level-invalid";
    assert_eq!(rules(&allow("")), found(&["allow-without-reason", level], 1));
    assert_eq!(rules(&allow(" why until=2020-02-30")), found(&["allow-malformed", level], 1));
    assert_eq!(rules(&allow(" why until=2020-02-29")), found(&["allow-expired", level], 1));
    assert_eq!(rules(&allow(" why until=9999-12-31")), found(&[], 0));
    assert_eq!(
        rules(&format!("# postls: allow(smtp-tls-level-invalids) why\n{LEVEL}")),
        found(&["allow-unknown-rule", level], 1)
    );
}

#[test]
fn comments_allow_in_master_cf_and_in_tables_too() {
    let text = "==> main.cf <==\nsmtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
        smtp_tls_security_level = may\n==> master.cf <==\n\
        ALLOWsmtp unix - - n - - smtp\n  -o smtp_tls_security_level=encypt\n\
        ==> tls_policy <==\na.example may\n\n# about b\nALLOWb.example encypt\n";
    let with = |it: &str| text.replace("ALLOW", it);
    let both = ["smtp-tls-level-invalid", "policy-level-invalid"];
    assert_eq!(rules(&with("")), found(&both, 1));
    let allow = "# postls: allow(smtp-tls-level-invalid, policy-level-invalid) a test\n";
    let (rules, status) = rules(&with(allow));
    // Each of the two finds nothing in the other's place.
    assert_eq!((rules, status), found(&["allow-unused", "allow-unused"], 0));
}

#[test]
fn the_policy_file_allows_and_grades_in_the_whole_directory() {
    let policy = |lint: &str| {
        format!("==> main.cf <==\n{LEVEL}==> postls.yaml <==\nversion: 1\nlint:\n  {lint}\n")
    };
    let level = "smtp-tls-level-invalid";
    assert_eq!(rules(&policy(&format!("allow: {{{level}: a trap}}"))), found(&[], 0));
    let allowed = Scratch::new(&policy(&format!("allow: {{{level}: a trap}}"))).json(&[]).0;
    assert_eq!(allowed["not_shown"]["allowed"], 1);
    let until =
        |day: &str| policy(&format!("allow: {{{level}: {{reason: a trap, until: {day}}}}}"));
    assert_eq!(rules(&until("9999-12-31")), found(&[], 0));
    assert_eq!(rules(&until("2020-01-31")), found(&[level, "allow-expired"], 1));
    assert_eq!(rules(&until("soon")), found(&[level, "policy-file-value-invalid"], 1));
    assert_eq!(
        rules(&policy(&format!("allow: {{{level}: {{until: 9999-12-31}}}}"))),
        found(&[level, "policy-file-incomplete"], 1)
    );
    assert_eq!(
        rules(&policy("allow: {inline-comment: none here}")),
        found(&[level, "allow-unused"], 1)
    );
    // A severity makes the exit status, and stands in the output.
    let graded = Scratch::new(&policy(&format!("severity: {{{level}: warning}}")));
    assert_eq!(graded.rules(&[]), found(&[level], 0));
    assert_eq!(graded.rules(&["--fail-on", "warning"]), found(&[level], 1));
    assert_eq!(graded.json(&[]).0["findings"][0]["severity"], "warning");
    let unknown = rules(&policy("severity: {smtp-tls-level-invalids: error}"));
    assert_eq!(unknown, found(&[level, "policy-file-unknown-rule"], 1));
    let wrong = rules(&policy(&format!("severity: {{{level}: fatal}}")));
    assert_eq!(wrong, found(&[level, "policy-file-value-invalid"], 1));
    // A comment in it allows nothing, and that is said.
    let text = format!(
        "==> main.cf <==\n{LEVEL}==> postls.yaml <==\nversion: 1\n# postls: allow({level}) x\n"
    );
    assert_eq!(rules(&text), found(&[level, "allow-malformed"], 1));
}

/// In a copy nobody looks at the host, so an allow of what would be found there is not unused.
#[test]
fn an_allow_of_what_is_not_looked_at_may_be_needed() {
    let text = "# postls: allow(indexed-file-missing) made on the host\n\
        virtual_alias_maps = lmdb:/nonexistent/virtual\n";
    assert_eq!(rules(text), found(&[], 0));
    let scratch = Scratch::new(text);
    assert_eq!(scratch.rules(&["--host", "--select", "allow,indexed-file-missing"]), found(&[], 0));
    assert_eq!(scratch.rules(&["--host", "--select", "allow"]), found(&[], 0));
    scratch.put("# postls: allow(indexed-file-missing) made on the host\nrelayhost =\n");
    let unused = found(&["allow-unused"], 0);
    assert_eq!(scratch.rules(&["--host", "--select", "allow,host"]), unused);
}

#[test]
fn apply_lets_pass_what_is_allowed() {
    let policy = "version: 1\ntable: {type: texthash}\ndestinations: {a.example: may}\n";
    let scratch = Scratch::new(&format!("==> main.cf <==\n{LEVEL}==> postls.yaml <==\n{policy}"));
    let apply = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.args(["apply", "--check", "--postfix", "3.7", "-c"]).arg(scratch.path());
        command.output().expect("it is built").status.code()
    };
    assert_eq!(apply(), Some(2));
    scratch.put(&format!("# postls: allow(smtp-tls-level-invalid) a trap\n{LEVEL}"));
    assert_eq!(apply(), Some(0));
}

#[test]
fn a_baseline_knows_findings_again_while_lines_move() {
    let scratch = Scratch::new(&format!("{LEVEL}relayhost = [a.example\n"));
    let both = ["smtp-tls-level-invalid", "next-hop-invalid"];
    assert_eq!(scratch.rules(&[]), found(&both, 1));
    let written = scratch.run(&["--write-baseline", "known.json"]);
    assert_eq!(written.status.code(), Some(0));
    assert_eq!(written.stdout, b"2 findings written into known.json\n");
    assert_eq!(scratch.rules(&["--baseline", "known.json"]), found(&[], 0));
    // Lines move, and others come.
    scratch.put(&format!(
        "# new\nsmtp_tls_loglevel = 1\n\nrelayhost = [a.example\n{LEVEL}inet_protocols = none\n"
    ));
    assert_eq!(scratch.rules(&["--baseline", "known.json"]), found(&["inet-protocols-invalid"], 1));
    // One is mended, one says something else.
    scratch.put("smtp_tls_security_level = secur\n");
    let (json, status) = scratch.json(&["--baseline", "known.json"]);
    assert_eq!((json["findings"].as_array().map(Vec::len), status), (Some(1), 1));
    assert_eq!(json["not_shown"]["in_baseline"], 0);
    assert_eq!(json["not_shown"]["gone_from_baseline"], 2);
    // Written again, it is what there is now.
    let again = scratch.run(&["--baseline", "known.json", "--write-baseline"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(scratch.rules(&["--baseline", "known.json"]), found(&[], 0));
    // A second one that looks the same is new.
    let wrong = "smtp_tls_policy_maps = texthash:/etc/postfix/t\n==> t <==\na.example encypt\n";
    scratch.put(&format!("==> main.cf <==\n{wrong}"));
    assert_eq!(scratch.run(&["--write-baseline", "rows.json"]).status.code(), Some(0));
    assert_eq!(scratch.rules(&["--baseline", "rows.json"]), found(&[], 0));
    scratch.put(&format!("==> main.cf <==\n{wrong}a.example encypt\nb.example encypt\n"));
    let (rules, status) = scratch.rules(&["--baseline", "rows.json", "--select", "policy"]);
    assert_eq!(status, 1);
    assert!(rules.contains(&"policy-level-invalid".to_owned()), "{rules:?}");
}

#[test]
fn a_baseline_that_cannot_be_used_is_refused() {
    let scratch = Scratch::new(LEVEL);
    assert!(scratch.refusal(&["--baseline", "none.json"]).contains("there is no such file"));
    fs::write(scratch.path().join("odd.json"), "[1]").unwrap();
    assert!(scratch.refusal(&["--baseline", "odd.json"]).contains("this is no baseline"));
    fs::write(scratch.path().join("new.json"), "{\"schema\": \"x\", \"findings\": []}").unwrap();
    assert!(scratch.refusal(&["--baseline", "new.json"]).contains("postls/baseline/v1"));
    assert!(scratch.refusal(&["--write-baseline"]).contains("needs a file"));
    let two = ["--baseline", "odd.json", "--write-baseline", "b.json"];
    assert!(scratch.refusal(&two).contains("two files"));
}

#[test]
fn rules_and_topics_can_be_chosen() {
    let scratch =
        Scratch::new(&format!("{LEVEL}relayhost = [a.example\nsmtp_tls_loglevel = 1 # 2\n"));
    let level = "smtp-tls-level-invalid";
    assert_eq!(scratch.rules(&["--select", level]), found(&[level], 1));
    assert_eq!(scratch.rules(&["--select", "syntax"]), found(&["inline-comment"], 1));
    assert_eq!(
        scratch.rules(&["--select", "syntax,route", "--ignore", "inline-comment"]),
        found(&["next-hop-invalid"], 1)
    );
    let ignored = ["--ignore", "syntax,tls-client", "--ignore", "route,parameter"];
    assert_eq!(scratch.rules(&ignored), found(&[], 0));
    assert!(
        scratch
            .refusal(&["--select", "inline-coment"])
            .contains("did you mean \"inline-comment\"?")
    );
    assert!(scratch.refusal(&["--ignore", "sintax"]).contains("did you mean \"syntax\"?"));
}
