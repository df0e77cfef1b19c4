//! A plan as a file: `postls/plan/v1`.
//!
//! Whoever applies it trusts its maker as one trusts a main.cf; what is checked is that it is whole, that
//! it says only what a plan of a policy file can say, and that it stays within the configuration
//! directory. The digest of itself finds a file that was cut, or edited since it was written; it does
//! not prove who wrote it. What it says of destinations is not believed, but compared with what its
//! bytes mean where it is applied.

use std::fmt;
use std::path::{Component, Path};

use data_encoding::{BASE64, HEXLOWER};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Base, Change, Note, ParameterChange, Plan, PolicyChange, Shift, Stale, base};
use crate::config::TableKind;
use crate::text::shortened;

/// The name of the form.
const FORM: &str = "postls/plan/v1";

/// Where the words stand by which a file is recognised.
const BEGIN: usize = 4096;

/// Where a plan belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The configuration directory: an absolute path.
    pub directory: Vec<u8>,
    /// The table's source, relative to it.
    pub table: String,
    /// The parameter that lists the table.
    pub parameter: String,
}

/// What `postls diff --out FILE` writes and `postls apply FILE` makes true: a whole plan.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "postls plan")]
pub struct Stored {
    /// The name of this form.
    #[schemars(extend("const" = "postls/plan/v1"))]
    schema: String,
    /// The version of postls that made it.
    postls: String,
    /// The configuration directory that it is for.
    config_dir: Bytes,
    /// The table that it writes.
    table: Table,
    /// The files that it was made from. It is stale when one is another.
    base: Vec<BaseFile>,
    /// What happens to files, in this order.
    changes: Vec<FileChange>,
    /// What that means for destinations.
    policies: Vec<PolicyChange>,
    /// What that means for all destinations that no row speaks of; null: nothing.
    others: Option<Shift>,
    /// What that means for parameters of main.cf.
    parameters: Vec<ParameterChange>,
    /// Whether a running Postfix notices the change only when it is told.
    reload_needed: bool,
    /// SHA-256 of this object with an empty text here, written without blanks.
    sha256: String,
}

/// The bytes of a file or of its name.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "bytes")]
struct Bytes {
    /// How they are written.
    encoding: Encoding,
    /// The bytes.
    content: String,
}

/// How bytes are written.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "encoding")]
enum Encoding {
    /// As they are.
    #[serde(rename = "utf-8")]
    Utf8,
    /// What is not UTF-8.
    #[serde(rename = "base64")]
    Base64,
}

/// A table.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "table")]
struct Table {
    /// Its source, relative to the configuration directory.
    file: String,
    /// The parameter that lists it.
    parameter: String,
}

/// A file that the plan depends on.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "base-file")]
struct BaseFile {
    /// Relative to the configuration directory, or absolute.
    file: String,
    /// SHA-256 of its bytes; null: it was not there.
    sha256: Option<String>,
}

/// One file that changes.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "file-change")]
struct FileChange {
    /// What happens to it.
    change: What,
    /// Its name, relative to the configuration directory; of an index that of its table.
    file: String,
    /// The lookup table type by which Postfix asks it, where it is a table of rows.
    kind: Option<String>,
    /// Why an index is built; null: it is none.
    why: Option<Why>,
    /// Its bytes before; null: it was not there, or it is an index.
    old: Option<Bytes>,
    /// Its bytes afterwards, of an index those of its table; null: it goes away, or an index is built of
    /// what is written.
    new: Option<Bytes>,
}

/// What happens to a file.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "what")]
enum What {
    /// It gets other bytes.
    Write,
    /// It goes away.
    Remove,
    /// postmap builds the index of a table.
    Index,
}

/// Why an index is built.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "why")]
enum Why {
    /// The table's source changes.
    SourceChanges,
    /// There is none.
    Missing,
    /// It holds something else than its source.
    Differs,
}

/// Why a file is no plan that can be made true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Not JSON, or another form of it; the reader's words.
    Form(String),
    /// The form of another postls.
    Version(String),
    /// What it says and its digest do not fit.
    Changed,
    /// No plan of a policy file says that.
    Content(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Form(why) => write!(f, "this is no whole plan: {why}"),
            Broken::Version(form) => {
                write!(f, "this plan is of the form \"{form}\", and this postls reads {FORM}")
            }
            Broken::Changed => {
                write!(f, "this plan is not as it was written: its digest is another")
            }
            Broken::Content(why) => write!(f, "this plan cannot be applied: {why}"),
        }
    }
}

/// Whether a file is meant as a plan, broken or not, and no policy file.
pub fn is_meant(bytes: &[u8]) -> bool {
    let begin = &bytes[..bytes.len().min(BEGIN)];
    begin.trim_ascii_start().starts_with(b"{")
        && memchr::memmem::find(begin, b"\"postls/plan/").is_some()
}

