//! What must hold for any bytes holds for thousands of generated ones; and what a real Postfix
//! reads in some of them is what postls reads.
//!
//! The same input in every run: `POSTLS_SEED=n` chooses another, and a failure prints the seed,
//! the round and the input. What is asked is in `fuzz/properties.rs`, which the fuzz targets share.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use postls::syntax::main_cf::{self, Kind};
use postls::syntax::{expand, table};

use crate::fixture;

#[path = "../../fuzz/properties.rs"]
mod properties;

/// splitmix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn of<'t, T: ?Sized>(&mut self, items: &[&'t T]) -> &'t T {
        items[self.below(items.len())]
    }
}

/// Prints what failed.
struct Shown<'a> {
    seed: u64,
    round: u64,
    input: &'a [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Shown { seed, round, input } = self;
            eprintln!("POSTLS_SEED={seed} round {round}: \"{}\"", input.escape_ascii());
        }
    }
}

/// Calls `ask` with a generator of its own for each round.
fn rounds(count: u64, mut ask: impl FnMut(u64, u64, &mut Random)) {
    let seed = std::env::var("POSTLS_SEED").map_or(2026, |it| it.parse().expect("a number"));
    for round in 0..count {
        ask(seed, round, &mut Random(seed.wrapping_mul(0x1_0000_0001).wrapping_add(round << 20)));
    }
}

/// Edits of `bases`, and what holds for them.
fn holds_for_edits_of(bases: &[Vec<u8>], count: u64, property: impl Fn(&[u8])) {
    for base in bases {
        let _shown = Shown { seed: 0, round: 0, input: base };
        property(base);
    }
    rounds(count, |seed, round, random| {
        let input = edited(bases, random);
        let _shown = Shown { seed, round, input: &input };
        property(&input);
    });
}

