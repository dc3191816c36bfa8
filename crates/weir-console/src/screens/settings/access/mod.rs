//! Who may do what: the own account, users, groups of an identity provider, tokens, sessions.

mod account;
mod certificates;
mod granted;
mod mappings;
mod sessions;
mod tokens;
mod user;
mod user_new;
mod users;

use axum::{
    Router,
    routing::{get, post},
};

use crate::Console;

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/settings/access", get(account::show))
        .route(crate::failure::PASSWORD, get(account::password).post(account::change))
        .route(users::HERE, get(users::show))
        .route("/settings/users/new", get(user_new::new).post(user_new::create))
        .route("/settings/users/{name}", get(user::show).post(user::save))
        .route("/settings/users/{name}/switch", get(user::switching).post(user::switch))
        .route("/settings/users/{name}/password", get(user::resetting).post(user::reset))
        .route("/settings/users/{name}/delete", get(user::deleting).post(user::delete))
        .route("/settings/users/{name}/certificates", post(certificates::add))
        .route(
            "/settings/users/{name}/certificates/{fingerprint}/remove",
            get(certificates::removing).post(certificates::remove),
        )
        .route(mappings::HERE, get(mappings::show).post(mappings::save))
        .route("/settings/oidc/remove", get(mappings::removing).post(mappings::remove))
        .route(tokens::HERE, get(tokens::show))
        .route("/settings/tokens/new", get(tokens::new).post(tokens::create))
        .route("/settings/tokens/{name}/revoke", get(tokens::revoking).post(tokens::revoke))
        .route(sessions::HERE, get(sessions::show))
        .route("/settings/sessions/{id}/end", post(sessions::end))
}
