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
//! [`judge`] does the whole of it for one small configuration and returns what Postfix said.
//!
//! Needs: root with the right to make namespaces, Postfix 3.4 or newer, `openssl`, `ip`, `unshare`, `nsenter`,
//! `flock`, `bash`. [`available`] says what is missing.
//!
//! Limits: there is no DNS, so `dane` finds no TLSA records. `inet_interfaces = all` together with
//! an `inet` service named by its port alone claims the receiver's ports, and Postfix does not start.

mod certificates;
mod configuration;
mod judge;
mod log;
mod receiver;
mod running;
mod trials;

pub(crate) use certificates::public_key_fingerprint;
pub(crate) use judge::{Verdict, judge};
pub(crate) use log::Outcome;

use certificates::Certificates;
use configuration::{
    end_line, host_names, parameters_set, private_parameters, replace, write_aged,
};
use running::World;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

/// What the installed Postfix is.
pub(crate) struct Postfix {
    /// `mail_version`, for example "3.7.11".
    pub(crate) version: String,
    /// What `postconf -m` lists.
    pub(crate) table_types: BTreeSet<String>,
    sendmail: PathBuf,
    mail_owner: String,
}

impl Postfix {
    /// Is it this version or a newer one?
    pub(crate) fn at_least(&self, major: u32, minor: u32) -> bool {
        let mut numbers =
            self.version.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
    }
}

/// The Postfix that labs use. None, with a line that says why, where there is no usable one; a failure
/// where `POSTLS_REQUIRE_POSTFIX` is set.
///
/// ```ignore
/// let Some(postfix) = lab::available() else { return };
/// ```
pub(crate) fn available() -> Option<&'static Postfix> {
    static FOUND: OnceLock<Result<Postfix, String>> = OnceLock::new();
    match FOUND.get_or_init(find) {
        Ok(postfix) => Some(postfix),
        Err(reason) => {
            let required =
                std::env::var_os("POSTLS_REQUIRE_POSTFIX").is_some_and(|value| !value.is_empty());
            assert!(!required, "POSTLS_REQUIRE_POSTFIX is set, but {reason}");
            println!("skipped: {reason}");
            None
        }
    }
}

fn find() -> Result<Postfix, String> {
    // postconf wants a main.cf even for its defaults, and this machine's is none of our business.
    let directory =
        TempDir::new().map_err(|error| format!("there is no temporary directory: {error}"))?;
    write_aged(&directory.path().join("main.cf"), b"");
    write_aged(&directory.path().join("master.cf"), b"");
    let ask = |arguments: &[&str]| -> Result<String, String> {
        let output =
            Command::new("postconf").arg("-c").arg(directory.path()).args(arguments).output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
            }
            Ok(output) => {
                Err(format!("postconf fails: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
            Err(error) => Err(format!("no Postfix is installed (postconf: {error})")),
        }
    };
    let postfix = Postfix {
        version: ask(&["-dh", "mail_version"])?,
        table_types: ask(&["-m"])?.lines().map(str::to_owned).collect(),
        sendmail: ask(&["-dh", "sendmail_path"])?.into(),
        mail_owner: ask(&["-dh", "mail_owner"])?,
    };
    let namespaces = Command::new("unshare")
        .args(["--net", "--mount", "--propagation", "private", "--"])
        .args(["sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts"])
        .output();
    match namespaces {
        Ok(output) if output.status.success() => Ok(postfix),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            Err(format!("no namespaces for a private Postfix, which takes root and ip(8): {said}"))
        }
        Err(error) => Err(format!("no namespaces for a private Postfix: unshare: {error}")),
    }
}

/// A Postfix of its own: configuration, queue, log, network and hosts file. Stops on drop, and as
/// well when the test process is killed.
pub(crate) struct Lab {
    postfix: &'static Postfix,
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
    pub(crate) fn new(postfix: &'static Postfix, files: &[(&str, &[u8])]) -> Lab {
        let directory = tempfile::Builder::new()
            .prefix("postls-lab-")
            .tempdir()
            .expect("a temporary directory");
        let root = directory.path();
        // Daemons look into it without root rights.
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))
            .expect("the directory is ours");
        for name in ["etc", "spool", "data", "receiver/etc", "receiver/spool", "receiver/data"] {
            fs::create_dir_all(root.join(name)).expect("the directory is writable");
        }
        let mut names: BTreeSet<String> =
            files.iter().flat_map(|(_, bytes)| host_names(bytes)).collect();
        names.insert("plain.example".to_owned());
        let certified = names.iter().filter(|name| !format!(".{name}").ends_with(".wrong.example"));
        let certificates = Certificates::make(root, certified);
        write_aged(&root.join("transport"), b"");
        let lab = Lab { postfix, world: None, certificates, names: RefCell::new(names), directory };
        for default in ["main.cf", "master.cf"] {
            lab.write(
                default,
                files.iter().find(|(name, _)| *name == default).map_or(b"", |(_, bytes)| bytes),
            );
        }
        for (name, bytes) in
            files.iter().filter(|(name, _)| !["main.cf", "master.cf"].contains(name))
        {
            lab.write(name, bytes);
        }
        lab
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
        let mut command = Command::new(program);
        command.arg("-c").arg(self.config_dir()).args(arguments).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// A program that sees this lab's network and hosts file; the working directory is the configuration
    /// directory. The lab must have been started once.
    pub(crate) fn inside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.world
            .as_ref()
            .expect("the lab was started")
            .inside(&self.config_dir(), program.as_ref())
    }

    /// Starts Postfix, and the receiver when it is not there yet; what `postfix start` said.
    pub(crate) fn start(&mut self) -> Output {
        self.assert_private();
        if self.world.is_none() {
            self.world = Some(World::start(self.postfix, self.directory.path()));
        }
        let mut command = self.inside("postfix");
        command.arg("-c").arg(self.config_dir()).arg("start").stdin(Stdio::null());
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
        let mut command = Command::new(&self.postfix.sendmail);
        command.arg("-C").arg(self.config_dir()).args(["-f", "root@lab.test"]);
        // An empty message is a message.
        command.args(domains.iter().map(|domain| format!("u@{domain}"))).stdin(Stdio::null());
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
