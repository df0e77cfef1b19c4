//! `postls import`: the policy file says what is there, and `postls diff` with it is empty.

mod real;
mod refusals;

use std::collections::BTreeMap;

use postls::config::Configuration;
use postls::plan::{self, Change, Live};
use postls::policy::import::{self, Draft, LiveTable};
use postls::policy::{self, Policies, compile, yaml};
use postls::postfix::Version;
use postls::syntax::table::{self, Kind};
use postls::text::Sources;

use crate::generator::{self, Random, Shown, rounds};

/// A table in the place of a policy file's.
fn live(bytes: &[u8]) -> import::Live<'_> {
    import::Live {
        table: Some(LiveTable {
            path: "tls_policy".to_owned(),
            kind: "lmdb".to_owned(),
            parameter: "smtp_tls_policy_maps".to_owned(),
            comments: Vec::new(),
            bytes,
        }),
        ..import::Live::default()
    }
}

/// What a policy file says, which has no mistake.
fn read(text: &str) -> Policies {
    let mut sources = Sources::default();
    let source = sources.add("postls.yaml", text.as_bytes().to_vec());
    let (policies, problems) =
        policy::join(vec![yaml::read(source, text.as_bytes(), yaml::Role::Main)]);
    assert!(problems.is_empty(), "{problems:?} in\n{text}");
    policies
}

/// The rows that count: key and value of the first row of each key.
fn rows(bytes: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    for row in table::parse(bytes).rows.iter().filter(|it| it.kind == Kind::Entry) {
        let key = postls::text::fold(&row.key(bytes)).into_owned();
        rows.entry(key).or_insert_with(|| row.value(bytes).into_owned());
    }
    rows
}

/// What a plan with an indexed table changes.
fn changes(bytes: &[u8], policies: &Policies) -> Vec<Change> {
    let main_cf = b"smtp_tls_policy_maps = lmdb:/etc/postfix/tls_policy\n";
    crate::plan::make(main_cf, Some(bytes), policies, "lmdb").changes
}

