//! `groups`: update groups, named lists of updates that are deployed as one, or serve as a yardstick of compliance.
//!
//! * `GET groups?text=&deployed=&sort=&compliance=&server=&cursor=&limit=` answers [`UpdateGroupList`], `POST groups` takes
//!   [`UpdateGroupCreate`] and answers [`UpdateGroupCreated`] (201).
//! * `GET groups/{name}` answers [`UpdateGroup`], `PATCH groups/{name}` takes [`UpdateGroupChange`] and answers
//!   [`UpdateGroup`], `DELETE groups/{name}?force=` 204.
//! * `GET groups/{name}/members?cursor=&limit=` answers a [`crate::List`] of [`UpdateGroupMember`].
//! * `POST groups/{name}/members` adds, `DELETE groups/{name}/members` removes; both take [`MembersChange`] and answer
//!   [`GroupMembersChanged`].
//!
//! `{name}` is the name or the id of a group.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::compliance::Summary;

/// Query parameters of `GET groups`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroupQuery {
    /// Part of the name or description, without regard to case; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Only groups that are deployed (true) or not (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<bool>,
    /// Order: `created`, `deployments`, `members` or `name`, with `:asc` or `:desc`; names ascend by default, everything else
    /// descends. Without: by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Say of each how computers stand with it, as `compliance/summary` does of one. At most 200 entries are given then.
    #[serde(default)]
    pub compliance: bool,
    /// Count only computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `GET groups`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateGroupList {
    /// The entries of this page, in the order asked for.
    pub items: Vec<ListedUpdateGroup>,
    /// Groups that the filters leave.
    pub total: u64,
    /// Pass it as `cursor` to get the page that follows; null at the end.
    pub next: Option<String>,
}

/// An update group in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedUpdateGroup {
    /// The group.
    #[serde(flatten)]
    pub group: UpdateGroup,
    /// How computers stand with its updates, deployed or not; null unless asked for, and of a group without updates.
    #[serde(default)]
    pub compliance: Option<Summary>,
}

/// A new update group.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroupCreate {
    /// Its name, at most 255 characters, unique without regard to case.
    pub name: String,
    /// What people should know of it, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its first members, as for `POST groups/{name}/members`.
    #[serde(default)]
    pub members: MembersChange,
}

/// Answer to [`UpdateGroupCreate`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateGroupCreated {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How many updates it has.
    pub members: u64,
}

/// A change of an update group; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroupChange {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An update group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateGroup {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What people should know of it.
    pub description: String,
    /// How many updates are in it.
    pub members: u64,
    /// Numbers of its deployments.
    pub deployments: Vec<i32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A member of an update group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UpdateGroupMember {
    /// The update.
    pub id: Uuid,
    /// Its newest revision; null if it is not in the catalogue.
    pub revision: Option<u32>,
    /// Its title.
    pub title: String,
    /// It is declined: not sent.
    pub declined: bool,
    /// It is expired: not sent.
    pub expired: bool,
    /// It is stopped: not sent until it is resumed.
    pub stopped: bool,
    /// Bytes of its files, with those of its own members.
    pub bytes: u64,
    /// Computers that need it.
    pub needed: u64,
    /// Computers that have it.
    pub installed: u64,
    /// Computers on which it failed.
    pub failed: u64,
}

/// Which updates to add or to remove: those that are named, and those that the filter or the saved search leaves.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersChange {
    /// GUIDs of updates.
    #[serde(default)]
    pub updates: Vec<Uuid>,
    /// A filter as for `GET updates`. Adding leaves out what cannot be in a group: categories, parts of others, feature
    /// updates, declined and expired updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Name or id of a saved search in the place of a filter; one that looks for words as well is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
    /// Accepts the licences of what is added, where the group is deployed.
    #[serde(default)]
    pub accept_eula: bool,
}

/// What became of a change of members.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupMembersChanged {
    /// Updates that were added or removed.
    pub changed: u64,
    /// Updates that were in the group already, or were named to be removed and not in it.
    pub unchanged: u64,
    /// Members of the group now.
    pub members: u64,
    /// Deployments that deploy the group.
    pub deployments: u64,
}

/// Query parameters of `DELETE groups/{name}`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct GroupDeleteQuery {
    /// Deletes its deployments, too; without it a deployed group is not deleted.
    #[serde(default)]
    pub force: bool,
}
