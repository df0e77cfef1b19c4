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
    /// Once or not at all.
    Optional(Rc<Tree>),
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

/// `x{least,most}` as copies of x: `x x (x (x)?)?`.
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
            // Each copy is optional together with all before it.
            parts.push(Rc::new(Tree::Optional(Rc::clone(&optional))));
            parts.extend((least + 1..most).map(|_| Rc::clone(&copy)));
            let nested = parts.split_off(least as usize);
            parts.push(nest(nested));
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
        Tree::Optional(inner) => Tree::Optional(unmarked(inner)),
        Tree::Star(inner) => Tree::Star(unmarked(inner)),
        Tree::Group { index, inner, .. } => {
            Tree::Group { index: *index, inner: of_branch(inner), optional: false }
        }
    })
}

/// `a?`, b, c as `((a? b)? c)?`.
fn nest(parts: Vec<Rc<Tree>>) -> Rc<Tree> {
    let join = |before, part| Rc::new(Tree::Optional(Rc::new(Tree::Sequence(vec![before, part]))));
    parts.into_iter().reduce(join).unwrap_or_else(|| Rc::new(Tree::Sequence(Vec::new())))
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
