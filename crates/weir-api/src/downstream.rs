//! Servers that synchronize from this one: `GET downstream` is a [`crate::List`] of [`DownstreamServer`];
//! `POST downstream/{server}/allow`, `POST downstream/{server}/refuse` and `DELETE downstream/{server}` name one by its
//! GUID or its name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A downstream server.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DownstreamServer {
    /// The GUID it made for itself.
    pub id: Uuid,
    /// Its host name, as it said.
    pub name: String,
    /// Where it called from last; empty if only another server reported it.
    pub address: String,
    /// What was decided about it.
    pub admission: Admission,
    /// It may synchronize now: it was allowed, enrolled as a site, or `downstream.policy` is `open` and nobody refused it.
    pub served: bool,
    /// What it is.
    pub kind: DownstreamKind,
    /// It mirrors deployments; null if that is not known.
    pub replica: Option<bool>,
    /// The site that it enrolled as, if it did.
    pub site: Option<String>,
    /// The server that it reports to, if that is not this one.
    pub reported_by: Option<String>,
    /// Protocol version that it speaks, such as `1.20`.
    pub protocol: Option<String>,
    /// Version of its software.
    pub version: Option<String>,
    /// Its first call.
    pub first_contact: Timestamp,
    /// Its last call.
    pub last_contact: Timestamp,
    /// When it was last given a list of updates.
    pub last_sync: Option<Timestamp>,
    /// Revisions that arrived here since that list; null if it was never given one.
    pub behind: Option<u64>,
    /// Computers that it reports.
    pub computers: u64,
}

/// What was decided about a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It may synchronize.
    Allowed,
    /// It may not.
    Refused,
    /// It never called here: a server below reports it.
    Reported,
    /// It asked, and nobody has decided.
    Waiting,
}

/// What a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DownstreamKind {
    /// WSUS, or whatever does not say what it is.
    Other,
    /// A Weir.
    Weir,
}
