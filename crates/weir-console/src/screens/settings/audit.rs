//! The audit log: who did what to what, when, with the state before and after beside each other.

use std::collections::BTreeSet;

use axum::{Router, response::Response, routing::get};
use http::HeaderMap;
use jiff::{Timestamp, civil::DateTime};
use maud::{Markup, html};
use serde_json::{Map, Value};
use weir_api::{
    List,
    audit::{AuditQuery, AuditRow},
};

use super::control::plain;
use crate::{
    Console,
    address::Address,
    cx::Cx,
    failure::Failure,
    layout::Page,
    relay,
    texts::{audit as t, settings as s},
    ui::{
        self,
        form::{Errors, Field},
        grid::{Column, Grid, wants_csv},
    },
};

/// The log.
const HERE: &str = "/settings/audit";

/// Pages.
pub(super) fn routes() -> Router<Console> {
    Router::new().route(HERE, get(show))
}

/// An instant as somebody fills it in: local to the visitor, or with a zone.
fn instant(cx: &Cx, text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let local = || {
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(cx.zone.clone()).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(local)
}

/// What the address asks for, and what of it cannot be read.
fn query(cx: &Cx) -> (AuditQuery, Errors) {
    let text = |name: &str| cx.address.value(name).map(|text| text.trim().to_owned());
    let mut errors = Errors::default();
    let mut time = |name: &'static str| {
        let read = cx.address.value(name).map(|text| instant(cx, text));
        if read == Some(None) {
            errors = std::mem::take(&mut errors).field(name, t::no_time(cx));
        }
        read.flatten()
    };
    let (since, until) = (time("since"), time("until"));
    let query = AuditQuery {
        actor: text("actor"),
        action: text("action"),
        subject: text("subject"),
        since,
        until,
        cursor: text("cursor"),
        limit: None,
    };
    (query, errors)
}

async fn show(cx: Cx, headers: HeaderMap) -> Result<Response, Failure> {
    let (query, mut errors) = query(&cx);
    if wants_csv(&cx.address) && errors.is_empty() {
        let query = AuditQuery { cursor: None, ..query };
        let query = serde_urlencoded::to_string(&query).map_err(|error| Failure::internal("/audit.csv", &error))?;
        let uri: http::Uri = format!("/audit.csv?{query}")
            .parse()
            .map_err(|error: http::uri::InvalidUri| Failure::internal("/audit.csv", &error))?;
        return relay::down(&cx, &Address::of(&uri), Some("audit.csv"), &headers).await;
    }
    let mut list = List { items: Vec::new(), next: None };
    if errors.is_empty() {
        match cx.api.get::<List<AuditRow>>("/audit", &query).await {
            Ok(found) => list = found,
            Err(failure) => {
                errors = Errors::of(&failure.into_problem()?, &["actor", "action", "subject", "since", "until"]);
            }
        }
    }
    let grid = ui::live("audit-live", "settings", grid(&cx, &list, &errors).render());
    let body = html! { (errors.summary(&cx)) (grid) };
    Page::new(&cx, s::places(&cx, "audit")).body(body).render().await
}

fn grid<'a>(cx: &'a Cx, list: &'a List<AuditRow>, errors: &Errors) -> Grid<'a, AuditRow> {
    let columns = vec![
        Column::new("at", t::at(cx), |row: &AuditRow| ui::time(cx, row.at)).text(|row| row.at.to_string()).narrow(),
        Column::new(
            "actor",
            t::actor(cx),
            |row: &AuditRow| html! { a href=(narrow(cx, "actor", &row.actor)) { (row.actor) } },
        )
        .text(|row| row.actor.clone())
        .narrow(),
        Column::new("action", t::action(cx), |row: &AuditRow| {
            html! { a href=(narrow(cx, "action", &row.action)) { code { (row.action) } } }
        })
        .text(|row| row.action.clone())
        .narrow(),
        Column::new("subject", t::subject(cx), |row: &AuditRow| {
            html! { a href=(narrow(cx, "subject", &row.subject)) { (row.subject) } }
        })
        .text(|row| row.subject.clone())
        .narrow(),
        Column::new("detail", t::what(cx), |row: &AuditRow| detail(cx, &row.detail))
            .text(|row| row.detail.clone())
            .wide()
            .narrow(),
        Column::new("from", t::from(cx), |row: &AuditRow| {
            html! { @match &row.from { Some(from) => code { (from) }, None => span.quiet { (t::server(cx)) } } }
        })
        .text(|row| row.from.clone().unwrap_or_default()),
        Column::new("proof", t::proof(cx), |row: &AuditRow| html! { (row.proof.as_deref().unwrap_or_default()) })
            .text(|row| row.proof.clone().unwrap_or_default())
            .hidden(),
        Column::new(
            "approved",
            t::approved(cx),
            |row: &AuditRow| html! { (row.approved_by.as_deref().unwrap_or_default()) },
        )
        .text(|row| row.approved_by.clone().unwrap_or_default()),
        Column::new("id", t::number(cx), |row: &AuditRow| html! { (row.id) }).text(|row| row.id.to_string()).hidden(),
    ];
    Grid::new(cx, "audit", s::places(cx, "audit"), columns, &list.items)
        .next(list.next.as_deref())
        .filters(filters(cx, errors))
        .empty(ui::empty(t::empty(cx), Some((t::all(cx), HERE))))
}