#[test]
fn a_policy_file_says_what_a_table_says() {
    let table = "\
# Who wants what.\n\
\n\
# owner: mail team\n\
# Reason: contract 2026-14\n\
# renewed each year\n\
Partner.example  secure match=mx.partner.example:.mail.partner.example,\n\
\x20 # not older\n\
\x20 match=nexthop protocols=>=TLSv1.2\n\
#off.example may\n\
[relay.example]:587\tfingerprint match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0|09165400000000000000000000000000\n\
.example encrypt connection_reuse=no servername=hostname\n\
no NONE\n\
* may\n\
lone\n\
partner.example may\n\
# the end\n";
    let live = live(table.as_bytes());
    let draft = Draft::new(&live);
    let want = "\
version: 1

table:
  path: tls_policy
  type: lmdb

destinations:
  # Who wants what.

  # renewed each year
  # not older
  partner.example:
    level: secure
    match: [mx.partner.example, \".mail.partner.example\", nexthop]
    protocols: \">=TLSv1.2\"
    owner: \"mail team\"
    reason: \"contract 2026-14\"
  #off.example may
  \"[relay.example]:587\":
    level: fingerprint
    pins:
      - certificate: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0\"
      - certificate: \"09:16:54:00:00:00:00:00:00:00:00:00:00:00:00:00\"
  \".example\":
    level: encrypt
    servername: hostname
    connection_reuse: false
  \"no\": none
  # left out: \"*\" is no wildcard here; \".example.com\" covers the sub-domains of example.com
  #   * may
  # left out: it has no value, and Postfix skips it
  #   lone 
  # left out: the first row of a key counts, and that is in line 6
  #   partner.example may
  # the end
";
    assert_eq!(draft.text(), want.replace("lone \n", "lone\n"));
    let said: Vec<String> = draft
        .left_out()
        .iter()
        .map(|it| format!("{}: {}", it.line.expect("of the table"), it.text))
        .collect();
    assert_eq!(said, ["13: * may", "14: lone", "15: partner.example may"]);
    read(draft.text());
}

/// Bytes that are not UTF-8, and those that YAML takes for something else.
#[test]
fn comments_and_keys_of_all_kinds_make_a_file_that_is_read() {
    let table: &[u8] = b"# caf\xe9\r\n# \x00\x1b[31m\xc2\x85\n# - &a *b !c %d {e: [f\n\
        1.0 may\n~ may\nyes may\n2027-01-31 may\n1e3 encrypt\n0x10 may\n12:30 may\nnull may\n\
        /run/a:#b may\nb\xc3\xbccher.example may\nb\xfccher.example may\n# \xe2\x80\xa8\xef\xbb\xbf\n";
    let live = live(table);
    let draft = Draft::new(&live);
    assert!(draft.text().contains("  # caf\u{e9}\n  # ??[31m?\n"), "{}", draft.text());
    let keys: Vec<String> =
        read(draft.text()).destinations.iter().map(|it| it.nexthop.value.to_string()).collect();
    let want = [
        "1.0",
        "yes",
        "2027-01-31",
        "1e3",
        "0x10",
        "12:30",
        "null",
        "/run/a:#b",
        "b\u{fc}cher.example",
    ];
    assert_eq!(keys, want);
    let left: Vec<String> = draft.left_out().into_iter().map(|it| it.text).collect();
    assert_eq!(left, ["~ may", "b\u{fc}cher.example may"]);
}

/// What postls wrote itself comes back, also what is not in force.
#[test]
fn a_table_of_postls_becomes_the_policy_file_that_it_is_of() {
    let yaml = "version: 1\ntable: {type: lmdb}\ndestinations:\n  b.example: {level: secure, match: [x, .y], testing: true}\n\
        \x20 a.example: {level: encrypt, ciphers: high, exclude: [RC4, MD5]}\n  c.example: may\n";
    let before = read(yaml);
    let table = compile::table(&compile::rows(&before, None), "postls.yaml");
    let live = live(table.as_bytes());
    let draft = Draft::new(&live);
    let after = read(draft.text());
    assert_eq!(compile::table(&compile::rows(&after, None), "postls.yaml"), table);
    assert!(draft.left_out().is_empty() && !draft.text().contains('#'), "{}", draft.text());
    assert_eq!(changes(table.as_bytes(), &after), []);
}

const KEYS: &[&str] = &[
    "a.example",
    "A.Example",
    ".example",
    "[mx.example]",
    "[mx.example]:25",
    "[IPv6:2001:db8::1]:25",
    "[::1]",
    "192.0.2.1",
    "host:587",
    "no",
    "yes",
    "1.5",
    "*",
    "*.example",
    "a@example",
    "\"quoted\"",
    "smtp:x",
    "/var/run/x",
    "b\u{fc}cher.example",
    "x.",
    "#x",
    "{a}",
    "2001:db8::1",
    "~",
    "-a",
];
const LEVELS: &[&str] = &[
    "none",
    "may",
    "Encrypt",
    "dane",
    "dane-only",
    "verify",
    "secure",
    "SECURE,",
    "fingerprint",
    "fingerprint",
    "encypt",
    "",
    "#",
];
const ATTRIBUTES: &[&str] = &[
    "match=mx.example",
    "match=.a:nexthop:dot-nexthop",
    "match=a|b",
    "match=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0",
    "match=adf3c3682bce8ddaa383ac84f65b52e0|00:11",
    "MATCH=AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E1",
    "match=",
    "match=:",
    "match=1.0:yes:~",
    "protocols=>=TLSv1.2",
    "protocols=!SSLv2:!SSLv3",
    "protocols=TLSv9",
    "{ protocols = TLSv1.2, TLSv1.3 }",
    "ciphers=high",
    "ciphers=HIGH",
    "ciphers=strong",
    "exclude=aNULL:MD5",
    "exclude=",
    "exclude=!a",
    "servername=hostname",
    "servername=a..b",
    "tafile=/etc/ssl/a.pem",
    "tafile=/etc/ssl/b.pem",
    "connection_reuse=yes",
    "connection_reuse=No",
    "enable_rpk=yes",
    "enable_rpk=maybe",
    "policy_type=sts",
    "what=x",
    "# why",
    "{",
    "}",
];

fn table(random: &mut Random) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..=random.below(12) {
        match random.below(8) {
            0 => {
                text += random.of(&[
                    "# a comment\n",
                    "#\n",
                    "\n",
                    "# owner: me\n",
                    "  \n",
                    "#\u{e9}\n",
                ]);
            }
            1 => {
                text += random.of(&["lone\n", "\"open x\n", "  more\n"]);
            }
            _ => {
                text += random.of(KEYS);
                text += random.of(&[" ", "\t", "  "]);
                text += random.of(LEVELS);
                for _ in 0..random.below(4) {
                    text += random.of(&[" ", ", ", "\n  ", "\n# inside\n\t"]);
                    text += random.of(ATTRIBUTES);
                }
                text += random.of(&["\n", "\n", "\n", "\r\n"]);
            }
        }
    }
    text.into_bytes()
}

