//! The destinations that a mail log says mail was sent to, from the lines that smtp(8) and lmtp(8) write for each recipient.
//!
//! A log does not say the next hop. What can be said:
//!
//! - Mail to port 25 went to the recipient's domain, unless relayhost, a transport or a content filter sent it elsewhere.
//!   The log has nothing that tells these apart; who knows main.cf can ask it for the next hop of each domain.
//! - No MX record says another port. Mail to such a one went to a next hop that names it, and that is given in
//!   brackets: `[relay.example]:587`. (`smtp_tcp_port` and SRV records are the exceptions.)
//! - Mail to a loopback address or a UNIX-domain socket did not leave the host, and is passed over.
//! - Mail that found no server counts as well: its domain is where it is to go.
//!
//! The forms: syslog's with the old and the new dates, `maillog_file`'s, and `journalctl -o export`; each plain or
//! packed by gzip. Lines of more than [`LINE`] bytes, and those that are something else, are passed over. So many
//! destinations are kept as [`DESTINATIONS`]; of those that come later, none.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;

use flate2::bufread::MultiGzDecoder;
use foldhash::fast::RandomState;

use crate::config::Destination;

/// The longest line that counts; Postfix writes no longer ones.
pub const LINE: usize = 16 << 10;

/// So many destinations are told apart.
pub const DESTINATIONS: usize = 100_000;

/// A packed log becomes at most so many times longer: text that people read does not pack better.
const FACTOR: u64 = 200;

/// And may always have so many bytes.
const ALWAYS: u64 = 16 << 20;

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// As a next hop is written.
    pub destination: String,
    /// So many lines are about it: one for each recipient and attempt.
    pub attempts: u64,
    /// So many of them say that a server took the mail.
    pub sent: u64,
}

/// The destinations in a log, those with most attempts first. An error says why the log cannot be read to its end.
pub fn destinations(log: &[u8]) -> Result<Vec<Sent>, String> {
    let mut counts = Counts::default();
    if log.starts_with(&[0x1f, 0x8b]) {
        let limit = (log.len() as u64).saturating_mul(FACTOR).max(ALWAYS);
        let unpacked = MultiGzDecoder::new(log).take(limit);
        let mut lines = BufReader::new(unpacked);
        counts.read(&mut lines).map_err(|it| format!("it cannot be unpacked: {it}"))?;
        if lines.into_inner().limit() == 0 {
            return Err("it unpacks to far more than a log does".to_owned());
        }
    } else {
        counts.read(&mut &log[..]).map_err(|it| it.to_string())?;
    }
    let mut all: Vec<Sent> = counts.found.into_values().collect();
    all.sort_by(|a, b| b.attempts.cmp(&a.attempts).then_with(|| a.destination.cmp(&b.destination)));
    Ok(all)
}

#[derive(Default)]
struct Counts {
    found: HashMap<String, Sent, RandomState>,
    entry: Entry,
}

/// What was seen of an entry of a journal, whose fields stand in any order.
#[derive(Default)]
struct Entry {
    is_client: bool,
    message: Option<Vec<u8>>,
}

impl Counts {
    fn read(&mut self, lines: &mut impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        while next_line(lines, &mut line)? {
            self.line(&line);
        }
        // The last entry may have no empty line behind it.
        self.line(b"");
        Ok(())
    }

    fn line(&mut self, line: &[u8]) {
        if line.is_empty() {
            let entry = std::mem::take(&mut self.entry);
            if let Some(message) = entry.message.filter(|_| entry.is_client) {
                self.message(&message);
            }
        } else if let Some(message) = line.strip_prefix(b"MESSAGE=") {
            self.entry.message = Some(message.to_vec());
        } else if let Some(name) = line.strip_prefix(b"SYSLOG_IDENTIFIER=") {
            self.entry.is_client = is_client(name);
        } else if let Some(message) = of_client(line) {
            self.message(message);
        }
    }

    /// `QUEUEID: to=<user@domain>, orig_to=<…>, relay=host[address]:port, …, status=…`
    fn message(&mut self, message: &[u8]) {
        let text = String::from_utf8_lossy(message);
        let Some((destination, is_sent)) = attempt(&text) else { return };
        if self.found.len() >= DESTINATIONS && !self.found.contains_key(&destination) {
            return;
        }
        let new = || Sent { destination: destination.clone(), attempts: 0, sent: 0 };
        let it = self.found.entry(destination.clone()).or_insert_with(new);
        it.attempts += 1;
        it.sent += u64::from(is_sent);
    }
}

/// What stands behind the name of the program in a line, if that is a client.
fn of_client(line: &[u8]) -> Option<&[u8]> {
    // The date, the host, the program.
    let end = memchr::memmem::find(line, b"]: ")?;
    let start = memchr::memrchr(b'[', &line[..end])?;
    let name = line[..start].rsplit(|it| *it == b' ').next()?;
    is_client(name).then_some(&line[end + 3..])
}

/// `postfix/smtp`, `postfix-out/relay/smtp`: the name of the program comes last.
fn is_client(name: &[u8]) -> bool {
    name.ends_with(b"/smtp") || name.ends_with(b"/lmtp")
}

/// A destination, and whether a server took the mail.
fn attempt(text: &str) -> Option<(String, bool)> {
    let (_, text) = text.split_once(": to=<")?;
    // A local part may have anything, but the domain ends here.
    let (recipient, rest) = text.split_once(">, ")?;
    let relay = match rest.strip_prefix("relay=") {
        Some(relay) => relay,
        None => rest.split_once(">, relay=")?.1,
    };
    let (relay, rest) = relay.split_once(", ")?;
    let is_sent = rest.contains("status=sent ");
    let domain = recipient.rsplit_once('@')?.1.to_lowercase();
    let destination = match place(relay) {
        Place::Inside => return None,
        Place::Nowhere | Place::Server { port: 25, .. } => domain,
        Place::Server { host, port } => format!("[{}]:{port}", host.to_lowercase()),
    };
    Destination::parse(destination.as_bytes()).ok()?;
    Some((destination, is_sent))
}

enum Place<'t> {
    /// `none`
    Nowhere,
    /// On this host.
    Inside,
    Server {
        host: &'t str,
        port: u16,
    },
}

/// `host[address]:port`, `host[/path]`, `none`
fn place(relay: &str) -> Place<'_> {
    let Some((host, rest)) = relay.split_once('[') else { return Place::Nowhere };
    let Some((address, port)) = rest.split_once(']') else { return Place::Nowhere };
    match address.parse::<IpAddr>() {
        Ok(address) if !address.is_loopback() => {
            let port = port.strip_prefix(':').and_then(|it| it.parse().ok()).unwrap_or(25);
            Place::Server { host, port }
        }
        Ok(_) | Err(_) => Place::Inside,
    }
}

/// The next line without its end; a long one becomes an empty one, without ever being held. `false`: there is none.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut is_long = false;
    let mut has_begun = false;
    loop {
        let buffer = match lines.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(has_begun);
        }
        has_begun = true;
        let end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        is_long |= line.len() + part.len() > LINE;
        if is_long {
            line.clear();
        } else {
            line.extend_from_slice(part);
        }
        let used = end.map_or(buffer.len(), |it| it + 1);
        lines.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
    }
}
