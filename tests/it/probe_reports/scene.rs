//! Made-up runs of a probe, with each variant of everything that can be seen at least once.

use std::net::SocketAddr;

use postls::certificate::{Certificate, subjects};
use postls::observation::dns::{Sts, StsMode, StsPolicy, Tlsa, TlsaRecord};
use postls::observation::route::{Address, By, NoRoute, Route, Seen, Server};
use postls::observation::session::{NotTrusted, Reply, Said, Session, Starttls, TlsFailure};
use postls::observation::{Looked, Observation, session};
use postls::policy::client::Client;
use postls::policy::effective::EffectivePolicy;
use postls::postfix::Version;
use postls::report::probe::{Probed, Report, Testing};
use postls::report::query::{Answered, Found, Lookup, Matched, Place};
use postls::text::{SourceId, Sources, Span};
use postls::verdict::{
    AddressJudgement, Could, Judgement, Reason, Suggestion, Test, TestResult, Verdict, Why,
};

/// 2026-11-30 21:26:23 UTC.
pub(crate) const NOW: u64 = 1_796_073_983;
const DAY: i64 = 24 * 60 * 60;

/// Makes a text of others of what would usually stand there.
pub(crate) type Words<'w> = dyn Fn(&str) -> String + 'w;

/// A run, with what it is of.
pub(crate) struct Scene {
    pub(crate) sources: Sources,
    pub(crate) probed: Vec<Probed>,
    pub(crate) not_checked: Vec<(String, String)>,
    pub(crate) host: String,
    table: SourceId,
}

impl Scene {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            sources: &self.sources,
            service: "smtp/unix",
            postfix: Version::new(3, 7),
            postfix_why: "the one installed here",
            host: &self.host,
            began: NOW - 12,
            ended: NOW,
            probed: &self.probed,
            not_checked: &self.not_checked,
        }
    }

    fn new(words: &Words<'_>) -> Scene {
        let mut sources = Sources::default();
        let rows = b"# policies\npartner.example secure\n\nbank.example fingerprint match=AD:F3\n";
        let table = sources.add("tls_policy", rows.to_vec());
        Scene {
            sources,
            probed: Vec::new(),
            not_checked: vec![(words("orders.example"), words("it is a transport of its own"))],
            host: words("mail.example.org"),
            table,
        }
    }

    fn add(
        &mut self,
        destination: &str,
        row: Option<&str>,
        route: Result<Route, NoRoute>,
        judgement: Judgement,
    ) -> &mut Probed {
        let client = Client::new("smtp", Version::new(3, 7), &|name| {
            match name {
                "smtp_tls_security_level" => "may",
                "smtp_tls_fingerprint_digest" => "sha256",
                "smtp_tls_secure_cert_match" => "nexthop, dot-nexthop",
                "smtp_tls_CAfile" => "/etc/ssl/certs/ca-certificates.crt",
                "smtp_tls_mandatory_protocols" | "smtp_tls_protocols" => ">=TLSv1.2",
                "smtp_tls_mandatory_ciphers" | "smtp_tls_ciphers" => "medium",
                "smtp_dns_support_level" => "dnssec",
                _ => "",
            }
            .as_bytes()
            .to_vec()
        });
        let policy = EffectivePolicy::new(&client, destination.as_bytes(), row.map(str::as_bytes));
        let span = Span::new(self.table, 11..32);
        let default = Place::Default { parameter: "smtp_tls_ciphers".to_owned(), since: None };
        let level = Place::At { parameter: Some("smtp_tls_security_level".to_owned()), span };
        let answered = Answered {
            destination: destination.to_owned(),
            lookups: vec![Lookup {
                table: "hash:/etc/postfix/tls_policy".to_owned(),
                key: destination.to_owned(),
                found: row.map_or(Found::Nothing, |it| Found::Row(it.to_owned())),
            }],
            matched: row.map(|_| Matched {
                table: "hash:/etc/postfix/tls_policy".to_owned(),
                key: destination.to_owned(),
                span: Some(span),
            }),
            policy,
            from: vec![("level", level), ("ciphers", default), ("protocols", Place::Nowhere)],
            undecided: None,
            problems: Vec::new(),
        };
        let observation = Observation {
            destination: destination.to_owned(),
            at: NOW - 5,
            route,
            sts: Looked::Nothing,
            tls_reports: Looked::NotAsked("only where there are MX records"),
        };
        self.probed.push(Probed { answered, observation, judgement, testing: Testing::InForce });
        self.probed.last_mut().expect("it was added")
    }
}

