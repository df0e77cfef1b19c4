//! The registry of parameters says what postconf says, in every version at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use postls::postfix::{self, Build, Parameter, Type, Version};
use postls::{lint, rules};

use crate::fixture::Fixture;
use crate::judges::{self, Chamber};

/// Their defaults are read off the host and the process.
const OF_THE_HOST: [&str; 5] =
    ["mydomain", "myhostname", "mynetworks", "process_id", "process_name"];

/// `name = value` lines; postconf prints a run of blanks as one.
fn printed(chamber: &Chamber<'_>, arguments: &[&str]) -> BTreeMap<String, String> {
    let output = chamber.run_in(".", "postconf", arguments);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("it is UTF-8");
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').expect("name = value");
        (name.trim().to_owned(), value.trim().to_owned())
    };
    text.lines().map(pair).collect()
}

#[test]
fn a_program_tells_which_build_it_is() {
    for judge in judges::all() {
        let build = &judge.build;
        let said = printed(
            &judge.chamber(),
            &["-d", "mail_version", "mail_release_date", "daemon_directory"],
        );
        assert_eq!(build.version, judge.version);
        assert_eq!(build.full_version, said["mail_version"]);
        assert_eq!(
            build.released.as_deref(),
            Some(said["mail_release_date"].as_str()),
            "{build:?}"
        );
        assert_eq!(build.debian, said["daemon_directory"] == "/usr/lib/postfix/sbin", "{build:?}");
    }
}

#[test]
fn names_and_defaults_are_those_that_postconf_prints() {
    for judge in judges::all() {
        let build = &judge.build;
        let said = printed(&judge.chamber(), &["-d"]);
        let ours = postfix::parameters().filter(|it| it.exists_in(build));
        let ours: BTreeMap<_, _> = ours.map(|it| (it.name, it.default_in(build))).collect();
        let mut differences = Vec::new();
        for (name, said) in &said {
            let ours = ours.get(name.as_str());
            let same = match ours {
                None => false,
                Some(None) => OF_THE_HOST.contains(&name.as_str()),
                Some(Some(default)) => default == said,
            };
            if !same {
                differences.push(format!("{name}: Postfix says \"{said}\", the registry {ours:?}"));
            }
        }
        let more = ours.keys().filter(|it| !said.contains_key(**it));
        differences.extend(more.map(|it| format!("{it}: Postfix does not know it")));
        println!(
            "Postfix {}: {} parameters, {} differences",
            build.full_version,
            said.len(),
            differences.len()
        );
        assert_eq!(differences, [] as [&str; 0], "Postfix {}", build.full_version);
    }
}

// The warnings that postconf has for a name that main.cf sets.
const UNUSED: &str = "unused parameter: ";
const READ_ONLY: &str = "read-only parameter assignment: ";
const DEPRECATED: &str = "will be removed";
const REMOVED: &str = "has been removed";

/// The warning that the registry foretells.
fn foretold(parameter: &Parameter, build: &Build) -> Option<&'static str> {
    let known = parameter.exists_in(build) || parameter.is_legacy_in(build);
    match (parameter.is_deprecated_in(build), known) {
        (true, true) => Some(DEPRECATED),
        (true, false) => Some(REMOVED),
        (false, false) => Some(UNUSED),
        (false, true) if parameter.is_read_only_in(build) => Some(READ_ONLY),
        (false, true) => None,
    }
}

/// Each name that is warned of, the warning, and what to do instead.
fn warnings(stderr: &str) -> BTreeMap<String, (&'static str, String)> {
    let name = |text: &str| text.split([' ', '=']).next().unwrap_or_default().to_owned();
    let mut found = BTreeMap::new();
    for line in stderr.lines().map(|it| it.replace('"', "")) {
        for kind in [UNUSED, READ_ONLY] {
            if let Some((_, rest)) = line.split_once(kind) {
                found.insert(name(rest), (kind, String::new()));
            }
        }
        let Some((_, rest)) = line.split_once("support for parameter ") else { continue };
        for kind in [DEPRECATED, REMOVED] {
            if let Some((_, instead)) = rest.split_once(kind) {
                found.insert(name(rest), (kind, instead.to_owned()));
            }
        }
    }
    found
}

#[test]
fn postconf_warns_of_the_names_that_the_registry_says() {
    let rule = rules::find("deprecated-parameter").expect("it is a rule");
    for judge in judges::all() {
        let build = &judge.build;
        // The defaults change nothing, and keep postconf at work.
        let value = |it: &Parameter| {
            let default = it.exists_in(build).then(|| it.default_in(build));
            default.flatten().unwrap_or("x".into())
        };
        let line = |it: &Parameter| format!("{} = {}\n", it.name, value(it));
        let main_cf: String = postfix::parameters().map(line).collect();
        let chamber = judge.chamber();
        chamber.write("main.cf", main_cf.as_bytes());
        let output = chamber.run_in(".", "postconf", &["-n"]);
        let mut said = warnings(&String::from_utf8_lossy(&output.stderr));
        let fixture = Fixture::new(&main_cf);
        let found = lint::run(rule, &fixture.context(judge.version));
        let found: BTreeSet<&str> =
            found.iter().filter_map(|it| it.primary.text.split(' ').next()).collect();
        let mut numbers = BTreeMap::new();
        for parameter in postfix::parameters() {
            let said = said.remove(parameter.name);
            let what = format!("Postfix {}: {}: {said:?}", build.full_version, parameter.name);
            let Some((kind, advice)) = said else {
                assert_eq!(foretold(parameter, build), None, "{what}");
                continue;
            };
            *numbers.entry(kind).or_insert(0) += 1;
            assert_eq!(foretold(parameter, build), Some(kind), "{what}");
            if [DEPRECATED, REMOVED].contains(&kind) {
                let want = parameter.instead.unwrap_or("do not specify");
                assert!(advice.contains(want), "{what}");
                assert!(found.contains(parameter.name), "the rule is silent: {what}");
            }
        }
        assert!(said.is_empty(), "Postfix {}: {said:?}", build.full_version);
        println!("Postfix {}: {numbers:?}", build.full_version);
    }
}

