//! Group B: deployments and their content.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use weir_api::deployment::DeploymentState;
use weir_model::{
    ids::{CollectionId, DeploymentId, UpdateId},
    report::{Cell, Row, states::word},
    status::{Counts, State, UpdateNumber},
    targeting::DeploymentAction,
};
use weir_store::{
    deployment::{Deployed, DeploymentRow, Rows},
    report::ReportComputer,
};

use super::{
    super::{AdminError, deployment::Describer, list},
    shown::{SHOWN, counts_of},
    source::{Deployment, Source, required},
};

/// The word of an action.
pub(super) fn action(action: DeploymentAction) -> &'static str {
    match action {
        DeploymentAction::Block => "block",
        DeploymentAction::Detect => "detect",
        DeploymentAction::Install => "install",
        DeploymentAction::Optional => "optional",
        DeploymentAction::Uninstall => "uninstall",
    }
}

fn state(state: DeploymentState) -> &'static str {
    match state {
        DeploymentState::Active => "active",
        DeploymentState::Disabled => "disabled",
        DeploymentState::NotSent => "not_sent",
        DeploymentState::WaitingForAvailableTime => "waiting_for_available_time",
        DeploymentState::WaitingForContent => "waiting_for_content",
    }
}

/// Deployments as lists have them, by number.
fn deployments(source: &Source<'_>, found: Vec<DeploymentRow>) -> Result<Vec<Row>, AdminError> {
    let describer = Describer::new(source.tx, source.live)?;
    let mut best = source.best();
    for row in found {
        let described = describer.describe(source.tx, &row)?;
        let updates = described.members.as_ref().map_or(1, |members| members.updates);
        best.offer(row.id, || {
            vec![
                Cell::Id(row.id.to_string()),
                Cell::text(row.terms.name.clone().unwrap_or_default()),
                Cell::text(list::short(&row.title)),
                Cell::text(&row.collection_name),
                Cell::State(action(row.action)),
                Cell::Time(row.available_at),
                Cell::time(row.deadline_at),
                Cell::State(state(described.state)),
                Cell::text(described.state_text),
                Cell::Count(updates),
            ]
        });
    }
    Ok(source.finish(best))
}

/// B1.
pub(super) fn of_group(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let (group, ..) = required(source.group()?, "group")?;
    let found = shown(source, source.tx.deployments_of_group(group)?)?;
    deployments(source, found)
}

fn shown(source: &Source<'_>, ids: impl IntoIterator<Item = DeploymentId>) -> Result<Vec<DeploymentRow>, AdminError> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(source.tx.deployment_show(id)?.filter(|row| source.tree.sees(row.collection)));
    }
    Ok(found)
}

/// B2.
pub(super) fn not_deployed(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let (vendor, wanted) = (source.asked.text("vendor"), source.asked.text("classification"));
    let (vendor, wanted) = (vendor.map(str::to_lowercase), wanted.map(str::to_lowercase));
    // what each collection is brought, and which collections lie above each
    let mut brought: HashMap<CollectionId, HashSet<UpdateId>> = HashMap::new();
    for row in source.deployments(Rows::Computers, None)? {
        let installs = matches!(row.action, DeploymentAction::Install | DeploymentAction::Optional);
        if let Deployed::Update { id, .. } = row.deployed {
            if row.enabled && installs {
                brought.entry(row.collection).or_default().insert(id);
            }
        }
    }
    let mut sets: HashMap<u32, Vec<CollectionId>> = HashMap::new();
    let mut lacking: HashMap<(u32, UpdateNumber), u64> = HashMap::new();
    source.survey(&source.scope()?, None, &mut |seen| {
        sets.entry(seen.set).or_insert_with(|| seen.collections.to_vec());
        for (update, _) in seen.listed() {
            *lacking.entry((seen.set, update)).or_default() += 1;
        }
    })?;
    let published = source.live.current();
    let reached: HashMap<u32, Vec<&HashSet<UpdateId>>> = sets
        .iter()
        .map(|(set, groups)| {
            let above: HashSet<CollectionId> = published.snapshot.branches(groups).into_iter().flatten().collect();
            (*set, above.iter().filter_map(|id| brought.get(id)).collect())
        })
        .collect();
    let mut needed: HashMap<UpdateId, u64> = HashMap::new();
    for ((set, number), computers) in lacking {
        let Some(update) = published.update_of(number) else { continue };
        let is_brought = reached.get(&set).is_some_and(|all| all.iter().any(|updates| updates.contains(&update)));
        if !is_brought {
            *needed.entry(update).or_default() += computers;
        }
    }
    let mut best = source.best();
    for (update, computers) in needed {
        let own = source.vendor(update);
        let classification = source.classification(update);
        let fits = |wanted: &Option<String>, is: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| is.is_some_and(|is| is.to_lowercase() == *wanted))
        };
        let named = classification.as_ref().map(|(_, title)| title);
        let id = classification.as_ref().map(|(id, _)| id.to_string());
        if !fits(&vendor, own.as_ref()) || !(fits(&wanted, named) || fits(&wanted, id.as_ref())) {
            continue;
        }
        best.offer((Reverse(computers), update), || {
            let more = [
                own.map_or(Cell::Absent, Cell::text),
                classification.map_or(Cell::Absent, |(_, title)| Cell::text(title)),
                source.severity(update),
                Cell::time(source.index.find(update).and_then(|entry| entry.created_at)),
                Cell::Count(computers),
            ];
            source.what(update).into_iter().chain(more).collect()
        });
    }
    Ok(source.finish(best))
}

