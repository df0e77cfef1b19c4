//! `postls probe` as it is used: in the network of a lab, with small servers that do one thing wrong each.

use std::fs;
use std::process::Output;

use postls::certificate::fingerprint;
use postls::postfix::Digest;
use serde_json::Value;

use crate::lab::{self, Lab, Outcome};
use crate::servers::{self, Server, World};

const MAIN_CF: &[u8] = b"smtp_tls_security_level = may\n\
    smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n\
    smtp_tls_fingerprint_digest = sha256\n\
    smtp_tls_CAfile = /etc/postfix/authority.pem\n";

/// A lab with all servers, and these policies in force and in the policy file.
struct Scene {
    lab: Lab,
    _world: World,
}

impl Scene {
    /// `None`, with a line that says so, where labs cannot be.
    fn new(table: &str, policy: &str) -> Option<Scene> {
        Scene::with(&[], table, policy)
    }

    /// The same, with these lines more in main.cf.
    fn with(lines: &[&str], table: &str, policy: &str) -> Option<Scene> {
        let postfix = lab::all().iter().find(|it| it.root.is_none())?;
        let certificates = servers::certificates();
        let main_cf = [MAIN_CF, lines.join("\n").as_bytes(), b"\n"].concat();
        let files: [(&str, &[u8]); 4] = [
            ("main.cf", &main_cf),
            ("tls_policy", table.as_bytes()),
            ("postls.yaml", policy.as_bytes()),
            ("authority.pem", &certificates.authority),
        ];
        let mut lab = Lab::new(postfix, &files);
        assert!(lab.start().status.success(), "{}", lab.log());
        let world = World::start(&lab, certificates);
        let hosts: Vec<String> = servers::ALL.iter().map(Server::host).collect();
        lab.resolve(&hosts.join(" "));
        Some(Scene { lab, _world: world })
    }

    fn postls(&self, arguments: &[&str]) -> Output {
        let mut command = self.lab.inside(env!("CARGO_BIN_EXE_postls"));
        command.arg("-c").arg(self.lab.config_dir()).args(arguments);
        command.output().expect("it was built")
    }

    /// The exit status and what was printed.
    fn probe(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.postls(&[&["probe"], arguments].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.lab.config_dir().join(name)).expect("it is there")
    }
}

/// `[mx.good.example]:3000`.
fn destination(name: &str) -> String {
    let server = Server::named(name);
    format!("[{}]:{}", server.host(), server.port())
}

/// The fingerprint of a server's key.
fn key(name: &str) -> String {
    let shown = servers::certificates().of(Server::named(name).identity);
    fingerprint(Digest::Sha256, &shown.key.public_key_to_der().unwrap()).to_string()
}

#[test]
fn what_is_only_tested_never_fails() {
    let (good, bad) = (destination("good"), destination("selfsigned"));
    let table = format!("{good} secure\n");
    let policy = format!(
        "version: 1\ndestinations:\n  \"{good}\": secure\n  \"{bad}\": {{level: secure, testing: true}}\n"
    );
    let Some(scene) = Scene::new(&table, &policy) else { return };
    let (status, said) = scene.probe(&["--format", "json"]);
    assert_eq!(status, Some(0), "{said}");
    let report: Value = serde_json::from_str(&said).expect("it is JSON");
    let of = |destination: &str| {
        let all = report["destinations"].as_array().expect("there are some");
        let found = all.iter().find(|it| it["destination"] == destination);
        found.unwrap_or_else(|| panic!("{destination} in {said}")).clone()
    };
    assert_eq!(of(&good)["verdict"], "verified");
    assert_eq!((&of(&good)["testing"], &of(&bad)["testing"]), (&false.into(), &true.into()));
    assert_eq!(of(&bad)["verdict"], "would-defer", "as if it were in force");
    assert_eq!(of(&bad)["reason"]["id"], "chain-untrusted");
    // Named by somebody it is the same.
    assert_eq!(scene.probe(&[&bad]).0, Some(0));
    // In force it fails.
    scene.lab.write("tls_policy", format!("{bad} secure\n").as_bytes());
    scene.lab.write("postls.yaml", b"version: 1\n");
    assert_eq!(scene.probe(&[&bad]).0, Some(1));
}

