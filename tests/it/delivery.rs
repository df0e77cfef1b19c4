//! Generated rows, each with a message to a healthy TLS server: `postls lint` has an error on exactly those rows that
//! a real Postfix refuses, and its effective policy has the level and the outcome that are seen.
//!
//! `POSTLS_ROUNDS=5000` makes that many rows instead of some hundreds, `POSTLS_SEED` others. `POSTLS_ROWS=file`
//! tries the rows of a file instead, one in a line and without its key, for which `KEY` may stand in it, and
//! shows what each Postfix did.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use postls::postfix::Version;

use crate::generator::{self, Random};
use crate::judges::Judge;
use crate::lab::{self, Lab};
use crate::rows::{self, Subject, Wish};

mod said;
mod seen;

use seen::Seen;

/// How many rows without an argument.
const ROWS: u64 = 320;

/// What main.cf says where a row says nothing.
struct Scenario {
    digest: &'static str,
    main_cf: &'static str,
    /// What stands around the recipient's domain to make a next-hop destination.
    nexthop: [&'static str; 2],
    /// Main.cf's level, where smtp(8) says for each row whether another one is in force, among some hundred lines.
    verbose: Option<&'static str>,
}

/// The parent of all domains whose server is without TLS.
const CLEAR: &str = "rows.cleartext.example";

const DOMAIN: [&str; 2] = ["", ""];

const SCENARIOS: &[Scenario] = &[
    Scenario { digest: "sha256", main_cf: "", nexthop: DOMAIN, verbose: None },
    Scenario {
        digest: "md5",
        main_cf: "smtp_tls_security_level = may\nsmtp_tls_mandatory_ciphers = high\n\
                  smtp_dns_support_level = dnssec\nsmtp_host_lookup = dns, native\n",
        nexthop: DOMAIN,
        verbose: Some("may"),
    },
    Scenario {
        digest: "sha512",
        main_cf: "smtp_tls_security_level = encrypt\nsmtp_tls_mandatory_protocols = TLSv1.2\n\
                  smtp_tls_servername = mx.example\nsmtp_dns_support_level = dnssec\n",
        nexthop: ["[", "]:24"],
        verbose: None,
    },
    // Trust that is not in smtp_tls_CAfile, and names that are not the default ones.
    Scenario {
        digest: "sha1",
        main_cf: "smtp_tls_security_level = none\nsmtp_tls_secure_cert_match = hostname\n\
                  smtp_tls_verify_cert_match = nexthop, dot-nexthop\nsmtp_tls_CAfile =\n\
                  smtp_tls_trust_anchor_file = /etc/postfix/ca.pem\n\
                  smtp_tls_exclude_ciphers = RC4, MD5\n",
        nexthop: ["", ":24"],
        verbose: None,
    },
    // Nobody is trusted.
    Scenario {
        digest: "sha256",
        main_cf: "smtp_tls_security_level = fingerprint\nsmtp_tls_fingerprint_cert_match = PIN\n\
                  smtp_tls_CAfile =\nsmtp_dns_support_level = dnssec\nsmtp_host_lookup = dns\n",
        nexthop: DOMAIN,
        verbose: None,
    },
];

/// A row and where its mail goes.
struct Trial {
    /// The recipient's domain.
    domain: String,
    /// The next-hop destination.
    key: String,
    row: Vec<u8>,
    /// The domain of the same row for a server without TLS, and that row.
    clear_domain: String,
    clear_row: Vec<u8>,
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
    /// Where the effective policy is another one than the log shows.
    other_policies: Vec<String>,
}

#[test]
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
        let Tally { rows, refused, missed, false_errors, other_policies } = tally;
        println!(
            "Postfix {}: {rows} rows ({refused} refused), {} agree, {} missed, {} false errors, {} other policies",
            postfix.full_version,
            rows - missed.len() - false_errors.len(),
            missed.len(),
            false_errors.len(),
            other_policies.len()
        );
        let wrong = [missed, false_errors, other_policies].concat();
        assert!(wrong.is_empty(), "postls and Postfix disagree:\n{}", wrong.join("\n"));
    });
}

