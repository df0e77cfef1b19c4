//! What a plan means for mail: raised, lowered, and by what; and that apply gives nothing up which is
//! not allowed.

use std::fs;
use std::path::Path;
use std::process::Command;

use postls::config::{Configuration, Services};
use postls::plan::{self, Live, Plan, Trend};
use postls::postfix::{Digest, Version};
use postls::text::Sources;

use crate::plan::policies;

/// A main.cf that asks the table, and can do every level.
const ASKS: &str = "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
    smtp_tls_CAfile = /x\nsmtp_dns_support_level = dnssec\nsmtp_tls_fingerprint_digest = md5\n";
const ONE: &str = "AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0";
const TWO: &str = "B4:88:CD:9B:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0";

/// A plan where other things than the table count too.
struct Case<'c> {
    main_cf: &'c str,
    master_cf: &'c str,
    table: &'c str,
    beside: &'c [(&'c str, &'c str)],
    policy: &'c str,
}

impl Case<'_> {
    fn plan(&self) -> Plan {
        let mut sources = Sources::default();
        let source = sources.add("main.cf", self.main_cf.as_bytes().to_vec());
        let services = sources.add("master.cf", self.master_cf.as_bytes().to_vec());
        let configuration = Configuration::new(&sources, source, Version::new(3, 7));
        let scopes = Services::new(&sources, services).scopes();
        let beside: Vec<(String, &[u8])> =
            self.beside.iter().map(|it| (it.0.to_owned(), it.1.as_bytes())).collect();
        let live = Live {
            written: None,
            configuration: &configuration,
            table: Some(self.table.as_bytes()),
            kind: "texthash",
            index: None,
            digest: Some(Digest::Md5),
            inputs: Vec::new(),
            policy_file: "postls.yaml",
            table_names: &["/etc/postfix/tls_policy", "$config_directory/tls_policy"]
                .map(str::to_owned),
            scopes: &scopes,
            beside: &beside,
        };
        plan::make(&live, &policies(self.policy)).expect("it can be planned")
    }
}

/// What a plan says, one word or some for each destination: "lowered by level".
fn said(plan: &Plan) -> Vec<(String, String)> {
    let words = |shift: &plan::Shift| {
        let mut words = match shift.trend {
            Trend::Added => "added",
            Trend::Removed => "removed",
            Trend::Raised => "raised",
            Trend::Lowered => "lowered",
            Trend::Pins => "pins",
            Trend::Changed => "changed",
        }
        .to_owned();
        for weaker in &shift.weaker {
            words = format!("{words} by {}", weaker.name());
        }
        if !shift.pins_lost.is_empty() {
            words = format!("{words} -{}", shift.pins_lost.len());
        }
        words
    };
    let others = plan.others.iter().map(|it| ("default".to_owned(), words(it)));
    let rows = plan.policies.iter().map(|it| (it.destination.clone(), words(&it.shift)));
    others.chain(rows).collect()
}

fn check(case: &Case<'_>, want: &[(&str, &str)]) {
    let said = said(&case.plan());
    let said: Vec<(&str, &str)> = said.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
    assert_eq!(said, want, "{}---\n{}---\n{}", case.main_cf, case.table, case.policy);
}

