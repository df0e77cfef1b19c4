//! The source files of the lookup tables that say where mail goes and how: transports,
//! relay hosts, TLS policies and passwords.
//!
//! A table that cannot be read is left out and named among what was not checked.

use std::collections::HashSet;

use super::load::{Loader, name_in};
use crate::config::{
    Configuration, Effective, LookupTable, Services, TableKind, TableName, holds_passwords,
    routes_mail,
};
use crate::postfix::Build;
use crate::text::SourceId;

impl Loader<'_> {
    /// The tables that main.cf and the services of master.cf name, each once.
    pub(super) fn lookups(
        &mut self,
        main_cf: SourceId,
        master_cf: Option<SourceId>,
        build: &Build,
    ) -> Vec<LookupTable> {
        let mut wanted = Vec::new();
        {
            let configuration = Configuration::new(&self.sources, main_cf, build.clone());
            let services = master_cf.map(|it| Services::new(&self.sources, it));
            let effective = Effective::new(&configuration, services.as_ref());
            let mut seen = HashSet::new();
            for table in effective.table_uses(&self.sources) {
                if !routes_mail(&table.parameter) || !seen.insert(table.text.clone()) {
                    continue;
                }
                let is_policy = table.parameter.ends_with("_tls_policy_maps");
                let part = |range| String::from_utf8_lossy(&table.text[range]).into_owned();
                let name = TableName {
                    text: part(0..table.text.len()),
                    kind: TableKind::of(&part(table.reference.table_type.clone())),
                    name: part(table.reference.name.clone()),
                    span: None,
                };
                // Of policy tables of other kinds the values are judged, and what cannot be known is said.
                if !(is_policy && name.kind == TableKind::Other) {
                    wanted.push((table.text.clone(), name, holds_passwords(&table.parameter)));
                }
            }
        }
        let mut lookups = Vec::new();
        for (text, table, is_secret) in wanted {
            if let Some(source) = self.lookup(&table, is_secret) {
                lookups.push(LookupTable { text, source, kind: table.kind });
            }
        }
        lookups
    }

    fn lookup(&mut self, table: &TableName, is_secret: bool) -> Option<SourceId> {
        if table.kind == TableKind::Other {
            self.skip_table(table, "postls does not read this type of table");
            return None;
        }
        let path = match self.path(table) {
            Ok(path) => path,
            Err(why) => {
                self.skip_table(table, &why);
                return None;
            }
        };
        let name = name_in(&self.request.directory, &path);
        let shown = self.request.shown_in.join(&name);
        let known = self.sources.iter().find(|(_, it)| it.name() == shown.to_string_lossy());
        let source = match known {
            Some((source, _)) => source,
            None => match self.read(&path, &name) {
                Ok(source) => source,
                Err(why) => {
                    self.skip_table(table, &why.0);
                    return None;
                }
            },
        };
        if is_secret {
            self.sources.keep_secret(source);
        }
        Some(source)
    }
}
