//! Content files in an object store: the other place that a [`ContentStore`] can have.
//!
//! Names are those of the folder, below the prefix: `<HH>/<SHA1>.ext`, and `quarantine/`. A file is taken in on the local disk
//! first, and sent when its digests have matched: an object appears whole or not at all. A marker (`weir-content.txt`) says
//! whose store it is.
//!
//! What is not async here waits for the network: it is for threads that may block, never for those of the runtime.
//!
//! *Invariant:* "there is no such object" is believed only of a store that has our marker; whatever else keeps an object from
//! being seen is an outage, of which nothing follows.

mod files;
mod place;
mod read;

use std::{fmt, io, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use http::Method;
use jiff::Timestamp;
use object_store::{
    Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, path::Path, signer::Signer,
};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use weir_model::ids::ContentDigest;

pub use self::place::{Address, Kind, Place};

use super::ContentStore;
use crate::StoreError;

/// The object that says whose store it is.
const MARKER: &str = "weir-content.txt";
/// Bytes of it.
const LARGEST_MARKER: u64 = 1_000;
/// What the marker says before the id of the site.
const MARKED: &str = "content of the Weir site ";

/// Bytes of a file as they come from a store.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// Why a store cannot be used, and since when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// What it answered last, in words.
    pub message: String,
}

#[derive(Debug, Default)]
struct State {
    /// Whose store it is, once its marker was seen.
    owner: Option<String>,
    trouble: Option<Trouble>,
    /// It answers, and is not the one it should be: only its marker ends that.
    refused: bool,
}

/// An object store.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn Signer>>,
    /// What comes before names; with a slash at its end unless it is empty.
    prefix: String,
    /// The address, for people.
    url: String,
    redirect: Option<Duration>,
    runtime: Handle,
    state: Mutex<State>,
    clock: fn() -> Timestamp,
}

