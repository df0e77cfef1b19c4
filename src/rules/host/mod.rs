//! What the files of a configuration meet on the host that they run on.

use crate::config::{Content, Effective, TableReference, TableUse, Within};
use crate::finding::Severity;
use crate::lint::Context;
use crate::lint::seen::Account;
use crate::postfix::{self, Reads, Version, table_type};
use crate::syntax::master_cf::{Argument, ServiceText};
use crate::text::{Span, shortened};

rules! {
    chroot_copy_differs,
    configuration_not_owned_by_root,
    configuration_writable,
    daemon_missing,
    data_directory_not_owned,
    indexed_file_differs,
    indexed_file_missing,
    indexed_file_stale,
    main_cf_unreadable,
    proxied_file_unreadable,
    secret_readable,
    service_program_missing,
    service_user_unknown,
    socket_missing,
    table_file_missing,
    unknown_account,
}

/// A user who is neither root nor Postfix.
const ANYBODY: Account = Account { user: u32::MAX - 1, group: u32::MAX - 1 };

/// A file or directory that Postfix obeys.
struct ConfigurationFile {
    path: Vec<u8>,
    /// What is to blame for it.
    place: Span,
    /// Whether it is the configuration directory or stands in it.
    is_inside: bool,
}

/// A lookup table with a file behind it.
struct TableFile<'c> {
    /// Where main.cf or master.cf names it.
    table: &'c TableUse,
    /// The same, or a member of it.
    reference: &'c TableReference,
    /// The source file's name.
    path: &'c [u8],
    /// What Postfix makes of the file.
    reads: Reads,
}

impl TableFile<'_> {
    /// The word before the colon.
    fn table_type(&self) -> &[u8] {
        &self.table.text[self.reference.table_type.clone()]
    }

    /// Where the file's name stands.
    fn span(&self) -> Span {
        self.table.span(self.reference.name.clone())
    }

    /// Whether proxymap(8) reads it for the program that asks.
    fn is_proxied(&self) -> bool {
        let mut adapters = self.table.reference.adapters.iter().chain(&self.reference.adapters);
        adapters.any(|it| &self.table.text[it.clone()] == b"proxy")
    }

    /// The files that hold its rows for Postfix: the indexed ones, or the source itself.
    fn read_files(&self) -> Vec<Vec<u8>> {
        let suffixes: &[&str] = match (self.reads, self.table_type()) {
            (Reads::Index, b"hash" | b"btree") => &[".db"],
            (Reads::Index, b"lmdb") => &[".lmdb"],
            (Reads::Index, b"cdb") => &[".cdb"],
            (Reads::Index, _) => &[".pag", ".dir"],
            _ => &[""],
        };
        suffixes.iter().map(|it| [self.path, it.as_bytes()].concat()).collect()
    }
}

/// The tables with a file behind them that Postfix reads and does not itself write. Names that
/// are relative are left out: what they are relative to depends on the program.
fn table_files<'c>(context: &'c Context<'_>) -> Vec<TableFile<'c>> {
    let mut files = Vec::new();
    for table in context.table_uses() {
        let parameter = postfix::parameter(&table.parameter);
        // alias_database is for newaliases(1) alone.
        if !parameter.is_some_and(postfix::Parameter::is_cache)
            && table.parameter != "alias_database"
        {
            add(table, &table.reference, &mut files);
        }
    }
    if is_migrating(context) {
        files.retain(|it| !matches!(it.table_type(), b"hash" | b"btree"));
    }
    files
}

fn add<'c>(table: &'c TableUse, reference: &'c TableReference, files: &mut Vec<TableFile<'c>>) {
    let path = &table.text[reference.name.clone()];
    let known = str::from_utf8(&table.text[reference.table_type.clone()]).ok().and_then(table_type);
    match &reference.content {
        Content::Tables(members) => members.iter().for_each(|it| add(table, it, files)),
        Content::Name if reference.problem.is_none() => {
            let Some(reads) = known.map(|it| it.reads) else { return };
            let has_file = match reads {
                Reads::Index | Reads::TextFile | Reads::Patterns | Reads::ClientFile => true,
                Reads::Service
                | Reads::Socketmap
                | Reads::Accounts
                | Reads::Table
                | Reads::Tables
                | Reads::Pairs
                | Reads::Values
                | Reads::Value
                | Reads::Nothing => false,
            };
            if has_file && is_absolute(path) {
                files.push(TableFile { table, reference, path, reads });
            }
        }
        Content::Name | Content::Pairs(_) | Content::Values(_) | Content::Patterns(_) => {}
    }
}

