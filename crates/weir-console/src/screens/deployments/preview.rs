//! What a deployment would do: to whom, when, how many bytes, and what stands against it.

use maud::{Markup, html};
use weir_api::{
    List,
    deployment::{DeploymentCreate, DeploymentPreview},
    simulation::{SimulatedAnswer, Simulation},
    window::{NextWindow, NextWindowQuery},
};

use super::names;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::{self, form::Errors},
};

/// Computers that are named.
const NAMED: usize = 5;
/// Answers and branches that are shown.
const ROWS: usize = 8;

/// What REST says of a deployment that is not made.
#[derive(Debug, Default)]
pub(super) struct Foreseen {
    /// Who would be told what. None where the caller may not ask for it.
    pub(super) simulation: Option<Simulation>,
    /// What its content needs.
    pub(super) room: Option<DeploymentPreview>,
    /// When the computers of the collection may install next.
    next: Option<NextWindow>,
}

impl Foreseen {
    /// Asks REST. A refusal of what the form says is an error; what the caller may not see is left out.
    pub(super) async fn load(cx: &Cx, new: &DeploymentCreate) -> Result<Self, Failure> {
        let collection = new.collection.clone();
        let windows = NextWindowQuery { collection, limit: Some(1), ..NextWindowQuery::default() };
        let (simulation, room, next) = tokio::join!(
            cx.api.post::<Simulation>("/deployments/simulation", new),
            cx.api.post::<DeploymentPreview>("/deployments/preview", new),
            cx.api.get::<List<NextWindow>>("/windows-next", &windows),
        );
        Ok(Self {
            simulation: seen(simulation)?,
            room: seen(room)?,
            next: seen(next)?.and_then(|list| list.items.into_iter().next()),
        })
    }

    /// Whether no room is left for the content.
    pub(super) fn lacks_room(&self) -> bool {
        self.room.as_ref().is_some_and(|preview| preview.room.problem.is_some())
    }

    /// Computers that it is for.
    pub(super) fn computers(&self) -> Option<u64> {
        self.simulation.as_ref().map(|simulation| simulation.computers)
    }
}

fn seen<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(seen) => Ok(Some(seen)),
        Err(Failure::Refused(problem)) if problem.status == 403 => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What stands beside the form, as far as it is filled in.
pub(super) async fn beside(cx: &Cx, asked: Result<DeploymentCreate, Errors>) -> Result<Markup, Failure> {
    let new = match asked {
        Ok(new) if new.collection.is_some() => new,
        Ok(_) => return Ok(html! { h2 { (t::preview(cx)) } p { (t::preview_collection(cx)) } }),
        Err(errors) => return Ok(html! { h2 { (t::preview(cx)) } (errors.summary(cx)) }),
    };
    Ok(match Foreseen::load(cx, &new).await {
        Ok(foreseen) => html! { h2 { (t::preview(cx)) } (show(cx, &foreseen)) },
        Err(failure) => {
            let problem = failure.into_problem()?;
            html! { h2 { (t::preview(cx)) } p.error lang="en" { (problem.detail) } @if let Some(next) = &problem.next_step { p.quiet lang="en" { (next) } } }
        }
    })
}

/// All of it.
pub(super) fn show(cx: &Cx, foreseen: &Foreseen) -> Markup {
    html! {
        div.foreseen {
            @match &foreseen.simulation {
                Some(simulation) => {
                    p.figure { (t::preview_computers(cx, simulation.computers)) }
                    p { (t::preview_changes(cx, simulation.changes)) " " (t::preview_needing(cx, simulation.needing)) }
                    (names::warnings(&simulation.warnings))
                    (answers(cx, simulation))
                    @if let Some(next) = &foreseen.next { (window(cx, next)) }
                    (bytes(cx, foreseen, Some(simulation.bytes_for_computers)))
                    (more(cx, simulation))
                },
                None => {
                    p { (t::preview_limited(cx)) }
                    @if let Some(next) = &foreseen.next { (window(cx, next)) }
                    (bytes(cx, foreseen, None))
                },
            }
        }
    }
}