/// Whatever stands in a table: the policy file has no mistake, each row is in it with its meaning or
/// is said to be left out, and where none that counts is, nothing changes.
#[test]
fn generated_tables_are_taken_over_or_said_not_to_be() {
    let bases = generator::bases(|name| name == "tls_policy", generator::TABLE);
    let (mut taken, mut left, mut whole) = (0, 0, 0);
    rounds(4000, |seed, round, random| {
        let bytes =
            if random.below(3) == 0 { generator::edited(&bases, random) } else { table(random) };
        let _shown = Shown { seed, round, input: &bytes };
        let live = live(&bytes);
        let draft = Draft::new(&live);
        let policies = read(draft.text());
        let compiled = compile::rows(&policies, None);
        let left_out = draft.left_out();
        let rows = rows(&bytes);
        let mut missing = 0;
        for (key, value) in &rows {
            let text = String::from_utf8_lossy(key);
            let row = compiled.iter().find(|it| it.nexthop.as_str() == text);
            match row {
                Some(row) => {
                    taken += 1;
                    assert!(policy::same(row.policy.as_bytes(), value), "{row:?}");
                }
                None => {
                    missing += 1;
                    let value = value.escape_ascii().to_string();
                    assert!(!left_out.is_empty(), "{text} {value} is gone in silence");
                }
            }
        }
        left += missing;
        assert_eq!(compiled.len() + missing, rows.len());
        assert!(left_out.len() >= missing, "{left_out:?}");
        if missing == 0 {
            whole += 1;
            assert_eq!(changes(&bytes, &policies), []);
        }
    });
    println!(
        "generated tables: {taken} rows taken over, {left} left out with a reason; {whole} tables whole"
    );
    assert!(taken > 2 * whole && whole > 100);
}

/// A table of somebody else's is no change as long as it says the same, and is ours to change then.
#[test]
fn a_table_that_says_the_same_stays_as_it_is() {
    let yaml = |level| {
        format!(
            "version: 1\ndestinations: {{a.example: {{level: secure, match: [x, .y]}}, b.example: {level}}}\n"
        )
    };
    let table = "# mine\nB.example\tMAY\n\na.example  secure,match=x\n  match=.y\na.example may\n";
    assert_eq!(changes(table.as_bytes(), &read(&yaml("may"))), []);
    let changed = changes(table.as_bytes(), &read(&yaml("encrypt")));
    assert_eq!(changed.len(), 2, "{changed:?}");
    // The same order of rows in a table that a daemon reads itself is none it can use.
    let main_cf = b"smtp_tls_policy_maps = texthash:/etc/postfix/tls_policy\n";
    let plan = crate::plan::make(main_cf, Some(table.as_bytes()), &read(&yaml("may")), "texthash");
    assert_eq!((plan.changes.len(), plan.policies.len()), (1, 0));
    // What postls wrote is written as it writes it.
    let own = format!("{} from postls.yaml.\n{table}", compile::MARK);
    assert_eq!(changes(own.as_bytes(), &read(&yaml("may"))).len(), 2);
}

