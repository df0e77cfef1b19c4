//! A table's name is one that Postfix refuses to open if, and only if, postls says so.

use std::fmt::Write as _;
use std::fs;

use postls::config::{Content, TableReference, Why};
use postls::postfix::{table_type, table_types};

use crate::judges::{self, Chamber};

/// What is asked; `@` stands for the directory. No `proxy:`, which needs a running proxymap(8).
/// Of `tcp:` one is enough: it tries ten times.
const NAMES: &[&str] = &[
    // One of each type.
    "btree:@/btree",
    "cdb:@/cdb",
    "cidr:@/cidr",
    "dbm:@/dbm",
    "debug:static:x",
    "environ:x",
    "fail:x",
    "hash:@/hash",
    "inline:{k=v}",
    "internal:x",
    "ldap:@/client",
    "lmdb:@/lmdb",
    "memcache:@/client",
    "mongodb:@/client",
    "mysql:@/client",
    "netinfo:/x",
    "nisplus:x",
    "pcre:@/patterns",
    "pgsql:@/client",
    "pipemap:{static:x}",
    "randmap:{x}",
    "regexp:@/patterns",
    "sdbm:@/sdbm",
    "socketmap:unix:@/none:name",
    "sqlite:@/client",
    "static:x",
    "tcp:127.0.0.1:1",
    "texthash:@/text",
    "unionmap:{static:x}",
    "unix:passwd.byname",
    // Types that no Postfix has.
    "HASH:@/text",
    "Static:x",
    "hsah:@/text",
    "test:x",
    "fd00::/64",
    "2001:db8::1",
    "foo:",
    " static:x",
    "static :x",
    "{static:x}",
    "nofile:/x",
    "non-existent:x",
    "map:x",
    "inet:h:1",
    // No type, no name.
    ":",
    ":x",
    "::1",
    "::/0",
    "static:",
    "hash:",
    "unionmap:",
    "debug:",
    "internal:",
    "debug:static",
    "debug::x",
    "debug:foo:x",
    "debug:static:",
    "debug:debug:static:x",
    "debug:{static:x}",
    "debug:inline:{ k = v }",
    // inline
    "inline:{}",
    "inline:{ }",
    "inline:{,}",
    "inline:k=v",
    "inline:{k=v",
    "inline:{k=v}}",
    "inline:{k=v}x",
    "inline:{k=v} ",
    "inline: {k=v}",
    "inline:{k}",
    "inline:{k=}",
    "inline:{=v}",
    "inline:{=}",
    "inline:{ k = v }",
    "inline:{ k=v }",
    "inline:{{k = v w}}",
    "inline:{{ k = v },}",
    "inline:{{k v}}",
    "inline:{{}}",
    "inline:{{ }}",
    "inline:{{k=v}x}",
    "inline:{{k=v}=x}",
    "inline:{k=v,{l = w},m=x}",
    "inline:{k=v l=w}",
    "inline:{k=v l w}",
    "inline:{k={v, w}}",
    "inline:{k=}, l=w}",
    "inline:{\"k\"=v}",
    "inline:{\"k=v}",
    "inline:{{\"k l\" = v}}",
    "inline:{{k l = v}}",
    "inline:{{\"k l = v}}",
    "inline:{k\\=v}",
    "inline:{k\\ =v}",
    "inline:{k\"=\"=v}",
    "inline:{k=v\"}",
    "inline:{k\\\"=v}",
    "inline:{#=v}",
    "inline:{k==v}",
    "inline:{{=v}}",
    "inline:{{k\\}}",
    "inline:{k\\}",
    // static
    "static: x",
    "static:{x}",
    "static:{x y}",
    "static:{}",
    "static:{ }",
    "static:{x",
    "static:x}",
    "static:{x}y",
    "static:{x} ",
    "static:{{x}}",
    "static:{{x}",
    "static:a:b",
    "static:x {",
    "static:}",
    // unionmap, pipemap
    "unionmap:{}",
    "unionmap:{ }",
    "unionmap:{,}",
    "unionmap:static:x",
    "unionmap:{static:x",
    "unionmap:{static:x}}",
    "unionmap:{static:x}y",
    "unionmap:{ static:x, static:y }",
    "unionmap:{static}",
    "unionmap:{static:x static}",
    "unionmap:{:}",
    "unionmap:{static:}",
    "unionmap:{foo:x}",
    "unionmap:{static:x,HASH:y}",
    "unionmap:{inline:{k=v}}",
    "unionmap:{inline:{ k=v, l=w }}",
    "unionmap:{inline:{ k = v }}",
    "unionmap:{static:{a b}}",
    "unionmap:{{static:x}}",
    "unionmap:{unionmap:{static:x},static:y}",
    "unionmap:{unionmap:{}}",
    "unionmap:{debug:static:x}",
    "unionmap:{debug:x}",
    "unionmap:{texthash:@/text}",
    "pipemap:{}",
    "pipemap:{ }",
    "pipemap:static:x",
    "pipemap:{static:x",
    "pipemap:{static:x}y",
    "pipemap:{static:x, static:y}",
    "pipemap:{static}",
    "pipemap:{foo:x}",
    "pipemap:{inline:{x=y},unionmap:{static:z}}",
    "pipemap:{inline:{x=y},unionmap:static:z}",
    // randmap
    "randmap:{}",
    "randmap:{ }",
    "randmap:{,}",
    "randmap:x",
    "randmap:{x",
    "randmap:{x}y",
    "randmap:{x, y z}",
    "randmap:{{x y}, z}",
    "randmap:{foo:x}",
    "randmap:{{x}y}",
    "randmap:{{}}",
    // Patterns in the name.
    "regexp:{{/x/ y}}",
    "regexp:{{/x/ y}, {/z/ w}}",
    "regexp:{}",
    "regexp:{ }",
    "regexp:{/x/ y}",
    "regexp:{x}",
    "regexp:{{/x/ y}",
    "regexp:{{/x/ y}}x",
    "regexp:{{/x/ y}z}",
    "regexp:{{/x{2}/ y}}",
    "regexp:{{}}",
    "regexp:{{/x y}}",
    "pcre:{{/x/ y}}",
    "pcre:{/x/ y}",
    "pcre:{{/x/ y}",
    "pcre:{{/x}/ y}}",
    "cidr:{{::/0 y}}",
    "cidr:{::/0 y}",
    "cidr:{}",
    "cidr:{{::/0 y}}x",
    "cidr:{{x}}",
    "unionmap:{regexp:{{/x/ y}}}",
    "unionmap:{regexp:{/x/ y}}",
    // Servers and accounts.
    "socketmap:name",
    "socketmap:unix:@/none",
    "socketmap:inet:127.0.0.1:1:name",
    "socketmap:unix",
    "socketmap::name",
    "socketmap:foo:@/none:name",
    "socketmap:local:@/none:name",
    "socketmap::x:name",
    "socketmap:Inet:127.0.0.1:1:name",
    "socketmap:unix:@/none:",
    "socketmap:inet:127.0.0.1:1",
    "unix:group.byname",
    "unix:passwd",
    "unix:passwd.byname ",
];

