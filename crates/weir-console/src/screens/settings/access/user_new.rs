//! A new user.

use axum::{Form, response::Response};
use maud::html;
use weir_api::{
    access::Role,
    user::{UserCreate, UserCreated},
};

use super::{
    granted::{Grant, errors},
    users::{HERE, address},
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{autocompleted, collections, field, given, secret},
    texts::{accounts as t, common, settings as s},
    ui::{
        self,
        form::{Errors, Field},
    },
};

#[derive(Clone, Debug, Default)]
struct Filled {
    name: String,
    display: String,
    grant: Grant,
}

/// The form.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let grant = Grant { role: ui::word(&Role::ReadOnlyAnalyst), collections: Vec::new() };
    form(&cx, &Filled { grant, ..Filled::default() }, &Errors::default()).await
}

async fn form(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let collections = collections(cx).await;
    let password = Field::new("password", t::password_first(cx), errors).help(t::password_first_help(cx));
    let body = html! {
        form.panel method="post" action={ (HERE) "/new" } {
            (errors.summary(cx))
            (autocompleted(&Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &filled.name), "off"))
            (Field::new("display_name", t::display_name(cx), errors).help(t::display_name_help(cx)).input("text", &filled.display))
            (filled.grant.fields(cx, &collections, Role::FullAdministrator, errors))
            (autocompleted(&password.input("password", ""), "new-password"))
            div.buttons { button.primary type="submit" { (t::user_make(cx)) } a.plain.button href=(HERE) { (common::cancel(cx)) } }
        }
    };
    Page::new(cx, t::user_new(cx)).crumb(s::places(cx, "users"), HERE).body(body).render().await
}

/// Makes it, and shows the password that was made, this once.
pub(super) async fn create(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled {
        name: field(&pairs, "name").trim().to_owned(),
        display: field(&pairs, "display_name").trim().to_owned(),
        grant: Grant::sent(&pairs),
    };
    let create = UserCreate {
        name: filled.name.clone(),
        display_name: given(&filled.display),
        role: filled.grant.role(),
        collections: filled.grant.collections.clone(),
        password: Some(field(&pairs, "password").to_owned()).filter(|password| !password.is_empty()),
    };
    match cx.api.post::<UserCreated>("/users", &create).await {
        Ok(UserCreated { user, password: Some(password) }) => password_told(&cx, &user.name, &password).await,
        Ok(UserCreated { user, password: None }) => Ok(t::flash_user_made(&user.name).to(address(&user.name))),
        Err(failure) => form(&cx, &filled, &errors(&failure.into_problem()?)).await,
    }
}

/// A password that the server made, this once.
pub(super) async fn password_told(cx: &Cx, name: &str, password: &str) -> Result<Response, Failure> {
    let body = html! {
        div.panel.stack role="alert" {
            p { strong { (t::password_once(cx, name)) } }
            (secret(cx, password))
            p { (t::password_once_help(cx)) }
            p { a.button href=(address(name)) { (t::secret_kept(cx)) } }
        }
    };
    Page::new(cx, t::password_of(cx, name)).crumb(s::places(cx, "users"), HERE).body(body).render().await
}
