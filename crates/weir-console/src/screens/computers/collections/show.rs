//! One collection: members, deployments, windows, the client settings that come of it, and how its compliance went.

use axum::{extract::Path, response::Response};
use jiff::{ToSpan as _, civil::Date};
use maud::{Markup, html};
use weir_api::{
    List, Reference,
    access::Role,
    client_settings::ResultantClientSettings,
    collection::{Collection, Member},
    compliance::{Summary, SummaryQuery},
    deployment_compliance::{DeploymentCompliance, DeploymentComplianceQuery},
    history::{History, HistoryQuery},
    list::ListQuery,
    window::{NextWindow, NextWindowQuery, Window, WindowQuery},
};

use super::{
    super::{Part, collection_at, collection_links, detail, list, listed},
    tree,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::current::Current,
    texts::{collections as t, computers},
    ui::{
        self,
        badge::{Tone, badge},
        chart,
        grid::{Column, Grid},
        tabs::Tab,
    },
};

/// Days of the trend.
const DAYS: i64 = 90;
/// Deployments of a page at most, as REST has it.
const DEPLOYMENTS: u32 = 200;

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let known: Collection = cx.api.get(&path(&["collections", &name]), &()).await?;
    let id = known.id.to_string();
    let query = SummaryQuery { collection: Some(id.clone()), server: cx.server(), ..SummaryQuery::default() };
    let part = async {
        Ok::<Part, Failure>(match cx.address.value("tab") {
            None => members(&cx, &known, &id).await?,
            Some("deployments") => deployments(&cx, &known, &id).await?,
            Some("windows") => windows(&cx, &known, &id).await?,
            Some("settings") => Part::Page(settings(&cx, &id).await?),
            Some("trend") => Part::Page(trend(&cx, &id).await?),
            Some("definition") => Part::Page(definition(&cx, &known)),
            Some(_) => return Err(Failure::NotFound),
        })
    };
    let (summary, part) = tokio::join!(cx.api.get::<Summary>("/compliance/summary", &query), part);
    let body = match part? {
        Part::Csv(csv) => return Ok(csv),
        Part::Page(body) => body,
    };
    let compliant = summary.ok().filter(|summary| summary.computers > 0);
    let counted = cx.to("/computers").with("f", format!("collection:{}", known.name));
    let body = html! {
        @if let Some(evaluating) = known.evaluating {
            (ui::live("evaluating", "collections jobs", html! {
                section.panel { (ui::progress(&cx, t::evaluating(&cx), evaluating.done, evaluating.total)) p.quiet { (t::evaluating_means(&cx)) } }
            }))
        }
        @if let Some(summary) = &compliant {
            (ui::live("collection-current", "compliance computers", Current::from(summary).show(&cx, &counted)))
        }
        (body)
    };
    Page::new(&cx, &known.name)
        .crumb(computers::collections(&cx), cx.to("/computers/collections"))
        .fact(computers::title(&cx), html! { (ui::number(&cx, known.members_below)) (tree::marks(&cx, &known)) })
        .fact(
            t::col_compliance(&cx),
            compliant.map_or_else(|| ui::none(&cx), |summary| html! { (ui::percent(&cx, summary.percent)) }),
        )
        .fact(t::col_deployments(&cx), html! { (ui::number(&cx, known.deployments)) })
        .tabs(vec![
            Tab::new(&cx, "members", true, t::tab_members(&cx)).number(known.members_below),
            Tab::new(&cx, "definition", false, t::tab_definition(&cx)),
            Tab::new(&cx, "deployments", false, t::col_deployments(&cx)).number(known.deployments),
            Tab::new(&cx, "windows", false, computers::windows(&cx)),
            Tab::new(&cx, "settings", false, computers::client_settings(&cx)),
            Tab::new(&cx, "trend", false, t::tab_trend(&cx)),
        ])
        .actions(acts(&cx, &known))
        .body(body)
        .render()
        .await
}

fn acts(cx: &Cx, known: &Collection) -> Markup {
    let here = collection_at(&Reference { id: known.id, name: known.name.clone() });
    html! {
        @if cx.may(Role::SoftwareUpdateManager) {
            a.button.primary href=(Address::new("/deployments/new").with("collection", &known.name)) { (t::deploy(cx)) }
            @if !known.built_in {
                a.button href={ (here) "/edit" } { (t::edit(cx)) }
                a.button href={ (here) "/delete" } { (t::delete(cx)) }
            }
        }
    }
}

