//! Whatever postconf complains of, lint finds too, at the right name or line, and all of it in one
//! run; and of names lint says no more than postconf does. Of every version at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postls::config::{Environment, Services};
use postls::finding::{Finding, Label};
use postls::host::{Host as _, System};
use postls::lint::{self, Context};
use postls::rules;
use postls::text::{Sources, Span};

use crate::corpus;
use crate::fixture;
use crate::generator::{MAIN_CF, bases, configuration, edited, rounds};
use crate::judges::{self, Chamber, Judge};

/// What postconf says, the rules that say the same, and what the message names behind those words.
const COMPLAINTS: &[(&str, &[&str], Place)] = &[
    ("unused parameter: ", &["unused-parameter", "byte-order-mark"], Place::Name),
    ("undefined parameter: ", &["undefined-parameter", "undefined-restriction-class"], Place::Name),
    ("support for parameter ", &["deprecated-parameter"], Place::Name),
    ("read-only parameter assignment: ", &["read-only-parameter"], Place::Name),
    ("overriding earlier entry: ", &["duplicate-parameter"], Place::Name),
    ("logical line must not start with whitespace", &["orphan-continuation"], Place::File),
    ("text after null byte may be ignored", &["null-byte"], Place::File),
    (
        "bad field count",
        &["master-fields-missing", "byte-order-mark", "merge-conflict-marker"],
        Place::Line,
    ),
    (" field \"", &["master-field-invalid"], Place::File),
    (
        "/main.cf, line ",
        &["missing-equals", "missing-parameter-name", "byte-order-mark", "merge-conflict-marker"],
        Place::Line,
    ),
    ("missing '=' after attribute name", &["master-override-malformed"], Place::File),
    ("missing attribute name", &["master-override-malformed"], Place::File),
    (
        "master.cf: missing '}' in",
        &["master-argument-braces", "master-override-malformed"],
        Place::File,
    ),
    (
        "master.cf: syntax error after '}'",
        &["master-argument-braces", "master-override-malformed"],
        Place::File,
    ),
    ("missing '}' in", &["braces-unbalanced"], Place::File),
    ("syntax error after '}'", &["braces-unbalanced"], Place::File),
    ("#comment after other text is not allowed", &["inline-comment"], Place::File),
    ("macro processing error", &["value-unexpandable", "compatibility-level-invalid"], Place::File),
    ("empty macro name", &["value-unexpandable"], Place::File),
    ("truncated macro reference", &["value-unexpandable"], Place::File),
    ("attribute name syntax error", &["value-unexpandable"], Place::File),
    ("unreasonable macro call nesting", &["value-unexpandable"], Place::File),
    ("expected at", &["value-unexpandable"], Place::File),
    ("unexpected input at", &["value-unexpandable"], Place::File),
    ("bad operator suffix at", &["value-unexpandable"], Place::File),
    (
        "malformed compatibility level",
        &["value-unexpandable", "compatibility-level-invalid"],
        Place::File,
    ),
    ("bad domain argument", &["value-unexpandable"], Place::File),
    ("mynetworks mask style value", &["mynetworks-style-invalid", "inline-comment"], Place::File),
    ("bad mynetworks_style value", &["mynetworks-style-invalid", "inline-comment"], Place::File),
    ("unknown inet_protocols value", &["inet-protocols-invalid", "inline-comment"], Place::File),
    ("unbalanced {} in attribute expression", &["value-unexpandable"], Place::File),
    ("Problem translating domain", &["value-unexpandable"], Place::File),
    ("unknown function", &["value-unexpandable"], Place::File),
];

/// What no rule can know, since it depends on the host that postconf runs on.
const OF_THE_HOST: &[&str] = &[
    "host not found",
    "no local interface found",
    "could not find any active network",
    // What the option -c says is there before main.cf.
    "overriding earlier entry: config_directory=",
    // Client files, such as mysql:/etc/postfix/x.cf.
    " configuration \"/",
    // Where the explanations are, after a complaint.
    "DEPRECATION_README",
];

/// The rules whose findings are all things that postconf says, if it comes to its end.
const NO_MORE_THAN_POSTCONF: &[&str] = &[
    "unused-parameter",
    "undefined-parameter",
    "undefined-restriction-class",
    "read-only-parameter",
    "braces-unbalanced",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The name that follows is what the finding marks.
    Name,
    /// A line number; the finding is there.
    Line,
    /// Anywhere in the file.
    File,
}

struct Case {
    name: String,
    main_cf: Vec<u8>,
    master_cf: Vec<u8>,
}

