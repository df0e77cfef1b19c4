//! Changes of pins in policy files, in every style in which people write YAML.

mod styles;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use postls::policy::yaml::edit::{Change, Holder, PinKey, edit, held};
use postls::policy::{self, Nexthop, Policies, yaml};
use postls::text::{SourceId, Sources};

use crate::generator::{Shown, YAML, bases, edited, rounds};
use crate::tools;
use styles::{Said, Written, file};

/// The text after a change, or why there is none.
fn changed(text: &str, holder: Holder<'_>, change: &Change) -> Result<String, String> {
    let edits = edit(source(text), text.as_bytes(), holder, change).map_err(|it| it.text)?;
    Ok(String::from_utf8(edits.apply(text.as_bytes())).expect("it is UTF-8"))
}

fn source(text: &str) -> SourceId {
    Sources::default().add("postls.yaml", text.as_bytes().to_vec())
}

fn nexthop(text: &str) -> Nexthop {
    Nexthop::parse(text).expect("it is a destination")
}

fn one_pin() -> Change {
    Change::Add(vec![
        (PinKey::PublicKey, "AB:CD".to_owned()),
        (PinKey::Added, "2026-11-30".to_owned()),
    ])
}

fn retire(pin: usize) -> Change {
    Change::Set { pin, key: PinKey::Retire, value: "2027-01-31".to_owned() }
}

/// What stands between `<` and `>` is taken out of the text, and what between `«` and `»` put in.
fn check(marked: &str, holder: Holder<'_>, change: &Change) {
    let (mut before, mut after) = (String::new(), String::new());
    let mut side = (true, true);
    for letter in marked.chars() {
        match letter {
            '<' => side = (true, false),
            '«' => side = (false, true),
            '>' | '»' => side = (true, true),
            it => {
                before.extend(Some(it).filter(|_| side.0));
                after.extend(Some(it).filter(|_| side.1));
            }
        }
    }
    let got = changed(&before, holder, change);
    assert_eq!(got.as_deref(), Ok(after.as_str()), "{change:?} of {before}");
}

