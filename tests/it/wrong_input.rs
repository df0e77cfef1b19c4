//! Wrong input, given to the real program: it says which file and place, exits with 1 or 2, and
//! neither panics, hangs, fills the memory nor leaves half of something behind.

mod program;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use program::{command, content, content_names, directory, finish, many, postls};

const HUGE: usize = 100_000_000;
/// For what differs in its reading only.
const LARGE: usize = HUGE / 50;

const LISTED: &str = "smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n";
const POLICY: &str = "version: 1\ntable: {type: texthash}\ndestinations: {a.example: encrypt}\n";

/// Lints, and has diff and apply refuse it without a trace.
#[track_caller]
fn refused(directory: &Path, says: &str) {
    let before = content(directory);
    for subcommand in ["diff", "apply"] {
        postls(directory, &[subcommand]).exits(2).says(says);
    }
    assert_eq!(content(directory), before, "nothing was changed");
}

#[test]
fn what_is_not_there_is_named() {
    let nothing = Path::new("/nonexistent/postfix");
    for subcommand in ["lint", "diff", "apply", "compile"] {
        postls(nothing, &[subcommand]).exits(2).says("/nonexistent/postfix");
    }
    let empty = directory(&[]);
    for subcommand in ["lint", "diff", "apply", "compile"] {
        postls(empty.path(), &[subcommand]).exits(2).says(&empty.path().display().to_string());
    }
    postls(empty.path(), &["lint", "no-such-file"]).exits(2).says("no-such-file");
    postls(empty.path(), &["apply", "no-such.yaml"]).exits(2).says("no-such.yaml");
    postls(empty.path(), &["lint", "-"]).exits(2).says("--as");
    let table_only = directory(&[("postls.yaml", POLICY.as_bytes())]);
    refused(table_only.path(), "main.cf");
}

#[test]
fn what_is_no_readable_file_is_named() {
    for name in ["main.cf", "tls_policy", "postls.yaml"] {
        let kinds: [fn(&Path); 6] = [
            |it| fs::create_dir(it).expect("it can be made"),
            |it| symlink("nowhere", it).expect("it can be linked"),
            |it| symlink(it, it).expect("it can be linked"),
            |it| symlink("/dev/zero", it).expect("it can be linked"),
            |it| assert!(Command::new("mkfifo").arg(it).status().expect("POSIX has it").success()),
            // A regular file whose content is refused.
            |it| symlink("/proc/self/mem", it).expect("it can be linked"),
        ];
        for make in kinds {
            let files = [("main.cf", LISTED), ("tls_policy", ""), ("postls.yaml", POLICY)];
            let others = files.into_iter().filter(|(it, _)| *it != name);
            let others: Vec<_> = others.map(|(name, text)| (name, text.as_bytes())).collect();
            let directory = directory(&others);
            make(&directory.path().join(name));
            postls(directory.path(), &["lint"]).exits(2).says(name);
            let before = content_names(directory.path());
            for subcommand in ["diff", "apply"] {
                postls(directory.path(), &[subcommand]).exits(2).says(name);
            }
            assert_eq!(content_names(directory.path()), before);
        }
    }
}

#[test]
fn odd_bytes_in_main_cf_are_read_as_postfix_reads_them() {
    for (bytes, status, says) in [
        (b"".as_slice(), 0, "0 errors"),
        (b"\n\n# c", 0, "0 errors"),
        (b"# K\xf6ln\nrelayhost = \xff\xfe\n", 0, "0 errors"),
        (b"relayhost =\r\nmydomain = a.example\r\n", 0, "0 errors"),
        (b"\0", 1, "main.cf:1:1"),
        (b"a\0b = c\n", 1, "main.cf:1:1"),
        (b"smtp_tls_security_level = ma\0y\n", 1, "main.cf:1:27"),
        (b"\xef\xbb\xbf# c\nrelayhost =\n", 1, "main.cf:1:1"),
        (b"\xff\xfe\n", 1, "main.cf:1:1"),
        (b"\x1b[31m\n", 1, "main.cf:1:1"),
    ] {
        let directory = directory(&[("main.cf", bytes)]);
        postls(directory.path(), &["lint"]).exits(status).says(says);
        for format in ["short", "json"] {
            postls(directory.path(), &["lint", "--format", format]).exits(status);
        }
    }
}

