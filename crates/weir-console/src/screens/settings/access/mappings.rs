//! What groups of an identity provider may do.

use axum::{Form, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    user::{Granted, GroupMapping},
};

use super::granted::{Grant, errors};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::{
        help,
        settings::{collections, field, large, limit, limit_text, may},
    },
    texts::{accounts as t, settings as s},
    ui::{
        self,
        confirm::{Confirm, matches},
        form::{Errors, Field},
        grid::{Column, Grid, wants_csv},
    },
};

/// The list, and the form that maps a group.
pub(super) const HERE: &str = "/settings/oidc";

async fn load(cx: &Cx) -> Result<Vec<GroupMapping>, Failure> {
    cx.api
        .all(10_000, |cursor| async move { cx.api.get::<List<GroupMapping>>("/group-mappings", &large(cursor)).await })
        .await
}

/// The page. `?group=` fills the form with what a group may do.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let mappings = load(&cx).await?;
    if wants_csv(&cx.address) {
        return Ok(grid(&cx, &mappings).csv());
    }
    let group = cx.address.value("group").unwrap_or_default();
    let grant = match mappings.iter().find(|mapping| mapping.group == group) {
        Some(mapping) => Grant::of(mapping.role, &mapping.collections),
        None => Grant { role: ui::word(&Role::ReadOnlyAnalyst), collections: Vec::new() },
    };
    page(&cx, &mappings, group, &grant, &Errors::default()).await
}

async fn page(
    cx: &Cx,
    mappings: &[GroupMapping],
    group: &str,
    grant: &Grant,
    errors: &Errors,
) -> Result<Response, Failure> {
    let open = may(cx, Role::FullAdministrator);
    let collections = if open { collections(cx).await } else { Vec::new() };
    let body = html! {
        p.lead { (t::oidc_lead(cx)) @if let Some(guide) = help::guide("access") { " " a href={ (guide) "#openid-connect" } { (t::oidc_guide(cx)) } } }
        (ui::live("mappings-live", "settings", grid(cx, mappings).render()))
        @if open {
            form.panel method="post" action=(HERE) id="map" {
                h2 { (t::map(cx)) }
                (errors.summary(cx))
                (Field::new("group", t::group(cx), errors).help(t::group_help(cx)).required().input("text", group))
                (grant.fields(cx, &collections, Role::FullAdministrator, errors))
                p.quiet { (t::map_then(cx)) }
                div.buttons { button.primary type="submit" { (t::map(cx)) } }
            }
        }
    };
    Page::new(cx, s::places(cx, "oidc")).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, mappings: &'a [GroupMapping]) -> Grid<'a, GroupMapping> {
    let columns = vec![
        Column::new("group", t::group(cx), |one: &GroupMapping| html! { (one.group) })
            .text(|one| one.group.clone())
            .wide()
            .narrow(),
        Column::new("role", t::role(cx), |one: &GroupMapping| html! { (ui::role(cx, one.role)) })
            .text(|one| ui::word(&one.role))
            .narrow(),
        Column::new("collections", t::collections(cx), |one: &GroupMapping| limit(cx, &one.collections, one.limited))
            .text(|one| limit_text(&one.collections))
            .narrow(),
        Column::new(
            "made",
            t::made(cx),
            |one: &GroupMapping| html! { (ui::time(cx, one.created_at)) " · " (one.created_by) },
        )
        .text(|one| one.created_at.to_string()),
        Column::new("acts", t::acts(cx), |one: &GroupMapping| acts(cx, one)).narrow(),
    ];
    Grid::new(cx, "mappings", s::places(cx, "oidc"), columns, mappings).empty(html! { p { (t::mappings_empty(cx)) } })
}

fn acts(cx: &Cx, one: &GroupMapping) -> Markup {
    html! {
        @if may(cx, Role::FullAdministrator) {
            div.buttons {
                a.button href={ (Address::new(HERE).with("group", &one.group)) "#map" } { (t::map_change(cx)) }
                a.button href=(Address::new("/settings/oidc/remove").with("group", &one.group)) { (t::unmap(cx)) }
            }
        }
    }
}

/// Decides what members of a group may do.
pub(super) async fn save(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let group = field(&pairs, "group").trim().to_owned();
    let grant = Grant::sent(&pairs);
    if group.is_empty() {
        let errors = Errors::default().field("group", t::group_missing(&cx));
        return page(&cx, &load(&cx).await?, &group, &grant, &errors).await;
    }
    let granted = Granted { role: grant.role(), collections: grant.collections.clone() };
    match cx.api.put::<GroupMapping>(&path(&["group-mappings", &group]), &granted).await {
        Ok(mapping) => Ok(t::flash_mapped(&mapping.group).to(HERE)),
        Err(failure) => {
            let errors = errors(&failure.into_problem()?);
            page(&cx, &load(&cx).await?, &group, &grant, &errors).await
        }
    }
}

/// Asks for the name of a group that is to be forgotten.
pub(super) async fn removing(cx: Cx) -> Result<Response, Failure> {
    let group = cx.address.value("group").unwrap_or_default().to_owned();
    removal(&cx, &group, None, &Errors::default()).await
}

async fn removal(cx: &Cx, group: &str, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    if !load(cx).await?.iter().any(|mapping| mapping.group == group) {
        return Err(Failure::NotFound);
    }
    let confirm =
        Confirm::new(t::unmap_sentence(cx, group), t::unmap_undo(cx), t::unmap(cx), "/settings/oidc/remove", HERE)
            .details(errors.summary(cx))
            .field("group", group)
            .typed(group, wrong);
    Page::new(cx, t::unmap(cx)).crumb(s::places(cx, "oidc"), HERE).body(confirm.render(cx)).render().await
}

/// Forgets it when its name was typed.
pub(super) async fn remove(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let group = field(&pairs, "group");
    if !matches(field(&pairs, "typed"), group) {
        return removal(&cx, group, Some(s::wrong_name(&cx, group)), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&path(&["group-mappings", group])).await {
        Ok(()) => Ok(t::flash_unmapped(group).to(HERE)),
        Err(failure) => removal(&cx, group, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
