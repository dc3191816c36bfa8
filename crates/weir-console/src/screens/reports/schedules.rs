//! Reports that are made by themselves: the list, and what is done with several of them.

use std::collections::BTreeMap;

use axum::{Form, response::Response};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    list::ListQuery,
    report::{Report, ReportSchedule, ReportScheduleChange},
};

use crate::{
    address::{local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::infrastructure::may,
    texts::reports as t,
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
        grid::{Action, CSV_ROWS, Column, Grid, wants_csv},
    },
};

/// Rows of a page.
const ROWS: u32 = 200;
/// Names that a confirmation lists.
const LISTED: usize = 20;

/// The list, or its CSV.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let titles = titles(&cx).await;
    if wants_csv(&cx.address) {
        let rows = all(&cx).await?;
        let rows: Vec<ReportSchedule> = rows.into_iter().filter(|row| shown(&cx, row)).collect();
        return Ok(Grid::new(&cx, "report-schedules", t::schedules(&cx), columns(&cx, &titles), &rows).csv());
    }
    let query = ListQuery { cursor: cx.address.value("cursor").map(str::to_owned), limit: Some(ROWS) };
    let list: List<ReportSchedule> = cx.api.get("/report-schedules", &query).await?;
    let rows: Vec<ReportSchedule> = list.items.into_iter().filter(|row| shown(&cx, row)).collect();
    let failing = rows.iter().filter(|row| row.failures > 0).count() as u64;
    let narrowed = cx.address.value("q").or_else(|| cx.address.value("report")).is_some();
    let empty = if narrowed {
        ui::empty(t::schedules_none(&cx), Some((t::schedules(&cx), "/reports/schedules")))
    } else if may(&cx, Role::SoftwareUpdateManager) {
        ui::empty(t::schedules_empty(&cx), Some((t::schedule_new(&cx), "/reports/schedules/new")))
    } else {
        ui::empty(t::schedules_empty(&cx), None)
    };
    let filters = html! {
        label.hide for="schedule-q" { (t::name(&cx)) }
        input #schedule-q type="search" name="q" value=[cx.address.value("q")] placeholder=(t::name(&cx)) maxlength="100";
    };
    let grid = Grid::new(&cx, "report-schedules", t::schedules(&cx), columns(&cx, &titles), &rows)
        .next(list.next.as_deref())
        .filters(filters)
        .empty(empty);
    let actions = actions(&cx);
    let grid = if actions.is_empty() { grid } else { grid.select(|row| row.id.to_string(), actions) };
    let body = ui::live("schedules-live", "reports jobs", grid.render());
    drop(grid);
    let mut page = Page::new(&cx, t::schedules(&cx)).body(body);
    if failing > 0 {
        page = page.fact(t::failing(&cx), badge(Tone::Bad, &ui::number(&cx, failing)));
    }
    if may(&cx, Role::SoftwareUpdateManager) {
        page = page.actions(html! { a.button.primary href="/reports/schedules/new" { (t::schedule_new(&cx)) } });
    }
    page.render().await
}

/// Every schedule there is.
async fn all(cx: &Cx) -> Result<Vec<ReportSchedule>, Failure> {
    cx.api
        .all(CSV_ROWS, |cursor| async move {
            cx.api.get("/report-schedules", &ListQuery { cursor, limit: Some(1000) }).await
        })
        .await
}

fn shown(cx: &Cx, row: &ReportSchedule) -> bool {
    let text = cx.address.value("q").unwrap_or_default().to_lowercase();
    let report = cx.address.value("report");
    row.name.to_lowercase().contains(&text) && report.is_none_or(|report| report == row.report)
}

fn actions(cx: &Cx) -> Vec<Action> {
    let acts = [
        ("run", Role::Operator),
        ("enable", Role::SoftwareUpdateManager),
        ("disable", Role::SoftwareUpdateManager),
        ("delete", Role::SoftwareUpdateManager),
    ];
    acts.into_iter()
        .filter(|(_, role)| may(cx, *role))
        .map(|(act, _)| Action { label: t::acts(cx, act), to: "/reports/schedules/change", act })
        .collect()
}

/// What the reports are called, by their ids. Without an answer their ids are shown.
async fn titles(cx: &Cx) -> BTreeMap<String, String> {
    let reports = cx.api.get::<List<Report>>("/reports", &()).await;
    reports.map(|list| list.items.into_iter().map(|one| (one.id, one.title)).collect()).unwrap_or_default()
}

fn columns<'a>(cx: &'a Cx, titles: &'a BTreeMap<String, String>) -> Vec<Column<'a, ReportSchedule>> {
    vec![
        Column::new("name", t::name(cx), |row: &ReportSchedule| {
            html! { a href=(path(&["reports", "schedules", &row.id.to_string()])) { (row.name) } }
        })
        .text(|row| row.name.clone())
        .wide()
        .narrow(),
        Column::new("report", t::report(cx), |row: &ReportSchedule| {
            html! { a href=(path(&["reports", &row.report])) lang="en" { (titles.get(&row.report).unwrap_or(&row.report)) } }
        })
        .text(|row| row.report.clone()),
        Column::new("when", t::when(cx), |row: &ReportSchedule| html! { span lang="en" { (row.description) } })
            .text(|row| row.schedule.clone()),
        Column::new("next", t::next(cx), |row: &ReportSchedule| match row.next {
            Some(at) => ui::ago(cx, at),
            None => badge(Tone::Plain, t::switched_off(cx)),
        })
        .text(|row| row.next.map(|at| at.to_string()).unwrap_or_default())
        .narrow(),
        Column::new("last", t::last(cx), |row: &ReportSchedule| last(cx, row))
            .text(|row| row.last.as_ref().map(|run| run.at.to_string()).unwrap_or_default())
            .narrow(),
        Column::new("goes", t::goes(cx), |row: &ReportSchedule| html! { (goes(cx, row)) }).text(|row| goes(cx, row)),
        Column::new("format", t::format(cx), |row: &ReportSchedule| html! { (row.format) })
            .text(|row| row.format.clone())
            .hidden(),
        Column::new("by", t::changed_by(cx), |row: &ReportSchedule| {
            html! { (row.changed_by) " " (ui::ago(cx, row.changed_at)) }
        })
        .text(|row| row.changed_by.clone())
        .hidden(),
    ]
}

