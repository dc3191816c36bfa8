//! How the server is: what somebody should look at, where it listens, what it shows, what it holds.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    health::{HealthReport, HealthState},
    job::Job,
    status::{Endpoints, SnapshotStatus, Status},
    tls::TlsStatus,
};

use super::backups;
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::{jobs, settings::tls},
    texts::infrastructure as t,
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Grid, wants_csv},
    },
};

/// What a part of REST says; none where this server does not have it, or the visitor may not see it.
async fn part<T: serde::de::DeserializeOwned>(cx: &Cx, path: &str) -> Result<Option<T>, Failure> {
    match cx.api.get(path, &()).await {
        Ok(part) => Ok(Some(part)),
        Err(Failure::Refused(problem)) if matches!(problem.status, 403 | 404) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The page.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let cx = &cx;
    let (status, health, shown) = tokio::join!(
        cx.api.get::<Status>("/status", &()),
        part::<HealthReport>(cx, "/health-report"),
        part::<TlsStatus>(cx, "/tls"),
    );
    let (status, health, shown) = (status?, health?, shown?);
    if wants_csv(&cx.address) {
        let jobs = health.map(|health| health.jobs).unwrap_or_default();
        return Ok(open_jobs(cx, &jobs).csv());
    }
    let body = html! {
        (ui::live("health-live", "alerts jobs content settings", html! {
            @match &health {
                Some(health) => (findings(cx, health)),
                None => div.panel.warn { p { (t::no_health_report(cx)) } },
            }
            div.columns {
                (listeners(cx, &status.endpoints))
                (versions(cx, &status))
            }
            @if let Some(health) = &health { (front_ends(cx, health)) }
            (tls::panel(cx, shown.as_ref()))
            @if let Some(health) = &health { (holds(cx, health, status.snapshot)) }
        }))
        @if let Some(health) = &health {
            (ui::live("health-jobs", "jobs", html! { (open_jobs(cx, &health.jobs).render()) p { a href="/jobs" { (t::all_jobs(cx)) } } }))
        }
    };
    let mut page = Page::new(cx, t::health(cx)).body(body);
    if let Some(health) = &health {
        page = page.fact(t::state(cx), state(cx, health.state));
        page = page.fact(t::alerts(cx), html! { a href="/alerts" { (ui::number(cx, health.alerts)) } });
        page = page.fact(t::as_of(cx), ui::time(cx, health.as_of));
    }
    page.render().await
}

fn state(cx: &Cx, state: HealthState) -> Markup {
    let tone = match state {
        HealthState::Good => Tone::Good,
        HealthState::Warning => Tone::Warn,
        HealthState::Critical => Tone::Bad,
    };
    badge(tone, &t::health_states(cx, &ui::word(&state)))
}

/// The page that shows what a finding is about, and its name; the words of REST are for whom there is none.
fn page_of<'t>(cx: &'t Cx, code: &str) -> Option<(&'static str, &'t str)> {
    match code {
        "jobs" => Some(("/jobs", t::all_jobs(cx))),
        "alerts" => Some(("/alerts", t::alerts(cx))),
        "backup" => Some((backups::HERE, backups::name(cx))),
        _ => None,
    }
}

fn findings(cx: &Cx, health: &HealthReport) -> Markup {
    html! {
        section.panel {
            h2 { (t::findings(cx)) }
            @if health.findings.is_empty() { p { (badge(Tone::Good, t::nothing_found(cx))) } }
            @for finding in &health.findings {
                div.finding {
                    p { (state(cx, finding.state)) " " span lang="en" { (finding.detail) } }
                    @match page_of(cx, &finding.code) {
                        Some((to, label)) => p { strong { (crate::texts::common::next_step(cx)) } " " a href=(to) { (label) } },
                        None => p lang="en" { strong { (crate::texts::common::next_step(cx)) } " " (finding.next_step) },
                    }
                    p.quiet { (crate::texts::common::problem_code(cx, &finding.code)) }
                }
            }
        }
    }
}

fn listeners(cx: &Cx, endpoints: &Endpoints) -> Markup {
    let planes = [
        ("client_http", &endpoints.client_http),
        ("client_https", &endpoints.client_https),
        ("server", &endpoints.server),
        ("admin", &endpoints.admin),
    ];
    html! {
        section.panel {
            h2 { (t::listeners(cx)) }
            div.scroll { table {
                thead { tr { th scope="col" { (t::plane(cx)) } th scope="col" { (t::address(cx)) } th scope="col" { (t::who_reaches(cx)) } } }
                tbody {
                    @for (plane, address) in planes {
                        tr {
                            th scope="row" { (t::planes(cx, plane)) }
                            td { @match address { Some(address) => code { (address) }, None => (badge(Tone::Plain, t::off(cx))) } }
                            td.quiet { (t::planes_for(cx, plane)) }
                        }
                    }
                }
            } }
        }
    }
}

