//! The TLS policy tables that main.cf and services of master.cf name, and who asks them.
//!
//! A table that cannot be read is left out and named among what was not checked.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Stop;
use super::load::{Loader, is_live, name_in};
use crate::certificate::pem::{self, TrustFile};
use crate::config::{Configuration, Effective, Services, TableKind, TableName, Within};
use crate::host::Host;
use crate::lint::{self, Context, PolicyClient};
use crate::lookup;
use crate::policy::client::BadFile;
use crate::postfix::{Build, Version};
use crate::text::{Source, SourceId, Sources};

/// A table's source, how Postfix reads it, and the clients that ask it.
pub(super) type ListedTable = (SourceId, TableKind, Vec<PolicyClient>);

/// A table of another kind than rows, the client that asks it, and its files.
pub(super) struct ListedValues {
    table: TableName,
    client: Arc<PolicyClient>,
    files: Vec<(Vec<u8>, Result<SourceId, String>)>,
}

impl ListedValues {
    /// Adds what the table says to what rules look at.
    pub(super) fn add<'s>(
        &self,
        sources: &'s Sources,
        context: &mut Context<'s>,
    ) -> Result<(), String> {
        let mut file = |name: &[u8]| {
            let known = self.files.iter().find(|it| it.0 == name).map(|it| it.1.clone());
            let source = known.unwrap_or_else(|| Err("it was not read".to_owned()))?;
            Ok((source, sources.source(source).bytes()))
        };
        context.add_values(&self.table, &self.client, &mut file)
    }
}

