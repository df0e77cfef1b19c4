//! Speed, with the peer beside it in the same run: `cargo bench --bench speed`.
//!
//! A measurement, not a test: it says what is so on this machine and exits with
//! 0. The programs take turns, so that a slow moment of the machine is one for
//! both; figures are medians. A peer that is not installed is said to be
//! missing, and its ratio is left out; so is memory where GNU time is missing.

mod apply;
mod inputs;
#[cfg(feature = "probe")]
mod probe;

use std::ffi::OsString;
use std::fs;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use postls::finding::{Finding, Label};
use postls::lint::Rule;
use postls::postfix::Version;
use postls::report::{FORMATS, NotShown, Report, Root, Style};
use postls::rules;
use postls::syntax::table;
use postls::text::{Sources, Span};

const POSTLS: &str = env!("CARGO_BIN_EXE_postls");
const TIME: &str = "/usr/bin/time";

fn main() -> io::Result<()> {
    let scratch = tempfile::tempdir()?;
    if !Path::new(TIME).exists() {
        println!("no figures of memory: there is no {TIME} (Debian has it in the package time)");
    }
    small_configuration();
    rendering();
    policy_file(&scratch.path().join("policy"))?;
    apply::million(&scratch.path().join("apply"))?;
    many_directories(&scratch.path().join("many"))?;
    let mut rows = inputs::rows(1_530_000);
    parser(&scratch.path().join("parser"), &rows)?;
    rows.truncate(1_000_000);
    large_table(&scratch.path().join("table"), &rows, "in no order")?;
    rows.sort_unstable();
    large_table(&scratch.path().join("sorted"), &rows, "sorted by key")?;
    #[cfg(feature = "probe")]
    probe::thousand(&scratch.path().join("probe"))?;
    println!("\nthe program");
    demand("its size in megabytes", megabytes(fs::metadata(POSTLS)?.len()), 4.0);
    Ok(())
}

/// Above all, what it costs to start.
fn small_configuration() {
    println!("\nexamples/mailhost");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mailhost");
    let lint = Program::new(POSTLS, &["lint", "-c"]).on(&example);
    let postconf = Program::new("postconf", &["-n", "-c"]).on(&example);
    if let [Some(lint), Some(postconf)] = in_turn(20, &[lint, postconf], || {}) {
        demand("postls lint : postconf -n", lint.median() / postconf.median(), 1.0);
    }
    let show = Program::new(POSTLS, &["show", "-c"]).on(&example);
    let postconf = Program::new("postconf", &["-n", "-c"]).on(&example);
    if let [Some(show), Some(postconf)] = in_turn(20, &[show, postconf], || {}) {
        demand("postls show : postconf -n", show.median() / postconf.median(), 1.0);
    }
}

fn policy_file(directory: &Path) -> io::Result<()> {
    let policy = inputs::policy_file(10_000);
    println!("\na policy file with 10000 destinations, {:.1} MB", size(&policy));
    write(directory, "postls.yaml", &policy)?;
    let compile = Program::new(POSTLS, &["compile", "-c"]).on(directory);
    write(directory, "tls_policy", &compile.run()?.stdout)?;
    let [compile, postmap] = in_turn(10, &[compile, Program::postmap(directory)], || {});
    if let Some(compile) = &compile {
        demand("seconds of postls compile", compile.median(), 0.1);
    }
    if let (Some(compile), Some(postmap)) = (compile, postmap) {
        let ratio = compile.median() / postmap.median();
        println!("  postls compile : postmap of the table that comes out  {ratio:.3}");
    }
    Ok(())
}

