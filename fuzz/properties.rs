//! What holds for any bytes: `tests/it/roundtrip.rs` asks it of a little generated input, the
//! fuzz targets of a lot. Each function panics where something does not hold.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use postls::config::{Configuration, Effective, Services, TableKind};
use postls::finding::NotChecked;
use postls::lint::{self, Context};
use postls::policy::{self, Client, Nexthop, compile, row, yaml};
use postls::postfix::{Digest, Fingerprint, Version};
use postls::report::postconf::{self, Values};
use postls::report::{FORMATS, NotShown, Report, Root, Style};
use postls::rules;
use postls::syntax::expand::{self, Dialect, Meaning};
use postls::syntax::lists::{self, BAR, COMMA_SPACE};
use postls::syntax::main_cf::{self, Kind};
use postls::syntax::master_cf::{self, Argument};
use postls::syntax::{lines, table};
use postls::text::{Edits, SourceId, Sources, Span};

/// Byte by byte, from Postfix's grammar and from nothing of postls: the text of each logical line.
pub(crate) fn reference_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let blank = |byte: u8| b" \t\r\n\x0b\x0c".contains(&byte);
    let mut logical: Vec<Vec<u8>> = Vec::new();
    let mut physical = Vec::new();
    for byte in bytes.iter().copied().chain([b'\n']) {
        if byte != b'\n' {
            physical.push(byte);
            continue;
        }
        let line = std::mem::take(&mut physical);
        match (line.iter().copied().find(|it| !blank(*it)), logical.last_mut()) {
            (None | Some(b'#'), _) => {}
            (Some(_), Some(last)) if blank(line[0]) => last.extend(line),
            (Some(_), _) => logical.push(line),
        }
    }
    for line in &mut logical {
        let end = line.iter().position(|it| *it == 0).unwrap_or(line.len());
        line.truncate(end);
    }
    logical
}

/// Logical lines, as the reference has them.
pub(crate) fn logical_lines(bytes: &[u8]) {
    let mut end = 0;
    let mut texts = Vec::new();
    for line in lines::logical_lines(bytes) {
        let range = line.start as usize..line.end as usize;
        assert!(end <= range.start && range.start < range.end && range.end <= bytes.len());
        let between = bytes[end..range.start].split(|it| *it == b'\n');
        assert!(between.into_iter().all(lines::is_trivia), "text between logical lines");
        end = range.end;
        let joined = line.join(bytes);
        let locate = |range| joined.locate(range);
        found_again(bytes, &joined.text, &locate, &range);
        texts.push(joined.text.into_owned());
    }
    assert_eq!(texts, reference_lines(bytes), "logical lines");
}

/// Groups tile the source; names and values point at their bytes.
pub(crate) fn main_cf(bytes: &[u8]) {
    let cf = main_cf::parse(bytes);
    let mut at = 0;
    let mut printed = Vec::new();
    for group in &cf.groups {
        assert_eq!(group.range.start, at, "a gap or an overlap");
        assert!(group.range.start < group.range.end, "an empty group");
        at = group.range.end;
        printed.extend_from_slice(&bytes[group.range.clone()]);
        if let Kind::Entry(entry) = &group.kind {
            entry_is_consistent(bytes, entry, &group.range);
        }
    }
    assert_eq!(printed, bytes, "printing is the identity");
}

fn entry_is_consistent(bytes: &[u8], entry: &main_cf::Entry, group: &Range<usize>) {
    inside(&entry.name, group);
    inside(&entry.value, group);
    let name = &bytes[entry.name.clone()];
    assert!(!name.is_empty() && !name.iter().any(|it| is_blank(*it) || *it == b'=' || *it == 0));
    let value = entry.value_text(bytes);
    found_again(bytes, value.text(), &|range| value.locate(range), group);
    let lines = entry.lines(bytes);
    let pieces = entry.value_pieces(bytes);
    for range in lines.iter().chain(&pieces) {
        inside(range, group);
    }
    assert!(lines.is_sorted_by(|a, b| a.end <= b.start));
    assert!(pieces.is_sorted_by(|a, b| a.end <= b.start));
    if lines.len() == 1 {
        assert_eq!(value.text(), &bytes[entry.value.clone()], "the value of one line");
    }
    let cut = bytes[group.clone()].contains(&0);
    let text: Vec<u8> = pieces.iter().flat_map(|it| &bytes[it.clone()]).copied().collect();
    let bare =
        |text: &[u8]| -> Vec<u8> { text.iter().copied().filter(|it| !is_blank(*it)).collect() };
    assert!(cut || bare(&text) == bare(value.text()), "the pieces are the value");
}

