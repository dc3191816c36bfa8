//! Routes of changes of many things.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::bulk::{AlertsChange, Changed, ComputersChange, DeploymentsChange};

use super::{AdminError, App, Caller, bulk, extract::Body};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(computers_change_many))
        .routes(routes!(deployments_change_many))
        .routes(routes!(alerts_change_many))
}

/// Puts many computers into a collection, takes them out of one, or forgets them; or says what would become of each.
#[utoipa::path(post, path = "/computers-change", tag = "computers", request_body = ComputersChange, responses((status = 200, body = Changed)))]
async fn computers_change_many(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<ComputersChange>,
) -> Answer<Changed> {
    bulk::computers(&app, &caller, change).await.map(Json)
}

/// Deletes many deployments, or switches them on or off; or says what would become of each.
#[utoipa::path(post, path = "/deployments-change", tag = "deployments", request_body = DeploymentsChange, responses((status = 200, body = Changed)))]
async fn deployments_change_many(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<DeploymentsChange>,
) -> Answer<Changed> {
    bulk::deployments(&app, &caller, change).await.map(Json)
}

/// Acknowledges, mutes or closes many alerts; or says what would become of each.
#[utoipa::path(post, path = "/alerts-change", tag = "alerts", request_body = AlertsChange, responses((status = 200, body = Changed)))]
async fn alerts_change_many(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<AlertsChange>,
) -> Answer<Changed> {
    bulk::alerts(&app, &caller, change).await.map(Json)
}
