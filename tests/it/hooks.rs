//! pre-commit and ansible, the real ones, with what this project gives them: its hooks, its examples.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::repository::{Repository, Said, said};
use crate::tools;

const BAD: &str = "smtp_tls_security_level = encrypted\n";
const GOOD: &str = "smtp_tls_security_level = may\n";

/// Directories of programs, with postls in the first one.
fn path(tool: &Path) -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_postls"));
    let ours = [program, tool].map(|it| it.parent().expect("it is in a folder").to_owned());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = ours.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(all).expect("no name has a colon")
}

/// A repository with a pre-commit hook, and what the hook says of a commit.
struct Hooked<'t> {
    repository: Repository,
    pre_commit: &'t Path,
}

impl<'t> Hooked<'t> {
    fn new(pre_commit: &'t Path, hook: &str) -> Hooked<'t> {
        // Where pre-commit finds our hooks: a repository, as it will clone ours.
        let ours = Repository::new();
        let manifest = fs::read_to_string(".pre-commit-hooks.yaml").expect("it is there");
        ours.stage(&[(".pre-commit-hooks.yaml", &manifest)]);
        // For the variant that is built: a program that stands for ours, which takes minutes.
        let package = "[package]\nname = \"postls\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        let program = format!(
            "fn main() {{ let mut it = std::process::Command::new({:?});\n\
             let status = it.args(std::env::args_os().skip(1)).status().unwrap();\n\
             std::process::exit(status.code().unwrap()) }}\n",
            env!("CARGO_BIN_EXE_postls")
        );
        ours.stage(&[("Cargo.toml", package), ("src/main.rs", &program)]);
        ours.git(&["commit", "-qm", "hooks"]);
        let revision = ours.command("git", "top").args(["rev-parse", "HEAD"]).output();
        let revision = said(&revision.expect("git runs")).1;

        let hooked = Hooked { repository: Repository::new(), pre_commit };
        let config = format!(
            "repos:\n- repo: {}\n  rev: {revision}  hooks: [{{id: {hook}}}]\n",
            ours.path("top").display()
        );
        hooked.repository.stage(&[(".pre-commit-config.yaml", &config)]);
        let install = hooked.run(pre_commit, &["install", "--install-hooks"]);
        assert_eq!(install.0, Some(0), "{install:?}");
        hooked
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Said {
        let program = program.to_str().expect("a plain name");
        let mut command = self.repository.command(program, "top");
        command.env("PATH", path(self.pre_commit)).args(arguments);
        for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|it| (name, it)));
        }
        if let Some(home) = std::env::home_dir() {
            // Of rustup, where it is at the usual place.
            for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
                if std::env::var_os(name).is_none() && home.join(folder).is_dir() {
                    command.env(name, home.join(folder));
                }
            }
        }
        said(&command.output().expect("it starts"))
    }

    fn commit(&self) -> Said {
        self.run(Path::new("git"), &["commit", "-m", "x"])
    }
}

#[test]
fn pre_commit_judges_what_is_staged() {
    let Some(pre_commit) = tools::find("pre-commit") else { return };
    let hooked = Hooked::new(&pre_commit, "postls-system");
    let repository = &hooked.repository;
    assert_eq!(hooked.commit().0, Some(0), "nothing that concerns the hook");

    repository.stage(&[("postfix/main.cf", BAD)]);
    let (status, _, said) = hooked.commit();
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("smtp-tls-level-invalid") && said.contains("postfix/main.cf:1:27"),
        "{said}"
    );
    repository.write("postfix/main.cf", GOOD);
    assert_eq!(hooked.commit().0, Some(1), "the index is bad, the work tree is good");

    repository.stage(&[("postfix/main.cf", GOOD)]);
    repository.write("postfix/main.cf", BAD);
    let (status, _, said) = hooked.commit();
    assert_eq!(status, Some(0), "the index is good, the work tree is bad: {said}");
    assert!(said.contains("Passed"), "{said}");

    // A mistake that only two files together are.
    let main_cf = "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n";
    repository.stage(&[("postfix/main.cf", main_cf), ("postfix/tls_policy", "a.example may\n")]);
    assert_eq!(hooked.commit().0, Some(0));
    repository.stage(&[("postfix/tls_policy", "a.example encrypted\n")]);
    let (status, _, said) = hooked.commit();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("postfix/tls_policy:1:11"), "{said}");
}

#[test]
fn pre_commit_builds_the_hook_with_cargo() {
    let Some(pre_commit) = tools::find("pre-commit") else { return };
    if tools::find("cargo").is_none() {
        return;
    }
    let hooked = Hooked::new(&pre_commit, "postls");
    hooked.repository.stage(&[("main.cf", BAD)]);
    let (status, _, said) = hooked.commit();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("smtp-tls-level-invalid"), "{said}");
    hooked.repository.stage(&[("main.cf", GOOD)]);
    assert_eq!(hooked.commit().0, Some(0));
}

#[test]
fn pre_commit_takes_our_hooks_and_our_example() {
    let Some(pre_commit) = tools::find("pre-commit") else { return };
    for arguments in [
        ["validate-manifest", ".pre-commit-hooks.yaml"],
        ["validate-config", "examples/pre-commit/.pre-commit-config.yaml"],
    ] {
        let (status, text, _) =
            said(&Command::new(&pre_commit).args(arguments).output().expect("it starts"));
        assert_eq!(status, Some(0), "{text}");
    }
    let config = fs::read_to_string("examples/pre-commit/.pre-commit-config.yaml");
    let manifest = fs::read_to_string(".pre-commit-hooks.yaml").expect("it is there");
    let config = config.expect("it is there");
    let ids = config.lines().filter_map(|it| it.trim().strip_prefix("- id: "));
    let known = ids.map(|id| manifest.contains(&format!("- id: {id}\n")));
    assert_eq!(known.collect::<Vec<_>>(), [true]);
}

/// `validate:` of ansible.builtin.template hands us a new main.cf under another name.
#[test]
fn ansible_puts_no_bad_template_in_place() {
    let Some(ansible) = tools::find("ansible-playbook") else { return };
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let live = scratch.path().join("postfix");
    fs::create_dir(&live).expect("it can be made");
    let table = "a.example encrypt\n";
    fs::write(live.join("tls_policy"), table).expect("it can be written");
    let run = |level: &str| {
        let mut command = Command::new(&ansible);
        let directory = live.display();
        let python = ansible.with_file_name("python");
        command
            .args(["-c", "local", "-i", "localhost,", "examples/ansible/playbook.yml"])
            .args(["-e", &format!("postfix_directory={directory} smtp_level={level}")])
            .args(["-e", &format!("ansible_python_interpreter={}", python.display())])
            .env_clear()
            .env("PATH", path(&ansible))
            .env("HOME", scratch.path())
            .env("ANSIBLE_NOCOLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        said(&command.output().expect("it starts"))
    };
    let main_cf = || fs::read_to_string(live.join("main.cf")).unwrap_or_default();

    let (status, text, complaint) = run("may");
    assert_eq!(status, Some(0), "{text}{complaint}");
    assert!(main_cf().contains("smtp_tls_security_level = may\n"), "{}", main_cf());
    let before = main_cf();
    let (status, text, complaint) = run("encrypted");
    assert_eq!(status, Some(2), "{text}{complaint}");
    let all = text + &complaint;
    assert!(all.contains("main.cf:") && all.contains("[smtp-tls-level-invalid]"), "{all}");
    assert_eq!(main_cf(), before, "the old file is still there");
    let (status, text, _) = run("may");
    assert!(status == Some(0) && text.contains("changed=0"), "{text}");
}
