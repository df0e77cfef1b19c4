//! The forms that are text: for people, for programs, for Prometheus and for Nagios.

use std::collections::{BTreeMap, BTreeSet};

use postls::observation::route::{NoRoute, Seen};
use postls::observation::session::{Starttls, TlsFailure};
use postls::report::nagios::{self, Status};
use postls::report::probe::{Detail, Meets, Testing, human, json};
use postls::report::schema::SCHEMAS;
use postls::report::{Style, prometheus};
use postls::verdict::{Reason, Verdict};
use serde_json::Value;

use super::scene::{NOW, Scene};
use super::{hostile, plain};
use crate::formats::{STYLE, valid, validator};
use crate::generator::rounds;

/// The builder is worth something only as long as it has all.
#[test]
fn the_made_up_run_has_everything_once() {
    let scene = plain();
    let verdicts: BTreeSet<Verdict> = scene.probed.iter().map(|it| it.judgement.verdict).collect();
    assert_eq!(verdicts.len(), Verdict::ALL.len());
    let notes: Vec<Reason> =
        scene.probed.iter().flat_map(|it| &it.judgement.notes).map(|it| it.reason).collect();
    assert!(Reason::ALL.iter().all(|it| notes.contains(it)));
    let (mut starttls, mut failures, mut seen, mut nowhere) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for probed in &scene.probed {
        if let Err(why) = &probed.observation.route {
            nowhere.insert(match why {
                NoRoute::Malformed(_) => 0,
                NoRoute::NotNetwork => 1,
                NoRoute::NotFound(_) => 2,
                NoRoute::NullMx => 3,
                NoRoute::Failed(_) => 4,
                NoRoute::Loops(_) => 5,
            });
        }
        for (_, address) in probed.observation.addresses() {
            let session = match &address.seen {
                Seen::Session(session) => session,
                Seen::Unreachable(_) => {
                    seen.insert(1);
                    continue;
                }
                Seen::NotTried(_) => {
                    seen.insert(2);
                    continue;
                }
            };
            starttls.insert(match &session.starttls {
                Starttls::Wrapper => 0,
                Starttls::NotReached => 1,
                Starttls::NotOffered => 2,
                Starttls::Offered => 3,
                Starttls::Accepted => 4,
                Starttls::Refused(_) => 5,
                Starttls::Injected => 6,
            });
            if let Some(Err(failure)) = &session.tls {
                failures.insert(match failure {
                    TlsFailure::Handshake(_) => 0,
                    TlsFailure::Timeout => 1,
                    TlsFailure::Closed => 2,
                    TlsFailure::Settings(_) => 3,
                    TlsFailure::Unreadable(_) => 4,
                });
            }
        }
    }
    assert_eq!((starttls.len(), failures.len(), seen.len(), nowhere.len()), (7, 4, 2, 6));
}

#[test]
fn each_destination_has_a_line_and_what_is_wrong_is_said() {
    let scene = plain();
    let text = human(&scene.report(), STYLE, Detail::Brief);
    for line in [
        "VERIFIED    partner.example      secure (tls_policy:2)  certificate-verified: a trusted \
         authority signed a certificate with a name that the policy takes\n",
        "WOULD DEFER bank.example         fingerprint (bank.example in hash:/etc/postfix/tls_policy)  \
         fingerprint-mismatch: ",
        "    WOULD DEFER 192.0.2.77:25 mx.bank.example: fingerprint-mismatch: ",
        "    to do: if the other side says that this key is theirs, pin it beside the old one\n",
        "      bank.example:\n        level: fingerprint\n",
        "      $ postls pin add bank.example 1B:77:1A --source probe\n",
        "    note: pin-not-seen: a pin that no address shows\n",
        "PLAINTEXT   clear.example        may (tls_policy:2 smtp_tls_security_level)  ",
        "    and 4 more addresses\n",
        "not checked: orders.example: it is a transport of its own\n",
        "17 destinations, 3 verified, 1 trusted, 1 encrypted, 2 plaintext, 3 would defer, \
         7 unknown (service smtp/unix, Postfix 3.7: the one installed here)\n",
    ] {
        assert!(text.contains(line), "{line}\n\n{text}");
    }
    assert!(text.contains("testing  fingerprint-mismatch"), "{text}");
    assert!(!text.contains("greeting"), "{text}");
    let quiet = human(&scene.report(), Style { quiet: true, ..STYLE }, Detail::Brief);
    assert!(!quiet.contains("destinations,") && !quiet.contains("not checked"));
}

