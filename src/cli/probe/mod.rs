//! `postls probe`: connects as Postfix would, and judges what it sees against the effective policy.

mod connections;
mod destinations;
mod keep;
mod pinned;
mod trusted;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::answering::{Answers, answer};
use super::load::{self, Bare, PolicyFile};
use super::progress::Progress;
use super::{Common, FAILED, FOUND, OK, Outcome, Stop};
use crate::config::{Destination, Lookup};
use crate::host::{Host, System};
use crate::lint::PolicyClient;
use crate::observation::route::{NoRoute, Seen};
use crate::observation::{Looked, Observation};
use crate::policy::session::Parameters;
use crate::postfix::Fingerprint;
use crate::probe::dns::Resolver;
use crate::probe::route::{self, Dane, RouteSettings};
use crate::probe::{connection, published, schedule, sts};
use crate::report::probe::{self as report, Detail, Probed, Report, Testing};
use crate::report::query::Answered;
use crate::report::{nagios, prometheus};
use crate::text::shortened;
use crate::verdict::{self, Logins, Subject, Verdict};
use connections::{Client, Job, Plan};
use destinations::Asked;
use trusted::{Authorities, Reading, Trusted};

/// A certificate is reported so many days before its end, where the policy file does not say how many.
const EXPIRES_WITHIN: i64 = 14;

/// Whoever is not the first with a provider waits a part of this.
const JITTER: Duration = Duration::from_millis(200);

/// So many destinations are looked up in DNS at the same time: resolvers such as dnsmasq refuse more than 150 questions.
const LOOKUPS: NonZeroUsize = NonZeroUsize::new(100).expect("it is no zero");

#[derive(Args)]
pub(super) struct Probe {
    /// Next-hop destinations as Postfix has them; default: those of the policy file, or of the TLS policy tables, and those
    /// that relayhost and transports name
    #[arg(value_name = "DEST", conflicts_with = "pin")]
    destinations: Vec<String>,
    /// The policy file; default: postls.yaml in the configuration directory
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The destinations that a mail log says mail was sent to; - is standard input, .gz is unpacked
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    from_log: Vec<PathBuf>,
    /// Take the key that DEST shows now as a new pin in the policy file
    #[arg(long, value_name = "DEST", conflicts_with = "format")]
    pin: Option<String>,
    /// What that key or its certificate has to have as fingerprint, from the other side by other means
    #[arg(long, value_name = "FINGERPRINT", requires = "pin", value_parser = super::pin::fingerprint)]
    expect: Option<Fingerprint>,
    /// Write entries for the policy file, for destinations without a policy: the strictest that would be met today
    #[arg(long, conflicts_with = "pin")]
    suggest: bool,
    /// Ask for a service of master.cf with its own settings, such as relay or smtp/unix
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The name server to ask, instead of those in /etc/resolv.conf; it is trusted with DNSSEC
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = resolver)]
    resolver: Option<SocketAddr>,
    /// So many seconds for each connection
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// So many seconds for all; what has not begun then is not tried
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = clap::value_parser!(u64).range(1..=86400))]
    total_timeout: u64,
    /// So many connections at the same time, or as many as there are descriptors for
    #[arg(long, value_name = "COUNT", default_value = "256", value_parser = count)]
    parallel: NonZeroUsize,
    /// So many of them with one provider: with addresses in one network, /24 or /48
    #[arg(long, value_name = "COUNT", default_value = "2", value_parser = count)]
    per_provider: NonZeroUsize,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human", conflicts_with = "suggest")]
    format: Format,
    /// Write it to a file too, in the form that its ending says: .html, .json, .prom
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs: postls/probe/v1
    Json,
    /// For the text file collector of Prometheus' node exporter
    Prometheus,
    /// For Nagios and its like, with their exit statuses
    Nagios,
}

/// Made of the parameters of the client.
struct Made {
    parameters: Parameters,
    route: RouteSettings,
    client: Client,
    logins: Logins,
    fallback_relay: String,
    unseen: Vec<(String, String)>,
}

