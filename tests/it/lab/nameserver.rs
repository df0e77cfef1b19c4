//! The DNS of a lab, for what nothing but DNSSEC gives: TLSA records.
//!
//! Every name has the address that the hosts file would give it, and at port 24 a TLSA record with the receiver's key,
//! where there is TLS. There is nothing else, and all of it counts as signed.

use std::io::Read as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::{Lab, public_key_fingerprint, receiver, running};

/// Says to a test program that it is a name server, and that all is well with that.
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
        let program = std::env::current_exe().expect("it runs");
        let mut command = self.inside(program);
        command.args(["--ignored", "--exact", "lab::nameserver::serve"]).env(VARIABLE, "1");
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
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    // The lab lets go of the pipe when it ends, however that is.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let key = public_key_fingerprint("sha256").replace(':', "");
    let key = (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16));
    let key: Vec<u8> = key.collect::<Result<_, _>>().expect("a fingerprint is hexadecimal");
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).expect("a lab has its own network");
    let mut query = [0; 1500];
    loop {
        let (length, client) = socket.recv_from(&mut query).expect("loopback is up");
        if let Some(answer) = answer(&query[..length], &key) {
            let _ = socket.send_to(&answer, client);
        }
    }
}

/// The answer to a query (RFC 1035, section 4), with the flag AD.
fn answer(query: &[u8], key: &[u8]) -> Option<Vec<u8>> {
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
    let data = match kind {
        ADDRESS if name.ends_with(".example") && !name.starts_with('_') => {
            let address: Ipv4Addr = receiver::address(&name).parse().expect("it is an address");
            Some(address.octets().to_vec())
        }
        // DANE-EE, the public key, SHA-256.
        TLSA if name.starts_with("_24._tcp.") && !name.ends_with(".cleartext.example") => {
            Some([&[3, 1, 1], key].concat())
        }
        _ => None,
    };
    let count = u8::from(data.is_some());
    let mut answer = [&query[..2], &[0x85, 0xa0, 0, 1, 0, count, 0, 0, 0, 0], question].concat();
    if let Some(data) = data {
        // The name of the question.
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).expect("it is short").to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}
