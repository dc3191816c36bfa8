//! The form of a window: whose computers, when, how long, for what.

use axum::{
    Form,
    extract::Path,
    response::{IntoResponse as _, Response},
};
use jiff::civil::Date;
use maud::{Markup, html};
use weir_api::{
    Problem,
    collection::Collection,
    window::{Window, WindowChange, WindowChanged, WindowCreate, WindowKind},
};

use super::{address, all, calendar::duration, detail, next, resource};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::deployments::{fields::changes, filled::Filled, names},
    texts::{common, deployments as d, deployments_windows as t},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field, group, with_preview},
        schedule::{self, Schedule},
    },
};

const HERE: &str = "/deployments/windows/new";
/// When a window is open.
const REPEATS: [&str; 5] = ["days", "weeks", "month_weekday", "month_day", "text"];
const KINDS: [&str; 3] = ["all_deployments", "software_updates", "task_sequences"];

/// What a new window begins with.
fn defaults(cx: &Cx) -> Filled {
    let mut filled = Filled::new(Schedule::read("weekly saturday at 22:00").pairs());
    for (name, value) in [("clock", "local"), ("minutes", "180"), ("kind", "software_updates")] {
        filled.set(name, value);
    }
    filled.switch("enabled", true);
    filled.overlay(cx.address.pairs());
    filled
}

fn before(one: &Window) -> Filled {
    let mut filled = Filled::default();
    filled.set("name", &one.name);
    filled.overlay(&Schedule::read(&one.schedule).pairs());
    // the form asks for these itself
    let (first, zone) = (filled.text("s-from").to_owned(), filled.text("s-zone").to_owned());
    filled.set("first_day", first);
    filled.set("schedule_zone", zone);
    filled.set("clock", if one.local { "local" } else { "zone" });
    filled.set("minutes", one.minutes.to_string());
    filled.set("kind", ui::word(&one.kind));
    filled.switch("enabled", one.enabled);
    filled
}

/// What a form says.
struct Said {
    schedule: String,
    first_day: Option<Date>,
    minutes: u32,
    local: Option<bool>,
    kind: WindowKind,
}

fn read(cx: &Cx, filled: &Filled) -> Result<Said, Errors> {
    let schedule = Schedule::sent(filled.pairs());
    let in_words = schedule.in_words();
    let local = filled.text("clock") != "zone";
    let zone = filled.some("schedule_zone").filter(|_| !local);
    if !local && !in_words && zone.is_none() {
        return Err(Errors::default().field("schedule_zone", t::error_zone(cx)));
    }
    let minutes = filled.text("minutes").trim().parse::<u32>();
    let first_day = filled.some("first_day").map(|day| day.parse::<Date>()).transpose();
    Ok(Said {
        schedule: schedule.placed(zone).checked(cx)?,
        // words say the first day and the zone themselves
        first_day: first_day
            .map_err(|_| Errors::default().field("first_day", t::error_date(cx)))?
            .filter(|_| !in_words),
        minutes: minutes.map_err(|_| Errors::default().field("minutes", d::error_number(cx)))?,
        local: (!in_words).then_some(local),
        kind: serde_json::from_value(filled.text("kind").into()).unwrap_or_default(),
    })
}

fn refused(problem: &Problem) -> Errors {
    let field = match problem.code.as_str() {
        "exists" | "name" => "name",
        "minutes" => "minutes",
        "schedule" => schedule::FIELD,
        "first_day" => "first_day",
        "local" => "clock",
        "collection" => "collection",
        _ => return Errors::of(problem, &["collection", "minutes", schedule::NAMED, "name"]),
    };
    Errors::default().field(field, problem.detail.clone())
}

/// The form of a new window.
pub(super) async fn show_new(cx: Cx) -> Result<Response, Failure> {
    let sent = Filled::new(cx.address.pairs().to_vec());
    let filled = if sent.on("filled") { sent } else { defaults(&cx) };
    page(&cx, None, &filled, &Errors::default()).await
}

/// The form of a window that is there.
pub(super) async fn show_edit(cx: Cx, Path(id): Path<String>) -> Result<Response, Failure> {
    let one: Window = cx.api.get(&resource(&id), &()).await?;
    let sent = Filled::new(cx.address.pairs().to_vec());
    let filled = if sent.on("filled") { sent } else { before(&one) };
    page(&cx, Some(&one), &filled, &Errors::default()).await
}

