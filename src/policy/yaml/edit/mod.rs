//! Changes of pins in the text of a policy file: every byte that is not meant stays.
//!
//! The result is parsed again, and must say what the file said before plus the change and nothing
//! else; where it would not, and where the file is written in a way that is not known here, the
//! change is refused and nothing is lost. Comments stay, but for those on the lines of a pin that
//! is taken out and those below it that are indented more than its dash.
//!
//! Known limit: a comment above a pin that is taken out stays too, for it may be about the list.

mod block;
mod flow;
mod lines;
mod meaning;
mod writing;

pub(in crate::policy) use writing::scalar;

use lines::Lines;
use meaning::Meaning;

use super::tree::{Kind, Tree, Value};
use crate::certificate::Of;
use crate::policy::Nexthop;
use crate::text::{Edit, Edits, SourceId, Span, shortened};

/// Whose pins are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// Those that stand under a destination.
    Destination(&'a Nexthop),
    /// Those of the profile with this name.
    Profile(&'a str),
}

/// What is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// One more pin, behind the others. Its keys in the order in which they are written.
    Add(Vec<(PinKey, String)>),
    /// A key of a pin gets this value, whether it was there or not.
    Set {
        /// The pin, counted from 0.
        pin: usize,
        /// The key.
        key: PinKey,
        /// The text that it says afterwards.
        value: String,
    },
    /// A pin is taken out; with the last one goes the list.
    Remove {
        /// The pin, counted from 0.
        pin: usize,
    },
}

/// A key of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinKey {
    /// `public-key:`
    PublicKey,
    /// `certificate:`
    Certificate,
    /// `pem:`
    Pem,
    /// `of:`
    Of,
    /// `note:`
    Note,
    /// `added:`
    Added,
    /// `retire:`
    Retire,
}

impl PinKey {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            PinKey::PublicKey => "public-key",
            PinKey::Certificate => "certificate",
            PinKey::Pem => "pem",
            PinKey::Of => "of",
            PinKey::Note => "note",
            PinKey::Added => "added",
            PinKey::Retire => "retire",
        }
    }
}

impl From<Of> for PinKey {
    /// The key for a fingerprint of this, which is also the word for it.
    fn from(of: Of) -> PinKey {
        match of {
            Of::PublicKey => PinKey::PublicKey,
            Of::Certificate => PinKey::Certificate,
        }
    }
}

/// Why a file is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where, if it is a place.
    pub span: Option<Span>,
    /// Why.
    pub text: String,
}

/// What a file says about where the pins of a destination or a profile stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its key.
    pub key: Span,
    /// Whether it has `pins:` of its own.
    pub has_pins: bool,
    /// The entries there, each as the reader knows it, also those that it refuses.
    pub pins: Vec<Span>,
    /// The profile that it uses.
    pub profile: Option<String>,
}

/// Finds a destination or a profile in a file.
pub fn held(source: SourceId, bytes: &[u8], holder: Holder<'_>) -> Option<Held> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (tree, _) = Tree::parse(source, text);
    let place = find(&tree, holder)?;
    let of = |name: &str| field(place.value, name).map(|(_, value)| value);
    Some(Held {
        key: place.key.span(),
        has_pins: of("pins").is_some(),
        pins: of("pins").into_iter().flat_map(Value::children).map(Value::span).collect(),
        profile: of("use").and_then(Value::text).map(str::to_owned),
    })
}

/// The edits that make `change` in a policy file, or why it cannot be made.
pub fn edit(
    source: SourceId,
    bytes: &[u8],
    holder: Holder<'_>,
    change: &Change,
) -> Result<Edits, Refused> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Refused { span: None, text: "the file is not UTF-8".to_owned() });
    };
    let (tree, error) = Tree::parse(source, text);
    if let Some(error) = error {
        return Err(Refused { span: Some(error.span), text: error.text });
    }
    let Some(place) = find(&tree, holder) else {
        return Err(Refused { span: None, text: format!("the file has no {}", name(holder)) });
    };
    let work = Work { source, lines: Lines::new(text), place };
    let mut edits = Edits::default();
    for edit in work.edits(change)? {
        if !edits.add(edit) {
            return Err(unusual(place.key));
        }
    }
    let after = edits.apply(bytes);
    let wanted = Meaning::of_tree(&tree).and_then(|it| it.with(place.at, change));
    let after = std::str::from_utf8(&after).ok().and_then(|text| {
        let (tree, error) = Tree::parse(source, text);
        error.is_none().then(|| Meaning::of_tree(&tree))?
    });
    if wanted.is_none() || wanted != after {
        return Err(unusual(place.key));
    }
    Ok(edits)
}

