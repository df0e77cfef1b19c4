//! Lists of TLS protocols: `protocols=` in policies, and the parameters of that kind.
//!
//! Follows `tls/tls_misc.c`. smtp(8) does without TLS, or defers, where it does not take a list.

use super::Version;

const NAMES: [&str; 6] = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// The first version that takes a list; `None` if none does.
pub fn protocols_since(list: &[u8]) -> Option<Version> {
    let mut since = Version::new(2, 3);
    for word in list.split(|it| b", \t\r\n:".contains(it)).filter(|it| !it.is_empty()) {
        let bound = word.strip_prefix(b">=").or_else(|| word.strip_prefix(b"<="));
        let taken = match bound {
            Some(bound) => {
                since = Version::new(3, 6);
                is_bound(bound)
            }
            None => is_name(word.strip_prefix(b"!").unwrap_or(word)),
        };
        if !taken {
            return None;
        }
    }
    Some(since)
}

fn is_name(word: &[u8]) -> bool {
    NAMES.iter().any(|it| word.eq_ignore_ascii_case(it.as_bytes()))
}

/// A name, or the protocol's number in hexadecimal; no bound at all is 0.
fn is_bound(word: &[u8]) -> bool {
    let number = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X")).unwrap_or(word);
    let is_number = str::from_utf8(number).is_ok_and(|it| i32::from_str_radix(it, 16).is_ok());
    let is_name = is_name(word) && !word.eq_ignore_ascii_case(b"SSLv2");
    word.is_empty() || word.eq_ignore_ascii_case(b"none") || is_name || is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_as_by_postfix() {
        for list in ["", "TLSv1.2", "!SSLv2, !sslv3", "TLSv1.2:TLSv1.3", ":,"] {
            assert_eq!(protocols_since(list.as_bytes()), Some(Version::new(2, 3)), "{list}");
        }
        for list in [">=TLSv1.2", "!SSLv3:<=TLSv1.3", ">=0303", "<=0x304", ">=", ">=none"] {
            assert_eq!(protocols_since(list.as_bytes()), Some(Version::new(3, 6)), "{list}");
        }
        for list in ["TLSv1.4", "!", "!>=TLSv1", ">=SSLv2", ">=TLSv1.2.1", "{TLSv1.2, TLSv1.3}"] {
            assert_eq!(protocols_since(list.as_bytes()), None, "{list}");
        }
    }
}
