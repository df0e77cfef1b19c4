//! A connection that cannot hold us: each stage ends at a point in time, all of it at another, and so many bytes come in
//! at most. A server that sends one byte each second gets no more time by it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use super::connection::{Otherwise, Source};

/// A TCP connection with its ends.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    /// When the stage ends.
    stage: Instant,
    /// When all of it ends.
    end: Instant,
    /// So many bytes are still taken.
    bytes: usize,
}

impl Timed {
    /// Connects, from that address if one is given.
    pub(super) fn connect(
        address: SocketAddr,
        source: Option<Source>,
        limit: Duration,
        end: Instant,
        bytes: usize,
    ) -> io::Result<Timed> {
        let limit = limit.min(end.saturating_duration_since(Instant::now()));
        let limit = limit.max(Duration::from_millis(1));
        let stream = match source.filter(|it| it.address.is_ipv4() == address.is_ipv4()) {
            None => TcpStream::connect_timeout(&address, limit)?,
            Some(source) => connect_from(source, address, limit)?,
        };
        // Each command is one write, and waits for its reply.
        stream.set_nodelay(true)?;
        Ok(Timed { stream, stage: end, end, bytes })
    }

    /// The next stage begins, and may take so long.
    pub(super) fn within(&mut self, limit: Duration) {
        self.stage = self.end.min(Instant::now() + limit);
    }

    /// Whether something has come that nobody has read.
    pub(super) fn has_come(&self) -> bool {
        let look = || {
            self.stream.set_nonblocking(true)?;
            let seen = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            seen
        };
        look().is_ok_and(|it| it > 0)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.stage.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TOO_MUCH));
        }
        let length = buffer.len().min(self.bytes);
        loop {
            self.stream.set_read_timeout(Some(self.left()?))?;
            match self.stream.read(&mut buffer[..length]) {
                Ok(count) => {
                    self.bytes -= count;
                    return Ok(count);
                }
                Err(error) if is_no_end(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.stream.set_write_timeout(Some(self.left()?))?;
            match self.stream.write(bytes) {
                Err(error) if is_no_end(&error) => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What a server gets told that sends without end.
pub(super) const TOO_MUCH: &str = "it sends more than a reply can have";

/// The time of one call is over, or a signal came; whether the stage is over is asked next.
fn is_no_end(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// std connects from any address only. A host that does not have this one does what `smtp_connect_addr` does.
fn connect_from(source: Source, address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket: OwnedFd = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    if let Err(error) = bind(&socket, &SocketAddr::new(source.address, 0)) {
        match source.otherwise {
            Otherwise::Any => {}
            Otherwise::None => {
                let (source, why) = (source.address, super::system_words(&error.into()));
                let words = format!("server configuration error: bind {source}: {why}");
                return Err(io::Error::other(words));
            }
        }
    }
    // connect(2) heeds the limit for sending, and says then that it is still at it.
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    match connect(&socket, &address) {
        Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::AGAIN) => {
            Err(io::ErrorKind::TimedOut.into())
        }
        other => {
            other?;
            Ok(TcpStream::from(socket))
        }
    }
}
