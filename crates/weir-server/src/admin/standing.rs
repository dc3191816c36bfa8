//! Which computers are in which state: of an update, of an update group, of everything; and how the servers of the tree stand.

use std::collections::HashMap;

use jiff::Timestamp;
use weir_api::{
    List, Reference,
    compliance::{ComputerStanding, ComputerStandingQuery, ComputerState, ServerSummary, ServerSummaryQuery, Summary},
};
use weir_model::{
    compliance::Standing,
    ids::{CollectionId, UpdateId},
    status::State,
};
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, rollup::RolledServer};

use super::{
    AdminError, App,
    collection::Tree,
    group, list, rollup,
    tally::{self, Who},
    update::Named,
};

/// A state in REST.
pub(crate) fn api_state(state: State) -> ComputerState {
    match state {
        State::Unknown => ComputerState::Unknown,
        State::NotApplicable => ComputerState::NotApplicable,
        State::Required => ComputerState::Required,
        State::Downloaded => ComputerState::Downloaded,
        State::Installed => ComputerState::Installed,
        State::Failed => ComputerState::Failed,
        State::PendingRestart => ComputerState::PendingRestart,
    }
}

/// An HRESULT as people write it.
pub(crate) fn hresult(error: i32) -> String {
    weir_model::error_code::text(error.cast_unsigned())
}

/// Servers below by their numbers.
pub(crate) fn references(servers: &[RolledServer]) -> HashMap<u32, Reference> {
    let name = |row: &RolledServer| if row.name.is_empty() { row.id.to_string() } else { row.name.clone() };
    servers.iter().map(|row| (row.no, Reference { id: row.id, name: name(row) })).collect()
}

/// Computers by state, in the order in which they first came.
pub(crate) async fn computers(app: &App, query: ComputerStandingQuery) -> Result<List<ComputerStanding>, AdminError> {
    let limit = list::limit(query.limit)?;
    let update = query.update.as_deref().map(Named::parse).transpose()?;
    if update.is_some() && query.group.is_some() {
        return Err(AdminError::Invalid {
            code: "group",
            detail: "a state is of one update or the worst of a group, not both".to_owned(),
            next_step: Some("give either update or group".to_owned()),
        });
    }
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let within = match &query.collection {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        };
        let site = rollup::narrowed(tx, query.server.as_deref())?;
        let group = query.group.as_deref().map(|name| members_of(tx, name)).transpose()?;
        let mut standings = {
            let view = live.compliance(tx)?;
            let members = Who::of(&tree, within, site).members(&view);
            match update {
                Some(update) if view.published().update_number(update.id).is_none() => return Err(update.missing()),
                Some(update) => view.of_update(&members, update.id),
                None => view.standings(&members, group.as_ref()),
            }
        };
        standings.retain(|it| query.state.is_none_or(|state| state == api_state(it.state)));
        standings.sort_unstable_by_key(|it| it.no);
        let page = list::page(standings, |it| it.no.to_string(), query.cursor.as_deref(), limit)?;
        let servers = references(&tx.rollup_servers()?);
        let number = update.and_then(|update| live.current().status_number(update.id));
        let mut items = Vec::with_capacity(page.items.len());
        for standing in page.items {
            let Some(Told { id, name, server, last_contact, last_report }) = told(tx, &servers, &standing)? else {
                continue;
            };
            let entry = match number {
                Some(number) => tally::decode(&tx.computer_status(standing.no)?.status).entry(number).copied(),
                None => None,
            };
            items.push(ComputerStanding {
                id,
                name,
                server,
                state: api_state(standing.state),
                since: entry.map(|entry| entry.changed),
                error: entry.and_then(|entry| entry.error).map(hresult),
                last_contact,
                last_report,
            });
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// The updates of an update group.
pub(crate) fn members_of(tx: &ReadTx<'_>, name: &str) -> Result<std::collections::HashSet<UpdateId>, AdminError> {
    let group = group::find(tx, name)?.id;
    Ok(tx.update_group_show(group)?.map(|(_, updates)| updates).unwrap_or_default().into_iter().collect())
}

/// How the computers of each server of the tree stand: this one first, then those below by number.
pub(crate) async fn servers(app: &App, query: ServerSummaryQuery) -> Result<List<ServerSummary>, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let within = match &query.collection {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        };
        let only = query.group.as_deref().map(|name| members_of(tx, name)).transpose()?;
        let rows = tx.rollup_servers()?;
        let names = references(&rows);
        let now = Timestamp::now();
        let summary = |site: u32| -> Result<Summary, StoreError> {
            let tally = tally::count(&live.compliance(tx)?, &Who::of(&tree, within, Some(site)), only.as_ref());
            Ok(Summary {
                computers: tally.computers,
                compliant: tally.compliant(),
                percent: tally::percent(tally.compliant(), tally.computers),
                counts: tally::shown(&tally.states),
                as_of: now,
            })
        };
        let this = ServerSummary {
            server: None,
            through: None,
            summary: summary(THIS_SERVER)?,
            rolled_up_at: None,
            age_seconds: None,
        };
        let mut items = vec![this];
        for row in &rows {
            items.push(ServerSummary {
                server: names.get(&row.no).cloned(),
                through: names.get(&row.parent_no).cloned(),
                summary: summary(row.no)?,
                rolled_up_at: Some(row.received_at),
                age_seconds: Some(u64::try_from(now.as_second() - row.received_at.as_second()).unwrap_or(0)),
            });
        }
        Ok(List { items, next: None })
    })
    .await
}

/// What is told of a computer in a list, beside its state.
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) server: Option<Reference>,
    pub(crate) last_contact: Timestamp,
    pub(crate) last_report: Option<Timestamp>,
}

/// The same of a computer that stands somewhere; none if it left meanwhile.
pub(crate) fn told(
    tx: &ReadTx<'_>,
    servers: &HashMap<u32, Reference>,
    standing: &Standing,
) -> Result<Option<Told>, StoreError> {
    Ok(tx.computer_show(standing.no)?.map(|row| Told {
        id: row.id.to_string(),
        name: row.dns_name,
        server: servers.get(&standing.site).cloned(),
        last_contact: row.last_contact_at,
        last_report: row.last_report_at,
    }))
}