/// What it takes to show many findings, each in a line of its own, and all of them in one line.
fn rendering() {
    const COUNT: u32 = 10_000;
    let rules: Vec<(&str, &'static Rule)> =
        rules::topics().flat_map(|(topic, all)| all.iter().map(move |it| (topic, *it))).collect();
    let style = Style { color: true, unicode: true, links: true, quiet: false };
    for (places, between) in [("as many lines", "\n"), ("one line", ", ")] {
        let rows = inputs::rows(COUNT).join("\n").replace("\n ", "  ");
        let text = rows.replace('\n', between);
        println!("\n{COUNT} findings in {places}, {:.1} MB", size(text.as_bytes()));
        let mut sources = Sources::default();
        let id = sources.add("tls_policy", text.into_bytes());
        let mut at = 0;
        let findings: Vec<Finding> = rows
            .lines()
            .zip(rules.iter().cycle())
            .map(|(row, (_, rule))| {
                let span = Span::new(id, at..at + row.len());
                at += row.len() + between.len();
                Finding {
                    rule: rule.id,
                    severity: rule.severity,
                    summary: rule.summary,
                    primary: Label { span, text: "it is this one".to_owned() },
                    related: Vec::new(),
                    help: None,
                    fix: None,
                }
            })
            .collect();
        for format in FORMATS {
            let mut measured = Measured { seconds: Vec::new(), peak: None };
            for _ in 0..5 {
                let report = Report {
                    findings: findings.iter().map(|it| (&sources, it)).collect(),
                    not_shown: NotShown::default(),
                    not_checked: &[],
                    postfix: Version::NEWEST,
                    postfix_why: "",
                    rules: rules.clone(),
                    root: Root::default(),
                };
                let begin = Instant::now();
                black_box((format.lint)(black_box(&report), style));
                measured.seconds.push(begin.elapsed().as_secs_f64());
            }
            demand(&format!("seconds of {}", format.name), measured.median(), 0.5);
        }
    }
}

/// What a directory costs where there are many, in a work tree and in git's index, and where it is
/// the only one.
fn many_directories(scratch: &Path) -> io::Result<()> {
    const COUNT: u32 = 10_000;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mailhost");
    let main_cf = fs::read_to_string(example.join("main.cf"))? + inputs::POLICY_MAPS;
    let rows = inputs::rows(20 * COUNT);
    let fleet = scratch.join("fleet");
    let directories: Vec<PathBuf> = (0..COUNT).map(|it| fleet.join(format!("{it:04}"))).collect();
    for (directory, rows) in directories.iter().zip(rows.chunks(20)) {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("main.cf"), &main_cf)?;
        fs::copy(example.join("master.cf"), directory.join("master.cf"))?;
        fs::write(directory.join("tls_policy"), rows.join("\n") + "\n")?;
    }
    let nothing = scratch.join("nothing");
    fs::create_dir_all(&nothing)?;
    fs::write(nothing.join("main.cf"), "")?;

    println!("\n{COUNT} directories with main.cf, master.cf and 20 rows of a table");
    // The rows have mistakes in some directories and in others none.
    let lint = || Program::new(POSTLS, &["lint", "--postfix", "3.7", "--fail-on", "never"]);
    let programs = [
        lint().on(&directories[0]).called("lint of one"),
        lint().on(&nothing).called("start-up"),
        Program::new("postconf", &["-n", "-c"]).on(&directories[0]),
    ];
    let [one, start, postconf] = in_turn(20, &programs, || {});
    let git = |arguments: &[&str]| Program::new("git", arguments).within(&fleet);
    for arguments in [["init", "--quiet"], ["add", "--all"]] {
        // Where there is no git, that is said of its peers.
        let _ = git(&arguments).run();
    }
    let programs = [
        lint().on(Path::new("--recursive")).on(&fleet).called("lint -r"),
        lint().on(Path::new("--staged")).within(&fleet).called("lint --staged"),
        git(&["ls-files", "--stage"]).called("git ls-files"),
        git(&["cat-file", "--batch-all-objects", "--batch"]).called("git cat-file"),
    ];
    let [all, staged, _, contents] = in_turn(3, &programs, || {});
    if let (Some(all), Some(one), Some(start)) = (&all, one, start) {
        demand("seconds of lint -r", all.median(), 20.0);
        let each = (all.median() - start.median()) / f64::from(COUNT);
        println!("  each of them {:.1} microseconds", each * 1e6);
        demand("one of all : the only one", each / (one.median() - start.median()), 1.1);
        if let Some(postconf) = postconf {
            println!("  one of all : postconf -n of one  {:.4}", each / postconf.median());
        }
    }
    if let (Some(all), Some(staged), Some(contents)) = (all, staged, contents) {
        println!("  lint --staged : lint -r  {:.2}", staged.median() / all.median());
        println!("  lint --staged : git cat-file  {:.2}", staged.median() / contents.median());
    }
    Ok(())
}

