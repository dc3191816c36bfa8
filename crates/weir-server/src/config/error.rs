use std::path::PathBuf;

/// Why the process settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A file with a secret could not be read.
    #[error("{key}: cannot read {}", path.display())]
    Secret {
        /// Which setting names it, or which variable.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The file is no TOML, or a value in it has the wrong type.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The file has a key that means nothing here.
    #[error("{}:{line}:{column}: there is no setting {key:?}{}", path.display(), suggestion(nearest.as_deref()))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// As written, with its table.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A variable that means nothing here.
    #[error("there is no environment variable {name}{}", suggestion(nearest.as_deref()))]
    UnknownVariable {
        /// As set.
        name: String,
        /// The known one that looks most like it.
        nearest: Option<String>,
    },
    /// A value that cannot be used.
    #[error("{key} is {value:?}; it must be {wanted}")]
    Value {
        /// Which setting, by its name in `weir.toml`.
        key: &'static str,
        /// As given.
        value: String,
        /// What it must be.
        wanted: String,
    },
}

/// The tail of a message about an unknown name.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}
