//! What does a real Postfix say of this small configuration?

use super::Lab;
use super::configuration::write_aged;
use super::log::{self, Outcome};
use super::running::wait;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

/// How long mail may take where nothing has died.
const LIMIT: Duration = Duration::from_secs(15);

/// How long Postfix may still talk after a daemon has died.
const LAST_WORDS: Duration = Duration::from_millis(1500);

/// What Postfix said, did and did not do.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Warnings, errors, fatal errors and panics from postconf, postmap and the log, and the reasons of mail
    /// that was not delivered. Each once, without times and process numbers, paths as they were
    /// given. A configuration that Postfix takes as it is has none.
    pub(crate) said: Vec<String>,
    /// What became of mail to each next-hop destination: the keys of the TLS policy tables (for a
    /// key `.partner.example` the destination is `sub.partner.example`), and `plain.example`. Empty where
    /// no program could read main.cf.
    pub(crate) outcomes: Vec<(String, Outcome)>,
    /// What smtpd(8) answered to EHLO. Empty where there was no answer.
    pub(crate) ehlo: Vec<String>,
}

impl Verdict {
    /// What became of mail to this next-hop destination.
    pub(crate) fn outcome(&self, destination: &str) -> &Outcome {
        self.outcome_of(destination)
            .unwrap_or_else(|| panic!("no mail was sent to {destination}: {:?}", self.outcomes))
    }

    /// The same; `None` where no mail could be sent, since nothing reads this main.cf.
    pub(crate) fn outcome_of(&self, destination: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|(name, _)| name == destination).map(|(_, outcome)| outcome)
    }
}

impl Lab {
    /// Gives Postfix a small configuration: main.cf, and master.cf and lookup tables where needed, as they
    /// would stand in /etc/postfix. It is read by postconf, indexed by postmap, and started; smtpd(8) is greeted,
    /// and mail is sent to every destination in the TLS policy tables. The lab had another one before, and
    /// is stopped.
    ///
    /// A file `host` is none: it says what is so on the example's host (see `host_part`).
    ///
    /// The files can use `/etc/postfix/ca.pem`, `key.pem`, `certificate.pem` and `server.pem` without bringing them.
    pub(crate) fn judge(&mut self, files: &[(&str, &[u8])]) -> Verdict {
        self.refurnish(files);
        for name in ["ca.pem", "key.pem", "certificate.pem", "server.pem"] {
            if !files.iter().any(|(given, _)| *given == name) {
                fs::copy(self.path(name), self.config_dir().join(name))
                    .expect("the directory is writable");
            }
        }
        let mut said = Vec::new();
        let unexpanded = self.run("postconf", &["-n"]);
        hear(self, &unexpanded, &mut said);
        if !unexpanded.status.success() {
            // No program of Postfix reads this main.cf, and each of them takes a second to say so.
            return Verdict { said, outcomes: Vec::new(), ehlo: Vec::new() };
        }
        let overview = self.run("postconf", &["-nx"]);
        let tables = tables(self, &String::from_utf8_lossy(&overview.stdout));
        for table in tables.iter().filter(|table| table.is_indexed()) {
            hear(
                self,
                &self.run("postmap", &[&format!("{}:{}", table.kind, table.path)]),
                &mut said,
            );
        }
        // Programs that no mail here needs would warn of these when they open them.
        for table in tables.iter().filter(|table| table.is_read_as_it_is()) {
            let reference = format!("{}:{}", table.kind, table.path);
            hear(self, &self.run("postmap", &["-q", "nobody.example", &reference]), &mut said);
        }
        if let Some((_, text)) = files.iter().find(|(name, _)| *name == "host") {
            super::host::make_true(self, &String::from_utf8_lossy(text));
        }
        let destinations = destinations(&tables);
        route(self, &destinations);

        let mut ehlo = Vec::new();
        let start = self.start();
        hear(self, &start, &mut said);
        if start.status.success() {
            if files.iter().any(|(name, _)| *name == "master.cf") {
                // From 3.10 on what master(8) says before postlogd(8) runs is lost. Now it says it again.
                self.reload();
            }
            let greeting = greet(self);
            let domains: Vec<&str> =
                destinations.iter().map(|(_, domain)| domain.as_str()).collect();
            hear(self, &self.send(&domains), &mut said);
            ehlo = listen(self, greeting, &domains);
        } else {
            // master(8) reads its own parameters before it has a log, so this may be all that is to be heard.
            said.push("postfix does not start".to_owned());
        }
        self.stop();

        let log = self.log();
        for complaint in log::complaints(&log) {
            log::add(&mut said, self.with_usual_paths(&complaint));
        }
        let outcomes: Vec<(String, Outcome)> = destinations
            .into_iter()
            .map(|(destination, domain)| (destination, log::outcome(&log, &domain)))
            .collect();
        for (destination, outcome) in &outcomes {
            match outcome {
                Outcome::Deferred { reason } => {
                    said.push(format!("mail to {destination} is deferred: {reason}"));
                }
                Outcome::Bounced { reason } => {
                    said.push(format!("mail to {destination} is bounced: {reason}"));
                }
                Outcome::Unknown => said.push(format!("mail to {destination} is not delivered")),
                Outcome::Sent { .. } => {}
            }
        }
        Verdict { said, outcomes, ehlo }
    }
}