#[test]
fn what_is_suggested_is_met() {
    let names = ["good", "selfsigned", "nostarttls", "wildcard", "wrongname"];
    let destinations: Vec<String> = names.iter().map(|it| destination(it)).collect();
    let Some(scene) = Scene::new("", "version: 1\n") else { return };
    let words: Vec<&str> = destinations.iter().map(String::as_str).collect();
    let (status, said) = scene.probe(&[&["--suggest"], words.as_slice()].concat());
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("secure") && said.contains(&key("selfsigned")), "{said}");
    assert!(said.contains("match: [other.example]"), "{said}");
    let policy = format!("version: 1\nparameters: {{smtp_tls_fingerprint_digest: sha256}}\n{said}");
    scene.lab.write("postls.yaml", policy.as_bytes());
    let compiled = scene.postls(&["compile"]);
    assert!(compiled.status.success(), "{said}{}", String::from_utf8_lossy(&compiled.stderr));
    scene.lab.write("tls_policy", &compiled.stdout);
    let (status, said) = scene.probe(&words);
    assert_eq!(status, Some(0), "{said}");
    let verified = said.lines().filter(|it| it.starts_with("VERIFIED")).count();
    assert_eq!(verified, 4, "{said}");
}

#[test]
fn a_key_that_is_seen_becomes_a_pin_if_it_is_the_expected_one() {
    let (destination, new) = (destination("selfsigned"), key("selfsigned"));
    let old = key("good");
    let table = format!("{destination} fingerprint match={old}\n");
    let policy = format!(
        "version: 1\nparameters: {{smtp_tls_fingerprint_digest: sha256}}\ndestinations:\n  \
         \"{destination}\": {{level: fingerprint, pins: [{{pem: old.pem}}]}}\n"
    );
    let Some(scene) = Scene::new(&table, &policy) else { return };
    let leaf = &servers::certificates().of(Server::named("good").identity).chain[0];
    scene.lab.write("old.pem", &leaf.to_pem().unwrap());
    let (status, said) = scene.probe(&[]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("fingerprint-mismatch") && said.contains("--expect"), "{said}");
    let before = scene.read("postls.yaml");
    let (status, said) = scene.probe(&["--pin", &destination, "--expect", &old]);
    assert_eq!((status, scene.read("postls.yaml")), (Some(1), before), "{said}");
    assert!(said.contains(&new) && said.contains("not what was expected"), "{said}");
    let (status, said) = scene.probe(&["--pin", &destination, "--expect", &new]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(said.matches("certificate from 20").count(), 2, "both with dates: {said}");
    assert!(said.contains(&old), "{said}");
    assert!(scene.read("postls.yaml").contains(&new), "{}", scene.read("postls.yaml"));
    // In force, mail goes out; and the old pin is seen nowhere.
    let compiled = scene.postls(&["compile"]);
    scene.lab.write("tls_policy", &compiled.stdout);
    let (status, said) = scene.probe(&[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("VERIFIED") && said.contains("pin-not-seen"), "{said}");
}

#[test]
fn reports_go_to_files_too() {
    let good = destination("good");
    let Some(scene) = Scene::new(&format!("{good} secure\n"), "version: 1\n") else { return };
    let place = |name: &str| scene.lab.path(name).to_string_lossy().into_owned();
    let (page, json, prom) = (place("r.html"), place("r.json"), place("r.prom"));
    let files = ["--report", &page, "--report", &json, "--report", &prom];
    let (status, said) = scene.probe(&[&files[..], &["--format", "nagios", &good]].concat());
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("POSTLS OK"), "{said}");
    assert!(fs::read_to_string(&page).unwrap().contains(&good));
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(report["destinations"][0]["verdict"], "verified");
    assert!(fs::read_to_string(&prom).unwrap().contains("verdict=\"verified\"} 1"));
    // An ending that nobody knows is a mistake, before anything is done.
    let (status, said) = scene.probe(&["--report", "r.txt", &good]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(".html"), "{said}");
}

#[test]
fn where_nothing_can_be_seen_that_is_no_health() {
    let Some(scene) = Scene::new("", "version: 1\n") else { return };
    let (status, said) = scene.probe(&["[mx.busy.example]:1"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("unreachable"), "{said}");
    let (status, said) = scene.probe(&["a..b"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("valid hostname"), "{said}");
    let (status, said) = scene.probe(&["--format", "nagios", "[mx.busy.example]:1"]);
    assert_eq!(status, Some(3), "{said}");
    // What it could not even begin is no critical state of what is watched.
    let good = destination("good");
    let (status, said) = scene.probe(&["--format", "nagios", "--service", "nobody", &good]);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.starts_with("POSTLS UNKNOWN - ") && said.contains("nobody"), "{said}");
    let (status, said) = scene.probe(&["--service", "nobody", &good]);
    assert_eq!(status, Some(2), "{said}");
}

/// The verdict and the reason of the only destination.
fn one(said: &str) -> (String, String) {
    let report: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("no JSON: {said}"));
    let it = &report["destinations"][0];
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    (text(&it["verdict"]), text(&it["reason"]["id"]))
}

#[test]
fn what_only_a_running_postfix_knows_is_not_known() {
    let good = destination("good");
    let lines = ["smtp_tls_policy_maps = socketmap:unix:/nowhere:QUERYwithTLSRPT"];
    let Some(scene) = Scene::with(&lines, "", "version: 1\n") else { return };
    let (status, said) = scene.probe(&["--format", "json", &good]);
    assert_eq!((status, one(&said)), (Some(2), ("unknown".to_owned(), "not-tried".to_owned())));
    let lines = ["smtp_tls_policy_maps =", "smtp_tls_per_site = texthash:/etc/postfix/tls_policy"];
    let Some(scene) = Scene::with(&lines, "", "version: 1\n") else { return };
    assert_eq!(scene.probe(&[&good]).0, Some(2));
}

#[test]
fn a_file_of_authorities_that_openssl_refuses_takes_tls_away() {
    let good = destination("good");
    let lines = ["smtp_tls_CAfile = /etc/postfix/main.cf"];
    for (level, status, verdict) in [("may", 0, "plaintext"), ("encrypt", 1, "would-defer")] {
        let table = format!("{good} {level}\n");
        let Some(scene) = Scene::with(&lines, &table, "version: 1\n") else { return };
        let (is, said) = scene.probe(&["--format", "json", &good]);
        assert_eq!((is, one(&said).0.as_str()), (Some(status), verdict), "{said}");
        // Postfix does the same.
        let server = Server::named("good");
        let domain = server.host();
        let transport = format!("{domain} smtp:[{domain}]:{}\n", server.port());
        fs::write(scene.lab.path("transport"), transport).unwrap();
        let sent = scene.lab.deliver(&[domain.as_str()]);
        let outcome = &sent[&domain].outcome;
        let is_in_clear = matches!(outcome, lab::Outcome::Sent { tls: None });
        assert_eq!(is_in_clear, level == "may", "{outcome:?}");
    }
}

#[test]
fn mail_of_other_services_is_left_to_them() {
    let (good, other) = (destination("good"), destination("wildcard"));
    let Some(scene) =
        Scene::with(&["transport_maps = texthash:/etc/postfix/routes"], "", "version: 1\n")
    else {
        return;
    };
    scene
        .lab
        .write("routes", format!("a.example smtp:{good}\nb.example slow:{other}\n").as_bytes());
    scene.lab.write("master.cf", b"slow unix - - n - - smtp -o smtp_tls_security_level=encrypt\n");
    let (status, said) = scene.probe(&[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(&format!("TRUSTED     {good}")), "{said}");
    assert!(said.contains(&format!("not checked: {other}: another service")), "{said}");
    let (status, said) = scene.probe(&["--service", "slow"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(&format!("TRUSTED     {other}  encrypt")), "{said}");
}

#[test]
fn a_host_that_mta_sts_does_not_name_is_passed_over() {
    let (good, wildcard) = (destination("good"), destination("wildcard"));
    let policy = "secure match=x.example policy_type=sts mx_host_pattern=*.good.example";
    let table = format!("{good} {policy}\n{wildcard} {policy}\n");
    let Some(scene) = Scene::new(&table, "version: 1\n") else { return };
    for (destination, verdict, reason) in
        [(&good, "verified", "certificate-verified"), (&wildcard, "would-defer", "sts-conflict")]
    {
        let asked = ["--postfix", "3.11", "--format", "json", destination];
        let (_, said) = scene.probe(&asked);
        assert_eq!(one(&said), (verdict.to_owned(), reason.to_owned()), "{said}");
    }
}

#[test]
fn nobody_is_told_to_pin_nothing_or_to_ask_for_less() {
    let names = ["anonymous", "nostarttls", "rsa768", "old", "hangsstarttls"];
    let destinations: Vec<String> = names.iter().map(|it| destination(it)).collect();
    let lines = ["smtp_tls_mandatory_protocols = >=TLSv1.2"];
    let Some(scene) = Scene::with(&lines, "", "version: 1\n") else { return };
    let words: Vec<&str> = destinations.iter().map(String::as_str).collect();
    let (_, said) = scene.probe(&[&["--suggest", "--timeout", "3"], words.as_slice()].concat());
    assert!(!said.contains("fingerprint") && !said.contains("secure"), "{said}");
    assert!(!said.contains("may"), "{said}");
    let before = scene.read("postls.yaml");
    let (status, said) = scene.probe(&["--pin", &destinations[0]]);
    assert_eq!((status, scene.read("postls.yaml")), (Some(1), before), "{said}");
    // What is in force asks for more than a server without TLS can: that is no reason to give it up.
    let table = format!("{} secure\n", destinations[1]);
    scene.lab.write("tls_policy", table.as_bytes());
    let (status, said) = scene.probe(&[&destinations[1]]);
    assert_eq!(status, Some(1), "{said}");
    assert!(!said.contains(": may"), "{said}");
    assert!(scene.probe(&["--suggest", &destinations[1]]).1.contains("nothing to suggest"));
}

#[test]
fn the_readme_shows_what_is_printed() {
    let (pinned, other) = (destination("selfsigned"), destination("wrongname"));
    let pin = key("selfsigned");
    let table =
        format!("{pinned} fingerprint match={pin}\n{other} secure match=.partner.example\n");
    let policy = format!("version: 1\ndestinations: {{\"{pinned}\": may, \"{other}\": may}}\n");
    let Some(scene) = Scene::new(&table, &policy) else { return };
    let (status, said) = scene.probe(&[]);
    assert_eq!(status, Some(1), "{said}");
    let readme = fs::read_to_string("README.md").expect("it is there");
    // The last line names the Postfix at hand.
    let shown = said.rsplit_once(" (service").expect("it ends so").0;
    assert!(readme.contains(&format!("$ postls probe\n{shown}")), "{said}");
}

/// Postfix itself delivers to the relay.
#[test]
fn what_the_servers_do_not_take_goes_to_the_fallback_relay() {
    let (bad, good) = (destination("selfsigned"), destination("good"));
    let lines = [
        format!("relayhost = {bad}"),
        format!("smtp_fallback_relay = {good}"),
        "smtp_dns_reply_filter = regexp:/etc/postfix/answers".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let table = format!("{bad} secure\n{good} secure\n");
    let Some(scene) = Scene::with(&lines, &table, "version: 1\n") else { return };
    scene.lab.write("answers", b"");
    let note = format!("smtp_fallback_relay gets the mail instead, under the policy for {good}");
    let (status, said) = scene.probe(&[&good]);
    assert!(status == Some(0) && !said.contains(&note), "{said}");
    let (status, said) = scene.probe(&[&bad]);
    assert!(status == Some(1) && said.contains(&note), "{said}");
    assert!(said.contains("not checked: smtp_dns_reply_filter: "), "{said}");
    let sent = scene.lab.send(&["anybody.example"]);
    assert!(sent.status.success(), "{sent:?}");
    let verified = Outcome::Sent { tls: Some("Verified".to_owned()) };
    assert_eq!(scene.lab.outcome("anybody.example"), verified, "{}", scene.lab.log());
}