async fn page(cx: &Cx, one: Option<&Window>, filled: &Filled, errors: &Errors) -> Result<Response, Failure> {
    let collection = one.map_or_else(|| filled.text("collection").to_owned(), |one| one.collection.name.clone());
    let (collections, beside) = tokio::join!(names::collections(cx), beside(cx, &collection));
    let options = names::collection_options(cx, &collections?, d::choose(cx), false);
    let to = one.map_or_else(|| HERE.to_owned(), |one| format!("{}/edit", address(one)));
    let back = one.map_or_else(|| "/deployments/windows".to_owned(), address);
    let clocks = ["local", "zone"].map(|clock| (clock.to_owned(), t::clock(cx, clock)));
    let kinds = KINDS.map(|kind| (kind.to_owned(), t::kind(cx, kind)));
    let form = html! {
        form method="post" action=(to) data-preview=[one.is_none().then_some("/deployments/windows/preview")] {
            (errors.summary(cx))
            (group(d::group_what(cx), &html! {
                @if one.is_none() { (Field::new("collection", d::col_collection(cx), errors).help(t::collection_help(cx)).required().choice(&options, filled.text("collection"))) }
                (Field::new("name", d::col_name(cx), errors).help(t::name_help(cx)).required().input("text", filled.text("name")))
                (Field::new("kind", t::col_kind(cx), errors).help(t::kinds_help(cx)).choice(&kinds, filled.text("kind")))
            }))
            (group(d::group_when(cx), &html! {
                (Schedule::sent(filled.pairs()).inside(cx, errors, &REPEATS, false))
                div.either {
                    (Field::new("clock", t::col_zone(cx), errors).help(t::clock_help(cx)).choice(&clocks, filled.text("clock")))
                    div data-for="zone" { (Field::new("schedule_zone", d::schedule_zone(cx), errors).help(t::zone_help(cx)).input("text", filled.text("schedule_zone"))) }
                }
                (Field::new("minutes", t::col_duration(cx), errors).help(t::minutes_help(cx)).unit(t::unit_minutes(cx)).input("number", filled.text("minutes")))
                (Field::new("first_day", t::first_day(cx), errors).help(t::first_day_help(cx)).input("date", filled.text("first_day")))
            }))
            (Field::new("enabled", t::enabled(cx), errors).help(t::enabled_help(cx)).switch(filled.on("enabled")))
            div.buttons {
                button.primary type="submit" { (d::go_on(cx)) }
                a.button.plain href=(back) { (common::cancel(cx)) }
            }
        }
    };
    let title = one.map_or_else(|| t::new(cx).to_owned(), |one| d::edit_title(cx, &one.name));
    let page = Page::new(cx, title).crumb(d::windows(cx), "/deployments/windows");
    let page = match one {
        Some(one) => page.crumb(&one.name, address(one)),
        None => page,
    };
    page.body(with_preview(&form, &beside?)).render().await
}

/// Whom it concerns: the computers of the collection, what is deployed to them, the windows that they have.
async fn beside(cx: &Cx, collection: &str) -> Result<Markup, Failure> {
    if collection.is_empty() {
        return Ok(html! { h2 { (t::concerns(cx)) } p { (t::concerns_nobody(cx)) } });
    }
    let rest = path(&["collections", collection]);
    let (found, windows, next) =
        tokio::join!(cx.api.get::<Collection>(&rest, &()), all(cx, Some(collection)), next(cx, collection));
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            let problem = failure.into_problem()?;
            return Ok(html! { h2 { (t::concerns(cx)) } p.error lang="en" { (problem.detail) } });
        }
    };
    Ok(html! {
        div.foreseen {
            h2 { (t::concerns(cx)) }
            p.figure { (d::computers_of(cx, found.members_below)) }
            p { (t::deployments_to(cx, found.deployments)) }
            @if let Some(next) = &next { (detail::of_collection(cx, next)) }
            @let windows = windows.unwrap_or_default();
            @if !windows.is_empty() {
                h3 { (t::windows_there(cx)) }
                ul { @for window in &windows { li { a href=(address(window)) { (window.name) } ": " span lang="en" { (window.description) } ", " (duration(cx, window.minutes)) } } }
            }
            p.quiet { (t::concerns_help(cx)) }
        }
    })
}

/// The same after each change.
pub(super) async fn preview(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let beside = beside(&cx, Filled::new(pairs).text("collection")).await?;
    Ok(html! { div id="preview" { (beside) } }.into_response())
}

fn back(to: &str, filled: &Filled) -> String {
    filled.kept().fold(Address::new(to), |address, (name, value)| address.and(name, value)).to_string()
}

fn carried(confirm: Confirm, filled: &Filled) -> Confirm {
    filled.kept().fold(confirm, |confirm, (name, value)| confirm.field(name, value)).field("sure", "1")
}

/// Where one sees what does not fit.
fn checked(changed: &WindowChanged) -> String {
    let page = address(&changed.window);
    if changed.warnings.is_empty() { page } else { format!("{page}?check=1") }
}

