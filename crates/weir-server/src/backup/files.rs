//! Copying and comparing files. What is written here is for its owner alone.

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use weir_model::ids::Sha256Digest;
use weir_store::StoreError;

use super::BackupError;

/// Bytes read at once, and between two chances to stop.
const PIECE: usize = 256 << 10;

/// Gives the error of an action on a file.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::File { action, path, source }
}

/// Size and SHA-256 of what was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sum {
    /// Bytes.
    pub(crate) size: u64,
    /// Digest.
    pub(crate) sha256: Sha256Digest,
}

/// Reads a file to its end. `step` is told how many bytes came; its error ends it.
pub(super) fn read(
    path: &Path,
    step: &mut dyn FnMut(u64) -> Result<(), BackupError>,
    each: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<Sum, BackupError> {
    let mut file = crate::file::open(path).map_err(failed("reading", path))?;
    read_from(&mut file, path, step, each)
}

/// [`read`] for what is open already, which may be in an object store: where that does not do what it is asked, the error says so.
/// `path` is what it is called.
fn read_from(
    source: &mut dyn Read,
    path: &Path,
    step: &mut dyn FnMut(u64) -> Result<(), BackupError>,
    mut each: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<Sum, BackupError> {
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => return Ok(Sum { size, sha256: Sha256Digest(hash.finalize().into()) }),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(match error.downcast::<StoreError>() {
                    Ok(error) => BackupError::Store(error),
                    Err(error) => failed("reading", path)(error),
                });
            }
        };
        let bytes = piece.get(..count).unwrap_or_default();
        hash.update(bytes);
        each(bytes)?;
        size += count as u64;
        step(count as u64)?;
    }
}

/// Size and SHA-256 of a file.
pub(crate) fn sum(path: &Path, step: &mut dyn FnMut(u64) -> Result<(), BackupError>) -> Result<Sum, BackupError> {
    read(path, step, |_| Ok(()))
}

/// Creates a file that is not there, mode 0600.
pub(super) fn create(path: &Path) -> Result<File, BackupError> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed("writing", path))
}

/// Copies a file to where there is none, durable when this returns.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    step: &mut dyn FnMut(u64) -> Result<(), BackupError>,
) -> Result<Sum, BackupError> {
    let mut source = crate::file::open(from).map_err(failed("reading", from))?;
    copy_from(&mut source, from, to, step)
}

/// [`copy`] of what is open already; `from` is what it is called.
pub(super) fn copy_from(
    source: &mut dyn Read,
    from: &Path,
    to: &Path,
    step: &mut dyn FnMut(u64) -> Result<(), BackupError>,
) -> Result<Sum, BackupError> {
    let mut file = create(to)?;
    let sum = read_from(source, from, step, |bytes| file.write_all(bytes).map_err(failed("writing", to)))?;
    file.sync_all().map_err(failed("writing", to))?;
    Ok(sum)
}

/// Writes a file that is not there, durable when this returns.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Sum, BackupError> {
    let mut file = create(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("writing", path))?;
    Ok(Sum { size: bytes.len() as u64, sha256: Sha256Digest(Sha256::digest(bytes).into()) })
}

/// Creates a folder that is not there, mode 0700.
pub(super) fn create_folder(path: &Path) -> Result<(), BackupError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed("creating", path))
}

/// Creates a folder and those above it that are not there, mode 0700.
pub(super) fn create_folders(path: &Path) -> Result<(), BackupError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed("creating", path))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    // Windows makes names durable with their files and cannot open folders as files
    #[cfg(unix)]
    File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("making durable", path))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// What lies in a folder, by name; nothing if there is no such folder.
pub(super) fn entries(path: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let listed = match fs::read_dir(path) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("listing", path)(error)),
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry.map_err(failed("listing", path))?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether a path is a regular file, and no link to one.
pub(super) fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as it was told to.
    struct Failing(Option<io::Error>);

    impl Read for Failing {
        fn read(&mut self, _space: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), Err)
        }
    }

    #[test]
    fn a_store_that_does_not_answer_is_told_from_a_file_that_cannot_be_read() {
        let read = |error| {
            read_from(&mut Failing(Some(error)), Path::new("x"), &mut |_| Ok(()), |_| Ok(()))
                .expect_err("it fails")
                .code()
        };
        let away = StoreError::ObjectsRefused { place: "s3://weir".to_owned(), why: "does not answer".to_owned() };
        assert_eq!(read(io::Error::other(away)), "object_store");
        assert_eq!(read(io::Error::from(io::ErrorKind::NotFound)), "backup_file");
        let again =
            read_from(&mut Failing(Some(io::ErrorKind::Interrupted.into())), Path::new("x"), &mut |_| Ok(()), |_| {
                Ok(())
            });
        assert_eq!(again.expect("read").size, 0);
    }
}