/// Rows stand in order, hold the keys and values of the reference, and find their bytes again.
pub(crate) fn table(bytes: &[u8]) {
    let mut end = 0;
    let reference = reference_lines(bytes);
    let table = table::parse(bytes);
    assert_eq!(table.rows.len(), reference.len());
    for (row, line) in table.rows.iter().zip(reference) {
        let range = row.range();
        assert!(end <= range.start && range.start < range.end && range.end <= bytes.len());
        end = range.end;
        inside(&row.key_range(bytes), &range);
        let text = row.text(bytes);
        let (key, value) = (text.key(), text.value());
        found_again(bytes, value, &|range| text.locate(range), &range);
        assert!(line.starts_with(key), "the key begins the line");
        let rest: &[u8] = &line[key.len()..];
        assert_eq!(trimmed(rest), value, "the rest is the value");
        match row.kind {
            table::Kind::Orphan => assert!(is_blank(line[0])),
            table::Kind::MissingValue => assert!(value.is_empty()),
            table::Kind::Entry => assert!(!key.is_empty() && !value.is_empty()),
            table::Kind::UnbalancedQuote => assert!(key.contains(&b'"')),
        }
    }
}

/// Each byte of a joined text is found again, and each part of it lies in the row.
fn found_again(
    bytes: &[u8],
    text: &[u8],
    locate: &dyn Fn(Range<usize>) -> Range<usize>,
    row: &Range<usize>,
) {
    // All of a long text costs more than it tells.
    let step = 1 + text.len() / 512;
    for at in (0..text.len()).step_by(step) {
        let place = locate(at..at + 1);
        assert_eq!(&bytes[place.clone()], &text[at..=at], "a byte at another place");
        inside(&place, row);
        for end in [at, at + 1, text.len().min(at + 7), text.len()] {
            let place = locate(at..end);
            inside(&place, row);
            assert_eq!(place.is_empty(), end == at);
        }
    }
    inside(&locate(text.len()..text.len()), row);
}

/// Groups tile the source, fields and arguments point at their bytes, and what
/// `postls show` prints of them can be printed, with one name for each line.
pub(crate) fn master_cf(bytes: &[u8]) {
    let cf = master_cf::parse(bytes);
    let mut at = 0;
    for group in &cf.groups {
        assert_eq!(group.range.start, at, "a gap or an overlap");
        assert!(group.range.start < group.range.end, "an empty group");
        at = group.range.end;
        let master_cf::Kind::Service(service) = &group.kind else { continue };
        let text = service.text(bytes);
        found_again(bytes, text.all_text(), &|range| text.locate(range), &group.range);
        for piece in text.pieces() {
            inside(&text.locate(piece.word), &group.range);
        }
        for argument in text.arguments() {
            let all = 0..text.all_text().len();
            match argument {
                Argument::Override { word, assignment } => {
                    inside(&word, &all);
                    inside(&assignment.name, &word);
                    assignment.value.iter().for_each(|it| inside(it, &word));
                }
                Argument::Dangling(word) | Argument::Word(word) => inside(&word, &all),
            }
        }
    }
    assert_eq!(at, bytes.len(), "the groups end where the file does");
    shown(b"$a = $(b)\nb = ${c?{x}:{y}}\n", bytes);
}

/// `postls show` of any two files ends, and prints lines.
pub(crate) fn shown(main_cf: &[u8], master_cf: &[u8]) {
    let mut sources = Sources::default();
    let main_cf = sources.add("main.cf", main_cf.to_vec());
    let master_cf = sources.add("master.cf", master_cf.to_vec());
    for version in [Version::OLDEST, Version::NEWEST] {
        let main = Configuration::new(&sources, main_cf, version);
        let services = Services::new(&sources, master_cf);
        let effective = Effective::new(&main, Some(&services));
        let names = effective.names();
        if let Some(refusal) = effective.refusal(Some(&services), &names) {
            valid(&sources, refusal.span);
        }
        for values in [Values::Written, Values::Expanded] {
            let printed = [
                postconf::settings(&effective, &names, values),
                postconf::services(&effective, &services, values),
                postconf::overrides(&effective, values),
            ];
            for text in printed.into_iter().flatten() {
                assert!(text.is_empty() || text.ends_with(b"\n"), "a line without an end");
            }
        }
    }
}

/// Never endless and never a panic; what has no `$` stays, and `$$` is one;
/// names lie in the text, and are the only ones that it is expanded with.
pub(crate) fn expand(bytes: &[u8]) {
    for newer in [false, true] {
        let dialect = Dialect { levels: newer, functions: newer, raw_stays: newer };
        expand_in(bytes, dialect);
    }
}