/// What computers would be told, and when.
fn answers(cx: &Cx, simulation: &Simulation) -> Markup {
    let deadline = |row: &SimulatedAnswer| row.deadline.map_or_else(|| ui::none(cx), |at| ui::time(cx, at));
    html! {
        h3 { (t::preview_when(cx)) }
        @if simulation.answers.is_empty() { p.quiet { (t::preview_nobody(cx)) } }
        @else {
            div.scroll {
                table {
                    caption.hide { (t::preview_when(cx)) }
                    thead { tr { @for head in [t::col_action(cx), t::col_available(cx), t::col_deadline(cx), t::col_answers(cx)] { th scope="col" { (head) } } } }
                    tbody {
                        @for row in simulation.answers.iter().take(ROWS) {
                            tr {
                                th scope="row" {
                                    (names::action(cx, row.action)) @if !row.new { " · " (t::preview_other(cx)) }
                                    div.quiet lang="en" { (row.reason) }
                                }
                                td { @if let Some(at) = row.from { (ui::time(cx, at)) } @else { (t::at_once(cx)) } }
                                td { (deadline(row)) }
                                td.number { (ui::number(cx, row.answers)) @if row.changed != row.answers { div.quiet { (t::preview_changed(cx, row.changed)) } } }
                            }
                        }
                    }
                }
            }
            @if simulation.answers.len() > ROWS { p.quiet { (crate::texts::common::more(cx, (simulation.answers.len() - ROWS) as u64)) } }
        }
    }
}

/// When the computers may install next.
fn window(cx: &Cx, next: &NextWindow) -> Markup {
    html! {
        p {
            @if next.unrestricted { (t::window_none(cx)) }
            @else {
                @match (next.starts_at, next.minutes) {
                    (Some(at), Some(minutes)) => {
                        (t::window_next(cx)) " " (ui::time(cx, at)) ", " (crate::texts::common::minutes(cx, u64::from(minutes)))
                        @if next.open { " (" (t::window_open(cx)) ")" }
                        span.quiet { " · " (next.windows.join(", ")) }
                    },
                    _ => (t::window_never(cx)),
                }
            }
        }
    }
}

fn bytes(cx: &Cx, foreseen: &Foreseen, computers: Option<u64>) -> Markup {
    let Some(preview) = &foreseen.room else { return Markup::default() };
    let room = &preview.room;
    let mut facts = Vec::new();
    if let Some(bytes) = computers {
        facts.push((t::bytes_computers(cx).to_owned(), html! { (ui::bytes(cx, bytes)) }));
    }
    facts.push((
        t::bytes_here(cx).to_owned(),
        html! { (ui::bytes(cx, room.bytes_to_fetch)) " / " (ui::bytes(cx, room.bytes)) },
    ));
    facts.push((t::bytes_free(cx).to_owned(), html! { (ui::bytes(cx, room.free_after)) }));
    if preview.files_elsewhere > 0 {
        facts.push((t::content_elsewhere(cx).to_owned(), html! { (ui::number(cx, preview.files_elsewhere)) }));
    }
    if preview.files_left_out > 0 {
        facts.push((t::content_left_out(cx).to_owned(), html! { (ui::number(cx, preview.files_left_out)) }));
    }
    html! {
        h3 { (t::group_content(cx)) }
        (ui::facts(facts))
        @if let Some(problem) = &room.problem { div.panel.warn { p lang="en" { (problem) } } }
        @if preview.without_source > 0 { div.panel.warn { p { (t::content_no_source(cx, preview.without_source)) } } }
    }
}

/// What stands against it, how it is decided, who is among them.
fn more(cx: &Cx, simulation: &Simulation) -> Markup {
    html! {
        @if !simulation.overruled_by.is_empty() {
            h3 { (t::preview_rivals(cx)) }
            ul { @for rival in simulation.overruled_by.iter().take(ROWS) {
                li {
                    a href=(names::address(rival.deployment)) { (t::explain_other(cx, rival.deployment)) }
                    ": " (names::action(cx, rival.action)) ", " (rival.collection.name) " · " (ui::number(cx, rival.answers))
                }
            } }
        }
        @if !simulation.not_sent.is_empty() {
            h3 { (t::not_sent_why(cx)) }
            ul { @for reason in &simulation.not_sent { li { span lang="en" { (reason.reason) } " " span.number { (ui::number(cx, reason.updates)) } } } }
        }
        @if !simulation.branches.is_empty() {
            details {
                summary { (t::preview_branches(cx)) }
                ul { @for branch in simulation.branches.iter().take(ROWS) {
                    li {
                        (t::computers_of(cx, branch.computers)) ": "
                        (branch.collections.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "))
                        div.quiet lang="en" { (branch.why) }
                    }
                } }
            }
        }
        @if !simulation.sample.is_empty() {
            details {
                summary { (t::preview_sample(cx)) }
                ul { @for one in simulation.sample.iter().take(NAMED) {
                    li { a href=(path(&["computers", &one.id])) { (if one.name.is_empty() { &one.id } else { &one.name }) } }
                } }
            }
        }
    }
}
