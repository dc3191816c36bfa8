//! What holds for a computer, and why.

use weir_api::{
    Reference,
    client_settings::{BeatenClientSetting, ResultantClientSetting, ResultantClientSettings},
};
use weir_model::{
    client_settings::{DEFAULT_SET, DEFAULT_SET_ID, Origin},
    ids::{CollectionId, ComputerId},
};
use weir_store::{ReadTx, StoreError};

use super::{json_of, warned};
use crate::{
    admin::{AdminError, App, collection::Tree, window_fit},
    client_settings::Table,
};

/// What holds for a computer.
pub(crate) async fn of_computer(app: &App, id: &str) -> Result<ResultantClientSettings, AdminError> {
    let id: ComputerId =
        id.trim().parse().map_err(|error| AdminError::invalid("computer", format!("{id:?}: {error}")))?;
    app.try_read(move |tx| {
        let row = tx.computer_find(&id)?.ok_or_else(|| AdminError::missing("computer", &id, "weir computers list"))?;
        Ok(resulting(tx, &tx.computer_collections(row.no)?)?)
    })
    .await
}

/// What holds for a computer that is in this collection alone.
pub(crate) async fn of_collection(app: &App, name: String) -> Result<ResultantClientSettings, AdminError> {
    app.try_read(move |tx| {
        let id = Tree::read(tx)?.find(&name)?.id;
        Ok(resulting(tx, &[id])?)
    })
    .await
}

fn resulting(tx: &ReadTx<'_>, groups: &[CollectionId]) -> Result<ResultantClientSettings, StoreError> {
    let (table, tree) = (Table::read(tx)?, Tree::read(tx)?);
    let (resultant, within) = (table.resultant(groups), table.within(groups));
    let shortest = window_fit::shortest(&tx.window_list()?, |id| within.contains(&id));
    let default = Reference { id: DEFAULT_SET_ID, name: DEFAULT_SET.to_owned() };
    let settings = resultant.iter().map(|one| {
        let (origin, set, priority, collections) = match &one.origin {
            Origin::BuiltIn => ("built_in", None, None, Vec::new()),
            Origin::DefaultSet => ("default_set", Some(default.clone()), None, Vec::new()),
            Origin::Custom { set, name, priority, collections } => (
                "custom_set",
                Some(Reference { id: *set, name: name.clone() }),
                Some(*priority),
                collections.iter().map(|id| tree.reference(*id)).collect(),
            ),
        };
        let beat = one.beat.iter().map(|beaten| BeatenClientSetting {
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
        collections: within.into_iter().map(|id| tree.reference(id)).collect(),
        settings: settings.collect(),
        warnings: warned(&resultant, shortest),
    })
}
