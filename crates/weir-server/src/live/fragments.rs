//! Core fragments in wire form, through a bounded cache. Large ones are never kept: they are streamed from the store.

use std::{collections::HashMap, fmt, sync::Arc};

use bytes::Bytes;
use quick_cache::{
    DefaultHashBuilder, Lifecycle, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use weir_model::ids::RevisionId;
use weir_store::{Store, StoreError};
use weir_wire::xpress;

use crate::telemetry;

/// Fragments longer than this (escaped) are streamed.
pub const GIANT: u32 = 256 * 1024;
/// Fragments from this length on are compressed once, when they come into the cache, instead of in every answer. Blocks that
/// stand alone compress less well than a whole answer; below this the loss outweighs the time.
const COMPRESSED: usize = 1_536;
/// Bytes that the cache holds.
const CAPACITY: u64 = 64 << 20;
/// What an entry costs besides its text.
const ENTRY: u64 = 160;
/// Entries it is laid out for.
const ENTRIES: usize = 32_768;

/// One fragment.
#[derive(Clone, Debug)]
pub struct Fragment {
    escaped: Arc<str>,
    /// The same as ready Xpress blocks, unless it is so small that its blocks would make answers longer.
    pub blocks: Option<Bytes>,
}

/// Text whose bytes are sent without a copy.
struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Fragment {
    /// A fragment that is used once.
    pub fn once(escaped: Vec<u8>) -> Self {
        // the store keeps text: what is not UTF-8 is damage, which the digest of a backup finds
        let escaped = String::from_utf8(escaped);
        let escaped = escaped.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Self { escaped: escaped.into(), blocks: None }
    }

    /// A fragment for the cache, with the blocks that the store has.
    fn cached(escaped: Vec<u8>, stored: Vec<u8>) -> Self {
        let fragment = Self::once(escaped);
        let blocks = match fragment.escaped.len() {
            _ if !stored.is_empty() => Some(stored),
            COMPRESSED.. => Some(xpress::compress_greedy(fragment.escaped.as_bytes())),
            _ => None,
        };
        Self { blocks: blocks.map(Bytes::from), ..fragment }
    }

    /// The escaped text.
    pub fn text(&self) -> &str {
        &self.escaped
    }

    /// The escaped text, shared.
    pub fn bytes(&self) -> Bytes {
        Bytes::from_owner(Shared(Arc::clone(&self.escaped)))
    }
}

/// What an entry counts: its bytes.
#[derive(Clone)]
struct Weight;

impl Weighter<RevisionId, Fragment> for Weight {
    fn weight(&self, _: &RevisionId, fragment: &Fragment) -> u64 {
        let blocks = fragment.blocks.as_ref().map_or(0, Bytes::len);
        ENTRY + (fragment.escaped.len() + blocks) as u64
    }
}

type Usual = DefaultLifecycle<RevisionId, Fragment>;

/// Tells of entries that make room for others.
#[derive(Clone, Default)]
struct Told(Usual);

impl Lifecycle<RevisionId, Fragment> for Told {
    type RequestState = <Usual as Lifecycle<RevisionId, Fragment>>::RequestState;

    fn on_evict(&self, state: &mut Self::RequestState, id: RevisionId, fragment: Fragment) {
        telemetry::evicted(telemetry::Cache::Fragments);
        self.0.on_evict(state, id, fragment);
    }
}

/// The cache.
pub struct Fragments(Cache<RevisionId, Fragment, Weight, DefaultHashBuilder, Told>);

impl fmt::Debug for Fragments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fragments").field(&self.0.weight()).finish()
    }
}

impl Default for Fragments {
    fn default() -> Self {
        Self(Cache::with(ENTRIES, CAPACITY, Weight, DefaultHashBuilder::default(), Told::default()))
    }
}

impl Fragments {
    /// The fragment, if it is in the cache. Whoever asks for many counts them together.
    pub fn cached(&self, id: RevisionId) -> Option<Fragment> {
        self.0.get(&id)
    }

    /// Reads fragments that are not in the cache, keeps them there, and returns them. Blocks. None of them may be a
    /// giant; ids that are not stored are absent from the answer.
    pub fn load(&self, store: &Store, ids: &[RevisionId]) -> Result<HashMap<RevisionId, Fragment>, StoreError> {
        store.read(|tx| {
            let mut loaded = HashMap::with_capacity(ids.len());
            let infos = tx.core_infos(ids)?;
            for (id, escaped) in tx.core_escaped_many(ids)? {
                let rows = infos.get(&id).map_or(0, |info| info.block_rows);
                let mut blocks = Vec::new();
                for row in 0..rows {
                    if let Some((_, data)) = tx.core_blocks(id, row)? {
                        blocks.extend_from_slice(&data);
                    }
                }
                let fragment = Fragment::cached(escaped, blocks);
                self.0.insert(id, fragment.clone());
                loaded.insert(id, fragment);
            }
            Ok(loaded)
        })
    }

    /// Fragments held.
    pub fn entries(&self) -> usize {
        self.0.len()
    }

    /// Bytes held.
    pub fn weight(&self) -> u64 {
        self.0.weight()
    }
}
