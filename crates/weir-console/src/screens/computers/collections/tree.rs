//! All collections: as a tree with their numbers and compliance, or as a list.

use std::collections::HashMap;

use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    access::Role,
    collection::{Collection, CollectionKind},
    compliance::{Summary, SummaryQuery},
};

use super::super::{Part, collection_at, names, rest};
use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{collections as t, computers},
    ui::{
        self,
        badge::{Tone, badge},
        chart::{self, TreeNode},
        grid::{Column, Grid},
        tabs::Tab,
    },
};

/// Collections whose compliance is asked for, those of most computers first.
const MOST_SUMMARIES: usize = 100;
/// Percent of computers from which compliance counts as good.
const GOAL: f64 = 95.0;

/// Compliance by collection.
type Summaries = HashMap<Uuid, Summary>;

/// The page, with the tab of the address.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let collections = rest::collections(&cx).await?;
    let summaries = summaries(&cx, &collections).await;
    let text = cx.address.value("text").map(str::to_lowercase);
    let shown: Vec<&Collection> = collections
        .iter()
        .filter(|one| text.as_ref().is_none_or(|text| one.name.to_lowercase().contains(text)))
        .collect();
    let part = match cx.address.value("tab") {
        None => Part::Page(as_tree(&cx, &collections, &summaries)),
        Some("list") => as_list(&cx, &shown, &summaries),
        Some(_) => return Err(Failure::NotFound),
    };
    let body = match part {
        Part::Csv(csv) => return Ok(csv),
        Part::Page(body) => body,
    };
    let own = collections.iter().filter(|one| !one.built_in).count() as u64;
    let mut page = Page::new(&cx, computers::collections(&cx))
        .tabs(vec![
            Tab::new(&cx, "tree", true, t::tab_tree(&cx)),
            Tab::new(&cx, "list", false, t::tab_list(&cx)).number(collections.len() as u64),
        ])
        .body(body);
    if cx.may(Role::SoftwareUpdateManager) {
        page = page.actions(
            html! { a.button.primary[own == 0] href="/computers/collections/new" { (computers::collection_new(&cx)) } },
        );
    }
    page.render().await
}

async fn summaries(cx: &Cx, collections: &[Collection]) -> Summaries {
    let mut asked: Vec<&Collection> = collections.iter().filter(|one| one.members_below > 0).collect();
    asked.sort_by_key(|one| std::cmp::Reverse(one.members_below));
    asked.truncate(MOST_SUMMARIES);
    let questions = asked.iter().map(|one| {
        let query =
            SummaryQuery { collection: Some(one.id.to_string()), server: cx.server(), ..SummaryQuery::default() };
        ("/compliance/summary".to_owned(), query)
    });
    let answers = rest::each::<SummaryQuery, Summary>(cx, questions.collect()).await;
    asked.iter().zip(answers).filter_map(|(one, answer)| Some((one.id, answer?))).collect()
}

fn as_tree(cx: &Cx, collections: &[Collection], summaries: &Summaries) -> Markup {
    let mut below: HashMap<Option<Uuid>, Vec<&Collection>> = HashMap::new();
    for one in collections {
        below.entry(one.parent.as_ref().map(|parent| parent.id)).or_default().push(one);
    }
    let known: Vec<Uuid> = collections.iter().map(|one| one.id).collect();
    // whoever is limited to collections does not see those above them
    let orphans = below.iter().filter(|(parent, _)| parent.is_some_and(|parent| !known.contains(&parent)));
    let mut roots: Vec<&Collection> =
        below.get(&None).into_iter().flatten().chain(orphans.flat_map(|(_, some)| some)).copied().collect();
    roots.sort_by_key(|one| one.name.to_lowercase());
    let nodes: Vec<TreeNode> = roots.iter().map(|one| node(cx, one, &below, summaries, 0)).collect();
    let alone = collections.iter().all(|one| one.built_in);
    html! {
        (ui::live("collections-live", "collections", html! {
            section.panel.collections {
                div.branch.heads aria-hidden="true" {
                    span { (t::col_collection(cx)) } span.number { (computers::title(cx)) } span.number { (t::col_deployments(cx)) } span { (t::col_compliance(cx)) }
                }
                (chart::tree(computers::collections(cx), &nodes))
            }
        }))
        @if alone { (ui::empty(t::only_built_in(cx), cx.may(Role::SoftwareUpdateManager).then_some((computers::collection_new(cx), "/computers/collections/new")))) }
    }
}

/// Below this depth collections do not lie; the bound only guards against circles.
const DEEPEST: u8 = 32;