/// With `PIN` for the certificate's fingerprint. The names in the comment are those in the certificate.
fn main_cf(postfix: &Judge, scenario: &Scenario) -> String {
    let mut text = format!(
        "# {}\nsmtp_tls_policy_maps = texthash:$config_directory/tls_policy \
         texthash:$config_directory/clear_policy\n\
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
    let row = |key: &str, text: &str| format!("{key} {}\n", text.replace("KEY", key)).into_bytes();
    let trial = |(number, text): (usize, &str)| {
        let domain = format!("r{number}.rows.example");
        let clear_domain = format!("r{number}.{CLEAR}");
        Trial {
            key: domain.clone(),
            row: row(&domain, text),
            domain,
            clear_row: row(&clear_domain, text),
            clear_domain,
            twin: None,
        }
    };
    text.lines().enumerate().map(trial).collect()
}

/// The row of a round, and its twin where its author may have had another server in mind.
fn made(round: u64, scenario: &Scenario, subject: &Subject, random: &mut Random) -> Vec<Trial> {
    let another = random.below(4) == 0;
    let make = |letter: &str, wish: Wish| {
        let row =
            |key: &str, domain: &str| rows::row(key, domain, subject, wish, &mut random.clone());
        let domain = format!("{letter}{round}.rows.example");
        let clear_domain = format!("{letter}{round}.{CLEAR}");
        let key = scenario.nexthop.join(&domain);
        Trial {
            row: row(&key, &domain),
            domain,
            key,
            clear_row: row(&scenario.nexthop.join(&clear_domain), &clear_domain),
            clear_domain,
            twin: None,
        }
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
    let master_cf = if scenario.verbose.is_some() { "smtp unix - - n - - smtp -v\n" } else { "" };
    lab.refurnish(&[("main.cf", main_cf.as_bytes()), ("master.cf", master_cf.as_bytes())]);
    write_trust_files(lab);
    let rows = |row: fn(&Trial) -> &[u8]| trials.iter().map(row).collect::<Vec<_>>().concat();
    lab.write("tls_policy", &rows(|it| &it.row));
    lab.write("clear_policy", &rows(|it| &it.clear_row));
    let domains = trials.iter().flat_map(|it| [it.domain.as_str(), &it.clear_domain]);
    let domains: Vec<&str> = domains.collect();
    let routes = domains.iter().map(|it| format!("{it} smtp:{}\n", scenario.nexthop.join(it)));
    lab.write("transport", routes.collect::<String>().as_bytes());
    let deliver = |lab: &mut Lab, domains: &[&str]| {
        lab.start();
        let nameserver = scenario.main_cf.contains("smtp_host_lookup").then(|| lab.serve_names());
        let seen = Seen::new(lab.deliver(domains));
        lab.stop();
        drop(nameserver);
        seen
    };
    let mut seen = deliver(lab, &domains);
    let errors = said::errors(lab, trials);
    let policies = said::policies(lab, trials);
    let judge = |index: usize, seen: &Seen| {
        compare(&trials[index], &errors[index], &policies[index], seen, scenario.verbose)
    };
    // What happens to a delivery because the machine is busy does not happen twice.
    let doubtful = (0..trials.len()).filter(|it| judge(*it, &seen).is_some());
    let doubtful: BTreeSet<&str> = doubtful
        .flat_map(|it| {
            let Trial { domain, clear_domain, twin, .. } = &trials[it];
            [Some(domain), Some(clear_domain), twin.as_ref()].into_iter().flatten()
        })
        .map(String::as_str)
        .collect();
    if !doubtful.is_empty() {
        seen = deliver(lab, &Vec::from_iter(doubtful));
    }
    for (index, trial) in trials.iter().enumerate() {
        tally.rows += 1;
        tally.refused += usize::from(seen.is_without(trial));
        let verdict = judge(index, &seen);
        let shown = format!(
            "Postfix {} with {:?}: {}\n    postls {:?}, Postfix {:?}",
            postfix.full_version,
            scenario.main_cf,
            trial.row.trim_ascii_end().escape_ascii(),
            errors[index],
            seen.delivery(trial)
        );
        if std::env::var_os("POSTLS_ROWS").is_some() {
            println!("{shown}");
        }
        match verdict {
            Some(Disagreement::Missed) => tally.missed.push(format!("missed: {shown}")),
            Some(Disagreement::FalseError) => {
                tally.false_errors.push(format!("false error: {shown}"));
            }
            Some(Disagreement::Policy(what)) => {
                tally.other_policies.push(format!("{what}: {shown}"));
            }
            None => {}
        }
    }
}

/// How postls and Postfix can be of two minds.
enum Disagreement {
    /// Postfix does not take the row, and lint has no error.
    Missed,
    /// Lint has an error, and Postfix takes the row.
    FalseError,
    /// The effective policy is another one.
    Policy(String),
}

fn compare(
    trial: &Trial,
    errors: &[String],
    policy: &said::Policy,
    seen: &Seen,
    level: Option<&str>,
) -> Option<Disagreement> {
    match (seen.is_without(trial), errors.is_empty()) {
        (true, true) => Some(Disagreement::Missed),
        (false, false) => Some(Disagreement::FalseError),
        (true, false) | (false, true) => {
            seen.other_than(policy, trial, level).map(Disagreement::Policy)
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
