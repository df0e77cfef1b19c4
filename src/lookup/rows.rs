//! Tables of keys and values, asked as they stand: no map is built of a million rows.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::{ORPHAN, Problem};
use crate::syntax::table::{self, Kind, Row};
use crate::syntax::{is_space, lines};
use crate::text::{SourceId, Span, fold, in_parts, offset};

/// The bytes that rows stand in.
#[derive(Clone, Debug)]
pub(super) struct Rows<'s> {
    /// `None`: they stand in a value of main.cf.
    pub(super) source: Option<SourceId>,
    pub(super) bytes: Cow<'s, [u8]>,
}

/// What is done to a row's key before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Lower case for ASCII letters.
    Ascii,
    /// Folded as Unicode says; a row that is not UTF-8 is no row.
    Unicode,
}

/// For more keys than these it pays to read each row to the end.
const FEW: usize = 16;

/// A row that has been found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// Its value.
    pub(super) value: Vec<u8>,
}

/// What is done with the place and the text of a logical line.
pub(super) type Take<'t> = dyn FnMut(Range<usize>, &[u8], &mut Vec<Problem>) + 't;

impl Rows<'_> {
    /// Where a row stands, if in a file.
    pub(super) fn span(&self, range: Range<usize>) -> Option<Span> {
        self.source.map(|source| Span::new(source, range))
    }

    /// The line that a row begins in, from 1.
    pub(super) fn line(&self, range: &Range<usize>) -> usize {
        memchr::memchr_iter(b'\n', &self.bytes[..range.start]).count() + 1
    }

    /// Calls `take` with the place and the text of each logical line.
    pub(super) fn each(&self, problems: &mut Vec<Problem>, take: &mut Take<'_>) {
        for line in lines::logical_lines(&self.bytes) {
            let joined = line.join(&self.bytes);
            let range = line.start as usize..line.end as usize;
            match joined.text.first() {
                None => {}
                Some(first) if is_space(*first) => {
                    let what = ORPHAN.into();
                    problems.push(Problem { place: self.span(range), what });
                }
                Some(_) => take(range, &joined.text, problems),
            }
        }
    }

    /// For each key the first row that has it.
    pub(super) fn find(&self, wanted: &[&[u8]], keys: Keys) -> Vec<Option<Found>> {
        let bytes: &[u8] = &self.bytes;
        let split = |size| table::parts(bytes, size).collect();
        let find = if wanted.len() > FEW { find_many_in } else { find_in };
        let parts = in_parts(bytes, split, &|part| find(bytes, part, wanted, keys));
        parts
            .into_iter()
            .reduce(|first, next| first.into_iter().zip(next).map(|(a, b)| a.or(b)).collect())
            .unwrap_or_else(|| vec![None; wanted.len()])
    }

    /// The first row whose key stands before it, with the one that is before it.
    pub(super) fn duplicate(&self, keys: Keys) -> Option<(Range<usize>, Range<usize>)> {
        let bytes: &[u8] = &self.bytes;
        let hasher = RandomState::default();
        let split = |size| table::parts(bytes, size).collect();
        let parts = in_parts(bytes, split, &|part| hashes(bytes, part, keys, &hasher));
        let mut all: Vec<u64> = parts.concat();
        // Of sorted parts, the stable sort makes a merge.
        all.sort_by_key(|it| *it);
        let row = |start: u32| table::rows(bytes, start as usize..bytes.len()).next();
        let mut found: Option<(u32, u32)> = None;
        // Half of a hash is not all of a key.
        for same in all.chunk_by(|a, b| a >> 32 == b >> 32).filter(|it| it.len() > 1) {
            let starts: Vec<u32> =
                same.iter().filter_map(|it| u32::try_from(it & u64::from(u32::MAX)).ok()).collect();
            for (index, start) in starts.iter().enumerate().skip(1) {
                let key = row(*start).map(|it| key(bytes, &it, keys));
                let is_same =
                    |first: &&u32| row(**first).map(|it| self::key(bytes, &it, keys)) == key;
                if let Some(first) = starts[..index].iter().find(is_same) {
                    found = found.min(Some((*start, *first))).or(Some((*start, *first)));
                }
            }
        }
        let (second, first) = found?;
        Some((row(first)?.range(), row(second)?.range()))
    }
}

/// Half of each key's hash, and in the lower half of the number the place where its row begins; sorted.
fn hashes(bytes: &[u8], part: Range<usize>, keys: Keys, hasher: &RandomState) -> Vec<u64> {
    let hash = |row: Row| {
        let hash = hasher.hash_one(key(bytes, &row, keys));
        hash >> 32 << 32 | u64::from(offset(row.range().start))
    };
    let rows = table::rows(bytes, part).filter(|row| counts(bytes, row, keys));
    let mut found: Vec<u64> = rows.map(hash).collect();
    found.sort_unstable();
    found
}

