//! Plans in files: what is written is what is read, and what was cut, edited or has become stale is
//! refused with a message.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use postls::plan::stored::{self, Place};
use postls::plan::{Change, Plan, Stale, base};

use crate::plan::{make, policies};

const POLICY: &str = "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\n\
    parameters: {smtp_tls_security_level: dane, smtp_dns_support_level: dnssec}\n\
    destinations:\n  a.example: encrypt\n  b.example: {level: secure, match: [x.example], \
    owner: us, reason: \"contract 7, it's signed\"}\n";
const MAIN_CF: &str = "smtp_tls_CAfile = /etc/ssl/cert.pem\n# caf\u{e9}\n";

fn place() -> Place {
    Place {
        directory: b"/etc/postfix".to_vec(),
        table: "tls_policy".to_owned(),
        parameter: "smtp_tls_policy_maps".to_owned(),
    }
}

struct Random(u32);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % below
    }
}

/// Any plan that the policy file can make: tables with odd bytes, indexes or none.
fn any_plan(random: &mut Random) -> Plan {
    const MAIN: [&[u8]; 4] = [
        b"",
        b"smtp_tls_security_level = encrypt\n# caf\xe9 \xff\n",
        b"smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\nx = \xf0\x9f\n",
        "smtp_tls_security_level = may\n# \u{202e}\u{0}\u{7f}\n".as_bytes(),
    ];
    const ROWS: [&[u8]; 6] = [
        b"a.example secure match=x\n",
        b"a.example fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0\n",
        b"# \xe9\n",
        b"old.example\tmay\n",
        b"\xc3\xa4.example encrypt\n",
        b"broken \xff\xfe\n",
    ];
    const POLICIES: [&str; 4] = [
        "version: 1\ndestinations: {a.example: encrypt}\n",
        "version: 1\nparameters: {smtp_tls_security_level: may}\ndestinations: {a.example: may}\n",
        "version: 1\ndestinations: {}\n",
        "version: 1\nparameters: {x: \"\u{e4} \\\" \\\\ \u{1f600}\"}\ndestinations: {b.example: secure}\n",
    ];
    let main_cf = MAIN[random.below(MAIN.len())];
    let count = random.below(5);
    let table: Vec<u8> = (0..count).flat_map(|_| ROWS[random.below(ROWS.len())].to_vec()).collect();
    let table = Some(table).filter(|_| random.below(3) > 0);
    let kind = ["texthash", "lmdb", "hash"][random.below(3)];
    let policy = policies(POLICIES[random.below(POLICIES.len())]);
    let mut plan = make(main_cf, table.as_deref(), &policy, kind);
    plan.base.push(base("/home/me/postls.yaml", Some(b"x")));
    if random.below(4) == 0 {
        // Nothing but an index that has to be built.
        let text = b"a.example may\n".to_vec();
        plan.base[1] = base("tls_policy", Some(&text));
        let (kind, name) = ("lmdb".to_owned(), "tls_policy".to_owned());
        plan.changes = vec![Change::Index { kind, name, text, why: Stale::Differs }];
    }
    plan
}

#[test]
fn a_plan_that_is_written_and_read_is_the_same_plan() {
    let mut random = Random(0x9e37_79b9);
    let mut not_text = 0;
    for round in 0..500 {
        let plan = any_plan(&mut random);
        let text = stored::write(&plan, &place());
        not_text += usize::from(text.contains("\"encoding\": \"base64\""));
        assert!(stored::is_meant(text.as_bytes()));
        let (read, where_to) = stored::read(text.as_bytes())
            .unwrap_or_else(|why| panic!("round {round}: {why}\n{text}"));
        assert_eq!(read, plan, "round {round}");
        assert_eq!(where_to, place());
        // Other blanks are the same plan.
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let again = stored::read(value.to_string().as_bytes());
        assert_eq!(again.map(|it| it.0), Ok(plan), "round {round}");
    }
    assert!(not_text > 100, "{not_text} plans with bytes that are no text");
}

