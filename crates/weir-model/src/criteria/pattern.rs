//! Patterns of titles.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::RuleError;

/// A pattern of titles, compared without regard to case. With `*`, which stands for any text, it describes the whole
/// title; without one it is looked for anywhere in it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    /// In lower case, cut at the stars; one part if there is none.
    parts: Vec<String>,
}

/// Characters that a pattern may have.
const LONGEST: usize = 255;

impl Pattern {
    /// Whether a title has the pattern.
    pub fn matches(&self, title: &str) -> bool {
        let title = title.to_lowercase();
        let title = title.trim();
        match self.parts.as_slice() {
            [] => false,
            [only] => title.contains(only.as_str()),
            [first, middle @ .., last] => {
                let Some(mut rest) = title.strip_prefix(first.as_str()) else { return false };
                for part in middle {
                    let Some(at) = rest.find(part.as_str()) else { return false };
                    rest = rest.get(at + part.len()..).unwrap_or_default();
                }
                rest.ends_with(last.as_str())
            }
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Pattern {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        let is_empty = text.chars().all(|character| character == '*');
        if is_empty || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            return Err(RuleError::Pattern(text.chars().take(80).collect()));
        }
        Ok(Self { text: text.to_owned(), parts: text.to_lowercase().split('*').map(str::to_owned).collect() })
    }
}

impl TryFrom<String> for Pattern {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
