//! Times of deployments: moments in the visitor's zone, or times of day that each computer reads by its own clock.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use maud::{Markup, html};

use super::filled::Filled;
use crate::{cx::Cx, texts::deployments as t, ui, ui::form::Errors};

/// As long as some clock on Earth is behind UTC.
const WESTERNMOST: SignedDuration = SignedDuration::from_hours(12);

/// A time of a deployment. REST gives a local time as if it were in UTC.
pub(super) fn show(cx: &Cx, at: Timestamp, local: bool) -> Markup {
    if local {
        html! { time title=(t::local_help(cx)) { (clock(cx, at, true)) " " (t::local_mark(cx)) } }
    } else {
        ui::time(cx, at)
    }
}

/// A time that there may not be.
pub(super) fn show_or(cx: &Cx, at: Option<Timestamp>, local: bool) -> Markup {
    at.map_or_else(|| ui::none(cx), |at| show(cx, at, local))
}

/// The same as a text.
pub(super) fn clock(cx: &Cx, at: Timestamp, local: bool) -> String {
    let zone = if local { TimeZone::UTC } else { cx.zone.clone() };
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A field as forms have it: which kind (`FIELD_when`: `none`, `soon` or `at`) and the time itself (`FIELD`).
pub(super) fn fill(cx: &Cx, filled: &mut Filled, field: &str, at: Option<Timestamp>, local: bool) {
    filled.set(&format!("{field}_when"), if at.is_some() { "at" } else { "none" });
    filled.set(field, at.map(|at| input(cx, at, local)).unwrap_or_default());
}

/// What the input of a time begins with.
pub(super) fn input(cx: &Cx, at: Timestamp, local: bool) -> String {
    clock(cx, at, local).replace(' ', "T")
}

/// What a form says of a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Said {
    /// None.
    None,
    /// As soon as possible.
    Soon,
    /// Then; of local times as if in UTC.
    At(Timestamp),
}

/// Reads the field. `local` says that it is a time of day of each computer.
pub(super) fn read(cx: &Cx, filled: &Filled, field: &str, local: bool) -> Result<Said, Errors> {
    match filled.text(&format!("{field}_when")) {
        "soon" => Ok(Said::Soon),
        "at" => {
            let zone = if local { TimeZone::UTC } else { cx.zone.clone() };
            let read = filled.text(field).trim().parse::<DateTime>().ok().and_then(|at| at.to_zoned(zone).ok());
            let wrong = || Errors::default().field(field, t::error_time(cx));
            read.map(|at| Said::At(at.timestamp())).ok_or_else(wrong)
        }
        _ => Ok(Said::None),
    }
}

/// Now, as a change of a deployment takes it.
pub(super) fn soon(cx: &Cx, local: bool) -> String {
    if local { cx.now.checked_sub(WESTERNMOST).unwrap_or(cx.now).to_string() } else { "+0s".to_owned() }
}
