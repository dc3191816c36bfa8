//! GetFileLocations (MS-WUSP 2.2.2.2.7, 3.1.5.10).

use weir_model::ids::ContentDigest;

use super::{Cookie, bounds::InvalidParameter, cookie::sealed};
use crate::soap::{Binary, Item, record};

record! {
    /// Asks where files are.
    pub struct GetFileLocations {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// SHA-1 digests.
        file_digests: Vec<Binary> = "fileDigests",
    }
}

impl GetFileLocations {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the digests.
    ///
    /// # Errors
    ///
    /// None are given, or one has not exactly 20 bytes.
    pub fn validate(&self) -> Result<Vec<ContentDigest>, InvalidParameter> {
        if self.file_digests.is_empty() {
            return Err(InvalidParameter::missing("fileDigests"));
        }
        let digest = |bytes: &Binary| bytes.0.as_slice().try_into().map(ContentDigest);
        let digests: Result<_, _> = self.file_digests.iter().map(digest).collect();
        digests.map_err(|_| InvalidParameter::new("fileDigests", "not a digest of 20 bytes"))
    }
}

record! {
    /// Where a file is.
    pub struct FileLocation {
        /// SHA-1 of the file.
        file_digest: Option<Binary> = "FileDigest",
        /// Its address.
        url: Option<String> = "Url",
        /// Not used by this server.
        pieces_hash_url: Option<String> = "PiecesHashUrl",
        /// Not used by this server.
        block_map_url: Option<String> = "BlockMapUrl",
        /// Of encrypted files, which this server has not.
        decryption_information: Option<String> = "DecryptionInformation",
        /// `SHA1` in GetExtendedUpdateInfo2, else absent.
        file_digest_algorithm: Option<String> = "FileDigestAlgorithm",
        /// Of encrypted files.
        encrypted_file_digest: Option<Binary> = "EncryptedFileDigest",
        /// Of encrypted files.
        encrypted_file_digest_algorithm: Option<String> = "EncryptedFileDigestAlgorithm",
    }
}

impl FileLocation {
    /// Digest and address, which are all that a plain file has (OBS).
    pub fn new(digest: ContentDigest, url: String) -> Self {
        Self {
            file_digest: Some(Binary(digest.0.to_vec())),
            url: Some(url),
            pieces_hash_url: None,
            block_map_url: None,
            decryption_information: None,
            file_digest_algorithm: None,
            encrypted_file_digest: None,
            encrypted_file_digest_algorithm: None,
        }
    }

    /// Names the algorithm of the digest, as GetExtendedUpdateInfo2 must (MS-WUSP product note 33).
    pub fn with_algorithm(self) -> Self {
        Self { file_digest_algorithm: Some("SHA1".to_owned()), ..self }
    }
}

impl Item for FileLocation {
    const NAME: &'static str = "FileLocation";
}

record! {
    /// Locations and a cookie.
    pub struct FileLocationsResult {
        /// Of the files that this server knows.
        file_locations: Vec<FileLocation> = "FileLocations",
        /// A cookie like the old.
        new_cookie: Option<Cookie> = "NewCookie",
    }
}

record! {
    /// Answer to GetFileLocations.
    pub struct GetFileLocationsAnswer {
        /// Locations and a cookie.
        result: Option<FileLocationsResult> = "GetFileLocationsResult",
    }
}