/// Postfix 3.11 can take tables of Berkeley DB for those of another type.
fn is_migrating(context: &Context<'_>) -> bool {
    let value = |it: Effective<'_>| it.value("non_bdb_migration_level", Within::Main).0;
    context.version() >= Version::new(3, 11)
        && context.effective().map(value).is_some_and(|it| it.is_ok_and(|it| it != b"disable"))
}

/// How bad it is that a table cannot be read: a password table may stand there for later.
fn severity_of(context: &Context<'_>, file: &TableFile<'_>) -> Severity {
    let switch = match file.table.parameter.as_str() {
        "smtp_sasl_password_maps" => "smtp_sasl_auth_enable",
        "lmtp_sasl_password_maps" => "lmtp_sasl_auth_enable",
        _ => return Severity::Error,
    };
    let is_on = |effective: &Effective<'_>| {
        let everywhere = std::iter::once(Within::Main);
        let services = effective.scopes.iter().map(Within::Service);
        let value = |within| effective.value(switch, within).0.unwrap_or_default();
        everywhere.chain(services).any(|it| value(it).eq_ignore_ascii_case(b"yes"))
    };
    if context.views().any(|it| is_on(&it)) { Severity::Error } else { Severity::Warning }
}

/// Whether the file system alone says where it is.
fn is_absolute(path: &[u8]) -> bool {
    path.starts_with(b"/") || path.starts_with(b"$config_directory/")
}

/// The directory, main.cf, master.cf and the lookup tables with their indexed files.
fn configuration_files(context: &Context<'_>) -> Vec<ConfigurationFile> {
    let mut files = Vec::new();
    let mut add = |path: &[u8], place: Option<Span>| {
        let is_inside = [b"$config_directory".as_slice(), b"/etc/postfix"].iter().any(|it| {
            path.strip_prefix(*it).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
        });
        let file = |place| ConfigurationFile { path: path.to_vec(), place, is_inside };
        files.extend(place.map(file));
    };
    add(b"$config_directory", first_entry(context));
    add(b"$config_directory/main.cf", first_entry(context));
    let service = context
        .services
        .as_ref()
        .and_then(|services| services.all().next().map(|it| services.span(it.field_range(0))));
    add(b"$config_directory/master.cf", service);
    for file in table_files(context) {
        add(file.path, Some(file.span()));
        for path in file.read_files().iter().filter(|it| *it != file.path) {
            add(path, Some(file.span()));
        }
    }
    files
}

/// The first name in main.cf, for what is so of all of it.
fn first_entry(context: &Context<'_>) -> Option<Span> {
    let configuration = context.configuration.as_ref()?;
    configuration.all_settings().next().map(|it| it.name_span())
}

/// Whether it is a service of pipe(8) or spawn(8) that something asks: a transport that is named,
/// a socket that is named, or a port.
fn in_use(context: &Context<'_>, service: &ServiceText<'_>) -> bool {
    let name = service.field(0);
    match service.field(7) {
        b"pipe" => context
            .routes()
            .any(|(_, routes)| routes.hops.transports.iter().any(|it| it.name == name)),
        b"spawn" if service.field(1) == b"inet" => true,
        b"spawn" => context.configuration.as_ref().is_some_and(|it| {
            let socket = [b"private/", name].concat();
            it.all_settings()
                .any(|setting| memchr::memmem::find(setting.value().text(), &socket).is_some())
        }),
        _ => false,
    }
}

/// The words behind the options of a service's program.
fn words_of(service: &ServiceText<'_>) -> Vec<std::ops::Range<usize>> {
    let word = |it| match it {
        Argument::Word(word) => Some(word),
        Argument::Override { .. } | Argument::Dangling(_) => None,
    };
    service.arguments().into_iter().filter_map(word).collect()
}

/// A file or directory, for a message.
fn named(path: &[u8]) -> String {
    match path.strip_prefix(b"$config_directory") {
        Some(b"") => "the configuration directory".to_owned(),
        Some(inside) => format!("\"{}\"", shown(inside.strip_prefix(b"/").unwrap_or(inside))),
        None => format!("\"{}\"", shown(path)),
    }
}

/// A name, for a message.
fn shown(text: &[u8]) -> String {
    shortened(&String::from_utf8_lossy(text))
}
