//! What DNS and the domain's web server publish, for programs.

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::Serialize;

use crate::observation::dns;

/// TLSA records (RFC 6698).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "tlsa")]
pub(super) struct Tlsa<'a> {
    /// The host's name that they belong to, without `_25._tcp`.
    base: &'a str,
    /// Whether the resolver validated them with DNSSEC: others count for nothing.
    secure: bool,
    /// The records.
    records: Vec<Record>,
}

/// One of them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "tlsa-record")]
struct Record {
    /// Certificate usage: 2 is DANE-TA, 3 DANE-EE.
    usage: u8,
    /// 0: the certificate, 1: its public key.
    selector: u8,
    /// 0: the whole, 1: SHA-256 of it, 2: SHA-512.
    matching: u8,
    /// The data, in hexadecimal digits.
    data: String,
}

/// What a domain publishes with MTA-STS (RFC 8461).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "sts")]
pub(super) struct Sts<'a> {
    /// The TXT record at `_mta-sts`.
    record: &'a str,
    /// The policy of its web server; null: there is none.
    policy: Option<Policy<'a>>,
    /// Why there is none; null: there is one.
    trouble: Option<&'a str>,
}

/// An MTA-STS policy.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "sts-policy")]
struct Policy<'a> {
    /// What a sender is to do.
    mode: Mode,
    /// The patterns of MX host names: a name, or `*.` and a name.
    mx: &'a [String],
    /// So many seconds a sender may keep it.
    max_age: u32,
}

/// What an MTA-STS policy asks of a sender.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "sts-mode")]
enum Mode {
    /// Deliver to matching hosts with a verified certificate alone.
    Enforce,
    /// Report, and deliver.
    Testing,
    /// Nothing.
    None,
}

pub(super) fn tlsa(it: &dns::Tlsa) -> Tlsa<'_> {
    let records = it.records.iter().map(|record| Record {
        usage: record.usage,
        selector: record.selector,
        matching: record.matching,
        data: HEXLOWER.encode(&record.data),
    });
    Tlsa { base: &it.base, secure: it.secure, records: records.collect() }
}

pub(super) fn sts(it: &dns::Sts) -> Sts<'_> {
    let policy = it.policy.as_ref().ok().map(|policy| Policy {
        mode: match policy.mode {
            dns::StsMode::Enforce => Mode::Enforce,
            dns::StsMode::Testing => Mode::Testing,
            dns::StsMode::None => Mode::None,
        },
        mx: &policy.mx,
        max_age: policy.max_age,
    });
    Sts { record: &it.record, policy, trouble: it.policy.as_ref().err().map(String::as_str) }
}
