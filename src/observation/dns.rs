//! What DNS and a domain's web server publish about mail to it.

/// TLSA records (RFC 6698), of the name where Postfix looks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlsa {
    /// The host's name that they belong to, which is also the name that the client asks the server for:
    /// that of the MX record, or the one that its CNAME records lead to.
    pub base: String,
    /// Whether the resolver validated them with DNSSEC (AD): others count for nothing.
    pub secure: bool,
    /// The records.
    pub records: Vec<TlsaRecord>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsaRecord {
    /// Certificate usage: 2 is DANE-TA, 3 DANE-EE.
    pub usage: u8,
    /// 0: the certificate, 1: its public key.
    pub selector: u8,
    /// 0: the whole, 1: SHA-256 of it, 2: SHA-512.
    pub matching: u8,
    /// The data.
    pub data: Vec<u8>,
}

/// What a domain publishes with MTA-STS (RFC 8461).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sts {
    /// The TXT record at `_mta-sts`.
    pub record: String,
    /// The policy that its web server gives; `Err`: why there is none, for people.
    pub policy: Result<StsPolicy, String>,
}

/// An MTA-STS policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsPolicy {
    /// What a sender is to do.
    pub mode: StsMode,
    /// The patterns of MX host names: a name, or `*.` and a name.
    pub mx: Vec<String>,
    /// So many seconds a sender may keep it.
    pub max_age: u32,
}

/// What an MTA-STS policy asks of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsMode {
    /// Deliver to matching hosts with a verified certificate alone.
    Enforce,
    /// Report, and deliver.
    Testing,
    /// Nothing.
    None,
}
