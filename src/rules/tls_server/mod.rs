//! TLS for those who connect to this host: smtpd(8), postscreen(8), tlsproxy(8), and logins.

use crate::config::{Server, ServerTls};
use crate::lint::Context;
use crate::postfix::{ProtocolProblem, Protocols};
use crate::text::{Span, shortened};

rules! {
    auth_never_offered,
    auth_without_tls,
    postscreen_without_tlsproxy,
    smtpd_certificate_ignored,
    smtpd_certificate_missing,
    smtpd_cipher_exclusion_invalid,
    smtpd_cipher_grade_invalid,
    smtpd_ciphers_empty,
    smtpd_client_certificate_optional,
    smtpd_encrypt_on_port_25,
    smtpd_fingerprint_digest_unknown,
    smtpd_fingerprint_digest_weak,
    smtpd_newest_protocol_missing,
    smtpd_protocol_bound_empty,
    smtpd_protocol_hole,
    smtpd_protocol_invalid,
    smtpd_protocols_empty,
    smtpd_setting_of_other_level,
    smtpd_tls_level_invalid,
    smtpd_tls_value_empty,
    smtpd_weak_protocol,
    submission_not_encrypted,
    submissions_without_wrappermode,
    wrappermode_on_starttls_port,
}

/// What a question finds at the servers, as they are and as they will be, each place once.
fn places<T>(
    context: &Context<'_>,
    question: impl Fn(&Server<'_>) -> Option<(Span, T)>,
) -> Vec<(Span, T)> {
    let mut found: Vec<(Span, T)> = Vec::new();
    for view in context.views() {
        for (span, answer) in view.servers().iter().filter_map(&question) {
            if !found.iter().any(|(seen, _)| *seen == span) {
                found.push((span, answer));
            }
        }
    }
    found
}

/// A value that somebody set, and that a server reads.
struct Set {
    span: Span,
    text: Vec<u8>,
}

impl Set {
    /// The value for a message.
    fn shown(&self) -> String {
        self.shown_part(0..self.text.len())
    }

    /// A part of the value for a message: it may have come out of an expansion.
    fn shown_part(&self, range: std::ops::Range<usize>) -> String {
        shortened(&String::from_utf8_lossy(&self.text[range]))
    }
}

/// The values that servers read of the parameters that `names` gives for what they offer. Not those with a comment
/// behind them: that is a finding of its own.
fn read<'n>(
    context: &Context<'_>,
    names: impl Fn(ServerTls) -> &'n [&'static str],
) -> Vec<(Set, &'static str)> {
    let mut all: Vec<(Set, &'static str)> = Vec::new();
    for view in context.views() {
        for server in view.servers() {
            for name in names(server.tls) {
                let Some(span) = server.set(name) else { continue };
                let text = server.value(name);
                let comment = text.windows(2).any(|it| it == b" #") || text.starts_with(b"#");
                if !comment && !all.iter().any(|(seen, _)| seen.span == span) {
                    all.push((Set { span, text }, *name));
                }
            }
        }
    }
    all
}

/// The lists of protocols that servers read, and what they leave on.
fn protocol_lists(context: &Context<'_>) -> Vec<(Set, Result<Protocols, ProtocolProblem>)> {
    let lists = read(context, |tls| match tls {
        ServerTls::Off => &[],
        ServerTls::Opportunistic => &["smtpd_tls_protocols"],
        ServerTls::Mandatory => &["smtpd_tls_mandatory_protocols"],
    });
    let parse = |(set, _): (Set, _)| {
        let protocols = Protocols::parse(&set.text, context.version());
        (set, protocols)
    };
    lists.into_iter().map(parse).collect()
}

/// The lists that Postfix takes.
fn valid_protocol_lists(context: &Context<'_>) -> impl Iterator<Item = (Set, Protocols)> {
    protocol_lists(context).into_iter().filter_map(|(set, protocols)| Some((set, protocols.ok()?)))
}

/// How to ask for TLSv1.2 and what is newer.
fn modern_list(context: &Context<'_>) -> &'static str {
    match crate::postfix::protocols_since(b">=TLSv1.2") {
        Some(since) if context.version() >= since => ">=TLSv1.2",
        Some(_) | None => "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1",
    }
}
