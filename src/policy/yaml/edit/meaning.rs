//! What a file says, without how it is written: the judge of every edit.

use super::{Change, PinKey};
use crate::policy::yaml::tree::{Kind, Tree, Value};

/// A node of YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Null,
    Text(String),
    List(Vec<Meaning>),
    Mapping(Vec<(Meaning, Meaning)>),
}

impl Meaning {
    /// Of a whole file; `None`: it is empty.
    pub(super) fn of_tree(tree: &Tree<'_>) -> Option<Meaning> {
        tree.root().map(Meaning::of)
    }

    /// Nesting has a limit in the tree.
    fn of(value: Value<'_>) -> Meaning {
        match value.kind() {
            Kind::Scalar { .. } if value.is_null() => Meaning::Null,
            Kind::Scalar { .. } => Meaning::Text(value.text().unwrap_or_default().to_owned()),
            Kind::Sequence => Meaning::List(value.children().map(Meaning::of).collect()),
            Kind::Mapping => {
                let fields = super::fields(value);
                Meaning::Mapping(
                    fields.map(|(key, it)| (Meaning::of(key), Meaning::of(it))).collect(),
                )
            }
        }
    }

    /// What the file must say after a change of the entry with these indexes; `None`: that makes
    /// no sense.
    pub(super) fn with(mut self, [section, entry]: [usize; 2], change: &Change) -> Option<Meaning> {
        let holder = self.value(section)?.value(entry)?;
        if let Meaning::Text(_) = holder {
            let level = std::mem::replace(holder, Meaning::Null);
            *holder = Meaning::Mapping(vec![(Meaning::text("level"), level)]);
        }
        let Meaning::Mapping(fields) = holder else { return None };
        let is_pins = |it: &(Meaning, Meaning)| it.0 == Meaning::text("pins");
        let at = fields.iter().position(is_pins);
        let mut pins = match at.map(|at| &fields[at].1) {
            None | Some(Meaning::Null) => Vec::new(),
            Some(Meaning::List(pins)) => pins.clone(),
            Some(Meaning::Text(_) | Meaning::Mapping(_)) => return None,
        };
        match change {
            Change::Add(keys) => pins.push(Meaning::Mapping(keys.iter().map(pair).collect())),
            Change::Set { pin, key, value } => {
                let Meaning::Mapping(keys) = pins.get_mut(*pin)? else { return None };
                let (key, value) = pair(&(*key, value.clone()));
                match keys.iter_mut().find(|it| it.0 == key) {
                    Some(old) => old.1 = value,
                    None => keys.push((key, value)),
                }
            }
            Change::Remove { pin } => {
                pins.get(*pin)?;
                pins.remove(*pin);
            }
        }
        match (at, pins.is_empty()) {
            (Some(at), true) => drop(fields.remove(at)),
            (Some(at), false) => fields[at].1 = Meaning::List(pins),
            (None, _) => fields.push((Meaning::text("pins"), Meaning::List(pins))),
        }
        Some(self)
    }

    fn value(&mut self, index: usize) -> Option<&mut Meaning> {
        match self {
            Meaning::Mapping(fields) => fields.get_mut(index).map(|it| &mut it.1),
            Meaning::Null | Meaning::Text(_) | Meaning::List(_) => None,
        }
    }

    fn text(text: &str) -> Meaning {
        Meaning::Text(text.to_owned())
    }
}

fn pair((key, value): &(PinKey, String)) -> (Meaning, Meaning) {
    (Meaning::text(key.name()), Meaning::Text(value.clone()))
}