#[test]
fn a_pin_is_added_as_the_others_are_written() {
    for marked in [
        // Block style, with comments and at any indentation.
        "destinations:\n  a.example:\n    level: fingerprint\n    pins:\n      - public-key: AA # one\n        # of one\n«      - public-key: \"AB:CD\"\n        added: 2026-11-30\n»      # two\n    owner: x\n",
        "destinations:\n a.example:\n  pins:\n  - certificate: AA\n    note: x«\n  - public-key: \"AB:CD\"\n    added: 2026-11-30»",
        "destinations:\r\n    a.example:\r\n        pins:\r\n            -   certificate: AA«\r\n            -   public-key: \"AB:CD\"\r\n                added: 2026-11-30»\r\n",
        "destinations:\n  a.example:\n    pins:\n    -\n      certificate: AA\n«    - public-key: \"AB:CD\"\n      added: 2026-11-30\n»  b.example: may\n",
        "destinations:\n  a.example:\n    pins:\n      - {certificate: AA} # x\n«      - {public-key: \"AB:CD\", added: 2026-11-30}\n»\n  # next\n",
        "destinations:\n  a.example:\n    pins:\n      - certificate: AA\n        note: |\n          - x: y # z\n\n      # comment\n",
        // Flow style.
        "destinations: {a.example: {pins: [{certificate: AA}«, {public-key: \"AB:CD\", added: 2026-11-30}»]}}\n",
        "destinations:\n  a.example:\n    pins: [ {certificate: AA}«, {public-key: \"AB:CD\", added: 2026-11-30}» , ] # x\n",
        "destinations:\n  a.example:\n    pins: [\n      {certificate: AA}«,» # ]\n«      {public-key: \"AB:CD\", added: 2026-11-30}\n»    ]\n",
        "destinations:\n  a.example:\n    pins: [\n      {certificate: AA}, # x\n«      {public-key: \"AB:CD\", added: 2026-11-30},\n»    ]\n",
        "destinations:\n  a.example:\n    pins: [{certificate: AA},\n           {certificate: BB}«,\n           {public-key: \"AB:CD\", added: 2026-11-30}»]\n",
        // No list, or an empty one.
        "destinations:\n  a.example:\n    level: fingerprint # x\n    # y\n«    pins:\n      - public-key: \"AB:CD\"\n        added: 2026-11-30\n»  b.example: may\n",
        "destinations:\n   \"a.example\":\n      level: \"fingerprint\"«\n      pins:\n         - public-key: \"AB:CD\"\n           added: 2026-11-30»",
        "destinations:\n  a.example: {level: fingerprint«, pins: [{public-key: \"AB:CD\", added: 2026-11-30}]» }\n",
        "destinations:\n  a.example: {\n    level: fingerprint,\n«    pins: [{public-key: \"AB:CD\", added: 2026-11-30}],\n»  }\n",
        "destinations:\n  a.example:\n    pins:< []> # none yet\n«      - public-key: \"AB:CD\"\n        added: 2026-11-30\n»    level: fingerprint\n",
        "destinations:\n  a.example:\n    pins:< ~>«\n      - public-key: \"AB:CD\"\n        added: 2026-11-30»\n    level: fingerprint\n",
        "destinations:\n  a.example:\n    level: fingerprint\n    pins:«\n      - public-key: \"AB:CD\"\n        added: 2026-11-30»",
        "destinations:\n  a.example: {pins: [«{public-key: \"AB:CD\", added: 2026-11-30}»], level: fingerprint}\n",
        "destinations:\n  a.example: {pins: <null>«[{public-key: \"AB:CD\", added: 2026-11-30}]», level: fingerprint}\n",
        // The short form.
        "destinations:\n  a.example:«\n    level:» fingerprint # x\n«    pins:\n      - public-key: \"AB:CD\"\n        added: 2026-11-30\n»  b.example: may\n",
        "destinations:\n    A.Example :«\n        level:» 'fingerprint'«\n        pins:\n            - public-key: \"AB:CD\"\n              added: 2026-11-30»",
        "destinations:\n  a.example:\n   # x\n   «level: »fingerprint«\n   pins:\n     - public-key: \"AB:CD\"\n       added: 2026-11-30»\n",
        "destinations: {a.example: «{level: »fingerprint«, pins: [{public-key: \"AB:CD\", added: 2026-11-30}]}», b.example: may}\n",
        "---\n{\"destinations\":{\"a.example\":{\"level\":\"fingerprint\",\"pins\":[{\"certificate\":\"AA\"}«, {public-key: \"AB:CD\", added: 2026-11-30}»]}}}\n",
    ] {
        if marked.contains('«') {
            check(marked, Holder::Destination(&nexthop("a.example")), &one_pin());
        } else {
            let after = changed(marked, Holder::Destination(&nexthop("a.example")), &one_pin());
            let added = "          - x: y # z\n      - public-key: \"AB:CD\"\n";
            assert!(after.as_ref().is_ok_and(|it| it.contains(added)), "{after:?}");
        }
    }
    check(
        "destinations: {a.example: {use: p}}\nprofiles:\n  p: {pins: [{certificate: AA}«, {public-key: \"AB:CD\", added: 2026-11-30}»]}\n",
        Holder::Profile("p"),
        &one_pin(),
    );
    check(
        "destinations:\n  \"[relay.example]:587\": {level: fingerprint«, pins: [{public-key: \"AB:CD\", added: 2026-11-30}]»}\n",
        Holder::Destination(&nexthop("[Relay.example]:587")),
        &one_pin(),
    );
}

