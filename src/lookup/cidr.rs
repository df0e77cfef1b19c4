//! `cidr:` tables: networks, tried in order (`util/dict_cidr.c`, `util/cidr_match.c`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::patterns::odd;
use super::{Answer, Problem, Rows};
use crate::postfix::Version;
use crate::syntax::{is_space, trim};

/// A table of networks.
#[derive(Debug)]
pub(super) struct Networks {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// The row in its source.
    range: Range<usize>,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Match(Network, Vec<u8>),
    If { network: Network, end: Option<usize> },
    EndIf,
}

#[derive(Debug)]
struct Network {
    negated: Negated,
    address: Address,
    mask: u128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Negated {
    Yes,
    No,
}

/// An address, as a number; a version 4 one in the upper bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    V4(u128),
    V6(u128),
}

/// Reads the rows; what is wrong goes to `problems`.
pub(super) fn read(rows: &Rows<'_>, version: Version, problems: &mut Vec<Problem>) -> Networks {
    let mut rules: Vec<Rule> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    rows.each(problems, &mut |range, text, problems| {
        let action = match rule(text, open.len(), version) {
            Ok(action) => action,
            Err(why) => {
                let what = format!("{why}: skipping this rule");
                problems.push(Problem { place: rows.span(range), what });
                return;
            }
        };
        match &action {
            Action::Match(..) => {}
            Action::If { .. } => open.push(rules.len()),
            Action::EndIf => {
                let end_here = rules.len();
                if let Some(begin) = open.pop()
                    && let Action::If { end, .. } = &mut rules[begin].action
                {
                    *end = Some(end_here);
                }
            }
        }
        rules.push(Rule { range, action });
    });
    for begin in open.into_iter().rev() {
        let place = rows.span(rules[begin].range.clone());
        problems.push(Problem { place, what: "IF has no matching ENDIF".into() });
    }
    Networks { rules }
}

fn rule(text: &[u8], nesting: usize, version: Version) -> Result<Action, String> {
    let keyword = |word: &[u8]| {
        let (start, rest) = text.split_at_checked(word.len())?;
        let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
        (start.eq_ignore_ascii_case(word) && ends).then_some(rest)
    };
    if let Some(rest) = keyword(b"IF") {
        let (negated, rest) = negations(rest);
        return Ok(Action::If { network: network(trim(rest).1, negated, version)?, end: None });
    }
    if let Some(rest) = keyword(b"ENDIF") {
        if !trim(rest).1.is_empty() {
            return Err("garbage after ENDIF".into());
        }
        if nesting == 0 {
            return Err("ENDIF without IF".into());
        }
        return Ok(Action::EndIf);
    }
    let (negated, rest) = negations(text);
    let end = rest.iter().position(|it| is_space(*it)).unwrap_or(rest.len());
    let (pattern, value) = rest.split_at(end);
    let network = network(pattern, negated, version)?;
    match trim(value).1 {
        [] => Err("no lookup result".into()),
        value => Ok(Action::Match(network, value.to_vec())),
    }
}

fn negations(text: &[u8]) -> (Negated, &[u8]) {
    let length = text.iter().take_while(|it| **it == b'!' || is_space(**it)).count();
    let (before, rest) = text.split_at(length);
    (if odd(before, b'!') { Negated::Yes } else { Negated::No }, rest)
}

