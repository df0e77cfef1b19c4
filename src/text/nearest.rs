//! "Did you mean": the name that a typo most likely stands for.

/// The nearest of `names`, if one is near enough to be meant; case does not count.
pub fn nearest<'n>(typo: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // The cost is the product of the lengths, and no name is that long.
    if typo.len() > 100 {
        return None;
    }
    let typo = typo.to_lowercase();
    names
        .map(|name| (strsim::damerau_levenshtein(&typo, &name.to_lowercase()), name))
        .min()
        .filter(|(distance, name)| *distance <= 1.max(name.len() / 3))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_near_name_is_meant() {
        let names = || ["encrypt", "may", "secure"].into_iter();
        assert_eq!(nearest("Encypt", names()), Some("encrypt"));
        assert_eq!(nearest("mya", names()), Some("may"));
        assert_eq!(nearest("verify", names()), None);
    }
}
