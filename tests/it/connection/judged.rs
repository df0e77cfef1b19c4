//! A real Postfix delivers to the same servers: what becomes of its mail is what `postls probe` says of them under the
//! same policies, and its log tells of the same protocol and cipher.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;

use postls::certificate::fingerprint;
use postls::postfix::{Digest, Version};
use serde_json::Value;

use super::{Server, servers};
use crate::lab::{self, Delivery, Lab, Outcome};
use crate::servers::{Flavour, Identity, Manner, World};

/// Labels of host names, and the policy of each.
const ROWS: &[&str] = &["none", "may", "encrypt", "secure", "right", "wrong", "second", "broken"];

/// The same for servers of which the certificate matters: trust anchors of the policy's own.
const WITH_ANCHORS: &[&str] = &[
    "none", "may", "encrypt", "secure", "right", "wrong", "second", "broken", "taroot", "tamiddle",
    "takey", "taleaf", "stsnamed", "stsother",
];

const MAIN_CF: &[u8] = b"smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
    smtp_tls_fingerprint_digest = sha256\n\
    smtp_tls_CAfile = /etc/postfix/authority.pem\n\
    smtp_helo_timeout = 4s\n\
    smtp_starttls_timeout = 4s\n\
    default_process_limit = 40\n";

/// The servers, each with the labels of its policies.
fn judged() -> impl Iterator<Item = (&'static Server, &'static str)> {
    servers::ALL.iter().flat_map(|it| labels(it).iter().map(move |label| (it, *label)))
}

fn labels(server: &Server) -> &'static [&'static str] {
    match server.manner {
        // Postfix hears the first two to the end; the third is for another client.
        Manner::ByteByByte | Manner::Endless | Manner::Wrapper => &[],
        // They take their time, and the policy is nothing to them.
        Manner::Hangs(_) | Manner::Binary => &["none", "may"],
        Manner::Good if server.tls == Flavour::Usual => WITH_ANCHORS,
        _ => ROWS,
    }
}

/// What stands in the file of a policy with trust anchors.
fn anchors(server: &Server, label: &str) -> Option<Vec<u8>> {
    let middle = &servers::certificates().of(Identity::Good).chain[1];
    let leaf = &servers::certificates().of(server.identity).chain[0];
    Some(match label {
        "taroot" => servers::certificates().authority.clone(),
        "tamiddle" => middle.to_pem().unwrap(),
        "takey" => middle.public_key().unwrap().public_key_to_pem().unwrap(),
        "taleaf" => leaf.to_pem().unwrap(),
        _ => return None,
    })
}

fn row(server: &Server, label: &str) -> String {
    let public_key = servers::certificates().of(server.identity).key.public_key_to_der().unwrap();
    let pin = fingerprint(Digest::Sha256, &public_key).to_string();
    let wrong = pin.replace(['1', '2', '3'], "0");
    match label {
        "right" => format!("fingerprint match={pin}"),
        "wrong" => format!("fingerprint match={wrong}"),
        "second" => format!("fingerprint match={wrong}|{pin}"),
        "broken" => "encrypt nonsense=1".to_owned(),
        // As a plug-in for MTA-STS answers; Postfix before 3.10 does not know these attributes.
        "stsnamed" | "stsother" => {
            let host = if label == "stsnamed" { server.name } else { "other" };
            format!("secure match=a.example policy_type=sts mx_host_pattern=*.{host}.example")
        }
        "secure" if server.name == "idn" => "secure match=b\u{fc}cher.example".to_owned(),
        _ if label.starts_with("ta") => {
            format!("secure tafile=/etc/postfix/{label}.{}.pem", server.name)
        }
        level => level.to_owned(),
    }
}

