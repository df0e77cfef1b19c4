//! What a domain publishes: MTA-STS by DNS and HTTPS, and where reports about TLS go to.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use postls::observation::Looked;
use postls::observation::dns::{Sts, StsMode};
use postls::probe::dns::Resolver;
use postls::probe::published;
use postls::probe::sts::{self, Web};

use super::name_server::NameServer;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};

const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: *.a.example\r\nmax_age: 86400\r\n";

/// A certificate that signs itself and is its own authority, with its key.
fn certificate() -> &'static tempfile::TempDir {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args(["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=x"])
            .args([
                "-addext",
                "subjectAltName=DNS:mta-sts.a.example,DNS:mta-sts.xn--bcher-kva.example",
            ])
            .current_dir(directory.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        directory
    })
}

/// A web server that says this to each client, whatever it asks for; what it was asked for is returned at the end.
struct WebServer {
    port: u16,
    asked: std::sync::mpsc::Receiver<String>,
}

fn serve(reply: impl Fn(&mut dyn std::io::Write) + Send + 'static) -> WebServer {
    let directory = certificate().path();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key_file(directory.join("key.pem"), SslFiletype::PEM).unwrap();
    acceptor.set_certificate_chain_file(directory.join("cert.pem")).unwrap();
    let acceptor = acceptor.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let Ok(mut stream) = acceptor.accept(stream) else { continue };
            let mut request = [0; 2000];
            let length = stream.read(&mut request).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&request[..length]).into_owned());
            reply(&mut stream);
            let _ = stream.shutdown();
        }
    });
    WebServer { port, asked }
}

fn web(port: u16) -> Web {
    let authorities = std::fs::read(certificate().path().join("cert.pem")).unwrap();
    Web { port, authorities, patience: Duration::from_secs(20) }
}

fn zone() -> NameServer {
    NameServer::start(
        "_mta-sts.a.example TXT v=STSv1; id=1
        mta-sts.a.example A 127.0.0.1
        _mta-sts.xn--bcher-kva.example TXT v=STSv1; id=1
        mta-sts.xn--bcher-kva.example A 127.0.0.1
        _mta-sts.wrong.example TXT v=STSv1; id=1
        mta-sts.wrong.example A 127.0.0.1
        _mta-sts.two.example TXT v=STSv1; id=1
        _mta-sts.two.example TXT v=STSv1; id=2
        _mta-sts.bad.example TXT v=STSv1;
        _mta-sts.other.example TXT v=spf1 -all
        _mta-sts.homeless.example TXT v=STSv1; id=1
        _mta-sts.fails.example code 2
        _smtp._tls.a.example TXT v=TLSRPTv1; rua=mailto:a@a.example
        _smtp._tls.a.example TXT something else
        _smtp._tls.other.example TXT something else
        _smtp._tls.fails.example code 2",
    )
}

fn policy(domain: &str, server: &NameServer, web: &Web) -> Looked<Sts> {
    sts::look_up_by(&Resolver::at(server.at).within(Duration::from_secs(10)), domain, web)
}

fn reply(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\n\r\n{body}")
}

#[test]
fn a_policy_is_got_from_the_web_server_of_the_domain() {
    let names = zone();
    let text = reply("200 OK\r\nContent-Type: text/plain; charset=utf-8", POLICY);
    let server = serve(move |stream| stream.write_all(text.as_bytes()).unwrap());
    for domain in ["a.example", "b\u{fc}cher.example"] {
        let found = policy(domain, &names, &web(server.port));
        let Looked::Found(Sts { record, policy: Ok(policy) }) = found else { panic!("{found:?}") };
        assert_eq!((record.as_str(), policy.mode), ("v=STSv1; id=1", StsMode::Enforce));
        assert_eq!((policy.mx, policy.max_age), (vec!["*.a.example".to_owned()], 86400));
    }
    let asked = server.asked.recv().unwrap();
    assert!(
        asked.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.a.example\r\n")
    );
}

#[test]
fn without_a_good_record_no_web_server_is_asked() {
    let names = zone();
    let web = web(1);
    assert_eq!(policy("other.example", &names, &web), Looked::Nothing);
    assert_eq!(policy("gone.example", &names, &web), Looked::Nothing);
    assert!(matches!(policy("fails.example", &names, &web), Looked::Failed(_)));
    for (domain, why) in [
        ("two.example", "there are 2 records, and one is allowed"),
        ("bad.example", "the record has no id"),
        ("homeless.example", "mta-sts.homeless.example has no address"),
    ] {
        let found = policy(domain, &names, &web);
        let Looked::Found(Sts { policy: Err(words), .. }) = found else { panic!("{found:?}") };
        assert_eq!(words, why);
    }
}

