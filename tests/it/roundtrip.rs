//! What must hold for any bytes holds for thousands of generated ones. What is asked is in
//! `fuzz/properties.rs`, which the fuzz targets share; what a real Postfix reads, in `differential`.

use std::fs;
use std::path::Path;

use crate::generator::{MAIN_CF, Shown, TABLE, YAML, bases, configuration, edited, rounds};

#[path = "../../fuzz/properties.rs"]
mod properties;

/// Edits of `bases`, and what holds for them.
fn holds_for_edits_of(bases: &[Vec<u8>], count: u64, property: impl Fn(&[u8])) {
    for base in bases {
        let _shown = Shown { seed: 0, round: 0, input: base };
        property(base);
    }
    rounds(count, |seed, round, random| {
        let input = edited(bases, random);
        let _shown = Shown { seed, round, input: &input };
        property(&input);
    });
}

#[test]
fn logical_lines_are_those_of_an_independent_reading() {
    holds_for_edits_of(&bases(|it| it != "postls.yaml", MAIN_CF), 4000, properties::logical_lines);
}

#[test]
fn main_cf_loses_no_byte_and_points_at_its_values() {
    holds_for_edits_of(&bases(|it| it == "main.cf", MAIN_CF), 4000, properties::main_cf);
}

#[test]
fn master_cf_loses_no_byte_and_can_be_shown() {
    rounds(400, |seed, round, random| {
        let (main_cf, master_cf) = configuration(random);
        let input = edited(&[master_cf], random);
        let _shown = Shown { seed, round, input: &input };
        properties::master_cf(&input);
        properties::shown(&edited(&[main_cf], random), &input);
    });
}

#[test]
fn tables_keep_their_rows_and_point_at_them() {
    holds_for_edits_of(&bases(|it| it.contains("policy"), TABLE), 4000, properties::table);
}

#[test]
fn expansion_ends_and_words_cover_their_text() {
    let more =
        ["$a ${b?{$c}:{$e}}", "${{$n} < {9} ? {$a} : {$b}}", "${{3.10} >=level {3.6}}$$", "$(d)"];
    let bases = bases(|it| it == "main.cf", &[MAIN_CF, &more].concat());
    holds_for_edits_of(&bases, 6000, |text| {
        properties::expand(text);
        properties::words(text);
    });
}

#[test]
fn policies_point_at_their_words() {
    let rows: Vec<Vec<u8>> = bases(|it| it.contains("policy"), TABLE)
        .iter()
        .flat_map(|it| properties::reference_lines(it))
        .collect();
    holds_for_edits_of(&rows, 6000, properties::policy_row);
}

#[test]
fn policy_files_point_at_their_mistakes_and_compile_to_what_they_say() {
    holds_for_edits_of(&bases(|it| it == "postls.yaml", YAML), 4000, properties::policy_yaml);
}

#[test]
fn names_dates_and_digests_are_written_as_they_are_read() {
    let texts = [
        "a.example",
        ".a.example",
        "[a.example]:587",
        "[::1]:25",
        "[ipv6:fe80::1]",
        "/run/x/y",
        "3.7.11",
        "2028-02-29",
        "AD:F3:c3",
        "adf3",
        "3.12-20260821",
        "b\u{fc}cher.example",
        "x_y.example:smtp",
    ];
    let bases: Vec<Vec<u8>> = texts.iter().map(|it| it.as_bytes().to_vec()).collect();
    holds_for_edits_of(&bases, 8000, |text| {
        properties::small_values(&String::from_utf8_lossy(text));
    });
}

#[test]
fn findings_of_all_rules_can_be_shown_and_fixed() {
    let main_cf = bases(|it| it == "main.cf", MAIN_CF);
    let table = bases(|it| it.contains("policy"), TABLE);
    let yaml = bases(|it| it == "postls.yaml", YAML);
    rounds(600, |seed, round, random| {
        let files = [&main_cf, &table, &yaml].map(|it| edited(it, random));
        let input = files.join(b"<==>".as_slice());
        let _shown = Shown { seed, round, input: &input };
        properties::lint(&files[0], &files[1], &files[2]);
    });
}

/// Real files, where they are at hand: they are not part of the project.
#[test]
fn real_files_lose_no_byte() {
    let corpus = Path::new("../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: there is no {}", corpus.display());
        return;
    }
    let mut folders = vec![corpus.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("it was listed");
                let _shown =
                    Shown { seed: 0, round: 0, input: path.as_os_str().as_encoded_bytes() };
                properties::logical_lines(&bytes);
                properties::main_cf(&bytes);
                properties::table(&bytes);
                properties::words(&bytes);
                properties::lint(&bytes, &bytes, b"");
                files += 1;
            }
        }
    }
    assert!(files > 0, "the corpus has files");
}
