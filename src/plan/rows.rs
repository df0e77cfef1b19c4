//! The rows of a table's source, by their keys.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::policy::compile;
use crate::syntax::lists;
use crate::syntax::table::{self, Kind};
use crate::text::fold;

/// Keys, as Postfix folds them, and right-hand sides. The first row of a key counts, as in an index.
#[derive(Debug, Default)]
pub(super) struct Rows<'t> {
    by_key: HashMap<Cow<'t, str>, Cow<'t, [u8]>, RandomState>,
    /// Whether postls wrote the table.
    pub(super) is_own: bool,
}

impl<'t> Rows<'t> {
    /// Reads any bytes.
    pub(super) fn of(bytes: &'t [u8]) -> Rows<'t> {
        let mut by_key = HashMap::<_, _, RandomState>::default();
        let entries = table::rows(bytes, 0..bytes.len()).filter(|it| it.kind == Kind::Entry);
        for row in entries {
            let key = match row.key(bytes) {
                Cow::Borrowed(key) => fold(key),
                Cow::Owned(key) => Cow::Owned(fold(&key).into_owned()),
            };
            by_key.entry(as_text(key)).or_insert_with(|| row.value(bytes));
        }
        Rows { by_key, is_own: bytes.starts_with(compile::MARK.as_bytes()) }
    }

    /// The right-hand side of a key.
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        self.by_key.get(key).map(|it| &**it)
    }

    /// All keys, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(|it| &**it)
    }
}

/// The words of a right-hand side with one blank between them.
pub(super) fn one_line(value: &[u8]) -> String {
    let words = lists::words(value, lists::COMMA_SPACE);
    words.map(|it| String::from_utf8_lossy(&value[it])).collect::<Vec<_>>().join(" ")
}

fn as_text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_known_by_what_they_mean() {
        let rows =
            Rows::of(b"# old\nB.example  MAY,\n  ciphers=high\na.example encrypt\na.example may\n");
        assert_eq!(rows.get("b.example").map(one_line).as_deref(), Some("MAY ciphers=high"));
        assert_eq!(rows.get("a.example").map(one_line).as_deref(), Some("encrypt"));
        assert_eq!((rows.keys().count(), rows.is_own), (2, false));
    }
}
