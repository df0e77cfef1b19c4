//! Each error that lint finds in a real file is confirmed by Postfix.
//!
//! Real files name users, certificates, ports and hosts that are not here. So postconf reads the whole
//! directory, and what it does not speak of is tried alone: the logical line, service or row of the finding,
//! and the TLS parameters beside it, in a lab. Services listen on port 25 there and have no chroot jail; a key
//! such as `partner.com` becomes `partner.com.example`, a transport is that of plain.example. Of one rule in one file a few are tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use postls::rules;

use super::{Found, Host, hosts, lint};
use crate::judges::Judge;
use crate::lab::{self, Lab, Outcome};

/// Of one rule in one configuration, so many are tried alone.
const TRIED: usize = 2;

/// Labs side by side, for each version: they mostly wait.
const LABS: usize = 4;

/// What postconf says of a whole directory; `MARKED` is what lint marks, `LINE` where.
const BY_POSTCONF: &[(&str, &str)] = &[
    ("unused-parameter", "unused parameter: MARKED="),
    ("duplicate-parameter", "overriding earlier entry: MARKED="),
    ("missing-equals", "line LINE: missing '=' after attribute name"),
    ("master-fields-missing", "line LINE: bad field count"),
    ("orphan-continuation", "logical line must not start with whitespace"),
    ("master-argument-braces", "syntax error after '}' in"),
    ("master-argument-braces", "missing '}' in"),
    ("value-unexpandable", "attribute name syntax error"),
    ("value-unexpandable", "macro processing error"),
];

/// What is said of a part alone, where it is not what the rule's example says of itself.
const ALONE: &[(&str, &str)] = &[
    ("policy-unknown-attribute", "malformed attribute/value pair"),
    ("policy-unknown-attribute", "Invalid TLS protocol list"),
    ("policy-attribute-invalid", "Invalid TLS protocol list"),
    ("policy-attribute-invalid", "invalid cipher grade"),
    ("transport-unknown", "connect to transport private/"),
    ("unsupported-table-type", "unsupported dictionary type"),
    ("table-name-malformed", "No such file or directory"),
    ("next-hop-invalid", "in server description"),
    ("ipv6-address-unbracketed", "unsupported dictionary type"),
    ("wrappermode-needs-encrypt", "wrappermode"),
    ("master-user-privileged", "specifies root privileges"),
];

/// What is about rows that no daemon ever asks for: nothing is said of them, which is the trouble.
const UNSEEN: &[&str] = &["policy-key-invalid", "policy-key-form-mismatch"];

/// What is about all that a file has, or about a database that is not here: a part alone cannot show it. The
/// examples of these rules do.
const OF_THE_WHOLE: &[&str] = &["tlsmgr-missing", "service-missing", "proxied-table-not-approved"];

/// Rules about values that a program says nothing of before it reads them.
const READ_LATE: &[&str] = &["inline-comment", "number-invalid", "mailbox-limit-too-small"];

/// Parameters that a part alone has from its main.cf.
const BESIDE: &[&str] = &[
    "smtp_tls_",
    "smtpd_tls_",
    "lmtp_tls_",
    "smtp_use_tls",
    "smtp_enforce_tls",
    "smtpd_use_tls",
    "smtpd_enforce_tls",
];

/// Files of TLS that are not here; those of the lab are.
const OTHER_FILES: &[&str] =
    &["_file", "_path", "_CAfile", "_CApath", "_session_cache_database", "_policy_maps", "_files"];

#[derive(Default)]
struct Tally {
    by_postconf: usize,
    alone: usize,
    silent: usize,
    not_tried: usize,
    not_confirmed: Vec<String>,
}

#[test]
fn each_error_is_one_for_postfix() {
    let hosts = hosts();
    let judges = lab::all();
    let (Some(oldest), Some(newest), false) = (judges.first(), judges.last(), hosts.is_empty())
    else {
        return;
    };
    lab::with_each(|postfix| {
        if ![oldest.version, newest.version].contains(&postfix.version) {
            return;
        }
        let tally = judge(postfix, &hosts);
        let Tally { by_postconf, alone, silent, not_tried, not_confirmed } = tally;
        println!(
            "Postfix {}: {} configurations; errors confirmed by postconf {by_postconf}, alone in a lab {alone}; \
             {silent} of which it says nothing, or not of a part, {not_tried} like those tried, {} not confirmed",
            postfix.full_version,
            hosts.len(),
            not_confirmed.len()
        );
        assert!(not_confirmed.is_empty(), "{}", not_confirmed.join("\n"));
    });
}

