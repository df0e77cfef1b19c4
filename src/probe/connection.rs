//! One connection to one server, as smtp(8) or lmtp(8) would make it, up to where a sender would be named, and QUIT.
//!
//! Follows `smtp_helo` and `smtp_start_tls` in `smtp/smtp_proto.c`, and `smtp_chat_resp` in `smtp/smtp_chat.c` for what
//! counts as a reply. Nothing is said before the other side has had its turn. What stands behind the reply to STARTTLS
//! is thrown away, as Postfix does, and it is said that it was there: it must never be taken for something said in TLS.
//!
//! Known limit: `smtp_pix_workarounds` and its table are taken as they are by default.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use openssl::ssl::SslStream;

use super::reply::{Heard, Parser};
use super::timed::Timed;
use super::tls::{self, Trust};
use super::{NOTHING_CAME, system_words};
use crate::observation::route::Seen;
use crate::observation::session::{Said, Session, Starttls, Tls, TlsFailure};
use crate::policy::session::TlsSettings;

/// How a connection is made.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Which protocol is spoken.
    pub protocol: Protocol,
    /// The name that the client gives itself (`smtp_helo_name`, `lmtp_lhlo_name`).
    pub client_name: String,
    /// Whether the client greets with EHLO.
    pub ehlo: Ehlo,
    /// Where TLS begins.
    pub begin: Begin,
    /// Whether the client sees a STARTTLS that is offered.
    pub offer: Offer,
    /// The address that it comes from, where it is of the kind of the server's.
    pub source: Option<Source>,
    /// How long it waits.
    pub limits: Limits,
    /// What TLS is begun with; `None`: the policy has none.
    pub tls: Option<TlsSettings>,
    /// Whom the policy trusts.
    pub trust: Trust,
}

/// The address that the client comes from (`smtp_bind_address`, `smtp_bind_address6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// It.
    pub address: IpAddr,
    /// What becomes of the connection where the host does not have it.
    pub otherwise: Otherwise,
}

/// What the client does where it cannot come from the address that it is told (`smtp_bind_address_enforce`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It logs a warning, and comes from any: the default, and all that there is before Postfix 3.7.
    Any,
    /// It does not connect, and mail waits.
    None,
}

/// The protocol that the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP (RFC 5321).
    Smtp,
    /// LMTP (RFC 2033).
    Lmtp,
}

/// When smtp(8) greets with EHLO (`smtp_always_send_ehlo`, `smtp_never_send_ehlo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ehlo {
    /// Always, which is the default.
    Always,
    /// Where the greeting has the word ESMTP.
    Asked,
    /// Never: there is no TLS then, but with `smtp_tls_wrappermode`.
    Never,
}

/// Where TLS begins (`smtp_tls_wrappermode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With STARTTLS.
    Starttls,
    /// At once.
    Wrapper,
}

/// Whether the client sees a STARTTLS that is offered (`smtp_discard_ehlo_keywords`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It does.
    Heeded,
    /// It is told not to.
    Discarded,
}

/// How long the client waits, and how much it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the connection.
    pub connect: Duration,
    /// For the greeting.
    pub greeting: Duration,
    /// For any other reply.
    pub reply: Duration,
    /// For the whole of the TLS handshake.
    pub tls: Duration,
    /// For the reply to QUIT, which is a matter of manners.
    pub quit: Duration,
    /// For all of that together.
    pub total: Duration,
    /// So many bytes are read, TLS records included.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(10),
            // A server may make unknown clients wait (postscreen_greet_wait and its like).
            greeting: Duration::from_secs(30),
            reply: Duration::from_secs(20),
            tls: Duration::from_secs(20),
            quit: Duration::from_millis(500),
            total: Duration::from_secs(60),
            bytes: 512 * 1024,
        }
    }
}

