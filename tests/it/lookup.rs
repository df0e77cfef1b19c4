//! A table answers as Postfix's own program does: generated tables, each asked for many keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use postls::lookup::{self, Answer, Duplicates, Problem, Reader, Table};
use postls::text::{SourceId, Sources, Span};

use crate::generator::{Random, rounds};
use crate::judges::{self, Chamber, Judge};

/// One table and its files.
struct Case {
    /// `@` stands for the directory.
    reference: String,
    files: Vec<(String, Vec<u8>)>,
}

const KEYS: &[&[u8]] = &[
    b"a",
    b"A",
    b"b",
    b"ab",
    b"aab",
    b"abab",
    b"example.com",
    b"Example.COM",
    b".example.com",
    b"[mail.example.com]:25",
    b"mx1.example.org",
    b"a b",
    b"\"a b\"",
    b"a\\b",
    b"a=b",
    b"k\xc3\xa9y",
    b"K\xc3\x89Y",
    b"stra\xc3\x9fe",
    b"STRASSE",
    b"\xff",
    b"k",
    b"\xe2\x84\xaa",
    b"10.1.2.3",
    b"010.1.2.3",
    b"192.168.0.1",
    b"2001:db8::1",
    b"2001:DB8:0::1",
    b"::ffff:10.1.2.3",
    b"::",
    b"300.1.1.1",
    b"v",
    b"$1",
];

/// Logical lines of tables with keys and values.
const ROWS: &[&[u8]] = &[
    b"a 1\n",
    b"A 2\n",
    b"b\n",
    b"b \t\n",
    b"ab one\n  two\n# comment\n three\n",
    b" aab orphan\n",
    b"aab  v  \r\n",
    b"example.com secure\n",
    b"Example.COM may\n",
    b".example.com encrypt match=x\n",
    b"[mail.example.com]:25 may\n",
    b"\"a b\" quoted\n",
    b"\"a\n b\" over two lines\n",
    b"\"a b open\n",
    b"a\\b back\n",
    b"a\\ b blank\n",
    b"a=b equals\n",
    b"k\xc3\xa9y lower\n",
    b"K\xc3\x89Y upper\n",
    b"stra\xc3\x9fe sharp\n",
    b"strasse ss\n",
    b"\xe2\x84\xaa kelvin\n",
    b"k\xe9y latin1\n",
    b"k latin\xe9\n",
    b"mx1.example.org v\xc3\xa9\n",
    b"v zero\0rest\n",
    b"\xff 255\n",
    b"$1 dollar\n",
    b"#a comment\n",
    b"\n",
    b"10.1.2.3 address\n",
];

/// Logical lines of tables of patterns.
const PATTERNS: &[&[u8]] = &[
    b"/a/ one\n",
    b"/^A$/i exact\n",
    b"/^(a+)(b?)$/ 1=$1 2=$2\n",
    b"/(a|ab)(c|bcd|b)?/ <$1><$2>\n",
    b"/(a*)+b/ ${1}x$(1)\n",
    b"!/a/ no a\n",
    b"!!/b/ b\n",
    b"! /^(.)/ $1\n",
    b"/^(.*)\\.(.*)$/ $2 $1\n",
    b"/^example\\.com$/ secure match=$$1\n",
    b"/^\\[(.*)\\]:([0-9]+)$/ host=$1\n  port=$2\n",
    b"#^mx[0-9]+\\.# comment\n",
    b"=^mx[0-9]+\\.= delimiter\n",
    b"m/x/ unrecognized\n",
    b"/a/x flag x\n",
    b"/a/m m\n",
    b"/a/q unknown flag\n",
    b"/a/imx several\n",
    b"/a/ii twice\n",
    b"/open\n",
    b"/open\\/ still\n",
    b"/empty/\n",
    b"/^b$/ \t\n",
    b"/a(/ bad\n",
    b"/a)/ closing\n",
    b"/[/ bad\n",
    b"/*/ bad\n",
    b"/a{2}/ twice\n",
    b"/a{2/ bad\n",
    b"/a{1,2}b/ interval\n",
    b"/[[:digit:]]+/ digits\n",
    b"/[[:upper:]]/ upper\n",
    b"/[[:letter:]]/ bad\n",
    b"/[z-a]/ bad\n",
    b"/(.)/ $2\n",
    b"/(.)/ $0\n",
    b"/(.)/ $9\n",
    b"/(.)/ ${1\n",
    b"/(.)/ $\n",
    b"/(.)/ $x\n",
    b"/(.)/ ${x}\n",
    b"/(.)/ $4294967297\n",
    b"/(.)/ $1x\n",
    b"/(.)/ $(1)x$$\n",
    b"/(z)?b/ [$1]\n",
    b"/(z)?b/ $1\n",
    b"/k\xc3\xa9y/ eight bits\n",
    b"/k\xe9y/ latin\n",
    b"/\xff/ 255\n",
    b"/strasse/ \xff\n",
    b"/\\bab\\b/ word\n",
    b"/\\w+ \\w+/ words\n",
    b"/(.)\\1/ twice $1\n",
    b"/^$/ nothing\n",
    b"// all\n",
    b"/a/!/b/ a, not b\n",
    b"/a/ !/b/ text\n",
    b"/(a)/!/(b)/ $1\n",
    b"/a/!/(/ bad second\n",
    b"/a/i!/b/i both\n",
    b"if /a/\n",
    b"IF !/b/\n",
    b"if/^e/ extra\n",
    b"if (a\n",
    b"if /(/\n",
    b"if\n",
    b"ifx /a/\n",
    b"endif\n",
    b"ENDIF text\n",
    b"endif\n",
    b"endifx\n",
    b" /orphan/ x\n",
    b"/nul/ a\0b\n",
    b"# comment\n",
    b"\n",
    b"/a/\n  continued\n",
];

