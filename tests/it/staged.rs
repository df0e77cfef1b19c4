//! `lint --staged` reads what git has staged, whatever lies in the work tree.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::repository::{Repository, said};

const BAD: &str = "smtp_tls_security_level = encrypted\n";
const GOOD: &str = "smtp_tls_security_level = may\n";
const FOUND: &str = "main.cf:1:27: error: ";

#[test]
fn the_index_counts_and_not_the_work_tree() {
    let repository = Repository::new();
    repository.stage(&[("postfix/main.cf", BAD)]);
    repository.write("postfix/main.cf", GOOD);
    let (status, found, complaint) = repository.lint(&[]);
    assert_eq!((status, complaint.as_str()), (Some(1), ""), "{found}");
    assert!(found.starts_with(&format!("postfix/{FOUND}")), "{found}");
    fs::remove_dir_all(repository.path("top/postfix")).expect("it is there");
    assert_eq!(
        repository.lint(&[]).1,
        found,
        "what is gone from the work tree is staged all the same"
    );

    repository.stage(&[("postfix/main.cf", GOOD)]);
    repository.write("postfix/main.cf", BAD);
    assert_eq!(repository.lint(&[]), (Some(0), String::new(), String::new()));
    repository.git(&["rm", "-q", "-f", "--cached", "postfix/main.cf"]);
    let (status, found, complaint) = repository.lint(&[]);
    assert_eq!((status, found.as_str()), (Some(0), ""), "a staged deletion is one");
    assert!(
        complaint.ends_with(": git has staged no main.cf and no postls.yaml: nothing to lint\n")
    );
    assert_eq!(repository.lint(&["-q"]).2, "");
}

