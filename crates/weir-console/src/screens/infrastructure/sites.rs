//! The tree of sites: every update point with its state, its catalogue, and how its computers stand.

use std::collections::HashMap;

use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    compliance::{ServerSummary, ServerSummaryQuery},
    list::ListQuery,
    site::{ConfigurationState, Site, SyncState},
};

use super::{may, span};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::infrastructure as t,
    ui::{
        self,
        badge::{Tone, badge},
        chart::{self, TreeNode},
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Sites of a tree, as REST bounds it.
const MOST: usize = 10_000;

/// The sites, and how their computers stand by server.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Top down.
    pub(super) sites: Vec<Site>,
    standing: HashMap<Option<Uuid>, ServerSummary>,
}

impl Known {
    /// Asks REST. Who may not see compliance sees the tree all the same.
    pub(super) async fn load(cx: &Cx) -> Result<Self, Failure> {
        let asked = ServerSummaryQuery::default();
        let sites = cx.api.all(MOST, |cursor| async move {
            cx.api.get::<List<Site>>("/sites", &ListQuery { cursor, limit: Some(1000) }).await
        });
        let standing = cx.api.get::<List<ServerSummary>>("/compliance/servers", &asked);
        let (sites, standing) = tokio::join!(sites, standing);
        let standing = standing.map(|list| list.items).unwrap_or_default();
        let standing = standing.into_iter().map(|one| (one.server.as_ref().map(|server| server.id), one)).collect();
        Ok(Self { sites: sites?, standing })
    }

    /// How the computers of a site stand; none if its server never rolled up.
    pub(super) fn standing(&self, site: &Site) -> Option<&ServerSummary> {
        let server = if site.here { None } else { Some(site.point.as_ref()?.server_id) };
        self.standing.get(&server)
    }
}

/// What is not well with a site: the word of a text, and how bad it is.
pub(super) fn troubles(site: &Site) -> Vec<(&'static str, Tone)> {
    let point = site.point.as_ref();
    let failed = point.is_some_and(|point| point.sync.state == SyncState::Failed);
    let drifted = point.is_some_and(|point| point.drift.as_ref().is_some_and(|kinds| !kinds.is_empty()));
    let all = [
        (site.configuration == ConfigurationState::Refused, "refused", Tone::Bad),
        (failed, "sync_failed", Tone::Bad),
        (site.connected == Some(false), "not_connected", Tone::Warn),
        (site.behind, "behind", Tone::Warn),
        (drifted, "drifted", Tone::Warn),
    ];
    all.into_iter().filter(|(holds, ..)| *holds).map(|(_, word, tone)| (word, tone)).collect()
}

/// Badges of how a site stands: what is not well, else how far its configuration is.
pub(super) fn state(cx: &Cx, site: &Site) -> Markup {
    let troubles = troubles(site);
    let tone = match site.configuration {
        ConfigurationState::Configured => Tone::Good,
        ConfigurationState::Invited | ConfigurationState::Pending => Tone::Busy,
        ConfigurationState::Refused => Tone::Bad,
        ConfigurationState::Defined | ConfigurationState::Unknown => Tone::Plain,
    };
    html! {
        @if troubles.is_empty() { (badge(tone, &t::configuration(cx, &ui::word(&site.configuration)))) }
        @for (word, tone) in troubles { (badge(tone, &t::trouble(cx, word))) " " }
    }
}

/// The version of the catalogue that a site has, and how far it is behind.
pub(super) fn catalogue(cx: &Cx, site: &Site) -> Markup {
    let Some(point) = &site.point else { return ui::none(cx) };
    html! {
        span.number { (ui::number(cx, point.catalogue_version)) }
        " "
        @if site.behind { span { (t::behind(cx, span(cx, site.lag_seconds))) } }
        @else { span.quiet { (t::in_step(cx)) } }
    }
}

fn compliance(cx: &Cx, standing: Option<&ServerSummary>) -> Markup {
    match standing.filter(|standing| standing.summary.computers > 0) {
        None => ui::none(cx),
        Some(standing) => html! {
            span.number { (ui::percent(cx, standing.summary.percent)) }
            (chart::meter(cx, t::compliance(cx), standing.summary.percent, None))
        },
    }
}

