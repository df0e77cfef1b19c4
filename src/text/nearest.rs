//! "Did you mean": the name that a typo most likely stands for.

/// The nearest of `names`, if one is near enough to be meant; case does not count.
pub fn nearest<'n>(typo: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    all_nearest(typo, names, |length| 1.max(length / 3)).into_iter().min()
}

/// All that are as near as the nearest one, if that is no further than `limit` says for a name of
/// its length.
pub fn all_nearest<'n>(
    typo: &str,
    names: impl Iterator<Item = &'n str>,
    limit: fn(usize) -> usize,
) -> Vec<&'n str> {
    // The cost is the product of the lengths, and no name is that long.
    if typo.len() > 100 {
        return Vec::new();
    }
    let typo = typo.to_lowercase();
    let letters = Letters::of(&typo);
    let (mut least, mut found) = (usize::MAX, Vec::new());
    for name in names {
        let most = limit(name.len()).min(least);
        // Seldom are the letters near enough, and the order is what costs.
        if letters.differ(&Letters::of(name)) > 2 * most {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&typo, &name.to_lowercase());
        if distance > most {
            continue;
        }
        if distance < least {
            (least, found) = (distance, Vec::new());
        }
        found.push(name);
    }
    found
}

/// How often each letter occurs; case does not count.
struct Letters([u8; 32]);

impl Letters {
    fn of(text: &str) -> Letters {
        let mut letters = [0_u8; 32];
        for byte in text.bytes() {
            let letter = &mut letters[usize::from(byte % 32)];
            *letter = letter.saturating_add(1);
        }
        Letters(letters)
    }

    /// An edit changes it by two at most.
    fn differ(&self, other: &Letters) -> usize {
        self.0.iter().zip(other.0).map(|(a, b)| usize::from(a.abs_diff(b))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{all_nearest, nearest};

    #[test]
    fn only_a_near_name_is_meant() {
        let names = || ["encrypt", "may", "secure"].into_iter();
        assert_eq!(nearest("Encypt", names()), Some("encrypt"));
        assert_eq!(nearest("mya", names()), Some("may"));
        assert_eq!(nearest("verify", names()), None);
        assert_eq!(nearest("", names()), None);
    }

    #[test]
    fn there_may_be_several() {
        let names = || ["smtp_tls", "lmtp_tls", "other"].into_iter();
        assert_eq!(all_nearest("mtp_tls", names(), |_| 1), ["smtp_tls", "lmtp_tls"]);
        assert_eq!(all_nearest("smpt_tls", names(), |_| 2), ["smtp_tls"]);
        assert_eq!(all_nearest("smpt_tls", names(), |_| 0), [] as [&str; 0]);
    }
}