/// Makes one connection, and says what was seen.
pub fn connect(address: SocketAddr, settings: &ConnectionSettings) -> Seen {
    if settings.begin == Begin::Wrapper && settings.tls.is_none() {
        return Seen::NotTried("tls_wrappermode needs TLS, and the policy has none");
    }
    let (limits, start) = (&settings.limits, Instant::now());
    let end = start + limits.total;
    let stream = Timed::connect(address, settings.source, limits.connect, end, limits.bytes);
    let stream = match stream {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Seen::Unreachable("Connection timed out".to_owned());
        }
        Err(error) => return Seen::Unreachable(system_words(&error)),
    };
    let connected_after = u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX);
    let session = Session {
        connected_after,
        greeting: None,
        hello: None,
        starttls: Starttls::NotReached,
        tls: None,
        hello_in_tls: None,
    };
    Seen::Session(Box::new(match settings.begin {
        Begin::Starttls => with_starttls(stream, session, settings),
        Begin::Wrapper => in_wrapper(stream, session, settings),
    }))
}

fn with_starttls(stream: Timed, mut session: Session, settings: &ConnectionSettings) -> Session {
    let mut talk = Talk::new(Stream::Plain(stream), settings);
    let Ok(esmtp) = talk.greeting(&mut session) else { return session };
    let (hello, heard) = talk.hello(esmtp);
    session.hello = Some(hello);
    // No reply to it, or one that ends the talk.
    let Some(heard) = heard else { return session };
    if !heard.offers_starttls() || settings.offer == Offer::Discarded {
        session.starttls = Starttls::NotOffered;
        talk.quit();
        return session;
    }
    let Some(tls) = &settings.tls else {
        session.starttls = Starttls::Offered;
        talk.quit();
        return session;
    };
    match talk.ask("STARTTLS", settings.limits.tls) {
        Ok(heard) if heard.is_positive() => {}
        Ok(heard) => {
            session.starttls = Starttls::Refused(Said::Reply(heard.reply));
            talk.quit();
            return session;
        }
        Err(why) => {
            session.starttls = Starttls::Refused(Said::Nothing(why));
            return session;
        }
    }
    let Some((stream, accepted)) = talk.into_plain() else { return session };
    session.starttls = accepted;
    let begun = begin_tls(stream, tls, settings);
    session.tls = Some(begun.map(|(mut talk, tls)| {
        session.hello_in_tls = Some(talk.hello(Esmtp::Spoken).0);
        talk.quit();
        tls
    }));
    session
}

fn in_wrapper(stream: Timed, mut session: Session, settings: &ConnectionSettings) -> Session {
    session.starttls = Starttls::Wrapper;
    let Some(tls) = &settings.tls else { return session };
    let begun = begin_tls(stream, tls, settings);
    session.tls = Some(begun.map(|(mut talk, tls)| {
        if let Ok(esmtp) = talk.greeting(&mut session) {
            session.hello_in_tls = Some(talk.hello(esmtp).0);
            talk.quit();
        }
        tls
    }));
    session
}

fn begin_tls<'s>(
    mut stream: Timed,
    tls: &TlsSettings,
    settings: &'s ConnectionSettings,
) -> Result<(Talk<'s>, Tls), TlsFailure> {
    stream.within(settings.limits.tls);
    let (stream, tls) = tls::begin(stream, tls, &settings.trust)?;
    Ok((Talk::new(Stream::Tls(stream), settings), tls))
}

/// Whether the server speaks ESMTP, as far as the client believes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Esmtp {
    Spoken,
    NotSpoken,
}

/// The dialogue.
struct Talk<'s> {
    stream: Stream,
    parser: Parser,
    settings: &'s ConnectionSettings,
}

enum Stream {
    Plain(Timed),
    Tls(SslStream<Timed>),
}

impl Stream {
    fn timed(&mut self) -> &mut Timed {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_mut(),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes),
        }
    }
}

