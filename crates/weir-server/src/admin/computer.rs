//! Computers: who scans here, and what each needs and why.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List, Reference,
    computer::{
        ComputerChange, ComputerChanged, ComputerDetail, ComputerQuery, ComputerRow, ComputerUpdate, StateCounts,
        UpdateState,
    },
};
use weir_model::{
    freshness::{Rule, Verdict},
    ids::{CollectionId, ComputerId, UpdateId},
    status::{State, computer_state},
};
use weir_store::{ReadTx, StoreError, computer as stored};

use super::{
    AdminError, App, Caller,
    collection::{Tree, definition::checked_zone},
    freshness,
    index::Index,
    list, rollup,
    selection::known_language,
    tally::{self, Questions},
    window,
};

/// Computers, oldest first.
pub(crate) async fn list(app: &App, query: ComputerQuery) -> Result<List<ComputerRow>, AdminError> {
    let ComputerQuery { collection, server, freshness: wanted, silent_days, cursor, limit } = query;
    let limit = list::limit(limit)?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let (rule, now) = (Rule::days(freshness::days(tx, silent_days)?), Timestamp::now());
        let verdicts = wanted.map(|_| freshness::all(tx, &rule, now)).transpose()?;
        let is_wanted = |no: u32| {
            let class = |verdicts: &HashMap<u32, Verdict>| verdicts.get(&no).map(|it| freshness::class(it.class));
            verdicts.as_ref().is_none_or(|verdicts| class(verdicts) == wanted)
        };
        let tree = Tree::read(tx)?;
        let within = match &collection {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        };
        let members = match rollup::narrowed(tx, server.as_deref())? {
            Some(site) => tx.computer_directory_of(site)?,
            None => tx.computer_directory()?,
        };
        let members = members.into_iter().filter(|row| is_wanted(row.no) && tree.holds(within, row));
        let servers = servers(tx)?;
        let page = list::page(members, |row| row.no.to_string(), cursor.as_deref(), limit)?;
        let mut questions = Questions::new(&live);
        let mut items = Vec::with_capacity(page.items.len());
        for member in page.items {
            if let Some(row) = tx.computer_show(member.no)? {
                items.push(describe(tx, &tree, &servers, &mut questions, &row, &member.groups, &rule)?.0);
            }
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// Downstream servers by their numbers.
type Servers = BTreeMap<u32, Reference>;

fn servers(tx: &ReadTx<'_>) -> Result<Servers, StoreError> {
    let named = |(no, id, name, _): (u32, uuid::Uuid, String, u32)| {
        (no, Reference { id, name: if name.is_empty() { id.to_string() } else { name } })
    };
    Ok(tx.rollup_server_numbers()?.into_iter().map(named).collect())
}

type States = Vec<(UpdateId, State, Option<weir_model::status::Entry>)>;

fn describe(
    tx: &ReadTx<'_>,
    tree: &Tree,
    servers: &Servers,
    questions: &mut Questions,
    row: &stored::ComputerRow,
    groups: &[CollectionId],
    rule: &Rule,
) -> Result<(ComputerRow, States), StoreError> {
    let status = tally::decode(&tx.computer_status(row.no)?.status);
    let mut counts = StateCounts::default();
    let mut states = Vec::new();
    for asked in questions.of(groups).iter() {
        let state = status.state_of(asked.number, Some(asked.entered));
        tally::add(&mut counts, state);
        states.push((asked.update, state, status.entry(asked.number).copied()));
    }
    let whole = computer_state(status.reported.is_some(), states.iter().map(|(_, state, _)| *state));
    let registration = row.registration.clone().unwrap_or_default();
    let model = [registration.computer_manufacturer.as_deref(), registration.computer_model.as_deref()];
    let version =
        format!("{}.{}.{}", registration.os_major_version, registration.os_minor_version, registration.os_build_number);
    let shown = ComputerRow {
        id: row.id.to_string(),
        name: row.dns_name.clone(),
        address: row.ip_address.clone(),
        os: match (&row.registration, registration.os_description.as_deref()) {
            (None, _) => String::new(),
            (_, Some(name)) if !name.trim().is_empty() => format!("{} ({version})", name.trim()),
            _ => format!("Windows {version}"),
        },
        architecture: registration.processor_architecture.clone().unwrap_or_default(),
        model: model.into_iter().flatten().map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "),
        server: servers.get(&row.site).cloned(),
        collections: if groups.is_empty() {
            vec![tree.reference(CollectionId::UNASSIGNED_COMPUTERS)]
        } else {
            groups.iter().map(|group| tree.reference(*group)).collect()
        },
        first_seen: row.first_contact_at,
        last_contact: row.last_contact_at,
        last_sync: row.last_sync_at,
        last_report: row.last_report_at,
        freshness: Some(freshness::of(row, rule, Timestamp::now())),
        plain_http: row.plain_http,
        counts,
        compliant: whole.is_compliant(),
    };
    Ok((shown, states))
}

/// One computer in full.
pub(crate) async fn show(app: &App, id: &str, language: Option<&str>) -> Result<ComputerDetail, AdminError> {
    let id = parse(id)?;
    let language = known_language(language)?;
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
        let tree = Tree::read(tx)?;
        let groups: Vec<CollectionId> = tx.computer_collections(row.no)?;
        let mut questions = Questions::new(&live);
        let rule = Rule::days(freshness::days(tx, None)?);
        let (shown, states) = describe(tx, &tree, &servers(tx)?, &mut questions, &row, &groups, &rule)?;
        let set = live.directory.group_set(&groups);
        let snapshot = &questions.published().snapshot;
        let mut sorted: BTreeMap<bool, Vec<ComputerUpdate>> = BTreeMap::new();
        let mut failed = Vec::new();
        for (update, state, entry) in states {
            let installed = state == State::Installed;
            if !installed && !state.is_needed() && state != State::Failed {
                continue;
            }
            let explanation = snapshot.effective(set.collections(), update);
            let indexed = index.find(update);
            let revision = indexed.map_or(0, |row| row.identity.revision.0);
            let localized = match indexed.filter(|_| language != "en") {
                Some(row) => tx.revision_localized(row.revision_id)?,
                None => Vec::new(),
            };
            let localized = localized.into_iter().find(|text| text.language.eq_ignore_ascii_case(&language));
            let listed = ComputerUpdate {
                id: update.0,
                revision,
                title: localized.map_or_else(|| index.title(update), |text| list::short(text.title.trim())),
                kb: indexed.map(|row| row.kb_articles.clone()).unwrap_or_default(),
                state: api_state(state),
                since: entry.map(|entry| entry.changed),
                error: entry.and_then(|entry| entry.error).map(super::standing::hresult),
                error_meaning: entry.and_then(|entry| entry.error).map(super::failure::meaning),
                deployment: explanation.ruling.winner.map(|winner| winner.id.0),
                why: explanation.describe(|id| tree.name(id)),
            };
            if state == State::Failed { failed.push(listed) } else { sorted.entry(installed).or_default().push(listed) }
        }
        for list in sorted.values_mut().chain([&mut failed]) {
            list.sort_by(|a, b| a.title.cmp(&b.title).then_with(|| a.id.cmp(&b.id)));
        }
        let requested = row.requested_groups.as_deref().unwrap_or_default();
        Ok(ComputerDetail {
            row: shown,
            requested_groups: requested
                .split(';')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            next_window: Some(window::next_of_computer(tx, &tree, questions.published(), &row, &groups)?),
            time_zone: tx.computer_time_zone(row.no)?,
            needed: sorted.remove(&false).unwrap_or_default(),
            failed,
            installed: sorted.remove(&true).unwrap_or_default(),
        })
    })
    .await
}