fn expand_in(bytes: &[u8], dialect: Dialect) {
    let (names, error) = expand::names(bytes, dialect);
    let names: BTreeSet<&[u8]> = names.into_iter().map(|it| &bytes[it]).collect();
    let asked = RefCell::new(BTreeSet::new());
    let undefined = |name: &str| {
        asked.borrow_mut().insert(name.as_bytes().to_vec());
        None
    };
    let expanded = expand::expand(bytes, dialect, &undefined);
    if error.is_none() {
        assert!(asked.borrow().iter().all(|it| names.contains(it.as_slice())), "a name more");
    } else {
        // What is only scanned is read in each branch.
        assert!(expanded.is_ok() || bytes.contains(&b'$'));
    }
    let lookup = |name: &str| -> Option<Meaning<'static>> {
        let value: &[u8] = match name {
            "a" => b"x",
            "b" => b"",
            "c" => b"$a${b}$(a)",
            "d" => b"${d?{$d}}",
            "e" => b"$c$c{",
            "n" => b"10",
            _ => return None,
        };
        Some(Meaning { text: value.into(), raw: name == "b" })
    };
    if let Ok(text) = expand::expand(bytes, dialect, &lookup)
        && !bytes.contains(&b'$')
    {
        assert_eq!(text, bytes);
    }
    let escaped: Vec<u8> = bytes
        .iter()
        .flat_map(|it| std::iter::repeat_n(*it, if *it == b'$' { 2 } else { 1 }))
        .collect();
    assert_eq!(expand::expand(&escaped, dialect, &lookup).as_deref(), Ok(bytes));
}

/// The words and the separators between them are the text.
pub(crate) fn words(bytes: &[u8]) {
    // Between fingerprints braces are letters like others.
    let (comma, bar) = (b", \t\r\n".as_slice(), b"|".as_slice());
    for (set, separators) in [(COMMA_SPACE, comma), (BAR, bar)] {
        let mut at = 0;
        for word in lists::words(bytes, set) {
            assert!(at <= word.start && word.start < word.end && word.end <= bytes.len());
            assert!(bytes[at..word.start].iter().all(|it| separators.contains(it)));
            assert!(!separators.contains(&bytes[word.start]));
            let mut level = 0_usize;
            for byte in &bytes[word.clone()] {
                match byte {
                    b'{' if separators == comma => level += 1,
                    b'}' if separators == comma => level = level.saturating_sub(1),
                    byte => assert!(level > 0 || !separators.contains(byte), "two words in one"),
                }
            }
            assert!(level == 0 || word.end == bytes.len(), "a word ends inside braces");
            at = word.end;
        }
        assert!(bytes[at..].iter().all(|it| separators.contains(it)));
    }
}

/// Every range of a policy, and of what is wrong with it, lies in it.
pub(crate) fn policy_row(bytes: &[u8]) {
    let row = row::parse(bytes);
    let all = 0..bytes.len();
    inside(&row.level, &all);
    for attribute in row.attributes() {
        inside(&attribute.word, &all);
        inside(&attribute.name, &attribute.word);
        attribute.value.iter().for_each(|it| inside(it, &attribute.word));
    }
    for version in [Version::OLDEST, Version::new(3, 9), Version::NEWEST] {
        for digest in ["", "md5", "sha256"] {
            let client = Client { digest: digest.to_owned(), ..Client::from(("lmtp", version)) };
            row.problems(bytes, &client, &mut |problem| inside(&problem.range, &all));
        }
    }
}

/// Every place lies in the file, and what is compiled from it is read again as the same rows.
pub(crate) fn policy_yaml(bytes: &[u8]) {
    let mut sources = Sources::default();
    let source = sources.add("postls.yaml", bytes.to_vec());
    for role in [yaml::Role::Main, yaml::Role::Included] {
        let mut file = yaml::read(source, bytes, role);
        let key: &[u8] = b"-----BEGIN PUBLIC KEY-----\nMAMCAQE=\n-----END PUBLIC KEY-----\n";
        file.read_pins(&mut |path| {
            if path.len() > 8 { Err(path.to_owned()) } else { Ok(key.to_vec()) }
        });
        file.includes.iter().for_each(|it| valid(&sources, it.span));
        let (policies, problems) = policy::join(vec![file]);
        for problem in &problems {
            valid(&sources, problem.span);
            problem.related.iter().for_each(|(span, _)| valid(&sources, *span));
            assert!(!problem.text.is_empty());
        }
        let rows = compile::rows(&policies, Some(Digest::Sha256));
        let text = compile::table(&rows, "postls.yaml").into_bytes();
        let wanted: Vec<(String, String)> = rows
            .iter()
            .filter(|it| !it.testing)
            .map(|it| (it.nexthop.to_string(), it.policy.clone()))
            .collect();
        let read: Vec<(String, String)> = table::parse(&text)
            .rows
            .iter()
            .map(|row| {
                assert_eq!(row.kind, table::Kind::Entry, "a compiled row that Postfix ignores");
                let row = row.text(&text);
                let owned = |text| String::from_utf8_lossy(text).into_owned();
                (
                    owned(row.key()),
                    owned(row.value()).split_whitespace().collect::<Vec<_>>().join(" "),
                )
            })
            .collect();
        assert_eq!(read, wanted, "what was compiled is read again");
    }
}

