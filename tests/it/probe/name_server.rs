//! A small DNS server on loopback, by UDP and TCP, which says what a test wants.
//!
//! Its zone is a text of lines `NAME KIND DATA`, as in a zone file, without final dots; what is not there does not exist. Other words
//! in the place of the kind say how the server behaves for a name:
//!
//! - `secure`: AD in replies about it
//! - `code NUMBER`: this code, and nothing else; `code-edns NUMBER`: the same to queries with EDNS
//! - `truncated`: by UDP never more than TC
//! - `silent`: no reply; `silent-udp`: none by UDP
//! - `alone`: its CNAME record comes without what it leads to
//! - `strangers`: before the reply one with another id, and one to another question
//! - `raw HEX`: what follows the question, for the section of answers, as one record
//! - `owner NAME`: its records have another owner

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::lab::Lab;

/// Says to a test program that it is a name server, and which zone it has.
const VARIABLE: &str = "POSTLS_PROBE_ZONE";

const CNAME: u16 = 5;

/// A running name server; ends on drop.
pub(crate) struct NameServer {
    /// Where it listens.
    pub(crate) at: SocketAddr,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl NameServer {
    pub(crate) fn start(zone: &str) -> NameServer {
        NameServer::bind(zone, 0)
    }

    fn bind(zone: &str, port: u16) -> NameServer {
        let zone = Arc::new(Zone::read(zone));
        // The same port for both may be in use for one of them.
        let (tcp, udp) = (0..50)
            .find_map(|_| {
                let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
                let udp = UdpSocket::bind(tcp.local_addr().ok()?).ok()?;
                Some((tcp, udp))
            })
            .expect("loopback has a free port");
        let at = tcp.local_addr().unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let by_udp = {
            let (zone, ends) = (zone.clone(), ends.clone());
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok((length, client)) = udp.recv_from(&mut buffer) {
                    if ends.load(Ordering::Relaxed) {
                        return;
                    }
                    for reply in zone.replies(&buffer[..length], true) {
                        let _ = udp.send_to(&reply, client);
                    }
                }
            })
        };
        let by_tcp = {
            let ends = ends.clone();
            thread::spawn(move || {
                while let Ok((mut stream, _)) = tcp.accept() {
                    if ends.load(Ordering::Relaxed) {
                        return;
                    }
                    let zone = zone.clone();
                    thread::spawn(move || {
                        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                        let mut length = [0; 2];
                        while stream.read_exact(&mut length).is_ok() {
                            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                            if stream.read_exact(&mut query).is_err() {
                                return;
                            }
                            for reply in zone.replies(&query, false) {
                                let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
                                let _ = stream.write_all(&[&length, reply.as_slice()].concat());
                            }
                        }
                    });
                }
            })
        };
        NameServer { at, ends, threads: vec![by_udp, by_tcp] }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Something has to come for them to notice.
        let waker = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let _ = waker.and_then(|it| it.send_to(b"", self.at));
        let _ = std::net::TcpStream::connect(self.at);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A name server in the network of a lab, at 127.0.0.1:53; ends on drop.
pub(crate) struct InLab(Child);

impl Drop for InLab {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it. The lab must have been started once.
pub(crate) fn start_in(lab: &Lab, zone: &str) -> InLab {
    let mut command = lab.inside(std::env::current_exe().expect("it runs"));
    command.args(["--ignored", "--exact", "probe::name_server::serve"]).env(VARIABLE, zone);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let server = InLab(command.spawn().expect("it runs"));
    let mut ask = lab.inside("sh");
    let script =
        "for i in $(seq 200); do ss -Hnul | grep -q 127.0.0.1:53 && exit; sleep 0.05; done; exit 1";
    let up = ask.args(["-c", script]).status().expect("a shell runs");
    assert!(up.success(), "the name server is up");
    server
}

#[test]
#[ignore = "a program that a lab runs, and no test"]
fn serve() {
    let Ok(zone) = std::env::var(VARIABLE) else { return };
    let _server = NameServer::bind(&zone, 53);
    // The test lets go of the pipe when it ends, however that is.
    let _ = std::io::stdin().read(&mut [0]);
}

#[derive(Default)]
struct Zone {
    records: BTreeMap<String, Vec<(u16, Vec<u8>)>>,
    behaviour: BTreeMap<String, Vec<(String, String)>>,
}

impl Zone {
    fn read(text: &str) -> Zone {
        let mut zone = Zone::default();
        for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
            let (name, rest) = line.split_once(' ').expect("a line has a name and more");
            let name = name.to_ascii_lowercase();
            let (kind, data) = rest.split_once(' ').unwrap_or((rest, ""));
            let number = match kind {
                "A" => 1,
                "CNAME" => CNAME,
                "MX" => 15,
                "TXT" => 16,
                "AAAA" => 28,
                "TLSA" => 52,
                word => {
                    zone.records.entry(name.clone()).or_default();
                    let behaviour = zone.behaviour.entry(name).or_default();
                    behaviour.push((word.to_owned(), data.to_owned()));
                    continue;
                }
            };
            let data = record_data(kind, data);
            zone.records.entry(name).or_default().push((number, data));
        }
        zone
    }

