//! postls reads exactly what Postfix reads: what `postls show` prints of real files and of generated
//! ones is what postconf and postmap of every version at hand print, byte for byte.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postls::config::{
    ConfigDirectory, Configuration, Effective, Environment, Interface, Services, Within, texthash,
};
use postls::host::{Host as _, System};
use postls::report::postconf::{self, Values};
use postls::syntax::master_cf;
use postls::text::Sources;

use crate::generator::{MAIN_CF, Random, TABLE, bases, configuration, edited, rounds};
use crate::judges::{self, Chamber, Judge};

/// What postconf is asked of main.cf, and of master.cf.
const MAIN: &[&str] = &["-n", "-nx"];
const MASTER: &[&str] = &["-M", "-Mx", "-P", "-Px"];
const ALL: &[&str] = &["-n", "-nx", "-M", "-Mx", "-P", "-Px"];

/// One configuration.
struct Case {
    /// For a message.
    name: String,
    main_cf: Vec<u8>,
    master_cf: Vec<u8>,
    questions: &'static [&'static str],
}

/// What was compared with one version.
#[derive(Default)]
struct Tally {
    files: usize,
    generated: usize,
    /// Those where postconf looked at this host's network, which postls does not, or
    /// at memory that is none of its business.
    left_out: usize,
    differences: Vec<String>,
}

#[test]
fn postconf_prints_the_same_of_real_files() {
    let cases = real_configurations();
    compare(&cases, |tally| tally.files += 1);
}

/// What generated files and real ones have found: main.cf and a service of master.cf.
const FOUND: &[(&str, &str)] = &[
    // Defaults of other parameters are no part of it when mydomain is read for myhostname.
    ("mydomain = ${mail_name:$}\nmynetworks =\n", ""),
    ("myhostname = ${mail_name?{a.b}:{$}}\nmynetworks =\n", ""),
    ("smtpd_restriction_classes = ${mail_name:$}\nmynetworks =\n", ""),
    // Only the first word that is no option stands without its braces.
    ("mynetworks =\n", "a unix - - n - - pipe -v {a b} {c d} -o x=y"),
    // Each "o" of an option is an option to postconf.
    ("mynetworks =\n", "a unix - - n - - smtp -osmtp_tls_loglevel=1 -vo a=b --oa=b"),
    ("mynetworks =\n", "a unix - - n - - smtp -o { a = b\n b unix - - n - - smtp -o {a=b}c -o {a}"),
    // Of two services with one name, the settings are those of both.
    ("x = 1\nmynetworks =\n", "a unix - - n - - smtp -o x=$y\na unix - - n - - lmtp -o y=2 -o x=3"),
    // Addresses are sorted, and looked for on the host.
    ("inet_interfaces = [::1], 127.0.0.1\nrelayhost = <$mynetworks>\n", ""),
    ("inet_protocols = ipv5\n", ""),
    ("mynetworks_style = host, subnet\n", ""),
    ("mynetworks_style = host, host\n", ""),
    // The value of a raw parameter, from 3.11 on.
    (
        "relayhost = $luser_relay ${{$luser_relay} == {@x}}\nluser_relay = $user@x\nmynetworks =\n",
        "",
    ),
    ("relayhost = $service_name $process_name $virtual_maps\nprocess_name = x\nmynetworks =\n", ""),
    (
        "virtual_alias_maps = proxy:ldap:users, {debug:ldap:b}\nusers_bind = no\nb_bind = no\nmynetworks =\n",
        "",
    ),
    (
        "virtual_alias_maps = pcre:{{/#ldap:a/ b}} # ldap:users\na_bind = x\nusers_bind = no\nmynetworks =\n",
        "",
    ),
];

#[test]
fn postconf_prints_the_same_of_what_was_found_before() {
    let case = |(main_cf, service): &(&str, &str)| Case {
        name: (*main_cf).to_owned(),
        main_cf: main_cf.as_bytes().to_vec(),
        master_cf: format!("{service}\n").into_bytes(),
        questions: ALL,
    };
    let cases: Vec<Case> = FOUND.iter().map(case).collect();
    compare(&cases, |tally| tally.files += 1);
}

