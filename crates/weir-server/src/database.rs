//! The database of a site that no server of this process uses: a file of the data folder, or on a server of PostgreSQL.

use weir_store::{DATABASE, StoreError, backup::Inspection, database::Url};

use crate::{backup::BackupError, config::Settings};

/// Opens the database of these settings to look at it. It may be in use, and stays as it is.
pub(crate) fn look(settings: &Settings) -> Result<Inspection, BackupError> {
    let url = settings.database_url()?;
    Ok(Inspection::of(&settings.data, url.as_ref().map(Url::expose))?)
}

/// The same of one that a server has used: what is named wrongly is not taken for an empty site.
pub(crate) fn inspect(settings: &Settings) -> Result<Inspection, BackupError> {
    let inspection = look(settings)?;
    match &settings.database {
        Some(database) if inspection.schema_version()?.is_none() => {
            let why = "is none of Weir, or no server has used it yet: it has no history of its schema".to_owned();
            Err(StoreError::DatabaseRefused { place: database.place(), why }.into())
        }
        _ => Ok(inspection),
    }
}

/// Whether the data folder has a database; a server of PostgreSQL is asked by whoever opens it.
pub(crate) fn is_there(settings: &Settings) -> bool {
    settings.database.is_some() || settings.data.join(DATABASE).is_file()
}
