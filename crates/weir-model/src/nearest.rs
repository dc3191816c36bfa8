//! The known name that looks most like an unknown one.

/// Names nearer than this (1 is equal) are worth proposing: one slip in six letters, or a forgotten table name.
const NEAR: f64 = 0.7;

/// The most similar of `known`, if any is similar enough.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
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
