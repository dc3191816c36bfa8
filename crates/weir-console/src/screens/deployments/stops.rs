//! The emergency stop of an update: from the next scan on nothing deploys it, until it is resumed.

use axum::{Form, extract::Path, response::Response};
use maud::{Markup, html};
use weir_api::{
    List,
    list::ListQuery,
    selection::LanguageQuery,
    update::UpdateDetail,
    update_stop::{StoppedUpdate, UpdateStop, UpdateStopRequest},
};

use super::{choose, filled::Filled, names};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::deployments as t,
    ui::{
        self, chart,
        chart::Part,
        confirm::{Confirm, matches},
        form::{Errors, Field},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
    },
};

fn address(id: &str) -> String {
    path(&["deployments", "stops", id])
}

/// Stopped updates.
pub(super) async fn list(cx: Cx) -> Result<Response, Failure> {
    let csv = wants_csv(&cx.address);
    let list = if csv {
        let rows = cx.api.all(CSV_ROWS, |cursor| page(&cx, cursor, 1000));
        List { items: rows.await?, next: None }
    } else {
        page(&cx, cx.address.value("cursor").map(str::to_owned), 100).await?
    };
    let grid = Grid::new(&cx, "stopped-updates", t::stops(&cx), columns(&cx), &list.items)
        .next(list.next.as_deref())
        .empty(ui::empty(t::stops_empty(&cx), None));
    if csv {
        return Ok(grid.csv());
    }
    let body = ui::live("stops-live", "updates deployments", grid.render());
    drop(grid);
    let may = names::may_everywhere(&cx);
    Page::new(&cx, t::stops(&cx))
        .actions(html! { @if may { a.button href="/deployments/stops/new" { (t::stop_new(&cx)) } } })
        .body(body)
        .render()
        .await
}

async fn page(cx: &Cx, cursor: Option<String>, limit: u32) -> Result<List<StoppedUpdate>, Failure> {
    cx.api.get("/update-stops", &ListQuery { cursor, limit: Some(limit) }).await
}

fn columns(cx: &Cx) -> Vec<Column<'_, StoppedUpdate>> {
    vec![
        Column::new("update", t::col_update(cx), |row: &StoppedUpdate| {
            let name = if row.update.name.is_empty() { row.update.id.to_string() } else { row.update.name.clone() };
            html! { @if names::everywhere(cx) { a href=(address(&row.update.id.to_string())) { (name) } } @else { (names::update_link(&row.update)) } }
        })
        .text(|row| row.update.name.clone())
        .wide()
        .narrow(),
        Column::new("reason", t::col_why(cx), |row: &StoppedUpdate| html! { (row.reason) })
            .text(|row| row.reason.clone())
            .narrow(),
        Column::new("since", t::col_since(cx), |row: &StoppedUpdate| ui::time(cx, row.stopped_at))
            .text(|row| row.stopped_at.to_string())
            .narrow(),
        Column::new("by", t::col_by(cx), |row: &StoppedUpdate| html! { (row.stopped_by) })
            .text(|row| row.stopped_by.clone()),
        Column::new("id", t::col_id(cx), |row: &StoppedUpdate| html! { code { (row.update.id) } })
            .text(|row| row.update.id.to_string())
            .hidden(),
    ]
}

/// One stop: which computers have heard of it.
pub(super) async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let stop: UpdateStop = cx.api.get(&path(&["updates", &id, "stop"]), &()).await?;
    let update = &stop.stop.update;
    let part = |class: &str, label: &str, count: u64| Part {
        class: class.to_owned(),
        label: label.to_owned(),
        count,
        link: None,
    };
    let waiting = stop.not_yet_heard.saturating_sub(stop.at_risk);
    let parts = [
        part("tone-good", t::stop_heard(&cx), stop.heard),
        part("tone-plain", t::stop_not_heard(&cx), waiting),
        part("tone-bad", t::stop_at_risk(&cx), stop.at_risk),
    ];
    let body = html! {
        div.columns {
            (ui::live("stop-live", "computers compliance updates", html! {
                section.panel {
                    @if stop.computers == 0 { p { (t::stop_nobody(&cx)) } }
                    @else { (chart::stacked(&cx, t::stop_progress(&cx), &parts)) }
                    p { (t::stop_explained(&cx)) }
                    @if stop.installed > 0 { p { (t::stop_installed(&cx, stop.installed)) } }
                }
            }))
            section.panel {
                h2 { (t::facts(&cx)) }
                (ui::facts([
                    (t::col_update(&cx).to_owned(), names::update_link(update)),
                    (t::col_why(&cx).to_owned(), html! { (stop.stop.reason) }),
                    (t::col_since(&cx).to_owned(), ui::time(&cx, stop.stop.stopped_at)),
                    (t::col_by(&cx).to_owned(), html! { (stop.stop.stopped_by) }),
                    (t::title(&cx).to_owned(), html! { a href=(Address::new("/deployments").with("update", update.id)) { (ui::number(&cx, stop.deployments)) } }),
                ]))
            }
        }
    };
    let acts = html! {
        @if names::may_everywhere(&cx) { a.button.primary href=(path(&["deployments", "stops", &id, "resume"])) { (t::resume(&cx)) } }
    };
    Page::new(&cx, &update.name)
        .crumb(t::stops(&cx), "/deployments/stops")
        .fact(t::stop_computers(&cx), html! { (ui::number(&cx, stop.computers)) })
        .fact(t::stop_heard(&cx), html! { (ui::number(&cx, stop.heard)) })
        .fact(t::stop_at_risk(&cx), html! { (ui::number(&cx, stop.at_risk)) })
        .actions(acts)
        .body(body)
        .render()
        .await
}

