//! Computers: who scans here, and what each needs and why.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    List,
    computer::{
        ComputerChange, ComputerChanged, ComputerDetail, ComputerQuery, ComputerRow, ComputerUpdate, StateCounts,
        UpdateState,
    },
};
use weir_model::{
    freshness::Rule,
    ids::{CollectionId, ComputerId, UpdateId},
    rights::Scope,
    status::{State, computer_state},
};
use weir_store::{ReadTx, StoreError, WriteTx, computer as stored};

use super::{
    AdminError, App, Caller,
    collection::{Tree, definition::checked_zone},
    computer_roster::Sort,
    computer_search::{self, Beside, Chosen, Purpose},
    freshness,
    index::Index,
    list,
    selection::known_language,
    servers::Servers,
    tally::{self, Questions},
    window,
};

/// Computers, in the order in which they first came unless asked otherwise.
pub(crate) async fn list(app: &App, scope: Scope, query: ComputerQuery) -> Result<List<ComputerRow>, AdminError> {
    let limit = list::limit(query.limit)?;
    let sort = query.sort.as_deref().map(Sort::parse).transpose()?;
    let beside = Beside::read(app, &scope, &query, sort.is_some()).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let Chosen { computers, rule, .. } = computer_search::chosen(tx, &live, &tree, &query, &beside, Purpose::List)?;
        let page = match (sort, beside.roster()) {
            (Some(sort), Some(roster)) => roster.page(&computers, sort, query.cursor.as_deref(), limit)?,
            _ => {
                let rows = computers.into_iter().map(|no| ((), no)).collect();
                list::page_of_numbers(rows, query.cursor.as_deref(), limit)?
            }
        };
        let mut known: HashMap<u32, Known> = HashMap::new();
        {
            let view = live.compliance(tx)?;
            let members = view.members(None, &|groups| tree.sees_any(groups));
            view.seen_of(&members, page.items.iter().copied(), &mut |seen| {
                let (groups, counts) = (seen.collections.to_vec(), tally::shown(&seen.counts));
                known.insert(seen.no, Known { groups, counts, compliant: seen.state().is_compliant() });
            });
        }
        let servers = Servers::read(tx)?;
        let mut items = Vec::with_capacity(page.items.len());
        for no in page.items {
            // it may have left since
            if let (Some(row), Some(known)) = (tx.computer_show(no)?, known.remove(&no)) {
                items.push(describe(&tree, &servers, &row, known, &rule));
            }
        }
        Ok(List { items, next: page.next })
    })
    .await
}

/// Where a computer is, and how it stands.
struct Known {
    groups: Vec<CollectionId>,
    counts: StateCounts,
    compliant: bool,
}

type States = Vec<(UpdateId, State, Option<weir_model::status::Entry>)>;

/// The state of each update that a computer is asked about, and how it stands by them.
fn states(
    tx: &ReadTx<'_>,
    questions: &mut Questions,
    no: u32,
    groups: &[CollectionId],
) -> Result<(States, Known), StoreError> {
    let status = tally::decode(&tx.computer_status(no)?.status);
    let mut counts = StateCounts::default();
    let mut states = Vec::new();
    for asked in questions.of(groups).iter() {
        let state = status.state_of(asked.number, Some(asked.entered));
        tally::add(&mut counts, state);
        states.push((asked.update, state, status.entry(asked.number).copied()));
    }
    let whole = computer_state(status.reported.is_some(), states.iter().map(|(_, state, _)| *state));
    Ok((states, Known { groups: groups.to_vec(), counts, compliant: whole.is_compliant() }))
}

fn describe(tree: &Tree, servers: &Servers, row: &stored::ComputerRow, known: Known, rule: &Rule) -> ComputerRow {
    let groups = &known.groups;
    let registration = row.registration.as_ref();
    let model = registration.map(|it| [it.computer_manufacturer.as_deref(), it.computer_model.as_deref()]);
    let model = model.into_iter().flatten().flatten().map(str::trim).filter(|text| !text.is_empty());
    ComputerRow {
        id: row.id.to_string(),
        name: row.dns_name.clone(),
        address: row.ip_address.clone(),
        os: system(row),
        architecture: registration.and_then(|it| it.processor_architecture.clone()).unwrap_or_default(),
        model: model.collect::<Vec<_>>().join(" "),
        server: servers.get(row.site).cloned(),
        collections: if groups.is_empty() {
            vec![tree.reference(CollectionId::UNASSIGNED_COMPUTERS)]
        } else {
            groups.iter().filter(|group| tree.sees(**group)).map(|group| tree.reference(*group)).collect()
        },
        first_seen: row.first_contact_at,
        last_contact: row.last_contact_at,
        last_sync: row.last_sync_at,
        last_report: row.last_report_at,
        freshness: Some(freshness::of(row, rule, Timestamp::now())),
        plain_http: row.plain_http,
        counts: known.counts,
        compliant: known.compliant,
    }
}

/// The operating system of a computer with its version, the exact build where it is known; empty before it registered.
pub(super) fn system(row: &stored::ComputerRow) -> String {
    let Some(registration) = &row.registration else { return String::new() };
    let version = row.exact_build.map_or_else(
        || {
            let [major, minor] = [registration.os_major_version, registration.os_minor_version];
            format!("{major}.{minor}.{}", registration.os_build_number)
        },
        |build| build.to_string(),
    );
    match registration.os_description.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => format!("{name} ({version})"),
        _ => format!("Windows {version}"),
    }
}

/// One computer in full.
pub(crate) async fn show(
    app: &App,
    scope: Scope,
    id: &str,
    language: Option<&str>,
) -> Result<ComputerDetail, AdminError> {
    let id = parse(id)?;
    let language = known_language(language)?;
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
        let tree = Tree::within(tx, &scope)?;
        let groups: Vec<CollectionId> = tx.computer_collections(row.no)?;
        tree.check_computer(&id, &groups)?;
        let mut questions = Questions::new(&live);
        let rule = Rule::days(freshness::days(tx, None)?);
        let (states, known) = states(tx, &mut questions, row.no, &groups)?;
        let shown = describe(&tree, &Servers::read(tx)?, &row, known, &rule);
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
                why: explanation.describe(|id| tree.shown_name(id)),
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
    let scope = caller.scope().clone();
    let changed = app
        .write(caller, move |tx| {
            let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
            Tree::within(tx, &scope)?.check_computer(&id, &tx.computer_collections(row.no)?)?;
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
    let scope = caller.scope().clone();
    app.write(caller, move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| missing(&id))?;
        Tree::within(tx, &scope)?.check_computer(&id, &tx.computer_collections(row.no)?)?;
        Ok(delete_in(tx, &row)?)
    })
    .await?;
    app.publish().await
}

/// Forgets a computer in a transaction of the caller's.
pub(super) fn delete_in(tx: &WriteTx<'_>, row: &stored::ComputerRow) -> Result<(), StoreError> {
    if row.site != stored::THIS_SERVER {
        // the server that reports it is told so
        tx.rollup_deleted_put(&row.id, row.last_sync_at)?;
    }
    tx.computer_delete(row.no)?;
    tx.audit("computer.delete", &row.id.to_string(), Some(&json!({ "name": row.dns_name })), None)
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
