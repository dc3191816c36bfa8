//! Backups: one folder with all that a server needs to be itself again on another machine.
//!
//! A backup holds the database as it was at one moment, the authority with its key, the administrator's token, the process settings,
//! and the list of content, with or without the files. Its manifest names every file with size and SHA-256. It grows under a hidden
//! name and appears under its own only when it is whole and durable; nothing is ever overwritten.
//!
//! [`make()`] works on a folder whose server runs and on one whose server does not: the copy of the database is made by the
//! engine, page by page, of a view that is held, so that writers wait for nothing. [`restore()`] and [`verify()`]
//! need no server.
//!
//! The database in a backup is a file of the embedded engine, whatever engine it was copied from, and it is restored to the one that the
//! process settings name ([`weir_store::transfer`]).
//!
//! *Invariant:* whatever is copied out of a folder is compared with its digest before anything relies on it.

mod content;
mod error;
mod files;
mod make;
mod manifest;
mod marker;
mod restore;
mod server;
mod shelf;
mod take_over;
mod verify;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_server;

use std::{ops::ControlFlow, path::PathBuf};

use jiff::Timestamp;
use weir_api::backup::{Backup, BackupPhase, BackupProgress};
use weir_model::report::file::Folder;
use weir_store::{Store, content::ContentStore, database::Url};

pub use error::{BackupError, CODES};
pub use make::{Order, make};
pub use manifest::{Entry, Manifest};
pub use marker::RESTORING;
pub use restore::{Restored, restore};
pub use shelf::list;
pub use take_over::{BroughtBack, brought_back};
pub use verify::{Verified, verify};

pub(crate) use content::objects;
pub(crate) use files::sum;
pub(crate) use shelf::{is_left_over, thin_out};
pub(crate) use take_over::{KIND as RESTORE, take_over};

use crate::{
    admin::setting::{BACKUP_CONTENT, BACKUP_FOLDER, Current},
    config::{Database, Settings},
    database,
};

/// Is told how far the work is; breaking off ends it, and what was written goes.
pub type Watch<'w> = dyn FnMut(BackupProgress) -> ControlFlow<()> + 'w;

/// What a backup is made of.
#[derive(Clone, Debug)]
pub struct Source {
    /// The data folder.
    pub data: PathBuf,
    /// The database, if it is on a server of PostgreSQL and not in the folder.
    pub database: Option<Database>,
    /// The content, in a folder or an object store; none if no files of it are wanted.
    pub content: Option<ContentStore>,
    /// The process settings, whether the file is there or not.
    pub settings: PathBuf,
    /// Further files that the process settings name. They are not copied, and named in the manifest.
    pub elsewhere: Vec<PathBuf>,
}

impl Source {
    /// What these settings say, with this content.
    pub fn new(settings: &Settings, content: Option<ContentStore>) -> Self {
        Self {
            data: settings.data.clone(),
            database: settings.database.clone(),
            content,
            settings: settings.file.clone(),
            elsewhere: named_files(settings),
        }
    }

    /// The whole address of the database, if it is not in the folder.
    fn url(&self) -> Result<Option<Url>, BackupError> {
        Ok(self.database.as_ref().map(Database::address).transpose()?)
    }
}

/// Files that process settings name, certificates and credentials among them.
fn named_files(settings: &Settings) -> Vec<PathBuf> {
    let pairs = [&settings.tls, &settings.tls_admin].into_iter().flatten();
    let mut named: Vec<PathBuf> = pairs.flat_map(|files| [files.certificate.clone(), files.key.clone()]).collect();
    named.extend(settings.database.as_ref().and_then(|database| database.password_file.clone()));
    named.extend(settings.client_ca.clone());
    if let Some(oidc) = &settings.oidc {
        named.extend([oidc.client_secret_file.clone(), oidc.ca.clone()].into_iter().flatten());
    }
    if let Some(place) = &settings.objects {
        named.extend([place.credentials.clone(), place.authorities.clone()].into_iter().flatten());
    }
    named.extend(settings.self_update.clone());
    named
}

/// Makes a backup of a data folder that no server uses; where and what as the site's settings say, unless it is given. Blocks.
///
/// The database is not brought up to date: a backup before an upgrade is of the version before. With files of an object store it is to
/// be called within a runtime, on a thread that may block.
pub fn make_here(
    settings: &Settings,
    folder: Option<&Folder>,
    content: Option<bool>,
    now: Timestamp,
    watch: &mut Watch<'_>,
) -> Result<Backup, BackupError> {
    if !database::is_there(settings) {
        return Err(BackupError::NoDatabase(settings.data.clone()));
    }
    let _lock = Store::lock(&settings.data)?;
    if settings.data.join(RESTORING).exists() {
        return Err(BackupError::Unfinished(settings.data.clone()));
    }
    let (current, site) = database::inspect(settings)?.read(|tx| Ok((Current::read(tx)?, tx.site()?)))?;
    let order = Order {
        root: settings.backups.clone(),
        folder: folder.cloned().unwrap_or_else(|| current.text(BACKUP_FOLDER).parse().unwrap_or_default()),
        content: content.unwrap_or_else(|| current.flag(BACKUP_CONTENT)),
        asked_by: "command line".to_owned(),
        scheduled: false,
    };
    let site = site.map(|site| site.server_id);
    let files = order.content.then(|| content::open(settings, site, content::Unclaimed::Refuse)).transpose()?;
    make(&Source::new(settings, files), &order, now, watch)
}

/// Tells how far a phase is.
fn tell(watch: &mut Watch<'_>, phase: BackupPhase, bytes: u64, bytes_total: u64) -> Result<(), BackupError> {
    match watch(BackupProgress { phase, bytes, bytes_total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(BackupError::Cancelled),
    }
}
