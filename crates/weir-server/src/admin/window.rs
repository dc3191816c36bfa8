//! Maintenance windows of collections.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_api::{
    List,
    window::{NextWindow, NextWindowQuery, Window, WindowChange, WindowChanged, WindowCreate, WindowKind, WindowQuery},
};
use weir_model::{
    ids::{CollectionId, ComputerId},
    rights::Scope,
    schedule::{Recurrence, Zone},
    targeting::DeploymentOrigin,
    window::{self as model, Calendar, Span, ZoneFrom},
};
use weir_store::{ReadTx, StoreError, collection::CollectionRow, computer::ComputerRow, window::WindowRow};

use super::{
    AdminError, App, Caller,
    collection::{OUTSIDE, Tree},
    list,
    setting::Current,
    window_fit,
};
use crate::{live::Published, sites};

/// Windows that a collection may have.
const MOST: usize = 100;
/// Windows that a site may have.
const MOST_OF_ALL: usize = 10_000;
/// Minutes unless said otherwise (features MW-1).
const MINUTES: u32 = 180;

/// Windows, by collection and name.
pub(super) async fn list(app: &App, scope: Scope, query: WindowQuery) -> Result<List<Window>, AdminError> {
    let limit = list::limit(query.limit)?;
    let published = app.state.live.current();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let rows = in_order(tx, &tree, query.collection.as_deref())?;
        let rows = rows.into_iter().map(|row| shown(row, &tree, &published));
        list::page(rows, |row| row.id.to_string(), query.cursor.as_deref(), limit)
    })
    .await
}

/// Rows by the names of collections, then their own.
pub(super) fn in_order(tx: &ReadTx<'_>, tree: &Tree, collection: Option<&str>) -> Result<Vec<WindowRow>, AdminError> {
    let only = collection.map(|name| tree.find(name)).transpose()?.map(|row| row.id);
    let mut rows = tx.window_list()?;
    rows.retain(|row| only.is_none_or(|only| row.collection == only) && tree.sees(row.collection));
    rows.sort_by_cached_key(|row| {
        (tree.name(row.collection).to_lowercase(), row.collection, row.window.name().to_lowercase())
    });
    Ok(rows)
}

/// One window.
pub(super) async fn show(
    app: &App,
    scope: Scope,
    name: String,
    collection: Option<String>,
) -> Result<Window, AdminError> {
    let published = app.state.live.current();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let row = find(tx, &tree, &name, collection.as_deref())?;
        Ok(shown(row, &tree, &published))
    })
    .await
}

/// The window of that id or name.
fn find(tx: &ReadTx<'_>, tree: &Tree, name: &str, collection: Option<&str>) -> Result<WindowRow, AdminError> {
    let mut rows = in_order(tx, tree, collection)?;
    let (id, key) = (name.trim().parse::<Uuid>().ok(), weir_model::name::key(name));
    if let Some(at) = rows.iter().position(|row| Some(row.id) == id) {
        return Ok(rows.swap_remove(at));
    }
    rows.retain(|row| weir_model::name::key(row.window.name()) == key);
    if rows.len() > 1 {
        let names: Vec<String> = rows.iter().map(|row| tree.name(row.collection)).collect();
        return Err(AdminError::Conflict {
            code: "ambiguous",
            detail: format!("several collections have a window named {name:?}: {}", names.join(", ")),
            next_step: Some("name the collection: --collection NAME, or the id of the window".to_owned()),
        });
    }
    rows.pop().ok_or_else(|| AdminError::missing("maintenance window", format!("{name:?}"), "weir windows list"))
}

/// Makes a window.
pub(super) async fn create(app: &App, caller: &Caller, new: WindowCreate) -> Result<WindowChanged, AdminError> {
    let scope = caller.scope().clone();
    let changed = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Maintenance windows")?;
            let tree = Tree::within(tx, &scope)?;
            let collection = takes_windows(tree.find(&new.collection)?)?;
            tree.check_target(collection.id)?;
            let zone = collection_zone(tx, collection)?;
            let today = Timestamp::now().to_zoned(zone).date();
            let recurrence = match &new.schedule {
                Some(text) => text.parse().map_err(|error| schedule(&error))?,
                None => default_schedule(today)?,
            };
            let recurrence = placed(recurrence, new.local, new.first_day, Some(today))?;
            let minutes = new.minutes.unwrap_or(MINUTES);
            let mut window = model::Window::new(&new.name, recurrence, minutes, kind(new.kind)).map_err(invalid)?;
            window.enabled = new.enabled.unwrap_or(true);
            free(tx, collection, window.name())?;
            let all = tx.window_list()?;
            let here = all.iter().filter(|row| row.collection == collection.id).count();
            if here >= MOST || all.len() >= MOST_OF_ALL {
                let (most, whose) = if here >= MOST { (MOST, "the collection") } else { (MOST_OF_ALL, "the site") };
                return Err(AdminError::Conflict {
                    code: "too_many",
                    detail: format!("{whose} has {most} maintenance windows already"),
                    next_step: Some("delete some: weir windows delete NAME".to_owned()),
                });
            }
            let id = Uuid::new_v4();
            tx.window_put(id, collection.id, &window, DeploymentOrigin::Local)?;
            tx.audit("window.create", window.name(), None, Some(&audited(&window, &collection.name)))?;
            let row = stored(tx, id)?;
            let warnings = window_fit::warnings(tx, &tree, &row)?;
            Ok((row, warnings))
        })
        .await?;
    answer(app, changed).await
}

