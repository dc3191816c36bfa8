//! Users.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{List, access::Role, user::User};

use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{large, limit, limit_text, may},
    texts::{accounts as t, settings as s},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid, wants_csv},
    },
};

/// The list.
pub(super) const HERE: &str = "/settings/users";

/// Where a user is.
pub(super) fn address(name: &str) -> String {
    path(&["settings", "users", name])
}

/// The page.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let all = cx.api.all(10_000, |cursor| {
        let cx = &cx;
        async move { cx.api.get::<List<User>>("/users", &large(cursor)).await }
    });
    let mut users = all.await?;
    if let Some(text) = cx.address.value("text").map(str::to_lowercase) {
        users.retain(|user| {
            user.name.to_lowercase().contains(&text) || user.display_name.to_lowercase().contains(&text)
        });
    }
    if let Some(role) = cx.address.value("role") {
        users.retain(|user| ui::word(&user.role) == role);
    }
    if cx.address.value("state") == Some("disabled") {
        users.retain(|user| !user.enabled);
    }
    let grid = grid(&cx, &users);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = ui::live("users-live", "settings", grid.render());
    drop(grid);
    let acts = html! { @if may(&cx, Role::FullAdministrator) { a.button.primary href={ (HERE) "/new" } { (t::user_new(&cx)) } } };
    Page::new(&cx, s::places(&cx, "users")).actions(acts).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, users: &'a [User]) -> Grid<'a, User> {
    let columns = vec![
        Column::new("name", t::name(cx), |user: &User| {
            html! {
                a href=(address(&user.name)) { (user.name) }
                @if user.display_name != user.name { div.quiet { (user.display_name) } }
            }
        })
        .text(|user| user.name.clone())
        .wide()
        .narrow(),
        Column::new("role", t::role(cx), |user: &User| html! { (ui::role(cx, user.role)) })
            .text(|user| ui::word(&user.role))
            .narrow(),
        Column::new("collections", t::collections(cx), |user: &User| limit(cx, &user.collections, user.limited))
            .text(|user| limit_text(&user.collections)),
        Column::new("state", t::state(cx), |user: &User| state(cx, user))
            .text(|user| user.enabled.to_string())
            .narrow(),
        Column::new("way", t::way(cx), |user: &User| way(cx, user))
            .text(|user| user.issuer.clone().unwrap_or_default()),
        Column::new("signed_in", t::signed_in(cx), |user: &User| {
            user.signed_in_at.map_or_else(|| html! { span.quiet { (t::never(cx)) } }, |at| ui::ago(cx, at))
        })
        .text(|user| user.signed_in_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new(
            "made",
            t::made(cx),
            |user: &User| html! { (ui::time(cx, user.created_at)) " · " (user.created_by) },
        )
        .text(|user| user.created_at.to_string())
        .hidden(),
    ];
    let filters = html! {
        label.hide for="text" { (t::find_user(cx)) }
        input id="text" type="search" name="text" value=[cx.address.value("text")] placeholder=(t::find_user(cx)) maxlength="100";
        label.check { input type="checkbox" name="state" value="disabled" checked[cx.address.value("state").is_some()]; (t::only_disabled(cx)) }
    };
    Grid::new(cx, "users", s::places(cx, "users"), columns, users)
        .filters(filters)
        .empty(ui::empty(t::users_empty(cx), Some((t::users_all(cx), HERE))))
}

/// Whether a user may sign in.
pub(super) fn state(cx: &Cx, user: &User) -> Markup {
    match user {
        User { enabled: false, .. } => badge(Tone::Plain, t::disabled(cx)),
        User { must_change_password: true, .. } => badge(Tone::Warn, t::must_change(cx)),
        _ => badge(Tone::Good, t::enabled(cx)),
    }
}

/// How a user signs in.
pub(super) fn way(cx: &Cx, user: &User) -> Markup {
    match user {
        User { issuer: Some(issuer), .. } => html! { span title=(issuer) { (t::by_provider(cx)) } },
        User { built_in: true, .. } => html! { (t::by_server(cx)) },
        User { password: true, .. } => html! { (t::by_password(cx)) },
        _ => html! { span.quiet { (t::by_nothing(cx)) } },
    }
}
