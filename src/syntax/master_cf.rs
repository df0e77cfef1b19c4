//! `master.cf` as written: services, their fields and their arguments.
//!
//! Follows `postconf/postconf_master.c` and `master/master_ent.c`: the logical
//! lines are those of main.cf; words stand between blanks, and a `{…}` keeps
//! what is inside it together. `#` behind the fields is an argument like any
//! other.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use super::lines::{self, Group, Joined, Logical};
use super::lists::{self, Assignment, BLANKS};

/// The columns before the arguments.
pub const FIELDS: [&str; 8] =
    ["service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"];

/// A parsed file. The spans of the groups tile it.
#[derive(Debug, Default)]
pub struct MasterCf {
    /// In the order of the file.
    pub groups: Vec<Group<Kind>>,
}

/// What Postfix makes of a group of lines.
#[derive(Debug)]
pub enum Kind {
    /// Comments and blank lines.
    Trivia,
    /// Eight fields or more.
    Service(Service),
    /// Fewer than eight fields: master(8) and postconf stop here.
    FewFields,
    /// A first logical line that begins with white space: skipped with a warning.
    Orphan,
}

/// A service: its fields, then the words that its program gets.
#[derive(Debug)]
pub struct Service {
    line: Logical,
    /// All words, in the joined text.
    words: Vec<Range<usize>>,
}

/// A service's text and the way back to its bytes.
#[derive(Debug)]
pub struct ServiceText<'a> {
    joined: Joined<'a>,
    words: &'a [Range<usize>],
}

/// One argument of a service's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// `-o name=value` in one of its forms. The ranges are those of the joined text.
    Override {
        /// The whole `name=value`, or `{ name = value }`.
        word: Range<usize>,
        /// Its parts.
        assignment: Assignment,
    },
    /// `-o` with nothing behind it.
    Dangling(Range<usize>),
    /// Any other word.
    Word(Range<usize>),
}

/// A word behind the command, as `postconf -M` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// `-oname=value` is two of them; what stood in braces has none, and
    /// behind `-o` it is `name=value` without blanks around the `=`.
    pub text: Cow<'a, [u8]>,
    /// The word, or the part of it, in the joined text.
    pub word: Range<usize>,
}

impl MasterCf {
    /// The services in the order of the file.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.groups.iter().filter_map(|group| match &group.kind {
            Kind::Service(service) => Some(service),
            Kind::Trivia | Kind::FewFields | Kind::Orphan => None,
        })
    }
}

impl Service {
    /// The service's words, joined from the whole source.
    pub fn text<'a>(&'a self, bytes: &'a [u8]) -> ServiceText<'a> {
        ServiceText { joined: self.line.join(bytes), words: &self.words }
    }
}

impl ServiceText<'_> {
    /// One of the eight fields.
    pub fn field(&self, index: usize) -> &[u8] {
        &self.joined.text[self.words[index].clone()]
    }

    /// Where a field stands in the source.
    pub fn field_range(&self, index: usize) -> Range<usize> {
        self.joined.locate(self.words[index].clone())
    }

    /// The joined text.
    pub fn all_text(&self) -> &[u8] {
        &self.joined.text
    }

    /// A part of the joined text.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.joined.text[range]
    }

    /// Where a part of the joined text stands in the source.
    pub fn locate(&self, range: Range<usize>) -> Range<usize> {
        self.joined.locate(range)
    }

    /// What the program gets behind its name, as getopt(3) reads it.
    pub fn arguments(&self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        let mut words = self.words[FIELDS.len()..].iter();
        let mut options = true;
        while let Some(word) = words.next() {
            let text = &self.joined.text[word.clone()];
            options &= is_option(text);
            // `-vo` is `-v` and `-o`.
            let flags = text.iter().skip(1).take_while(|it| FLAGS.contains(it)).count();
            let value = word.start + flags + 2;
            arguments.push(match text.get(flags + 1) {
                Some(b'o') if options && value < word.end => self.assignment(value..word.end),
                Some(b'o') if options => match words.next() {
                    Some(word) => self.assignment(word.clone()),
                    None => Argument::Dangling(word.clone()),
                },
                Some(_) | None => Argument::Word(word.clone()),
            });
        }
        arguments
    }

    fn assignment(&self, word: Range<usize>) -> Argument {
        let assignment = lists::assignment(&self.joined.text, word.clone());
        Argument::Override { word, assignment }
    }

    /// The same as `postconf -M` shows it (`pcf_normalize_daemon_args`), which
    /// is another thing where options stand in one word: to postconf, each `o`
    /// in `-osmtpd_tls_loglevel=1` is a `-o`.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let text = &self.joined.text;
        let as_written = |word: &Range<usize>| Piece {
            text: Cow::Borrowed(&text[word.clone()]),
            word: word.clone(),
        };
        let mut waiting: VecDeque<Piece<'_>> =
            self.words[FIELDS.len()..].iter().map(as_written).collect();
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        while let Some(mut piece) = waiting.pop_front() {
            if !is_option(&piece.text) {
                waiting.push_front(piece);
                break;
            }
            // `-vofoo` is `-v` and `-ofoo`.
            if let Some(at) = piece.text.iter().skip(2).position(|byte| *byte == b'o') {
                waiting.push_front(piece.split_off(2 + at));
            }
            // C's strchr finds the end of a string in every string: so does postconf behind `-`.
            if !matches!(piece.text.get(1), Some(b'o') | None) {
                pieces.push(piece);
                continue;
            }
            if piece.text.len() > 2 {
                let rest = piece.word.end + 2 - piece.text.len()..piece.word.end;
                waiting.push_front(as_written(&rest));
                piece.word.end = rest.start;
                piece.text = Cow::Borrowed(b"-o");
            }
            let assigns = piece.text == b"-o".as_slice();
            pieces.push(piece);
            if let Some(value) = waiting.pop_front() {
                pieces.push(self.without_braces(value, assigns));
            }
        }
        pieces.extend(waiting.into_iter().map(|word| self.without_braces(word, false)));
        pieces
    }

    /// A word as it is inside its braces, if it has some.
    fn without_braces<'t>(&'t self, piece: Piece<'t>, assigns: bool) -> Piece<'t> {
        let text = &self.joined.text;
        if !piece.text.starts_with(b"{") {
            return piece;
        }
        let inner = lists::braces(text, piece.word.clone()).0;
        let text = match lists::name_and_value(text, inner.clone()) {
            Assignment { name, value: Some(value), .. } if assigns && !name.is_empty() => {
                [&text[name], b"=", &text[value]].concat().into()
            }
            _ => Cow::Borrowed(&text[inner]),
        };
        Piece { text, ..piece }
    }

    /// The first field with something in it that Postfix does not take.
    pub fn invalid_field(&self) -> Option<usize> {
        (0..FIELDS.len()).find(|index| !fits(FIELDS[*index], self.field(*index)))
    }
}

