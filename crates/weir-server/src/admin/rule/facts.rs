//! What rules look at: the index of updates, and the names of categories and of update groups.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;
use weir_model::{
    deployment::UPGRADES,
    expression::{Names, updates::Field},
    ids::{RevisionId, UpdateId},
    search::{Entry, Known},
    update::{CategoryKind, UpdateType},
};
use weir_store::{ReadTx, StoreError, list::CategoryRow};

use crate::admin::index::{Counted, Index};

/// Levels of the product tree; the bound only guards against damaged data.
const DEEPEST: usize = 8;

/// The product tree, the classifications and the update groups.
pub(crate) struct Categories {
    rows: HashMap<UpdateId, CategoryRow>,
    by_name: HashMap<String, Vec<UpdateId>>,
    groups: HashMap<Uuid, String>,
    groups_by_name: HashMap<String, Uuid>,
}

impl Categories {
    pub(crate) fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let mut by_name: HashMap<String, Vec<UpdateId>> = HashMap::new();
        let rows = tx.category_list("en")?;
        for row in &rows {
            by_name.entry(row.title.to_lowercase()).or_default().push(row.id);
        }
        let (mut groups, mut groups_by_name) = (HashMap::new(), HashMap::new());
        for row in tx.update_group_list()? {
            groups_by_name.insert(row.name.to_lowercase(), row.id);
            groups.insert(row.id, row.name);
        }
        let rows = rows.into_iter().map(|row| (row.id, row)).collect();
        Ok(Self { rows, by_name, groups, groups_by_name })
    }

    /// A category and those above it.
    fn path(&self, id: UpdateId) -> impl Iterator<Item = UpdateId> {
        std::iter::successors(Some(id), |id| self.rows.get(id)?.parent).take(DEEPEST)
    }

    fn fits(&self, field: Field, id: UpdateId) -> bool {
        match (field, self.rows.get(&id).map(|row| row.kind)) {
            (Field::Classification, kind) => kind == Some(CategoryKind::UpdateClassification),
            (Field::Vendor, kind) => kind == Some(CategoryKind::Company),
            (_, Some(CategoryKind::Product | CategoryKind::ProductFamily)) => true,
            // of what is not here nobody can say what it is
            (_, kind) => kind.is_none(),
        }
    }
}

impl Names<Field> for Categories {
    fn ids(&self, field: Field, folded: &str) -> Vec<Uuid> {
        if matches!(field, Field::Group) {
            return self.groups_by_name.get(folded).copied().into_iter().collect();
        }
        let named = self.by_name.get(folded).into_iter().flatten().copied();
        let found: Vec<UpdateId> = named.filter(|id| self.fits(field, *id)).collect();
        // a family and its product may have one title: the family stands for both
        let top = found.iter().find(|top| found.iter().all(|id| self.path(*id).any(|above| above == **top)));
        match top {
            Some(top) => vec![top.0],
            None => found.into_iter().map(|id| id.0).collect(),
        }
    }

    fn name(&self, field: Field, id: Uuid) -> Option<String> {
        if matches!(field, Field::Group) {
            return self.groups.get(&id).cloned();
        }
        self.rows.get(&UpdateId(id)).filter(|row| self.fits(field, row.id)).map(|row| row.title.clone())
    }

    fn all(&self, field: Field) -> Vec<String> {
        if matches!(field, Field::Group) {
            return self.groups.values().cloned().collect();
        }
        self.rows.values().filter(|row| self.fits(field, row.id)).map(|row| row.title.clone()).collect()
    }

    fn knows(&self, field: Field) -> bool {
        matches!(field, Field::Classification | Field::Group | Field::Product | Field::Vendor)
    }
}

/// Everything that one evaluation looks at.
pub(crate) struct Catalogue {
    index: Arc<Index>,
    categories: Categories,
    counted: Option<Arc<Counted>>,
}

impl Catalogue {
    /// `counted` is what computers say, if criteria ask for it.
    pub(crate) fn read(tx: &ReadTx<'_>, index: Arc<Index>, counted: Option<Arc<Counted>>) -> Result<Self, StoreError> {
        Ok(Self { index, categories: Categories::read(tx)?, counted })
    }

    pub(crate) fn categories(&self) -> &Categories {
        &self.categories
    }

    /// What rules look at: software and drivers that can be deployed by themselves.
    pub(crate) fn updates(&self) -> impl Iterator<Item = Update<'_>> {
        let search = &self.index.search;
        search.slots().filter_map(|slot| {
            let entry = search.entry(slot)?;
            let is_one = matches!(entry.update_type, UpdateType::Software | UpdateType::Driver);
            if !is_one || !entry.explicitly_deployable {
                return None;
            }
            let counts = self.counted.as_ref().map(|counted| counted.compared(entry.identity.update_id));
            Some(Update { entry, declined: search.state(slot)?.flags.declined, facts: search.facts(slot, counts)? })
        })
    }
}

/// One update.
#[derive(Clone, Copy)]
pub(crate) struct Update<'c> {
    entry: &'c Entry,
    declined: bool,
    /// What criteria ask of it.
    pub(crate) facts: Known<'c>,
}

impl Update<'_> {
    pub(crate) fn id(&self) -> UpdateId {
        self.entry.identity.update_id
    }

    pub(crate) fn revision_id(&self) -> RevisionId {
        self.entry.revision_id
    }

    pub(crate) fn title(&self) -> &str {
        &self.entry.title
    }

    /// Why it cannot be deployed whatever criteria say.
    pub(crate) fn barred(&self) -> Option<&'static str> {
        if self.declined {
            return Some("it is declined");
        }
        if self.entry.expired {
            return Some("it is expired: its publisher withdrew it");
        }
        if self.entry.categories.contains(&UPGRADES) {
            return Some("it is a feature update, which no group takes");
        }
        None
    }
}
