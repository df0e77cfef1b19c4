//! What the texts mean that a domain publishes about mail to it: MTA-STS (RFC 8461) and reports about TLS (RFC 8460).
//!
//! Strict: a policy with a mistake is none, as for a sender that keeps to the RFC, and the words say which mistake. Postfix itself
//! has no part in MTA-STS; a policy table of type socketmap: may (`postfix-tlspol`, `mta-sts-resolver`).

use super::dns::{StsMode, StsPolicy};

/// No policy may last longer (RFC 8461, 3.2).
const MAX_AGE: u32 = 31_557_600;

/// The longest id of a record.
const ID: usize = 32;

/// The record among the texts at `_mta-sts`; `None`: there is none, `Err`: what is there counts for nothing, and why.
pub fn sts_record(texts: &[String]) -> Option<Result<&str, String>> {
    let mut records = texts.iter().filter(|it| has_version(it, "STSv1"));
    let record = records.next()?;
    let more = records.count();
    if more > 0 {
        return Some(Err(format!("there are {} records, and one is allowed", more + 1)));
    }
    let id = fields(record, ';').find_map(|it| it.strip_prefix("id="));
    let is_id = |it: &str| {
        (1..=ID).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    Some(match id {
        Some(id) if is_id(id) => Ok(record),
        Some(_) => Err("the id of the record is not 1 to 32 letters and digits".to_owned()),
        None => Err("the record has no id".to_owned()),
    })
}

/// Reads a policy; an error says what is wrong with it.
pub fn sts_policy(text: &str) -> Result<StsPolicy, String> {
    let (mut version, mut mode, mut max_age) = (None, None, None);
    let mut mx = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t']);
        if line.is_empty() {
            continue;
        }
        let (key, value) = line.split_once(':').ok_or("a line has no colon")?;
        let value = value.trim_start_matches([' ', '\t']);
        match key {
            // Of those that stand twice the first one counts.
            "version" => version = version.or(Some(value)),
            "mode" => mode = mode.or(Some(value)),
            "max_age" => max_age = max_age.or(Some(value)),
            "mx" if is_pattern(value) => mx.push(value.to_ascii_lowercase()),
            "mx" => return Err("a line \"mx\" has no host name".to_owned()),
            key if is_key(key) => {}
            _ => return Err("a line has no key".to_owned()),
        }
    }
    match version {
        Some("STSv1") => {}
        Some(_) => return Err("its version is not STSv1".to_owned()),
        None => return Err("it has no version".to_owned()),
    }
    let mode = match mode {
        Some("enforce") => StsMode::Enforce,
        Some("testing") => StsMode::Testing,
        Some("none") => StsMode::None,
        Some(_) => return Err("its mode is none of enforce, testing, none".to_owned()),
        None => return Err("it has no mode".to_owned()),
    };
    let max_age = max_age.ok_or("it has no max_age")?;
    let digits = (1..=10).contains(&max_age.len()) && max_age.bytes().all(|it| it.is_ascii_digit());
    let max_age = Some(max_age).filter(|_| digits).and_then(|it| it.parse().ok());
    let max_age = max_age.filter(|it| *it <= MAX_AGE);
    let max_age = max_age.ok_or("its max_age is no number of seconds up to a year")?;
    if mx.is_empty() && mode != StsMode::None {
        return Err("it has no mx".to_owned());
    }
    Ok(StsPolicy { mode, mx, max_age })
}

/// Whether a policy allows a host: `*.` stands for one label (RFC 8461, 4.1; `match_sts_mx_host_pattern`).
pub fn mx_matches(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(host),
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && !parent.is_empty() && rest.eq_ignore_ascii_case(parent)
        }),
    }
}

/// The records among the texts at `_smtp._tls`.
pub fn tls_report_records(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().filter(|it| has_version(it, "TLSRPTv1")).collect()
}

/// Why nobody gets reports, though there are records.
pub fn tls_report_trouble(records: &[String]) -> Option<&'static str> {
    let [record] = records else {
        return Some("one record is allowed");
    };
    let Some(places) = fields(record, ';').find_map(|it| it.strip_prefix("rua=")) else {
        return Some("it says nowhere where to (rua)");
    };
    let is_place = |it: &str| {
        it.strip_prefix("mailto:").is_some_and(|it| it.contains('@'))
            || it.strip_prefix("https://").is_some_and(|it| !it.is_empty())
    };
    if fields(places, ',').all(is_place) {
        None
    } else {
        Some("a place is neither mailto: nor https:")
    }
}

/// Whether a text is a record of that version: others at the same name are for somebody else.
fn has_version(text: &str, version: &str) -> bool {
    let rest = text.strip_prefix("v=").and_then(|it| it.strip_prefix(version));
    rest.is_some_and(|it| it.trim_start_matches([' ', '\t']).starts_with(';'))
}

