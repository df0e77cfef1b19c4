//! The automaton of a POSIX regular expression, and how it finds the groups that glibc finds.
//!
//! A match begins at the leftmost place and is as long as it can be. Then the way from its beginning
//! to its end is gone once more: where it forks, the first branch from which the end can still be
//! reached is taken (`proceed_next_node`). Branches have the order of their nodes, and nodes the order
//! in which glibc numbers them: parts before the whole.

use super::build::build;
use super::parse::{Case, Parsed};
use super::tree::{Anchor, Set, has};

/// Some tenth of a second.
const MOST_STEPS: usize = 20_000_000;
/// The same where back references are followed.
const MOST_WAYS: usize = 500_000;
/// Where an edge is missing.
pub(super) const NOWHERE: usize = usize::MAX;

/// Where the match and its groups stand in the text.
pub(in crate::lookup) type Groups = Vec<Option<(usize, usize)>>;

/// The search was given up.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::lookup) struct TooMuch;

#[derive(Debug)]
pub(super) struct Machine {
    nodes: Vec<Node>,
    start: usize,
    groups: usize,
    case: Case,
    /// Whether it has back references.
    looks_back: bool,
    /// The other direction of the edges.
    sources: Vec<Vec<usize>>,
}

/// A node, and where it leads.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) edges: [usize; 2],
}

/// What a node does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Bytes(Set),
    Reference(usize),
    Anchor(Anchor),
    Fork,
    Open(usize),
    Close { group: usize, optional: bool },
    End,
}

impl Machine {
    /// `None`: it is too large.
    pub(super) fn new(parsed: &Parsed, case: Case) -> Option<Machine> {
        let (nodes, start) = build(parsed.tree.as_deref())?;
        let mut sources = vec![Vec::new(); nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            for edge in node.edges.into_iter().filter(|it| *it != NOWHERE) {
                sources[edge].push(index);
            }
        }
        let looks_back = nodes.iter().any(|it| matches!(it.kind, Kind::Reference(_)));
        Some(Machine { nodes, start, groups: parsed.groups, case, looks_back, sources })
    }

    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, TooMuch> {
        if self.looks_back {
            return Ok(self.find(text, 1)?.is_some());
        }
        let text = &self.in_case(text);
        let mut steps = 0;
        let mut states = States::new(self.nodes.len());
        for at in 0..=text.len() {
            if self.reach(text, at, self.start, &mut states, &mut steps)? {
                return Ok(true);
            }
            let (next, ends) = self.advance(text, at, &states, &mut steps)?;
            if ends {
                return Ok(true);
            }
            states = next;
        }
        Ok(false)
    }

    pub(super) fn find(&self, text: &[u8], wanted: usize) -> Result<Option<Groups>, TooMuch> {
        let text = &self.in_case(text);
        let mut steps = 0;
        for start in 0..=text.len() {
            if self.looks_back {
                if let Some(groups) = self.try_all(text, start, wanted, &mut steps)? {
                    return Ok(Some(groups));
                }
            } else if let Some(end) = self.longest(text, start, &mut steps)? {
                return self.walk(text, start..end, wanted, &mut steps);
            }
        }
        Ok(None)
    }

    fn in_case(&self, text: &[u8]) -> Vec<u8> {
        match self.case {
            Case::Counts => text.to_vec(),
            Case::Ignored => text.to_ascii_uppercase(),
        }
    }

    fn longest(
        &self,
        text: &[u8],
        start: usize,
        steps: &mut usize,
    ) -> Result<Option<usize>, TooMuch> {
        let mut states = States::new(self.nodes.len());
        let mut longest = self.reach(text, start, self.start, &mut states, steps)?.then_some(start);
        for at in start..text.len() {
            if states.list.is_empty() {
                break;
            }
            let (next, ends) = self.advance(text, at, &states, steps)?;
            if ends {
                longest = Some(at + 1);
            }
            states = next;
        }
        Ok(longest)
    }

    /// The states behind the byte at `at`, and whether the end is among them.
    fn advance(
        &self,
        text: &[u8],
        at: usize,
        states: &States,
        steps: &mut usize,
    ) -> Result<(States, bool), TooMuch> {
        *steps += self.nodes.len() / 64;
        let mut next = States::new(self.nodes.len());
        let mut ends = false;
        let Some(byte) = text.get(at) else { return Ok((next, false)) };
        for state in &states.list {
            if let Kind::Bytes(set) = &self.nodes[*state].kind
                && has(set, *byte)
            {
                ends |= self.reach(text, at + 1, self.nodes[*state].edges[0], &mut next, steps)?;
            }
        }
        Ok((next, ends))
    }