/// More of them, for pcre.
const PERL: &[&[u8]] = &[
    b"/(?i)a/ inside\n",
    b"/^(?<name>.)/ named $1\n",
    b"/a|b/A anchored\n",
    b"/b # (/xA comment\n",
    b"/(a+)(a*)/U <$1><$2>\n",
    b"/(a|b)+?$/UA <$1>\n",
    b"/b$/E end\n",
    b"/a.b/s dot\n",
    b"/\\d+\\.\\d+/ numbers\n",
    b"/\\Qa.b\\E/ quoted\n",
    b"/(?=a)ab/X ahead\n",
    b"/(?<!a)b/ behind\n",
    b"/(*UTF)\xc3\x89/ utf\n",
    b"/(a)(?!b)|(b)/ <$1><$2>\n",
    b"/(?:(a)|b)*/ [$1]\n",
    b"/\\xff/ hex\n",
];

/// Logical lines of tables of networks.
const NETWORKS: &[&[u8]] = &[
    b"10.0.0.0/8 ten\n",
    b"10.1.2.3 exact\n",
    b"10.1.2.3/8 host bits\n",
    b"!10.0.0.0/8 not ten\n",
    b"! !192.168.0.0/16 private\n",
    b"0.0.0.0/0 all\n",
    b"::/0 all six\n",
    b"2001:db8::/32 documentation\n",
    b"[2001:db8::]/32 brackets\n",
    b"[2001:db8::/32] brackets around\n",
    b"[10.1.2.3] plain\n",
    b"[10.1.2.3 open\n",
    b"[10.1.2.3]x garbage\n",
    b"10.0.0.0/33 long\n",
    b"10.0.0.0/ empty\n",
    b"10.0.0.0/x letters\n",
    b"10.0.0.0/99999999999 huge\n",
    b"010.0.0.0/8 zero\n",
    b"10.0.0 short\n",
    b"example.com name\n",
    b"::ffff:10.1.2.3 mapped\n",
    b"192.168.0.1\n",
    b"192.168.0.1  two words \r\n",
    b"!\n",
    b"if 10.0.0.0/8\n",
    b"if !10.0.0.0/8\n",
    b"IF ::/0\n",
    b"if\n",
    b"if x\n",
    b"if 10.0.0.0/8 more\n",
    b"endif\n",
    b"endif\n",
    b"endif x\n",
    b"ENDIF\n",
    b"192.168.0.0/16 \xe9\n",
    b" 10.0.0.0/8 orphan\n",
    b"#\n",
];

/// Tables that a value holds itself. `#` stands for a table of patterns.
const VALUES: &[&str] = &[
    "static:v",
    "static:V W",
    "static:{ V W }",
    "static:{}",
    "static:\u{e9}",
    "inline:{a=1}",
    "inline:{a=1,A=2}",
    "inline:{{ a = one two }, b=2 ab={x, y}}",
    "inline:{{\"a b\" = quoted}}",
    "inline:{a=}",
    "inline:{k\u{e9}y=1, K\u{c9}Y=2}",
    "inline:{K\u{c9}Y=2}",
    "inline:{a\\=b=c}",
    "inline:{example.com=secure, .example.com={may}}",
    "inline:{a=b, b=ab, ab=aab}",
    "randmap:{v}",
    "randmap:{{v w}}",
    "fail:x",
    "internal:x",
    "regexp:{{/a/ 1}, {/(b)/ $1}}",
    "regexp:{{if /a/}, {/b/ both}, {endif}, {/./ rest}}",
    "regexp:{ {#/a/ 1}, {/^a$/ 2} }",
    "pcre:{{/a(?=b)/ 1}}",
    "cidr:{{10.0.0.0/8 ten}, {!::/1 six}}",
    "cidr:{}",
    "hsah:x",
    "static:",
    "texthash:@/none",
    "regexp:@/none",
    "cidr:@/none",
];