fn judge(postfix: &'static Judge, hosts: &[Host]) -> Tally {
    let errors: Vec<Found> = lint(hosts, &postfix.version.to_string())
        .into_iter()
        .filter(|it| it.severity == "error")
        .collect();
    let said = postconf_says(postfix, hosts, &errors);
    let mut tally = Tally::default();
    let mut tried: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut trials: BTreeMap<(&str, Files), Vec<&Found>> = BTreeMap::new();
    for error in &errors {
        let rule = rules::find(&error.rule).expect("it is a rule");
        let wordings =
            BY_POSTCONF.iter().filter(|it| it.0 == error.rule).map(|it| of_place(it.1, error));
        let lines = said.get(&error.host).map(String::as_str).unwrap_or_default();
        if wordings
            .into_iter()
            .any(|it| lines.lines().any(|line| line.contains(&it) && line.contains(&error.file)))
        {
            tally.by_postconf += 1;
        } else if rule.postfix_says.is_empty()
            || UNSEEN.contains(&rule.id)
            || OF_THE_WHOLE.contains(&rule.id)
        {
            tally.silent += 1;
        } else {
            let count = tried.entry((error.host, rule.id)).or_default();
            *count += 1;
            if *count > TRIED {
                tally.not_tried += 1;
            } else {
                trials.entry((rule.id, alone(&hosts[error.host], error))).or_default().push(error);
            }
        }
    }
    let trials: Mutex<Vec<_>> = Mutex::new(trials.into_iter().collect());
    let tally = Mutex::new(tally);
    thread::scope(|scope| {
        for _ in 0..LABS {
            scope.spawn(|| {
                let mut lab = Lab::new(postfix, &[]);
                while let Some(((rule, files), found)) =
                    { trials.lock().expect("no thread failed").pop() }
                {
                    let result = confirms(&mut lab, rule, &files);
                    let mut tally = tally.lock().expect("no thread failed");
                    match result {
                        Ok(()) => tally.alone += found.len(),
                        Err(why) => tally.not_confirmed.extend(found.iter().map(|it| {
                            let host = &hosts[it.host].name;
                            format!(
                                "{host}/{}:{}: {} [{rule}]: {why}",
                                it.file, it.line, it.message
                            )
                        })),
                    }
                }
            });
        }
    });
    tally.into_inner().expect("no thread failed")
}

/// What postconf says of each configuration with errors.
fn postconf_says(postfix: &Judge, hosts: &[Host], errors: &[Found]) -> BTreeMap<usize, String> {
    let chamber = postfix.chamber();
    let wanted: BTreeSet<usize> = errors.iter().map(|it| it.host).collect();
    for host in &wanted {
        chamber.write(&format!("{host}/master.cf"), b"");
        for (name, bytes) in &hosts[*host].files {
            chamber.write(&format!("{host}/{name}"), bytes);
        }
    }
    let at = chamber.path().display();
    chamber.side_by_side(wanted.iter().map(|host| {
        format!("for how in -n -M -P; do postconf -c {at}/{host} $how; done >/dev/null 2>{at}/{host}/.said")
    }));
    let read = |host: &usize| {
        std::fs::read(chamber.path().join(format!("{host}/.said"))).unwrap_or_default()
    };
    wanted.iter().map(|host| (*host, String::from_utf8_lossy(&read(host)).into_owned())).collect()
}

fn of_place(wording: &str, error: &Found) -> String {
    wording.replace("MARKED", &error.marked).replace("LINE", &error.line.to_string())
}

type Files = Vec<(String, Vec<u8>)>;

