//! Core fragments in wire form, through a bounded cache. Large ones are never kept: they are streamed from the store.

use std::{collections::HashMap, fmt};

use bytes::Bytes;
use moka::sync::Cache;
use weir_model::ids::RevisionId;
use weir_store::{Store, StoreError};

/// Fragments longer than this (escaped) are streamed.
pub const GIANT: u32 = 256 * 1024;
/// Bytes that the cache holds.
const CAPACITY: u64 = 64 << 20;
/// What an entry costs besides its text.
const ENTRY: u32 = 160;

/// One fragment.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// The escaped text.
    pub escaped: Bytes,
    /// The same as ready Xpress blocks, if it is large enough to have them.
    pub blocks: Option<Bytes>,
}

/// The cache.
pub struct Fragments(Cache<RevisionId, Fragment>);

impl fmt::Debug for Fragments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fragments").field(&self.0.weighted_size()).finish()
    }
}

impl Default for Fragments {
    fn default() -> Self {
        let weigh = |_: &RevisionId, fragment: &Fragment| {
            let blocks = fragment.blocks.as_ref().map_or(0, Bytes::len);
            ENTRY.saturating_add(u32::try_from(fragment.escaped.len() + blocks).unwrap_or(u32::MAX))
        };
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weigh).build())
    }
}

impl Fragments {
    /// The fragment, if it is in the cache.
    pub fn cached(&self, id: RevisionId) -> Option<Fragment> {
        self.0.get(&id)
    }

    /// Reads fragments that are not in the cache, keeps them there, and returns them. Blocks. None of them may be a
    /// giant; ids that are not stored are absent from the answer.
    pub fn load(&self, store: &Store, ids: &[RevisionId]) -> Result<HashMap<RevisionId, Fragment>, StoreError> {
        store.read(|tx| {
            let mut loaded = HashMap::with_capacity(ids.len());
            for (id, escaped) in tx.core_escaped_many(ids)? {
                let rows = tx.core_info(id)?.map_or(0, |info| info.block_rows);
                let mut blocks = Vec::new();
                for row in 0..rows {
                    if let Some((_, data)) = tx.core_blocks(id, row)? {
                        blocks.extend_from_slice(&data);
                    }
                }
                let blocks = (!blocks.is_empty()).then(|| Bytes::from(blocks));
                let fragment = Fragment { escaped: Bytes::from(escaped), blocks };
                self.0.insert(id, fragment.clone());
                loaded.insert(id, fragment);
            }
            Ok(loaded)
        })
    }

    /// Bytes held.
    pub fn weight(&self) -> u64 {
        self.0.weighted_size()
    }
}
