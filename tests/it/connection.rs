//! What the probe sees of servers that do one thing wrong each, and what a real Postfix makes of the same ones.

mod dane;
mod judged;
mod unreadable;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postls::certificate::store::{Store, System, Terms};
use postls::certificate::trust;
use postls::observation::route::Seen;
use postls::observation::session::{Said, Session};
use postls::policy::client::Client;
use postls::policy::effective::EffectivePolicy;
use postls::policy::session::{self, Exchanger, Host, HostLevel, Parameters, Records};
use postls::postfix::Version;
use postls::probe::connection::{
    Begin, ConnectionSettings, Ehlo, Limits, Offer, Otherwise, Protocol, Source, connect,
};
use postls::probe::tls::Trust;

use crate::servers::{self, Server};

/// Long enough for whatever comes, on a machine that is busy.
const LONG: Duration = Duration::from_secs(15);

/// For what never comes.
const SHORT: Duration = Duration::from_millis(700);

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    i64::try_from(now.as_secs()).expect("it is not that late")
}

/// A client with Postfix's defaults, which trusts the servers' authority.
fn client() -> Client {
    Client {
        protocols: "!SSLv2, !SSLv3".to_owned(),
        mandatory_protocols: "!SSLv2, !SSLv3".to_owned(),
        ciphers: "medium".to_owned(),
        mandatory_ciphers: "medium".to_owned(),
        ..Client::from(("smtp", Version::new(3, 7)))
    }
}

fn settings(client: &Client, parameters: &Parameters, row: &str, host: &str) -> ConnectionSettings {
    let policy = EffectivePolicy::new(client, host.as_bytes(), Some(row.as_bytes()));
    let level = session::level_at(client, parameters, &policy, Exchanger::None, Records::Nothing);
    settings_at(client, parameters, &policy, &level, host)
}

fn settings_at(
    client: &Client,
    parameters: &Parameters,
    policy: &EffectivePolicy,
    level: &HostLevel,
    host: &str,
) -> ConnectionSettings {
    let host = Host { nexthop: host, name: host, tlsa_base: Some(host) };
    let tls = session::settings(client, parameters, policy, level, &host).expect("it can begin");
    let security_level = tls.as_ref().map_or(0, |it| it.security_level);
    let terms = Terms { security_level, depth: parameters.verify_depth, at: now() };
    let authorities = trust::ca_file(&servers::certificates().authority).expect("it is one");
    let store = |of: &[_]| Store::new(of, System::NotAsked, &terms).expect("OpenSSL is there");
    let (authorities, system) = (store(&authorities), Some(store(&[])));
    ConnectionSettings {
        protocol: Protocol::Smtp,
        client_name: "client.example".to_owned(),
        ehlo: Ehlo::Always,
        begin: Begin::Starttls,
        offer: Offer::Heeded,
        source: None,
        limits: Limits { greeting: LONG, reply: LONG, tls: LONG, ..Limits::default() },
        tls,
        trust: Trust { authorities, anchors: None, system, terms, version: client.version },
    }
}

fn of_row(row: &str, host: &str) -> ConnectionSettings {
    settings(&client(), &Parameters::new("smtp", &|_| Vec::new()), row, host)
}

fn seen(server: Server, settings: &ConnectionSettings) -> Session {
    let running = servers::start(server);
    session_of(connect(running.address, settings))
}

fn session_of(seen: Seen) -> Session {
    match seen {
        Seen::Session(session) => *session,
        Seen::Unreachable(why) => panic!("unreachable: {why}"),
        Seen::NotTried(why) => panic!("not tried: {why}"),
    }
}

/// A session in a line: the codes of replies, and what stopped it.
fn told(session: &Session) -> String {
    let said = |said: &Option<Said>| match said {
        None => "-".to_owned(),
        Some(Said::Reply(reply)) => reply.code.to_string(),
        Some(Said::Nothing(why)) => format!("({why})"),
    };
    let starttls = format!("{:?}", session.starttls);
    let starttls = starttls.split(['(', ' ']).next().unwrap_or_default();
    let tls = match &session.tls {
        None => "-".to_owned(),
        Some(Err(why)) => format!("{why:?}"),
        Some(Ok(tls)) => match &tls.trusted {
            Ok(()) => format!("{} trusted", tls.protocol),
            Err(why) => format!("{} {} at {}", tls.protocol, why.reason, why.depth),
        },
    };
    let (greeting, hello) = (said(&session.greeting), said(&session.hello));
    format!("{greeting} {hello} {starttls} {tls} {}", said(&session.hello_in_tls))
}