/// The file of a plan.
pub fn write(plan: &Plan, place: &Place) -> String {
    let mut stored = Stored::of(plan, place);
    stored.sha256 = stored.digest();
    // Only maps with keys that are no text cannot be written; there are none.
    serde_json::to_string_pretty(&stored).unwrap_or_default() + "\n"
}

/// The plan in a file, and where it belongs. Its note is empty.
pub fn read(bytes: &[u8]) -> Result<(Plan, Place), Broken> {
    #[derive(Deserialize)]
    struct Form {
        schema: String,
    }
    let form = |error: serde_json::Error| {
        // The reader repeats what it does not know, however long.
        Broken::Form(error.to_string().chars().take(200).collect())
    };
    let Form { schema } = serde_json::from_slice(bytes).map_err(form)?;
    if schema != FORM {
        return Err(Broken::Version(shortened(&schema)));
    }
    let mut stored: Stored = serde_json::from_slice(bytes).map_err(form)?;
    let digest = std::mem::take(&mut stored.sha256);
    if stored.digest() != digest {
        return Err(Broken::Changed);
    }
    let (plan, place) = stored.into_plan()?;
    check(&plan, &place).map_err(Broken::Content)?;
    Ok((plan, place))
}

impl Stored {
    fn of(plan: &Plan, place: &Place) -> Stored {
        let file = |it: &Base| BaseFile {
            file: it.name.clone(),
            sha256: it.digest.map(|it| HEXLOWER.encode(&it)),
        };
        Stored {
            schema: FORM.to_owned(),
            postls: env!("CARGO_PKG_VERSION").to_owned(),
            config_dir: Bytes::of(&place.directory),
            table: Table { file: place.table.clone(), parameter: place.parameter.clone() },
            base: plan.base.iter().map(file).collect(),
            changes: plan.changes.iter().map(|it| FileChange::of(it, plan)).collect(),
            policies: plan.policies.clone(),
            others: plan.others.clone(),
            parameters: plan.parameters.clone(),
            reload_needed: plan.reload,
            sha256: String::new(),
        }
    }

    /// Its digest; the field for it must be empty.
    fn digest(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    fn into_plan(self) -> Result<(Plan, Place), Broken> {
        let mut base = Vec::new();
        for BaseFile { file, sha256 } in self.base {
            let digest = match sha256 {
                None => None,
                Some(text) => Some(digest_of(&text).ok_or_else(|| {
                    Broken::Content(format!("the digest of {} is none", shortened(&file)))
                })?),
            };
            base.push(Base { name: file, digest });
        }
        let mut changes = Vec::new();
        for change in self.changes {
            changes.push(change.into_change()?);
        }
        share_text(&mut changes)?;
        let plan = Plan {
            base,
            changes,
            policies: self.policies,
            others: self.others,
            parameters: self.parameters,
            reload: self.reload_needed,
            note: Note::default(),
        };
        let directory = self.config_dir.bytes()?;
        let Table { file, parameter } = self.table;
        Ok((plan, Place { directory, table: file, parameter }))
    }
}

impl Bytes {
    fn of(bytes: &[u8]) -> Bytes {
        match str::from_utf8(bytes) {
            Ok(text) => Bytes { encoding: Encoding::Utf8, content: text.to_owned() },
            Err(_) => Bytes { encoding: Encoding::Base64, content: BASE64.encode(bytes) },
        }
    }

    fn bytes(self) -> Result<Vec<u8>, Broken> {
        match self.encoding {
            Encoding::Utf8 => Ok(self.content.into_bytes()),
            Encoding::Base64 => BASE64
                .decode(self.content.as_bytes())
                .map_err(|why| Broken::Content(format!("a base64 text is none: {why}"))),
        }
    }
}

impl FileChange {
    fn of(change: &Change, plan: &Plan) -> FileChange {
        let bytes = |it: &Option<Vec<u8>>| it.as_deref().map(Bytes::of);
        match change {
            Change::Write { name, kind, old, new } => FileChange {
                change: What::Write,
                file: name.clone(),
                kind: kind.clone(),
                why: None,
                old: bytes(old),
                new: Some(Bytes::of(new)),
            },
            Change::Remove { name, old } => FileChange {
                change: What::Remove,
                file: name.clone(),
                kind: None,
                why: None,
                old: bytes(old),
                new: None,
            },
            Change::Index { kind, name, text, why } => {
                // A large table is not written twice.
                let is_written = written(&plan.changes, name).is_some_and(|it| it == text);
                FileChange {
                    change: What::Index,
                    file: name.clone(),
                    kind: Some(kind.clone()),
                    why: Some(match why {
                        Stale::SourceChanges => Why::SourceChanges,
                        Stale::Missing => Why::Missing,
                        Stale::Differs => Why::Differs,
                    }),
                    old: None,
                    new: (!is_written).then(|| Bytes::of(text)),
                }
            }
        }
    }

