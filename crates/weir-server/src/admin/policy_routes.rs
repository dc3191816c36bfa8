//! Routes of the Windows policy.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    list::ListQuery,
    policy::{Policy, PolicyCheck, PolicyChecked, PolicyKnown, PolicyRender},
};

use super::{
    AdminError, App,
    extract::{Body, Query},
    policy,
};

/// All of them.
pub(crate) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(policy_render)).routes(routes!(policy_check)).routes(routes!(policy_values))
}

/// Makes the policy of a site. Nothing is changed.
#[utoipa::path(
    post, path = "/policy/render", tag = "policy", request_body = PolicyRender,
    responses((status = 200, body = Policy, description = "The policy, or a file in the form asked for"))
)]
async fn policy_render(State(app): State<App>, Body(request): Body<PolicyRender>) -> Result<Response, AdminError> {
    let file = policy::rendered(&app, request).await?;
    let mut response = file.bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media));
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.name))
        && !file.name.is_empty()
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Says what of a policy keeps computers from scanning at a site. Nothing is kept.
#[utoipa::path(post, path = "/policy/check", tag = "policy", request_body = PolicyCheck, responses((status = 200, body = PolicyChecked)))]
async fn policy_check(
    State(app): State<App>,
    Body(request): Body<PolicyCheck>,
) -> Result<Json<PolicyChecked>, AdminError> {
    policy::checked(&app, request).await.map(Json)
}

/// Every registry value of the policy that is known.
#[utoipa::path(get, path = "/policy/values", tag = "policy", params(ListQuery), responses((status = 200, body = List<PolicyKnown>)))]
async fn policy_values(Query(query): Query<ListQuery>) -> Result<Json<List<PolicyKnown>>, AdminError> {
    policy::values(&query).map(Json)
}
