//! The files of an image: Windows paths on a file system of another kind.
//!
//! *Invariant:* nothing outside the image is ever read, whatever its links say.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::facts::names::{file_path, fold};

/// Links that are followed for one path; Windows follows at most 63.
const MOST_LINKS: usize = 63;
/// Entries of a folder that are looked at.
const MOST_ENTRIES: usize = 2_000_000;
/// Folders that are remembered.
const KEPT: usize = 10_000;

/// Why a path of an image leads nowhere that is known.
#[derive(Debug, thiserror::Error)]
pub(super) enum TreeError {
    /// Two names in a folder are the same for Windows.
    #[error("{} has two entries named {name:?}", .folder.display())]
    Ambiguous {
        /// Where.
        folder: PathBuf,
        /// The name.
        name: String,
    },
    /// A link that cannot be followed.
    #[error("{} is a link to {target:?}, which is not in the image", .link.display())]
    Link {
        /// Which.
        link: PathBuf,
        /// What it says.
        target: String,
    },
    /// Links that lead to each other.
    #[error("{0:?} leads through too many links")]
    Links(String),
    /// A short name that Windows made for a long one: which one it stands for is not to be seen on a mounted disk.
    #[error("{name:?} in {} may be the short name of something else there", .folder.display())]
    Alias {
        /// Where.
        folder: PathBuf,
        /// The name.
        name: String,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It exceeds a bound.
    #[error("{} is larger than {most}", .path.display())]
    TooLarge {
        /// What.
        path: PathBuf,
        /// The bound: bytes, or entries of a folder.
        most: u64,
    },
}

/// Whether a name has the form of those that file systems make up for long ones (8.3): `PROGRA~1`, `MICROS~2.NET`.
fn is_alias(name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let made = stem.rsplit_once('~').is_some_and(|(head, number)| {
        !head.is_empty() && !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    });
    made && stem.len() <= 8 && extension.len() <= 3
}

/// Whether a short name can be that of a long one: both begin alike. From the fifth on, names with the same beginning keep
/// two characters of it and go on with a checksum.
fn may_stand_for(alias: &str, long: &str) -> bool {
    let head = alias.split('~').next().unwrap_or_default();
    let letters = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).take(2).flat_map(char::to_lowercase).collect::<String>()
    };
    letters(head) == letters(long)
}

/// Names of a folder by the form in which Windows compares them.
type Names = HashMap<String, Vec<OsString>>;

/// The root of an image.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    folders: Mutex<HashMap<PathBuf, Arc<Names>>>,
    /// The letter of the drive that the image is, in upper case.
    drive: char,
}

impl Tree {
    /// An image below a folder. The folder itself may be a link.
    pub(super) fn new(root: &Path) -> Result<Self, TreeError> {
        let wrong = |source| TreeError::Read { path: root.to_owned(), source };
        let root = root.canonicalize().map_err(wrong)?;
        fs::read_dir(&root).map_err(wrong)?;
        Ok(Self { root, folders: Mutex::default(), drive: 'C' })
    }

    /// Says which drive the image was.
    pub(super) fn set_drive(&mut self, drive: char) {
        self.drive = drive.to_ascii_uppercase();
    }

    /// Whether a full path is on the drive of the image.
    pub(super) fn has(&self, path: &str) -> bool {
        path.chars().next().is_some_and(|drive| drive.to_ascii_uppercase() == self.drive)
    }

    /// Where a path below the root of the image is; none if there is no such thing.
    pub(super) fn host(&self, path: &str) -> Result<Option<PathBuf>, TreeError> {
        let mut links = 0;
        // What is still to be walked, the next part last.
        let mut todo: Vec<String> = parts(path);
        let mut at = self.root.clone();
        while let Some(part) = todo.pop() {
            if part == ".." {
                // Windows stays at the root.
                if at != self.root {
                    at.pop();
                }
                continue;
            }
            let Some(next) = self.entry(&at, &part)? else {
                // Behind a link that leads nowhere may be what the mount does not show.
                return if links == 0 { Ok(None) } else { Err(TreeError::Links(path.to_owned())) };
            };
            let kind = fs::symlink_metadata(&next).map_err(|source| TreeError::Read { path: next.clone(), source })?;
            if kind.is_symlink() {
                links += 1;
                if links > MOST_LINKS {
                    return Err(TreeError::Links(path.to_owned()));
                }
                self.follow(&next, &mut at, &mut todo)?;
            } else if kind.is_dir() || todo.is_empty() {
                at = next;
            } else {
                // Nothing is below a file.
                return Ok(None);
            }
        }
        Ok(Some(at))
    }

