//! One site: where it stands, how far it is, how its computers stand.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    site::{ConfigurationState, Point, Site, SyncState},
};

use super::{
    may,
    sites::{self, Known},
    span,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::infrastructure as t,
    ui::{
        self,
        badge::{Tone, badge},
        chart,
    },
};

/// A site by its id or name, with the others of the tree.
pub(super) async fn find(cx: &Cx, id: &str) -> Result<(Known, Site), Failure> {
    // REST knows names without regard to case, and refuses what it does not know in its own words
    let (known, site) = tokio::join!(Known::load(cx), async { cx.api.get::<Site>(&path(&["sites", id]), &()).await });
    Ok((known?, site?))
}

/// The page.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let (known, site) = find(&cx, &id).await?;
    let body = html! {
        (next(&cx, &known, &site))
        div.columns {
            div {
                @if let Some(point) = &site.point { (synchronization(&cx, point)) }
                (standing(&cx, &known, &site))
            }
            (place(&cx, &site))
        }
    };
    Page::new(&cx, &site.name)
        .fact(t::state(&cx), sites::state(&cx, &site))
        .fact(t::catalogue(&cx), sites::catalogue(&cx, &site))
        .fact(t::last_contact(&cx), site.last_contact.map_or_else(|| ui::none(&cx), |at| ui::ago(&cx, at)))
        .actions(acts(&cx, &known, &site))
        .body(ui::live("site-live", "sites synchronization compliance", body))
        .render()
        .await
}

/// Whether the server that answers makes the codes of a site.
pub(super) fn is_directly_below(known: &Known, site: &Site) -> bool {
    let above = site.under.as_ref().map(|above| above.id);
    known.sites.iter().any(|other| other.here && Some(other.id) == above)
}

/// Whether a site stands somewhere below the server that answers.
fn is_below(known: &Known, site: &Site) -> bool {
    let mut above = site.under.as_ref().map(|above| above.id);
    for _ in 0..known.sites.len() {
        let Some(other) = known.sites.iter().find(|other| Some(other.id) == above) else { return false };
        if other.here {
            return true;
        }
        above = other.under.as_ref().map(|above| above.id);
    }
    false
}

fn acts(cx: &Cx, known: &Known, site: &Site) -> Markup {
    let own = |act: &str| path(&["infrastructure", "sites", &site.id.to_string(), act]);
    let top = known.sites.iter().any(|other| other.here && other.under.is_none());
    html! {
        @if may(cx, Role::FullAdministrator) {
            @if is_directly_below(known, site) { a.button.primary href=(own("enrolment")) { (t::enrol(cx)) } }
            @if top && is_below(known, site) { a.button href=(own("remove")) { (t::remove(cx)) } }
            @if site.here && site.under.is_some() { a.button href="/infrastructure/leave" { (t::leave(cx)) } }
        }
    }
}

/// What to do next with a site that is not there yet.
fn next(cx: &Cx, known: &Known, site: &Site) -> Markup {
    let said = match site.configuration {
        ConfigurationState::Defined if is_directly_below(known, site) => t::next_defined(cx),
        ConfigurationState::Defined => t::next_defined_deeper(cx),
        ConfigurationState::Invited => t::next_invited(cx),
        ConfigurationState::Refused => t::next_refused(cx),
        ConfigurationState::Pending | ConfigurationState::Configured | ConfigurationState::Unknown => "",
    };
    html! {
        @if !said.is_empty() {
            div.panel.warn {
                p { (said) }
                @if let Some(at) = site.code_expires_at { p { (t::code_until(cx)) " " (ui::time(cx, at)) } }
            }
        }
    }
}

/// The word of the state of a synchronization, and its tone.
fn sync_tone(state: SyncState) -> Tone {
    match state {
        SyncState::Done => Tone::Good,
        SyncState::Failed => Tone::Bad,
        SyncState::Started | SyncState::Metadata | SyncState::Storing | SyncState::Replicas => Tone::Busy,
        SyncState::Never | SyncState::Cancelled => Tone::Plain,
    }
}

