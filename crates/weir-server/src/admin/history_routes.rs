//! Routes of the history of compliance.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    history::{
        History, HistoryQuery, HistoryRecorded, HistorySubject, HistorySubjectQuery, TimeTo, TimeToQuery, Trend,
        TrendQuery,
    },
};

use super::{AdminError, App, Caller, extract::Query, history};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(history_show))
        .routes(routes!(history_subjects))
        .routes(routes!(history_record))
        .routes(routes!(history_trend))
        .routes(routes!(history_time_to))
}

/// How compliance went day by day: of a collection, a server, an update group or an update.
#[utoipa::path(get, path = "/compliance/history", tag = "compliance", params(HistoryQuery), responses((status = 200, body = History)))]
async fn history_show(State(app): State<App>, Query(query): Query<HistoryQuery>) -> Answer<History> {
    history::show(&app, query).await.map(Json)
}

/// What history is kept of.
#[utoipa::path(get, path = "/compliance/history/subjects", tag = "compliance", params(HistorySubjectQuery), responses((status = 200, body = List<HistorySubject>)))]
async fn history_subjects(
    State(app): State<App>,
    Query(query): Query<HistorySubjectQuery>,
) -> Answer<List<HistorySubject>> {
    history::subjects(&app, query).await.map(Json)
}

/// Takes the record of today now. It is taken by itself every hour.
#[utoipa::path(post, path = "/compliance/history/record", tag = "compliance", responses((status = 200, body = HistoryRecorded)))]
async fn history_record(State(app): State<App>, caller: Caller) -> Answer<HistoryRecorded> {
    history::record(&app, &caller).await.map(Json)
}

/// How an update group went ring by ring: phases of a phased deployment, or collections.
#[utoipa::path(get, path = "/compliance/trend", tag = "compliance", params(TrendQuery), responses((status = 200, body = Trend)))]
async fn history_trend(State(app): State<App>, Query(query): Query<TrendQuery>) -> Answer<Trend> {
    history::trend(&app, query).await.map(Json)
}

/// When 50, 90 and 95 percent complied.
#[utoipa::path(get, path = "/compliance/time-to", tag = "compliance", params(TimeToQuery), responses((status = 200, body = TimeTo)))]
async fn history_time_to(State(app): State<App>, Query(query): Query<TimeToQuery>) -> Answer<TimeTo> {
    history::time_to(&app, query).await.map(Json)
}