/// Asks for confirmation, or makes it.
pub(super) async fn make(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    let said = match read(&cx, &filled) {
        Ok(said) => said,
        Err(errors) => return page(&cx, None, &filled, &errors).await,
    };
    let name = filled.text("name").trim().to_owned();
    let collection = filled.text("collection").to_owned();
    if !filled.on("sure") {
        let found = match cx.api.get::<Collection>(&path(&["collections", &collection]), &()).await {
            Ok(found) if !collection.is_empty() => found,
            Ok(_) => return page(&cx, None, &filled, &Errors::default().field("collection", d::choose(&cx))).await,
            Err(failure) => return page(&cx, None, &filled, &refused(&failure.into_problem()?)).await,
        };
        let sentence = t::make_sentence(&cx, found.members_below, &name, &found.name);
        let details = html! { p { code { (said.schedule) } ", " (duration(&cx, said.minutes)) } div.panel { (beside(&cx, &collection).await?) } };
        let confirm =
            Confirm::new(sentence, t::make_undo(&cx), t::make(&cx), HERE, back(HERE, &filled)).details(details);
        let body = carried(confirm, &filled).render(&cx);
        return Page::new(&cx, t::new(&cx)).crumb(d::windows(&cx), "/deployments/windows").body(body).render().await;
    }
    let new = WindowCreate {
        name: name.clone(),
        collection,
        schedule: Some(said.schedule),
        first_day: said.first_day,
        minutes: Some(said.minutes),
        local: said.local,
        kind: said.kind,
        enabled: Some(filled.on("enabled")),
    };
    match cx.api.post::<WindowChanged>("/windows", &new).await {
        Ok(changed) => Ok(t::flash_made(&name).to(checked(&changed))),
        Err(failure) => page(&cx, None, &filled, &refused(&failure.into_problem()?)).await,
    }
}

/// What is other than before, for REST and for people: label, before, after.
type Changes = (WindowChange, Vec<(String, String, String)>);

fn changed(cx: &Cx, one: &Window, filled: &Filled) -> Result<Changes, Errors> {
    let old = before(one);
    let (was, said) = (read(cx, &old)?, read(cx, filled)?);
    let clock = old.text("clock") != filled.text("clock");
    let moved = was.schedule != said.schedule || clock;
    let first = said.first_day.filter(|_| said.first_day != was.first_day);
    let enabled = filled.on("enabled");
    let name = filled.text("name").trim().to_owned();
    let mut rows = Vec::new();
    let mut row = |label: &str, old: String, new: String| {
        if old != new {
            rows.push((label.to_owned(), old, new));
        }
    };
    row(d::col_name(cx), one.name.clone(), name.clone());
    row(d::schedule(cx), was.schedule.clone(), said.schedule.clone());
    row(t::col_zone(cx), t::clock(cx, old.text("clock")), t::clock(cx, filled.text("clock")));
    row(t::col_duration(cx), duration(cx, one.minutes), duration(cx, said.minutes));
    row(t::first_day(cx), old.text("first_day").to_owned(), filled.text("first_day").to_owned());
    row(t::col_kind(cx), t::kind(cx, &ui::word(&one.kind)), t::kind(cx, &ui::word(&said.kind)));
    let word = |on: bool| if on { d::yes(cx) } else { d::no(cx) }.to_owned();
    row(t::enabled(cx), word(one.enabled), word(enabled));
    let change = WindowChange {
        name: Some(name).filter(|name| *name != one.name),
        schedule: Some(said.schedule).filter(|_| moved),
        first_day: first,
        minutes: Some(said.minutes).filter(|minutes| *minutes != one.minutes),
        local: said.local.filter(|_| moved),
        kind: Some(said.kind).filter(|kind| *kind != one.kind),
        enabled: Some(enabled).filter(|on| *on != one.enabled),
    };
    Ok((change, rows))
}

/// Asks for confirmation, or changes it.
pub(super) async fn change(
    cx: Cx,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let one: Window = cx.api.get(&resource(&id), &()).await?;
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    let (asked, rows) = match changed(&cx, &one, &filled) {
        Ok(changed) => changed,
        Err(errors) => return page(&cx, Some(&one), &filled, &errors).await,
    };
    if asked == WindowChange::default() {
        return Ok(d::flash_same().to(address(&one)));
    }
    if !filled.on("sure") {
        let to = format!("{}/edit", address(&one));
        let sentence = t::edit_sentence(&cx, &one.name, &one.collection.name);
        let back = back(&to, &filled);
        let details = html! { (changes(&cx, &rows)) div.panel { (beside(&cx, &one.collection.name).await?) } };
        let confirm = Confirm::new(sentence, d::edit_undo(&cx), d::edit_now_button(&cx), to, back).details(details);
        return Page::new(&cx, d::edit_title(&cx, &one.name))
            .crumb(d::windows(&cx), "/deployments/windows")
            .crumb(&one.name, address(&one))
            .body(carried(confirm, &filled).render(&cx))
            .render()
            .await;
    }
    match cx.api.patch::<WindowChanged>(&resource(&id), &asked).await {
        Ok(changed) => Ok(t::flash_changed(&changed.window.name).to(checked(&changed))),
        Err(failure) => page(&cx, Some(&one), &filled, &refused(&failure.into_problem()?)).await,
    }
}
