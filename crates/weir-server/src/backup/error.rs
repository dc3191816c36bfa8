use std::{io, path::PathBuf};

use weir_api::backup::BackupFailure;
use weir_store::StoreError;

use crate::{admin::chain, config::ConfigError};

/// Why there is no backup, why one is not sound, or why it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file of a backup is not what the manifest says.
    #[error("the backup was altered: {} {what}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// In words.
        what: String,
    },
    /// Somebody stopped it.
    #[error("it was stopped, and what it had written was removed")]
    Cancelled,
    /// The process settings of the folder cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database is damaged.
    #[error("the database in {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        what: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{action} {} failed", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The folder for backups leads out of what the process settings allow.
    #[error("{} leads out of {}", target.display(), root.display())]
    Folder {
        /// Where it leads.
        target: PathBuf,
        /// What is allowed.
        root: PathBuf,
    },
    /// The process that made it is gone.
    #[error("the server ended while it was made")]
    Interrupted,
    /// There is no backup.
    #[error("{} is no backup: {why}", path.display())]
    Manifest {
        /// The folder or its manifest.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// It was made by a newer program.
    #[error(
        "the backup was made by Weir {version}, and its database has version {backup}; this program knows no more than {known}"
    )]
    Newer {
        /// The program.
        version: String,
        /// Version of the schema in the backup.
        backup: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// There is something where the backup is to be restored to.
    #[error("{} is not empty: {what} is there; nothing was changed", data.display())]
    NotEmpty {
        /// The data folder.
        data: PathBuf,
        /// The first thing that is there.
        what: String,
    },
    /// There is no room.
    #[error("{} has {free} bytes left, and {need} are needed; nothing was written", path.display())]
    Room {
        /// The folder.
        path: PathBuf,
        /// Bytes left.
        free: u64,
        /// Bytes needed.
        need: u64,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to make a backup of.
    #[error("{} holds no database", .0.display())]
    NoDatabase(PathBuf),
    /// A restore into the folder was cut short.
    #[error("a restore into {} was not finished", .0.display())]
    Unfinished(PathBuf),
}

/// Every code that [`BackupError::code`] gives, by name.
pub const CODES: [&str; 21] = [
    "backup_altered",
    "backup_cancelled",
    "backup_failed",
    "backup_file",
    "backup_folder",
    "backup_interrupted",
    "backup_newer",
    "backup_no_room",
    "backup_settings",
    "data_in_use",
    "database_address",
    "database_busy",
    "database_damaged",
    "database_refused",
    "database_unreachable",
    "disk_full",
    "no_backup",
    "no_database",
    "not_empty",
    "object_store",
    "restore_unfinished",
];

impl BackupError {
    /// Stable, for programs; one of [`CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Altered { .. } => "backup_altered",
            Self::Cancelled => "backup_cancelled",
            Self::Config(_) => "backup_settings",
            Self::Damaged { .. } | Self::Store(StoreError::Corrupt { .. }) => "database_damaged",
            Self::File { source, .. } if is_full(source) => "disk_full",
            Self::File { .. } => "backup_file",
            Self::Folder { .. } => "backup_folder",
            Self::Interrupted => "backup_interrupted",
            Self::Manifest { .. } => "no_backup",
            Self::Newer { .. } => "backup_newer",
            Self::NoDatabase(_) => "no_database",
            Self::NotEmpty { .. } => "not_empty",
            Self::Room { .. } => "backup_no_room",
            Self::Store(StoreError::Busy { .. }) => "database_busy",
            Self::Store(StoreError::DatabaseAddress { .. }) => "database_address",
            Self::Store(StoreError::DatabaseRefused { .. }) => "database_refused",
            Self::Store(StoreError::Unconfirmed { .. } | StoreError::Unreachable { .. }) => "database_unreachable",
            Self::Store(StoreError::DiskFull { .. }) => "disk_full",
            Self::Store(StoreError::Locked(_)) => "data_in_use",
            Self::Store(error) if error.is_outage() => "object_store",
            Self::Store(_) => "backup_failed",
            Self::Unfinished(_) => "restore_unfinished",
        }
    }

    /// What to do.
    pub fn next_step(&self) -> Option<&'static str> {
        Some(match self.code() {
            "backup_altered" => "use another backup; look after the disk that holds this one",
            "backup_cancelled" | "backup_interrupted" => "begin again: weir backup create",
            "backup_file" => "see that the server's user may read and write there, and what the disk says",
            "backup_folder" => "take the link away, or set backup.folder in weir.toml to where it leads",
            "backup_newer" => "restore it with that version of Weir, or a later one",
            "backup_no_room" | "disk_full" => "make room, or name a folder on another disk: backup.folder in weir.toml",
            "backup_settings" => "correct weir.toml",
            "data_in_use" => "stop the server first",
            "database_address" => "correct the address: --database, or database.url in weir.toml",
            "database_busy" => "try again",
            "database_damaged" => "weir doctor says more; restore the last sound backup: weir restore FOLDER",
            "database_refused" => {
                "name another database, or do what the message says; docs/postgresql.md says how one is made"
            }
            "database_unreachable" => {
                "see that the database's server runs and lets this machine in, with this user and password; then give the same command again"
            }
            "no_backup" => "name the folder of a backup; weir backup list shows those of a server",
            "no_database" => "name the data folder with --data",
            "not_empty" => "name an empty folder, or keep what is there aside: --replace",
            "object_store" => {
                "see that the object store answers, and is the right one, with the credentials that the process settings name; then begin again"
            }
            "restore_unfinished" => "give the same command again: it goes on where it was",
            _ => return None,
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

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_in_order() {
        let mut sorted = CODES;
        sorted.sort_unstable();
        assert_eq!(sorted, CODES);
        assert!(sorted.windows(2).all(|two| two[0] != two[1]));
        let full = BackupError::File {
            action: "writing",
            path: PathBuf::from("weir.db"),
            source: io::Error::from(io::ErrorKind::StorageFull),
        };
        assert_eq!(full.code(), "disk_full");
        assert!(full.failure().message.contains("writing weir.db failed"));
        let away = StoreError::ObjectsRefused { place: "s3://weir".to_owned(), why: "does not answer".to_owned() };
        let away = BackupError::Store(away);
        assert_eq!(away.code(), "object_store");
        for error in [full, away, BackupError::Cancelled, BackupError::NoDatabase("x".into())] {
            assert!(CODES.contains(&error.code()) && error.next_step().is_some(), "{error}");
        }
    }
}