/// The log with one more filter.
fn narrow(cx: &Cx, name: &str, value: &str) -> Address {
    cx.address.first().with(name, value)
}

fn filters(cx: &Cx, errors: &Errors) -> Markup {
    let value = |name: &str| cx.address.value(name).unwrap_or_default();
    html! {
        (Field::new("actor", t::actor(cx), errors).input("text", value("actor")))
        (Field::new("action", t::action(cx), errors).help(t::action_help(cx)).input("text", value("action")))
        (Field::new("subject", t::subject(cx), errors).input("text", value("subject")))
        (Field::new("since", t::since(cx), errors).input("datetime-local", &local(cx, value("since"))))
        (Field::new("until", t::until(cx), errors).input("datetime-local", &local(cx, value("until"))))
    }
}

/// An instant as the field takes it: local to the visitor.
fn local(cx: &Cx, text: &str) -> String {
    let at = instant(cx, text).map(|at| at.to_zoned(cx.zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string());
    at.unwrap_or_default()
}

/// The state before and after, beside each other.
fn detail(cx: &Cx, text: &str) -> Markup {
    let value = serde_json::from_str::<Value>(text).ok();
    let Some((before, after)) = value.as_ref().and_then(sides) else {
        return html! { @if !text.is_empty() { details { summary { (t::show(cx)) } pre { (pretty(text)) } } } };
    };
    let rows = compared(before, after);
    // what is no object has no property to name
    let changed: Vec<&str> =
        rows.iter().filter(|row| row.1 != row.2 && !row.0.is_empty()).map(|row| row.0.as_str()).collect();
    let shown = |side: &Option<String>| html! { @match side { Some(text) => pre { (text) }, None => span.quiet { (t::absent(cx)) } } };
    html! {
        @if !rows.is_empty() {
            details {
                summary { @if changed.is_empty() { (t::show(cx)) } @else { (changed.iter().take(4).copied().collect::<Vec<_>>().join(", ")) @if changed.len() > 4 { " …" } } }
                table.diff {
                    caption.hide { (t::what(cx)) }
                    thead { tr { @for head in [t::property(cx), t::before(cx), t::after(cx)] { th scope="col" { (head) } } } }
                    tbody {
                        @for (name, before, after) in &rows {
                            tr.changed[before != after] { @if name.is_empty() { td {} } @else { th scope="row" { (name) } } td { (shown(before)) } td { (shown(after)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The two states of a write, if its detail has them.
fn sides(value: &Value) -> Option<(&Value, &Value)> {
    let Value::Object(fields) = value else { return None };
    match (fields.get("before"), fields.get("after"), fields.len()) {
        (Some(before), Some(after), 2) => Some((before, after)),
        _ => None,
    }
}

/// Properties with the value before and after; what is no object is one property without a name.
fn compared(before: &Value, after: &Value) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |value: &Value| match value {
        Value::Object(_) | Value::Array(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
        other => plain(other),
    };
    let empty = Map::new();
    let fields = |value: &'_ Value| -> Option<Map<String, Value>> {
        match value {
            Value::Object(fields) => Some(fields.clone()),
            Value::Null => Some(empty.clone()),
            _ => None,
        }
    };
    match (fields(before), fields(after)) {
        (Some(before), Some(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            names
                .into_iter()
                .map(|name| (name.clone(), before.get(name).map(text), after.get(name).map(text)))
                .collect()
        }
        _ => {
            let side = |value: &Value| (!value.is_null()).then(|| text(value));
            vec![(String::new(), side(before), side(after))]
        }
    }
}

fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn states_stand_beside_each_other() {
        let text = |text: &str| Some(text.to_owned());
        let rows = compared(&json!({"name": "a", "on": true}), &json!({"name": "b", "on": true, "list": []}));
        assert_eq!(
            rows,
            [
                ("list".to_owned(), None, text("[]")),
                ("name".to_owned(), text("a"), text("b")),
                ("on".to_owned(), text("true"), text("true")),
            ]
        );
        assert_eq!(compared(&Value::Null, &json!({"id": 5})), [("id".to_owned(), None, text("5"))]);
        assert_eq!(compared(&json!(3), &json!("x")), [(String::new(), text("3"), text("x"))]);
        assert!(sides(&json!({"before": 1, "after": 2})).is_some() && sides(&json!({"before": 1})).is_none());
    }
}