/// What breaks readers: each is inserted anywhere.
const NASTY: &[&[u8]] = &[
    b"\0",
    b"\r",
    b"\x0b",
    b"\x0c",
    b"\xff",
    b"\xef\xbb\xbf",
    b"#",
    b"=",
    b"\"",
    b"{",
    b"}",
    b"$",
    b"\t",
    b"\n",
    b" ",
    b"\n\n",
    b"\n ",
    b"\n#",
    b"\r\n",
    b"\\",
    b"\\\n",
    b"'",
    b",",
    b":",
    b"|",
    b"[",
    b"]",
    b"(",
    b")",
    b"${",
    b"$(",
    b"$$",
    b"{ ",
    b"}}",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\x1b[31m",
    b"\xc2\x85",
    b"- ",
    b"---\n",
    b"&a ",
    b"*a",
    b"!!x ",
    b"? ",
    b": ",
    b"~",
    b"%",
    b"match=",
    b"fingerprint",
    b"\xc4\xb0",
];

/// Two to a few random changes of one text, or of parts of two.
fn edited(bases: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text = bases[random.below(bases.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(12)).min(text.len());
        match random.below(9) {
            0 => drop(text.splice(at..end, [])),
            1..=3 => drop(text.splice(at..at, random.of(NASTY).iter().copied())),
            4 => drop(text.splice(at..end, random.of(NASTY).iter().copied())),
            5 => {
                let piece = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            6 => {
                let mut lines: Vec<&[u8]> = text.split_inclusive(|it| *it == b'\n').collect();
                let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                if !lines.is_empty() {
                    lines.swap(a, b);
                }
                text = lines.concat();
            }
            7 => {
                let other = &bases[random.below(bases.len())];
                let from = random.below(other.len() + 1);
                let part = &other[from..(from + random.below(200)).min(other.len())];
                text.splice(at..at, part.iter().copied());
            }
            _ => text.truncate(text.len().saturating_sub(random.below(20))),
        }
    }
    // Long texts cost more than they show.
    text.truncate(3000);
    text
}

/// The files of all examples whose names `wanted` takes, and `more`.
fn bases(wanted: fn(&str) -> bool, more: &[&str]) -> Vec<Vec<u8>> {
    let mut bases: Vec<Vec<u8>> = more.iter().map(|it| it.as_bytes().to_vec()).collect();
    for rule in postls::rules::all() {
        for text in [rule.bad, rule.good] {
            let files = fixture::files(text).into_iter().filter(|(name, _)| wanted(name));
            bases.extend(files.map(|(_, text)| text.as_bytes().to_vec()));
        }
    }
    for folder in ["examples/blog", "examples/mailhost"] {
        for file in fs::read_dir(folder).expect("there are examples") {
            let path = file.expect("it can be listed").path();
            let name = path.file_name().expect("it has a name").to_string_lossy();
            if path.is_file() && wanted(&name) {
                bases.push(fs::read(&path).expect("it was listed"));
            }
        }
    }
    bases
}

const MAIN_CF: &[&str] = &[
    "",
    "\n",
    " a = b\n c\nd = e\n",
    "a = b\n# c\n\n  d\n#e\n \t\n f\n\n# g\nh\n = i\n",
    "smtp_tls_security_level=may\r\nrelayhost =\r\n  [mx.example]:587\r\n",
    "smtp_tls_policy_maps = texthash:/x,\n  # comment\n  lmdb:/y { a, b }\n",
    "myhostname = ${mydomain?{mx.$mydomain}:{mx}}\nmydomain = a.example\nrelayhost = $mydomain\n",
    "smtp_tls_loglevel = 1\nsmtp_tls_loglevel = ${{$compatibility_level} >=level {3.6} ? {1} : {0}}\n",
];
const TABLE: &[&str] = &[
    "",
    "a.example encrypt\n.a.example secure match=.a.example:nexthop\n[mx.example]:587 may\n",
    "\"a b\" c\n\"a\n  b\" c\nk\\ l m\n\"unbalanced v\n",
    "k\n# c\n  v\n\n  w\nK: v\nlone\n",
    "b.example fingerprint match=AD:F3|ad:f3 match=00\n  ciphers=high, protocols=>=TLSv1.2 # c\n",
];
const YAML: &[&str] = &[
    "",
    "version: 1\n",
    "version: 1\nparameters: {smtp_tls_security_level: dane, relayhost: null}\ntable: {type: lmdb}\n",
    "version: 1\nprofiles: {p: {level: secure, match: [a, .b], exclude: aNULL}}\ndestinations:\n  a.example: {use: p}\n  '[b.example]:25': may\n",
    "version: 1\ndestinations:\n  a.example:\n    level: fingerprint\n    pins:\n    - certificate: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0\"\n      retire: 2027-01-31\n",
    "version: 1\ninclude: [x/*.yaml, \"y\\x41\"]\nlint: {allow: {a: b}}\nx: &a [*a]\n",
    "a: |\n  b\n  c\n? [x]\n: y\n",
    "version: 1\ndestinations:\n  /run/mail: {level: may, testing: no}\n  '/a\"b\\': encrypt\n",
];

#[test]
fn logical_lines_are_those_of_an_independent_reading() {
    holds_for_edits_of(&bases(|it| it != "postls.yaml", MAIN_CF), 4000, properties::logical_lines);
}

#[test]
fn main_cf_loses_no_byte_and_points_at_its_values() {
    holds_for_edits_of(&bases(|it| it == "main.cf", MAIN_CF), 4000, properties::main_cf);
}

#[test]
fn tables_keep_their_rows_and_point_at_them() {
    holds_for_edits_of(&bases(|it| it.contains("policy"), TABLE), 4000, properties::table);
}

#[test]
fn expansion_ends_and_words_cover_their_text() {
    let more =
        ["$a ${b?{$c}:{$e}}", "${{$n} < {9} ? {$a} : {$b}}", "${{3.10} >=level {3.6}}$$", "$(d)"];
    let bases = bases(|it| it == "main.cf", &[MAIN_CF, &more].concat());
    holds_for_edits_of(&bases, 6000, |text| {
        properties::expand(text);
        properties::words(text);
    });
}

#[test]
fn policies_point_at_their_words() {
    let rows: Vec<Vec<u8>> = bases(|it| it.contains("policy"), TABLE)
        .iter()
        .flat_map(|it| properties::reference_lines(it))
        .collect();
    holds_for_edits_of(&rows, 6000, properties::policy_row);
}

#[test]
fn policy_files_point_at_their_mistakes_and_compile_to_what_they_say() {
    holds_for_edits_of(&bases(|it| it == "postls.yaml", YAML), 4000, properties::policy_yaml);
}

#[test]
fn names_dates_and_digests_are_written_as_they_are_read() {
    let texts = [
        "a.example",
        ".a.example",
        "[a.example]:587",
        "[::1]:25",
        "[ipv6:fe80::1]",
        "/run/x/y",
        "3.7.11",
        "2028-02-29",
        "AD:F3:c3",
        "adf3",
        "3.12-20260821",
        "b\u{fc}cher.example",
        "x_y.example:smtp",
    ];
    let bases: Vec<Vec<u8>> = texts.iter().map(|it| it.as_bytes().to_vec()).collect();
    holds_for_edits_of(&bases, 8000, |text| {
        properties::small_values(&String::from_utf8_lossy(text));
    });
}

#[test]
fn findings_of_all_rules_can_be_shown_and_fixed() {
    let main_cf = bases(|it| it == "main.cf", MAIN_CF);
    let table = bases(|it| it.contains("policy"), TABLE);
    let yaml = bases(|it| it == "postls.yaml", YAML);
    rounds(600, |seed, round, random| {
        let files = [&main_cf, &table, &yaml].map(|it| edited(it, random));
        let input = files.join(b"<==>".as_slice());
        let _shown = Shown { seed, round, input: &input };
        properties::lint(&files[0], &files[1], &files[2]);
    });
}

/// Real files, where they are at hand: they are not part of the project.
#[test]
fn real_files_lose_no_byte() {
    let corpus = Path::new("../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: there is no {}", corpus.display());
        return;
    }
    let mut folders = vec![corpus.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("it was listed");
                let _shown =
                    Shown { seed: 0, round: 0, input: path.as_os_str().as_encoded_bytes() };
                properties::logical_lines(&bytes);
                properties::main_cf(&bytes);
                properties::table(&bytes);
                properties::words(&bytes);
                properties::lint(&bytes, &bytes, b"");
                files += 1;
            }
        }
    }
    assert!(files > 0, "the corpus has files");
}

