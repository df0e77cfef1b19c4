//! One GET by HTTPS, as little of it as a short text needs: no redirects, no cookies, no other encodings.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;

use super::Web;
use crate::probe::timed::Timed;
use crate::probe::{NOTHING_CAME, system_words};

/// The longest text, which is also what RFC 8461 (3.3) has in mind.
const TEXT: usize = 64 << 10;

/// What comes before it.
const HEAD: usize = 16 << 10;

const HEADERS: usize = 64;

/// So many bytes are read of a connection, with what TLS adds: room for a long chain of certificates.
const BYTES: usize = 512 << 10;

/// Why there is no text.
pub(super) enum Trouble {
    /// Nobody could be asked.
    Unreachable(String),
    /// The server says something that is none.
    Wrong(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Unreachable(match error.kind() {
            io::ErrorKind::TimedOut => NOTHING_CAME.to_owned(),
            _ => system_words(&error),
        })
    }
}

/// The text at a path of a host.
pub(super) fn get(
    address: IpAddr,
    host: &str,
    path: &str,
    web: &Web,
    end: Instant,
) -> Result<String, Trouble> {
    let socket = SocketAddr::new(address, web.port);
    let left = end.saturating_duration_since(Instant::now());
    let stream = Timed::connect(socket, None, left, end, BYTES)?;
    let settings = |error: openssl::error::ErrorStack| Trouble::Wrong(error.to_string());
    let mut connector = SslConnector::builder(SslMethod::tls_client()).map_err(settings)?;
    connector.set_verify(SslVerifyMode::PEER);
    if !web.authorities.is_empty() {
        let mut store = X509StoreBuilder::new().map_err(settings)?;
        for authority in X509::stack_from_pem(&web.authorities).map_err(settings)? {
            store.add_cert(authority).map_err(settings)?;
        }
        connector.set_cert_store(store.build());
    }
    let mut stream = connector.build().connect(host, stream).map_err(failure)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: postls\r\nAccept: text/plain\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    let mut buffer = [0; 8192];
    // One byte more than is allowed tells that it is too much. A server that ends TLS without a word has said all.
    while reply.len() <= HEAD + TEXT {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => reply.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error.into()),
            Err(error) if reply.is_empty() => return Err(error.into()),
            Err(_) => break,
        }
    }
    text(&reply).map_err(|why| Trouble::Wrong(why.to_owned()))
}

fn failure(error: HandshakeError<Timed>) -> Trouble {
    match error {
        HandshakeError::SetupFailure(error) => Trouble::Wrong(error.to_string()),
        HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
            let verified = stream.ssl().verify_result();
            if verified != openssl::x509::X509VerifyResult::OK {
                return Trouble::Wrong(format!("its certificate: {}", verified.error_string()));
            }
            Trouble::Unreachable(format!("TLS does not come about: {}", stream.error()))
        }
    }
}

/// The text in a reply (RFC 9112).
fn text(reply: &[u8]) -> Result<String, &'static str> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(reply) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD => length,
        Ok(_) => return Err("its reply has no end of the headers"),
        Err(_) => return Err("its reply is not HTTP"),
    };
    match head.code {
        Some(200) => {}
        Some(300..=399) => return Err("it redirects, which is not allowed here"),
        Some(404 | 410) => return Err("it has no such text"),
        Some(_) | None => return Err("it says that it cannot give the text"),
    }
    let header = |name: &str| {
        let mut all = head.headers.iter().filter(|it| it.name.eq_ignore_ascii_case(name));
        all.next().map(|it| String::from_utf8_lossy(it.value).trim().to_ascii_lowercase())
    };
    let kind = header("content-type").unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("text/plain") {
        return Err("what it gives is not text/plain");
    }
    let body = &reply[length..];
    let text = match header("transfer-encoding").as_deref() {
        None => match header("content-length").map(|it| it.parse::<usize>()) {
            None => body.to_vec(),
            Some(Ok(length)) if length <= body.len() => body[..length].to_vec(),
            Some(Ok(length)) if length > TEXT => return Err("its text is too long"),
            Some(Ok(_)) => return Err("its text ends too early"),
            Some(Err(_)) => return Err("its reply is not HTTP"),
        },
        Some("chunked") => joined(body)?,
        Some(_) => return Err("its text is encoded"),
    };
    if text.len() > TEXT {
        return Err("its text is too long");
    }
    String::from_utf8(text).map_err(|_| "its text is not UTF-8")
}

/// The parts of a text that comes in such.
fn joined(mut body: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut text = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(body) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) if body.len() + text.len() >= TEXT => {
                return Err("its text is too long");
            }
            Ok(httparse::Status::Partial) => return Err("its text ends too early"),
            Err(_) => return Err("its reply is not HTTP"),
        };
        let Ok(size) = usize::try_from(size) else { return Err("its text is too long") };
        if size == 0 {
            return Ok(text);
        }
        if size > TEXT {
            return Err("its text is too long");
        }
        let part = body.get(start..start + size).ok_or("its text ends too early")?;
        text.extend_from_slice(part);
        let rest = body.get(start + size..).and_then(|it| it.strip_prefix(b"\r\n"));
        body = rest.ok_or("its text ends too early")?;
    }
}