impl Probe {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        match (self.look_and_judge(common), self.format) {
            // For a monitoring system our usual status would be a critical state of what is watched.
            (Err(Stop(why)), Format::Nagios) => {
                let (status, text) = nagios::could_not_look(&why);
                Ok(Outcome { output: text.into_bytes(), status: status.code() })
            }
            (result, _) => result,
        }
    }

    fn look_and_judge(&self, common: &Common) -> Result<Outcome, Stop> {
        let files = keep::files(&self.report)?;
        let host = &System;
        let request = load::Request {
            policy: self.policy.as_deref(),
            ..common.request(host, &common.directory())
        };
        let mut bare = load::load_bare(host, &request)?;
        let policy = bare.loader.policy()?;
        let asked = self.asked(&mut bare, policy.as_ref())?;
        if asked.questions.is_empty() {
            return Err(Stop("there is no destination to look at; name one".to_owned()));
        }
        let began = host.unix_time();
        let system = SystemFiles::read(host);
        let service = self.service.as_deref();
        let answers = answer(bare, service, &asked.questions, |program, value| Made {
            parameters: Parameters::new(program, value),
            route: RouteSettings::of(program, &system.host(), value),
            client: Client::new(program, value, Duration::from_secs(self.timeout)),
            logins: logins(program, value),
            fallback_relay: text(&value(&format!("{program}_fallback_relay"))),
            unseen: unseen(program, value),
        })?;
        let within = policy.as_ref().and_then(|it| it.policies.lint.expires_within);
        let Answers { bare, client, made, service, answered } = answers;
        let at = i64::try_from(began).unwrap_or(i64::MAX);
        let expires_within = within.map_or(EXPIRES_WITHIN, i64::from);
        let reading = Reading { host, request: &request };
        let authorities = Authorities::read(&reading, &client.client);
        let undecided: Vec<Option<String>> =
            answered.iter().map(|it| undecided(it, &client)).collect();
        let subjects: Vec<Subject<'_>> = answered
            .iter()
            .zip(&undecided)
            .map(|(it, undecided)| Subject {
                client: &client.client,
                parameters: &made.parameters,
                policy: &it.policy,
                nexthop: domain(&it.destination),
                at,
                expires_within,
                undecided: undecided.as_deref(),
                no_engine: authorities.trouble.as_deref(),
                logins: made.logins,
                fallback_relay: &made.fallback_relay,
            })
            .collect();
        let resolver = match self.resolver {
            Some(server) => Resolver::at(server),
            None => Resolver::of_file(&system.resolv_conf),
        };
        let looking = Looking { probe: self, common, made: &made, resolver: &resolver };
        let (observations, unread) =
            looking.observe(&answered, &subjects, began, &reading, &authorities);
        let judged = subjects.iter().zip(&observations);
        let judgements: Vec<_> = judged.map(|(by, it)| verdict::judge(by, it)).collect();
        let together = answered.into_iter().zip(observations).zip(judgements).zip(asked.testing);
        let probed: Vec<Probed> = together
            .map(|(((answered, observation), judgement), testing)| Probed {
                answered,
                observation,
                judgement,
                testing,
            })
            .collect();
        let mut not_checked = [asked.left_out, made.unseen].concat();
        if !self.from_log.is_empty() && !made.route.relayhost.is_empty() {
            let why = "a log does not say what went there: domains whose mail it takes are looked at themselves";
            not_checked.push((format!("relayhost {}", made.route.relayhost), why.to_owned()));
        }
        if let Some(policy) = policy.as_ref().filter(|it| !it.problems.is_empty()) {
            let why = "it has mistakes, and what they hide is not known; postls lint says which";
            not_checked.push((policy.short_name.clone(), why.to_owned()));
        }
        not_checked.extend(unread);
        not_checked
            .extend(bare.loader.not_checked.iter().map(|it| (it.what.clone(), it.why.clone())));
        let report = Report {
            sources: &bare.loader.sources,
            service: &service,
            postfix: bare.build.version,
            postfix_why: bare.version_why,
            host: &made.client.host,
            began,
            ended: host.unix_time(),
            probed: &probed,
            not_checked: &not_checked,
        };
        keep::write(host, &files, &report)?;
        if let (Some(_), [probed]) = (&self.pin, probed.as_slice()) {
            let digest = client.client.known_digest();
            return pinned::take(self, common, probed, digest, policy.as_ref());
        }
        Ok(self.print(common, &report))
    }

    /// Whom it is about.
    fn asked<'p>(
        &self,
        bare: &mut Bare<'_>,
        policy: Option<&'p PolicyFile>,
    ) -> Result<Asked<'p>, Stop> {
        let mut names: Vec<String> = self.pin.iter().chain(&self.destinations).cloned().collect();
        for name in &mut names {
            // lmtp(8) has a word in front that is no part of it.
            if let Some(rest) = name.strip_prefix("inet:") {
                *name = rest.to_owned();
            }
            Destination::parse(name.as_bytes())
                .map_err(|why| Stop(format!("{}: {why}", shortened(name))))?;
        }
        for file in &self.from_log {
            names.extend(keep::sent_to(bare.loader.host, file)?);
        }
        let is_known = names.is_empty() && self.from_log.is_empty();
        match bare.main_cf.filter(|_| is_known) {
            Some(main_cf) => Asked::known(bare, main_cf, self.service.as_deref(), policy),
            None => Ok(Asked::named(names.into_iter(), policy)),
        }
    }

    fn print(&self, common: &Common, report: &Report<'_>) -> Outcome {
        let status = if report.fails() {
            FOUND
        } else if is_blind(report) {
            FAILED
        } else {
            OK
        };
        let detail = if common.verbose { Detail::Full } else { Detail::Brief };
        let (output, status) = match self.format {
            _ if self.suggest => (keep::suggestions(report), status),
            Format::Human => (report::human(report, common.style(), detail), status),
            Format::Json => (report::json(report), status),
            Format::Prometheus => (prometheus::text(report), status),
            Format::Nagios => {
                let (status, text) = nagios::plugin(report);
                (text, status.code())
            }
        };
        Outcome { output: output.into_bytes(), status }
    }
}

