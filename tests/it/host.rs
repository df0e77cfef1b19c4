//! `lint --host` on a directory of the test's own, as root and as a user who may not see everything.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::judges;

/// A directory like a live one, readable by everybody; `PLACE` in the text is its path.
struct Live(tempfile::TempDir);

impl Live {
    fn new(files: &[(&str, &str)]) -> Live {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        let live = Live(directory);
        for (name, text) in files {
            live.write(name, text);
        }
        live
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is inside")).expect("it is writable");
        fs::write(&path, text.replace("PLACE", self.place())).expect("it is writable");
        self.age(name, 100);
    }

    fn place(&self) -> &str {
        self.0.path().to_str().expect("a plain name")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn age(&self, name: &str, minutes: u64) {
        let file = fs::File::options().append(true).open(self.path(name)).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).expect("ours");
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("ours");
    }

    /// What lint prints with these arguments, as this user.
    fn lint(&self, user: Option<u32>, arguments: &[&str]) -> String {
        let mut command = match user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={user}")]);
                command.arg("--clear-groups").arg(env!("CARGO_BIN_EXE_postls"));
                command
            }
            None => Command::new(env!("CARGO_BIN_EXE_postls")),
        };
        command.args(["lint", "-c", self.place()]).args(arguments);
        let output = command.output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).replace(self.place(), "PLACE")
    }

    /// The rules of the findings in the order of the files.
    fn found(&self, user: Option<u32>) -> Vec<String> {
        let text = self.lint(user, &["--host", "--format", "short"]);
        let rule = |line: &str| line.strip_suffix(']')?.rsplit_once('[').map(|it| it.1.to_owned());
        text.lines().filter_map(rule).collect()
    }
}

const MAIN_CF: &str = "\
smtp_tls_CAfile = PLACE/ca.pem
smtp_tls_policy_maps = lmdb:PLACE/tls_policy
smtp_sasl_password_maps = lmdb:PLACE/sasl/passwords
queue_directory = PLACE/spool
data_directory = PLACE/data
";

fn healthy() -> Option<Live> {
    let postfix = judges::installed()?;
    let live = Live::new(&[
        ("main.cf", MAIN_CF),
        ("master.cf", "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n"),
        ("ca.pem", include_str!("../../src/rules/certificate/examples/root.pem")),
        ("tls_policy", "A.example may\nb.example secure\n  match=b.example\n"),
        ("sasl/passwords", "[a.example] user:password\n"),
        ("spool/etc/hosts", "127.0.0.1 somewhere\n"),
        ("data/x", ""),
    ]);
    if chown(live.path("data"), Some(postfix.mail_owner), None).is_err() {
        println!("skipped: only root can give a directory to somebody else");
        return None;
    }
    for table in ["tls_policy", "sasl/passwords"] {
        let name = format!("lmdb:{}/{table}", live.place());
        let made = postfix.command("postmap").args(["-c", live.place(), &name]).output();
        assert!(made.expect("postmap runs").status.success(), "{table}");
        live.age(&format!("{table}.lmdb"), 50);
    }
    live.mode("sasl", 0o700);
    Some(live)
}

/// Any user but root.
const NOBODY: Option<u32> = Some(65534);

#[test]
fn a_healthy_directory_is_met_with_silence() {
    let Some(live) = healthy() else { return };
    assert_eq!(live.found(None), [] as [&str; 0]);
    assert_eq!(live.found(NOBODY), [] as [&str; 0]);
}

