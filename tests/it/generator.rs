//! Generated input, the same in every run: `POSTLS_SEED=n` chooses another, `POSTLS_ROUNDS=n` how
//! many there are of each kind. A failure prints the seed, the round and the input.

use std::fs;

use crate::fixture;

/// splitmix64: small, and the same on every machine.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    pub(crate) fn of<'t, T: ?Sized>(&mut self, items: &[&'t T]) -> &'t T {
        items[self.below(items.len())]
    }
}

/// Prints what failed.
pub(crate) struct Shown<'a> {
    pub(crate) seed: u64,
    pub(crate) round: u64,
    pub(crate) input: &'a [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Shown { seed, round, input } = self;
            eprintln!("POSTLS_SEED={seed} round {round}: \"{}\"", input.escape_ascii());
        }
    }
}

/// Calls `ask` with a generator of its own for each round.
pub(crate) fn rounds(count: u64, mut ask: impl FnMut(u64, u64, &mut Random)) {
    let number =
        |name, otherwise| std::env::var(name).map_or(otherwise, |it| it.parse().expect("a number"));
    let seed = number("POSTLS_SEED", 2026);
    for round in 0..number("POSTLS_ROUNDS", count) {
        ask(seed, round, &mut Random(seed.wrapping_mul(0x1_0000_0001).wrapping_add(round << 20)));
    }
}

