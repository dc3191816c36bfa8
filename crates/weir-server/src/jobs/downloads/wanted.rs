//! Which files are to be fetched, and in which order.

use std::collections::BTreeMap;

use weir_model::{
    content::{ContentMode, ContentPolicy, Holding},
    ids::ContentDigest,
};
use weir_store::{
    ReadTx, StoreError,
    content_need::{NeededBy, NeededFile},
};

/// What a file is wanted for, most urgent first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Why {
    /// Licence terms, which computers need to scan.
    Licence,
    /// A deployment waits for it.
    Deployment,
    /// A downstream server asked for it.
    Request,
    /// Everything is kept here.
    Everything,
}

/// A file that is to be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    /// Which.
    pub(crate) file: NeededFile,
    /// The most urgent reason.
    pub(crate) why: Why,
}

/// What is to be fetched, most urgent first and small before large, and the requests of downstream servers that are
/// settled: their files are here, or are not kept here at all.
pub(crate) fn wanted(tx: &ReadTx<'_>, policy: &ContentPolicy) -> Result<(Vec<Wanted>, Vec<ContentDigest>), StoreError> {
    let mut found: BTreeMap<ContentDigest, Wanted> = BTreeMap::new();
    let mut add = |files: Vec<NeededFile>, why: Why| {
        for file in files.into_iter().filter(|file| file.holding == Holding::Wanted) {
            let entry = found.entry(file.digest).or_insert_with(|| Wanted { file, why });
            entry.why = entry.why.min(why);
        }
    };
    add(tx.content_licences(policy)?, Why::Licence);
    add(tx.deployment_files_missing(policy)?, Why::Deployment);
    if policy.mode == ContentMode::Immediately {
        add(tx.content_needed(NeededBy::Live, policy)?, Why::Everything);
    }
    let requested = tx.content_requested(policy)?;
    let mut settled: Vec<ContentDigest> = tx.content_request_list()?.into_iter().map(|row| row.digest).collect();
    settled.retain(|digest| {
        let row = requested.binary_search_by_key(digest, |file| file.digest).ok().and_then(|at| requested.get(at));
        row.is_none_or(|file| file.holding != Holding::Wanted)
    });
    add(requested, Why::Request);
    let mut wanted: Vec<Wanted> = found.into_values().collect();
    wanted.sort_by_key(|wanted| (wanted.why, wanted.file.size, wanted.file.digest));
    Ok((wanted, settled))
}
