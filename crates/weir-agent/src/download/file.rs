//! One file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::time::timeout;

use crate::{
    address::Address,
    details::NeededFile,
    failure::{Code, Failure},
    http::{Connection, HttpSettings, cut},
};

/// How often a file is tried again without getting further.
const ATTEMPTS: u32 = 3;
/// How many redirections are followed.
const REDIRECTIONS: u32 = 5;

/// How a file came here.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Fetched {
    /// Bytes that were received.
    pub received: u64,
    /// Bytes that were here before.
    pub resumed: u64,
}

/// Why a file is not here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FileProblem {
    /// It is not what the update says; what came was deleted.
    #[error("{name} from {url} is not what the update says: {what}; it was deleted")]
    Wrong {
        /// Its name.
        name: String,
        /// Where it came from.
        url: String,
        /// Size or digest.
        what: &'static str,
    },
    /// The server named no place for it.
    #[error("the server did not say where {0} is")]
    NoLocation(String),
    /// It cannot be fetched.
    #[error("{url} cannot be fetched: {failure}")]
    Network {
        /// Where it is.
        url: String,
        /// Why.
        failure: Failure,
    },
    /// The server does not give it.
    #[error("{url} was answered with HTTP status {status}")]
    Status {
        /// Where it is.
        url: String,
        /// The status.
        status: u16,
    },
    /// It cannot be written.
    #[error("{path} cannot be written: {reason}")]
    Disk {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
}

impl FileProblem {
    /// The code that a Windows Update Agent gives it.
    pub fn code(&self) -> Code {
        match self {
            Self::Wrong { .. } => Code::WRONG_HASH,
            Self::NoLocation(_) => Code::NO_LOCATION,
            Self::Network { failure, .. } => failure.code(),
            Self::Status { status, .. } => Code::of_status(*status),
            Self::Disk { .. } => Code(0x8007_0070),
        }
    }
}

/// Both digests of what was read so far, and how much it was.
#[derive(Clone, Default)]
struct Digests {
    sha1: Sha1,
    sha256: Sha256,
    size: u64,
}

impl Digests {
    fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// What is wrong with the whole.
    fn verify(self, file: &NeededFile) -> Result<(), &'static str> {
        if self.size != file.size {
            return Err("its size");
        }
        if self.sha1.finalize().as_slice() != file.digest.0 {
            return Err("its SHA-1");
        }
        match file.sha256 {
            Some(wanted) if self.sha256.finalize().as_slice() != wanted.0 => Err("its SHA-256"),
            _ => Ok(()),
        }
    }
}

/// Where a download stands.
struct Partial {
    digests: Digests,
    target: Option<(PathBuf, File)>,
    resumed: u64,
    received: u64,
}

/// One worker with one connection.
pub(super) struct Fetcher {
    settings: Arc<HttpSettings>,
    received: Arc<AtomicU64>,
    connection: Option<Connection>,
}

/// What one request brought.
enum Step {
    Complete,
    /// The server has it elsewhere.
    Moved(String),
    /// The server does not take the range: from the beginning.
    Again,
}

impl Fetcher {
    pub(super) fn new(settings: Arc<HttpSettings>, received: Arc<AtomicU64>) -> Self {
        Self { settings, received, connection: None }
    }