#[test]
fn postconf_prints_the_same_of_generated_files() {
    let bases = bases(|it| it == "main.cf", MAIN_CF);
    let mut cases = Vec::new();
    rounds(80, |seed, round, random| {
        let (mut main_cf, mut master_cf) = configuration(random);
        match random.below(6) {
            0 => main_cf = edited(&bases, random),
            1 => main_cf = edited(&[main_cf], random),
            2 => master_cf = edited(&[master_cf], random),
            _ => {}
        }
        let name = format!("POSTLS_SEED={seed} round {round}");
        cases.push(Case { name, main_cf, master_cf, questions: ALL });
    });
    compare(&cases, |tally| tally.generated += 1);
}

/// Asks every judge about each of the cases, and fails with the differences.
fn compare(cases: &[Case], count: impl Fn(&mut Tally)) {
    let mut failed = String::new();
    for judge in judges::all() {
        let mut tally = Tally::default();
        let chamber = judge.chamber();
        ask(&chamber, cases);
        for (index, case) in cases.iter().enumerate() {
            count(&mut tally);
            compare_one(judge, &chamber, index, case, &mut tally);
        }
        let Tally { files, generated, left_out, differences } = &tally;
        println!(
            "Postfix {}: {files} files, {generated} generated cases, {} differences{}",
            judge.full_version,
            differences.len(),
            if *left_out > 0 { format!(" ({left_out} left out)") } else { String::new() }
        );
        assert!(left_out * 4 < cases.len().max(4), "{left_out} of {} left out", cases.len());
        failed.push_str(&differences.concat());
    }
    let shown: String = failed.chars().take(6000).collect();
    assert!(failed.is_empty(), "{shown}");
}

/// Lets the judge answer all questions about all cases, side by side: a program
/// of Postfix that gives up sleeps for a second before it does.
fn ask(chamber: &Chamber<'_>, cases: &[Case]) {
    for (index, case) in cases.iter().enumerate() {
        chamber.write(&format!("{index}/main.cf"), &case.main_cf);
        chamber.write(&format!("{index}/master.cf"), &case.master_cf);
    }
    let script = |(index, case): (usize, &Case)| {
        let at = chamber.path().join(index.to_string());
        let at = at.display();
        let ask = |option: &&str| {
            format!(
                "postconf -c {at} {option} >{at}/{option} 2>{at}/{option}.err; \
                 echo $? >{at}/{option}.status"
            )
        };
        let asked: Vec<String> = case.questions.iter().map(ask).collect();
        asked.join("; ")
    };
    chamber.side_by_side(cases.iter().enumerate().map(script));
}

fn compare_one(judge: &Judge, chamber: &Chamber<'_>, index: usize, case: &Case, tally: &mut Tally) {
    let directory = chamber.path().join(index.to_string());
    if has_lone_dash(&case.master_cf) {
        tally.left_out += 1;
        return;
    }
    let ours = show(judge, &directory.to_string_lossy(), case);
    for (option, ours) in case.questions.iter().zip(ours) {
        let answer = |end: &str| {
            fs::read(chamber.path().join(format!("{index}/{option}{end}"))).expect("it was written")
        };
        let theirs = if answer(".status") == b"0\n" { Some(answer("")) } else { None };
        let says = String::from_utf8_lossy(&answer(".err")).into_owned();
        if option.ends_with('x') && names_a_process(case) {
            continue;
        }
        if theirs.is_none() && asks_the_network(&says) {
            tally.left_out += 1;
            return;
        }
        if ours.as_ref().ok() == theirs.as_ref() {
            continue;
        }
        let show = |text: Vec<u8>| text.escape_ascii().to_string().replace("\\n", "\n  ");
        let ours = ours.map_or_else(|why| why, show);
        let theirs = theirs.map_or("refused".to_owned(), show);
        let (ours, theirs) = first_difference(&ours, &theirs);
        tally.differences.push(format!(
            "== {} postconf {option}, {}\npostls:   {ours}\npostconf: {theirs}\n{says}main.cf: {}\nmaster.cf: {}\n",
            judge.full_version,
            case.name,
            case.main_cf.escape_ascii(),
            case.master_cf.escape_ascii(),
        ));
        return;
    }
}