#[test]
fn each_server_is_seen_as_it_is() {
    let good = "220 250 Accepted TLSv1.3 trusted 250";
    for (name, row, expected) in [
        ("good", "may", good),
        ("good", "none", "220 250 Offered - -"),
        (
            "incomplete",
            "may",
            "220 250 Accepted TLSv1.3 unable to get local issuer certificate at 0 250",
        ),
        ("selfsigned", "may", "220 250 Accepted TLSv1.3 self-signed certificate at 0 250"),
        ("expired", "may", "220 250 Accepted TLSv1.3 certificate has expired at 0 250"),
        ("notyet", "may", "220 250 Accepted TLSv1.3 certificate is not yet valid at 0 250"),
        ("wrongname", "may", good),
        ("wildcard", "may", good),
        ("idn", "may", good),
        ("rsa1024", "may", good),
        ("rsa1024", "secure", good),
        ("rsa768", "may", good),
        ("rsa768", "secure", "220 250 Accepted TLSv1.3 EE certificate key too weak at 0 250"),
        ("version1", "secure", good),
        ("ed25519", "secure", good),
        ("tls12", "may", "220 250 Accepted TLSv1.2 trusted 250"),
        (
            "tls12",
            "may protocols=>=TLSv1.3",
            "220 250 Accepted Handshake(\"tlsv1 alert protocol version\") -",
        ),
        ("old", "may", "220 250 Accepted TLSv1.1 trusted 250"),
        (
            "old",
            "may protocols=>=TLSv1.2",
            "220 250 Accepted Handshake(\"tlsv1 alert protocol version\") -",
        ),
        ("oddcipher", "may", "220 250 Accepted Handshake(\"sslv3 alert handshake failure\") -"),
        ("anonymous", "may", "220 250 Accepted TLSv1.2 there is no certificate at 0 250"),
        ("anonymous", "secure", "220 250 Accepted Handshake(\"sslv3 alert handshake failure\") -"),
        ("asksclient", "may", good),
        ("nostarttls", "encrypt", "220 250 NotOffered - -"),
        ("refused", "may", "220 250 Refused - -"),
        ("garbage", "may", "220 250 Accepted Handshake(\"wrong version number\") -"),
        ("injection", "may", "220 250 Injected TLSv1.3 trusted 250"),
        ("busy", "may", "421 - NotReached - -"),
        ("busyehlo", "may", "220 421 NotReached - -"),
        ("refuses", "may", "554 - NotReached - -"),
        ("slow", "may", good),
        ("closes", "may", "(the server closed the connection) - NotReached - -"),
        ("lines", "may", good),
        ("masked", "may", "220 250 NotOffered - -"),
        ("onlyhelo", "may", "220 250 NotOffered - -"),
    ] {
        let server = Server::named(name);
        let session = seen(server, &of_row(row, &server.host()));
        assert_eq!(told(&session), expected, "{name} {row}");
    }
}

#[test]
fn a_server_that_says_nothing_or_never_ends_cannot_hold_us() {
    let nothing = "nothing came in time";
    let cases = [
        ("hangs", format!("({nothing}) - NotReached - -")),
        ("hangsehlo", format!("220 ({nothing}) NotReached - -")),
        ("hangsstarttls", "220 250 Refused - -".to_owned()),
        ("hangstls", "220 250 Accepted Timeout -".to_owned()),
        ("hangsintls", format!("220 250 Accepted TLSv1.3 trusted ({nothing})")),
        ("bytebybyte", format!("({nothing}) - NotReached - -")),
        ("endless", "220 (it sends more than a reply can have) NotReached - -".to_owned()),
        ("binary", "(what the server says is no reply of SMTP) - NotReached - -".to_owned()),
    ];
    let told_of = |name| {
        let server = Server::named(name);
        let mut settings = of_row("may", &server.host());
        // What comes has its time, and what does not come has no more.
        if name != "endless" {
            settings.limits.total = Duration::from_secs(4);
        }
        told(&seen(server, &settings))
    };
    std::thread::scope(|scope| {
        let asked =
            cases.map(|(name, expected)| (scope.spawn(move || told_of(name)), name, expected));
        for (told, name, expected) in asked {
            assert_eq!(told.join().expect("it does not panic"), expected, "{name}");
        }
    });
}

/// With TLSv1.3 the server says that when for the client all is well; whether that arrives is a matter of luck.
#[test]
fn a_server_that_insists_on_a_certificate_closes_within_tls() {
    let server = Server::named("insists");
    let told = told(&seen(server, &of_row("may", &server.host())));
    let ends = ["tlsv13 alert certificate required", "the server closed the connection"];
    let expected = ends.map(|it| format!("220 250 Accepted TLSv1.3 trusted ({it})"));
    assert!(expected.contains(&told), "{told}");
}

