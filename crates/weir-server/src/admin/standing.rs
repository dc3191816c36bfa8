//! Which computers are in which state: of an update, of an update group, of everything; and how the servers of the tree stand.

use jiff::Timestamp;
use weir_api::{
    List, Reference,
    compliance::{
        ComputerStanding, ComputerStandingQuery, ComputerState, ServerSummary, ServerSummaryQuery, UnknownReason,
    },
};
use weir_model::{
    compliance::Standing,
    freshness::{self, Rule, judge},
    ids::{CollectionId, UpdateId},
    rights::Scope,
    status::State,
};
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER};

use super::{
    AdminError, App,
    collection::Tree,
    group, list,
    look::Look,
    rollup,
    servers::Servers,
    setting::Current,
    tally::{self, Stood, Who},
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

/// A reason in REST.
fn api_reason(reason: freshness::UnknownReason) -> UnknownReason {
    match reason {
        freshness::UnknownReason::NotAsked => UnknownReason::NotAsked,
        freshness::UnknownReason::Silent => UnknownReason::Silent,
        freshness::UnknownReason::ScanFailed => UnknownReason::ScanFailed,
        freshness::UnknownReason::NeverReported => UnknownReason::NeverReported,
        freshness::UnknownReason::NotReporting => UnknownReason::NotReporting,
        freshness::UnknownReason::NewerThanLastReport => UnknownReason::NewerThanLastReport,
    }
}

/// An HRESULT as people write it.
pub(crate) fn hresult(error: i32) -> String {
    weir_model::error_code::text(error.cast_unsigned())
}

/// Computers by state, in the order in which they first came.
pub(crate) async fn computers(
    app: &App,
    scope: Scope,
    query: ComputerStandingQuery,
) -> Result<List<ComputerStanding>, AdminError> {
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
        let tree = Tree::within(tx, &scope)?;
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
        if query.current {
            let others = tally::not_current(tx, &live)?;
            let is_stale = |no: u32| others.get(&no).is_some_and(|verdict| verdict.class.is_stale());
            for standing in standings.iter_mut().filter(|it| is_stale(it.no)) {
                standing.state = State::Unknown;
            }
        }
        standings.retain(|it| query.state.is_none_or(|state| state == api_state(it.state)));
        standings.sort_unstable_by_key(|it| it.no);
        let page = list::page(standings, |it| it.no.to_string(), query.cursor.as_deref(), limit)?;
        let (servers, now) = (Servers::read(tx)?, Timestamp::now());
        let rule = Rule::days(Current::read(tx)?.silent_days());
        let number = update.and_then(|update| live.current().status_number(update.id));
        let mut items = Vec::with_capacity(page.items.len());
        for standing in page.items {
            let Some(told) = told(tx, &servers, &standing)? else { continue };
            let verdict = judge(&told.facts, &rule, now);
            let reason = (standing.state == State::Unknown)
                .then(|| freshness::UnknownReason::of(standing.asked, standing.reported, &verdict));
            let failed_scan = verdict.error.filter(|_| reason == Some(freshness::UnknownReason::ScanFailed));
            let entry = match number {
                Some(number) if standing.asked => {
                    tally::decode(&tx.computer_status(standing.no)?.status).entry(number).copied()
                }
                _ => None,
            };
            items.push(ComputerStanding {
                id: told.id,
                name: told.name,
                server: told.server,
                state: api_state(standing.state),
                reason: reason.map(api_reason),
                since: entry.map(|entry| entry.changed),
                error: entry.and_then(|entry| entry.error).or(failed_scan).map(hresult),
                last_contact: told.facts.last_contact,
                last_report: told.facts.last_report,
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
pub(crate) async fn servers(
    app: &App,
    scope: Scope,
    query: ServerSummaryQuery,
) -> Result<List<ServerSummary>, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let within = match &query.collection {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        };
        let only = query.group.as_deref().map(|name| members_of(tx, name)).transpose()?;
        let rows = tx.rollup_servers()?;
        let names = Servers::read(tx)?;
        let numbers = || std::iter::once(THIS_SERVER).chain(rows.iter().map(|row| row.no));
        let stood: Vec<Stood> = {
            let look = Look::new(tx, &live)?;
            let sheets = look.sheets(&[only.as_ref()]);
            let of = |site: u32| {
                let members = look.members(&Who::of(&tree, within, Some(site)));
                let stands = sheets.first().map(|sheet| look.stands(sheet, &members)).unwrap_or_default();
                // what other servers told of theirs is as old as the last that they told
                let told = rows.iter().find(|row| row.no == site).filter(|_| stands.all.computers() > 0);
                Stood::states(&stands, query.current, look.as_of(), told.map(|row| row.received_at))
            };
            numbers().map(of).collect()
        };
        let now = Timestamp::now();
        let mut items = Vec::with_capacity(stood.len());
        for (no, stood) in numbers().zip(&stood) {
            let row = rows.iter().find(|row| row.no == no);
            items.push(ServerSummary {
                server: names.get(no).cloned(),
                through: row.and_then(|row| names.get(row.parent_no)).cloned(),
                summary: stood.summary(),
                rolled_up_at: row.map(|row| row.received_at),
                age_seconds: row.map(|row| u64::try_from(now.as_second() - row.received_at.as_second()).unwrap_or(0)),
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
    /// When it was heard of.
    pub(crate) facts: freshness::Facts,
}

/// The same of a computer that stands somewhere; none if it left meanwhile.
pub(crate) fn told(tx: &ReadTx<'_>, servers: &Servers, standing: &Standing) -> Result<Option<Told>, StoreError> {
    Ok(tx.computer_show(standing.no)?.map(|row| Told {
        facts: row.facts(),
        id: row.id.to_string(),
        name: row.dns_name,
        server: servers.get(standing.site).cloned(),
    }))
}
