//! Files that an administrator names: read within bounds, and never a device or a pipe, which may give bytes for ever or none
//! at all.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// Bytes of a file with settings, certificates or a key.
pub const SMALL: u64 = 1 << 20;

/// Reads a small file, of at most [`SMALL`] bytes.
///
/// # Errors
///
/// It cannot be read, is no regular file, or is larger.
pub fn small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(SMALL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SMALL {
        return Err(io::Error::other(format!("it has more than {SMALL} bytes")));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
///
/// As [`small`], or it is not UTF-8.
pub fn small_text(path: &Path) -> io::Result<String> {
    String::from_utf8(small(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Opens a regular file for reading.
///
/// # Errors
///
/// It cannot be opened, or is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    // before it is opened: opening a pipe waits for whoever writes to it
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_folders_and_large_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = folder.path().join("large");
        std::fs::write(&large, vec![b'x'; SMALL as usize + 1]).expect("a file");
        assert!(small(&large).expect_err("too large").to_string().contains("more than 1048576 bytes"));
        std::fs::write(&large, vec![b'x'; SMALL as usize]).expect("a file");
        assert_eq!(small(&large).expect("just small enough").len() as u64, SMALL);
        for path in [Path::new("/dev/zero"), folder.path()] {
            assert!(small(path).expect_err("no file").to_string().contains("no regular file"), "{}", path.display());
        }
    }
}