/// What is read and written again is the same.
pub(crate) fn small_values(text: &str) {
    if let Ok(nexthop) = Nexthop::parse(text) {
        assert_eq!(Nexthop::parse(nexthop.as_str()).as_ref(), Ok(&nexthop), "{text:?}");
    }
    if let Some(fingerprint) = Fingerprint::parse(text.as_bytes()) {
        let again = Fingerprint::parse(fingerprint.to_string().as_bytes());
        assert_eq!(again.as_ref(), Some(&fingerprint));
        assert!(fingerprint.length() > 0);
    }
    if let Some(date) = policy::Date::parse(text) {
        assert_eq!(date.to_string(), text);
    }
    if let Some(version) = Version::parse(text) {
        assert_eq!(Version::parse(&version.to_string()), Some(version));
    }
}

/// All rules look at the three files: places are valid, fixes can be made, reports can be drawn.
pub(crate) fn lint(main_cf: &[u8], policy_table: &[u8], policy_file: &[u8]) {
    let mut sources = Sources::default();
    let main_cf = sources.add("main.cf", main_cf.to_vec());
    let rows = sources.add("tls_policy", policy_table.to_vec());
    let yaml = sources.add("postls.yaml", policy_file.to_vec());
    let (policies, problems) = policy::join(vec![yaml::read(yaml, policy_file, yaml::Role::Main)]);
    let version = Version::new(3, 7);
    let mut context = Context::new(&sources, Some(main_cf), version);
    let client = context.client("smtp");
    context.add_table(rows, TableKind::Indexed, vec![client]);
    context.add_policies(&policies, &problems);
    context.today = policy::Date::parse("2026-11-24");
    let findings = lint::counted(rules::all(), &context).findings;
    for finding in &findings {
        valid(&sources, finding.primary.span);
        finding.related.iter().for_each(|it| valid(&sources, it.span));
        let Some(fix) = &finding.fix else { continue };
        let mut edits = Edits::default();
        for edit in &fix.edits {
            valid(&sources, edit.span);
            assert!(edits.add(edit.clone()), "{}: the edits of one fix overlap", finding.rule);
        }
        let source: SourceId = edits.source().expect("a fix has edits");
        edits.apply(sources.source(source).bytes());
    }
    let report = Report {
        not_shown: NotShown::default(),
        findings: findings.iter().map(|it| (&sources, it)).collect(),
        not_checked: &[NotChecked { what: "x".to_owned(), why: "y".to_owned() }],
        postfix: version,
        postfix_why: "the test",
        rules: Vec::new(),
        root: Root::default(),
    };
    for unicode in [false, true] {
        let style = Style { color: false, unicode, links: false, quiet: false };
        for format in FORMATS {
            let text = (format.lint)(&report, style);
            match format.name {
                "json" | "sarif" | "gitlab" => assert!(text.starts_with(['{', '[']), "{text}"),
                _ => shows_nothing_odd(&text),
            }
        }
    }
}

fn shows_nothing_odd(text: &str) {
    let odd = |it: char| it.is_control() && it != '\n' && it != '\t';
    assert!(!text.contains(odd), "a control character in {text:?}");
}

fn valid(sources: &Sources, span: Span) {
    let length = sources.of(span).bytes().len();
    assert!(span.start <= span.end && span.end as usize <= length, "{span:?} of {length} bytes");
    let (line, column) = sources.of(span).line_column(span.start);
    assert!(line.number() >= 1 && column >= 1);
}

fn inside(range: &Range<usize>, outer: &Range<usize>) {
    let fits = outer.start <= range.start && range.start <= range.end && range.end <= outer.end;
    assert!(fits, "{range:?} is not inside {outer:?}");
}

fn trimmed(text: &[u8]) -> &[u8] {
    let Some(start) = text.iter().position(|it| !is_blank(*it)) else { return &[] };
    let end = text.iter().rposition(|it| !is_blank(*it)).unwrap_or(start);
    &text[start..=end]
}

fn is_blank(byte: u8) -> bool {
    b" \t\r\n\x0b\x0c".contains(&byte)
}