#[test]
fn with_all_detail_every_test_is_said() {
    let text = human(&plain().report(), STYLE, Detail::Full);
    for line in [
        "      passed     starttls: offered and accepted\n",
        "      failed     names: mx1.partner.example matches nexthop",
        "      not needed chain: no trusted authority",
        "      not seen   tlsa: nobody looks",
        "    mx1.partner.example (preference 10)\n",
        "    VERIFIED    [2001:db8::9]:25 mx1.partner.example: certificate-verified: ",
        "    could be: secure match=nexthop:dot-nexthop: every address",
        "      TLS              TLSv1.3, TLS_AES_256_GCM_SHA384 (256 bits), key exchange X25519\n",
        "      EHLO             250 mx.example / PIPELINING / STARTTLS / 8BITMIME\n",
        "3 1 1 5a5a5a5a",
        "to 2026-12-12, 12 days left\n",
    ] {
        assert!(text.contains(line), "{line}\n\n{text}");
    }
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    rounds(12, |seed, round, random| {
        let scene = hostile(random);
        for detail in [Detail::Brief, Detail::Full] {
            let text = human(&scene.report(), STYLE, detail);
            let bad = text.chars().find(|it| *it != '\n' && (it.is_control() || *it == '\u{202e}'));
            assert_eq!(bad, None, "seed {seed} round {round}");
            let colored = human(&scene.report(), Style { color: true, ..STYLE }, detail);
            let mut without = colored;
            for code in ["31", "32", "33", "35", "36", "0"] {
                without = without.replace(&format!("\u{1b}[{code}m"), "");
            }
            assert_eq!(without, text, "seed {seed} round {round}");
        }
    });
}

#[test]
fn json_is_as_the_schema_says() {
    let schema = SCHEMAS.iter().find(|it| it.name == "probe").expect("it is a schema");
    let schema = validator(&serde_json::from_str(&(schema.text)()).expect("it is JSON"));
    let check = |scene: &Scene, what: &str| {
        let value: Value = serde_json::from_str(&json(&scene.report())).expect("it is JSON");
        valid(&schema, &value, what);
        // Nothing is lost or changed on the way.
        for (probed, it) in scene.probed.iter().zip(value["destinations"].as_array().unwrap()) {
            assert_eq!(it["destination"], probed.answered.destination.as_str());
            assert_eq!(it["reason"]["text"], probed.judgement.why.text.as_str());
        }
        value
    };
    rounds(12, |seed, round, random| {
        check(&hostile(random), &format!("seed {seed} round {round}"));
    });
    let value = check(&plain(), "the plain run");
    let at = |pointer: &str| value.pointer(pointer).unwrap_or_else(|| panic!("{pointer}")).clone();
    assert_eq!(at("/ended/utc"), "2026-11-30T21:26:23Z");
    assert_eq!(at("/summary/failed"), 2);
    assert_eq!(at("/summary/testing"), 1);
    assert_eq!(at("/destinations/0/meets_policy"), true);
    assert_eq!(at("/destinations/0/policy/level"), "secure");
    assert_eq!(at("/destinations/0/sts/found/policy/mode"), "enforce");
    let server = "/destinations/0/route/servers/0";
    assert_eq!(at(&format!("{server}/addresses/1/address")), "2001:db8::9");
    let certificate = format!("{server}/addresses/0/session/tls/chain/0");
    assert_eq!(at(&format!("{certificate}/days_left")), 63);
    for digest in ["md5", "sha1", "sha256", "sha512"] {
        let print = at(&format!("{certificate}/fingerprints/public_key/{digest}"));
        assert!(print.as_str().unwrap().split(':').all(|it| it.len() == 2), "{print}");
    }
    assert_eq!(at("/destinations/1/route/servers/0/tlsa/found/records/0/data"), "5a".repeat(32));
    let failed = scene_index(&plain(), "null.example");
    assert_eq!(at(&format!("/destinations/{failed}/route/failure/kind")), "null-mx");
    assert_eq!(at(&format!("/destinations/{failed}/meets_policy")), Value::Null);
}

