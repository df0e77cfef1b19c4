//! A row of a TLS policy table as a destination of a policy file.

use std::fmt::Write;

use super::super::Nexthop;
use super::super::row;
use super::super::yaml::edit::scalar;
use crate::postfix::{Fingerprint, SecurityLevel};
use crate::syntax::lists::{self, BAR, COLON};

/// Lists longer than this stand one item a line.
const WIDTH: usize = 100;

/// What is said of a destination beside its policy.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) owner: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) testing: bool,
}

impl Beside {
    fn is_empty(&self) -> bool {
        self.owner.is_none() && self.reason.is_none() && !self.testing
    }
}

/// The lines of a destination, or why it cannot be written as one. What a policy file refuses in
/// its values is not looked at: its reader does that.
pub(super) fn lines(key: &[u8], value: &[u8], beside: &Beside) -> Result<String, String> {
    const NOT_UTF8: &str = "it is not UTF-8, and a policy file is";
    let key = str::from_utf8(key).map_err(|_| NOT_UTF8)?;
    let value = str::from_utf8(value).map_err(|_| NOT_UTF8)?;
    let key = Nexthop::parse(key).map_err(|why| why.to_string())?;
    let row = row::parse(value.as_bytes());
    let Some(level) = row.security_level() else {
        let text = &value[row.level.clone()];
        return Err(format!("\"{text}\" is no security level"));
    };
    let policy = policy(value, level)?;
    let mut text = format!("  {}:", scalar(key.as_str()));
    if policy.is_empty() && beside.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, " {level}");
        return Ok(text);
    }
    let _ = writeln!(text, "\n    level: {level}");
    text.push_str(&policy);
    for (name, said) in [("owner", &beside.owner), ("reason", &beside.reason)] {
        if let Some(said) = said {
            let _ = writeln!(text, "    {name}: {}", scalar(said));
        }
    }
    if beside.testing {
        text.push_str("    testing: true\n");
    }
    Ok(text)
}

/// The attributes of a row, as lines.
#[derive(Default)]
struct Attributes<'r> {
    names: Vec<&'r str>,
    pins: Vec<&'r str>,
    tafiles: Vec<&'r str>,
    /// Those that stand once, in the order in which a policy file has them.
    single: [Option<&'r str>; 6],
}

const SINGLE: [&str; 6] =
    ["protocols", "ciphers", "exclude", "servername", "connection_reuse", "enable_rpk"];

fn policy(value: &str, level: SecurityLevel) -> Result<String, String> {
    let mut found = Attributes::default();
    // Without TLS no attribute has an effect.
    if level == SecurityLevel::None {
        return Ok(String::new());
    }
    let row = row::parse(value.as_bytes());
    for word in row.words() {
        let attribute = row::attribute(value.as_bytes(), word.clone());
        let name = row::known(&value.as_bytes()[attribute.name]);
        let (Some((name, _)), Some(range)) = (name, attribute.value) else {
            return Err(format!("smtp(8) does not know \"{}\"", &value[word]));
        };
        found.add(name, &value[range], level)?;
    }
    Ok(found.lines())
}

impl<'r> Attributes<'r> {
    fn add(&mut self, name: &str, value: &'r str, level: SecurityLevel) -> Result<(), String> {
        let words = |separators| lists::words(value.as_bytes(), separators).map(|it| &value[it]);
        match name {
            "match" if level == SecurityLevel::Fingerprint => self.pins.extend(words(BAR)),
            "match" => self.names.extend(words(COLON)),
            "tafile" => self.tafiles.push(value),
            _ => {
                let Some(index) = SINGLE.iter().position(|it| *it == name) else {
                    return Err(format!("a policy file cannot say \"{name}=\""));
                };
                let may_repeat = matches!(name, "connection_reuse" | "enable_rpk");
                if self.single[index].is_some() && !may_repeat {
                    return Err(format!("smtp(8) refuses a second \"{name}=\""));
                }
                self.single[index] = Some(value);
            }
        }
        Ok(())
    }

    fn lines(&self) -> String {
        let mut text = String::new();
        list(&mut text, "match", &self.names);
        if !self.pins.is_empty() {
            text.push_str("    pins:\n");
        }
        for pin in &self.pins {
            let pin = match Fingerprint::parse(pin.as_bytes()) {
                Some(fingerprint) => fingerprint.to_string(),
                None => (*pin).to_owned(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "      - certificate: {}", scalar(&pin));
        }
        for (name, value) in SINGLE.iter().zip(&self.single) {
            let Some(value) = value else { continue };
            let is_switch = matches!(*name, "connection_reuse" | "enable_rpk");
            let _ = match value {
                it if is_switch && it.eq_ignore_ascii_case("yes") => {
                    writeln!(text, "    {name}: true")
                }
                it if is_switch && it.eq_ignore_ascii_case("no") => {
                    writeln!(text, "    {name}: false")
                }
                it => writeln!(text, "    {name}: {}", scalar(it)),
            };
        }
        list(&mut text, "tafile", &self.tafiles);
        text
    }
}

fn list(text: &mut String, name: &str, items: &[&str]) {
    if items.is_empty() {
        return;
    }
    let items: Vec<String> = items.iter().map(|it| scalar(it)).collect();
    let line = format!("    {name}: [{}]\n", items.join(", "));
    if line.len() <= WIDTH {
        text.push_str(&line);
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "    {name}:");
    for item in items {
        let _ = writeln!(text, "      - {item}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_destinations() {
        for (key, value, want) in [
            ("A.example", "ENCRYPT", Ok("  a.example: encrypt\n")),
            ("[mx.example]:25", "may", Ok("  \"[mx.example]:25\": may\n")),
            (".no", "none what=x", Ok("  \".no\": none\n")),
            (
                "no",
                "secure match=mx:.x match=nexthop,protocols=>=TLSv1.2 connection_reuse=No",
                Ok("  \"no\":\n    level: secure\n    match: [mx, \".x\", nexthop]\n    \
                    protocols: \">=TLSv1.2\"\n    connection_reuse: false\n"),
            ),
            (
                "host",
                "fingerprint match=adf3|00",
                Ok(
                    "  host:\n    level: fingerprint\n    pins:\n      - certificate: \"AD:F3\"\n      \
                    - certificate: \"00\"\n",
                ),
            ),
            (
                "*",
                "may",
                Err(
                    "\"*\" is no wildcard here; \".example.com\" covers the sub-domains of example.com",
                ),
            ),
            ("b", "encypt", Err("\"encypt\" is no security level")),
            ("b", "may what=x", Err("smtp(8) does not know \"what=x\"")),
            ("b", "may # x", Err("smtp(8) does not know \"#\"")),
            ("b", "may ciphers=high ciphers=high", Err("smtp(8) refuses a second \"ciphers=\"")),
            ("b", "secure policy_ttl=1", Err("a policy file cannot say \"policy_ttl=\"")),
        ] {
            let got = lines(key.as_bytes(), value.as_bytes(), &Beside::default());
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{key} {value}");
        }
    }
}
