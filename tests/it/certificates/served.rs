//! What OpenSSL and real Postfixes make of every case, and which certificates they then send.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use postls::certificate::load::{Identity, Loading, Problem, ProblemKind};
use postls::certificate::pem;
use postls::postfix::Version;

use super::cases::{self, Case, How};
use crate::judges::Judge;
use crate::lab::{self, Lab};

/// Postfix switches TLS off where postls says so and only there, and sends what postls says.
#[test]
fn postfix_loads_and_sends_what_postls_says() {
    let (all, files, pairs) = cases::all();
    let loadings: Vec<Loading> = all.iter().map(Case::loading).collect();
    for (case, loading) in all.iter().zip(&loadings) {
        let stops = loading.problems.iter().filter(|it| it.kind.switches_tls_off()).count();
        assert_eq!(loading.not_checked, None, "{}: {loading:?}", case.name);
        assert_eq!(stops, usize::from(loading.identities.is_empty()), "{}: {loading:?}", case.name);
    }
    lab::with_each(|postfix| {
        let mut lab = Lab::new(postfix, &[("main.cf", MAIN_CF.as_bytes())]);
        lab.write("master.cf", master_cf(&lab, &all).as_bytes());
        lab.start();
        let outputs = connect(&lab, all.len(), 3 * (files + pairs));
        let log = lab.log();
        lab.stop();
        let (mut wrong, mut on, mut sent) = (Vec::new(), 0, 0);
        let mut shy = BTreeSet::new();
        for (at, (case, loading)) in all.iter().zip(&loadings).enumerate() {
            // Postfix offers STARTTLS in any case, and refuses it where it could not load its files.
            let of_case = |it: &&str| it.contains(&format!(" case{at}x/"));
            let said: Vec<&str> = log.lines().filter(of_case).collect();
            let is_on = !said.iter().any(|it| it.contains("disabling TLS support"));
            let chains = chains(&outputs[at]);
            on += usize::from(is_on);
            sent += chains.len();
            let mut wrongly = |what: &str| {
                wrong.push(format!("{}: {what}; {loading:#?}\n{}", case.name, said.join("\n")));
            };
            if said.is_empty() || is_on != expected(loading, postfix) {
                wrongly(&format!("TLS {is_on}"));
            }
            if !is_on && !chains.is_empty() {
                wrongly("sent without TLS");
            }
            if is_on && chains.is_empty() {
                shy.insert(case.name.rsplit_once(',').map_or(case.name.as_str(), |it| it.0));
            }
            if !chains.iter().all(|it| loading.identities.iter().any(|ours| same(ours, it))) {
                wrongly("another chain sent");
            }
            let different: BTreeSet<_> = chains.iter().collect();
            if loading.identities.len() == 2 && is_on && different.len() != 2 {
                wrongly("one of two identities sent");
            }
        }
        println!(
            "{files} files, {pairs} pairs, {} ways: verdicts equal Postfix {}'s: {on} with TLS, {} without; \
             {sent} chains sent, {} different; nobody can shake hands with {shy:?}",
            all.len(),
            postfix.full_version,
            all.len() - on,
            wrong.len(),
        );
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

const MAIN_CF: &str = "smtpd_tls_security_level = may\nsmtpd_peername_lookup = no\nmax_use = 1\nmax_idle = 1s\n\
    smtpd_client_connection_count_limit = 0\nsmtpd_client_connection_rate_limit = 0\nsmtpd_tls_chain_files =\n\
    tls_medium_cipherlist = ALL:@SECLEVEL=0\nsmtpd_tls_exclude_ciphers = aNULL\n";

/// OpenSSL 1.1.1 (Debian's with Postfix 3.5) does not see what is behind a byte order mark.
fn expected(loading: &Loading, postfix: &Judge) -> bool {
    let is_old = postfix.version < Version::new(3, 7);
    // Issuers are not needed to begin.
    let hides_first = |it: &Problem| it.kind == ProblemKind::ByteOrderMark && it.range.start < 300;
    let is_hidden = is_old && loading.problems.iter().any(hides_first);
    !loading.identities.is_empty() && !is_hidden
}

fn master_cf(lab: &Lab, all: &[Case]) -> String {
    let mut text = String::new();
    let directory = lab.path("cases");
    fs::create_dir(&directory).expect("the directory is writable");
    for (at, case) in all.iter().enumerate() {
        writeln!(text, "127.0.0.1:{} inet n - n - - smtpd -o syslog_name=case{at}x", port(at))
            .expect("a String takes all");
        let write = |name: String, bytes: &[u8]| -> PathBuf {
            let path = directory.join(name);
            fs::write(&path, bytes).expect("the directory is writable");
            path
        };
        match &case.how {
            How::Chain(files) => {
                let paths = files.iter().enumerate().map(|(file, bytes)| {
                    write(format!("{at}.{file}"), bytes).display().to_string()
                });
                let paths: Vec<String> = paths.collect();
                writeln!(text, "  -o smtpd_tls_chain_files={}", paths.join(","))
                    .expect("a String takes all");
            }
            How::Pairs(files) => {
                for (kind, (certificate, key)) in ["", "ec"].iter().zip(files) {
                    let path = write(format!("{at}.{kind}cert"), certificate);
                    let key = key.as_ref().map(|it| write(format!("{at}.{kind}key"), it));
                    writeln!(
                        text,
                        "  -o smtpd_tls_{kind}cert_file={} -o smtpd_tls_{kind}key_file={}",
                        path.display(),
                        key.as_ref().unwrap_or(&path).display()
                    )
                    .expect("a String takes all");
                }
            }
        }
    }
    text
}

fn port(at: usize) -> usize {
    20_000 + at
}

/// What the openssl program says of each service: once as it likes it, and from `several` on once for each of the
/// two kinds of keys that a server may have beside each other.
fn connect(lab: &Lab, count: usize, several: usize) -> Vec<String> {
    const SCRIPT: &str = r#"
cd "$1"
with() {
    port=$((20000 + at))
    timeout 20 openssl s_client -starttls smtp -connect "127.0.0.1:$port" -showcerts "$@" 2>&1 </dev/null
}
at=$2
while [ "$at" -lt "$3" ]; do
    {
        with -cipher ALL:@SECLEVEL=0 -curves X25519:P-256:P-384:P-521:P-224:secp256k1:brainpoolP256r1
        # Servers with two kinds of keys.
        if [ "$at" -ge "$4" ]; then for kind in aRSA aECDSA; do
            echo "=== $kind"
            with -tls1_2 -cipher "$kind:@SECLEVEL=0"
        done; fi
    } >"$at.out"
    at=$((at + 1))
done
"#;
    let directory = lab.path("cases");
    let parts = [0, 1].map(|part| {
        let (from, to) = (count * part / 2, count * (part + 1) / 2);
        let mut command = lab.inside("bash");
        command.args(["-c", SCRIPT, "connect"]).arg(&directory);
        command.args([from, to, several].map(|it| it.to_string())).spawn().expect("bash runs")
    });
    for mut part in parts {
        assert!(part.wait().expect("bash runs").success());
    }
    (0..count).map(|at| read(&directory.join(format!("{at}.out")))).collect()
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The chains in what the openssl program printed.
fn chains(output: &str) -> Vec<Vec<Vec<u8>>> {
    let chains = output.split("=== ").map(|it| {
        let blocks = pem::blocks(it.as_bytes()).expect("openssl prints PEM");
        blocks.into_iter().filter(|it| it.label == b"CERTIFICATE").map(|it| it.der).collect()
    });
    chains.filter(|it: &Vec<_>| !it.is_empty()).collect()
}

fn same(identity: &Identity, chain: &[Vec<u8>]) -> bool {
    let ours = std::iter::once(&identity.certificate).chain(&identity.chain);
    ours.map(postls::certificate::Certificate::der).eq(chain.iter().map(Vec::as_slice))
}
