//! The journal: what an apply is about to do, on the disk before it does it.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::generation::Generation;

/// The form of the file.
pub(super) const SCHEMA: &str = "postls/journal/v1";

/// What is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    pub(super) schema: String,
    pub(super) phase: Phase,
    /// What is put in places, in this order.
    pub(super) steps: Vec<Step>,
    /// The files beside which temporary files may stand that are ours.
    pub(super) beside: Vec<Place>,
    /// Whether a running Postfix is told of it.
    pub(super) tell: Tell,
    /// What history will say of it.
    pub(super) generation: Generation,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    /// New files are written beside the old ones; each file is still the old one, or is it again.
    Staging,
    /// They are put in their places, one after the other.
    Placing,
    /// All is done, but for what has to be cleared away.
    Done,
}

/// Whether a running Postfix is told to read its files again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tell {
    /// It notices by itself.
    NotNeeded,
    /// It is told.
    Reload,
    /// It would have to be, and the user does not want it.
    Never,
}

/// One file that is replaced or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    /// Absolute, and no symbolic link.
    pub(super) target: Place,
    /// The SHA-256 of what is put there; `None`: it is removed.
    pub(super) digest: Option<String>,
    /// The second name of what was there; `None`: there was nothing.
    pub(super) kept: Option<Place>,
}

/// A path. Paths are bytes and JSON has text: what is no printable ASCII, and `%`, is written as `%41`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Place(pub(super) PathBuf);

impl From<Place> for String {
    fn from(Place(path): Place) -> String {
        let mut text = String::new();
        for byte in path.as_os_str().as_bytes() {
            if matches!(byte, b' '..=b'~') && *byte != b'%' {
                text.push(char::from(*byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Place, String> {
        let mut bytes = Vec::with_capacity(text.len());
        for (index, part) in text.as_bytes().split(|it| *it == b'%').enumerate() {
            let code = part.get(..2).and_then(|it| std::str::from_utf8(it).ok());
            match code
                .filter(|it| !it.starts_with('+'))
                .and_then(|it| u8::from_str_radix(it, 16).ok())
            {
                _ if index == 0 => bytes.extend_from_slice(part),
                Some(byte) => {
                    bytes.push(byte);
                    bytes.extend_from_slice(&part[2..]);
                }
                None => return Err(format!("\"{text}\" is no path")),
            }
        }
        Ok(Place(PathBuf::from(OsString::from_vec(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_comes_back() {
        for path in [&b"/etc/postfix/main.cf"[..], b"/a b\n%41\xff/\xc3\xa4", b"", b"%", b"/%%"] {
            let place = Place(PathBuf::from(OsString::from_vec(path.to_vec())));
            let text = serde_json::to_string(&place).expect("it is text");
            assert!(text.is_ascii() && !text.contains('\\'), "{text}");
            assert_eq!(serde_json::from_str::<Place>(&text).expect("ours"), place, "{text}");
        }
        for bad in ["\"%\"", "\"%4\"", "\"a%zz\"", "\"%+1\""] {
            assert!(serde_json::from_str::<Place>(bad).is_err(), "{bad}");
        }
    }
}
