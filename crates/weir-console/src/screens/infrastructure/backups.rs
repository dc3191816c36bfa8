//! Backups: how they stand, which there are, what runs made of them, and when they are made by themselves.

use axum::response::Response;
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    backup::{Backup, BackupRun, BackupState, BackupStatus},
    list::ListQuery,
};

use super::{backups_act::Wanted, may};
use crate::{
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{backups as t, common, infrastructure, top},
    ui::{
        self,
        badge::{Tone, badge},
        form::{Errors, Field},
        grid::{CSV_ROWS, Column, Grid, wants_csv},
        schedule,
        tabs::Tab,
    },
};

/// Where the page is.
pub(super) const HERE: &str = "/infrastructure/backups";
/// Rows of a page.
const ROWS: u32 = 50;
/// When they may be made by themselves.
const REPEATS: [&str; 7] = ["off", "hours", "days", "weeks", "month_day", "month_weekday", "text"];

/// The name of the page.
pub(super) fn name(cx: &Cx) -> &str {
    t::backups(cx)
}

/// The page, with the tab of the address; or the CSV of a list.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    if wants_csv(&cx.address) {
        return match cx.address.value("tab") {
            Some("runs") => runs_csv(&cx).await,
            _ => list_csv(&cx).await,
        };
    }
    page(&cx, Form::None).await
}

/// A form of the page that was sent and refused.
pub(super) enum Form<'a> {
    /// None was.
    None,
    /// A backup that is wanted.
    Wanted(&'a Wanted, &'a Errors),
    /// The schedule.
    Schedule(&'a schedule::Schedule, &'a Errors),
}

/// Makes the page, with a form that was refused as it was filled in.
pub(super) async fn page(cx: &Cx, form: Form<'_>) -> Result<Response, Failure> {
    let status: BackupStatus = cx.api.get("/backups/status", &()).await?;
    let tab = match &form {
        Form::Schedule(..) => Some("schedule"),
        Form::Wanted(..) => None,
        Form::None => cx.address.value("tab"),
    };
    let body = match tab {
        None => now(cx, &status, &form),
        Some("list") => list(cx).await?,
        Some("runs") => runs(cx).await?,
        Some("schedule") => settings(cx, &status, &form),
        Some(_) => return Err(Failure::NotFound),
    };
    let good = status.last_good.as_ref().and_then(|run| run.ended_at);
    let good = good.map_or_else(|| html! { (t::none_yet(cx)) }, |at| ui::ago(cx, at));
    let next = status.next_at.map_or_else(|| html! { (t::not_by_itself(cx)) }, |at| ui::ago(cx, at));
    let mut row = vec![Tab::link(t::tabs(cx, "now"), cx.to(HERE), tab.is_none())];
    row.extend(["list", "runs", "schedule"].map(|key| {
        let label = t::tabs(cx, key);
        Tab::link(label, cx.to(HERE).with("tab", key), tab == Some(key))
    }));
    let actions = html! {
        @if may(cx, Role::Operator) && status.current.is_none() {
            form.inline method="post" action=(HERE) { button.primary type="submit" { (t::make_now(cx)) } }
        }
    };
    Page::new(cx, t::backups(cx))
        .fact(t::last_good(cx), good)
        .fact(t::next_one(cx), next)
        .tabs(row)
        .actions(actions)
        .body(body)
        .render()
        .await
}

/// How they stand, and the form for one that is made otherwise.
fn now(cx: &Cx, status: &BackupStatus, form: &Form<'_>) -> Markup {
    let none = Errors::default();
    let (filled, errors) = match form {
        Form::Wanted(wanted, errors) => (Some(*wanted), *errors),
        _ => (None, &none),
    };
    let content = filled.map_or(status.content, Wanted::has_content);
    html! {
        (errors.summary(cx))
        (ui::live("backups-now", "jobs settings", standing(cx, status)))
        @if may(cx, Role::Operator) && status.current.is_none() {
            section.panel {
                details open[filled.is_some()] {
                    summary { (t::make_otherwise(cx)) }
                    form method="post" action=(HERE) {
                        input type="hidden" name="otherwise" value="1";
                        (Field::new("content", t::with_content(cx), errors).help(t::with_content_help(cx)).switch(content))
                        (Field::new("folder", t::below(cx), errors).help(t::below_help(cx)).input("text", filled.map_or("", Wanted::folder)))
                        div.buttons { button type="submit" { (t::make_now(cx)) } }
                    }
                }
            }
        }
    }
}