/// Files of one Postfix configuration, old enough that Postfix reads them once.
fn write_old(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("it can be written");
    let then = SystemTime::now() - Duration::from_secs(10);
    let file = File::options().write(true).open(path).expect("it was written");
    file.set_times(FileTimes::new().set_modified(then).set_accessed(then)).expect("it is ours");
}

/// A directory for one of Postfix's programs; `None` where it is not installed.
fn directory_for(program: &str) -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_old(&directory.path().join("main.cf"), b"smtputf8_enable = no\n");
    write_old(&directory.path().join("master.cf"), b"");
    if Command::new(program).args(["-c", "/nonexistent"]).output().is_err() {
        let required = std::env::var_os("POSTLS_REQUIRE_POSTFIX").is_some_and(|it| !it.is_empty());
        assert!(!required, "POSTLS_REQUIRE_POSTFIX is set, but there is no {program}");
        println!("skipped: there is no {program}");
        return None;
    }
    Some(directory)
}

fn postfix(program: &str, directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.arg("-c").arg(directory).args(arguments).output().expect("it was found")
}

/// Name and value of each line that postconf prints.
fn settings(output: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let lines = output.split(|it| *it == b'\n').filter(|it| !it.is_empty());
    lines
        .map(|line| {
            let at =
                line.windows(2).position(|it| it == b" =").expect("postconf prints name = value");
            (line[..at].to_vec(), line[at + 2..].trim_ascii_start().to_vec())
        })
        .collect()
}

