//! `postls publish`: what others need to know of the keys that this host's smtpd(8) has.

mod served;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::fingerprint::{WantedDigest, all, digests, pinned};
use super::load::{self, Request, TheHost};
use super::{Common, OK, Outcome, Stop, complain};
use crate::config::{
    ConfigDirectory, Configuration, Effective, Environment, Interface, Port, Services, Within,
};
use crate::host::{Host, System};
use crate::report::certificate::Validity;
use crate::report::publish::{self as report, Endpoint, Key, State};
use served::{Server, servers};

#[derive(Args)]
pub(super) struct Publish {
    /// Names of the mail server; default: lint: mx of the policy file, else myhostname, and those of SNI
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Vec<String>,
    /// A key, request or certificate that will come: it is published before it is used
    #[arg(long, value_name = "FILE")]
    next: Vec<PathBuf>,
    /// The ports to make TLSA records for
    #[arg(long, value_name = "PORT,...", value_delimiter = ',', default_value = "25")]
    port: Vec<WantedPort>,
    /// The digests that partners pin; TLSA records have sha256
    #[arg(long, value_name = "DIGEST,...", value_delimiter = ',', default_value = "sha256")]
    digest: Vec<WantedDigest>,
    /// Take the directory for one that a Postfix of this host runs with; so it is in /etc without this
    #[arg(long)]
    host: bool,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WantedPort {
    /// SMTP, where others deliver
    #[value(name = "25")]
    Smtp,
    /// Submission, where users log in
    #[value(name = "587")]
    Submission,
    /// The same with TLS from the start
    #[value(name = "465")]
    Submissions,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: postls/publish/v1
    Json,
    /// Records for the zone file
    Zone,
}

impl WantedPort {
    fn number(self) -> u16 {
        match self {
            WantedPort::Smtp => 25,
            WantedPort::Submission => 587,
            WantedPort::Submissions => 465,
        }
    }

    fn port(self) -> Port {
        match self {
            WantedPort::Smtp => Port::Smtp,
            WantedPort::Submission => Port::Submission,
            WantedPort::Submissions => Port::Submissions,
        }
    }
}

impl Publish {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = &System;
        let mut request = common.request(host, &common.directory());
        if self.host {
            request.host = TheHost::Its;
        }
        let next = self.next(host)?;
        let mut warnings = Vec::new();
        let (known_as, servers) = serving(host, &request, &mut warnings)?;
        let names = self.names(known_as, &servers)?;
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for port in &self.port {
            let listening: Vec<&Server> =
                servers.iter().filter(|it| it.listens_on(port.port())).collect();
            if listening.is_empty() {
                warnings.push(format!("no smtpd(8) offers TLS on port {}", port.number()));
            }
            for name in &names {
                endpoints.extend(endpoint(name, port.number(), &listening, &next));
            }
        }
        let today = host.unix_day();
        for endpoint in &endpoints {
            warn(endpoint, today, &mut warnings);
        }
        let mut said: Vec<String> = Vec::new();
        for warning in warnings {
            if !said.contains(&warning) {
                complain(&warning);
                said.push(warning);
            }
        }
        if endpoints.is_empty() {
            return Err(Stop("there is nothing to publish".to_owned()));
        }
        let digests = digests(&self.digest);
        let shown = report::Publication {
            endpoints: &endpoints,
            digests: &digests,
            warnings: &said,
            today,
        };
        let output = match self.format {
            Format::Human => report::human(&shown, common.style()),
            Format::Json => report::json(&shown),
            Format::Zone => report::zone(&shown),
        };
        Ok(Outcome { output: output.into_bytes(), status: OK })
    }

    /// What will come. A file that cannot be read is no reason to publish half of it.
    fn next(&self, host: &dyn Host) -> Result<Vec<Key>, Stop> {
        let key = |path: &PathBuf| {
            let file = path.display().to_string();
            let mut found = all(&file, &load::read(host, path)?)
                .map_err(|why| Stop(format!("{file}: {why}")))?;
            let subject = found.swap_remove(pinned(&found));
            Ok(Key { state: State::Next, file, subject })
        };
        self.next.iter().map(key).collect()
    }

