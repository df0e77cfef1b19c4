//! A POSIX regular expression as a tree, and repetitions as the copies that glibc makes.

use std::rc::Rc;

/// A set of bytes.
pub(super) type Set = [u64; 4];

/// A part of a regular expression.
#[derive(Debug)]
pub(super) enum Tree {
    /// One byte of a set.
    Bytes(Set),
    /// What the group of that index has matched.
    Reference(usize),
    /// A place.
    Anchor(Anchor),
    /// One after the other.
    Sequence(Vec<Rc<Tree>>),
    /// One of them; `None` is the empty one.
    Alternatives(Vec<Option<Rc<Tree>>>),
    /// `a, b, c`: `((a? b)? c)?`.
    Options(Vec<Rc<Tree>>),
    /// As often as it can.
    Star(Rc<Tree>),
    /// A group.
    Group {
        /// From 0.
        index: usize,
        /// What stands in it.
        inner: Option<Rc<Tree>>,
        /// Whether it is one that a repetition may leave out.
        optional: bool,
    },
}

/// A condition of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// `^`, `` \` ``
    Start,
    /// `$`, `\'`
    End,
    /// `\<`
    WordStart,
    /// `\>`
    WordEnd,
    /// Between two letters of a word: a half of `\B`.
    InsideWord,
    /// Where no word is on either side: the other half.
    OutsideWord,
}

/// `x{least,most}` as copies of x: `x x ((x)? x)?`.
pub(super) fn repeated(tree: &Rc<Tree>, least: u32, most: Option<u32>) -> Option<Rc<Tree>> {
    if most == Some(0) {
        return None;
    }
    // glibc's copies forget which groups may be left out; the first part is no copy.
    let copy = if least == 0 && most == Some(1) { Rc::clone(tree) } else { unmarked(tree) };
    let mut parts = vec![Rc::clone(&copy); least as usize];
    if let Some(first) = parts.first_mut() {
        *first = Rc::clone(tree);
    }
    let repeatable = if least == 0 { tree } else { &copy };
    let optional = match repeatable.as_ref() {
        Tree::Group { index, inner, .. } => {
            Rc::new(Tree::Group { index: *index, inner: inner.clone(), optional: true })
        }
        _ => Rc::clone(repeatable),
    };
    match most {
        None => parts.push(match optional.as_ref() {
            Tree::Star(_) => optional,
            _ => Rc::new(Tree::Star(optional)),
        }),
        Some(most) if most > least => {
            let mut options = vec![optional];
            options.extend((least + 1..most).map(|_| Rc::clone(&copy)));
            parts.push(Rc::new(Tree::Options(options)));
        }
        Some(_) => {}
    }
    Some(match parts.len() {
        1 => parts.swap_remove(0),
        _ => Rc::new(Tree::Sequence(parts)),
    })
}

fn unmarked(tree: &Rc<Tree>) -> Rc<Tree> {
    let of_branch = |branch: &Option<Rc<Tree>>| branch.as_ref().map(unmarked);
    Rc::new(match tree.as_ref() {
        Tree::Bytes(_) | Tree::Reference(_) | Tree::Anchor(_) => return Rc::clone(tree),
        Tree::Sequence(parts) => Tree::Sequence(parts.iter().map(unmarked).collect()),
        Tree::Alternatives(branches) => {
            Tree::Alternatives(branches.iter().map(of_branch).collect())
        }
        Tree::Options(parts) => Tree::Options(parts.iter().map(unmarked).collect()),
        Tree::Star(inner) => Tree::Star(unmarked(inner)),
        Tree::Group { index, inner, .. } => {
            Tree::Group { index: *index, inner: of_branch(inner), optional: false }
        }
    })
}

/// How many parts it has, or `None` where they are too many or too deep to go on.
pub(super) fn size(tree: &Tree, depth: usize, most: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    let all = |parts: &mut dyn Iterator<Item = &Rc<Tree>>| {
        let mut sum = 1;
        for part in parts {
            sum += size(part, depth, most)?;
            if sum > most {
                return None;
            }
        }
        Some(sum)
    };
    match tree {
        Tree::Bytes(_) | Tree::Reference(_) | Tree::Anchor(_) => Some(1),
        Tree::Sequence(parts) | Tree::Options(parts) => all(&mut parts.iter()),
        Tree::Alternatives(branches) => all(&mut branches.iter().flatten()),
        Tree::Star(inner) => all(&mut std::iter::once(inner)),
        Tree::Group { inner, .. } => all(&mut inner.iter()),
    }
}

/// The set of one byte.
pub(super) fn only(byte: u8) -> Set {
    with([0; 4], byte)
}

/// A set and one byte more.
pub(super) fn with(mut set: Set, byte: u8) -> Set {
    set[usize::from(byte >> 6)] |= 1 << (byte & 63);
    set
}

/// All bytes that are in neither.
pub(super) fn without(set: Set, byte: u8) -> Set {
    not(with(set, byte))
}

/// All other bytes.
pub(super) fn not(set: Set) -> Set {
    set.map(|it| !it)
}

/// Whether it has the byte.
pub(super) fn has(set: &Set, byte: u8) -> bool {
    set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}
