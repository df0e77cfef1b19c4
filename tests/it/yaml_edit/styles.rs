//! Policy files in the styles in which people write YAML, and what they say of pins.

use std::fmt::Write;

use postls::policy::yaml::edit::PinKey;

use crate::generator::Random;

/// What a file says of pins: each as `key|fingerprint|note|added|retire`, which a generated file
/// was made to say.
pub(super) type Said = Vec<(String, Vec<Vec<(PinKey, String)>>)>;

/// A file in one of many styles, with comments that are all different. Those that go with a pin
/// have its number behind a `p`.
pub(super) struct Written<'r> {
    random: &'r mut Random,
    text: String,
    remarks: usize,
    pins: usize,
    step: usize,
}

impl<'r> Written<'r> {
    pub(super) fn new(random: &'r mut Random, step: usize) -> Written<'r> {
        Written { random, text: String::new(), remarks: 0, pins: 0, step }
    }
}

impl Written<'_> {
    fn one_in(&mut self, n: usize) -> bool {
        self.random.below(n) == 0
    }

    fn spaces(&mut self, n: usize) {
        self.text.push_str(&" ".repeat(n));
    }

    /// A comment behind something, sometimes; then the line ends.
    fn end(&mut self, of: Option<usize>) {
        if self.one_in(3) {
            let before = if self.one_in(30) { "\t" } else { [" ", "  "][self.random.below(2)] };
            self.text.push_str(before);
            self.remark(of);
        }
        self.text.push('\n');
    }

    fn remark(&mut self, of: Option<usize>) {
        self.remarks += 1;
        let of = of.map_or(String::new(), |it| format!("p{it}"));
        let noise = self.random.of(&["", " - x: [", " pins:", " \"}", " it's ]"]);
        write!(self.text, "#t{}{of};{noise}", self.remarks).expect("a String takes it");
    }

    /// A comment on a line of its own, or a blank line, or nothing.
    fn between(&mut self, column: usize, of: Option<usize>) {
        match self.random.below(4) {
            0 => {
                self.spaces(column);
                self.remark(of);
                self.text.push('\n');
            }
            1 if of.is_none() => self.text.push('\n'),
            _ => {}
        }
    }

