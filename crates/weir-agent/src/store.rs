//! The state file: what the agent keeps between runs (`docs/agent-state.md`).
//!
//! A zstd frame with a checksum; inside one JSON value per line: a head, one line per revision, and an end. It is written
//! beside its name, made durable and renamed, so that it is always whole. A lock beside it keeps a second agent away.

mod line;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

use weir_model::ids::ComputerId;

use self::line::{End, Head, Line};
use crate::{library::Library, schedule::Memory, state::State};

/// The version of the format that this program reads and writes.
pub const VERSION: u32 = 1;
/// Bytes of a state, decoded, at most.
const LARGEST: u64 = 4 << 30;
/// Bytes of a line at most.
const LONGEST: u64 = 512 << 20;

/// What a state file holds.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The id that the computer gave itself, if the agent made it.
    pub client_id: Option<ComputerId>,
    /// What the agent remembers.
    pub state: State,
    /// What it remembers of servers and scans.
    pub memory: Memory,
}

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another agent has it.
    #[error("another agent is using {0}; wait until it is done, or name another file with --state")]
    Busy(PathBuf),
    /// Something with files failed.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is of a newer program.
    #[error("{path} has version {version}, and this program reads {VERSION}: use the newer Weir, or name another file")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// What was wrong with a file that was set aside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damaged {
    /// Where it is now.
    pub aside: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// A state file that is this agent's alone.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    // unlocked when it is closed
    _lock: File,
}

impl StateFile {
    /// Takes a state file and reads it. Without one there is an empty state. A damaged one is set aside, which the third
    /// value tells: a full scan follows.
    ///
    /// # Errors
    ///
    /// Another agent has it, it is of a newer program, or it cannot be read for a reason that is not its content.
    pub fn open(path: &Path, library: &Library) -> Result<(Self, Saved, Option<Damaged>), StoreError> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { doing, path, source }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed("make the folder", folder))?;
        }
        let lock_path = beside(path, ".lock");
        let mut options = File::options();
        let lock = options.write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(failed("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        let file = Self { path: path.to_owned(), _lock: lock };
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((file, Saved::default(), None)),
            Err(error) => Err(failed("open", path)(error)),
            Ok(open) => match read(open, library) {
                Ok(saved) => Ok((file, saved, None)),
                Err(Problem::Newer(version)) => Err(StoreError::Newer { path: path.to_owned(), version }),
                Err(Problem::Damaged(reason)) => {
                    let aside = free_name(path);
                    fs::rename(path, &aside).map_err(failed("set aside", path))?;
                    Ok((file, Saved::default(), Some(Damaged { aside, reason })))
                }
            },
        }
    }

    /// Writes the state: whole, or not at all.
    ///
    /// # Errors
    ///
    /// It cannot be written; the file of before is still there.
    pub fn save(&self, client_id: Option<&ComputerId>, state: &State, memory: &Memory) -> Result<(), StoreError> {
        let new = beside(&self.path, ".new");
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { doing, path, source }
        };
        let file = File::create(&new).map_err(failed("create", &new))?;
        write(&file, client_id, state, memory).map_err(failed("write", &new))?;
        file.sync_all().map_err(failed("make durable", &new))?;
        fs::rename(&new, &self.path).map_err(failed("replace", &self.path))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // where a folder cannot be opened (not on Unix) the rename is as durable as it gets
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

enum Problem {
    Damaged(String),
    Newer(u32),
}

impl<E: std::error::Error> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Damaged(error.to_string())
    }
}

fn write(file: &File, client_id: Option<&ComputerId>, state: &State, memory: &Memory) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(BufWriter::new(file), 3)?;
    encoder.include_checksum(true)?;
    let mut line = |value: &dyn Fn(&mut Vec<u8>) -> serde_json::Result<()>| -> io::Result<()> {
        let mut text = Vec::new();
        value(&mut text)?;
        text.push(b'\n');
        encoder.write_all(&text)
    };
    line(&|text| serde_json::to_writer(text, &Head::of(client_id, state, memory)))?;
    for (entry, own) in state.cache.iter() {
        line(&|text| serde_json::to_writer(text, &Line::of(entry, *own)))?;
    }
    line(&|text| serde_json::to_writer(text, &End { end: state.cache.len() }))?;
    encoder.finish()?.flush()
}

fn read(file: File, library: &Library) -> Result<Saved, Problem> {
    let mut reader = BufReader::new(zstd::Decoder::new(file)?.take(LARGEST));
    let mut next = || -> Result<Vec<u8>, Problem> {
        let mut text = Vec::new();
        reader.by_ref().take(LONGEST).read_until(b'\n', &mut text)?;
        if text.pop() == Some(b'\n') { Ok(text) } else { Err(Problem::Damaged("it ends early".to_owned())) }
    };
    let head = next()?;
    let version: line::Version = serde_json::from_slice(&head)?;
    if version.format != line::FORMAT {
        return Err(Problem::Damaged("it is no state of an agent".to_owned()));
    }
    if version.version > VERSION {
        return Err(Problem::Newer(version.version));
    }
    let head: Head = serde_json::from_slice(&head)?;
    let (mut saved, count) = head.into_saved()?;
    let mut unreadable = 0;
    for _ in 0..count {
        let line: Line = serde_json::from_slice(&next()?)?;
        // what this program cannot read any more comes again
        match line.into_entry(library) {
            Some((entry, own)) => saved.state.cache.insert(entry, own),
            None => unreadable += 1,
        }
    }
    let end: End = serde_json::from_slice(&next()?)?;
    if end.end != count || saved.state.cache.len() + unreadable != count {
        return Err(Problem::Damaged("revisions are missing".to_owned()));
    }
    // reads on to the checksum of the frame
    if reader.read(&mut [0])? != 0 {
        return Err(Problem::Damaged("there is something after its end".to_owned()));
    }
    saved.state.cache.settle(library);
    Ok(saved)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A name for a damaged file that is not taken, so that the first one, which tells most, is not lost.
fn free_name(path: &Path) -> PathBuf {
    (1..1000)
        .map(|number| beside(path, &format!(".damaged-{number}")))
        .find(|name| !name.exists())
        .unwrap_or_else(|| beside(path, ".damaged"))
}