/// What leads to secrets is left out.
impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Objects {
    /// Makes a client of a store; nothing is asked of it yet. `runtime` drives what waits, `clock` says since when it is out
    /// of reach.
    pub fn open(place: &Place, runtime: Handle, clock: fn() -> Timestamp) -> Result<Self, StoreError> {
        let connected = place::connect(place)?;
        let prefix = &place.address.prefix;
        Ok(Self {
            store: connected.store,
            signer: Some(connected.signer),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            url: place.address.text(),
            redirect: place.redirect,
            runtime,
            state: Mutex::default(),
            clock,
        })
    }

    /// The address, such as `s3://bucket/prefix`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long signed addresses are good for, if files are fetched from the store itself.
    pub fn redirect(&self) -> Option<Duration> {
        self.redirect
    }

    /// Why the store cannot be used; none if the last request was answered.
    pub fn trouble(&self) -> Option<Trouble> {
        self.state.lock().trouble.clone()
    }

    /// Looks whether the store answers and is the one of site `owner`; the first time it is made to be, if it is nobody's.
    /// Until this has succeeded once nothing is written, and nothing is said to be absent.
    pub fn claim(&self, owner: &str) -> Result<(), StoreError> {
        self.owned(owner, true)
    }

    /// Looks whether the store answers and is the one of site `owner`, as [`Objects::claim`] does. Nothing is changed there: one
    /// that is nobody's is refused.
    pub fn recognise(&self, owner: &str) -> Result<(), StoreError> {
        self.owned(owner, false)
    }

    /// Whether the store was found to be this site's when it was looked at last. Nothing is asked of it.
    pub fn usable(&self) -> Result<(), StoreError> {
        self.ready().map(drop)
    }

    fn owned(&self, owner: &str, take: bool) -> Result<(), StoreError> {
        let owned = self.wait(self.claimed(owner, take));
        if let Err(error @ StoreError::ObjectsRefused { .. }) = &owned {
            self.troubled(error.to_string());
            self.state.lock().refused = true;
        }
        owned
    }

    async fn claimed(&self, owner: &str, take: bool) -> Result<(), StoreError> {
        match self.marker().await? {
            Some(found) if found == owner => {}
            Some(found) => {
                return Err(self.refused(format!(
                    "holds the content of another site ({found}): every site has a bucket or a prefix of its own; if this \
                     one is to take it over, delete {MARKER} there"
                )));
            }
            None if !take || self.is_claimed() => return Err(self.unmarked()),
            None => {
                let text = format!("{MARKED}{owner}\n");
                let put = self.store.put(&self.named(MARKER), text.into()).await;
                self.seen(put, "marking", MARKER)?;
            }
        }
        *self.state.lock() = State { owner: Some(owner.to_owned()), trouble: None, refused: false };
        Ok(())
    }

    async fn marker(&self) -> Result<Option<String>, StoreError> {
        let read = match self.store.get(&self.named(MARKER)).await {
            Ok(found) if found.meta.size > LARGEST_MARKER => return Ok(Some("unreadable".to_owned())),
            Ok(found) => found.bytes().await.map(Some),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        let read = self.seen(read, "reading", MARKER)?;
        Ok(read.map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            text.trim().strip_prefix(MARKED).unwrap_or("unreadable").to_owned()
        }))
    }

    /// To be asked before "there is none" is believed: another bucket, or an emptied one, has nothing either.
    async fn is_ours(&self) -> Result<(), StoreError> {
        let owner = self.ready()?;
        match self.marker().await? {
            Some(found) if found == owner => Ok(()),
            _ => Err(self.unmarked()),
        }
    }

    /// Whose store it is. Fails until its marker was seen, and while that is gone or names another site: whatever would be changed
    /// then is not this site's to change.
    fn ready(&self) -> Result<String, StoreError> {
        let (owner, refused) = {
            let state = self.state.lock();
            (state.owner.clone(), state.refused)
        };
        if refused {
            return Err(self.refused(format!("is not this site's: {MARKER} there does not say that it is")));
        }
        owner.ok_or_else(|| self.refused("was not reached yet since this server started".to_owned()))
    }

    fn is_claimed(&self) -> bool {
        self.state.lock().owner.is_some()
    }

    fn unmarked(&self) -> StoreError {
        self.refused(format!("lacks {MARKER}: it was emptied, or is another one than it was"))
    }

    fn refused(&self, why: String) -> StoreError {
        StoreError::ObjectsRefused { place: self.url.clone(), why }
    }

    /// The file of a digest, from `range.start` to `range.end`, which must lie within it; none if it is absent or has not
    /// `size` bytes.
    pub async fn stream(
        &self,
        digest: ContentDigest,
        extension: &str,
        size: u64,
        range: Range<u64>,
    ) -> Result<Option<Pieces>, StoreError> {
        let key = self.key(digest, extension)?;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        match self.store.get_opts(&key, options).await {
            Ok(found) => {
                self.answered();
                let fits = found.meta.size == size;
                Ok(fits.then(|| found.into_stream().map_err(io::Error::from).boxed()))
            }
            Err(Error::NotFound { .. }) => self.is_ours().await.map(|()| None),
            Err(error) => Err(self.failed("reading", key.as_ref(), error)),
        }
    }

    /// The length of a file; none if it is absent.
    pub async fn look(&self, digest: ContentDigest, extension: &str) -> Result<Option<u64>, StoreError> {
        match self.head(&self.key(digest, extension)?).await? {
            Some(meta) => Ok(Some(meta.size)),
            None => self.is_ours().await.map(|()| None),
        }
    }

    /// An address at which a file can be fetched with that method, without other credentials, for so long.
    pub async fn signed(
        &self,
        digest: ContentDigest,
        extension: &str,
        method: Method,
        life: Duration,
    ) -> Result<String, StoreError> {
        let key = self.key(digest, extension)?;
        let Some(signer) = &self.signer else { return Err(self.refused("cannot sign addresses".to_owned())) };
        let signed = signer.signed_url(method, &key, life).await;
        Ok(signed.map_err(|error| self.failed("signing an address of", key.as_ref(), error))?.to_string())
    }

    /// What the store says of an object; none if there is none, which may be for another reason than that it is absent.
    async fn head(&self, key: &Path) -> Result<Option<ObjectMeta>, StoreError> {
        let found = match self.store.head(key).await {
            Ok(meta) => Ok(Some(meta)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        self.seen(found, "looking at", key.as_ref())
    }

    /// The name of a file. Extensions that [`ContentStore::extension`] would not give are refused.
    fn key(&self, digest: ContentDigest, extension: &str) -> Result<Path, StoreError> {
        if extension != ContentStore::extension(extension) {
            return Err(StoreError::Missing { kind: "content extension", id: extension.chars().take(20).collect() });
        }
        Ok(self.named(&ContentStore::relative_path(digest, extension)))
    }

    fn named(&self, name: &str) -> Path {
        Path::from(format!("{}{name}", self.prefix))
    }

    /// Waits for something of the network. Not for threads of the runtime.
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Notes whether the store answered.
    fn seen<T>(&self, outcome: Result<T, Error>, action: &'static str, what: &str) -> Result<T, StoreError> {
        match outcome {
            Ok(found) => {
                self.answered();
                Ok(found)
            }
            Err(error) => Err(self.failed(action, what, error)),
        }
    }

    fn answered(&self) {
        let mut state = self.state.lock();
        // of a store that was not seen to be ours nothing good is known
        if state.owner.is_some() && !state.refused {
            state.trouble = None;
        }
    }

    fn failed(&self, action: &'static str, what: &str, source: Error) -> StoreError {
        self.troubled(source.to_string());
        StoreError::Objects { action, what: what.to_owned(), source: Box::new(source) }
    }

    fn troubled(&self, message: String) {
        let mut state = self.state.lock();
        let since = state.trouble.as_ref().map_or_else(self.clock, |trouble| trouble.since);
        state.trouble = Some(Trouble { since, message });
    }
}

#[cfg(test)]
mod tests;
