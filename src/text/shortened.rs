//! Text of the user's for a message.

/// What fits in a message: at most 60 characters, none of them a control character.
pub fn shortened(text: &str) -> String {
    const MAX: usize = 60;
    let plain = |it: char| if it.is_control() { ' ' } else { it };
    let mut short: String = text.chars().take(MAX).map(plain).collect();
    if text.chars().nth(MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("a\tb"), "a b");
        assert_eq!(shortened(&"ü".repeat(61)), "ü".repeat(60) + "…");
    }
}