/// B3.
pub(super) fn updates_of(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let deployment = required(source.deployment()?, "deployment")?;
    let counted = source.counts(&source.targets(&deployment)?, Some(&deployment.updates()))?;
    let mut best = source.best();
    for update in deployment.updates() {
        let counts = counted.of(update);
        best.offer((Reverse(counts.needed() + counts.failed), update), || {
            let slot = source.index.search.slot(update);
            let more = [
                source.classification(update).map_or(Cell::Absent, |(_, title)| Cell::text(title)),
                source.severity(update),
                slot.and_then(|slot| source.index.search.size(slot)).map_or(Cell::Absent, Cell::Bytes),
            ];
            source.what(update).into_iter().chain(more).chain(counts_of(&counts, &SHOWN)).collect()
        });
    }
    Ok(source.finish(best))
}

/// B4.
pub(super) fn to_collection(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let collection = required(source.asked.text("collection"), "collection")?;
    let collection = source.tree.find(collection)?.id;
    let published = source.live.current();
    let above: HashSet<CollectionId> = published.snapshot.branches(&[collection]).into_iter().flatten().collect();
    let mut found = source.deployments(Rows::People, None)?;
    found.retain(|row| above.contains(&row.collection));
    deployments(source, found)
}

/// B5.
pub(super) fn to_computer(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let published = source.live.current();
    let describer = Describer::new(source.tx, source.live)?;
    let mut states: HashMap<UpdateId, State> = HashMap::new();
    let mut above: HashSet<CollectionId> = HashSet::new();
    source.one(&mut |member| {
        states = member.states().map(|(asked, state, _)| (asked.update, state)).collect();
        above = published.snapshot.branches(member.groups).into_iter().flatten().collect();
    })?;
    let mut best = source.best();
    for row in source.deployments(Rows::People, None)? {
        if !above.contains(&row.collection) {
            continue;
        }
        let described = describer.describe(source.tx, &row)?;
        let deployment = source.whole(row)?;
        let of = |update| states.get(&update).copied().unwrap_or(State::Unknown);
        let counts: Counts = deployment.updates().into_iter().map(of).collect();
        let row = &deployment.row;
        best.offer(row.id, || {
            let head = [
                Cell::Id(row.id.to_string()),
                Cell::text(row.terms.name.clone().unwrap_or_default()),
                Cell::text(list::short(&row.title)),
                Cell::text(&row.collection_name),
                Cell::State(action(row.action)),
                Cell::time(row.deadline_at),
                Cell::State(state(described.state)),
                Cell::Count(counts.total()),
                Cell::Count(counts.needed()),
            ];
            let rest = [State::Failed, State::Installed, State::NotApplicable, State::Unknown];
            head.into_iter().chain(counts_of(&counts, &rest)).collect()
        });
    }
    Ok(source.finish(best))
}

/// B6.
pub(super) fn of_update(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let update = source.update()?;
    let mut found = Vec::new();
    let mut ids = Vec::new();
    for group in source.tx.update_groups_of(update)? {
        ids.extend(source.tx.deployments_of_group(group)?);
    }
    found.extend(shown(source, ids)?);
    for row in source.deployments(Rows::People, None)? {
        if matches!(row.deployed, Deployed::Update { id, .. } if id == update) {
            found.push(row);
        }
    }
    deployments(source, found)
}

/// What waits for content at this server: the deployment that people see, the update, files and bytes.
struct Waiting {
    deployment: DeploymentRow,
    update: UpdateId,
    files: u64,
    bytes: u64,
}

