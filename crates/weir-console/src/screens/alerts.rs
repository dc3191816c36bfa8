//! Alerts: what somebody should see to.

use axum::{
    Form, Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;
use weir_api::{
    List,
    access::Role,
    alert::{Alert, AlertCounts, AlertDetail, AlertMute, AlertNote, AlertQuery},
};

use crate::{
    Console,
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::top as t,
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
        grid::{Column, Grid, wants_csv},
        tabs::Tab,
    },
};

/// Pages and forms.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/alerts", get(list)).route("/alerts/{id}", get(show)).route("/alerts/{id}/{act}", post(act))
}

async fn list(cx: Cx) -> Result<Response, Failure> {
    let state = match cx.address.value("tab") {
        Some("closed") => "closed",
        Some("all") => "all",
        _ => "open",
    };
    let query = AlertQuery {
        state: Some(state.to_owned()),
        severity: cx.address.value("severity").map(str::to_owned),
        cursor: cx.address.value("cursor").map(str::to_owned),
        ..AlertQuery::default()
    };
    let (list, counts) =
        tokio::join!(cx.api.get::<List<Alert>>("/alerts", &query), cx.api.get::<AlertCounts>("/alert-counts", &()),);
    let (list, counts) = (list?, counts?);
    let grid = Grid::new(&cx, "alerts", t::alerts(&cx), columns(&cx), &list.items)
        .next(list.next.as_deref())
        .empty(html! { p { (t::alerts_empty(&cx)) } });
    if wants_csv(&cx.address) {
        return Ok(grid.csv());
    }
    let body = ui::live("alerts-live", "alerts", grid.render());
    drop(grid);
    Page::new(&cx, t::alerts(&cx))
        .fact(t::severity(&cx, "critical"), html! { (ui::number(&cx, counts.critical)) })
        .fact(t::severity(&cx, "warning"), html! { (ui::number(&cx, counts.warning)) })
        .fact(t::severity(&cx, "information"), html! { (ui::number(&cx, counts.information)) })
        .tabs(vec![
            Tab::new(&cx, "open", true, t::alerts_open(&cx)).number(counts.open),
            Tab::new(&cx, "closed", false, t::alerts_closed(&cx)),
            Tab::new(&cx, "all", false, t::alerts_all(&cx)),
        ])
        .body(body)
        .render()
        .await
}

fn columns(cx: &Cx) -> Vec<Column<'_, Alert>> {
    vec![
        Column::new("severity", t::alert_severity(cx), |alert: &Alert| severity(cx, &alert.severity))
            .text(|alert| alert.severity.clone())
            .narrow(),
        Column::new("message", t::alert_message(cx), |alert: &Alert| {
            html! {
                a href=(path(&["alerts", &alert.id.to_string()])) lang="en" { (alert.message) }
            }
        })
        .text(|alert| alert.message.clone())
        .wide()
        .narrow(),
        Column::new("kind", t::alert_kind(cx), |alert: &Alert| html! { code { (alert.kind) } })
            .text(|alert| alert.kind.clone()),
        Column::new("opened", t::alert_opened(cx), |alert: &Alert| ui::ago(cx, alert.opened_at))
            .text(|alert| alert.opened_at.to_string())
            .narrow(),
        Column::new("state", t::alert_state(cx), |alert: &Alert| standing(cx, alert))
            .text(|alert| word(alert).to_owned()),
        Column::number(cx, "count", t::alert_count(cx), |alert: &Alert| alert.count).hidden(),
    ]
}

fn severity(cx: &Cx, severity: &str) -> Markup {
    let tone = match severity {
        "critical" => Tone::Bad,
        "warning" => Tone::Warn,
        _ => Tone::Plain,
    };
    badge(tone, &t::severity(cx, severity))
}

fn word(alert: &Alert) -> &'static str {
    match alert {
        Alert { closed_at: Some(_), .. } => "closed",
        Alert { muted_until: Some(_), .. } => "muted",
        Alert { acknowledged_at: Some(_), .. } => "acknowledged",
        _ => "open",
    }
}