fn hear(lab: &Lab, output: &Output, said: &mut Vec<String>) {
    for line in
        String::from_utf8_lossy(&output.stderr).lines().filter(|line| log::is_complaint(line))
    {
        log::add(said, lab.with_usual_paths(line));
    }
}

/// A lookup table that main.cf names and the test has given.
struct Table {
    kind: String,
    path: String,
    is_tls_policy: bool,
    text: String,
}

impl Table {
    fn is_indexed(&self) -> bool {
        ["hash", "btree", "lmdb", "cdb", "dbm", "sdbm"].contains(&self.kind.as_str())
    }
}

impl Table {
    fn is_read_as_it_is(&self) -> bool {
        ["regexp", "pcre", "cidr"].contains(&self.kind.as_str())
            || (self.kind == "texthash" && !self.is_tls_policy)
    }
}

fn tables(lab: &Lab, parameters: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in parameters.lines() {
        let (name, value) = line.split_once(" = ").unwrap_or((line, ""));
        for word in value.split([' ', '\t', ',', '{', '}']) {
            let word = word.strip_prefix("proxy:").unwrap_or(word);
            let Some((kind, path)) = word.split_once(':') else {
                continue;
            };
            if !std::path::Path::new(path).starts_with(lab.config_dir()) {
                continue;
            }
            let Ok(bytes) = fs::read(path) else { continue };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let is_tls_policy = name == "smtp_tls_policy_maps";
            tables.push(Table {
                kind: kind.to_owned(),
                path: path.to_owned(),
                is_tls_policy,
                text,
            });
        }
    }
    tables
}

/// Next-hop destinations, each with the domain of the recipient that is sent there.
fn destinations(tables: &[Table]) -> Vec<(String, String)> {
    let mut destinations: Vec<String> = vec!["plain.example".to_owned()];
    let policies = tables
        .iter()
        .filter(|table| table.is_tls_policy && (table.is_indexed() || table.kind == "texthash"));
    for line in policies.flat_map(|table| table.text.lines()) {
        if line.starts_with(['#', ' ', '\t']) {
            continue;
        }
        let Some(key) = line.split_whitespace().next() else {
            continue;
        };
        let destination = if key.starts_with('.') { format!("sub{key}") } else { key.to_owned() };
        let destination = destination.to_ascii_lowercase();
        // As much as a next-hop destination can have; a colon inside brackets is IPv6, which is not here.
        let plausible =
            destination.chars().all(|c| c.is_ascii_alphanumeric() || "._-[]:".contains(c));
        if plausible && !destinations.contains(&destination) {
            destinations.push(destination);
        }
    }
    let domain = |(number, destination): (usize, String)| {
        let domain = if number == 0 { destination.clone() } else { format!("d{number}.lab.test") };
        (destination, domain)
    };
    destinations.into_iter().enumerate().map(domain).collect()
}

/// Sends each recipient to its next hop, whatever relayhost says; plain.example goes where main.cf sends it.
fn route(lab: &Lab, destinations: &[(String, String)]) {
    let mut transport = String::new();
    for (destination, domain) in destinations.iter().skip(1) {
        writeln!(transport, "{domain} smtp:{destination}").expect("a String takes all");
        lab.resolve(destination);
    }
    write_aged(&lab.path("transport"), transport.as_bytes());
}

/// Says EHLO to smtpd(8), which reads its parameters for the first client; then STARTTLS where it
/// is offered, for what smtpd(8) reads only then. It asks for mx.example.net (`tls_server_sni_maps`).
fn greet(lab: &Lab) -> Child {
    const SCRIPT: &str = "exec 3<>/dev/tcp/127.0.0.1/25 || exit
        read -r banner <&3
        printf 'EHLO client.lab.test\\r\\n' >&3
        while read -r line <&3; do
            echo \"$line\"
            case $line in *STARTTLS*) tls=offered ;; esac
            case $line in 250' '*) break ;; esac
        done
        printf 'QUIT\\r\\n' >&3
        [ -z \"$tls\" ] || printf 'QUIT\\r\\n' |
            timeout 5 openssl s_client -quiet -starttls smtp -servername mx.example.net \
                -connect 127.0.0.1:25 >/dev/null 2>&1";
    let mut command = lab.inside("bash");
    command.args(["-c", SCRIPT]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("bash runs")
}

/// Waits until smtpd(8) has answered and the fate of all mail is known; ends early where a daemon has died.
fn listen(lab: &Lab, mut greeting: Child, domains: &[&str]) -> Vec<String> {
    let mut died: Option<Instant> = None;
    wait(LIMIT, || {
        let log = lab.log();
        if died.is_none() && log::fatal(&log) {
            died = Some(Instant::now());
        }
        let answered = matches!(greeting.try_wait(), Ok(Some(_)));
        let known = domains.iter().all(|domain| log::outcome(&log, domain) != Outcome::Unknown);
        let over = died.is_some_and(|died| died.elapsed() > LAST_WORDS);
        ((answered && known) || over).then_some(())
    });
    let _ = greeting.kill();
    let mut answer = String::new();
    let _ = greeting.stdout.take().expect("it is piped").read_to_string(&mut answer);
    let _ = greeting.wait();
    answer.lines().map(|line| line.trim_end().to_owned()).collect()
}