#[test]
fn postconf_reads_the_same_settings() {
    let Some(directory) = directory_for("postconf") else { return };
    let known = settings(&postfix("postconf", directory.path(), &["-d"]).stdout);
    let known: &BTreeSet<Vec<u8>> = &known.into_keys().collect();
    let bases: Vec<Vec<u8>> = MAIN_CF.iter().map(|it| it.as_bytes().to_vec()).collect();
    let mut inputs = Vec::new();
    rounds(150, |seed, round, random| inputs.push((seed, round, edited(&bases, random))));
    // postconf sleeps for a second before it gives up, so many run side by side.
    let lane = &|inputs: &[(u64, u64, Vec<u8>)]| {
        let directory = directory_for("postconf").expect("it is installed");
        let reads = |(seed, round, input): &(u64, u64, Vec<u8>)| {
            let _shown = Shown { seed: *seed, round: *round, input };
            usize::from(postconf_takes(directory.path(), known, input))
        };
        inputs.iter().map(reads).sum::<usize>()
    };
    let compared: usize = std::thread::scope(|scope| {
        let lanes: Vec<_> = inputs.chunks(3).map(|it| scope.spawn(move || lane(it))).collect();
        lanes.into_iter().map(|it| it.join().expect("postconf and postls agree")).sum()
    });
    assert!((40..140).contains(&compared), "{compared} of 150 inputs were compared");
}

/// Whether postconf takes a main.cf; if it does, it reads what postls reads, and if not, postls knows why.
fn postconf_takes(directory: &Path, known: &BTreeSet<Vec<u8>>, input: &[u8]) -> bool {
    write_old(&directory.join("main.cf"), input);
    let output = postfix("postconf", directory, &["-n"]);
    let cf = main_cf::parse(input);
    let broken = |kind: &Kind| matches!(kind, Kind::MissingEquals | Kind::MissingName);
    let broken = cf.groups.iter().any(|it| broken(&it.kind));
    let mut ours = BTreeMap::new();
    for entry in cf.entries() {
        ours.insert(input[entry.name.clone()].to_vec(), entry.value_text(input).text().to_vec());
    }
    if !output.status.success() {
        let says = String::from_utf8_lossy(&output.stderr);
        assert!(broken || expansion_fails(&ours), "postconf refuses it: {says}");
        return false;
    }
    assert!(!broken, "postconf takes it");
    let mut theirs = settings(&output.stdout);
    // 3.5 and 3.7 add it.
    theirs.remove(b"config_directory".as_slice());
    theirs.retain(|name, _| known.contains(name));
    ours.retain(|name, _| known.contains(name));
    assert_eq!(shown(&ours), shown(&theirs));
    true
}

fn expansion_fails(settings: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    let lookup = |name: &str| settings.get(name.as_bytes()).map(|it| it.as_slice().into());
    settings.values().any(|it| expand::expand(it, &lookup).is_err())
}

/// With one blank between words, since that is how postconf prints them.
fn shown(settings: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<String> {
    let words = |text: &[u8]| {
        let words = text.split(|it| b" \t\r\n\x0b\x0c".contains(it)).filter(|it| !it.is_empty());
        words.map(|it| it.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
    };
    settings
        .iter()
        .map(|(name, value)| format!("{} = {}", name.escape_ascii(), words(value)))
        .collect()
}

#[test]
fn postmap_reads_the_same_rows() {
    let Some(directory) = directory_for("postmap") else { return };
    let path = directory.path().join("table");
    let name = format!("texthash:{}", path.display());
    let bases: Vec<Vec<u8>> = TABLE.iter().map(|it| it.as_bytes().to_vec()).collect();
    let mut compared = 0;
    rounds(150, |seed, round, random| {
        let input = edited(&bases, random);
        let _shown = Shown { seed, round, input: &input };
        let mut ours: Vec<String> = Vec::new();
        let mut keys = BTreeSet::new();
        let mut twice = false;
        for row in table::parse(&input).rows.iter().filter(|it| it.kind == table::Kind::Entry) {
            let text = row.text(&input);
            let key = text.key().to_ascii_lowercase();
            ours.push(format!("{}\\t{}", key.escape_ascii(), text.value().escape_ascii()));
            twice |= !keys.insert(key);
        }
        if twice {
            return;
        }
        compared += 1;
        write_old(&path, &input);
        let output = postfix("postmap", directory.path(), &["-s", &name]);
        let lines = output.stdout.split(|it| *it == b'\n').filter(|it| !it.is_empty());
        let mut theirs: Vec<String> = lines.map(|it| it.escape_ascii().to_string()).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&output.stderr));
    });
    assert!(compared > 50, "{compared} tables were compared");
}
