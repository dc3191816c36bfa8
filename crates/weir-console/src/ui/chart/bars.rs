//! Bars: states, steps of a rollout, meters.

use maud::{Markup, html};
use weir_api::computer::StateCounts;

use super::figure;
use crate::{cx::Cx, texts::common as t, ui, ui::badge::State};

/// A part of a stacked bar.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The class of its colour, `state-installed` or `tone-good`.
    pub(crate) class: String,
    /// Its name.
    pub(crate) label: String,
    /// How many.
    pub(crate) count: u64,
    /// Where those are listed.
    pub(crate) link: Option<String>,
}

const WIDTH: f64 = 600.0;

/// A stacked bar with its parts named below it.
pub(crate) fn stacked(cx: &Cx, title: &str, parts: &[Part]) -> Markup {
    let total: u64 = parts.iter().map(|part| part.count).sum();
    let mut at = 0.0;
    let pieces: Vec<(f64, f64, &Part)> = parts
        .iter()
        .filter(|part| part.count > 0)
        .map(|part| {
            // what is there is seen, however little it is
            let width = (part.count as f64 / total.max(1) as f64 * WIDTH).max(2.0);
            let piece = (at, width, part);
            at += width;
            piece
        })
        .collect();
    let scale = at.max(1.0);
    let drawing = html! {
        svg.bar viewBox={ "0 0 " (scale) " 16" } width="100%" height="16" preserveAspectRatio="none" role="img" aria-label=(title) {
            @for (x, width, part) in &pieces {
                rect.{ "fill " (part.class) } x=(x) y="0" width=(width) height="16" { title { (part.label) ": " (ui::number(cx, part.count)) } }
            }
        }
        ul.key {
            @for part in parts.iter().filter(|part| part.count > 0) {
                li {
                    svg width="10" height="10" aria-hidden="true" { rect.{ "fill " (part.class) } width="10" height="10" rx="2" {} }
                    @if let Some(link) = &part.link { a href=(link) { (part.label) } } @else { (part.label) }
                    " " span.number { (ui::number(cx, part.count)) }
                }
            }
        }
    };
    let rows: Vec<Vec<String>> = parts
        .iter()
        .map(|part| {
            let share = part.count as f64 * 100.0 / total.max(1) as f64;
            vec![part.label.clone(), ui::number(cx, part.count), ui::percent(cx, share)]
        })
        .collect();
    let heads = [t::state_head(cx).to_owned(), t::count_head(cx).to_owned(), t::share_head(cx).to_owned()];
    figure(cx, title, &drawing, &heads, &rows)
}

/// The bar of compliance states. `link` makes the address of those in a state from its word.
pub(crate) fn states(cx: &Cx, title: &str, counts: &StateCounts, link: impl Fn(&str) -> Option<String>) -> Markup {
    let parts: Vec<Part> = State::ALL
        .into_iter()
        .map(|state| Part {
            class: format!("state-{}", state.key()),
            label: state.label(cx),
            count: state.of(counts),
            link: link(state.key()),
        })
        .collect();
    stacked(cx, title, &parts)
}

/// A share as a bar, 0 to 100, with a mark where it should be.
pub(crate) fn meter(cx: &Cx, label: &str, percent: impl Into<Option<f64>>, goal: Option<f64>) -> Markup {
    let known = percent.into();
    let percent = known.unwrap_or_default().clamp(0.0, 100.0);
    let tone = match goal {
        Some(goal) if percent < goal => "tone-warn",
        _ => "tone-good",
    };
    html! {
        svg.meter viewBox="0 0 100 8" width="100%" height="8" preserveAspectRatio="none" role="img"
            aria-label={ (label) ": " (ui::percent(cx, known)) } {
            rect.track x="0" y="0" width="100" height="8" {}
            rect.{ "fill " (tone) } x="0" y="0" width=(percent) height="8" {}
            @if let Some(goal) = goal { rect.goal x=(goal.clamp(0.0, 99.5)) y="0" width="0.5" height="8" {} }
        }
    }
}

/// A step of a rollout.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its name.
    pub(crate) label: String,
    /// Below its name: to whom, since when.
    pub(crate) note: String,
    /// Percent that is done; none before it starts.
    pub(crate) percent: Option<f64>,
    /// Percent at which the next one starts.
    pub(crate) goal: Option<f64>,
    /// It is the one under way.
    pub(crate) current: bool,
}

/// Steps of a rollout, first to last.
pub(crate) fn steps(cx: &Cx, title: &str, steps: &[Step]) -> Markup {
    let drawing = html! {
        ol.steps {
            @for step in steps {
                li.current[step.current].done[step.percent.is_some_and(|percent| percent >= step.goal.unwrap_or(100.0))] aria-current=[step.current.then_some("step")] {
                    strong { (step.label) }
                    span.quiet { (step.note) }
                    (meter(cx, &step.label, step.percent.unwrap_or(0.0), step.goal))
                    span.number { (step.percent.map_or_else(|| t::none(cx).to_owned(), |percent| ui::percent(cx, percent))) }
                }
            }
        }
    };
    let share = |percent: Option<f64>| percent.map_or_else(String::new, |percent| ui::percent(cx, percent));
    let rows: Vec<Vec<String>> =
        steps.iter().map(|step| vec![step.label.clone(), share(step.percent), share(step.goal)]).collect();
    let heads = [t::step_head(cx).to_owned(), t::share_head(cx).to_owned(), t::goal_head(cx).to_owned()];
    figure(cx, title, &drawing, &heads, &rows)
}