impl<'s> Talk<'s> {
    fn new(stream: Stream, settings: &'s ConnectionSettings) -> Talk<'s> {
        Talk { stream, parser: Parser::default(), settings }
    }

    /// Waits for the greeting. `Err`: the server does not want to talk; all is said then.
    fn greeting(&mut self, session: &mut Session) -> Result<Esmtp, ()> {
        self.stream.timed().within(self.settings.limits.greeting);
        match self.reply() {
            Ok(heard) => {
                let is_positive = heard.is_positive();
                let esmtp = match (self.settings.protocol, self.settings.ehlo) {
                    // `disable_esmtp`, one of the usual smtp_pix_workarounds.
                    (Protocol::Smtp, _) if heard.is_masked() => Esmtp::NotSpoken,
                    (Protocol::Smtp, Ehlo::Asked) if !heard.has_word("ESMTP") => Esmtp::NotSpoken,
                    (Protocol::Smtp, Ehlo::Never) => Esmtp::NotSpoken,
                    (Protocol::Smtp, Ehlo::Always | Ehlo::Asked) | (Protocol::Lmtp, _) => {
                        Esmtp::Spoken
                    }
                };
                session.greeting = Some(Said::Reply(heard.reply));
                if is_positive {
                    return Ok(esmtp);
                }
                self.quit();
            }
            Err(why) => session.greeting = Some(Said::Nothing(why)),
        }
        Err(())
    }

    /// Greets the server: what it said last, and the reply to what it offers; without where the talk is over.
    fn hello(&mut self, esmtp: Esmtp) -> (Said, Option<Heard>) {
        let (name, limit) = (&self.settings.client_name, self.settings.limits.reply);
        let verb = match (self.settings.protocol, esmtp) {
            (Protocol::Lmtp, _) => "LHLO",
            (Protocol::Smtp, Esmtp::Spoken) => "EHLO",
            (Protocol::Smtp, Esmtp::NotSpoken) => "HELO",
        };
        match self.ask(&format!("{verb} {name}"), limit) {
            Ok(heard) if heard.is_positive() => {
                // What a server that was not asked for extensions says is no offer.
                let offers = if verb == "HELO" { Heard::bare(&heard) } else { heard.clone() };
                (Said::Reply(heard.reply), Some(offers))
            }
            Ok(heard) if verb == "EHLO" && heard.reply.code != 421 => self.hello(Esmtp::NotSpoken),
            Ok(heard) => {
                self.quit();
                (Said::Reply(heard.reply), None)
            }
            Err(why) => (Said::Nothing(why), None),
        }
    }

    fn ask(&mut self, command: &str, limit: Duration) -> Result<Heard, String> {
        self.stream.timed().within(limit);
        let line = format!("{command}\r\n");
        match self.stream.write_all(line.as_bytes()) {
            Ok(()) => self.reply(),
            // What it said before it went says more.
            Err(error) => self.reply().map_err(|_| no_reply(&error)),
        }
    }

    fn reply(&mut self) -> Result<Heard, String> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(heard) = self.parser.next() {
                return Ok(heard);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err("the server closed the connection".to_owned()),
                Ok(count) => self.parser.push(&buffer[..count]),
                Err(error) if self.parser.has_seen_lines() && is_timeout(&error) => {
                    return Err("what the server says is no reply of SMTP".to_owned());
                }
                Err(error) => return Err(no_reply(&error)),
            }
        }
    }

    /// The connection without what was read and not used, and whether there was something, or is in the connection.
    fn into_plain(self) -> Option<(Timed, Starttls)> {
        match self.stream {
            Stream::Plain(stream) => {
                let is_silent = self.parser.is_empty() && !stream.has_come();
                Some((stream, if is_silent { Starttls::Accepted } else { Starttls::Injected }))
            }
            Stream::Tls(_) => None,
        }
    }

    /// Says goodbye, and does not wait long for the answer.
    fn quit(&mut self) {
        if self.ask("QUIT", self.settings.limits.quit).is_ok()
            && let Stream::Tls(stream) = &mut self.stream
        {
            // The other side's is not waited for.
            let _ = stream.shutdown();
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// Why there is no reply, for people.
fn no_reply(error: &io::Error) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.kind() {
        io::ErrorKind::TimedOut => NOTHING_CAME.to_owned(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        _ => {
            let of_tls = error.get_ref().and_then(|it| it.downcast_ref::<openssl::ssl::Error>());
            of_tls.map_or_else(|| system_words(error), tls::words_of)
        }
    }
}