#[test]
fn plans_fit_their_schema() {
    let schema = fs::read_to_string("schemas/plan.v1.schema.json").expect("it is there");
    let schema = serde_json::from_str(&schema).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let mut random = Random(7);
    for _ in 0..100 {
        let text = stored::write(&any_plan(&mut random), &place());
        let plan = serde_json::from_str(&text).expect("it is JSON");
        let errors: Vec<String> = validator.iter_errors(&plan).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{text}");
    }
}

/// Bytes lost, put in, changed, swapped, and values replaced by others of every type: either the very
/// same plan or a message.
#[test]
fn a_plan_that_was_damaged_is_refused() {
    let mut random = Random(0x2545_f491);
    let junk =
        ["null", "[]", "{}", "-1", "1e999", "\"\\ud800\"", "\"/etc/passwd\"", "\"../x\"", "[["];
    let mut refused = 0;
    for round in 0..3000 {
        let plan = any_plan(&mut random);
        let mut bytes = stored::write(&plan, &place()).into_bytes();
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << random.below(8),
            2 => {
                bytes.remove(at);
            }
            3 => bytes.insert(at, b"{}[]\",:0\\\xff"[random.below(10)]),
            4 => {
                let end = (at + 1 + random.below(200)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let text = String::from_utf8(bytes).expect("JSON is text");
                let lines: Vec<&str> = text.lines().collect();
                let line = random.below(lines.len());
                let new = match lines[line].split_once(": ") {
                    Some((name, _)) => format!("{name}: {},", junk[random.below(junk.len())]),
                    None => junk[random.below(junk.len())].to_owned(),
                };
                let mut lines: Vec<&str> = lines;
                lines[line] = &new;
                bytes = lines.join("\n").into_bytes();
            }
        }
        match stored::read(&bytes) {
            Ok((read, at)) => assert!(read == plan && at == place(), "round {round}: another plan"),
            Err(why) => {
                let why = why.to_string();
                assert!(why.starts_with("this plan") || why.starts_with("this is no"), "{why}");
                assert!(why.len() < 400, "{why}");
                refused += 1;
            }
        }
    }
    assert!(refused > 2500, "{refused} of 3000");
    let deep = "[".repeat(1_000_000);
    assert!(stored::read(deep.as_bytes()).is_err());
    let deep = format!("{{\"schema\": \"postls/plan/v1\", \"base\": {deep}");
    assert!(stored::read(deep.as_bytes()).is_err());
}

/// A plan whose digest is right and that says what no policy file can say.
#[test]
fn a_plan_stays_within_the_directory_and_its_table() {
    type Harm = (&'static str, fn(&mut Plan, &mut Place), &'static str);
    fn rename(plan: &mut Plan, place: &mut Place, to: &str) {
        for change in &mut plan.changes {
            match change {
                Change::Write { name, .. } | Change::Index { name, .. } if name == "tls_policy" => {
                    to.clone_into(name);
                }
                Change::Write { .. } | Change::Index { .. } | Change::Remove { .. } => {}
            }
        }
        plan.base[1].name = to.to_owned();
        to.clone_into(&mut place.table);
    }
    let harms: [Harm; 16] = [
        ("up", |plan, place| rename(plan, place, "../tls_policy"), "no name of a file"),
        ("root", |plan, place| rename(plan, place, "/etc/passwd"), "no name of a file"),
        ("inner up", |plan, place| rename(plan, place, "a/../../b"), "no name of a file"),
        ("dot", |plan, place| rename(plan, place, "./tls_policy"), "no name of a file"),
        ("empty", |plan, place| rename(plan, place, ""), "no name of a file"),
        ("NUL", |plan, place| rename(plan, place, "a\0b"), "no name of a file"),
        ("ours", |plan, place| rename(plan, place, ".postls/lock"), "no name of a file"),
        ("services", |plan, place| rename(plan, place, "master.cf"), "no name of a file"),
        ("main.cf", |plan, place| rename(plan, place, "main.cf"), "no name of a file"),
        ("another file", |_, place| place.table = "x".to_owned(), "does not say which x"),
        ("no base", |plan, _| plan.base.clear(), "does not say which main.cf"),
        ("relative", |_, place| place.directory = b"etc".to_vec(), "no absolute path"),
        ("twice", |plan, _| plan.changes.push(plan.changes[0].clone()), "in no order"),
        ("order", |plan, _| plan.changes.reverse(), "in no order"),
        (
            "remove",
            |plan, _| {
                let name = "main.cf".to_owned();
                plan.changes = vec![Change::Remove { name, old: None }];
            },
            "it would remove main.cf",
        ),
        (
            "old bytes",
            |plan, _| match &mut plan.changes[1] {
                Change::Write { old, .. } => *old = Some(b"other\n".to_vec()),
                Change::Index { .. } | Change::Remove { .. } => panic!("the table is written"),
            },
            "tls_policy is not what it was made from",
        ),
    ];
    for (what, harm, says) in harms {
        let mut plan = make(MAIN_CF.as_bytes(), Some(b"a may\n"), &policies(POLICY), "lmdb");
        let mut place = place();
        harm(&mut plan, &mut place);
        let refused = stored::read(stored::write(&plan, &place).as_bytes());
        let why = refused.err().unwrap_or_else(|| panic!("{what} was taken")).to_string();
        assert!(why.contains(says), "{what}: {why}");
    }
}

