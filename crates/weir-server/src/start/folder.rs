//! Files of the data folder that only its owner may read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::StartError;
use crate::config::Settings;

/// Creates a folder that only its owner may enter (mode 0700), with those above it. One that exists keeps its mode,
/// unless others may write to it.
pub(crate) fn create(path: &Path) -> Result<(), StartError> {
    let failed = |action: &'static str| {
        let path = path.to_owned();
        move |source| StartError::File { action, path, source }
    };
    if path.is_dir() {
        return restrict(path).map_err(failed("restricting"));
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed("creating the folder above"))?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed("creating"))
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    // it holds keys and the administrator's token
    if mode & 0o077 != 0 { fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)) } else { Ok(()) }
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Refuses a folder that was a site's and has lost its database: a new one in its place would forget every decision, and
/// nobody would notice. Refuses one into which a restore was cut short, too.
pub(crate) fn whole(settings: &Settings) -> Result<(), StartError> {
    let data = &settings.data;
    if data.join(crate::backup::RESTORING).exists() {
        return Err(StartError::Restoring(data.to_owned()));
    }
    if settings.database.is_some() {
        // it is elsewhere
        return Ok(());
    }
    let size = |name: &str| fs::metadata(data.join(name)).map_or(0, |file| file.len());
    let empty = fs::metadata(data.join(weir_store::DATABASE)).is_ok_and(|file| file.len() == 0);
    // one that was ever opened has its first page, whatever its write-ahead log holds
    if !empty {
        return Ok(());
    }
    let traces = [weir_api::status::TOKEN_FILE, weir_api::status::CA_FILE];
    match traces.into_iter().find(|name| size(name) > 0) {
        Some(trace) => Err(StartError::Emptied { data: data.to_owned(), trace }),
        None => Ok(()),
    }
}

/// Writes a file at once: a reader sees the old content or the new, and only the owner may read it (mode 0600).
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), StartError> {
    let failed = |source: io::Error| StartError::File { action: "writing", path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".weir-").tempfile_in(folder).map_err(failed)?;
    io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // the name must survive a power cut as well as the bytes
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(())
}

/// Makes sure that only the owner may read a file (mode 0600), without writing it anew.
pub(crate) fn keep_private(path: &Path) -> Result<(), StartError> {
    private(path).map_err(|source| StartError::File { action: "restricting", path: path.to_owned(), source })
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o177 != 0 { fs::set_permissions(path, fs::Permissions::from_mode(0o600)) } else { Ok(()) }
}

#[cfg(not(unix))]
fn private(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// A file that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct RemovedOnDrop(pub(crate) PathBuf);

impl Drop for RemovedOnDrop {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(path = %self.0.display(), %error, "the file could not be removed");
            }
        }
    }
}