fn scene_index(scene: &Scene, destination: &str) -> usize {
    let found = scene.probed.iter().position(|it| it.answered.destination == destination);
    found.expect("it is there")
}

/// A strict reader of the exposition format: the series of each metric, by their labels.
fn series(text: &str) -> BTreeMap<(String, Vec<(String, String)>), f64> {
    let mut all = BTreeMap::new();
    let (mut metric, mut typed, mut told) = (String::new(), String::new(), BTreeSet::new());
    assert!(text.ends_with('\n'));
    for line in text.strip_suffix('\n').expect("it ends a line").split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a text");
            assert!(!help.is_empty() && told.insert(name.to_owned()), "{name} stands twice");
            name.clone_into(&mut metric);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest, format!("{metric} gauge"));
            typed.clone_from(&metric);
        } else {
            let end = line.find(['{', ' ']).expect("a name");
            let name = &line[..end];
            assert!(name == metric && name == typed, "{line}");
            assert!(name.bytes().all(|it| it == b'_' || it.is_ascii_lowercase()), "{line}");
            let (labels, value) = labels(&line[end..]);
            let value: f64 = value.strip_prefix(' ').expect("a blank").parse().expect("a number");
            let before = all.insert((name.to_owned(), labels), value);
            assert_eq!(before, None, "{line} stands twice");
        }
    }
    all
}

/// The labels at the beginning of a text, and the rest.
fn labels(text: &str) -> (Vec<(String, String)>, &str) {
    let mut labels = Vec::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    loop {
        let (name, behind) = rest.split_once("=\"").expect("a name");
        assert!(name.bytes().all(|it| it == b'_' || it.is_ascii_lowercase()), "{text}");
        let mut value = String::new();
        let mut letters = behind.char_indices();
        let end = loop {
            match letters.next().expect("it ends").1 {
                '"' => break letters.as_str(),
                '\\' => value.push(match letters.next().expect("it goes on").1 {
                    'n' => '\n',
                    it @ ('\\' | '"') => it,
                    other => panic!("\\{other}"),
                }),
                it => value.push(it),
            }
        };
        labels.push((name.to_owned(), value));
        rest = match end.strip_prefix(',') {
            Some(more) => more,
            None => return (labels, end.strip_prefix('}').expect("a brace")),
        };
    }
}

#[test]
fn prometheus_can_read_it() {
    rounds(12, |_, _, random| {
        let scene = hostile(random);
        let all = series(&prometheus::text(&scene.report()));
        let longest = all.keys().flat_map(|it| &it.1).map(|it| it.1.chars().count()).max();
        assert!(longest.is_some_and(|it| it < 400), "{longest:?}");
    });
    let mut scene = plain();
    let again = super::plain().probed.remove(0);
    scene.probed.push(again);
    let text = prometheus::text(&scene.report());
    let all = series(&text);
    let get = |name: &str, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
        all.get(&(format!("postls_probe_{name}"), labels.collect())).copied()
    };
    let of = |destination, verdict| {
        get("verdict", &[("destination", destination), ("verdict", verdict)])
    };
    assert_eq!(of("partner.example", "verified"), Some(1.0));
    assert_eq!(of("partner.example", "would-defer"), Some(0.0));
    assert_eq!(of("bank.example", "would-defer"), Some(1.0));
    assert_eq!(get("meets_policy", &[("destination", "bank.example")]), Some(0.0));
    assert_eq!(get("meets_policy", &[("destination", "busy.example")]), None);
    assert_eq!(get("testing", &[("destination", "slow.example")]), Some(1.0));
    let hub = [
        ("destination", "[hub.example]:587"),
        ("server", "hub.example"),
        ("address", "192.0.2.7:587"),
    ];
    let now = f64::from(u32::try_from(NOW).unwrap());
    assert_eq!(get("certificate_not_after_seconds", &hub), Some(now + 12.0 * 86_400.0));
    assert_eq!(get("certificate_expires_days", &hub), Some(12.0));
    let news = [
        ("destination", "news.example"),
        ("server", "mx.news.example"),
        ("address", "203.0.113.5:25"),
    ];
    assert_eq!(get("certificate_expires_days", &news), Some(-9.0));
    assert_eq!(get("last_run_timestamp_seconds", &[]), Some(now));
    assert_eq!(get("duration_seconds", &[]), Some(12.0));
    assert_eq!(
        get("note", &[("destination", "[hub.example]:587"), ("reason", "pin-not-seen")]),
        Some(1.0)
    );
    assert_eq!(text, prometheus::text(&scene.report()));
}

