//! One user: what it may do, its password, its certificates, disabling and deleting it.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    access::Role,
    user::{PasswordReset, PasswordWasReset, User, UserChange},
};

use super::{
    certificates,
    granted::{Grant, errors},
    user_new::password_told,
    users::{HERE, address, state, way},
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{autocompleted, collections, field, limit, may},
    texts::{accounts as t, settings as s},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

pub(super) async fn find(cx: &Cx, name: &str) -> Result<User, Failure> {
    cx.api.get(&path(&["users", name]), &()).await
}

/// Whether it is the visitor: nobody changes the rights of the own account.
fn own(cx: &Cx, user: &User) -> bool {
    cx.session.as_ref().is_some_and(|session| session.principal.to_lowercase() == user.name.to_lowercase())
}

/// Whether its rights can be changed here.
fn changeable(cx: &Cx, user: &User) -> bool {
    may(cx, Role::FullAdministrator) && !user.built_in && !own(cx, user)
}

/// The page.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let user = find(&cx, &name).await?;
    page(&cx, &user, None, &Errors::default()).await
}

/// The page; `again` is a form that was refused.
pub(super) async fn page(
    cx: &Cx,
    user: &User,
    again: Option<(String, Grant)>,
    errors: &Errors,
) -> Result<Response, Failure> {
    let (collections, certificates) = tokio::join!(collections(cx), certificates::load(cx, &user.name));
    let open = changeable(cx, user);
    let here = address(&user.name);
    let acts = html! {
        @if open {
            @if user.issuer.is_none() { a.button href={ (here) "/password" } { (t::password_reset(cx)) } }
            a.button href={ (here) "/switch" } { (t::switches(cx, if user.enabled { "disable" } else { "enable" })) }
            a.button href={ (here) "/delete" } { (t::user_delete(cx)) }
        }
    };
    let given = user.issuer.is_some();
    let (display, grant) =
        again.unwrap_or_else(|| (user.display_name.clone(), Grant::of(user.role, &user.collections)));
    let body = html! {
        @if user.built_in { p.lead { (t::built_in_help(cx)) } }
        @if own(cx, user) { p.lead { (t::own_help(cx)) " " a href="/settings/access" { (s::places(cx, "access")) } } }
        (facts(cx, user))
        @if open {
            form.panel method="post" action=(here) {
                (errors.summary(cx))
                (Field::new("display_name", t::display_name(cx), errors).required().input("text", &display))
                @if given { p.quiet { (t::given_by_provider(cx)) " " a href="/settings/oidc" { (s::places(cx, "oidc")) } } }
                @else { (grant.fields(cx, &collections, Role::FullAdministrator, errors)) p.quiet { (t::change_then(cx)) } }
                div.buttons { button.primary type="submit" { (t::save(cx)) } }
            }
        } @else { (errors.summary(cx)) }
        (certificates::panel(cx, user, certificates.as_deref(), errors))
    };
    Page::new(cx, &user.name)
        .crumb(s::places(cx, "users"), HERE)
        .fact(t::role(cx), html! { (ui::role(cx, user.role)) })
        .fact(t::collections(cx), limit(cx, &user.collections, user.limited))
        .fact(t::state(cx), state(cx, user))
        .actions(acts)
        .body(body)
        .render()
        .await
}

fn facts(cx: &Cx, user: &User) -> Markup {
    let audit = crate::address::Address::new("/settings/audit").with("actor", &user.name);
    html! {
        section.panel {
            (ui::facts([
                (t::display_name(cx).to_owned(), html! { (user.display_name) }),
                (t::way(cx).to_owned(), html! {
                    (way(cx, user))
                    @if let Some(issuer) = &user.issuer { div.quiet { (issuer) @if let Some(subject) = &user.subject { " · " (subject) } } }
                }),
                (t::signed_in(cx).to_owned(), ui::time_or(cx, user.signed_in_at)),
                (t::made(cx).to_owned(), html! { (ui::time(cx, user.created_at)) " · " (user.created_by) }),
            ]))
            p { a href=(audit) { (t::what_it_did(cx)) } }
        }
    }
}

/// Changes what it may do, or says beside the fields why not.
pub(super) async fn save(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let user = find(&cx, &name).await?;
    let display = field(&pairs, "display_name").trim().to_owned();
    let grant = Grant::sent(&pairs);
    let before = Grant::of(user.role, &user.collections);
    let mut change = UserChange {
        display_name: Some(display.clone()).filter(|text| *text != user.display_name),
        ..UserChange::default()
    };
    if user.issuer.is_none() {
        let same = |a: &[String], b: &[String]| a.len() == b.len() && a.iter().all(|id| b.contains(id));
        change.role = Some(grant.role()).filter(|role| *role != user.role);
        // a limit of which nothing is left is another one than none
        let limit = !same(&grant.collections, &before.collections) || (user.limited && user.collections.is_empty());
        change.collections = limit.then(|| grant.collections.clone());
    }
    match patch(&cx, &user, &change).await {
        Ok(user) => Ok(t::flash_user_changed(&user.name).to(address(&user.name))),
        Err(failure) => page(&cx, &user, Some((display, grant)), &errors(&failure.into_problem()?)).await,
    }
}

