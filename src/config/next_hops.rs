//! Every next-hop destination that main.cf, master.cf and the tables behind them name, and the
//! clients that are sent there.
//!
//! Follows `trivial-rewrite/resolve.c` and `transport.c`, `smtp/smtp_connect.c` and the
//! programs that name a transport themselves.
//!
//! Known limits: FILTER actions of access tables and header checks are not looked for. A value
//! with a reference to the host's name is not known where no host is meant, and one that is longer
//! than any list of hosts is not read.

use std::collections::HashSet;
use std::ops::Range;

use super::{Content, Effective, Origin, TableKind, TableReference, Within};
use crate::syntax::lists::{self, COMMA_SPACE, COMMA_SPACE_FLAT};
use crate::syntax::table::{self, Kind};
use crate::text::{SourceId, Sources, Span};

/// The source file of a lookup table.
#[derive(Clone, Debug)]
pub struct LookupTable {
    /// The table as an expanded value names it: `type:name`.
    pub text: Vec<u8>,
    /// Its source file.
    pub source: SourceId,
    /// How Postfix reads it.
    pub kind: TableKind,
}

/// A destination and a client that delivers there.
#[derive(Clone, Debug)]
pub struct NextHop {
    /// What the client looks up in its TLS policy tables: one of a list, without `unix:` and `inet:`.
    pub text: Vec<u8>,
    /// What it leads to.
    pub endpoint: Endpoint,
    /// Where it stands.
    pub span: Span,
    /// The parameter that names it, or whose table does.
    pub parameter: &'static str,
    /// The client.
    pub client: Client,
}

/// What a destination leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A server in a network.
    Network,
    /// A UNIX-domain socket.
    Socket,
}

/// A service that runs smtp(8) or lmtp(8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// `smtp` or `lmtp`, the prefix of its parameters.
    pub program: &'static str,
    /// Its index in [`Effective::scopes`]; `None` where there is no master.cf.
    pub scope: Option<usize>,
}

/// A transport that something names.
#[derive(Clone, Debug)]
pub struct Transport {
    /// The name of a service.
    pub name: Vec<u8>,
    /// Where it stands.
    pub span: Span,
}

/// All destinations, each once for each client, at the first place that names it.
#[derive(Clone, Debug, Default)]
pub struct NextHops {
    /// The destinations.
    pub named: Vec<NextHop>,
    /// The transports.
    pub transports: Vec<Transport>,
    /// Tables and parameters that may name others.
    pub unread: Vec<String>,
}

/// The parameters whose tables say where mail goes, or how.
const TABLES: [&str; 10] = [
    TRANSPORT,
    SENDER_TRANSPORT,
    SENDER_RELAY,
    "mailbox_transport_maps",
    "fallback_transport_maps",
    "smtp_tls_policy_maps",
    "lmtp_tls_policy_maps",
    "smtp_sasl_password_maps",
    "lmtp_sasl_password_maps",
    // With which certificate mail comes.
    "tls_server_sni_maps",
];
const TRANSPORT: &str = "transport_maps";
const SENDER_TRANSPORT: &str = "sender_dependent_default_transport_maps";
const SENDER_RELAY: &str = "sender_dependent_relayhost_maps";

/// For probes of addresses alone.
const PROBES: [&str; 8] = [
    "address_verify_default_transport",
    "address_verify_local_transport",
    "address_verify_relay_transport",
    "address_verify_relayhost",
    "address_verify_sender_dependent_default_transport_maps",
    "address_verify_sender_dependent_relayhost_maps",
    "address_verify_transport_maps",
    "address_verify_virtual_transport",
];

/// No list of hosts is longer.
const LONGEST: usize = 10_000;

/// Whether a parameter's tables are needed to know where mail goes, or how.
pub fn routes_mail(parameter: &str) -> bool {
    TABLES.contains(&parameter)
}

/// Whether a parameter's tables hold passwords.
pub fn holds_passwords(parameter: &str) -> bool {
    parameter.ends_with("_sasl_password_maps")
}

