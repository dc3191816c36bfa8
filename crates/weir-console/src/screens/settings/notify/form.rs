//! The form of a subscription.

use axum::{Form as Posted, response::Response};
use maud::{Markup, html};
use weir_api::{alert::AlertCounts, subscription::SubscriptionCreated};

use super::{
    HERE, address,
    filled::{Filled, errors},
    one::told,
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::autocompleted,
    texts::{common, notifications as t, settings as s, top},
    ui::form::{Errors, Field, group},
};

/// The form of a new one: for mail, or for a webhook.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let webhook = cx.address.value("to") == Some("webhook");
    fresh(&cx, &Filled::fresh(webhook), &Errors::default()).await
}

async fn fresh(cx: &Cx, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let kinds = kinds(cx).await;
    let here = cx.to(format!("{HERE}/new"));
    let body = html! {
        nav.tabs aria-label=(t::to(cx)) {
            ul {
                li { a href=(here) aria-current=[(!filled.webhook).then_some("page")] { (t::channels(cx, "mail")) } }
                li { a href=(here.with("to", "webhook")) aria-current=[filled.webhook.then_some("page")] { (t::channels(cx, "webhook")) } }
            }
        }
        (form(cx, filled, errors, &kinds, &format!("{HERE}/new"), true))
    };
    Page::new(cx, t::new(cx)).crumb(s::places(cx, "notifications"), HERE).body(body).render().await
}

/// Kinds of alerts that are open here, as examples.
pub(super) async fn kinds(cx: &Cx) -> Vec<String> {
    let counts = cx.api.get::<AlertCounts>("/alert-counts", &()).await;
    counts.map(|counts| counts.kinds.into_iter().map(|kind| kind.kind).collect()).unwrap_or_default()
}

/// Makes it, and shows the secret of a webhook that was made, this once.
pub(super) async fn create(cx: Cx, Posted(pairs): Posted<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::sent(&pairs);
    let create = match filled.create(&cx) {
        Ok(create) => create,
        Err(errors) => return fresh(&cx, &filled, &errors).await,
    };
    match cx.api.post::<SubscriptionCreated>("/subscriptions", &create).await {
        Ok(made) => match &made.secret {
            Some(secret) => told(&cx, &made, secret).await,
            None => Ok(t::flash_made(&made.subscription.name).to(address(&made.subscription))),
        },
        Err(failure) => fresh(&cx, &filled, &errors(&failure.into_problem()?)).await,
    }
}

/// The fields.
pub(super) fn form(cx: &Cx, filled: &Filled, errors: &Errors, kinds: &[String], action: &str, new: bool) -> Markup {
    let severities =
        ["information", "warning", "critical"].map(|severity| (severity.to_owned(), top::severity(cx, severity)));
    let kinds_help =
        if kinds.is_empty() { t::kinds_help(cx).to_owned() } else { t::kinds_help_open(cx, kinds.join(", ")) };
    let receiver = html! {
        @if filled.webhook {
            (Field::new("url", t::url(cx), errors).help(t::url_help(cx)).required().input("url", &filled.url))
            (Field::new("allow_http", t::allow_http(cx), errors).help(t::allow_http_help(cx)).switch(filled.allow_http))
            @if new { (autocompleted(&Field::new("secret", t::secret(cx), errors).help(t::secret_help(cx)).input("password", ""), "new-password")) }
        } @else {
            (Field::new("addresses", t::addresses(cx), errors).help(t::addresses_help(cx)).required().lines(&filled.addresses, 3))
        }
    };
    let what = html! {
        (Field::new("severity", t::severity(cx), errors).help(t::severity_help(cx)).choice(&severities, &filled.severity))
        (Field::new("kinds", t::about(cx), errors).help(kinds_help).lines(&filled.kinds, 3))
        (Field::new("on_close", t::on_close(cx), errors).help(t::on_close_help(cx)).switch(filled.on_close))
    };
    let often = html! {
        (Field::new("repeat", t::repeat(cx), errors).help(t::repeat_help(cx)).unit(t::minutes(cx)).input("number", &filled.repeat))
        (Field::new("group", t::group(cx), errors).help(t::group_help(cx)).unit(t::seconds(cx)).input("number", &filled.group))
        (Field::new("most", t::most(cx), errors).help(t::most_help(cx)).unit(t::messages(cx)).input("number", &filled.most))
    };
    html! {
        form.panel method="post" action=(action) {
            (errors.summary(cx))
            @if filled.webhook { input type="hidden" name="webhook" value="1"; }
            (Field::new("name", t::name(cx), errors).help(t::name_help(cx)).required().input("text", &filled.name))
            (group(t::to(cx), &receiver))
            (group(t::what(cx), &what))
            (group(t::how_often(cx), &often))
            div.buttons {
                button.primary type="submit" { @if new { (t::make(cx)) } @else { (t::save(cx)) } }
                a.plain.button href=(HERE) { (common::cancel(cx)) }
            }
        }
    }
}
