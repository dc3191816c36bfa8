//! What holds for a computer, and why.

use std::collections::HashSet;

use weir_api::{
    Reference,
    client_settings::{BeatenClientSetting, ResultantClientSetting, ResultantClientSettings},
};
use weir_model::{
    client_settings::{DEFAULT_SET, DEFAULT_SET_ID, Origin},
    ids::{CollectionId, ComputerId},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError};

use super::{json_of, warned};
use crate::{
    admin::{AdminError, App, collection::Tree, window_fit},
    client_settings::Table,
};

/// What holds for a computer.
pub(crate) async fn of_computer(app: &App, scope: Scope, id: &str) -> Result<ResultantClientSettings, AdminError> {
    let id: ComputerId =
        id.trim().parse().map_err(|error| AdminError::invalid("computer", format!("{id:?}: {error}")))?;
    app.try_read(move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
        let groups = tx.computer_collections(row.no)?;
        let tree = Tree::within(tx, &scope)?;
        tree.check_computer(&id, &groups)?;
        Ok(resulting(tx, &tree, &groups)?)
    })
    .await
}

/// What holds for a computer that is in this collection alone.
pub(crate) async fn of_collection(
    app: &App,
    scope: Scope,
    name: String,
) -> Result<ResultantClientSettings, AdminError> {
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let id = tree.find(&name)?.id;
        Ok(resulting(tx, &tree, &[id])?)
    })
    .await
}

/// What holds for a computer in these collections. Collections that may not be named to the principal of the tree count and are left
/// out, and so are the sets that come by them alone.
fn resulting(tx: &ReadTx<'_>, tree: &Tree, groups: &[CollectionId]) -> Result<ResultantClientSettings, StoreError> {
    let table = Table::read(tx)?;
    let named = |ids: &mut dyn Iterator<Item = CollectionId>| -> Vec<Reference> {
        ids.filter(|id| tree.may_name(*id)).map(|id| tree.reference(id)).collect()
    };
    let (resultant, within) = (table.resultant(groups), table.within(groups));
    let mut reaching: HashSet<String> = HashSet::from([DEFAULT_SET.to_owned()]);
    for row in tx.client_settings_list()? {
        if row.set.collections.iter().any(|id| within.contains(id) && tree.may_name(*id)) {
            reaching.insert(row.set.name);
        }
    }
    let shortest = window_fit::shortest(&tx.window_list()?, |id| within.contains(&id));
    let default = Reference { id: DEFAULT_SET_ID, name: DEFAULT_SET.to_owned() };
    let settings = resultant.iter().map(|one| {
        let (origin, set, priority, collections) = match &one.origin {
            Origin::BuiltIn => ("built_in", None, None, Vec::new()),
            Origin::DefaultSet => ("default_set", Some(default.clone()), None, Vec::new()),
            Origin::Custom { set, name, priority, collections } => (
                "custom_set",
                Some(Reference { id: *set, name: name.clone() }).filter(|set| reaching.contains(&set.name)),
                Some(*priority),
                named(&mut collections.iter().copied()),
            ),
        };
        let beaten = one.beat.iter().filter(|beaten| reaching.contains(&beaten.set));
        let beat = beaten.map(|beaten| BeatenClientSetting {
            set: beaten.set.clone(),
            priority: beaten.priority,
            value: json_of(&beaten.value),
        });
        ResultantClientSetting {
            key: one.definition.key.to_owned(),
            value: json_of(&one.value),
            origin: origin.to_owned(),
            set,
            priority,
            collections,
            beat: beat.collect(),
        }
    });
    Ok(ResultantClientSettings {
        collections: named(&mut within.into_iter()),
        settings: settings.collect(),
        warnings: warned(&resultant, shortest),
    })
}
