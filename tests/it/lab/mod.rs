//! A real Postfix as the judge: what postls says about Postfix, a Postfix of the test's own confirms.
//!
//! A [`Lab`] is one configuration in a temporary directory, and when it is started, two mail systems
//! in a network namespace of their own, where nothing exists but loopback:
//!
//! - the Postfix under test, with the test's files, on 127.0.0.1;
//! - a healthy receiver (see `receiver`) that stands for every other mail server of the world.
//!
//! So mail cannot leave, the standard ports are free whatever this machine runs, labs run in parallel,
//! and a next-hop destination such as `[mx.partner.example]:587` works as it is written.
//! [`Lab::judge`] does the whole of it for one small configuration after another and returns what
//! Postfix said.
//!
//! Both mail systems can be of any version at hand (see `judges`). One in a private root sees the lab's
//! directory under the same name as everybody else.
//!
//! Needs: root with the right to make namespaces, Postfix 3.4 or newer, `openssl`, `ip`, `unshare`, `nsenter`,
//! `flock`, `bash`. [`all`] says what is missing.
//!
//! Limits: there is no DNS, so `dane` finds no TLSA records, but where [`Lab::serve_names`] was called. `inet_interfaces = all` together with
//! an `inet` service named by its port alone claims the receiver's ports, and Postfix does not start.

mod certificates;
mod configuration;
mod deliveries;
mod host;
mod judge;
mod log;
mod nameserver;
mod receiver;
mod running;
mod trials;

pub(crate) use certificates::{another_authority, public_key_fingerprint};
pub(crate) use deliveries::Delivery;
pub(crate) use judge::Verdict;
pub(crate) use log::Outcome;

use crate::judges::{self, Judge};

use certificates::Certificates;
use configuration::{
    end_line, host_names, parameters_set, private_parameters, replace, write_aged,
};
use running::World;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Every Postfix that can run in a lab: all at hand. None, with a line that says why, where labs cannot
/// be; a failure where `POSTLS_REQUIRE_POSTFIX` is set.
pub(crate) fn all() -> &'static [Judge] {
    static HINDRANCE: OnceLock<Option<String>> = OnceLock::new();
    match HINDRANCE.get_or_init(hindrance) {
        None => judges::all(),
        Some(hindrance) => {
            let required = judges::required();
            assert_eq!(required, "", "POSTLS_REQUIRE_POSTFIX is set, but there are {hindrance}");
            println!("skipped: there are {hindrance}");
            &[]
        }
    }
}

fn hindrance() -> Option<String> {
    let namespaces = Command::new("unshare")
        .args(["--net", "--mount", "--propagation", "private", "--"])
        .args(["sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts"])
        .output();
    match namespaces {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            Some(format!("no namespaces for a private Postfix, which takes root and ip(8): {said}"))
        }
        Err(error) => Some(format!("no namespaces for a private Postfix: unshare: {error}")),
    }
}

/// Runs a test with every Postfix at hand, side by side, since they mostly wait. A failure names
/// the version: it is the name of the thread.
pub(crate) fn with_each(test: impl Fn(&'static Judge) + Sync) {
    let failed: Vec<&str> = thread::scope(|scope| {
        let run = |postfix: &'static Judge| {
            let name = format!("Postfix {}", postfix.full_version);
            let test = &test;
            let thread =
                thread::Builder::new().name(name).spawn_scoped(scope, move || test(postfix));
            (postfix.full_version.as_str(), thread.expect("a thread"))
        };
        let runs: Vec<_> = all().iter().map(run).collect();
        let failed = |(version, run): (_, thread::ScopedJoinHandle<'_, ()>)| {
            run.join().err().map(|_| version)
        };
        runs.into_iter().filter_map(failed).collect()
    });
    assert_eq!(failed, [] as [&str; 0], "the versions for which the test failed, see above");
}

