//! What `postls publish` has to say, for programs. The form is a promise: fields are added, never
//! changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::certificate::{Facts, facts};
use super::fingerprint_json::{Made, made};
use super::json;
use super::publish;

/// What `postls publish --format json` prints: the keys of this host's mail server, and their records in DNS.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls publish")]
pub(super) struct Publication<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/publish/v1"))]
    schema: &'static str,
    /// What clients find, by names and ports.
    endpoints: Vec<Endpoint<'a>>,
    /// What is not as it should be.
    warnings: &'a [String],
}

/// A name and a port, and what clients find there.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "endpoint")]
struct Endpoint<'a> {
    /// The name of the mail server.
    name: &'a str,
    /// The port.
    port: u16,
    /// The services of master.cf that listen there, such as smtp/inet.
    services: &'a [String],
    /// The keys: those of now, then those that will come.
    keys: Vec<Published<'a>>,
}

/// A key.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "key")]
struct Published<'a> {
    /// Whether it is in use.
    state: State,
    /// The file that it was found in, as it is called in the configuration or on the command line.
    file: &'a str,
    /// Its kind with its size or curve, such as RSA 2048 or P-256; null where it is not known.
    key: Option<String>,
    /// What stands in its certificate; null where only the key is known.
    certificate: Option<Facts>,
    /// Its fingerprints, for those who pin it.
    fingerprints: Made,
    /// Its record in DNS. Two keys can be the same, and have one record.
    tlsa: Record,
}

/// Whether a key is in use.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "state")]
enum State {
    /// The server has it.
    Current,
    /// It will have it.
    Next,
}

/// A TLSA record.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "record")]
struct Record {
    /// Its name, such as `_25._tcp.mx.example.org.`
    owner: String,
    /// Usage, selector, matching type and digest, such as `3 1 1 8755cd…`
    data: String,
}

/// All as one JSON object.
pub(super) fn publication(shown: &publish::Publication<'_>) -> String {
    let endpoints = shown.endpoints.iter().map(|endpoint| Endpoint {
        name: &endpoint.name,
        port: endpoint.port,
        services: &endpoint.services,
        keys: endpoint.keys.iter().map(|key| one(shown, endpoint, key)).collect(),
    });
    json::pretty(&Publication {
        schema: "postls/publish/v1",
        endpoints: endpoints.collect(),
        warnings: shown.warnings,
    })
}

fn one<'a>(
    shown: &publish::Publication<'_>,
    endpoint: &publish::Endpoint,
    key: &'a publish::Key,
) -> Published<'a> {
    Published {
        state: match key.state {
            publish::State::Current => State::Current,
            publish::State::Next => State::Next,
        },
        file: &key.file,
        key: key.subject.key().map(|it| it.to_string()),
        certificate: key.subject.certificate().map(|it| facts(it, shown.today)),
        fingerprints: made(&key.subject, shown.digests),
        tlsa: Record { owner: endpoint.owner(), data: key.tlsa() },
    }
}
