//! Questions to a YAML node that note what is wrong and go on.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::tree::{Kind, Value};
use crate::policy::{Placed, Problem, ProblemKind};
use crate::text::{Span, nearest, shortened};

/// A list of names or pins that is longer than this is a mistake, or an attack:
/// each destination that uses the profile would have it.
const MAX_ITEMS: usize = 1000;

/// Most mappings have fewer keys than this. Those are looked through, which costs less than a map.
const FEW: usize = 16;

/// Collects the problems of one file.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
}

/// A key of a mapping and what it is set to.
#[derive(Clone, Copy)]
pub(super) struct Field<'t> {
    pub(super) name: &'t str,
    pub(super) key: Span,
    pub(super) value: Value<'t>,
}

impl Reader {
    /// Notes a problem.
    pub(super) fn note(
        &mut self,
        kind: ProblemKind,
        span: Span,
        text: impl Into<String>,
    ) -> &mut Problem {
        self.problems.push(Problem { kind, span, text: text.into(), related: None, help: None });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// The fields of a mapping, without those that stand there twice.
    pub(super) fn fields<'t>(&mut self, value: Value<'t>, what: &str) -> Vec<Field<'t>> {
        if value.kind() != Kind::Mapping {
            self.wrong_type(value, what, "a mapping");
            return Vec::new();
        }
        let mut fields: Vec<Field<'t>> = Vec::new();
        let mut seen: HashMap<&str, Span, RandomState> = HashMap::default();
        let mut children = value.children();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            let Some(name) = key.text() else {
                self.wrong_type(key, "a key", "text");
                continue;
            };
            let first = if fields.len() < FEW {
                fields.iter().find(|it| it.name == name).map(|it| it.key)
            } else {
                seen.get(name).copied()
            };
            if let Some(first) = first {
                self.note(
                    ProblemKind::DuplicateKey,
                    key.span(),
                    format!("\"{}\" again", shortened(name)),
                )
                .related = Some((first, "the first one".to_owned()));
                continue;
            }
            fields.push(Field { name, key: key.span(), value });
            if fields.len() == FEW {
                seen.extend(fields.iter().map(|it| (it.name, it.key)));
            } else if fields.len() > FEW {
                seen.insert(name, key.span());
            }
        }
        fields
    }

    /// Notes a key that does not exist, with the nearest one that does.
    pub(super) fn unknown_key(&mut self, field: Field<'_>, what: &str, known: &[&str]) {
        let nearest = nearest(field.name, known.iter().copied());
        let text = format!("{what} has no \"{}\"", shortened(field.name));
        self.note(ProblemKind::UnknownKey, field.key, text).help = Some(match nearest {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("it has: {}", known.join(", ")),
        });
    }

    /// Text that is not empty.
    pub(super) fn text<'t>(&mut self, value: Value<'t>, what: &str) -> Option<Placed<&'t str>> {
        match value.text() {
            Some(text) if !value.is_null() && !text.is_empty() => {
                Some(Placed { value: text, span: value.span() })
            }
            _ => {
                self.wrong_type(value, what, "text");
                None
            }
        }
    }

    /// `true` or `false`; `yes` and `no` as in main.cf.
    pub(super) fn boolean(&mut self, value: Value<'_>, what: &str) -> Option<Placed<bool>> {
        let is = match value.text() {
            Some("true" | "yes") => true,
            Some("false" | "no") => false,
            _ => {
                self.wrong_type(value, what, "true or false");
                return None;
            }
        };
        Some(Placed { value: is, span: value.span() })
    }

    /// A list of texts, or a single one.
    pub(super) fn texts<'t>(&mut self, value: Value<'t>, what: &str) -> Vec<Placed<&'t str>> {
        self.items(value, what, "text or a list of texts")
            .into_iter()
            .filter_map(|item| self.text(item, what))
            .collect()
    }

    /// The items of a list, or the value itself if it is a scalar.
    pub(super) fn items<'t>(&mut self, value: Value<'t>, what: &str, want: &str) -> Vec<Value<'t>> {
        match value.kind() {
            Kind::Scalar { .. } if !value.is_null() => vec![value],
            Kind::Sequence => {
                let items: Vec<Value<'t>> = value.children().take(MAX_ITEMS + 1).collect();
                if items.is_empty() {
                    self.note(ProblemKind::Value, value.span(), format!("{what} is an empty list"));
                }
                if items.len() > MAX_ITEMS {
                    let text = format!("{what} has more than {MAX_ITEMS} entries");
                    self.note(ProblemKind::Value, value.span(), text);
                }
                items
            }
            Kind::Scalar { .. } | Kind::Mapping => {
                self.wrong_type(value, what, want);
                Vec::new()
            }
        }
    }

    /// Notes a value of another type than the one wanted.
    pub(super) fn wrong_type(&mut self, value: Value<'_>, what: &str, want: &str) {
        let is = match value.kind() {
            _ if value.is_null() => "empty".to_owned(),
            Kind::Scalar { .. } => match value.text() {
                Some("") | None => "an empty text".to_owned(),
                Some(text) => format!("\"{}\"", shortened(text)),
            },
            Kind::Sequence => "a list".to_owned(),
            Kind::Mapping => "a mapping".to_owned(),
        };
        self.note(
            ProblemKind::WrongType,
            value.span(),
            format!("{what} must be {want}, and is {is}"),
        );
    }
}