fn fields(text: &str, end: char) -> impl Iterator<Item = &str> {
    text.split(end).map(|it| it.trim_matches([' ', '\t']))
}

fn is_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|it| it.is_ascii_alphanumeric())
        && key.len() <= 32
        && bytes.all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.'))
}

fn is_pattern(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    name.len() <= 255
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_the_rfc_has_it() {
        let text = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.net \r\n\
                    mx:backupmx.example.com\r\nmax_age: 604800\r\nnew-key: x: y\r\nmode: none\r\nmax_age: x\r\n";
        let want = StsPolicy {
            mode: StsMode::Enforce,
            mx: ["mail.example.com", "*.example.net", "backupmx.example.com"]
                .map(str::to_owned)
                .into(),
            max_age: 604_800,
        };
        assert_eq!(sts_policy(text), Ok(want.clone()));
        assert_eq!(sts_policy(&text.replace('\r', "")), Ok(want));
        let none = sts_policy("mode: none\nmax_age: 1\nversion: STSv1");
        assert_eq!(none, Ok(StsPolicy { mode: StsMode::None, mx: Vec::new(), max_age: 1 }));
    }

    #[test]
    fn a_policy_with_a_mistake_is_none() {
        for (text, why) in [
            ("", "it has no version"),
            ("version: STSv2\nmode: none\nmax_age: 1", "its version is not STSv1"),
            ("Version: STSv1\nmode: none\nmax_age: 1", "it has no version"),
            ("version: STSv1\nmax_age: 1", "it has no mode"),
            (
                "version: STSv1\nmode: Enforce\nmax_age: 1",
                "its mode is none of enforce, testing, none",
            ),
            ("version: STSv1\nmode: none", "it has no max_age"),
            (
                "version: STSv1\nmode: none\nmax_age: -1",
                "its max_age is no number of seconds up to a year",
            ),
            (
                "version: STSv1\nmode: none\nmax_age: 31557601",
                "its max_age is no number of seconds up to a year",
            ),
            ("version: STSv1\nmode: testing\nmax_age: 1", "it has no mx"),
            (
                "version: STSv1\nmode: testing\nmax_age: 1\nmx: a b",
                "a line \"mx\" has no host name",
            ),
            (
                "version: STSv1\nmode: testing\nmax_age: 1\nmx: mx.*.example",
                "a line \"mx\" has no host name",
            ),
            ("<html>", "a line has no colon"),
            (": x", "a line has no key"),
        ] {
            assert_eq!(sts_policy(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_star_is_one_label() {
        for (pattern, host, want) in [
            ("mx.example.com", "MX.example.com.", true),
            ("mx.example.com", "a.mx.example.com", false),
            ("*.example.com", "mx.example.com", true),
            ("*.example.com", "a.mx.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.", "mx.", false),
        ] {
            assert_eq!(mx_matches(pattern, host), want, "{pattern} {host}");
        }
    }

    #[test]
    fn records_are_those_of_their_version() {
        let record = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|it| (*it).to_owned()).collect();
            sts_record(&texts).map(|it| it.map(str::to_owned).map_err(|_| ()))
        };
        let good = "v=STSv1; id=20260101;";
        assert_eq!(record(&["v=spf1 -all", good]), Some(Ok(good.to_owned())));
        assert_eq!(record(&["v=STSv1 ;x=y; id=1"]), Some(Ok("v=STSv1 ;x=y; id=1".to_owned())));
        for none in
            ["v=STSv2; id=1", "v=STSv1", "v=STSv10; id=1", " v=STSv1; id=1", "V=STSv1; id=1", ""]
        {
            assert_eq!(record(&[none]), None, "{none}");
        }
        for bad in [
            "v=STSv1;",
            "v=STSv1; id=",
            "v=STSv1; id=a-b",
            "v=STSv1; id=123456789012345678901234567890123",
        ] {
            assert_eq!(record(&[bad]), Some(Err(())), "{bad}");
        }
        assert_eq!(record(&[good, good]), Some(Err(())));
    }

    #[test]
    fn reports_have_a_place_to_go_to() {
        let trouble = |record: &str| tls_report_trouble(&[record.to_owned()]);
        assert_eq!(trouble("v=TLSRPTv1;rua=mailto:a@b.example"), None);
        assert_eq!(trouble("v=TLSRPTv1; rua=https://b.example/x , mailto:a@b.example;"), None);
        for bad in [
            "v=TLSRPTv1;",
            "v=TLSRPTv1; rua=",
            "v=TLSRPTv1; rua=http://x",
            "v=TLSRPTv1; rua=mailto:x",
        ] {
            assert!(trouble(bad).is_some(), "{bad}");
        }
        assert!(tls_report_trouble(&[]).is_some());
        let texts = ["v=TLSRPTv1; rua=x", "v=spf1"].map(str::to_owned);
        assert_eq!(tls_report_records(texts.into()).len(), 1);
    }
}