/// One row becomes another one.
#[test]
fn rows_are_compared_by_what_they_come_to() {
    let pin = |pins: &[&str]| {
        let pins: Vec<String> =
            pins.iter().map(|it| format!("{{certificate: \"{it}\"}}")).collect();
        format!("{{level: fingerprint, pins: [{}]}}", pins.join(", "))
    };
    let row = |pins: &[&str]| format!("fingerprint match={}", pins.join("|"));
    for (old, new, want) in [
        ("may", "encrypt".into(), "raised"),
        ("encrypt", "may".into(), "lowered by level"),
        ("secure match=x", "encrypt".into(), "lowered by level"),
        ("dane-only", "encrypt".into(), "lowered by level"),
        ("dane-only", "dane".into(), "lowered by level"),
        ("dane", "dane-only".into(), "raised"),
        // Neither is above the other; but what had to be encrypted now may go out in the clear.
        ("encrypt", "dane".into(), "lowered by level"),
        ("secure", "dane".into(), "lowered by level"),
        ("dane", "encrypt".into(), "changed"),
        ("dane-only", "secure".into(), "changed"),
        (&row(&[ONE]), "secure".into(), "changed -1"),
        // The same certificates with other names.
        ("secure", "verify".into(), "lowered by names"),
        ("verify", "secure".into(), "raised"),
        ("secure match=a.example", "{level: verify, match: [a.example]}".into(), "changed"),
        ("secure match=a.example", "{level: secure, match: [.example]}".into(), "lowered by names"),
        ("secure match=.example", "{level: secure, match: [a.example]}".into(), "raised"),
        ("secure match=a.example", "{level: secure, match: [b.example]}".into(), "changed"),
        (
            "secure match=a.example",
            "{level: secure, match: [b.example, A.example]}".into(),
            "lowered by names",
        ),
        ("secure match=a.example", "{level: secure, match: [hostname]}".into(), "lowered by names"),
        // Attributes count against main.cf's values: all but SSLv3, and medium.
        ("encrypt", "{level: encrypt, ciphers: high}".into(), "raised"),
        ("encrypt ciphers=medium", "encrypt".into(), "changed"),
        ("encrypt ciphers=high", "encrypt".into(), "lowered by ciphers"),
        ("encrypt protocols=>=TLSv1.2", "encrypt".into(), "lowered by protocols"),
        (
            "encrypt protocols=TLSv1.2",
            "{level: encrypt, protocols: \">=TLSv1.2\"}".into(),
            "changed",
        ),
        (
            "encrypt protocols=>=TLSv1.2 ciphers=high",
            "{level: encrypt, protocols: \">=TLSv1.1\"}".into(),
            "lowered by protocols by ciphers",
        ),
        (
            "encrypt protocols=>=TLSv1.2",
            "{level: encrypt, ciphers: high}".into(),
            "lowered by protocols",
        ),
        // At may, the mail of a server with old protocols alone goes out in the clear without them.
        ("may protocols=>=TLSv1.2", "may".into(), "changed"),
        ("encrypt exclude=RC4", "encrypt".into(), "changed"),
        (&row(&[ONE]), pin(&[TWO]), "pins -1"),
        (&row(&[ONE]), pin(&[ONE, TWO]), "pins"),
        (&row(&[ONE, TWO]), pin(&[ONE]), "pins -1"),
        (&row(&[ONE, "AD:F3"]), pin(&[ONE]), "changed"),
        // A row by which all mail waits is what it asks for.
        ("encypt", "encrypt".into(), "changed"),
        ("encypt", "may".into(), "changed"),
        ("secure macth=x", "may".into(), "lowered by level"),
        ("secure macth=x", "{level: secure, match: [x.example]}".into(), "changed"),
        ("fingerprint match=AD:F3", pin(&[ONE]), "pins"),
    ] {
        let (table, policy) = (
            format!("a.example {old}\n"),
            format!("version: 1\ndestinations:\n  a.example: {new}\n"),
        );
        let case =
            Case { main_cf: ASKS, master_cf: "", table: &table, beside: &[], policy: &policy };
        check(&case, &[("a.example", want)]);
    }
}

