//! What history is kept of: every collection, server and update group, groups where they are deployed, and the updates that
//! are deployed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    history::Subject,
    ids::{CollectionId, UpdateId},
    targeting::DeploymentAction,
};
use weir_store::{
    ReadTx, StoreError,
    computer::THIS_SERVER,
    deployment::{Deployed, DeploymentFilter, DeploymentRow},
    revision::RevisionRow,
};

use crate::admin::{collection::Tree, counts::CountsOf, list, servers::Servers};

/// What this server is called where servers are listed.
pub(super) const THIS: &str = "this server";

/// So many of each kind at most; what is above is left out, and that is said.
const MOST_COLLECTIONS: usize = 2_000;
const MOST_SITES: usize = 500;
const MOST_GROUPS: usize = 1_000;
const MOST_PAIRS: usize = 1_000;
const MOST_UPDATES: usize = 1_000;

/// One of them.
pub(super) struct Wanted {
    pub(super) subject: Subject,
    pub(super) name: String,
    pub(super) asked: CountsOf,
}

/// All of them.
pub(super) struct Everything {
    pub(super) wanted: Vec<Wanted>,
    /// What is above the bounds.
    pub(super) left_out: u64,
    collections: HashSet<CollectionId>,
    sites: HashSet<Uuid>,
    groups: HashSet<Uuid>,
}

impl Everything {
    /// Whether there is such a thing still, be history kept of it or not.
    pub(super) fn exists(&self, tx: &ReadTx<'_>, subject: &Subject) -> Result<bool, StoreError> {
        Ok(match subject {
            Subject::Collection(id) => self.collections.contains(id),
            Subject::Site(id) => self.sites.contains(id),
            Subject::Group(id) => self.groups.contains(id),
            Subject::GroupIn(group, collection) => self.groups.contains(group) && self.collections.contains(collection),
            Subject::Update(id) => newest(tx, *id)?.is_some(),
        })
    }
}

/// The newest revision of an update.
fn newest(tx: &ReadTx<'_>, update: UpdateId) -> Result<Option<RevisionRow>, StoreError> {
    Ok(tx.revision_list_of(update)?.into_iter().find(|row| row.is_newest))
}

/// What a group in a collection is called.
pub(super) fn in_collection(group: &str, collection: &str) -> String {
    format!("{group} in {collection}")
}

