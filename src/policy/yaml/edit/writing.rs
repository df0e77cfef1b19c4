//! How pins are written.

use std::fmt::Write;

use super::PinKey;
use crate::policy::Date;

/// A pin as the lines of a block mapping, the first one without its indentation.
pub(super) fn block(keys: &[(PinKey, String)], newline: &str, indent: &str) -> String {
    pairs(keys).join(&format!("{newline}{indent}"))
}

/// A pin as a flow mapping.
pub(super) fn flow(keys: &[(PinKey, String)]) -> String {
    format!("{{{}}}", pairs(keys).join(", "))
}

fn pairs(keys: &[(PinKey, String)]) -> Vec<String> {
    keys.iter().map(|(key, value)| format!("{}: {}", key.name(), scalar(value))).collect()
}

/// A text on one line. Without quotes only what is the same text to every reader of YAML, in flow
/// and block style; fingerprints have quotes because there are such that look like numbers.
pub(in crate::policy) fn scalar(text: &str) -> String {
    const OTHER: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf"];
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | '/');
    let begins = |it: char| it.is_ascii_alphabetic() || it == '/';
    let is_word = text.starts_with(begins) && text.chars().all(is_plain);
    let is_other = OTHER.iter().any(|it| it.eq_ignore_ascii_case(text));
    if Date::parse(text).is_some() || (is_word && !is_other && !is_hexadecimal(text)) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        // Writing to a String cannot fail.
        let _ = match letter {
            '"' | '\\' => write!(quoted, "\\{letter}"),
            '\n' => write!(quoted, "\\n"),
            '\t' => write!(quoted, "\\t"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                write!(quoted, "\\u{:04x}", u32::from(letter))
            }
            it if it.is_control() => write!(quoted, "\\x{:02x}", u32::from(it)),
            it => write!(quoted, "{it}"),
        };
    }
    quoted + "\""
}

fn is_hexadecimal(text: &str) -> bool {
    text.chars().all(|it| it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::scalar;

    #[test]
    fn only_what_is_surely_text_has_no_quotes() {
        for (text, want) in [
            ("2027-01-31", "2027-01-31"),
            ("pins/bank-next.pem", "pins/bank-next.pem"),
            ("/etc/x.pem", "/etc/x.pem"),
            ("public-key", "public-key"),
            ("2027-02-31", "\"2027-02-31\""),
            ("AD:F3", "\"AD:F3\""),
            ("adf3", "\"adf3\""),
            ("NO", "\"NO\""),
            ("", "\"\""),
            ("~", "\"~\""),
            ("-", "\"-\""),
            ("a: b # c", "\"a: b # c\""),
            ("\"\\\n\u{1}\u{9f}\u{85}ü", r#""\"\\\n\x01\x9f\u0085ü""#),
        ] {
            assert_eq!(scalar(text), want);
        }
    }
}