async fn members(cx: &Cx, known: &Collection, id: &str) -> Result<Part, Failure> {
    let here = path(&["collections", id, "members"]);
    let list = listed(cx, |cursor, limit| {
        let (query, here) = (ListQuery { cursor, limit }, here.as_str());
        async move { cx.api.get::<List<Member>>(here, &query).await }
    })
    .await?;
    let mut columns = list::columns(cx, |row: &Member| &row.computer);
    columns.insert(
        1,
        Column::new("why", computers::col_why(cx), |row: &Member| {
            html! { @for (at, source) in row.sources.iter().enumerate() { @if at > 0 { ", " } (t::source(cx, &ui::word(source))) } }
        })
        .text(|row: &Member| row.sources.iter().map(ui::word).collect::<Vec<_>>().join(" "))
        .narrow(),
    );
    let empty = if known.kind == Some(weir_api::collection::CollectionKind::Rule) {
        ui::empty(t::members_none_rule(cx), None)
    } else {
        ui::empty(t::members_none(cx), Some((t::members_choose(cx), "/computers")))
    };
    let grid = Grid::new(cx, "members", t::tab_members(cx), columns, &list.items)
        .next(list.next.as_deref())
        .total(known.members_below)
        .empty(empty);
    let grid = list::selected(cx, grid, |row| row.computer.id.clone());
    let all = Address::new("/computers").with("f", format!("collection:{}", known.name));
    Ok(Part::of(cx, &grid, |grid| {
        html! { p { a href=(all) { (t::members_in_list(cx)) } } (grid) }
    }))
}

/// How it gets its members, in full.
fn definition(cx: &Cx, known: &Collection) -> Markup {
    let text = |text: Option<&String>| text.map_or_else(|| ui::none(cx), |text| html! { (text) });
    let by_rule = known.kind == Some(weir_api::collection::CollectionKind::Rule);
    let mut facts = vec![
        (t::kind_label(cx).to_owned(), html! { (tree::kind(cx, known)) }),
        (t::description_label(cx).to_owned(), text(known.description.as_ref())),
        (
            t::parent_label(cx).to_owned(),
            known
                .parent
                .as_ref()
                .map_or_else(|| ui::none(cx), |parent| collection_links(cx, std::slice::from_ref(parent))),
        ),
        (t::zone_label(cx).to_owned(), text(known.time_zone.as_ref())),
        (
            t::approved_only(cx).to_owned(),
            html! { @if known.approved_only { (badge(Tone::Plain, t::mark_approved_only(cx))) } @else { (ui::none(cx)) } },
        ),
    ];
    if by_rule {
        facts.extend([
            (
                t::rule_label(cx).to_owned(),
                known.rule.as_ref().map_or_else(|| ui::none(cx), |rule| html! { code { (rule) } }),
            ),
            (t::includes_label(cx).to_owned(), collection_links(cx, &known.includes)),
            (t::excludes_label(cx).to_owned(), collection_links(cx, &known.excludes)),
            (
                t::limiting_label(cx).to_owned(),
                known.limiting.as_ref().map_or_else(
                    || html! { (t::all_computers(cx)) },
                    |one| collection_links(cx, std::slice::from_ref(one)),
                ),
            ),
            (t::direct_label(cx).to_owned(), html! { (ui::number(cx, known.direct)) }),
        ]);
    }
    html! { section.panel { (ui::facts(facts)) } }
}

async fn deployments(cx: &Cx, known: &Collection, id: &str) -> Result<Part, Failure> {
    let list = listed(cx, |cursor, limit| {
        let limit = limit.map(|limit| limit.min(DEPLOYMENTS));
        let query = DeploymentComplianceQuery { collection: Some(id.to_owned()), cursor, limit };
        async move { cx.api.get::<List<DeploymentCompliance>>("/compliance/deployments", &query).await }
    })
    .await?;
    let columns = vec![
        Column::new("name", computers::col_deployment(cx), |row: &DeploymentCompliance| {
            html! { a href=(path(&["deployments", &row.id.to_string()])) { (row.name) } @if !row.enabled { " " (badge(Tone::Plain, t::switched_off(cx))) } }
        })
        .text(|row| row.name.clone())
        .wide()
        .narrow(),
        Column::new("action", t::col_action(cx), |row: &DeploymentCompliance| html! { (t::deployment_action(cx, &ui::word(&row.action))) })
            .text(|row| ui::word(&row.action)),
        Column::new("percent", t::col_compliance(cx), |row: &DeploymentCompliance| {
            html! { span.share { (chart::meter(cx, t::col_compliance(cx), row.percent, None)) span.number { (ui::percent(cx, row.percent)) } } }
        })
        .text(|row| row.percent.map(|it| it.to_string()).unwrap_or_default())
        .narrow(),
        Column::number(cx, "updates", t::col_updates(cx), |row: &DeploymentCompliance| row.updates),
        Column::number(cx, "progress", t::col_in_progress(cx), |row: &DeploymentCompliance| row.statuses.in_progress),
        Column::number(cx, "error", computers::col_failed(cx), |row: &DeploymentCompliance| row.statuses.error).narrow(),
        Column::number(cx, "unknown", t::col_unknown(cx), |row: &DeploymentCompliance| row.statuses.unknown),
        Column::new("available", t::col_available(cx), |row: &DeploymentCompliance| ui::time(cx, row.available)).text(|row| row.available.to_string()),
        Column::new("deadline", computers::col_deadline(cx), |row: &DeploymentCompliance| ui::time_or(cx, row.deadline))
            .text(|row| row.deadline.map(|at| at.to_string()).unwrap_or_default()),
    ];
    let new = Address::new("/deployments/new").with("collection", &known.name).to_string();
    let next = cx.may(Role::SoftwareUpdateManager).then_some((t::deploy(cx), new.as_str()));
    let grid = Grid::new(cx, "deployments", t::col_deployments(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::deployments_none(cx), next));
    Ok(Part::of(cx, &grid, |grid| ui::live("deployments-live", "deployments compliance", grid)))
}

