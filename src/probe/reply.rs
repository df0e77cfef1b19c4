//! Replies of SMTP servers, as Postfix reads them (`smtp_chat_resp` in `smtp/smtp_chat.c`, `smtp_helo` in
//! `smtp/smtp_proto.c`).
//!
//! Lines that are no part of a reply are passed over, up to the bounds of the connection; long lines and many lines are
//! cut, and what is not printable ASCII is replaced.

use crate::observation::session::Reply;

/// `line_length_limit`: what is behind it in a line is left out.
const LINE: usize = 2048;

/// So many lines of a reply are kept.
const LINES: usize = 100;

/// So many characters of each are kept for people.
const SHOWN: usize = 512;

/// Finds replies in what comes.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// What has come and is no line yet; of a long one the beginning.
    rest: Vec<u8>,
    /// Lines of the reply that has begun.
    lines: Vec<String>,
    /// Replies that nobody has taken.
    ready: std::collections::VecDeque<Heard>,
}

/// A reply, and its lines with their codes.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) reply: Reply,
    raw: Vec<String>,
}

impl Parser {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                byte if self.rest.len() < LINE => self.rest.push(*byte),
                _ => {}
            }
        }
    }

    /// The next reply that is complete.
    pub(super) fn next(&mut self) -> Option<Heard> {
        self.ready.pop_front()
    }

    /// Whether nothing more has come than the replies that were taken.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.lines.is_empty() && self.ready.is_empty()
    }

    /// Whether whole lines came that end no reply.
    pub(super) fn has_seen_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    fn end_line(&mut self) {
        let line = self.rest.strip_suffix(b"\r").unwrap_or(&self.rest);
        let line: String = line.iter().map(|it| printable(*it)).collect();
        self.rest.clear();
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let is_last = digits == 3 && matches!(line.as_bytes().get(3), None | Some(b' '));
        let code = line.get(..3).and_then(|it| it.parse().ok());
        if self.lines.len() < LINES || is_last {
            self.lines.push(line);
        }
        if let Some(code) = code.filter(|_| is_last) {
            let raw = std::mem::take(&mut self.lines);
            let lines = raw.iter().map(|it| text(it)).collect();
            // What a server says that was not asked is bounded as well.
            if self.ready.len() < LINES {
                self.ready.push_back(Heard { reply: Reply { code, lines }, raw });
            }
        }
    }
}

impl Heard {
    /// Whether the server says yes.
    pub(super) fn is_positive(&self) -> bool {
        self.reply.code / 100 == 2
    }

    /// Whether a line behind the first begins with this keyword, in upper or lower case.
    pub(super) fn offers_starttls(&self) -> bool {
        let mut keywords = self.raw.iter().filter_map(|it| keyword(it));
        // The first one is the server's name.
        keywords.next();
        keywords.any(|it| it.eq_ignore_ascii_case("STARTTLS"))
    }

    /// Whether a word is in the text.
    pub(super) fn has_word(&self, word: &str) -> bool {
        // Of the first line the code is cut off, and of the others it is a part of a word.
        let first = self.raw.first().map_or("", |it| it.get(4..).unwrap_or(""));
        let others = self.raw.iter().skip(1).map(String::as_str);
        let mut words = std::iter::once(first).chain(others).flat_map(|it| it.split([' ', '\t']));
        words.any(|it| it.eq_ignore_ascii_case(word))
    }

    /// Whether a firewall has put stars in place of the text, as Postfix believes; an empty text counts as that.
    pub(super) fn is_masked(&self) -> bool {
        self.raw.iter().all(|it| it.bytes().all(|it| b"20 *\t".contains(&it)))
    }

    /// The same reply, without what it offers.
    pub(super) fn bare(other: &Heard) -> Heard {
        Heard { reply: other.reply.clone(), raw: Vec::new() }
    }
}

/// The second word, with the separators that `smtp_helo` takes.
fn keyword(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['-', ' ']);
    let behind = &line[line.find(['-', ' '])?..];
    // The separator itself ends the first word.
    let behind = behind[1..].trim_start_matches([' ', '\t', '=']);
    let end = behind.find([' ', '\t', '=']).unwrap_or(behind.len());
    Some(&behind[..end]).filter(|it| !it.is_empty())
}