impl Client {
    /// Where its parameters hold.
    pub fn within<'e>(self, effective: &'e Effective<'_>) -> Within<'e> {
        self.scope.map_or(Within::Main, |scope| Within::Service(&effective.scopes[scope]))
    }

    /// The name of one of its parameters: `smtp_tls_wrappermode`.
    pub fn parameter(self, rest: &str) -> String {
        format!("{}_{rest}", self.program)
    }
}

impl Effective<'_> {
    /// The destinations. `sources` are those that the files stand in, `tables` what could be
    /// read of them.
    pub fn next_hops(&self, sources: &Sources, tables: &[LookupTable]) -> NextHops {
        let found = NextHops::default();
        let mut walk = Walk { effective: self, sources, tables, found, seen: HashSet::new() };
        for within in self.within(&["trivial-rewrite"]) {
            walk.resolver(within);
        }
        for program in ["smtp", "lmtp"] {
            let name =
                if program == "smtp" { "smtp_fallback_relay" } else { "lmtp_fallback_relay" };
            for client in walk.clients_of_program(program) {
                if let Some(value) = walk.value(name, client.within(self)) {
                    walk.add_for(client, &value, 0..value.text.len(), name);
                }
            }
        }
        for (program, name) in [
            ("local", "mailbox_transport"),
            ("local", "fallback_transport"),
            ("smtp", "best_mx_transport"),
            ("smtpd", "content_filter"),
            ("pickup", "content_filter"),
            ("qmqpd", "content_filter"),
        ] {
            for within in self.within(&[program]) {
                if let Some(value) = walk.value(name, within) {
                    walk.transport(&value, name);
                }
            }
        }
        for name in ["mailbox_transport_maps", "fallback_transport_maps"] {
            for within in self.within(&["local"]) {
                for value in walk.rows(name, within) {
                    walk.transport(&value, name);
                }
            }
        }
        let probes = PROBES.iter().filter(|it| self.main.origin(it) != Origin::Default);
        walk.found.unread.extend(probes.map(|it| (*it).to_owned()));
        walk.found
    }
}

/// A value or a table's row.
#[derive(Clone, Debug)]
struct Text {
    text: Vec<u8>,
    /// `None`: Postfix's default.
    place: Option<Place>,
}

#[derive(Clone, Debug)]
enum Place {
    /// Here, byte for byte.
    Written(Span),
    /// On several lines: each byte has its own place.
    Joined(SourceId, Vec<usize>),
    /// Somewhere here.
    Within(Span),
}

impl Text {
    fn span(&self, part: &Range<usize>) -> Option<Span> {
        Some(match self.place.as_ref()? {
            Place::Within(span) => *span,
            Place::Joined(source, places) => {
                let last = *places.get(part.end.checked_sub(1)?)?;
                Span::new(*source, *places.get(part.start)?..last + 1)
            }
            Place::Written(span) => {
                let start = span.range().start;
                Span::new(span.source, start + part.start..start + part.end)
            }
        })
    }

    /// The transport and the destination: `transport:destination`.
    fn split(&self) -> (Range<usize>, Range<usize>) {
        let colon = self.text.iter().position(|byte| *byte == b':');
        let end = colon.unwrap_or(self.text.len());
        (0..end, (end + 1).min(self.text.len())..self.text.len())
    }
}

struct Walk<'e> {
    effective: &'e Effective<'e>,
    sources: &'e Sources,
    tables: &'e [LookupTable],
    found: NextHops,
    seen: HashSet<(Option<Client>, Vec<u8>)>,
}