/// How old what is told of a site's computers is.
pub(super) fn age(cx: &Cx, site: &Site, standing: Option<&ServerSummary>) -> Markup {
    match (site.here, standing.and_then(|standing| standing.age_seconds)) {
        (true, _) => html! { span.quiet { (t::live(cx)) } },
        (false, Some(age)) => html! { (span(cx, age)) },
        (false, None) => ui::none(cx),
    }
}

/// The tree, the list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let known = Known::load(&cx).await?;
    let listed = cx.address.value("tab") == Some("list");
    let rows: Vec<&Site> = known.sites.iter().filter(|site| shown(&cx, site)).collect();
    if wants_csv(&cx.address) {
        return Ok(grid(&cx, &known, &rows).csv());
    }
    let attention = known.sites.iter().filter(|site| !troubles(site).is_empty()).count() as u64;
    let body = if listed {
        grid(&cx, &known, &rows).render()
    } else {
        html! {
            @if known.sites.len() < 2 { (alone(&cx)) }
            section.panel { (tree(&cx, &known)) }
        }
    };
    let above = known.sites.iter().any(|site| site.here && site.under.is_some());
    let actions = html! {
        @if may(&cx, Role::FullAdministrator) {
            @if above { a.button href="/infrastructure/leave" { (t::leave(&cx)) } }
            @else { a.button.primary href="/infrastructure/sites/new" { (t::site_new(&cx)) } }
        }
    };
    let mut page =
        Page::new(&cx, t::sites(&cx)).fact(t::sites(&cx), html! { (ui::number(&cx, known.sites.len() as u64)) });
    if attention > 0 {
        let link = cx.to("/infrastructure").with("tab", "list").with("only", "attention");
        page =
            page.fact(t::attention(&cx), html! { a href=(link) { (badge(Tone::Warn, &ui::number(&cx, attention))) } });
    }
    page.tabs(vec![Tab::new(&cx, "tree", true, t::tree(&cx)), Tab::new(&cx, "list", false, t::list(&cx))])
        .actions(actions)
        .body(ui::live("sites-live", "sites synchronization compliance", body))
        .render()
        .await
}

fn shown(cx: &Cx, site: &Site) -> bool {
    let text = cx.address.value("q").unwrap_or_default().to_lowercase();
    let host = site.point.as_ref().map(|point| point.host.to_lowercase()).unwrap_or_default();
    let attention = cx.address.value("only") != Some("attention") || !troubles(site).is_empty();
    attention && (site.name.to_lowercase().contains(&text) || host.contains(&text))
}

fn alone(cx: &Cx) -> Markup {
    html! {
        div.panel {
            p { (t::alone(cx)) }
            p.quiet { (t::alone_help(cx)) }
        }
    }
}

fn tree(cx: &Cx, known: &Known) -> Markup {
    let here = |site: &Site| !known.sites.iter().any(|above| site.under.as_ref().is_some_and(|it| it.id == above.id));
    let nodes: Vec<TreeNode> =
        known.sites.iter().filter(|site| here(site)).map(|site| node(cx, known, site, 0)).collect();
    html! {
        div.site-row.site-head aria-hidden="true" {
            span { (t::site(cx)) } span { (t::state(cx)) } span { (t::last_contact(cx)) } span { (t::catalogue(cx)) }
            span { (t::compliance(cx)) } span { (t::age(cx)) }
        }
        (chart::tree(t::sites(cx), &nodes))
    }
}

/// Below this depth no tree goes on: kinds do not nest so deep.
const DEEPEST: u8 = 8;

fn node(cx: &Cx, known: &Known, site: &Site, depth: u8) -> TreeNode {
    let below = known.sites.iter().filter(|other| other.under.as_ref().is_some_and(|above| above.id == site.id));
    TreeNode {
        name: site.name.clone(),
        content: row(cx, known, site),
        children: below.filter(|_| depth < DEEPEST).map(|other| node(cx, known, other, depth + 1)).collect(),
    }
}

fn row(cx: &Cx, known: &Known, site: &Site) -> Markup {
    let standing = known.standing(site);
    let hidden = |label: &str| html! { span.hide { (label) ": " } };
    html! {
        span.site-row {
            span { (name(cx, site)) }
            span { (hidden(t::state(cx))) (state(cx, site)) }
            span { (hidden(t::last_contact(cx))) (site.last_contact.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))) }
            span { (hidden(t::catalogue(cx))) (catalogue(cx, site)) }
            span { (hidden(t::compliance(cx))) (compliance(cx, standing)) }
            span { (hidden(t::age(cx))) (age(cx, site, standing)) }
        }
    }
}