/// A line without its code, for people.
fn text(line: &str) -> String {
    let has_code = line.bytes().take_while(u8::is_ascii_digit).count() == 3;
    let text = if has_code { line.get(4..).unwrap_or("") } else { line };
    text.chars().take(SHOWN).collect()
}

fn printable(byte: u8) -> char {
    if byte == b'\t' || (b' '..=b'~').contains(&byte) { char::from(byte) } else { '?' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Vec<Heard> {
        let mut parser = Parser::default();
        // Byte by byte: what belongs together is known by its form alone.
        for byte in text.as_bytes() {
            parser.push(&[*byte]);
        }
        std::iter::from_fn(|| parser.next()).collect()
    }

    #[test]
    fn replies_are_found_as_by_postfix() {
        for (text, code, lines) in [
            ("220 a ESMTP\r\n", 220, &["a ESMTP"] as &[&str]),
            ("220\n", 220, &[""]),
            ("250-a\r\n250-STARTTLS\r\n250 X\r\n", 250, &["a", "STARTTLS", "X"]),
            // Lines without a code are passed over, and the last line's code counts.
            ("220-a\r\nwhat is this\r\n421 go\r\n", 421, &["a", "what is this", "go"]),
            ("2200 a\r\n220 b\r\n", 220, &["2200 a", "b"]),
            ("220 \u{fc}\x07\r\n", 220, &["???"]),
        ] {
            let heard = heard(text);
            assert_eq!(heard.len(), 1, "{text:?}");
            assert_eq!(
                (heard[0].reply.code, &heard[0].reply.lines[..]),
                (code, &lines.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..]),
                "{text:?}"
            );
        }
        for none in ["220-a\r\n", "hello\r\n", "220", "22 a\r\n", "220x\r\n", ""] {
            assert!(heard(none).is_empty(), "{none:?}");
        }
    }

    #[test]
    fn starttls_is_offered_by_a_keyword_in_any_case_behind_the_first_line() {
        for (text, offered) in [
            ("250-a\r\n250 STARTTLS\r\n", true),
            ("250-a\r\n250-starttls\r\n250 X\r\n", true),
            ("250-a\r\n250 STARTTLS=x\r\n", true),
            ("250-a\r\n250-STARTTLS extra\r\n250 X\r\n", true),
            ("250 STARTTLS\r\n", false),
            ("250-a\r\n250 XSTARTTLS\r\n", false),
            ("250-a\r\n250 AUTH STARTTLS\r\n", false),
            ("250-\r\n250-a\r\n250 STARTTLS\r\n", true),
        ] {
            assert_eq!(heard(text)[0].offers_starttls(), offered, "{text:?}");
        }
    }

    #[test]
    fn a_greeting_is_asked_for_words_and_stars() {
        for (text, esmtp, masked) in [
            ("220 a ESMTP\r\n", true, false),
            ("220 esmtp\r\n", true, false),
            ("220-ESMTP\r\n220 a\r\n", true, false),
            ("220-a\r\n220 ESMTP b\r\n", true, false),
            ("220 a SMTP\r\n", false, false),
            ("220 ****02***\r\n", false, true),
            ("220\r\n", false, true),
            ("221 *\r\n", false, false),
        ] {
            let heard = &heard(text)[0];
            assert_eq!((heard.has_word("ESMTP"), heard.is_masked()), (esmtp, masked), "{text:?}");
        }
    }

    #[test]
    fn what_never_ends_is_cut() {
        let mut parser = Parser::default();
        for _ in 0..100_000 {
            parser.push(b"250-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
        }
        parser.push(&vec![b'b'; 1_000_000]);
        assert_eq!((parser.lines.len(), parser.rest.len()), (LINES, LINE));
        parser.push(b"\r\n250 end\r\n");
        assert_eq!(parser.next().expect("it has ended").reply.lines.len(), LINES + 1);
        for _ in 0..100_000 {
            parser.push(b"220 a\r\n");
        }
        assert_eq!(parser.ready.len(), LINES);
    }
}
