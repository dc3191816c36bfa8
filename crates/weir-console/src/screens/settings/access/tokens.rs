//! API tokens: what programs prove with who they act for.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    access::{Proof, Role},
    list::ListQuery,
    token::{Token, TokenCreate, TokenCreated},
};

use super::granted::{Grant, errors};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{collections, field, given, large, limit, limit_text, secret},
    texts::{accounts as t, common, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::{Confirm, matches},
        form::{Errors, Field},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// The list.
pub(super) const HERE: &str = "/settings/tokens";

/// Whether the visitor may make tokens: those who come with one may not.
fn open(cx: &Cx) -> bool {
    cx.session.as_ref().is_none_or(|session| session.proof != Proof::Token)
}

/// The page.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| {
            let cx = &cx;
            async move { cx.api.get::<List<Token>>("/tokens", &large(cursor)).await }
        });
        let list = List { items: rows.await?, next: None };
        return Ok(grid(&cx, &list).csv());
    }
    let list: List<Token> = cx
        .api
        .get("/tokens", &ListQuery { cursor: cx.address.value("cursor").map(str::to_owned), limit: None })
        .await?;
    let body = html! {
        p.lead { (t::tokens_lead(&cx)) }
        (ui::live("tokens-live", "settings", grid(&cx, &list).render()))
    };
    let acts = html! { @if open(&cx) { a.button.primary href={ (HERE) "/new" } { (t::token_new(&cx)) } } };
    Page::new(&cx, s::places(&cx, "tokens")).actions(acts).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, list: &'a List<Token>) -> Grid<'a, Token> {
    let columns = vec![
        Column::new("name", t::token_name(cx), |one: &Token| html! { (one.name) })
            .text(|one| one.name.clone())
            .narrow(),
        Column::new("principal", t::owner(cx), |one: &Token| html! { (one.principal) })
            .text(|one| one.principal.clone())
            .narrow(),
        Column::new("role", t::role(cx), |one: &Token| html! { (ui::role(cx, one.role)) })
            .text(|one| ui::word(&one.role))
            .narrow(),
        Column::new("collections", t::collections(cx), |one: &Token| limit(cx, &one.collections, one.limited))
            .text(|one| limit_text(&one.collections)),
        Column::new("expires", t::expires(cx), |one: &Token| expiry(cx, one))
            .text(|one| one.expires_at.map(|at| at.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("used", t::used(cx), |one: &Token| {
            one.used_at.map_or_else(|| html! { span.quiet { (t::never(cx)) } }, |at| ui::ago(cx, at))
        })
        .text(|one| one.used_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("made", t::made(cx), |one: &Token| ui::time(cx, one.created_at))
            .text(|one| one.created_at.to_string()),
        Column::new("acts", t::acts(cx), |one: &Token| {
            html! { a.button href=(path(&["settings", "tokens", &one.name, "revoke"])) { (t::token_revoke(cx)) } }
        })
        .narrow(),
    ];
    let next = open(cx).then(|| (t::token_new(cx), "/settings/tokens/new"));
    Grid::new(cx, "tokens", s::places(cx, "tokens"), columns, &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::tokens_empty(cx), next))
}

fn expiry(cx: &Cx, one: &Token) -> Markup {
    match one.expires_at {
        None => badge(Tone::Warn, t::never_expires(cx)),
        Some(at) if at <= cx.now => badge(Tone::Bad, t::expired(cx)),
        Some(at) => ui::ago(cx, at),
    }
}

/// What the form of a new one holds.
#[derive(Clone, Debug, Default)]
struct Filled {
    name: String,
    grant: Grant,
    days: String,
    never: bool,
}

/// The form of a new one.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let grant = Grant { role: ui::word(&Role::ReadOnlyAnalyst), collections: Vec::new() };
    let filled = Filled { grant, days: "90".to_owned(), ..Filled::default() };
    form(&cx, &filled, &Errors::default()).await
}

async fn form(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let most = cx.session.as_ref().map_or(Role::FullAdministrator, |session| session.role);
    let collections = collections(cx).await;
    let body = html! {
        form.panel method="post" action={ (HERE) "/new" } {
            (errors.summary(cx))
            (Field::new("name", t::token_name(cx), errors).help(t::token_name_help(cx)).required().input("text", &filled.name))
            (filled.grant.fields(cx, &collections, most, errors))
            (Field::new("days", t::days(cx), errors).help(t::days_help(cx)).unit(t::days_unit(cx)).input("number", &filled.days))
            @if most == Role::FullAdministrator {
                (Field::new("never", t::never_expires(cx), errors).help(t::never_expires_help(cx)).switch(filled.never))
            }
            div.buttons { button.primary type="submit" { (t::token_make(cx)) } a.plain.button href=(HERE) { (common::cancel(cx)) } }
        }
    };
    Page::new(cx, t::token_new(cx)).crumb(s::places(cx, "tokens"), HERE).body(body).render().await
}

/// Makes it, and shows its secret, this once.
pub(super) async fn create(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled {
        name: field(&pairs, "name").trim().to_owned(),
        grant: Grant::sent(&pairs),
        days: field(&pairs, "days").trim().to_owned(),
        never: field(&pairs, "never") == "1",
    };
    let Ok(days) = given(&filled.days).map(|days| days.parse()).transpose() else {
        return form(&cx, &filled, &Errors::default().field("days", t::no_number(&cx))).await;
    };
    let create = TokenCreate {
        name: filled.name.clone(),
        role: filled.grant.role(),
        collections: filled.grant.collections.clone(),
        days: days.filter(|_| !filled.never),
        never_expires: filled.never,
    };
    match cx.api.post::<TokenCreated>("/tokens", &create).await {
        Ok(made) => told(&cx, &made).await,
        // more than one has: it stands beside the form, as other refusals do
        Err(Failure::Refused(problem)) if problem.status == 403 && problem.code == "forbidden" => {
            form(&cx, &filled, &errors(&problem)).await
        }
        Err(failure) => form(&cx, &filled, &errors(&failure.into_problem()?)).await,
    }
}

async fn told(cx: &Cx, made: &TokenCreated) -> Result<Response, Failure> {
    let token = &made.token;
    let body = html! {
        div.panel.stack role="alert" {
            p { strong { (t::secret_once(cx)) } }
            (secret(cx, &made.secret))
            p { (t::secret_use(cx)) " " code { "Authorization: Bearer" } }
            (ui::facts([
                (t::token_name(cx).to_owned(), html! { (token.name) }),
                (t::role(cx).to_owned(), html! { (ui::role(cx, token.role)) }),
                (t::collections(cx).to_owned(), limit(cx, &token.collections, token.limited)),
                (t::expires(cx).to_owned(), expiry(cx, token)),
            ]))
            p { a.button href=(HERE) { (t::secret_kept(cx)) } }
        }
    };
    Page::new(cx, t::token_made(cx, &token.name)).crumb(s::places(cx, "tokens"), HERE).body(body).render().await
}

/// A token that the visitor sees.
async fn find(cx: &Cx, name: &str) -> Result<Token, Failure> {
    let all = cx.api.all(CSV_ROWS, |cursor| async move { cx.api.get::<List<Token>>("/tokens", &large(cursor)).await });
    all.await?.into_iter().find(|token| token.name == name).ok_or(Failure::NotFound)
}

/// Asks for the name of one that is to be revoked.
pub(super) async fn revoking(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    revocation(&cx, &find(&cx, &name).await?, None, &Errors::default()).await
}

async fn revocation(cx: &Cx, token: &Token, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    let details = html! {
        (errors.summary(cx))
        (ui::facts([
            (t::owner(cx).to_owned(), html! { (token.principal) }),
            (t::role(cx).to_owned(), html! { (ui::role(cx, token.role)) }),
            (t::used(cx).to_owned(), ui::time_or(cx, token.used_at)),
        ]))
    };
    let action = path(&["settings", "tokens", &token.name, "revoke"]);
    let confirm =
        Confirm::new(t::revoke_sentence(cx, &token.name), t::revoke_undo(cx), t::token_revoke(cx), action, HERE)
            .details(details)
            .typed(&token.name, wrong);
    Page::new(cx, t::token_revoke(cx)).crumb(s::places(cx, "tokens"), HERE).body(confirm.render(cx)).render().await
}

/// Revokes it when its name was typed.
pub(super) async fn revoke(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let token = find(&cx, &name).await?;
    if !matches(field(&pairs, "typed"), &token.name) {
        return revocation(&cx, &token, Some(s::wrong_name(&cx, &token.name)), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&path(&["tokens", &token.name])).await {
        Ok(()) => Ok(t::flash_revoked(&token.name).to(HERE)),
        Err(failure) => revocation(&cx, &token, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
