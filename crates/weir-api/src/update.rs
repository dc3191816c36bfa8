//! `updates`: the catalogue.
//!
//! * `GET updates?filter=&text=&saved=&sort=&facets=&language=&cursor=&limit=` answers [`UpdateList`]. The language of `filter` is described
//!   at [`UpdateQuery::filter`].
//! * `GET updates/{id}` answers [`UpdateDetail`] of the newest revision; `{id}` is a GUID, with `@revision` of that one.
//! * `POST updates/{id}/decline` and `POST updates/{id}/undecline` answer [`UpdateDetail`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use weir_model::ids::{ContentDigest, Sha256Digest};

use crate::{Reference, deployment::Deployment};

/// Kind of an update as lists and facets name it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateKind {
    /// A node of the product tree or a classification.
    Category,
    /// A pseudo-update that states a fact about a computer.
    Detectoid,
    /// A driver.
    Driver,
    /// Software: bundles and their members.
    Software,
}

/// Query parameters of `GET updates`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UpdateQuery {
    /// Which updates: an expression. Terms are joined with `and`, `or`, `not` and parentheses. A term is `FIELD OP VALUE`
    /// with OP one of `=`, `!=`, `~` (contains, without regard to case), `!~`, `<`, `<=`, `>`, `>=`; `FIELD in (VALUE, ...)`;
    /// `FIELD is empty`; or a yes-or-no field alone. Values with blanks stand in double quotes. Fields: `type` (category,
    /// detectoid, driver, software), `classification`, `product`, `vendor`, `group` (id or name), `title`, `description`,
    /// `id`, `kb`, `bulletin`, `cve`, `language`, `architecture`, `severity`, `custom_severity`, `eula`, `tag`, `supersedes`;
    /// sizes `size` (10 MB); times `released`, `revised`, `arrived` (2026-01-31, or an age: 30 days); numbers `needed`,
    /// `installed`, `failed`, `not_applicable`, `unknown`, `compliant` (percent), `revision`, `run_time` (minutes);
    /// yes-or-no `declined`, `expired`, `superseded`, `unresolved`, `deployed`, `deployable`, `detection_only`, `is_bundle`.
    /// Example: `type = software and needed > 0 and released < 30 days and title ~ "server 2019"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Words, or beginnings of words, that titles, articles and bulletins have, in any order, without regard to case and
    /// accents; or an id. At most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Name or id of a saved search. A filter given too must hold as well; `text` and `sort` replace the saved ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
    /// Order: `arrived` (of the newest revision), `article`, `classification`, `compliant`, `custom_severity`, `deployments`,
    /// `failed`, `installed`, `needed`, `relevance`, `released`, `revised`, `severity`, `size`, `title` or `type`; with
    /// `:asc` or `:desc`. Without: relevance with a text, else arrival. Texts ascend by default, everything else descends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Count what was found, by kind, state, classification, product and more.
    #[serde(default)]
    pub facets: bool,
    /// Values of each entry of `counts`, 1 to 1000; default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet_values: Option<u32>,
    /// Short name of the language of titles; English by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `GET updates`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateList {
    /// A row per update (its newest revision), in the order asked for; newest first by default.
    pub items: Vec<UpdateRow>,
    /// Distinct updates that the filter leaves.
    pub updates: u64,
    /// Stored revisions of these updates.
    pub total: u64,
    /// Stored revisions by kind, and by other properties; null unless asked for. Kinds without revisions are given as 0.
    pub facets: Option<BTreeMap<String, BTreeMap<String, u64>>>,
    /// Updates by value of each property; null unless facets are asked for.
    #[serde(default)]
    pub counts: Option<Vec<FacetCounts>>,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// How many of the updates found have each value of a property.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FacetCounts {
    /// The field of filters that narrows by it, such as `severity`.
    pub field: String,
    /// The most frequent values, most frequent first; words keep their own order.
    pub values: Vec<FacetValue>,
    /// Values beyond these.
    pub more: u64,
}

/// A value with its updates.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FacetValue {
    /// As filters take it: a word, an id, a text, `true` or `false`.
    pub value: String,
    /// As people read it.
    pub name: String,
    /// Updates that have it.
    pub updates: u64,
}

