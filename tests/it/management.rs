//! Configuration management: what postls tells it, and what we give it, by the real programs.

mod ansible;
mod puppet;
mod salt;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::repository::{Said, said};

const MAIN_CF: &str = "# a host\ncompatibility_level = 3.6\nsmtp_tls_security_level = may\n\
    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n";
const POLICY: &str = "version: 1\npostfix: \"3.7\"\ntable: {type: texthash}\n\
    destinations: {a.example: encrypt}\n";

/// Private configuration directories of several hosts.
struct Hosts {
    scratch: TempDir,
}

impl Hosts {
    fn new(names: &[&str]) -> Hosts {
        let hosts = Hosts { scratch: tempfile::tempdir().expect("a temporary directory") };
        for name in names {
            hosts.write(name, "main.cf", MAIN_CF);
        }
        hosts
    }

    /// The configuration directory of a host, or a file of it.
    fn path(&self, host: &str, name: &str) -> PathBuf {
        self.scratch.path().canonicalize().expect("it is there").join(host).join(name)
    }

    fn write(&self, host: &str, name: &str, text: &str) {
        let path = self.path(host, name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn read(&self, host: &str, name: &str) -> String {
        fs::read_to_string(self.path(host, name)).unwrap_or_default()
    }

    /// All files of a host's Postfix; what postls keeps for itself is left out.
    fn files(&self, host: &str) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.path(host, "")).expect("it is a directory");
        let files = files.map(|it| it.expect("it can be listed").path()).filter(|it| it.is_file());
        files
            .map(|it| {
                let name = it.file_name().expect("it has a name").to_string_lossy().into_owned();
                (name, fs::read(it).expect("it can be read"))
            })
            .collect()
    }

    fn postls(&self, host: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        said(&command.args(arguments).arg("-c").arg(self.path(host, "")).output().expect("it runs"))
    }
}

/// The folder of the program that is tested.
fn program_folder() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_postls")).parent().expect("it is in a folder")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// One JSON object on standard output, whatever happens.
#[test]
fn a_program_learns_what_apply_does_from_json() {
    let hosts = Hosts::new(&["a"]);
    hosts.write("a", "postls.yaml", POLICY);
    let before = hosts.files("a");
    let check = ["apply", "--check", "--format", "json"];
    let first = hosts.postls("a", &check);
    assert_eq!(first.0, Some(0), "{}", first.2);
    assert_eq!(hosts.postls("a", &check), first, "it says the same each time");
    assert_eq!(hosts.files("a"), before, "and changes nothing");
    let said = parsed(&first.1);
    assert_eq!(said["changed"], true);
    assert_eq!(said.get("applied"), None, "nothing was tried");
    let plan = said["plan"].as_array().expect("it is a list");
    let has = |text: &str| plan.iter().any(|it| it.as_str().is_some_and(|it| it.contains(text)));
    assert!(has("a.example") && has("smtp_tls_policy_maps") && has("main.cf"), "{plan:?}");
    assert!(said["diff"].as_str().expect("it is text").contains("+a.example encrypt"), "{said}");

    let (status, text, complaint) = hosts.postls("a", &["apply", "--format", "json"]);
    assert_eq!((status, complaint.as_str()), (Some(0), ""));
    let said = parsed(&text);
    assert_eq!((&said["changed"], &said["applied"]), (&Value::Bool(true), &Value::Bool(true)));
    for arguments in [&check[..], &["apply", "--format", "json"]] {
        let (status, text, _) = hosts.postls("a", arguments);
        let said = parsed(&text);
        assert_eq!((status, &said["changed"]), (Some(0), &Value::Bool(false)), "{text}");
        assert_eq!((&said["plan"], &said["diff"]), (&Value::from([""; 0]), &Value::from("")));
    }
}

/// So does one that fails, and what is said there is what people read.
#[test]
fn a_program_learns_from_json_why_apply_failed() {
    let hosts = Hosts::new(&["a"]);
    let no_table = POLICY.replace("encrypt", "encypt");
    let apply = |arguments: &[&str]| {
        let (status, text, complaint) = hosts.postls("a", arguments);
        let said = parsed(&text);
        let message = said["message"].as_str().expect("it is text").to_owned();
        assert_eq!(format!("postls: {message}\n"), complaint);
        assert_eq!(said["schema"], "postls/failure/v1");
        assert_eq!((&said["failed"], &said["changed"]), (&Value::Bool(true), &Value::Bool(false)));
        assert_eq!(Value::from(status), said["status"]);
        (status, message)
    };
    for arguments in [&["apply", "--format", "json"][..], &["apply", "--check", "--format", "json"]]
    {
        let _ = fs::remove_file(hosts.path("a", "postls.yaml"));
        let (status, message) = apply(arguments);
        assert_eq!(status, Some(2));
        assert!(message.ends_with("there is no such file; name a policy file"), "{message}");
        hosts.write("a", "postls.yaml", &no_table);
        let (status, message) = apply(arguments);
        assert_eq!(status, Some(2));
        assert!(message.contains("\"encypt\" is no security level"), "{message}");
        hosts.write("a", "postls.yaml", POLICY);
        hosts.write("a", "tls_policy", "by-hand.example secure\n");
        let (status, message) = apply(arguments);
        assert_eq!(status, Some(2));
        assert!(message.contains("by-hand.example"), "{message}");
        fs::remove_file(hosts.path("a", "tls_policy")).expect("it is there");
    }
    assert_eq!(hosts.files("a").len(), 2, "nothing was written");
}

/// `postls diff -q` answers with its exit status, and says something only where it cannot.
#[test]
fn diff_is_a_quiet_predicate() {
    let hosts = Hosts::new(&["a"]);
    hosts.write("a", "postls.yaml", POLICY);
    let nothing = String::new;
    assert_eq!(hosts.postls("a", &["diff", "-q"]), (Some(1), nothing(), nothing()));
    let (_, text, _) = hosts.postls("a", &["diff", "-q", "--format", "patch"]);
    assert!(text.contains("+a.example encrypt"), "who asks for a form gets it: {text}");
    assert_eq!(hosts.postls("a", &["apply", "-q"]), (Some(0), nothing(), nothing()));
    assert_eq!(hosts.postls("a", &["diff", "-q"]), (Some(0), nothing(), nothing()));
    fs::remove_file(hosts.path("a", "postls.yaml")).expect("it is there");
    let (status, text, complaint) = hosts.postls("a", &["diff", "-q"]);
    assert_eq!((status, text.as_str()), (Some(2), ""));
    assert!(complaint.contains("there is no such file"), "{complaint}");
}