#[test]
fn a_key_of_a_pin_is_set_where_it_stands() {
    let a = nexthop("a.example");
    for (pin, marked) in [
        (
            0,
            "destinations:\n  a.example:\n    pins:\n      - certificate: AA # x\n«        retire: 2027-01-31\n»      - certificate: BB\n",
        ),
        (
            1,
            "destinations:\n  a.example:\n    pins:\n    - certificate: AA\n    -   certificate: BB«\n        retire: 2027-01-31»",
        ),
        (
            0,
            "destinations:\n  a.example:\n    pins:\n    - certificate: AA\n      retire: <\"2026-01-31\">«2027-01-31» # x\n      note: y\n",
        ),
        (
            1,
            "destinations: {a.example: {pins: [{certificate: AA}, {certificate: BB«, retire: 2027-01-31» }]}}\n",
        ),
        (
            0,
            "destinations: {a.example: {pins: [{retire: <2026-01-01>«2027-01-31», certificate: AA}]}}\n",
        ),
        (
            0,
            "destinations:\n  a.example: {pins: [{\n     certificate: AA«,» # x\n«     retire: 2027-01-31\n»  }]}\n",
        ),
        (
            0,
            "destinations:\n  a.example:\n    pins:\n    - certificate: AA\n      retire: <!!str '2026-01-31'>«2027-01-31»\n",
        ),
        (
            0,
            "destinations:\n  a.example:\n    pins:\n    - retire: <|\n        2026-01-31>«2027-01-31»\n      certificate: AA\n",
        ),
    ] {
        check(marked, Holder::Destination(&a), &retire(pin));
    }
}

#[test]
fn a_pin_goes_with_its_own_lines_and_comments_only() {
    let a = nexthop("a.example");
    for (pin, marked) in [
        (
            0,
            "destinations:\n  a.example:\n    pins:\n      # list\n<      - certificate: AA # x\n        note: y\n        # own\n>      # two\n      - certificate: BB\n",
        ),
        (
            1,
            "destinations:\n  a.example:\n    pins:\n      - certificate: AA\n      # two\n<      - certificate: BB\n>    owner: x\n",
        ),
        (
            1,
            "destinations:\n  a.example:\n    pins:\n      - certificate: AA<\n      - certificate: BB>",
        ),
        (
            1,
            "destinations:\r\n  a.example:\r\n    pins:\r\n    - certificate: AA<\r\n    - certificate: BB>",
        ),
        (0, "destinations: {a.example: {pins: [<{certificate: AA}, >{certificate: BB}]}}\n"),
        (1, "destinations: {a.example: {pins: [{certificate: AA}<, {certificate: BB}> , ]}}\n"),
        (
            0,
            "destinations:\n  a.example:\n    pins: [\n<      {certificate: AA}, # x\n>      # two\n      {certificate: BB}\n    ]\n",
        ),
        (
            1,
            "destinations:\n  a.example:\n    pins: [\n      {certificate: AA}<,> # x\n      # two\n<      {certificate: BB} # z\n>    ]\n",
        ),
        (
            1,
            "destinations:\n  a.example:\n    pins: [{certificate: AA}<,> # x\n      <{certificate: BB}>]\n",
        ),
        (
            0,
            "destinations:\n  a.example:\n    pins: [<{certificate: AA}, # x>\n      {certificate: BB}]\n",
        ),
        (
            0,
            "destinations:\n  a.example:\n    pins: [<{certificate: AA}\n      , >{certificate: BB}]\n",
        ),
        // The last one.
        (
            0,
            "destinations:\n  a.example:\n    level: fingerprint\n<    pins: # p\n      - certificate: AA\n>    owner: x\n",
        ),
        (
            0,
            "destinations:\n  a.example:\n    level: fingerprint\n<    pins:\n>      # list\n<      - certificate: AA\n>  b.example: may\n",
        ),
        (
            0,
            "destinations:\n  a.example:\n    level: fingerprint<\n    pins: [\n      {certificate: AA}\n    ]>",
        ),
        (
            0,
            "destinations:\n  a.example:« {}» # x\n<    pins:\n      - certificate: AA\n>  b.example: may\n",
        ),
        (0, "destinations: {a.example: {<pins: [{certificate: AA}]>}}\n"),
        (0, "destinations: {a.example: {level: fingerprint<, pins: [{certificate: AA}]>}}\n"),
        (0, "destinations: {a.example: {<pins: [{certificate: AA}], >level: fingerprint}}\n"),
    ] {
        check(marked, Holder::Destination(&a), &Change::Remove { pin });
    }
}