#[test]
fn a_web_server_may_say_anything() {
    let names = zone();
    let plain = "200 OK\r\nContent-Type: text/plain";
    let chunked = format!("{plain}\r\nTransfer-Encoding: chunked");
    let half = POLICY.len() / 2;
    let (first, second) = POLICY.split_at(half);
    let parts = format!("{half:x}\r\n{first}\r\n{:x};x\r\n{second}\r\n0\r\n\r\n", second.len());
    let long = "x".repeat(100_000);
    let cases: Vec<(String, &str)> = vec![
        (reply(plain, POLICY), ""),
        (
            reply(
                &format!("{plain}\r\nContent-Length: {}", POLICY.len()),
                &format!("{POLICY}more"),
            ),
            "",
        ),
        (reply(&chunked, &parts), ""),
        (reply(&chunked, &parts[..50]), "its text ends too early"),
        (reply(&chunked, "zz\r\n"), "its reply is not HTTP"),
        (reply(&chunked, "ffffffffffffffff\r\nx"), "its text is too long"),
        (reply(&chunked, "fffffffffffffffff\r\nx"), "its reply is not HTTP"),
        (reply(&format!("{plain}\r\nContent-Length: 9999"), POLICY), "its text ends too early"),
        (reply(&format!("{plain}\r\nContent-Length: -1"), POLICY), "its reply is not HTTP"),
        (reply(plain, &long), "its text is too long"),
        (reply("200 OK\r\nContent-Type: text/html", POLICY), "what it gives is not text/plain"),
        (reply("200 OK", POLICY), "what it gives is not text/plain"),
        (
            reply("301 Moved\r\nLocation: https://other.example/", ""),
            "it redirects, which is not allowed here",
        ),
        (reply("404 Not Found", ""), "it has no such text"),
        (reply("500 Oh", ""), "it says that it cannot give the text"),
        (reply(plain, "mode: enforce"), "it has no version"),
        (format!("HTTP/1.1 200 OK\r\nX: {long}"), "its reply has no end of the headers"),
        (
            "HTTP/1.1 200 OK\r\n".to_owned() + &"X: y\r\n".repeat(100) + "\r\n",
            "its reply is not HTTP",
        ),
        ("220 mx.example ESMTP\r\n".to_owned(), "its reply is not HTTP"),
        (String::new(), "its reply has no end of the headers"),
    ];
    for (text, why) in cases {
        let shown = text.chars().take(120).collect::<String>();
        let server = serve(move |stream| {
            let _ = stream.write_all(text.as_bytes());
        });
        let found = policy("a.example", &names, &web(server.port));
        let Looked::Found(Sts { policy, .. }) = found else { panic!("{shown}: {found:?}") };
        match policy {
            Ok(_) => assert_eq!("", why, "{shown}"),
            Err(words) => assert!(!why.is_empty() && words.ends_with(why), "{shown}: {words}"),
        }
    }
}

#[test]
fn the_web_server_has_to_prove_its_name_in_time() {
    let names = zone();
    let server = serve(|_| {});
    let words = |domain: &str, web: &Web| match policy(domain, &names, web) {
        Looked::Found(Sts { policy: Err(words), .. }) => words,
        found => panic!("{found:?}"),
    };
    let other_name = words("wrong.example", &web(server.port));
    assert!(other_name.starts_with("mta-sts.wrong.example: its certificate: "), "{other_name}");
    let by_system = Web { authorities: Vec::new(), ..web(server.port) };
    let stranger = words("a.example", &by_system);
    assert!(stranger.starts_with("mta-sts.a.example: its certificate: "), "{stranger}");
    // One byte now and then, for ever.
    let slow = serve(|stream| {
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let begin = Instant::now();
    let in_time = words("a.example", &Web { patience: Duration::from_secs(1), ..web(slow.port) });
    assert!(in_time.ends_with("nothing came in time"), "{in_time}");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    // Nobody is there, and nobody who knows TLS.
    let gone = words("a.example", &web(1));
    assert!(gone.starts_with("mta-sts.a.example[127.0.0.1]: "), "{gone}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"220 mx.example ESMTP\r\n");
        let _ = stream.read(&mut [0; 2000]);
    });
    let plaintext = words("a.example", &web(port));
    assert!(plaintext.contains("TLS does not come about"), "{plaintext}");
    plain.join().unwrap();
}

#[test]
fn records_about_reports_are_found() {
    let names = zone();
    let resolver = Resolver::at(names.at).within(Duration::from_secs(10));
    let found = |domain: &str| published::tls_reports(&resolver, domain);
    assert_eq!(
        found("a.example"),
        Looked::Found(vec!["v=TLSRPTv1; rua=mailto:a@a.example".to_owned()])
    );
    assert_eq!(found("other.example"), Looked::Nothing);
    assert_eq!(found("gone.example"), Looked::Nothing);
    assert!(matches!(found("fails.example"), Looked::Failed(_)));
    assert!(matches!(found("a b"), Looked::Nothing | Looked::NotAsked(_)));
}
