//! The Ansible module and role, by ansible-core, against several hosts at once.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::{Hosts, MAIN_CF, POLICY, program_folder};
use crate::repository::{Said, said};
use crate::tools;

const NAMES: [&str; 5] = ["mail1", "mail2", "mail3", "mail4", "mail5"];
const PLAYBOOK: &str = "examples/ansible/policies.yml";

/// ansible-core, and what it manages.
struct Managed {
    ansible: PathBuf,
    hosts: Hosts,
}

impl Managed {
    fn new() -> Option<Managed> {
        Some(Managed { ansible: tools::find("ansible-playbook")?, hosts: Hosts::new(&NAMES) })
    }

    /// A command of ansible-core that has nothing of this machine's settings.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.ansible.with_file_name(program));
        let path = [program_folder(), self.ansible.parent().expect("it is in a folder")];
        let path = path.map(|it| it.to_string_lossy().into_owned()).join(":");
        command
            .env_clear()
            .env("PATH", format!("{path}:/usr/bin:/bin"))
            .env("HOME", self.hosts.scratch.path())
            .env("ANSIBLE_NOCOLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs a playbook on all hosts.
    fn play(&self, playbook: &str, arguments: &[&str]) -> Said {
        let mut inventory = String::new();
        let python = self.ansible.with_file_name("python");
        for name in NAMES {
            writeln!(
                inventory,
                "{name} ansible_connection=local ansible_python_interpreter={} postls_config_dir={}",
                python.display(),
                self.hosts.path(name, "").display().to_string().trim_end_matches('/'),
            )
            .expect("a String takes it");
        }
        self.hosts.write("inventory", "hosts", &inventory);
        let mut command = self.command("ansible-playbook");
        command.arg("-i").arg(self.hosts.path("inventory", "hosts")).arg(playbook).args(arguments);
        said(&command.output().expect("it starts"))
    }

    /// Plays tasks that are written here.
    fn play_tasks(&self, tasks: &str, arguments: &[&str]) -> Said {
        let play = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}");
        self.hosts.write("plays", "play.yml", &play);
        // Beside the playbook, where a collection is found.
        let beside = self.hosts.path("plays", "collections");
        if !beside.exists() {
            let ours = fs::canonicalize("examples/ansible/collections").expect("it is there");
            std::os::unix::fs::symlink(ours, beside).expect("it can be made");
        }
        let playbook = self.hosts.path("plays", "play.yml");
        self.play(playbook.to_str().expect("a plain name"), arguments)
    }
}

/// The line of a host at the end of a play.
fn recap<'t>(text: &'t str, host: &str) -> &'t str {
    let (_, recap) = text.split_once("PLAY RECAP").expect("a play ends with a recap");
    recap.lines().find(|it| it.starts_with(host)).expect("each host is in it")
}

fn assert_all(said: &Said, part: &str) {
    for name in NAMES {
        assert!(recap(&said.1, name).contains(part), "{name}: {}{}", said.1, said.2);
    }
}

#[test]
fn the_role_makes_all_hosts_what_the_policy_file_says() {
    let Some(managed) = Managed::new() else { return };
    let hosts = &managed.hosts;

    let checked = managed.play(PLAYBOOK, &["--check", "--diff"]);
    assert_eq!(checked.0, Some(0), "{}{}", checked.1, checked.2);
    assert_all(&checked, "changed=1 ");
    let shown = |part: &str| checked.1.matches(part).count();
    assert_eq!(shown("\n+partner.example encrypt\n"), NAMES.len(), "{}", checked.1);
    assert_eq!(shown("\n+  partner.example: encrypt\n"), NAMES.len(), "the policy file too");
    for name in NAMES {
        assert_eq!(hosts.files(name).len(), 1, "{name}: --check writes nothing");
        assert_eq!(hosts.read(name, "main.cf"), MAIN_CF);
    }

    let first = managed.play(PLAYBOOK, &[]);
    assert_eq!(first.0, Some(0), "{}{}", first.1, first.2);
    assert_all(&first, "changed=1 ");
    assert!(!first.1.contains("+partner.example"), "no text without --diff: {}", first.1);
    for name in NAMES {
        let table = hosts.read(name, "tls_policy");
        assert!(table.contains("\npartner.example encrypt\n"), "{name}: {table}");
        assert!(hosts.read(name, "main.cf").contains("$config_directory/tls_policy"), "{name}");
        assert!(hosts.read(name, "postls.yaml").contains("partner.example: encrypt"), "{name}");
    }

    for arguments in [&[][..], &["--check", "--diff"]] {
        let again = managed.play(PLAYBOOK, arguments);
        assert_eq!(again.0, Some(0), "{}{}", again.1, again.2);
        assert_all(&again, "changed=0 ");
    }
}