/// Changes a window.
pub(super) async fn change(
    app: &App,
    caller: &Caller,
    name: String,
    collection: Option<String>,
    change: WindowChange,
) -> Result<WindowChanged, AdminError> {
    let scope = caller.scope().clone();
    let changed = app
        .write(caller, move |tx| {
            sites::refuse_below(tx, "Maintenance windows")?;
            let tree = Tree::within(tx, &scope)?;
            let row = find(tx, &tree, &name, collection.as_deref())?;
            let before = &row.window;
            let mut recurrence = before.recurrence().clone();
            if let Some(text) = &change.schedule {
                let read: Recurrence = text.parse().map_err(|error| schedule(&error))?;
                // what the text does not say stays
                let zone = read.zone().or(recurrence.zone()).cloned();
                let start = read.start().or(recurrence.start());
                let read = if read.zone().is_none() && change.local.is_none() { read.in_zone(zone) } else { read };
                recurrence = start.map_or(read.clone(), |start| read.starting(start));
                let named = text.parse::<Recurrence>().is_ok_and(|read| read.start().is_some());
                if named && change.first_day.is_some() {
                    return Err(two_first_days());
                }
            } else if let Some(local) = change.local {
                let keeps = !local && recurrence.zone().is_some();
                recurrence = if keeps { recurrence } else { recurrence.in_zone(None) };
            }
            recurrence = match change.first_day {
                Some(first) => recurrence.starting(first),
                None => recurrence,
            };
            recurrence = placed(recurrence, change.local, None, None)?;
            let name = change.name.as_deref().unwrap_or(before.name());
            let minutes = change.minutes.unwrap_or(before.minutes().into());
            let kind = change.kind.map_or(before.kind, kind);
            let mut window = model::Window::new(name, recurrence, minutes, kind).map_err(invalid)?;
            window.enabled = change.enabled.unwrap_or(before.enabled);
            let collection = tree.find(&row.collection.to_string())?;
            if weir_model::name::key(window.name()) != weir_model::name::key(before.name()) {
                free(tx, collection, window.name())?;
            }
            if window != *before {
                tx.window_put(row.id, row.collection, &window, row.origin)?;
                let (old, new) = (audited(before, &collection.name), audited(&window, &collection.name));
                tx.audit("window.change", window.name(), Some(&old), Some(&new))?;
            }
            let row = stored(tx, row.id)?;
            let warnings = window_fit::warnings(tx, &tree, &row)?;
            Ok((row, warnings))
        })
        .await?;
    answer(app, changed).await
}

/// Deletes a window.
pub(super) async fn delete(
    app: &App,
    caller: &Caller,
    name: String,
    collection: Option<String>,
) -> Result<(), AdminError> {
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        sites::refuse_below(tx, "Maintenance windows")?;
        let tree = Tree::within(tx, &scope)?;
        let row = find(tx, &tree, &name, collection.as_deref())?;
        tx.window_delete(row.id)?;
        let before = audited(&row.window, &tree.name(row.collection));
        tx.audit("window.delete", row.window.name(), Some(&before), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}

/// When updates may install next: on a computer, in a collection, or in each collection with windows.
pub(super) async fn next(app: &App, scope: Scope, query: NextWindowQuery) -> Result<List<NextWindow>, AdminError> {
    let limit = list::limit(query.limit)?;
    if query.computer.is_some() && query.collection.is_some() {
        return Err(AdminError::invalid("computer", "computer and collection are given; give one of them"));
    }
    let published = app.state.live.current();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        if let Some(id) = &query.computer {
            let id: ComputerId =
                id.trim().parse().map_err(|error| AdminError::invalid("computer", format!("{id:?}: {error}")))?;
            let row =
                tx.computer_find(&id)?.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
            let groups = tx.computer_collections(row.no)?;
            tree.check_computer(&id, &groups)?;
            let next = next_of_computer(tx, &tree, &published, &row, &groups)?;
            return Ok(List { items: vec![next], next: None });
        }
        let ids = match &query.collection {
            Some(name) => vec![tree.find(name)?.id],
            None => {
                let mut ids: Vec<CollectionId> =
                    in_order(tx, &tree, None)?.into_iter().map(|row| row.collection).collect();
                ids.dedup();
                ids
            }
        };
        let named = names(tx, &tree)?;
        let rows = ids.into_iter().map(|id| {
            let next = next_of(&published, &tree, named.as_ref(), &published.snapshot.branches(&[id]), None);
            NextWindow { collection: Some(tree.reference(id)), ..next }
        });
        let key = |row: &NextWindow| row.collection.as_ref().map(|it| it.id.to_string()).unwrap_or_default();
        list::page(rows, key, query.cursor.as_deref(), limit)
    })
    .await
}