impl Walk<'_> {
    /// What trivial-rewrite(8) knows.
    fn resolver(&mut self, within: Within<'_>) {
        let relayhost = self.value("relayhost", within);
        let mut relayed: Vec<Vec<u8>> = Vec::new();
        for name in ["default_transport", "relay_transport", "virtual_transport", "local_transport"]
        {
            let is_set = self.effective.origin(name, within) != Origin::Default;
            let counts = match name {
                "default_transport" => true,
                // By default there is at most $mydestination, where it is not used.
                "relay_transport" => {
                    let (domains, origin) = self.effective.value("relay_domains", within);
                    origin != Origin::Default && domains.is_ok_and(|it| !it.is_empty())
                }
                _ => is_set,
            };
            let Some(value) = self.value(name, within).filter(|_| counts) else { continue };
            self.transport(&value, name);
            let (transport, destination) = value.split();
            if destination.is_empty() && matches!(name, "default_transport" | "relay_transport") {
                relayed.push(value.text[transport].to_vec());
            }
        }
        for transport in &relayed {
            if let Some(value) = &relayhost {
                self.add(transport, value, 0..value.text.len(), "relayhost");
            }
        }
        for value in self.rows(SENDER_RELAY, within) {
            if !value.text.eq_ignore_ascii_case(b"DUNNO") {
                for transport in &relayed {
                    self.add(transport, &value, 0..value.text.len(), SENDER_RELAY);
                }
            }
        }
        for value in self.rows(SENDER_TRANSPORT, within) {
            if value.text.eq_ignore_ascii_case(b"DUNNO") {
                continue;
            }
            self.transport(&value, SENDER_TRANSPORT);
            let (transport, destination) = value.split();
            if let Some(relayhost) = relayhost.as_ref().filter(|_| destination.is_empty()) {
                let all = 0..relayhost.text.len();
                self.add(&value.text[transport], relayhost, all, "relayhost");
            }
        }
        for value in self.rows(TRANSPORT, within) {
            let (transport, destination) = value.split();
            if transport.is_empty() && !destination.is_empty() {
                for transport in &relayed {
                    self.add(transport, &value, destination.clone(), TRANSPORT);
                }
            } else if !transport.is_empty() {
                self.transport(&value, TRANSPORT);
            }
        }
    }

    /// `transport:destination`, or a transport alone.
    fn transport(&mut self, value: &Text, parameter: &'static str) {
        let (transport, destination) = value.split();
        let name = value.text[transport.clone()].to_vec();
        if let Some(span) = value.span(&transport)
            && self.seen.insert((None, name.clone()))
        {
            self.found.transports.push(Transport { name: name.clone(), span });
        }
        if !destination.is_empty() {
            self.add(&name, value, destination, parameter);
        }
    }

    fn add(&mut self, transport: &[u8], value: &Text, part: Range<usize>, name: &'static str) {
        for client in self.clients_of_transport(transport) {
            self.add_for(client, value, part.clone(), name);
        }
    }

    fn add_for(
        &mut self,
        client: Client,
        value: &Text,
        mut part: Range<usize>,
        parameter: &'static str,
    ) {
        let mut endpoint = Endpoint::Network;
        if client.program == "lmtp" {
            if value.text[part.clone()].starts_with(b"unix:") {
                endpoint = Endpoint::Socket;
                part.start += 5;
            } else if value.text[part.clone()].starts_with(b"inet:") {
                part.start += 5;
            }
        }
        let words: Vec<Range<usize>> = match endpoint {
            Endpoint::Socket => vec![part],
            Endpoint::Network => lists::words(&value.text[part.clone()], COMMA_SPACE_FLAT)
                .map(|it| part.start + it.start..part.start + it.end)
                .take_while(|it| value.text[it.start] != b'#')
                .collect(),
        };
        for word in words {
            let text = value.text[word.clone()].to_vec();
            let Some(span) = value.span(&word) else { continue };
            if self.seen.insert((Some(client), text.clone())) {
                self.found.named.push(NextHop { text, endpoint, span, parameter, client });
            }
        }
    }

    fn clients_of_program(&self, program: &'static str) -> Vec<Client> {
        self.clients(|scope| scope.program() == program.as_bytes(), program)
    }

    fn clients_of_transport(&self, transport: &[u8]) -> Vec<Client> {
        let usual = match transport {
            b"smtp" | b"relay" => "smtp",
            b"lmtp" => "lmtp",
            _ => "",
        };
        let name = [transport, b"/unix"].concat();
        self.clients(|scope| scope.name == name, usual)
    }

    /// The services that are clients; where there is no master.cf, the usual one.
    fn clients(&self, wanted: impl Fn(&super::Scope) -> bool, usual: &'static str) -> Vec<Client> {
        if self.effective.scopes.is_empty() {
            let usual = Some(usual).filter(|it| !it.is_empty());
            return usual.map(|program| Client { program, scope: None }).into_iter().collect();
        }
        let scopes = self.effective.scopes.iter().enumerate();
        let client = |(index, scope): (usize, &super::Scope)| {
            let program = match scope.program() {
                b"smtp" => "smtp",
                b"lmtp" => "lmtp",
                _ => return None,
            };
            wanted(scope).then_some(Client { program, scope: Some(index) })
        };
        scopes.filter_map(client).collect()
    }

    /// A value that is not empty, in front of a comment.
    fn value(&mut self, name: &str, within: Within<'_>) -> Option<Text> {
        let (value, origin) = self.effective.value(name, within);
        let mut text = value.ok().filter(|it| it.len() <= LONGEST)?;
        if let Some(comment) = text.windows(2).position(|it| it == b" #") {
            text.truncate(comment);
        }
        let text = text.trim_ascii().to_vec();
        let Origin::Set(span) = origin else {
            return (!text.is_empty()).then_some(Text { text, place: None });
        };
        let written = self.sources.bytes(span);
        if written.contains(&b'$') && !self.knows_host(within) {
            self.found.unread.push(name.to_owned());
            return None;
        }
        let joined = self.effective.main.setting(name).filter(|it| it.value_span() == span);
        let joined = joined.map(|it| it.value()).filter(|it| it.text().starts_with(&text));
        let place = match joined {
            _ if written.starts_with(&text) => Place::Written(span),
            Some(value) => {
                let places = (0..text.len()).map(|at| value.locate(at..at + 1).start);
                Place::Joined(span.source, places.collect())
            }
            None => Place::Within(span),
        };
        (!text.is_empty()).then_some(Text { text, place: Some(place) })
    }

    fn knows_host(&self, within: Within<'_>) -> bool {
        let is_known = |name| self.effective.value(name, within).0.is_ok_and(|it| !it.is_empty());
        is_known("myhostname") && is_known("mydomain")
    }

    /// The values in a parameter's tables.
    fn rows(&mut self, parameter: &str, within: Within<'_>) -> Vec<Text> {
        let (Ok(value), origin) = self.effective.value(parameter, within) else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        for word in lists::words(&value, COMMA_SPACE).map(|it| &value[it]) {
            if let Some(table) = self.tables.iter().find(|it| it.text == word) {
                rows.extend(rows_of(self.sources, table));
                continue;
            }
            let version = self.effective.main.environment.build.version;
            let reference = TableReference::parse(word, 0..word.len(), version);
            let place = match origin {
                Origin::Set(span) => Some(Place::Within(span)),
                Origin::Default => None,
            };
            let part = |it: &Range<usize>| word[it.clone()].to_vec();
            let text = |it: &Range<usize>| Text { text: part(it), place: place.clone() };
            match (&word[reference.table_type.clone()], &reference.content) {
                (b"static", Content::Values(values)) => {
                    rows.extend(values.iter().map(text));
                }
                (b"inline", Content::Pairs(pairs)) => {
                    rows.extend(pairs.iter().map(|(_, value)| text(value)));
                }
                _ => self.found.unread.push(String::from_utf8_lossy(word).into_owned()),
            }
        }
        rows
    }
}

/// The entries of a table's source.
fn rows_of(sources: &Sources, table: &LookupTable) -> Vec<Text> {
    let bytes = sources.source(table.source).bytes();
    let rows = table::parse(bytes).rows;
    let entries = rows.iter().filter(|it| it.kind == Kind::Entry && it.range().len() <= LONGEST);
    let row = |row: &table::Row| {
        let text = row.text(bytes);
        let whole = text.locate(0..text.value().len());
        let span = Span::new(table.source, whole.clone());
        let is_written = bytes[whole] == *text.value();
        let place = if is_written { Place::Written(span) } else { Place::Within(span) };
        Text { text: text.value().to_vec(), place: Some(place) }
    };
    entries.map(row).collect()
}
