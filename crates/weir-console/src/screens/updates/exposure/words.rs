//! States, service levels, reasons and ratings as people read them.

use maud::{Markup, html};
use serde::de::DeserializeOwned;
use weir_api::exposure::{Cve, ExposureState, ServiceLevel, Standing, StateCounts};

use crate::{
    cx::Cx,
    texts::exposure as t,
    ui::{
        self,
        badge::{Tone, badge},
        chart::Part,
    },
};

/// States, worst first.
pub(super) const STATES: [ExposureState; 4] =
    [ExposureState::Exposed, ExposureState::NoData, ExposureState::Fixed, ExposureState::NotAffected];
/// Service levels, worst first.
pub(super) const LEVELS: [ServiceLevel; 5] =
    [ServiceLevel::Breached, ServiceLevel::DueSoon, ServiceLevel::Within, ServiceLevel::Excepted, ServiceLevel::None];
/// Ratings, worst first.
pub(super) const SEVERITIES: [&str; 5] = ["critical", "important", "moderate", "low", "unrated"];

/// A value of an enumeration that the address names.
pub(super) fn chosen<T: DeserializeOwned>(cx: &Cx, name: &str) -> Option<T> {
    cx.address.value(name).and_then(|word| serde_json::from_value(word.into()).ok())
}

/// The badge of a state.
pub(super) fn state(cx: &Cx, state: ExposureState) -> Markup {
    let tone = match state {
        ExposureState::Exposed => Tone::Bad,
        ExposureState::NoData => Tone::Plain,
        ExposureState::Fixed | ExposureState::NotAffected => Tone::Good,
    };
    badge(tone, &t::state(cx, &ui::word(&state)))
}

/// The badge of a service level; nothing where there is no exposure.
pub(super) fn level(cx: &Cx, level: Option<ServiceLevel>) -> Markup {
    let Some(level) = level else { return ui::none(cx) };
    let tone = match level {
        ServiceLevel::Breached => Tone::Bad,
        ServiceLevel::DueSoon => Tone::Warn,
        ServiceLevel::Within => Tone::Good,
        ServiceLevel::Excepted => Tone::Busy,
        ServiceLevel::None => Tone::Plain,
    };
    badge(tone, &t::level(cx, &ui::word(&level)))
}

/// Why a computer stands where it stands: in the language of the visitor if there are words for the reason, else as REST says it.
pub(super) fn reason(cx: &Cx, standing: &Standing) -> Markup {
    because(cx, &standing.reason, &standing.text)
}

/// The same of a reason and its text.
pub(super) fn because(cx: &Cx, reason: &str, text: &str) -> Markup {
    let word = t::reason(cx, reason);
    html! { @if word == reason { span lang="en" { (text) } } @else { (word) } }
}

/// What makes a vulnerability urgent.
pub(super) fn marks(cx: &Cx, cve: &Cve) -> Markup {
    html! {
        @if cve.kev.is_some() { " " (badge(Tone::Bad, t::kev(cx))) } @else if cve.exploited { " " (badge(Tone::Bad, t::exploited(cx))) }
        @if cve.kev.as_ref().is_some_and(|kev| kev.ransomware) { " " (badge(Tone::Bad, t::ransomware(cx))) }
    }
}

/// The parts of a bar of states. `link` makes the address of those in a state from its word.
pub(super) fn parts(cx: &Cx, counts: &StateCounts, link: impl Fn(&str) -> Option<String>) -> Vec<Part> {
    let all = [
        (ExposureState::Exposed, counts.exposed, "state-failed"),
        (ExposureState::NoData, counts.no_data, "state-unknown"),
        (ExposureState::Fixed, counts.fixed, "state-installed"),
        (ExposureState::NotAffected, counts.not_affected, "state-not_applicable"),
    ];
    all.into_iter()
        .map(|(state, count, class)| {
            let word = ui::word(&state);
            Part { class: class.to_owned(), label: t::state(cx, &word), count, link: link(&word) }
        })
        .collect()
}

/// A choice in a filter bar that is applied as soon as it is made.
pub(super) fn choice(cx: &Cx, name: &str, label: &str, any: &str, options: &[(String, String)]) -> Markup {
    html! {
        label { span.hide { (label) }
            select name=(name) data-submit {
                option value="" { (any) }
                @for (value, word) in options { option value=(value) selected[cx.address.value(name) == Some(value.as_str())] { (word) } }
            }
        }
    }
}

/// The options of an enumeration.
pub(super) fn options<T: serde::Serialize>(all: &[T], word: impl Fn(&str) -> String) -> Vec<(String, String)> {
    all.iter().map(|one| ui::word(one)).map(|value| (value.clone(), word(&value))).collect()
}
