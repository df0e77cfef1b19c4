//! `postls explain RULE|PARAMETER|REASON` and `postls rules`.

use std::fmt::Write;

use clap::Args;

use super::{Common, OK, Outcome, Stop, environment};
use crate::host::System;
use crate::lint::{Rule, explain};
use crate::postfix::{Build, Parameter, Type, Version, of_service, parameter, parameters};
use crate::rules;
use crate::text::nearest;
use crate::verdict::Reason;

/// Postfix's manual page of all parameters.
const MANUAL: &str = "https://www.postfix.org/postconf.5.html";

#[derive(Args)]
pub(super) struct Explain {
    /// The id of a rule, a parameter of main.cf, or a reason of `postls probe`
    #[arg(value_name = "RULE|PARAMETER|REASON", required_unless_present = "names")]
    name: Option<String>,
    /// List what can be explained, a name in each line, for shell completions
    #[arg(long, hide = true, conflicts_with = "name")]
    names: bool,
}

impl Explain {
    pub(super) fn run(&self, common: &Common) -> Result<Outcome, Stop> {
        let Some(name) = &self.name else { return Ok(names()) };
        if let Some(rule) = rules::find(name) {
            return Ok(Outcome { output: explain::page(rule).into_bytes(), status: OK });
        }
        if let Some(reason) = Reason::ALL.iter().find(|it| it.id() == name) {
            return Ok(Outcome { output: reason_page(*reason).into_bytes(), status: OK });
        }
        let at_hand = environment::at_hand(&System);
        let (build, why) = environment::build(at_hand, common.postfix.map(|it| (it, "--postfix")));
        let mut page = match (parameter(name), of_service(name)) {
            (Some(parameter), _) => parameter_page(parameter, &build, why),
            (None, Some(of_service)) => service_page(name, of_service),
            (None, None) => return Err(unknown(name)),
        };
        add_rules(&mut page, name);
        Ok(Outcome { output: page.into_bytes(), status: OK })
    }
}

fn names() -> Outcome {
    let rules = rules::all().map(|it| it.id);
    let reasons = Reason::ALL.iter().map(|it| it.id()).filter(|it| rules::find(it).is_none());
    let output =
        rules.chain(reasons).chain(parameters().map(|it| it.name)).flat_map(|it| [it, "\n"]);
    Outcome { output: output.collect::<String>().into_bytes(), status: OK }
}

fn unknown(name: &str) -> Stop {
    let near = |names: &mut dyn Iterator<Item = &'static str>| nearest(name, names);
    let meant = [
        near(&mut rules::all().map(|it| it.id).chain(Reason::ALL.iter().map(|it| it.id()))),
        near(&mut parameters().map(|it| it.name)),
    ];
    let meant: Vec<String> = meant.iter().flatten().map(|it| format!("\"{it}\"")).collect();
    let meant = match meant.as_slice() {
        [] => String::new(),
        some => format!("; did you mean {}?", some.join(" or ")),
    };
    Stop(format!("there is no rule and no parameter \"{name}\"{meant}"))
}

/// What is known of a reason of a verdict.
fn reason_page(it: Reason) -> String {
    let facts = it.facts();
    let advice =
        if facts.advice.is_empty() { String::new() } else { format!("\n{}.\n", facts.advice) };
    format!("# {}\n\nA reason of `postls probe`: {}.\n{advice}", facts.id, facts.summary)
}

/// What is known of a parameter, for the Postfix that files are judged for.
fn parameter_page(it: &Parameter, build: &Build, why: &str) -> String {
    let version = build.version;
    let mut page = format!("# {}\n\nA parameter of main.cf: {}.\n\n", it.name, value_of(it));
    let mut say = |what: &str, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "- {what}: {text}");
    };
    let exists = it.exists_in(build);
    if exists {
        say("default", &default_of(it, build));
    } else if it.is_legacy_in(build) {
        say("default", "that of the parameter that took its place");
    } else {
        say("default", &format!("none: Postfix {version} does not have it"));
    }
    say("versions", &versions_of(it));
    let instead = it.instead.map(|it| format!("; set {it}")).unwrap_or_default();
    if let Some(since) = it.deprecated {
        say("deprecated", &format!("since {since}, postconf warns where it is set{instead}"));
    } else if let Some(since) = it.discouraged {
        say("deprecated", &format!("since {since}, says the manual{instead}"));
    } else if let Some(instead) = it.instead {
        say("replaced by", instead);
    }
    if it.is_read_only_in(build) {
        say("read-only", &format!("Postfix {version} ignores what main.cf and master.cf say"));
    } else if exists {
        say(
            "for one service",
            &format!("-o {{ {} = value }} in master.cf, if its program reads it", it.name),
        );
    }
    say("judged for", &format!("Postfix {version} ({why})"));
    say("manual", &format!("{MANUAL}#{}", it.name));
    page
}

