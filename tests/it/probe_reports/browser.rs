//! The page in a real browser: light and dark, on a phone and on paper, and what others say in it is shown and
//! not obeyed.
//!
//! Another page holds it in frames of several widths, and measures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64;
use postls::report::probe_html::html;
use serde_json::Value;
use tempfile::TempDir;

use super::{hostile, plain};
use crate::generator::rounds;
use crate::tools;

/// Measures the page in frames. An image of its own shows that requests are seen.
const MEASURE: &str = r#"<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<style>iframe { color-scheme: light dark; height: 800px; border: 0; }</style>
<body><pre id="measured"></pre><img src="http://control.example/x.png">
<script>
const page = PAGE;
const frames = [320, 360, 768, 1280].map(width => {
  const frame = document.createElement('iframe');
  frame.style.width = width + 'px';
  frame.srcdoc = page;
  document.body.append(frame);
  return frame;
});
const numbers = color => color.match(/[\d.]+/g).map(Number);
const light = color => {
  const [r, g, b] = numbers(color).slice(0, 3).map(it => it / 255)
    .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (let it = element; it; it = it.parentElement) {
    const color = getComputedStyle(it).backgroundColor;
    const alpha = numbers(color)[3];
    if (alpha === undefined || alpha === 1) return color;
  }
  return 'rgb(255, 255, 255)';
};
const measure = frame => {
  const it = frame.contentDocument;
  it.querySelectorAll('details').forEach(details => details.open = true);
  const width = it.documentElement.clientWidth;
  const wide = [], pale = [];
  let texts = 0;
  for (const element of it.body.querySelectorAll('*')) {
    if (element.closest('svg') || !element.checkVisibility()) continue;
    if (element.getBoundingClientRect().right > width + 1) wide.push(element.outerHTML.slice(0, 120));
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    texts += 1;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) pale.push([contrast, element.outerHTML.slice(0, 120)]);
  }
  return {
    width, texts, wide: wide.slice(0, 5), pale: pale.slice(0, 5),
    scroll: it.documentElement.scrollWidth,
    background: light(getComputedStyle(it.body).backgroundColor),
    active: it.querySelectorAll('script, img, iframe, object, embed, link, form, input, base, audio, video').length,
    handlers: [...it.querySelectorAll('*')].filter(one => [...one.attributes].some(at => at.name.startsWith('on'))).length,
    resources: frame.contentWindow.performance.getEntriesByType('resource').length,
    title: it.title,
    details: it.querySelectorAll('details').length,
  };
};
window.onload = () => {
  const text = JSON.stringify(frames.map(measure));
  document.getElementById('measured').textContent = btoa(String.fromCharCode(...new TextEncoder().encode(text)));
};
</script>
"#;

/// A browser with nothing of its own.
struct Browser {
    program: PathBuf,
    scratch: TempDir,
}

