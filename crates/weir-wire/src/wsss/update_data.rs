//! GetUpdateData and GetUpdateDecryptionData (MS-WSUSSS 3.1.4.6, 3.1.4.7).

use weir_model::ids::UpdateIdentity;

use super::{
    Cookie, Present, Refusal,
    authorization::sealed,
    blob::{self, BlobError},
};
use crate::soap::{Binary, Cursor, Item, nested, record};

record! {
    /// Asks for documents of updates.
    pub struct GetUpdateData {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// At most as many as the configuration says, repeats counted.
        update_ids: Option<Vec<UpdateIdentity>> = "updateIds",
    }
}

impl GetUpdateData {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the revisions, which may be none.
    ///
    /// # Errors
    ///
    /// The list is absent, or longer than `limit`.
    pub fn validate(&self, limit: usize) -> Result<&[UpdateIdentity], Refusal> {
        identities(self.update_ids.as_ref(), limit)
    }
}

record! {
    /// Asks for the keys of encrypted files.
    pub struct GetUpdateDecryptionData {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// At most as many as the configuration says, repeats counted.
        update_ids: Option<Vec<UpdateIdentity>> = "updateIds",
    }
}

impl GetUpdateDecryptionData {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// As [`GetUpdateData::validate`].
    ///
    /// # Errors
    ///
    /// The list is absent, or longer than `limit`.
    pub fn validate(&self, limit: usize) -> Result<&[UpdateIdentity], Refusal> {
        identities(self.update_ids.as_ref(), limit)
    }
}

fn identities(list: Option<&Vec<UpdateIdentity>>, limit: usize) -> Result<&[UpdateIdentity], Refusal> {
    let list = list.ok_or(Refusal::missing("updateIds"))?;
    if list.len() > limit {
        return Err(Refusal::parameter("updateIds", "more than the configuration allows"));
    }
    Ok(list)
}

record! {
    /// The document of a revision, as text or in a cabinet, and its files.
    pub struct ServerSyncUpdateData {
        /// The revision.
        id: UpdateIdentity = "Id",
        /// The document as it was published.
        xml_update_blob: Option<String> = "XmlUpdateBlob",
        /// SHA-1 digests of its files; absent if there are none.
        file_digest_list: Vec<Binary> = "FileDigestList",
        /// The document in a cabinet, see [`blob`].
        xml_update_blob_compressed: Option<Binary> = "XmlUpdateBlobCompressed",
    }
}

impl ServerSyncUpdateData {
    /// Takes the document out, whichever form it has. `limit` bounds its bytes as UTF-8 in a cabinet; text was bounded
    /// when the answer was read.
    ///
    /// # Errors
    ///
    /// There is none, or both forms, or the cabinet cannot be read.
    pub fn into_document(self, limit: u64) -> Result<String, BlobError> {
        match (self.xml_update_blob, self.xml_update_blob_compressed) {
            (Some(text), None) => Ok(text),
            (None, Some(cabinet)) => blob::decompress(&cabinet.0, limit),
            (None, None) => Err(BlobError::Absent),
            (Some(_), Some(_)) => Err(BlobError::Twice),
        }
    }
}

impl Item for ServerSyncUpdateData {
    const NAME: &'static str = "ServerSyncUpdateData";
}

record! {
    /// Where a file is.
    pub struct ServerSyncUrlData {
        /// SHA-1 of the file.
        file_digest: Option<Binary> = "FileDigest",
        /// Address at its publisher, if that is Microsoft. It may change.
        mu_url: Option<String> = "MUUrl",
        /// To be ignored; recorded as an empty element.
        uss_url: Option<String> = "UssUrl",
        /// Of encrypted files.
        decryption_key: Option<Binary> = "DecryptionKey",
    }
}

impl Item for ServerSyncUrlData {
    const NAME: &'static str = "ServerSyncUrlData";

    fn limit(cursor: &Cursor<'_>) -> usize {
        cursor.limits().ids
    }
}

record! {
    /// Documents and addresses of files. Servers write it with [`super::UpdateDataWriter`].
    pub struct ServerUpdateData {
        /// The documents: not in the order asked for, and perhaps fewer.
        updates: Present<ServerSyncUpdateData> = "updates",
        /// A row per file.
        file_urls: Present<ServerSyncUrlData> = "fileUrls",
    }
}

record! {
    /// Answer to GetUpdateData.
    pub struct GetUpdateDataAnswer {
        /// Documents and addresses.
        result: ServerUpdateData = "GetUpdateDataResult",
    }
}

record! {
    /// The key of a file.
    pub struct ServerSyncFileDecryption {
        /// SHA-1 of the file.
        file_digest: Option<Binary> = "FileDigest",
        /// Its key; absent if the file is not encrypted.
        decryption_key: Option<Binary> = "DecryptionKey",
    }
}

impl Item for ServerSyncFileDecryption {
    const NAME: &'static str = "ServerSyncFileDecryption";
}

record! {
    /// The keys of an update's files.
    pub struct ServerSyncUpdateFileDecryption {
        /// The revision.
        update_id: UpdateIdentity = "UpdateId",
        /// Its files.
        file_decryption_data: Present<ServerSyncFileDecryption> = "FileDecryptionData",
    }
}

impl Item for ServerSyncUpdateFileDecryption {
    const NAME: &'static str = "ServerSyncUpdateFileDecryption";
}

record! {
    /// The keys of files.
    #[derive(Default)]
    pub struct ServerDecryptionData {
        /// Of the updates that have any.
        updates: Present<ServerSyncUpdateFileDecryption> = "UpdateFileDecryptionData",
    }
}

record! {
    /// Answer to GetUpdateDecryptionData.
    pub struct GetUpdateDecryptionDataAnswer {
        /// The keys.
        result: ServerDecryptionData = "GetUpdateDecryptionDataResult",
    }
}

nested! { ServerDecryptionData, ServerUpdateData, }