/// The choice of an update, or the confirmation that it is stopped.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    match cx.address.value("update") {
        Some(id) => confirm(&cx, id, &Filled::default(), None, &Errors::default()).await,
        None => {
            let body = choose::picker(&cx, "/deployments/stops/new", "update", false).await?;
            Page::new(&cx, t::stop_new(&cx)).crumb(t::stops(&cx), "/deployments/stops").body(body).render().await
        }
    }
}

/// What is typed before an update is stopped: its article, else its title.
fn to_type(update: &UpdateDetail) -> String {
    update.row.kb.first().map_or_else(|| update.row.title.clone(), |kb| format!("KB{kb}"))
}

async fn load(cx: &Cx, id: &str) -> Result<UpdateDetail, Failure> {
    cx.api.get(&path(&["updates", id]), &LanguageQuery { language: cx.titles() }).await
}

async fn confirm(
    cx: &Cx,
    id: &str,
    filled: &Filled,
    wrong: Option<String>,
    errors: &Errors,
) -> Result<Response, Failure> {
    let update = load(cx, id).await?;
    let row = &update.row;
    let details = html! {
        (errors.summary(cx))
        (ui::facts([
            (t::col_needed(cx).to_owned(), html! { (ui::number(cx, row.needed)) }),
            (t::col_installed(cx).to_owned(), html! { (ui::number(cx, row.installed)) }),
            (t::col_failed(cx).to_owned(), html! { (ui::number(cx, row.failed)) }),
        ]))
        (deployments(&update))
        (Field::new("reason", t::stop_reason(cx), errors).help(t::stop_reason_help(cx)).required().input("text", filled.text("reason")))
    };
    let sentence = t::stop_sentence(cx, row.deployments, &row.title);
    let back = path(&["updates", &row.id.to_string()]);
    let confirm = Confirm::new(sentence, t::stop_undo(cx), t::stop_now(cx), "/deployments/stops/new", back)
        .details(details)
        .field("update", row.id.to_string())
        .typed(to_type(&update), wrong);
    Page::new(cx, t::stop_new(cx)).crumb(t::stops(cx), "/deployments/stops").body(confirm.render(cx)).render().await
}

fn deployments(update: &UpdateDetail) -> Markup {
    html! {
        @if !update.deployed.is_empty() {
            ul.samples { @for one in update.deployed.iter().take(10) { li { (names::title(one)) " → " (one.collection.name) } } }
        }
    }
}

/// Stops an update.
pub(super) async fn stop(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let filled = Filled::new(pairs);
    let update = load(&cx, filled.text("update")).await?;
    let id = update.row.id.to_string();
    if !matches(filled.text("typed"), &to_type(&update)) {
        return confirm(&cx, &id, &filled, Some(t::error_typed(&cx).to_owned()), &Errors::default()).await;
    }
    let asked = UpdateStopRequest { reason: filled.text("reason").trim().to_owned() };
    match cx.api.put::<UpdateStop>(&path(&["updates", &id, "stop"]), &asked).await {
        Ok(_) => Ok(t::flash_stopped(&update.row.title).to(address(&id))),
        Err(failure) => {
            let errors = Errors::of(&failure.into_problem()?, &["reason"]);
            confirm(&cx, &id, &filled, None, &errors).await
        }
    }
}

/// Asks before an update goes on.
pub(super) async fn ask_resume(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let stop: UpdateStop = cx.api.get(&path(&["updates", &id, "stop"]), &()).await?;
    let sentence = t::resume_sentence(&cx, stop.computers, &stop.stop.update.name, ui::number(&cx, stop.deployments));
    let details = html! { p { (t::col_why(&cx)) ": " (stop.stop.reason) } };
    let action = path(&["deployments", "stops", &id, "resume"]);
    let confirm = Confirm::new(sentence, t::resume_undo(&cx), t::resume(&cx), action, address(&id)).details(details);
    Page::new(&cx, t::resume(&cx)).crumb(t::stops(&cx), "/deployments/stops").body(confirm.render(&cx)).render().await
}

/// Lets an update go on.
pub(super) async fn resume(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    cx.api.delete::<()>(&path(&["updates", &id, "stop"])).await?;
    Ok(t::flash_resumed().to("/deployments/stops"))
}
