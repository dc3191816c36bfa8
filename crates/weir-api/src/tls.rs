//! `tls`: certificates of the listeners, and how computers come.
//!
//! * `GET tls` answers [`TlsStatus`]; `POST tls/reload` [`TlsReloaded`].
//! * `POST tls/check` ([`TlsCheck`]) answers [`TlsChecked`].
//! * `GET computers/transport?collection=` answers [`TransportSummary`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Reference;

/// Answer of `GET tls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsStatus {
    /// Whether computers use TLS (`clients.https`): `off`, `on` or `required`.
    pub clients: String,
    /// The lowest version that is spoken: `1.2` or `1.3`.
    pub minimum: String,
    /// Cipher suites that are spoken, those that are preferred first.
    pub suites: Vec<String>,
    /// What is shown.
    pub certificates: Vec<TlsShown>,
    /// The own authority, `tls/ca.pem` of the data folder.
    pub authority: TlsCertificate,
    /// New certificates and settings that cannot be used; what was before goes on.
    pub failures: Vec<TlsFailure>,
    /// Computers that scan at this server.
    pub computers: u64,
    /// Those of them whose last call came without TLS.
    pub computers_plain_http: u64,
    /// Their share in percent.
    pub plain_http_percent: f64,
    /// When this answer was made.
    pub as_of: Timestamp,
}

/// A certificate that is shown.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsShown {
    /// To whom: `client` (computers and servers), `admin` (administrators who come by a name); `own` is the server's own one, which
    /// administrators are shown who come by an address.
    pub plane: String,
    /// The file that it is from; absent for the server's own one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// When it was made or read.
    pub since: Timestamp,
    /// Everybody on the server's machine can read its key.
    pub key_exposed: bool,
    /// The chain, the server's own certificate first.
    pub chain: Vec<TlsCertificate>,
    /// What is not well with it.
    pub warnings: Vec<String>,
}

/// A certificate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsCertificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Names and addresses that it is for.
    pub names: Vec<String>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Whole days until then; negative if it has ended.
    pub days_left: i64,
    /// Its key, such as `ECDSA P-256`.
    pub key: String,
    /// How it is signed.
    pub signature: String,
    /// SHA-256 of the whole, lower-case digits.
    pub fingerprint: String,
}

/// What cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsFailure {
    /// `client`, `admin`, `own` or `settings`.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// Answer of `POST tls/reload`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsReloaded {
    /// What is shown anew: `client`, `admin`, `own`.
    pub changed: Vec<String>,
    /// What cannot be used; what was before goes on.
    pub failures: Vec<TlsFailure>,
}

/// Body of `POST tls/check`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsCheck {
    /// An address of this server, as computers use it: `https://HOST:PORT`. The host is not looked up: this server's own listener is
    /// called and asked for that name, nothing else ever is. Absent: the address of every listener with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Roots that computers trust (PEM), to be sure that the chain leads to one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// Answer of `POST tls/check`: what a client sees.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsChecked {
    /// Each address that was tried.
    pub addresses: Vec<TlsCheckedAddress>,
    /// Findings because of which clients do not connect.
    pub errors: u64,
    /// Findings because of which some do not, or soon none will.
    pub warnings: u64,
    /// When it was tried.
    pub as_of: Timestamp,
}

/// What a client sees at one address.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsCheckedAddress {
    /// The address.
    pub url: String,
    /// `client`, `server` or `admin`.
    pub plane: String,
    /// The listener that was called.
    pub connected_to: String,
    /// The chain that was shown, in that order.
    pub chain: Vec<TlsCertificate>,
    /// What was found, the worst first.
    pub findings: Vec<TlsFinding>,
    /// Which Windows versions can use the certificate; empty where no computers come.
    pub windows: Vec<TlsWindows>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsFinding {
    /// `error`, `warning`, `note` or `ok`.
    pub severity: String,
    /// Stable, for programs.
    pub code: String,
    /// What was found.
    pub text: String,
    /// What to do.
    pub next_step: Option<String>,
}

/// Whether computers of a Windows version can use a certificate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsWindows {
    /// The versions.
    pub name: String,
    /// `yes`, `prepared` (once something was done) or `no`.
    pub fits: String,
    /// What is to be done, or why not.
    pub why: Option<String>,
    /// The page of Microsoft's that says so.
    pub source: String,
}

/// Query parameters of `GET computers/transport`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TransportQuery {
    /// Only the collection of this name or id, and those below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
}

/// Answer of `GET computers/transport`: how computers come that scan at this server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransportSummary {
    /// All of them.
    pub total: TransportCounts,
    /// By collection; a computer counts in each that it is in, those above it included. Only collections with computers.
    pub collections: Vec<CollectionTransport>,
    /// Days without a call after which a computer does not count as recent.
    pub silent_days: u32,
    /// When computers were counted: now, or of many a few seconds ago.
    pub as_of: Timestamp,
}

/// Counts of computers by how their last call came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransportCounts {
    /// Computers.
    pub computers: u64,
    /// With TLS.
    pub https: u64,
    /// Without TLS.
    pub http: u64,
    /// Without TLS, and not silent.
    pub http_recent: u64,
    /// The share without TLS in percent.
    pub http_percent: f64,
}

/// Counts of one collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CollectionTransport {
    /// The collection.
    pub collection: Reference,
    /// Its computers.
    #[serde(flatten)]
    pub counts: TransportCounts,
}
