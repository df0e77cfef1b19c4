//! `postls show`: what was understood, as postconf and postmap print it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::environment::{at_hand, build};
use super::load::read;
use super::{Common, OK, Outcome, Stop};
use crate::config::{
    ConfigDirectory, Configuration, Effective, Environment, Interface, Names, Refusal, Services,
    refusal_of_client, texthash,
};
use crate::host::{Host, System};
use crate::report::postconf::{self, Unexpandable, Values};
use crate::text::{SourceId, Sources};

#[derive(Args)]
pub(super) struct Show {
    /// Show what values are once their references are expanded, as postconf -x
    #[arg(short = 'x', long, conflicts_with = "table")]
    expand: bool,
    /// Show the services of master.cf, as postconf -M
    #[arg(short = 'M', long, group = "what")]
    services: bool,
    /// Show what services set for themselves, as postconf -P
    #[arg(short = 'P', long, group = "what")]
    overrides: bool,
    /// Show a lookup table, as postmap -s texthash:FILE, in the order of the file
    #[arg(long, value_name = "FILE", group = "what")]
    table: Option<PathBuf>,
}

/// What was read of the configuration directory.
struct Files {
    sources: Sources,
    main_cf: Option<SourceId>,
    master_cf: Option<SourceId>,
    environment: Environment,
}

impl Show {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let host = &System;
        let output = match &self.table {
            Some(path) => table(host, common, path)?,
            None => self.configuration(host, common)?,
        };
        Ok(Outcome { output, status: OK })
    }

    fn configuration(&self, host: &dyn Host, common: &Common) -> Result<Vec<u8>, Stop> {
        let values = if self.expand { Values::Expanded } else { Values::Written };
        let files = files(host, common)?;
        let missing = |name| {
            let path = common.directory().join(name);
            Stop(format!("{}: there is no such file", path.display()))
        };
        let main_cf = files.main_cf.ok_or_else(|| missing("main.cf"))?;
        let main = Configuration::new(&files.sources, main_cf, files.environment.clone());
        let services = files.master_cf.map(|it| Services::new(&files.sources, it));
        let effective = Effective::new(&main, services.as_ref());
        let names = effective.names();
        if let Some(refusal) = effective.refusal(services.as_ref(), &names) {
            return Err(refused(&files.sources, &refusal));
        }
        clients(host, &names)?;
        let shown = match (self.services || self.overrides, &services) {
            (false, _) => postconf::settings(&effective, &names, values),
            (true, None) => return Err(missing("master.cf")),
            (true, Some(_)) if self.overrides => postconf::overrides(&effective, values),
            (true, Some(services)) => postconf::services(&effective, services, values),
        };
        shown.map_err(cannot_expand)
    }
}

fn files(host: &dyn Host, common: &Common) -> Result<Files, Stop> {
    let directory = common.directory();
    let mut sources = Sources::default();
    let mut add = |name: &str| {
        let path = directory.join(name);
        if !host.exists(&path) {
            return Ok(None);
        }
        Ok(Some(sources.add(path.to_string_lossy(), read(host, &path)?)))
    };
    let (main_cf, master_cf) = (add("main.cf")?, add("master.cf")?);
    let environment = Environment {
        hostname: host.hostname(),
        interfaces: host.addresses().into_iter().map(Interface::from).collect(),
        process_id: Some(host.process_id()),
        config_directory: match common.named_directory() {
            Some(named) => ConfigDirectory::Named(named.into_os_string().into_encoded_bytes()),
            None => ConfigDirectory::Usual,
        },
        ..Environment::from(build(at_hand(host), common.postfix.map(|it| (it, ""))).0)
    };
    Ok(Files { sources, main_cf, master_cf, environment })
}

/// postconf reads the configuration files of lookup clients, where it may and where they are files.
fn clients(host: &dyn Host, names: &Names) -> Result<(), Stop> {
    let mut sources = Sources::default();
    for (_, path) in &names.client_files {
        let path = Path::new(OsStr::from_bytes(path));
        let Ok(bytes) = host.read(path) else { continue };
        let source = sources.add(path.to_string_lossy(), bytes);
        if let Some(refusal) = refusal_of_client(&sources, source) {
            return Err(refused(&sources, &refusal));
        }
    }
    Ok(())
}

fn refused(sources: &Sources, refusal: &Refusal) -> Stop {
    let source = sources.of(refusal.span);
    let (line, column) = source.line_column(refusal.span.start);
    Stop(format!(
        "{}:{}:{column}: {}, and Postfix does not read on\nrun postls lint to see all that is wrong",
        source.name(),
        line.number(),
        refusal.why,
    ))
}

fn cannot_expand((name, error): Unexpandable) -> Stop {
    Stop(format!("{name}: {error}; Postfix cannot expand it\nrun postls lint to see where it is"))
}

fn table(host: &dyn Host, common: &Common, path: &Path) -> Result<Vec<u8>, Stop> {
    let bytes = read(host, path)?;
    let files = files(host, common)?;
    let version = files.environment.build.version;
    let utf8 = files.main_cf.map_or_else(Default::default, |main_cf| {
        Configuration::new(&files.sources, main_cf, files.environment.clone())
            .value("smtputf8_enable")
            .0
            .unwrap_or_default()
    });
    let mut out = Vec::new();
    for (key, value) in texthash(&bytes, version, utf8.eq_ignore_ascii_case(b"yes")) {
        out.extend_from_slice(&key);
        out.push(b'\t');
        out.extend_from_slice(&value);
        out.push(b'\n');
    }
    Ok(out)
}