    fn says(&self, name: &str, word: &str) -> Option<&str> {
        let behaviour = self.behaviour.get(name)?;
        behaviour.iter().find(|it| it.0 == word).map(|it| it.1.as_str())
    }

    fn replies(&self, query: &[u8], by_udp: bool) -> Vec<Vec<u8>> {
        let Some(Question { name, kind, end }) = question(query) else { return Vec::new() };
        let says = |word: &str| self.says(&name, word);
        if says("silent").is_some() || by_udp && says("silent-udp").is_some() {
            return Vec::new();
        }
        let mut replies = Vec::new();
        if says("strangers").is_some() {
            let (id, question) = (&query[..2], &query[12..end]);
            replies.push(message(
                &[id[0] ^ 1, id[1]],
                question,
                0x20,
                &[b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x09\x09\x09\x09".to_vec()],
                0,
            ));
            let other = [&b"\x05other\x07example\0"[..], &question[question.len() - 4..]].concat();
            replies.push(message(id, &other, 0x20, &[], 3));
        }
        let has_edns = query[10..12] != [0, 0];
        let code = says("code").or_else(|| says("code-edns").filter(|_| has_edns));
        if let Some(code) = code {
            replies.push(message(&query[..2], &query[12..end], 0, &[], code.parse().unwrap()));
            return replies;
        }
        let (mut answers, mut current, mut secure) = (Vec::new(), name.clone(), true);
        let mut code = 0;
        for _ in 0..5 {
            secure &= self.says(&current, "secure").is_some();
            let Some(records) = self.records.get(&current) else {
                code = 3;
                break;
            };
            let owner = name_bytes(self.says(&current, "owner").unwrap_or(&current));
            if let Some(raw) = self.says(&current, "raw") {
                answers.push([owner.clone(), bytes(raw)].concat());
            }
            let wanted = |it: &&(u16, Vec<u8>)| it.0 == kind || it.0 == CNAME;
            for (number, data) in records.iter().filter(wanted) {
                let mut record = owner.clone();
                record.extend(number.to_be_bytes());
                record.extend([0, 1, 0, 0, 0, 60]);
                record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                record.extend(data);
                answers.push(record);
            }
            let alias = records.iter().find(|it| it.0 == CNAME && kind != CNAME);
            match alias {
                Some((_, data)) if says("alone").is_none() => current = text_of(data),
                _ => break,
            }
        }
        let mut flags = if secure { 0x20 } else { 0 };
        let size: usize = answers.iter().map(Vec::len).sum();
        let truncated = by_udp && (says("truncated").is_some() || size > 1000);
        if truncated {
            flags |= 0x200;
            answers.clear();
        }
        replies.push(message(&query[..2], &query[12..end], flags, &answers, code));
        replies
    }
}

fn record_data(kind: &str, data: &str) -> Vec<u8> {
    let words: Vec<&str> = data.split(' ').collect();
    match kind {
        "A" | "AAAA" => match data.parse().expect("it is an address") {
            IpAddr::V4(it) => it.octets().to_vec(),
            IpAddr::V6(it) => it.octets().to_vec(),
        },
        "CNAME" => name_bytes(data),
        "MX" => {
            let preference: u16 = words[0].parse().unwrap();
            [preference.to_be_bytes().to_vec(), name_bytes(words[1])].concat()
        }
        // Strings are at most 255 bytes long.
        "TXT" => data
            .as_bytes()
            .chunks(255)
            .flat_map(|it| [&[u8::try_from(it.len()).unwrap()], it].concat())
            .collect(),
        "TLSA" => {
            let numbers = words[..3].iter().map(|it| it.parse::<u8>().unwrap());
            numbers.chain(bytes(words[3])).collect()
        }
        _ => panic!("{kind} {data}"),
    }
}

struct Question {
    name: String,
    kind: u16,
    end: usize,
}

fn question(query: &[u8]) -> Option<Question> {
    let (mut labels, mut at) = (Vec::new(), 12);
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
    query.get(at + 3)?;
    Some(Question { name: labels.join(".").to_ascii_lowercase(), kind, end: at + 4 })
}

fn message(id: &[u8], question: &[u8], flags: u16, answers: &[Vec<u8>], code: u16) -> Vec<u8> {
    let mut message = id.to_vec();
    message.extend((0x8180 | flags | code).to_be_bytes());
    message.extend([0, 1]);
    message.extend(u16::try_from(answers.len()).unwrap().to_be_bytes());
    message.extend([0, 0, 0, 0]);
    message.extend(question);
    message.extend(answers.concat());
    message
}

/// A name as labels; `.` is the root.
fn name_bytes(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|it| !it.is_empty());
    let labels = labels.flat_map(|it| [&[u8::try_from(it.len()).unwrap()], it.as_bytes()].concat());
    labels.chain([0]).collect()
}

fn text_of(name: &[u8]) -> String {
    let (mut labels, mut rest) = (Vec::new(), name);
    while let Some((length, tail)) = rest.split_first().filter(|it| *it.0 > 0) {
        let (label, after) = tail.split_at(usize::from(*length));
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        rest = after;
    }
    labels.join(".")
}

fn bytes(hex: &str) -> Vec<u8> {
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    bytes.collect::<Result<_, _>>().expect("it is hexadecimal")
}