/// Rows that come and go, and what holds without them.
#[test]
fn what_holds_without_a_row_counts() {
    let with = |level: &str| format!("{ASKS}smtp_tls_security_level = {level}\n");
    let policy = |text: &str| format!("version: 1\n{text}");
    for (main_cf, table, policy_text, want) in [
        // The default.
        (with("may"), "", "destinations: {a.example: encrypt}", &[("a.example", "added")][..]),
        (
            with("encrypt"),
            "",
            "destinations: {a.example: may}",
            &[("a.example", "lowered by level")],
        ),
        (with("dane"), "", "destinations: {a.example: encrypt}", &[("a.example", "added")]),
        (
            with("may"),
            "a.example encrypt\n",
            "table: {path: tls_policy}\ndestinations: {}",
            &[("a.example", "lowered by level")],
        ),
        (
            with("encrypt"),
            "a.example may\n",
            "table: {path: tls_policy}\ndestinations: {}",
            &[("a.example", "removed")],
        ),
        (
            with("may"),
            "a.example encypt\n",
            "table: {path: tls_policy}\ndestinations: {}",
            &[("a.example", "removed")],
        ),
        // The parent's row.
        (
            with("may"),
            ".example encrypt\na.example secure\n",
            "destinations: {.example: encrypt}",
            &[("a.example", "lowered by level")],
        ),
        (
            with("may"),
            ".example encrypt\na.example may\n",
            "destinations: {.example: encrypt}",
            &[("a.example", "removed")],
        ),
        (
            with("may"),
            ".example encrypt\n",
            "destinations: {.example: encrypt, a.example: may}",
            &[("a.example", "lowered by level")],
        ),
        // main.cf.
        (
            with("encrypt"),
            "",
            "parameters: {smtp_tls_security_level: dane}\ntable: {path: tls_policy}\ndestinations: {}",
            &[("default", "lowered by level")],
        ),
        (
            with("encrypt"),
            "",
            "parameters: {smtp_tls_security_level: null}\ndestinations: {a.example: encrypt}",
            &[("default", "lowered by level"), ("a.example", "added")],
        ),
        (
            format!("{ASKS}smtp_enforce_tls = yes\n"),
            "",
            "parameters: {smtp_enforce_tls: null, smtp_use_tls: \"yes\"}\ntable: {path: tls_policy}\ndestinations: {}",
            &[("default", "lowered by level")],
        ),
        (
            format!("{ASKS}smtp_tls_mandatory_protocols = >=TLSv1.2\n"),
            "a.example encrypt\nb.example encrypt protocols=>=TLSv1.3\nc.example may\n",
            "parameters: {smtp_tls_mandatory_protocols: null}\ndestinations: {a.example: encrypt, \
             b.example: {level: encrypt, protocols: \">=TLSv1.3\"}, c.example: may}",
            &[("a.example", "lowered by protocols")],
        ),
        (
            ASKS.to_owned(),
            "a.example dane-only\nb.example dane\n",
            "parameters: {smtp_dns_support_level: null}\ndestinations: {a.example: dane-only, b.example: dane}",
            // All mail to the one waits then.
            &[("a.example", "changed"), ("b.example", "lowered by level")],
        ),
        (ASKS.to_owned(), "", "parameters: {lmtp_tls_security_level: may}\ndestinations: {}", &[]),
    ] {
        let policy = policy(policy_text);
        check(
            &Case { main_cf: &main_cf, master_cf: "", table, beside: &[], policy: &policy },
            want,
        );
    }
}

/// Whoever does not ask the table is not concerned by it; another table may decide.
#[test]
fn only_tables_that_are_asked_count() {
    let main_cf = "smtp_tls_security_level = may\n";
    let policy = "version: 1\ndestinations: {a.example: may}\n";
    let unasked =
        Case { main_cf, master_cf: "", table: "a.example encrypt\n", beside: &[], policy };
    // It was encrypt in a table that nobody asked.
    check(&unasked, &[("a.example", "changed")]);
    let main_cf = "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy hash:/x\n";
    let beside = &[("hash:/x", "a.example encrypt\n")][..];
    let behind = Case {
        main_cf,
        master_cf: "",
        table: "a.example encrypt\n",
        beside,
        policy: "version: 1\ntable: {path: tls_policy}\ndestinations: {}\n",
    };
    check(&behind, &[("a.example", "removed")]);
    check(&Case { beside: &[], ..behind }, &[("a.example", "lowered by level")]);
    // The table that stood first is asked after ours.
    let first = Case {
        main_cf: "smtp_tls_policy_maps = hash:/x\n",
        table: "",
        beside,
        policy,
        master_cf: "",
    };
    check(&first, &[("a.example", "lowered by level")]);
    // lmtp(8) has a default of its own.
    let main_cf = "smtp_tls_security_level = encrypt\n";
    let policy =
        "version: 1\ntable: {parameter: lmtp_tls_policy_maps}\ndestinations: {a.example: may}\n";
    check(
        &Case { main_cf, master_cf: "", table: "", beside: &[], policy },
        &[("a.example", "added")],
    );
}

