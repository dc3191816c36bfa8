//! What another definition would do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::collection::{
    CollectionPreview, CollectionPreviewQuery, PreviewComputer, PreviewDeployment, PreviewList, PreviewOther,
};
use weir_model::ids::CollectionId;
use weir_store::{
    ReadTx, StoreError,
    collection::MemberSource,
    deployment::DeploymentFilter,
    membership::{CollectionDefinition, MembershipRow},
};

use super::{
    Tree,
    definition::{self, RuleNames, Wanted},
    members::api_source,
    no_rule,
};
use crate::{
    admin::{AdminError, App, deployment, list},
    live::membership::{self, Compiled, StatusView},
};

/// Computers in each list unless asked otherwise.
const SHOWN: u32 = 20;
/// Computers that are read at once.
const PAGE: u32 = 2_000;
/// Deployments that are listed at most.
const MOST_DEPLOYMENTS: usize = 1_000;

/// Looks at every computer that scans here as if the definition were stored; nothing is.
pub(crate) async fn preview(app: &App, query: CollectionPreviewQuery) -> Result<CollectionPreview, AdminError> {
    let shown = list::limit(Some(query.limit.unwrap_or(SHOWN)))? as usize;
    let wanted =
        Wanted { rule: query.rule, includes: query.includes, excludes: query.excludes, limiting: query.limiting };
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::read(tx)?;
        let row = query.collection.as_deref().map(|name| tree.find(name)).transpose()?;
        let (id, known) = match row {
            Some(row) => (row.id, tx.collection_definition(row.id)?.ok_or_else(|| no_rule("collection"))?),
            None => (CollectionId(Uuid::new_v4()), CollectionDefinition::default()),
        };
        let tried = definition::changed(tx, &tree, id, known, &wanted)?;
        let compiled = Compiled::read(tx)?.with(membership::definition(id, &tried));
        let published = live.current();
        let view = if compiled.depends.status {
            StatusView::read(tx, &published, &live.directory, compiled.needs)?
        } else {
            StatusView::default()
        };
        let mut found = Preview::new(id, shown);
        found.look(tx, &compiled, &view)?;
        let rule = match tried.rule.as_deref() {
            Some(rule) => Some(RuleNames::read(tx, &tree)?.shown(rule)),
            None => None,
        };
        let touched: BTreeSet<CollectionId> = found.others.keys().copied().chain(row.map(|_| id)).collect();
        let others = found.others.into_iter().map(|(id, (coming, going))| PreviewOther {
            collection: tree.reference(id),
            coming,
            going,
        });
        Ok(CollectionPreview {
            collection: row.map(|row| tree.reference(row.id)),
            rule,
            computers: found.computers,
            members: found.members,
            coming: found.coming,
            going: found.going,
            others: others.collect(),
            deployments: deployments(tx, &tree, &touched)?,
        })
    })
    .await
}

struct Preview {
    id: CollectionId,
    shown: usize,
    computers: u64,
    members: PreviewList,
    coming: PreviewList,
    going: PreviewList,
    others: BTreeMap<CollectionId, (u64, u64)>,
}

impl Preview {
    fn new(id: CollectionId, shown: usize) -> Self {
        let list = PreviewList::default;
        Self { id, shown, computers: 0, members: list(), coming: list(), going: list(), others: BTreeMap::new() }
    }

    fn look(&mut self, tx: &ReadTx<'_>, compiled: &Compiled, view: &StatusView) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let mut after = 0;
        loop {
            let rows = tx.membership_page(after, PAGE, compiled.depends.status)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.computer.no;
            for row in &rows {
                self.add(row, &compiled.evaluate(row, view, now).members);
            }
        }
    }

    fn add(&mut self, row: &MembershipRow, would: &[(CollectionId, MemberSource)]) {
        self.computers += 1;
        let of = |members: &[(CollectionId, MemberSource)], id: CollectionId| -> Vec<MemberSource> {
            members.iter().filter(|(of, _)| *of == id).map(|(_, source)| *source).collect()
        };
        let (before, after) = (of(&row.decided, self.id), of(would, self.id));
        let shown = self.shown;
        let list = |list: &mut PreviewList, sources: &[MemberSource]| {
            list.count += 1;
            if list.items.len() < shown {
                list.items.push(PreviewComputer {
                    id: row.computer.id.to_string(),
                    name: row.computer.dns_name.clone(),
                    sources: sources.iter().map(|source| api_source(*source)).collect(),
                });
            }
        };
        if !after.is_empty() {
            list(&mut self.members, &after);
            if before.is_empty() {
                list(&mut self.coming, &after);
            }
        } else if !before.is_empty() {
            list(&mut self.going, &before);
        }
        let ids = |members: &[(CollectionId, MemberSource)]| -> BTreeSet<CollectionId> {
            members.iter().map(|(id, _)| *id).filter(|id| *id != self.id).collect()
        };
        let (before, after) = (ids(&row.decided), ids(would));
        for id in after.difference(&before) {
            self.others.entry(*id).or_default().0 += 1;
        }
        for id in before.difference(&after) {
            self.others.entry(*id).or_default().1 += 1;
        }
    }
}

/// What is deployed to these collections.
fn deployments(
    tx: &ReadTx<'_>,
    tree: &Tree,
    collections: &BTreeSet<CollectionId>,
) -> Result<Vec<PreviewDeployment>, StoreError> {
    let mut found = Vec::new();
    for id in collections {
        let filter = DeploymentFilter { collection: Some(*id), ..DeploymentFilter::default() };
        let mut cursor = None;
        loop {
            let page = tx.deployment_list(&filter, cursor.as_deref(), list::LARGEST)?;
            for row in page.items {
                found.push(PreviewDeployment {
                    id: row.id.0,
                    title: list::short(row.title.trim()),
                    collection: tree.reference(row.collection),
                    action: deployment::api_action(row.action),
                });
            }
            cursor = page.next.filter(|_| found.len() < MOST_DEPLOYMENTS);
            if cursor.is_none() {
                break;
            }
        }
    }
    found.truncate(MOST_DEPLOYMENTS);
    Ok(found)
}
