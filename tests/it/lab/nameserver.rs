//! The DNS of a lab, for what nothing but DNSSEC gives: TLSA records.
//!
//! Every name has the address that the hosts file would give it, and at port 24 a TLSA record with the receiver's key,
//! where there is TLS; or the TLSA records that a test gives. There is nothing else, and all of it counts as signed.

use std::io::Read as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::{Lab, public_key_fingerprint, receiver, running};

/// Says to a test program that it is a name server, and which TLSA records it has, as in a zone file: none, the usual.
const VARIABLE: &str = "POSTLS_LAB_NAMESERVER";

const ADDRESS: u16 = 1;
const TLSA: u16 = 52;

/// A running name server; ends on drop.
pub(crate) struct Nameserver(Child);

impl Drop for Nameserver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Lab {
    /// Starts a name server. The lab must have been started once.
    pub(crate) fn serve_names(&self) -> Nameserver {
        self.serve_zone("")
    }

    /// The same with these TLSA records, each a line `OWNER. IN TLSA USAGE SELECTOR MATCHING HEX ; …`.
    pub(crate) fn serve_zone(&self, records: &str) -> Nameserver {
        let program = std::env::current_exe().expect("it runs");
        let mut command = self.inside(program);
        command.args(["--ignored", "--exact", "lab::nameserver::serve"]).env(VARIABLE, records);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let server = Nameserver(command.spawn().expect("it runs"));
        let mut ask = self.inside("sh");
        ask.args(["-c", "until ss -Hnul | grep -q 127.0.0.1:53; do sleep 0.05; done"]);
        let answer = ask.spawn().expect("a shell runs");
        let mut answer = Nameserver(answer);
        let up = || answer.0.try_wait().ok().flatten();
        assert!(running::wait(Duration::from_secs(10), up).is_some(), "the name server is up");
        server
    }
}

#[test]
#[ignore = "a program that a lab runs, and no test"]
fn serve() {
    let Ok(records) = std::env::var(VARIABLE) else { return };
    // The lab lets go of the pipe when it ends, however that is.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let zone = Zone {
        // DANE-EE, the public key, SHA-256.
        key: [&[3, 1, 1], &bytes(&public_key_fingerprint("sha256").replace(':', ""))[..]].concat(),
        records: records.lines().map(record).collect(),
    };
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).expect("a lab has its own network");
    let mut query = [0; 1500];
    loop {
        let (length, client) = socket.recv_from(&mut query).expect("loopback is up");
        if let Some(answer) = answer(&query[..length], &zone) {
            let _ = socket.send_to(&answer, client);
        }
    }
}

/// What a name server knows of TLSA.
struct Zone {
    /// The record of the receiver's key.
    key: Vec<u8>,
    /// Names without a dot behind them, with what stands in the record; none: the receiver's everywhere.
    records: Vec<(String, Vec<u8>)>,
}

fn record(line: &str) -> (String, Vec<u8>) {
    let words: Vec<&str> = line.split(' ').collect();
    let [owner, "IN", "TLSA", usage, selector, matching, hex, ..] = words[..] else {
        panic!("no record: {line}");
    };
    let kind = [usage, selector, matching].map(|it| it.parse::<u8>().expect("it is a number"));
    (owner.trim_end_matches('.').to_owned(), [&kind[..], &bytes(hex)].concat())
}

fn bytes(hex: &str) -> Vec<u8> {
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    bytes.collect::<Result<_, _>>().expect("a fingerprint is hexadecimal")
}

impl Zone {
    /// What stands in the records that a name has.
    fn keys(&self, name: &str) -> Vec<&[u8]> {
        if !self.records.is_empty() {
            let own = self.records.iter().filter(|it| it.0 == name);
            return own.map(|it| it.1.as_slice()).collect();
        }
        let has_one = name.starts_with("_24._tcp.") && !name.ends_with(".cleartext.example");
        has_one.then_some(self.key.as_slice()).into_iter().collect()
    }
}

/// The answer to a query (RFC 1035, section 4), with the flag AD.
fn answer(query: &[u8], zone: &Zone) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).into_owned());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(12..at + 4)?;
    let name = labels.join(".").to_ascii_lowercase();
    let answers: Vec<Vec<u8>> = match kind {
        ADDRESS if name.ends_with(".example") && !name.starts_with('_') => {
            let address: Ipv4Addr = receiver::address(&name).parse().expect("it is an address");
            vec![address.octets().to_vec()]
        }
        TLSA => zone.keys(&name).into_iter().map(<[u8]>::to_vec).collect(),
        _ => Vec::new(),
    };
    let count = u8::try_from(answers.len()).expect("they are few");
    let mut answer = [&query[..2], &[0x85, 0xa0, 0, 1, 0, count, 0, 0, 0, 0], question].concat();
    for data in answers {
        // The name of the question.
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).expect("it is short").to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}