fn standing(cx: &Cx, status: &BackupStatus) -> Markup {
    let good = status.last_good.as_ref();
    let failed = status.last_failed.as_ref();
    let failed = failed.filter(|failed| good.is_none_or(|good| good.ended_at < failed.ended_at));
    html! {
        @if let Some(run) = &status.current { (current(cx, run)) }
        @if let Some((run, error)) = failed.and_then(|run| Some((run, run.error.as_ref()?))) {
            div.panel.failure role="alert" {
                h2 { (t::failed(cx)) }
                p { (ui::time_or(cx, run.ended_at)) }
                p lang="en" { (error.message) }
                @if let Some(next) = &error.next_step { p lang="en" { strong { (common::next_step(cx)) } " " (next) } }
                p.quiet { (common::problem_code(cx, &error.code)) }
            }
        }
        @if let Some(backup) = good.and_then(|run| run.backup.as_ref()) { (last(cx, backup)) }
        @else if status.current.is_none() { (ui::empty(t::none_made(cx), None)) }
        @if status.schedule == "off" {
            div.panel.warn { p { (t::not_scheduled(cx)) } p { a href={ (HERE) "?tab=schedule" } { (t::set_schedule(cx)) } } }
        }
    }
}

/// The run under way, with what stops it.
fn current(cx: &Cx, run: &BackupRun) -> Markup {
    let told = run.progress;
    let phase = t::phases(cx, &ui::word(&told.phase));
    html! {
        section.panel.stack {
            h2 { (t::under_way(cx)) }
            @if run.state == BackupState::Waiting { (ui::progress(cx, &top::job_states(cx, "waiting"), 0, 0)) }
            @else {
                div.progress {
                    span { (phase) }
                    @if told.bytes_total > 0 {
                        progress max=(told.bytes_total) value=(told.bytes.min(told.bytes_total)) aria-label=(phase) {}
                        span.number { (ui::bytes(cx, told.bytes)) " / " (ui::bytes(cx, told.bytes_total)) }
                    } @else { progress aria-label=(phase) {} }
                }
            }
            p.quiet { (asked_by(cx, &run.asked_by, run.scheduled)) " · " (ui::ago(cx, run.asked_at)) }
            @if may(cx, Role::Operator) {
                form.inline method="post" action={ (HERE) "/stop" } {
                    input type="hidden" name="id" value=(run.id);
                    button type="submit" { (t::stop(cx)) }
                    span.quiet { (t::stop_help(cx)) }
                }
            }
        }
    }
}

/// The last good one: what it is, how it is proved sound, and how it is restored.
fn last(cx: &Cx, backup: &Backup) -> Markup {
    let path = quoted(&backup.path);
    html! {
        section.panel {
            h2 { (t::last_good_one(cx)) }
            (ui::facts([
                (t::made(cx).to_owned(), html! { (ui::time(cx, backup.made_at)) " (" (ui::ago(cx, backup.made_at)) ")" }),
                (t::place(cx).to_owned(), html! { code { (backup.path) } }),
                (t::size(cx).to_owned(), html! { (ui::bytes(cx, backup.bytes)) }),
                (t::content(cx).to_owned(), held(cx, backup)),
                (t::version(cx).to_owned(), html! { (backup.version) }),
                (t::asked_by(cx).to_owned(), asked_by(cx, &backup.asked_by, backup.scheduled)),
            ]))
            @if backup.content.left_out > 0 {
                p { (badge(Tone::Warn, &t::left_out(cx, backup.content.left_out))) }
                p { a href="/infrastructure/content?tab=jobs" { (t::repair(cx)) } }
            }
            @if !backup.elsewhere.is_empty() {
                p { (t::not_in_it(cx)) }
                ul { @for path in &backup.elsewhere { li { code { (path) } } } }
            }
        }
        section.panel.stack {
            h2 { (t::proof(cx)) }
            p { (t::proof_help(cx)) }
            (ui::command(cx, &format!("weir backup verify {path}")))
            p { (t::restore_help(cx)) }
            (ui::command(cx, &format!("weir restore {path}")))
            p.quiet { (t::keys(cx)) }
        }
    }
}

