//! Very many destinations: descriptors are given back, and each connection is made once.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A server on all addresses of the loopback network, without TLS, and how many connections it has had.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// `thinks`: how long it takes for its greeting.
    fn start(thinks: Duration) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (connections, over) = (Arc::default(), Arc::default());
        let server = Server { port, connections, over };
        for _ in 0..16 {
            let listener = listener.try_clone().expect("it can be shared");
            let (connections, over) = (Arc::clone(&server.connections), Arc::clone(&server.over));
            thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    connections.fetch_add(1, Ordering::Relaxed);
                    let _ = talk(stream, thinks);
                }
            });
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for _ in 0..16 {
            // Each wakes one that waits.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        }
    }
}

fn talk(stream: TcpStream, thinks: Duration) -> std::io::Result<()> {
    thread::sleep(thinks);
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut writer = stream.try_clone()?;
    writer.write_all(b"220 mx.example ESMTP\r\n")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.starts_with("QUIT") {
            return writer.write_all(b"221 bye\r\n");
        }
        writer.write_all(b"250 mx.example\r\n")?;
    }
    Ok(())
}

/// `count` addresses of 127.0.0.0/8.
fn destinations(count: u32, port: u16) -> String {
    let mut text = String::new();
    for number in 0..count {
        let address = Ipv4Addr::from(0x7f01_0001 + number);
        writeln!(text, "  \"[{address}]:{port}\": may").expect("a String takes all");
    }
    text
}

#[test]
fn descriptors_are_given_back() {
    looks_at_all(10_000, Duration::ZERO, 64);
}

#[test]
fn nobody_is_looked_at_without_a_descriptor() {
    looks_at_all(400, Duration::from_millis(100), 400);
}

/// Each is connected to once and seen, `parallel` at a time where there are 200 descriptors.
fn looks_at_all(count: u32, thinks: Duration, parallel: u32) {
    let server = Server::start(thinks);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    fs::write(path.join("main.cf"), "smtp_tls_security_level = may\n").expect("it is writable");
    let policy = format!("version: 1\ndestinations:\n{}", destinations(count, server.port));
    fs::write(path.join("postls.yaml"), policy).expect("it is writable");
    let script = format!(
        "ulimit -n 200; exec '{}' probe -c . --postfix 3.7 --format json --parallel {parallel} --per-provider {parallel}",
        env!("CARGO_BIN_EXE_postls")
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(path).output();
    let output = output.expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(report["summary"]["plaintext"], count, "{}", report["summary"]);
    assert_eq!(server.connections.load(Ordering::Relaxed), count as usize, "each once");
    println!("{count} destinations, {parallel} at a time, with 200 descriptors");
}