fn standing(cx: &Cx, alert: &Alert) -> Markup {
    let tone = match word(alert) {
        "closed" => Tone::Good,
        "open" => Tone::Warn,
        _ => Tone::Plain,
    };
    badge(tone, &t::alert_states(cx, word(alert)))
}

async fn show(cx: Cx, Path(id): Path<i64>) -> Result<Response, Failure> {
    page(&cx, id, &Errors::default()).await
}

async fn page(cx: &Cx, id: i64, errors: &Errors) -> Result<Response, Failure> {
    let AlertDetail { alert, history } = cx.api.get(&path(&["alerts", &id.to_string()]), &()).await?;
    let open = alert.closed_at.is_none() && cx.may(Role::Operator);
    let form = |act: &str, label: &str, fields: Markup| {
        html! {
            form method="post" action=(path(&["alerts", &id.to_string(), act])) { (fields) button type="submit" { (label) } }
        }
    };
    let note = Field::new("note", t::alert_note(cx), errors)
        .help(t::alert_note_help(cx))
        .input("text", alert.note.as_deref().unwrap_or_default());
    let body = html! {
        (errors.summary(cx))
        section.panel { p lang="en" { (alert.message) } p.quiet { code { (alert.key) } } }
        @if open {
            (ui::panel(t::alert_acts(cx), &html! { div.acts {
                @if alert.acknowledged_at.is_none() { (form("acknowledge", t::alert_acknowledge(cx), note)) }
                @if alert.muted_until.is_some() { (form("unmute", t::alert_unmute(cx), Markup::default())) }
                @else {
                    (form("mute", t::alert_mute(cx), Field::new("until", t::alert_until(cx), errors).help(t::alert_until_help(cx)).input("text", "+4h")))
                }
                @if alert.closes_by_hand { (form("close", t::alert_close(cx), Markup::default())) }
                @else { p.quiet { (t::alert_closes_itself(cx)) } }
            } }))
        }
        (ui::panel(t::alert_history(cx), &html! {
            table {
                thead { tr { @for head in [t::alert_when(cx), t::alert_what(cx), t::alert_who(cx), t::alert_note(cx)] { th scope="col" { (head) } } } }
                tbody {
                    @for event in &history {
                        tr {
                            td { (ui::time(cx, event.at)) } td { (t::alert_events(cx, &event.what)) } td { (event.actor) }
                            td { (event.note.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }))
    };
    Page::new(cx, t::alert_title(cx, &alert.kind))
        .crumb(t::alerts(cx), "/alerts")
        .fact(t::alert_severity(cx), severity(cx, &alert.severity))
        .fact(t::alert_state(cx), standing(cx, &alert))
        .fact(t::alert_opened(cx), ui::ago(cx, alert.opened_at))
        .body(ui::live("alert-live", "alerts", body))
        .render()
        .await
}

#[derive(Deserialize)]
struct Act {
    note: Option<String>,
    until: Option<String>,
}

async fn act(cx: Cx, Path((id, act)): Path<(i64, String)>, Form(sent): Form<Act>) -> Result<Response, Failure> {
    let address = path(&["alerts", &id.to_string(), &act]);
    let note = sent.note.filter(|note| !note.trim().is_empty());
    let done = match act.as_str() {
        "acknowledge" | "close" | "unmute" => cx.api.post::<Alert>(&address, &AlertNote { note }).await,
        "mute" => cx.api.post(&address, &AlertMute { until: sent.until.unwrap_or_default(), note }).await,
        _ => return Err(Failure::NotFound),
    };
    match done {
        Ok(_) => Ok(t::flash_alert(t::alert_done(&cx, &act)).to(path(&["alerts", &id.to_string()]))),
        Err(failure) => {
            let problem = failure.into_problem()?;
            page(&cx, id, &Errors::of(&problem, &["until", "note"])).await
        }
    }
}