impl Browser {
    fn find() -> Option<Browser> {
        let program = tools::find("chromium")?;
        let scratch = tempfile::Builder::new().prefix("postls-browser-").tempdir();
        Some(Browser { program, scratch: scratch.expect("a temporary directory") })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// What it prints. No name leads anywhere, so that nothing can leave this machine.
    fn run(&self, arguments: &[&str], page: &Path) -> String {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", "240"]).arg(&self.program);
        // As root there is no sandbox; the page is ours.
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
        command.args(["--disable-dev-shm-usage", "--disable-background-networking"]);
        command.args(["--disable-component-update", "--no-first-run"]);
        command.args(["--host-resolver-rules=MAP * ~NOTFOUND"]);
        command.arg(format!("--user-data-dir={}", self.at("profile").display()));
        command.args(arguments).arg(format!("file://{}", page.display()));
        let output = command.env("HOME", self.scratch.path()).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("it is text")
    }

    /// What is so of a page in each frame, and what the browser's network was asked for.
    fn measure(&self, page: &str, arguments: &[&str]) -> (Vec<Value>, String) {
        let page = serde_json::to_string(page).expect("it is text").replace('<', "\\u003c");
        let path = self.at("measure.html");
        fs::write(&path, MEASURE.replace("PAGE", &page)).expect("it can be written");
        let log = self.at("requests.json");
        let log_to = format!("--log-net-log={}", log.display());
        let all = [&["--dump-dom", "--virtual-time-budget=20000", &log_to], arguments].concat();
        let dom = self.run(&all, &path);
        let (_, rest) = dom.split_once("<pre id=\"measured\">").expect("it is there");
        let (text, _) = rest.split_once("</pre>").expect("it ends");
        let json = BASE64.decode(text.as_bytes()).expect("it is base64");
        let measured: Vec<Value> = serde_json::from_slice(&json).expect("it measured something");
        assert_eq!(measured.len(), 4);
        (measured, fs::read_to_string(log).expect("it keeps a log"))
    }
}

/// What is to hold of any page in any frame.
fn check(measured: &[Value], requests: &str, what: &str) {
    for it in measured {
        let width = &it["width"];
        assert!(it["texts"].as_u64() > Some(50), "{what}: {it}");
        assert_eq!(it["scroll"], *width, "{what} is wider than the screen: {}", it["wide"]);
        assert_eq!(it["wide"], serde_json::json!([]), "{what} at {width}");
        assert_eq!(it["pale"], serde_json::json!([]), "{what} at {width}");
        for nothing in ["active", "handlers", "resources"] {
            assert_eq!(it[nothing], 0, "{what} at {width}: {nothing}");
        }
    }
    assert!(requests.contains("control.example"), "requests are not seen");
    assert!(!requests.contains("evil.example"), "{what} asked for something");
}

#[test]
fn it_can_be_read_on_every_screen_light_and_dark() {
    let Some(browser) = Browser::find() else { return };
    let page = html(&plain().report());
    let mut backgrounds = Vec::new();
    for (what, arguments) in [("light", &[] as &[&str]), ("dark", &["--force-dark-mode"])] {
        let (measured, requests) = browser.measure(&page, arguments);
        check(&measured, &requests, what);
        assert_eq!(measured[1]["width"], 360);
        assert_eq!(measured[0]["title"], "Mail over TLS from mail.example.org");
        backgrounds.push(measured[0]["background"].as_f64().expect("it is a number"));
    }
    assert!(backgrounds[0] > 0.9 && backgrounds[1] < 0.05, "{backgrounds:?}");
}

#[test]
fn what_others_say_is_shown_and_not_obeyed() {
    let Some(browser) = Browser::find() else { return };
    rounds(1, |seed, round, random| {
        let page = html(&hostile(random).report());
        assert!(page.contains("evil.example"));
        let (measured, requests) = browser.measure(&page, &[]);
        check(&measured, &requests, &format!("seed {seed} round {round}"));
    });
}

#[test]
fn on_paper_everything_is_open() {
    let Some(browser) = Browser::find() else { return };
    let (page, paper) = (browser.at("page.html"), browser.at("paper.pdf"));
    let text = html(&plain().report());
    fs::write(&page, &text).expect("it can be written");
    assert!(text.contains("<details>") && text.contains("<details open>"));
    let to = format!("--print-to-pdf={}", paper.display());
    browser.run(&["--no-pdf-header-footer", &to], &page);
    let bytes = fs::read(&paper).expect("it was printed");
    assert!(bytes.starts_with(b"%PDF-"));
    let Some(pdftotext) = tools::find("pdftotext") else { return };
    let output = Command::new(pdftotext).arg(&paper).arg("-").output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    // Each address of each destination, whether its part of the page is open or not.
    for words in ["nobody looks for TLSA records at this level", "it stood after 23 ms"] {
        assert_eq!(printed.matches(words).count(), text.matches(words).count(), "{words}");
    }
    assert!(printed.contains("key exchange X25519"));
}