/// Deployments that put updates onto computers.
pub(super) fn installing(tx: &ReadTx<'_>) -> Result<Vec<DeploymentRow>, StoreError> {
    let mut rows = Vec::new();
    let mut cursor = None;
    loop {
        let page = tx.deployment_list(&DeploymentFilter::default(), cursor.as_deref(), list::LARGEST)?;
        rows.extend(page.items.into_iter().filter(installs));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

fn installs(row: &DeploymentRow) -> bool {
    matches!(row.action, DeploymentAction::Install | DeploymentAction::Optional)
}

/// The earliest time from which a deployment of a group that installs is available: to a collection, or to any.
pub(super) fn available(
    tx: &ReadTx<'_>,
    group: Uuid,
    collection: Option<CollectionId>,
) -> Result<Option<Timestamp>, StoreError> {
    let mut earliest: Option<Timestamp> = None;
    for id in tx.deployments_of_group(group)? {
        let Some(row) = tx.deployment_show(id)?.filter(installs) else { continue };
        if collection.is_none_or(|collection| collection == row.collection) {
            earliest = earliest.into_iter().chain([row.available_at]).min();
        }
    }
    Ok(earliest)
}

/// What history is to be kept of now.
pub(super) fn everything(tx: &ReadTx<'_>) -> Result<Everything, StoreError> {
    let all = CollectionId::ALL_COMPUTERS;
    let mut wanted = Vec::new();
    let mut left_out = 0_u64;
    let mut take = |list: Vec<Wanted>, most: usize| {
        left_out += list.len().saturating_sub(most) as u64;
        wanted.extend(list.into_iter().take(most));
    };

    let tree = Tree::read(tx)?;
    let of = |collection| CountsOf { collection, site: None, updates: None };
    let collections = tree.rows.iter().map(|row| Wanted {
        subject: Subject::Collection(row.id),
        name: row.name.clone(),
        asked: of(row.id),
    });
    take(collections.collect(), MOST_COLLECTIONS);

    let servers = Servers::read(tx)?;
    let below = servers.iter().map(|(no, server)| (no, server.id, server.name.clone()));
    let sites = [(THIS_SERVER, Uuid::nil(), THIS.to_owned())].into_iter().chain(below).map(|(no, id, name)| Wanted {
        subject: Subject::Site(id),
        name,
        asked: CountsOf { site: Some(no), ..of(all) },
    });
    take(sites.collect(), MOST_SITES);

    let deployments = installing(tx)?;
    // a group in All Computers is the group itself
    let mut pairs: BTreeSet<(Uuid, CollectionId)> = BTreeSet::new();
    let mut updates: BTreeSet<UpdateId> = BTreeSet::new();
    for row in &deployments {
        match row.deployed {
            Deployed::Group(group) => {
                pairs.insert((group, row.collection));
            }
            Deployed::Update { id, .. } => {
                updates.insert(id);
            }
        }
    }
    for row in tx.phased_list()? {
        pairs.extend(row.plan.phases.iter().map(|phase| (row.group, phase.collection)));
    }
    let deployed: BTreeSet<Uuid> = pairs.iter().map(|(group, _)| *group).collect();
    let mut rows = tx.update_group_list()?;
    let known: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
    // those that are deployed first, then the newest
    rows.sort_by_key(|row| (!deployed.contains(&row.id), std::cmp::Reverse(row.created_at), row.id));
    let mut members: BTreeMap<Uuid, (String, Vec<UpdateId>)> = BTreeMap::new();
    let mut groups = Vec::new();
    for row in &rows {
        if groups.len() >= MOST_GROUPS {
            left_out += (rows.len() - groups.len()) as u64;
            break;
        }
        let of_it = tx.update_group_show(row.id)?.map(|(_, updates)| updates).unwrap_or_default();
        groups.push(Wanted {
            subject: Subject::Group(row.id),
            name: row.name.clone(),
            asked: CountsOf { updates: Some(of_it.clone()), ..of(all) },
        });
        if deployed.contains(&row.id) {
            updates.extend(of_it.iter().copied());
            members.insert(row.id, (row.name.clone(), of_it));
        }
    }
    wanted.extend(groups);

    let in_rings: Vec<Wanted> = pairs
        .iter()
        .filter(|(_, collection)| *collection != all)
        .filter_map(|(group, collection)| {
            let (name, updates) = members.get(group)?;
            Some(Wanted {
                subject: Subject::GroupIn(*group, *collection),
                name: in_collection(name, &tree.name(*collection)),
                asked: CountsOf { updates: Some(updates.clone()), ..of(*collection) },
            })
        })
        .collect();
    left_out += in_rings.len().saturating_sub(MOST_PAIRS) as u64;
    wanted.extend(in_rings.into_iter().take(MOST_PAIRS));

    // the newest first: those are asked about
    let mut known_updates = Vec::with_capacity(updates.len());
    for id in updates {
        known_updates.extend(newest(tx, id)?);
    }
    known_updates.sort_by_key(|row| (std::cmp::Reverse(row.created_at), row.identity.update_id));
    left_out += known_updates.len().saturating_sub(MOST_UPDATES) as u64;
    wanted.extend(known_updates.into_iter().take(MOST_UPDATES).map(|row| {
        let id = row.identity.update_id;
        Wanted {
            subject: Subject::Update(id),
            name: list::short(row.title.trim()),
            asked: CountsOf { updates: Some(vec![id]), ..of(all) },
        }
    }));

    Ok(Everything {
        wanted,
        left_out,
        collections: tree.rows.iter().map(|row| row.id).collect(),
        sites: servers.iter().map(|(_, server)| server.id).chain([Uuid::nil()]).collect(),
        groups: known,
    })
}