/// Each host by itself: those that cannot do it say why and stay as they are, the others go on.
#[test]
fn a_host_that_fails_holds_no_other_up() {
    let Some(managed) = Managed::new() else { return };
    let hosts = &managed.hosts;
    hosts.write("mail3", "postls.yaml", POLICY);
    hosts.write("mail4", "tls_policy", "by-hand.example secure\n");
    // Broken already: its main.cf would have an error afterwards.
    hosts.write("mail5", "main.cf", &format!("{MAIN_CF}smtpd_tls_security_level = dane\n"));
    let group = hosts.path("inventory", "host_vars/mail3.yml");
    hosts.write("inventory", "host_vars/mail3.yml", "partner_level: encypt\n");
    let before = NAMES.map(|it| hosts.files(it));

    for arguments in [&["--check"][..], &[]] {
        let played = managed.play(PLAYBOOK, arguments);
        assert_eq!(played.0, Some(2), "{}{}", played.1, played.2);
        for name in ["mail1", "mail2"] {
            assert!(recap(&played.1, name).contains("changed=1 "), "{}", played.1);
        }
        for (index, why) in [
            (2, r#"\"encypt\" is no security level"#),
            (3, "tls_policy has rows that postls did not write"),
            (4, "smtpd-tls-level-invalid"),
        ] {
            let line = recap(&played.1, NAMES[index]);
            assert!(line.contains("changed=0 ") && line.contains("failed=1 "), "{line}");
            let name = NAMES[index];
            let all = played.1.clone() + &played.2;
            let message = all.split(&format!("fatal: [{name}]")).nth(1).expect("it failed");
            let message = message.lines().next().unwrap_or_default();
            assert!(message.contains(why), "{name}: {message}");
            assert!(message.contains("\"rc\": 2"), "{name}: {message}");
            assert_eq!(hosts.files(name), before[index], "{name}: the policy file too");
        }
    }
    // What a person decides then, for the one that has rows of its own.
    fs::remove_file(group).expect("it is there");
    hosts.write("mail5", "main.cf", MAIN_CF);
    let played = managed.play(PLAYBOOK, &["-e", "postls_adopt=true"]);
    assert_eq!(played.0, Some(0), "{}{}", played.1, played.2);
    assert!(!hosts.read("mail4", "tls_policy").contains("by-hand"));
}

/// What a task keeps to itself is neither shown nor handed on.
#[test]
fn no_log_hides_what_changes() {
    let Some(managed) = Managed::new() else { return };
    let hosts = &managed.hosts;
    for name in NAMES {
        let main_cf = format!("{MAIN_CF}# the password is swordfish\n");
        hosts.write(name, "main.cf", &main_cf);
        hosts.write(name, "postls.yaml", POLICY);
    }
    hosts.write("mail2", "postls.yaml", &POLICY.replace("encrypt", "encypt"));
    let task = |no_log: &str| {
        format!(
            "  - postls.postfix.postls_policy: {{config_dir: '{{{{ postls_config_dir }}}}'}}\n    \
             register: said\n    no_log: {no_log}\n    ignore_errors: true\n  \
             - ansible.builtin.copy: {{content: '{{{{ said }}}}', dest: '{{{{ postls_config_dir }}}}/said'}}\n    \
             no_log: true\n    check_mode: false\n    diff: false\n"
        )
    };
    let secrets = ["swordfish", "a.example", "encypt"];
    let shown = managed.play_tasks(&task("false"), &["--check", "--diff", "-v"]);
    assert_eq!(shown.0, Some(0), "{}{}", shown.1, shown.2);
    for secret in secrets {
        assert!(shown.1.contains(secret), "without no_log {secret} is shown: {}", shown.1);
    }
    let hidden = managed.play_tasks(&task("true"), &["--check", "--diff", "-vvv"]);
    assert_eq!(hidden.0, Some(0), "{}{}", hidden.1, hidden.2);
    for secret in secrets {
        assert!(!(hidden.1.clone() + &hidden.2).contains(secret), "{secret}: {}", hidden.1);
        for name in NAMES {
            let kept = hosts.read(name, "said");
            assert!(!kept.contains(secret), "{name} {secret}: {kept}");
        }
    }
    assert!(recap(&hidden.1, "mail2").contains("ignored=1 "), "{}", hidden.1);
    let kept = hosts.read("mail2", "said");
    assert!(kept.contains("exit status 2"), "{kept}");
}

/// The words of the command line, as the module's options come to it.
#[test]
fn the_module_says_what_its_options_say() {
    let Some(managed) = Managed::new() else { return };
    let hosts = &managed.hosts;
    let program = hosts.path("programs", "postls");
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" >>\"$5/said\"\n\
        echo '{\"changed\": true, \"plan\": [\"x\"], \"diff\": \"\"}'; echo careful >&2\n";
    hosts.write("programs", "postls", script);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let task = format!(
        "  - postls.postfix.postls_policy:\n      config_dir: '{{{{ postls_config_dir }}}}'\n      \
         executable: {}\n      policy: -odd.yaml\n      adopt: true\n      \
         allow_downgrade: [a.example, b.example]\n      reason: it must be\n      \
         reload: never\n      root: /srv/image\n",
        program.display()
    );
    let played = managed.play_tasks(&task, &[]);
    assert_eq!(played.0, Some(0), "{}{}", played.1, played.2);
    assert_all(&played, "changed=1 ");
    assert!((played.1.clone() + &played.2).contains("careful"), "a complaint is a warning");
    for name in NAMES {
        let directory = hosts.path(name, "").display().to_string();
        let said = hosts.read(name, "said").replace(directory.trim_end_matches('/'), "DIR");
        assert_eq!(
            said.lines().collect::<Vec<_>>().join(" "),
            "apply --format json -c DIR --reload never --adopt --allow-downgrade a.example \
             --allow-downgrade b.example --reason it must be --root /srv/image -- -odd.yaml"
        );
    }
    let without = "  - postls.postfix.postls_policy: {config_dir: '{{ postls_config_dir }}', \
        executable: no-such-program}\n";
    let played = managed.play_tasks(without, &[]);
    assert_eq!(played.0, Some(2), "{}", played.1);
    assert!(played.1.contains("no-such-program"), "{}", played.1);
}

/// A new policy file is tried with what stands beside the old one, and stays only if it can be applied.
#[test]
fn a_policy_file_with_parts_is_tried_in_its_place() {
    let Some(managed) = Managed::new() else { return };
    let hosts = &managed.hosts;
    for name in NAMES {
        hosts.write(name, "partners/b.yaml", "destinations: {b.example: encrypt}\n");
    }
    let task = |level: &str| {
        format!(
            "  - postls.postfix.postls_policy:\n      config_dir: '{{{{ postls_config_dir }}}}'\n      \
             content: |\n        version: 1\n        postfix: \"3.7\"\n        table: {{type: texthash}}\n        \
             include: [partners/*.yaml]\n        destinations: {{a.example: {level}}}\n"
        )
    };
    let checked = managed.play_tasks(&task("encrypt"), &["--check", "--diff"]);
    assert_eq!(checked.0, Some(0), "{}{}", checked.1, checked.2);
    assert_eq!(checked.1.matches("\n+b.example encrypt\n").count(), NAMES.len(), "{}", checked.1);
    assert_eq!(hosts.files("mail1").len(), 1);
    assert_all(&managed.play_tasks(&task("encrypt"), &[]), "changed=1 ");
    assert_all(&managed.play_tasks(&task("encrypt"), &[]), "changed=0 ");
    let before = hosts.files("mail1");
    for arguments in [&["--check"][..], &[]] {
        assert_all(&managed.play_tasks(&task("encypt"), arguments), "failed=1 ");
        assert_eq!(hosts.files("mail1"), before);
    }
    // Somebody else's change of the configuration is undone without a change of the policy file.
    hosts.write("mail2", "tls_policy", "");
    let played = managed.play_tasks(&task("encrypt"), &[]);
    assert!(recap(&played.1, "mail1").contains("changed=0 "), "{}", played.1);
    assert!(recap(&played.1, "mail2").contains("changed=1 "), "{}", played.1);
    assert!(hosts.read("mail2", "tls_policy").contains("a.example encrypt\n"));
}

#[test]
fn ansible_doc_shows_the_module_and_the_role() {
    let Some(managed) = Managed::new() else { return };
    let doc = |arguments: &[&str]| {
        let mut command = managed.command("ansible-doc");
        command.args(["--playbook-dir", "examples/ansible"]).args(arguments);
        let (status, text, complaint) = said(&command.output().expect("it starts"));
        assert_eq!((status, complaint.as_str()), (Some(0), ""), "{text}");
        text
    };
    let module = doc(&["postls.postfix.postls_policy"]);
    let options = [
        "config_dir",
        "policy",
        "content",
        "adopt",
        "allow_downgrade",
        "reason",
        "reload",
        "root",
        "executable",
    ];
    for word in options.into_iter().chain(["EXAMPLES", "RETURN VALUES", "plan", "rc", "no_log"]) {
        assert!(module.contains(word), "{word} is missing in\n{module}");
    }
    let snippet = doc(&["--snippet", "postls.postfix.postls_policy"]);
    assert!(snippet.contains("postls_policy:"), "{snippet}");
    let role = doc(&["-t", "role", "postls.postfix.postls"]);
    let defaults = "examples/ansible/collections/ansible_collections/postls/postfix/roles/postls/defaults/main.yml";
    let defaults = fs::read_to_string(defaults).expect("it is there");
    for name in defaults.lines().filter_map(|it| it.split_once(':')).map(|it| it.0) {
        assert!(role.contains(name), "{name} is missing in\n{role}");
    }
}