#[test]
fn what_is_not_understood_is_not_changed() {
    let a = nexthop("a.example");
    for (text, change, why) in [
        ("destinations: {b.example: may}\n", one_pin(), "the file has no destination a.example"),
        ("", one_pin(), "the file has no destination a.example"),
        ("destinations: {a.example: [x]}\n", one_pin(), "it is a list, and no destination"),
        (
            "destinations: {a.example: }\n",
            one_pin(),
            "it has no settings to which pins could be added",
        ),
        ("destinations: {a.example: {pins: x}}\n", one_pin(), "pins is no list"),
        (
            "destinations: {a.example: {pins: [{certificate: AA}]}}\n",
            retire(1),
            "there is no pin 2 in it",
        ),
        ("destinations: {a.example: may}\n", retire(0), "there is no pin 1 in it"),
        ("destinations: {a.example: {pins: [x]}}\n", retire(0), "a pin must be a mapping"),
        ("destinations: {a.example: {pins: [{retire: [x]}]}}\n", retire(0), "it is not one text"),
        (
            "destinations:\n  ? a.example\n  : fingerprint\n",
            one_pin(),
            "this is written in a way that postls does not edit; change it by hand",
        ),
        (
            "destinations:\n  a.example: &x fingerprint\n  b.example: *x\n",
            one_pin(),
            "aliases are not read; a profile serves several destinations",
        ),
    ] {
        assert_eq!(changed(text, Holder::Destination(&a), &change), Err(why.to_owned()), "{text}");
    }
    let latin = edit(source(""), b"# \xfc\n", Holder::Destination(&a), &one_pin());
    assert_eq!(latin.map_err(|it| it.text), Err("the file is not UTF-8".to_owned()));
}

#[test]
fn a_file_says_where_pins_stand() {
    let text = "destinations:\n  a.example: {use: p}\n  b.example: {pins: [{certificate: AA}]}\n  c.example: may\n";
    let of = |name: &str| {
        let nexthop = nexthop(name);
        let held = held(source(text), text.as_bytes(), Holder::Destination(&nexthop))?;
        Some((held.has_pins, held.profile))
    };
    assert_eq!(of("a.example"), Some((false, Some("p".to_owned()))));
    assert_eq!(of("b.example"), Some((true, None)));
    assert_eq!(of("c.example"), Some((false, None)));
    assert_eq!(of("d.example"), None);
}

/// What the reader says that the pins are; what it does not take is a mistake.
fn read(text: &str) -> Policies {
    let read = yaml::read(source(text), text.as_bytes(), yaml::Role::Main);
    let (policies, problems) = policy::join(vec![read]);
    let is_empty_list = |it: &policy::Problem| it.text.starts_with("pins ");
    assert!(problems.iter().all(is_empty_list), "{problems:?}");
    policies
}

fn is_as_said(text: &str, said: &Said) {
    let policies = read(text);
    assert_eq!(policies.destinations.len(), said.len());
    for (destination, (name, pins)) in policies.destinations.iter().zip(said) {
        assert_eq!(destination.nexthop.value, nexthop(name));
        let have = destination.policy.pins.iter().flat_map(|it| it.iter()).map(seen);
        let sorted = |keys: &Vec<(PinKey, String)>| {
            let mut keys = keys.clone();
            keys.sort_by_key(|it| it.0.name());
            keys
        };
        let have: Vec<_> = have.map(|it| sorted(&it)).collect();
        let want: Vec<_> = pins.iter().map(sorted).collect();
        assert_eq!(have, want, "{name}");
    }
}