/// `address`, `address/length`, also with brackets around either.
fn network(pattern: &[u8], negated: Negated, version: Version) -> Result<Network, String> {
    if pattern.is_empty() {
        return Err("no address pattern".into());
    }
    let (address, length) = match pattern.strip_prefix(b"[") {
        Some(rest) => match split(rest, b']') {
            (inner, None) => {
                return Err(format!("missing ']' character after \"[{}\"", shown(inner)));
            }
            (inner, Some(b"")) => split(inner, b'/'),
            (inner, Some([b'/', length @ ..])) => (inner, Some(length)),
            (inner, Some(_)) => return Err(format!("garbage after \"[{}]\"", shown(inner))),
        },
        None => split(pattern, b'/'),
    };
    let bits: i32 = if address.contains(&b':') { 128 } else { 32 };
    let Some(length) = length else {
        let address = self::address(address)
            .ok_or_else(|| format!("bad address pattern: \"{}\"", shown(address)))?;
        return Ok(Network { negated, address, mask: mask(bits) });
    };
    let whole = format!("\"{}/{}\"", shown(address), shown(length));
    let wrong = |what| {
        if version < Version::new(3, 6) {
            format!("bad net/mask pattern: {whole}")
        } else {
            format!("{what} in {whole}")
        }
    };
    if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
        return Err(wrong("bad mask value"));
    }
    let length_bits = shown(length).parse::<i32>().unwrap_or(i32::MAX);
    if length_bits > bits {
        return Err(wrong("bad mask length"));
    }
    let address = self::address(address).ok_or_else(|| wrong("bad network value"))?;
    let mask = mask(length_bits);
    if address.number() & !mask != 0 {
        let meant = address.masked(mask);
        return Err(format!(
            "non-null host address bits in {whole}, \
             perhaps you should use \"{meant}/{length_bits}\" instead"
        ));
    }
    Ok(Network { negated, address, mask })
}

fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|it| *it == at) {
        Some(found) => (&text[..found], Some(&text[found + 1..])),
        None => (text, None),
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The mask of that many bits.
fn mask(bits: i32) -> u128 {
    u32::try_from(128 - bits).ok().and_then(|it| u128::MAX.checked_shl(it)).unwrap_or(0)
}

/// As `inet_pton` reads it.
fn address(text: &[u8]) -> Option<Address> {
    let text = str::from_utf8(text).ok()?;
    if text.contains(':') {
        return Some(Address::V6(u128::from(text.parse::<Ipv6Addr>().ok()?)));
    }
    Some(Address::V4(u128::from(u32::from(text.parse::<Ipv4Addr>().ok()?)) << 96))
}

impl Address {
    fn number(self) -> u128 {
        match self {
            Address::V4(number) | Address::V6(number) => number,
        }
    }

    fn masked(self, mask: u128) -> IpAddr {
        let [a, b, c, d, ..] = (self.number() & mask).to_be_bytes();
        match self {
            Address::V4(_) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            Address::V6(number) => IpAddr::V6(Ipv6Addr::from(number & mask)),
        }
    }
}

impl Network {
    /// A negated one is for all other addresses of its family.
    fn is_for(&self, key: Address) -> bool {
        let inside = key.number() & self.mask == self.address.number();
        match (self.address, key) {
            (Address::V4(_), Address::V4(_)) | (Address::V6(_), Address::V6(_)) => {
                inside == (self.negated == Negated::No)
            }
            (Address::V4(_), Address::V6(_)) | (Address::V6(_), Address::V4(_)) => false,
        }
    }
}

impl Networks {
    /// The values, each with its row.
    pub(super) fn values(&self) -> impl Iterator<Item = (&[u8], Range<usize>)> {
        self.rules.iter().filter_map(|rule| match &rule.action {
            Action::Match(_, value) => Some((&value[..], rule.range.clone())),
            Action::If { .. } | Action::EndIf => None,
        })
    }

    /// The first row that is for this key.
    pub(super) fn ask(&self, key: &[u8], rows: &Rows<'_>) -> Answer {
        let Some(key) = address(key) else { return Answer::NotFound };
        let mut at = 0;
        while let Some(rule) = self.rules.get(at) {
            at += 1;
            match &rule.action {
                Action::Match(network, value) if network.is_for(key) => {
                    let places = rows.span(rule.range.clone()).into_iter().collect();
                    return Answer::Found { value: value.clone(), places };
                }
                Action::If { network, end } if !network.is_for(key) => match end {
                    Some(end) => at = end + 1,
                    // Without an ENDIF there is nothing behind it.
                    None => return Answer::NotFound,
                },
                Action::Match(..) | Action::If { .. } | Action::EndIf => {}
            }
        }
        Answer::NotFound
    }
}
