//! Lists of deployments: as people made them, and as computers are offered them.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use weir_model::ids::{CollectionId, DeploymentId, UpdateId};

use super::DeploymentRow;
use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    page::{Page, cursor_number, page_rows},
    sql::statements,
};

/// Which rows are meant: a deployment of a group is one for people, and one for each member for computers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Rows {
    /// What people made: deployments of updates and of groups.
    #[default]
    People,
    /// What computers are offered: deployments of single updates, those included that follow from a group.
    Computers,
    /// What follows from one deployment of a group.
    Members(DeploymentId),
}

/// Which deployments to list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeploymentFilter {
    /// Of this update.
    pub update: Option<UpdateId>,
    /// To this collection.
    pub collection: Option<CollectionId>,
    /// Those of people, or those of computers.
    pub rows: Rows,
}

statements! {
    DEPLOYMENT_SCAN: "listing deployments" =
        "SELECT deployment_id, collection_id, expanded_from, group_id FROM deployment
         WHERE deployment_id > ?1 AND expanded_from IS NULL ORDER BY deployment_id LIMIT ?2";
    DEPLOYMENT_PLACES: "counting deployments by collection" =
        "SELECT collection_id FROM deployment WHERE deployment_id > ?1 AND expanded_from IS NULL ORDER BY deployment_id";
    DEPLOYMENT_SCAN_COMPUTERS: "listing what is deployed to computers" =
        "SELECT deployment_id, collection_id, expanded_from, group_id FROM deployment
         WHERE deployment_id > ?1 AND group_id IS NULL ORDER BY deployment_id LIMIT ?2";
    DEPLOYMENT_SCAN_MEMBERS: "listing what follows from the deployment of a group" =
        "SELECT deployment_id, collection_id, expanded_from, group_id FROM deployment
         WHERE expanded_from = ?1 AND deployment_id > ?2 ORDER BY deployment_id LIMIT ?3";
    DEPLOYMENT_SCAN_UPDATE: "listing deployments of an update" =
        "SELECT d.deployment_id, d.collection_id, d.expanded_from, d.group_id
         FROM updates u JOIN deployment d ON d.update_no = u.update_no
         WHERE u.update_id = ?1 ORDER BY d.deployment_id";
    DEPLOYMENT_SCAN_COLLECTION: "listing deployments to a collection" =
        "SELECT deployment_id, collection_id, expanded_from, group_id FROM deployment WHERE collection_id = ?1
         ORDER BY deployment_id";
}

/// A row of a scan.
struct Scanned {
    id: i32,
    collection: CollectionId,
    expanded_from: Option<i32>,
    group: bool,
}

impl ReadTx<'_> {
    /// How many deployments that people made there are to each collection.
    pub fn deployment_counts(&self) -> Result<HashMap<CollectionId, u64>, StoreError> {
        let mut counts: HashMap<CollectionId, u64> = HashMap::new();
        self.each(&DEPLOYMENT_PLACES, args![0_i32], |row| {
            *counts.entry(row.collection_id(0)?).or_default() += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(counts)
    }

    /// The deployments that people made of an update, by itself or in a group.
    pub fn deployments_of_update(&self, update: UpdateId) -> Result<BTreeSet<DeploymentId>, StoreError> {
        let read = |row: &Row<'_>| Ok(DeploymentId(row.opt_int(2)?.unwrap_or(row.int(0)?)));
        Ok(self.all(&DEPLOYMENT_SCAN_UPDATE, args![update], read)?.into_iter().collect())
    }

    /// Deployments by number.
    pub fn deployment_list(
        &self,
        filter: &DeploymentFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<DeploymentRow>, StoreError> {
        let after: i32 = cursor_number(cursor, 0)?;
        let read = |row: &Row<'_>| {
            Ok(Scanned {
                id: row.int(0)?,
                collection: row.collection_id(1)?,
                expanded_from: row.opt_int(2)?,
                group: !row.is_null(3)?,
            })
        };
        let scanned = match (filter.update, filter.collection, filter.rows) {
            (Some(update), ..) => self.all(&DEPLOYMENT_SCAN_UPDATE, args![update], read)?,
            (None, Some(collection), _) => self.all(&DEPLOYMENT_SCAN_COLLECTION, args![collection], read)?,
            (None, None, Rows::People) => self.all(&DEPLOYMENT_SCAN, args![after, page_rows(limit)], read)?,
            (None, None, Rows::Computers) => {
                self.all(&DEPLOYMENT_SCAN_COMPUTERS, args![after, page_rows(limit)], read)?
            }
            (None, None, Rows::Members(of)) => {
                self.all(&DEPLOYMENT_SCAN_MEMBERS, args![of, after, page_rows(limit)], read)?
            }
        };
        let here = |it: &&Scanned| filter.collection.is_none_or(|collection| it.collection == collection);
        let wanted = scanned.iter().filter(here).filter_map(|it| match filter.rows {
            // the deployment of a group stands for what follows from it
            Rows::People => Some(it.expanded_from.unwrap_or(it.id)),
            Rows::Computers => (!it.group).then_some(it.id),
            Rows::Members(of) => (it.expanded_from == Some(of.0)).then_some(it.id),
        });
        let found: BTreeSet<i32> = wanted.filter(|id| *id > after).collect();
        let found: Vec<i32> = found.into_iter().collect();
        let page = Page::cut(found, limit, i32::to_string);
        let items = page.items.into_iter().map(|id| self.deployment_required(DeploymentId(id)));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next })
    }
}