/// A run in which everything is seen once.
pub(crate) fn every(words: &Words<'_>) -> Scene {
    let mut scene = Scene::new(words);
    good(&mut scene, words);
    bad(&mut scene, words);
    unseen(&mut scene, words);
    scene
}

/// Destinations where mail goes out.
fn good(scene: &mut Scene, words: &Words<'_>) {
    let two = vec![
        server(
            words,
            "mx1.partner.example",
            Some(10),
            vec![
                address("192.0.2.9:25", session(words, Ok(tls(words, 63)))),
                address("[2001:db8::9]:25", session(words, Ok(tls(words, 63)))),
            ],
        ),
        server(
            words,
            "mx2.partner.example",
            Some(20),
            vec![address("192.0.2.10:25", session(words, Ok(tls(words, 210))))],
        ),
    ];
    let mut verified = judged(words, Verdict::Verified, Reason::CertificateVerified, 3);
    verified.notes.push(why(words, Reason::StsConflict));
    let it = scene.add(&words("partner.example"), Some("secure"), Ok(mx(two)), verified);
    let policy =
        StsPolicy { mode: StsMode::Enforce, mx: vec![words("*.partner.example")], max_age: 86_400 };
    it.observation.sts =
        Looked::Found(Sts { record: words("v=STSv1; id=20260101"), policy: Ok(policy) });
    it.observation.tls_reports =
        Looked::Found(vec![words("v=TLSRPTv1; rua=mailto:tls@partner.example")]);

    let mut dane = server(
        words,
        "mx.dane.example",
        Some(0),
        vec![address("198.51.100.4:25", session(words, Ok(tls(words, 390))))],
    );
    dane.tlsa = Looked::Found(Tlsa {
        base: words("mx.dane.example"),
        secure: true,
        records: vec![
            TlsaRecord { usage: 3, selector: 1, matching: 1, data: vec![0x5a; 32] },
            TlsaRecord { usage: 2, selector: 0, matching: 0, data: vec![0xc3; 1200] },
        ],
    });
    dane.canonical = Some(words("mail.dane.example"));
    dane.secure = true;
    let route = Ok(Route { by: By::Exchangers { secure: true }, servers: vec![dane] });
    let judgement = judged(words, Verdict::Verified, Reason::TlsaMatched, 1);
    scene.add(&words("dane.example"), Some("dane-only"), route, judgement);

    let mut hub = judged(words, Verdict::Verified, Reason::FingerprintMatched, 1);
    hub.notes.push(why(words, Reason::PinNotSeen));
    hub.notes.push(why(words, Reason::CertificateExpiresSoon));
    let servers = vec![server(
        words,
        "hub.example",
        None,
        vec![address("192.0.2.7:587", session(words, Ok(tls(words, 12))))],
    )];
    let route = Ok(Route { by: By::Brackets, servers });
    let pins = format!("fingerprint match={}", "AD:".repeat(31) + "F3");
    scene.add(&words("[hub.example]:587"), Some(&pins), route, hub);

    for (destination, row, verdict, reason, left) in [
        ("news.example", None, Verdict::Encrypted, Reason::TlsIsEnough, -9),
        ("office.example", Some("encrypt"), Verdict::Trusted, Reason::TlsIsEnough, 45),
        ("clear.example", None, Verdict::Plaintext, Reason::StarttlsNotOffered, 0),
        ("off.example", Some("none"), Verdict::Plaintext, Reason::TlsOff, 0),
    ] {
        let seen = if left == 0 {
            session_with(words, Starttls::NotOffered, None)
        } else {
            session(words, Ok(tls(words, left)))
        };
        let host = words(&format!("mx.{destination}"));
        let servers = vec![server(words, &host, Some(5), vec![address("203.0.113.5:25", seen)])];
        let judgement = judged(words, verdict, reason, 1);
        scene.add(&words(destination), row, Ok(mx(servers)), judgement);
    }
}

