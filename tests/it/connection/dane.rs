//! TLSA records of every kind that is right or wrong: what a real Postfix does with them is what `postls probe` says.

use std::fmt::Write as _;
use std::fs;

use openssl::hash::MessageDigest;
use openssl::x509::X509;
use postls::observation::dns::TlsaRecord;

use super::judged::{probed, verdict_of};
use super::{Server, servers};
use crate::lab::{self, Lab};
use crate::servers::{Shown, World};

const MAIN_CF: &[u8] = b"smtp_tls_security_level = dane\n\
    smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
    smtp_dns_support_level = dnssec\n\
    smtp_host_lookup = dns\n\
    smtp_tls_CAfile = /etc/postfix/authority.pem\n";

/// The records of a label, each `usage selector matching of-what`: `leaf`, `middle`, `root`, or `other`, which is
/// somebody else's; `short` is one byte.
const LABELS: &[(&str, &[&str])] = &[
    ("leafkey", &["3 1 1 leaf"]),
    ("leafcertificate", &["3 0 2 leaf"]),
    ("leaffull", &["3 1 0 leaf"]),
    ("otherkey", &["3 1 1 other"]),
    ("two", &["3 1 1 other", "3 1 1 leaf"]),
    // Only the strongest digest of a kind counts.
    ("agile", &["3 1 2 other", "3 1 1 leaf"]),
    ("agilekinds", &["3 0 2 other", "3 1 1 leaf"]),
    ("middlekey", &["2 1 1 middle"]),
    ("middlecertificate", &["2 0 1 middle"]),
    ("leafasanchor", &["2 0 1 leaf"]),
    // It was not sent.
    ("rootcertificate", &["2 0 1 root"]),
    ("rootkeyfull", &["2 1 0 root"]),
    ("rootfull", &["2 0 0 root"]),
    ("otherfull", &["2 1 0 other"]),
    ("pkix", &["1 1 1 leaf"]),
    ("pkixandother", &["1 1 1 leaf", "3 1 1 other"]),
    ("short", &["3 1 1 short"]),
    ("unknowndigest", &["3 1 7 leaf"]),
    ("shortandpkix", &["3 1 1 short", "0 0 1 leaf"]),
    ("none", &[]),
];

/// Labels of other servers, where it is the certificate that is odd.
const OTHERS: &[(&str, &str)] = &[
    ("expired", "leafkey"),
    ("expired", "middlekey"),
    ("wrongname", "leafkey"),
    ("wrongname", "middlekey"),
    ("incomplete", "middlecertificate"),
    ("incomplete", "rootfull"),
    ("selfsigned", "leafkey"),
    ("selfsigned", "leafasanchor"),
    ("rsa768", "leafkey"),
    ("anonymous", "leafkey"),
    ("nostarttls", "leafkey"),
    ("nostarttls", "pkix"),
    ("nostarttls", "short"),
    ("nostarttls", "none"),
    ("old", "none"),
];

struct Case {
    server: Server,
    row: &'static str,
    domain: String,
    records: Vec<TlsaRecord>,
}

fn cases() -> Vec<Case> {
    // Its certificate has all names.
    let usual = LABELS.iter().map(|(label, _)| ("wildcard", *label));
    let all = usual.chain(OTHERS.iter().copied());
    let both =
        all.flat_map(|(server, label)| [(server, label, "dane"), (server, label, "dane-only")]);
    let case = |(server, label, row)| {
        let server = Server::named(server);
        let (_, records) = LABELS.iter().find(|(it, _)| *it == label).expect("it is a label");
        let shown = servers::certificates().of(server.identity);
        let records = records.iter().map(|it| record(it, shown)).collect();
        Case { server, row, domain: format!("{label}-{row}.{}.example", server.name), records }
    };
    both.map(case).collect()
}

fn record(text: &str, shown: &Shown) -> TlsaRecord {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |at: usize| words[at].parse::<u8>().expect("it is a number");
    let root = X509::from_pem(&servers::certificates().authority).unwrap();
    let other = &servers::certificates().of(servers::Identity::Ed25519).chain[0];
    let middle = &servers::certificates().of(servers::Identity::Good).chain[1];
    let certificate = match words[3] {
        "leaf" => &shown.chain[0],
        "middle" => middle,
        "root" => &root,
        "other" => other,
        _ => {
            return TlsaRecord {
                usage: number(0),
                selector: number(1),
                matching: number(2),
                data: vec![1],
            };
        }
    };
    let bytes = if words[1] == "0" {
        certificate.to_der().unwrap()
    } else {
        certificate.public_key().unwrap().public_key_to_der().unwrap()
    };
    let digest = |kind| openssl::hash::hash(kind, &bytes).unwrap().to_vec();
    let data = match number(2) {
        0 => bytes,
        2 => digest(MessageDigest::sha512()),
        _ => digest(MessageDigest::sha256()),
    };
    TlsaRecord { usage: number(0), selector: number(1), matching: number(2), data }
}

#[test]
fn records_are_matched_as_by_postfix() {
    lab::with_each(|postfix| {
        let (mut zone, mut transports, mut policies) =
            (String::new(), String::new(), String::new());
        let cases = cases();
        for case in &cases {
            let (domain, port) = (&case.domain, case.server.port());
            for record in &case.records {
                let hex = data_encoding::HEXLOWER.encode(&record.data);
                let TlsaRecord { usage, selector, matching, .. } = record;
                writeln!(
                    zone,
                    "_{port}._tcp.{domain}. IN TLSA {usage} {selector} {matching} {hex}"
                )
                .unwrap();
            }
            writeln!(transports, "{domain} smtp:[{domain}]:{port}").unwrap();
            writeln!(policies, "[{domain}]:{port} {}", case.row).unwrap();
        }
        let certificates = servers::certificates();
        let files: [(&str, &[u8]); 3] = [
            ("main.cf", MAIN_CF),
            ("tls_policy", policies.as_bytes()),
            ("authority.pem", &certificates.authority),
        ];
        let mut lab = Lab::new(postfix, &files);
        fs::write(lab.path("transport"), transports).unwrap();
        assert!(lab.start().status.success(), "{}", lab.log());
        let nameserver = lab.serve_zone(zone.trim_end());
        let world = World::start(&lab, certificates);
        let domains: Vec<&str> = cases.iter().map(|it| it.domain.as_str()).collect();
        let delivered = lab.deliver(&domains);
        let destination = |it: &Case| format!("[{}]:{}", it.domain, it.server.port());
        let judged = probed(&lab, cases.iter().map(destination));
        drop((world, nameserver));
        let mut wrong = Vec::new();
        for case in &cases {
            let delivery = delivered.get(&case.domain);
            let is_opportunistic = case.row == "dane" && case.records.is_empty();
            let label = if is_opportunistic { "may" } else { case.row };
            let (verdict, session) = &judged[&case.domain];
            let is = verdict.split(' ').next().unwrap_or_default();
            if is != verdict_of(delivery, &case.server, label) {
                wrong.push(format!("{}: {verdict} {session:?}\n{delivery:?}", case.domain));
            }
        }
        // Or nothing was compared.
        assert!(lab.log().contains("Verified TLS connection established"), "{}", lab.log());
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    });
}
