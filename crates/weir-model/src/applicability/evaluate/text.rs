//! Texts of rules and of computers.

use crate::{
    applicability::{Facts, facts::Fact},
    document::rules::StringMatch,
};

/// Whether two texts are the same to a rule.
///
/// *Off-spec:* no document says whether case counts. It does not: genuine rules write the same value in two cases (the
/// `Branch` of an image as `RS4_RELEASE` and `RS4_Release`).
pub(super) fn texts_equal(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// Compares a text of the computer with that of a rule (`StringComparison`, BaseTypes).
pub(super) fn compares(found: &str, comparison: StringMatch, stated: &str) -> bool {
    let (found, stated) = (found.to_lowercase(), stated.to_lowercase());
    match comparison {
        StringMatch::BeginsWith => found.starts_with(&stated),
        StringMatch::Contains => found.contains(&stated),
        StringMatch::EndsWith => found.ends_with(&stated),
        StringMatch::EqualTo => found == stated,
    }
}

/// Replaces `%NAME%` by environment variables of the system. One that is not set stays as written, as
/// `ExpandEnvironmentStrings` leaves it; values are not expanded again.
pub(super) fn expand(text: &str, facts: &dyn Facts) -> Fact<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let Some((name, behind)) = after.split_once('%') else {
            expanded.push('%');
            rest = after;
            continue;
        };
        let value = if name.is_empty() { None } else { facts.variable(name)? };
        if let Some(value) = value {
            expanded.push_str(&value);
            rest = behind;
        } else {
            // The second sign may begin a name itself.
            expanded.push('%');
            rest = after;
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}
