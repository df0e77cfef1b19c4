//! POSIX regular expressions as glibc reads and matches them: those of `regexp:` tables.
//!
//! No crate has them: what is called regex elsewhere takes the first alternative that matches, not
//! the longest, reads `\d` and `(?i)`, and allows what POSIX refuses. Here a text matches from its
//! leftmost place as long as it can, and the groups are those that glibc finds
//! (`posix/regcomp.c`, `posix/regexec.c`), in the C locale: bytes, not characters.
//!
//! Known limits: texts are one line, as keys are, so the difference that `REG_NEWLINE` makes is
//! left out. Back references are followed by trying all ways, and given up where that takes too long.
//! Two faults of glibc are not followed: `^`, `$` or `\b` in a repeated group, `(^a){2}`, may have no
//! effect or keep it from matching; so may a reference to a group whose last round was empty.

mod bracket;
mod build;
mod machine;
mod parse;
mod tree;

use machine::Machine;
pub(super) use machine::{Groups, TooMuch};
pub(super) use parse::{Case, Refused, Syntax};

/// A compiled regular expression.
#[derive(Debug)]
pub(super) struct Regex {
    machine: Machine,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRegex {
    /// glibc refuses it.
    Refused(Refused),
    /// It is larger than postls goes.
    TooLarge,
}

impl Regex {
    /// Reads any bytes.
    pub(super) fn new(pattern: &[u8], syntax: Syntax, case: Case) -> Result<Regex, NoRegex> {
        let parsed = parse::parse(pattern, syntax, case)?;
        let machine = Machine::new(&parsed, case).ok_or(NoRegex::TooLarge)?;
        Ok(Regex { machine })
    }

    /// How many groups it has.
    pub(super) fn groups(&self) -> usize {
        self.machine.groups()
    }

    /// Whether it matches somewhere.
    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, TooMuch> {
        self.machine.is_match(text)
    }

    /// The match, and `wanted` of its groups: the first of the list is the match itself.
    pub(super) fn find(&self, text: &[u8], wanted: usize) -> Result<Option<Groups>, TooMuch> {
        self.machine.find(text, wanted)
    }
}

impl From<Refused> for NoRegex {
    fn from(refused: Refused) -> NoRegex {
        NoRegex::Refused(refused)
    }
}