/// Whether a field is as postconf wants it (`pcf_check_master_entry`).
pub fn fits(name: &str, field: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    match name {
        "type" => TYPES.contains(&field),
        "private" | "unprivileged" | "chroot" => matches!(field, b"y" | b"n" | b"-"),
        "wakeup" => {
            let time = field.strip_suffix(b"?").unwrap_or(field);
            time == b"-" || digits(time)
        }
        "process_limit" => field == b"-" || digits(field),
        _ => true,
    }
}

/// Options of daemons that take no value (`master/single_server.c` and the like).
const FLAGS: &[u8] = b"DdIlSuVvz";

/// What a service can listen on.
const TYPES: [&[u8]; 5] = [b"inet", b"unix", b"unix-dgram", b"fifo", b"pass"];

/// Whether a word is an option, and so more of them may follow.
pub fn is_option(text: &[u8]) -> bool {
    text.starts_with(b"-") && text != b"--"
}

impl Piece<'_> {
    /// Leaves what stands before `at` in the text; gives the rest, as an option.
    fn split_off(&mut self, at: usize) -> Self {
        let behind = self.text.len() - at;
        let rest = [b"-", &self.text[at..]].concat();
        self.text = Cow::Owned(self.text[..at].to_vec());
        let word = self.word.end - behind..self.word.end;
        self.word.end = word.start;
        Piece { text: Cow::Owned(rest), word }
    }
}

/// Reads any bytes; never fails.
pub fn parse(bytes: &[u8]) -> MasterCf {
    MasterCf { groups: lines::tile(bytes, || Kind::Trivia, |line| kind(bytes, line)) }
}

fn kind(bytes: &[u8], line: Logical) -> Kind {
    let joined = line.join(bytes);
    if joined.text.first().copied().is_some_and(super::is_space) {
        return Kind::Orphan;
    }
    let words: Vec<Range<usize>> = lists::words(&joined.text, BLANKS).collect();
    if words.len() < FIELDS.len() {
        return Kind::FewFields;
    }
    Kind::Service(Service { line, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, type, and each argument of the services of a file.
    fn read(source: &str) -> Vec<Vec<String>> {
        let bytes = source.as_bytes();
        let parsed = parse(bytes);
        let service = |service: &Service| {
            let text = service.text(bytes);
            let show =
                |range: Range<usize>| String::from_utf8_lossy(text.bytes(range)).into_owned();
            let mut words: Vec<String> = [0, 1]
                .map(|index| String::from_utf8_lossy(text.field(index)).into_owned())
                .to_vec();
            words.extend(text.arguments().into_iter().map(|argument| match argument {
                Argument::Override { assignment: Assignment { name, value, .. }, .. } => {
                    format!("{}={}", show(name), value.map_or("?".to_owned(), show))
                }
                Argument::Dangling(_) => "dangling".to_owned(),
                Argument::Word(range) => show(range),
            }));
            words
        };
        parsed.services().map(service).collect()
    }

    /// Each row was tried with `postconf -M` and `-P` of 3.5 to 3.12.
    #[test]
    fn services_are_read_as_in_postfix() {
        let line = "smtp inet n - n - - smtpd";
        for (rest, want) in [
            ("", &[] as &[&str]),
            ("\n  -o a=b -oc=d", &["a=b", "c=d"]),
            ("\n  -o { a = b c }\n  # comment\n  -o d=", &["a=b c", "d="]),
            (" -v -o a = b", &["-v", "a=?", "=", "b"]),
            (" # c", &["#", "c"]),
            (" flags=x -o a=b", &["flags=x", "-o", "a=b"]),
            (" -o", &["dangling"]),
            (" -vo a=b -Dvoc=d", &["a=b", "c=d"]),
            (" {a b}", &["{a b}"]),
        ] {
            let want: Vec<&str> = ["smtp", "inet"].iter().chain(want).copied().collect();
            assert_eq!(read(&format!("{line}{rest}\n")), [want], "{rest}");
        }
        assert!(read("smtp inet n - n - -\n").is_empty(), "seven fields");
        assert!(read(&format!("  {line}\n")).is_empty(), "an orphan");
    }

    #[test]
    fn groups_tile_the_file() {
        let source = "# a\n\nsmtp inet n - n - - smtpd\n  -o a=b\n# c\nshort\n";
        let groups = parse(source.as_bytes()).groups;
        let text: String = groups.iter().map(|group| &source[group.range.clone()]).collect();
        assert_eq!(text, source);
    }
}