/// A destination or a profile in a file.
#[derive(Clone, Copy)]
struct Place<'t> {
    /// `destinations` or `profiles`.
    section: Value<'t>,
    key: Value<'t>,
    value: Value<'t>,
    /// The indexes of the section and of the entry in it.
    at: [usize; 2],
}

fn name(holder: Holder<'_>) -> String {
    match holder {
        Holder::Destination(nexthop) => format!("destination {nexthop}"),
        Holder::Profile(name) => format!("profile \"{}\"", shortened(name)),
    }
}

fn find<'t>(tree: &'t Tree<'t>, holder: Holder<'_>) -> Option<Place<'t>> {
    let wanted = match holder {
        Holder::Destination(_) => "destinations",
        Holder::Profile(_) => "profiles",
    };
    let is_it = |key: Value<'_>| match (holder, key.text()) {
        (Holder::Destination(nexthop), Some(text)) => {
            Nexthop::parse(text).is_ok_and(|it| it == *nexthop)
        }
        (Holder::Profile(name), text) => text == Some(name),
        (Holder::Destination(_), None) => false,
    };
    let sections = fields(tree.root()?);
    let (section, (section_key, entries)) =
        sections.enumerate().find(|(_, (key, _))| key.text() == Some(wanted))?;
    let (entry, (key, value)) = fields(entries).enumerate().find(|(_, (key, _))| is_it(*key))?;
    Some(Place { section: section_key, key, value, at: [section, entry] })
}

/// The keys and values of a mapping; of anything else none.
fn fields(mapping: Value<'_>) -> impl Iterator<Item = (Value<'_>, Value<'_>)> {
    let mut children = mapping.children();
    std::iter::from_fn(move || match mapping.kind() {
        Kind::Mapping => Some((children.next()?, children.next()?)),
        Kind::Sequence | Kind::Scalar { .. } => None,
    })
}

fn field<'t>(mapping: Value<'t>, name: &str) -> Option<(Value<'t>, Value<'t>)> {
    fields(mapping).find(|(key, _)| key.text() == Some(name))
}

/// One change of one file.
struct Work<'t> {
    source: SourceId,
    lines: Lines<'t>,
    place: Place<'t>,
}

impl<'t> Work<'t> {
    fn edits(&self, change: &Change) -> Result<Vec<Edit>, Refused> {
        let pins = field(self.place.value, "pins");
        match change {
            Change::Add(keys) => self.add(keys, pins),
            Change::Set { pin, key, value } => {
                let (_, pins) = pins.ok_or_else(|| self.no_such_pin(*pin))?;
                self.set(self.pin(pins, *pin)?, *key, value)
            }
            Change::Remove { pin } => {
                let (key, pins) = pins.ok_or_else(|| self.no_such_pin(*pin))?;
                self.remove(key, pins, *pin)
            }
        }
    }

    fn add(
        &self,
        keys: &[(PinKey, String)],
        pins: Option<(Value<'t>, Value<'t>)>,
    ) -> Result<Vec<Edit>, Refused> {
        let holder = self.place.value;
        match (holder.kind(), pins) {
            (Kind::Scalar { .. }, _) if holder.is_null() => {
                Err(refuse(self.place.key, "it has no settings to which pins could be added"))
            }
            (Kind::Scalar { .. }, _) => self.add_to_short_form(keys),
            (Kind::Sequence, _) => Err(refuse(holder, "it is a list, and no destination")),
            (Kind::Mapping, None) if self.is_flow(holder) => {
                Ok(self.append_to_flow(holder, &format!("pins: [{}]", writing::flow(keys))))
            }
            (Kind::Mapping, None) => self.add_list_to_block(keys),
            (Kind::Mapping, Some((_, pins))) if has_items(pins) && self.is_flow(pins) => {
                Ok(self.append_to_flow(pins, &writing::flow(keys)))
            }
            (Kind::Mapping, Some((_, pins))) if has_items(pins) => {
                self.add_item_to_block(pins, keys)
            }
            (Kind::Mapping, Some((key, pins))) => {
                let is_empty = pins.kind() == Kind::Sequence || pins.is_null();
                if !is_empty {
                    return Err(refuse(pins, "pins is no list"));
                }
                self.fill_empty_list(key, pins, keys)
            }
        }
    }

