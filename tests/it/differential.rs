//! postls reads exactly what Postfix reads: what `postls show` prints of real files and of generated
//! ones is what postconf and postmap of every version at hand print, byte for byte.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postls::config::{ConfigDirectory, Configuration, Effective, Environment, Services, texthash};
use postls::host::{Host as _, System};
use postls::report::postconf::{self, Values};
use postls::text::Sources;

use crate::generator::{MAIN_CF, Random, TABLE, bases, configuration, edited, rounds};
use crate::judges::{self, Chamber, Judge};

/// What postconf is asked, and the name of the file for its answer.
const QUESTIONS: [(&str, &str); 6] =
    [("-n", "n"), ("-nx", "nx"), ("-M", "M"), ("-Mx", "Mx"), ("-P", "P"), ("-Px", "Px")];

/// One configuration.
struct Case {
    /// For a message.
    name: String,
    main_cf: Vec<u8>,
    master_cf: Vec<u8>,
}

/// What was compared with one version.
#[derive(Default)]
struct Tally {
    files: usize,
    generated: usize,
    /// Those where postconf looked at this host's network, which postls does not.
    left_out: usize,
    differences: String,
}

#[test]
fn postconf_prints_the_same_of_real_files() {
    let cases = real_configurations();
    compare(&cases, |tally| tally.files += 1);
}

#[test]
fn postconf_prints_the_same_of_generated_files() {
    let bases = bases(|it| it == "main.cf", MAIN_CF);
    let mut cases = Vec::new();
    rounds(120, |seed, round, random| {
        let (mut main_cf, mut master_cf) = configuration(random);
        match random.below(6) {
            0 => main_cf = edited(&bases, random),
            1 => main_cf = edited(&[main_cf], random),
            2 => master_cf = edited(&[master_cf], random),
            _ => {}
        }
        let name = format!("POSTLS_SEED={seed} round {round}");
        cases.push(Case { name, main_cf, master_cf });
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
            differences.matches("== ").count(),
            if *left_out > 0 {
                format!(" ({left_out} left out: the host's network)")
            } else {
                String::new()
            }
        );
        failed.push_str(differences);
    }
    if let Ok(path) = std::env::var("POSTLS_DIFFERENCES") {
        let _ = fs::write(path, &failed);
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
    for start in (0..cases.len()).step_by(40) {
        let end = cases.len().min(start + 40);
        let mut script = String::new();
        for index in start..end {
            script.push_str("( ");
            for (option, file) in QUESTIONS {
                let at = chamber.path().join(index.to_string());
                let at = at.display();
                write!(script, "postconf -c {at} {option} >{at}/{file} 2>{at}/{file}.err; echo $? >{at}/{file}.status; ")
                    .expect("a String takes all");
            }
            script.push_str(") &\n");
        }
        chamber.shell(&format!("{script}wait"));
    }
}

fn compare_one(judge: &Judge, chamber: &Chamber<'_>, index: usize, case: &Case, tally: &mut Tally) {
    let directory = chamber.path().join(index.to_string());
    let directory = directory.to_str().expect("a plain name").to_owned();
    for (option, file) in QUESTIONS {
        let answer = |end: &str| {
            fs::read(chamber.path().join(format!("{index}/{file}{end}"))).expect("it was written")
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
        let ours = show(judge, &directory, option, case);
        if ours == theirs {
            continue;
        }
        let show = |text: &Option<Vec<u8>>| match text {
            Some(text) => text.escape_ascii().to_string().replace("\\n", "\n  "),
            None => "refused".to_owned(),
        };
        let (ours, theirs) = (show(&ours), show(&theirs));
        let (ours, theirs) = first_difference(&ours, &theirs);
        writeln!(
            tally.differences,
            "== {} postconf {option}, {}\npostls:   {ours}\npostconf: {theirs}\n{says}main.cf: {}\nmaster.cf: {}",
            judge.full_version,
            case.name,
            case.main_cf.escape_ascii(),
            case.master_cf.escape_ascii(),
        )
        .expect("a String takes all");
        return;
    }
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

/// What postls prints; `None` where it says that Postfix refuses the files.
fn show(judge: &Judge, directory: &str, option: &str, case: &Case) -> Option<Vec<u8>> {
    let mut sources = Sources::default();
    let main_cf = sources.add("main.cf", case.main_cf.clone());
    let master_cf = sources.add("master.cf", case.master_cf.clone());
    let environment = Environment {
        hostname: System.hostname(),
        config_directory: ConfigDirectory::Named(directory.as_bytes().to_vec()),
        ..Environment::from(judge.build())
    };
    let main = Configuration::new(&sources, main_cf, environment);
    let services = Services::new(&sources, master_cf);
    let effective = Effective::new(&main, Some(&services));
    let names = effective.names();
    if effective.refusal(Some(&services), &names).is_some() {
        return None;
    }
    let values = if option.ends_with('x') { Values::Expanded } else { Values::Written };
    match &option[..2] {
        "-n" => postconf::settings(&effective, &names, values).ok(),
        "-M" => postconf::services(&effective, &services, values).ok(),
        _ => postconf::overrides(&effective, values).ok(),
    }
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
    let case = |name: &Path, main_cf: Vec<u8>, master_cf: Vec<u8>| Case {
        name: name.display().to_string(),
        main_cf,
        master_cf,
    };
    let mut cases: Vec<Case> = directories
        .iter()
        .map(|it| case(it, read(&it.join("main.cf")), read(&it.join("master.cf"))))
        .collect();
    cases.extend(listed("main").iter().map(|it| case(it, read(it), Vec::new())));
    cases.extend(listed("master").iter().map(|it| case(it, Vec::new(), read(it))));
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
    rounds(100, |_, _, random: &mut Random| tables.push(edited(&bases, random)));
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