/// postconf reads behind the end of an argument that is `-`, and prints what it finds there.
fn has_lone_dash(master_cf: &[u8]) -> bool {
    let parsed = master_cf::parse(master_cf);
    let is_dash = |service: &master_cf::Service| {
        service.text(master_cf).pieces().iter().any(|it| *it.text == *b"-")
    };
    parsed.services().any(is_dash)
}

/// `$process_id` is postconf's own.
fn names_a_process(case: &Case) -> bool {
    [&case.main_cf, &case.master_cf]
        .iter()
        .any(|it| memchr::memmem::find(it, b"process_id").is_some())
}

fn asks_the_network(says: &str) -> bool {
    ["host not found", "no local interface found", "could not find any active network"]
        .iter()
        .any(|it| says.contains(it))
}

/// The first lines of two texts that are not the same.
fn first_difference<'t>(ours: &'t str, theirs: &'t str) -> (&'t str, &'t str) {
    let mut pair = (ours.lines(), theirs.lines());
    loop {
        match (pair.0.next(), pair.1.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => return (a.unwrap_or("(end)"), b.unwrap_or("(end)")),
        }
    }
}

/// The value of every parameter, set or not, at several levels of compatibility.
#[test]
fn every_parameter_has_the_value_that_postconf_says() {
    let mailhost = fs::read_to_string("examples/mailhost/main.cf").expect("it is an example");
    let master_cf = fs::read_to_string("examples/mailhost/master.cf").expect("it is an example");
    let main_cf = [
        String::new(),
        "compatibility_level = 2\nmail_name = $process_name$service_name\n".to_owned(),
        "compatibility_level = 3.6\nmyhostname = mx.$mydomain\nmydomain = a.example\n".to_owned(),
        "compatibility_level = 3.11\nmyhostname = mx\nstress = yes\nsmtp_use_tls = yes\n"
            .to_owned(),
        "myhostname = mx.b.example\nfallback_relay = c.example\nsmtpd_tls_security_level = may\n"
            .to_owned(),
        mailhost,
    ];
    for judge in judges::all() {
        let mut compared = 0;
        for main_cf in &main_cf {
            let chamber = judge.chamber();
            chamber.write("main.cf", main_cf.as_bytes());
            chamber.write("master.cf", master_cf.as_bytes());
            let output = chamber.run_in(".", "postconf", &["-x"]);
            let (mut sources, directory) = (Sources::default(), chamber.path().to_owned());
            let main = sources.add("main.cf", main_cf.clone().into_bytes());
            let services = sources.add("master.cf", master_cf.clone().into_bytes());
            let environment = environment(judge, &directory.to_string_lossy());
            let main = Configuration::new(&sources, main, environment);
            let services = Services::new(&sources, services);
            let effective = Effective::new(&main, Some(&services));
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let (name, theirs) = line.split_once(" =").expect("name = value");
                let value = effective.value(name, Within::Main).0.expect("postconf expands it");
                let words: Vec<&[u8]> = value
                    .split(|byte| b" \t\r\n".contains(byte))
                    .filter(|it| !it.is_empty())
                    .collect();
                let ours = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
                if name != "process_id" {
                    assert_eq!(
                        ours,
                        theirs.trim(),
                        "Postfix {}: {name} in {main_cf:?}",
                        judge.full_version
                    );
                    compared += 1;
                }
            }
        }
        println!("Postfix {}: {compared} values, 0 differences", judge.full_version);
    }
}

fn environment(judge: &Judge, directory: &str) -> Environment {
    Environment {
        hostname: System.hostname(),
        interfaces: System.addresses().into_iter().map(Interface::from).collect(),
        config_directory: ConfigDirectory::Named(directory.as_bytes().to_vec()),
        ..Environment::from(judge.build.clone())
    }
}