/// The first row of each key in a part of the table. Only lines that begin as one of the keys are
/// read as rows: most of a large table is passed by at the speed of memory.
fn find_in(bytes: &[u8], part: Range<usize>, wanted: &[&[u8]], keys: Keys) -> Vec<Option<Found>> {
    let mut found: Vec<Option<Found>> = vec![None; wanted.len()];
    let mut start = part.start;
    while start < part.end {
        let open = |(wanted, found): (&&[u8], &Option<Found>)| {
            found.is_none() && may_be(&bytes[start..part.end], wanted)
        };
        if wanted.iter().zip(&found).any(open) {
            let row = table::rows(bytes, start..part.end).next();
            let row = row.filter(|row| row.range().start == start && counts(bytes, row, keys));
            for (wanted, found) in wanted.iter().zip(&mut found) {
                let is_it = |row: &&Row| key(bytes, row, keys) == *wanted;
                if let (None, Some(row)) = (&found, row.as_ref().filter(is_it)) {
                    let value = row.value(bytes).into_owned();
                    *found = Some(Found { range: row.range(), value });
                }
            }
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        start =
            memchr::memchr(b'\n', &bytes[start..part.end]).map_or(part.end, |it| start + it + 1);
    }
    found
}

/// The same for many keys: each row's own key is looked up among them.
fn find_many_in(
    bytes: &[u8],
    part: Range<usize>,
    wanted: &[&[u8]],
    keys: Keys,
) -> Vec<Option<Found>> {
    let mut open: HashMap<&[u8], Vec<usize>, RandomState> = HashMap::default();
    for (index, key) in wanted.iter().enumerate() {
        open.entry(*key).or_default().push(index);
    }
    let mut found: Vec<Option<Found>> = vec![None; wanted.len()];
    for row in table::rows(bytes, part).filter(|it| counts(bytes, it, keys)) {
        // The first row counts.
        for index in open.remove(&*key(bytes, &row, keys)).into_iter().flatten() {
            found[index] = Some(Found { range: row.range(), value: row.value(bytes).into_owned() });
        }
        if open.is_empty() {
            break;
        }
    }
    found
}

/// Whether a line can be a row for a key: it begins with it, or with what postmap reads as other
/// letters.
fn may_be(line: &[u8], key: &[u8]) -> bool {
    let odd = |it: &u8| !it.is_ascii() || matches!(it, b'"' | b'\\' | b'\r');
    let begin = &line[..key.len().min(line.len())];
    let first = begin.iter().zip(key).all(|(a, b)| a.eq_ignore_ascii_case(b));
    // The bytes up to the first that differs are letters like others.
    let differs = begin.iter().zip(key).position(|(a, b)| !a.eq_ignore_ascii_case(b));
    first || begin[..=differs.unwrap_or_default()].iter().any(odd)
}

/// Whether it is a row for Postfix.
fn counts(bytes: &[u8], row: &Row, keys: Keys) -> bool {
    let is_text = || {
        let text = row.text(bytes);
        str::from_utf8(text.key()).is_ok() && str::from_utf8(text.value()).is_ok()
    };
    row.kind == Kind::Entry
        && match keys {
            Keys::Ascii => true,
            Keys::Unicode => bytes[row.range()].is_ascii() || is_text(),
        }
}

/// The key as Postfix keeps it.
fn key<'b>(bytes: &'b [u8], row: &Row, keys: Keys) -> Cow<'b, [u8]> {
    let key = row.key(bytes);
    match (keys, key) {
        (Keys::Ascii, key) if key.iter().any(u8::is_ascii_uppercase) => {
            key.to_ascii_lowercase().into()
        }
        (Keys::Ascii, key) => key,
        (Keys::Unicode, Cow::Borrowed(key)) => fold(key),
        (Keys::Unicode, Cow::Owned(key)) => fold(&key).into_owned().into(),
    }
}

/// All keys and values that count, in the order of the file; of equal keys the first.
pub(super) fn all(bytes: &[u8], keys: Keys) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut seen = std::collections::HashSet::new();
    let mut rows = Vec::new();
    for row in table::rows(bytes, 0..bytes.len()).filter(|row| counts(bytes, row, keys)) {
        let key = key(bytes, &row, keys).into_owned();
        if seen.insert(key.clone()) {
            rows.push((key, row.value(bytes).into_owned()));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of rows as they can be, and as they cannot, from a seed.
    fn text(mut seed: u64) -> Vec<u8> {
        const PARTS: [&[u8]; 16] = [
            b"a",
            b"B",
            b"\xc3\xbc",
            b"\xff",
            b" ",
            b"\t",
            b"\n",
            b"\n",
            b"\n",
            b"#",
            b"\"",
            b"\\",
            b"\r",
            b"a v\n",
            b"b w\n x\n",
            b"B 2\n",
        ];
        let mut text = Vec::new();
        for _ in 0..40 {
            // Knuth's constants; the upper bits are the good ones.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.extend_from_slice(PARTS[usize::try_from(seed >> 60).expect("it fits")]);
        }
        text
    }

    #[test]
    fn many_keys_are_found_where_each_is_found_by_itself() {
        let alphabet: [&[u8]; 5] = [b"a", b"b", b"B", b"\xc3\xbc", b"\""];
        let pairs = alphabet.iter().flat_map(|a| alphabet.map(|b| [*a, b].concat()));
        let words: Vec<Vec<u8>> = alphabet.iter().map(|it| it.to_vec()).chain(pairs).collect();
        let wanted: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        assert!(wanted.len() > FEW);
        let mut hits = 0;
        for seed in 0..2_000 {
            let rows = Rows { source: None, bytes: text(seed).into() };
            for keys in [Keys::Ascii, Keys::Unicode] {
                let many = rows.find(&wanted, keys);
                hits += many.iter().flatten().count();
                for (key, found) in wanted.iter().zip(&many) {
                    assert_eq!(rows.find(&[key], keys)[0], *found, "seed {seed}, {key:?}");
                }
            }
        }
        assert!(hits > 1_000, "or nothing was compared: {hits}");
    }
}