fn node(
    cx: &Cx,
    one: &Collection,
    below: &HashMap<Option<Uuid>, Vec<&Collection>>,
    summaries: &Summaries,
    depth: u8,
) -> TreeNode {
    let children = below.get(&Some(one.id)).map(Vec::as_slice).unwrap_or_default();
    let children = if depth < DEEPEST { children } else { &[] };
    TreeNode {
        name: one.name.clone(),
        content: html! {
            span.branch {
                span { (name(one)) (marks(cx, one)) }
                span.number { (ui::number(cx, one.members_below)) span.hide { " " (computers::title(cx)) } }
                span.number.quiet[one.deployments == 0] { (ui::number(cx, one.deployments)) span.hide { " " (t::col_deployments(cx)) } }
                (compliance(cx, one, summaries))
            }
        },
        children: children.iter().map(|child| node(cx, child, below, summaries, depth + 1)).collect(),
    }
}

fn name(one: &Collection) -> Markup {
    let reference = weir_api::Reference { id: one.id, name: one.name.clone() };
    html! { a href=(collection_at(&reference)) { (one.name) } }
}

/// What one should know of it beside its numbers.
pub(super) fn marks(cx: &Cx, one: &Collection) -> Markup {
    html! {
        @if one.built_in { " " (badge(Tone::Plain, t::built_in(cx))) }
        @else if let Some(kind) = one.kind { @if kind == CollectionKind::Rule { " " (badge(Tone::Plain, t::by_rule(cx))) } }
        @if one.approved_only { " " (badge(Tone::Plain, t::mark_approved_only(cx))) }
        @if one.evaluating.is_some() { " " (badge(Tone::Busy, t::evaluating(cx))) }
    }
}

fn compliance(cx: &Cx, one: &Collection, summaries: &Summaries) -> Markup {
    match summaries.get(&one.id) {
        None => ui::none(cx),
        Some(summary) => html! {
            span.share { (chart::meter(cx, t::col_compliance(cx), summary.percent, Some(GOAL))) span.number { (ui::percent(cx, summary.percent)) } }
        },
    }
}

fn as_list(cx: &Cx, shown: &[&Collection], summaries: &Summaries) -> Part {
    let columns = vec![
        Column::new("name", t::col_collection(cx), |row: &&Collection| {
            html! { (name(row)) (marks(cx, row)) @if let Some(description) = &row.description { div.quiet { (description) } } }
        })
        .text(|row| row.name.clone())
        .wide()
        .narrow(),
        Column::new("kind", t::kind_label(cx), |row: &&Collection| html! { (kind(cx, row)) })
            .text(|row| row.kind.map(|kind| ui::word(&kind)).unwrap_or_default()),
        Column::number(cx, "members", t::col_members(cx), |row: &&Collection| row.members),
        Column::number(cx, "below", t::col_below(cx), |row: &&Collection| row.members_below).narrow(),
        Column::number(cx, "deployments", t::col_deployments(cx), |row: &&Collection| row.deployments).narrow(),
        Column::new("compliance", t::col_compliance(cx), |row: &&Collection| compliance(cx, row, summaries))
            .text(|row| summaries.get(&row.id).and_then(|it| it.percent).map(|it| it.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("parent", t::parent_label(cx), |row: &&Collection| {
            html! { @if let Some(parent) = &row.parent { a href=(collection_at(parent)) { (parent.name) } } }
        })
        .text(|row| row.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default()),
        Column::new("rule", t::rule_label(cx), |row: &&Collection| html! { code { (row.rule.as_deref().unwrap_or_default()) } })
            .text(|row| row.rule.clone().unwrap_or_default()),
        Column::new("includes", t::includes_label(cx), |row: &&Collection| html! { (names(&row.includes)) })
            .text(|row| names(&row.includes))
            .hidden(),
        Column::new("excludes", t::excludes_label(cx), |row: &&Collection| html! { (names(&row.excludes)) })
            .text(|row| names(&row.excludes))
            .hidden(),
        Column::new("zone", t::zone_label(cx), |row: &&Collection| html! { (row.time_zone.as_deref().unwrap_or_default()) })
            .text(|row| row.time_zone.clone().unwrap_or_default())
            .hidden(),
    ];
    let filters = html! {
        label.hide for="text" { (t::filter_text(cx)) }
        input #text type="search" name="text" value=[cx.address.value("text")] placeholder=(t::filter_text(cx)) maxlength="256";
    };
    let here = Address::new("/computers/collections").with("tab", "list").to_string();
    let grid = Grid::new(cx, "collections", computers::collections(cx), columns, shown)
        .filters(filters)
        .empty(ui::empty(t::no_such(cx), Some((t::every_collection(cx), here.as_str()))));
    Part::of(cx, &grid, |grid| ui::live("collections-live", "collections", grid))
}

/// How it gets its members.
pub(super) fn kind(cx: &Cx, one: &Collection) -> String {
    match one.kind {
        _ if one.built_in => t::built_in(cx).to_owned(),
        Some(CollectionKind::Rule) => t::kinds(cx, "rule"),
        Some(CollectionKind::TargetGroup) | None => t::kinds(cx, "target_group"),
    }
}