fn text_of(lines: &[&[u8]], random: &mut Random) -> Vec<u8> {
    (0..=random.below(14)).flat_map(|_| random.of(lines).to_vec()).collect()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |kind: &str, bytes: Vec<u8>| {
        let file = format!("t{}", cases.len());
        cases.push(Case { reference: format!("{kind}:@/{file}"), files: vec![(file, bytes)] });
    };
    // Each line alone, and then many of them.
    let perl: Vec<&[u8]> = [PATTERNS, PERL].concat();
    for (kind, lines) in
        [("regexp", PATTERNS), ("pcre", &perl), ("cidr", NETWORKS), ("texthash", ROWS)]
    {
        for line in lines {
            add(kind, line.to_vec());
        }
        rounds(40, |_, _, random| add(kind, text_of(lines, random)));
    }
    for kind in ["hash", "btree", "lmdb", "cdb", "sdbm"] {
        rounds(15, |_, _, random| add(kind, text_of(ROWS, random)));
    }
    for reference in VALUES {
        cases.push(Case { reference: (*reference).into(), files: Vec::new() });
    }
    let singles = cases.len();
    rounds(80, |_, _, random| {
        let mut members = Vec::new();
        let mut files = Vec::new();
        for _ in 0..=random.below(3) {
            let case = &cases[random.below(singles)];
            members.push(case.reference.clone());
            files.extend(case.files.clone());
        }
        let kind = random.of(&["unionmap", "pipemap"]);
        cases.push(Case { reference: format!("{kind}:{{{}}}", members.join(", ")), files });
    });
    cases
}

