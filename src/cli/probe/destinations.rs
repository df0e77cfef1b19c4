//! Which destinations are looked at.

use std::collections::{HashMap, HashSet};

use crate::cli::Stop;
use crate::cli::answering::{self, Question};
use crate::cli::load::{Bare, PolicyFile};
use crate::config::{Client, Configuration, Destination, Effective, Endpoint, Services};
use crate::policy;
use crate::report::probe::Testing;
use crate::text::SourceId;

/// What is asked, with whether its policy is in force.
pub(super) struct Asked<'p> {
    pub(super) questions: Vec<Question<'p>>,
    pub(super) testing: Vec<Testing>,
    /// What was not taken, and why.
    pub(super) left_out: Vec<(String, String)>,
}

impl<'p> Asked<'p> {
    /// Those that somebody named.
    pub(super) fn named(
        names: impl Iterator<Item = String>,
        policy: Option<&'p PolicyFile>,
    ) -> Asked<'p> {
        let entries = policy.map_or(&[][..], |it| &it.policies.destinations);
        // Keys of the policy file are in lower case.
        let tested: HashMap<&str, &policy::Destination> = entries
            .iter()
            .filter(|it| it.testing)
            .map(|it| (it.nexthop.value.as_str(), it))
            .collect();
        let mut asked = Asked { questions: Vec::new(), testing: Vec::new(), left_out: Vec::new() };
        let mut seen = HashSet::new();
        for destination in names {
            let key = destination.to_lowercase();
            let as_if = tested.get(key.as_str()).copied();
            if seen.insert(key) {
                let is_tested = as_if.is_some();
                asked.testing.push(if is_tested { Testing::Testing } else { Testing::InForce });
                asked.questions.push(Question { destination, as_if });
            }
        }
        asked
    }

    /// Those that the configuration knows: of the policy file, or where there is none of the policy tables, and those
    /// that mail is sent to by relayhost, transports and the like.
    pub(super) fn known(
        bare: &mut Bare<'_>,
        main_cf: SourceId,
        service: Option<&str>,
        policy: Option<&'p PolicyFile>,
    ) -> Result<Asked<'p>, Stop> {
        let mut names: Vec<String> = match policy {
            Some(policy) => {
                let all = policy.policies.destinations.iter();
                all.map(|it| it.nexthop.value.to_string()).collect()
            }
            None => answering::keys_of_tables(bare, main_cf, service)?,
        };
        let mut left_out = Vec::new();
        names.extend(next_hops(bare, main_cf, service, &mut left_out));
        names.retain(|name| match why_not(name) {
            Some(why) => {
                left_out.push((name.clone(), why.to_owned()));
                false
            }
            None => true,
        });
        let asked = Asked::named(names.into_iter(), policy);
        Ok(Asked { left_out, ..asked })
    }
}

/// Why a key of a policy table is no destination that can be looked at.
fn why_not(name: &str) -> Option<&'static str> {
    if name.starts_with('.') {
        return Some("it stands for all domains below it; name those that mail goes to");
    }
    if name.starts_with('/') {
        return Some("it is not in a network");
    }
    Destination::parse(name.as_bytes()).err()
}

/// Where main.cf, master.cf and their tables send mail by the service in question; where others send it is left out.
fn next_hops(
    bare: &mut Bare<'_>,
    main_cf: SourceId,
    service: Option<&str>,
    left_out: &mut Vec<(String, String)>,
) -> Vec<String> {
    let mut tables = Vec::new();
    let (master_cf, build) = (bare.master_cf, bare.build.clone());
    let others = bare.loader.lookups(main_cf, master_cf, &build, &mut tables);
    let sources = &bare.loader.sources;
    let main = Configuration::new(sources, main_cf, build);
    let services = master_cf.map(|it| Services::new(sources, it));
    let effective = Effective::new(&main, services.as_ref());
    let wanted = service.unwrap_or("smtp/unix").as_bytes();
    let is_wanted = |client: Client| match client.scope.and_then(|it| effective.scopes.get(it)) {
        Some(scope) => scope.name == wanted || scope.service == wanted,
        // There is no master.cf.
        None => client.program == "smtp",
    };
    let hops = effective.next_hops(sources, &others.lookups);
    let mut names = Vec::new();
    for hop in hops.named.into_iter().filter(|it| it.endpoint == Endpoint::Network) {
        let Ok(name) = String::from_utf8(hop.text) else { continue };
        if is_wanted(hop.client) {
            names.push(name);
            continue;
        }
        let scope = hop.client.scope.and_then(|it| effective.scopes.get(it));
        let scope = scope.map(|it| String::from_utf8_lossy(&it.name).into_owned());
        let by = scope.unwrap_or_else(|| hop.client.program.to_owned());
        let why = format!("another service delivers there: --service {by}");
        if !left_out.iter().any(|it| it.0 == name && it.1 == why) {
            left_out.push((name, why));
        }
    }
    names
}
