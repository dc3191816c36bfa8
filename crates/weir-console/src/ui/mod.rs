//! Components: functions that make HTML.

// the set is complete for all areas, whether or not each is written
#![allow(dead_code, unused_imports)]

pub(crate) mod badge;
pub(crate) mod chart;
pub(crate) mod confirm;
pub(crate) mod form;
pub(crate) mod grid;
pub(crate) mod icon;
pub(crate) mod schedule;
pub(crate) mod tabs;

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use weir_api::access::Role;

use crate::{cx::Cx, texts::common as t};

/// A whole number.
pub(crate) fn number(cx: &Cx, number: u64) -> String {
    cx.words().count(number)
}

/// A number with one decimal.
pub(crate) fn decimal(cx: &Cx, number: f64) -> String {
    cx.words().decimal(number)
}

/// A share, such as `97.3 %`; a dash if there is none.
pub(crate) fn percent(cx: &Cx, percent: impl Into<Option<f64>>) -> String {
    percent.into().map_or_else(|| "\u{2013}".to_owned(), |percent| format!("{}\u{a0}%", cx.words().decimal(percent)))
}

/// A whole number in at most five characters, such as `12 k`.
pub(crate) fn short(cx: &Cx, number: u64) -> String {
    match number {
        0..10_000 => cx.words().count(number),
        10_000..1_000_000 => format!("{}\u{202f}k", number / 1000),
        _ => format!("{}\u{202f}M", cx.words().decimal(number as f64 / 1e6)),
    }
}

/// A size, in powers of 1000.
pub(crate) fn bytes(cx: &Cx, bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    let value = if unit == 0 || value >= 99.95 { format!("{value:.0}") } else { cx.words().decimal(value) };
    format!("{value}\u{a0}{}", UNITS.get(unit).unwrap_or(&""))
}

/// A moment in the zone of the visitor, with the other one on hover.
pub(crate) fn time(cx: &Cx, at: Timestamp) -> Markup {
    moment(cx, at, &stamp(at, &cx.zone))
}

/// A moment that may not have come.
pub(crate) fn time_or(cx: &Cx, at: Option<Timestamp>) -> Markup {
    at.map_or_else(|| none(cx), |at| time(cx, at))
}

/// A moment, as how long ago it was or how soon it will be.
pub(crate) fn ago(cx: &Cx, at: Timestamp) -> Markup {
    let seconds = cx.now.as_second() - at.as_second();
    let (away, past) = (seconds.unsigned_abs(), seconds >= 0);
    let span = match away {
        0..60 if past => return moment(cx, at, t::just_now(cx)),
        0..5400 => t::minutes(cx, away.div_ceil(60)),
        5400..129_600 => t::hours(cx, (away + 1800) / 3600),
        _ => t::days(cx, (away + 43_200) / 86_400),
    };
    moment(cx, at, &if past { t::ago(cx, span) } else { t::ahead(cx, span) })
}

fn moment(cx: &Cx, at: Timestamp, text: &str) -> Markup {
    let utc = format!("{} UTC", stamp(at, &TimeZone::UTC));
    let other = if cx.zone == TimeZone::UTC {
        utc
    } else {
        format!("{} {} · {utc}", stamp(at, &cx.zone), cx.zone.iana_name().unwrap_or_default())
    };
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    html! { time datetime=(whole) title=(other) { (text) } }
}

fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Nothing to show.
pub(crate) fn none(cx: &Cx) -> Markup {
    html! { span.quiet { (t::none(cx)) } }
}

/// Facts: labels with values.
pub(crate) fn facts(facts: impl IntoIterator<Item = (String, Markup)>) -> Markup {
    html! { dl.facts { @for (label, value) in facts { div { dt { (label) } dd { (value) } } } } }
}

/// A part of the page that is shown anew, in place, when something of these topics (blanks between) changes. Ids are unique
/// in a page and the same each time.
pub(crate) fn live(id: &str, topics: &str, content: Markup) -> Markup {
    html! { div.live id=(id) data-live=(topics) { (content) } }
}

/// A part of a page with a heading.
pub(crate) fn panel(title: &str, content: &Markup) -> Markup {
    html! { section.panel { h2 { (title) } (content) } }
}

/// What to do where there is nothing: a sentence and the one button that does the next.
pub(crate) fn empty(sentence: &str, next: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            p { (sentence) }
            @if let Some((label, address)) = next { p { a.button.primary href=(address) { (label) } } }
        }
    }
}

/// A command that can be copied.
pub(crate) fn command(cx: &Cx, command: &str) -> Markup {
    html! {
        div.command {
            code { (command) }
            button.plain type="button" data-copy=(command) data-copied=(t::copied(cx)) hidden { (icon::Icon::Copy.show()) (t::copy(cx)) }
        }
    }
}

/// How far something is. Without a total it only says that it goes on.
pub(crate) fn progress(cx: &Cx, label: &str, done: u64, total: u64) -> Markup {
    let named = if label.is_empty() { t::progress(cx) } else { label };
    html! {
        div.progress {
            span { (label) }
            @if total > 0 {
                progress max=(total) value=(done.min(total)) aria-label=(named) {}
                span.number { (number(cx, done)) " / " (number(cx, total)) }
            } @else {
                progress aria-label=(named) {}
            }
        }
    }
}

/// The name of a role.
pub(crate) fn role(cx: &Cx, role: Role) -> String {
    let value = match role {
        Role::ReadOnlyAnalyst => "read_only_analyst",
        Role::Operator => "operator",
        Role::SoftwareUpdateManager => "software_update_manager",
        Role::FullAdministrator => "full_administrator",
    };
    t::role(cx, value)
}

/// The word that REST has for a value of an enumeration, such as `pending_restart`: for tables of words and addresses.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
