//! The reports of a probe, of made-up runs: each variant of what can be seen, and anything for a text.

mod browser;
mod page;
mod scene;
mod texts;

use std::cell::RefCell;

use crate::generator::Random;
use scene::{Scene, every};

/// What servers and domains could say to whoever prints it.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=http://evil.example/x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></title></pre></code>",
    "<!--",
    "-->",
    "]]>",
    "&amp;&#60;&lt",
    "url(http://evil.example/y)",
    "@import 'http://evil.example/z';",
    "<meta http-equiv=refresh content=0;url=http://evil.example/>",
    "\u{202e}gpj.exe",
    "\u{2066}",
    "\n",
    "\r\n",
    "\u{2028}",
    "\u{85}",
    "\t",
    "\0",
    "\u{1b}[31m",
    "\u{1b}]8;;http://evil.example/\u{1b}\\",
    "|",
    "'",
    "\"",
    "\\",
    "\\n",
    "{a=\"b\"} 1",
    "\n# TYPE x counter\nx 1\n",
    "\u{fffd}\u{fffe}",
    "e\u{301}\u{301}\u{301}",
    "\u{1f4e7}",
    "ß",
    ", ",
    "%s%n",
    "$(reboot)`id`",
    "a",
    "example",
    ".",
    " ",
];

/// A run in which all is as it reads.
fn plain() -> Scene {
    every(&|it| it.to_owned())
}

/// A run in which nobody means well.
fn hostile(random: &mut Random) -> Scene {
    let random = RefCell::new(random);
    every(&|plain| {
        let mut random = random.borrow_mut();
        let mut text = if random.below(3) == 0 { plain.to_owned() } else { String::new() };
        for _ in 0..random.below(7) {
            text.push_str(random.of(HOSTILE));
        }
        match random.below(40) {
            0 => text.repeat(300),
            1 => "w".repeat(3000),
            _ => text,
        }
    })
}