    fn set(&self, pin: Value<'t>, key: PinKey, value: &str) -> Result<Vec<Edit>, Refused> {
        if pin.kind() != Kind::Mapping {
            return Err(refuse(pin, "a pin must be a mapping"));
        }
        let value = writing::scalar(value);
        if let Some((key, old)) = field(pin, key.name()) {
            if !matches!(old.kind(), Kind::Scalar { .. }) || old.is_null() {
                return Err(refuse(key, "it is not one text"));
            }
            let range = self.value_with_header(key, old).ok_or_else(|| unusual(key))?;
            return Ok(vec![self.replace(range, &value)]);
        }
        let text = format!("{}: {value}", key.name());
        if self.is_flow(pin) {
            return Ok(self.append_to_flow(pin, &text));
        }
        let first = fields(pin).next().ok_or_else(|| unusual(pin))?.0;
        let indent = " ".repeat(self.lines.column(first.range().start));
        let end = self.lines.end(self.content_end(pin));
        Ok(vec![self.insert(end, &format!("{}{indent}{text}", self.lines.newline(end)))])
    }

    fn remove(&self, key: Value<'t>, pins: Value<'t>, pin: usize) -> Result<Vec<Edit>, Refused> {
        let item = self.pin(pins, pin)?;
        let is_last = pins.children().count() == 1;
        if is_last && self.is_flow(self.place.value) {
            let keys: Vec<Value<'t>> = fields(self.place.value).map(|it| it.0).collect();
            let at = keys.iter().position(|it| it.range() == key.range());
            return Ok(self.remove_from_flow(self.place.value, at.unwrap_or_default()));
        }
        if is_last {
            return self.remove_list_from_block(key, pins, item);
        }
        if self.is_flow(pins) {
            return Ok(self.remove_from_flow(pins, pin));
        }
        let (start, end) = self.item(pins, pin).ok_or_else(|| unusual(item))?;
        Ok(vec![self.replace(self.lines.whole(start, end), "")])
    }

    fn pin(&self, pins: Value<'t>, index: usize) -> Result<Value<'t>, Refused> {
        let items = |it: &Value<'_>| it.kind() == Kind::Sequence;
        let pin = Some(pins).filter(items).and_then(|it| it.children().nth(index));
        pin.ok_or_else(|| self.no_such_pin(index))
    }

    /// A flow mapping or sequence begins with its bracket; of a block one the tree names the first
    /// key, and the first dash or what stands behind it.
    fn is_flow(&self, value: Value<'t>) -> bool {
        let bracket = match value.kind() {
            Kind::Scalar { .. } => return false,
            Kind::Sequence => b'[',
            Kind::Mapping => b'{',
        };
        self.lines.text().as_bytes().get(value.range().start) == Some(&bracket)
    }

    fn no_such_pin(&self, index: usize) -> Refused {
        refuse(self.place.key, &format!("there is no pin {} in it", index + 1))
    }

    fn insert(&self, at: usize, text: &str) -> Edit {
        self.replace(at..at, text)
    }

    fn replace(&self, range: std::ops::Range<usize>, text: &str) -> Edit {
        Edit::new(Span::new(self.source, range), text)
    }
}

fn has_items(pins: Value<'_>) -> bool {
    pins.kind() == Kind::Sequence && pins.children().next().is_some()
}

fn refuse(at: Value<'_>, text: &str) -> Refused {
    Refused { span: Some(at.span()), text: text.to_owned() }
}

fn unusual(at: Value<'_>) -> Refused {
    refuse(at, "this is written in a way that postls does not edit; change it by hand")
}