/// A service with a level of its own falls back to that.
#[test]
fn services_with_settings_of_their_own_count() {
    let main_cf = format!("{ASKS}smtp_tls_security_level = encrypt\n");
    let policy = "version: 1\ntable: {path: tls_policy}\ndestinations: {}\n";
    let case = Case {
        main_cf: &main_cf,
        master_cf: "smtp unix - - n - - smtp\nbulk unix - - n - - smtp -o smtp_tls_security_level=may\n",
        table: "a.example encrypt\n",
        beside: &[],
        policy,
    };
    check(&case, &[("a.example", "lowered by level")]);
    let master_cf = "smtp unix - - n - - smtp\n\
        bulk unix - - n - - smtp -o smtp_tls_security_level=may -o smtp_tls_policy_maps=\n";
    check(&Case { master_cf, ..case }, &[("a.example", "removed")]);
}

/// The same pin in the digest of old and in the one that follows is not lost.
#[test]
fn a_pin_in_another_digest_is_no_lost_pin() {
    let sha1 = "5A:6B:1C:9A:55:E0:43:D8:16:BE:07:6C:F2:39:8D:A4:C1:5E:70:2B";
    let policy = format!(
        "version: 1\nparameters: {{smtp_tls_fingerprint_digest: md5}}\ndestinations:\n  a.example:\n    \
         level: fingerprint\n    pins: [{{certificate: [\"{ONE}\", \"{sha1}\"]}}]\n"
    );
    let main_cf = ASKS.replace("md5", "sha1");
    let table = format!("a.example fingerprint match={sha1}\n");
    let case =
        Case { main_cf: &main_cf, master_cf: "", table: &table, beside: &[], policy: &policy };
    check(&case, &[("a.example", "pins")]);
    let table = table.replace("70:2B", "70:2C");
    check(&Case { table: &table, ..case }, &[("a.example", "pins -1")]);
}

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).expect("it can be written");
}

/// Exit status, standard output and standard error.
fn postls(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    let output = command.args(arguments).arg("-c").arg(directory).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("it exits");
    (status, text(&output.stdout), text(&output.stderr))
}

const SECURE: &str = "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\nparameters: {smtp_tls_security_level: encrypt, smtp_tls_fingerprint_digest: sha256}\n";

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    write(path, "main.cf", "smtp_tls_CAfile = /etc/ssl/cert.pem\n");
    let pins = format!(
        "{SECURE}destinations:\n  a.example: secure\n  b.example:\n    level: fingerprint\n    \
         owner: mail-team\n    reason: contract 7\n    pins: [{{certificate: \"{}\"}}, {{certificate: \"{}\"}}]\n",
        long(ONE),
        long(TWO)
    );
    write(path, "postls.yaml", &pins);
    let (status, _, why) = postls(path, &["apply"]);
    assert_eq!(status, 0, "{why}");
    directory
}

/// A fingerprint as long as one in sha256.
fn long(pin: &str) -> String {
    format!("{pin}:7B:2F:1C:9A:55:E0:43:D8:16:BE:07:6C:F2:39:8D:A4")
}