/// A server that keeps sending gets no more than the whole may take.
#[test]
fn all_of_it_has_an_end() {
    let server = Server::named("bytebybyte");
    let mut settings = of_row("may", &server.host());
    settings.limits.total = SHORT;
    let begin = Instant::now();
    let session = seen(server, &settings);
    assert_eq!(told(&session), "(nothing came in time) - NotReached - -");
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
}

#[test]
fn tls_can_come_first() {
    let server = Server::named("wrapper");
    let settings =
        ConnectionSettings { begin: Begin::Wrapper, ..of_row("encrypt", &server.host()) };
    assert_eq!(told(&seen(server, &settings)), "220 - Wrapper TLSv1.3 trusted 250");
    // And the other way round both wait for the other.
    let good = Server::named("good");
    let wrapped = seen(good, &settings);
    assert_eq!(told(&wrapped), "- - Wrapper Handshake(\"wrong version number\") -");
    let mut plain = of_row("encrypt", &server.host());
    plain.limits.greeting = SHORT;
    assert_eq!(told(&seen(server, &plain)), "(nothing came in time) - NotReached - -");
    let none = ConnectionSettings { tls: None, ..settings };
    let running = servers::start(server);
    assert!(matches!(connect(running.address, &none), Seen::NotTried(_)));
}

#[test]
fn what_a_session_is_made_of_is_told() {
    let server = Server::named("good");
    let session = seen(server, &of_row("secure servername=hostname", &server.host()));
    let tls = session.tls.expect("TLS was begun").expect("it stands");
    let shown = servers::certificates().of(server.identity);
    let chain: Vec<Vec<u8>> = shown.chain.iter().map(|it| it.to_der().unwrap()).collect();
    assert_eq!(tls.chain.iter().map(|it| it.der().to_vec()).collect::<Vec<_>>(), chain);
    assert_eq!(tls.public_key(), Some(shown.key.public_key_to_der().unwrap().as_slice()));
    assert_eq!(tls.servername.as_deref(), Some("mx.good.example"));
    assert_eq!((tls.cipher.as_str(), tls.bits), ("TLS_AES_256_GCM_SHA384", 256));
    assert_eq!(tls.group.as_deref(), Some("X25519"));
    let by_system = tls.trusted_by_system.expect("it was asked").expect_err("it knows nobody");
    assert_eq!(by_system.reason, "unable to get local issuer certificate");
}

#[test]
fn ehlo_is_sent_as_the_client_is_told() {
    let server = Server::named("good");
    let usual = of_row("may", &server.host());
    for (ehlo, expected) in [
        (Ehlo::Never, "220 250 NotOffered - -"),
        (Ehlo::Asked, "220 250 Accepted TLSv1.3 trusted 250"),
        (Ehlo::Always, "220 250 Accepted TLSv1.3 trusted 250"),
    ] {
        let settings = ConnectionSettings { ehlo, ..usual.clone() };
        assert_eq!(told(&seen(server, &settings)), expected, "{ehlo:?}");
    }
    let discarded = ConnectionSettings { offer: Offer::Discarded, ..usual.clone() };
    assert_eq!(told(&seen(server, &discarded)), "220 250 NotOffered - -");
    let lmtp = ConnectionSettings { protocol: Protocol::Lmtp, ..usual };
    // Within TLS it is LHLO again.
    assert_eq!(told(&seen(server, &lmtp)), "220 250 Accepted TLSv1.3 trusted 250");
}

#[test]
fn a_connection_comes_from_the_address_that_it_is_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let source = IpAddr::from([127, 0, 0, 77]);
    let mut settings = of_row("may", "a.example");
    let from = |address, otherwise| Some(Source { address, otherwise });
    // The last one is an address that this host does not have.
    let gone = IpAddr::from([192, 0, 2, 77]);
    let thread = std::thread::spawn(move || [(); 3].map(|()| listener.accept().unwrap().1.ip()));
    for source in [from(source, Otherwise::Any), from(source, Otherwise::None)] {
        settings.source = source;
        session_of(connect(address, &settings));
    }
    settings.source = from(gone, Otherwise::None);
    let words = "server configuration error: bind 192.0.2.77: Cannot assign requested address";
    assert_eq!(connect(address, &settings), Seen::Unreachable(words.to_owned()));
    settings.source = from(gone, Otherwise::Any);
    session_of(connect(address, &settings));
    assert_eq!(thread.join().unwrap(), [source, source, Ipv4Addr::LOCALHOST.into()]);
}

#[test]
fn what_is_not_there_is_unreachable() {
    let address: SocketAddr = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let why = Seen::Unreachable("Connection refused".to_owned());
    assert_eq!(connect(address, &of_row("may", "a.example")), why);
}
