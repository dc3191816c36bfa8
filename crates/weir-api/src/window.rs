//! `windows`: maintenance windows of collections.
//!
//! * `GET windows?collection=&cursor=&limit=` answers a [`crate::List`] of [`Window`]; `POST windows` takes a
//!   [`WindowCreate`] and answers a [`WindowChanged`].
//! * `GET windows/{id}?collection=` answers a [`Window`], `PATCH` takes a [`WindowChange`] and answers a
//!   [`WindowChanged`], `DELETE` removes it. `{id}` is the id or the name; `collection` tells windows of one name apart.
//! * `GET windows-next?computer=&collection=&cursor=&limit=` answers a [`crate::List`] of [`NextWindow`]: of one computer,
//!   of one collection, or of every collection that has windows.
//! * `GET windows-calendar?month=&from=&to=&collection=&cursor=&limit=` answers a [`crate::List`] of [`WindowOccurrence`].

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Reference;

/// What may run in a window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// Every deployment.
    #[default]
    AllDeployments,
    /// Updates only. Where a computer has such a window, updates keep to those.
    SoftwareUpdates,
    /// Task sequences only; never counts for updates.
    TaskSequences,
}

/// A new window.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WindowCreate {
    /// Its name, 1 to 255 characters, unique in its collection without regard to case.
    pub name: String,
    /// Whose computers: name or id of a collection, built-in ones aside.
    pub collection: String,
    /// When it begins, such as `monthly second tuesday +4 at 22:00`; absent: weekly on today's weekday at 01:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The first day that counts; absent: that of the schedule, else today.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub first_day: Option<Date>,
    /// How long it lasts, 5 to 1440 minutes; absent: 180.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// True: a time of day of each computer. False: UTC. Absent: local, unless the schedule names a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// What may run in it.
    pub kind: WindowKind,
    /// False: it is kept and does not count; absent: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A change of a window; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WindowChange {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another schedule. Its first day is the one that it names, else the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Another first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub first_day: Option<Date>,
    /// Another duration, 5 to 1440 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// A time of day of each computer (true) or UTC (false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// What may run in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<WindowKind>,
    /// Whether it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A window.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Window {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whose computers.
    pub collection: Reference,
    /// When it begins, in the form that `schedule` takes, with its first day.
    pub schedule: String,
    /// The same in words.
    pub description: String,
    /// How long it lasts.
    pub minutes: u32,
    /// A time of day of each computer.
    pub local: bool,
    /// Its zone, if it is not local.
    pub zone: Option<String>,
    /// What may run in it.
    pub kind: WindowKind,
    /// It counts.
    pub enabled: bool,
    /// It comes from the server above and cannot be changed here.
    pub from_parent: bool,
    /// When it comes next, in the zone of the collection; it may have begun.
    pub next: Option<Timestamp>,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

/// A window that was made or changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WindowChanged {
    /// As it is now.
    #[serde(flatten)]
    pub window: Window,
    /// What an administrator should know of it: updates or restarts that do not fit.
    pub warnings: Vec<String>,
}

/// Query parameters of `GET windows`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WindowQuery {
    /// Only those of this collection, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Query parameters of one window.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WindowNamed {
    /// Its collection, by name or id, where several have a window of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
}

/// Query parameters of `GET windows-next`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct NextWindowQuery {
    /// Of this computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<String>,
    /// Of computers that are in this collection, by name or id, and in no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Query parameters of `GET windows-calendar`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CalendarQuery {
    /// Which month, such as `2026-12`; absent: this one, in the site's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// Instead of a month: from this day on, such as `2026-12-24`, in the site's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Up to this day and with it; absent: a month from `from` on. At most 93 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only windows of this collection, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most this many entries, 1 to 1000; default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// When updates may install next.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NextWindow {
    /// The computer, if one was asked for.
    pub computer: Option<String>,
    /// The collection, if no computer was asked for.
    pub collection: Option<Reference>,
    /// The zone.
    pub zone: String,
    /// Where the zone is from: `computer`, `collection NAME` or `site`.
    pub zone_from: String,
    /// No window counts: updates install at any time.
    pub unrestricted: bool,
    /// When the next window begins, or when the one that is open began; null if there is never one again.
    pub starts_at: Option<Timestamp>,
    /// When it ends. Windows that overlap or touch are one.
    pub ends_at: Option<Timestamp>,
    /// `starts_at` as the clocks of the zone show it, such as `2026-12-12 22:00`.
    pub local_start: Option<String>,
    /// How long it is.
    pub minutes: Option<u32>,
    /// It is open now.
    pub open: bool,
    /// The windows that count, by name.
    pub windows: Vec<String>,
}

/// One time that a window comes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WindowOccurrence {
    /// Whose computers.
    pub collection: Reference,
    /// The window.
    pub window: Reference,
    /// What may run in it.
    pub kind: WindowKind,
    /// Its beginning, in the zone of the collection if it is local.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// The zone that it is read in.
    pub zone: String,
    /// `starts_at` as the clocks of the zone show it.
    pub local_start: String,
    /// How long it lasts.
    pub minutes: u32,
}