fn seen(pin: &policy::Pin) -> Vec<(PinKey, String)> {
    let date = |it: &Option<policy::Placed<policy::Date>>| it.map(|it| it.value.to_string());
    let given = pin.given.iter().map(|it| (PinKey::from(pin.of), it.value.to_string()));
    let mut keys: Vec<(PinKey, String)> = given.collect();
    keys.extend(pin.note.clone().map(|it| (PinKey::Note, it.value)));
    keys.extend(date(&pin.added).map(|it| (PinKey::Added, it)));
    keys.extend(date(&pin.retire).map(|it| (PinKey::Retire, it)));
    keys
}

/// The comments, without those that belong to a pin with one of these numbers.
fn remarks(text: &str) -> Vec<&str> {
    text.split("#t").skip(1).map(|it| it.split(';').next().expect("it has an end")).collect()
}

/// Whether all bytes of one stand in the other in the same order.
fn is_within(few: &str, many: &str) -> bool {
    let mut many = many.bytes();
    few.bytes().all(|it| many.any(|other| other == it))
}

#[test]
fn nothing_but_the_change_is_another_afterwards() {
    rounds(2000, |seed, round, random| {
        let (mut text, mut said) = file(random);
        let first = text.clone();
        let _shown = Shown { seed, round, input: first.as_bytes() };
        is_as_said(&text, &said);
        for _ in 0..2 {
            let at = random.below(said.len());
            let destination = nexthop(&said[at].0);
            let holder = Holder::Destination(&destination);
            let count = said[at].1.len();
            let change = match random.below(4) {
                0 if count > 0 => Change::Remove { pin: random.below(count) },
                1 if count > 0 => {
                    let value = ["2029-02-28", "2031-12-31"][random.below(2)].to_owned();
                    Change::Set { pin: random.below(count), key: PinKey::Retire, value }
                }
                2 if count > 0 => {
                    let value = random.of(&["y # z", "new: \"x\"", "plain"]).to_owned();
                    Change::Set { pin: random.below(count), key: PinKey::Note, value }
                }
                _ => Change::Add(Written::new(random, 2).pin().1),
            };
            let after = changed(&text, holder, &change)
                .unwrap_or_else(|why| panic!("{why}: {change:?} of {destination} in\n{text}"));
            let _after = Shown { seed, round, input: after.as_bytes() };
            let pins = &mut said[at].1;
            match &change {
                Change::Add(keys) => {
                    assert_eq!(remarks(&after), remarks(&text));
                    let empty = ["[]", "[ ]", "~"].iter().any(|it| text.contains(it));
                    assert!(empty || is_within(&text, &after));
                    let back = Change::Remove { pin: pins.len() };
                    let back = changed(&after, holder, &back).expect("it can be taken out");
                    if !pins.is_empty() {
                        assert_eq!(back, text, "what was added and taken out leaves no trace");
                    }
                    is_as_said(&back, &said);
                    said[at].1.push(keys.clone());
                }
                Change::Set { pin, key, value } => {
                    assert_eq!(remarks(&after), remarks(&text));
                    match pins[*pin].iter_mut().find(|it| it.0 == *key) {
                        Some(old) => value.clone_into(&mut old.1),
                        None => pins[*pin].push((*key, value.clone())),
                    }
                }
                Change::Remove { pin } => {
                    pins.remove(*pin);
                    let (before, left) = (remarks(&text), remarks(&after));
                    let gone: Vec<&&str> = before.iter().filter(|it| !left.contains(it)).collect();
                    // Those of one pin, or those on the line of the list itself.
                    let numbers: Vec<&str> =
                        gone.iter().filter_map(|it| it.split_once('p').map(|it| it.1)).collect();
                    assert!(numbers.windows(2).all(|it| it[0] == it[1]), "{gone:?}");
                    let of_list = usize::from(pins.is_empty()) * 3;
                    assert!(gone.len() - numbers.len() <= of_list, "{gone:?}");
                    assert!(pins.is_empty() || is_within(&after, &text));
                }
            }
            is_as_said(&after, &said);
            text.clone_from(&after);
        }
    });
}

