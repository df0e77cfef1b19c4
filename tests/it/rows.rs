//! Generated rows of smtp_tls_policy_maps: every level, every attribute of every version, and every kind of mistake.
//!
//! About half of them are what a careful administrator writes for the version at hand. In the others one
//! part or several are not.
//!
//! A row may be good and yet not be kept: a fingerprint is another server's, a certificate has another name.
//! Such a row is made twice from the same random numbers, as it is and for the server that is there
//! ([`Wish`]): what becomes of the second says whether it was the row's fault.

use postls::postfix::Version;

use crate::generator::Random;

/// What a row may be written for.
#[derive(Clone)]
pub(crate) struct Subject {
    /// The Postfix that reads it.
    pub(crate) version: Version,
    /// The name of the digest in force.
    pub(crate) digest: &'static str,
    /// The server's certificate and its key in several digests: name and fingerprint.
    pub(crate) pins: Vec<(&'static str, String)>,
}

/// Which server the row's author had in mind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The one that is there.
    ThisServer,
    /// Another one.
    AnotherServer,
}

/// Names that stand in the certificate beside the destinations', as those of main.cf do.
pub(crate) const NAMES: &str = "rows.example mx.example mx.rows.example xn--bcher-kva.example";

const LEVELS: &[&str] =
    &["none", "may", "encrypt", "fingerprint", "dane", "dane-only", "verify", "secure"];

const ATTRIBUTES: &[&str] = &[
    "ciphers",
    "protocols",
    "exclude",
    "match",
    "tafile",
    "servername",
    "connection_reuse",
    "enable_rpk",
    "policy",
    "unknown",
];

/// A row for this key, a way to write the domain: its bytes, with the newline.
pub(crate) fn row(
    key: &str,
    domain: &str,
    subject: &Subject,
    wish: Wish,
    random: &mut Random,
) -> Vec<u8> {
    let careful = random.below(2) == 0;
    let mut author =
        Author { subject, domain, wish, careful, level: "", has_policy_type: false, random };
    let text = author.row();
    let blank = random.of(&[" ", "\t", "   "]);
    [key.as_bytes(), blank.as_bytes(), &text, b"\n"].concat()
}

struct Author<'a> {
    subject: &'a Subject,
    domain: &'a str,
    wish: Wish,
    careful: bool,
    level: &'static str,
    /// What the others of its kind need is there.
    has_policy_type: bool,
    random: &'a mut Random,
}

/// A name and a value.
type Attribute = (String, String);