/// Changes a computer.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    id: &str,
    change: ComputerChange,
) -> Result<ComputerChanged, AdminError> {
    let id = parse(id)?;
    let zone = change.time_zone.as_deref().map(checked_zone).transpose()?;
    let live = app.state.live.clone();
    let changed = app
        .write(caller, move |tx| {
            let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
            let before = tx.computer_time_zone(row.no)?;
            let after = zone.unwrap_or_else(|| before.clone());
            if before != after {
                tx.computer_set_time_zone(row.no, after.as_deref())?;
                let (old, new) = (json!({ "time_zone": before }), json!({ "time_zone": after }));
                tx.audit("computer.change", &id.to_string(), Some(&old), Some(&new))?;
                // a rule may ask for it
                let compiled = live.membership.compiled(tx)?;
                live.membership.decide(tx, &compiled, row.no, Timestamp::now())?;
            }
            Ok(ComputerChanged { id: id.to_string(), time_zone: after })
        })
        .await?;
    app.publish().await?;
    Ok(changed)
}

/// Forgets a computer. It comes back when it calls again.
pub(crate) async fn delete(app: &App, caller: &Caller, id: &str) -> Result<(), AdminError> {
    let id = parse(id)?;
    app.write(caller, move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
        if row.site != stored::THIS_SERVER {
            // the server that reports it is told so
            tx.rollup_deleted_put(&id, row.last_sync_at)?;
        }
        tx.computer_delete(row.no)?;
        tx.audit("computer.delete", &id.to_string(), Some(&json!({ "name": row.dns_name })), None)?;
        Ok(())
    })
    .await?;
    app.publish().await
}

pub(super) fn parse(id: &str) -> Result<ComputerId, AdminError> {
    id.trim().parse().map_err(|error| AdminError::invalid("computer", format!("{id:?}: {error}")))
}

pub(super) fn missing(id: &ComputerId) -> AdminError {
    AdminError::missing("computer", id, "weir computers list")
}

pub(crate) fn api_state(state: State) -> UpdateState {
    match state {
        State::Unknown => UpdateState::Unknown,
        State::NotApplicable => UpdateState::NotApplicable,
        State::Required => UpdateState::Required,
        State::Downloaded => UpdateState::Downloaded,
        State::Installed => UpdateState::Installed,
        State::Failed => UpdateState::Failed,
        State::PendingRestart => UpdateState::PendingRestart,
    }
}
