//! Members of a group, and taking some out.

use axum::{Form, response::Response};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    list::ListQuery,
    update_group::{GroupMembersChanged, MembersChange, UpdateGroup, UpdateGroupMember},
};

use super::{address, find};
use crate::{
    address::{local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::updates::may_here,
    texts::{update_groups as t, updates},
    ui::{
        self,
        badge::{Tone, badge},
        confirm::Confirm,
        form::Errors,
        grid::{Action, CSV_ROWS, Column, Grid},
    },
};

/// Titles that the confirmation shows.
const SHOWN: usize = 20;

/// The tab.
pub(super) async fn show(cx: &Cx, group: &UpdateGroup) -> Result<Markup, Failure> {
    let list = page(cx, group, cx.address.value("cursor").map(str::to_owned), 100).await?;
    let table = grid(cx, group, &list.items).next(list.next.as_deref()).total(group.members).render();
    Ok(ui::live("group-members", "groups updates compliance", table))
}

/// All members as CSV.
pub(super) async fn csv(cx: &Cx, group: &UpdateGroup) -> Result<Response, Failure> {
    let rows = cx.api.all(CSV_ROWS, |cursor| page(cx, group, cursor, 1000)).await?;
    Ok(grid(cx, group, &rows).csv())
}

async fn page(
    cx: &Cx,
    group: &UpdateGroup,
    cursor: Option<String>,
    limit: u32,
) -> Result<List<UpdateGroupMember>, Failure> {
    let query = ListQuery { cursor, limit: Some(limit) };
    cx.api.get(&path(&["groups", &group.id.to_string(), "members"]), &query).await
}

fn grid<'a>(cx: &'a Cx, group: &'a UpdateGroup, rows: &'a [UpdateGroupMember]) -> Grid<'a, UpdateGroupMember> {
    let columns = vec![
        Column::new("title", t::update(cx), |row: &UpdateGroupMember| {
            html! {
                a href=(path(&["updates", &row.id.to_string()])) { (title(row)) }
                @for (_, tone, word) in marks(cx, row).into_iter().filter(|(holds, ..)| *holds) { " " (badge(tone, word)) }
            }
        })
        .text(title)
        .wide()
        .narrow(),
        Column::number(cx, "needed", t::needed(cx), |row: &UpdateGroupMember| row.needed).narrow(),
        Column::number(cx, "installed", t::installed(cx), |row: &UpdateGroupMember| row.installed).narrow(),
        Column::number(cx, "failed", t::failed(cx), |row: &UpdateGroupMember| row.failed).narrow(),
        Column::new("size", t::size(cx), |row: &UpdateGroupMember| html! { (ui::bytes(cx, row.bytes)) })
            .numeric()
            .text(|row| row.bytes.to_string()),
        Column::new("state", t::sent(cx), |row: &UpdateGroupMember| {
            if sent(row) { badge(Tone::Good, t::is_sent(cx)) } else { badge(Tone::Warn, t::is_not_sent(cx)) }
        })
        .text(|row| sent(row).to_string()),
        Column::new("id", t::id(cx), |row: &UpdateGroupMember| html! { code { (row.id) } })
            .text(|row| row.id.to_string())
            .hidden(),
    ];
    let may = may_here(cx, Role::SoftwareUpdateManager);
    let add = format!("{}/add", address(group));
    let next = may.then(|| (t::add(cx), add.as_str()));
    let grid = Grid::new(cx, "members", t::members(cx), columns, rows).empty(ui::empty(t::members_empty(cx), next));
    if !may {
        return grid;
    }
    // the form knows no group: each key says it
    let key = move |row: &UpdateGroupMember| format!("{}:{}", group.id, row.id);
    let remove = Action { label: t::remove(cx).to_owned(), to: "/updates/groups/members", act: "remove" };
    grid.select(key, vec![remove])
}

fn title(row: &UpdateGroupMember) -> String {
    if row.title.is_empty() { row.id.to_string() } else { row.title.clone() }
}