#[test]
fn what_is_wrong_on_the_host_is_found_by_root() {
    let Some(live) = healthy() else { return };
    live.age("tls_policy", 0);
    assert_eq!(live.found(None), ["indexed-file-stale"]);
    live.write("tls_policy", "a.example may\nb.example secure\n");
    live.age("tls_policy", 200);
    assert_eq!(live.found(None), ["indexed-file-differs"]);
    fs::remove_file(live.path("tls_policy.lmdb")).expect("it is there");
    assert_eq!(live.found(None), ["indexed-file-missing"]);
    live.mode("sasl", 0o755);
    live.mode("sasl/passwords", 0o600);
    live.mode("sasl/passwords.lmdb", 0o666);
    chown(live.path("data"), Some(0), None).expect("root may");
    live.write(
        "master.cf",
        "smtp inet n - n - - smtpd\nsmtp unix - - y - - smtpp\n\
         1025 inet n n n - 0 spawn user=postls-nobody argv=/bin/cat\n",
    );
    live.mode("master.cf", 0o664);
    let want = [
        "indexed-file-missing",
        "configuration-writable",
        "secret-readable",
        "data-directory-not-owned",
        "configuration-writable",
        "chroot-copy-differs",
        "daemon-missing",
        "service-user-unknown",
    ];
    let mut found = live.found(None);
    found.retain(|it| it != "transport-unknown");
    assert_eq!(found, want);
    fs::set_permissions(live.0.path(), fs::Permissions::from_mode(0o700)).expect("ours");
    assert!(live.found(None).contains(&"main-cf-unreadable".to_owned()));
}

/// What a user may not see is no finding, and is said.
#[test]
fn what_may_not_be_seen_is_not_checked() {
    let Some(live) = healthy() else { return };
    fs::remove_file(live.path("sasl/passwords.lmdb")).expect("it is there");
    live.mode("tls_policy.lmdb", 0o600);
    live.write("tls_policy", "b.example secure\n");
    live.age("tls_policy", 200);
    assert_eq!(live.found(None), ["indexed-file-differs", "indexed-file-missing"]);
    assert_eq!(live.found(NOBODY), [] as [&str; 0]);
    let said = live.lint(NOBODY, &["--host", "--format", "json"]);
    assert!(said.contains("this user may not see it"), "{said}");
    assert!(said.contains("postmap -s does not list it"), "{said}");
}

/// A directory that is no host's is a copy: nothing of it is looked at, and that is said once.
#[test]
fn a_copy_says_nothing_of_its_host() {
    let Some(live) = healthy() else { return };
    fs::remove_file(live.path("tls_policy.lmdb")).expect("it is there");
    live.mode("main.cf", 0o666);
    let said = live.lint(None, &["--format", "json"]);
    assert_eq!(said.matches("--host looks at them").count(), 1, "{said}");
    assert!(!said.contains("indexed-file") && !said.contains("configuration-writable"), "{said}");
}

/// Names that no file can have, and files where none belong.
#[test]
fn odd_names_and_odd_files_are_no_panic() {
    let live = Live::new(&[
        (
            "main.cf",
            "virtual_alias_maps = lmdb:PLACE texthash:PLACE/a\0b lmdb:/dev/null \
             texthash:/proc/self/mem/x proxy:cdb:PLACE/\u{e4}\nmail_owner = \nqueue_directory =\n\
             data_directory = relative\ndaemon_directory = /nowhere\n",
        ),
        ("master.cf", "a unix - - y - - ../../bin/x\nb inet n n n - 0 spawn user= argv=\n"),
    ]);
    for user in [None, NOBODY] {
        let said = live.lint(user, &["--host", "--format", "short"]);
        assert!(!said.contains("panicked"), "{said}");
        assert!(said.contains("indexed-file-missing"), "{said}");
    }
}

const SERVER: &str = "\
smtpd_tls_security_level = may
smtpd_tls_cert_file = PLACE/server.pem
smtpd_tls_key_file = PLACE/key.pem
smtpd_tls_CAfile = PLACE/gone/ca.pem
queue_directory = PLACE/spool
tls_server_sni_maps = texthash:PLACE/sni
";