/// A path as a shell takes it for one word.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.:".contains(&byte);
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// What it holds of content.
fn held(cx: &Cx, backup: &Backup) -> Markup {
    let content = &backup.content;
    html! {
        (t::files(cx, content.files)) " · " (ui::bytes(cx, content.bytes))
        @if !content.included { " " span.quiet { (t::list_alone(cx)) } }
    }
}

fn asked_by(cx: &Cx, who: &str, scheduled: bool) -> Markup {
    html! { @if scheduled { (t::by_schedule(cx)) } @else { (who) } }
}

/// When they are made by themselves, and what holds of them.
fn settings(cx: &Cx, status: &BackupStatus, form: &Form<'_>) -> Markup {
    let none = Errors::default();
    let read = schedule::Schedule::read(&status.schedule);
    let (filled, errors) = match form {
        Form::Schedule(filled, errors) => (*filled, *errors),
        _ => (&read, &none),
    };
    html! {
        div.columns {
            section.panel {
                h2 { (t::when(cx)) }
                @if may(cx, Role::FullAdministrator) {
                    form method="post" action={ (HERE) "/schedule" } {
                        (errors.summary(cx))
                        (filled.fields(cx, errors, &REPEATS, true))
                        div.buttons { button.primary type="submit" { (infrastructure::save(cx)) } }
                    }
                } @else { p lang="en" { (status.schedule) } }
            }
            section.panel {
                h2 { (t::how(cx)) }
                (ui::facts([
                    (t::place(cx).to_owned(), html! { code { (status.folder) } }),
                    (t::kept(cx).to_owned(), html! { (ui::number(cx, u64::from(status.keep))) }),
                    (t::with_content(cx).to_owned(), html! { (if status.content { infrastructure::yes(cx) } else { infrastructure::no(cx) }) }),
                ]))
                p { a href="/settings/site?tab=keeping" { (t::other_settings(cx)) } }
            }
        }
    }
}

fn query(cursor: Option<String>, limit: u32) -> ListQuery {
    ListQuery { cursor, limit: Some(limit) }
}

/// The tab of what is in the folder.
async fn list(cx: &Cx) -> Result<Markup, Failure> {
    let asked = query(cx.address.value("cursor").map(str::to_owned), ROWS);
    let list: List<Backup> = cx.api.get("/backups", &asked).await?;
    let table = list_grid(cx, &list.items).next(list.next.as_deref()).render();
    Ok(html! { p.quiet { (t::list_help(cx)) } (ui::live("backups-list", "jobs", table)) })
}

async fn list_csv(cx: &Cx) -> Result<Response, Failure> {
    let rows = cx
        .api
        .all(CSV_ROWS, |cursor| async move { cx.api.get::<List<Backup>>("/backups", &query(cursor, 1000)).await })
        .await?;
    Ok(list_grid(cx, &rows).csv())
}

fn list_grid<'a>(cx: &'a Cx, rows: &'a [Backup]) -> Grid<'a, Backup> {
    let columns = vec![
        Column::new("made", t::made(cx), |backup: &Backup| ui::time(cx, backup.made_at))
            .text(|backup| backup.made_at.to_string())
            .narrow(),
        Column::new(
            "place",
            t::place(cx),
            |backup: &Backup| html! { (backup.name) div.quiet { code { (backup.path) } } },
        )
        .text(|backup| backup.path.clone())
        .wide()
        .narrow(),
        Column::new("size", t::size(cx), |backup: &Backup| html! { (ui::bytes(cx, backup.bytes)) })
            .text(|backup| backup.bytes.to_string())
            .numeric()
            .narrow(),
        Column::new("content", t::content(cx), |backup: &Backup| held(cx, backup))
            .text(|backup| if backup.content.included { backup.content.files.to_string() } else { String::new() }),
        Column::number(cx, "left_out", t::left_out_label(cx), |backup: &Backup| backup.content.left_out),
        Column::new("by", t::asked_by(cx), |backup: &Backup| asked_by(cx, &backup.asked_by, backup.scheduled))
            .text(|backup| backup.asked_by.clone()),
        Column::new("version", t::version(cx), |backup: &Backup| html! { (backup.version) })
            .text(|backup| backup.version.clone())
            .hidden(),
    ];
    Grid::new(cx, "backups", t::backups(cx), columns, rows).empty(html! { p { (t::list_empty(cx)) } })
}

