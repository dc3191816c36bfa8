//! One subscription: how it goes, changing it, trying it, another secret, deleting it.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    access::Role,
    subscription::{Channel, Subscription, SubscriptionChange, SubscriptionCreated, SubscriptionTested},
};

use super::{
    HERE, about, address,
    filled::{Filled, errors},
    find, form, receiver, state,
};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{may, secret},
    texts::{common, notifications as t, settings as s, top},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::{Confirm, matches},
        form::{Errors, Field},
    },
};

/// What the small forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    typed: String,
    on: String,
    hours: String,
}

/// The page.
pub(super) async fn show(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = find(&cx, &name).await?;
    page(&cx, &one, None, &Errors::default(), None).await
}

async fn page(
    cx: &Cx,
    one: &Subscription,
    again: Option<&Filled>,
    errors: &Errors,
    tested: Option<&SubscriptionTested>,
) -> Result<Response, Failure> {
    let open = may(cx, Role::FullAdministrator);
    let own = address(one);
    let kinds = form::kinds(cx).await;
    let filled = again.cloned().unwrap_or_else(|| Filled::of(one));
    let acts = html! {
        @if open {
            form.inline method="post" action={ (own) "/test" } { button.primary type="submit" { (t::test(cx)) } }
            form.inline method="post" action={ (own) "/switch" } {
                button type="submit" name="on" value=(if one.enabled { "0" } else { "1" }) { (t::switches(cx, if one.enabled { "off" } else { "on" })) }
            }
            @if one.channel == Channel::Webhook { a.button href={ (own) "/secret" } { (t::secret_new(cx)) } }
            a.button href={ (own) "/delete" } { (t::delete(cx)) }
        }
    };
    let body = html! {
        @if let Some(tested) = tested { (outcome(cx, tested)) }
        @if let Some(why) = &one.disabled_because {
            div.panel.failure role="alert" { p { strong { (t::switched_off_why(cx)) } } p lang="en" { (why) } p { (t::switched_off_next(cx)) } }
        }
        (ui::live("subscription-live", "alerts", how(cx, one)))
        @if open { (form::form(cx, &filled, errors, &kinds, &own, false)) } @else { (errors.summary(cx)) }
    };
    Page::new(cx, &one.name)
        .crumb(s::places(cx, "notifications"), HERE)
        .fact(t::to(cx), html! { (t::channels(cx, &ui::word(&one.channel))) " · " (receiver(one)) })
        .fact(t::state(cx), state(cx, one))
        .fact(t::waiting(cx), html! { (ui::number(cx, one.waiting)) })
        .actions(acts)
        .body(body)
        .render()
        .await
}

fn how(cx: &Cx, one: &Subscription) -> Markup {
    let deliveries = cx.to(HERE).with("tab", "deliveries").with("subscription", &one.name);
    html! {
        section.panel {
            h2 { (t::how_it_goes(cx)) }
            (ui::facts([
                (t::about(cx).to_owned(), html! { (about(cx, one)) " · " (top::severity(cx, &one.severity)) }),
                (t::last_success(cx).to_owned(), ui::time_or(cx, one.last_success_at)),
                (t::last_failure(cx).to_owned(), html! {
                    (ui::time_or(cx, one.last_failure_at))
                    @if let Some(error) = &one.last_error { div lang="en" { (error) } }
                }),
                (t::changed(cx).to_owned(), html! { (ui::time(cx, one.changed_at)) " · " (one.changed_by) }),
                (t::made_at(cx).to_owned(), ui::time(cx, one.created_at)),
            ]))
            @if let Some(until) = one.secret_before_until { p { (t::secret_before(cx)) " " (ui::time(cx, until)) } }
            p { a href=(deliveries) { (t::deliveries(cx)) } }
        }
    }
}

fn outcome(cx: &Cx, tested: &SubscriptionTested) -> Markup {
    html! {
        section.panel role="status" {
            h2 { @if tested.delivered { (badge(Tone::Good, t::test_good(cx))) } @else { (badge(Tone::Bad, t::test_bad(cx))) } }
            @if let Some(error) = &tested.error { p lang="en" { (error) } }
            @if let Some(next) = &tested.next_step { p lang="en" { strong { (common::next_step(cx)) } " " (next) } }
            @if let Some(answer) = &tested.answer { p { (t::answer(cx)) } pre { (answer) } }
            p.quiet { (t::test_took(cx, ui::decimal(cx, tested.seconds))) }
        }
    }
}

/// Changes it, or says beside the fields why not.
pub(super) async fn save(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one = find(&cx, &name).await?;
    let filled = Filled { webhook: one.channel == Channel::Webhook, ..Filled::sent(&pairs) };
    let change = match filled.change(&cx, &one) {
        Ok(change) => change,
        Err(errors) => return page(&cx, &one, Some(&filled), &errors, None).await,
    };
    match patch(&cx, &one, &change).await {
        Ok(changed) => Ok(t::flash_saved(&changed.subscription.name).to(address(&changed.subscription))),
        Err(failure) => page(&cx, &one, Some(&filled), &errors(&failure.into_problem()?), None).await,
    }
}