#[test]
fn tables_answer_as_in_postfix() {
    let cases = cases();
    let mut differences = String::new();
    for judge in judges::all() {
        for (name, utf8) in [("yes", true), ("no", false)] {
            let chamber = judge.chamber();
            chamber.write("main.cf", format!("smtputf8_enable = {name}\n").as_bytes());
            let reader = Reader { version: judge.version, utf8, duplicates: Duplicates::Skipped };
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            let asked: Vec<&Case> = cases.iter().filter(|it| is_for(judge, it, utf8)).collect();
            ask(&chamber, &asked);
            let before = differences.len();
            for (index, case) in asked.iter().enumerate() {
                let (answers, problems) = ours(case, reader, &chamber);
                let Some(want) = expected(&answers) else {
                    *counts.entry("at run time").or_default() += 1;
                    continue;
                };
                let read = |what| fs::read(chamber.path().join(format!("{index}.{what}")));
                let [out, rc, err] = ["out", "rc", "err"].map(|it| read(it).expect("it was asked"));
                let err = String::from_utf8_lossy(&err);
                let complaints = complaints(&err, &problems, case);
                *counts.entry("warnings").or_default() += problems.len();
                let got = (out, String::from_utf8_lossy(&rc).trim() == "0");
                *counts.entry("tables").or_default() += 1;
                *counts.entry("values").or_default() += want.0.split(|it| *it == b'\n').count() - 1;
                if got != want || !complaints.is_empty() {
                    writeln!(
                        differences,
                        "Postfix {} smtputf8_enable = {name}: {} {}\npostls {:?} \"{}\"\n\
                         Postfix {:?} \"{}\" {}\n{complaints}",
                        judge.full_version,
                        case.reference,
                        case.files
                            .iter()
                            .map(|it| it.1.escape_ascii().to_string())
                            .collect::<String>(),
                        want.1,
                        want.0.escape_ascii(),
                        got.1,
                        got.0.escape_ascii(),
                        err,
                    )
                    .expect("a String takes all");
                }
            }
            let found = differences[before..].matches("\npostls ").count();
            println!(
                "Postfix {} smtputf8_enable = {name}: {counts:?}, {found} differences",
                judge.full_version
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// What only one of the two says about the rows of a table of patterns or networks.
fn complaints(err: &str, problems: &[(u32, String)], case: &Case) -> String {
    let mut differences = String::new();
    // Where there are several, Postfix may give up before it has read them all.
    if !["regexp:@", "pcre:@", "cidr:@"].iter().any(|it| case.reference.starts_with(it)) {
        return differences;
    }
    // Which words PCRE has for it, and where it sees it, is a matter of its version.
    let words = |what: &str| what.find("error in regex").map_or(what.len(), |it| it + 14);
    for (_, what) in problems.iter().filter(|(_, what)| !err.contains(&what[..words(what)])) {
        writeln!(differences, "only postls: {what}").expect("a String takes all");
    }
    // This one is about a key.
    let about_rows =
        |it: &&str| it.contains(" map ") && it.contains(", line ") && !it.contains("UTF-8");
    for warning in err.lines().filter(about_rows) {
        let line = warning.split(", line ").nth(1).and_then(|it| it.split(':').next());
        let line: Option<u32> = line.and_then(|it| it.parse().ok());
        if !problems.iter().any(|(ours, _)| Some(*ours) == line) {
            writeln!(differences, "only Postfix: {warning}").expect("a String takes all");
        }
    }
    differences
}

/// Whether this Postfix has all types in it, and whether the text is worth asking without UTF-8.
fn is_for(judge: &Judge, case: &Case, utf8: bool) -> bool {
    let words = ["btree", "cdb", "hash", "lmdb", "sdbm", "pcre", "regexp", "cidr", "texthash"];
    let ascii = case.reference.is_ascii() && case.files.iter().all(|it| it.1.is_ascii());
    let alone = ["regexp:", "pcre:", "cidr:", "texthash:"];
    let alone = alone.iter().any(|it| case.reference.starts_with(it));
    (utf8 || !ascii || !alone)
        && words
            .iter()
            .filter(|it| case.reference.contains(&format!("{it}:")))
            .all(|it| judge.table_types.contains(*it))
}

fn ask(chamber: &Chamber<'_>, cases: &[&Case]) {
    let at = chamber.path().display().to_string();
    chamber.write("keys", &[&KEYS.join(&b'\n')[..], b"\n"].concat());
    for (name, bytes) in cases.iter().flat_map(|it| &it.files) {
        chamber.write(name, bytes);
    }
    let indexed = |case: &&&Case| {
        let kind = case.reference.split(':').next().unwrap_or_default();
        ["btree", "cdb", "hash", "lmdb", "sdbm"].contains(&kind)
    };
    chamber.side_by_side(
        cases.iter().filter(indexed).map(|case| {
            format!("postmap -c {at} '{}' 2>/dev/null", case.reference.replace('@', &at))
        }),
    );
    chamber.side_by_side(cases.iter().enumerate().map(|(index, case)| {
        let reference = case.reference.replace('@', &at);
        format!(
            "postmap -c {at} -q - '{reference}' <{at}/keys >{at}/{index}.out 2>{at}/{index}.err; \
             echo $? >{at}/{index}.rc"
        )
    }));
}

/// The answers, and what is wrong in the table: lines and words.
fn ours(case: &Case, reader: Reader, chamber: &Chamber<'_>) -> (Vec<Answer>, Vec<(u32, String)>) {
    let reference = case.reference.replace('@', &chamber.path().display().to_string());
    let reference = reference.as_bytes();
    let mut sources = Sources::default();
    let mut ids: BTreeMap<&[u8], SourceId> = BTreeMap::new();
    for name in lookup::files(reference, reader.version) {
        let path = std::str::from_utf8(name).expect("a plain name");
        if let Ok(bytes) = fs::read(path) {
            ids.insert(name, sources.add(path, bytes));
        }
    }
    let table = Table::open(reference, reader, &mut |name| {
        let id = *ids.get(name).ok_or("there is no such file")?;
        Ok((id, sources.source(id).bytes()))
    });
    let line = |span: Span| sources.of(span).line_column(span.start).0.number();
    let problem = |it: &Problem| (it.place.map_or(0, line), it.what.clone());
    (table.ask_all(KEYS), table.problems.iter().map(problem).collect())
}

/// What postmap prints, and whether it is content; `None`: postls does not say.
fn expected(answers: &[Answer]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let mut found = false;
    for (key, answer) in KEYS.iter().zip(answers) {
        match answer {
            Answer::NotFound => {}
            Answer::Found { value, .. } => {
                found = true;
                out.extend([key, &b"\t"[..], value, b"\n"].concat());
            }
            // It stops there; what it has not written yet is lost.
            Answer::Error(_) => return Some((Vec::new(), false)),
            Answer::AtRunTime(_) => return None,
        }
    }
    Some((out, found))
}