/// The parser alone, on one processor. `wc -l` does the least that a reader of lines can do.
fn parser(directory: &Path, rows: &[String]) -> io::Result<()> {
    let table = inputs::table(rows);
    write(directory, "tls_policy", &table)?;
    println!("\nparsing a TLS policy table, {:.1} MB", size(&table));
    let wc = Program::new("wc", &["-l"]).on(&directory.join("tls_policy"));
    let mut parsed = Measured { seconds: Vec::new(), peak: None };
    let [wc, postmap] = in_turn(3, &[wc, Program::postmap(directory)], || {
        // It takes less than a slow moment of the machine does.
        for _ in 0..9 {
            let begin = Instant::now();
            black_box(table::parse(black_box(&table)));
            parsed.seconds.push(begin.elapsed().as_secs_f64());
        }
    });
    println!("  {:14} {:.4} s", "table::parse", parsed.median());
    for (peer, seconds) in [("wc -l", wc), ("postmap", postmap)] {
        let Some(seconds) = seconds else { continue };
        println!("  table::parse : {peer}  {:.4}", parsed.median() / seconds.median());
    }
    demand_at_least("megabytes in a second", size(&table) / parsed.median(), 500.0);
    Ok(())
}

/// `order` says how the rows stand; postmap has less work with sorted ones.
fn large_table(directory: &Path, rows: &[String], order: &str) -> io::Result<()> {
    let table = inputs::table(rows);
    println!("\na TLS policy table with {} rows {order}, {:.1} MB", rows.len(), size(&table));
    write(directory, "tls_policy", &table)?;
    // With a version named, no postconf is asked for one.
    let lint = Program::new(POSTLS, &["lint", "--postfix", "3.7", "-c"]).on(directory);
    let programs = [lint.finding_mistakes(), Program::postmap(directory)];
    let [lint, postmap] = in_turn(5, &programs, || {});
    if let Some(peak) = lint.as_ref().and_then(|it| it.peak) {
        demand("memory of postls lint : size of the table", peak / size(&table), 4.0);
    }
    if let (Some(lint), Some(postmap)) = (lint, postmap) {
        demand("postls lint : postmap", lint.median() / postmap.median(), 0.1);
    }
    Ok(())
}

/// Puts a file into a configuration directory of its own.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("main.cf"), inputs::MAIN_CF)?;
    fs::write(directory.join(name), bytes)
}

/// A program with its arguments.
struct Program {
    name: String,
    words: Vec<OsString>,
    /// Where it is started; `None`: where this one was.
    within: Option<PathBuf>,
    /// The exit status of success: 1 where it has mistakes to find.
    status: i32,
}

/// What one program needed.
struct Measured {
    /// One figure for each run.
    seconds: Vec<f64>,
    /// In megabytes.
    peak: Option<f64>,
}

impl Program {
    fn new(program: &str, arguments: &[&str]) -> Program {
        let name = if program == POSTLS { "postls" } else { program };
        let words = std::iter::once(&program).chain(arguments).map(OsString::from).collect();
        Program { name: format!("{name} {}", arguments[0]), words, within: None, status: 0 }
    }

