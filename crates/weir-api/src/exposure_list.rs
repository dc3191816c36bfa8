//! Lists of exposure: how they are narrowed and put into an order, and what they count. What their rows are is in
//! [`crate::exposure`].

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::exposure::{Computer, ComputerCve, Cve, CveComputer, ExposureState, ServiceLevel};

/// Time since a vulnerability was published, in whole days.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExposureCveAge)]
pub enum CveAge {
    /// At most 7 days.
    Week,
    /// At most 30 days.
    Month,
    /// At most 90 days.
    Quarter,
    /// At most 180 days.
    Half,
    /// At most 365 days.
    Year,
    /// More.
    Older,
    /// It has no date of publication.
    Unknown,
}

/// Query parameters of `GET exposure/cves`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CveQuery {
    /// Part of the id or title, without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Rated so: `critical`, `important`, `moderate`, `low` or `unrated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Only those that are known to be exploited (true) or not (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited: Option<bool>,
    /// Only those that are in the KEV catalogue (true) or not (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kev: Option<bool>,
    /// Only those published so long ago, in whole days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub age: Option<CveAge>,
    /// Only those published at this time or later: RFC 3339, or how long ago such as `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_after: Option<String>,
    /// Only those published before this, in the same forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_before: Option<String>,
    /// Only those with a computer in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ExposureState>,
    /// Only those with an exposure of this service level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub level: Option<ServiceLevel>,
    /// Only what this knowledge base article fixes, such as `KB5034123`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kb: Option<String>,
    /// Also those that only the KEV catalogue names, of which nothing can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kev_only: Option<bool>,
    /// Computers of this collection, by name or id; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Order: `breached`, `cve`, `due`, `due_soon`, `excepted`, `exposed`, `fixed`, `no_data`, `published`, `revised`, `score`, `severity`
    /// or `title`, with `:asc` or `:desc`; ids, titles and `due` ascend by default, everything else descends, and what is not known
    /// comes last. Without: those with most breaches first, then by exposed computers, exploitation and severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Count what was found by severity and age.
    #[serde(default)]
    pub facets: bool,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Query parameters of `GET exposure/computers` and, about one vulnerability, of `GET exposure/cves/{cve}/computers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ComputerQuery {
    /// Only computers with a vulnerability in this state, or with the one that is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ExposureState>,
    /// Only computers with an exposure of this service level, or whose exposure to the one that is asked about is of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub level: Option<ServiceLevel>,
    /// Part of the name, id or address, without regard to case; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Computers of this collection, by name or id; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Order of computers: `breached`, `due_soon`, `excepted`, `exploited`, `exposed`, `fixed`, `name` or `no_data`; about one
    /// vulnerability: `due`, `name` or `state`. With `:asc` or `:desc`; counts descend by default, everything else ascends. Without:
    /// those with most breaches first; about one vulnerability, exposed ones first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Query parameters of `GET exposure/computers/{id}`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ComputerCveQuery {
    /// Only vulnerabilities in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ExposureState>,
    /// Only exposures of this service level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub level: Option<ServiceLevel>,
    /// Part of the id or title, without regard to case; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Rated so: `critical`, `important`, `moderate`, `low` or `unrated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Only those that are known to be exploited (true) or not (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited: Option<bool>,
    /// Order: `cve`, `due`, `severity`, `state` or `title`, with `:asc` or `:desc`; severities descend by default, everything else
    /// ascends, and what is not known comes last. Without: exposures first, those that are over and due first among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `GET exposure/cves`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCveList)]
pub struct CveList {
    /// The entries of this page, in the order asked for.
    pub items: Vec<Cve>,
    /// Vulnerabilities that the filters leave.
    pub total: u64,
    /// How they stand.
    pub totals: CveTotals,
    /// The same by severity and age, those alone that there are; null unless asked for.
    #[serde(default)]
    pub counts: Option<Vec<CveCount>>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// Vulnerabilities of a list by how they stand; each may be counted several times.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCveTotals)]
pub struct CveTotals {
    /// Some computer is exposed.
    pub exposed: u64,
    /// The time of some exposure is over.
    pub breached: u64,
    /// The time of some exposure is over soon.
    pub due_soon: u64,
    /// Known to be exploited.
    pub exploited: u64,
    /// In the KEV catalogue.
    pub kev: u64,
    /// Of some computer nothing can be said.
    pub no_data: u64,
}

/// Vulnerabilities of one severity and age.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCveCount)]
pub struct CveCount {
    /// `critical`, `important`, `moderate`, `low` or `unrated`.
    pub severity: String,
    /// Time since they were published.
    pub age: CveAge,
    /// How many.
    pub cves: u64,
}

/// Answer of `GET exposure/computers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureComputerList)]
pub struct ComputerList {
    /// The entries of this page, in the order asked for.
    pub items: Vec<Computer>,
    /// Computers that the filters leave.
    pub total: u64,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// Answer of `GET exposure/cves/{cve}/computers`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCveComputerList)]
pub struct CveComputerList {
    /// The entries of this page, in the order asked for.
    pub items: Vec<CveComputer>,
    /// Computers that the filters leave.
    pub total: u64,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// Answer of `GET exposure/computers/{id}`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureComputerCveList)]
pub struct ComputerCveList {
    /// The entries of this page, in the order asked for.
    pub items: Vec<ComputerCve>,
    /// Vulnerabilities that the filters leave.
    pub total: u64,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}
