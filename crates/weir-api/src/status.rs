//! `GET status`: what runs here, what it holds, and what an administrator does next. Also the form of `endpoints.json`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The file of the data folder that holds an [`Endpoints`] while a server runs.
pub const ENDPOINTS_FILE: &str = "endpoints.json";
/// The file of the data folder that holds the bearer token of the built-in administrator (mode 0600).
pub const TOKEN_FILE: &str = "admin.token";
/// The file below the data folder with the certificate to trust (PEM).
pub const CA_FILE: &str = "tls/ca.pem";

/// Where a server listens: the content of `endpoints.json`. An absent key is a listener that is off; wildcard addresses
/// are given as loopback.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Endpoints {
    /// Process id of the server.
    pub pid: u32,
    /// Client plane without TLS, `http://127.0.0.1:8530`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_http: Option<String>,
    /// Client plane with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_https: Option<String>,
    /// Server plane, when it has a listener of its own or is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Admin plane, always with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<String>,
}

/// Answer of `GET status`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Version of the server.
    pub version: String,
    /// Identity of this site, given on the first start.
    pub server_id: Uuid,
    /// When the process started.
    pub started_at: Timestamp,
    /// When what it counts was counted: now, or a few seconds ago while many files come in.
    pub as_of: Timestamp,
    /// Where it listens.
    pub endpoints: Endpoints,
    /// What it holds.
    pub counts: Counts,
    /// The compiled catalogue that scans are answered from.
    pub snapshot: SnapshotStatus,
    /// The way from an empty server to a patched computer.
    pub steps: Vec<Step>,
}

/// What a server holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Stored revisions of every kind.
    pub revisions: u64,
    /// Distinct updates of every kind.
    pub updates: u64,
    /// Revisions that are kept but not offered, because something they need is unknown.
    pub unresolved: u64,
    /// Selected products.
    pub products_selected: u64,
    /// Selected classifications.
    pub classifications_selected: u64,
    /// Collections, the two built-in ones included.
    pub collections: u64,
    /// Deployments.
    pub deployments: u64,
    /// Known computers.
    pub computers: u64,
    /// Known computers whose last contact was over plain HTTP.
    pub computers_plain_http: u64,
    /// Stored and verified content files.
    pub content_files: u64,
    /// Their size together, in bytes.
    pub content_bytes: u64,
    /// Files that deployments wait for.
    pub content_waiting: u64,
    /// Open alerts.
    pub alerts: u64,
}

/// The compiled catalogue.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotStatus {
    /// Number of the newest change it contains.
    pub change: u64,
    /// Revisions in it.
    pub revisions: u64,
    /// Updates that computers can be sent.
    pub live: u64,
}

/// One first-day step.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Stable name: `import` or `sync`, `select`, `computers`, `collection`, `deploy`, `content`.
    pub name: String,
    /// What it achieves, one sentence.
    pub title: String,
    /// Whether it is done.
    pub done: bool,
    /// The command that does it; `--data` or `WEIR_URL` say where, unless it is `./weir-data`.
    pub command: String,
}

/// A text as one word of a POSIX shell, for the commands that are shown.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_quoted_for_a_shell_where_they_must_be() {
        assert_eq!(quoted("/var/lib/weir-2"), "/var/lib/weir-2");
        assert_eq!(quoted("/srv/my data"), "'/srv/my data'");
        assert_eq!(quoted("/srv/it's $HOME"), "'/srv/it'\\''s $HOME'");
    }
}