/// When updates may install next on a computer in these collections.
pub(super) fn next_of_computer(
    tx: &ReadTx<'_>,
    tree: &Tree,
    published: &Published,
    row: &ComputerRow,
    groups: &[CollectionId],
) -> Result<NextWindow, StoreError> {
    let own: Option<Zone> = tx.computer_time_zone(row.no)?.and_then(|zone| zone.parse().ok());
    let groups = if groups.is_empty() { &[CollectionId::UNASSIGNED_COMPUTERS] } else { groups };
    let named = names(tx, tree)?;
    let next = next_of(published, tree, named.as_ref(), &published.snapshot.branches(groups), own.as_ref());
    Ok(NextWindow { computer: Some(row.id.to_string()), ..next })
}

/// Names of windows that may be told to who is limited; none if all may.
fn names(tx: &ReadTx<'_>, tree: &Tree) -> Result<Option<HashSet<String>>, StoreError> {
    if !tree.is_limited() {
        return Ok(None);
    }
    let rows = tx.window_list()?.into_iter().filter(|row| tree.sees(row.collection));
    Ok(Some(rows.map(|row| row.window.name().to_owned()).collect()))
}

fn next_of(
    published: &Published,
    tree: &Tree,
    named: Option<&HashSet<String>>,
    branches: &[Vec<CollectionId>],
    own: Option<&Zone>,
) -> NextWindow {
    let name = |name: &str| match named {
        Some(known) if !known.contains(name) => "a window outside the limit".to_owned(),
        _ => name.to_owned(),
    };
    let calendar = published.hours.calendar(branches, own);
    let zone_from = match published.hours.zone(branches, own).1 {
        ZoneFrom::Computer(_) => "computer".to_owned(),
        ZoneFrom::Collection(id, _) if !tree.may_name(id) => OUTSIDE.to_owned(),
        ZoneFrom::Collection(id, _) => format!("collection {}", tree.name(id)),
        ZoneFrom::Site => "site".to_owned(),
    };
    let now = Timestamp::now();
    let span = whole_span(&calendar, now);
    NextWindow {
        computer: None,
        collection: None,
        zone: zone_name(calendar.zone()),
        zone_from,
        unrestricted: calendar.is_open(),
        starts_at: span.map(|span| span.start),
        ends_at: span.map(|span| span.end),
        local_start: span.map(|span| clock(span.start, calendar.zone())),
        minutes: span.map(|span| span.duration().as_mins().try_into().unwrap_or(u32::MAX)),
        open: span.is_some_and(|span| span.start <= now),
        windows: calendar.windows().iter().map(|window| name(window.name())).collect(),
    }
}

/// The span that is open now with its real beginning, else the next.
fn whole_span(calendar: &Calendar, now: Timestamp) -> Option<Span> {
    let earlier = now.checked_sub(jiff::SignedDuration::from_hours(7 * 24)).unwrap_or(now);
    let open = calendar.spans(earlier, now, 2_000).into_iter().find(|span| span.end > now);
    open.or_else(|| calendar.next_span(now))
}

async fn answer(app: &App, (row, warnings): (WindowRow, Vec<String>)) -> Result<WindowChanged, AdminError> {
    app.publish().await?;
    let published = app.state.live.current();
    let window = app.try_read(move |tx| Ok(shown(row, &Tree::read(tx)?, &published))).await?;
    Ok(WindowChanged { window, warnings })
}

fn stored(tx: &ReadTx<'_>, id: Uuid) -> Result<WindowRow, AdminError> {
    tx.window_show(id)?.ok_or_else(|| AdminError::missing("maintenance window", id, "weir windows list"))
}

/// A collection that may have windows.
fn takes_windows(row: &CollectionRow) -> Result<&CollectionRow, AdminError> {
    if !row.built_in {
        return Ok(row);
    }
    Err(AdminError::Invalid {
        code: "collection",
        detail: format!(
            "{} has no maintenance windows: one for it would hold back every computer that nobody thought of, new ones \
             too",
            row.name
        ),
        next_step: Some("make a collection for the computers: weir collections create NAME".to_owned()),
    })
}

