//! `collections`: target groups, and collections that are defined by rules.
//!
//! * `GET collections` answers a [`crate::List`] of [`Collection`]; `POST collections` takes [`CollectionCreate`] and
//!   answers [`CollectionCreated`] (201).
//! * `GET`, `PATCH` ([`CollectionChange`]) and `DELETE collections/{collection}`; `{collection}` is an id or a name.
//! * `GET collections/{collection}/members` answers a [`crate::List`] of [`Member`]; `POST` adds and `DELETE` removes the
//!   computers of [`MemberChange`] and both answer [`MembersChanged`].
//! * `GET collections/{collection}/why?computer=ID` answers [`CollectionWhy`].
//! * `POST collections/preview` takes [`CollectionPreviewQuery`] and answers [`CollectionPreview`]; nothing is changed.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Reference, computer::ComputerRow};

/// How a collection gets its members.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// By a rule, by other collections, directly, within a limit.
    Rule,
    /// A WSUS target group: an administrator or the computer says so.
    TargetGroup,
}

/// A new collection.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionCreate {
    /// 1 to 256 characters, unique without regard to case.
    pub name: String,
    /// Name or id of the collection above it; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its computers are sent deployed updates only (for thin links).
    #[serde(default)]
    pub approved_only: bool,
    /// How it gets members; `rule` if one of the next four fields is given, else `target_group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CollectionKind>,
    /// Computers for which this holds are members, such as `server and ip in 10.0.0.0/8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Members of these collections (names or ids) are members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// Members of these are not, whatever else says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
    /// Only members of this one are members; All Computers by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limiting: Option<String>,
    /// IANA zone of "client local time" of its computers, such as `Europe/Amsterdam`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What it is for, at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Answer to [`CollectionCreate`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CollectionCreated {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// A change of a collection; absent fields stay.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionChange {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its computers are sent deployed updates only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_only: Option<bool>,
    /// Its rule; empty takes the rule away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// All collections that it includes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub includes: Option<Vec<String>>,
    /// All collections that it excludes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excludes: Option<Vec<String>>,
    /// Its limiting collection; empty takes the limit away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limiting: Option<String>,
    /// IANA zone of its computers; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What it is for; empty takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A collection.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Collection {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The one above it; null for All Computers.
    pub parent: Option<Reference>,
    /// Cannot be renamed or deleted.
    pub built_in: bool,
    /// Its computers are sent deployed updates only.
    pub approved_only: bool,
    /// Computers directly in it (All Computers: all of them).
    pub members: u64,
    /// Computers in it or in a collection below it.
    pub members_below: u64,
    /// Deployments to it.
    pub deployments: u64,
    /// How it gets members.
    #[serde(default)]
    pub kind: Option<CollectionKind>,
    /// Its rule, with the names that things have now.
    #[serde(default)]
    pub rule: Option<String>,
    /// Collections that it includes.
    #[serde(default)]
    pub includes: Vec<Reference>,
    /// Collections that it excludes.
    #[serde(default)]
    pub excludes: Vec<Reference>,
    /// The collection that limits it; null is All Computers.
    #[serde(default)]
    pub limiting: Option<Reference>,
    /// Computers that an administrator put into it, members or not; of collections by rule.
    #[serde(default)]
    pub direct: u64,
    /// IANA zone of its computers.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Its members are being found; until then deployments reach those it had before.
    #[serde(default)]
    pub evaluating: Option<Evaluating>,
}

/// How far finding members is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evaluating {
    /// Computers that were looked at.
    pub done: u64,
    /// Of so many; 0 before it began.
    pub total: u64,
}

/// What puts a computer into a collection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberSource {
    /// It follows from the other collections: All Computers, Unassigned Computers.
    BuiltIn,
    /// Another collection is included.
    Include,
    /// An administrator put it there.
    Manual,
    /// It is in a collection below this one.
    Nested,
    /// It asked to be there (client-side targeting), or the server that reports it says so.
    Requested,
    /// The rule holds.
    Rule,
}