/// A Postfix of its own: configuration, queue, log, network and hosts file. Stops on drop, and as
/// well when the test process is killed.
pub(crate) struct Lab {
    postfix: &'static Judge,
    // Before the directory: it must have stopped when its files go.
    world: Option<World>,
    directory: TempDir,
    certificates: Certificates,
    // Names that the hosts file has to know.
    names: RefCell<BTreeSet<String>>,
}

impl Lab {
    /// Writes the files (see [`Lab::write`]), and certificates whose names are all host names in
    /// them and `plain.example`. A name at or below `wrong.example` is in no certificate. Nothing is
    /// started yet.
    ///
    /// Where the files have no main.cf or master.cf, one is made.
    pub(crate) fn new(postfix: &'static Judge, files: &[(&str, &[u8])]) -> Lab {
        let directory = tempfile::Builder::new()
            .prefix("postls-lab-")
            .tempdir()
            .expect("a temporary directory");
        // Daemons look into it without root rights.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))
            .expect("the directory is ours");
        let certificates = Certificates::default();
        let mut lab =
            Lab { postfix, world: None, certificates, names: RefCell::default(), directory };
        for name in ["bin", "receiver/etc", "receiver/spool", "receiver/data"] {
            fs::create_dir_all(lab.path(name)).expect("the directory is writable");
        }
        chown(lab.path("receiver/data"), Some(postfix.mail_owner), None).expect("root may");
        postfix.write_programs(&lab.path("bin"));
        lab.furnish(files);
        lab
    }

    /// Gives this lab other files, as if it were new. Postfix must not be running.
    pub(crate) fn refurnish(&mut self, files: &[(&str, &[u8])]) {
        // What remains of a process may still write there, so nothing is removed.
        let before = tempfile::tempdir_in(self.directory.path()).expect("it is writable").keep();
        for name in ["etc", "spool", "data", "mail.log"] {
            let renamed = fs::rename(self.path(name), before.join(name));
            assert!(renamed.is_ok() || name == "mail.log", "{name}: {renamed:?}");
        }
        self.names.borrow_mut().clear();
        self.furnish(files);
    }

    fn furnish(&mut self, files: &[(&str, &[u8])]) {
        for name in ["etc", "spool", "data"] {
            fs::create_dir(self.path(name)).expect("the directory is writable");
        }
        chown(self.path("data"), Some(self.postfix.mail_owner), None).expect("root may");
        write_aged(&self.path("transport"), b"");
        write_aged(&self.path("resolv.conf"), b"nameserver 127.0.0.1\n");
        let mut names: BTreeSet<String> =
            files.iter().flat_map(|(_, bytes)| host_names(bytes)).collect();
        names.insert("plain.example".to_owned());
        let certified = names.iter().filter(|name| !format!(".{name}").ends_with(".wrong.example"));
        self.certificates.make(self.directory.path(), certified.cloned().collect());
        self.names.borrow_mut().append(&mut names);
        for default in ["main.cf", "master.cf"] {
            self.write(
                default,
                files.iter().find(|(name, _)| *name == default).map_or(b"", |(_, bytes)| bytes),
            );
        }
        for (name, bytes) in
            files.iter().filter(|(name, _)| !["main.cf", "master.cf", "host"].contains(name))
        {
            self.write(name, bytes);
        }
    }

    /// What `postfix -c` takes.
    pub(crate) fn config_dir(&self) -> PathBuf {
        self.path("etc")
    }