fn free(tx: &ReadTx<'_>, collection: &CollectionRow, name: &str) -> Result<(), AdminError> {
    if tx.window_find(collection.id, name)?.is_none() {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "exists",
        detail: format!("the collection {:?} has a maintenance window named {name:?} already", collection.name),
        next_step: Some(format!("change that one: weir windows change {name:?} --collection {:?}", collection.name)),
    })
}

/// The zone that "today" of a collection is read in.
fn collection_zone(tx: &ReadTx<'_>, row: &CollectionRow) -> Result<TimeZone, StoreError> {
    let own = row.time_zone.as_deref().and_then(|zone| zone.parse::<Zone>().ok());
    Ok(match own {
        Some(zone) => zone.time_zone().clone(),
        None => Current::read(tx)?.zone(),
    })
}

/// Weekly on the weekday of a day, at 01:00 (features MW-1).
fn default_schedule(today: Date) -> Result<Recurrence, AdminError> {
    let text = format!("weekly {} at 01:00", today.strftime("%A"));
    text.to_lowercase().parse().map_err(|error| AdminError::Internal(format!("{text}: {error}")))
}

/// A recurrence with its zone and first day: `today` for one that names none.
fn placed(
    recurrence: Recurrence,
    local: Option<bool>,
    first_day: Option<Date>,
    today: Option<Date>,
) -> Result<Recurrence, AdminError> {
    if first_day.is_some() && recurrence.start().is_some() {
        return Err(two_first_days());
    }
    let recurrence = match (local, recurrence.zone()) {
        (Some(true), Some(zone)) => {
            return Err(AdminError::invalid(
                "local",
                format!("local is true, and the schedule is in {} time; give one of them", zone.name()),
            ));
        }
        (Some(false), None) => {
            let utc = "UTC".parse::<Zone>().map_err(|error| AdminError::Internal(error.to_string()))?;
            recurrence.in_zone(Some(utc))
        }
        _ => recurrence,
    };
    let start = first_day.or(recurrence.start()).or(today);
    if start.is_some_and(|start| !(1970..=9_000).contains(&start.year())) {
        return Err(AdminError::invalid("first_day", "the first day is not in the years 1970 to 9000"));
    }
    Ok(start.map_or(recurrence.clone(), |start| recurrence.starting(start)))
}

fn two_first_days() -> AdminError {
    AdminError::invalid("first_day", "first_day is given, and the schedule has a first day, too; give one of them")
}

fn schedule(error: &weir_model::schedule::ScheduleError) -> AdminError {
    AdminError::Invalid {
        code: "schedule",
        detail: error.to_string(),
        next_step: Some("forms and examples: weir windows create --help".to_owned()),
    }
}

fn invalid(error: model::WindowError) -> AdminError {
    let code = match error {
        model::WindowError::Name => "name",
        model::WindowError::Duration(_) => "minutes",
    };
    AdminError::invalid(code, error.to_string())
}

fn audited(window: &model::Window, collection: &str) -> Value {
    json!({
        "name": window.name(),
        "collection": collection,
        "schedule": window.recurrence().to_string(),
        "minutes": window.minutes(),
        "kind": window.kind,
        "enabled": window.enabled,
    })
}

fn kind(kind: WindowKind) -> model::WindowKind {
    match kind {
        WindowKind::AllDeployments => model::WindowKind::AllDeployments,
        WindowKind::SoftwareUpdates => model::WindowKind::SoftwareUpdates,
        WindowKind::TaskSequences => model::WindowKind::TaskSequences,
    }
}

pub(super) fn api_kind(kind: model::WindowKind) -> WindowKind {
    match kind {
        model::WindowKind::AllDeployments => WindowKind::AllDeployments,
        model::WindowKind::SoftwareUpdates => WindowKind::SoftwareUpdates,
        model::WindowKind::TaskSequences => WindowKind::TaskSequences,
    }
}

pub(super) fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("the server's").to_owned()
}

pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn shown(row: WindowRow, tree: &Tree, published: &Published) -> Window {
    let WindowRow { id, collection, window, origin, changed_at, changed_by, .. } = row;
    let zone = published.hours.zone(&published.snapshot.branches(&[collection]), None).0;
    let next = window.occurrences(&zone, Timestamp::now(), Timestamp::MAX, 1);
    Window {
        id,
        name: window.name().to_owned(),
        collection: tree.reference(collection),
        schedule: window.recurrence().to_string(),
        description: window.recurrence().describe(),
        minutes: window.minutes().into(),
        local: window.is_local(),
        zone: window.recurrence().zone().map(|zone| zone.name().to_owned()),
        kind: api_kind(window.kind),
        enabled: window.enabled,
        from_parent: origin == DeploymentOrigin::Parent,
        next: next.first().map(|span| span.start),
        changed_at,
        changed_by,
    }
}
