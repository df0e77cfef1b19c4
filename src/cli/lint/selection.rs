//! Which rules run: `--select` and `--ignore`, by rule or by topic.

use std::collections::HashSet;

use crate::cli::Stop;
use crate::lint::Rule;
use crate::rules;
use crate::text::{nearest, shortened};

/// The rules to run; without `select` all but those of `ignore`.
pub(super) fn of(select: &[String], ignore: &[String]) -> Result<Vec<&'static Rule>, Stop> {
    let (selected, ignored) = (named(select)?, named(ignore)?);
    let runs =
        |it: &&Rule| (select.is_empty() || selected.contains(it.id)) && !ignored.contains(it.id);
    Ok(rules::all().filter(runs).collect())
}

/// The ids that names of rules and topics stand for.
fn named(names: &[String]) -> Result<HashSet<&'static str>, Stop> {
    let mut ids = HashSet::new();
    for name in names {
        if let Some((_, rules)) = rules::topics().find(|(topic, _)| topic == name) {
            ids.extend(rules.iter().map(|it| it.id));
        } else if let Some(rule) = rules::find(name) {
            ids.insert(rule.id);
        } else {
            let known = rules::topics().map(|it| it.0).chain(rules::all().map(|it| it.id));
            let near = nearest(name, known).map(|it| format!("; did you mean \"{it}\"?"));
            let help = near.unwrap_or_else(|| "; postls rules lists them".to_owned());
            return Err(Stop(format!("there is no rule or topic \"{}\"{help}", shortened(name))));
        }
    }
    Ok(ids)
}