async fn windows(cx: &Cx, known: &Collection, id: &str) -> Result<Part, Failure> {
    let own = listed(cx, |cursor, limit| {
        let query = WindowQuery { collection: Some(id.to_owned()), cursor, limit };
        async move { cx.api.get::<List<Window>>("/windows", &query).await }
    });
    let asked = NextWindowQuery { collection: Some(id.to_owned()), ..NextWindowQuery::default() };
    let (list, next) = tokio::join!(own, cx.api.get::<List<NextWindow>>("/windows-next", &asked));
    let (list, next) = (list?, next.map(|list| list.items).unwrap_or_default());
    let columns = vec![
        Column::new("name", computers::col_name(cx), |row: &Window| {
            html! { a href=(path(&["deployments", "windows", &row.id.to_string()])) { (row.name) } @if !row.enabled { " " (badge(Tone::Plain, t::switched_off(cx))) } }
        })
        .text(|row| row.name.clone())
        .narrow(),
        Column::new("schedule", t::col_schedule(cx), |row: &Window| html! { span lang="en" { (row.description) } })
            .text(|row| row.description.clone())
            .wide()
            .narrow(),
        Column::new("minutes", t::col_lasts(cx), |row: &Window| html! { (crate::texts::common::minutes(cx, u64::from(row.minutes))) })
            .text(|row| row.minutes.to_string()),
        Column::new("kind", t::col_window_for(cx), |row: &Window| html! { (t::window_kind(cx, &ui::word(&row.kind))) }).text(|row| ui::word(&row.kind)),
        Column::new("next", t::col_next(cx), |row: &Window| row.next.map_or_else(|| ui::none(cx), |at| html! { (ui::time(cx, at)) div.quiet { (ui::ago(cx, at)) } }))
            .text(|row| row.next.map(|at| at.to_string()).unwrap_or_default())
            .narrow(),
    ];
    let new = Address::new("/deployments/windows/new").with("collection", &known.name).to_string();
    let make = (cx.may(Role::SoftwareUpdateManager) && !known.built_in).then_some((t::window_new(cx), new.as_str()));
    let grid = Grid::new(cx, "windows", computers::windows(cx), columns, &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::windows_none(cx), make));
    Ok(Part::of(cx, &grid, |grid| {
        html! {
            section.panel { (ui::facts([(t::next_alone(cx).to_owned(), detail::next_window(cx, next.first()))])) }
            (ui::live("windows-live", "collections", grid))
            @if let (Some((label, address)), false) = (make, list.items.is_empty()) { p { a.button href=(address) { (label) } } }
        }
    }))
}

async fn settings(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    let settings: ResultantClientSettings = cx.api.get(&path(&["collections", id, "client-settings"]), &()).await?;
    Ok(html! { p.quiet { (t::settings_alone(cx)) } (detail::resulting(cx, &settings)) })
}

/// Compliance of the last days, of those with a record.
async fn trend(cx: &Cx, id: &str) -> Result<Markup, Failure> {
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let from = today.checked_sub((DAYS - 1).days()).ok();
    let query = HistoryQuery { collection: Some(id.to_owned()), from, ..HistoryQuery::default() };
    let history: History = cx.api.get("/compliance/history", &query).await?;
    if history.items.iter().all(|day| day.percent.is_none()) {
        return Ok(ui::empty(t::trend_none(cx), None));
    }
    let days: Vec<String> = history.items.iter().map(|day| Date::to_string(&day.day)).collect();
    let line = chart::Series {
        label: t::col_compliance(cx).to_owned(),
        values: history.items.iter().map(|day| day.percent).collect(),
    };
    Ok(
        html! { section.panel { (chart::trend(cx, t::tab_trend(cx), &days, &[line])) p.quiet { (t::trend_zone(cx, &history.time_zone)) } } },
    )
}
