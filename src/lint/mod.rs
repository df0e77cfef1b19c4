//! What a rule may look at, where it puts what it finds, and the run over all of them.

mod allow;
mod causes;
mod certificates;
mod clients;
mod credentials;
pub mod explain;
pub mod fix;
mod identity;
mod pattern_table;
mod pins;
mod policy_table;
mod replacement;
mod rewrite;
mod routes;
mod rule;
pub mod seen;

pub use allow::{Allow, Allows, Counted, Covers, counted};
pub use causes::CAUSES;
pub use certificates::{Loaded, NamedCertificate};
pub use clients::{PolicyClient, clients};
pub use credentials::Credentials;
pub use identity::identities;
pub use pattern_table::{LineProblem, PatternTable};
pub use pins::{Pinned, PinnedBy, WrittenPin};
pub use policy_table::{
    HashedKey, PolicyTable, RowProblem, anchors_of, place_in_row, trust_anchors,
};
pub use routes::{Answer, PolicyKey, Route, Routes, host_of};
pub use rule::{FixKind, Rule};

use std::sync::OnceLock;

use crate::config::{
    self, Configuration, Effective, Environment, LookupTable, Names, Override, Planned, Scope,
    Services, TableKind, TableName, TableUse,
};
use crate::finding::{Finding, Fix, Label, Severity};
use crate::lookup;
use crate::policy::{Client, Date, Policies, Problem, ProblemKind};
use crate::postfix::Version;
use crate::text::{Secret, SourceId, Sources, Span};

/// Everything that rules may look at. Nothing here is read from a disk.
pub struct Context<'a> {
    /// The bytes of all files.
    pub sources: &'a Sources,
    /// The Postfix that must accept them.
    pub environment: Environment,
    /// main.cf, where there is one.
    pub configuration: Option<Configuration<'a>>,
    /// The same as it will be, where the policy file owns parameters of it.
    planned: Option<Configuration<'a>>,
    /// master.cf, where there is one.
    pub services: Option<Services<'a>>,
    /// All its `-o` values: rules ask for one name after the other.
    overrides: Vec<Override>,
    /// The services as postconf sees them.
    pub scopes: Vec<Scope>,
    /// Found when a rule asks first.
    names: OnceLock<Names>,
    /// The lookup tables that the files name: several rules ask.
    table_uses: OnceLock<Vec<TableUse>>,
    /// The certificates that they name: many rules ask.
    certificates: OnceLock<Vec<NamedCertificate>>,
    /// The lookup tables of rows that could be read.
    pub tables: Vec<PolicyTable>,
    /// Those of patterns and networks.
    pub patterns: Vec<PatternTable>,
    /// The source files of the tables that say where mail goes, and how.
    lookups: Vec<LookupTable>,
    /// Found when a rule asks first.
    routes: OnceLock<Vec<Routes>>,
    /// What the policy files say.
    pub policies: Option<&'a Policies>,
    problems: &'a [Problem],
    /// The day of the run; `None`: nobody looked at a calendar.
    pub today: Option<Date>,
    /// Found when somebody asks first.
    allows: OnceLock<Allows>,
    /// Policies in tables of other kinds: who asks them, and what it finds wrong.
    judged_values: Vec<(PolicyClient, Vec<RowProblem>)>,
    /// The client that will ask the table that postls writes, and what it finds wrong.
    judged_policies: Option<(PolicyClient, Vec<RowProblem>)>,
    /// What was seen of the host; `None`: nobody looks at one.
    pub seen: Option<seen::Seen>,
    /// What files and directories hold that the configuration names, and that are no tables: in a
    /// copy those of the copy. See [`Context::answer`].
    pub files: seen::Seen,
    /// Found when a rule asks first after an answer.
    loaded: OnceLock<Vec<Loaded>>,
}

/// A problem of a policy, in a table or in a policy file.
#[derive(Clone, Copy)]
pub struct PolicyProblem<'c> {
    /// Where it is and what is so there.
    pub problem: &'c RowProblem,
    /// Who finds so.
    pub client: &'c PolicyClient,
    /// What it stands in.
    pub within: Within<'c>,
}

/// What a policy stands in.
#[derive(Clone, Copy)]
pub enum Within<'c> {
    /// A table of rows.
    Table(&'c PolicyTable),
    /// A table of another kind, in a file or in a value of main.cf.
    Value,
    /// The policy file.
    PolicyFile,
}

