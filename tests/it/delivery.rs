//! Generated rows, each with a message to a healthy TLS server: `postls lint` has an error on exactly those rows that
//! a real Postfix refuses.
//!
//! `POSTLS_ROUNDS=5000` makes that many rows instead of some hundreds, `POSTLS_SEED` others. `POSTLS_ROWS=file`
//! tries the rows of a file instead, one in a line and without its key, for which `KEY` may stand in it, and
//! shows what each Postfix did.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use postls::postfix::Version;

use crate::generator::{self, Random};
use crate::judges::Judge;
use crate::lab::{self, Delivery, Lab, Outcome};
use crate::rows::{self, Subject, Wish};

/// How many rows without an argument.
const ROWS: u64 = 320;

/// What main.cf says where a row says nothing.
struct Scenario {
    digest: &'static str,
    main_cf: &'static str,
    /// What stands around the recipient's domain to make a next-hop destination.
    nexthop: [&'static str; 2],
}

const DOMAIN: [&str; 2] = ["", ""];

const SCENARIOS: &[Scenario] = &[
    Scenario { digest: "sha256", main_cf: "", nexthop: DOMAIN },
    Scenario {
        digest: "md5",
        main_cf: "smtp_tls_security_level = may\nsmtp_tls_mandatory_ciphers = high\n\
                  smtp_dns_support_level = dnssec\nsmtp_host_lookup = dns, native\n",
        nexthop: DOMAIN,
    },
    Scenario {
        digest: "sha512",
        main_cf: "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_protocols = TLSv1.2\n\
                  smtp_tls_servername = mx.example\nsmtp_dns_support_level = dnssec\n",
        nexthop: ["[", "]:24"],
    },
    // Trust that is not in smtp_tls_CAfile, and names that are not the default ones.
    Scenario {
        digest: "sha1",
        main_cf: "smtp_tls_security_level = none\nsmtp_tls_secure_cert_match = hostname\n\
                  smtp_tls_verify_cert_match = nexthop, dot-nexthop\nsmtp_tls_CAfile =\n\
                  smtp_tls_trust_anchor_file = /etc/postfix/ca.pem\n\
                  smtp_tls_exclude_ciphers = RC4, MD5\nsmtp_tls_connection_reuse = yes\n",
        nexthop: ["", ":24"],
    },
    // Nobody is trusted.
    Scenario {
        digest: "sha256",
        main_cf: "smtp_tls_security_level = fingerprint\nsmtp_tls_fingerprint_cert_match = PIN\n\
                  smtp_tls_CAfile =\nsmtp_dns_support_level = dnssec\nsmtp_host_lookup = dns\n",
        nexthop: DOMAIN,
    },
];

/// A row and where its mail goes.
struct Trial {
    /// The recipient's domain.
    domain: String,
    /// The next-hop destination.
    key: String,
    row: Vec<u8>,
    /// If the row's author may have had another server in mind, the domain of the same row for the one that is there.
    twin: Option<String>,
}

/// How often postls and Postfix were of one mind.
#[derive(Default)]
struct Tally {
    rows: usize,
    refused: usize,
    missed: Vec<String>,
    false_errors: Vec<String>,
}

#[test]
#[ignore = "the model of a row does not know yet all that Postfix refuses"]
fn an_error_is_on_a_row_where_postfix_refuses_it_and_only_there() {
    lab::with_each(|postfix| {
        let mut tally = Tally::default();
        let mut lab = Lab::new(postfix, &[("main.cf", main_cf(postfix, &SCENARIOS[0]).as_bytes())]);
        let pins = pins(&lab);
        let mut trials: Vec<Vec<Trial>> = SCENARIOS.iter().map(|_| Vec::new()).collect();
        let subject = |digest| Subject { version: postfix.version, digest, pins: pins.clone() };
        if let Ok(file) = std::env::var("POSTLS_ROWS") {
            trials[0] = given(&fs::read_to_string(file).expect("POSTLS_ROWS names a file"));
        } else {
            generator::rounds(ROWS, |_, round, random| {
                let number = usize::try_from(round).expect("a small number") % SCENARIOS.len();
                let scenario = &SCENARIOS[number];
                trials[number].extend(made(round, scenario, &subject(scenario.digest), random));
            });
        }
        for (scenario, trials) in SCENARIOS.iter().zip(&trials).filter(|(_, it)| !it.is_empty()) {
            try_all(postfix, &mut lab, scenario, trials, &mut tally);
        }
        let Tally { rows, refused, missed, false_errors } = tally;
        println!(
            "Postfix {}: {rows} rows, {} agree ({refused} refused), {} missed, {} false errors",
            postfix.full_version,
            rows - missed.len() - false_errors.len(),
            missed.len(),
            false_errors.len()
        );
        let wrong = [missed, false_errors].concat();
        assert!(wrong.is_empty(), "postls and Postfix disagree:\n{}", wrong.join("\n"));
    });
}

/// With `PIN` for the certificate's fingerprint. The names in the comment are those in the certificate.
fn main_cf(postfix: &Judge, scenario: &Scenario) -> String {
    let mut text = format!(
        "# {}\nsmtp_tls_policy_maps = texthash:$config_directory/tls_policy\n\
         transport_maps = texthash:$config_directory/transport\nsmtp_tcp_port = 24\n\
         default_process_limit = 20\nsmtp_tls_fingerprint_digest = {}\n{}",
        rows::NAMES,
        scenario.digest,
        scenario.main_cf
    );
    // What OpenSSL thinks of old protocols is not what Postfix thinks of a row.
    let mut lists =
        vec![("high", "HIGH"), ("medium", "HIGH:MEDIUM"), ("null", "eNULL:!aNULL:-aNULL")];
    if postfix.version < Version::new(3, 8) {
        lists.extend([("low", "HIGH:MEDIUM:LOW"), ("export", "HIGH:MEDIUM:LOW:EXPORT")]);
    }
    for (grade, list) in lists {
        writeln!(text, "tls_{grade}_cipherlist = aNULL:-aNULL:{list}:@STRENGTH:@SECLEVEL=0")
            .expect("a String takes all");
    }
    text
}

/// The server's fingerprints, the certificate's before the key's.
fn pins(lab: &Lab) -> Vec<(&'static str, String)> {
    let mut pins = Vec::new();
    for digest in ["md5", "sha1", "sha256", "sha512"] {
        pins.push((digest, lab.certificate_fingerprint(digest)));
        pins.push((digest, lab::public_key_fingerprint(digest)));
    }
    pins
}

/// The rows of a file.
fn given(text: &str) -> Vec<Trial> {
    let trial = |(number, row): (usize, &str)| {
        let key = format!("r{number}.rows.example");
        let row = format!("{key} {}\n", row.replace("KEY", &key)).into_bytes();
        Trial { domain: key.clone(), key, row, twin: None }
    };
    text.lines().enumerate().map(trial).collect()
}

/// The row of a round, and its twin where its author may have had another server in mind.
fn made(round: u64, scenario: &Scenario, subject: &Subject, random: &mut Random) -> Vec<Trial> {
    let another = random.below(4) == 0;
    let make = |letter: &str, wish: Wish| {
        let domain = format!("{letter}{round}.rows.example");
        let key = scenario.nexthop.join(&domain);
        let row = rows::row(&key, &domain, subject, wish, &mut random.clone());
        Trial { domain, key, row, twin: None }
    };
    let (mut row, same) = (make("r", Wish::AnotherServer), make("r", Wish::ThisServer));
    if !another || row.row == same.row {
        return vec![same];
    }
    let twin = make("t", Wish::ThisServer);
    row.twin = Some(twin.domain.clone());
    vec![row, twin]
}

fn try_all(
    postfix: &'static Judge,
    lab: &mut Lab,
    scenario: &Scenario,
    trials: &[Trial],
    tally: &mut Tally,
) {
    let pin = lab.certificate_fingerprint(scenario.digest);
    let main_cf = main_cf(postfix, scenario).replace("PIN", &pin);
    let table: Vec<u8> = trials.iter().flat_map(|it| it.row.clone()).collect();
    lab.refurnish(&[("main.cf", main_cf.as_bytes())]);
    write_trust_files(lab);
    lab.write("tls_policy", &table);
    let routes = trials.iter().map(|it| format!("{} smtp:{}\n", it.domain, it.key));
    lab.write("transport", routes.collect::<String>().as_bytes());
    lab.start();
    let nameserver = scenario.main_cf.contains("smtp_host_lookup").then(|| lab.serve_names());
    let domains: Vec<&str> = trials.iter().map(|it| it.domain.as_str()).collect();
    let deliveries = lab.deliver(&domains);
    lab.stop();
    drop(nameserver);

    let ignored = ignored(&deliveries);
    for (trial, errors) in trials.iter().zip(errors(lab, trials)) {
        let delivery = deliveries.get(&trial.domain);
        let refused = ignored.contains(&trial.key) || is_refused(trial, &deliveries);
        let row = trial.row.trim_ascii_end().escape_ascii();
        let shown = format!(
            "Postfix {} with {:?}: {row}\n    postls {errors:?}, Postfix {delivery:?}",
            postfix.full_version, scenario.main_cf
        );
        if std::env::var_os("POSTLS_ROWS").is_some() {
            println!("{shown}");
        }
        tally.rows += 1;
        tally.refused += usize::from(refused);
        match (refused, errors.is_empty()) {
            (true, true) => tally.missed.push(format!("missed: {shown}")),
            (false, false) => tally.false_errors.push(format!("false error: {shown}")),
            (true, false) | (false, true) => {}
        }
    }
}

/// What tafile= may name.
fn write_trust_files(lab: &Lab) {
    let authority = fs::read(lab.path("ca.pem")).expect("the lab has it");
    lab.write("ca.pem", &authority);
    lab.write("locked.pem", &authority);
    lab.write("other.pem", &lab::another_authority());
    lab.write("empty.pem", b"");
    lab.write("broken.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let locked = lab.config_dir().join("locked.pem");
    fs::set_permissions(locked, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// The rules that say error, for each trial: `postls lint` in the lab's directory, where the files are.
fn errors(lab: &Lab, trials: &[Trial]) -> Vec<Vec<String>> {
    let mut command = lab.outside(env!("CARGO_BIN_EXE_postls"));
    let output =
        command.args(["lint", "--format", "json"]).arg("-c").arg(lab.config_dir()).output();
    let output = output.expect("the program was built").stdout;
    let report: serde_json::Value = serde_json::from_slice(&output).expect("lint prints JSON");
    let mut errors: Vec<Vec<String>> = vec![Vec::new(); trials.len()];
    let mut row_of_line = vec![0];
    for (row, trial) in trials.iter().enumerate() {
        row_of_line.extend(trial.row.iter().filter(|it| **it == b'\n').map(|_| row));
    }
    let findings = report["findings"].as_array().expect("a list");
    for finding in findings.iter().filter(|it| it["severity"] == "error") {
        assert_eq!(finding["file"], "tls_policy", "main.cf is good: {finding}");
        let line = finding["line"].as_u64().and_then(|it| usize::try_from(it).ok());
        let row = line.and_then(|it| row_of_line.get(it)).expect("a line of the table");
        errors[*row].push(finding["rule"].as_str().expect("a name").to_owned());
    }
    errors
}

/// The keys whose rows Postfix does without, when it reads the table.
fn ignored(deliveries: &HashMap<String, Delivery>) -> HashSet<String> {
    let key = |said: &String| {
        // A tabulator is shown as a question mark.
        let (_, row) = said.strip_suffix("-- ignoring this line")?.split_once('"')?;
        Some(row.split([' ', '?']).next()?.to_owned())
    };
    deliveries.values().flat_map(|it| &it.warnings).filter_map(key).collect()
}

/// Whether a row is refused. What the server is not trusted for is its author's wish, if the same row for this
/// server is kept.
fn is_refused(trial: &Trial, deliveries: &HashMap<String, Delivery>) -> bool {
    const WISHES: &[&str] = &["Server certificate not ", "server unavailable or unable to receive"];
    let held = |domain: &String| deliveries.get(domain).map_or(Some("nothing is known"), held);
    let Some(reason) = held(&trial.domain) else { return false };
    let is_wish = WISHES.iter().any(|it| reason.starts_with(it))
        && trial.twin.as_ref().is_some_and(|it| held(it).is_none());
    !is_wish
}

/// Why a message is held, where that is not the server's doing.
fn held(delivery: &Delivery) -> Option<&str> {
    /// What this server answers, another one might take.
    const SERVER: &[&str] = &["alert handshake failure", "alert protocol version"];
    let by_server = |said: &String| SERVER.iter().any(|it| said.contains(it));
    match &delivery.outcome {
        Outcome::Sent { .. } => None,
        Outcome::Deferred { .. } if delivery.warnings.iter().any(by_server) => None,
        Outcome::Deferred { reason } | Outcome::Bounced { reason } => Some(reason),
        Outcome::Unknown => Some("nothing is known"),
    }
}