#[test]
fn the_verdict_is_what_postfix_does() {
    lab::with_each(|postfix| {
        let mut policies = String::new();
        let mut transports = String::new();
        let mut domains = Vec::new();
        for (server, label) in judged() {
            let (domain, port) = (format!("{label}.{}.example", server.name), server.port());
            writeln!(policies, "[{domain}]:{port} {}", row(server, label)).unwrap();
            writeln!(transports, "{domain} smtp:[{domain}]:{port}").unwrap();
            domains.push(domain);
        }
        let certificates = servers::certificates();
        let anchors_of = |(server, label): (&Server, &str)| {
            Some((format!("{label}.{}.pem", server.name), anchors(server, label)?))
        };
        let anchor_files: Vec<(String, Vec<u8>)> = judged().filter_map(anchors_of).collect();
        let mut files: Vec<(&str, &[u8])> = vec![
            ("main.cf", MAIN_CF),
            ("tls_policy", policies.as_bytes()),
            ("authority.pem", &certificates.authority),
        ];
        files.extend(anchor_files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        let mut lab = Lab::new(postfix, &files);
        fs::write(lab.path("transport"), transports).unwrap();
        assert!(lab.start().status.success(), "{}", lab.log());
        let world = World::start(&lab, certificates);
        let delivered = lab.deliver(&domains.iter().map(String::as_str).collect::<Vec<_>>());
        let established = established(&lab.log());
        let of = |(server, label): (&Server, &str)| {
            format!("[{label}.{}.example]:{}", server.name, server.port())
        };
        let judged = probed(&lab, self::judged().map(of));
        drop(world);
        let mut wrong = Vec::new();
        for (server, label) in self::judged() {
            // The OpenSSL of that one takes SHA-1 for strong enough.
            let is_older = postfix.version < Version::new(3, 6) && server.name == "old";
            if is_older && !["none", "may", "encrypt"].contains(&label) {
                continue;
            }
            let domain = format!("{label}.{}.example", server.name);
            let delivery = delivered.get(&domain);
            let (verdict, session) = &judged[&domain];
            let is = verdict.split(' ').next().unwrap_or_default();
            if is != verdict_of(delivery, server, label) {
                wrong.push(format!("{domain} {}: {verdict}\n{delivery:?}", row(server, label)));
            }
            if let (Some(logged), Some(seen)) = (established.get(&domain), session)
                && label != "none"
                && logged != seen
            {
                wrong.push(format!("{domain}: {seen}\nPostfix: {logged}"));
            }
        }
        // Or nothing was compared.
        assert!(established.len() > 60, "{established:?}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    });
}

/// What `postls probe` says of destinations `[domain]:port` in the lab's network, by their domains: the verdict with its
/// reason, and the protocol and cipher where there is TLS.
pub(super) fn probed(
    lab: &Lab,
    destinations: impl Iterator<Item = String>,
) -> HashMap<String, (String, Option<String>)> {
    let mut command = lab.inside(env!("CARGO_BIN_EXE_postls"));
    command.arg("-c").arg(lab.config_dir()).args(["probe", "--format", "json", "--timeout", "15"]);
    command.args(["--parallel", "40", "--per-provider", "40"]);
    command.args(destinations);
    let output = command.output().expect("it was built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let results = report["destinations"].as_array().expect("there are some").iter();
    let one = |it: &Value| {
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let destination = text(&it["destination"]);
        let domain = destination.trim_start_matches('[').split(']').next().unwrap_or_default();
        let reason = text(&it["reason"]["id"]);
        let verdict = format!("{} {reason}", text(&it["verdict"]));
        let tls = &it["route"]["servers"][0]["addresses"][0]["session"]["tls"];
        let session = tls["protocol"]
            .as_str()
            .map(|protocol| format!("{protocol} with cipher {}", text(&tls["cipher"])));
        (domain.to_owned(), (verdict, session))
    };
    results.map(one).collect()
}

/// What Postfix has logged of TLS with each host.
fn established(log: &str) -> HashMap<String, String> {
    let told = log.lines().filter_map(|line| {
        let (_, told) = line.split_once(" TLS connection established to ")?;
        let (host, rest) = told.split_once('[')?;
        let (_, rest) = rest.split_once(": ")?;
        let (session, _) = rest.split_once(" (")?;
        Some((host.to_owned(), session.to_owned()))
    });
    told.collect()
}

/// The verdict that is true of what Postfix did. What it could not see either is unknown.
pub(super) fn verdict_of(
    delivery: Option<&Delivery>,
    server: &Server,
    label: &str,
) -> &'static str {
    match &delivery.expect("it was delivered, or not").outcome {
        Outcome::Sent { tls } => match tls.as_deref() {
            Some("Verified") => "verified",
            Some("Trusted") => "trusted",
            Some(_) => "encrypted",
            None => "plaintext",
        },
        // Whatever the server says, or before it is asked.
        Outcome::Deferred { .. } if ["broken", "stsother"].contains(&label) => "would-defer",
        Outcome::Deferred { reason } if reason.contains("configuration problem") => "would-defer",
        Outcome::Deferred { .. }
            if matches!(server.manner, Manner::Hangs(_) | Manner::BusyAtStarttls) =>
        {
            "unknown"
        }
        // Once the message has waited for minimal_backoff_time.
        Outcome::Deferred { reason } if reason.contains("Cannot start TLS") && label == "may" => {
            "plaintext"
        }
        Outcome::Deferred { reason }
            if ["TLS is required", "Cannot start TLS", "ertificate not ", "TLSA"]
                .iter()
                .any(|it| reason.contains(it)) =>
        {
            "would-defer"
        }
        Outcome::Deferred { .. } => "unknown",
        Outcome::Bounced { .. } | Outcome::Unknown => "neither",
    }
}
