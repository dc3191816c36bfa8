//! What is to be synchronized.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_store::{ReadTx, StoreError, selection::SelectionKind};
use weir_wire::package::LANGUAGES;

use super::filter::{Chosen, Filter};
use crate::{
    admin::{
        App,
        setting::{self, Current},
    },
    sync::peer::{PeerError, Upstream},
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

/// Most steps from a product up to its company.
const DEPTH: usize = 8;

/// Each id that is a node with products below becomes these products; what is unknown stays as it is.
fn expanded(tx: &ReadTx<'_>, ids: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut tree: HashMap<UpdateId, (CategoryKind, Option<UpdateId>)> =
        tx.category_list("en")?.into_iter().map(|row| (row.id, (row.kind, row.parent))).collect();
    for head in tx.staged_categories()? {
        if let Some(kind) = head.category {
            tree.insert(head.identity.update_id, (kind, head.prerequisites.first().copied()));
        }
    }
    let is_product = |id: &UpdateId| tree.get(id).is_none_or(|(kind, _)| *kind == CategoryKind::Product);
    let mut products: BTreeSet<Uuid> = ids.iter().copied().filter(|id| is_product(&UpdateId(*id))).collect();
    for (id, (_, parent)) in tree.iter().filter(|(_, (kind, _))| *kind == CategoryKind::Product) {
        let mut next = *parent;
        for _ in 0..DEPTH {
            let Some(above) = next else { break };
            if ids.contains(&above.0) {
                products.insert(id.0);
                break;
            }
            next = tree.get(&above).and_then(|(_, parent)| *parent);
        }
    }
    Ok(products)
}
