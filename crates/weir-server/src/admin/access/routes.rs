//! Routes of users, sessions and tokens.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use weir_api::{
    List,
    access::{OpenSession, PasswordChange, Session, SessionCreate, SessionQuery, SignInMethods},
    approval::{Approval, ApprovalDecision, ApprovalQuery},
    list::ListQuery,
    token::{Token, TokenCreate, TokenCreated},
    user::{
        CertificateAdd, Granted, GroupMapping, PasswordReset, PasswordWasReset, User, UserCertificate, UserChange,
        UserCreate, UserCreated,
    },
};

use super::{Caller, approval, certificate, mapping, session, sign_in, token, user};
use crate::{
    admin::{
        AdminError, App,
        extract::{Body, Path, Query},
    },
    state::Connection,
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(in crate::admin) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session_create, session_show, session_end))
        .routes(routes!(session_password))
        .routes(routes!(sign_in_methods))
        .routes(routes!(sessions_list))
        .routes(routes!(sessions_delete))
        .routes(routes!(users_list, users_create))
        .routes(routes!(users_show, users_change, users_delete))
        .routes(routes!(users_password))
        .routes(routes!(certificates_list, certificates_add))
        .routes(routes!(certificates_remove))
        .routes(routes!(mappings_list))
        .routes(routes!(mappings_put, mappings_delete))
        .routes(routes!(tokens_list, tokens_create))
        .routes(routes!(tokens_revoke))
        .routes(routes!(approvals_list))
        .routes(routes!(approvals_show))
        .routes(routes!(approvals_approve))
        .routes(routes!(approvals_reject))
}

/// Signs a local user in. The answer sets the session cookie. Needs no proof of who asks.
#[utoipa::path(post, path = "/session", tag = "access", security(()), request_body = SessionCreate, responses((status = 201, body = Session)))]
async fn session_create(
    State(app): State<App>,
    connection: Option<axum::Extension<Connection>>,
    headers: HeaderMap,
    Body(new): Body<SessionCreate>,
) -> Result<Response, AdminError> {
    let connection = connection.map(|connection| connection.0);
    let (session, cookie) = sign_in::sign_in(&app, connection, &headers, new).await?;
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(session)).into_response())
}

/// How people can sign in. Needs no proof of who asks.
#[utoipa::path(get, path = "/sign-in-methods", tag = "access", security(()), responses((status = 200, body = SignInMethods)))]
async fn sign_in_methods(State(app): State<App>) -> Json<SignInMethods> {
    let issuer = app.process.oidc.as_ref().and_then(|oidc| oidc.issuer.parse::<http::Uri>().ok());
    Json(SignInMethods { password: true, oidc: issuer.and_then(|issuer| issuer.host().map(str::to_owned)) })
}

/// Who the request is from, and what that principal may do.
#[utoipa::path(get, path = "/session", tag = "access", responses((status = 200, body = Session)))]
async fn session_show(State(app): State<App>, caller: Caller) -> Answer<Session> {
    session::show(&app, caller).await.map(Json)
}

/// Ends the session of the request.
#[utoipa::path(delete, path = "/session", tag = "access", responses((status = 204)))]
async fn session_end(State(app): State<App>, caller: Caller) -> Result<Response, AdminError> {
    session::end(&app, &caller).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, session::no_cookie())]).into_response())
}

/// Changes the own password. The user's other sessions end, and the answer sets another cookie for this one.
#[utoipa::path(put, path = "/session/password", tag = "access", request_body = PasswordChange, responses((status = 204)))]
async fn session_password(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<PasswordChange>,
) -> Result<Response, AdminError> {
    let cookie = sign_in::change_password(&app, &caller, change).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Sessions that have not ended: the own ones, or all for a full administrator.
#[utoipa::path(get, path = "/sessions", tag = "access", params(SessionQuery), responses((status = 200, body = List<OpenSession>)))]
async fn sessions_list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SessionQuery>,
) -> Answer<List<OpenSession>> {
    session::list(&app, caller, query).await.map(Json)
}

/// Ends a session: an own one, or anybody's for a full administrator.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "access", params(("id" = Uuid, Path)), responses((status = 204)))]
async fn sessions_delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, AdminError> {
    session::delete(&app, &caller, id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Users, by name.
#[utoipa::path(get, path = "/users", tag = "access", params(ListQuery), responses((status = 200, body = List<User>)))]
async fn users_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<User>> {
    user::list(&app, query).await.map(Json)
}

/// Makes a user, who has to choose another password when signing in first.
#[utoipa::path(post, path = "/users", tag = "access", request_body = UserCreate, responses((status = 201, body = UserCreated)))]
async fn users_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<UserCreate>,
) -> Result<(StatusCode, Json<UserCreated>), AdminError> {
    caller.check_person()?;
    Ok((StatusCode::CREATED, Json(user::create(&app, &caller, new).await?)))
}

/// One user.
#[utoipa::path(get, path = "/users/{name}", tag = "access", params(("name" = String, Path)), responses((status = 200, body = User)))]
async fn users_show(State(app): State<App>, Path(name): Path<String>) -> Answer<User> {
    user::show(&app, name).await.map(Json)
}

/// Changes a user. Disabling ends its sessions.
#[utoipa::path(patch, path = "/users/{name}", tag = "access", params(("name" = String, Path)), request_body = UserChange, responses((status = 200, body = User)))]
async fn users_change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<UserChange>,
) -> Answer<User> {
    user::change(&app, &caller, name, change).await.map(Json)
}