#[test]
fn lint_finds_what_postconf_complains_of() {
    let cases = cases();
    let mut failed = String::new();
    for judge in judges::all() {
        let chamber = judge.chamber();
        ask(&chamber, &cases);
        let (mut complaints, mut count, mut unmatched) = (0, 0, String::new());
        for (index, case) in cases.iter().enumerate() {
            let read = |end: &str| {
                fs::read(chamber.path().join(format!("{index}/{end}"))).expect("it was written")
            };
            let said = String::from_utf8_lossy(&read("said")).into_owned();
            let said: BTreeSet<&str> =
                said.lines().filter_map(|it| it.strip_prefix("postconf: ")).collect();
            let mut problems = compare(judge, case, &said, read("status") == b"0\n");
            complaints += said.len();
            problems.dedup();
            count += problems.len();
            if !problems.is_empty() {
                write!(
                    unmatched,
                    "== Postfix {}, {}\n{}\nmain.cf: {}\nmaster.cf: {}\n",
                    judge.full_version,
                    case.name,
                    problems.join("\n"),
                    case.main_cf.escape_ascii(),
                    case.master_cf.escape_ascii(),
                )
                .expect("a String takes all");
            }
        }
        let (version, files) = (&judge.full_version, cases.len());
        println!("Postfix {version}: {files} files, {complaints} complaints, {count} unmatched");
        failed.push_str(&unmatched);
    }
    assert!(failed.is_empty(), "{}", failed.chars().take(80000).collect::<String>());
}

/// What one side says and the other does not.
fn compare(judge: &Judge, case: &Case, said: &BTreeSet<&str>, ended: bool) -> Vec<String> {
    let mut sources = Sources::default();
    let main_cf = sources.add("main.cf", case.main_cf.clone());
    let master_cf = sources.add("master.cf", case.master_cf.clone());
    let environment =
        Environment { hostname: System.hostname(), ..Environment::from(judge.build.clone()) };
    let mut context = Context::new(&sources, Some(main_cf), environment);
    context.add_services(master_cf);
    // Each rule by itself: what is one finding for people may be several mistakes for postconf.
    let found: Vec<Finding> =
        rules::all().flat_map(|it| lint::run(it, &context)).flat_map(each_place).collect();
    let mut problems = Vec::new();
    // What people get says no less.
    let all = lint::run_all(rules::all(), &context);
    let places = all.iter().flat_map(|it| [&it.primary].into_iter().chain(&it.related));
    let places: BTreeSet<Span> = places.map(|it| it.span).collect();
    for it in found.iter().filter(|it| !places.contains(&it.primary.span)) {
        problems.push(format!("lint says nothing where {} does: {}", it.rule, it.primary.text));
    }
    let is_of_host = |it: &str| OF_THE_HOST.iter().any(|host| it.contains(host));
    // In a value with a mistake postconf reads on, and lint does not.
    let unreadable = found.iter().any(|it| it.rule == "value-unexpandable");
    let misread = context.services.as_ref().is_some_and(misreads);
    let is_excused = |it: &&&str| {
        is_of_host(it)
            || (unreadable && it.contains("undefined parameter: "))
            || (misread && it.contains("/master.cf: "))
    };
    for complaint in said.iter().filter(|it| !is_excused(it)) {
        let known = COMPLAINTS.iter().find(|(words, _, _)| complaint.contains(words));
        let matched = known.is_some_and(|(words, rules, place)| {
            let behind = &complaint[complaint.find(words).expect("it was found") + words.len()..];
            found.iter().any(|it| {
                rules.contains(&it.rule) && is_there(&sources, it, complaint, behind, *place)
            })
        });
        if !matched {
            problems.push(format!("postconf says, and lint does not: {complaint}"));
        }
    }
    if ended && !misread {
        for finding in found.iter().filter(|it| NO_MORE_THAN_POSTCONF.contains(&it.rule)) {
            let confirmed = said.iter().any(|complaint| {
                COMPLAINTS.iter().any(|(words, rules, place)| {
                    rules.contains(&finding.rule)
                        && complaint.split_once(words).is_some_and(|(_, behind)| {
                            is_there(&sources, finding, complaint, behind, *place)
                        })
                })
            });
            if !confirmed {
                problems.push(format!(
                    "lint says, and postconf does not: {} {}",
                    finding.rule, finding.primary.text
                ));
            }
        }
    }
    problems
}

/// One finding for each place of a mistake that is said once.
fn each_place(finding: Finding) -> Vec<Finding> {
    if !["undefined-parameter", "value-unexpandable"].contains(&finding.rule) {
        return vec![finding];
    }
    let others = finding.related.iter().map(|it| {
        let text = finding.primary.text.clone();
        Finding { primary: Label { span: it.span, text }, ..finding.clone() }
    });
    let others: Vec<Finding> = others.collect();
    [finding].into_iter().chain(others).collect()
}