#[test]
fn odd_bytes_in_a_table_are_read_as_postfix_reads_them() {
    for (bytes, status, says) in [
        (b"".as_slice(), 0, "0 errors"),
        (b"a.example may\r\n", 0, "0 errors"),
        (b"a.example ma\0y\n", 1, "tls_policy:1:11"),
        (b"a.example\0may\n", 1, "tls_policy:1:1"),
        (b"a.example \xff\n", 1, "tls_policy:1:11"),
        (b"\xff\xfe \xff\xfe\n", 1, "tls_policy:1:"),
        (b"a.example fingerprint match=\xc3\xa9\n", 1, "tls_policy:1:"),
    ] {
        let directory = directory(&[("main.cf", LISTED.as_bytes()), ("tls_policy", bytes)]);
        postls(directory.path(), &["lint"]).exits(status).says(says);
    }
}

#[test]
fn mistakes_in_yaml_have_a_place() {
    for (bytes, place) in [
        (b"".as_slice(), ":1:1"),
        (b"# c\n", ":1:1"),
        (b"---\n...\n", ":1:"),
        (b"version: 1\ndestinations:\n\ta.example: may\n", ":3:1"),
        (b"version: 1\ndestinations: {a.example: may,\n a.example: may}\n", ":3:2"),
        (b"version: 1\nversion: 1\n", ":2:1"),
        (b"version: 1\n# K\xf6ln\n", ":2:4"),
        (b"version: 1\ndestinations: {\xff.example: may}\n", ":2:16"),
        (b"\xff\xfe", ":1:1"),
        (b"v\0e", ":1:"),
        (b"version: 1\ndestinations: {a.example: \"m", ":2:"),
        (b"- a\n- b\n", ":1:1"),
        (b"just text", ":1:1"),
        (b"version: 1\n--- \nversion: 1\n", ":2:1"),
        (b"version: 1\na: &x [1]\nb: *x\n", ":3:4"),
        (b"version: 1\ntable: {path: ../x}\n", ":2:15"),
        (b"version: 1\ntable: {path: /etc/passwd}\n", ":2:15"),
        (b"version: 1\ntable: {path: a/../../x}\n", ":2:15"),
        (b"version: 1\ntable: {path: main.cf}\n", ":2:15"),
        (b"version: 1\ntable: {path: ./main.cf}\n", ":2:15"),
        (b"version: 1\ninclude: [nothing/*.yaml]\n", ":2:11"),
    ] {
        let directory = directory(&[("main.cf", b""), ("postls.yaml", bytes)]);
        let lint = postls(directory.path(), &["lint", "--format", "short"]).exits(1);
        lint.says(&format!("postls.yaml{place}"));
        refused(directory.path(), "postls.yaml");
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_in_yaml_are_no_mistake() {
    let crlf = POLICY.replace('\n', "\r\n");
    let bom = format!("\u{feff}{POLICY}");
    for text in [crlf, bom] {
        let directory = directory(&[("main.cf", b""), ("postls.yaml", text.as_bytes())]);
        postls(directory.path(), &["lint"]).exits(0);
        postls(directory.path(), &["compile"]).exits(0).says("\na.example encrypt\n");
    }
}

#[test]
fn yaml_that_would_grow_is_refused() {
    let bomb: String = many(60, |it| format!("a{}: &a{} [*a{it}, *a{it}]\n", it + 1, it + 1));
    let keys: String = many(50_000, |it| format!("k{it}: x\n"));
    let deep: String = (0..2000).fold(String::new(), |text, it| text + &" ".repeat(it) + "a:\n");
    for text in [
        format!("a0: &a0 [x, x]\n{bomb}"),
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "!!x ".repeat(100_000),
        "&a ".repeat(100_000),
        deep,
        keys,
    ] {
        let text = format!("version: 1\n{text}");
        let directory = directory(&[("main.cf", b""), ("postls.yaml", text.as_bytes())]);
        postls(directory.path(), &["lint", "--format", "short"]).exits(1).says("postls.yaml:");
        refused(directory.path(), "postls.yaml");
    }
}

#[test]
fn long_lists_for_many_destinations_do_not_multiply() {
    let names: Vec<String> = (0..10_000).map(|it| format!("mx{it}.partner.example")).collect();
    let users: String = many(10_000, |it| format!("  d{it}.example: {{use: p}}\n"));
    let text = format!(
        "version: 1\ntable: {{type: texthash}}\nprofiles:\n  p: {{level: secure, match: [{}]}}\ndestinations:\n{users}",
        names.join(", ")
    );
    let directory = directory(&[("main.cf", b""), ("postls.yaml", text.as_bytes())]);
    postls(directory.path(), &["lint"]).exits(1).says("postls.yaml:4:");
    refused(directory.path(), "postls.yaml");
}

/// Each of these is read in a second or two; what is quadratic in a line never ends.
#[test]
fn a_line_of_100_megabytes_is_read() {
    for (name, before, unit, size, status, place) in [
        ("main.cf", "relayhost = ", "a", HUGE, 0, ""),
        ("main.cf", "# ", "a", LARGE, 0, ""),
        ("main.cf", "", "a", LARGE, 1, "main.cf:1:1"),
        ("main.cf", "smtp_tls_security_level = ", "a", LARGE, 1, "main.cf:1:27"),
        ("main.cf", "smtp_tls_security_level = ", "$b", LARGE, 0, ""),
        ("tls_policy", "", "a", LARGE, 1, "tls_policy:1:1"),
        ("tls_policy", "a.example ", "a", HUGE, 1, "tls_policy:1:11"),
        ("tls_policy", "a.example may ", "a", LARGE, 1, "tls_policy:1:15"),
        ("tls_policy", "a.example fingerprint match=", "A", LARGE, 1, "tls_policy:1:29"),
        ("postls.yaml", "version: 1\nx: ", "a", HUGE, 1, "postls.yaml:2:1"),
        ("postls.yaml", "version: 1\n? ", "a", LARGE, 1, "postls.yaml:2:3"),
        ("postls.yaml", "version: 1\ndestinations: ", "a", LARGE, 1, "postls.yaml:2:15"),
        (
            "postls.yaml",
            "version: 1\ndestinations: {a.example: {use: ",
            "a",
            LARGE,
            1,
            "postls.yaml:2:",
        ),
        ("postls.yaml", "version: 1\ndestinations: {a.example: ", "a", LARGE, 1, "postls.yaml:2:"),
        ("postls.yaml", "", "a", LARGE, 1, "postls.yaml:1:1"),
    ] {
        let bytes = [before, &unit.repeat(size / unit.len())].concat().into_bytes();
        let directory =
            directory(&[("main.cf", LISTED.as_bytes()), ("tls_policy", b""), (name, &bytes)]);
        drop(bytes);
        let ran = postls(directory.path(), &["lint"]).exits(status).says(place);
        assert!(ran.stdout.len() < 100_000, "{} bytes of output", ran.stdout.len());
    }
}

#[test]
fn a_long_line_of_many_words_is_read() {
    let words = |before: &str, word: &str| [before, &word.repeat(300_000)].concat().into_bytes();
    for (name, bytes, status, place) in [
        ("main.cf", words("smtp_tls_policy_maps =", " fail:b"), 0, ""),
        ("main.cf", words("smtp_tls_policy_maps =", "\n a:b"), 1, "main.cf:2:2"),
        ("tls_policy", words("a.example may", " a"), 1, "tls_policy:1:15"),
        ("tls_policy", words("a.example may", "\n  a"), 1, "tls_policy:2:3"),
        ("tls_policy", words("a.example fingerprint match=", "a|"), 1, "tls_policy:1:29"),
        (
            "postls.yaml",
            words("version: 1\ndestinations: {a.example: {level: may, match: [", "a,"),
            1,
            "postls.yaml:2:",
        ),
    ] {
        let directory =
            directory(&[("main.cf", LISTED.as_bytes()), ("tls_policy", b""), (name, &bytes)]);
        postls(directory.path(), &["lint"]).exits(status).says(place);
    }
}

#[test]
fn values_that_refer_to_each_other_are_expanded_in_time() {
    let doubling: String = many(90, |it| format!("a{it} = $a{n}$a{n}\n", n = it + 1));
    for last in ["", "x", "$a0", "${a0?{$a1}:{$a2}}"] {
        let text = format!("{doubling}a90 = {last}\nsmtp_tls_security_level = $a0\n");
        let directory = directory(&[("main.cf", text.as_bytes())]);
        postls(directory.path(), &["lint"]);
    }
}

#[test]
fn typos_in_long_lists_are_found_in_time() {
    let profiles: String = many(3000, |it| format!("  profile-number-{it}: {{level: may}}\n"));
    let users: String = many(3000, |it| format!("  d{it}.example: {{use: profile-nummer-{it}}}\n"));
    let text = format!("version: 1\nprofiles:\n{profiles}destinations:\n{users}");
    let directory = directory(&[("main.cf", b""), ("postls.yaml", text.as_bytes())]);
    postls(directory.path(), &["lint", "--format", "short"]).exits(1).says("postls.yaml:3004:");
}

#[test]
fn very_many_findings_are_all_counted() {
    let rows: String = many(100_000, |it| format!("d{it}.example encypt\n"));
    let directory = directory(&[("main.cf", LISTED.as_bytes()), ("tls_policy", rows.as_bytes())]);
    let human = postls(directory.path(), &["lint"])
        .exits(1)
        .says("100000 errors")
        .says("more of policy-level-invalid");
    assert!(human.stdout.len() < 200_000, "{} bytes for people", human.stdout.len());
    let short = postls(directory.path(), &["lint", "--format", "short"]).exits(1);
    assert_eq!(short.stdout.lines().count(), 100_000);
    let json = postls(directory.path(), &["lint", "--format", "json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(100_000));
}

#[test]
fn a_reader_that_stops_reading_is_no_failure_and_a_full_disk_is_one() {
    let rows: String = many(20_000, |it| format!("d{it}.example encypt\n"));
    let directory = directory(&[
        ("main.cf", LISTED.as_bytes()),
        ("tls_policy", rows.as_bytes()),
        ("postls.yaml", POLICY.as_bytes()),
    ]);
    let path = directory.path().as_os_str();
    let output = tempfile::tempdir().expect("a temporary directory");
    let lint = ["lint", "--format", "short", "-c"].map(OsStr::new);
    let mut child = command(&[lint.as_slice(), &[path]].concat(), output.path());
    let mut child = child.stdout(Stdio::piped()).spawn().expect("it can be started");
    drop(child.stdout.take());
    finish(child, output.path()).exits(1);
    let compile = [OsStr::new("compile"), OsStr::new("-c"), path];
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let child = command(&compile, output.path()).stdout(full).spawn().expect("it can be started");
    finish(child, output.path()).exits(2).says("standard output");
}

#[test]
fn apply_keeps_links_and_replaces_what_they_name() {
    let directory = directory(&[
        ("real/main.cf", b"# mine\n"),
        ("real/table", b""),
        ("postls.yaml", POLICY.as_bytes()),
    ]);
    let path = directory.path();
    symlink("real/main.cf", path.join("main.cf")).expect("it can be linked");
    symlink(path.join("real/table"), path.join("tls_policy")).expect("it can be linked");
    postls(path, &["apply"]).exits(0).says("applied");
    for (link, target, holds) in [
        ("main.cf", "real/main.cf", "# mine\n"),
        ("tls_policy", "real/table", "\na.example encrypt\n"),
    ] {
        assert!(path.join(link).is_symlink(), "{link} is still a link");
        let text = fs::read_to_string(path.join(target)).expect("it is there");
        assert!(text.contains(holds), "{text}");
    }
    assert_eq!(content_names(&path.join("real")), ["main.cf", "table"]);
    postls(path, &["apply"]).exits(0).says("nothing to change");
}

#[test]
fn apply_changes_nothing_where_it_cannot_write_or_would_overwrite_another_file() {
    let long = "x".repeat(300);
    for path in ["missing/tls_policy", &long, "main.cf/x", "inner.yaml", "linked"] {
        let policy =
            format!("version: 1\ntable: {{type: texthash, path: {path}}}\ninclude: [inner.yaml]\n");
        let directory = directory(&[
            ("main.cf", b""),
            ("inner.yaml", b"destinations: {}\n"),
            ("postls.yaml", policy.as_bytes()),
        ]);
        symlink("main.cf", directory.path().join("linked")).expect("it can be linked");
        let before = content(directory.path());
        postls(directory.path(), &["apply", "--adopt"]).exits(2);
        // The place of the lock stays.
        let mut now = content(directory.path());
        now.retain(|name, _| name != ".postls");
        assert_eq!(now, before, "{path}: nothing was changed");
    }
    // Nobody can make a file beside this one.
    let directory = directory(&[("main.cf", b""), ("postls.yaml", POLICY.as_bytes())]);
    symlink("/proc/version", directory.path().join("tls_policy")).expect("it can be linked");
    let before = content(directory.path());
    postls(directory.path(), &["apply", "--adopt"]).exits(2).says("/proc/version");
    let mut now = content(directory.path());
    now.retain(|name, _| name != ".postls");
    assert_eq!(now, before);
}

#[test]
fn includes_are_read_once_and_from_where_they_stand() {
    let inner = "destinations: {b.example: may}\n";
    let outer = "version: 1\ninclude: [inner.yaml]\ntable: {type: texthash}\n";
    let including = |what: &str| format!("version: 1\ninclude: [{what}]\n");
    for (policy, text, other, other_text, status, says) in [
        // Each other: an included file includes nothing.
        ("a.yaml", including("b.yaml"), "b.yaml", "include: [a.yaml]\n", 2, "b.yaml:1:1"),
        ("a.yaml", including("\"*.yaml\""), "x", "", 2, "a.yaml:2:1"),
        ("a.yaml", including("inner"), "inner/x", "", 2, "inner"),
        ("a.yaml", including("/dev/zero"), "x", "", 2, "/dev/zero"),
        ("a.yaml", including("\"***\""), "x", "", 2, "a.yaml"),
        ("a.yaml", including("/etc/passwd"), "x", "", 2, "/etc/passwd:1:"),
        ("p/a.yaml", outer.to_owned(), "p/inner.yaml", inner, 0, "applied"),
        ("p[1]/a.yaml", outer.to_owned(), "p[1]/inner.yaml", inner, 0, "applied"),
    ] {
        let directory = directory(&[(policy, text.as_bytes()), (other, other_text.as_bytes())]);
        fs::write(directory.path().join("main.cf"), "").expect("it can be written");
        let policy = directory.path().join(policy);
        let policy = policy.to_str().expect("the name is plain");
        postls(directory.path(), &["apply", policy]).exits(status).says(says);
    }
}

#[test]
fn a_policy_file_may_be_named_from_where_one_stands() {
    let directory = directory(&[("etc/main.cf", b""), ("here/my.yaml", POLICY.as_bytes())]);
    let output = tempfile::tempdir().expect("a temporary directory");
    let etc = directory.path().join("etc");
    let arguments = [OsStr::new("apply"), OsStr::new("my.yaml"), OsStr::new("-c"), etc.as_os_str()];
    let mut command = command(&arguments, output.path());
    let child =
        command.current_dir(directory.path().join("here")).spawn().expect("it can be started");
    finish(child, output.path()).exits(0).says("applied");
}

#[test]
fn keys_that_a_table_cannot_hold_are_refused() {
    for key in ["/a\"b", "/a\\\\", "\u{130}.example"] {
        let text =
            format!("version: 1\ndestinations: {{\"{}\": encrypt}}\n", key.replace('"', "\\\""));
        let directory = directory(&[("main.cf", b""), ("postls.yaml", text.as_bytes())]);
        postls(directory.path(), &["compile"]).exits(2).says("postls.yaml:2:");
    }
}

/// What a terminal would obey stands in names and in contents; a terminal gets none of it.
#[test]
fn a_terminal_gets_no_escape_sequences() {
    let evil = "\u{1b}]0;x\u{7}\u{9b}31m\u{202e}";
    let inner = format!("{evil}.yaml");
    let yaml = format!(
        "version: 1\ninclude: [\"*.yaml\"]\ndestinations: {{\"{}\": may}}\n",
        evil.escape_unicode()
    );
    let main_cf = format!("{LISTED}smtp_tls_security_level = {evil}\n{evil}\n");
    let table =
        format!("{evil} {evil}\na.example may {evil}\nb.example fingerprint match={evil}\n");
    let inner_text = format!("{evil}: x\n");
    let directory = directory(&[
        ("main.cf", main_cf.as_bytes()),
        ("tls_policy", table.as_bytes()),
        ("postls.yaml", yaml.as_bytes()),
        (&inner, inner_text.as_bytes()),
    ]);
    let line = "x\nb.example none #.yaml";
    let renamed = directory.path().join(line);
    fs::write(&renamed, POLICY).expect("it can be written");
    let renamed = renamed.to_str().expect("it is UTF-8");
    for arguments in [
        &["lint"] as &[_],
        &["lint", "-v"],
        &["lint", "--format", "short"],
        &["diff"],
        &["apply"],
        &["compile"],
        &["compile", renamed],
        &["diff", &inner],
        &["lint", evil],
        &["explain", evil],
    ] {
        let ran = postls(directory.path(), arguments);
        for text in [&ran.stdout, &ran.stderr] {
            let odd = |it: char| (it.is_control() && it != '\n' && it != '\t') || it == '\u{202e}';
            assert!(!text.contains(odd), "{arguments:?}: {text:?}");
            assert!(
                !text.contains("\nb.example none"),
                "{arguments:?}: a name became a row: {text}"
            );
        }
    }
}