fn write(directory: &Path, name: &str, bytes: &[u8]) {
    fs::write(directory.join(name), bytes).expect("it can be written");
}

/// Exit status and what is printed on either output.
fn postls(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.current_dir(directory).args(arguments).args(["-c", "."]);
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("it exits");
    (status, text(&output.stdout) + &text(&output.stderr))
}

/// A directory, with a plan that was made for it.
fn planned() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    write(path, "main.cf", b"smtp_tls_CAfile = /etc/ssl/cert.pem\n# caf\xe9\n");
    write(path, "postls.yaml", POLICY.as_bytes());
    let (status, said) = postls(path, &["diff", "--out", "plan.json"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.starts_with("1 raised, 2 added\n"), "it prints the plan too: {said}");
    directory
}

#[test]
fn apply_does_what_the_file_says() {
    let (one, other) = (planned(), planned());
    let mode = one.path().join("plan.json").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "main.cf can hold secrets");
    assert_eq!(postls(one.path(), &["apply", "plan.json", "--check"]).0, 0);
    assert!(!one.path().join("tls_policy").exists());
    let (status, said) = postls(one.path(), &["apply", "plan.json"]);
    assert_eq!((status, said.as_str()), (0, "applied\n"));
    assert_eq!(postls(other.path(), &["apply"]).0, 0);
    for file in ["main.cf", "tls_policy"] {
        let read = |it: &tempfile::TempDir| fs::read(it.path().join(file)).expect("it is there");
        assert_eq!(read(&one), read(&other), "{file}");
    }
    let (status, said) = postls(one.path(), &["apply", "plan.json"]);
    assert_eq!(status, 2);
    assert!(said.contains("stale: main.cf, tls_policy changed since it was made"), "{said}");
    // One that changes nothing.
    assert_eq!(postls(one.path(), &["diff", "--out", "plan.json"]).0, 0);
    let (status, said) = postls(one.path(), &["apply", "plan.json"]);
    assert_eq!((status, said.contains("nothing to change")), (0, true), "{said}");
}

#[test]
fn a_plan_is_stale_when_a_file_is_another() {
    let changes: [(&str, Option<&[u8]>); 4] = [
        ("main.cf", Some(b"smtp_tls_CAfile = /x\n")),
        ("tls_policy", Some(b"a.example may\n")),
        ("postls.yaml", Some(b"version: 1\ndestinations: {}\n")),
        ("postls.yaml", None),
    ];
    for (file, bytes) in changes {
        let directory = planned();
        match bytes {
            Some(bytes) => write(directory.path(), file, bytes),
            None => fs::remove_file(directory.path().join(file)).expect("it was there"),
        }
        let main_cf = fs::read(directory.path().join("main.cf")).expect("it is there");
        let (status, said) = postls(directory.path(), &["apply", "plan.json"]);
        assert_eq!(status, 2, "{said}");
        let says = format!("stale: {file} changed since it was made");
        assert!(said.contains(&says) && said.ends_with("nothing was changed\n"), "{said}");
        assert_eq!(fs::read(directory.path().join("main.cf")).expect("it is there"), main_cf);
    }
}