/// One update in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateRow {
    /// Its id.
    pub id: Uuid,
    /// Newest revision.
    pub revision: u32,
    /// This server's own number of that revision.
    pub revision_id: i32,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: UpdateKind,
    /// Its title.
    pub title: String,
    /// Its classification.
    pub classification: Option<Reference>,
    /// Its products.
    pub products: Vec<Reference>,
    /// Knowledge base articles, digits only.
    pub kb: Vec<String>,
    /// `low`, `moderate`, `important` or `critical`.
    pub severity: Option<String>,
    /// Severity that an administrator gave it.
    pub custom_severity: Option<String>,
    /// How long it may take to install, in minutes.
    pub max_run_time_minutes: u32,
    /// When its publisher made it.
    pub created_at: Option<Timestamp>,
    /// Whether it bundles others.
    pub is_bundle: bool,
    /// Whether it may be deployed by itself.
    pub deployable: bool,
    /// Declined here.
    pub declined: bool,
    /// Withdrawn by its publisher.
    pub expired: bool,
    /// Kept but not offered, because something it needs is unknown.
    pub unresolved: bool,
    /// Another update, neither declined nor expired, replaces it.
    #[serde(default)]
    pub superseded: bool,
    /// Bytes of its files and of those of its members.
    #[serde(default)]
    pub size: u64,
    /// When this revision arrived.
    #[serde(default)]
    pub revised_at: Option<Timestamp>,
    /// Number of deployments.
    pub deployments: u64,
    /// Computers that need it.
    pub needed: u64,
    /// Computers that have it.
    pub installed: u64,
    /// Computers where it failed.
    pub failed: u64,
}

/// One update in full.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateDetail {
    /// As in lists.
    #[serde(flatten)]
    pub row: UpdateRow,
    /// Its description in the language asked for.
    pub description: Option<String>,
    /// Where to read more.
    pub more_info_urls: Vec<String>,
    /// Support page of the publisher.
    pub support_url: Option<String>,
    /// Security bulletins.
    pub bulletins: Vec<String>,
    /// Languages in which it has a title.
    pub languages: Vec<String>,
    /// Stored revisions, newest first.
    pub revisions: Vec<u32>,
    /// An administrator chose its maximum run time.
    pub run_time_set: bool,
    /// It says how it is installed and names no file to install: it is reported on and cannot be deployed.
    pub metadata_only: bool,
    /// Its licence must be accepted before it is deployed.
    pub eula: Option<Eula>,
    /// Files of the revision and, for a bundle, of its members.
    pub files: Vec<UpdateFile>,
    /// Clauses of which one alternative each must be installed.
    pub prerequisites: Vec<Vec<Reference>>,
    /// Members of a bundle, one list of alternatives per clause.
    pub bundles: Vec<Vec<RevisionReference>>,
    /// Bundles that have this update as a member.
    pub bundled_in: Vec<RevisionReference>,
    /// Updates that it replaces; unknown ones have an empty name.
    pub supersedes: Vec<Reference>,
    /// Updates that replace it.
    pub superseded_by: Vec<Reference>,
    /// What an unresolved update lacks.
    pub lacks: Vec<Lack>,
    /// Its deployments.
    pub deployed: Vec<Deployment>,
}

/// A revision named in an answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
pub struct RevisionReference {
    /// The update.
    pub id: Uuid,
    /// Its revision.
    pub revision: u32,
    /// Its title; empty if it is not in the catalogue.
    pub name: String,
}

/// The licence of an update.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Eula {
    /// Its id; updates share licences.
    pub id: Uuid,
    /// Whether an administrator accepted it.
    pub accepted: bool,
}

/// A file of an update.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateFile {
    /// SHA-1, upper-case hexadecimal.
    #[schema(value_type = String)]
    pub digest: ContentDigest,
    /// SHA-256, upper-case hexadecimal, where the document gives it.
    #[schema(value_type = Option<String>)]
    pub sha256: Option<Sha256Digest>,
    /// File name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Here and verified.
    pub present: bool,
    /// Number of places it can be fetched from.
    pub sources: u64,
}

/// Something that an unresolved update needs and the catalogue does not have.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lack {
    /// `prerequisite`, `member`, or `circle` for alternatives that are here and need the update itself in the end.
    pub kind: String,
    /// The alternatives, as GUID or GUID@revision: one of them would do.
    pub any_of: Vec<String>,
    /// The whole in one sentence.
    pub message: String,
}