async fn patch(cx: &Cx, user: &User, change: &UserChange) -> Result<User, Failure> {
    cx.api.patch(&path(&["users", &user.name]), change).await
}

/// Asks whether it is to be disabled or enabled.
pub(super) async fn switching(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let user = find(&cx, &name).await?;
    let (sentence, undo, label) = if user.enabled {
        (t::disable_sentence(&cx, &user.name), t::disable_undo(&cx), t::switches(&cx, "disable"))
    } else {
        (t::enable_sentence(&cx, &user.name), t::enable_undo(&cx), t::switches(&cx, "enable"))
    };
    let here = address(&user.name);
    let confirm = Confirm::new(sentence, undo, &label, format!("{here}/switch"), &here)
        .field("on", if user.enabled { "0" } else { "1" });
    let confirm = if user.enabled { confirm.danger() } else { confirm };
    Page::new(&cx, label)
        .crumb(s::places(&cx, "users"), HERE)
        .crumb(&user.name, here)
        .body(confirm.render(&cx))
        .render()
        .await
}

/// Disables or enables it.
pub(super) async fn switch(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let user = find(&cx, &name).await?;
    let on = field(&pairs, "on") == "1";
    match patch(&cx, &user, &UserChange { enabled: Some(on), ..UserChange::default() }).await {
        Ok(user) => {
            let told = if on { t::flash_enabled(&user.name) } else { t::flash_disabled(&user.name) };
            Ok(told.to(address(&user.name)))
        }
        Err(failure) => page(&cx, &user, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}

/// Asks for another password, or whether one is to be made.
pub(super) async fn resetting(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    resets(&cx, &find(&cx, &name).await?, &Errors::default()).await
}

async fn resets(cx: &Cx, user: &User, errors: &Errors) -> Result<Response, Failure> {
    let here = address(&user.name);
    let field = Field::new("password", t::password_first(cx), errors).help(t::password_first_help(cx));
    let details = html! { (errors.summary(cx)) (autocompleted(&field.input("password", ""), "new-password")) };
    let confirm = Confirm::new(
        t::reset_sentence(cx, &user.name),
        t::reset_undo(cx),
        t::password_reset(cx),
        format!("{here}/password"),
        &here,
    )
    .details(details)
    .danger();
    Page::new(cx, t::password_reset(cx))
        .crumb(s::places(cx, "users"), HERE)
        .crumb(&user.name, here)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Gives it another password, and shows the one that was made, this once.
pub(super) async fn reset(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let user = find(&cx, &name).await?;
    let password = Some(field(&pairs, "password").to_owned()).filter(|password| !password.is_empty());
    let reset = PasswordReset { password };
    match cx.api.put::<PasswordWasReset>(&path(&["users", &user.name, "password"]), &reset).await {
        Ok(PasswordWasReset { password: Some(password) }) => password_told(&cx, &user.name, &password).await,
        Ok(PasswordWasReset { password: None }) => Ok(t::flash_reset(&user.name).to(address(&user.name))),
        Err(failure) => resets(&cx, &user, &errors(&failure.into_problem()?)).await,
    }
}

/// Asks for the name of one that is to be deleted.
pub(super) async fn deleting(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    deletion(&cx, &find(&cx, &name).await?, None, &Errors::default()).await
}

async fn deletion(cx: &Cx, user: &User, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    let here = address(&user.name);
    let confirm = Confirm::new(
        t::user_delete_sentence(cx, &user.name),
        t::user_delete_undo(cx, &user.name),
        t::user_delete(cx),
        format!("{here}/delete"),
        &here,
    )
    .details(errors.summary(cx))
    .typed(&user.name, wrong);
    Page::new(cx, t::user_delete(cx))
        .crumb(s::places(cx, "users"), HERE)
        .crumb(&user.name, here)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Deletes it when its name was typed.
pub(super) async fn delete(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let user = find(&cx, &name).await?;
    if !matches(field(&pairs, "typed"), &user.name) {
        return deletion(&cx, &user, Some(s::wrong_name(&cx, &user.name)), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&path(&["users", &user.name])).await {
        Ok(()) => Ok(t::flash_user_deleted(&user.name).to(HERE)),
        Err(failure) => deletion(&cx, &user, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