fn versions(cx: &Cx, status: &Status) -> Markup {
    html! {
        section.panel {
            h2 { (t::this_server(cx)) }
            (ui::facts([
                (t::version(cx).to_owned(), html! { (status.version) }),
                (t::started(cx).to_owned(), html! { (ui::time(cx, status.started_at)) " (" (ui::ago(cx, status.started_at)) ")" }),
                (t::process(cx).to_owned(), html! { (status.endpoints.pid) }),
                (t::identity(cx).to_owned(), html! { code { (status.server_id) } }),
                (t::computers(cx).to_owned(), html! { (ui::number(cx, status.counts.computers)) }),
                (t::plain_http(cx).to_owned(), html! { (ui::number(cx, status.counts.computers_plain_http)) }),
            ]))
        }
    }
}

/// The servers that share a database; nothing where one has it to itself.
fn front_ends(cx: &Cx, health: &HealthReport) -> Markup {
    html! {
        @if !health.front_ends.is_empty() {
            section.panel {
                h2 { (t::front_ends(cx)) }
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (t::front_end(cx)) }
                        th scope="col" { (t::address(cx)) }
                        th scope="col" { (t::version(cx)) }
                        th scope="col" { (t::started(cx)) }
                        th scope="col" { (t::heard(cx)) }
                        th scope="col" { (t::works_on(cx)) }
                    } }
                    tbody {
                        @for front in &health.front_ends {
                            tr {
                                th scope="row" {
                                    (front.name)
                                    @if front.here { " " (badge(Tone::Plain, t::this_server(cx))) }
                                }
                                td { @if let Some(admin) = &front.admin { code { (admin) } } }
                                td { (front.version) }
                                td { (ui::ago(cx, front.started_at)) }
                                td { (t::seconds(cx, front.silent_seconds)) }
                                td lang="en" { (front.duties.join(", ")) }
                            }
                        }
                    }
                } }
                p.quiet { (t::front_ends_help(cx)) }
            }
        }
    }
}

fn holds(cx: &Cx, health: &HealthReport, snapshot: SnapshotStatus) -> Markup {
    let bytes = |bytes: u64| html! { (ui::bytes(cx, bytes)) };
    let number = |number: u64| html! { (ui::number(cx, number)) };
    let database = &health.database;
    let place_or_unused = match &database.server {
        Some(place) => (t::address(cx).to_owned(), html! { (place) }),
        None => (
            t::unused(cx).to_owned(),
            html! {
                (ui::bytes(cx, database.unused_bytes)) " "
                span.quiet { (if database.can_give_back { t::given_back(cx) } else { t::kept_for_later(cx) }) }
            },
        ),
    };
    html! {
        div.two {
            div {
                h2 { (t::database(cx)) }
                (ui::facts([(t::size(cx).to_owned(), bytes(database.bytes)), place_or_unused]))
                h2 { (t::disks(cx)) }
                (ui::facts(health.disks.iter().map(|disk| {
                    let low = disk.reserve_bytes > 0 && disk.free_bytes < disk.reserve_bytes;
                    (t::disk_names(cx, &disk.name), html! {
                        (t::bytes_free(cx, ui::bytes(cx, disk.free_bytes)))
                        @if disk.reserve_bytes > 0 { " " span.quiet { (t::bytes_reserved(cx, ui::bytes(cx, disk.reserve_bytes))) } }
                        @if low { " " (badge(Tone::Warn, t::no_room(cx))) }
                    })
                })))
            }
            div {
                h2 { (t::memory(cx)) }
                (ui::facts([
                    (t::fragments(cx).to_owned(), bytes(health.memory.fragment_bytes)),
                    (t::index(cx).to_owned(), bytes(health.memory.compliance_bytes)),
                    (t::computers(cx).to_owned(), number(health.memory.computers)),
                ]))
                h2 { (t::snapshot(cx)) }
                (ui::facts([
                    (t::revisions(cx).to_owned(), number(snapshot.revisions)),
                    (t::live_updates(cx).to_owned(), number(snapshot.live)),
                    (t::change_number(cx).to_owned(), number(snapshot.change)),
                    (t::deliveries(cx).to_owned(), number(health.deliveries_waiting)),
                ]))
            }
        }
    }
}

fn open_jobs<'a>(cx: &'a Cx, jobs: &'a [Job]) -> Grid<'a, Job> {
    jobs::grid(cx, "health-jobs-grid", t::jobs_open(cx), jobs).empty(html! { p { (t::no_jobs_open(cx)) } })
}