/// Whether nothing was seen at all of what is in force: that is not health.
fn is_blind(report: &Report<'_>) -> bool {
    let mut in_force = report.probed.iter().filter(|it| it.testing == Testing::InForce).peekable();
    in_force.peek().is_some() && in_force.all(|it| it.judgement.verdict == Verdict::Unknown)
}

/// Why only a running Postfix knows the policy.
fn undecided(answered: &Answered, client: &PolicyClient) -> Option<String> {
    if client.client.per_site {
        return Some(format!("{}_tls_per_site is not read", client.client.name));
    }
    answered.undecided.clone()
}

/// Whether the client has passwords for servers.
fn logins(program: &str, value: &dyn Fn(&str) -> Vec<u8>) -> Logins {
    let value = |suffix: &str| value(&format!("{program}_sasl_{suffix}"));
    let is_on = value("auth_enable").trim_ascii().eq_ignore_ascii_case(b"yes");
    let has_tables = !value("password_maps").trim_ascii().is_empty();
    if is_on && has_tables { Logins::Perhaps } else { Logins::Never }
}

/// Parameters without their `smtp_` that make a difference to what servers say, and what is not done about them.
const UNSEEN: &[(&str, &str)] = &[
    ("dns_reply_filter", "what DNS says is taken as it is"),
    ("discard_ehlo_keyword_address_maps", "nothing is left out of what these servers offer"),
    ("tls_chain_files", "a server that asks for a certificate of this client is shown none"),
    ("tls_cert_file", "a server that asks for a certificate of this client is shown none"),
    ("tls_eccert_file", "a server that asks for a certificate of this client is shown none"),
];

/// Those of them that are set, with what is not done about them.
fn unseen(program: &str, value: &dyn Fn(&str) -> Vec<u8>) -> Vec<(String, String)> {
    let names = UNSEEN.iter().map(|(suffix, why)| (format!("{program}_{suffix}"), *why));
    let set = names.filter(|(name, _)| !text(&value(name)).is_empty());
    set.map(|(name, why)| (name, why.to_owned())).collect()
}

/// A value without white space around it.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.trim_ascii()).into_owned()
}

/// What of the host decides on the way to servers.
struct SystemFiles {
    resolv_conf: Vec<u8>,
    hosts: Vec<u8>,
    services: Vec<u8>,
    interfaces: Vec<IpAddr>,
}

impl SystemFiles {
    fn read(host: &dyn Host) -> SystemFiles {
        // What is not there says nothing.
        let read = |name: &str| host.read(Path::new(name)).unwrap_or_default();
        SystemFiles {
            resolv_conf: read("/etc/resolv.conf"),
            hosts: read("/etc/hosts"),
            services: read("/etc/services"),
            interfaces: host.addresses().into_iter().map(|it| it.0).collect(),
        }
    }

