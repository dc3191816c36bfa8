//! Overview: are we safe, what is in the way, what happens next.

mod first_day;
mod since;
mod tiles;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use futures_util::future;
use jiff::{ToSpan as _, civil::Date};
use maud::{Markup, html};
use weir_api::{
    Reference,
    compliance::{Summary, SummaryQuery},
    deployment::{DeploymentList, DeploymentQuery},
    exposure,
    freshness::{FreshnessQuery, FreshnessSummary},
    history::{History, HistoryQuery},
    status::Status,
    sync::SyncStatus,
};

use crate::{
    Console,
    cx::Cx,
    failure::Failure,
    layout::Page,
    nav::Entry,
    texts::overview as t,
    ui::{self, chart},
};

/// Its pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/", get(show)).route("/first-day/synchronize", post(first_day::synchronize))
}

/// What the rail lists of it.
pub(crate) fn entries(_cx: &Cx) -> Vec<Entry> {
    Vec::new()
}

/// Days of the trend.
const DAYS: i64 = 90;
/// Rings of the trend, all computers aside.
const RINGS: usize = 4;

async fn show(cx: Cx) -> Result<Response, Failure> {
    let server = cx.server();
    let freshness = FreshnessQuery { server: server.clone(), ..FreshnessQuery::default() };
    let summary = SummaryQuery { server: server.clone(), ..SummaryQuery::default() };
    let (status, sync, summary, freshness, exposure, trend, since) = tokio::join!(
        cx.api.get::<Status>("/status", &()),
        cx.api.get::<SyncStatus>("/sync", &()),
        cx.api.get::<Summary>("/compliance/summary", &summary),
        cx.api.get::<FreshnessSummary>("/compliance/freshness", &freshness),
        cx.api.get::<exposure::Summary>("/exposure/summary", &()),
        trend(&cx, server),
        since::since(&cx),
    );
    let (status, sync) = (status?, sync?);
    if status.counts.revisions == 0 {
        let body = ui::live("first-day", "synchronization updates settings", first_day::steps(&cx, &status, &sync));
        return Page::new(&cx, t::first_day(&cx)).body(body).render().await;
    }
    let summary = summary?;
    let tiles = tiles::tiles(&cx, &summary, freshness?, &exposure.unwrap_or_default(), &sync);
    let body = html! {
        @if status.steps.iter().any(|step| !step.done) {
            (ui::live("first-day", "synchronization updates computers settings deployments", first_day::steps(&cx, &status, &sync)))
        }
        (ui::live("tiles", "compliance computers synchronization exposure", tiles))
        div.columns {
            div {
                section.panel { (chart::states(&cx, t::states(&cx), &summary.counts, |state| {
                    Some(cx.to("/computers").with("state", state).to_string())
                })) }
                @if let Some(trend) = trend { section.panel { (trend) } }
            }
            (since)
        }
    };
    let as_of = ui::time(&cx, summary.as_of);
    Page::new(&cx, t::title(&cx)).fact(t::as_of(&cx), as_of).body(body).render().await
}

/// Compliance of the last 90 days: all computers, and each collection that something is deployed to, first ring first.
async fn trend(cx: &Cx, server: Option<String>) -> Option<Markup> {
    let today = cx.now.to_zoned(cx.zone.clone()).date();
    let from = today.checked_sub((DAYS - 1).days()).ok()?;
    let query = |collection: Option<String>, server: Option<String>| HistoryQuery {
        collection,
        server,
        from: Some(from),
        ..HistoryQuery::default()
    };
    let of_rings = async {
        let rings = if server.is_none() { rings(cx).await } else { Vec::new() };
        let asked = rings.into_iter().map(|ring| history(cx, ring.name, query(Some(ring.id.to_string()), None)));
        future::join_all(asked).await
    };
    let of_all = history(cx, t::all_computers(cx).to_owned(), query(None, server.clone()));
    let (of_all, of_rings) = tokio::join!(of_all, of_rings);
    let histories: Vec<(String, History)> = std::iter::once(of_all).chain(of_rings).flatten().collect();
    let days: Vec<Date> = histories.first()?.1.items.iter().map(|day| day.day).collect();
    let series: Vec<chart::Series> = histories
        .into_iter()
        .map(|(label, history)| chart::Series {
            label,
            values: days
                .iter()
                .map(|day| history.items.iter().find(|known| known.day == *day).and_then(|known| known.percent))
                .collect(),
        })
        .filter(|line| line.values.iter().any(Option::is_some))
        .collect();
    if series.is_empty() {
        return Some(html! { h2 { (t::trend(cx)) } p.quiet { (t::trend_empty(cx)) } });
    }
    let days: Vec<String> = days.iter().map(Date::to_string).collect();
    Some(chart::trend(cx, t::trend(cx), &days, &series))
}

async fn history(cx: &Cx, label: String, query: HistoryQuery) -> Option<(String, History)> {
    let history = cx.api.get::<History>("/compliance/history", &query).await.ok()?;
    Some((label, history))
}

/// Collections that something is deployed to, the first that got something first.
async fn rings(cx: &Cx) -> Vec<Reference> {
    let query = DeploymentQuery { limit: Some(1), ..DeploymentQuery::default() };
    let list = cx.api.get::<DeploymentList>("/deployments", &query).await.unwrap_or_default();
    list.collections.into_iter().take(RINGS).collect()
}