#[test]
fn a_plan_for_another_directory_or_of_another_meaning_is_refused() {
    let (one, other) = (planned(), planned());
    fs::copy(one.path().join("plan.json"), other.path().join("plan.json")).expect("a copy");
    let (status, said) = postls(other.path(), &["apply", "plan.json"]);
    assert_eq!(status, 2);
    assert!(said.contains("this plan is for /"), "{said}");

    // What was not read for the bytes, and counts for what they mean.
    let path = one.path();
    write(path, "master.cf", b"smtp unix - - n - - smtp -o smtp_tls_security_level=encrypt\n");
    let (status, said) = postls(path, &["apply", "plan.json"]);
    assert_eq!(status, 2);
    assert!(said.contains("something else changed that they depend on"), "{said}");
    fs::remove_file(path.join("master.cf")).expect("it was there");

    // Whoever edits it has to make its digest too.
    let text = fs::read_to_string(path.join("plan.json")).expect("it is there");
    write(path, "plan.json", text.replace("a.example encrypt", "a.example none").as_bytes());
    let (status, said) = postls(path, &["apply", "plan.json"]);
    assert_eq!((status, said.contains("its digest is another")), (2, true), "{said}");
    write(path, "plan.json", &text.as_bytes()[..text.len() / 2]);
    let (status, said) = postls(path, &["apply", "plan.json"]);
    assert_eq!((status, said.contains("no whole plan: EOF")), (2, true), "{said}");
    write(path, "plan.json", text.replace("postls/plan/v1", "postls/plan/v9").as_bytes());
    let (status, said) = postls(path, &["apply", "plan.json"]);
    assert_eq!((status, said.contains("of the form \"postls/plan/v9\"")), (2, true), "{said}");
    assert!(!path.join("tls_policy").exists());
}

#[test]
fn a_plan_in_a_file_gives_nothing_up_either() {
    let directory = planned();
    let path = directory.path();
    assert_eq!(postls(path, &["apply", "plan.json"]).0, 0);
    write(path, "postls.yaml", POLICY.replace("secure", "verify").as_bytes());
    let (_, said) = postls(path, &["diff", "--out", "plan.json"]);
    assert!(said.starts_with("1 changed\n"), "the names are the same: {said}");
    write(
        path,
        "postls.yaml",
        POLICY.replace("level: secure, match: [x.example]", "level: may").as_bytes(),
    );
    let (_, said) = postls(path, &["diff", "--out", "plan.json"]);
    assert!(said.starts_with("1 lowered\n"), "{said}");
    let (status, said) = postls(path, &["apply", "plan.json"]);
    assert_eq!(status, 2);
    for line in [
        "b.example: secure match=x.example -> may (weaker: level) (contract 7, it's signed)",
        "allow it with --allow-downgrade b.example --reason TEXT",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(postls(path, &["apply", "plan.json", "--allow-downgrade", "b.example"]).0, 0);
}

#[test]
fn no_plan_is_written_whose_result_has_errors() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    write(path, "main.cf", b"smtpd_tls_security_level = dane\nsmtp_tls_CAfile = /x\n");
    write(path, "postls.yaml", POLICY.as_bytes());
    let (status, said) = postls(path, &["diff", "--out", "plan.json"]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("no plan was written"), "{said}");
    assert!(!path.join("plan.json").exists());
    write(path, "main.cf", b"smtp_tls_CAfile = /x\n");
    let (status, said) = postls(path, &["diff", "--out", "no/such/directory/plan.json"]);
    assert_eq!((status, said.contains("no/such/directory")), (2, true), "{said}");
}