#[test]
fn all_directories_are_found_and_shown_from_here() {
    let repository = Repository::new();
    repository.stage(&[
        ("mail/a b/main.cf", BAD),
        ("mail/c\nd/main.cf", BAD),
        ("mail/e/postls.yaml", "version: 2\n"),
        ("web/readme", "text\n"),
    ]);
    let names = |directory: &str| -> Vec<String> {
        let (status, found, complaint) = repository.lint_in(directory, &[]);
        assert_eq!((status, complaint.as_str()), (Some(1), ""));
        found.lines().map(|it| it.split(':').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names("top").len(), 3);
    assert_eq!(names("top")[0], "mail/a b/main.cf");
    assert_eq!(names("top")[2], "mail/e/postls.yaml");
    assert_eq!(names("top/mail/a b")[0], "main.cf");
    assert_eq!(names("top/mail/a b")[2], "../e/postls.yaml");
    assert_eq!(names("top/web")[2], "../mail/e/postls.yaml");
}

#[test]
fn a_name_that_is_no_text_is_a_name() {
    let repository = Repository::new();
    let name = OsString::from_vec(b"caf\xe9".to_vec());
    fs::create_dir(repository.path("top").join(&name)).expect("it can be made");
    fs::write(repository.path("top").join(&name).join("main.cf"), BAD).expect("it can be written");
    repository.git(&["add", "."]);
    let (status, found, _) = repository.lint(&[]);
    assert_eq!(status, Some(1));
    assert!(found.contains("main.cf:1:27: error"), "{found}");
}

#[test]
fn tables_includes_and_links_come_from_the_index() {
    let repository = Repository::new();
    let main_cf = "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n";
    repository.stage(&[
        ("postfix/main.cf", main_cf),
        ("common/tls_policy", "a.example encrypted\n"),
        ("postfix/postls.yaml", "version: 1\ninclude: [partners/*.yaml]\n"),
        ("common/partners/a.yaml", "destinations: {a.example: encrypted}\n"),
        ("common/partners/deeper/b.yaml", "destinations: {b.example: encrypted}\n"),
    ]);
    for name in ["tls_policy", "partners"] {
        let path = repository.path("top/postfix").join(name);
        symlink(format!("../common/{name}"), path).expect("it can be made");
    }
    let table = repository.path("top/common/tls_policy");
    fs::set_permissions(&table, fs::Permissions::from_mode(0o755)).expect("it is ours");
    repository.git(&["add", "."]);
    fs::remove_dir_all(repository.path("top/common")).expect("it is there");
    fs::remove_dir_all(repository.path("top/postfix")).expect("it is there");
    let (status, found, complaint) = repository.lint(&[]);
    assert_eq!((status, complaint.as_str()), (Some(1), ""));
    assert_eq!(found.lines().count(), 2, "{found}");
    assert!(found.contains("postfix/tls_policy:1:11: error"), "{found}");
    assert!(found.contains("postfix/partners/a.yaml:1:27: error"), "{found}");
}

#[test]
fn links_that_lead_nowhere_are_no_trouble() {
    let repository = Repository::new();
    repository.stage(&[("postfix/main.cf", "smtp_tls_policy_maps = hash:/etc/postfix/a\n")]);
    for (name, target) in [("a", "b"), ("b", "a"), ("postls.yaml", "/nowhere/at/all")] {
        symlink(target, repository.path("top/postfix").join(name)).expect("it can be made");
    }
    repository.git(&["add", "."]);
    let (status, _, complaint) = repository.lint(&[]);
    assert_eq!(status, Some(2));
    assert!(complaint.contains("postls.yaml: there is no such file"), "{complaint}");
    repository.git(&["rm", "-q", "-f", "postfix/postls.yaml"]);
    let (status, _, complaint) = repository.lint(&[]);
    assert_eq!(status, Some(2));
    assert!(complaint.contains("postfix/a: too many symbolic links"), "{complaint}");
}

#[test]
fn arguments_name_what_is_read() {
    let repository = Repository::new();
    repository.stage(&[("a/main.cf", BAD), ("b/main.cf", GOOD), ("c/readme", "\n")]);
    repository.write("c/main.cf", BAD);
    fs::create_dir(repository.path("beside")).expect("it can be made");
    fs::write(repository.path("beside/main.cf"), BAD).expect("it can be written");
    let status = |arguments: &[&str]| repository.lint(arguments).0;
    assert_eq!(status(&["a"]), Some(1));
    assert_eq!(status(&["-c", "b"]), Some(0));
    assert_eq!(status(&["a", "b"]), Some(1));
    assert_eq!(status(&["b/main.cf"]), Some(0));
    assert_eq!(status(&["c"]), Some(2), "its main.cf is not staged");
    assert_eq!(status(&["--recursive", "b"]), Some(0));
    let (status, found, complaint) = repository.lint(&["--recursive", "."]);
    assert_eq!((status, complaint.as_str()), (Some(1), ""));
    assert!(found.starts_with("a/main.cf:1:27: error") && found.lines().count() == 1, "{found}");
    let (status, _, complaint) = repository.lint(&["-c", "../beside"]);
    assert_eq!(status, Some(2));
    assert!(complaint.contains("/beside: not in the repository "), "{complaint}");
    let (status, _, complaint) = repository.lint(&["--as", "main.cf", "a/main.cf"]);
    assert_eq!(status, Some(2), "{complaint}");
}

#[test]
fn a_file_that_is_only_announced_is_not_there() {
    let repository = Repository::new();
    repository.stage(&[("a/main.cf", ""), ("a/readme", "")]);
    repository.write("b/main.cf", BAD);
    repository.git(&["add", "--intent-to-add", "b/main.cf"]);
    let (_, found, _) = repository.lint(&["-v"]);
    assert_eq!(found, "");
    let (_, _, complaint) = repository.lint(&["-v"]);
    assert!(complaint.contains("top/a/main.cf (0 bytes)"), "{complaint}");
    assert!(!complaint.contains("top/b/main.cf"), "{complaint}");
}

#[test]
fn an_unfinished_merge_is_said() {
    let repository = Repository::new();
    repository.stage(&[("main.cf", "")]);
    repository.git(&["commit", "-qm", "first"]);
    repository.git(&["checkout", "-qb", "other"]);
    repository.stage(&[("main.cf", GOOD)]);
    repository.git(&["commit", "-qm", "second"]);
    repository.git(&["checkout", "-q", "main"]);
    repository.stage(&[("main.cf", BAD)]);
    repository.git(&["commit", "-qm", "third"]);
    let merge = repository.command("git", "top").args(["merge", "-q", "other"]).output();
    assert!(!merge.expect("git runs").status.success());
    let (status, _, complaint) = repository.lint(&[]);
    assert_eq!(status, Some(2));
    assert!(complaint.contains("--staged: main.cf: the merge is not finished"), "{complaint}");
}

#[test]
fn a_commit_of_some_files_is_judged_by_their_index() {
    let repository = Repository::new();
    let program = env!("CARGO_BIN_EXE_postls");
    let hook = repository.path("top/.git/hooks/pre-commit");
    fs::write(&hook, format!("#!/bin/sh\nexec '{program}' lint --staged -q --format short\n"))
        .expect("it can be written");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it is ours");
    repository.stage(&[("a/main.cf", GOOD), ("b/main.cf", GOOD)]);
    let commit = |arguments: &[&str]| {
        let mut command = repository.command("git", "top");
        said(&command.args(["commit", "-qm", "x"]).args(arguments).output().expect("git runs"))
    };
    assert_eq!(commit(&[]).0, Some(0));
    repository.stage(&[("b/main.cf", BAD)]);
    repository.write("a/main.cf", "mail_name = X\n");
    // Git gives such a commit an index of its own: the other file is not in it.
    assert_eq!(commit(&["a/main.cf"]), (Some(0), String::new(), String::new()));
    let (status, _, found) = commit(&[]);
    assert_eq!(status, Some(1));
    assert!(found.contains("b/main.cf:1:27: error"), "{found}");
    repository.git(&["reset", "-q", "--hard"]);
    repository.write("a/main.cf", BAD);
    assert_eq!(commit(&["--allow-empty"]).0, Some(0));
    assert_eq!(commit(&["-a"]).0, Some(1));

    repository.git(&["worktree", "add", "-q", "../second"]);
    fs::write(repository.path("second/a/main.cf"), BAD).expect("it can be written");
    let mut command = repository.command("git", "second");
    let (status, _, found) =
        said(&command.args(["commit", "-aqm", "x"]).output().expect("git runs"));
    assert_eq!(status, Some(1));
    assert!(found.contains("a/main.cf:1:27: error"), "{found}");
}

#[test]
fn submodules_are_repositories_of_their_own() {
    let repository = Repository::new();
    let other = Repository::new();
    other.stage(&[("main.cf", BAD)]);
    other.git(&["commit", "-qm", "first"]);
    let address = other.path("top").to_string_lossy().into_owned();
    repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "-q",
        "add",
        &address,
        "sub",
    ]);
    repository.stage(&[("main.cf", GOOD)]);
    assert_eq!(repository.lint(&[]), (Some(0), String::new(), String::new()));
    let (status, found, _) = repository.lint_in("top/sub", &[]);
    assert_eq!((status, found.starts_with("main.cf:1:27: error")), (Some(1), true));
}

