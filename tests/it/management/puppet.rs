//! The class for Puppet, by puppet(8), where that is installed.

use std::process::Command;

use super::{Hosts, POLICY, program_folder};
use crate::repository::{Said, said};
use crate::tools;

#[test]
fn puppet_applies_what_has_to_be_applied() {
    let Some(puppet) = tools::find_installed("puppet") else { return };
    let hosts = Hosts::new(&["a"]);
    let class = std::fs::read_to_string("examples/puppet/postls.pp").expect("it is there");
    let run = |policy: &str, arguments: &[&str]| -> Said {
        let directory = hosts.path("a", "").display().to_string();
        let manifest = format!(
            "{class}\nclass {{ 'postls':\n  content => '{policy}',\n  config_dir => '{}',\n  \
             path => ['{}', '/usr/bin', '/bin'],\n}}\n",
            directory.trim_end_matches('/'),
            program_folder().display()
        );
        hosts.write("puppet", "site.pp", &manifest);
        let home = hosts.path("puppet", "home");
        let mut command = Command::new(&puppet);
        command.args(["apply", "--detailed-exitcodes", "--color", "false"]).args(arguments);
        for folder in ["confdir", "vardir", "codedir", "logdir", "rundir"] {
            command.arg(format!("--{folder}")).arg(home.join(folder));
        }
        said(&command.arg(hosts.path("puppet", "site.pp")).output().expect("it starts"))
    };
    let (status, text, complaint) = run(POLICY, &["--noop"]);
    assert_eq!(status, Some(0), "{text}{complaint}");
    assert_eq!(hosts.files("a").len(), 1, "--noop writes nothing: {text}");
    let (status, text, complaint) = run(POLICY, &[]);
    assert_eq!(status, Some(2), "2: there were changes: {text}{complaint}");
    assert!(hosts.read("a", "tls_policy").contains("a.example encrypt\n"));
    let (status, text, complaint) = run(POLICY, &[]);
    assert_eq!(status, Some(0), "nothing to do: {text}{complaint}");
    // A mistake does not reach the directory.
    let before = hosts.files("a");
    let (status, text, complaint) = run(&POLICY.replace("encrypt", "encypt"), &[]);
    assert!(matches!(status, Some(4 | 6)), "{status:?} {text}{complaint}");
    assert!((text + &complaint).contains("is no security level"));
    assert_eq!(hosts.files("a"), before);
    // What somebody else changes is put right.
    hosts.write("a", "tls_policy", "");
    assert_eq!(run(POLICY, &[]).0, Some(2));
    assert!(hosts.read("a", "tls_policy").contains("a.example encrypt\n"));
}

#[test]
fn puppet_takes_the_class() {
    let Some(puppet) = tools::find_installed("puppet") else { return };
    let mut command = Command::new(puppet);
    let (status, text, complaint) =
        said(&command.args(["parser", "validate", "examples/puppet/postls.pp"]).output().unwrap());
    assert_eq!(status, Some(0), "{text}{complaint}");
}
