//! The healthy mail server that a lab sends to: a second Postfix that takes everything and throws it away.
//!
//! 127.0.0.2, which is every name, and three addresses that are there for examples: ports 25, 26, 587 and 2525
//! with STARTTLS, 465 with TLS from the start. 127.0.0.3, which is `cleartext.example` and all below it: port 25
//! without TLS. For masses of mail both have a port 24.

use super::configuration::{complete_master_cf, private_parameters, write_aged};
use crate::judges::Judge;
use std::fmt::Write as _;
use std::path::Path;

/// The addresses outside 127.0.0.0/8 that the receiver has.
pub(super) const ADDRESSES: [&str; 3] = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];

/// Where a host name leads to.
pub(super) fn address(name: &str) -> &'static str {
    if name == "cleartext.example" || name.ends_with(".cleartext.example") {
        "127.0.0.3"
    } else {
        "127.0.0.2"
    }
}

/// Writes the receiver's configuration below the lab's directory.
///
/// Each of its smtpd(8) takes one connection: the certificates may be others for the next one. Not those
/// for masses of mail, which would mean a new process for each message.
pub(super) fn write(postfix: &Judge, lab: &Path) {
    let root = lab.join("receiver");
    let mut parameters = private_parameters(postfix, &root);
    parameters.extend([
        ("inet_interfaces", "127.0.0.1".to_owned()),
        ("mynetworks", "0.0.0.0/0".to_owned()),
        ("myhostname", "receiver.lab.test".to_owned()),
        ("default_transport", "discard:".to_owned()),
        ("relay_transport", "discard:".to_owned()),
        ("smtpd_tls_security_level", "may".to_owned()),
        // Old protocols as well, whatever its OpenSSL thinks of them.
        ("tls_medium_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:@STRENGTH:@SECLEVEL=0".to_owned()),
        ("smtpd_tls_protocols", String::new()),
        ("smtpd_tls_chain_files", lab.join("server.pem").display().to_string()),
    ]);
    let mut main_cf = String::new();
    for (name, value) in parameters {
        writeln!(main_cf, "{name} = {value}").expect("a String takes all");
    }
    let mut services = String::new();
    for port in [24, 25] {
        writeln!(
            services,
            "127.0.0.3:{port} inet n - n - - smtpd\n  -o smtpd_tls_security_level=none"
        )
        .expect("a String takes all");
    }
    services.push_str("127.0.0.2:24 inet n - n - - smtpd\n");
    for address in ["127.0.0.2"].iter().chain(&ADDRESSES) {
        for port in [25, 26, 587, 2525] {
            writeln!(services, "{address}:{port} inet n - n - - smtpd -o max_use=1")
                .expect("a String takes all");
        }
        let wrapped = "inet n - n - - smtpd -o max_use=1\n  -o smtpd_tls_wrappermode=yes";
        writeln!(services, "{address}:465 {wrapped}").expect("a String takes all");
    }
    write_aged(&root.join("etc/main.cf"), main_cf.as_bytes());
    let mut master_cf = services.into_bytes();
    complete_master_cf(&mut master_cf);
    write_aged(&root.join("etc/master.cf"), &master_cf);
}