/// The tab of runs.
async fn runs(cx: &Cx) -> Result<Markup, Failure> {
    let asked = query(cx.address.value("cursor").map(str::to_owned), ROWS);
    let list: List<BackupRun> = cx.api.get("/backups/runs", &asked).await?;
    let table = runs_grid(cx, &list.items).next(list.next.as_deref()).render();
    Ok(ui::live("backups-runs", "jobs", table))
}

async fn runs_csv(cx: &Cx) -> Result<Response, Failure> {
    let rows =
        cx.api
            .all(CSV_ROWS, |cursor| async move {
                cx.api.get::<List<BackupRun>>("/backups/runs", &query(cursor, 1000)).await
            })
            .await?;
    Ok(runs_grid(cx, &rows).csv())
}

fn runs_grid<'a>(cx: &'a Cx, rows: &'a [BackupRun]) -> Grid<'a, BackupRun> {
    let columns = vec![
        Column::new("began", t::started(cx), |run: &BackupRun| ui::time(cx, run.started_at.unwrap_or(run.asked_at)))
            .text(|run| run.started_at.unwrap_or(run.asked_at).to_string())
            .narrow(),
        Column::new("state", t::state(cx), |run: &BackupRun| mark(cx, run.state))
            .text(|run| ui::word(&run.state))
            .narrow(),
        Column::new("outcome", t::outcome(cx), |run: &BackupRun| match (&run.backup, &run.error) {
            (Some(backup), _) => html! { code { (backup.path) } },
            (None, Some(error)) => html! { span lang="en" { (error.message) } },
            (None, None) => ui::none(cx),
        })
        .text(|run| outcome(run).to_owned())
        .wide()
        .narrow(),
        Column::new("size", t::size(cx), |run: &BackupRun| match &run.backup {
            Some(backup) => html! { (ui::bytes(cx, backup.bytes)) },
            None => ui::none(cx),
        })
        .text(|run| run.backup.as_ref().map(|backup| backup.bytes.to_string()).unwrap_or_default())
        .numeric(),
        Column::new("ended", t::ended(cx), |run: &BackupRun| ui::time_or(cx, run.ended_at))
            .text(|run| run.ended_at.map(|at| at.to_string()).unwrap_or_default()),
        Column::new("by", t::asked_by(cx), |run: &BackupRun| asked_by(cx, &run.asked_by, run.scheduled))
            .text(|run| run.asked_by.clone()),
    ];
    Grid::new(cx, "backup-runs", t::tabs(cx, "runs"), columns, rows).empty(html! { p { (t::runs_empty(cx)) } })
}

/// What it made, or why it made nothing.
fn outcome(run: &BackupRun) -> &str {
    let made = run.backup.as_ref().map(|backup| backup.path.as_str());
    made.or(run.error.as_ref().map(|error| error.message.as_str())).unwrap_or_default()
}

fn mark(cx: &Cx, state: BackupState) -> Markup {
    let tone = match state {
        BackupState::Done => Tone::Good,
        BackupState::Failed => Tone::Bad,
        BackupState::Running | BackupState::Waiting => Tone::Busy,
        BackupState::Cancelled => Tone::Plain,
    };
    badge(tone, &top::job_states(cx, &ui::word(&state)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        assert_eq!(quoted("/srv/weir-backups/weir-20261130T020000Z"), "/srv/weir-backups/weir-20261130T020000Z");
        assert_eq!(quoted("/srv/by hand/x; reboot"), "'/srv/by hand/x; reboot'");
        assert_eq!(quoted("/srv/it's"), r"'/srv/it'\''s'");
    }
}
