//! The known name that looks most like an unknown one.

/// Names nearer than this (1 is equal) are worth proposing: one slip in six letters, or a forgotten table name.
const NEAR: f64 = 0.7;

/// Bytes of a name that is compared: what is longer is no slip, and comparing takes time with its length.
const LONGEST: usize = 64;

/// The most similar of `known`, if any is similar enough; none for a name that is longer than any of ours.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let tail = |text: &str| text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let name_lower = name.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            let whole = strsim::jaro_winkler(&name_lower, &candidate.to_ascii_lowercase());
            let ends = strsim::normalized_levenshtein(&tail(name), &tail(candidate));
            (whole.max(ends), candidate)
        })
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_mended_and_what_is_long_is_left() {
        assert_eq!(nearest("targetting", ["source", "targeting"]).as_deref(), Some("targeting"));
        assert_eq!(nearest("something else", ["source", "targeting"]), None);
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(nearest(&long, [long.as_str()]), None);
    }
}