    /// Takes in all that can be reached from `node` without a byte; says whether the end can.
    fn reach(
        &self,
        text: &[u8],
        at: usize,
        node: usize,
        states: &mut States,
        steps: &mut usize,
    ) -> Result<bool, TooMuch> {
        let mut ends = false;
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            if !states.add(node) {
                continue;
            }
            step(steps)?;
            match self.nodes[node].kind {
                Kind::End => ends = true,
                Kind::Bytes(_) | Kind::Reference(_) => {}
                Kind::Anchor(anchor) if !holds(anchor, text, at) => {}
                Kind::Anchor(_) | Kind::Fork | Kind::Open(_) | Kind::Close { .. } => {
                    waiting.extend(self.nodes[node].edges.iter().filter(|it| **it != NOWHERE));
                }
            }
        }
        Ok(ends)
    }

    /// For each place of the match, the nodes from which its end can be reached.
    fn towards_end(
        &self,
        text: &[u8],
        range: &std::ops::Range<usize>,
        steps: &mut usize,
    ) -> Result<Vec<States>, TooMuch> {
        let mut all: Vec<States> = Vec::new();
        for at in (range.start..=range.end).rev() {
            let mut waiting: Vec<usize> = match all.last() {
                None => vec![self.nodes.len() - 1],
                Some(behind) => {
                    let takes = |node: &usize| matches!(&self.nodes[*node].kind, Kind::Bytes(set) if has(set, text[at]));
                    behind
                        .list
                        .iter()
                        .flat_map(|node| &self.sources[*node])
                        .copied()
                        .filter(takes)
                        .collect()
                }
            };
            let mut states = States::new(self.nodes.len());
            while let Some(node) = waiting.pop() {
                if !states.add(node) {
                    continue;
                }
                step(steps)?;
                waiting.extend(self.sources[node].iter().filter(|source| {
                    match self.nodes[**source].kind {
                        Kind::Anchor(anchor) => holds(anchor, text, at),
                        Kind::Fork | Kind::Open(_) | Kind::Close { .. } => true,
                        Kind::Bytes(_) | Kind::Reference(_) | Kind::End => false,
                    }
                }));
            }
            all.push(states);
        }
        all.reverse();
        Ok(all)
    }

    /// `set_regs`
    fn walk(
        &self,
        text: &[u8],
        range: std::ops::Range<usize>,
        wanted: usize,
        steps: &mut usize,
    ) -> Result<Option<Groups>, TooMuch> {
        let towards_end = self.towards_end(text, &range, steps)?;
        let mut registers = Registers::new(wanted);
        let (mut node, mut at) = (self.start, range.start);
        let mut passed = Vec::new();
        loop {
            step(steps)?;
            registers.update(self.nodes[node].kind, at);
            let edges = self.nodes[node].edges;
            match self.nodes[node].kind {
                Kind::End => return Ok(Some(registers.groups(range))),
                Kind::Bytes(_) | Kind::Reference(_) => {
                    at += 1;
                    passed.clear();
                    node = edges[0];
                }
                Kind::Anchor(_) | Kind::Fork | Kind::Open(_) | Kind::Close { .. } => {
                    passed.push(node);
                    let mut ways = edges
                        .into_iter()
                        .filter(|it| *it != NOWHERE && towards_end[at - range.start].has(*it));
                    node = match (ways.next(), ways.next()) {
                        // Not round and round in `(a*)*`.
                        (Some(first), Some(second)) if passed.contains(&first) => second,
                        (Some(first), _) => first,
                        (None, _) => return Ok(None),
                    };
                }
            }
        }
    }

    /// With back references: all ways from `start`, of the longest the first.
    fn try_all(
        &self,
        text: &[u8],
        start: usize,
        wanted: usize,
        steps: &mut usize,
    ) -> Result<Option<Groups>, TooMuch> {
        struct Way {
            node: usize,
            at: usize,
            registers: Registers,
            passed: Vec<usize>,
        }
        let mut best: Option<(usize, Groups)> = None;
        let registers = Registers::new(self.groups + 1);
        let mut ways = vec![Way { node: self.start, at: start, registers, passed: Vec::new() }];
        while let Some(mut way) = ways.pop() {
            step(steps)?;
            if *steps > MOST_WAYS {
                return Err(TooMuch);
            }
            let Way { node, at, .. } = way;
            way.registers.update(self.nodes[node].kind, at);
            let edges = self.nodes[node].edges;
            match self.nodes[node].kind {
                Kind::End => {
                    if best.as_ref().is_none_or(|(end, _)| *end < at) {
                        let mut groups = way.registers.groups(start..at);
                        groups.truncate(wanted);
                        best = Some((at, groups));
                    }
                }
                Kind::Bytes(set) => {
                    if text.get(at).is_some_and(|byte| has(&set, *byte)) {
                        way.passed.clear();
                        ways.push(Way { node: edges[0], at: at + 1, ..way });
                    }
                }
                Kind::Reference(group) => {
                    let taken = way.registers.now[group + 1];
                    if let (Some(from), Some(to)) = taken
                        && text[at..].starts_with(&text[from..to])
                    {
                        if to > from {
                            way.passed.clear();
                        }
                        ways.push(Way { node: edges[0], at: at + to - from, ..way });
                    }
                }
                Kind::Anchor(anchor) if !holds(anchor, text, at) => {}
                Kind::Anchor(_) | Kind::Fork | Kind::Open(_) | Kind::Close { .. } => {
                    if way.passed.contains(&node) {
                        continue;
                    }
                    way.passed.push(node);
                    // The last one that is pushed is the first one that is tried.
                    for edge in edges.into_iter().rev().filter(|it| *it != NOWHERE) {
                        let (registers, passed) = (way.registers.clone(), way.passed.clone());
                        ways.push(Way { node: edge, at, registers, passed });
                    }
                }
            }
        }
        Ok(best.map(|(_, groups)| groups))
    }
}