fn name(cx: &Cx, site: &Site) -> Markup {
    html! {
        a href=(path(&["infrastructure", "sites", &site.id.to_string()])) { (site.name) }
        " " span.quiet { (t::kind(cx, site.kind.as_str())) @if site.here { " · " (t::here(cx)) } }
    }
}

fn grid<'a>(cx: &'a Cx, known: &'a Known, rows: &'a [&'a Site]) -> Grid<'a, &'a Site> {
    let number = |count: fn(&weir_api::site::Point) -> u64| {
        move |site: &&Site| site.point.as_ref().map(count).unwrap_or_default()
    };
    let columns = vec![
        Column::new("site", t::site(cx), |site: &&Site| name(cx, site)).text(|site| site.name.clone()).wide().narrow(),
        Column::new("kind", t::kind_label(cx), |site: &&Site| html! { (t::kind(cx, site.kind.as_str())) })
            .text(|site| site.kind.as_str().to_owned())
            .hidden(),
        Column::new("under", t::under(cx), |site: &&Site| {
            html! { (site.under.as_ref().map(|above| above.name.as_str()).unwrap_or_default()) }
        })
        .text(|site| site.under.as_ref().map(|above| above.name.clone()).unwrap_or_default()),
        Column::new("state", t::state(cx), |site: &&Site| state(cx, site))
            .text(|site| {
                let troubles = troubles(site);
                let words: Vec<&str> = troubles.iter().map(|(word, _)| *word).collect();
                if words.is_empty() { ui::word(&site.configuration) } else { words.join(" ") }
            })
            .narrow(),
        Column::new("contact", t::last_contact(cx), |site: &&Site| {
            site.last_contact.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
        })
        .text(|site| site.last_contact.map(|at| at.to_string()).unwrap_or_default())
        .narrow(),
        Column::new("catalogue", t::catalogue(cx), |site: &&Site| catalogue(cx, site))
            .text(|site| site.point.as_ref().map(|point| point.catalogue_version.to_string()).unwrap_or_default()),
        Column::new("lag", t::lag(cx), |site: &&Site| {
            html! { @if site.behind { (span(cx, site.lag_seconds)) } @else { span.quiet { (t::in_step(cx)) } } }
        })
        .text(|site| site.lag_seconds.to_string())
        .hidden(),
        Column::new("compliance", t::compliance(cx), |site: &&Site| compliance(cx, known.standing(site)))
            .text(|site| {
                known.standing(site).and_then(|it| it.summary.percent).map(|it| it.to_string()).unwrap_or_default()
            })
            .numeric()
            .narrow(),
        Column::new("age", t::age(cx), |site: &&Site| age(cx, site, known.standing(site))).text(|site| {
            known.standing(site).and_then(|it| it.age_seconds).map(|age| age.to_string()).unwrap_or_default()
        }),
        Column::number(cx, "computers", t::computers(cx), number(|point| point.computers)),
        Column::number(cx, "alerts", t::alerts(cx), number(|point| point.alerts)),
        Column::new("version", t::version(cx), |site: &&Site| {
            html! { (site.point.as_ref().map(|point| point.version.as_str()).unwrap_or_default()) }
        })
        .text(|site| site.point.as_ref().map(|point| point.version.clone()).unwrap_or_default())
        .hidden(),
        Column::new("host", t::host(cx), |site: &&Site| {
            html! { (site.point.as_ref().map(|point| point.host.as_str()).unwrap_or_default()) }
        })
        .text(|site| site.point.as_ref().map(|point| point.host.clone()).unwrap_or_default())
        .hidden(),
    ];
    let only = cx.address.value("only") == Some("attention");
    let filters = html! {
        label.hide for="site-q" { (t::site_filter(cx)) }
        input #site-q type="search" name="q" value=[cx.address.value("q")] placeholder=(t::site_filter(cx)) maxlength="100";
        label.check { input type="checkbox" name="only" value="attention" checked[only]; (t::only_attention(cx)) }
    };
    Grid::new(cx, "sites", t::sites(cx), columns, rows)
        .filters(filters)
        .empty(ui::empty(t::sites_none(cx), Some((t::sites(cx), "/infrastructure?tab=list"))))
}
