//! PEM blocks, with the acceptance rules of OpenSSL's `PEM_read_bio`: junk between blocks counts for
//! nothing, and a block that is not well-formed ends the reading.

use data_encoding::BASE64;

/// A block between `-----BEGIN X-----` and `-----END X-----`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'b> {
    /// What stands behind BEGIN.
    pub label: &'b [u8],
    /// What it holds; never empty.
    pub der: Vec<u8>,
}

/// A block that OpenSSL does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads all blocks.
pub fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, Malformed> {
    let mut blocks = Vec::new();
    let mut lines = bytes.split(|it| *it == b'\n').map(<[u8]>::trim_ascii_end);
    while let Some(line) = lines.next() {
        let Some(label) = label(line, b"-----BEGIN ") else { continue };
        let mut text = Vec::new();
        let mut headers = false;
        loop {
            let line = lines.next().ok_or(Malformed)?;
            if let Some(end) = self::label(line, b"-----END ") {
                if end != label {
                    return Err(Malformed);
                }
                break;
            }
            // Headers stand in front, and a blank line ends them.
            if text.is_empty() && line.contains(&b':') {
                headers = true;
            } else if line.is_empty() && headers {
                headers = false;
            } else if line.is_empty() {
                return Err(Malformed);
            } else {
                text.extend(line.iter().filter(|it| !it.is_ascii_whitespace()));
            }
        }
        let der = BASE64.decode(&text).map_err(|_| Malformed)?;
        if der.is_empty() {
            return Err(Malformed);
        }
        blocks.push(Block { label, der });
    }
    Ok(blocks)
}

/// What a file is to whoever looks for trust anchors in it (`tls_dane_load_trustfile`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustFile {
    /// It can be used.
    Sound,
    /// It is no PEM file: Postfix refuses it.
    NotPem,
    /// What stands in its blocks is no certificate and no key: Postfix takes it, and it fits nobody.
    Garbage,
}

/// Looks at a file's blocks, and at certificates and public keys as far as their outermost length
/// tells.
pub fn trust_file(bytes: &[u8]) -> TrustFile {
    const ANCHORS: [&[u8]; 3] = [b"CERTIFICATE", b"X509 CERTIFICATE", b"PUBLIC KEY"];
    let is_sound = |it: &Block<'_>| !ANCHORS.contains(&it.label) || is_sequence(&it.der);
    match blocks(bytes) {
        Err(Malformed) => TrustFile::NotPem,
        Ok(blocks) if blocks.is_empty() => TrustFile::NotPem,
        Ok(blocks) if blocks.iter().all(is_sound) => TrustFile::Sound,
        Ok(_) => TrustFile::Garbage,
    }
}

/// Whether the bytes are one DER sequence and no more.
fn is_sequence(der: &[u8]) -> bool {
    let Some((b'\x30', rest)) = der.split_first().map(|(tag, rest)| (*tag, rest)) else {
        return false;
    };
    match rest.split_first() {
        Some((short, content)) if *short < 0x80 => content.len() == usize::from(*short),
        Some((long, rest)) => {
            let bytes = usize::from(*long & 0x7f);
            let Some((length, content)) = rest.split_at_checked(bytes).filter(|_| bytes <= 4)
            else {
                return false;
            };
            let length = length.iter().fold(0_usize, |sum, it| sum << 8 | usize::from(*it));
            content.len() == length
        }
        None => false,
    }
}

fn label<'l>(line: &'l [u8], begin: &[u8]) -> Option<&'l [u8]> {
    line.strip_prefix(begin)?.strip_suffix(b"-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_as_by_openssl() {
        let good = "junk\n-----BEGIN CERTIFICATE-----\nMAMC\nAQE=\n-----END CERTIFICATE-----\r\n";
        assert_eq!(trust_file(good.as_bytes()), TrustFile::Sound);
        assert_eq!(trust_file([good, good].concat().as_bytes()), TrustFile::Sound);
        for (from, to) in [
            ("-----BEGIN CERTIFICATE-----", ""),
            ("-----END CERTIFICATE-----", ""),
            ("END CERTIFICATE", "END PUBLIC KEY"),
            ("MAMC\n", "MAMC\n\n"),
            ("AQE=", "A?E="),
            ("MAMC\nAQE=\n", ""),
        ] {
            let text = good.replace(from, to);
            assert_eq!(trust_file(text.as_bytes()), TrustFile::NotPem, "{from} {to}");
        }
        assert_eq!(trust_file(good.replace("AQE=", "AQEB").as_bytes()), TrustFile::Garbage);
        assert_eq!(trust_file(b""), TrustFile::NotPem);
    }
}
