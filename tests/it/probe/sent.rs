//! Destinations from mail logs.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use postls::probe::sent::{DESTINATIONS, LINE, Sent, destinations};

const TAIL: &str = "delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)";

fn words(log: &[u8]) -> String {
    let all = destinations(log).unwrap();
    let all = all.iter().map(|it| format!("{} {}/{}", it.destination, it.sent, it.attempts));
    all.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_forms_of_logs_are_read() {
    let line = format!("4F1: to=<u@A.example>, relay=mx.a.example[192.0.2.1]:25, {TAIL}");
    for log in [
        format!("Nov 30 21:59:13 lab postfix/smtp[12391]: {line}\n"),
        format!("2026-11-30T21:59:13.123456+00:00 lab postfix/smtp[12391]: {line}"),
        format!("<22>Nov 30 21:59:13 lab postfix-out/relay/smtp[12391]: {line}\r\n"),
        format!(
            "__CURSOR=x\nMESSAGE={line}\nSYSLOG_IDENTIFIER=postfix/smtp\n\n__CURSOR=y\nMESSAGE={line}\n"
        ),
        format!("SYSLOG_IDENTIFIER=postfix/s1/lmtp\nPRIORITY=6\nMESSAGE={line}\n"),
    ] {
        assert_eq!(words(log.as_bytes()), "a.example 1/1", "{log}");
    }
}

#[test]
fn what_a_line_says_of_the_next_hop() {
    for (what, want) in [
        (
            "to=<u@a.example>, relay=mx.example[2001:db8::1]:25, delay=1, status=sent (x)",
            "a.example 1/1",
        ),
        (
            "to=<u@a.example>, orig_to=<root>, relay=mx.example[192.0.2.1]:25, delay=1, status=sent (x)",
            "a.example 1/1",
        ),
        (
            "to=<u@a.example>, relay=R.example[192.0.2.1]:587, delay=1, status=sent (x)",
            "[r.example]:587 1/1",
        ),
        ("to=<u@a.example>, relay=none, delay=1, status=deferred (no such)", "a.example 0/1"),
        (
            "to=<u@a.example>, relay=mx.example[192.0.2.1]:25, delay=1, status=bounced (status=sent)",
            "a.example 0/1",
        ),
        ("to=<u@a.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, status=sent (x)", ""),
        ("to=<u@a.example>, relay=lab[/run/lmtp], delay=1, status=sent (x)", ""),
        ("to=<\"a@b\"@a.example>, relay=none, delay=1, status=deferred (x)", "a.example 0/1"),
        ("to=<u@[192.0.2.1]>, relay=none, delay=1, status=deferred (x)", "[192.0.2.1] 0/1"),
        ("to=<u>, relay=none, delay=1, status=deferred (x)", ""),
        ("to=<u@-a..b>, relay=none, delay=1, status=deferred (x)", ""),
        ("to=<u@a.example>, relay=", ""),
        ("to=<", ""),
        ("enabling PIX workarounds: x", ""),
    ] {
        let log = format!("Nov 30 21:59:13 lab postfix/smtp[1]: 4F1: {what}\n");
        assert_eq!(words(log.as_bytes()), want, "{what}");
    }
    for name in ["postfix/smtpd", "postfix/local", "smtp", "evil"] {
        let log = format!(
            "Nov 30 21:59:13 lab {name}[1]: 4F1: to=<u@a.example>, relay=none, x, status=sent (x)\n"
        );
        assert_eq!(words(log.as_bytes()), "", "{name}");
    }
}

#[test]
fn the_most_used_come_first_and_there_is_a_limit() {
    let mut log = String::new();
    for (domain, times) in [("b.example", 2), ("a.example", 2), ("c.example", 3)] {
        for _ in 0..times {
            writeln!(log, "x postfix/smtp[1]: 4F1: to=<u@{domain}>, relay=none, {TAIL}").unwrap();
        }
    }
    assert_eq!(words(log.as_bytes()), "c.example 3/3, a.example 2/2, b.example 2/2");
    for number in 0..DESTINATIONS + 10 {
        writeln!(log, "x postfix/smtp[1]: 4F1: to=<u@d{number}.example>, relay=none, {TAIL}")
            .unwrap();
    }
    assert_eq!(destinations(log.as_bytes()).unwrap().len(), DESTINATIONS);
}

#[test]
fn long_lines_and_garbage_are_passed_over() {
    let good = format!("x postfix/smtp[1]: 4F1: to=<u@a.example>, relay=none, {TAIL}\n");
    let mut log = vec![0xff; LINE * 3];
    log.extend_from_slice(good.trim_end().as_bytes());
    log.push(b'\n');
    log.extend((0..=255).cycle().take(5000));
    log.push(b'\n');
    log.extend_from_slice(good.as_bytes());
    assert_eq!(words(&log), "a.example 1/1");
    assert_eq!(destinations(b""), Ok(Vec::<Sent>::new()));
}

#[test]
fn packed_logs_are_read_and_bombs_are_not() {
    let log = format!("x postfix/smtp[1]: 4F1: to=<u@a.example>, relay=none, {TAIL}\n");
    let mut packed = gzip(log.as_bytes());
    // logrotate may put several together.
    packed.extend(gzip(log.as_bytes()));
    assert_eq!(words(&packed), "a.example 2/2");
    let cut = destinations(&packed[..packed.len() - 5]).unwrap_err();
    assert!(cut.starts_with("it cannot be unpacked: "), "{cut}");
    let bomb = gzip(&vec![b'\n'; 20 << 20]);
    assert_eq!(destinations(&bomb).unwrap_err(), "it unpacks to far more than a log does");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip");
    let mut gzip = gzip.arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(bytes).unwrap());
        gzip.wait_with_output().unwrap().stdout
    })
}