    fn host(&self) -> route::Host<'_> {
        let SystemFiles { hosts, services, interfaces, .. } = self;
        route::Host { interfaces, hosts, services }
    }
}

/// Looks at all destinations.
struct Looking<'l> {
    probe: &'l Probe,
    common: &'l Common,
    made: &'l Made,
    resolver: &'l Resolver,
}

impl Looking<'_> {
    /// What was seen, in the order of the questions, and files that could not be used.
    fn observe(
        &self,
        answered: &[Answered],
        subjects: &[Subject<'_>],
        began: u64,
        reading: &Reading<'_>,
        authorities: &Authorities,
    ) -> (Vec<Observation>, Vec<(String, String)>) {
        let per_provider = self.probe.per_provider;
        let connections = schedule::affordable(self.probe.parallel);
        let parallel = connections.min(LOOKUPS);
        let until = schedule::Deadline::after(Duration::from_secs(self.probe.total_timeout));
        let limits =
            schedule::Limits { parallel, per_provider: parallel, jitter: Duration::ZERO, until };
        let destinations: Vec<&str> = answered.iter().map(|it| it.destination.as_str()).collect();
        let progress = Progress::new(destinations.len(), self.common.quiet);
        let look = |destination: &&str| self.look(destination, began);
        let step = || progress.step();
        let found = schedule::run(&destinations, |_| String::new(), limits, look, step);
        drop(progress);
        let mut observations: Vec<Observation> = found
            .into_iter()
            .zip(&destinations)
            .map(|(found, destination)| found.unwrap_or_else(|| late(destination, began)))
            .collect();
        let mut plan = Plan::default();
        for (subject, observation) in subjects.iter().zip(&observations) {
            plan.add(subject, observation);
        }
        let Some(subject) = subjects.first() else { return (observations, Vec::new()) };
        let wanted = plan.jobs.iter().map(|it| &it.trust);
        let trusted =
            Trusted::read(reading, authorities, subject.client.version, wanted, subject.at);
        let connect = |job: &Job| match self.made.client.settings(job, &trusted) {
            Some(settings) => connection::connect(job.socket, &settings),
            None => Seen::NotTried("OpenSSL could not be set up"),
        };
        let limits =
            schedule::Limits { parallel: connections, per_provider, jitter: JITTER, until };
        let progress = Progress::new(plan.jobs.len(), self.common.quiet);
        let step = || progress.step();
        let seen = schedule::run(&plan.jobs, Job::provider, limits, connect, step);
        let unread = trusted.unread.clone();
        plan.fill(&mut observations, &seen);
        (observations, unread)
    }

    /// What DNS and the web say of one destination.
    fn look(&self, destination: &str, at: u64) -> Observation {
        let route = route::route(self.resolver, &self.made.route, destination, Dane::Ask);
        let is_domain = Destination::parse(destination.as_bytes())
            .is_ok_and(|it| it.lookup == Lookup::Exchangers);
        let (sts, tls_reports) = if is_domain && route.is_ok() {
            let domain = domain(destination);
            (sts::look_up(self.resolver, domain), published::tls_reports(self.resolver, domain))
        } else {
            let why = "it is no domain with MX records";
            (Looked::NotAsked(why), Looked::NotAsked(why))
        };
        Observation { destination: destination.to_owned(), at, route, sts, tls_reports }
    }
}

fn late(destination: &str, at: u64) -> Observation {
    let why = "the time for all was over";
    Observation {
        destination: destination.to_owned(),
        at,
        route: Err(NoRoute::Failed(why.to_owned())),
        sts: Looked::NotAsked(why),
        tls_reports: Looked::NotAsked(why),
    }
}

/// The host or domain of a destination.
fn domain(destination: &str) -> &str {
    let host = Destination::parse(destination.as_bytes()).map(|it| it.host);
    host.ok().and_then(|it| str::from_utf8(it).ok()).unwrap_or(destination)
}

/// For clap: the place of a name server.
fn resolver(text: &str) -> Result<SocketAddr, String> {
    Resolver::place(text).ok_or_else(|| "an address, and maybe a port: 127.0.0.1:5353".to_owned())
}

/// For clap: a number of things, at least one.
fn count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "a number from 1 on".to_owned())
}
