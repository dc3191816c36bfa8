//! Content of a folder that no server uses, which may be in an object store.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Handle;
use uuid::Uuid;
use weir_store::{
    StoreError,
    content::{ContentStore, objects::Objects},
};

use super::BackupError;
use crate::{config::Settings, start::install_provider};

/// The object store of these settings, if content is in one. Nothing is asked of it yet. It is reached by the runtime that this is
/// called in.
pub(crate) fn objects(settings: &Settings) -> Result<Option<Arc<Objects>>, StoreError> {
    let Some(place) = &settings.objects else { return Ok(None) };
    let runtime = Handle::try_current().map_err(|_| StoreError::ObjectsRefused {
        place: place.address.text(),
        why: "is reached within a runtime, and there is none".to_owned(),
    })?;
    install_provider();
    Objects::open(place, runtime, Timestamp::now).map(|objects| Some(Arc::new(objects)))
}

/// What is done with an object store that is nobody's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unclaimed {
    /// It becomes that of the site.
    Take,
    /// It is refused.
    Refuse,
}

/// Opens the content of these settings, which belongs to `site`. The caller holds the lock of the data folder, and is on a thread
/// that may block.
pub(super) fn open(settings: &Settings, site: Option<Uuid>, unclaimed: Unclaimed) -> Result<ContentStore, BackupError> {
    let folder = ContentStore::open(&settings.content)?;
    let Some(objects) = objects(settings)? else { return Ok(folder) };
    // a database that no server has used has no site, and no files
    let site = site.unwrap_or_default().to_string();
    match unclaimed {
        Unclaimed::Take => objects.claim(&site)?,
        Unclaimed::Refuse => objects.recognise(&site)?,
    }
    Ok(folder.with_objects(objects))
}
