//! Which settings a value is made of.

use std::collections::BTreeSet;

use super::{Configuration, Setting};
use crate::syntax::expand;

impl Configuration<'_> {
    /// The settings of main.cf that a value refers to, itself, through another one or through a default.
    pub fn behind(&self, text: &[u8]) -> Vec<Setting<'_>> {
        let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut found = Vec::new();
        let mut texts = vec![text.to_vec()];
        while let Some(text) = texts.pop() {
            if memchr::memchr(b'$', &text).is_none() {
                continue;
            }
            for name in expand::names(&text, self.environment.dialect()).0 {
                let name = &text[name];
                let Ok(known) = str::from_utf8(name) else { continue };
                if !seen.insert(name.to_vec()) {
                    continue;
                }
                match self.setting(known) {
                    Some(setting) => {
                        texts.push(setting.value().text().to_vec());
                        found.push(setting);
                    }
                    None => texts.extend(self.default(known).map(std::borrow::Cow::into_owned)),
                }
            }
        }
        found
    }
}
