//! `exposure`: documents about vulnerabilities, joined to the updates and computers of this site. Service levels are in
//! [`crate::exposure_level`].
//!
//! * `POST exposure/imports` takes `multipart/form-data` with parts named `file`, `POST exposure/fetches` a [`Fetch`]; both
//!   answer an [`Imported`].
//! * `GET exposure/documents?cursor=&limit=` answers a [`crate::List`] of [`Document`], `DELETE exposure/documents/{no}`
//!   removes one.
//! * `GET exposure/cves` answers a [`CveList`] ([`CveQuery`]), `GET exposure/cves/{cve}?collection=` a [`CveDetail`].
//! * `GET exposure/computers` answers a [`ComputerList`] ([`ComputerQuery`]); `GET exposure/computers/{id}` a [`ComputerCveList`]
//!   ([`ComputerCveQuery`]); `GET exposure/cves/{cve}/computers` a [`CveComputerList`] ([`ComputerQuery`]).
//! * `GET exposure/summary?collection=` answers a [`Summary`].

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use crate::exposure_list::{
    ComputerCveList, ComputerCveQuery, ComputerList, ComputerQuery, CveAge, CveComputerList, CveCount, CveList,
    CveQuery, CveTotals,
};

use crate::Reference;

/// A document to be fetched by the server.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExposureFetch)]
pub struct Fetch {
    /// Where it is: `https://...`. The server fetches it through the proxy that synchronization uses.
    pub url: String,
    /// Plain `http://` is taken as well, for servers inside.
    #[serde(default)]
    pub allow_http: bool,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExposureOutcome)]
pub enum Outcome {
    /// A document that was not here.
    Added,
    /// A newer state of it is here: nothing changed.
    Older,
    /// It is no document that is read; `message` says why.
    Rejected,
    /// It replaced an older state of the document.
    Replaced,
    /// It was here already: nothing changed.
    Unchanged,
}

/// One file of an import.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureImportedFile)]
pub struct ImportedFile {
    /// Its name, or the address that it was fetched from.
    pub file: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The document, if it is one.
    pub document: Option<Document>,
    /// Why it was rejected, or what should be known.
    pub message: Option<String>,
}

/// An import. Each file stands for itself.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureImported)]
pub struct Imported {
    /// Its files, in their order.
    pub files: Vec<ImportedFile>,
}

/// A stored document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureDocument)]
pub struct Document {
    /// This server's own number of it; 0 if it was not stored.
    pub no: u32,
    /// `cvrf`, `csaf` or `kev`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Who made it; empty if its kind does not tell.
    pub issuer: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// When this state of it was released.
    pub current_at: Timestamp,
    /// When it was released first.
    pub released_at: Option<Timestamp>,
    /// CVEs that it names.
    pub cves: u64,
    /// Vulnerabilities that were left out because they have no CVE id.
    pub skipped: u64,
    /// The file or address that it came from.
    pub source: String,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// By whom.
    pub imported_by: String,
}

/// Where a computer stands towards a vulnerability.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExposureState {
    /// It needs an update that fixes it.
    Exposed,
    /// Nothing can be said.
    NoData,
    /// It has what fixes it.
    Fixed,
    /// It is not affected.
    NotAffected,
}

/// How an exposure stands towards the service levels.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExposureServiceLevel)]
pub enum ServiceLevel {
    /// The time is over.
    Breached,
    /// It is over soon.
    DueSoon,
    /// There is time.
    Within,
    /// Somebody answers for it.
    Excepted,
    /// No level holds for it.
    None,
}

/// Computers by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureStateCounts)]
pub struct StateCounts {
    /// Exposed.
    pub exposed: u64,
    /// Nothing can be said.
    pub no_data: u64,
    /// Fixed.
    pub fixed: u64,
    /// Not affected.
    pub not_affected: u64,
}

/// Exposures by service level.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureLevelCounts)]
pub struct LevelCounts {
    /// The time is over.
    pub breached: u64,
    /// It is over soon.
    pub due_soon: u64,
    /// There is time.
    pub within: u64,
    /// Somebody answers for it.
    pub excepted: u64,
    /// No level holds.
    pub none: u64,
}

/// A vulnerability with what is known of computers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCve)]
pub struct Cve {
    /// Its id.
    pub cve: String,
    /// Its title.
    pub title: String,
    /// The rating of its vendor, lower case.
    pub severity: Option<String>,
    /// Its CVSS base score, 0.0 to 10.0.
    pub score: Option<f64>,
    /// The vector of the score.
    pub vector: Option<String>,
    /// A vendor or the KEV catalogue says that it is exploited.
    pub exploited: bool,
    /// Its entry in the KEV catalogue.
    pub kev: Option<Kev>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// When what is said of it was revised last.
    pub revised_at: Option<Timestamp>,
    /// Computers by state.
    pub computers: StateCounts,
    /// Exposed computers by service level.
    pub levels: LevelCounts,
    /// The earliest time by which an exposed computer must be fixed, exceptions aside.
    pub due_at: Option<Timestamp>,
}