/// Destinations that do not meet their policy.
fn bad(scene: &mut Scene, words: &Words<'_>) {
    for (destination, testing) in
        [("bank.example", Testing::InForce), ("slow.example", Testing::Testing)]
    {
        let mut tls = tls(words, 800);
        tls.trusted = Err(NotTrusted { reason: words("self-signed certificate"), depth: 0 });
        tls.trusted_by_system = Some(Err(NotTrusted {
            reason: words("unable to get local issuer certificate"),
            depth: 1,
        }));
        let servers = vec![server(
            words,
            "mx.bank.example",
            Some(10),
            vec![address("192.0.2.77:25", session(words, Ok(tls)))],
        )];
        let mut judgement = judged(words, Verdict::WouldDefer, Reason::FingerprintMismatch, 1);
        judgement.suggestion = Some(Suggestion {
            text: words(
                "if the other side says that this key is theirs, pin it beside the old one",
            ),
            yaml: Some(words(
                "bank.example:\n  level: fingerprint\n  pins:\n    - public-key: \"1B:77:1A\"",
            )),
            command: Some(words("postls pin add bank.example 1B:77:1A --source probe")),
        });
        let row = "fingerprint match=AD:F3";
        let it = scene.add(&words(destination), Some(row), Ok(mx(servers)), judgement);
        it.testing = testing;
        it.answered.undecided = Some("only a running Postfix can ask ldap:x".to_owned());
        it.answered.matched.as_mut().expect("there is one").span = None;
        it.observation.sts = Looked::Found(Sts {
            record: words("v=STSv1; id=1"),
            policy: Err(words("the web server says 404")),
        });
    }
    odd(scene, words);
}