/// To whom it goes, and where it is written.
pub(super) fn goes(cx: &Cx, row: &ReportSchedule) -> String {
    let mut parts = Vec::new();
    if !row.addresses.is_empty() {
        parts.push(t::receivers(cx, row.addresses.len() as u64));
    }
    if row.folder.is_some() {
        parts.push(t::a_folder(cx).to_owned());
    }
    parts.join(" · ")
}

/// How the last attempt went.
pub(super) fn last(cx: &Cx, row: &ReportSchedule) -> Markup {
    if row.running {
        return badge(Tone::Busy, t::being_made(cx));
    }
    let Some(run) = &row.last else { return html! { span.quiet { (t::never(cx)) } } };
    html! {
        @match (&run.error, run.rows) {
            (Some(error), _) => { (badge(Tone::Bad, t::failed(cx))) " " (ui::ago(cx, run.at)) div.quiet lang="en" { (error) } }
            (None, rows) => {
                (badge(Tone::Good, t::made(cx))) " " (ui::ago(cx, run.at))
                @if let Some(rows) = rows { " " span.quiet { (t::rows_given(cx, rows)) } }
            }
        }
    }
}

/// What the selection and the confirmation send.
#[derive(Debug, Default)]
struct Sent {
    ids: Vec<Uuid>,
    act: String,
    from: String,
    sure: bool,
}

impl Sent {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self { from: "/reports/schedules".to_owned(), ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                "id" | "ids" => sent.ids.extend(value.split([',', ' ']).filter_map(|id| Uuid::parse_str(id).ok())),
                "act" => sent.act = value,
                "from" => sent.from = local(Some(&value)),
                "sure" => sent.sure = value == "1",
                _ => {}
            }
        }
        sent.ids.sort_unstable();
        sent.ids.dedup();
        sent
    }
}

/// Asks for confirmation, or acts on each schedule in turn.
pub(super) async fn change(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let sent = Sent::read(pairs);
    if !matches!(sent.act.as_str(), "run" | "enable" | "disable" | "delete") {
        return Err(Failure::NotFound);
    }
    if sent.ids.is_empty() {
        return Ok(t::flash_nothing_selected().to(&sent.from));
    }
    let rows: Vec<ReportSchedule> = all(&cx).await?.into_iter().filter(|row| sent.ids.contains(&row.id)).collect();
    if !sent.sure {
        return confirm(&cx, &sent, &rows, &Errors::default()).await;
    }
    let mut done = 0;
    for row in &rows {
        if let Err(failure) = act(&cx, &sent.act, row).await {
            // what was done before it stays done, and is said
            let errors = Errors::of(&failure.into_problem()?, &[]).field("done", t::done_before(&cx, done));
            return confirm(&cx, &sent, rows.get(done as usize..).unwrap_or_default(), &errors).await;
        }
        done += 1;
    }
    let from = if sent.act == "delete" { "/reports/schedules" } else { &sent.from };
    Ok(t::flash_schedules_done(done, t::acts_done(&cx, &sent.act)).to(from))
}

async fn act(cx: &Cx, act: &str, row: &ReportSchedule) -> Result<(), Failure> {
    let id = row.id.to_string();
    let change = |enabled| ReportScheduleChange { enabled: Some(enabled), ..ReportScheduleChange::default() };
    match act {
        "run" => cx.api.post::<ReportSchedule>(&path(&["report-schedules", &id, "run"]), &()).await.map(drop),
        "delete" => cx.api.delete::<()>(&path(&["report-schedules", &id])).await,
        act => {
            let change = change(act == "enable");
            cx.api.patch::<ReportSchedule>(&path(&["report-schedules", &id]), &change).await.map(drop)
        }
    }
}

async fn confirm(cx: &Cx, sent: &Sent, rows: &[ReportSchedule], errors: &Errors) -> Result<Response, Failure> {
    let count = rows.len() as u64;
    let (sentence, undo) = match sent.act.as_str() {
        "run" => (t::run_sentence(cx, count), t::run_undo(cx)),
        "enable" => (t::enable_sentence(cx, count), t::enable_undo(cx)),
        "disable" => (t::disable_sentence(cx, count), t::disable_undo(cx)),
        _ => (t::delete_sentence(cx, count), t::delete_undo(cx)),
    };
    let details = html! {
        (errors.summary(cx))
        ul.samples {
            @for row in rows.iter().take(LISTED) { li { (row.name) " " span.quiet { (goes(cx, row)) } } }
            @if rows.len() > LISTED { li { (crate::texts::common::more(cx, (rows.len() - LISTED) as u64)) } }
        }
    };
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let label = t::acts(cx, &sent.act);
    let confirm = Confirm::new(sentence, undo, &label, "/reports/schedules/change", &sent.from)
        .details(details)
        .field("ids", ids.join(","))
        .field("act", &sent.act)
        .field("from", &sent.from)
        .field("sure", "1")
        .nothing(rows.is_empty());
    let confirm = if sent.act == "delete" { confirm.danger() } else { confirm };
    Page::new(cx, label).crumb(t::schedules(cx), "/reports/schedules").body(confirm.render(cx)).render().await
}
