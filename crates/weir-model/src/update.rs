//! What an update is, apart from its text: the facts that the document parser extracts, the store keeps and the
//! catalogue engine works on.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{UpdateId, UpdateIdentity};

/// `Properties/@UpdateType` (MS-WUSP 3.1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateType {
    /// A node of the product tree or a classification.
    Category,
    /// A pseudo-update whose IsInstalled rule states a fact about the computer.
    Detectoid,
    /// A driver, delivered in the driver pass only.
    Driver,
    /// Software: bundles and their members.
    Software,
}

/// `CategoryInformation/@CategoryType` (MS-WSUSSS 3.1.1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryKind {
    /// A company, the root of its product families.
    Company,
    /// A product.
    Product,
    /// A family of products.
    ProductFamily,
    /// A classification such as Security Updates.
    UpdateClassification,
}

/// One clause of the prerequisites in conjunctive normal form: at least one of these updates must be installed.
/// A bare `UpdateIdentity` is a clause of one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct PrerequisiteClause {
    /// The alternatives, in document order; any revision of them satisfies the clause.
    pub alternatives: Vec<UpdateId>,
    /// `AtLeastOne/@IsCategory`: the clause also states membership of a category.
    pub is_category: bool,
    /// Written as a bare `UpdateIdentity` instead of an `AtLeastOne`.
    pub bare: bool,
}

/// One clause of the bundled updates: exact revisions of which the client takes one or more.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct BundleClause {
    /// The alternatives, in document order.
    pub alternatives: Vec<UpdateIdentity>,
}

/// The children of `Relationships`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Relationships {
    /// All must be satisfied before the update is sent to a client.
    pub prerequisites: Vec<PrerequisiteClause>,
    /// Members of a bundle.
    pub bundled: Vec<BundleClause>,
    /// Updates that this one replaces. They may be unknown to the catalogue.
    pub superseded: Vec<UpdateId>,
}

/// `d:WindowsDriverMetaData` below `ApplicabilityRules/Metadata`: one hardware id that a driver serves. A driver
/// revision has one or more.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct DriverMetadata {
    /// `@HardwareID`, at most 200 characters; compared without regard to case.
    pub hardware_id: String,
    /// `@DriverVerDate`: a date, kept as milliseconds since 1970 UTC.
    pub driver_date_ms: i64,
    /// `@DriverVerVersion` as a.b.c.d: `a << 48 | b << 32 | c << 16 | d`.
    pub driver_version: u64,
    /// `@Class`.
    pub class: String,
    /// `@Manufacturer`.
    pub manufacturer: String,
    /// `@Provider`.
    pub provider: String,
    /// `@Model`.
    pub model: String,
    /// `@Company`.
    pub company: String,
    /// `@WhqlDriverID`.
    pub whql_driver_id: Option<i64>,
    /// Children `CompatibleProvider`.
    pub compatible_providers: Vec<String>,
    /// Children `FeatureScore`: operating system key such as `amd64.10.0`, and score 0 (best) to 255.
    pub feature_scores: Vec<(String, u8)>,
    /// Children `DistributionComputerHardwareId`.
    pub distribution_computer_ids: Vec<Uuid>,
    /// Children `TargetComputerHardwareId`.
    pub target_computer_ids: Vec<Uuid>,
}

/// MSRC severity of an update (`Properties/@MsrcSeverity`), none if absent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Low.
    Low,
    /// Moderate.
    Moderate,
    /// Important.
    Important,
    /// Critical.
    Critical,
}