fn waiting(source: &Source<'_>) -> Result<Vec<Waiting>, AdminError> {
    let only = source.deployment()?.map(|deployment| deployment.row.id);
    let policy = crate::content::policy(source.tx)?;
    let mut people: BTreeMap<DeploymentId, DeploymentRow> = BTreeMap::new();
    let mut found = Vec::new();
    for (id, (files, bytes)) in source.tx.deployments_waiting(&policy)? {
        let row = source.tx.deployment_show(id)?.filter(|row| source.tree.sees(row.collection));
        let Some(row) = row else { continue };
        let Deployed::Update { id: update, .. } = row.deployed else { continue };
        let shown = row.expanded_from.unwrap_or(id);
        if only.is_some_and(|only| only != shown) {
            continue;
        }
        let deployment = match people.get(&shown) {
            Some(known) => known.clone(),
            None => {
                let Some(whole) = source.tx.deployment_show(shown)? else { continue };
                people.insert(shown, whole.clone());
                whole
            }
        };
        found.push(Waiting { deployment, update, files, bytes });
    }
    Ok(found)
}

/// B7.
pub(super) fn missing_content(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let mut best = source.best();
    for Waiting { deployment, update, files, bytes } in waiting(source)? {
        best.offer((deployment.id, Reverse(bytes), update), || {
            let head = [
                Cell::Id(deployment.id.to_string()),
                Cell::text(deployment.terms.name.clone().unwrap_or_default()),
                Cell::text(list::short(&deployment.title)),
                Cell::text(&deployment.collection_name),
            ];
            let what = head.into_iter().chain(source.what(update));
            what.chain([Cell::Count(files), Cell::Bytes(bytes)]).collect()
        });
    }
    Ok(source.finish(best))
}

/// B8.
pub(super) fn missing_content_computers(source: &Source<'_>) -> Result<Vec<Row>, AdminError> {
    let mut waits: HashMap<CollectionId, HashSet<UpdateId>> = HashMap::new();
    for one in waiting(source)? {
        waits.entry(one.deployment.collection).or_default().insert(one.update);
    }
    let only: HashSet<UpdateId> = waits.values().flatten().copied().collect();
    if only.is_empty() {
        return Ok(source.all(Vec::new()));
    }
    let published = source.live.current();
    let numbers = |updates: &HashSet<UpdateId>| -> HashSet<UpdateNumber> {
        updates.iter().filter_map(|update| published.status_number(*update)).collect()
    };
    let waits: Vec<(CollectionId, HashSet<UpdateNumber>)> =
        waits.iter().map(|(collection, updates)| (*collection, numbers(updates))).collect();
    // what waits for the computers of each set of collections
    let mut own: HashMap<u32, HashSet<UpdateNumber>> = HashMap::new();
    let mut found: HashMap<u32, u64> = HashMap::new();
    source.survey(&source.scope()?, Some(&only), &mut |seen| {
        let own = own.entry(seen.set).or_insert_with(|| {
            let here = waits.iter().filter(|(id, _)| source.tree.holds_any(*id, seen.collections));
            here.flat_map(|(_, updates)| updates).copied().collect()
        });
        let needed = seen.listed().filter(|(update, _)| own.contains(update)).count() as u64;
        if needed > 0 {
            found.insert(seen.no, needed);
        }
    })?;
    let row = |computer: &ReportComputer| -> Row {
        let needed = found.get(&computer.no).copied().unwrap_or_default();
        let more = [Cell::Count(needed), Cell::Time(computer.last_contact_at)];
        source.who(computer).into_iter().chain(more).collect()
    };
    Ok(source.named(found.keys().copied())?.iter().map(row).collect())
}

/// The state of a deployment's update as a cell.
pub(super) fn update_state(state: State) -> Cell {
    Cell::State(word(state))
}

/// Deployments that bring updates to computers to be installed, of people: all enabled ones, or the one that is asked for.
pub(super) fn installing(source: &Source<'_>) -> Result<Vec<Deployment>, AdminError> {
    let installs = |row: &DeploymentRow| {
        row.enabled && matches!(row.action, DeploymentAction::Install | DeploymentAction::Optional)
    };
    match source.deployment()? {
        Some(deployment) => Ok(vec![deployment].into_iter().filter(|it| installs(&it.row)).collect()),
        None => {
            let rows = source.deployments(Rows::People, None)?;
            rows.into_iter().filter(installs).map(|row| source.whole(row)).collect()
        }
    }
}
