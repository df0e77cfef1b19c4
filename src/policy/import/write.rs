//! The text of a policy file, and which part of it is where.

use std::collections::BTreeMap;

use super::comments::readable;
use super::destination::{self, Beside};
use super::rows::Rows;
use super::{Live, LiveParameter, LiveTable};
use crate::policy::Table;
use crate::policy::yaml::edit::scalar;

/// What stands or falls as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The parameter with this index.
    Parameter(usize),
    /// The table, and all rows with it.
    Table,
    /// The row with this index.
    Row(usize),
}

/// A policy file.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) text: String,
    /// Where each part begins, in that order.
    starts: Vec<(usize, Part)>,
}

impl Text {
    /// The part that a place is in; `None`: in front of all of them.
    pub(super) fn part_at(&self, at: usize) -> Option<Part> {
        let after = self.starts.partition_point(|(start, _)| *start <= at);
        Some(self.starts[after.checked_sub(1)?].1)
    }

    fn begins(&mut self, part: Part) {
        self.starts.push((self.text.len(), part));
    }

    /// Comments, each with its `#`; a blank line for an empty one.
    fn comments(&mut self, indent: &str, comments: &[String]) {
        for comment in comments {
            let indent = if comment.is_empty() { "" } else { indent };
            self.line(&format!("{indent}{comment}"));
        }
    }

    fn left_out(&mut self, indent: &str, text: &str, why: &str) {
        self.line(&format!("{indent}# left out: {}", readable(why.as_bytes())));
        self.line(&format!("{indent}#   {text}"));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// The policy file without the parts that are refused; they are comments in it. A row that cannot
/// be written is refused here.
pub(super) fn file(live: &Live<'_>, rows: &Rows<'_>, refused: &mut BTreeMap<Part, String>) -> Text {
    let mut out = Text::default();
    for line in &live.header {
        out.line(format!("# {line}").trim_end());
    }
    out.line("version: 1");
    parameters(&mut out, &live.parameters, refused);
    let Some(table) = &live.table else { return out };
    out.line("");
    out.comments("", &table.comments);
    if let Some(why) = refused.get(&Part::Table) {
        out.left_out("", &readable(table.path.as_bytes()), why);
        return out;
    }
    out.begins(Part::Table);
    self::table(&mut out, table);
    out.line("");
    out.line("destinations:");
    for index in 0..rows.count() {
        row(&mut out, rows, index, refused);
    }
    out.comments("  ", &rows.comments(rows.count()));
    out
}

fn parameters(out: &mut Text, parameters: &[LiveParameter], refused: &BTreeMap<Part, String>) {
    if parameters.is_empty() {
        return;
    }
    out.line("");
    let is_refused = |index| refused.contains_key(&Part::Parameter(index));
    // A mapping with nothing in it would be a mistake.
    if (0..parameters.len()).any(|index| !is_refused(index)) {
        out.line("parameters:");
    }
    for (index, it) in parameters.iter().enumerate() {
        out.comments("  ", &it.comments);
        match refused.get(&Part::Parameter(index)) {
            Some(why) => out.left_out("  ", &parameter(it), why),
            None => {
                out.begins(Part::Parameter(index));
                let value = String::from_utf8_lossy(&it.value);
                out.line(&format!("  {}: {}", it.name, scalar(&value)));
            }
        }
    }
}

/// A parameter as main.cf has it, on one line.
pub(super) fn parameter(parameter: &LiveParameter) -> String {
    format!("{} = {}", parameter.name, readable(&parameter.value))
}

fn table(out: &mut Text, table: &LiveTable<'_>) {
    out.line("table:");
    out.line(&format!("  path: {}", scalar(&table.path)));
    out.line(&format!("  type: {}", scalar(&table.kind)));
    if table.parameter != Table::default().parameter {
        out.line(&format!("  parameter: {}", scalar(&table.parameter)));
    }
}

fn row(out: &mut Text, rows: &Rows<'_>, index: usize, refused: &mut BTreeMap<Part, String>) {
    let part = Part::Row(index);
    let written = match refused.get(&part) {
        Some(why) => Err(why.clone()),
        None => {
            let mut comments = rows.comments(index);
            let beside = beside(&mut comments, rows.is_testing(index));
            let lines = destination::lines(&rows.key(index), &rows.value(index), &beside);
            lines.map(|it| (comments, it))
        }
    };
    match written {
        Ok((comments, lines)) => {
            out.comments("  ", &comments);
            out.begins(part);
            out.text.push_str(&lines);
        }
        Err(why) => {
            out.comments("  ", &rows.comments(index));
            out.left_out("  ", &rows.as_written(index), &why);
            refused.insert(part, why);
        }
    }
}

/// Takes out of the comments directly above a row what a policy file has a key for.
fn beside(comments: &mut Vec<String>, is_testing: bool) -> Beside {
    let mut take = |name: &str| {
        let from = comments.iter().rposition(String::is_empty).map_or(0, |it| it + 1);
        let said = comments[from..].iter().enumerate().find_map(|(at, it)| {
            let (word, rest) = it.trim_start_matches(['#', ' ']).split_once(':')?;
            let rest = rest.trim();
            let fits = word.trim_end().eq_ignore_ascii_case(name) && !rest.is_empty();
            fits.then(|| (from + at, rest.to_owned()))
        });
        let (at, said) = said?;
        comments.remove(at);
        Some(said)
    };
    Beside { owner: take("owner"), reason: take("reason"), testing: is_testing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_and_why_are_taken_out_of_comments() {
        let text = ["# owner: far", "", "# Owner: mail team", "#reason:contract: 7", "# other: x"];
        let mut comments = text.map(str::to_owned).to_vec();
        let beside = beside(&mut comments, false);
        assert_eq!(beside.owner.as_deref(), Some("mail team"));
        assert_eq!(beside.reason.as_deref(), Some("contract: 7"));
        assert_eq!(comments, ["# owner: far", "", "# other: x"]);
    }
}