/// Deletes a user with its sessions, tokens and certificates.
#[utoipa::path(delete, path = "/users/{name}", tag = "access", params(("name" = String, Path)), responses((status = 204)))]
async fn users_delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    user::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Gives a user another password, which it has to change. Its sessions end.
#[utoipa::path(put, path = "/users/{name}/password", tag = "access", params(("name" = String, Path)), request_body = PasswordReset, responses((status = 200, body = PasswordWasReset)))]
async fn users_password(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(reset): Body<PasswordReset>,
) -> Answer<PasswordWasReset> {
    caller.check_person()?;
    user::reset(&app, &caller, name, reset).await.map(Json)
}

/// Certificates by which a user is known, oldest first.
#[utoipa::path(get, path = "/users/{name}/certificates", tag = "access", params(("name" = String, Path), ListQuery), responses((status = 200, body = List<UserCertificate>)))]
async fn certificates_list(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<List<UserCertificate>> {
    certificate::list(&app, name, query).await.map(Json)
}

/// Registers a certificate of a user.
#[utoipa::path(post, path = "/users/{name}/certificates", tag = "access", params(("name" = String, Path)), request_body = CertificateAdd, responses((status = 201, body = UserCertificate)))]
async fn certificates_add(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Body(add): Body<CertificateAdd>,
) -> Result<(StatusCode, Json<UserCertificate>), AdminError> {
    caller.check_person()?;
    Ok((StatusCode::CREATED, Json(certificate::add(&app, &caller, name, add).await?)))
}

/// Forgets a certificate of a user.
#[utoipa::path(delete, path = "/users/{name}/certificates/{fingerprint}", tag = "access", params(("name" = String, Path), ("fingerprint" = String, Path)), responses((status = 204)))]
async fn certificates_remove(
    State(app): State<App>,
    caller: Caller,
    Path((name, fingerprint)): Path<(String, String)>,
) -> Result<StatusCode, AdminError> {
    caller.check_person()?;
    certificate::remove(&app, &caller, name, fingerprint).await.map(|()| StatusCode::NO_CONTENT)
}

/// What groups of the identity provider may do, by group.
#[utoipa::path(get, path = "/group-mappings", tag = "access", params(ListQuery), responses((status = 200, body = List<GroupMapping>)))]
async fn mappings_list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer<List<GroupMapping>> {
    mapping::list(&app, query).await.map(Json)
}

/// Decides what members of a group may do, from their next sign-in on.
#[utoipa::path(put, path = "/group-mappings/{group}", tag = "access", params(("group" = String, Path)), request_body = Granted, responses((status = 200, body = GroupMapping)))]
async fn mappings_put(
    State(app): State<App>,
    caller: Caller,
    Path(group): Path<String>,
    Body(granted): Body<Granted>,
) -> Answer<GroupMapping> {
    caller.check_person()?;
    mapping::put(&app, &caller, group, granted).await.map(Json)
}

/// Forgets what members of a group may do.
#[utoipa::path(delete, path = "/group-mappings/{group}", tag = "access", params(("group" = String, Path)), responses((status = 204)))]
async fn mappings_delete(
    State(app): State<App>,
    caller: Caller,
    Path(group): Path<String>,
) -> Result<StatusCode, AdminError> {
    caller.check_person()?;
    mapping::delete(&app, &caller, group).await.map(|()| StatusCode::NO_CONTENT)
}

/// API tokens, by name: the own ones, or all for a full administrator.
#[utoipa::path(get, path = "/tokens", tag = "access", params(ListQuery), responses((status = 200, body = List<Token>)))]
async fn tokens_list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Answer<List<Token>> {
    token::list(&app, caller, query).await.map(Json)
}

/// Makes an API token of the caller. Its secret is in this answer only.
#[utoipa::path(post, path = "/tokens", tag = "access", request_body = TokenCreate, responses((status = 201, body = TokenCreated)))]
async fn tokens_create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<TokenCreate>,
) -> Result<(StatusCode, Json<TokenCreated>), AdminError> {
    Ok((StatusCode::CREATED, Json(token::create(&app, &caller, new).await?)))
}

/// Revokes an API token.
#[utoipa::path(delete, path = "/tokens/{name}", tag = "access", params(("name" = String, Path)), responses((status = 204)))]
async fn tokens_revoke(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, AdminError> {
    token::delete(&app, &caller, name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Requests that wait, or waited, for a second person, newest first.
#[utoipa::path(get, path = "/approvals", tag = "access", params(ApprovalQuery), responses((status = 200, body = List<Approval>)))]
async fn approvals_list(State(app): State<App>, Query(query): Query<ApprovalQuery>) -> Answer<List<Approval>> {
    approval::list(&app, query).await.map(Json)
}

/// One of them.
#[utoipa::path(get, path = "/approvals/{id}", tag = "access", params(("id" = i64, Path)), responses((status = 200, body = Approval)))]
async fn approvals_show(State(app): State<App>, Path(id): Path<i64>) -> Answer<Approval> {
    approval::show(&app, id).await.map(Json)
}

/// Approves a request of somebody else: it is done now, as its requester.
#[utoipa::path(post, path = "/approvals/{id}/approve", tag = "access", params(("id" = i64, Path)), request_body = ApprovalDecision, responses((status = 200, body = Approval)))]
async fn approvals_approve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Body(decision): Body<ApprovalDecision>,
) -> Answer<Approval> {
    approval::decide(&app, &caller, id, true, decision).await.map(Json)
}

/// Rejects a request of somebody else.
#[utoipa::path(post, path = "/approvals/{id}/reject", tag = "access", params(("id" = i64, Path)), request_body = ApprovalDecision, responses((status = 200, body = Approval)))]
async fn approvals_reject(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Body(decision): Body<ApprovalDecision>,
) -> Answer<Approval> {
    approval::decide(&app, &caller, id, false, decision).await.map(Json)
}
