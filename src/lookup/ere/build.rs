//! The automaton of a POSIX regular expression, its nodes in the order in which glibc numbers them.

use super::machine::{Kind, NOWHERE, Node};
use super::tree::Tree;

/// `a{255}` in `(…){255}` is smaller than this.
const MOST_NODES: usize = 1 << 18;

/// A part that has been built: where it begins, and the edges that still lead nowhere.
struct Part {
    first: usize,
    loose: Vec<(usize, usize)>,
}

struct TooLarge;

/// The nodes, the last of which is the end, and the one to begin with; `None`: it is too large.
pub(super) fn build(tree: Option<&Tree>) -> Option<(Vec<Node>, usize)> {
    let mut builder = Builder(Vec::new());
    let part = builder.build_branch(tree).ok()?;
    let end = builder.add(Kind::End).ok()?;
    let start = part.as_ref().map_or(end, |it| it.first);
    if let Some(part) = part {
        builder.connect(&part.loose, end);
    }
    let mut nodes = builder.0;
    for node in &mut nodes {
        node.edges.sort_unstable();
    }
    Some((nodes, start))
}

struct Builder(Vec<Node>);

impl Builder {
    fn add(&mut self, kind: Kind) -> Result<usize, TooLarge> {
        if self.0.len() >= MOST_NODES {
            return Err(TooLarge);
        }
        self.0.push(Node { kind, edges: [NOWHERE; 2] });
        Ok(self.0.len() - 1)
    }

    fn connect(&mut self, loose: &[(usize, usize)], node: usize) {
        for (from, edge) in loose {
            self.0[*from].edges[*edge] = node;
        }
    }

    fn single(&mut self, kind: Kind) -> Result<Part, TooLarge> {
        let node = self.add(kind)?;
        Ok(Part { first: node, loose: vec![(node, 0)] })
    }

    /// One part behind the other; an empty one is none.
    fn join(&mut self, before: Option<Part>, behind: Option<Part>) -> Option<Part> {
        match (before, behind) {
            (Some(before), Some(behind)) => {
                self.connect(&before.loose, behind.first);
                Some(Part { first: before.first, loose: behind.loose })
            }
            (before, behind) => before.or(behind),
        }
    }

    /// `None`: nothing is there.
    fn build(&mut self, tree: &Tree) -> Result<Option<Part>, TooLarge> {
        Ok(match tree {
            Tree::Bytes(set) => Some(self.single(Kind::Bytes(*set))?),
            Tree::Reference(index) => Some(self.single(Kind::Reference(*index))?),
            Tree::Anchor(anchor) => Some(self.single(Kind::Anchor(*anchor))?),
            Tree::Sequence(parts) => {
                let mut whole = None;
                for part in parts {
                    let part = self.build(part)?;
                    whole = self.join(whole, part);
                }
                whole
            }
            Tree::Alternatives(branches) => {
                let mut whole = None;
                for (index, branch) in branches.iter().enumerate() {
                    let right = self.build_branch(branch.as_deref())?;
                    whole = if index == 0 { right } else { Some(self.fork(whole, right)?) };
                }
                whole
            }
            Tree::Options(parts) => {
                let mut whole = None;
                for part in parts {
                    let part = self.build(part)?;
                    let inner = self.join(whole, part);
                    whole = Some(self.fork(inner, None)?);
                }
                whole
            }
            Tree::Star(inner) => match self.build(inner)? {
                None => None,
                Some(inner) => {
                    let fork = self.add(Kind::Fork)?;
                    self.connect(&inner.loose, fork);
                    self.0[fork].edges[0] = inner.first;
                    Some(Part { first: fork, loose: vec![(fork, 1)] })
                }
            },
            Tree::Group { index, inner, optional } => {
                let open = self.single(Kind::Open(*index))?;
                let inner = match inner {
                    None => None,
                    Some(inner) => self.build(inner)?,
                };
                let close = self.single(Kind::Close { group: *index, optional: *optional })?;
                let behind = self.join(inner, Some(close));
                self.join(Some(open), behind)
            }
        })
    }

    fn build_branch(&mut self, branch: Option<&Tree>) -> Result<Option<Part>, TooLarge> {
        match branch {
            None => Ok(None),
            Some(branch) => self.build(branch),
        }
    }

    /// Either of two; an empty one leads on.
    fn fork(&mut self, left: Option<Part>, right: Option<Part>) -> Result<Part, TooLarge> {
        let fork = self.add(Kind::Fork)?;
        let mut loose = Vec::new();
        for (edge, part) in [left, right].into_iter().enumerate() {
            match part {
                Some(part) => {
                    self.0[fork].edges[edge] = part.first;
                    loose.extend(part.loose);
                }
                None => loose.push((fork, edge)),
            }
        }
        Ok(Part { first: fork, loose })
    }
}
