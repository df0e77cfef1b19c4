//! `master.cf` as written: services, their fields and their arguments.
//!
//! Follows `postconf/postconf_master.c` and `master/master_ent.c`: the logical
//! lines are those of main.cf; words stand between blanks, and a `{…}` keeps
//! what is inside it together. `#` behind the fields is an argument like any
//! other.

use std::ops::Range;

use super::lines::{self, Group, Joined, Logical};
use super::lists::{self, BLANKS};

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
        /// The name.
        name: Range<usize>,
        /// The value; `None` where there is no `=`.
        value: Option<Range<usize>>,
    },
    /// `-o` with nothing behind it.
    Dangling(Range<usize>),
    /// Any other word.
    Word(Range<usize>),
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

    /// A part of the joined text.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.joined.text[range]
    }

    /// Where a part of the joined text stands in the source.
    pub fn locate(&self, range: Range<usize>) -> Range<usize> {
        self.joined.locate(range)
    }

    /// What the program gets behind its name.
    pub fn arguments(&self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        let mut words = self.words[FIELDS.len()..].iter();
        let mut options = true;
        while let Some(word) = words.next() {
            let text = &self.joined.text[word.clone()];
            options &= text.starts_with(b"-") && text != b"--";
            match text {
                b"-o" if options => arguments.push(match words.next() {
                    Some(word) => self.assignment(word.clone()),
                    None => Argument::Dangling(word.clone()),
                }),
                [b'-', b'o', ..] if options => {
                    arguments.push(self.assignment(word.start + 2..word.end));
                }
                _ => arguments.push(Argument::Word(word.clone())),
            }
        }
        arguments
    }

    /// `name=value` or `{ name = value }`.
    fn assignment(&self, word: Range<usize>) -> Argument {
        let (name, value) = lists::assignment(&self.joined.text, word.clone());
        Argument::Override { word, name, value }
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
                Argument::Override { name, value, .. } => {
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
