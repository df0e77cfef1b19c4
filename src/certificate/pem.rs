//! PEM blocks, with the acceptance rules of OpenSSL's `PEM_read_bio`: junk between blocks counts for nothing, and a
//! block that is not well-formed ends the reading, for Postfix and for OpenSSL's own readers of files.
//!
//! Known limit: a byte order mark is passed over as by OpenSSL 3; OpenSSL 1.1.1 does not see the block behind it
//! ([`Overlooked::ByteOrderMark`]).

use std::fmt;
use std::ops::Range;

use super::base64;
use super::binary::is_sequence;

/// A block between `-----BEGIN X-----` and `-----END X-----`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'b> {
    /// What stands behind BEGIN.
    pub label: &'b [u8],
    /// What stands in front of the base64 text: `Proc-Type: 4,ENCRYPTED` and the like.
    pub headers: Vec<u8>,
    /// What it holds; never empty.
    pub der: Vec<u8>,
    /// From its BEGIN line to the end of its END line.
    pub range: Range<usize>,
}

/// A block that OpenSSL does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its bytes, as far as OpenSSL reads.
    pub range: Range<usize>,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The file ends before its END line.
    NoEnd,
    /// END names another label.
    OtherEnd,
    /// There is a second blank line, or text behind a short line that ends it.
    BlankLine,
    /// The text is not base64.
    Base64,
    /// There is nothing in it.
    Empty,
}

/// What OpenSSL passes over though a person would take it for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlooked {
    /// A BEGIN line inside of a block: the END line in front of it is missing.
    Inside(Range<usize>),
    /// A line with BEGIN that does not begin with it, or with more behind it.
    NotALine(Range<usize>),
    /// A byte order mark in front of a block: OpenSSL 1.1.1 does not see this block.
    ByteOrderMark(Range<usize>),
}

impl Block<'_> {
    /// Whether it is encrypted with a passphrase, in either of the two styles.
    pub fn is_encrypted(&self) -> bool {
        let header = String::from_utf8_lossy(&self.headers);
        self.label == b"ENCRYPTED PRIVATE KEY"
            || (header.starts_with("Proc-Type:") && header.contains("ENCRYPTED"))
    }

    /// Whether it is a certificate, by its label; not a trusted one.
    pub fn is_certificate(&self) -> bool {
        matches!(self.label, b"CERTIFICATE" | b"X509 CERTIFICATE")
    }

    /// Whether it is a private key, by its label.
    pub fn is_private_key(&self) -> bool {
        self.label == b"PRIVATE KEY" || self.label.ends_with(b" PRIVATE KEY")
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::NoEnd => "it has no END line",
            Why::OtherEnd => "its END line names something else than its BEGIN line",
            Why::BlankLine => "there are blank lines or broken lines in it",
            Why::Base64 => "what stands in it is not base64",
            Why::Empty => "there is nothing in it",
        })
    }
}

/// The blocks of a file one after the other; a malformed one is the last.
pub fn read(bytes: &[u8]) -> Blocks<'_> {
    Blocks { lines: Lines { bytes, at: 0 }, ended: false }
}

/// Reads all blocks.
pub fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, Malformed> {
    read(bytes).collect()
}

/// See [`read`].
#[derive(Clone, Debug)]
pub struct Blocks<'b> {
    lines: Lines<'b>,
    ended: bool,
}

impl<'b> Iterator for Blocks<'b> {
    type Item = Result<Block<'b>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let block = begin(&mut self.lines).map(|(start, label)| {
            content(&mut self.lines, label).map_err(|why| (start, why)).map(|(headers, der)| {
                Block { label, headers, der, range: start..self.lines.before_line_end() }
            })
        });
        self.ended = !matches!(block, Some(Ok(_)));
        let end = self.lines.before_line_end();
        block.map(|it| it.map_err(|(start, why)| Malformed { range: start..end, why }))
    }
}

/// Goes behind the next BEGIN line; where it begins, and its label.
fn begin<'b>(lines: &mut Lines<'b>) -> Option<(usize, &'b [u8])> {
    let mut is_first = true;
    loop {
        let (mut start, mut line) = lines.next()?;
        // OpenSSL 3 does so with the first line that it reads for each block.
        if let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| is_first) {
            (start, line) = (start + BYTE_ORDER_MARK.len(), rest);
        }
        is_first = false;
        if let Some(label) = label(trim(line), BEGIN) {
            return Some((start, label));
        }
    }
}

/// Headers and content of a block whose BEGIN line was read, through its END line.
fn content(lines: &mut Lines<'_>, label: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Why> {
    #[derive(PartialEq)]
    enum Part {
        MaybeHeader,
        Header,
        Text,
    }
    let (mut part, mut is_last) = (Part::MaybeHeader, false);
    let (mut headers, mut text) = (Vec::new(), Vec::new());
    loop {
        let continues = lines.is_inside_line();
        let (_, line) = lines.next().ok_or(Why::NoEnd)?;
        if part == Part::MaybeHeader && line.contains(&b':') {
            part = Part::Header;
        }
        let line = trim(line);
        if line.is_empty() && continues {
            continue;
        }
        if line.is_empty() {
            if part == Part::Text {
                return Err(Why::BlankLine);
            }
            part = Part::Text;
            continue;
        }
        if let Some(end) = line.strip_prefix(END) {
            if end.strip_suffix(DASHES) != Some(label) {
                return Err(Why::OtherEnd);
            }
            break;
        }
        if is_last {
            return Err(Why::BlankLine);
        }
        let into = if part == Part::Text { &mut text } else { &mut headers };
        into.extend_from_slice(line);
        into.push(b'\n');
        // Behind headers lines have 64 characters, and a shorter one is the last.
        if part == Part::Text {
            match line.len() {
                ..64 => is_last = true,
                64 => {}
                65.. => return Err(Why::BlankLine),
            }
        }
    }
    if part == Part::MaybeHeader {
        (headers, text) = (Vec::new(), headers);
    }
    let der = base64::decode(&text).ok_or(Why::Base64)?;
    if der.is_empty() { Err(Why::Empty) } else { Ok((headers, der)) }
}

