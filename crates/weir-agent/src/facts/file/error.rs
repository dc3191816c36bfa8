//! What is wrong with a facts file.

use std::{io, path::PathBuf};

use serde::Deserialize;
use weir_model::nearest::nearest;

use super::{FORMAT, LARGEST};

/// Longest part of a path inside a file that a message repeats, in characters.
const LONGEST_PLACE: usize = 200;

/// Why a facts file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FactsFileError {
    /// Two entries cannot both hold.
    #[error("{section}: {below:?} exists below {name:?}, which is null and so does not exist; remove one of them")]
    Contradiction {
        /// In which section.
        section: &'static str,
        /// What does not exist.
        name: String,
        /// What exists below it.
        below: String,
    },
    /// The file is of another version of the format.
    #[error("this is version {found} of the format of facts files, and this program reads version {FORMAT}")]
    Format {
        /// Which.
        found: u64,
    },
    /// It is no JSON, or not of the format.
    #[error("line {line}, column {column}{}: {reason}{}", at(.place), hint(.nearest.as_deref()))]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The path inside the file, empty at its top.
        place: String,
        /// What is wrong.
        reason: String,
        /// The known name that is most like the one that stands there.
        nearest: Option<String>,
    },
    /// It cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It exceeds the bound.
    #[error("a facts file has at most {LARGEST} bytes; leave parts of the registry out")]
    TooLarge,
}

impl FactsFileError {
    /// An error of the parser, at a path inside the file.
    pub(super) fn json(text: &[u8], place: String, error: &serde_json::Error) -> Self {
        // A file of a later version has keys that this program does not know: say that instead.
        #[derive(Deserialize)]
        struct Head {
            weir_facts: u64,
        }
        if let Ok(Head { weir_facts }) = serde_json::from_slice::<Head>(text) {
            if weir_facts != u64::from(FORMAT) {
                return Self::Format { found: weir_facts };
            }
        }
        let message = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let reason = message.strip_suffix(&position).unwrap_or(&message);
        let mut names = reason.split('`').skip(1).step_by(2);
        let unknown = reason.starts_with("unknown ").then(|| names.next()).flatten();
        let nearest = unknown.and_then(|unknown| nearest(unknown, names));
        Self::Json {
            line: error.line(),
            column: error.column(),
            place: if place == "." { String::new() } else { cut(&place) },
            reason: reason.to_owned(),
            nearest,
        }
    }
}

fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(", at {place}") }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_PLACE) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