#[test]
fn postfix_refuses_the_tables_that_postls_finds_fault_with() {
    let mut differences = String::new();
    for judge in judges::all() {
        let chamber = judge.chamber();
        let types = types(&chamber);
        let at = chamber.path().display().to_string();
        let names: Vec<String> = NAMES.iter().map(|it| it.replace('@', &at)).collect();
        let answers = ask(&chamber, &names);
        let (mut refused, mut compared, before) = (0, 0, differences.len());
        for (name, says) in names.iter().zip(&answers) {
            let reference = TableReference::parse(name.as_bytes(), 0..name.len(), judge.version);
            if !lacking(&reference, name, &types).is_empty() {
                continue;
            }
            compared += 1;
            // A table that is open and cannot answer is another thing.
            let fatal = says.contains("fatal: ") && !says.contains("query error");
            refused += usize::from(fatal);
            if fatal == reference.problems().is_empty() {
                let ours = reference.problems();
                let full = &judge.full_version;
                writeln!(differences, "{full} {name}: postls {ours:?}, Postfix: {says}")
                    .expect("a String takes all");
            }
        }
        let found = differences[before..].lines().count();
        println!(
            "Postfix {}: {compared} names of tables, {refused} refused, {found} differences; \
             {} left out, of types that this build lacks",
            judge.full_version,
            NAMES.len() - compared
        );
        assert!(refused > 50 && compared - refused > 50, "it answers");
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn every_type_of_a_build_is_one_that_its_version_has() {
    for judge in judges::all() {
        let types = types(&judge.chamber());
        assert!(types.len() > 20, "postconf -m answers");
        for name in &types {
            let known = table_type(name).is_some_and(|it| it.exists_in(judge.version));
            assert!(known, "Postfix {}: {name}", judge.full_version);
        }
        for known in table_types().filter(|it| !it.exists_in(judge.version)) {
            assert!(!types.iter().any(|it| it == known.name), "{known:?}");
        }
        println!("Postfix {}: {} types", judge.full_version, types.len());
    }
}

/// What `postconf -m` prints.
fn types(chamber: &Chamber<'_>) -> Vec<String> {
    let output = chamber.run_in(".", "postconf", &["-m"]);
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
}

/// The types in a table's name that Postfix can have and this build has not.
fn lacking(reference: &TableReference, name: &str, types: &[String]) -> Vec<String> {
    let own = &name[reference.table_type.clone()];
    let unknown = reference.problem.as_ref().is_some_and(|it| it.why == Why::UnknownType);
    let mut found = Vec::new();
    if !unknown && !own.is_empty() && !types.iter().any(|it| it == own) {
        found.push(own.to_owned());
    }
    if let Content::Tables(members) = &reference.content {
        found.extend(members.iter().flat_map(|it| lacking(it, name, types)));
    }
    found
}

/// What postmap says when it looks a key up.
fn ask(chamber: &Chamber<'_>, names: &[String]) -> Vec<String> {
    for file in ["text", "btree", "cdb", "hash", "lmdb", "sdbm"] {
        chamber.write(file, b"x y\n");
    }
    chamber.write("patterns", b"/x/ y\n");
    chamber.write("cidr", b"::/0 y\n");
    chamber.write("client", b"memcache = inet:127.0.0.1:1\nmax_try = 1\nretry_pause = 1\n");
    let at = chamber.path();
    let at = at.display();
    let mut script = String::new();
    for indexed in ["btree", "cdb", "hash", "lmdb", "sdbm"] {
        writeln!(script, "postmap -c {at} {indexed}:{at}/{indexed} 2>/dev/null &")
            .expect("a String takes all");
    }
    script.push_str("wait\n");
    chamber.shell(&script);
    chamber.side_by_side(names.iter().enumerate().map(|(index, name)| {
        format!("timeout 30 postmap -c {at} -q x '{name}' >/dev/null 2>{at}/{index}.err")
    }));
    let read = |index: usize| fs::read(chamber.path().join(format!("{index}.err")));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (0..names.len()).map(|it| text(read(it).expect("it was asked"))).collect()
}
