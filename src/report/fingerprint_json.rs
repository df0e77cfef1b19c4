//! The fingerprints of `postls fingerprint` for programs. The form is a promise: fields are added,
//! never changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::certificate::{Facts, facts};
use super::fingerprint::{self, InForce};
use super::json;
use super::query::shown_place;
use crate::certificate::{self, Of};
use crate::postfix::Digest;

/// What `postls fingerprint --format json` prints: the fingerprints of certificates and keys in files.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "postls fingerprint")]
pub(super) struct Fingerprints<'a> {
    /// The name of this form. Fields may be added to it; none is changed or taken away.
    #[schemars(extend("const" = "postls/fingerprint/v1"))]
    schema: &'static str,
    /// The digest that the configuration needs, as it names it; null where there is no configuration.
    digest: Option<&'a str>,
    /// Who says so: a place such as `main.cf:7 smtp_tls_fingerprint_digest`, or `default of
    /// smtp_tls_fingerprint_digest`; null where there is no configuration.
    digest_from: Option<String>,
    /// What stands in the files, in their order.
    items: Vec<One<'a>>,
    /// The files that nothing can be said of.
    failed: Vec<Failed<'a>>,
}

/// Something in a file that has fingerprints.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "item")]
struct One<'a> {
    /// The file, as it was named; - for standard input.
    file: &'a str,
    /// Its place among those of its file, from 1.
    #[schemars(range(min = 1))]
    number: usize,
    /// What it is.
    kind: Kind,
    /// Whether it is the one of its file that is pinned.
    pinned: bool,
    /// The kind of key with its size or curve, such as RSA 2048 or P-256; null where it is not known.
    key: Option<String>,
    /// What stands in the certificate; null where it is none.
    certificate: Option<Facts>,
    /// Who trusts it, as the level secure does; of certificates that are pinned only.
    trust: Vec<Trust<'a>>,
    /// The fingerprints.
    fingerprints: Made,
}

/// Whether somebody trusts a certificate.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "trust")]
struct Trust<'a> {
    /// Who: a parameter with its file, or this system.
    by: &'a str,
    /// Whether they do; null: that is not known.
    trusted: Option<bool>,
    /// Why they do not, or why that is not known; null: they do.
    reason: Option<&'a str>,
}

/// What something in a file is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "kind")]
enum Kind {
    /// A certificate.
    Certificate,
    /// A public key.
    PublicKey,
    /// A private key.
    PrivateKey,
    /// A request for a certificate.
    Request,
}

/// Fingerprints, as Postfix writes them, by the names of the digests.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "fingerprints")]
pub(super) struct Made {
    /// Of the public key: a renewal with the same key keeps them.
    public_key: BTreeMap<&'static str, String>,
    /// Of the certificate; null where it is none.
    certificate: Option<BTreeMap<&'static str, String>>,
}

/// A file that nothing can be said of.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "failed")]
struct Failed<'a> {
    /// The file, as it was named.
    file: &'a str,
    /// Why.
    why: &'a str,
}

/// All as one JSON object.
pub(super) fn fingerprints(shown: &fingerprint::Fingerprints<'_>) -> String {
    let (digest, place) = match shown.in_force {
        InForce::Known { digest, place } => (Some(digest.name()), Some(place)),
        InForce::Other { name, place } => (Some(name.as_str()), Some(place)),
        InForce::Nobodys { .. } => (None, None),
    };
    let items = shown.items.iter().map(|item| One {
        file: &item.file,
        number: item.number,
        kind: match &item.subject.kind {
            certificate::Kind::Certificate(_) => Kind::Certificate,
            certificate::Kind::PublicKey => Kind::PublicKey,
            certificate::Kind::PrivateKey => Kind::PrivateKey,
            certificate::Kind::Request => Kind::Request,
        },
        pinned: item.is_pinned,
        key: item.subject.key().map(|it| it.to_string()),
        certificate: item.subject.certificate().map(|it| facts(it, shown.today)),
        trust: item.trust.iter().map(trust).collect(),
        fingerprints: made(&item.subject, shown.digests),
    });
    json::pretty(&Fingerprints {
        schema: "postls/fingerprint/v1",
        digest,
        digest_from: place.map(|it| shown_place(shown.sources, it)),
        items: items.collect(),
        failed: shown.failed.iter().map(|it| Failed { file: &it.file, why: &it.why }).collect(),
    })
}

fn trust(it: &fingerprint::Trust) -> Trust<'_> {
    Trust { by: &it.by, trusted: it.is_trusted(), reason: it.reason() }
}

/// The fingerprints of something in these digests.
pub(super) fn made(subject: &certificate::Subject, digests: &[Digest]) -> Made {
    let of = |of| {
        let one = |it: &Digest| Some((it.name(), subject.fingerprint(of, *it)?.to_string()));
        digests.iter().filter_map(one).collect::<BTreeMap<_, _>>()
    };
    Made {
        public_key: of(Of::PublicKey),
        certificate: subject.certificate().map(|_| of(Of::Certificate)),
    }
}

/// The fingerprints of a certificate and of its key, in these digests.
pub(super) fn made_of(it: &certificate::Certificate, digests: &[Digest]) -> Made {
    let of = |bytes: &[u8]| {
        let one = |it: &Digest| (it.name(), certificate::fingerprint(*it, bytes).to_string());
        digests.iter().map(one).collect::<BTreeMap<_, _>>()
    };
    Made { public_key: of(it.public_key()), certificate: Some(of(it.der())) }
}