/// Everything that looks like a block and is none for OpenSSL, as far as it reads.
pub fn overlooked(bytes: &[u8]) -> Vec<Overlooked> {
    let (mut found, mut blocks, mut end) = (Vec::new(), Vec::new(), bytes.len());
    for block in read(bytes) {
        blocks.push(match block {
            Ok(block) => block.range,
            Err(malformed) => {
                end = malformed.range.end;
                malformed.range
            }
        });
    }
    let mut start = 0;
    for line in bytes[..end].split_inclusive(|it| *it == b'\n') {
        let range = start..start + trim(line).len();
        start += line.len();
        // Somebody has taken it out.
        if line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        let Some(at) = line.windows(BEGIN.len()).position(|it| it == BEGIN) else { continue };
        let begin = range.start + at;
        if blocks.iter().any(|it| it.start == begin) {
            if bytes[..begin].ends_with(BYTE_ORDER_MARK) {
                found.push(Overlooked::ByteOrderMark(begin - BYTE_ORDER_MARK.len()..begin));
            }
        } else if blocks.iter().any(|it| it.start < begin && begin < it.end) {
            found.push(Overlooked::Inside(range));
        } else {
            found.push(Overlooked::NotALine(range));
        }
    }
    found
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
        Err(_) => TrustFile::NotPem,
        Ok(blocks) if blocks.is_empty() => TrustFile::NotPem,
        Ok(blocks) if blocks.iter().all(is_sound) => TrustFile::Sound,
        Ok(_) => TrustFile::Garbage,
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines as `BIO_gets` gives them to readers with a buffer of 255 bytes: a long line comes in pieces, and a NUL
/// hides the rest of its piece, or of the file where a piece begins with it.
#[derive(Clone, Debug)]
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Lines<'b> {
    /// Where the next piece begins, and its text without what ends it.
    fn next(&mut self) -> Option<(usize, &'b [u8])> {
        const PIECE: usize = 254;
        let start = self.at;
        let rest = self.bytes.get(start..).filter(|it| !it.is_empty() && it[0] != 0)?;
        let piece = &rest[..rest.len().min(PIECE)];
        let length = piece.iter().position(|it| *it == b'\n').map_or(piece.len(), |it| it + 1);
        self.at = start + length;
        let piece = &piece[..length];
        let visible = piece.iter().position(|it| *it == 0).unwrap_or(length);
        Some((start, &piece[..visible]))
    }

    /// Whether the piece that was read last ended in the midst of a line.
    fn is_inside_line(&self) -> bool {
        self.at > 0 && self.bytes[self.at - 1] != b'\n'
    }

    /// The end of what was read, without the line's end.
    fn before_line_end(&self) -> usize {
        trim(&self.bytes[..self.at]).len()
    }
}

/// Without what OpenSSL takes for white space at the end: on Linux, where char is signed, all but printable ASCII.
fn trim(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|it| it.is_ascii_graphic() || *it == 0x7f);
    &line[..end.map_or(0, |it| it + 1)]
}

fn label<'l>(line: &'l [u8], begin: &[u8]) -> Option<&'l [u8]> {
    line.strip_prefix(begin)?.strip_suffix(DASHES)
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
            ("MAMC\n", "MAMC\n\n\n"),
            ("AQE=", "A?E="),
            ("MAMC\nAQE=\n", ""),
        ] {
            let text = good.replace(from, to);
            assert_eq!(trust_file(text.as_bytes()), TrustFile::NotPem, "{from} {to}");
        }
        assert_eq!(trust_file(good.replace("AQE=", "AQEB").as_bytes()), TrustFile::Garbage);
        // What is in front of the blank line is taken for headers.
        assert_eq!(trust_file(good.replace("MAMC", "MAMC\n").as_bytes()), TrustFile::Garbage);
        assert_eq!(trust_file(good.replace("MAMC", "\nMAMC").as_bytes()), TrustFile::NotPem);
        assert_eq!(trust_file(b""), TrustFile::NotPem);
    }

    #[test]
    fn what_is_wrong_has_a_place_and_what_is_overlooked_too() {
        let block = "-----BEGIN A-----\nMAMC\n-----END A-----\n";
        let text = format!("x\n{block}{}", block.replacen("-----END", "----END", 1));
        let read: Vec<_> = read(text.as_bytes()).collect();
        let good = 2..block.len() + 1;
        assert_eq!(read[0].as_ref().map(|it| it.range.clone()), Ok(good));
        let bad = block.len() + 2..text.len() - 1;
        assert_eq!(read[1], Err(Malformed { range: bad, why: Why::NoEnd }));
        assert_eq!(read.len(), 2);
        let inside = block.replace("-----END A-----\n", "") + block;
        assert_eq!(overlooked(inside.as_bytes()), [Overlooked::Inside(23..40)]);
        let indented = format!("{block} {block}");
        assert_eq!(overlooked(indented.as_bytes()), [Overlooked::NotALine(39..57)]);
        let marked = format!("\u{feff}{block}");
        assert_eq!(overlooked(marked.as_bytes()), [Overlooked::ByteOrderMark(0..3)]);
        assert_eq!(overlooked(block.as_bytes()), []);
        let taken_out = format!("{block}# {}", block.replace('\n', "\n# "));
        assert_eq!(overlooked(taken_out.as_bytes()), []);
    }
}