    /// An index of what is written has no text yet.
    fn into_change(self) -> Result<Change, Broken> {
        let FileChange { change, file: name, kind, why, old, new } = self;
        let lacks =
            |what: &str| Broken::Content(format!("it does not say {what} of {}", shortened(&name)));
        let bytes = |it: Option<Bytes>| it.map(Bytes::bytes).transpose();
        let (old, new) = (bytes(old)?, bytes(new)?);
        Ok(match change {
            What::Write => {
                let new = new.ok_or_else(|| lacks("the new bytes"))?;
                Change::Write { name, kind, old, new }
            }
            What::Remove => Change::Remove { name, old },
            What::Index => {
                let why = match why.ok_or_else(|| lacks("why there is an index"))? {
                    Why::SourceChanges => Stale::SourceChanges,
                    Why::Missing => Stale::Missing,
                    Why::Differs => Stale::Differs,
                };
                let kind = kind.ok_or_else(|| lacks("the type"))?;
                Change::Index { kind, name, text: new.unwrap_or_default(), why }
            }
        })
    }
}

/// Gives each index without a text that which is written.
fn share_text(changes: &mut [Change]) -> Result<(), Broken> {
    for index in 0..changes.len() {
        let text = match &changes[index] {
            Change::Index { name, text, .. } if text.is_empty() => {
                written(changes, name).unwrap_or_default().to_vec()
            }
            Change::Index { .. } | Change::Write { .. } | Change::Remove { .. } => continue,
        };
        let Change::Index { text: empty, .. } = &mut changes[index] else {
            return Err(Broken::Changed);
        };
        *empty = text;
    }
    Ok(())
}

/// What a plan writes into a file.
pub(super) fn written<'c>(changes: &'c [Change], file: &str) -> Option<&'c [u8]> {
    changes.iter().find_map(|it| match it {
        Change::Write { name, new, .. } if name == file => Some(new.as_slice()),
        Change::Write { .. } | Change::Remove { .. } | Change::Index { .. } => None,
    })
}

fn digest_of(text: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// Whether it says what a plan of a policy file can say.
fn check(plan: &Plan, place: &Place) -> Result<(), String> {
    if !place.directory.starts_with(b"/") || place.directory.contains(&0) {
        return Err("its configuration directory is no absolute path".to_owned());
    }
    let table = place.table.as_str();
    if !is_inside(table) || ["main.cf", "master.cf"].contains(&table) {
        let table = shortened(table);
        return Err(format!("its table \"{table}\" is no name of a file in the directory"));
    }
    for file in ["main.cf", table] {
        if !plan.base.iter().any(|it| it.name == file) {
            return Err(format!("it does not say which {} it was made from", shortened(file)));
        }
    }
    if plan.base.iter().any(|it| it.name.is_empty() || it.name.contains('\0')) {
        return Err("a file that it was made from has no name".to_owned());
    }
    let mut seen: Vec<(&str, bool)> = Vec::new();
    for change in &plan.changes {
        let (name, is_index) = match change {
            Change::Write { name, .. } => (name.as_str(), false),
            Change::Index { name, .. } => (name.as_str(), true),
            Change::Remove { name, .. } => {
                return Err(format!("it would remove {}", shortened(name)));
            }
        };
        if name != table && (is_index || name != "main.cf") {
            return Err(format!("it would write {}, which is not its table", shortened(name)));
        }
        if seen.contains(&(name, is_index)) || seen.contains(&("main.cf", false)) {
            return Err("its changes are in no order in which they could be made".to_owned());
        }
        seen.push((name, is_index));
        check_change(change, plan)?;
    }
    Ok(())
}

fn check_change(change: &Change, plan: &Plan) -> Result<(), String> {
    let is_base = |name: &str, bytes: Option<&[u8]>| plan.base.contains(&base(name, bytes));
    match change {
        Change::Write { name, kind, old, .. } => {
            let kind = kind.as_deref().map(TableKind::of);
            let is_table = matches!(kind, Some(TableKind::Indexed | TableKind::Texthash));
            if is_table == (name == "main.cf") || (kind.is_some() && !is_table) {
                return Err(format!("{} has a table type that it cannot have", shortened(name)));
            }
            if !is_base(name, old.as_deref()) {
                return Err(format!("{} is not what it was made from", shortened(name)));
            }
        }
        Change::Index { kind, name, text, .. } => {
            if TableKind::of(kind) != TableKind::Indexed {
                return Err(format!("\"{}\" is no type with an index", shortened(kind)));
            }
            let is_text = match written(&plan.changes, name) {
                Some(written) => written == text,
                None => is_base(name, Some(text)),
            };
            if !is_text {
                return Err("an index would hold something else than its table".to_owned());
            }
        }
        Change::Remove { .. } => {}
    }
    Ok(())
}

/// Whether a name is one of a file below the directory, and not one of postls' own.
fn is_inside(name: &str) -> bool {
    let mut parts = Vec::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => {
                return false;
            }
        }
    }
    !name.contains('\0')
        && parts.join("/") == name
        && parts.first().is_some_and(|it| it != ".postls")
}