fn step(steps: &mut usize) -> Result<(), TooMuch> {
    *steps += 1;
    if *steps > MOST_STEPS { Err(TooMuch) } else { Ok(()) }
}

fn holds(anchor: Anchor, text: &[u8], at: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = at.checked_sub(1).and_then(|it| text.get(it)).is_some_and(is_word);
    let behind = text.get(at).is_some_and(is_word);
    match anchor {
        Anchor::Start => at == 0,
        Anchor::End => at == text.len(),
        Anchor::WordStart => !before && behind,
        Anchor::WordEnd => before && !behind,
        Anchor::InsideWord => before && behind,
        Anchor::OutsideWord => !before && !behind,
    }
}

/// A set of nodes, in the order in which they came.
struct States {
    list: Vec<usize>,
    has: Vec<u64>,
}

impl States {
    fn new(nodes: usize) -> States {
        States { list: Vec::new(), has: vec![0; nodes.div_ceil(64)] }
    }

    fn has(&self, node: usize) -> bool {
        self.has[node / 64] >> (node % 64) & 1 == 1
    }

    /// Says whether it is new.
    fn add(&mut self, node: usize) -> bool {
        let new = !self.has(node);
        if new {
            self.has[node / 64] |= 1 << (node % 64);
            self.list.push(node);
        }
        new
    }
}

/// Where groups begin and end, on the way (`update_regs`).
#[derive(Clone)]
struct Registers {
    now: Vec<(Option<usize>, Option<usize>)>,
    before: Vec<(Option<usize>, Option<usize>)>,
}

impl Registers {
    fn new(count: usize) -> Registers {
        Registers { now: vec![(None, None); count], before: vec![(None, None); count] }
    }

    fn update(&mut self, kind: Kind, at: usize) {
        match kind {
            Kind::Open(group) => {
                if let Some(register) = self.now.get_mut(group + 1) {
                    *register = (Some(at), None);
                }
            }
            Kind::Close { group, optional } => {
                let Some(register) = self.now.get_mut(group + 1) else { return };
                if register.0.is_some_and(|start| start < at) {
                    register.1 = Some(at);
                    self.before.clone_from(&self.now);
                } else if optional && self.before[group + 1].0.is_some() {
                    // An empty round of `(a?)*`: what the rounds before have found stays.
                    self.now.clone_from(&self.before);
                } else {
                    register.1 = Some(at);
                }
            }
            Kind::Bytes(_) | Kind::Reference(_) | Kind::Anchor(_) | Kind::Fork | Kind::End => {}
        }
    }

    fn groups(&self, whole: std::ops::Range<usize>) -> Groups {
        let pair = |it: &(Option<usize>, Option<usize>)| it.0.zip(it.1);
        let mut groups: Groups = self.now.iter().map(pair).collect();
        if let Some(first) = groups.first_mut() {
            *first = Some((whole.start, whole.end));
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::ere::{Regex, Syntax};

    fn found(pattern: &str, text: &str) -> Result<Option<Vec<String>>, TooMuch> {
        let regex = Regex::new(pattern.as_bytes(), Syntax::Extended, Case::Ignored);
        let regex = regex.expect("a good pattern");
        let groups = regex.find(text.as_bytes(), regex.groups() + 1)?;
        let text =
            |range: Option<(usize, usize)>| range.map_or("", |(a, b)| &text[a..b]).to_owned();
        Ok(groups.map(|it| it.into_iter().map(text).collect()))
    }

    /// Each row was tried with glibc's regexec.
    #[test]
    fn groups_are_those_of_glibc() {
        for (pattern, text, want) in [
            ("a|ab", "xab", &["ab"] as &[&str]),
            ("(a|ab)(c|bcd)(d*)", "abcd", &["abcd", "a", "bcd", ""]),
            ("(a*)(ab)*(b*)", "abb", &["abb", "a", "", "bb"]),
            ("(a?)*", "a", &["a", "a"]),
            ("(a?){2}", "a", &["a", ""]),
            ("(a?){0,3}", "aa", &["aa", ""]),
            ("((a)?){2,}", "a", &["a", "a", "a"]),
            ("(|a)b", "ab", &["ab", "a"]),
            ("(.)\\1", "abba", &["bb", "b"]),
            ("\\bab\\b", "cab ab", &["ab"]),
        ] {
            let want = want.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(found(pattern, text), Ok(Some(want)), "{pattern}");
        }
        assert_eq!(found("^a", "ba"), Ok(None));
    }

    #[test]
    fn a_search_has_an_end() {
        let text = "a".repeat(2000);
        assert_eq!(found("(a{1000}b|a{1000}c)", &text), Err(TooMuch));
        assert_eq!(found("(a*)*(a*)*(a*)*\\1b", &text), Err(TooMuch));
    }
}
