//! Messages to subscribers: which arrived, which wait, and why one did not.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    subscription::{Delivery, DeliveryQuery},
};

use super::frame;
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    texts::notifications as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

fn query(cx: &Cx) -> DeliveryQuery {
    DeliveryQuery {
        subscription: cx.address.value("subscription").map(str::to_owned),
        state: cx.address.value("state").map(str::to_owned),
        cursor: cx.address.value("cursor").map(str::to_owned),
        limit: None,
    }
}

/// The tab.
pub(super) async fn show(cx: &Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        let rows = cx.api.all(CSV_ROWS, |cursor| {
            let query = DeliveryQuery { cursor, limit: Some(1000), ..query(cx) };
            async move { cx.api.get::<List<Delivery>>("/deliveries", &query).await }
        });
        let list = List { items: rows.await?, next: None };
        return Ok(grid(cx, &list, &Errors::default()).csv());
    }
    let mut errors = Errors::default();
    let list: List<Delivery> = match cx.api.get("/deliveries", &query(cx)).await {
        Ok(list) => list,
        // such as a subscription that is not there any more
        Err(failure) => {
            errors = Errors::of(&failure.into_problem()?, &["subscription", "state"]);
            List { items: Vec::new(), next: None }
        }
    };
    let grid = ui::live("deliveries-live", "alerts", grid(cx, &list, &errors).render());
    let body = html! { (errors.summary(cx)) (grid) };
    frame(cx, body).render().await
}

fn grid<'a>(cx: &'a Cx, list: &'a List<Delivery>, errors: &Errors) -> Grid<'a, Delivery> {
    let columns = vec![
        Column::new("created", t::when(cx), |one: &Delivery| ui::time(cx, one.created_at))
            .text(|one| one.created_at.to_string())
            .narrow(),
        Column::new("subscription", t::subscription(cx), |one: &Delivery| {
            html! { a href=(path(&["settings", "notifications", &one.subscription])) { (one.subscription) } }
        })
        .text(|one| one.subscription.clone())
        .narrow(),
        Column::new("event", t::event(cx), |one: &Delivery| {
            html! {
                (t::events(cx, &one.event))
                @if let Some(alert) = one.alert { " " span.cites { a href=(path(&["alerts", &alert.to_string()])) { "#" (alert) } } }
            }
        })
        .text(|one| one.event.clone()),
        Column::new("state", t::state(cx), |one: &Delivery| state(cx, one)).text(|one| one.state.clone()).narrow(),
        Column::number(cx, "attempts", t::attempts(cx), |one: &Delivery| u64::from(one.attempts)),
        Column::new("next", t::next_try(cx), |one: &Delivery| ui::time_or(cx, one.next_at))
            .text(|one| one.next_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("error", t::error(cx), |one: &Delivery| {
            html! {
                span lang="en" { (one.last_error.as_deref().unwrap_or_default()) }
                @if let Some(answer) = &one.answer { details { summary { (t::answer(cx)) } pre { (answer) } } }
            }
        })
        .text(|one| one.last_error.clone().unwrap_or_default())
        .wide(),
    ];
    Grid::new(cx, "deliveries", t::deliveries(cx), columns, &list.items)
        .next(list.next.as_deref())
        .filters(filters(cx, errors))
        .empty(html! { p { (t::deliveries_empty(cx)) } })
}

fn filters(cx: &Cx, errors: &Errors) -> Markup {
    let states = ["", "waiting", "delivered", "given_up", "dropped"];
    let states =
        states.map(|word| (word.to_owned(), t::delivery_states(cx, if word.is_empty() { "any" } else { word })));
    html! {
        (Field::new("state", t::state(cx), errors).choice(&states, cx.address.value("state").unwrap_or_default()))
        (Field::new("subscription", t::subscription(cx), errors).input("text", cx.address.value("subscription").unwrap_or_default()))
    }
}

fn state(cx: &Cx, one: &Delivery) -> Markup {
    let tone = match one.state.as_str() {
        "delivered" => Tone::Good,
        "given_up" => Tone::Bad,
        "waiting" => Tone::Busy,
        _ => Tone::Plain,
    };
    badge(tone, &t::delivery_states(cx, &one.state))
}