#[test]
fn apply_gives_nothing_up_that_is_not_allowed() {
    let directory = directory();
    let path = directory.path();
    let table = fs::read(path.join("tls_policy")).expect("it is there");
    let lower = format!(
        "{}destinations:\n  a.example: encrypt\n  b.example:\n    level: fingerprint\n    \
         owner: mail-team\n    reason: contract 7\n    pins: [{{certificate: \"{}\"}}]\n",
        SECURE.replace("encrypt", "may"),
        long(ONE)
    );
    write(path, "postls.yaml", &lower);
    for arguments in [
        &["apply"][..],
        &["apply", "--check"],
        &["apply", "--check", "--format", "json"],
        &["apply", "--allow-downgrade", "a.example,b.example"],
        &["apply", "--allow-downgrade", "b.example", "--allow-downgrade", "default"],
    ] {
        let (status, printed, said) = postls(path, arguments);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert_eq!(printed.is_empty(), !arguments.contains(&"json"), "{printed}");
        assert!(said.ends_with("nothing was changed\n"), "{said}");
        assert_eq!(fs::read(path.join("tls_policy")).expect("it is there"), table, "{arguments:?}");
    }
    let (_, _, said) = postls(path, &["apply", "--allow-downgrade", "b.example"]);
    for line in [
        "all other destinations: encrypt -> may (weaker: level)",
        "a.example: secure -> encrypt (weaker: level)",
        "--allow-downgrade b.example,default,a.example --reason TEXT",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("loses pin"), "{said}");
    let (_, _, said) = postls(path, &["apply"]);
    assert!(said.contains("b.example: loses pin B4:88:CD:9B:2B:CE… (contract 7)"), "{said}");
    // `diff` says so too, and stays what it is.
    let (status, printed, said) = postls(path, &["diff", "--format", "json"]);
    assert_eq!(status, 1);
    assert!(said.contains("--allow-downgrade default,a.example,b.example"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
    assert_eq!(json["summary"]["lowered"], 2);
    assert_eq!(json["summary"]["pins_removed"], 1);
    assert_eq!(json["policies"][0]["needs_allowance"], true);

    let allowed = "A.example, b.example ,default,nowhere.example,b.exampl";
    let (status, _, said) = postls(path, &["apply", "--allow-downgrade", allowed]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("b.exampl: there is no such destination; did you mean \"b.example\"?"));
    assert!(said.contains("nowhere.example: there is no such destination\n"), "{said}");
    // The same line again, as configuration management runs it: nothing is lowered any more.
    let (status, _, said) = postls(path, &["apply", "--allow-downgrade", "a.example,default"]);
    assert_eq!((status, said.as_str()), (0, ""));
}

#[test]
fn all_allows_everything() {
    let directory = directory();
    write(directory.path(), "postls.yaml", &format!("{SECURE}destinations: {{}}\n"));
    let (status, _, said) = postls(directory.path(), &["apply", "--allow-downgrade", "ALL"]);
    assert_eq!(status, 0, "{said}");
}

/// What a plan says of levels is what `query`, which a real Postfix judges, says before and after it.
#[test]
fn levels_are_those_of_query() {
    let main_cf = "smtp_tls_security_level = encrypt\nsmtp_tls_CAfile = /etc/ssl/cert.pem\n\
        smtp_dns_support_level = dnssec\nsmtp_tls_policy_maps = texthash:$config_directory/tls_policy \
        texthash:$config_directory/more\n";
    let table = ".example encrypt\na.example secure\nb.example may\nc.example dane\nd.test secure macth=x\n\
        e.test dane-only\nf.more secure\n";
    let policy = "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\n\
        parameters: {smtp_tls_security_level: dane}\n\
        destinations: {.example: may, b.example: verify, d.test: secure, g.example: none}\n";
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    for (name, text) in [
        ("main.cf", main_cf),
        ("tls_policy", table),
        ("more", "f.more dane\nc.example verify\n"),
        ("postls.yaml", policy),
    ] {
        write(path, name, text);
    }
    let (_, printed, said) = postls(path, &["diff", "--format", "json"]);
    let plan: serde_json::Value =
        serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{said}"));
    let mut changes: Vec<(&str, &serde_json::Value)> = vec![("x.other", &plan["others"])];
    let rows = plan["policies"].as_array().expect("a list").iter();
    changes.extend(rows.map(|it| (it["destination"].as_str().expect("a name"), it)));
    let level = |destination: &str| {
        // The key of a parent stands for each of its children.
        let asked = destination.strip_prefix('.').map(|it| format!("child.{it}"));
        let asked = asked.unwrap_or_else(|| destination.to_owned());
        let (_, printed, _) = postls(path, &["query", "--format", "json", &asked]);
        let answer: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
        let policy = &answer["results"][0];
        match policy["outcome"].as_str() {
            Some("deferred") => serde_json::Value::Null,
            _ => policy["level"].clone(),
        }
    };
    let before: Vec<serde_json::Value> = changes.iter().map(|it| level(it.0)).collect();
    let (status, _, said) = postls(path, &["apply", "--adopt", "--allow-downgrade", "all"]);
    assert_eq!(status, 0, "{said}");
    for ((destination, change), before) in changes.iter().zip(before) {
        assert_eq!(change["level_before"], before, "{destination} before");
        assert_eq!(change["level_after"], level(destination), "{destination} after");
    }
    assert_eq!(changes.len(), 9, "{plan}");
}
