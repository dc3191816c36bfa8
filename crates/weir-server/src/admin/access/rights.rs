//! Refuses what a principal may not do, by the route.

use axum::{
    body::Body,
    extract::{MatchedPath, State},
    middleware::Next,
    response::Response,
};
use http::Request;
use weir_api::PREFIX;
use weir_model::rights::{Permission, Reach, allows};

use super::{
    Caller,
    approval::{self, Verdict},
    table,
};
use crate::admin::{AdminError, App};

/// Lets a request through if its [`Caller`] may do what the route does. It reads the extensions only, no header: whoever calls
/// the routes inside this process passes on the caller and is held to the same table.
pub(in crate::admin) async fn require(
    State(app): State<App>,
    request: Request<Body>,
    next: Next,
) -> Result<Response, AdminError> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    // what stands before the prefix is of the route through which a caller inside this process came
    let template = path.rsplit_once(PREFIX).map_or(path, |(_, template)| template);
    let Some(rule) = table::find(request.method(), template) else {
        return Err(AdminError::Internal(format!("{} {template:?} is not in the table of rights", request.method())));
    };
    let Some(permission) = rule.permission else { return Ok(next.run(request).await) };
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or(AdminError::Unauthorized("nobody proved who the request is from"))?;
    check(&caller, permission, rule.reach)?;
    match approval::hold(&app, &caller, rule.path, request).await? {
        Verdict::Passed(request) => Ok(next.run(request).await),
        Verdict::Waits(response) => Ok(response),
    }
}

/// Lets a request through if its caller may see the whole site.
pub(in crate::admin) async fn site(caller: Caller, request: Request<Body>, next: Next) -> Result<Response, AdminError> {
    check(&caller, Permission::Look, Reach::Site)?;
    Ok(next.run(request).await)
}

/// Refuses what a caller may not do.
pub(crate) fn check(caller: &Caller, permission: Permission, reach: Reach) -> Result<(), AdminError> {
    if caller.must_change && permission != Permission::Account {
        return Err(AdminError::Forbidden {
            code: "password_change",
            detail: format!("{} has to choose another password first", caller.name),
            next_step: Some("sign in to the console, which asks for it; or PUT session/password".to_owned()),
        });
    }
    if !allows(caller.grant.role, permission) {
        let (has, needs) = (caller.grant.role.word(), permission.role().word());
        return Err(AdminError::Forbidden {
            code: "forbidden",
            detail: format!("{} has the role {has}; this needs the role {needs}", caller.name),
            next_step: Some("ask a full administrator; who has which role: weir users list".to_owned()),
        });
    }
    if !caller.grant.scope.reaches(reach) {
        return Err(AdminError::Forbidden {
            code: "forbidden",
            detail: format!(
                "{} is limited to collections, and this concerns the whole site; it needs the role {} without a limit",
                caller.name,
                permission.role().word()
            ),
            next_step: Some("ask an administrator who is not limited".to_owned()),
        });
    }
    Ok(())
}