/// Certificates and keys are read where they are; one that is not there is missing on the host, and not known
/// in a copy.
#[test]
fn certificates_of_a_host_and_of_a_copy() {
    let pem = |name: &str| {
        let path = format!("src/rules/certificate/examples/{name}.pem");
        fs::read_to_string(path).expect("it is there")
    };
    let live = Live::new(&[
        ("main.cf", SERVER),
        ("server.pem", &pem("expired")),
        ("key.pem", &pem("other_key")),
        ("sni", "mx.example PLACE/key.pem PLACE/gone/server.pem\n"),
    ]);
    let of_certificates = |user| {
        let about = ["certificate-", "key-", "ca-"];
        let found: Vec<String> = live.found(user);
        found
            .into_iter()
            .filter(|it| about.iter().any(|one| it.starts_with(one)))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of_certificates(None),
        ["key-mismatch", "key-permissions", "ca-file-unusable", "certificate-file-missing"]
    );

    // In a copy its own files are read, and nothing else is said to be missing.
    let text = live.lint(None, &["--format", "json", "--select", "certificate"]);
    assert!(text.contains("key-mismatch"), "{text}");
    assert!(
        !text.contains("certificate-file-missing") && !text.contains("ca-file-unusable"),
        "{text}"
    );
    assert!(text.contains("there is no such file in this copy"), "{text}");

    live.write("key.pem", &pem("key"));
    live.mode("key.pem", 0o600);
    live.write("gone/ca.pem", &pem("root"));
    live.write("gone/server.pem", &(pem("server") + &pem("issuer")));
    assert_eq!(of_certificates(None), ["certificate-expired"]);

    let text = live.lint(NOBODY, &["--host", "--format", "json", "--select", "certificate"]);
    assert!(text.contains("PLACE/key.pem") && text.contains("may not see it"), "{text}");
    // What a symbolic link leads to may stand in a directory that is closed.
    live.write("closed/archive/key.pem", &pem("key"));
    live.mode("closed/archive/key.pem", 0o644);
    fs::remove_file(live.path("key.pem")).expect("it is ours");
    std::os::unix::fs::symlink(live.path("closed/archive/key.pem"), live.path("key.pem"))
        .expect("it is ours");
    assert!(of_certificates(None).contains(&"key-permissions".to_owned()));
    live.mode("closed", 0o700);
    assert_eq!(of_certificates(None), ["certificate-expired"]);
    live.mode("closed", 0o755);
    fs::remove_file(live.path("key.pem")).expect("it is ours");

    // In a repository it may be encrypted, and whoever brings it to the host decrypts it.
    live.write("key.pem", "$ANSIBLE_VAULT;1.1;AES256\n6231336539\n");
    assert!(of_certificates(None).contains(&"certificate-not-pem".to_owned()));
    let text = live.lint(None, &["--format", "json", "--select", "certificate"]);
    assert!(!text.contains("certificate-not-pem") && text.contains("Ansible Vault"), "{text}");

    // Nobody waits for a file without an end.
    let file = fs::File::create(live.path("key.pem")).expect("it is ours");
    file.set_len(8 << 30).expect("it takes no room");
    let text = live.lint(None, &["--host", "--format", "json", "--select", "certificate"]);
    assert!(text.contains("too large"), "{text}");

    // A directory is a file with nothing in it.
    fs::remove_file(live.path("key.pem")).expect("it is ours");
    fs::create_dir(live.path("key.pem")).expect("it is ours");
    assert!(of_certificates(None).contains(&"certificate-not-pem".to_owned()));
}

/// All names are names below --root, and that is a host of its own.
#[test]
fn a_system_below_a_directory() {
    let example = |name: &str| {
        let path = format!("src/rules/certificate/examples/{name}.pem");
        fs::read_to_string(path).expect("it is there")
    };
    let live = Live::new(&[
        (
            "etc/postfix/main.cf",
            "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/tls/mail.pem\n",
        ),
        (
            "etc/tls/2026/mail.pem",
            &(example("other_key") + &example("server") + &example("issuer")),
        ),
        ("etc/passwd", "root:x:0:0::/:/bin/sh\npostfix:x:101:101::/:/bin/false\n"),
        ("etc/group", "postfix:x:101:\npostdrop:x:102:\n"),
    ]);
    let lint = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postls"));
        command.args([
            "lint",
            "--select",
            "certificate",
            "--format",
            "short",
            "--root",
            live.place(),
        ]);
        let output = command.env_remove("MAIL_CONFIG").output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    };
    let said = lint();
    assert!(said.contains("there is no file of this name"), "{said}");
    std::os::unix::fs::symlink("/etc/tls/2026/mail.pem", live.path("etc/tls/mail.pem"))
        .expect("ours");
    let said = lint();
    assert!(said.contains("main.cf:2:") && said.contains("[key-mismatch]"), "{said}");
}
