//! Moving a site from the database in its data folder to PostgreSQL, while no server runs.

use std::{path::Path, time::Instant};

use serde::Serialize;
use weir_api::backup::BackupFailure;
use weir_store::{
    DATABASE, Store, StoreError,
    transfer::{Moved, into_postgres},
};

pub use weir_store::transfer::{MovedTable, Phase, Progress, ReplacedText, Watch};

use crate::{
    admin::chain,
    backup::{BackupError, RESTORING},
    config::Settings,
};

/// Why a site was not moved. Nothing of it is where it should have gone, and it is where it was.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// Somebody stopped it.
    #[error("it was stopped, and nothing was changed")]
    Cancelled,
    /// Nobody said where to.
    #[error("no database is named that it should go to")]
    NoTarget,
    /// What keeps a backup from being made, too.
    #[error(transparent)]
    Refused(#[from] BackupError),
}

impl From<StoreError> for TransferError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Every code that [`TransferError::code`] gives, by name.
pub const CODES: [&str; 14] = [
    "data_in_use",
    "database_address",
    "database_busy",
    "database_damaged",
    "database_refused",
    "database_unreachable",
    "disk_full",
    "no_database",
    "no_target",
    "restore_unfinished",
    "settings",
    "transfer_cancelled",
    "transfer_failed",
    "transfer_unconfirmed",
];

impl TransferError {
    /// Stable, for programs; one of [`CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cancelled => "transfer_cancelled",
            Self::NoTarget => "no_target",
            Self::Refused(BackupError::Store(StoreError::Unconfirmed { .. })) => "transfer_unconfirmed",
            Self::Refused(BackupError::Config(_)) => "settings",
            Self::Refused(error) if CODES.contains(&error.code()) => error.code(),
            Self::Refused(_) => "transfer_failed",
        }
    }

    /// What to do.
    pub fn next_step(&self) -> Option<&'static str> {
        Some(match self.code() {
            "no_target" => {
                "say it with --to postgres://USER@HOST/NAME, or with database.url in the file that --config names"
            }
            "no_database" => "name the data folder with --from",
            "settings" => "correct weir.toml, or the file that it names",
            "database_damaged" => "weir doctor says more; nothing was changed",
            "transfer_cancelled" => "begin again with the same command",
            "transfer_unconfirmed" => {
                "give the same command again: if the database is refused for not being empty, all of it had arrived, and was compared before"
            }
            "transfer_failed" => return None,
            _ => match self {
                Self::Refused(error) => return error.next_step(),
                _ => return None,
            },
        })
    }

    /// The whole of it.
    pub fn failure(&self) -> BackupFailure {
        BackupFailure {
            code: self.code().to_owned(),
            message: chain(self),
            next_step: self.next_step().map(str::to_owned),
        }
    }
}

/// A site that was moved.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Transferred {
    /// Nothing was moved: it was looked whether all of it could be.
    pub dry_run: bool,
    /// What was copied, or would be.
    #[serde(flatten)]
    pub moved: Moved,
    /// Rows of all tables.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How long it took.
    pub seconds: u64,
    /// What to do now, one sentence each.
    pub next_steps: Vec<String>,
}

/// Copies all that the database in the data folder of these settings has into the database of PostgreSQL that they name, and compares
/// both; with `dry_run` it is looked alone. Blocks. The data folder stays as it is: it has keys, certificates and the token still.
pub fn transfer(settings: &Settings, dry_run: bool, watch: &mut Watch<'_>) -> Result<Transferred, TransferError> {
    let Some(target) = settings.database_url().map_err(BackupError::from)? else {
        return Err(TransferError::NoTarget);
    };
    let (data, begun) = (&settings.data, Instant::now());
    let file = data.join(DATABASE);
    if !std::fs::metadata(&file).is_ok_and(|file| file.is_file() && file.len() > 0) {
        return Err(BackupError::NoDatabase(data.clone()).into());
    }
    let _lock = Store::lock(data)?;
    if data.join(RESTORING).exists() {
        return Err(BackupError::Unfinished(data.clone()).into());
    }
    let moved = into_postgres(&file, target.expose(), dry_run, watch)?;
    let Some(moved) = moved else { return Err(TransferError::Cancelled) };
    let next_steps = if dry_run { Vec::new() } else { next_steps(&moved, data, &file) };
    Ok(Transferred {
        dry_run,
        rows: moved.rows(),
        bytes: moved.bytes(),
        seconds: begun.elapsed().as_secs(),
        next_steps,
        moved,
    })
}

fn next_steps(moved: &Moved, data: &Path, file: &Path) -> Vec<String> {
    vec![
        format!(
            "name the database in the process settings ([database] in weir.toml: url = \"{}\", and password_file), on every front end",
            moved.to
        ),
        format!("weir serve --data {}", data.display()),
        format!(
            "when all is well, put {} away, with what begins with its name: a server that is started without database.url would go on with \
             this old state",
            file.display()
        ),
        "weir backup create: what is in PostgreSQL is in no backup yet".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_in_order() {
        let mut sorted = CODES;
        sorted.sort_unstable();
        assert_eq!(sorted, CODES);
        let busy = StoreError::Busy { action: "testing" };
        let refused = StoreError::DatabaseRefused { place: "postgres://h/weir".to_owned(), why: "is full".to_owned() };
        let broke = StoreError::Unconfirmed { place: "postgres://h/weir".to_owned(), source: "it broke".into() };
        for error in [
            TransferError::Cancelled,
            TransferError::NoTarget,
            BackupError::NoDatabase("x".into()).into(),
            busy.into(),
            refused.into(),
            broke.into(),
        ] {
            assert!(CODES.contains(&error.code()) && error.next_step().is_some(), "{error}");
        }
        let other: TransferError = BackupError::Interrupted.into();
        assert_eq!(other.code(), "transfer_failed");
    }
}
