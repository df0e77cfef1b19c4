//! Plans: main.cf says afterwards what the policy file wants, every other
//! byte is as it was, and a second plan is empty.

use std::collections::BTreeMap;

use postls::config::Configuration;
use postls::plan::{self, Change, Live, Plan, Trend};
use postls::policy::{self, Policies, yaml};
use postls::postfix::{Digest, Version};
use postls::text::Sources;

const POLICY: &str = "version: 1\ndestinations: {a.example: encrypt}\n";

/// A policy file without mistakes.
pub(crate) fn policies(yaml: &str) -> Policies {
    let mut sources = Sources::default();
    let source = sources.add("postls.yaml", yaml.as_bytes().to_vec());
    let file = yaml::read(source, yaml.as_bytes(), yaml::Role::Main);
    let (policies, problems) = policy::join(vec![file]);
    assert!(problems.is_empty(), "{problems:?}");
    policies
}

/// The plan for a main.cf and a table.
pub(crate) fn make(main_cf: &[u8], table: Option<&[u8]>, policies: &Policies, kind: &str) -> Plan {
    let mut sources = Sources::default();
    let source = sources.add("main.cf", main_cf.to_vec());
    let configuration = Configuration::new(&sources, source, Version::new(3, 7));
    let names = ["$config_directory/tls_policy", "/etc/postfix/tls_policy"].map(str::to_owned);
    let live = Live {
        configuration: &configuration,
        table,
        written: None,
        kind,
        index: None,
        digest: Some(Digest::Md5),
        inputs: Vec::new(),
        policy_file: "postls.yaml",
        table_names: &names,
        scopes: &[],
        beside: &[],
    };
    plan::make(&live, policies)
        .unwrap_or_else(|why| panic!("{why}: {:?}", String::from_utf8_lossy(main_cf)))
}

/// main.cf after the plan.
fn after(main_cf: &str, policy: &str) -> String {
    let plan = make(main_cf.as_bytes(), None, &policies(policy), "texthash");
    let new = plan.changes.into_iter().find_map(|change| match change {
        Change::Write { name, new, .. } if name == "main.cf" => Some(new),
        _ => None,
    });
    String::from_utf8(new.unwrap_or_else(|| main_cf.as_bytes().to_vec())).expect("it is UTF-8")
}

#[test]
fn parameters_are_set_where_they_stand() {
    let policy = |parameters: &str| format!("{POLICY}parameters:\n{parameters}");
    let listed = "smtp_tls_policy_maps = texthash:$config_directory/tls_policy\n";
    for (what, before, parameters, want) in [
        ("nothing to do", "a_b = c\n", "  a_b: c", "a_b = c\n"),
        ("a value", "a_b = c # x\nd = e\n", "  a_b: f", "a_b = f\nd = e\n"),
        ("blanks do not count", "a_b =  c,\n   d\n", "  a_b: c, d", "a_b =  c,\n   d\n"),
        ("an empty value", "a_b =\nd = e\n", "  a_b: c", "a_b = c\nd = e\n"),
        ("to an empty value", "a_b = c\n", "  a_b: \"\"", "a_b = \n"),
        (
            "several lines, with comments",
            "a_b = c,\n  # one\n  d,\n\n  e\n# two\nf = g\n",
            "  a_b: h",
            "a_b = h\n  # one\n\n# two\nf = g\n",
        ),
        ("on the next line", "a_b =\n  c\n", "  a_b: d", "a_b =\n  d\n"),
        ("the last one counts", "a_b = c\na_b = d\n", "  a_b: e", "a_b = e\n"),
        ("the last one is right", "a_b = c\n# x\na_b = d\n", "  a_b: d", "# x\na_b = d\n"),
        ("carriage returns", "a_b = c\r\nd = e\r\n", "  a_b: f", "a_b = f\r\nd = e\r\n"),
        ("unset", "a_b = c,\n  # one\n  d\ne = f\na_b = g\n", "  a_b: null", "  # one\ne = f\n"),
        ("unset what is not set", "e = f\n", "  a_b: null", "e = f\n"),
        ("a relative", "a_b_c = 1\nx = y\n", "  a_b_d: 2", "a_b_c = 1\na_b_d = 2\nx = y\n"),
        ("no relative", "a_c = 1\nx = y\n", "  a_b: 2", "a_c = 1\nx = y\na_b = 2\n"),
        ("no newline at the end", "x = y", "  a_b: 2", "x = y\na_b = 2\n"),
    ] {
        let before = format!("{listed}{before}");
        assert_eq!(after(&before, &policy(parameters)), format!("{listed}{want}"), "{what}");
    }
}