    /// The names to publish for.
    fn names(&self, known_as: Vec<String>, servers: &[Server]) -> Result<Vec<String>, Stop> {
        if !self.name.is_empty() {
            return Ok(self.name.clone());
        }
        if known_as.is_empty() {
            return Err(Stop("main.cf does not say myhostname; say it with --name".to_owned()));
        }
        let mut names = known_as;
        for name in servers.iter().flat_map(Server::names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// The names that the policy file has for this server, else myhostname if that is known; and the servers
/// that others can reach over TLS.
fn serving(
    host: &dyn Host,
    request: &Request<'_>,
    warnings: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<Server>), Stop> {
    let mut bare = load::load_bare(host, request)?;
    let policy = bare.loader.policy()?;
    let Some(main_cf) = bare.main_cf else {
        let path = request.directory.join("main.cf");
        return Err(Stop(format!("{}: there is no such file", path.display())));
    };
    let mut environment = Environment::from(bare.build.clone());
    if request.is_live(host) {
        let directory = request.directory.clone().into_os_string().into_encoded_bytes();
        environment.hostname = host.hostname();
        environment.interfaces = host.addresses().into_iter().map(Interface::from).collect();
        environment.config_directory = ConfigDirectory::Named(directory);
    }
    let sources = &bare.loader.sources;
    let main = Configuration::new(sources, main_cf, environment);
    let services = bare.master_cf.map(|it| Services::new(sources, it));
    let effective = Effective::new(&main, services.as_ref());
    let hostname = effective.value("myhostname", Within::Main).0.unwrap_or_default();
    let hostname = String::from_utf8_lossy(&hostname).into_owned();
    let said = policy.iter().flat_map(|it| &it.policies.lint.mx);
    let mut known_as: Vec<String> = said.filter_map(|it| name(&it.value).ok()).collect();
    if known_as.is_empty() {
        known_as.extend(name(&hostname));
    }
    Ok((known_as, servers(host, request, &effective, sources, warnings)))
}

/// The keys that clients find under a name at a port, and those that will come; `None`: none now.
fn endpoint(name: &str, port: u16, servers: &[&Server], next: &[Key]) -> Option<Endpoint> {
    let mut keys: Vec<Key> = Vec::new();
    for key in servers.iter().flat_map(|it| it.keys(name)) {
        if !keys.iter().any(|it| it.subject == key.subject) {
            keys.push(key.clone());
        }
    }
    if keys.is_empty() {
        return None;
    }
    keys.extend(next.iter().cloned());
    let services = servers.iter().map(|it| it.service.clone()).collect();
    Some(Endpoint { name: name.to_owned(), port, services, keys })
}

/// Says what partners will stumble over. TLSA records of keys mind neither.
fn warn(endpoint: &Endpoint, today: u64, warnings: &mut Vec<String>) {
    for key in &endpoint.keys {
        let Some(certificate) = key.subject.certificate() else { continue };
        let (file, name) = (&key.file, &endpoint.name);
        if !certificate.covers(name) {
            warnings.push(format!(
                "{file}: the certificate is not for {name}; partners that compare names \
                 refuse it"
            ));
        }
        match Validity::of(certificate, today) {
            Validity::Expired(_) => warnings.push(format!(
                "{file}: the certificate has expired; partners at level secure or verify refuse it"
            )),
            Validity::NotYet(_) if key.state == State::Current => warnings.push(format!(
                "{file}: the certificate is not valid yet; partners at level secure or verify \
                 refuse it"
            )),
            Validity::NotYet(_) | Validity::Left(_) => {}
        }
    }
}

/// A name that a mail server can have in DNS.
fn name(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |it: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !it.is_empty() && it.len() < 64 && it.bytes().all(fits)
    };
    if text.len() < 254 && text.contains('.') && text.split('.').all(is_label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("give the whole name of the mail server, in its ASCII form".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_those_that_dns_can_have() {
        assert_eq!(name("Mail.Example.ORG.").as_deref(), Ok("mail.example.org"));
        for wrong in
            ["", "localhost", "a..b", "a b.example", "b\u{fc}cher.example", ".a.example", "*.a.b"]
        {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
