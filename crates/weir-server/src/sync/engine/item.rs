//! From an answer of GetUpdateData to revisions that can be staged.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use weir_model::ids::{ContentDigest, UpdateIdentity};
use weir_store::revision::PackedRevision;
use weir_wire::wsss::{ServerSyncUpdateData, ServerUpdateData};

use crate::{
    admin::chain,
    import::{is_source, ready},
};

/// Bytes of one document: the largest known has about 60 million.
const DOCUMENT_BYTES: u64 = 128 << 20;

/// What a batch brought.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// Revisions to be staged, and whether keys of their files are to be asked for.
    pub(super) revisions: Vec<(PackedRevision, bool)>,
    /// Asked for and not usable, with the reason.
    pub(super) refused: Vec<(UpdateIdentity, String)>,
    /// Not asked for.
    pub(super) unasked: Vec<UpdateIdentity>,
    /// Where files can be fetched.
    pub(super) sources: Vec<(ContentDigest, String)>,
}

impl Brought {
    /// Parses, derives and compresses on all processors. Blocks.
    pub(super) fn read(asked: &[UpdateIdentity], answer: ServerUpdateData) -> Self {
        let mut open: HashSet<UpdateIdentity> = asked.iter().copied().collect();
        let asked = open.clone();
        let mut brought = Self::default();
        let mut wanted = Vec::with_capacity(answer.updates.0.len());
        for item in answer.updates.0 {
            if open.remove(&item.id) {
                wanted.push(item);
            } else if !asked.contains(&item.id) {
                brought.unasked.push(item.id);
            }
            // a repeated answer to one question says the same twice
        }
        let read: Vec<_> = wanted.into_par_iter().map(revision).collect();
        let mut own = HashMap::new();
        for item in read {
            match item {
                Ok((revision, secured, sources)) => {
                    own.extend(sources);
                    brought.revisions.push((revision, secured));
                }
                Err(refused) => brought.refused.push(refused),
            }
        }
        let listed = answer.file_urls.0.into_iter().filter_map(|row| {
            let url = row.mu_url.filter(|url| is_source(url.trim()))?;
            Some((row.file_digest?.digest()?, url.trim().to_owned()))
        });
        brought.sources = listed.chain(own).collect();
        brought
    }

    /// How many of the questions are answered.
    pub(super) fn answered(&self) -> usize {
        self.revisions.len() + self.refused.len()
    }

    /// What was asked and not answered.
    pub(super) fn missing(&self, asked: &[UpdateIdentity]) -> Vec<UpdateIdentity> {
        let answered: HashSet<UpdateIdentity> = self
            .revisions
            .iter()
            .map(|(revision, _)| revision.identity())
            .chain(self.refused.iter().map(|(identity, _)| *identity))
            .collect();
        let mut seen = HashSet::new();
        asked.iter().copied().filter(|identity| !answered.contains(identity) && seen.insert(*identity)).collect()
    }
}

type Read = (PackedRevision, bool, Vec<(ContentDigest, String)>);

fn revision(item: ServerSyncUpdateData) -> Result<Read, (UpdateIdentity, String)> {
    let asked = item.id;
    let refuse = |why: String| (asked, why);
    let text = item.into_document(DOCUMENT_BYTES).map_err(|error| refuse(chain(&error)))?;
    if text.len() as u64 > DOCUMENT_BYTES {
        return Err(refuse(format!("its document is larger than {DOCUMENT_BYTES} bytes")));
    }
    let ready = ready(text).map_err(|why| refuse(format!("its document cannot be used: {why}")))?;
    if ready.identity != asked {
        return Err(refuse(format!("the document sent for it is that of {}", ready.identity)));
    }
    let sources = ready.sources.into_iter().map(|source| (source.digest, source.url)).collect();
    Ok((ready.packed, ready.secured, sources))
}
