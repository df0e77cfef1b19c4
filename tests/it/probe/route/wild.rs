//! Replies of DNS that are anything: never a panic, never more than bounds.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postls::observation::route::Route;
use postls::probe::dns::{Answer, Kind, RECORDS, Resolver};
use postls::probe::route::{self, Dane};

/// The same numbers each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

/// Bytes that begin as a reply to the query, and are chance behind that, or broken records.
fn reply(query: &[u8], chance: &mut Chance) -> Vec<u8> {
    let end = query[12..].iter().position(|it| *it == 0).unwrap() + 12 + 5;
    let mut reply = [&query[..2], &[0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0], &query[12..end]].concat();
    let kinds = [1, 2, 5, 15, 16, 28, 33, 39, 46, 52];
    let count = chance.below(8);
    reply[7] = u8::try_from(count).unwrap();
    for _ in 0..count {
        // A pointer to the question, or to anywhere.
        let to = if chance.below(9) > 0 { 12 } else { chance.byte() };
        let kind = kinds[chance.below(kinds.len())];
        reply.extend([0xc0, to, 0, kind, 0, 1, 0, 0, 0, 9]);
        let usual: &[u8] = match kind {
            1 => &[192, 0, 2, 1],
            15 => &[0, 10, 0xc0, 12],
            16 => b"\x04text",
            28 => &[32; 16],
            5 => &[0xc0, 12],
            52 => &[3, 1, 1, 7, 7],
            _ => b"\x01x\0",
        };
        let odd: Vec<u8> = (0..chance.below(40)).map(|_| chance.byte() % 64).collect();
        let data = if chance.below(4) > 0 { usual } else { &odd };
        let said = if chance.below(9) > 0 { data.len() } else { chance.below(300) };
        reply.extend(u16::try_from(said).unwrap().to_be_bytes());
        reply.extend(data);
    }
    match chance.below(6) {
        0 => reply.truncate(chance.below(reply.len()).max(2)),
        1 => {
            let at = 2 + chance.below(reply.len() - 2);
            reply[at] ^= chance.byte();
        }
        2 => reply.extend((0..chance.below(2000)).map(|_| chance.byte())),
        _ => {}
    }
    reply
}

#[test]
fn a_reply_may_be_anything() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    let ends = Arc::new(AtomicBool::new(false));
    let server = {
        let ends = ends.clone();
        std::thread::spawn(move || {
            let (mut chance, mut buffer) = (Chance(0x5eed_0fd1), [0; 2000]);
            while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let _ = socket.send_to(&reply(&buffer[..length], &mut chance), client);
            }
        })
    };
    let resolver = Resolver::at(at).within(Duration::from_millis(20));
    let kinds = [Kind::Mx, Kind::A, Kind::Aaaa, Kind::Tlsa, Kind::Txt, Kind::Cname];
    let mut found = 0;
    for turn in 0..1500 {
        if let Answer::Found(it) = resolver.ask("a.example", kinds[turn % kinds.len()]) {
            assert!(!it.records.is_empty() && it.records.len() <= RECORDS);
            found += 1;
        }
    }
    assert!(found > 20, "some of it is readable: {found}");
    let mut settings = super::settings("smtp", "");
    settings.patience = Duration::from_millis(200);
    for _ in 0..40 {
        if let Ok(Route { servers, .. }) =
            route::route(&resolver, &settings, "a.example", Dane::Ask)
        {
            assert!(
                servers.len() <= RECORDS && servers.iter().all(|it| it.addresses.len() <= RECORDS)
            );
        }
    }
    ends.store(true, Ordering::Relaxed);
    let _ = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().send_to(&[0; 17], at);
    server.join().unwrap();
}
