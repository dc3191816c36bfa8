//! The lock of a data folder: one process at a time, server or offline command.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use crate::StoreError;

/// The exclusive lock of a data folder, released on drop or when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of a folder, creating the folder if absent.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(open)?;
        let path = folder.join("weir.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| StoreError::Open { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(folder.to_owned())),
            Err(TryLockError::Error(source)) => Err(StoreError::Open { path, source }),
        }
    }
}
