//! Notifications: who is told of alerts, by mail or webhook, and how that went.

mod deliveries;
mod filled;
mod form;
mod one;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    setting::Setting,
    subscription::{Channel, Subscription},
};

use super::{large, may};
use crate::{
    Console,
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{notifications as t, settings as s, top},
    ui::{
        self,
        badge::{Tone, badge},
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// The list.
const HERE: &str = "/settings/notifications";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/settings/notifications/new", get(form::new).post(form::create))
        .route("/settings/notifications/{name}", get(one::show).post(one::save))
        .route("/settings/notifications/{name}/test", post(one::test))
        .route("/settings/notifications/{name}/switch", post(one::switch))
        .route("/settings/notifications/{name}/secret", get(one::renewing).post(one::renew))
        .route("/settings/notifications/{name}/delete", get(one::deleting).post(one::delete))
}

/// Where a subscription is.
fn address(subscription: &Subscription) -> String {
    path(&["settings", "notifications", &subscription.id.to_string()])
}

async fn find(cx: &Cx, name: &str) -> Result<Subscription, Failure> {
    cx.api.get(&path(&["subscriptions", name]), &()).await
}

/// The page, with the tab of the address.
async fn show(cx: Cx) -> Result<Response, Failure> {
    match cx.address.value("tab") {
        None => list(&cx).await,
        Some("deliveries") => deliveries::show(&cx).await,
        Some(_) => Err(Failure::NotFound),
    }
}

/// The page around one of its tabs.
fn frame(cx: &Cx, body: Markup) -> Page<'_> {
    let acts =
        html! { @if may(cx, Role::FullAdministrator) { a.button.primary href={ (HERE) "/new" } { (t::new(cx)) } } };
    Page::new(cx, s::places(cx, "notifications"))
        .actions(acts)
        .tabs(vec![
            Tab::new(cx, "subscriptions", true, t::subscriptions(cx)),
            Tab::new(cx, "deliveries", false, t::deliveries(cx)),
        ])
        .body(body)
}

async fn list(cx: &Cx) -> Result<Response, Failure> {
    let (subscriptions, mail) = tokio::join!(all(cx), mail(cx));
    let subscriptions = subscriptions?;
    let grid = grid(cx, &subscriptions);
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = html! {
        p.lead { (t::lead(cx)) " " a href="/alerts" { (top::alerts(cx)) } }
        (ui::live("subscriptions-live", "alerts", grid.render()))
        (mail)
    };
    drop(grid);
    frame(cx, body).render().await
}

async fn all(cx: &Cx) -> Result<Vec<Subscription>, Failure> {
    cx.api
        .all(5000, |cursor| async move { cx.api.get::<List<Subscription>>("/subscriptions", &large(cursor)).await })
        .await
}

/// Through which mail server messages go.
async fn mail(cx: &Cx) -> Markup {
    let settings = cx.api.get::<List<Setting>>("/settings", &()).await.map(|list| list.items).unwrap_or_default();
    let text = |key: &str| {
        let found = settings.iter().find(|setting| setting.key == key);
        found.map(|setting| super::control::plain(&setting.value)).unwrap_or_default()
    };
    if settings.is_empty() {
        return Markup::default();
    }
    let (host, from) = (text("mail.host"), text("mail.from"));
    html! {
        section.panel {
            h2 { (t::mail(cx)) }
            @if host.is_empty() || from.is_empty() { p { (badge(Tone::Warn, t::mail_none(cx))) " " (t::mail_none_help(cx)) } }
            @else {
                (ui::facts([
                    (t::mail_host(cx).to_owned(), html! { code { (host) } " " (text("mail.tls")) }),
                    (t::mail_from(cx).to_owned(), html! { code { (from) } }),
                ]))
            }
            p { a href="/settings/site?tab=alerts" { (t::mail_settings(cx)) } }
        }
    }
}

fn grid<'a>(cx: &'a Cx, subscriptions: &'a [Subscription]) -> Grid<'a, Subscription> {
    let columns = vec![
        Column::new("name", t::name(cx), |one: &Subscription| html! { a href=(address(one)) { (one.name) } })
            .text(|one| one.name.clone())
            .narrow(),
        Column::new("to", t::to(cx), |one: &Subscription| {
            html! { (t::channels(cx, &ui::word(&one.channel))) " · " (receiver(one)) }
        })
        .text(receiver)
        .wide()
        .narrow(),
        Column::new("about", t::about(cx), |one: &Subscription| about(cx, one))
            .text(|one| if one.kinds.is_empty() { "*".to_owned() } else { one.kinds.join(" ") }),
        Column::new("severity", t::severity(cx), |one: &Subscription| html! { (top::severity(cx, &one.severity)) })
            .text(|one| one.severity.clone()),
        Column::new("state", t::state(cx), |one: &Subscription| state(cx, one))
            .text(|one| one.enabled.to_string())
            .narrow(),
        Column::number(cx, "waiting", t::waiting(cx), |one: &Subscription| one.waiting),
        Column::new("last", t::last_success(cx), |one: &Subscription| {
            one.last_success_at.map_or_else(|| ui::none(cx), |at| ui::ago(cx, at))
        })
        .text(|one| one.last_success_at.map(|at| at.to_string()).unwrap_or_default()),
    ];
    let next = may(cx, Role::FullAdministrator).then(|| (t::new(cx), "/settings/notifications/new"));
    Grid::new(cx, "subscriptions", t::subscriptions(cx), columns, subscriptions).empty(ui::empty(t::empty(cx), next))
}

/// Where messages go.
fn receiver(one: &Subscription) -> String {
    match one.channel {
        Channel::Mail => one.addresses.join(", "),
        Channel::Webhook => one.url.clone().unwrap_or_default(),
    }
}

fn about(cx: &Cx, one: &Subscription) -> Markup {
    html! { @if one.kinds.is_empty() { (t::every_kind(cx)) } @else { @for kind in &one.kinds { code { (kind) } " " } } }
}

fn state(cx: &Cx, one: &Subscription) -> Markup {
    match one {
        Subscription { disabled_because: Some(_), .. } => badge(Tone::Bad, t::switched_off(cx)),
        Subscription { enabled: false, .. } => badge(Tone::Plain, t::off(cx)),
        Subscription { failures, .. } if *failures > 0 => badge(Tone::Warn, &t::failing(cx, u64::from(*failures))),
        _ => badge(Tone::Good, t::on(cx)),
    }
}