/// What postls answers to the questions, or why it says that Postfix refuses the files.
fn show(judge: &Judge, directory: &str, case: &Case) -> Vec<Result<Vec<u8>, String>> {
    let mut sources = Sources::default();
    let main_cf = sources.add("main.cf", case.main_cf.clone());
    let master_cf = sources.add("master.cf", case.master_cf.clone());
    let environment = environment(judge, directory);
    let main = Configuration::new(&sources, main_cf, environment);
    let services = Services::new(&sources, master_cf);
    let effective = Effective::new(&main, Some(&services));
    let names = effective.names();
    let refusal = effective.refusal(Some(&services), &names);
    let answer = |option: &&str| {
        let values = if option.ends_with('x') { Values::Expanded } else { Values::Written };
        match &option[..2] {
            _ if refusal.is_some() => return Err(format!("refused: {refusal:?}")),
            "-n" => postconf::settings(&effective, &names, values),
            "-M" => postconf::services(&effective, &services, values),
            _ => postconf::overrides(&effective, values),
        }
        .map_err(|unexpandable| format!("refused: {unexpandable:?}"))
    };
    case.questions.iter().map(answer).collect()
}

/// main.cf and master.cf of the examples, and of a collection of real files
/// where it is at hand; that is not a part of the project.
fn real_configurations() -> Vec<Case> {
    let mut directories: Vec<PathBuf> =
        ["examples/blog", "examples/mailhost"].map(PathBuf::from).to_vec();
    let corpus = Path::new("../shared/corpus");
    let listed = |folder: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(corpus.join(folder)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
        paths.sort();
        paths
    };
    directories.extend(listed("pairs"));
    let read = |path: &Path| fs::read(path).unwrap_or_default();
    let pair = |directory: &PathBuf| Case {
        name: directory.display().to_string(),
        main_cf: read(&directory.join("main.cf")),
        master_cf: read(&directory.join("master.cf")),
        questions: ALL,
    };
    let alone = |path: PathBuf, questions| {
        let [main_cf, master_cf] =
            if questions == MAIN { [read(&path), Vec::new()] } else { [Vec::new(), read(&path)] };
        Case { name: path.display().to_string(), main_cf, master_cf, questions }
    };
    let mut cases: Vec<Case> = directories.iter().map(pair).collect();
    cases.extend(listed("main").into_iter().map(|it| alone(it, MAIN)));
    cases.extend(listed("master").into_iter().map(|it| alone(it, MASTER)));
    cases
}

#[test]
fn postmap_prints_the_same_rows() {
    let mut tables: Vec<Vec<u8>> = bases(|it| it.contains("policy"), TABLE);
    let corpus = Path::new("../shared/corpus/tables");
    tables.extend(
        fs::read_dir(corpus)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|it| fs::read(it.path()).ok()),
    );
    let given = tables.len();
    let bases = tables.clone();
    rounds(60, |_, _, random: &mut Random| tables.push(edited(&bases, random)));
    for judge in judges::all() {
        let chamber = judge.chamber();
        for (name, utf8) in [("yes", true), ("no", false)] {
            chamber.write("main.cf", format!("smtputf8_enable = {name}\n").as_bytes());
            let at = chamber.path();
            let at = at.display();
            let mut script = String::new();
            for (index, table) in tables.iter().enumerate() {
                chamber.write(&format!("t{index}"), table);
                writeln!(
                    script,
                    "postmap -c {at} -s texthash:{at}/t{index} >{at}/t{index}.out 2>/dev/null"
                )
                .expect("a String takes all");
            }
            chamber.shell(&script);
            for (index, table) in tables.iter().enumerate() {
                let theirs =
                    fs::read(chamber.path().join(format!("t{index}.out"))).expect("it was written");
                let mut theirs: Vec<&[u8]> = theirs.split_inclusive(|it| *it == b'\n').collect();
                let ours = texthash(table, judge.version, utf8).into_iter();
                let ours: Vec<Vec<u8>> =
                    ours.map(|(key, value)| [&key[..], b"\t", &value, b"\n"].concat()).collect();
                let mut ours: Vec<&[u8]> = ours.iter().map(Vec::as_slice).collect();
                ours.sort_unstable();
                theirs.sort_unstable();
                let shown = |rows: &[&[u8]]| rows.concat().escape_ascii().to_string();
                assert_eq!(
                    shown(&ours),
                    shown(&theirs),
                    "Postfix {}, smtputf8_enable = {name}: {}",
                    judge.full_version,
                    table.escape_ascii()
                );
            }
        }
        println!(
            "Postfix {}: {given} tables, {} generated ones, 0 differences",
            judge.full_version,
            tables.len() - given
        );
    }
}
