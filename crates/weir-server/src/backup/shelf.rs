//! The folder of backups: where one goes, which are there, which go.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use uuid::Uuid;
use weir_api::backup::Backup;
use weir_model::{
    backup::{is_name, surplus},
    report::file::Folder,
};

use super::{
    BackupError, Manifest,
    files::{self, failed},
};

/// The lock in a backup that is being written.
pub(super) const WRITING: &str = "writing";
/// The end of the names of folders that are being written.
const PARTIAL: &str = ".partial";
/// The end of the names of folders that are being removed.
const REMOVING: &str = ".removing";
/// Folders inside folders that are looked into, as a [`Folder`] may have.
const DEEPEST: usize = 5;
/// Backups that a list has at most: the newest.
const MOST: usize = 10_000;

/// Where a backup goes. The folder is made if it is not there; links do not lead out of the root.
pub(super) fn place(root: &Path, folder: &Folder) -> Result<PathBuf, BackupError> {
    let target = folder.parts().iter().fold(root.to_owned(), |path, part| path.join(part));
    files::create_folders(&target)?;
    let real = |path: &Path| path.canonicalize().map_err(failed("looking at", path));
    let (root, target) = (real(root)?, real(&target)?);
    if target.starts_with(&root) { Ok(target) } else { Err(BackupError::Folder { target, root }) }
}

/// Backups below a folder, newest first. What cannot be read is none.
pub fn list(root: &Path) -> Result<Vec<Backup>, BackupError> {
    let (mut found, mut open) = (Vec::new(), vec![(root.to_owned(), 0)]);
    while let Some((folder, depth)) = open.pop() {
        for (name, path) in files::entries(&folder)? {
            if name.starts_with('.') || !fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir()) {
                continue;
            }
            if is_name(&name) {
                if let Ok(manifest) = Manifest::read(&path) {
                    found.push(manifest.describe(&path));
                }
            } else if depth < DEEPEST {
                open.push((path, depth + 1));
            }
        }
    }
    found.sort_by(|a, b| (b.made_at, &b.path).cmp(&(a.made_at, &a.path)));
    found.truncate(MOST);
    Ok(found)
}

/// Removes what a process that is gone left half written or half removed in a folder.
pub(super) fn clear(folder: &Path) -> Result<(), BackupError> {
    for (name, path) in files::entries(folder)? {
        if is_left_over(&name, &path) {
            fs::remove_dir_all(&path).map_err(failed("removing", &path))?;
        }
    }
    Ok(())
}

/// Whether what is in a folder of backups was left half written or half removed by a process that is gone.
pub(crate) fn is_left_over(name: &str, path: &Path) -> bool {
    let Some(hidden) = name.strip_prefix('.') else { return false };
    let own = [PARTIAL, REMOVING].into_iter().any(|end| hidden.strip_suffix(end).is_some_and(is_name));
    own && !is_written(path)
}

/// Whether another process, or another part of this one, writes a backup right now.
fn is_written(partial: &Path) -> bool {
    let Ok(lock) = File::options().write(true).open(partial.join(WRITING)) else { return false };
    lock.try_lock().is_err()
}

/// Removes scheduled backups of a server in a folder beyond those that are kept. Answers their names.
pub(crate) fn thin_out(folder: &Path, server: Uuid, keep: u32) -> Result<Vec<String>, BackupError> {
    let mut own = Vec::new();
    for (name, path) in files::entries(folder)? {
        if !is_name(&name) {
            continue;
        }
        if let Ok(manifest) = Manifest::read(&path)
            && manifest.scheduled
            && manifest.server_id == Some(server)
        {
            own.push((manifest.made_at, name));
        }
    }
    let gone = surplus(own.iter().map(|(at, name)| (*at, name.as_str())), keep);
    for name in &gone {
        let (path, hidden) = (folder.join(name), folder.join(format!(".{name}{REMOVING}")));
        // one that is half removed is never taken for a backup
        fs::rename(&path, &hidden).map_err(failed("removing", &path))?;
        fs::remove_dir_all(&hidden).map_err(failed("removing", &path))?;
    }
    Ok(gone.into_iter().map(str::to_owned).collect())
}
