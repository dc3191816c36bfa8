//! DownloadFiles (MS-WSUSSS 3.1.4.11).

use weir_model::ids::ContentDigest;

use super::{Cookie, Refusal, authorization::sealed};
use crate::soap::{Binary, record};

record! {
    /// Asks the server to fetch files that it listed and does not hold.
    pub struct DownloadFiles {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// SHA-1 digests of the files.
        file_digest_list: Option<Vec<Binary>> = "fileDigestList",
    }
}

impl DownloadFiles {
    /// Most digests in one call.
    pub const MAX: usize = 100;

    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the digests; one of another length names no file.
    ///
    /// # Errors
    ///
    /// The list is absent, empty or longer than [`Self::MAX`].
    pub fn validate(&self) -> Result<&[Binary], Refusal> {
        let list = self.file_digest_list.as_deref().unwrap_or_default();
        match list.len() {
            0 => Err(Refusal::missing("fileDigestList")),
            1..=Self::MAX => Ok(list),
            _ => Err(Refusal::parameter("fileDigestList", "more than 100 digests")),
        }
    }
}

record! {
    /// Answer to DownloadFiles: empty.
    pub struct DownloadFilesAnswer {}
}

/// The message of the fault FileDigestsMissing: the digests in base64, joined by `|`.
pub fn join_digests(digests: &[Binary]) -> String {
    let mut out = String::new();
    for digest in digests {
        if !out.is_empty() {
            out.push('|');
        }
        crate::soap::write_base64(&mut out, &digest.0);
    }
    out
}

/// Reads the message of the fault FileDigestsMissing; what is no digest is left out.
pub fn split_digests(message: &str) -> Vec<ContentDigest> {
    let digest = |part: &str| ContentDigest::from_base64(part).or_else(|_| ContentDigest::from_hex(part.trim())).ok();
    message.split('|').filter_map(digest).collect()
}