/// What breaks readers: each is inserted anywhere.
const NASTY: &[&[u8]] = &[
    b"\0",
    b"\r",
    b"\x0b",
    b"\x0c",
    b"\xff",
    b"\xef\xbb\xbf",
    b"#",
    b"=",
    b"\"",
    b"{",
    b"}",
    b"$",
    b"\t",
    b"\n",
    b" ",
    b"\n\n",
    b"\n ",
    b"\n#",
    b"\r\n",
    b"\\",
    b"\\\n",
    b"'",
    b",",
    b":",
    b"|",
    b"[",
    b"]",
    b"(",
    b")",
    b"${",
    b"$(",
    b"$$",
    b"{ ",
    b"}}",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\x1b[31m",
    b"\xc2\x85",
    b"- ",
    b"---\n",
    b"&a ",
    b"*a",
    b"!!x ",
    b"? ",
    b": ",
    b"~",
    b"%",
    b"match=",
    b"fingerprint",
    b"\xc4\xb0",
];

/// Two to a few random changes of one text, or of parts of two.
pub(crate) fn edited(bases: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text = bases[random.below(bases.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(12)).min(text.len());
        match random.below(9) {
            0 => drop(text.splice(at..end, [])),
            1..=3 => drop(text.splice(at..at, random.of(NASTY).iter().copied())),
            4 => drop(text.splice(at..end, random.of(NASTY).iter().copied())),
            5 => {
                let piece = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            6 => {
                let mut lines: Vec<&[u8]> = text.split_inclusive(|it| *it == b'\n').collect();
                let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                if !lines.is_empty() {
                    lines.swap(a, b);
                }
                text = lines.concat();
            }
            7 => {
                let other = &bases[random.below(bases.len())];
                let from = random.below(other.len() + 1);
                let part = &other[from..(from + random.below(200)).min(other.len())];
                text.splice(at..at, part.iter().copied());
            }
            _ => text.truncate(text.len().saturating_sub(random.below(20))),
        }
    }
    // Long texts cost more than they show.
    text.truncate(3000);
    text
}

/// The files of all examples whose names `wanted` takes, and `more`.
pub(crate) fn bases(wanted: fn(&str) -> bool, more: &[&str]) -> Vec<Vec<u8>> {
    let mut bases: Vec<Vec<u8>> = more.iter().map(|it| it.as_bytes().to_vec()).collect();
    for rule in postls::rules::all() {
        for text in [rule.bad, rule.good] {
            let files = fixture::files(text).into_iter().filter(|(name, _)| wanted(name));
            bases.extend(files.map(|(_, text)| text.as_bytes().to_vec()));
        }
    }
    for folder in ["examples/blog", "examples/mailhost"] {
        for file in fs::read_dir(folder).expect("there are examples") {
            let path = file.expect("it can be listed").path();
            let name = path.file_name().expect("it has a name").to_string_lossy();
            if path.is_file() && wanted(&name) {
                bases.push(fs::read(&path).expect("it was listed"));
            }
        }
    }
    bases
}

pub(crate) const MAIN_CF: &[&str] = &[
    "",
    "\n",
    " a = b\n c\nd = e\n",
    "a = b\n# c\n\n  d\n#e\n \t\n f\n\n# g\nh\n = i\n",
    "smtp_tls_security_level=may\r\nrelayhost =\r\n  [mx.example]:587\r\n",
    "smtp_tls_policy_maps = texthash:/x,\n  # comment\n  lmdb:/y { a, b }\n",
    "myhostname = ${mydomain?{mx.$mydomain}:{mx}}\nmydomain = a.example\nrelayhost = $mydomain\n",
    "smtp_tls_loglevel = 1\nsmtp_tls_loglevel = ${{$compatibility_level} >=level {3.6} ? {1} : {0}}\n",
];
pub(crate) const TABLE: &[&str] = &[
    "",
    "a.example encrypt\n.a.example secure match=.a.example:nexthop\n[mx.example]:587 may\n",
    "\"a b\" c\n\"a\n  b\" c\nk\\ l m\n\"unbalanced v\n",
    "k\n# c\n  v\n\n  w\nK: v\nlone\n",
    "b.example fingerprint match=AD:F3|ad:f3 match=00\n  ciphers=high, protocols=>=TLSv1.2 # c\n",
];
pub(crate) const YAML: &[&str] = &[
    "",
    "version: 1\n",
    "version: 1\nparameters: {smtp_tls_security_level: dane, relayhost: null}\ntable: {type: lmdb}\n",
    "version: 1\nprofiles: {p: {level: secure, match: [a, .b], exclude: aNULL}}\ndestinations:\n  a.example: {use: p}\n  '[b.example]:25': may\n",
    "version: 1\ndestinations:\n  a.example:\n    level: fingerprint\n    pins:\n    - public-key: [AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0, \"\"]\n      pem: a/b.pem\n    - {pem: c.pem, of: certificate}\n",
    "version: 1\ndestinations:\n  a.example:\n    level: fingerprint\n    pins:\n    - certificate: \"AD:F3:C3:68:2B:CE:8D:DA:A3:83:AC:84:F6:5B:52:E0\"\n      retire: 2027-01-31\n",
    "version: 1\ninclude: [x/*.yaml, \"y\\x41\"]\nlint: {allow: {a: b}}\nx: &a [*a]\n",
    "a: |\n  b\n  c\n? [x]\n: y\n",
    "version: 1\ndestinations:\n  /run/mail: {level: may, testing: no}\n  '/a\"b\\': encrypt\n",
];

/// Names that a generated value may refer to.
const NAMES: &[&str] = &[
    "myhostname",
    "mydomain",
    "relayhost",
    "smtp_tls_security_level",
    "mynetworks",
    "mail_name",
    "mail_version",
    "compatibility_level",
    "virtual_maps",
    "fallback_relay",
    "smtpd_use_tls",
    "forward_path",
    "luser_relay",
    "default_rbl_reply",
    "process_name",
    "service_name",
    "config_directory",
    "default_database_type",
    "smtp_destination_concurrency_limit",
    "relay_destination_recipient_limit",
    "policy_time_limit",
    "box_destination_rate_delay",
    "smtp_tls_fingerprint_digest",
    "a",
    "b",
    "c_d",
    "X1",
    "undefined",
    "accounts_server_host",
    "users_query",
    "users_hosts",
    "strict",
    "lax",
    "smtpd_restriction_classes",
    "smtp_per_record_deadline",
    "smtpd_client_restrictions",
    "alias_maps",
    "1b",
    "mail_release_date",
    "daemon_directory",
];
const WORDS: &[&str] = &[
    "x",
    "yes",
    "no",
    "3.6",
    "10",
    "9",
    "007",
    "a b",
    "",
    " ",
    "{",
    "}",
    "{a b}",
    "mx.example",
    "hash:/etc/x",
    "ldap:accounts",
    "proxy:mysql:users",
    "pcre:{{/a b/ c}}",
    "inline:{a=b, c=d}",
    "ldap:{users}",
    "pgsql:users",
    "check_client_access",
    "permit",
    "#c",
    "a#b",
    "$$",
    "\u{e9}",
    "=",
    ":",
    "?",
    "<=",
    ",",
    "unionmap:{ldap:accounts, proxy:ldap:users}",
    "debug:ldap:accounts",
    "2147483648",
    "99999999999999999999",
];

/// A value with references of all kinds in it.
fn value(random: &mut Random, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(3) {
        text.push_str(&part(random, depth));
        text.push_str(random.of(&["", "", " ", ", ", "\n ", "\t"]));
    }
    text
}

fn part(random: &mut Random, depth: usize) -> String {
    let name = random.of(NAMES).to_owned();
    if depth == 0 {
        return match random.below(3) {
            0 => format!("${name}"),
            _ => random.of(WORDS).to_owned(),
        };
    }
    let blank = random.of(&["", "", "", " ", "\t"]).to_owned();
    let inner = |random: &mut Random| value(random, depth - 1).replace('\n', " ");
    match random.below(14) {
        0 => format!("${name}"),
        1 => format!("${{{blank}{name}}}"),
        2 => format!("$({name}{blank})"),
        3 => format!("${{{name}?{}}}", inner(random)),
        4 => format!("${{{name}:{}}}", inner(random)),
        5 => format!(
            "${{{name}{blank}?{blank}{{{}}}{blank}:{blank}{{{}}}}}",
            inner(random),
            inner(random)
        ),
        6 => format!("$({name}?{{{}}})", inner(random)),
        7 | 8 => {
            let operator = random.of(&[
                "==", "!=", "<", "<=", ">=", ">", "=", "==level", "<level", ">=level", "==x", "=~",
            ]);
            let (left, right) = if operator.ends_with("level") {
                (
                    random.of(&["$compatibility_level", "3.6", "2", "x", "3.6.1", " 3"]).to_owned(),
                    "3.6".to_owned(),
                )
            } else {
                (inner(random), inner(random))
            };
            let rest = random.of(&["", "?", ":", "?:"]);
            let mut text =
                format!("${{{blank}{{{left}}}{blank}{operator}{blank}{{{right}}}{blank}");
            for sign in rest.chars() {
                text.extend([&sign.to_string(), &blank, "{", &inner(random), "}", &blank]);
            }
            text + "}"
        }
        9 => format!(
            "${{domain_to_{}{{{}}}}}",
            random.of(&["ascii", "utf8", "x"]),
            random.of(&["a.example", "$mydomain", ""])
        ),
        // One value in a few is broken: it stops all others from being read.
        10 if random.below(8) == 0 => random
            .of(&["$", "${", "${}", "$(a}", "${a-b}", "${a?{b}c}", "${{a} == b}", "$ x", "${$a}"])
            .to_owned(),
        _ => random.of(WORDS).to_owned(),
    }
}

/// A main.cf and a master.cf with names that depend on each other.
pub(crate) fn configuration(random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let mut main_cf = String::new();
    for _ in 0..random.below(12) {
        let name = random.of(NAMES);
        let depth = random.below(4);
        let value = match name {
            // Their values are read by postconf itself.
            "smtpd_restriction_classes" => {
                random.of(&["strict", "strict, lax", "$a lax", "${a?{lax}}"]).to_owned()
            }
            "compatibility_level" => random.of(&["0", "2", "3.6", "3.9", "x"]).to_owned(),
            _ => value(random, depth),
        };
        let (before, behind) = (random.of(&["", " "]), random.of(&["", " ", "\n\t"]));
        main_cf.extend([name, before, "=", behind, &value, "\n"]);
        if random.below(10) == 0 {
            main_cf.push_str(random.of(&["# comment\n", "\n", "  \n", " more\n", "\t# c\n"]));
        }
    }
    // Its default comes from this host's network.
    main_cf.push_str("mynetworks = 127.0.0.0/8\n");
    let mut master_cf = String::new();
    for _ in 0..random.below(5) {
        let service = random.of(&["smtp", "relay", "policy", "box", "[::1]:25", "a", "users"]);
        let kind = random.of(&["inet", "unix", "unix", "fifo", "pass", "unix-dgram"]);
        let field = |random: &mut Random| random.of(&["-", "-", "n", "y"]).to_owned();
        let (private, unprivileged, chroot) = (field(random), field(random), field(random));
        let broken = random.below(20) == 0;
        let wakeup = if broken { "1!" } else { random.of(&["-", "-", "0", "300?", "60", "?"]) };
        let limit = random.of(&["-", "0", "1", "100"]);
        let program = random.of(&[
            "smtp",
            "smtpd",
            "pipe",
            "spawn",
            "local",
            "virtual",
            "error",
            "lmtp",
            "/usr/lib/x/smtp",
            "discard",
        ]);
        let gap = random.of(&[" ", "   ", "\t"]);
        master_cf.push_str(
            &[service, kind, &private, &unprivileged, &chroot, wakeup, limit, program].join(gap),
        );
        for _ in 0..random.below(6) {
            let name = random.of(NAMES);
            let value = value(random, 1).replace('\n', " ");
            let word = value.replace([' ', '\t'], "");
            master_cf.push_str(random.of(&[" ", "\n  ", "\n# c\n\t"]));
            let argument = match random.below(12) {
                0..=4 => format!("-o {name}={word}"),
                5 => format!("-o {{ {name} = {value} }}"),
                6 => format!("-o{name}={word}"),
                7 => random.of(&["-v", "-vv", "-D", "--", "-vo a=b", "--oa=b", "-o"]).to_owned(),
                8 => random
                    .of(&["{a b}", "{ a }", "{a", "{a}b", "flags=DRhu", "argv=/x ${nexthop}", "{}"])
                    .to_owned(),
                9 => format!("-o {{{name}}}"),
                10 => format!("-o {{ {name} = {value}"),
                _ => format!("-o {name}"),
            };
            master_cf.push_str(&argument);
        }
        master_cf.push('\n');
    }
    (main_cf.into_bytes(), master_cf.into_bytes())
}
