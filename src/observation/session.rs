//! What a server said in one connection: the greeting, what it offers, and what TLS came to.

use crate::certificate::Certificate;

/// A connection, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Milliseconds until the connection stood.
    pub connected_after: u32,
    /// The greeting; `None`: TLS comes first (`tls_wrappermode`) and did not come about.
    pub greeting: Option<Said>,
    /// What the server answered to EHLO, or, where that was refused, to HELO; the last one before TLS.
    pub hello: Option<Said>,
    /// Whether TLS can begin.
    pub starttls: Starttls,
    /// What TLS came to, where it was begun.
    pub tls: Option<Result<Tls, TlsFailure>>,
    /// What the server answered to EHLO within TLS.
    pub hello_in_tls: Option<Said>,
}

/// What came instead of a reply, or the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A reply.
    Reply(Reply),
    /// None: the connection ended, nothing came in time, or what came is no reply; in words for people.
    Nothing(String),
}

/// A reply of an SMTP server (RFC 5321, 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The texts of its lines, without codes; what is not printable ASCII is replaced, and long ones are cut.
    pub lines: Vec<String>,
}

/// How TLS begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Starttls {
    /// There was no reason to ask: TLS comes before the greeting.
    Wrapper,
    /// The connection did not come so far.
    NotReached,
    /// EHLO does not offer it.
    NotOffered,
    /// It is offered, and the policy wants none.
    Offered,
    /// The server took the command.
    Accepted,
    /// It offered it, and refused the command with this reply, or with none.
    Refused(Said),
    /// It took the command, and behind its reply was more in the clear, which somebody on the way could have added. It
    /// was thrown away.
    Injected,
}

/// An established TLS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Such as `TLSv1.3`, as Postfix logs it.
    pub protocol: String,
    /// The cipher suite by OpenSSL's name.
    pub cipher: String,
    /// The bits of its secret key.
    pub bits: u32,
    /// The key exchange, such as `X25519` or `P-256`, where it can be told.
    pub group: Option<String>,
    /// The name that the client asked for (SNI).
    pub servername: Option<String>,
    /// The certificates as the server sent them, its own first; empty: it is anonymous.
    pub chain: Vec<Certificate>,
    /// Whether the chain leads to an authority that the effective policy trusts; `Err`: OpenSSL's reason, with
    /// the depth at which it stopped.
    pub trusted: Result<(), NotTrusted>,
    /// The same, had the system's authorities been asked; `None`: they were, or there are none.
    pub trusted_by_system: Option<Result<(), NotTrusted>>,
}

impl Tls {
    /// The `SubjectPublicKeyInfo` that the server proved to have; `None`: it is anonymous.
    pub fn public_key(&self) -> Option<&[u8]> {
        self.chain.first().map(Certificate::public_key)
    }
}

/// Why a chain leads to no trusted authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTrusted {
    /// OpenSSL's words.
    pub reason: String,
    /// Which certificate: 0 is the server's own, 1 its issuer.
    pub depth: u32,
}

/// A handshake that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// OpenSSL's reason, or the system's; the server said no, or both have nothing in common.
    Handshake(String),
    /// Nothing came in time.
    Timeout,
    /// The connection ended.
    Closed,
    /// This client could not even begin: its own settings are in the way.
    Settings(String),
    /// It did not fail: OpenSSL takes the server's certificate, and this program cannot read it. Why, for people.
    Unreadable(String),
}
