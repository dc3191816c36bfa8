//! Service levels: by when an exposed computer has to be fixed.

use axum::{Form, response::Response};
use maud::html;
use serde::Deserialize;
use weir_api::{
    access::Role,
    exposure_level::{Levels, LevelsChange},
};

use super::tabs;
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::{may_here, refused},
    texts::{common, exposure as t},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::{Errors, Field, group},
    },
};

/// The fields of the form, in its order.
const FIELDS: [&str; 7] = ["exploited", "critical", "important", "moderate", "low", "unrated", "due_soon"];

/// The form.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    form(&cx, None, &Errors::default()).await
}

/// The days of a field as REST has them; nothing is no level.
fn days(levels: &Levels, field: &str) -> Option<u16> {
    match field {
        "exploited" => levels.exploited,
        "critical" => levels.critical,
        "important" => levels.important,
        "moderate" => levels.moderate,
        "low" => levels.low,
        "unrated" => levels.unrated,
        _ => Some(levels.due_soon),
    }
}

async fn form(cx: &Cx, sent: Option<&[(String, String)]>, errors: &Errors) -> Result<Response, Failure> {
    let levels: Levels = cx.api.get("/exposure/levels", &()).await?;
    let may = may_here(cx, Role::FullAdministrator);
    let value = |field: &str| match sent {
        Some(sent) => sent.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone()).unwrap_or_default(),
        None => days(&levels, field).map(|days| days.to_string()).unwrap_or_default(),
    };
    let input = |field: &'static str| {
        Field::new(field, t::level_field(cx, field), errors)
            .help(t::level_help(cx, field))
            .unit(t::days_unit(cx))
            .input("number", &value(field))
    };
    let body = html! {
        (errors.summary(cx))
        @if may {
            form method="post" action="/updates/exposure/levels" {
                p { (t::levels_help(cx)) }
                (group(t::levels_rated(cx), &html! { @for field in FIELDS.into_iter().filter(|field| *field != "due_soon") { (input(field)) } }))
                (group(t::levels_soon(cx), &input("due_soon")))
                div.buttons { button.primary type="submit" { (t::levels_set(cx)) } }
            }
        } @else {
            section.panel {
                p { (t::levels_help(cx)) }
                (ui::facts(FIELDS.into_iter().map(|field| {
                    let shown = days(&levels, field).map_or_else(|| html! { (t::level_none(cx)) }, |days| html! { (common::days(cx, u64::from(days))) });
                    (t::level_field(cx, field), shown)
                })))
            }
        }
    };
    let acts = html! {
        @if may && !levels.proposed {
            form.inline method="post" action="/updates/exposure/levels/proposed" data-dialog { button type="submit" { (t::levels_propose(cx)) } }
        }
    };
    let mut page = Page::new(cx, t::levels(cx)).crumb(t::title(cx), cx.to("/updates/exposure")).tabs(tabs(cx));
    page = if levels.proposed {
        page.fact(t::levels_state(cx), badge(Tone::Plain, t::levels_proposed(cx)))
    } else {
        page.fact(
            t::levels_state(cx),
            html! {
                (ui::time_or(cx, levels.changed_at)) " · " (levels.changed_by.as_deref().unwrap_or_default())
            },
        )
    };
    page.actions(acts).body(body).render().await
}

/// Sets what differs.
pub(super) async fn change(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut errors = Errors::default();
    let mut change = LevelsChange::default();
    for (name, value) in &pairs {
        let Some(field) = FIELDS.into_iter().find(|field| field == name) else { continue };
        let value = value.trim();
        // nothing is no level; that something is due soon needs days
        let days = match value.parse::<u16>() {
            Ok(days) => days,
            Err(_) if value.is_empty() && field != "due_soon" => 0,
            Err(_) => {
                errors = errors.field(field, t::days_wrong(&cx));
                continue;
            }
        };
        let place = match field {
            "exploited" => &mut change.exploited,
            "critical" => &mut change.critical,
            "important" => &mut change.important,
            "moderate" => &mut change.moderate,
            "low" => &mut change.low,
            "unrated" => &mut change.unrated,
            _ => &mut change.due_soon,
        };
        *place = Some(days);
    }
    if !errors.is_empty() {
        return form(&cx, Some(&pairs), &errors).await;
    }
    match cx.api.patch::<Levels>("/exposure/levels", &change).await {
        Ok(_) => Ok(t::flash_levels().to("/updates/exposure/levels")),
        Err(failure) => {
            let problem = failure.into_problem()?;
            form(&cx, Some(&pairs), &refused(&problem, &FIELDS)).await
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    sure: Option<String>,
}

/// Asks for confirmation, or goes back to the proposed levels.
pub(super) async fn propose(cx: Cx, Form(sent): Form<Sent>) -> Result<Response, Failure> {
    let mut errors = Errors::default();
    if sent.sure.is_some() {
        match cx.api.delete::<Levels>("/exposure/levels").await {
            Ok(_) => return Ok(t::flash_levels().to("/updates/exposure/levels")),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    let levels: Levels = cx.api.get("/exposure/levels", &()).await?;
    let now = FIELDS.into_iter().map(|field| {
        let shown = days(&levels, field)
            .map_or_else(|| t::level_none(&cx).to_owned(), |days| common::days(&cx, u64::from(days)));
        (t::level_field(&cx, field), html! { (shown) })
    });
    let details = html! { (errors.summary(&cx)) p { (t::propose_now(&cx)) } (ui::facts(now)) };
    let confirm = Confirm::new(
        t::propose_sentence(&cx),
        t::propose_undo(&cx),
        t::levels_propose(&cx),
        "/updates/exposure/levels/proposed",
        "/updates/exposure/levels",
    );
    let confirm = confirm.details(details).field("sure", "1");
    Page::new(&cx, t::levels_propose(&cx)).body(confirm.render(&cx)).render().await
}
