//! `compliance/errors`: why installations and scans fail, explained and put into groups.
//!
//! * `GET compliance/errors?by=&since=&collection=&server=&cursor=&limit=` answers a [`crate::List`] of [`ErrorGroup`], those of
//!   most computers first.
//! * `GET compliance/errors/{code}?collection=&server=&since=` answers [`ErrorDetail`]: what the code means, and where it
//!   occurs. `{code}` is hexadecimal, a decimal number of either sign, or a symbolic name, also of a SOAP fault.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Reference;

/// What errors are grouped by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorsBy {
    /// The code.
    #[default]
    Code,
    /// The collection; a computer counts in each of its collections.
    Collection,
    /// Name and build of the operating system.
    Os,
    /// The server that the computer scans against.
    Site,
    /// The update; failed scans are a group of their own.
    Update,
}

/// Query parameters of `GET compliance/errors`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ErrorsQuery {
    /// What to group by; the code by default.
    #[serde(default)]
    #[param(inline)]
    pub by: ErrorsBy,
    /// Mark what began then or later: RFC 3339, or how long ago such as `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only what is new since then; needs `since`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_new: bool,
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Query parameters of `GET compliance/errors/{code}`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ErrorQuery {
    /// Mark what began then or later: RFC 3339, or how long ago such as `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Name or id of a collection; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// Computers with a code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErrorCount {
    /// As `0x80240022`; null if computers told no code.
    pub code: Option<String>,
    /// Its symbolic name; null if it is unknown or has none.
    pub name: Option<String>,
    /// Computers.
    pub computers: u64,
}

/// Errors that have something in common.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErrorGroup {
    /// What they have in common, for people: a code, a title, a system, a name.
    pub label: String,
    /// The code, if grouped by code and computers told one.
    pub code: Option<String>,
    /// Its symbolic name; null if it is unknown or has none.
    pub name: Option<String>,
    /// What it means, if grouped by code.
    pub meaning: Option<String>,
    /// The update, server or collection, if grouped by that; null for failed scans and for this server.
    pub about: Option<Reference>,
    /// Computers with any of these errors.
    pub computers: u64,
    /// Of these, with an update in the state failed.
    pub failing: u64,
    /// Of these, whose last scan failed.
    pub scans: u64,
    /// Of these, whose first error here began at `since` or later; scans aside, of which that is not known. 0 without `since`.
    pub new_computers: u64,
    /// Whether all of it began at `since` or later; null without `since`, and if only scans failed.
    pub new: Option<bool>,
    /// When the first of what still lasts began, by the clocks of computers; null if only scans failed.
    pub first_at: Option<Timestamp>,
    /// The latest.
    pub last_at: Timestamp,
    /// The codes, most frequent first, five at most.
    pub codes: Vec<ErrorCount>,
    /// When the oldest roll-up arrived, of the servers below whose computers were looked at; null if there are none.
    pub rolled_up: Option<Timestamp>,
}

/// How a code is put together ([MS-ERREF] 2.1).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CodeLayout {
    /// `error` or `success`.
    pub severity: String,
    /// Number of the facility.
    pub facility: u16,
    /// Its name; null if it is not known here.
    pub facility_name: Option<String>,
    /// The number within it.
    pub number: u16,
    /// All of it in a sentence.
    pub sentence: String,
}

/// What is known of a code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErrorExplanation {
    /// As `0x80240022`; of a code that servers answer with its name.
    pub code: String,
    /// As signed decimal number; null of a code that servers answer with.
    pub decimal: Option<i32>,
    /// It is in the table.
    pub known: bool,
    /// Its symbolic name; null if it is unknown or has none.
    pub name: Option<String>,
    /// What it means; of an unknown code what its layout says.
    pub meaning: String,
    /// Why it mostly happens; null if it is unknown.
    pub cause: Option<String>,
    /// What to do; null if it is unknown.
    pub next_step: Option<String>,
    /// Where name and number are published; null if it is unknown.
    pub source: Option<String>,
    /// The HRESULT that a bare Win32 error or exit code was looked up as; null otherwise.
    pub looked_up_as: Option<String>,
    /// How it is put together; null of a code that servers answer with.
    pub layout: Option<CodeLayout>,
}

/// Answer of `GET compliance/errors/{code}`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// What it means.
    pub explanation: ErrorExplanation,
    /// All occurrences as one group; null if no computer has it now.
    pub occurs: Option<ErrorGroup>,
    /// By update, most first, ten at most.
    pub updates: Vec<ErrorGroup>,
    /// By operating system, most first, ten at most.
    pub systems: Vec<ErrorGroup>,
    /// By server, most first, ten at most.
    pub sites: Vec<ErrorGroup>,
}
