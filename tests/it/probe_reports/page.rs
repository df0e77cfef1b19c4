//! The page: it is well formed, asks for nothing, and what others say is text in it.

use std::collections::BTreeSet;

use postls::report::probe_html::html;

use super::{hostile, plain};
use crate::generator::rounds;

/// What may stand in the page.
const TAGS: &[&str] = &[
    "html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section",
    "article", "h1", "h2", "h3", "h4", "h5", "h6", "p", "a", "b", "i", "span", "div", "ul", "ol",
    "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "code", "pre",
    "details", "summary", "time", "wbr", "svg", "symbol", "path", "circle", "rect", "use",
];

/// A tag: its name, its attributes, whether it begins and ends.
struct Tag<'t> {
    name: &'t str,
    attributes: Vec<(&'t str, &'t str)>,
    is_end: bool,
    is_empty: bool,
}

/// The tags of a page, and the text between them.
fn tags(page: &str) -> (Vec<Tag<'_>>, String) {
    let (mut tags, mut words) = (Vec::new(), String::new());
    let mut rest = page.strip_prefix("<!doctype html>\n").expect("it says what it is");
    while let Some(start) = rest.find('<') {
        words.push_str(&rest[..start]);
        let inside = &rest[start + 1..];
        let (inside, is_end) = inside.strip_prefix('/').map_or((inside, false), |it| (it, true));
        let end = inside.find(|it: char| !it.is_ascii_alphanumeric()).expect("it ends");
        let mut tag = Tag { name: &inside[..end], attributes: Vec::new(), is_end, is_empty: false };
        assert!(TAGS.contains(&tag.name), "<{}", &inside[..end.max(20).min(inside.len())]);
        let mut behind = &inside[end..];
        loop {
            if let Some(after) = behind.strip_prefix("/>") {
                tag.is_empty = true;
                behind = after;
                break;
            }
            if let Some(after) = behind.strip_prefix('>') {
                behind = after;
                break;
            }
            behind = behind.strip_prefix(' ').expect("a blank before an attribute");
            if let Some(after) = behind.strip_prefix("open") {
                behind = after;
                continue;
            }
            let (name, after) = behind.split_once("=\"").expect("an attribute");
            let (value, after) = after.split_once('"').expect("its end");
            assert!(!value.contains(['<', '>']), "{name}={value}");
            tag.attributes.push((name, value));
            behind = after;
        }
        if tag.name == "style" && !tag.is_end {
            behind = &behind[behind.find("</style>").expect("it ends")..];
        }
        tags.push(tag);
        rest = behind;
    }
    words.push_str(rest);
    (tags, words)
}

fn check(page: &str) -> String {
    let (tags, words) = tags(page);
    let (mut open, mut ids, mut targets, mut level) = (Vec::new(), BTreeSet::new(), Vec::new(), 0);
    for tag in &tags {
        if tag.is_end {
            assert_eq!(open.pop(), Some(tag.name));
            continue;
        }
        if !(tag.is_empty || matches!(tag.name, "meta" | "wbr")) {
            open.push(tag.name);
        }
        if let Some(number) = tag.name.strip_prefix('h').and_then(|it| it.parse::<u32>().ok()) {
            assert!(number <= level + 1, "h{number} below h{level}");
            level = number;
        }
        for (name, value) in &tag.attributes {
            match *name {
                "id" => assert!(ids.insert(*value), "{value} stands twice"),
                "href" | "aria-labelledby" => targets.push(value.trim_start_matches('#')),
                "style" => {
                    let number = value.trim_start_matches(|it: char| {
                        it.is_ascii_lowercase() || "-:".contains(it)
                    });
                    assert!(number.bytes().all(|it| b"0123456789.%".contains(&it)), "{value}");
                }
                "src" | "srcset" | "action" | "background" | "data" => panic!("{name}={value}"),
                other => assert!(!other.starts_with("on"), "{other}"),
            }
            assert!(*name != "href" || value.starts_with('#'), "{value}");
        }
    }
    assert!(open.is_empty(), "{open:?} have no end");
    for target in targets {
        assert!(ids.contains(target), "{target} is nowhere");
    }
    // What is left of "<" and "&" stands for itself.
    for (at, _) in words.match_indices('&') {
        let name = words[at + 1..].split(';').next().expect("there is one");
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{name}");
    }
    assert!(!words.contains('>'));
    assert!(!words.chars().any(|it| it != '\n' && (it.is_control() || it == '\u{202e}')));
    words
}

#[test]
fn it_is_well_formed_and_asks_for_nothing() {
    let page = html(&plain().report());
    let words = check(&page);
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    for text in [
        "2 of 18 destinations do not meet their policy.",
        "Tests at 1 address: 1 failed, 4 passed, 1 not needed, 1 not seen",
        "in 12 days",
        "9 days ago",
        "nobody looks for TLSA records at this level",
        "secure match=nexthop:dot-nexthop",
        "bank.example:\n  level: fingerprint",
        "postls pin add bank.example 1B:77:1A --source probe",
        "it is a transport of its own",
    ] {
        assert!(words.contains(text), "{text}");
    }
}

#[test]
fn what_others_say_is_text_in_it() {
    rounds(12, |_, _, random| {
        check(&html(&hostile(random).report()));
    });
}

#[test]
fn it_says_that_nothing_was_probed() {
    let mut scene = plain();
    scene.probed.clear();
    scene.not_checked.clear();
    let words = check(&html(&scene.report()));
    for text in ["No destination was probed.", "There are none.", "No certificate was seen."] {
        assert!(words.contains(text), "{text}");
    }
}
