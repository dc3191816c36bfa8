//! One downstream server: what was decided about it, and what it reported of itself.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    rollup::{DownstreamReport, ServerFigures, ServerReport, SystemCount},
};

use super::{
    downstream::{HERE, admission, called},
    may,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::infrastructure as t,
    ui::{
        self,
        chart::{self, Amount, Piece},
        grid::{Column, Grid, wants_csv},
    },
};

/// Versions of Windows that the figure shows.
const BARS: usize = 12;

/// The page.
pub(super) async fn show(cx: Cx, Path(server): Path<String>) -> Result<Response, Failure> {
    let one: DownstreamReport = cx.api.get(&path(&["downstream", &server]), &()).await?;
    if let (true, Some(report)) = (wants_csv(&cx.address), &one.report) {
        return Ok(grid(&cx, &report.systems).csv());
    }
    let known = &one.server;
    let text = |text: Option<&str>| {
        text.filter(|text| !text.is_empty()).map_or_else(|| ui::none(&cx), |text| html! { (text) })
    };
    let body = html! {
        div.columns {
            div {
                @match &one.report {
                    Some(report) => (figures(&cx, report)),
                    None => section.panel { p { (t::no_roll_up(&cx)) } p.quiet { (t::no_roll_up_help(&cx)) } },
                }
            }
            section.panel {
                h2 { (t::what_it_is(&cx)) }
                (ui::facts([
                    (t::state(&cx).to_owned(), admission(&cx, known)),
                    (t::kind_label(&cx).to_owned(), html! { (t::server_kinds(&cx, &ui::word(&known.kind))) }),
                    (t::replica(&cx).to_owned(), match known.replica {
                        Some(true) => html! { (t::yes(&cx)) },
                        Some(false) => html! { (t::no(&cx)) },
                        None => ui::none(&cx),
                    }),
                    (t::site(&cx).to_owned(), match &known.site {
                        Some(site) => html! { a href=(path(&["infrastructure", "sites", site])) { (site) } },
                        None => ui::none(&cx),
                    }),
                    (t::reported_by(&cx).to_owned(), text(known.reported_by.as_deref())),
                    (t::below(&cx).to_owned(), text(Some(&one.below.join(", ")))),
                    (t::address(&cx).to_owned(), text(Some(&known.address))),
                    (t::version(&cx).to_owned(), text(known.version.as_deref())),
                    (t::protocol(&cx).to_owned(), text(known.protocol.as_deref())),
                    (t::first_contact(&cx).to_owned(), ui::time(&cx, known.first_contact)),
                    (t::last_list(&cx).to_owned(), ui::time_or(&cx, known.last_sync)),
                    (t::behind_label(&cx).to_owned(), known.behind.map_or_else(|| ui::none(&cx), |behind| html! { (t::revisions_behind(&cx, behind)) })),
                    (t::computers(&cx).to_owned(), html! { a href=(Address::new("/computers").with("site", known.id)) { (ui::number(&cx, known.computers)) } }),
                    (t::identity(&cx).to_owned(), html! { code { (known.id) } }),
                ]))
            }
        }
        @if let Some(report) = &one.report { (systems(&cx, report)) }
    };
    Page::new(&cx, called(known))
        .crumb(t::downstream(&cx), HERE)
        .fact(t::state(&cx), admission(&cx, known))
        .fact(t::last_contact(&cx), ui::ago(&cx, known.last_contact))
        .fact(
            t::rolled_up(&cx),
            one.report.as_ref().map_or_else(|| ui::none(&cx), |report| ui::ago(&cx, report.received_at)),
        )
        .actions(acts(&cx, &one))
        .body(ui::live("server-live", "sites compliance", body))
        .render()
        .await
}

fn acts(cx: &Cx, one: &DownstreamReport) -> Markup {
    let server = &one.server;
    html! {
        // what enrolled as a site is decided there
        @if may(cx, Role::FullAdministrator) && server.site.is_none() {
            form.inline method="post" action="/infrastructure/downstream/change" data-dialog {
                input type="hidden" name="ids" value=(server.id);
                input type="hidden" name="from" value=(path(&["infrastructure", "downstream", &server.id.to_string()]));
                @for act in ["allow", "refuse", "remove"] {
                    @if act == "remove" || (act == "allow") != (ui::word(&server.admission) == "allowed") {
                        button type="submit" name="act" value=(act) { (t::server_acts(cx, act)) }
                    }
                }
            }
        }
    }
}

