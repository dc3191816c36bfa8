//! `compliance/history`, `compliance/trend`, `compliance/time-to`: how compliance went, from daily records.
//!
//! * `GET compliance/history?collection=&server=&group=&update=&from=&to=&cursor=&limit=` answers [`History`], day by day.
//! * `GET compliance/history/subjects?kind=&cursor=&limit=` answers a [`crate::List`] of [`HistorySubject`].
//! * `POST compliance/history/record` takes the record of today now and answers [`HistoryRecorded`].
//! * `GET compliance/trend?group=&collections=&phased=` answers [`Trend`]: an update group ring by ring.
//! * `GET compliance/time-to?group=&collection=&update=&server=&since=` answers [`TimeTo`].

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Reference, computer::StateCounts};

/// Query parameters of `GET compliance/history`. At most one of `server`, `update` and the other two; `group` with
/// `collection` is the group on the computers of the collection. Without any, all computers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Name or id of a collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Name or id of an update group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// GUID of an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// First day; default 29 days before `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day; default today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many days, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a history is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// The computers of a collection, with all updates.
    Collection,
    /// An update group on all computers.
    Group,
    /// An update group on the computers of a collection.
    GroupInCollection,
    /// The computers of a server, with all updates.
    Site,
    /// One update on all computers.
    Update,
}

/// Something that history is kept of.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistorySubject {
    /// What it is.
    pub kind: HistoryKind,
    /// Its id; of a group in a collection that of the group, of this server the zero GUID.
    pub id: Uuid,
    /// Of a group in a collection: that collection.
    pub collection: Option<Uuid>,
    /// Its name, the last one if it is gone.
    pub name: String,
    /// Since when there is no such thing any more; its history is kept until its last day is too old.
    pub gone_at: Option<Timestamp>,
    /// The first day with a record.
    pub first_day: Option<Date>,
    /// The last day with a record.
    pub last_day: Option<Date>,
    /// Days with a record.
    pub days: u32,
    /// Bytes that the history takes.
    pub bytes: u64,
}

/// Query parameters of `GET compliance/history/subjects`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HistorySubjectQuery {
    /// Only those of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<HistoryKind>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryDay {
    /// The day, in the zone of the answer.
    pub day: Date,
    /// Computers by state, as they were recorded last on that day; null for a day without a record (the server was off, or
    /// nothing was recorded of this yet).
    pub counts: Option<StateCounts>,
    /// Computers in all; null without a record.
    pub computers: Option<u64>,
    /// Installed and not applicable in percent of them, one decimal; null without a record or computers.
    pub percent: Option<f64>,
    /// When the oldest roll-up arrived that the record knew, of the server below or of all of them; null if there was none, and for
    /// this server alone.
    pub rolled_up: Option<Timestamp>,
}

/// Answer of `GET compliance/history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Of what.
    pub subject: HistorySubject,
    /// The zone of the days: that of the site.
    pub time_zone: String,
    /// Days that are kept.
    pub kept_days: u32,
    /// The days from the first to the last that is asked for, oldest first, days without a record included.
    pub items: Vec<HistoryDay>,
    /// Pass it as `cursor` to get the days that follow; null at the end.
    pub next: Option<String>,
}

/// Answer of `POST compliance/history/record`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryRecorded {
    /// The day, in the zone of the site.
    pub day: Date,
    /// Subjects that were looked at.
    pub subjects: u64,
    /// Of these, with a record that is new or other than before.
    pub changed: u64,
    /// Subjects left out because there are too many.
    pub left_out: u64,
}

/// Query parameters of `GET compliance/trend`: a phased deployment, or an update group with collections.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TrendQuery {
    /// Name or id of a phased deployment: its phases are the rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phased: Option<String>,
    /// Name or id of an update group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Names or ids of collections, separated by commas; without them all to which the group is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<String>,
}

/// An update group ring by ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trend {
    /// The update group.
    pub group: Reference,
    /// The phased deployment, if that was asked for.
    pub phased: Option<Reference>,
    /// The zone of the days.
    pub time_zone: String,
    /// The rings: phases in their order, or collections as they were named, else by the time of their deployments.
    pub rings: Vec<TrendRing>,
}

/// A ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrendRing {
    /// The phase, if it is one.
    pub phase: Option<String>,
    /// Its computers.
    pub collection: Reference,
    /// When it became available to them; null if it is not deployed to them.
    pub start: Option<Timestamp>,
    /// The last record; null if there is none.
    pub latest: Option<HistoryDay>,
    /// When 50, 90 and 95 percent complied; empty without a start.
    pub reached: Vec<Reached>,
    /// Days from that of the start on, to the last record, those without a record included; at most 120.
    pub days: Vec<HistoryDay>,
}

/// Query parameters of `GET compliance/time-to`: an update group, on all computers or on those of a collection; an update;
/// a collection or a server from a given time on.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TimeToQuery {
    /// Name or id of an update group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Name or id of a collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// GUID of an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
    /// The computers that this downstream server reports, by name or GUID; `this` for those that scan here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Count from then on: RFC 3339, or how long ago such as `30d`. Required for a collection or server without a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What the time counts from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartKind {
    /// The earliest time from which a deployment of it is available.
    Available,
    /// When the update group was made: it is not deployed.
    Created,
    /// The time that was asked for.
    Given,
    /// When the publisher made the update.
    Published,
}

/// Answer of `GET compliance/time-to`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimeTo {
    /// Of what.
    pub subject: HistorySubject,
    /// The time it counts from.
    pub start: Timestamp,
    /// What that time is.
    pub start_is: StartKind,
    /// The last record; null if there is none.
    pub latest: Option<HistoryDay>,
    /// 50, 90 and 95 percent.
    pub reached: Vec<Reached>,
}

/// How sure it is when a share was reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReachedHow {
    /// It was so at the start already.
    AtStart,
    /// It was so when records began, which was after the start.
    BeforeRecords,
    /// Between two records.
    Between,
    /// There is no record from after the start.
    NoRecords,
    /// Not so far.
    NotReached,
}

/// When a share was reached for the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reached {
    /// The share in percent.
    pub percent: u8,
    /// How it is known.
    pub how: ReachedHow,
    /// Not yet then: the record before, or the start.
    pub after: Option<Timestamp>,
    /// Reached then.
    pub by: Option<Timestamp>,
    /// Between the two in proportion to the shares of the records; null where that cannot be said.
    pub estimate: Option<Timestamp>,
    /// Hours from the start to the estimate, else to `by`, one decimal; null if it was not reached.
    pub hours: Option<f64>,
    /// Days without a record between the two.
    pub missing_days: u32,
    /// The highest share so far, if it was not reached, in percent with one decimal.
    pub best: Option<f64>,
}
