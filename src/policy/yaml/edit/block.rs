//! Edits of block style: whole lines, at the indentation that is there.

use std::ops::Range;

use super::{PinKey, Refused, Work, field, fields, unusual, writing};
use crate::policy::yaml::tree::{Kind, Value};
use crate::text::Edit;

/// Where a file does not show how far it indents.
const STEP: usize = 2;

impl<'t> Work<'t> {
    /// One more item behind the last one, written as that one is.
    pub(super) fn add_item_to_block(
        &self,
        pins: Value<'t>,
        keys: &[(PinKey, String)],
    ) -> Result<Vec<Edit>, Refused> {
        let last = pins.children().count().saturating_sub(1);
        let (Some(item), Some(dash)) = (pins.children().nth(last), self.dash(pins, last)) else {
            return Err(unusual(pins));
        };
        let Some(indent) = self.lines.indent(dash) else { return Err(unusual(item)) };
        let end = self.lines.end_with_own_comments(self.content_end(item), indent.len());
        let newline = self.lines.newline(end);
        let pin = if self.is_flow(item) {
            writing::flow(keys)
        } else {
            let gap = &self.lines.text()[dash + 1..item.range().start];
            let gap = if gap.bytes().all(|it| it == b' ') { gap } else { " " };
            let inner = format!("{indent} {gap}");
            let pin = writing::block(keys, newline, &inner);
            return Ok(vec![self.insert(end, &format!("{newline}{indent}-{gap}{pin}"))]);
        };
        Ok(vec![self.insert(end, &format!("{newline}{indent}- {pin}"))])
    }

    /// `pins:` and its first item behind the last setting.
    pub(super) fn add_list_to_block(
        &self,
        keys: &[(PinKey, String)],
    ) -> Result<Vec<Edit>, Refused> {
        let holder = self.place.value;
        let first = fields(holder).next().ok_or_else(|| unusual(holder))?.0;
        let indent = self.lines.indent(first.range().start).ok_or_else(|| unusual(first))?;
        let step = self.step(indent.len(), self.place.key);
        let above = self.lines.column(self.place.key.range().start);
        let end = self.lines.end_with_own_comments(self.content_end(holder), above);
        Ok(vec![self.insert(end, &self.list(keys, end, indent.len(), step))])
    }

    /// A list that is empty, or not there behind its key.
    pub(super) fn fill_empty_list(
        &self,
        key: Value<'t>,
        pins: Value<'t>,
        keys: &[(PinKey, String)],
    ) -> Result<Vec<Edit>, Refused> {
        let colon = self.colon(key).ok_or_else(|| unusual(key))?;
        let range = pins.range();
        let there = if range.is_empty() { colon + 1..colon + 1 } else { range };
        let is_one_line = !self.lines.text()[colon..there.end].contains('\n');
        let is_block = !self.is_flow(self.place.value) && self.lines.is_rest_blank(there.end);
        let indent = self.lines.indent(key.range().start).filter(|_| is_block && is_one_line);
        let Some(indent) = indent else {
            let flow = writing::flow(keys);
            let blank = if there.is_empty() { " " } else { "" };
            return Ok(match pins.kind() {
                Kind::Sequence => self.append_to_flow(pins, &flow),
                Kind::Scalar { .. } | Kind::Mapping => {
                    vec![self.replace(there, &format!("{blank}[{flow}]"))]
                }
            });
        };
        let step = self.step(indent.len(), self.place.key);
        let end = self.lines.end(there.end);
        let newline = self.lines.newline(end);
        let dash = " ".repeat(indent.len() + step);
        let pin = writing::block(keys, newline, &format!("{dash}  "));
        let mut edits = vec![self.insert(end, &format!("{newline}{dash}- {pin}"))];
        if there.end > colon + 1 {
            edits.push(self.replace(colon + 1..there.end, ""));
        }
        Ok(merged(edits))
    }

    /// `example.org: fingerprint` becomes a mapping.
    pub(super) fn add_to_short_form(
        &self,
        keys: &[(PinKey, String)],
    ) -> Result<Vec<Edit>, Refused> {
        let (key, level) = (self.place.key, self.place.value);
        let at = level.range();
        let text = self.lines.text();
        let colon = self.colon(key).ok_or_else(|| unusual(key))?;
        let Some(indent) =
            self.lines.indent(key.range().start).filter(|_| self.lines.is_rest_blank(at.end))
        else {
            let flow = writing::flow(keys);
            return Ok(vec![
                self.insert(at.start, "{level: "),
                self.insert(at.end, &format!(", pins: [{flow}]}}")),
            ]);
        };
        let end = self.lines.end(at.end);
        if text[colon..at.start].contains('\n') {
            let indent = self.lines.indent(at.start).ok_or_else(|| unusual(key))?.len();
            let step = self.step(indent, key);
            return Ok(vec![
                self.insert(at.start, "level: "),
                self.insert(end, &self.list(keys, end, indent, step)),
            ]);
        }
        let step = self.step(indent.len(), self.place.section);
        let inner = indent.len() + step;
        let level = format!("{}{}level:", self.lines.newline(colon), " ".repeat(inner));
        Ok(vec![
            self.insert(colon + 1, &level),
            self.insert(end, &self.list(keys, end, inner, step)),
        ])
    }