/// postconf takes a name for used where another parameter's value refers to it, unless that
/// value is one that Postfix does not expand.
#[test]
fn raw_parameters_are_those_whose_references_do_not_count() {
    for judge in judges::all() {
        let build = &judge.build;
        let parameters = || postfix::parameters().filter(|it| it.exists_in(build));
        let mut main_cf = String::new();
        for it in parameters().filter(|it| !it.is_read_only_in(build)) {
            let default = it.default_in(build).unwrap_or("x".into());
            writeln!(main_cf, "{0} = $of_{0}\nof_{0} = {default}", it.name).expect("a string");
        }
        let chamber = judge.chamber();
        chamber.write("main.cf", main_cf.as_bytes());
        let output = chamber.run_in(".", "postconf", &["-n"]);
        let said = warnings(&String::from_utf8_lossy(&output.stderr));
        let said = said.iter().filter(|(_, (kind, _))| *kind == UNUSED).map(|it| it.0.clone());
        let raw =
            parameters().filter(|it| it.kind == Type::Raw).map(|it| format!("of_{}", it.name));
        assert_eq!(said.collect::<Vec<_>>(), raw.collect::<Vec<_>>(), "{}", build.full_version);
    }
}

const PROGRAMS: [&str; 11] = [
    "local",
    "error",
    "virtual",
    "smtp",
    "lmtp",
    "pipe",
    "spawn",
    "discard",
    "smtpd",
    "proxymap",
    "/usr/lib/postfix/sbin/smtp",
];

#[test]
fn services_bring_the_parameters_that_postconf_prints() {
    for judge in judges::all() {
        let chamber = judge.chamber();
        let without = printed(&chamber, &["-d"]);
        let mut ours = BTreeMap::new();
        let mut master_cf = String::new();
        let mut service = |name: &str, program: &str| {
            writeln!(master_cf, "{name} unix - - n - - {program} x=y").expect("it is a string");
            ours.extend(postfix::service_parameters(name, program));
        };
        for (index, program) in PROGRAMS.into_iter().enumerate() {
            service(program, program);
            service(&format!("my-{index}"), program);
        }
        // They have parameters of such names already.
        service("default", "smtp");
        service("smtpd", "smtp");
        service("command", "pipe");
        service("127.0.0.1:10025", "spawn");
        chamber.write("master.cf", master_cf.as_bytes());
        let mut with = printed(&chamber, &["-d"]);
        with.retain(|name, _| !without.contains_key(name));
        let ours: BTreeMap<String, String> =
            ours.into_iter().map(|(name, default)| (name, default.to_owned())).collect();
        assert_eq!(with, ours, "Postfix {}", judge.full_version);
        println!("Postfix {}: {} parameters of services", judge.full_version, with.len());
    }
}

#[test]
fn dictionary_clients_have_the_parameters_that_postconf_knows() {
    const TYPES: [&str; 8] =
        ["ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite", "hash", "socketmap"];
    let suffixes = |kind, version| postfix::client_suffixes(kind, version);
    let all: BTreeSet<&str> = TYPES
        .iter()
        .flat_map(|kind| suffixes(kind, Version::NEWEST))
        .chain(["x", "server", "host"])
        .collect();
    for judge in judges::all() {
        let mut main_cf = String::from("virtual_alias_maps =");
        let mut ours = BTreeSet::new();
        for kind in TYPES {
            for adapter in ["", "proxy:", "debug:", "debug:proxy:", "fail:"] {
                let known =
                    adapter.split_terminator(':').all(|it| postfix::is_adapter(it, judge.version));
                let name = format!("{}{kind}", adapter.replace(':', "_"));
                write!(main_cf, " {adapter}{kind}:{name}").expect("it is a string");
                if known {
                    ours.extend(suffixes(kind, judge.version).map(|it| format!("{name}_{it}")));
                }
            }
        }
        main_cf.push('\n');
        let mut names = BTreeSet::new();
        for kind in TYPES {
            for adapter in ["", "proxy_", "debug_", "debug_proxy_", "fail_"] {
                names.extend(all.iter().map(|it| format!("{adapter}{kind}_{it}")));
            }
        }
        for name in &names {
            writeln!(main_cf, "{name} = x").expect("it is a string");
        }
        let chamber = judge.chamber();
        chamber.write("main.cf", main_cf.as_bytes());
        let output = chamber.run_in(".", "postconf", &["-n"]);
        let said = warnings(&String::from_utf8_lossy(&output.stderr));
        let used: BTreeSet<String> =
            names.into_iter().filter(|it| !said.contains_key(it)).collect();
        assert_eq!(used, ours, "Postfix {}", judge.full_version);
        println!("Postfix {}: {} parameters of tables", judge.full_version, used.len());
    }
}