/// Whatever stands in a file: the change is made, or refused.
#[test]
fn any_bytes_are_changed_as_they_should_be_or_not_at_all() {
    let mut bases = bases(|it| it == "postls.yaml", YAML);
    let mut made = 0;
    rounds(100, |_, _, random| bases.push(file(random).0.into_bytes()));
    rounds(2000, |seed, round, random| {
        let input = edited(&bases, random);
        let _shown = Shown { seed, round, input: &input };
        let source = Sources::default().add("postls.yaml", input.clone());
        let read = yaml::read(source, &input, yaml::Role::Main);
        let (policies, problems) = policy::join(vec![read]);
        for destination in policies.destinations.iter().take(8) {
            let holder = Holder::Destination(&destination.nexthop.value);
            let held = held(source, &input, holder).map_or(0, |it| it.pins.len());
            for change in [one_pin(), retire(held / 2), Change::Remove { pin: held / 2 }] {
                let Ok(edits) = edit(source, &input, holder, &change) else { continue };
                made += 1;
                let after = edits.apply(&input);
                let (_, now) = policy::join(vec![yaml::read(source, &after, yaml::Role::Main)]);
                // A fingerprint of two bytes is a mistake.
                let more = usize::from(matches!(change, Change::Add(_)));
                assert!(now.len() <= problems.len() + more, "{}", after.escape_ascii());
            }
        }
    });
    assert!(made > 0, "some changes are made");
}

/// PyYAML reads the same pins in the changed files, where it reads the file at all.
#[test]
fn another_reader_of_yaml_sees_the_same_change() {
    const PROGRAM: &str = "
import json, sys, yaml
def read(name):
    with open(name, encoding='utf-8', newline='') as file:
        return yaml.load(file, yaml.BaseLoader)['destinations']
for name in sys.argv[1:]:
    try:
        read(name + '.before')
    except yaml.YAMLError:
        print('null')
        continue
    all = read(name).values()
    pins = [(it.get('pins') or []) if isinstance(it, dict) else [] for it in all]
    print(json.dumps([[] if it == '~' else it for it in pins]))
";
    let Some(python) = tools::find("python3") else { return };
    let has_yaml = Command::new(&python).args(["-c", "import yaml"]).output();
    if !has_yaml.is_ok_and(|it| it.status.success()) {
        println!("skipped: python3 has no yaml");
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut files, mut want) = (Vec::new(), Vec::new());
    rounds(200, |seed, round, random| {
        let (text, mut said) = file(random);
        let at = random.below(said.len());
        let destination = nexthop(&said[at].0);
        let keys = Written::new(random, 2).pin().1;
        let change = Change::Add(keys.clone());
        let _shown = Shown { seed, round, input: text.as_bytes() };
        let after = changed(&text, Holder::Destination(&destination), &change).expect("it is made");
        said[at].1.push(keys);
        let path = directory.path().join(format!("{round}.yaml"));
        fs::write(&path, &after).expect("it can be written");
        fs::write(path.with_extension("yaml.before"), &text).expect("it can be written");
        files.push(path);
        let pin = |keys: &Vec<(PinKey, String)>| {
            let keys = keys.iter().map(|(key, value)| (key.name().to_owned(), value.clone()));
            keys.collect::<BTreeMap<_, _>>()
        };
        let pins: Vec<Vec<_>> = said.iter().map(|it| it.1.iter().map(pin).collect()).collect();
        want.push((serde_json::to_value(pins).expect("it is JSON"), after));
    });
    let output = Command::new(python).args(["-c", PROGRAM]).args(&files).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let have = String::from_utf8(output.stdout).expect("it is text");
    assert_eq!(have.lines().count(), want.len());
    let mut read = 0;
    for (have, (want, text)) in have.lines().zip(&want) {
        let have: serde_json::Value = serde_json::from_str(have).expect("it is JSON");
        if !have.is_null() {
            read += 1;
            assert_eq!(have, *want, "{text}");
        }
    }
    // It knows no tabs before comments.
    assert!(read * 4 > want.len(), "it reads {read} of {}", want.len());
}