#[test]
fn the_table_is_first_in_its_list_and_the_others_stay() {
    let own = "texthash:$config_directory/tls_policy";
    for (before, want) in [
        ("", &*format!("smtp_tls_policy_maps = {own}\n")),
        ("smtp_tls_policy_maps =\n", &format!("smtp_tls_policy_maps = {own}\n")),
        (
            "smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:QUERY\n",
            &format!("smtp_tls_policy_maps = {own} socketmap:inet:127.0.0.1:8461:QUERY\n"),
        ),
        (
            "smtp_tls_policy_maps = lmdb:/x,\n  # why\n  regexp:/y\n",
            &format!("smtp_tls_policy_maps = {own}, lmdb:/x,\n  # why\n  regexp:/y\n"),
        ),
        (
            "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy, lmdb:/x\n",
            "smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy, lmdb:/x\n",
        ),
        (
            "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy lmdb:/x\n",
            &format!("smtp_tls_policy_maps = {own} lmdb:/x\n"),
        ),
        (
            "smtp_tls_policy_maps = lmdb:/x, hash:/etc/postfix/tls_policy, lmdb:/y\n",
            &format!("smtp_tls_policy_maps = {own}, lmdb:/x, lmdb:/y\n"),
        ),
        (
            "indexed = hash:/etc/postfix/\nsmtp_tls_policy_maps = ${indexed}tls_policy\n",
            &format!("indexed = hash:/etc/postfix/\nsmtp_tls_policy_maps = {own}\n"),
        ),
        (
            "smtp_tls_policy_maps = proxy:texthash:$config_directory/tls_policy\n",
            "smtp_tls_policy_maps = proxy:texthash:$config_directory/tls_policy\n",
        ),
    ] {
        assert_eq!(after(before, POLICY), want, "{before}");
    }
}

#[test]
fn a_plan_says_what_it_means() {
    let policy = policies(
        "version: 1\nparameters: {smtp_tls_security_level: may, smtp_use_tls: null}\n\
         destinations: {a.example: secure, b.example: may, c.example: encrypt, t.example: {level: secure, testing: true}}\n",
    );
    let live = b"A.example encrypt\nb.example encrypt\nc.example   encrypt\nold.example may\nt.example may\n";
    let main_cf = b"smtp_use_tls = yes\nsmtp_tls_security_level=may\nsmtp_tls_CAfile = /x\n\
        smtp_tls_policy_maps = hash:$config_directory/tls_policy\n";
    let plan = make(main_cf, Some(live), &policy, "lmdb");
    let trends: Vec<(&str, Trend)> =
        plan.policies.iter().map(|it| (it.destination.as_str(), it.shift.trend)).collect();
    assert_eq!(
        trends,
        [
            ("a.example", Trend::Raised),
            ("b.example", Trend::Lowered),
            ("old.example", Trend::Removed),
            ("t.example", Trend::Removed),
        ]
    );
    assert_eq!(plan.foreign().collect::<Vec<_>>(), ["old.example", "t.example"]);
    let names: Vec<&str> = plan.parameters.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["smtp_use_tls", "smtp_tls_policy_maps"]);
    let files: Vec<String> = plan
        .changes
        .iter()
        .map(|it| match it {
            Change::Write { name, .. } => name.clone(),
            Change::Index { kind, name, .. } => format!("{kind}:{name}"),
            Change::Remove { name, .. } => format!("no {name}"),
        })
        .collect();
    assert_eq!(files, ["lmdb:tls_policy", "tls_policy", "main.cf"], "main.cf is the last one");
}