    /// Brings a file to `path`, or nowhere.
    pub(super) async fn fetch(
        &mut self,
        file: &NeededFile,
        url: Option<&str>,
        path: Option<&Path>,
    ) -> Result<Fetched, FileProblem> {
        if let Some(path) = path
            && is_here(file, path)
        {
            return Ok(Fetched { received: 0, resumed: file.size });
        }
        let Some(url) = url else { return Err(FileProblem::NoLocation(file.name.clone())) };
        let mut partial = Partial::open(file, path)?;
        let mut url = url.to_owned();
        let mut redirections = 0;
        let mut stuck = 0;
        while partial.digests.size < file.size || file.size == 0 {
            let before = partial.digests.size;
            match self.request(file, &url, &mut partial).await {
                Ok(Step::Complete) => break,
                Ok(Step::Moved(target)) if redirections < REDIRECTIONS => {
                    redirections += 1;
                    url = target;
                }
                Ok(Step::Moved(_)) => return Err(FileProblem::Status { url, status: 310 }),
                Ok(Step::Again) => {
                    partial.restart()?;
                    stuck += 1;
                }
                Err(FileProblem::Network { url, failure }) => {
                    // what came is kept: the next attempt, or the next round, goes on from there
                    stuck = if partial.digests.size > before { 0 } else { stuck + 1 };
                    if stuck >= ATTEMPTS {
                        return Err(FileProblem::Network { url, failure });
                    }
                }
                Err(problem) => return Err(problem),
            }
            if stuck >= ATTEMPTS {
                return Err(FileProblem::Status { url, status: 416 });
            }
        }
        partial.close(file, &url, path)
    }

    /// Asks for what is missing and takes what comes.
    async fn request(&mut self, file: &NeededFile, url: &str, partial: &mut Partial) -> Result<Step, FileProblem> {
        let network = |failure| FileProblem::Network { url: url.to_owned(), failure };
        let address = Address::parse(url).map_err(|_| FileProblem::NoLocation(file.name.clone()))?;
        let from = partial.digests.size;
        let mut request = Request::get(&address.path).header("Host", address.authority()).header("User-Agent", AGENT);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let request = request.body(Full::new(Bytes::new())).map_err(|_| FileProblem::NoLocation(file.name.clone()))?;
        let usable = self.connection.as_ref().is_some_and(|open| open.address().server() == address.server());
        if !usable {
            self.connection = None;
        }
        let settings = Arc::clone(&self.settings);
        let connection = self.connection.get_or_insert_with(|| Connection::new(address, settings));
        let response = connection.send(request).await.map_err(network)?;
        let status = response.status().as_u16();
        match status {
            200 if from > 0 => partial.restart()?,
            200 => {}
            206 if starts_at(&response, from) => {}
            206 | 416 => {
                connection.close();
                return Ok(Step::Again);
            }
            301 | 302 | 303 | 307 | 308 => {
                connection.close();
                let target = response.headers().get("location").and_then(|value| value.to_str().ok());
                return target.map_or(Err(FileProblem::Status { url: url.to_owned(), status }), |target| {
                    Ok(Step::Moved(resolve(url, target)))
                });
            }
            500.. => return Err(network(Failure::Cut(format!("HTTP status {status}")))),
            _ => return Err(FileProblem::Status { url: url.to_owned(), status }),
        }
        let taken = self.take(response.into_body(), file, partial).await;
        if taken.is_err()
            && let Some(connection) = &mut self.connection
        {
            connection.close();
        }
        match taken {
            Ok(()) => Ok(Step::Complete),
            Err(Taken::Cut(failure)) => Err(network(failure)),
            Err(Taken::Disk(problem)) => Err(problem),
            // longer than announced: no range will make it right
            Err(Taken::TooLong) => {
                partial.discard();
                Err(FileProblem::Wrong { name: file.name.clone(), url: url.to_owned(), what: "its size" })
            }
        }
    }

    async fn take(&self, mut body: Incoming, file: &NeededFile, partial: &mut Partial) -> Result<(), Taken> {
        loop {
            let frame = timeout(self.settings.answer, body.frame()).await;
            let frame = frame.map_err(|_| Taken::Cut(Failure::Timeout(self.settings.answer.as_secs())))?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| Taken::Cut(cut(&error)))?;
            let Some(data) = frame.data_ref() else { continue };
            if partial.digests.size.saturating_add(data.len() as u64) > file.size {
                return Err(Taken::TooLong);
            }
            partial.write(data).map_err(Taken::Disk)?;
            self.received.fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        if partial.digests.size < file.size {
            return Err(Taken::Cut(Failure::Cut(format!("{} of {} bytes came", partial.digests.size, file.size))));
        }
        Ok(())
    }
}

