//! What is to be synchronized.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_model::{
    criteria::{Branch, expand},
    ids::UpdateId,
};
use weir_store::{ReadTx, StoreError, selection::SelectionKind};
use weir_wire::package::LANGUAGES;

use super::{
    Wanted,
    filter::{Chosen, Filter},
};
use crate::{
    admin::{
        App,
        setting::{self, Current},
    },
    sync::{
        criteria,
        peer::{PeerError, Upstream},
    },
};

/// What is to be synchronized, and from where.
#[derive(Clone, Debug)]
pub struct Order {
    /// From where; none: nothing is synchronized.
    pub upstream: Option<Upstream>,
    /// Products, families and companies that are chosen. Families and companies mean their known products.
    pub products: BTreeSet<Uuid>,
    /// Classifications that are chosen.
    pub classifications: BTreeSet<Uuid>,
    /// LCIDs of the languages that are chosen; empty is all.
    pub languages: BTreeSet<u32>,
    /// Calls at once, at least 1.
    pub connections: usize,
    /// Bytes of answers that are in memory at once, about.
    pub memory: usize,
    /// Forget the anchors and ask for everything; what is stored is not fetched again.
    pub full: bool,
    /// Fetch these and nothing else; empty: everything that is chosen.
    pub named: Vec<Wanted>,
}

impl Order {
    /// From the settings, the selection, and the parent if this server is enrolled.
    pub async fn load(app: &App) -> Result<Self, PeerError> {
        let upstream = Upstream::load(app).await?;
        let order = app.read(move |tx| {
            let current = Current::read(tx)?;
            Ok(Self {
                upstream,
                products: guids(tx, SelectionKind::Products)?,
                classifications: guids(tx, SelectionKind::Classifications)?,
                languages: languages(tx)?,
                connections: current.number(setting::SYNC_CONNECTIONS) as usize,
                memory: (current.number(setting::SYNC_MEMORY) as usize) << 20,
                full: false,
                named: Vec::new(),
            })
        });
        Ok(order.await?)
    }

    /// The filter of the list of updates. Families and companies become the products below them that are stored or staged.
    pub(super) fn filter(&self, tx: &ReadTx<'_>, replica: bool) -> Result<Filter, StoreError> {
        let chosen = if replica {
            // a replica takes whatever its parent has (dossier, section 13)
            None
        } else {
            let products = expanded(tx, &self.products)?;
            Some(Chosen { products, classifications: self.classifications.clone() })
        };
        Ok(Filter { chosen, languages: self.languages.clone() })
    }
}

fn guids(tx: &ReadTx<'_>, kind: SelectionKind) -> Result<BTreeSet<Uuid>, StoreError> {
    Ok(tx.selection_list(kind)?.iter().filter_map(|text| Uuid::try_parse(text).ok()).collect())
}

fn languages(tx: &ReadTx<'_>) -> Result<BTreeSet<u32>, StoreError> {
    let chosen = tx.selection_list(SelectionKind::Languages)?;
    let lcid = |name: &String| LANGUAGES.iter().find(|(_, short, _)| short == name).map(|(lcid, ..)| *lcid);
    Ok(chosen.iter().filter_map(lcid).filter(|lcid| *lcid != 0).collect())
}

/// The products that these products, families and companies stand for now, with what is staged and not stored yet.
fn expanded(tx: &ReadTx<'_>, ids: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut tree: BTreeMap<UpdateId, Branch> =
        criteria::tree(tx)?.into_iter().map(|branch| (branch.id, branch)).collect();
    for head in tx.staged_categories()? {
        if let Some(kind) = head.category {
            let id = head.identity.update_id;
            tree.insert(id, Branch { id, kind, parent: head.prerequisites.first().copied() });
        }
    }
    let tree: Vec<Branch> = tree.into_values().collect();
    let chosen = ids.iter().copied().map(UpdateId).collect();
    Ok(expand(&chosen, &tree).into_iter().map(|id| id.0).collect())
}