/// A run with these destinations alone.
fn only(destinations: &[&str]) -> Scene {
    let mut scene = plain();
    scene.probed.retain(|it| destinations.contains(&it.answered.destination.as_str()));
    assert_eq!(scene.probed.len(), destinations.len());
    scene
}

#[test]
fn nagios_is_told_the_worst() {
    for (destinations, status, code, line) in [
        (
            &["dane.example"] as &[_],
            Status::Ok,
            0,
            "POSTLS OK - 1 destination as the policy asks | ",
        ),
        (
            &["dane.example", "slow.example", "clear.example"],
            Status::Ok,
            0,
            "POSTLS OK - 3 destinations as ",
        ),
        (
            &["dane.example", "[hub.example]:587"],
            Status::Warning,
            1,
            "POSTLS WARNING - 1 of 2 destinations have something that will bite: [hub.example]:587 (pin-not-seen) | ",
        ),
        (
            &["[hub.example]:587", "busy.example", "bank.example"],
            Status::Critical,
            2,
            "POSTLS CRITICAL - 1 of 3 destinations do not meet the policy: bank.example (fingerprint-mismatch) | ",
        ),
        (
            &["dane.example", "busy.example"],
            Status::Unknown,
            3,
            "POSTLS UNKNOWN - 1 of 2 destinations could not be seen: busy.example (server-busy) | ",
        ),
        (&[], Status::Unknown, 3, "POSTLS UNKNOWN - no destination was probed | "),
    ] {
        let (is, text) = nagios::plugin(&only(destinations).report());
        assert_eq!((is, is.code()), (status, code), "{text}");
        assert!(text.starts_with(line), "{text}");
    }
    let (_, text) = nagios::plugin(&only(&["[hub.example]:587", "bank.example"]).report());
    let performance = text.lines().next().unwrap().split_once(" | ").unwrap().1;
    assert_eq!(
        performance,
        "verified=1;;;0;2 trusted=0;;;0;2 encrypted=0;;;0;2 plaintext=0;;;0;2 \
         would-defer=1;;;0;2 unknown=0;;;0;2 failed=1;;;0 certificate_days=12 time=12s;;;0"
    );
    assert!(text.contains("\nWOULD DEFER bank.example: fingerprint-mismatch: "), "{text}");
    assert!(text.contains("\nNOTE [hub.example]:587: pin-not-seen: "), "{text}");
}

#[test]
fn nagios_gets_one_bar_and_short_lines() {
    rounds(12, |seed, round, random| {
        let (_, text) = nagios::plugin(&hostile(random).report());
        assert_eq!(text.matches('|').count(), 1, "seed {seed} round {round}: {text}");
        assert!(text.lines().count() <= 42 && text.len() < 40_000);
        let first = text.lines().next().expect("there is one");
        assert!(first.contains('|') && first.chars().count() < 1000, "{first}");
        assert!(!text.chars().any(|it| it != '\n' && it.is_control()));
    });
}

#[test]
fn a_policy_that_is_not_in_force_fails_nothing() {
    let mut scene = only(&["bank.example"]);
    assert!(scene.report().fails());
    assert_eq!(scene.probed[0].meets(), Meets::No);
    scene.probed[0].testing = Testing::Testing;
    assert!(!scene.report().fails());
    assert_eq!(scene.probed[0].meets(), Meets::No);
    // In the clear where the policy demands TLS, whoever says so.
    let mut scene = only(&["partner.example", "clear.example"]);
    assert!(!scene.report().fails());
    for probed in &mut scene.probed {
        probed.judgement.verdict = Verdict::Plaintext;
    }
    let meets: Vec<Meets> = scene.probed.iter().map(postls::report::probe::Probed::meets).collect();
    assert_eq!(meets, [Meets::No, Meets::Yes]);
}