impl<'a> Context<'a> {
    /// A context without tables and policies.
    pub fn new(
        sources: &'a Sources,
        main_cf: Option<SourceId>,
        environment: impl Into<Environment>,
    ) -> Context<'a> {
        let environment = environment.into();
        let read = |source| Configuration::new(sources, source, environment.clone());
        Context {
            sources,
            configuration: main_cf.map(read),
            planned: None,
            environment,
            services: None,
            overrides: Vec::new(),
            scopes: Vec::new(),
            names: OnceLock::new(),
            table_uses: OnceLock::new(),
            certificates: OnceLock::new(),
            tables: Vec::new(),
            patterns: Vec::new(),
            lookups: Vec::new(),
            routes: OnceLock::new(),
            policies: None,
            problems: &[],
            today: None,
            allows: OnceLock::new(),
            judged_values: Vec::new(),
            judged_policies: None,
            seen: None,
            files: seen::Seen::default(),
            loaded: OnceLock::new(),
        }
    }

    /// The version of that Postfix.
    pub fn version(&self) -> Version {
        self.environment.build.version
    }

    /// Adds master.cf.
    pub fn add_services(&mut self, master_cf: SourceId) {
        let services = Services::new(self.sources, master_cf);
        self.overrides = services.overrides().collect();
        self.scopes = services.scopes();
        self.services = Some(services);
        // What was found without them is no longer so.
        self.names = OnceLock::new();
        self.table_uses = OnceLock::new();
        self.certificates = OnceLock::new();
        self.loaded = OnceLock::new();
        self.routes = OnceLock::new();
    }

    /// The files that Postfix reads line by line, each once.
    pub fn postfix_files(&self) -> Vec<SourceId> {
        let main_cf = self.configuration.iter().map(|it| it.span(0..0).source);
        let master_cf = self.services.iter().map(|it| it.span(0..0).source);
        let tables = self.tables.iter().map(|it| it.source);
        let patterns = self.patterns.iter().map(|it| it.source);
        let tables = tables.chain(patterns);
        let mut files: Vec<SourceId> = main_cf.chain(master_cf).chain(tables).collect();
        files.sort();
        files.dedup();
        files
    }

    /// The findings that somebody allows.
    pub fn allows(&self) -> &Allows {
        self.allows.get_or_init(|| allow::all(self))
    }

    /// main.cf and master.cf together, where there is a main.cf.
    pub fn effective(&self) -> Option<Effective<'_>> {
        Some(Effective::with_scopes(self.configuration.as_ref()?, &self.scopes))
    }

    /// main.cf and master.cf as they are and, where the policy file owns parameters, as they will
    /// be: a rule that looks at each finds mistakes of main.cf and of the policy file alike.
    pub fn views(&self) -> impl Iterator<Item = Effective<'_>> {
        let both = self.configuration.iter().chain(&self.planned);
        both.map(|it| Effective::with_scopes(it, &self.scopes))
    }

    /// Which names count as parameters, where there is a main.cf.
    pub fn names(&self) -> Option<&Names> {
        let effective = self.effective()?;
        Some(self.names.get_or_init(|| effective.names()))
    }

    /// All `-o` values in master.cf.
    pub fn all_overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The `-o` values of a parameter in master.cf.
    pub fn overrides(&self, name: &str) -> impl Iterator<Item = &Override> {
        self.overrides.iter().filter(move |it| it.name == name)
    }

    /// The lookup tables that main.cf and master.cf name.
    pub fn table_uses(&self) -> &[TableUse] {
        let found = || self.effective().map(|it| it.table_uses(self.sources)).unwrap_or_default();
        self.table_uses.get_or_init(found)
    }

    /// Adds a table; judges the policies in it, once for all rules, for the clients that ask it.
    pub fn add_table(&mut self, source: SourceId, kind: TableKind, clients: Vec<PolicyClient>) {
        let bytes = self.sources.source(source).bytes();
        self.tables.push(PolicyTable::read(source, bytes, kind, clients));
    }

    /// Adds a table of patterns or networks, `type:name`, and hears what Postfix says of it.
    pub fn add_patterns(&mut self, source: SourceId, text: &str) {
        let bytes = self.sources.source(source).bytes();
        let utf8 = self.tables_are_utf8();
        let version = self.version();
        let reader = lookup::Reader { version, utf8, duplicates: lookup::Duplicates::Refused };
        self.patterns.push(PatternTable::read(source, bytes, text, reader));
    }

    /// smtputf8_enable, as postmap reads it.
    pub fn tables_are_utf8(&self) -> bool {
        let value = self.effective().map(|it| it.value("smtputf8_enable", config::Within::Main).0);
        value.is_some_and(|it| it.is_ok_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"yes")))
    }

    /// Whether a file holds passwords, which no message may show.
    pub fn is_secret(&self, source: SourceId) -> bool {
        self.sources.source(source).secret() == Secret::Yes
    }

    /// Adds the source file of a table that says where mail goes, or how.
    pub fn add_lookup(&mut self, table: LookupTable) {
        self.lookups.push(table);
        self.certificates = OnceLock::new();
        self.loaded = OnceLock::new();
        self.routes = OnceLock::new();
    }

    /// Where mail goes and under which policies, with the configuration that says so: as it
    /// is and, where there is a policy file, as it will be.
    pub fn routes(&self) -> impl Iterator<Item = (Effective<'_>, &Routes)> {
        let all = self.routes.get_or_init(|| routes::all(self));
        all.iter().filter_map(|it| Some((self.views().nth(it.view)?, it)))
    }

    /// Adds the policies of a table that is no table of rows, `type:name`, which this client asks;
    /// `files` gives the bytes of its files. `Err`: why they cannot be known.
    pub fn add_values(
        &mut self,
        table: &TableName,
        client: &PolicyClient,
        files: &mut dyn FnMut(&[u8]) -> lookup::Opened<'a>,
    ) -> Result<(), String> {
        let (version, utf8) = (client.client.version, client.client.utf8);
        let reader = lookup::Reader { version, utf8, duplicates: lookup::Duplicates::Refused };
        let opened = lookup::Table::open(table.text.as_bytes(), reader, files);
        let mut found = Vec::new();
        for (value, place) in opened.fixed_values()? {
            let Some(place) = place.or(table.span) else { continue };
            found.extend(policy_table::of_value(self.sources, value, place, &client.client));
        }
        if !found.is_empty() {
            self.judged_values.push((client.clone(), found));
        }
        Ok(())
    }

    /// Adds a policy that this client has got from a table that is no table of rows.
    pub fn add_value(&mut self, value: &[u8], place: Span, client: PolicyClient) {
        let found = policy_table::of_value(self.sources, value, place, &client.client);
        self.judged_values.push((client, found));
    }

    /// Adds a single row of a table that this client asks.
    pub fn add_row(&mut self, row: Span, client: PolicyClient) {
        let bytes = self.sources.source(row.source).bytes();
        self.tables.push(PolicyTable::of_row(row, bytes, client));
    }

    /// Adds what the policy files say and what is wrong with them.
    pub fn add_policies(&mut self, policies: &'a Policies, problems: &'a [Problem]) {
        self.policies = Some(policies);
        self.certificates = OnceLock::new();
        self.loaded = OnceLock::new();
        self.routes = OnceLock::new();
        self.problems = problems;
        self.plan_parameters(policies);
        let client = self.client(policies.table.client());
        let found = policy_table::of_policy_files(policies, &client.client);
        self.judged_policies = Some((client, found));
    }

    /// Adds only what main.cf will say where the policy files own parameters of it: enough for
    /// [`Context::client`], and for more destinations it costs no more.
    pub fn plan_parameters(&mut self, policies: &Policies) {
        let main_cf = self.configuration.as_ref().map(|it| it.span(0..0).source);
        if let Some(main_cf) = main_cf.filter(|_| !policies.parameters.is_empty()) {
            let wanted = policies.parameters.iter().map(|it| {
                let value = it.value.as_ref();
                let planned =
                    value.map(|it| Planned { value: it.value.clone().into(), span: it.span });
                (it.name.value.clone(), planned)
            });
            let now = Configuration::new(self.sources, main_cf, self.environment.clone());
            self.planned = Some(now.planned(wanted));
        }
    }

    /// The client `smtp` or `lmtp` with the values that main.cf has or will have; where there is
    /// no main.cf, with usual ones.
    pub fn client(&self, name: &'static str) -> PolicyClient {
        match self.views().last() {
            Some(effective) => PolicyClient::new(&effective, effective.tls_client(name)),
            None => {
                let mut client = Client::from((name, self.version()));
                let digest = format!("{name}_tls_fingerprint_digest");
                if let Some(digest) = self.policies.and_then(|it| it.value_of(&digest)) {
                    client.digest.clone_from(&digest.value);
                }
                PolicyClient { client, tables: Vec::new(), scope: None }
            }
        }
    }

    /// The same with the values that main.cf has, whatever the policy file wants; `None`: there is no
    /// main.cf.
    pub fn client_as_it_is(&self, name: &'static str) -> Option<PolicyClient> {
        let effective = self.effective()?;
        Some(PolicyClient::new(&effective, effective.tls_client(name)))
    }

    /// Where a value of a client is set that finds a problem; `None`: it is a default.
    pub fn set_at(&self, problem: PolicyProblem<'_>, suffix: &str) -> Option<Span> {
        let view = match problem.within {
            Within::Table(_) | Within::Value => self.effective(),
            Within::PolicyFile => self.views().last(),
        };
        match view {
            Some(view) => problem.client.set_at(&view, suffix),
            None => Some(self.policies?.value_of(&problem.client.parameter(suffix))?.span),
        }
    }

    /// The mistakes of one kind in the policy files.
    pub fn policy_problems(&self, kind: ProblemKind) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(move |it| it.kind == kind)
    }

    /// All problems of policies, in tables and in the policy file.
    pub fn row_problems(&self) -> impl Iterator<Item = PolicyProblem<'_>> {
        let in_tables = self.tables.iter().flat_map(|table| {
            table.problems.iter().map(move |problem| PolicyProblem {
                problem,
                client: &table.clients[problem.client],
                within: Within::Table(table),
            })
        });
        let in_values = self.judged_values.iter().flat_map(|it| in_list(it, Within::Value));
        let in_files = self.judged_policies.iter().flat_map(|it| in_list(it, Within::PolicyFile));
        in_tables.chain(in_values).chain(in_files)
    }

    /// A row's right-hand side, as one line.
    pub fn row_value(&self, table: &PolicyTable, row: usize) -> String {
        let bytes = self.sources.source(table.source).bytes();
        String::from_utf8_lossy(table.table.rows[row].text(bytes).value()).into_owned()
    }
}