/// A configuration that has only what the finding is about.
fn alone(host: &Host, error: &Found) -> Files {
    let file = |name: &str| host.files.get(name).map(Vec::as_slice).unwrap_or_default();
    let part = logical_line(file(&error.file), error.line);
    let mut main_cf = Vec::new();
    let mut files = Files::new();
    if error.rule == "smtpd-certificate-missing" {
        main_cf.extend_from_slice(b"smtpd_tls_chain_files =\n");
    }
    let tls = ["smtp-", "smtpd-", "dane-", "policy-", "fingerprint-", "wrappermode-"]
        .iter()
        .any(|it| error.rule.starts_with(it));
    if tls {
        main_cf.extend(beside(file("main.cf"), &part));
    }
    match error.file.as_str() {
        "main.cf" if error.rule == "value-unexpandable" => main_cf.extend(file("main.cf")),
        "main.cf" if error.rule == "duplicate-parameter" => {
            main_cf.extend([&part[..], error.marked.as_bytes(), b" = another\n"].concat());
        }
        "main.cf" => {
            // An encrypted session is what reads the settings of one.
            if error.rule == "smtpd-protocol-invalid" && name(&part).contains("_mandatory_") {
                main_cf.extend_from_slice(b"smtpd_tls_security_level = encrypt\n");
            }
            if READ_LATE.contains(&error.rule.as_str()) {
                main_cf.extend_from_slice(reader_of(&name(&part)));
            }
            main_cf.extend(&part);
        }
        "master.cf" if error.rule == "master-duplicate-service" => {
            // What the other one is does not matter.
            files.push(("master.cf".to_owned(), service(&part).repeat(2)));
        }
        "master.cf" if error.rule == "transport-unknown" => {
            main_cf.extend(format!("content_filter = {}\n", error.marked).bytes());
        }
        "master.cf" if error.rule == "master-user-privileged" => {
            main_cf.extend([b"default_transport = ", first_word(&part), b"\n"].concat());
            files.push(("master.cf".to_owned(), service(&part)));
        }
        "master.cf" if tls => {
            let lines = part.split_inclusive(|it| *it == b'\n').enumerate();
            let of_tls =
                lines.filter(|(number, it)| *number == 0 || it.windows(5).any(|it| it == b"_tls_"));
            let part: Vec<u8> = of_tls.flat_map(|(_, it)| it.iter().copied()).collect();
            files.push(("master.cf".to_owned(), service(&part)));
        }
        "master.cf" => files.push(("master.cf".to_owned(), service(&part))),
        table if error.rule == "transport-unknown" || error.rule == "next-hop-invalid" => {
            main_cf.extend(format!("transport_maps = texthash:/etc/postfix/{table}\n").bytes());
            let words = part.iter().position(u8::is_ascii_whitespace).unwrap_or(part.len());
            files.push((table.to_owned(), [b"plain.example", &part[words..]].concat()));
        }
        table => {
            let key = first_word(&part).to_ascii_lowercase();
            let rows = file(table).split_inclusive(|it| *it == b'\n').enumerate();
            let same = rows.filter(|(number, row)| {
                number + 1 == error.line
                    || (error.rule == "table-duplicate-key"
                        && first_word(row).eq_ignore_ascii_case(&key))
            });
            let rows: Vec<u8> = same
                .flat_map(|(number, _)| with_example(&logical_line(file(table), number + 1)))
                .collect();
            main_cf
                .extend(format!("smtp_tls_policy_maps = texthash:/etc/postfix/{table}\n").bytes());
            files.push((table.to_owned(), rows));
        }
    }
    files.push(("main.cf".to_owned(), main_cf));
    files
}

/// What makes a daemon read a parameter.
fn reader_of(name: &str) -> &'static [u8] {
    match name {
        "smtpd_tls_security_level" => b"",
        "smtpd_tls_key_file" => {
            b"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /etc/postfix/certificate.pem\n"
        }
        // Read by local(8), which then bounces what it does not have to defer.
        "mailbox_size_limit" | "message_size_limit" => b"mydestination = plain.example\n",
        name if name.starts_with("smtpd_tls_") => b"smtpd_tls_security_level = may\n",
        _ => b"",
    }
}

/// The line and those that continue it, with a line end.
fn logical_line(bytes: &[u8], line: usize) -> Vec<u8> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|it| *it == b'\n').collect();
    let continues = |it: &&[u8]| it.first().is_some_and(|it| b" \t".contains(it));
    let idle = |it: &&[u8]| it.trim_ascii_start().first().is_none_or(|it| *it == b'#');
    let mut first = line.min(lines.len()) - 1;
    while first > 0 && (continues(&lines[first]) || idle(&lines[first])) {
        first -= 1;
    }
    let more =
        lines[first + 1..].iter().take_while(|it| continues(it) || idle(it)).filter(|it| !idle(it));
    let mut text = lines[first].to_vec();
    text.extend(more.flat_map(|it| it.iter()));
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

