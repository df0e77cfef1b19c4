//! The JSON Schemas of what postls prints and reads. Those of outputs are made from the types that
//! are printed; that of the policy file is data, since its reader is written by hand.
//!
//! They are of draft 7, which editors and SchemaStore read best.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use super::{
    failure, fingerprint_json, history, json, pin_json, plan_json, probe_json, publish_json,
    query_json,
};
use crate::plan::stored;

/// All of them. One more is a line here.
pub const SCHEMAS: &[Schema] = &[
    Schema {
        name: "lint",
        about: "postls lint --format json",
        file: "lint.v1.schema.json",
        text: || of::<json::Lint<'static>>("lint.v1.schema.json"),
    },
    Schema {
        name: "query",
        about: "postls query --format json",
        file: "query.v1.schema.json",
        text: || of::<query_json::Query<'static>>("query.v1.schema.json"),
    },
    Schema {
        name: "diff",
        about: "postls diff --format json, postls apply --format json",
        file: "diff.v1.schema.json",
        text: || of::<plan_json::Changes<'static>>("diff.v1.schema.json"),
    },
    Schema {
        name: "failure",
        about: "postls apply --format json, where it did not do its work",
        file: "failure.v1.schema.json",
        text: || of::<failure::Failure>("failure.v1.schema.json"),
    },
    Schema {
        name: "plan",
        about: "postls diff --out FILE, postls apply FILE",
        file: "plan.v1.schema.json",
        text: || of::<stored::Stored>("plan.v1.schema.json"),
    },
    Schema {
        name: "pins",
        about: "postls pin status --format json, postls pin list --format json",
        file: "pins.v1.schema.json",
        text: || of::<pin_json::Status>("pins.v1.schema.json"),
    },
    Schema {
        name: "fingerprint",
        about: "postls fingerprint --format json",
        file: "fingerprint.v1.schema.json",
        text: || of::<fingerprint_json::Fingerprints<'static>>("fingerprint.v1.schema.json"),
    },
    Schema {
        name: "publish",
        about: "postls publish --format json",
        file: "publish.v1.schema.json",
        text: || of::<publish_json::Publication<'static>>("publish.v1.schema.json"),
    },
    Schema {
        name: "probe",
        about: "postls probe --format json",
        file: "probe.v1.schema.json",
        text: || of::<probe_json::Probe<'static>>("probe.v1.schema.json"),
    },
    Schema {
        name: "history",
        about: "postls history --format json",
        file: "history.v1.schema.json",
        text: || of::<history::History<'static>>("history.v1.schema.json"),
    },
    Schema {
        name: "policy",
        about: "the policy file, postls.yaml",
        file: "policy.schema.json",
        text: || include_str!("../../schemas/policy.schema.json").to_owned(),
    },
];

/// One of them.
pub struct Schema {
    /// The word for it.
    pub name: &'static str,
    /// What it is of.
    pub about: &'static str,
    /// Its file under schemas/.
    pub file: &'static str,
    /// Makes it.
    pub text: fn() -> String,
}

fn of<T: JsonSchema>(file: &str) -> String {
    let generator = SchemaSettings::draft07().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    let address = format!("{}/raw/main/schemas/{file}", env!("CARGO_PKG_REPOSITORY"));
    schema.insert("$id".to_owned(), address.into());
    json::pretty(&schema)
}
