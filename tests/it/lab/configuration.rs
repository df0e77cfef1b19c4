//! The texts of a lab's configuration: what a Postfix of one's own needs in main.cf and master.cf, and as
//! much understanding of the test's text as that takes.

use crate::judges::Judge;
use postls::postfix::Version;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What keeps a Postfix off the machine's own one.
pub(super) fn private_parameters(postfix: &Judge, root: &Path) -> Vec<(&'static str, String)> {
    let path = |name: &str| root.join(name).display().to_string();
    vec![
        (
            "compatibility_level",
            if postfix.version >= Version::new(3, 6) { "3.6" } else { "2" }.to_owned(),
        ),
        ("queue_directory", path("spool")),
        ("data_directory", path("data")),
        ("maillog_file", path("mail.log")),
        ("maillog_file_prefixes", root.display().to_string()),
        ("inet_protocols", "ipv4".to_owned()),
        ("mydestination", String::new()),
        ("alias_maps", String::new()),
        ("alias_database", String::new()),
        ("smtpd_relay_restrictions", "permit_mynetworks, reject".to_owned()),
    ]
}

/// The usual services, without those that listen on ports.
const SERVICES: &str = "\
pickup     unix       n - n 60    1 pickup
cleanup    unix       n - n -     0 cleanup
qmgr       unix       n - n 300   1 qmgr
tlsmgr     unix       - - n 1000? 1 tlsmgr
rewrite    unix       - - n -     - trivial-rewrite
bounce     unix       - - n -     0 bounce
defer      unix       - - n -     0 bounce
trace      unix       - - n -     0 bounce
verify     unix       - - n -     1 verify
flush      unix       n - n 1000? 0 flush
proxymap   unix       - - n -     - proxymap
proxywrite unix       - - n -     1 proxymap
smtp       unix       - - n -     - smtp
relay      unix       - - n -     - smtp
showq      unix       n - n -     - showq
error      unix       - - n -     - error
retry      unix       - - n -     - error
discard    unix       - - n -     - discard
local      unix       - n n -     - local
virtual    unix       - n n -     - virtual
lmtp       unix       - - n -     - lmtp
anvil      unix       - - n -     1 anvil
scache     unix       - - n -     1 scache
tlsproxy   unix       - - n -     0 tlsproxy
postlog    unix-dgram n - n -     1 postlogd
";

/// Adds to a master.cf the usual services that it does not have; not those that it has in a comment.
pub(super) fn complete_master_cf(text: &mut Vec<u8>) {
    end_line(text);
    let given = String::from_utf8_lossy(text).into_owned();
    let uncommented = given.lines().map(|it| it.strip_prefix('#').unwrap_or(it));
    let given: BTreeSet<_> = uncommented.filter_map(service).collect();
    for line in SERVICES.lines().filter(|line| service(line).is_some_and(|it| !given.contains(&it)))
    {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
}

/// The line of an smtpd(8) for the test's own parameters, where a master.cf has none on port 25.
pub(super) fn complete_port_25(text: &mut Vec<u8>) {
    let names = ["smtp", "25", "127.0.0.1:25", "127.0.0.1:smtp", "localhost:25", "localhost:smtp"];
    let given = String::from_utf8_lossy(text).into_owned();
    if !given
        .lines()
        .filter_map(service)
        .any(|(name, kind)| kind == "inet" && names.contains(&name))
    {
        end_line(text);
        text.extend_from_slice(b"127.0.0.1:25 inet n - n - - smtpd\n");
    }
}

/// Name and type of the service that the line begins.
fn service(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let name = words.next().filter(|_| !line.starts_with([' ', '\t', '#']))?;
    Some((name, words.next()?))
}

/// So that what comes after the test's text is a line of its own.
pub(super) fn end_line(text: &mut Vec<u8>) {
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
}

/// The parameters that a main.cf sets, as a reader that knows no more than is needed here.
pub(super) fn parameters_set(main_cf: &[u8]) -> BTreeSet<String> {
    String::from_utf8_lossy(main_cf)
        .lines()
        .filter(|line| !line.starts_with([' ', '\t', '#']))
        .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
        .collect()
}

/// Every word that is a host name below a domain that is there for examples.
pub(super) fn host_names(bytes: &[u8]) -> BTreeSet<String> {
    let domains = [".example", ".test", ".invalid", "example.com", "example.net", "example.org"];
    String::from_utf8_lossy(bytes)
        .split(|character: char| !(character.is_ascii_alphanumeric() || ".-_".contains(character)))
        .map(|word| word.trim_matches(['.', '-']).to_ascii_lowercase())
        .filter(|word| domains.iter().any(|domain| word.ends_with(domain)))
        .collect()
}

/// All of `from`, replaced.
pub(super) fn replace(bytes: &[u8], from: &[u8], to: &str) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Postfix reads a file again and again, with its warnings, until it is two seconds old. So it is born older.
pub(super) fn write_aged(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = fs::File::options().append(true).open(path).expect("it was just written");
    file.set_modified(SystemTime::now() - Duration::from_secs(100)).expect("it is ours");
}
