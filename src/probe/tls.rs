//! The TLS handshake with a server, as smtp(8) does it (`tls_client_start` in `tls/tls_client.c`), and what it shows.
//!
//! The handshake goes on whatever the server shows: Postfix too looks at the certificate when it stands. Session
//! tickets, compression and renegotiation are off. Whatever OpenSSL meets is an error in its words.
//!
//! Known limits: raw public keys (RFC 7250) are not asked for, since the library in use cannot; no certificate of the
//! client is shown; the group of a key exchange is known for elliptic curves and for Diffie-Hellman only.

use std::io;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::ssl::{
    ErrorCode, HandshakeError, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslRef,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};

use super::timed::Timed;
use crate::certificate::Certificate;
use crate::certificate::store::{Anchors, Store, Terms};
use crate::certificate::trust::Verdict;
use crate::observation::session::{NotTrusted, Tls, TlsFailure};
use crate::policy::session::TlsSettings;
use crate::postfix::{Protocol, Version};

/// Whom a policy trusts to sign certificates.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The authorities of `*_CAfile` and `*_CApath`, those of the system among them where `tls_append_default_CA` says
    /// so; a store without any, where there are none.
    pub authorities: Store,
    /// Those of `tafile=` or `*_tls_trust_anchor_file`, which are asked instead of the others.
    pub anchors: Option<Anchors>,
    /// The system's, to say what would be were they trusted; `None`: nobody asks.
    pub system: Option<Store>,
    /// The terms for [`Trust::anchors`], by which the stores were made.
    pub terms: Terms,
    /// The Postfix in question.
    pub version: Version,
}

impl Trust {
    /// Whether the policy trusts this chain: certificates or their DER, the server's own first.
    pub fn verify(&self, chain: &[impl AsRef<[u8]>]) -> Result<(), NotTrusted> {
        let verdict = match &self.anchors {
            Some(anchors) => anchors.verify_file(chain, &self.terms, self.version),
            None => self.authorities.verify(chain),
        };
        result(verdict)
    }
}

fn result(verdict: Verdict) -> Result<(), NotTrusted> {
    match verdict {
        Verdict::Trusted => Ok(()),
        Verdict::Refused { reason, depth, .. } => Err(NotTrusted { reason, depth }),
        Verdict::NotChecked(why) => Err(NotTrusted { reason: why.to_owned(), depth: 0 }),
    }
}

/// Begins TLS. What the server sends from then on comes out of the stream.
pub(super) fn begin(
    stream: Timed,
    settings: &TlsSettings,
    trust: &Trust,
) -> Result<(SslStream<Timed>, Tls), TlsFailure> {
    let own = |error: ErrorStack| TlsFailure::Settings(words(&error));
    let ssl = prepare(settings).map_err(own)?;
    match ssl.connect(stream) {
        Ok(stream) => {
            let tls = shown(stream.ssl(), settings, trust)?;
            Ok((stream, tls))
        }
        Err(HandshakeError::SetupFailure(error)) => Err(own(error)),
        Err(HandshakeError::Failure(failed) | HandshakeError::WouldBlock(failed)) => {
            Err(failure(failed.error()))
        }
    }
}

fn prepare(settings: &TlsSettings) -> Result<Ssl, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    // Or the lists of old ciphers and protocols that it has by then count for nothing.
    context.set_security_level(settings.security_level);
    context.set_verify(SslVerifyMode::NONE);
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_options(
        SslOptions::ALL
            | SslOptions::NO_TICKET
            | SslOptions::NO_COMPRESSION
            | SslOptions::NO_RENEGOTIATION,
    );
    context.set_cipher_list(&settings.cipher_list)?;
    match settings.protocols {
        Some((oldest, newest)) => {
            context.set_min_proto_version(Some(version(oldest)))?;
            context.set_max_proto_version(Some(version(newest)))?;
        }
        None => {
            context.set_options(SslOptions::NO_SSL_MASK);
        }
    }
    let groups = known_groups(&settings.groups)?;
    if !groups.is_empty() {
        context.set_groups_list(&groups)?;
    }
    let mut ssl = Ssl::new(&context.build())?;
    if let Some(name) = &settings.servername {
        ssl.set_hostname(name)?;
    }
    Ok(ssl)
}

fn version(protocol: Protocol) -> SslVersion {
    match protocol {
        Protocol::Ssl3 => SslVersion::SSL3,
        Protocol::Tls1 => SslVersion::TLS1,
        Protocol::Tls1_1 => SslVersion::TLS1_1,
        Protocol::Tls1_2 => SslVersion::TLS1_2,
        Protocol::Tls1_3 => SslVersion::TLS1_3,
    }
}