impl Author<'_> {
    fn row(&mut self) -> Vec<u8> {
        self.level = self.random.of(LEVELS);
        let mut text = self.level_word();
        let count = match self.random.below(8) {
            0 => 0,
            1..=4 => 1,
            5 | 6 => 2,
            _ => 4,
        };
        let mut attributes = Vec::new();
        if self.level == "fingerprint" && self.random.below(8) > 0 {
            attributes.push(("match".to_owned(), self.fingerprints()));
        }
        for _ in 0..count {
            let attribute = self.attribute();
            let twice = attributes.iter().any(|(name, _)| *name == attribute.0);
            if !(self.careful && twice) {
                attributes.push(attribute);
            }
        }
        // A server that then shows its key alone, as some Postfixes do, has no certificate with a fingerprint.
        if self.level == "fingerprint" {
            attributes
                .retain(|(name, value)| name != "enable_rpk" || !value.eq_ignore_ascii_case("yes"));
        }
        // What the server thinks of no encryption is only heard where smtp(8) does the handshake itself.
        if attributes
            .iter()
            .any(|(name, value)| name == "ciphers" && value.eq_ignore_ascii_case("null"))
        {
            attributes.retain(|(name, _)| name != "connection_reuse");
        }
        for attribute in attributes {
            let separator = self.separator();
            text.extend_from_slice(separator);
            let word = self.written(attribute);
            text.extend(word);
        }
        self.end(&mut text);
        text
    }

    /// True once in so many times, and never in a row that is to be good.
    fn slips(&mut self, times: usize) -> bool {
        self.random.below(times) == 0 && !self.careful
    }

    fn since(&self, major: u16, minor: u16) -> bool {
        self.subject.version >= Version::new(major, minor)
    }

    fn level_word(&mut self) -> Vec<u8> {
        if self.slips(8) {
            return self.odd_level();
        }
        self.cased(self.level).into_bytes()
    }

    fn odd_level(&mut self) -> Vec<u8> {
        if self.random.below(8) == 0 {
            return b"m\xe4y".to_vec();
        }
        self.one_of(
            "halfdane half-dane encypt must \"encrypt\" encrypt: dane_only {encrypt} {~encrypt~} encrypt= level=may \
             invalid notfound #may , ,may ,secure encr\u{fd}pt encrypt; { } ciphers=high encrypt\\ \u{feff}encrypt = \
             encrypt} none. m\u{e4}y",
        )
        .into_bytes()
    }

    fn cased(&mut self, text: &str) -> String {
        match self.random.below(6) {
            0 => text.to_uppercase(),
            1 => text[..1].to_uppercase() + &text[1..],
            _ => text.to_owned(),
        }
    }

    /// Between two words.
    fn separator(&mut self) -> &'static [u8] {
        if self.slips(25) {
            return self.random.of(&[
                b"\x0b" as &[u8],
                b"\x0c",
                b"\r",
                b"\xa0",
                b"\xc2\xa0",
                b";",
                b"|",
                b"\n #x\n ",
                b"\n  # x\n  ",
            ]);
        }
        self.random.of(&[
            b" " as &[u8],
            b" ",
            b",",
            b", ",
            b"\t",
            b" ,\t ,",
            b"\n  ",
            b"\n# it\n\t",
            b"\n\n ",
            b",,",
        ])
    }

    fn end(&mut self, text: &mut Vec<u8>) {
        if self.slips(14) {
            let odd = "~#~comment ~# # ~#~a=b ~//~x ~; ~\\ ~{ ~} ~{} ~{~} ~= ~\" ~\u{e9}=x ~\u{a0}";
            text.extend(self.one_of(odd).into_bytes());
        }
        if self.slips(40) {
            text.extend_from_slice(self.random.of(&[b"\r" as &[u8], b" \xff", b"\x0c"]));
        }
        if self.random.below(10) == 0 {
            text.extend_from_slice(self.random.of(&[b" " as &[u8], b"\t", b",", b" , "]));
        }
    }

    /// The name and the value of an attribute, as one word or in braces.
    fn written(&mut self, (name, value): Attribute) -> Vec<u8> {
        let needs_braces = value.contains([' ', ',']);
        let can_brace = self.since(3, 10) || !self.careful;
        let form = if self.slips(10) {
            self.one_of(
                "NAME NAME~=VALUE NAME=~VALUE NAME~=~VALUE =VALUE NAME==VALUE NAME=\"VALUE\" NAME='VALUE' \"NAME=VALUE\" \
                 NAME={VALUE} NAME={~VALUE~} {~NAME~=~VALUE {~NAME~=~VALUE~}x {{~NAME~=~VALUE~}} {~NAME~} {~=~VALUE~} \
                 {~NAME~=~} {~NAME~=~VALUE~x=y~} NAME:VALUE NAME= {~NAME~=~{VALUE}~} VALUE=NAME \
                 {~NAME=VALUE~},{~NAME=VALUE~} {NAME=VALUE}{NAME=VALUE}",
            )
        } else if can_brace && (needs_braces || self.random.below(12) == 0) {
            self.one_of("{NAME=VALUE} {~NAME=VALUE~} {~NAME~=~VALUE~} {NAME~~=~~VALUE}")
        } else {
            "NAME=VALUE".to_owned()
        };
        let text = form.replace("NAME", &self.cased(&name)).replace("VALUE", &value);
        // Latin-1 in the middle.
        if self.slips(60) { [text.as_bytes(), b"\xe9"].concat() } else { text.into_bytes() }
    }

    fn attribute(&mut self) -> Attribute {
        let compares = matches!(self.level, "fingerprint" | "verify" | "secure");
        let mut name = self.random.of(ATTRIBUTES);
        if self.has_policy_type && self.random.below(2) == 0 {
            name = "policy";
        }
        if self.careful {
            name = match name {
                "match" if !compares => "protocols",
                "tafile" if !matches!(self.level, "verify" | "secure") => "ciphers",
                "enable_rpk" if !self.since(3, 9) => "servername",
                "policy" if !self.since(3, 10) => "exclude",
                "unknown" => "protocols",
                name => name,
            };
        }
        let value = match name {
            "ciphers" => self.good_or(
                "high medium HIGH Medium",
                "low export null strong \"\" high:medium invalid TLSv1.2 LOW NULL !high",
            ),
            "protocols" => self.protocols(),
            "exclude" => self.exclusions(),
            "match" if self.level == "fingerprint" => self.fingerprints(),
            "match" => self.names(),
            "tafile" => self.trust_file(),
            "servername" => self.good_or(
                "mx.example hostname nexthop Hostname rows.example x foo_bar.example",
                "\"\" 192.0.2.1 foo_bar! a..b -x x- mx.example. b\u{fc}cher.example [mx.example] *.example \
                 a.example:b.example .example ::1 1.2.3 12 a~b hostname:x \
                 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
            ),
            "policy" => return self.reported(),
            "unknown" => return self.unknown(),
            _ => self.good_or("yes no YES No", "maybe \"\" true 1 y yes!"),
        };
        (name.to_owned(), value)
    }

    /// One of the words of a text: `~` stands for a blank, `""` for nothing.
    fn one_of(&mut self, words: &str) -> String {
        let words: Vec<&str> = words.split_ascii_whitespace().collect();
        let word = self.random.of(&words);
        if word == "\"\"" { String::new() } else { word.replace('~', " ") }
    }

    fn good_or(&mut self, good: &str, odd: &str) -> String {
        if self.slips(2) { self.one_of(odd) } else { self.one_of(good) }
    }

    /// Some words with what stands between them.
    fn some_of(&mut self, words: &str, between: &str) -> String {
        let count = 1 + self.random.below(3);
        let words: Vec<String> = (0..count).map(|_| self.one_of(words)).collect();
        words.join(&self.one_of(between))
    }

    fn protocols(&mut self) -> String {
        if self.slips(2) {
            let mut words = String::from(
                "SSLv2 SSLv3 TLSv1.2 TLSv1.3 !SSLv2 !SSLv3 !TLSv1 TLSv1.4 TLS TLSv1.0 >=TLSv1.2 >=TLSv1.3 <=TLSv1.2 >=SSLv3 \
                 >=SSLv2 <=SSLv3 >= <= >=None >=0303 >=0x0304 <=0303 <=0000 <=0300 >=0305 <=0305 >=ffff >=-1 >=+303 \
                 >TLSv1.2 =TLSv1.2 >=TLSv1.2, ! !>=TLSv1 \"\" ALL >=~TLSv1.2 all none >=0x <=100000000 >=80000000 <=~0304 \
                 >=0301",
            );
            // Where certificates count, OpenSSL decides about the oldest protocols, and its versions differ.
            if matches!(self.level, "may" | "encrypt") {
                words += " TLSv1 TLSv1.1 !TLSv1.1 !TLSv1.2 !TLSv1.3 <=TLSv1.1 <=TLSv1 <=0301";
            }
            return self.some_of(&words, ": : : :: , ~");
        }
        if self.since(3, 6) && self.random.below(2) == 0 {
            return self
                .one_of(">=TLSv1.2 >=tlsv1.3 >=TLSv1:<=TLSv1.3 >=0303 !SSLv3:>=TLSv1.2 <=0x0304");
        }
        self.one_of(
            "TLSv1.2 TLSv1.3 TLSv1.2:TLSv1.3 !SSLv2:!SSLv3 !TLSv1:!TLSv1.1 \"\" tlsv1.2:TLSV1.3",
        )
    }

    /// What is left of a cipher list without a whole family is OpenSSL's business, and so is what it knows.
    fn exclusions(&mut self) -> String {
        if self.slips(2) {
            return self.some_of(
                "!aNULL +RC4 -RC4 @STRENGTH @SECLEVEL=0 ALL foo a!b \"\" eNULL COMPLEMENTOFALL aNULL a@b RC4+MD5 \
                 TLS_AES_256_GCM_SHA384 kRSA MD5 {RC4} a{b}c \"RC4\" =x * (x) 'MD5' all foo*",
                ": : :: , ~",
            );
        }
        self.one_of("aNULL MD5:RC4 aNULL:eNULL \"\" DES:3DES kRSA 3DES:MD5:PSK:aDSS")
    }

    /// What the certificate may be for.
    fn names(&mut self) -> String {
        let (domain, mut names) = (self.domain, Vec::new());
        for _ in 0..=self.random.below(3) {
            let right = self.one_of(&format!(
                "{domain} hostname nexthop .rows.example HostName mx.rows.example b\u{fc}cher.example"
            ));
            let wrong = self.one_of("wrong.example dot-nexthop .wrong.example mx.wrong.example");
            let other = self.random.below(3) > 0;
            names.push(match self.wish {
                Wish::AnotherServer if other => wrong,
                Wish::ThisServer | Wish::AnotherServer => right,
            });
        }
        let text = names.join(":");
        if !self.slips(3) {
            return text;
        }
        let odd = self.one_of(
            ": :: | a|b a..b *.rows.example 192.0.2.1 -x _dmarc.wrong.example a~b.example rows.example. . .. [rows.example] \
             b\u{fc}cher..example 127.0.0.2 \"\" a,b hostnam \u{e9} xn--a nexthop: :nexthop * dot-hostname ://x",
        );
        match self.random.below(4) {
            0 => format!("{text}:{odd}"),
            1 => format!("{odd}:{text}"),
            2 => text.replace(':', "|"),
            _ => odd,
        }
    }

    /// Digests of the certificate or of its key. None is of one character: smtp(8) dies of that.
    fn fingerprints(&mut self) -> String {
        let mut pins = Vec::new();
        for _ in 0..=self.random.below(2) {
            let text = self.fingerprint();
            pins.push(match self.random.below(9) {
                _ if !self.slips(5) => text,
                0 => "zz".to_owned(),
                1 => text[..text.len() - 1].to_owned(),
                2 => format!("{text}:"),
                3 => text.replacen(':', "::", 1),
                4 => format!("{}:{text}", self.subject.digest),
                5 => format!(":{text}"),
                6 => String::new(),
                7 => format!("{text}:{text}"),
                _ => text.replacen(':', "-", 1),
            });
        }
        let text = pins.join("|");
        match self.random.below(6) {
            _ if !self.slips(8) => text,
            0 => text.replace('|', "||"),
            1 => format!("|{text}"),
            2 => format!("{text}|"),
            3 => text.replace('|', ":"),
            4 => "|".to_owned(),
            _ => text.replace('|', ", "),
        }
    }

    fn fingerprint(&mut self) -> String {
        let any = self.slips(5);
        let fits = |(digest, _): &&(&str, String)| any || *digest == self.subject.digest;
        let pins: Vec<_> = self.subject.pins.iter().filter(fits).collect();
        let mut text = pins[self.random.below(pins.len())].1.clone();
        let other = self.random.below(4) > 0;
        if self.wish == Wish::AnotherServer && other {
            // As long, and as good.
            text = text.replace(|it: char| it.is_ascii_digit(), "7");
        }
        match self.random.below(8) {
            0 => text.to_lowercase(),
            1 if self.since(3, 6) || !self.careful => text.replace(':', ""),
            2 if self.since(3, 6) || !self.careful => text.replacen(':', "", 1),
            _ => text,
        }
    }

    fn trust_file(&mut self) -> String {
        if self.slips(2) {
            return self.one_of(
                "/etc/postfix/missing.pem /etc/postfix/main.cf /etc/postfix/empty.pem \"\" ca.pem /etc/postfix \
                 /etc/postfix/locked.pem /etc/postfix/broken.pem /etc/postfix/ca.pem:/etc/postfix/ca.pem \
                 ../etc/ca.pem texthash:/etc/postfix/ca.pem {/etc/postfix/ca.pem}",
            );
        }
        match self.wish {
            Wish::ThisServer => "/etc/postfix/ca.pem".to_owned(),
            Wish::AnotherServer => "/etc/postfix/other.pem".to_owned(),
        }
    }

    /// What TLS reports are made of.
    fn reported(&mut self) -> Attribute {
        let mut kind = self.random.of(&[
            "policy_type",
            "policy_domain",
            "policy_ttl",
            "policy_string",
            "mx_host_pattern",
            "policy_failure",
        ]);
        // The others need the first, and a failure is one of the server's.
        if self.careful && (!self.has_policy_type || kind == "policy_failure") {
            kind = "policy_type";
        }
        self.has_policy_type |= kind == "policy_type";
        let value = match kind {
            "policy_type" => self.good_or("sts no-policy-found STS", "tlsa \"\" no-sts"),
            "policy_domain" => {
                self.good_or("rows.example a.example", "a..b \"\" 192.0.2.1 \u{fc}.example")
            }
            "policy_ttl" => self.good_or(
                "86400 0 0010 2147483647",
                "-1 1.5 99999999999999999999 2147483648 4294967296 \"\" 0x10 1d +5 9223372036854775807",
            ),
            "policy_string" => {
                self.good_or("version:~STSv1 mode:enforce \"\"", "{x} a=b \u{e9} } {a~b}")
            }
            "mx_host_pattern" => {
                let parent = self.domain.split_once('.').map_or("", |it| it.1);
                let good = match self.wish {
                    Wish::ThisServer => format!("*.{parent} *.{}", parent.to_uppercase()),
                    Wish::AnotherServer => format!("mx.{parent} *.wrong.example"),
                };
                self.good_or(&good, &format!("\"\" * a..b .{parent} *.*.{parent}"))
            }
            _ => self.good_or(
                "sts-policy-fetch-error sts-policy-invalid sts-webpki-invalid validation-failure",
                "\"\" other STS-Policy-Invalid",
            ),
        };
        (kind.to_owned(), value)
    }

    fn unknown(&mut self) -> Attribute {
        let name = self.one_of(
            "cipher foo matches security_level protocol excludes smtp_tls_ciphers level tafiles cafile b\u{fc}cher rpk \
             policy-type policy fingerprint connection-reuse mx_host_patterns",
        );
        (name, self.one_of("high yes x \"\""))
    }
}