    /// The list goes with its last pin; what is left may be an empty mapping.
    pub(super) fn remove_list_from_block(
        &self,
        key: Value<'t>,
        pins: Value<'t>,
        item: Value<'t>,
    ) -> Result<Vec<Edit>, Refused> {
        let start = key.range().start;
        let indent = self.lines.indent(start).ok_or_else(|| unusual(key))?;
        let of_key = self.lines.end(start);
        let (first, end) = if self.is_flow(pins) {
            let end = self.content_end(pins);
            (start, self.lines.end_with_own_comments(end, indent.len()))
        } else {
            self.item(pins, 0).ok_or_else(|| unusual(item))?
        };
        let mut edits = Vec::new();
        if self.lines.start(first) <= self.lines.next(of_key) {
            edits.push(self.replace(self.lines.whole(start, end), ""));
        } else {
            // Comments between the two stay.
            edits.push(self.replace(self.lines.whole(start, of_key), ""));
            edits.push(self.replace(self.lines.whole(first, end), ""));
        }
        if fields(self.place.value).count() == 1 {
            let colon = self.colon(self.place.key).ok_or_else(|| unusual(key))?;
            edits.push(self.insert(colon + 1, " {}"));
        }
        Ok(edits)
    }

    /// Where an item begins with its dash, and where its last line ends: that of the comments which
    /// are its own.
    pub(super) fn item(&self, pins: Value<'t>, index: usize) -> Option<(usize, usize)> {
        let item = pins.children().nth(index)?;
        let dash = self.dash(pins, index)?;
        let indent = self.lines.indent(dash)?;
        let end = self.lines.end_with_own_comments(self.content_end(item), indent.len());
        Some((dash, end))
    }

    /// The dash of an item.
    fn dash(&self, pins: Value<'t>, index: usize) -> Option<usize> {
        let from = match index.checked_sub(1) {
            // Where the dashes stand below the key, the sequence begins somewhere else.
            None => self.colon(field(self.place.value, "pins")?.0)? + 1,
            Some(before) => self.content_end(pins.children().nth(before)?),
        };
        let dash = self.lines.skip(from);
        (self.lines.text().as_bytes().get(dash) == Some(&b'-')).then_some(dash)
    }

    /// The colon behind a key.
    pub(super) fn colon(&self, key: Value<'t>) -> Option<usize> {
        let end = key.range().end;
        let rest = &self.lines.text()[end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest[blanks..].starts_with(':').then_some(end + blanks)
    }

    /// The bytes of a text, with the header of a block scalar and with tags.
    pub(super) fn value_with_header(
        &self,
        key: Value<'t>,
        value: Value<'t>,
    ) -> Option<Range<usize>> {
        let text = self.lines.text();
        let colon = self.colon(key)?;
        let start = value.range().start;
        let between = text.get(colon + 1..start)?;
        let header = between.trim_start_matches([' ', '\t']);
        let begins_here = header.is_empty() || header.starts_with(['#', '\r', '\n']);
        let from = if begins_here { start } else { start - header.len() };
        Some(from..self.content_end(value).max(start))
    }

    /// Where the last byte of a node that is no blank, line end or comment ends.
    pub(super) fn content_end(&self, value: Value<'t>) -> usize {
        let range = value.range();
        let text = &self.lines.text()[range.clone()];
        match value.kind() {
            Kind::Scalar { plain } => {
                let is_quoted = !plain && text.ends_with(['"', '\'']);
                let end = range.start + text.trim_end().len();
                if plain || is_quoted { end } else { self.without_comments(range.start, end) }
            }
            _ if self.is_flow(value) => range.end,
            Kind::Sequence | Kind::Mapping => {
                let last = value.children().map(|it| self.content_end(it)).max();
                last.unwrap_or(range.start)
            }
        }
    }

    /// Behind a block scalar there may be comments, which are indented less than it.
    fn without_comments(&self, start: usize, end: usize) -> usize {
        let text = self.lines.text();
        let column = self.lines.column(start);
        let mut end = end;
        loop {
            let line = &text[self.lines.start(end).max(start)..end];
            let trimmed = line.trim_start_matches(' ');
            let is_comment = trimmed.starts_with('#') && line.len() - trimmed.len() < column;
            if !is_comment || self.lines.start(end) <= start {
                return end;
            }
            end = start + text[start..self.lines.start(end)].trim_end().len();
        }
    }

    /// By how much a key is indented more than the one above it.
    fn step(&self, column: usize, above: Value<'t>) -> usize {
        let above = self.lines.column(above.range().start);
        column.checked_sub(above).filter(|it| (2..=8).contains(it)).unwrap_or(STEP)
    }

    /// `pins:` and one pin on lines of their own, to stand at the end of a line.
    fn list(&self, keys: &[(PinKey, String)], end: usize, indent: usize, step: usize) -> String {
        let newline = self.lines.newline(end);
        let (indent, dash) = (" ".repeat(indent), " ".repeat(indent + step));
        let pin = writing::block(keys, newline, &format!("{dash}  "));
        format!("{newline}{indent}pins:{newline}{dash}- {pin}")
    }
}

/// What is replaced up to where something is inserted is one edit.
fn merged(mut edits: Vec<Edit>) -> Vec<Edit> {
    if let [insert, replace] = &mut edits[..]
        && replace.span.end == insert.span.start
    {
        replace.text.append(&mut insert.text);
        edits.remove(0);
    }
    edits
}