/// Those that this OpenSSL has (`tls_auto_eecdh_curves` in `tls/tls_dh.c` passes over the others).
fn known_groups(groups: &[String]) -> Result<String, ErrorStack> {
    if groups.is_empty() {
        return Ok(String::new());
    }
    let mut scratch: SslContextBuilder = SslContext::builder(SslMethod::tls_client())?;
    let known = groups.iter().filter(|it| scratch.set_groups_list(it).is_ok());
    Ok(known.map(String::as_str).collect::<Vec<_>>().join(":"))
}

/// What the server shows.
fn shown(ssl: &SslRef, settings: &TlsSettings, trust: &Trust) -> Result<Tls, TlsFailure> {
    let cipher = ssl.current_cipher();
    let (mut chain, mut sent) = (Vec::new(), Vec::new());
    for (place, certificate) in ssl.peer_cert_chain().into_iter().flatten().enumerate() {
        let der = certificate.to_der().map_err(|it| TlsFailure::Unreadable(words(&it)))?;
        match Certificate::parse(&der) {
            Ok(certificate) => chain.push(certificate),
            Err(_) if place == 0 => {
                let text = "postls cannot read the server's certificate, which OpenSSL takes";
                return Err(TlsFailure::Unreadable(text.to_owned()));
            }
            // Nothing can be said of it, but it may still be what the server's own is signed with.
            Err(_) => {}
        }
        sent.push(der);
    }
    let none = || Err(NotTrusted { reason: "there is no certificate".to_owned(), depth: 0 });
    let trusted = if sent.is_empty() { none() } else { trust.verify(&sent) };
    let by_system = |it: &Store| if sent.is_empty() { none() } else { result(it.verify(&sent)) };
    let trusted_by_system = trust.system.as_ref().map(by_system);
    Ok(Tls {
        protocol: ssl.version_str().to_owned(),
        cipher: cipher.map_or_else(String::new, |it| it.name().to_owned()),
        bits: cipher.and_then(|it| u32::try_from(it.bits().secret).ok()).unwrap_or_default(),
        group: group(ssl),
        servername: settings.servername.clone(),
        trusted,
        trusted_by_system,
        chain,
    })
}

/// By which group the keys were exchanged.
fn group(ssl: &SslRef) -> Option<String> {
    let key = ssl.peer_tmp_key().ok()?;
    Some(match key.id() {
        Id::X25519 => "X25519".to_owned(),
        Id::X448 => "X448".to_owned(),
        Id::DH => format!("DH {}", key.bits()),
        Id::EC => {
            let curve = key.ec_key().ok()?.group().curve_name()?;
            match curve {
                Nid::X9_62_PRIME256V1 => "P-256".to_owned(),
                Nid::SECP384R1 => "P-384".to_owned(),
                Nid::SECP521R1 => "P-521".to_owned(),
                other => other.short_name().ok()?.to_owned(),
            }
        }
        _ => return None,
    })
}

/// Why it did not come about.
fn failure(error: &openssl::ssl::Error) -> TlsFailure {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
    if let Some(error) = error.io_error() {
        return match error.kind() {
            TimedOut => TlsFailure::Timeout,
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => TlsFailure::Closed,
            _ => TlsFailure::Handshake(super::system_words(error)),
        };
    }
    let Some(stack) = error.ssl_error() else { return TlsFailure::Closed };
    let reason = words(stack);
    match reason.as_str() {
        // OpenSSL 3 takes this for an error, and 1.1 for none.
        "unexpected eof while reading" => TlsFailure::Closed,
        // Nothing was sent: these are about the lists of this side.
        "no protocols available" | "no ciphers available" => TlsFailure::Settings(reason),
        "" if error.code() == ErrorCode::SYSCALL => TlsFailure::Closed,
        _ => TlsFailure::Handshake(reason),
    }
}

/// What ended a session that stood.
pub(super) fn words_of(error: &openssl::ssl::Error) -> String {
    match failure(error) {
        TlsFailure::Handshake(reason)
        | TlsFailure::Settings(reason)
        | TlsFailure::Unreadable(reason) => reason,
        TlsFailure::Timeout => super::NOTHING_CAME.to_owned(),
        TlsFailure::Closed => "the server closed the connection".to_owned(),
    }
}

/// The first thing that OpenSSL complained of.
fn words(stack: &ErrorStack) -> String {
    let first = stack.errors().first();
    first.and_then(openssl::error::Error::reason).unwrap_or("OpenSSL says no more").to_owned()
}