/// Random main.cf files and random wishes, from a fixed seed.
#[test]
fn a_plan_reaches_its_goal_touches_nothing_else_and_is_then_empty() {
    const LINES: [&str; 16] = [
        "smtp_tls_security_level = may",
        "smtp_tls_security_level =",
        "smtp_tls_security_level\n = encrypt",
        "smtp_tls_security_level = none\n# c\n   ",
        "smtp_tls_loglevel = 1,\n  # comment\n\n  2",
        "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy, lmdb:/x",
        "smtp_tls_policy_maps = lmdb:/x\n  texthash:$config_directory/tls_policy",
        "smtp_tls_policy_maps=\n\tregexp:{{/x/ y}},\n\t# c\n\tproxy:hash:/etc/postfix/tls_policy",
        "relayhost = [x]:587",
        "# a comment\n  # an indented one",
        "",
        "   ",
        "not an entry",
        "= neither",
        "mydestination = a\r\n  b\r",
        "\u{e9} = \u{fc}",
    ];
    let wishes = [
        "{}",
        "{smtp_tls_security_level: dane}",
        "{smtp_tls_security_level: null, smtp_tls_loglevel: \"1\"}",
        "{smtp_tls_loglevel: null, smtp_tls_fingerprint_digest: sha256, relayhost: \"\"}",
    ];
    let mut random = 0x9e37_79b9_u32;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize % below
    };
    for round in 0..2000 {
        let count = next(8);
        let mut main_cf: Vec<&str> = (0..count).map(|_| LINES[next(LINES.len())]).collect();
        if next(2) == 0 {
            main_cf.push("");
        }
        let main_cf = main_cf.join("\n");
        let wish = wishes[next(wishes.len())];
        let policy = format!("{POLICY}parameters: {wish}\n");
        let result = after(&main_cf, &policy);
        let again = after(&result, &policy);
        assert_eq!(again, result, "round {round}: {main_cf:?} with {wish} is not stable");
        let (before, now) = (entries(&main_cf), entries(&result));
        let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
        names.sort_unstable();
        for name in names {
            let touched = wish.contains(name.as_str()) || name == "smtp_tls_policy_maps";
            assert!(
                touched || before.get(name) == now.get(name),
                "round {round}: {main_cf:?} with {wish} changes {name}"
            );
        }
        let is = |name: &str| now.get(name).map(String::as_str);
        if wish.contains("smtp_tls_security_level: dane") {
            assert_eq!(is("smtp_tls_security_level"), Some("dane"), "round {round}: {main_cf:?}");
        }
        if wish.contains("smtp_tls_loglevel: null") {
            assert_eq!(is("smtp_tls_loglevel"), None, "round {round}: {main_cf:?}");
        }
        let maps = is("smtp_tls_policy_maps").expect("it is always listed");
        assert_eq!(
            maps.matches("tls_policy").count(),
            1,
            "round {round}: {main_cf:?} gives {maps}"
        );
        let comments =
            |text: &str| text.lines().filter(|it| it.trim_start().starts_with('#')).count();
        assert_eq!(
            comments(&main_cf),
            comments(&result),
            "round {round}: {main_cf:?} loses a comment"
        );
    }
}

/// The values that count.
fn entries(main_cf: &str) -> BTreeMap<String, String> {
    let bytes = main_cf.as_bytes();
    let parsed = postls::syntax::main_cf::parse(bytes);
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    parsed
        .entries()
        .map(|it| (text(&bytes[it.name.clone()]), text(it.value_text(bytes).text())))
        .collect()
}