    fn quoted(&mut self, text: &str) -> String {
        let plain = text.bytes().all(|it| it.is_ascii_alphanumeric() || b":-.".contains(&it));
        match self.random.below(3) {
            0 if plain => text.to_owned(),
            1 => format!("'{}'", text.replace('\'', "''")),
            _ => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }

    pub(super) fn pin(&mut self) -> (usize, Vec<(PinKey, String)>) {
        self.pins += 1;
        let bytes = [16, 20, 32, 48, 64][self.random.below(5)];
        let hex: Vec<String> =
            (0..bytes).map(|_| format!("{:02X}", self.random.next() & 0xff)).collect();
        let key = [PinKey::PublicKey, PinKey::Certificate][self.random.below(2)];
        let mut keys = vec![(key, hex.join(":"))];
        if self.one_in(2) {
            let note =
                self.random.of(&["x", "a # b", "it's", "say \"x\": y", "ü, [z]", "{", "- x"]);
            keys.push((PinKey::Note, note.to_owned()));
        }
        for key in [PinKey::Added, PinKey::Retire] {
            if self.one_in(3) {
                keys.push((
                    key,
                    format!("202{}-0{}-28", self.random.below(9), 1 + self.random.below(9)),
                ));
            }
        }
        let first = self.random.below(keys.len());
        keys.rotate_left(first);
        (self.pins, keys)
    }

    fn flow_pin(&mut self, keys: &[(PinKey, String)]) {
        let pairs: Vec<String> =
            keys.iter().map(|(key, it)| format!("{}: {}", key.name(), self.quoted(it))).collect();
        let (open, close) = [("{", "}"), ("{ ", " }"), ("{", ", }")][self.random.below(3)];
        write!(self.text, "{open}{}{close}", pairs.join(", ")).expect("a String takes it");
    }

    fn flow_pins(&mut self, column: usize) -> Vec<Vec<(PinKey, String)>> {
        let count = 1 + self.random.below(3);
        let style = self.random.below(3);
        let mut pins = Vec::new();
        self.text.push('[');
        for index in 0..count {
            let (number, keys) = self.pin();
            if style == 1 || (style == 2 && index > 0) {
                if !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
                self.between(column, None);
                self.spaces(column + self.step);
            }
            self.flow_pin(&keys);
            let is_last = index + 1 == count;
            if !is_last || self.one_in(4) {
                self.text.push(',');
            }
            match (style, is_last) {
                (0, false) => self.text.push(' '),
                (1, _) | (2, false) => self.end(Some(number)),
                _ => {}
            }
            pins.push(keys);
        }
        if style == 1 {
            self.spaces(column);
        }
        self.text.push(']');
        pins
    }

    fn block_pins(&mut self, column: usize) -> Vec<Vec<(PinKey, String)>> {
        let column = column + [0, self.step][self.random.below(2)];
        let mut pins = Vec::new();
        for _ in 0..=self.random.below(3) {
            self.between(column, None);
            let (number, keys) = self.pin();
            self.spaces(column);
            self.text.push('-');
            let gap = 1 + 2 * self.random.below(2);
            match self.random.below(4) {
                0 => {
                    self.spaces(gap);
                    self.flow_pin(&keys);
                    self.end(Some(number));
                }
                1 => {
                    self.end(Some(number));
                    self.block_pin(&keys, number, column + 1 + gap, true);
                }
                _ => {
                    self.spaces(gap);
                    self.block_pin(&keys, number, column + 1 + gap, false);
                }
            }
            pins.push(keys);
        }
        pins
    }

    fn block_pin(&mut self, keys: &[(PinKey, String)], number: usize, column: usize, below: bool) {
        for (index, (key, value)) in keys.iter().enumerate() {
            if index > 0 || below {
                self.between(column, Some(number));
                self.spaces(column);
            }
            write!(self.text, "{}: ", key.name()).expect("a String takes it");
            if *key == PinKey::Note && self.one_in(3) {
                self.text.push_str("|-\n");
                self.spaces(column + 2);
                self.text.push_str(value);
                self.text.push('\n');
            } else {
                let value = self.quoted(value);
                self.text.push_str(&value);
                self.end(Some(number));
            }
        }
        self.between(column, Some(number));
    }

    fn destination(&mut self, name: &str, column: usize) -> Vec<Vec<(PinKey, String)>> {
        self.between(column, None);
        self.spaces(column);
        let name = if name.starts_with('[') { format!("\"{name}\"") } else { self.quoted(name) };
        self.text.push_str(&name);
        self.text.push(':');
        let inner = column + self.step;
        match self.random.below(5) {
            0 => {
                self.text.push_str(" fingerprint");
                self.end(None);
                Vec::new()
            }
            1 => {
                self.text.push_str(" {level: fingerprint");
                let pins = if self.one_in(3) {
                    Vec::new()
                } else {
                    self.text.push_str(", pins: ");
                    self.flow_pins(inner)
                };
                self.text.push_str([", owner: \"x # y\"}", "}", " , }"][self.random.below(3)]);
                self.end(None);
                pins
            }
            2 => {
                self.text.push_str(" {");
                self.end(None);
                self.spaces(inner);
                self.text.push_str("level: fingerprint,");
                self.end(None);
                self.spaces(inner);
                self.text.push_str("pins: ");
                let pins = self.flow_pins(inner);
                self.end(None);
                self.spaces(column);
                self.text.push('}');
                self.end(None);
                pins
            }
            _ => {
                self.end(None);
                self.spaces(inner);
                self.text.push_str("level: fingerprint");
                self.end(None);
                let pins = self.pins_of_block(inner);
                if self.one_in(2) {
                    self.between(inner, None);
                    self.spaces(inner);
                    self.text.push_str("reason: 'x: y # z'");
                    self.end(None);
                }
                pins
            }
        }
    }

    fn pins_of_block(&mut self, inner: usize) -> Vec<Vec<(PinKey, String)>> {
        if self.one_in(4) {
            return Vec::new();
        }
        self.spaces(inner);
        self.text.push_str("pins:");
        match self.random.below(6) {
            0 => {
                self.text.push_str(["", " []", " ~", " [ ]"][self.random.below(4)]);
                self.end(None);
                Vec::new()
            }
            1 | 2 => {
                self.text.push(' ');
                let pins = self.flow_pins(inner);
                self.end(None);
                pins
            }
            _ => {
                self.end(None);
                self.block_pins(inner)
            }
        }
    }
}

pub(super) fn file(random: &mut Random) -> (String, Said) {
    let step = 1 + random.below(4);
    let mut file = Written::new(random, step);
    file.between(0, None);
    file.text.push_str(["version: 1\n", "---\nversion: 1\n"][file.random.below(2)]);
    file.between(0, None);
    file.text.push_str("destinations:");
    file.end(None);
    let mut said = Vec::new();
    for name in ["a.example", ".b.example", "[relay.example]:587", "D.example"] {
        let pins = file.destination(name, step);
        said.push((name.to_owned(), pins));
    }
    file.between(0, None);
    if file.one_in(2) {
        file.text.push_str("lint: {allow: {x: y}}\n");
    }
    let mut text = file.text;
    if random.below(4) == 0 {
        text = text.trim_end().to_owned();
    }
    if random.below(4) == 0 {
        text = text.replace('\n', "\r\n");
    }
    (text, said)
}