/// A computer in a collection.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The computer.
    #[serde(flatten)]
    pub computer: ComputerRow,
    /// All that puts it there.
    pub sources: Vec<MemberSource>,
    /// The same in words.
    pub why: String,
}

/// Query parameters of `GET collections/{collection}/why`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhyQuery {
    /// Id of the computer.
    pub computer: String,
}

/// Whether a computer is in a collection, and why.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CollectionWhy {
    /// The collection.
    pub collection: Reference,
    /// Id of the computer.
    pub computer: String,
    /// It is a member.
    pub member: bool,
    /// All that puts it there.
    pub sources: Vec<MemberSource>,
    /// What decided, of collections by rule.
    pub verdict: Option<Verdict>,
    /// Whether the rule holds; null without a rule.
    pub rule: Option<RuleOutcome>,
    /// Included collections, and whether each holds the computer.
    pub includes: Vec<HeldBy>,
    /// Excluded collections, and whether each holds the computer.
    pub excludes: Vec<HeldBy>,
    /// The limiting collection, and whether it holds the computer.
    pub limiting: Option<HeldBy>,
    /// All of it in words, a sentence a line.
    pub why: String,
}

/// What decided about a membership.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The collection depends on itself: nobody is a member.
    Circle,
    /// An excluded collection holds it.
    Excluded,
    /// It is a member.
    Member,
    /// Nothing puts it there.
    NotNamed,
    /// The limiting collection does not hold it.
    OutsideLimit,
}

/// A collection, and whether it holds a computer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldBy {
    /// The collection.
    pub collection: Reference,
    /// It holds the computer.
    pub holds: bool,
}

/// What a rule says of a computer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleOutcome {
    /// The rule.
    pub text: String,
    /// It holds.
    pub holds: bool,
    /// The terms that decided, each with what the computer has.
    pub reasons: Vec<String>,
}

/// A definition to try. Of a collection that exists, absent fields stay as they are.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionPreviewQuery {
    /// Name or id of the collection whose definition is tried; a new one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// As in [`CollectionChange`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// As in [`CollectionChange`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub includes: Option<Vec<String>>,
    /// As in [`CollectionChange`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excludes: Option<Vec<String>>,
    /// As in [`CollectionChange`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limiting: Option<String>,
    /// Computers that each list of the answer shows, 1 to 1000; default 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a definition would do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CollectionPreview {
    /// The collection whose definition was tried; null for a new one.
    pub collection: Option<Reference>,
    /// Its rule, with names.
    pub rule: Option<String>,
    /// Computers that were looked at: those that scan here.
    pub computers: u64,
    /// Computers that would be members.
    pub members: PreviewList,
    /// Those that are not now.
    pub coming: PreviewList,
    /// Computers that are members now and would not be.
    pub going: PreviewList,
    /// Other collections whose members would be others.
    pub others: Vec<PreviewOther>,
    /// Deployments to all these collections: what those who come would get, and those who go would not.
    pub deployments: Vec<PreviewDeployment>,
}

/// Computers of a preview.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewList {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub items: Vec<PreviewComputer>,
}

/// A computer of a preview.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewComputer {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What would put it there, or puts it there now if it would go.
    pub sources: Vec<MemberSource>,
}

/// What a preview says of another collection.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewOther {
    /// The collection.
    pub collection: Reference,
    /// Computers that would come.
    pub coming: u64,
    /// Computers that would go.
    pub going: u64,
}

/// A deployment that a preview touches.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewDeployment {
    /// Its number.
    pub id: i32,
    /// The update or group that is deployed.
    pub title: String,
    /// To which of the collections.
    pub collection: Reference,
    /// What for.
    pub action: crate::deployment::Action,
}

/// Which computers to add or remove.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// Computer ids, at most 10,000.
    pub computers: Vec<String>,
}

/// Answer to [`MemberChange`].
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MembersChanged {
    /// Computers whose membership changed.
    pub changed: u64,
    /// Computers that were as wanted already.
    pub unchanged: u64,
}