/// Whether a finding is where the complaint says.
fn is_there(
    sources: &Sources,
    finding: &Finding,
    complaint: &str,
    behind: &str,
    place: Place,
) -> bool {
    let span = finding.primary.span;
    let file = sources.of(span).name();
    let other = if file == "main.cf" { "/master.cf" } else { "/main.cf" };
    if complaint.contains(other) {
        return false;
    }
    let line = sources.of(span).line_column(span.start).0.number();
    match place {
        Place::File => true,
        Place::Line => complaint.contains(&format!("line {line}:")),
        Place::Name if finding.rule == "byte-order-mark" => behind.starts_with("???"),
        Place::Name => {
            let name = behind.trim_start_matches('"').split(['=', '"', ' ']).next();
            let ours = sources.bytes(span);
            // A part of a value cannot always be marked by itself.
            let exact = name.is_some_and(|it| it == printable(ours) || it.as_bytes() == ours);
            let text = printable(finding.primary.text.as_bytes());
            exact || name.is_some_and(|it| text.contains(it) && ours.len() > it.len())
        }
    }
}

/// Whether postconf reads other `-o` values than programs do: it takes each `o` in
/// `-osmtpd_tls_loglevel=1` for the option `-o`, and goes on behind options that it does not know.
fn misreads(services: &Services<'_>) -> bool {
    let mut theirs = BTreeMap::new();
    for scope in services.scopes() {
        for (name, local) in scope.settings.unwrap_or_default() {
            let of = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            theirs.insert((of(&scope.name), of(&name)), local.name_span);
        }
    }
    // Of two with one name in a service, the last one counts.
    let ours = services.overrides().map(|it| ((it.service, it.name), it.name_span));
    ours.collect::<BTreeMap<_, _>>() != theirs
}

/// As postconf prints it.
fn printable(bytes: &[u8]) -> String {
    let show = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '?' };
    bytes.iter().map(show).collect()
}

/// Lets the judge read all cases.
fn ask(chamber: &Chamber<'_>, cases: &[Case]) {
    for (index, case) in cases.iter().enumerate() {
        chamber.write(&format!("{index}/main.cf"), &case.main_cf);
        chamber.write(&format!("{index}/master.cf"), &case.master_cf);
    }
    chamber.side_by_side((0..cases.len()).map(|index| {
        let at = chamber.path().join(index.to_string());
        let at = at.display();
        format!("postconf -c {at} -n >/dev/null 2>{at}/said; echo $? >{at}/status")
    }));
}

/// Real files where they are at hand, the examples, the rules' own examples and cases, and
/// generated ones.
fn cases() -> Vec<Case> {
    let read = |path: PathBuf| fs::read(path).unwrap_or_default();
    let listed = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
        paths.sort();
        paths
    };
    let mut cases = Vec::new();
    let mut add = |name: String, main_cf, master_cf| cases.push(Case { name, main_cf, master_cf });
    let mut directories = listed(&corpus::folder("pairs"));
    directories.extend(["examples/blog", "examples/mailhost"].map(PathBuf::from));
    for path in directories {
        let [main_cf, master_cf] = ["main.cf", "master.cf"].map(|it| read(path.join(it)));
        add(path.display().to_string(), main_cf, master_cf);
    }
    for path in listed(&corpus::folder("main")) {
        add(path.display().to_string(), read(path), Vec::new());
    }
    for path in listed(&corpus::folder("master")) {
        add(path.display().to_string(), b"mynetworks = 127.0.0.0/8\n".to_vec(), read(path));
    }
    for rule in rules::all() {
        let of_rule = Path::new("tests/cases").join(rule.id.replace('-', "_"));
        let more = listed(&of_rule).into_iter();
        let more = more.map(|it| String::from_utf8(read(it)).expect("fixtures are UTF-8"));
        for text in [rule.bad.to_owned(), rule.good.to_owned()].into_iter().chain(more) {
            let files = fixture::files(&text);
            let file = |name| files.iter().find(|it| it.0 == name).map(|it| it.1.into());
            let Some(main_cf) = file("main.cf") else { continue };
            add(rule.id.to_owned(), main_cf, file("master.cf").unwrap_or_default());
        }
    }
    let bases = bases(|it| it == "main.cf", MAIN_CF);
    rounds(60, |seed, round, random| {
        let (mut main_cf, mut master_cf) = configuration(random);
        match random.below(4) {
            0 => main_cf = edited(&bases, random),
            1 => main_cf = edited(&[main_cf], random),
            2 => master_cf = edited(&[master_cf], random),
            _ => {}
        }
        add(format!("POSTLS_SEED={seed} round {round}"), main_cf, master_cf);
    });
    cases
}
