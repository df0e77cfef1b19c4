//! Odd PEM files: a key and a certificate with its issuer, as people and programs leave them.

use super::made::{bytes, text};

/// Key and certificates of one odd file, or of two.
pub(super) struct Odd {
    pub(super) name: &'static str,
    pub(super) key: Vec<u8>,
    pub(super) certificates: Vec<u8>,
}

/// All of them.
pub(super) fn all() -> Vec<Odd> {
    let mut all = edited();
    all.extend(whole_files());
    all
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";

// One table, to be read from top to bottom.
#[allow(clippy::too_many_lines)]
fn edited() -> Vec<Odd> {
    let key = text("leaf.key");
    let (own, issuer) = (text("leaf.crt"), text("middle.crt"));
    let chain = format!("{own}{issuer}");
    let lines = |text: &str, edit: &dyn Fn(&str) -> String| -> String {
        text.lines().map(|it| edit(it) + "\n").collect()
    };
    let body: String = own.lines().filter(|it| !it.starts_with('-')).collect();
    let wrapped = |width: usize| {
        let lines = body.as_bytes().chunks(width).map(|it| String::from_utf8_lossy(it) + "\n");
        format!("{BEGIN}{}{END}", lines.collect::<String>())
    };
    let middle_line = own.lines().nth(4).expect("a line").to_owned() + "\n";
    let after =
        |text: &str, insert: &str, from: &str| text.replacen(from, &format!("{from}{insert}"), 1);
    // Name, key, certificates.
    let table: Vec<(&'static str, String, String)> = vec![
        ("plain", key.clone(), chain.clone()),
        ("crlf", key.replace('\n', "\r\n"), chain.replace('\n', "\r\n")),
        ("cr-only certificate", key.clone(), chain.replace('\n', "\r")),
        ("cr-only key", key.replace('\n', "\r"), chain.clone()),
        ("mark before key", format!("\u{feff}{key}"), chain.clone()),
        ("mark before certificate", key.clone(), format!("\u{feff}{chain}")),
        ("mark before issuer", key.clone(), format!("{own}\u{feff}{issuer}")),
        (
            "bag attributes",
            format!("Bag Attributes\n    friendlyName: x\n{key}"),
            format!("subject=CN = x\n\n{own}\n\nissuer\n{issuer}"),
        ),
        ("explained", key.clone(), text("p256.text") + &chain),
        ("indented certificate", key.clone(), lines(&chain, &|it| format!("  {it}"))),
        ("indented body", key.clone(), chain.replace(&middle_line, &format!("   {middle_line}"))),
        ("indented begin", key.clone(), chain.replacen("-----BEGIN", " -----BEGIN", 1)),
        ("indented end", key.clone(), chain.replacen("-----END", " -----END", 1)),
        ("no end of own", key.clone(), chain.replacen(END, "", 1)),
        ("no end of issuer", key.clone(), format!("{own}{}", issuer.replace(END, ""))),
        ("no end of key", key.replace("-----END PRIVATE KEY-----\n", ""), chain.clone()),
        ("no begin of own", key.clone(), chain.replacen(BEGIN, "", 1)),
        ("no begin of key", key.replace("-----BEGIN PRIVATE KEY-----\n", ""), chain.clone()),
        ("end of another", key.clone(), chain.replacen("END CERTIFICATE", "END PUBLIC KEY", 1)),
        ("end without label", key.clone(), chain.replacen("END CERTIFICATE", "END", 1)),
        ("blank line inside", key.clone(), after(&chain, "\n", &middle_line)),
        (
            "blank line in the key",
            after(&key, "\n", "-----BEGIN PRIVATE KEY-----\n"),
            chain.clone(),
        ),
        ("blank line first", key.clone(), after(&chain, "\n", BEGIN)),
        ("two blank lines first", key.clone(), after(&chain, "\n\n", BEGIN)),
        ("blank line last", key.clone(), chain.replacen(END, &format!("\n{END}"), 1)),
        (
            "not base64",
            key.clone(),
            chain.replacen(&middle_line, &middle_line.replacen(char::is_alphanumeric, "?", 1), 1),
        ),
        (
            "padding inside",
            key.clone(),
            chain.replacen(&middle_line, &middle_line.replacen(char::is_alphanumeric, "=", 1), 1),
        ),
        ("a dash inside", key.clone(), chain.replacen(&middle_line, &format!("-{middle_line}"), 1)),
        ("a character missing", key.clone(), chain.replacen(&middle_line, &middle_line[1..], 1)),
        ("a line missing", key.clone(), chain.replacen(&middle_line, "", 1)),
        ("empty block", key.clone(), format!("{BEGIN}{END}{chain}")),
        ("empty block last", key.clone(), format!("{chain}{BEGIN}{END}")),
        ("comment in front", key.clone(), after(&chain, "Comment: mine\n\n", BEGIN)),
        ("comment without blank line", key.clone(), after(&chain, "Comment: mine\n", BEGIN)),
        (
            "comment in the key",
            after(&key, "Comment: mine\n\n", "-----BEGIN PRIVATE KEY-----\n"),
            chain.clone(),
        ),
        (
            "not encrypted at all",
            after(&key, "Proc-Type: 4,MIC-CLEAR\n\n", "-----BEGIN PRIVATE KEY-----\n"),
            chain.clone(),
        ),
        ("one line", key.clone(), wrapped(100_000)),
        ("lines of 254", key.clone(), wrapped(254)),
        ("lines of 253", key.clone(), wrapped(253)),
        ("lines of 76", key.clone(), wrapped(76)),
        ("lines of 76 behind a blank one", key.clone(), after(&wrapped(76), "\n", BEGIN)),
        ("lines of 3", key.clone(), wrapped(3)),
        (
            "text behind end",
            key.clone(),
            chain.replacen("END CERTIFICATE-----", "END CERTIFICATE----- x", 1),
        ),
        (
            "text behind begin",
            key.clone(),
            chain.replacen("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE----- x", 1),
        ),
        (
            "space behind all",
            lines(&key, &|it| format!("{it} \t")),
            lines(&chain, &|it| format!("{it}  ")),
        ),
        ("junk at the end", key.clone(), chain.clone() + "junk\n"),
        ("no line end", key.clone(), chain.trim_end().to_owned()),
        ("lower case", key.clone(), chain.replace("BEGIN CERT", "begin CERT")),
        ("four dashes", key.clone(), chain.replacen("-----BEGIN", "----BEGIN", 1)),
        ("six dashes", key.clone(), chain.replacen("-----BEGIN", "------BEGIN", 1)),
        ("old label", key.clone(), chain.replace(" CERTIFICATE", " X509 CERTIFICATE")),
        ("begin behind a long line", key.clone(), format!("{}{chain}", "x".repeat(254))),
        ("begin behind a longer line", key.clone(), format!("{}{chain}", "x".repeat(255))),
        ("certificate as key", chain.clone(), chain.clone()),
        ("key as certificate", key.clone(), key.clone()),
        (
            "label of a key on a certificate",
            key.clone(),
            chain.replace(" CERTIFICATE", " PRIVATE KEY"),
        ),
        (
            "label of a certificate on a key",
            key.replace(" PRIVATE KEY", " CERTIFICATE"),
            chain.clone(),
        ),
        ("label of another key", key.replace(" PRIVATE KEY", " RSA PRIVATE KEY"), chain.clone()),
        ("label of plain EC", key.replace(" PRIVATE KEY", " EC PRIVATE KEY"), chain.clone()),
        ("unknown kind of key", key.replace(" PRIVATE KEY", " ED25519 PRIVATE KEY"), chain.clone()),
        ("public key", text("p256.pub"), chain.clone()),
        ("request", key.clone(), text("leaf.csr")),
        (
            "broken block of another kind at the end",
            key.clone(),
            format!("{chain}-----BEGIN NOTE-----\n?\n-----END NOTE-----\n"),
        ),
        (
            "a blank line in a block of another kind",
            key.clone(),
            format!("{chain}-----BEGIN NOTE-----\nMAMC\n\nMAMC\n-----END NOTE-----\n"),
        ),
        (
            "other blocks between",
            format!("{}{key}", text("p256.parameters")),
            format!("{own}{}{issuer}", text("middle.crl")),
        ),
        ("own twice", key.clone(), format!("{own}{chain}")),
        ("issuer first", key.clone(), format!("{issuer}{own}")),
        ("root included", key.clone(), format!("{chain}{}", text("root.crt"))),
        ("root before issuer", key.clone(), format!("{own}{}{issuer}", text("root.crt"))),
        ("a stranger in the chain", key.clone(), format!("{own}{}", text("other-rsa.crt"))),
        ("an issuer with another key", key.clone(), format!("{own}{}", text("false-middle.crt"))),
        ("two keys", format!("{key}{}", text("p256.key")), chain.clone()),
        ("two keys, the first is another", format!("{}{key}", text("p256.key")), chain.clone()),
        (
            "a broken key behind",
            format!("{key}-----BEGIN PRIVATE KEY-----\nMAMC\n-----END PRIVATE KEY-----\n"),
            chain.clone(),
        ),
    ];
    table
        .into_iter()
        .map(|(name, key, certificates)| Odd {
            name,
            key: key.into(),
            certificates: certificates.into(),
        })
        .chain(odd_bytes(&key, &chain))
        .collect()
}

fn odd_bytes(key: &str, chain: &str) -> Vec<Odd> {
    let behind_first_line = |insert: &[u8]| {
        let at = chain.find('\n').expect("a line");
        [&chain.as_bytes()[..at], insert, &chain.as_bytes()[at..]].concat()
    };
    let odd = |name, certificates| Odd { name, key: key.into(), certificates };
    vec![
        odd("latin-1 in a comment", [b"# M\xfcller\n", chain.as_bytes()].concat()),
        odd("latin-1 behind begin", behind_first_line(b"\xa0")),
        odd("nul behind begin", behind_first_line(b"\0hidden")),
        odd("nul in front", [b"\0\n", chain.as_bytes()].concat()),
        odd("nul in a line in front", [b"x\0\n", chain.as_bytes()].concat()),
        odd("utf-16", chain.bytes().flat_map(|it| [it, 0]).collect()),
    ]
}

/// Other files in place of PEM, and other forms of keys.
fn whole_files() -> Vec<Odd> {
    let mut all = Vec::new();
    let empty = || Odd { name: "empty", key: Vec::new(), certificates: Vec::new() };
    all.push(empty());
    all.push(Odd { name: "junk", key: b"junk\n".to_vec(), certificates: b"junk\n".to_vec() });
    for (name, key, certificate) in [
        ("der certificate", "p256.key", "p256.crt.der"),
        ("der key", "p256.key.der", "p256.crt"),
        ("pkcs12", "p256.p12", "p256.p12"),
        ("pkcs7", "p256.key", "p256.p7b"),
        ("der pkcs7", "p256.key", "p256.p7b.der"),
        ("trusted", "p256.key", "p256.trusted"),
        ("explained certificate", "p256.key", "p256.text"),
        ("traditional key", "p256.traditional", "p256.crt"),
        ("traditional rsa key", "rsa2048.traditional", "rsa2048.crt"),
        ("key without point", "p256.no-point", "p256.crt"),
        ("key with explicit parameters", "p256.explicit", "p256.crt"),
        ("key with compressed point", "p256.compressed", "p256.crt"),
        ("encrypted key", "p256.encrypted", "p256.crt"),
        ("encrypted traditional key", "p256.encrypted-traditional", "p256.crt"),
        ("encrypted traditional rsa key", "rsa2048.encrypted-traditional", "rsa2048.crt"),
        ("key encrypted with nothing", "rsa2048.encrypted-with-nothing", "rsa2048.crt"),
    ] {
        all.push(Odd { name, key: bytes(key), certificates: bytes(certificate) });
    }
    let excess = super::cases::pem("CERTIFICATE", &bytes("p256.excess.der"));
    all.push(Odd { name: "excess", key: bytes("p256.key"), certificates: excess.clone() });
    let behind = [bytes("leaf.crt"), excess].concat();
    all.push(Odd { name: "excess in the chain", key: bytes("leaf.key"), certificates: behind });
    let key =
        super::cases::pem("PRIVATE KEY", &[bytes("p256.key.der"), b"excess".to_vec()].concat());
    all.push(Odd { name: "excess in the key", key, certificates: bytes("p256.crt") });
    all
}