async fn patch(cx: &Cx, one: &Subscription, change: &SubscriptionChange) -> Result<SubscriptionCreated, Failure> {
    cx.api.patch(&format!("/subscriptions/{}", one.id), change).await
}

/// Sends a message now, and shows how that went.
pub(super) async fn test(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let one = find(&cx, &name).await?;
    match cx.api.post::<SubscriptionTested>(&format!("/subscriptions/{}/test", one.id), &()).await {
        Ok(tested) => {
            let one = find(&cx, &name).await?;
            page(&cx, &one, None, &Errors::default(), Some(&tested)).await
        }
        Err(failure) => page(&cx, &one, None, &Errors::of(&failure.into_problem()?, &[]), None).await,
    }
}

/// Switches it on or off.
pub(super) async fn switch(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let one = find(&cx, &name).await?;
    let on = sent.on == "1";
    match patch(&cx, &one, &SubscriptionChange { enabled: Some(on), ..SubscriptionChange::default() }).await {
        Ok(_) => Ok(if on { t::flash_on(&one.name) } else { t::flash_off(&one.name) }.to(address(&one))),
        Err(failure) => page(&cx, &one, None, &Errors::of(&failure.into_problem()?, &[]), None).await,
    }
}

/// Asks how long the secret before stays valid.
pub(super) async fn renewing(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    renewal(&cx, &find(&cx, &name).await?, "24", &Errors::default()).await
}

async fn renewal(cx: &Cx, one: &Subscription, hours: &str, errors: &Errors) -> Result<Response, Failure> {
    let own = address(one);
    let details = html! {
        (errors.summary(cx))
        (Field::new("hours", t::overlap(cx), errors).help(t::overlap_help(cx)).unit(t::hours(cx)).required().input("number", hours))
    };
    let confirm = Confirm::new(
        t::secret_sentence(cx, &one.name),
        t::secret_undo(cx),
        t::secret_new(cx),
        format!("{own}/secret"),
        &own,
    )
    .details(details);
    Page::new(cx, t::secret_new(cx))
        .crumb(s::places(cx, "notifications"), HERE)
        .crumb(&one.name, own)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Makes another secret, and shows it this once.
pub(super) async fn renew(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let one = find(&cx, &name).await?;
    let Ok(hours) = sent.hours.trim().parse() else {
        return renewal(&cx, &one, &sent.hours, &Errors::default().field("hours", t::no_number(&cx))).await;
    };
    let change =
        SubscriptionChange { new_secret: true, secret_overlap_hours: Some(hours), ..SubscriptionChange::default() };
    match patch(&cx, &one, &change).await {
        Ok(changed) => match &changed.secret {
            Some(secret) => told(&cx, &changed, secret).await,
            None => Ok(t::flash_saved(&one.name).to(address(&one))),
        },
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &["hours=secret_overlap_hours"]);
            renewal(&cx, &one, &sent.hours, &errors).await
        }
    }
}

/// The secret of a webhook, this once.
pub(super) async fn told(cx: &Cx, made: &SubscriptionCreated, text: &str) -> Result<Response, Failure> {
    let own = address(&made.subscription);
    let body = html! {
        div.panel.stack role="alert" {
            p { strong { (t::secret_once(cx)) } }
            (secret(cx, text))
            p { (t::secret_use(cx)) }
            p lang="en" { strong { (common::next_step(cx)) } " " (made.next_step) }
            p { a.button href=(own) { (t::secret_kept(cx)) } }
        }
    };
    Page::new(cx, &made.subscription.name).crumb(s::places(cx, "notifications"), HERE).body(body).render().await
}

/// Asks for the name of one that is to be deleted.
pub(super) async fn deleting(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    deletion(&cx, &find(&cx, &name).await?, None, &Errors::default()).await
}

async fn deletion(cx: &Cx, one: &Subscription, wrong: Option<String>, errors: &Errors) -> Result<Response, Failure> {
    let own = address(one);
    let details = html! {
        (errors.summary(cx))
        p { (receiver(one)) }
        @if one.waiting > 0 { p { (t::delete_waiting(cx, one.waiting)) } }
    };
    let confirm = Confirm::new(
        t::delete_sentence(cx, &one.name),
        t::delete_undo(cx),
        t::delete(cx),
        format!("{own}/delete"),
        &own,
    )
    .details(details)
    .typed(&one.name, wrong);
    Page::new(cx, t::delete(cx))
        .crumb(s::places(cx, "notifications"), HERE)
        .crumb(&one.name, own)
        .body(confirm.render(cx))
        .render()
        .await
}

/// Deletes it when its name was typed.
pub(super) async fn delete(cx: Cx, Path(name): Path<String>, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let one = find(&cx, &name).await?;
    if !matches(&sent.typed, &one.name) {
        return deletion(&cx, &one, Some(s::wrong_name(&cx, &one.name)), &Errors::default()).await;
    }
    match cx.api.delete::<()>(&format!("/subscriptions/{}", one.id)).await {
        Ok(()) => Ok(t::flash_deleted(&one.name).to(HERE)),
        Err(failure) => deletion(&cx, &one, None, &Errors::of(&failure.into_problem()?, &[])).await,
    }
}
