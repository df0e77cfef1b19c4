//! All servers in the network of a lab, for the Postfix there.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io::Read as _};

use super::{ALL, Certificates, Running, Server, run};
use crate::lab::Lab;

/// Says to a test program that it is the servers: where the certificates are.
const VARIABLE: &str = "POSTLS_SERVERS";

/// Where host names of a lab lead to.
const ADDRESS: &str = "127.0.0.2";

/// The port of the first kind; those of the others follow.
const FIRST: u16 = 3000;

/// The servers; they end on drop.
pub(crate) struct World(Child);

impl World {
    /// Starts them all. The lab must have been started once.
    pub(crate) fn start(lab: &Lab, certificates: &Certificates) -> World {
        let directory = lab.path("servers");
        fs::create_dir_all(&directory).expect("the directory is writable");
        certificates.write(&directory);
        let program = std::env::current_exe().expect("it runs");
        let mut command = lab.inside(program);
        command.args(["--ignored", "--exact", "servers::world::serve"]).env(VARIABLE, &directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let world = World(command.spawn().expect("it runs"));
        let end = Instant::now() + Duration::from_secs(30);
        while !directory.join("ready").exists() {
            assert!(Instant::now() < end, "the servers do not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        world
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Its port in a lab.
    pub(crate) fn port(&self) -> u16 {
        let at = ALL.iter().position(|it| it.name == self.name).expect("it is one of all");
        FIRST + u16::try_from(at).expect("they are few")
    }
}

#[test]
#[ignore = "a program that a lab runs, and no test"]
fn serve() {
    let Ok(directory) = std::env::var(VARIABLE) else { return };
    let directory = Path::new(&directory);
    let certificates = Certificates::read(directory);
    let running: Vec<Running> = ALL
        .iter()
        .map(|server| {
            let listener = TcpListener::bind((ADDRESS, server.port())).expect("the port is free");
            run(*server, listener, &certificates)
        })
        .collect();
    fs::write(directory.join("ready"), running.len().to_string()).expect("it is writable");
    // The lab lets go of the pipe when it ends, however that is.
    let _ = std::io::stdin().read(&mut [0]);
}