impl Loader<'_> {
    /// The TLS policy tables that main.cf and services of master.cf list, each with the clients
    /// that ask it.
    pub(super) fn tables(
        &mut self,
        main_cf: SourceId,
        master_cf: Option<SourceId>,
        build: &Build,
    ) -> Result<(Vec<ListedTable>, Vec<ListedValues>), Stop> {
        let main = Configuration::new(&self.sources, main_cf, build.clone());
        let services = master_cf.map(|it| Services::new(&self.sources, it));
        let effective = Effective::new(&main, services.as_ref());
        let queue_directory = effective.value("queue_directory", Within::Main).0;
        let queue_directory =
            PathBuf::from(OsString::from_vec(queue_directory.unwrap_or_default()));
        let clients = lint::clients(&effective);
        let mut found: Vec<(String, Option<SourceId>)> = Vec::new();
        let mut tables: Vec<ListedTable> = Vec::new();
        let mut values = Vec::new();
        for client in clients {
            let shared = Arc::new(client.clone());
            let mut seen = HashSet::new();
            for table in &client.tables {
                // A table that is listed twice is asked twice, and says the same.
                if !seen.insert(&table.text) {
                    continue;
                }
                if table.kind == TableKind::Other {
                    values.push(self.values(table, &shared, build.version));
                    continue;
                }
                let known = found.iter().find(|(it, _)| *it == table.text).map(|it| it.1);
                let source = match known {
                    Some(source) => source,
                    None => self.table(table, &found)?,
                };
                found.push((table.text.clone(), source));
                let Some(source) = source else { continue };
                match tables.iter_mut().find(|it| it.0 == source && it.1 == table.kind) {
                    Some((_, _, clients)) => clients.push(client.clone()),
                    None => tables.push((source, table.kind, vec![client.clone()])),
                }
            }
        }
        self.look_at_trust_anchors(&mut tables, &queue_directory);
        Ok((tables, values))
    }

    /// Tells the clients which files cannot be used that policies name in `tafile=`.
    fn look_at_trust_anchors(&self, tables: &mut [ListedTable], queue_directory: &Path) {
        for (source, _, clients) in tables {
            let names = lint::trust_anchors(self.sources.source(*source).bytes());
            let bad = self.bad_files(names, queue_directory);
            for client in clients.iter_mut() {
                client.client.bad_files.extend(bad.iter().cloned());
            }
        }
    }

    /// The files that cannot be used among those with these names: files of this host, or of a
    /// copy of a configuration those in it. A daemon in a chroot jail finds them below its queue
    /// directory, which is also where a relative name begins.
    pub(super) fn bad_files(
        &self,
        mut names: Vec<String>,
        queue_directory: &Path,
    ) -> Vec<(String, BadFile)> {
        let is_live = is_live(self.host, &self.request.directory);
        names.sort();
        names.dedup();
        let bad = names.into_iter().filter_map(|name| {
            let path = Path::new(&name);
            let jailed = queue_directory.join(path.strip_prefix("/").unwrap_or(path));
            let is_ours = is_live || path.starts_with(&self.request.directory);
            let bad = match (path.is_absolute(), is_ours) {
                (true, false) => None,
                // What would be below it is not known.
                (false, _) if !self.host.exists(queue_directory) => None,
                (true, true) => bad_file(self.host, &[path, &jailed]),
                (false, _) => bad_file(self.host, &[&jailed]),
            };
            Some((name, bad?))
        });
        bad.collect()
    }

    /// The files of a table that is no table of rows.
    fn values(
        &mut self,
        table: &TableName,
        client: &Arc<PolicyClient>,
        version: Version,
    ) -> ListedValues {
        let mut files = Vec::new();
        for name in lookup::files(table.text.as_bytes(), version) {
            let text = String::from_utf8_lossy(name).into_owned();
            let wanted = TableName { text: text.clone(), name: text, ..table.clone() };
            let source = self.path(&wanted).and_then(|path| {
                let shown = name_in(&self.request.directory, &path);
                let whole = self.request.shown_in.join(&shown);
                let is_it = |it: &Source| it.name() == whole.to_string_lossy();
                let known = self.sources.iter().find(|(_, it)| is_it(it)).map(|(id, _)| id);
                match known {
                    Some(source) => Ok(source),
                    None => self.read(&path, &shown).map_err(|Stop(why)| why),
                }
            });
            files.push((name.to_vec(), source));
        }
        ListedValues { table: table.clone(), client: Arc::clone(client), files }
    }

    /// A table's source, if it is to be had and was not read before.
    fn table(
        &mut self,
        table: &TableName,
        found: &[(String, Option<SourceId>)],
    ) -> Result<Option<SourceId>, Stop> {
        let path = match self.path(table) {
            Ok(path) => path,
            Err(why) => {
                self.skip_table(table, &why);
                return Ok(None);
            }
        };
        let name = name_in(&self.request.directory, &path);
        let shown = self.request.shown_in.join(&name);
        let known =
            |source: &SourceId| self.sources.source(*source).name() == shown.to_string_lossy();
        match found.iter().filter_map(|it| it.1).find(known) {
            Some(source) => Ok(Some(source)),
            None => self.read(&path, &name).map(Some),
        }
    }

    /// Names the tables of which only a running Postfix knows what they say.
    pub(super) fn say_what_is_decided_at_run_time(
        &mut self,
        values: &[ListedValues],
        build: &Build,
    ) {
        let mut unknown: Vec<(&TableName, String)> = Vec::new();
        for listed in values {
            let mut context = Context::new(&self.sources, None, build.clone());
            if let Err(why) = listed.add(&self.sources, &mut context)
                && !unknown.iter().any(|(it, _)| it.text == listed.table.text)
            {
                unknown.push((&listed.table, why));
            }
        }
        for (table, why) in unknown {
            self.skip_table(table, &why);
        }
    }
}

/// Where daemons run.
pub(super) fn queue_directory(effective: &Effective<'_>) -> PathBuf {
    let value = effective.value("queue_directory", Within::Main).0.unwrap_or_default();
    PathBuf::from(OsString::from_vec(value))
}

/// Why none of the places where a file may be has one that can be used.
fn bad_file(host: &dyn Host, places: &[&Path]) -> Option<BadFile> {
    let mut bad = BadFile::Missing;
    for place in places.iter().filter(|it| host.exists(it)) {
        bad = match host.read(place).map(|it| pem::trust_file(&it)) {
            Ok(TrustFile::Sound) => return None,
            Ok(TrustFile::Garbage) => BadFile::Garbage,
            // What may not be read may be in order.
            Err(why) if why.kind() == ErrorKind::PermissionDenied => return None,
            // A directory, for one.
            Ok(TrustFile::NotPem) | Err(_) => BadFile::NotPem,
        };
    }
    Some(bad)
}