/// An entry of the KEV catalogue.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureKev)]
pub struct Kev {
    /// Since when it is listed.
    #[schema(value_type = String, format = Date)]
    pub added: Date,
    /// Until when the catalogue asks for action.
    #[schema(value_type = Option<String>, format = Date)]
    pub due: Option<Date>,
    /// It is used in ransomware campaigns.
    pub ransomware: bool,
}

/// Query parameters of what one collection narrows.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CollectionQuery {
    /// Computers of this collection, by name or id; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
}

/// One vulnerability in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCveDetail)]
pub struct CveDetail {
    /// What lists show.
    #[serde(flatten)]
    pub cve: Cve,
    /// What has to be fixed.
    pub problems: Vec<Problem>,
    /// Documents that name it.
    pub documents: Vec<Document>,
    /// Computers by the reason of their state, the most frequent first.
    pub reasons: Vec<ReasonCount>,
}

/// Products that the same remedies fix.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureProblem)]
pub struct Problem {
    /// Names of the products; empty if the document did not say.
    pub products: Vec<String>,
    /// What fixes them: any of these is enough. Empty if nothing is known.
    pub remedies: Vec<Remedy>,
}

/// One way to fix products.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureRemedy)]
pub struct Remedy {
    /// The article, such as `KB5034123`.
    pub kb: Option<String>,
    /// How the document names it, if not by an article.
    pub name: Option<String>,
    /// The build that has the fix.
    pub build: Option<String>,
    /// Updates of the catalogue that bring it.
    pub updates: Vec<Reference>,
    /// How many updates of the catalogue replace these.
    pub superseders: u64,
}

/// Computers with one reason.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureReasonCount)]
pub struct ReasonCount {
    /// The state that follows.
    pub state: ExposureState,
    /// Stable, such as `later_installed`.
    pub reason: String,
    /// The same in words.
    pub text: String,
    /// Computers.
    pub computers: u64,
}

/// A computer, as one vulnerability has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureCveComputer)]
pub struct CveComputer {
    /// Its id.
    pub id: String,
    /// Its DNS name.
    pub name: String,
    /// Where it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Where a computer stands towards a vulnerability, and why.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureStanding)]
pub struct Standing {
    /// The state.
    pub state: ExposureState,
    /// Stable, such as `needed`.
    pub reason: String,
    /// The same in words.
    pub text: String,
    /// The update that it is about.
    pub update: Option<Reference>,
    /// The service level of an exposure; null otherwise.
    pub level: Option<ServiceLevel>,
    /// Since when the clock runs.
    pub since: Option<Timestamp>,
    /// Until when it has to be fixed.
    pub due_at: Option<Timestamp>,
}

/// A computer with its vulnerabilities counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureComputer)]
pub struct Computer {
    /// Its id.
    pub id: String,
    /// Its DNS name.
    pub name: String,
    /// Vulnerabilities by state.
    pub cves: StateCounts,
    /// Exposures by service level.
    pub levels: LevelCounts,
    /// Exposures that are known to be exploited.
    pub exploited: u64,
}

/// A vulnerability, as one computer has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureComputerCve)]
pub struct ComputerCve {
    /// Its id.
    pub cve: String,
    /// Its title.
    pub title: String,
    /// The rating of its vendor, lower case.
    pub severity: Option<String>,
    /// A vendor or the KEV catalogue says that it is exploited.
    pub exploited: bool,
    /// Where the computer stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Answer of `GET exposure/summary`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExposureSummary)]
pub struct Summary {
    /// Documents that are here.
    pub documents: u64,
    /// Vulnerabilities that they name, those that only the KEV catalogue names aside.
    pub cves: u64,
    /// Vulnerabilities that some computer is exposed to.
    pub cves_exposed: u64,
    /// Of these, those that are known to be exploited.
    pub cves_exploited: u64,
    /// Vulnerabilities of which nothing can be said on any computer.
    pub cves_no_data: u64,
    /// Computers.
    pub computers: u64,
    /// Computers that are exposed to a vulnerability.
    pub computers_exposed: u64,
    /// Computers with a breach of service levels.
    pub computers_breached: u64,
    /// Computers that never reported, of which nothing can be said.
    pub computers_silent: u64,
    /// Pairs of a vulnerability and a computer, by state.
    pub pairs: StateCounts,
    /// Exposures by service level.
    pub levels: LevelCounts,
    /// When the oldest roll-up arrived, of the servers below whose computers were looked at; null if there are none.
    pub rolled_up: Option<Timestamp>,
    /// When computers were looked at.
    pub as_of: Option<Timestamp>,
}