/// The figures that it reported, as they are.
fn figures(cx: &Cx, report: &ServerReport) -> Markup {
    let ServerFigures {
        updates,
        declined,
        approved,
        not_approved,
        stale_approvals,
        expired,
        critical_or_security_not_approved,
        infrastructure_not_approved,
        with_client_errors,
        with_server_errors,
        needing_files,
        needed_by_computers,
        up_to_date,
        custom_groups,
        computers,
        computers_needing,
        computers_with_errors,
        computers_up_to_date,
    } = report.figures;
    let table = |rows: Vec<(&str, i32)>| {
        ui::facts(rows.into_iter().map(|(key, value)| {
            (t::figures(cx, key), html! { (ui::number(cx, u64::try_from(value).unwrap_or_default())) })
        }))
    };
    let known = u64::try_from(computers).unwrap_or_default();
    let count = |value: i32| u64::try_from(value).unwrap_or_default();
    let parts = [
        ("tone-good", "computers_up_to_date", computers_up_to_date),
        ("tone-warn", "computers_needing", computers_needing),
        ("tone-bad", "computers_with_errors", computers_with_errors),
    ];
    // these overlap: a computer can need something and have errors
    let bars: Vec<Amount> = parts
        .into_iter()
        .map(|(class, key, value)| {
            let label = t::figures(cx, key);
            Amount { label: label.clone(), link: None, pieces: vec![Piece::new(class, t::computers(cx), count(value))] }
        })
        .collect();
    html! {
        section.panel {
            (chart::amounts(cx, &t::figures_of(cx, known), &bars, |amount| ui::number(cx, amount)))
        }
        section.panel {
            h2 { (t::its_updates(cx)) }
            (table(vec![
                ("updates", updates), ("approved", approved), ("not_approved", not_approved), ("declined", declined),
                ("expired", expired), ("stale_approvals", stale_approvals),
                ("critical_or_security_not_approved", critical_or_security_not_approved),
                ("infrastructure_not_approved", infrastructure_not_approved), ("needed_by_computers", needed_by_computers),
                ("up_to_date", up_to_date), ("with_client_errors", with_client_errors),
                ("with_server_errors", with_server_errors), ("needing_files", needing_files), ("custom_groups", custom_groups),
            ]))
            (ui::facts([
                (t::installations(cx).to_owned(), html! { (ui::number(cx, report.installations)) }),
                (t::failed_installations(cx).to_owned(), html! { (ui::number(cx, report.failures)) }),
                (t::last_success(cx).to_owned(), ui::time_or(cx, report.last_sync)),
                (t::rolled_up(cx).to_owned(), ui::time(cx, report.received_at)),
            ]))
        }
    }
}

fn systems(cx: &Cx, report: &ServerReport) -> Markup {
    let bars: Vec<Amount> = report
        .systems
        .iter()
        .take(BARS)
        .map(|system| Amount {
            label: format!("{} {}", system.version, system.architecture),
            link: None,
            pieces: vec![Piece::new(
                "tone-busy",
                t::computers(cx),
                u64::try_from(system.computers).unwrap_or_default(),
            )],
        })
        .collect();
    html! {
        @if !bars.is_empty() {
            section.panel { (chart::amounts(cx, t::systems(cx), &bars, |amount| ui::number(cx, amount))) }
            (grid(cx, &report.systems).render())
        }
    }
}

fn grid<'a>(cx: &'a Cx, systems: &'a [SystemCount]) -> Grid<'a, SystemCount> {
    let columns = vec![
        Column::new("version", t::windows(cx), |system: &SystemCount| html! { (system.version) })
            .text(|system| system.version.clone())
            .narrow(),
        Column::new("architecture", t::architecture(cx), |system: &SystemCount| html! { (system.architecture) })
            .text(|system| system.architecture.clone())
            .narrow(),
        Column::number(cx, "computers", t::computers(cx), |system: &SystemCount| {
            u64::try_from(system.computers).unwrap_or_default()
        })
        .narrow(),
    ];
    Grid::new(cx, "systems", t::systems(cx), columns, systems)
}