fn in_list<'p>(
    (client, problems): &'p (PolicyClient, Vec<RowProblem>),
    within: Within<'p>,
) -> impl Iterator<Item = PolicyProblem<'p>> {
    problems.iter().map(move |problem| PolicyProblem { problem, client, within })
}

/// Where a rule puts what it found.
pub struct Findings {
    rule: &'static Rule,
    found: Vec<Finding>,
}

impl Findings {
    /// Something of the rule's severity.
    pub fn at(&mut self, span: Span, text: impl Into<String>) -> &mut Finding {
        self.milder(self.rule.severity, span, text)
    }

    /// Something that Postfix takes more lightly than the rule's severity says.
    pub fn milder(
        &mut self,
        severity: Severity,
        span: Span,
        text: impl Into<String>,
    ) -> &mut Finding {
        debug_assert!(severity <= self.rule.severity);
        self.found.push(Finding {
            rule: self.rule.id,
            severity,
            summary: self.rule.summary,
            primary: Label { span, text: text.into() },
            related: Vec::new(),
            help: None,
            fix: None,
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// What was found up to now.
    pub fn so_far(&mut self) -> &mut [Finding] {
        &mut self.found
    }

    /// The mistakes of one kind in the policy files.
    pub fn policy_file(&mut self, context: &Context<'_>, kind: ProblemKind) {
        for problem in context.policy_problems(kind) {
            let finding = self.at(problem.span, problem.text.clone());
            finding.help.clone_from(&problem.help);
            if let Some((span, text)) = &problem.related {
                finding.related(*span, text.clone());
            }
        }
    }
}

impl Finding {
    /// Names another place that belongs to it.
    pub fn related(&mut self, span: Span, text: impl Into<String>) -> &mut Finding {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do about it.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Finding {
        self.help = Some(text.into());
        self
    }

    /// Says how postls could do it.
    pub fn fix(&mut self, fix: Fix) -> &mut Finding {
        self.fix = Some(fix);
        self
    }
}

/// What one rule finds.
pub fn run(rule: &'static Rule, context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Findings { rule, found: Vec::new() };
    (rule.check)(context, &mut findings);
    findings.found
}

/// What all of `rules` find, in the order of the files.
pub fn run_all(rules: impl Iterator<Item = &'static Rule>, context: &Context<'_>) -> Vec<Finding> {
    let mut found = causes::join(rules.flat_map(|rule| run(rule, context)).collect());
    found.sort_by_key(|it| (it.primary.span, std::cmp::Reverse(it.severity), it.rule));
    // A table that two clients ask has its mistakes once.
    found.dedup_by(|a, b| a.rule == b.rule && a.primary == b.primary);
    found
}