/// An index that does not hold what the table says is built, of the table as it stands.
#[test]
fn an_index_is_built_of_the_table_that_stays() {
    let table = b"# mine\na.example MAY\n";
    let mut sources = Sources::default();
    let main_cf = b"smtp_tls_policy_maps = hash:/etc/postfix/tls_policy\n".to_vec();
    let source = sources.add("main.cf", main_cf);
    let live = Live {
        scopes: &[],
        beside: &[],
        configuration: &Configuration::new(&sources, source, Version::new(3, 7)),
        table: Some(table),
        written: None,
        kind: "hash",
        index: Some(plan::Stale::Differs),
        digest: None,
        inputs: Vec::new(),
        policy_file: "postls.yaml",
        table_names: &["/etc/postfix/tls_policy".to_owned()],
    };
    let plan = plan::make(&live, &read("version: 1\ndestinations: {a.example: may}\n"));
    let changes = plan.expect("nothing overlaps").changes;
    let [Change::Index { text, .. }] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(text, table);
}

/// Where the list of main.cf has the table, it stays as it is written.
#[test]
fn a_list_that_has_the_table_is_not_touched() {
    let policies = read("version: 1\ndestinations: {a.example: may}\n");
    for list in [
        "smtp_tls_policy_maps = pcre:/x, lmdb:/etc/postfix/tls_policy",
        "smtp_tls_policy_maps = $mine\nmine = pcre:/x lmdb:$config_directory/tls_policy",
        "smtp_tls_policy_maps = ${t}tls_policy\nt = proxy:lmdb:/etc/postfix/",
        "smtp_tls_policy_maps =\n  # ours\n  lmdb:/etc/postfix/tls_policy,\n\tlmdb:/y",
    ] {
        let plan = crate::plan::make(list.as_bytes(), Some(b"a.example may\n"), &policies, "lmdb");
        assert_eq!(plan.changes, [], "{list}");
    }
}

/// A policy file without a table leaves tables alone, but for one that was postls's.
#[test]
fn a_policy_file_without_a_table_writes_none() {
    let policies = read("version: 1\nparameters: {smtp_tls_security_level: may}\n");
    let main_cf = b"smtp_tls_security_level = may\n";
    let changes = |table: Option<&[u8]>, policies| {
        crate::plan::make(main_cf, table, policies, "texthash").changes.len()
    };
    assert_eq!(changes(None, &policies), 0);
    assert_eq!(changes(Some(b"a.example may\n"), &policies), 0);
    let own = format!("{} from postls.yaml.\na.example may\n", compile::MARK);
    assert_eq!(changes(Some(own.as_bytes()), &policies), 2, "its last destination is gone");
    let named = read("version: 1\ntable: {type: texthash}\n");
    assert_eq!(changes(None, &named), 2);
}

/// Rows that postls did not write: in a table of somebody else's all, in its own those that are
/// not in it as postls left it.
#[test]
fn rows_that_postls_did_not_write_are_foreign() {
    let policies = read("version: 1\ndestinations: {a.example: may}\n");
    let foreign = |table: &str, written: Option<&str>| {
        let mut sources = Sources::default();
        let source = sources.add("main.cf", Vec::new());
        let live = Live {
            scopes: &[],
            beside: &[],
            configuration: &Configuration::new(&sources, source, Version::new(3, 7)),
            table: Some(table.as_bytes()),
            written: written.map(str::as_bytes),
            kind: "texthash",
            index: None,
            digest: None,
            inputs: Vec::new(),
            policy_file: "postls.yaml",
            table_names: &[],
        };
        let plan = plan::make(&live, &policies).expect("nothing overlaps");
        plan.foreign().map(str::to_owned).collect::<Vec<_>>()
    };
    let rows = "a.example encrypt\nold.example may\nhand.example may\n";
    let own = format!("{}\n{rows}", compile::MARK);
    let written = format!("{}\nold.example may\n", compile::MARK);
    assert_eq!(foreign(rows, None), ["hand.example", "old.example"]);
    assert_eq!(foreign(&own, None), [] as [&str; 0], "nobody knows who wrote them");
    assert_eq!(foreign(&own, Some(&written)), ["hand.example"]);
    assert_eq!(foreign(rows, Some(&written)), ["hand.example", "old.example"]);
}