    fn postmap(directory: &Path) -> Program {
        let mut table = OsString::from("lmdb:");
        table.push(directory.join("tls_policy"));
        Program {
            name: "postmap".to_owned(),
            ..Program::new("postmap", &["-c"]).on(directory).on(Path::new(&table))
        }
    }

    fn with(mut self, option: &str) -> Program {
        self.words.insert(1, option.into());
        self
    }

    fn on(mut self, path: &Path) -> Program {
        self.words.push(path.into());
        self
    }

    fn called(self, name: &str) -> Program {
        Program { name: name.to_owned(), ..self }
    }

    fn within(self, directory: &Path) -> Program {
        Program { within: Some(directory.to_owned()), ..self }
    }

    fn finding_mistakes(self) -> Program {
        Program { status: 1, ..self }
    }

    fn run(&self) -> io::Result<Output> {
        run(&self.words, self.within.as_deref())
    }

    /// The first run: it fills the caches and shows whether the program is
    /// there and does its work. A second one, below GNU time, for the memory.
    fn warm_up(&self) -> io::Result<Measured> {
        let output = self.run()?;
        if output.status.code() != Some(self.status) {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(format!("{}: {text}", output.status)));
        }
        let mut measured = Measured { seconds: Vec::new(), peak: None };
        if Path::new(TIME).exists() {
            let time = [TIME, "--quiet", "--format", "%M"].map(OsString::from);
            let words = [&time, self.words.as_slice()].concat();
            let output = run(&words, self.within.as_deref())?;
            let kibibytes = String::from_utf8_lossy(&output.stderr);
            let kibibytes = kibibytes.lines().last().and_then(|it| it.parse::<u64>().ok());
            measured.peak = kibibytes.map(|it| megabytes(it * 1024));
        }
        Ok(measured)
    }
}

impl Measured {
    fn median(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

/// Runs a program to its end; its output comes through a pipe to us.
fn run(words: &[OsString], within: Option<&Path>) -> io::Result<Output> {
    // Postfix's commands stand where the PATH of a user need not look.
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/usr/local/sbin");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env("PATH", path);
    if let Some(directory) = within {
        command.current_dir(directory);
    }
    command.output()
}

/// Measures programs in alternation, and says what each needs; `also` has its turn, too.
fn in_turn<const N: usize>(
    rounds: usize,
    programs: &[Program; N],
    mut also: impl FnMut(),
) -> [Option<Measured>; N] {
    let mut measured = programs.each_ref().map(|program| {
        let measured = program.warm_up();
        measured.map_err(|error| println!("  {:14} left out: {error}", program.name)).ok()
    });
    for _ in 0..rounds {
        also();
        for (program, measured) in programs.iter().zip(&mut measured) {
            let Some(measured) = measured else { continue };
            let begin = Instant::now();
            if program.run().is_ok() {
                measured.seconds.push(begin.elapsed().as_secs_f64());
            }
        }
    }
    for (program, measured) in programs.iter().zip(&measured) {
        let Some(measured) = measured else { continue };
        let peak = measured.peak.map_or(String::new(), |it| format!(", {it:.1} MB"));
        println!("  {:14} {:.4} s{peak}", program.name, measured.median());
    }
    measured
}

fn demand(what: &str, is: f64, at_most: f64) {
    let verdict = if is <= at_most { "holds" } else { "does not hold" };
    println!("  {what}  {is:.3}, demanded at most {at_most}: {verdict}");
}

fn demand_at_least(what: &str, is: f64, at_least: f64) {
    let verdict = if is >= at_least { "holds" } else { "does not hold" };
    println!("  {what}  {is:.0}, demanded at least {at_least}: {verdict}");
}

fn size(bytes: &[u8]) -> f64 {
    megabytes(bytes.len() as u64)
}

/// To a kilobyte, since an `f64` does not hold every `u64`.
fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}