fn synchronization(cx: &Cx, point: &Point) -> Markup {
    let sync = &point.sync;
    html! {
        section.panel.stack {
            h2 { (t::synchronization(cx)) }
            @if let Some(progress) = &sync.progress {
                (ui::progress(cx, sync.phase.as_deref().unwrap_or_default(), progress.done, progress.total))
                p.quiet {
                    (t::per_second(cx, progress.per_second))
                    @if let Some(left) = progress.seconds_left { " · " (t::time_left(cx, span(cx, left))) }
                }
            }
            @if let Some(error) = &sync.error {
                div.panel.failure role="alert" {
                    @if let Some(explanation) = &sync.explanation { p lang="en" { (explanation) } }
                    p.quiet lang="en" { (error) }
                }
            }
            (ui::facts([
                (t::state(cx).to_owned(), html! {
                    (badge(sync_tone(sync.state), &t::point_sync(cx, &ui::word(&sync.state))))
                    @if let Some(at) = sync.at { " " (ui::ago(cx, at)) }
                }),
                (t::last_success(cx).to_owned(), ui::time_or(cx, sync.succeeded_at)),
                (t::warnings(cx).to_owned(), html! { (ui::number(cx, sync.warnings)) }),
                (t::source(cx).to_owned(), html! { (super::source::name(cx, &point.source)) }),
                (t::revisions(cx).to_owned(), html! { (ui::number(cx, point.revisions)) }),
                (t::catalogue_since(cx).to_owned(), ui::time_or(cx, point.catalogue_at)),
                (t::drift(cx).to_owned(), match point.drift.as_deref() {
                    None => ui::none(cx),
                    Some([]) => badge(Tone::Good, t::in_step(cx)),
                    Some(kinds) => html! { (badge(Tone::Warn, &t::trouble(cx, "drifted"))) " " span lang="en" { (kinds.join(", ")) } },
                }),
            ]))
        }
    }
}

fn standing(cx: &Cx, known: &Known, site: &Site) -> Markup {
    let Some(standing) = known.standing(site) else {
        return html! { section.panel { h2 { (t::computers(cx)) } p.quiet { (t::no_roll_up(cx)) } } };
    };
    let server = standing.server.as_ref().map_or_else(|| "this".to_owned(), |server| server.id.to_string());
    html! {
        section.panel.stack {
            (chart::states(cx, t::computers(cx), &standing.summary.counts, |state| {
                Some(Address::new("/computers").with("site", &server).with("state", state).to_string())
            }))
            p {
                (t::compliant_of(cx, ui::percent(cx, standing.summary.percent), ui::number(cx, standing.summary.computers)))
                " · " (t::age(cx)) " " (sites::age(cx, site, Some(standing)))
                @if let Some(through) = &standing.through { " · " (t::through(cx, &through.name)) }
            }
        }
    }
}

fn place(cx: &Cx, site: &Site) -> Markup {
    let point = site.point.as_ref();
    let text =
        |text: Option<&str>| text.filter(|text| !text.is_empty()).map_or_else(|| ui::none(cx), |text| html! { (text) });
    html! {
        section.panel {
            h2 { (t::update_point(cx)) }
            (ui::facts([
                (t::kind_label(cx).to_owned(), html! { (t::kind(cx, site.kind.as_str())) }),
                (t::under(cx).to_owned(), match &site.under {
                    Some(above) => html! { a href=(path(&["infrastructure", "sites", &above.id.to_string()])) { (above.name) } },
                    None => ui::none(cx),
                }),
                (t::configuration_label(cx).to_owned(), html! { (t::configuration(cx, &ui::word(&site.configuration))) }),
                (t::connected(cx).to_owned(), match site.connected {
                    Some(true) => badge(Tone::Good, t::yes(cx)),
                    Some(false) => badge(Tone::Warn, t::no(cx)),
                    None => ui::none(cx),
                }),
                (t::enrolled(cx).to_owned(), ui::time_or(cx, site.enrolled_at)),
                (t::host(cx).to_owned(), text(point.map(|point| point.host.as_str()))),
                (t::version(cx).to_owned(), text(point.map(|point| point.version.as_str()))),
                (t::started(cx).to_owned(), ui::time_or(cx, point.map(|point| point.started_at))),
                (t::for_computers(cx).to_owned(), html! {
                    @for address in point.iter().flat_map(|point| &point.clients) { code { (address) } br; }
                }),
                (t::computers(cx).to_owned(), point.map_or_else(|| ui::none(cx), |point| html! { (ui::number(cx, point.computers)) })),
                (t::alerts(cx).to_owned(), match point {
                    None => ui::none(cx),
                    Some(point) if site.here => html! { a href="/alerts" { (ui::number(cx, point.alerts)) } },
                    Some(point) => html! { (ui::number(cx, point.alerts)) },
                }),
                (t::identity(cx).to_owned(), point.map_or_else(|| ui::none(cx), |point| html! { code { (point.server_id) } })),
            ]))
        }
    }
}
