//! What `postls import` does with input of all kinds, and what it does not do.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("it is writable");
    }
    directory
}

/// Exit status, standard output and standard error, without a Postfix in reach.
fn postls(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
    command.env("PATH", "").env_remove("MAIL_CONFIG").env("LC_ALL", "C.UTF-8");
    command.current_dir(directory).args(["-c", "."]).args(arguments);
    let output = command.output().expect("it is built");
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The policy file, if diff with it is empty.
fn imported(directory: &Path) -> (String, String) {
    let (status, text, said) = postls(directory, &["import"]);
    assert_eq!(status, Some(0), "{said}");
    fs::write(directory.join("postls.yaml"), &text).expect("it is writable");
    let (status, diff, errors) = postls(directory, &["diff"]);
    assert_eq!(status, Some(0), "{diff}{errors}\n{text}");
    assert!(diff.starts_with("nothing to change"), "{diff}");
    (text, said)
}

const LEVEL: &str = "smtp_tls_security_level = may\n";

#[test]
fn without_a_main_cf_and_with_a_table_that_cannot_be_read_nothing_is_written() {
    let empty = directory(&[]);
    let (status, _, said) = postls(empty.path(), &["import", "-o", "x.yaml"]);
    assert_eq!(status, Some(2));
    assert!(said.ends_with("main.cf: there is no such file\n"), "{said}");
    let closed = directory(&[("main.cf", "smtp_tls_policy_maps = texthash:$config_directory/t\n")]);
    fs::create_dir(closed.path().join("t")).expect("it is writable");
    let (status, _, said) = postls(closed.path(), &["import", "-o", "x.yaml"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(!empty.path().join("x.yaml").exists() && !closed.path().join("x.yaml").exists());
}

#[test]
fn a_file_that_is_there_is_overwritten_only_if_that_is_wanted() {
    let directory = directory(&[("main.cf", LEVEL), ("postls.yaml", "not: [a policy file")]);
    let at = directory.path();
    let (status, _, said) = postls(at, &["import", "-o", "postls.yaml"]);
    assert_eq!(
        (status, said.as_str()),
        (Some(2), "postls: postls.yaml: this file is there; --force overwrites it\n")
    );
    let (status, text, said) = postls(at, &["import"]);
    assert_eq!((status, said.as_str()), (Some(0), ""), "the one that is there does not matter");
    let (status, said, _) = postls(at, &["import", "-o", "postls.yaml", "--force"]);
    assert_eq!((status, said.as_str()), (Some(0), "wrote postls.yaml\n"));
    assert_eq!(fs::read_to_string(at.join("postls.yaml")).expect("it is there"), text);
}

#[test]
fn what_is_no_table_of_the_directory_stays_in_the_list_and_is_said() {
    let main_cf = "smtp_tls_policy_maps = inline:{a=may},\n  texthash:/nowhere/t, texthash:$config_directory/t texthash:$config_directory/u\n\
        lmtp_tls_policy_maps = static:may\n";
    let directory =
        directory(&[("main.cf", main_cf), ("t", "a.example may\n"), ("u", "b.example may\n")]);
    let (text, said) = imported(directory.path());
    for (list, table, why) in [
        ("smtp", "inline:{a=may}", "it is no table of rows"),
        ("smtp", "texthash:/nowhere/t", "it does not stand in the configuration directory"),
        ("smtp", "texthash:$config_directory/u", "a policy file has one table"),
        ("lmtp", "static:may", "a policy file has one table"),
    ] {
        let line = format!("{list}_tls_policy_maps: {table} stays as it is: {why}\n");
        assert!(
            said.contains(&line) && text.contains(&format!("# Not here: {line}")),
            "{said}{text}"
        );
    }
    assert!(text.contains("\n  path: t\n  type: texthash\n") && text.contains("a.example: may"));
}

#[test]
fn tables_without_rows_and_no_table_at_all_lead_to_no_change() {
    for (main_cf, table) in [
        ("", None),
        (LEVEL, None),
        (LEVEL, Some("a.example may\n")),
        ("smtp_tls_policy_maps =\n", None),
        ("smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n", None),
        ("smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n", Some("")),
        (
            "smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n",
            Some("# nobody\n\n# yet\n"),
        ),
        ("smtp_tls_policy_maps = pcre:/etc/x\n", None),
    ] {
        let mut files = vec![("main.cf", main_cf)];
        files.extend(table.map(|it| ("tls_policy", it)));
        let directory = directory(&files);
        let (text, _) = imported(directory.path());
        let comments = table.unwrap_or_default().lines().filter(|it| it.starts_with('#'));
        assert!(
            !main_cf.contains("tls_policy") || comments.count() == text.matches("  #").count(),
            "{text}"
        );
    }
}

#[test]
fn parameters_with_mistakes_stay_where_they_are() {
    let main_cf = "# caf\u{e9}, and why\nsmtp_tls_security_level =\n  # one more\n  may\n\n# not this\n\nsmtp_tls_ciphers = high # all\n\
        smtp_tls_protocols = TLSv1.2\nsmtp_tls_protocols = >=TLSv1.2\nsmtp_tls_CAfile =\nsmtp_tls_servername = $myhostname\n";
    let directory = directory(&[("main.cf", main_cf)]);
    let (text, said) = imported(directory.path());
    let want = "parameters:\n  # caf\u{e9}, and why\n  # one more\n  smtp_tls_security_level: may\n\
        \x20 # left out: text after a value is part of the value, not a comment (inline-comment)\n  #   smtp_tls_ciphers = high # all\n\
        \x20 # left out: a parameter is set twice, and only the last one counts (duplicate-parameter)\n  #   smtp_tls_protocols = >=TLSv1.2\n\
        \x20 smtp_tls_CAfile: \"\"\n  smtp_tls_servername: \"$myhostname\"\n";
    assert!(text.ends_with(want), "{text}");
    assert_eq!(said.matches("is left out").count(), 2, "{said}");
}

/// A row with a mistake is in the policy file as a comment, and apply does not drop it unasked.
#[test]
fn rows_with_mistakes_are_kept_as_comments_and_never_dropped_unasked() {
    let main_cf = format!("{LEVEL}smtp_tls_policy_maps = texthash:$config_directory/t\n");
    let directory = directory(&[
        ("main.cf", &main_cf),
        ("t", "a.example encypt\nb.example may\nc.example dane-only\n"),
    ]);
    let at = directory.path();
    let (status, text, said) = postls(at, &["import"]);
    assert_eq!(status, Some(1));
    assert!(
        text.contains("  # left out: \"encypt\" is no security level\n  #   a.example encypt\n"),
        "{text}"
    );
    assert!(
        text.contains("  #   c.example dane-only\n") && text.contains("  b.example: may\n"),
        "{text}"
    );
    assert!(
        said.contains("t:1: \"a.example encypt\" is left out") && said.contains("t:3: "),
        "{said}"
    );
    assert!(
        said.contains("rows that are left out would be lost: a.example, c.example\n"),
        "{said}"
    );
    fs::write(at.join("postls.yaml"), &text).expect("it is writable");
    let before = fs::read(at.join("t")).expect("it is there");
    let (status, _, said) = postls(at, &["apply"]);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("rows that postls did not write") && said.contains("postls import"),
        "{said}"
    );
    assert_eq!(fs::read(at.join("t")).expect("it is there"), before);
    let (_, diff, _) = postls(at, &["diff"]);
    assert!(
        diff.contains("a.example") && diff.contains("(not written by postls): encypt"),
        "{diff}"
    );
    let (status, _, said) = postls(at, &["apply", "--adopt", "--allow-downgrade", "all"]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(postls(at, &["diff"]).0, Some(0));
}

/// As many rows as a large site has; a million takes the same way (`POSTLS_ROWS`).
#[test]
fn a_large_table_is_taken_over() {
    let count: usize =
        std::env::var("POSTLS_ROWS").map_or(2000, |it| it.parse().expect("a number"));
    let mut table = String::new();
    for row in 0..count {
        let policy = [
            "encrypt",
            "may ciphers=high",
            "fingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0",
        ][row % 3];
        writeln!(table, "domain{row}.example {policy}").expect("a String takes all");
    }
    let main_cf = format!(
        "{LEVEL}smtp_tls_fingerprint_digest = md5\nsmtp_tls_policy_maps = texthash:$config_directory/t\n"
    );
    let directory = directory(&[("main.cf", &main_cf), ("t", &table)]);
    let started = std::time::Instant::now();
    let (text, _) = imported(directory.path());
    println!("import and diff of {count} rows: {:?}", started.elapsed());
    assert_eq!(super::read(&text).destinations.len(), count);
}
