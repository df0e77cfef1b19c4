//! What a server says in one connection. Every read and write has a limit, so that all of it ends.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion};

use super::{Certificates, Flavour, Manner, Server, Stage};

/// How long a server waits for the client.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a slow server takes for its greeting.
const SLOW: Duration = Duration::from_millis(300);

/// What an endless server says at most, where nobody stops it.
const ENOUGH: usize = 64 * 1024 * 1024;

pub(super) fn context(server: Server, certificates: &Certificates) -> SslContext {
    let shown = certificates.of(server.identity);
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    // It is for the client to find something too weak.
    context.set_security_level(0);
    context.set_private_key(&shown.key).unwrap();
    context.set_certificate(&shown.chain[0]).unwrap();
    for certificate in &shown.chain[1..] {
        context.add_extra_chain_cert(certificate.clone()).unwrap();
    }
    let (oldest, newest) = match server.tls {
        Flavour::Usual | Flavour::AsksClient | Flavour::InsistsOnClient => {
            (SslVersion::TLS1_2, SslVersion::TLS1_3)
        }
        Flavour::Tls12 | Flavour::OddCipher | Flavour::Anonymous => {
            (SslVersion::TLS1_2, SslVersion::TLS1_2)
        }
        Flavour::Old => (SslVersion::TLS1, SslVersion::TLS1_1),
    };
    context.set_min_proto_version(Some(oldest)).unwrap();
    context.set_max_proto_version(Some(newest)).unwrap();
    match server.tls {
        Flavour::OddCipher => context.set_cipher_list("ECDHE-ECDSA-NULL-SHA").unwrap(),
        Flavour::Old => context.set_cipher_list("HIGH:!aNULL:@SECLEVEL=0").unwrap(),
        Flavour::Anonymous => context.set_cipher_list("aNULL:@SECLEVEL=0").unwrap(),
        Flavour::AsksClient => context.set_verify_callback(SslVerifyMode::PEER, |_, _| true),
        Flavour::InsistsOnClient => {
            context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        Flavour::Usual | Flavour::Tls12 => {}
    }
    context.build()
}

/// One connection.
pub(super) fn talk(server: Server, context: &SslContext, stream: TcpStream) {
    let ready = stream.set_nonblocking(false).is_ok()
        && stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && stream.set_write_timeout(Some(PATIENCE)).is_ok()
        && stream.set_nodelay(true).is_ok();
    if ready {
        // The client may go whenever it likes.
        let _ = in_clear(server, context, stream);
    }
}

fn in_clear(server: Server, context: &SslContext, mut stream: TcpStream) -> io::Result<()> {
    match server.manner {
        Manner::Wrapper => {
            let mut stream = handshake(context, stream)?;
            stream.write_all(b"220 mx.wrapper.example ESMTP\r\n")?;
            return in_tls(server, stream);
        }
        Manner::Closes => return Ok(()),
        Manner::Hangs(Stage::Greeting) => return hang(&mut stream),
        Manner::BusyAtOnce => stream.write_all(b"421 4.3.2 too busy\r\n")?,
        Manner::Refuses => stream.write_all(b"554 5.7.1 go away\r\n")?,
        Manner::Lines => {
            stream.write_all(b"220-mx.lines.example ESMTP\r\n220-hello\r\n220 there\r\n")?;
        }
        Manner::Binary => {
            let bytes: Vec<u8> = (0..20_000_u32).map(|it| (it * 7 % 251) as u8).collect();
            stream.write_all(&bytes)?;
            return hang(&mut stream);
        }
        Manner::ByteByByte => {
            let end = Instant::now() + PATIENCE;
            stream.write_all(b"220-")?;
            while Instant::now() < end {
                stream.write_all(b"a")?;
                sleep(Duration::from_millis(20));
            }
            return Ok(());
        }
        Manner::Masked => stream.write_all(b"220 ****************************\r\n")?,
        Manner::Slow => {
            sleep(SLOW);
            stream.write_all(b"220 mx.slow.example ESMTP\r\n")?;
        }
        _ => stream.write_all(b"220 mx.example ESMTP\r\n")?,
    }
    let mut stream = BufReader::new(stream);
    while let Some(line) = line(&mut stream)? {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match (verb.as_str(), server.manner) {
            ("EHLO" | "LHLO", Manner::BusyAtEhlo) | ("STARTTLS", Manner::BusyAtStarttls) => {
                return stream.get_mut().write_all(b"421 4.3.2 too busy\r\n");
            }
            ("EHLO" | "LHLO", Manner::Hangs(Stage::Ehlo))
            | ("STARTTLS", Manner::Hangs(Stage::Starttls)) => return hang(stream.get_mut()),
            ("EHLO", Manner::OnlyHelo) => stream.get_mut().write_all(b"500 what\r\n")?,
            ("EHLO" | "LHLO", Manner::Endless) => {
                for _ in 0..ENOUGH / 1024 {
                    stream.get_mut().write_all(&b"250-and so on\r\n".repeat(64))?;
                }
                return Ok(());
            }
            ("EHLO" | "LHLO", Manner::NoStarttls) => {
                stream.get_mut().write_all(b"250-mx.example\r\n250 8BITMIME\r\n")?;
            }
            ("EHLO" | "LHLO", _) => {
                let reply = b"250-mx.example\r\n250-8BITMIME\r\n250 STARTTLS\r\n";
                stream.get_mut().write_all(reply)?;
            }
            ("STARTTLS", Manner::StarttlsRefused) => {
                stream.get_mut().write_all(b"454 4.7.0 no TLS now\r\n")?;
            }
            ("STARTTLS", Manner::Injection) => {
                stream.get_mut().write_all(b"220 go\r\n250 mx.injected.example\r\n")?;
                return in_tls(server, handshake(context, stream.into_inner())?);
            }
            ("STARTTLS", Manner::Hangs(Stage::Handshake)) => {
                stream.get_mut().write_all(b"220 go\r\n")?;
                return hang(stream.get_mut());
            }
            ("STARTTLS", Manner::StarttlsGarbage) => {
                stream.get_mut().write_all(b"220 go\r\n")?;
                // Not before the client has begun.
                let _ = stream.get_mut().read(&mut [0; 16])?;
                return stream.get_mut().write_all(b"this is no TLS, is it?\r\n");
            }
            ("STARTTLS", _) => {
                stream.get_mut().write_all(b"220 go\r\n")?;
                return in_tls(server, handshake(context, stream.into_inner())?);
            }
            _ => {
                if answer(&mut stream, &verb)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn in_tls(server: Server, stream: SslStream<TcpStream>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(line) = line(&mut stream)? {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match (verb.as_str(), server.manner) {
            ("EHLO" | "LHLO", Manner::Hangs(Stage::EhloInTls)) => {
                return hang(stream.get_mut().get_mut());
            }
            ("EHLO" | "LHLO", _) => {
                stream.get_mut().write_all(b"250-mx.example\r\n250 8BITMIME\r\n")?;
            }
            _ => {
                if answer(&mut stream, &verb)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// What every server says to commands of mail; true: that was the last.
fn answer<S: Read + Write>(stream: &mut BufReader<S>, verb: &str) -> io::Result<bool> {
    let reply: &[u8] = match verb {
        "HELO" => b"250 mx.example\r\n",
        "MAIL" | "RCPT" | "RSET" | "NOOP" => b"250 2.0.0 well\r\n",
        "DATA" => {
            stream.get_mut().write_all(b"354 go on\r\n")?;
            while line(stream)?.is_some_and(|it| it != ".") {}
            b"250 2.0.0 taken\r\n"
        }
        "QUIT" => b"221 2.0.0 bye\r\n",
        _ => b"502 5.5.2 what\r\n",
    };
    stream.get_mut().write_all(reply)?;
    Ok(verb == "QUIT")
}

fn line<S: Read>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let count = stream.by_ref().take(4096).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line);
    Ok((count > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn handshake(context: &SslContext, stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
    let ssl = Ssl::new(context).unwrap();
    ssl.accept(stream).map_err(|it| io::Error::other(it.to_string()))
}

/// Until the client goes.
fn hang(stream: &mut TcpStream) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && stream.read(&mut [0; 256])? > 0 {}
    Ok(())
}
