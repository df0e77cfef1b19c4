//! SARIF 2.1.0, with all that GitHub's code scanning asks for.
//!
//! All rules that were asked are listed, not only those that found something: their severity does
//! not depend on what was found first, and silence can be told from not having looked.

mod model;

use std::collections::HashMap;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::place::{self, Columns, Root};
use super::{Report, Style};
use crate::finding::{Finding, Fix, Severity};
use crate::lint::{Rule, explain, identities};
use crate::text::{Secret, Sources, Span};
use model::{
    ArtifactChange, ArtifactLocation, Configuration, Descriptor, Driver, Fingerprints, Help,
    Invocation, Location, Log, Message, Notification, Outcome, PhysicalLocation, Properties,
    Region, Repair, Replacement, Run, RunProperties, Tool,
};

/// The topics whose rules are about who may read mail, or send it.
const SECURITY: &[&str] = &["certificate", "tls-client", "tls-server", "policy", "route"];

/// What GitHub shows of a description.
const MAX_DESCRIPTION: usize = 1024;

/// The report as one log with one run.
pub(super) fn lint(report: &Report<'_>, _: Style) -> String {
    let rules = report.rules.iter().map(|(topic, rule)| descriptor(topic, rule)).collect();
    let indices = report.rules.iter().enumerate().map(|(index, (_, rule))| (rule.id, index));
    let mut writer = Writer {
        root: &report.root,
        rules: indices.collect(),
        columns: Columns::default(),
        related: Columns::default(),
        fixed: Columns::default(),
    };
    let identities = identities(report.findings.iter().copied());
    let found = report.findings.iter().zip(identities);
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "postls",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules,
                },
            },
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: not_checked(report),
            }],
            column_kind: "utf16CodeUnits",
            results: found
                .map(|((sources, finding), identity)| writer.outcome(sources, finding, identity))
                .collect(),
            properties: RunProperties {
                postfix: report.postfix.to_string(),
                postfix_why: report.postfix_why,
            },
        }],
    };
    super::json::pretty(&log)
}

fn descriptor(topic: &'static str, rule: &'static Rule) -> Descriptor {
    let security = SECURITY.contains(&topic);
    let tags = if security { vec![topic, "security"] } else { vec![topic] };
    let address = explain::address(rule.id);
    Descriptor {
        id: rule.id,
        short_description: Message { text: rule.summary.to_owned() },
        full_description: Message { text: first_paragraph(rule.doc) },
        help: Help {
            text: format!("{}\n\n{address}", rule.doc.trim()),
            markdown: explain::page(rule),
        },
        help_uri: address,
        default_configuration: Configuration { level: level(rule.severity) },
        properties: Properties {
            tags,
            // A real Postfix has confirmed each error.
            precision: match rule.severity {
                Severity::Error => "very-high",
                Severity::Warning | Severity::Advice => "high",
            },
            problem_severity: match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Advice => "recommendation",
            },
            security_severity: security.then_some(match rule.severity {
                Severity::Error => "8.0",
                Severity::Warning => "5.0",
                Severity::Advice => "3.0",
            }),
        },
    }
}

/// The first paragraph of a page, as one line.
fn first_paragraph(doc: &str) -> String {
    let paragraph = doc.trim().split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_DESCRIPTION).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

fn not_checked(report: &Report<'_>) -> Vec<Notification> {
    let all = report.not_checked.iter();
    all.map(|it| Notification {
        level: "note",
        message: Message { text: format!("not checked: {}: {}", it.what, it.why) },
    })
    .collect()
}

struct Writer<'a> {
    root: &'a Root,
    rules: HashMap<&'a str, usize>,
    /// One for each kind of places, for each comes in an order of its own.
    columns: Columns<'a>,
    related: Columns<'a>,
    fixed: Columns<'a>,
}

impl<'a> Writer<'a> {
    fn outcome(
        &mut self,
        sources: &'a Sources,
        finding: &'a Finding,
        identity: String,
    ) -> Outcome<'a> {
        let related = finding.related.iter().enumerate();
        let related_locations: Vec<Location> = related
            .map(|(index, it)| Location {
                id: Some(index + 1),
                place: PhysicalLocation {
                    artifact_location: self.artifact(sources, it.span),
                    region: region(self.related.region(sources, it.span)),
                },
                message: Some(Message { text: it.text.clone() }),
            })
            .collect();
        Outcome {
            rule_id: finding.rule,
            rule_index: self.rules.get(finding.rule).copied(),
            level: level(finding.severity),
            message: Message { text: message(finding) },
            locations: [Location {
                id: None,
                place: PhysicalLocation {
                    artifact_location: self.artifact(sources, finding.primary.span),
                    region: region(self.columns.region(sources, finding.primary.span)),
                },
                message: None,
            }],
            related_locations,
            partial_fingerprints: Fingerprints { identity },
            fixes: finding.fix.iter().filter_map(|it| self.repair(sources, it)).collect(),
        }
    }

    fn artifact(&self, sources: &Sources, span: Span) -> ArtifactLocation {
        ArtifactLocation { uri: uri(&self.root.path(sources.of(span).name())) }
    }

    /// A fix, unless it is one of a file with passwords, or its text is not UTF-8.
    fn repair(&mut self, sources: &'a Sources, fix: &Fix) -> Option<Repair> {
        let mut artifact_changes: Vec<ArtifactChange> = Vec::new();
        let mut changed = None;
        for edit in &fix.edits {
            let source = sources.of(edit.span);
            match source.secret() {
                Secret::Yes => return None,
                Secret::No => {}
            }
            let text = str::from_utf8(&edit.text).ok()?;
            if changed != Some(edit.span.source) {
                changed = Some(edit.span.source);
                artifact_changes.push(ArtifactChange {
                    artifact_location: self.artifact(sources, edit.span),
                    replacements: Vec::new(),
                });
            }
            let deleted = self.fixed.exact(source, edit.span.start, edit.span.end);
            artifact_changes.last_mut()?.replacements.push(Replacement {
                deleted_region: region(deleted),
                inserted_content: (!text.is_empty()).then(|| Message { text: text.to_owned() }),
            });
        }
        let description = Message { text: fix.title.clone() };
        (!artifact_changes.is_empty()).then_some(Repair { description, artifact_changes })
    }
}

/// What is so, what to do, and links to the other places: GitHub shows those that are linked.
fn message(finding: &Finding) -> String {
    let mut text = finding.message();
    if let Some(part) = &finding.help {
        text.push('\n');
        text.push_str(part);
    }
    for (index, label) in finding.related.iter().enumerate() {
        // Brackets would end the link.
        let linked = label.text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
        // Writing to a String cannot fail.
        let _ = write!(text, "\nsee [{linked}]({})", index + 1);
    }
    text
}

fn region(it: place::Region) -> Region {
    Region {
        start_line: it.start_line,
        start_column: it.start_column,
        end_line: it.end_line,
        end_column: it.end_column,
    }
}

/// A path as a URI reference: what is neither a letter, a digit nor one of `-._~/` is encoded.
fn uri(path: &Path) -> String {
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}