    /// Goes on where a link leads.
    fn follow(&self, link: &Path, at: &mut PathBuf, todo: &mut Vec<String>) -> Result<(), TreeError> {
        let target = fs::read_link(link).map_err(|source| TreeError::Read { path: link.to_owned(), source })?;
        let outside = |text: String| TreeError::Link { link: link.to_owned(), target: text };
        // A mount turns what was absolute into a path below the folder it is mounted on.
        if let Ok(inside) = target.strip_prefix(&self.root) {
            at.clone_from(&self.root);
            todo.extend(parts(&inside.to_string_lossy()));
            return Ok(());
        }
        let text = target.to_string_lossy().into_owned();
        let windows = text.replace('/', "\\");
        let windows =
            [r"\??\", r"\\?\", r"\\.\"].iter().find_map(|prefix| windows.strip_prefix(prefix)).unwrap_or(&windows);
        if let Some(full) = file_path(windows) {
            if !self.has(&full) {
                return Err(outside(text));
            }
            at.clone_from(&self.root);
            todo.extend(parts(full.get(3..).unwrap_or_default()));
            return Ok(());
        }
        if target.is_absolute() || windows.starts_with('\\') || windows.contains(':') {
            return Err(outside(text));
        }
        // Relative to the folder of the link, and not above the root.
        let mut depth = at.strip_prefix(&self.root).map(|below| below.components().count()).unwrap_or_default();
        for part in windows.split('\\') {
            match part {
                "" | "." => {}
                ".." if depth == 0 => return Err(outside(text)),
                ".." => depth -= 1,
                _ => depth += 1,
            }
        }
        todo.extend(parts(windows));
        Ok(())
    }

    /// The entry of a folder of a name.
    fn entry(&self, folder: &Path, name: &str) -> Result<Option<PathBuf>, TreeError> {
        let names = self.names(folder)?;
        let found = match names.get(&fold(name)).map(Vec::as_slice) {
            None | Some([]) if is_alias(name) && names.keys().any(|long| may_stand_for(name, long)) => {
                return Err(TreeError::Alias { folder: folder.to_owned(), name: name.to_owned() });
            }
            None | Some([]) => return Ok(None),
            Some([only]) => only,
            Some(several) => several
                .iter()
                .find(|written| *written == name)
                .ok_or_else(|| TreeError::Ambiguous { folder: folder.to_owned(), name: name.to_owned() })?,
        };
        Ok(Some(folder.join(found)))
    }

    fn names(&self, folder: &Path) -> Result<Arc<Names>, TreeError> {
        if let Some(known) = self.folders.lock().get(folder) {
            return Ok(Arc::clone(known));
        }
        let wrong = |source| TreeError::Read { path: folder.to_owned(), source };
        let mut names = Names::new();
        for (count, entry) in fs::read_dir(folder).map_err(wrong)?.enumerate() {
            if count >= MOST_ENTRIES {
                return Err(TreeError::TooLarge { path: folder.to_owned(), most: MOST_ENTRIES as u64 });
            }
            let name = entry.map_err(wrong)?.file_name();
            names.entry(fold(&name.to_string_lossy())).or_default().push(name);
        }
        let names = Arc::new(names);
        let mut kept = self.folders.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(folder.to_owned(), Arc::clone(&names));
        Ok(names)
    }
}

/// The parts of a path, the last one first.
fn parts(path: &str) -> Vec<String> {
    path.split(['\\', '/']).filter(|part| !part.is_empty() && *part != ".").rev().map(str::to_owned).collect()
}

/// Opens a file. What is no plain file is refused before it is opened: a pipe would wait for ever.
pub(super) fn open(path: &Path) -> Result<File, TreeError> {
    let wrong = |source| TreeError::Read { path: path.to_owned(), source };
    if !fs::symlink_metadata(path).map_err(wrong)?.is_file() {
        return Err(wrong(io::Error::other("it is no plain file")));
    }
    File::open(path).map_err(wrong)
}

/// Reads a file of at most so many bytes.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, TreeError> {
    let mut bytes = Vec::new();
    open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| TreeError::Read { path: path.to_owned(), source })?;
    if bytes.len() as u64 > most {
        return Err(TreeError::TooLarge { path: path.to_owned(), most });
    }
    Ok(bytes)
}