const AGENT: &str = concat!("Weir-Agent/", env!("CARGO_PKG_VERSION"));

enum Taken {
    Cut(Failure),
    Disk(FileProblem),
    TooLong,
}

impl Partial {
    /// Opens what is there of a file.
    fn open(file: &NeededFile, path: Option<&Path>) -> Result<Self, FileProblem> {
        let mut partial = Self { digests: Digests::default(), target: None, resumed: 0, received: 0 };
        let Some(path) = path else { return Ok(partial) };
        let part = part_of(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| disk(folder, &error))?;
        }
        let mut options = OpenOptions::new();
        let mut open =
            options.read(true).write(true).create(true).truncate(false).open(&part).map_err(|e| disk(&part, &e))?;
        let length = open.metadata().map_err(|error| disk(&part, &error))?.len();
        if length > file.size {
            open.set_len(0).map_err(|error| disk(&part, &error))?;
        } else {
            hash(&mut open, &mut partial.digests).map_err(|error| disk(&part, &error))?;
            partial.resumed = partial.digests.size;
        }
        partial.target = Some((part, open));
        Ok(partial)
    }

    fn write(&mut self, data: &[u8]) -> Result<(), FileProblem> {
        if let Some((path, file)) = &mut self.target {
            file.write_all(data).map_err(|error| disk(path, &error))?;
        }
        self.digests.update(data);
        self.received += data.len() as u64;
        Ok(())
    }

    /// Begins from nothing.
    fn restart(&mut self) -> Result<(), FileProblem> {
        self.digests = Digests::default();
        self.resumed = 0;
        if let Some((path, file)) = &mut self.target {
            let emptied = file.set_len(0).and_then(|()| io::Seek::rewind(file));
            emptied.map_err(|error| disk(path, &error))?;
        }
        Ok(())
    }

    fn discard(&mut self) {
        if let Some((path, _)) = self.target.take() {
            // if it cannot be deleted it is verified, and refused, again the next time
            let _ = fs::remove_file(path);
        }
    }

    /// Verifies the whole and gives it its name.
    fn close(mut self, file: &NeededFile, url: &str, path: Option<&Path>) -> Result<Fetched, FileProblem> {
        if let Err(what) = self.digests.clone().verify(file) {
            self.discard();
            return Err(FileProblem::Wrong { name: file.name.clone(), url: url.to_owned(), what });
        }
        if let (Some((part, open)), Some(path)) = (&self.target, path) {
            open.sync_all().map_err(|error| disk(part, &error))?;
            fs::rename(part, path).map_err(|error| disk(path, &error))?;
        }
        Ok(Fetched { received: self.received, resumed: self.resumed })
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Whether the file is there and what it shall be. One that is not is deleted.
fn is_here(file: &NeededFile, path: &Path) -> bool {
    let Ok(mut open) = File::open(path) else { return false };
    let mut digests = Digests::default();
    let right = hash(&mut open, &mut digests).is_ok() && digests.verify(file).is_ok();
    if !right {
        let _ = fs::remove_file(path);
    }
    right
}

fn hash(file: &mut File, digests: &mut Digests) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        digests.update(buffer.get(..count).unwrap_or_default());
    }
}

fn disk(path: &Path, error: &io::Error) -> FileProblem {
    FileProblem::Disk { path: path.display().to_string(), reason: error.to_string() }
}

/// Whether a partial answer begins where it was asked to.
fn starts_at(response: &Response<Incoming>, from: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok());
    start == Some(from)
}

/// A redirection: a whole address, or a path of the same server.
fn resolve(url: &str, target: &str) -> String {
    match Address::parse(url) {
        Ok(address) if target.starts_with('/') => format!("{}{target}", address.server()),
        _ => target.to_owned(),
    }
}