    /// A file beside the configuration directory, for what Postfix must reach but must not find there:
    /// `ca.pem`, the authority's certificate; `server.pem`, the receiver's key and certificate;
    /// `key.pem` and `certificate.pem`, the same in two.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in the configuration directory.
    ///
    /// In the text, `/etc/postfix` stands for the configuration directory, and `/var/spool/postfix`
    /// and `/var/lib/postfix` for the lab's. A main.cf gets the lab's own parameters below its text,
    /// but none that it sets itself; a master.cf gets the usual services that it does not have. Host
    /// names in the text resolve from now on, to the receiver.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        self.names.borrow_mut().extend(host_names(bytes));
        self.write_hosts();
        let mut bytes = self.placed(bytes);
        match name {
            "main.cf" => self.complete_main_cf(&mut bytes),
            "master.cf" => {
                configuration::complete_port_25(&mut bytes);
                configuration::complete_master_cf(&mut bytes);
            }
            _ => {}
        }
        let path = self.config_dir().join(name);
        let parent = path.parent().expect("it is below the configuration directory");
        fs::create_dir_all(parent).expect("the directory is writable");
        write_aged(&path, &bytes);
    }

    /// Gives every host name in the text to the receiver. [`Lab::write`] does this by itself.
    pub(crate) fn resolve(&self, text: &str) {
        self.names.borrow_mut().extend(host_names(text.as_bytes()));
        self.write_hosts();
    }

    /// The certificate's fingerprint as Postfix writes it, for example with "sha256".
    pub(crate) fn certificate_fingerprint(&self, digest: &str) -> String {
        self.certificates.fingerprint(digest)
    }

    /// Runs postconf, postmap, postfix or another command of Postfix with `-c` and the configuration directory.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = self.postfix.command(program);
        command.current_dir(self.config_dir()).arg("-c").arg(self.config_dir()).args(arguments);
        command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// A program for which this lab's Postfix is the installed one; the working directory is the
    /// configuration directory.
    pub(crate) fn outside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.config_dir()).env("PATH", running::path(self.directory.path()));
        command.stdin(Stdio::null());
        command
    }

    /// The same, and it sees this lab's network. The lab must have been started once.
    pub(crate) fn inside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.outside("nsenter");
        command.args(self.world.as_ref().expect("the lab was started").entry(&self.config_dir()));
        command.arg(program.as_ref());
        command
    }

    /// Starts Postfix, and the receiver when it is not there yet; what `postfix start` said.
    pub(crate) fn start(&mut self) -> Output {
        self.assert_private();
        if self.world.is_none() {
            self.world = Some(World::start(self.postfix, self.directory.path()));
        }
        let mut command = self.inside("postfix");
        command.arg("-c").arg(self.config_dir()).arg("start");
        command.output().expect("postfix runs")
    }

    /// Stops Postfix and waits for its end. The receiver and the network stay.
    pub(crate) fn stop(&mut self) {
        if self.world.is_some() {
            running::halt(&self.path("spool"));
        }
    }

    /// `postfix reload`.
    pub(crate) fn reload(&self) -> Output {
        self.run("postfix", &["reload"])
    }

    /// Queues one message to `u@` each of these domains, and returns what sendmail(1) said.
    pub(crate) fn send(&self, domains: &[&str]) -> Output {
        self.resolve(&domains.join(" "));
        let mut command = self.postfix.command(&self.postfix.sendmail);
        command.arg("-C").arg(self.config_dir()).args(["-f", "root@lab.test"]);
        // An empty message is a message.
        command.args(domains.iter().map(|domain| format!("u@{domain}")));
        command.output().expect("sendmail runs")
    }

    /// Waits for what became of the newest message to `u@` this domain: until the log says it, or
    /// says that a daemon cannot run, but not for ever. Unknown, if the log never said it.
    pub(crate) fn outcome(&self, domain: &str) -> Outcome {
        running::wait(Duration::from_secs(10), || {
            let log = self.log();
            let outcome = log::outcome(&log, domain);
            (outcome != Outcome::Unknown || log::daemon_cannot_run(&log)).then_some(())
        });
        log::outcome(&self.log(), domain)
    }

    /// All that Postfix has logged up to now, without the receiver's lines.
    pub(crate) fn log(&self) -> String {
        read_lossy(&self.path("mail.log"))
    }

    /// Waits until the log says this so many times; false if it does not within some seconds.
    pub(crate) fn logs(&self, text: &str, times: usize) -> bool {
        let enough = || (self.log().matches(text).count() >= times).then_some(());
        running::wait(Duration::from_secs(10), enough).is_some()
    }

    /// What Postfix has complained of up to now, each complaint once.
    pub(crate) fn complaints(&self) -> Vec<String> {
        log::complaints(&self.log())
    }

    /// All that the receiver has logged up to now.
    pub(crate) fn receiver_log(&self) -> String {
        read_lossy(&self.path("receiver/mail.log"))
    }

    /// Text as it was before [`Lab::write`] put the lab's directories into it.
    pub(crate) fn with_usual_paths(&self, text: &str) -> String {
        self.places()
            .iter()
            .fold(text.to_owned(), |text, (usual, here)| text.replace(here.as_str(), usual))
    }

    fn places(&self) -> [(&'static str, String); 3] {
        let here = |name: &str| {
            self.path(name).to_str().expect("a temporary directory with a plain name").to_owned()
        };
        [
            ("/etc/postfix", here("etc")),
            ("/var/spool/postfix", here("spool")),
            ("/var/lib/postfix", here("data")),
        ]
    }

    fn placed(&self, bytes: &[u8]) -> Vec<u8> {
        self.places()
            .iter()
            .fold(bytes.to_vec(), |bytes, (usual, here)| replace(&bytes, usual.as_bytes(), here))
    }

    fn complete_main_cf(&self, text: &mut Vec<u8>) {
        let set = parameters_set(text);
        end_line(text);
        for (name, value) in self.parameters() {
            let chain_instead_of =
                ["smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_dcert_file"];
            let replaced = name == "smtpd_tls_chain_files"
                && chain_instead_of.iter().any(|name| set.contains(*name));
            if !replaced && !set.contains(name) {
                text.extend_from_slice(format!("{name} = {value}\n").as_bytes());
            }
        }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.path(name).display().to_string();
        let mut parameters = private_parameters(self.postfix, self.directory.path());
        parameters.extend([
            ("inet_interfaces", "127.0.0.1".to_owned()),
            ("myhostname", "lab.test".to_owned()),
            ("transport_maps", format!("texthash:{}", path("transport"))),
            ("smtp_host_lookup", "native".to_owned()),
            ("smtp_dns_support_level", "disabled".to_owned()),
            ("smtp_tls_loglevel", "1".to_owned()),
            ("smtp_tls_CAfile", path("ca.pem")),
            ("smtpd_tls_chain_files", path("server.pem")),
            // Or tlsproxy(8) warns, in a client that reuses connections, that it is no server.
            ("tlsproxy_tls_security_level", "may".to_owned()),
        ]);
        parameters
    }

    fn write_hosts(&self) {
        let mut hosts = String::from("127.0.0.1 localhost lab.test\n");
        for name in self.names.borrow().iter() {
            writeln!(hosts, "{} {name}", receiver::address(name)).expect("a String takes all");
        }
        // In place, because the file is mounted over /etc/hosts by its inode.
        fs::write(self.path("hosts"), hosts).expect("the directory is writable");
        // Services with a chroot jail look here.
        let jail = self.path("spool/etc");
        if !jail.exists() {
            fs::create_dir_all(&jail).expect("the directory is writable");
            fs::hard_link(self.path("hosts"), jail.join("hosts")).expect("the same file system");
            // Versions before 3.6 look up a port's name only when they are inside, and all compare the files.
            let root = self.postfix.root.as_deref().unwrap_or(Path::new("/"));
            fs::copy(root.join("etc/services"), jail.join("services"))
                .expect("services(5) is there");
        }
    }

    // A main.cf that sets these to other places would work on this machine's own mail.
    fn assert_private(&self) {
        let output =
            self.run("postconf", &["-hx", "queue_directory", "data_directory", "maillog_file"]);
        for value in String::from_utf8_lossy(&output.stdout).lines() {
            let private = Path::new(value).starts_with(self.directory.path());
            assert!(private, "main.cf names {value} for this lab's queue, data or log");
        }
    }
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
