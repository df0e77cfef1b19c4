//! A probe of a thousand servers, each of which takes a tenth of a second for each reply.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::{X509, X509Name};

use super::{POSTLS, Program, demand, in_turn, write};

const COUNT: u32 = 1_000;

/// How long a server thinks about each reply.
const DELAY: Duration = Duration::from_millis(100);

pub(super) fn thousand(directory: &Path) -> io::Result<()> {
    println!("\na probe of {COUNT} servers with {} ms for each reply", DELAY.as_millis());
    let port = serve()?;
    let mut policy = String::from("version: 1\ndestinations:\n");
    for number in 0..COUNT {
        // Each in a network of its own: with one provider there would be fewer at a time.
        let address = Ipv4Addr::from(0x7f01_0001 + (number << 8));
        let _ = writeln!(policy, "  \"[{address}]:{port}\": encrypt");
    }
    write(directory, "postls.yaml", policy.as_bytes())?;
    fs::write(directory.join("main.cf"), "smtp_tls_security_level = encrypt\n")?;
    let probe = Program::new(POSTLS, &["probe", "-c"]).on(directory);
    let one = format!("[127.1.0.1]:{port}");
    let of = format!("MAIL_CONFIG={}", directory.display());
    let finger = Program::new("env", &[&of, "posttls-finger", "-c", "-l", "encrypt", &one]);
    let finger = finger.called("posttls-finger, one");
    let [probe, finger] = in_turn(3, &[probe, finger], || {});
    if let Some(probe) = &probe {
        demand("seconds of postls probe", probe.median(), 5.0);
        if let Some(peak) = probe.peak {
            demand("its memory in megabytes", peak, 100.0);
        }
    }
    if let (Some(probe), Some(finger)) = (probe, finger) {
        let ratio = probe.median() / finger.median();
        println!("  postls probe of {COUNT} : posttls-finger of one  {ratio:.1}");
    }
    Ok(())
}

/// A server on all addresses of the loopback network, until this program ends.
fn serve() -> io::Result<u16> {
    let acceptor = acceptor()?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let acceptor = acceptor.clone();
            thread::spawn(move || {
                let _ = talk(stream, &acceptor);
            });
        }
    });
    Ok(port)
}

fn talk(mut stream: TcpStream, acceptor: &SslAcceptor) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    thread::sleep(DELAY);
    stream.write_all(b"220 mx.example ESMTP\r\n")?;
    while let Some(command) = command(&mut stream)? {
        thread::sleep(DELAY);
        if command.starts_with("STARTTLS") {
            stream.write_all(b"220 go ahead\r\n")?;
            let mut tls = acceptor.accept(stream).map_err(io::Error::other)?;
            while let Some(command) = self::command(&mut tls)? {
                thread::sleep(DELAY);
                tls.write_all(reply(&command))?;
            }
            return Ok(());
        }
        stream.write_all(reply(&command))?;
    }
    Ok(())
}

fn reply(command: &str) -> &'static [u8] {
    if command.starts_with("QUIT") { b"221 bye\r\n" } else { b"250-mx.example\r\n250 STARTTLS\r\n" }
}

/// The next line; `None`: the other side is gone.
fn command(stream: &mut impl Read) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte)? == 1 {
        if byte == *b"\n" {
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
        line.extend(byte);
    }
    Ok(None)
}

fn acceptor() -> io::Result<SslAcceptor> {
    let make = || {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, "mx.example")?;
        let name = name.build();
        let mut certificate = X509::builder()?;
        certificate.set_version(2)?;
        certificate.set_subject_name(&name)?;
        certificate.set_issuer_name(&name)?;
        certificate.set_pubkey(&key)?;
        let (from, to) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(30)?);
        certificate.set_not_before(&from)?;
        certificate.set_not_after(&to)?;
        certificate.sign(&key, MessageDigest::sha256())?;
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        acceptor.set_private_key(&key)?;
        acceptor.set_certificate(&certificate.build())?;
        Ok(acceptor.build())
    };
    make().map_err(|error: openssl::error::ErrorStack| io::Error::other(error))
}
