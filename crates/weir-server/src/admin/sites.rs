//! Routes of the tree of sites; what they do is in [`crate::sites`].

use axum::{Json, extract::State};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    site::{EnrolmentCode, EnrolmentRequest, LeaveQuery, Left, Site, SiteCreate, SiteCreated},
};

use super::{
    AdminError, App, Caller,
    extract::{Body, Path, Query},
    list,
};
use crate::sites;

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sites_list, sites_create))
        .routes(routes!(sites_show, sites_delete))
        .routes(routes!(sites_enrol))
        .routes(routes!(parent_leave))
}

/// Sites of the tree with the state of their update points, top down.
#[utoipa::path(get, path = "/sites", tag = "sites", params(ListQuery), responses((status = 200, body = List<Site>)))]
async fn sites_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<Site>> {
    let limit = list::limit(query.limit)?;
    let sites = sites::list(&app).await?;
    list::page(sites, |site| site.id.to_string(), query.cursor.as_deref(), limit).map(Json)
}

/// Defines a site.
#[utoipa::path(post, path = "/sites", tag = "sites", request_body = SiteCreate, responses((status = 201, body = SiteCreated)))]
async fn sites_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<SiteCreate>,
) -> Result<(StatusCode, Json<SiteCreated>), AdminError> {
    Ok((StatusCode::CREATED, Json(sites::add(&app, &caller, new).await?)))
}

/// One site, by id or name.
#[utoipa::path(get, path = "/sites/{site}", tag = "sites", params(("site" = String, Path)), responses((status = 200, body = Site)))]
async fn sites_show(State(app): State<App>, Path(name): Path<String>) -> Answer<Site> {
    sites::show(&app, &name).await.map(Json)
}

/// Removes a site; its server is shut out at once.
#[utoipa::path(delete, path = "/sites/{site}", tag = "sites", params(("site" = String, Path)), responses((status = 204)))]
async fn sites_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    sites::remove(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Makes a code that a server enrols with as this site, once, within 24 hours.
#[utoipa::path(post, path = "/sites/{site}/enrolment", tag = "sites", params(("site" = String, Path)), request_body = EnrolmentRequest, responses((status = 201, body = EnrolmentCode)))]
async fn sites_enrol(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(request): Body<EnrolmentRequest>,
) -> Result<(StatusCode, Json<EnrolmentCode>), AdminError> {
    Ok((StatusCode::CREATED, Json(sites::invite(&app, &caller, name, request).await?)))
}

/// Takes this server out of the tree above it.
#[utoipa::path(delete, path = "/parent", tag = "sites", params(LeaveQuery), responses((status = 200, body = Left)))]
async fn parent_leave(State(app): State<App>, caller: Caller, Query(query): Query<LeaveQuery>) -> Answer<Left> {
    sites::leave(&app, &caller, query.force).await.map(Json)
}