/// One with an address for each thing that a server can do.
fn odd(scene: &mut Scene, words: &Words<'_>) {
    let busy = |words: &Words<'_>| {
        Said::Reply(Reply { code: 454, lines: vec![words("TLS not available")] })
    };
    let mut anonymous = tls(words, 1);
    anonymous.chain.clear();
    anonymous.group = None;
    anonymous.servername = None;
    anonymous.trusted_by_system = None;
    let mut wrapped = session_with(words, Starttls::Wrapper, Some(Err(TlsFailure::Timeout)));
    wrapped.greeting = None;
    wrapped.hello = None;
    let mut silent = session_with(words, Starttls::NotReached, None);
    silent.greeting = Some(Said::Nothing(words("nothing came in time")));
    let refused = Starttls::Refused(busy(words));
    let mute = Starttls::Refused(Said::Nothing(words("the connection ended")));
    let failure = TlsFailure::Handshake(words("no protocols available"));
    let settings = TlsFailure::Settings(words("no ciphers available"));
    let sessions = vec![
        session(words, Ok(anonymous)),
        wrapped,
        silent,
        session_with(words, refused, None),
        session_with(words, mute, None),
        session_with(words, Starttls::Offered, None),
        session_with(words, Starttls::Injected, None),
        session(words, Err(failure)),
        session(words, Err(TlsFailure::Closed)),
        session(words, Err(settings)),
        session(words, Err(TlsFailure::Unreadable(words("a certificate that cannot be read")))),
    ];
    let mut addresses: Vec<Address> = Vec::new();
    for (index, it) in sessions.into_iter().enumerate() {
        addresses.push(address(&format!("203.0.113.{}:25", index + 10), it));
    }
    let socket = |it: &str| it.parse::<SocketAddr>().expect("it is an address");
    addresses.push(Address {
        socket: socket("203.0.113.98:25"),
        seen: Seen::Unreachable(words("connection refused")),
    });
    addresses.push(Address {
        socket: socket("203.0.113.99:25"),
        seen: Seen::NotTried("too many addresses"),
    });
    let count = addresses.len();
    let mut servers = vec![server(words, "mx.odd.example", None, addresses)];
    let mut nowhere = server(words, "mx.nowhere.example", Some(90), Vec::new());
    nowhere.trouble = Some(words("no address of a kind that inet_protocols has"));
    nowhere.tlsa = Looked::Failed(words("SERVFAIL"));
    servers.push(nowhere);
    let mut judgement = judged(words, Verdict::WouldDefer, Reason::HandshakeFailed, count);
    judgement.notes = Reason::ALL.iter().map(|it| why(words, *it)).collect();
    let route = Ok(Route { by: By::Implicit { secure: false }, servers });
    let it = scene.add(&words("odd.example"), Some("verify"), route, judgement);
    it.observation.tls_reports = Looked::Failed(words("the resolver gave up"));
    let policy = StsPolicy { mode: StsMode::Testing, mx: Vec::new(), max_age: 0 };
    it.observation.sts = Looked::Found(Sts { record: words("v=STSv1"), policy: Ok(policy) });
}

/// Destinations of which nothing was seen.
fn unseen(scene: &mut Scene, words: &Words<'_>) {
    let busy = Said::Reply(Reply {
        code: 421,
        lines: vec![words("4.7.0 too many connections; retry later")],
    });
    let mut seen = session_with(words, Starttls::NotReached, None);
    seen.greeting = Some(busy);
    seen.hello = None;
    let servers =
        vec![server(words, "mx.busy.example", None, vec![address("192.0.2.200:25", seen)])];
    let judgement = judged(words, Verdict::Unknown, Reason::ServerBusy, 1);
    let it =
        scene.add(&words("busy.example"), None, Ok(Route { by: By::Native, servers }), judgement);
    it.judgement.could = None;
    let policy = StsPolicy { mode: StsMode::None, mx: vec![words("a"); 20], max_age: 1 };
    it.observation.sts = Looked::Found(Sts { record: words("v=STSv1"), policy: Ok(policy) });
    for (destination, failure, reason) in [
        ("[a b]", NoRoute::Malformed("host or service not found"), Reason::NotTried),
        ("unix:private/filter", NoRoute::NotNetwork, Reason::NotTried),
        ("gone.example", NoRoute::NotFound(words("NXDOMAIN")), Reason::NoSuchDomain),
        ("loop.example", NoRoute::Loops(words("mail loops")), Reason::NoSuchDomain),
        ("handed.example", NoRoute::HandedOn(words("to local")), Reason::NotTried),
        ("null.example", NoRoute::NullMx, Reason::NoSuchDomain),
        ("lost.example", NoRoute::Failed(words("SERVFAIL")), Reason::DnsFailed),
    ] {
        let mut judgement = judged(words, Verdict::Unknown, reason, 0);
        judgement.could = None;
        scene.add(&words(destination), Some("bad-level"), Err(failure), judgement);
    }
}

fn mx(servers: Vec<Server>) -> Route {
    Route { by: By::Exchangers { secure: false }, servers }
}

fn server(
    words: &Words<'_>,
    name: &str,
    preference: Option<u16>,
    addresses: Vec<Address>,
) -> Server {
    Server {
        name: words(name),
        preference,
        canonical: None,
        secure: false,
        tlsa: Looked::Nothing,
        addresses,
        trouble: None,
    }
}

