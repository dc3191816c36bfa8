//! Where files come from: the upstream server by the observed rule of content addresses, and the addresses that documents
//! and the upstream server gave.

use weir_model::ids::ContentDigest;
use weir_store::{ReadTx, StoreError, content::ContentStore};

/// An address to fetch a file from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Candidate {
    pub(super) url: String,
    /// It is the upstream server's: what it does not have now it can be asked for.
    pub(super) upstream: bool,
}

/// The address of a file below a root: `/Content/XX/<SHA-1>.<extension>`, all upper case but the extension, `XX` the last
/// byte of the digest.
pub(crate) fn content_url(root: &str, digest: ContentDigest, name: &str) -> String {
    let path = ContentStore::relative_path(digest, &ContentStore::extension(name));
    format!("{}/Content/{path}", root.trim_end_matches('/'))
}

/// Addresses that are known for a file, over HTTPS first.
pub(super) fn recorded(tx: &ReadTx<'_>, digest: ContentDigest) -> Result<Vec<Candidate>, StoreError> {
    let mut urls: Vec<String> = tx.file_sources(digest)?.into_iter().map(|source| source.url).collect();
    urls.sort_by_key(|url| !url.starts_with("https:"));
    Ok(urls.into_iter().map(|url| Candidate { url, upstream: false }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_last_byte_as_folder_and_upper_case_digests() {
        let mut digest = ContentDigest([0xab; 20]);
        digest.0[19] = 0x0a;
        let hex = format!("{}0A", "AB".repeat(19));
        assert_eq!(content_url("http://up:8530", digest, "Setup.CAB"), format!("http://up:8530/Content/0A/{hex}.cab"));
        assert_eq!(content_url("http://up:8530/", digest, "none"), format!("http://up:8530/Content/0A/{hex}"));
    }
}
