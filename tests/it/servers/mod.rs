//! Small mail servers on loopback that do one thing wrong each, or nothing, for the probe and for a real Postfix.
//!
//! [`start`] runs one of them in this process; [`World::start`] all of them in the network of a lab, where Postfix is.
//! They take mail and throw it away. Each connection ends by itself.

mod certificates;
mod talk;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

pub(crate) use certificates::{Certificates, Identity, Shown};
pub(crate) use world::World;

/// A kind of server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// A label for host names.
    pub(crate) name: &'static str,
    pub(crate) identity: Identity,
    pub(crate) manner: Manner,
    pub(crate) tls: Flavour,
}

/// How a server talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should.
    Good,
    /// TLS comes first.
    Wrapper,
    /// It has no STARTTLS.
    NoStarttls,
    /// It offers STARTTLS, and answers 454.
    StarttlsRefused,
    /// It takes STARTTLS, and sends what is no TLS when the client has begun.
    StarttlsGarbage,
    /// It takes STARTTLS, and a reply to a command that nobody gave stands behind.
    Injection,
    /// It greets with 421.
    BusyAtOnce,
    /// It answers 421 to EHLO.
    BusyAtEhlo,
    /// It answers 421 to STARTTLS.
    BusyAtStarttls,
    /// It greets with 554.
    Refuses,
    /// Its greeting takes a while.
    Slow,
    /// It says nothing from there on.
    Hangs(Stage),
    /// It goes on and on with its reply to EHLO.
    Endless,
    /// Its greeting comes byte by byte, and never ends.
    ByteByByte,
    /// It closes the connection when it stands.
    Closes,
    /// Its greeting has lines.
    Lines,
    /// It sends bytes.
    Binary,
    /// A firewall has put stars in its greeting.
    Masked,
    /// It does not know EHLO.
    OnlyHelo,
}

/// Where a server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Greeting,
    Ehlo,
    Starttls,
    Handshake,
    EhloInTls,
}

/// What TLS a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// TLSv1.2 and TLSv1.3.
    Usual,
    /// TLSv1.2.
    Tls12,
    /// TLSv1 and TLSv1.1.
    Old,
    /// TLSv1.2 with a cipher that is in no list of Postfix by default.
    OddCipher,
    /// TLSv1.2 without certificates.
    Anonymous,
    /// It asks for a certificate of the client, and goes on without.
    AsksClient,
    /// It insists on one.
    InsistsOnClient,
}

const fn with(name: &'static str, identity: Identity, manner: Manner, tls: Flavour) -> Server {
    Server { name, identity, manner, tls }
}

/// A server of which only the way it talks matters.
const fn talking(name: &'static str, manner: Manner) -> Server {
    with(name, Identity::Good, manner, Flavour::Usual)
}

const fn showing(name: &'static str, identity: Identity) -> Server {
    with(name, identity, Manner::Good, Flavour::Usual)
}

/// All kinds.
pub(crate) const ALL: &[Server] = &[
    showing("good", Identity::Good),
    showing("incomplete", Identity::WithoutIntermediate),
    showing("selfsigned", Identity::SelfSigned),
    showing("expired", Identity::Expired),
    showing("notyet", Identity::NotYet),
    showing("wrongname", Identity::WrongName),
    showing("wildcard", Identity::Wildcard),
    showing("idn", Identity::Idn),
    showing("rsa1024", Identity::Rsa1024),
    showing("rsa768", Identity::Rsa768),
    showing("version1", Identity::Version1),
    showing("ed25519", Identity::Ed25519),
    with("tls12", Identity::Good, Manner::Good, Flavour::Tls12),
    with("old", Identity::Good, Manner::Good, Flavour::Old),
    with("oddcipher", Identity::Good, Manner::Good, Flavour::OddCipher),
    with("anonymous", Identity::Good, Manner::Good, Flavour::Anonymous),
    with("asksclient", Identity::Good, Manner::Good, Flavour::AsksClient),
    with("insists", Identity::Good, Manner::Good, Flavour::InsistsOnClient),
    talking("nostarttls", Manner::NoStarttls),
    talking("refused", Manner::StarttlsRefused),
    talking("garbage", Manner::StarttlsGarbage),
    talking("injection", Manner::Injection),
    talking("busy", Manner::BusyAtOnce),
    talking("busyehlo", Manner::BusyAtEhlo),
    talking("busystarttls", Manner::BusyAtStarttls),
    talking("refuses", Manner::Refuses),
    talking("slow", Manner::Slow),
    talking("hangs", Manner::Hangs(Stage::Greeting)),
    talking("hangsehlo", Manner::Hangs(Stage::Ehlo)),
    talking("hangsstarttls", Manner::Hangs(Stage::Starttls)),
    talking("hangstls", Manner::Hangs(Stage::Handshake)),
    talking("hangsintls", Manner::Hangs(Stage::EhloInTls)),
    talking("endless", Manner::Endless),
    talking("bytebybyte", Manner::ByteByByte),
    talking("closes", Manner::Closes),
    talking("lines", Manner::Lines),
    talking("binary", Manner::Binary),
    talking("masked", Manner::Masked),
    talking("onlyhelo", Manner::OnlyHelo),
    talking("wrapper", Manner::Wrapper),
];

impl Server {
    /// The one with this name.
    pub(crate) fn named(name: &str) -> Server {
        let found = ALL.iter().find(|it| it.name == name);
        *found.unwrap_or_else(|| panic!("there is no server {name}"))
    }

    /// `mx.good.example`.
    pub(crate) fn host(&self) -> String {
        format!("mx.{}.example", self.name)
    }
}

/// The certificates of this process's servers.
pub(crate) fn certificates() -> &'static Certificates {
    static MADE: OnceLock<Certificates> = OnceLock::new();
    MADE.get_or_init(|| {
        let domains: Vec<String> = ALL.iter().map(|it| format!("{}.example", it.name)).collect();
        Certificates::make(&domains.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

/// A server that runs; ends on drop.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Starts a server in this process, on a port that is free.
pub(crate) fn start(server: Server) -> Running {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a loopback");
    run(server, listener, certificates())
}

fn run(server: Server, listener: TcpListener, certificates: &Certificates) -> Running {
    let address = listener.local_addr().expect("it is bound");
    listener.set_nonblocking(true).expect("it can wait");
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let context = talk::context(server, certificates);
    let thread = thread::spawn(move || {
        while !is_over.load(Ordering::Relaxed) {
            match listener.accept() {
                Ok((stream, _)) => {
                    let context = context.clone();
                    // It ends by itself: see `talk`.
                    thread::spawn(move || talk::talk(server, &context, stream));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(_) => {}
            }
        }
    });
    Running { address, over, thread: Some(thread) }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}