fn value_of(it: &Parameter) -> String {
    let kind = match it.kind {
        Type::Bool => return "yes or no".to_owned(),
        Type::Int => "a number",
        Type::Time => return "a time, such as 30s or 5m (s, m, h, d, w)".to_owned(),
        Type::String => "text",
        Type::Raw => "text whose $name is not expanded when it is read",
        Type::Enum => "one of a few words",
    };
    match it.about {
        "enum" | "count" => kind.to_owned(),
        about => format!("{kind} ({})", about.replace('-', " ")),
    }
}

fn default_of(it: &Parameter, build: &Build) -> String {
    let since = it.default_since(build).map(|it| format!(" (since {it})")).unwrap_or_default();
    match it.default_in(build).as_deref() {
        None => "depends on the host or the process".to_owned(),
        Some("") => format!("empty{since}"),
        Some(text) => format!("{text}{since}"),
    }
}

fn versions_of(it: &Parameter) -> String {
    let mut text = match it.since {
        Some(since) => format!("since {since}"),
        None => "in all".to_owned(),
    };
    let backports: Vec<String> = it.backports().collect();
    if !backports.is_empty() {
        let _ = write!(text, ", also from {} on", backports.join(", "));
    }
    if let Some(legacy) = it.legacy {
        let _ = write!(text, ", an old name from {legacy} on");
    }
    if let Some(removed) = it.removed {
        let _ = write!(text, ", gone in {removed}");
    }
    let _ = write!(text, " (known: {} to {})", Version::OLDEST, Version::NEWEST);
    text
}

/// A parameter whose name begins with that of a service.
fn service_page(name: &str, (service, ending, default): (&str, &str, &str)) -> String {
    let of_command = ["smtp, lmtp, local, virtual, error or pipe", "pipe or spawn"];
    let programs = of_command[usize::from(ending == "_time_limit")];
    format!(
        "# {name}\n\nA parameter of main.cf that comes with a service: where master.cf has one named \
         {service} whose program is {programs}.\n\n- default: {default}\n- manual: \
         {MANUAL}#transport{ending}\n"
    )
}

/// The rules whose page names the parameter.
fn add_rules(page: &mut String, name: &str) {
    let speaking: Vec<&Rule> =
        rules::all().filter(|it| names_it(&explain::page(it), name)).collect();
    if speaking.is_empty() {
        return;
    }
    page.push_str("\nRules whose pages speak of it:\n\n");
    for rule in speaking {
        page.push_str(&line(rule));
    }
}

/// Whether a text has the name as a word of its own.
fn names_it(text: &str, name: &str) -> bool {
    let is_part = |it: char| it == '_' || it.is_alphanumeric();
    text.match_indices(name).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
    })
}

/// All rules by topic.
pub(super) fn list() -> Outcome {
    let mut output = String::new();
    for (topic, rules) in rules::topics() {
        // Writing to a String cannot fail.
        let _ = writeln!(output, "{topic}:");
        for rule in rules {
            output.push_str(&line(rule));
        }
    }
    Outcome { output: output.into_bytes(), status: OK }
}

fn line(rule: &Rule) -> String {
    format!("  {:<30} {:<8} {}\n", rule.id, rule.severity.name(), rule.summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_of_its_own() {
        assert!(names_it("set $relayhost.", "relayhost"));
        assert!(names_it("relayhost", "relayhost"));
        assert!(!names_it("address_verify_relayhost relayhosts", "relayhost"));
    }
}
