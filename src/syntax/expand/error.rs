//! What can be wrong with a reference.

use std::fmt;

/// Why a value cannot be expanded. Postfix programs that read it die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// `$` without a name: at the end, before a blank, `${}`.
    EmptyName,
    /// `${` or `$(` without its end.
    Truncated,
    /// A character in `${…}` that no name has.
    NameSyntax,
    /// `{` without `}` inside `${…}`.
    UnbalancedBraces,
    /// No comparison operator where one must stand, or one with an unknown suffix.
    Operator,
    /// An operand that is not in braces, or no compatibility level or number.
    Operand,
    /// Something behind the last part of `${…}`.
    Garbage,
    /// A reference to itself, or more than 100 levels.
    TooDeep,
    /// More than 4 MiB of text have to be read for it.
    TooLong,
    /// `${name{…}}` with a name that is no function.
    UnknownFunction,
    /// A function's argument that is no domain.
    BadDomain,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::EmptyName => "a \"$\" without a name behind it; a literal one is written \"$$\"",
            Error::Truncated => "a \"${\" or \"$(\" that is not closed",
            Error::NameSyntax => "a character in \"${…}\" that a parameter name cannot have",
            Error::UnbalancedBraces => "a \"{\" inside \"${…}\" that is not closed",
            Error::Operator => "no comparison operator where one must stand",
            Error::Operand => "an operand that cannot be compared",
            Error::Garbage => "text behind the last part of \"${…}\"",
            Error::TooDeep => "a reference to itself, or more than 100 levels of references",
            Error::TooLong => "more than 4 MiB of text",
            Error::UnknownFunction => "a function that Postfix does not have",
            Error::BadDomain => "a function's argument that is no domain",
        })
    }
}