fn marks<'a>(cx: &'a Cx, row: &UpdateGroupMember) -> [(bool, Tone, &'a str); 4] {
    [
        (row.stopped, Tone::Bad, t::stopped(cx)),
        (row.declined, Tone::Plain, updates::mark_declined(cx)),
        (row.expired, Tone::Bad, updates::mark_expired(cx)),
        (row.revision.is_none(), Tone::Warn, t::not_here(cx)),
    ]
}

/// Whether deployments of the group send it.
fn sent(row: &UpdateGroupMember) -> bool {
    !row.declined && !row.expired && !row.stopped && row.revision.is_some()
}

/// Asks for confirmation, or takes members out.
pub(super) async fn remove(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let (mut group, mut updates): (Option<Uuid>, Vec<Uuid>) = (None, Vec::new());
    let (mut from, mut sure, mut all) = ("/updates/groups".to_owned(), false, false);
    for (name, value) in pairs {
        match name.as_str() {
            "id" | "ids" => {
                for (of, update) in value.split(',').filter_map(|key| key.split_once(':')) {
                    group = group.or(Uuid::parse_str(of).ok());
                    updates.extend(Uuid::parse_str(update).ok());
                }
            }
            "group" => group = Uuid::parse_str(&value).ok(),
            "from" => from = local(Some(&value)),
            "all" => all = value == "1",
            "sure" => sure = value == "1",
            _ => {}
        }
    }
    // all of a list comes without keys: the page that it was sent from is that of the group
    let group = match (group, all) {
        (Some(id), _) => find(&cx, &id.to_string()).await?,
        (None, true) => by_page(&cx, &from).await?,
        (None, false) => return Ok(updates::flash_nothing_selected().to(&from)),
    };
    if all {
        let rows = cx.api.all(CSV_ROWS, |cursor| page(&cx, &group, cursor, 1000)).await?;
        updates = rows.into_iter().map(|row| row.id).collect();
    }
    updates.sort_unstable();
    updates.dedup();
    if updates.is_empty() {
        return Ok(updates::flash_nothing_selected().to(&from));
    }
    let mut errors = Errors::default();
    if sure {
        let change = MembersChange { updates: updates.clone(), ..MembersChange::default() };
        let address = path(&["groups", &group.id.to_string(), "members"]);
        match cx.api.delete_with::<GroupMembersChanged>(&address, &change).await {
            Ok(changed) => return Ok(t::flash_removed(changed.changed, &group.name).to(&from)),
            Err(failure) => errors = Errors::of(&failure.into_problem()?, &[]),
        }
    }
    confirm(&cx, &group, &updates, &from, &errors).await
}

/// The group of a page of this area.
async fn by_page(cx: &Cx, from: &str) -> Result<UpdateGroup, Failure> {
    let here = from.split(['?', '#']).next().unwrap_or_default();
    let groups = super::choice(cx).await?;
    groups.into_iter().find(|group| address(group) == here).ok_or(Failure::NotFound)
}

async fn confirm(
    cx: &Cx,
    group: &UpdateGroup,
    updates: &[Uuid],
    from: &str,
    errors: &Errors,
) -> Result<Response, Failure> {
    let list = page(cx, group, None, 1000).await?;
    let named: Vec<String> = list.items.iter().filter(|row| updates.contains(&row.id)).take(SHOWN).map(title).collect();
    let details = html! {
        (errors.summary(cx))
        @if !group.deployments.is_empty() { p { (t::remove_deployed(cx, group.deployments.len() as u64)) } }
        @if !named.is_empty() {
            ul.samples { @for title in &named { li { (title) } } }
            @if updates.len() > named.len() { p.quiet { (crate::texts::common::more(cx, (updates.len() - named.len()) as u64)) } }
        }
    };
    let sentence = t::remove_sentence(cx, updates.len() as u64, &group.name);
    let ids: Vec<String> = updates.iter().map(|update| format!("{}:{update}", group.id)).collect();
    let confirm = Confirm::new(sentence, t::remove_undo(cx), t::remove(cx), "/updates/groups/members", from)
        .details(details)
        .field("group", group.id.to_string())
        .field("ids", ids.join(","))
        .field("from", from)
        .field("sure", "1");
    Page::new(cx, t::remove(cx)).crumb(&group.name, address(group)).body(confirm.render(cx)).render().await
}
