//! The database of a restored site, if it goes to a server of PostgreSQL.
//!
//! There it appears in one transaction, which no rename of a folder can be a part of. So the note in the data folder says before that it is
//! on its way: what is found in the server's database afterwards, of the site of the backup, is what a restore that was cut short has
//! brought there, since it was empty when the note was written.

use std::{fs, ops::ControlFlow, path::Path};

use uuid::Uuid;
use weir_api::backup::BackupPhase;
use weir_store::{
    DATABASE, StoreError,
    backup::Inspection,
    database::Url,
    transfer::{bring_up_to_date, has_data, into_postgres},
};

use super::{
    BackupError, Manifest, Watch,
    files::failed,
    marker::{Marker, RESTORING, STAGE, Step, write_marker},
    tell,
};
use crate::config::Settings;

/// Refuses a database of PostgreSQL that has anything: nothing there is replaced, or kept aside.
pub(super) fn refuse_data(settings: &Settings) -> Result<(), BackupError> {
    match settings.database_url()? {
        Some(url) if has_data(url.expose())? => Err(full(&url)),
        _ => Ok(()),
    }
}

fn full(url: &Url) -> BackupError {
    let why = "is not empty, and a restore replaces nothing there; name one that was made for it (database.url); nothing was changed";
    StoreError::DatabaseRefused { place: url.place(), why: why.to_owned() }.into()
}

/// Brings the prepared database to its server, if that is what comes next, and says what does then.
pub(super) fn settle(settings: &Settings, mut marker: Marker, watch: &mut Watch<'_>) -> Result<Marker, BackupError> {
    if marker.step != Step::Database {
        return Ok(marker);
    }
    let data = &settings.data;
    let file = data.join(STAGE).join(DATABASE);
    if let Some(url) = settings.database_url()? {
        let site = Manifest::read(Path::new(&marker.backup))?.server_id;
        let note = data.join(RESTORING);
        let begins = !note.exists();
        write_marker(data, &marker)?;
        if let Err(error) = fill(&file, &url, site, watch) {
            let unknown = matches!(error, BackupError::Store(StoreError::Unconfirmed { .. }));
            if begins && !unknown {
                // nothing of it is there
                fs::remove_file(&note).map_err(failed("removing", &note))?;
            }
            return Err(error);
        }
        if file.exists() {
            fs::remove_file(&file).map_err(failed("removing", &file))?;
        }
    }
    // without a server the file becomes the database: the settings were changed since it was begun
    marker.step = Step::Aside;
    Ok(marker)
}

/// Fills the database on the server, unless a restore that was cut short has done so.
fn fill(file: &Path, url: &Url, site: Option<Uuid>, watch: &mut Watch<'_>) -> Result<(), BackupError> {
    if has_data(url.expose())? {
        let there = Inspection::of(Path::new(""), Some(url.expose()))?.read(|tx| tx.site())?;
        return if there.map(|there| there.server_id) == site { Ok(()) } else { Err(full(url)) };
    }
    bring_up_to_date(file)?;
    let moved = into_postgres(file, url.expose(), false, &mut |told| match tell(
        watch,
        BackupPhase::Database,
        told.bytes,
        told.bytes_total,
    ) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    })?;
    let Some(moved) = moved else { return Err(BackupError::Cancelled) };
    for text in moved.replaced {
        tracing::warn!(
            table = text.table,
            column = text.column,
            rows = text.rows,
            "texts have U+FFFD now where they had U+0000, which PostgreSQL cannot keep"
        );
    }
    Ok(())
}