#[test]
fn without_a_repository_or_git_it_says_so() {
    let repository = Repository::new();
    let (status, found, complaint) = repository.lint_in("", &[]);
    assert_eq!((status, found.as_str()), (Some(2), ""));
    assert!(complaint.starts_with("postls: --staged: git says: fatal: not a git repository"));
    let mut command = repository.command(env!("CARGO_BIN_EXE_postls"), "top");
    let output = command.args(["lint", "--staged"]).env("PATH", "/nonexistent").output();
    let (status, _, complaint) = said(&output.expect("it is built"));
    // The program is found beside, where Postfix's are, on some machines.
    let known = ["the git program is not installed", "nothing to lint"];
    assert!(known.iter().any(|it| complaint.contains(it)), "{status:?} {complaint}");
    let (status, _, complaint) = repository.lint(&[]);
    assert_eq!(status, Some(0), "nothing is staged yet: {complaint}");
}

/// Contents that git keeps encrypted are those that the work tree would have.
#[test]
fn what_a_filter_keeps_is_read_through_it() {
    let repository = Repository::new();
    // A filter as git-crypt's: it puts its mark in front.
    repository.git(&["config", "filter.crypt.clean", r"printf '\0GITCRYPT\0'; tr a-z b-za"]);
    repository.git(&["config", "filter.crypt.smudge", "tail -c +11 | tr b-za a-z"]);
    repository.stage(&[(".gitattributes", "secret filter=crypt\n")]);
    let main_cf = "smtp_tls_policy_maps = texthash:/etc/postfix/secret\n";
    repository.stage(&[("main.cf", main_cf), ("secret", "a.example encrypted\n")]);
    let (status, found, complaint) = repository.lint(&[]);
    assert_eq!(status, Some(1), "{complaint}");
    assert!(found.starts_with("secret:1:11: error"), "{found}");
    repository.git(&["config", "--remove-section", "filter.crypt"]);
    let (status, _, complaint) = repository.lint(&[]);
    assert_eq!(status, Some(2));
    assert!(complaint.contains("secret: git keeps it encrypted or elsewhere"), "{complaint}");
}
