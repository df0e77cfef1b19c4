//! Edits of flow style: `[a, b]` and `{a: b}`, on one line or on several.

use std::ops::Range;

use super::{Work, fields};
use crate::policy::yaml::tree::{Kind, Value};
use crate::text::Edit;

impl<'t> Work<'t> {
    /// One more element behind the last one; on a line of its own if that one is.
    pub(super) fn append_to_flow(&self, of: Value<'t>, element: &str) -> Vec<Edit> {
        let Some(last) = self.elements(of).pop() else {
            return vec![self.insert(of.range().start + 1, element)];
        };
        let lines = &self.lines;
        let Some(indent) = lines.indent(last.start) else {
            return vec![self.insert(last.end, &format!(", {element}"))];
        };
        let comma = self.comma(last.end);
        let rest = comma.map_or(last.end, |it| it + 1);
        let newline = lines.newline(last.end);
        if !lines.is_rest_blank(rest) {
            return vec![self.insert(last.end, &format!(",{newline}{indent}{element}"))];
        }
        let end = lines.end(rest);
        match comma {
            Some(_) => vec![self.insert(end, &format!("{newline}{indent}{element},"))],
            None if end == last.end => {
                vec![self.insert(end, &format!(",{newline}{indent}{element}"))]
            }
            None => vec![
                self.insert(last.end, ","),
                self.insert(end, &format!("{newline}{indent}{element}")),
            ],
        }
    }

    /// Takes an element out, with its comma and the comment behind it.
    pub(super) fn remove_from_flow(&self, of: Value<'t>, index: usize) -> Vec<Edit> {
        let elements = self.elements(of);
        let Some(element) = elements.get(index).cloned() else { return Vec::new() };
        let before = index.checked_sub(1).and_then(|it| elements.get(it));
        let lines = &self.lines;
        let comma = self.comma(element.end);
        let rest = comma.map_or(element.end, |it| it + 1);
        let next = elements.get(index + 1);
        let comma_here = comma.is_none_or(|it| it < lines.end(element.end));
        let has_lines =
            lines.indent(element.start).is_some() && comma_here && lines.is_rest_blank(rest);
        match (before, next) {
            (None, None) => vec![self.replace(element.start..rest, "")],
            (_, Some(next)) => {
                if has_lines {
                    return vec![self.replace(lines.whole(element.start, lines.end(rest)), "")];
                }
                let has_comment = lines.text()[element.end..next.start].contains('#');
                let end = if has_comment { lines.end(rest) } else { next.start };
                vec![self.replace(element.start..end, "")]
            }
            (Some(before), None) => {
                let comma_before = self.comma(before.end).unwrap_or(before.end);
                let comma_before = comma_before..comma_before + 1;
                if has_lines {
                    let mut edits =
                        vec![self.replace(lines.whole(element.start, lines.end(rest)), "")];
                    if comma.is_none() {
                        edits.push(self.replace(comma_before, ""));
                    }
                    return edits;
                }
                if lines.text()[before.end..element.start].contains('#') {
                    return vec![self.replace(comma_before, ""), self.replace(element, "")];
                }
                vec![self.replace(before.end..element.end, "")]
            }
        }
    }

    /// The items, or the keys with their values.
    fn elements(&self, of: Value<'t>) -> Vec<Range<usize>> {
        match of.kind() {
            Kind::Scalar { .. } => Vec::new(),
            Kind::Sequence => {
                of.children().map(|it| it.range().start..self.content_end(it)).collect()
            }
            Kind::Mapping => fields(of)
                .map(|(key, value)| {
                    let colon = self.colon(key).map_or(key.range().end, |it| it + 1);
                    key.range().start..self.content_end(value).max(colon)
                })
                .collect(),
        }
    }

    /// The comma behind an element.
    fn comma(&self, end: usize) -> Option<usize> {
        let at = self.lines.skip(end);
        (self.lines.text().as_bytes().get(at) == Some(&b',')).then_some(at)
    }
}