fn address(socket: &str, session: Session) -> Address {
    Address { socket: socket.parse().expect("it is one"), seen: Seen::Session(Box::new(session)) }
}

fn session(words: &Words<'_>, tls: Result<session::Tls, TlsFailure>) -> Session {
    session_with(words, Starttls::Accepted, Some(tls))
}

fn session_with(
    words: &Words<'_>,
    starttls: Starttls,
    tls: Option<Result<session::Tls, TlsFailure>>,
) -> Session {
    let reply = |code, lines: &[&str]| {
        Some(Said::Reply(Reply { code, lines: lines.iter().map(|it| words(it)).collect() }))
    };
    Session {
        connected_after: 23,
        greeting: reply(220, &["mx.example ESMTP Postfix"]),
        hello: reply(250, &["mx.example", "PIPELINING", "STARTTLS", "8BITMIME"]),
        starttls,
        hello_in_tls: reply(250, &["mx.example", "PIPELINING", "8BITMIME"])
            .filter(|_| tls.as_ref().is_some_and(Result::is_ok)),
        tls,
    }
}

/// A session with a certificate that ends so many days from now.
fn tls(words: &Words<'_>, left: i64) -> session::Tls {
    let bytes = std::fs::read("tests/data/certificates/mail.pem").expect("it is there");
    let found = subjects(&bytes).expect("it can be read");
    let mut certificate = found[0].certificate().expect("it is one").clone();
    certificate.names = vec![words("mx1.partner.example"), words("*.partner.example")];
    let now = i64::try_from(NOW).expect("it fits");
    certificate.not_after = now + left * DAY;
    certificate.not_before = if left == 800 { now + 30 * DAY } else { now - 200 * DAY };
    let issuer: Certificate = certificate.clone();
    session::Tls {
        protocol: words("TLSv1.3"),
        cipher: words("TLS_AES_256_GCM_SHA384"),
        bits: 256,
        group: Some(words("X25519")),
        servername: Some(words("mx1.partner.example")),
        chain: vec![certificate, issuer],
        trusted: Ok(()),
        trusted_by_system: Some(Ok(())),
    }
}

fn why(words: &Words<'_>, reason: Reason) -> Why {
    Why { reason, text: words(reason.facts().summary) }
}

fn judged(words: &Words<'_>, verdict: Verdict, reason: Reason, addresses: usize) -> Judgement {
    let bad = match verdict {
        Verdict::Verified | Verdict::Trusted | Verdict::Encrypted => TestResult::Passed,
        Verdict::Plaintext => TestResult::NotNeeded,
        Verdict::WouldDefer => TestResult::Failed,
        Verdict::Unknown => TestResult::NotSeen,
    };
    let test = |name, result, text: &str| Test { name, result, text: words(text) };
    let tests = vec![
        test("connection", TestResult::Passed, "it stood after 23 ms"),
        test("greeting", TestResult::Passed, "220 mx.example ESMTP Postfix"),
        test("starttls", TestResult::Passed, "offered and accepted"),
        test("protocol", TestResult::Passed, "TLSv1.3, and the policy takes >=TLSv1.2"),
        test(
            "chain",
            TestResult::NotNeeded,
            "no trusted authority signed it, and the level does not ask",
        ),
        test(
            "names",
            bad,
            "mx1.partner.example matches nexthop or dot-nexthop, as the policy asks",
        ),
        test("tlsa", TestResult::NotSeen, "nobody looks for TLSA records at this level"),
    ];
    let one = AddressJudgement { verdict, why: why(words, reason), tests };
    Judgement {
        verdict,
        why: why(words, reason),
        addresses: vec![one; addresses],
        notes: Vec::new(),
        could: Some(Could {
            policy: words("secure match=nexthop:dot-nexthop"),
            text: words("every address has a certificate of a trusted authority with that name"),
        }),
        suggestion: None,
    }
}
