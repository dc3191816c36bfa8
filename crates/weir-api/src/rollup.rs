//! What downstream servers report of themselves: `GET downstream/{server}` answers [`DownstreamReport`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::downstream::DownstreamServer;

/// A downstream server with its last report.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DownstreamReport {
    /// As in lists.
    #[serde(flatten)]
    pub server: DownstreamServer,
    /// Its last roll-up; null before the first.
    pub report: Option<ServerReport>,
    /// Names of the servers that report to it.
    pub below: Vec<String>,
}

/// What a server reported of itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServerReport {
    /// When it arrived.
    pub received_at: Timestamp,
    /// When the server last synchronized.
    pub last_sync: Option<Timestamp>,
    /// Its figures.
    pub figures: ServerFigures,
    /// Its computers by operating system, most first.
    pub systems: Vec<SystemCount>,
    /// Installations that succeeded on its computers, since it first reported.
    pub installations: u64,
    /// Installations that failed.
    pub failures: u64,
}

/// Figures of a server (MS-WSUSSS 3.1.4.14.3.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServerFigures {
    /// Updates.
    pub updates: i32,
    /// Declined.
    pub declined: i32,
    /// Approved for installation or removal.
    pub approved: i32,
    /// Neither declined nor approved.
    pub not_approved: i32,
    /// Approved in a revision that is not the newest.
    pub stale_approvals: i32,
    /// Expired and not deployed.
    pub expired: i32,
    /// Critical and security updates not approved for installation.
    pub critical_or_security_not_approved: i32,
    /// Updates that the service itself needs, not approved for installation.
    pub infrastructure_not_approved: i32,
    /// Failed on a computer.
    pub with_client_errors: i32,
    /// With a file that could not be fetched.
    pub with_server_errors: i32,
    /// With files that are still to be fetched.
    pub needing_files: i32,
    /// Needed by a computer.
    pub needed_by_computers: i32,
    /// Installed wherever they apply.
    pub up_to_date: i32,
    /// Collections besides the built-in ones.
    pub custom_groups: i32,
    /// Computers.
    pub computers: i32,
    /// Computers that need something.
    pub computers_needing: i32,
    /// Computers on which something failed.
    pub computers_with_errors: i32,
    /// Computers that need nothing.
    pub computers_up_to_date: i32,
}

/// Computers with one version of Windows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemCount {
    /// Version, such as `10.0.26100`.
    pub version: String,
    /// Processor architecture.
    pub architecture: String,
    /// How many.
    pub computers: i64,
}