/// What main.cf says of TLS, but the finding's own parameter, and files.
fn beside(main_cf: &[u8], part: &[u8]) -> Vec<u8> {
    let count = main_cf.split(|it| *it == b'\n').count();
    let own = name(part);
    let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for line in 1..=count {
        let text = logical_line(main_cf, line);
        let name = name(&text);
        let is_file = OTHER_FILES.iter().any(|it| name.ends_with(it))
            && !text.trim_ascii_end().ends_with(b"=");
        let is_filled_in_later = text.windows(2).any(|it| it == b"{{");
        if BESIDE.iter().any(|it| name.starts_with(it))
            && !is_file
            && !is_filled_in_later
            && name != own
        {
            kept.insert(name, text);
        }
    }
    kept.into_values().flatten().collect()
}

fn name(text: &[u8]) -> String {
    let name = text.split(|it| *it == b'=').next().unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii()).into_owned()
}

fn first_word(row: &[u8]) -> &[u8] {
    row.split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// A server on port 25 in place of a server elsewhere; no chroot jail.
fn service(part: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(part);
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [name, kind, private, unprivileged, _, wakeup, limit, program, ..] = fields[..] else {
        return part.to_owned();
    };
    let behind = text.match_indices(char::is_whitespace).map(|it| it.0);
    let mut ends = behind.filter(|at| *at > 0 && !text[..*at].ends_with(char::is_whitespace));
    let rest = ends.nth(7).map_or("\n", |at| &text[at..]);
    let name = if kind == "inet" && program == "smtpd" { "127.0.0.1:25" } else { name };
    format!("{name} {kind} {private} {unprivileged} n {wakeup} {limit} {program}{rest}")
        .into_bytes()
}

/// A row for a name that the lab knows.
fn with_example(row: &[u8]) -> Vec<u8> {
    let key = first_word(row);
    let end = key.iter().position(|it| b"]:".contains(it)).unwrap_or(key.len());
    let example: &[u8] =
        if key.contains(&b'*') || key.ends_with(b".example") { b"" } else { b".example" };
    [&row[..end], example, &row[end..]].concat()
}

/// Whether Postfix says what the rule says; otherwise what it said.
fn confirms(lab: &mut Lab, rule: &str, files: &Files) -> Result<(), String> {
    let verdict = lab
        .judge(&files.iter().map(|(name, it)| (name.as_str(), it.as_slice())).collect::<Vec<_>>());
    let known = ALONE.iter().filter(|it| it.0 == rule).map(|it| it.1);
    let said = |wording: &str| verdict.said.iter().any(|it| it.contains(wording));
    let confirmed = if rule == "inline-comment" {
        let hurts = |it: &String| {
            !it.contains("comment at end of line is not supported")
                && !it.contains("#comment after other text")
                && !it.starts_with("mail to ")
        };
        let deferred = matches!(
            verdict.outcome_of("plain.example"),
            Some(Outcome::Deferred { .. } | Outcome::Unknown) | None
        );
        verdict.said.iter().any(hurts) || deferred
    } else {
        let wordings = rules::find(rule).expect("it is a rule").postfix_says.lines().map(general);
        let postconf =
            BY_POSTCONF.iter().filter(|it| it.0 == rule).filter_map(|it| it.1.split(": ").last());
        // An old postfix-script keeps to itself why.
        wordings.chain(postconf).chain(known).chain(["postfix does not start"]).any(said)
    };
    if confirmed {
        return Ok(());
    }
    let files: Vec<String> =
        files.iter().map(|(name, it)| format!("{name}: {}", it.escape_ascii())).collect();
    Err(format!("Postfix says {:?} of {}", verdict.said, files.join("; ")))
}

/// What an example's complaint has in common with those of other values.
fn general(wording: &str) -> &str {
    let end = wording.find(['"', ':']).filter(|it| *it >= 10);
    end.map_or(wording, |it| wording[..it].trim_end())
}
