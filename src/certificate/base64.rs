//! Base64 as OpenSSL's `EVP_DecodeUpdate` reads it, which is more forgiving than others.

use data_encoding::BASE64;

/// What the text stands for; `None`: it is not base64. A `-` ends it, white space counts for nothing, and the last
/// character may say more than it has to.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.split(|it| *it == b'-').next()?;
    let text: Vec<u8> = text.iter().copied().filter(|it| !b" \t\r\n".contains(it)).collect();
    let end = text.iter().position(|it| *it == b'=').unwrap_or(text.len());
    if !text[end..].iter().all(|it| *it == b'=') {
        return None;
    }
    let mut specification = BASE64.specification();
    specification.check_trailing_bits = false;
    specification.encoding().ok()?.decode(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn padding_may_be_dirty_and_has_to_be_there() {
        for (text, bytes) in [
            ("MAMC\nAQE=\n", Some(&b"\x30\x03\x02\x01\x01"[..])),
            ("MAMCAQF=", Some(b"\x30\x03\x02\x01\x01")),
            (" MA\tMC", Some(b"\x30\x03\x02")),
            ("MAMC-junk", Some(b"\x30\x03\x02")),
            ("MA==", Some(b"\x30")),
            ("MAM", None),
            ("MA-", None),
            ("M===", None),
            ("MA==MAMC", None),
            ("MA.C", None),
            ("", Some(b"")),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), bytes, "{text:?}");
        }
    }
}
