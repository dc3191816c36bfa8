//! GetExtendedUpdateInfo and GetExtendedUpdateInfo2 (MS-WUSP 2.2.2.2.6, 2.2.2.2.10).

use weir_model::ids::RevisionId;

use super::{
    Cookie, FileLocation, WireIdentity,
    bounds::{Bounds, InvalidParameter, at_most},
    cookie::sealed,
};
use crate::soap::{Binary, ClientOnly, Content, Cursor, Item, Malformed, Xml, record};

record! {
    /// Asks for the rest of what there is to know of revisions.
    pub struct GetExtendedUpdateInfo {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The revisions, by this server's numbers.
        revision_ids: Vec<RevisionId> = "revisionIDs",
        /// Which fragments.
        info_types: Vec<FragmentType> = "infoTypes",
        /// Languages of localized fragments.
        locales: Vec<String> = "locales",
        /// Sent by agents of Windows 10 and later; not needed.
        device_attributes: ClientOnly<String> = "deviceAttributes",
        /// Where the computer is, three letters.
        geo_id: Option<String> = "GeoId",
        /// Who asks; not needed.
        caller_attributes: ClientOnly<String> = "callerAttributes",
    }
}

impl GetExtendedUpdateInfo {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say.
    ///
    /// # Errors
    ///
    /// No revisions or too many, no fragment types, or localized ones without languages.
    pub fn validate(&self, bounds: &Bounds) -> Result<(), InvalidParameter> {
        if self.revision_ids.is_empty() {
            return Err(InvalidParameter::missing("revisionIDs"));
        }
        at_most(&self.revision_ids, bounds.extended_updates, "revisionIDs")?;
        validate_types(&self.info_types, &self.locales)
    }
}

fn validate_types(types: &[FragmentType], locales: &[String]) -> Result<(), InvalidParameter> {
    if types.is_empty() {
        return Err(InvalidParameter::missing("infoTypes"));
    }
    if locales.is_empty() && types.iter().any(|kind| kind.is_localized()) {
        return Err(InvalidParameter::missing("locales"));
    }
    Ok(())
}

/// Kinds of fragments (MS-WUSP 2.2.3.2.8).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FragmentType {
    /// What a scan delivers.
    Core,
    /// Licence terms, by language.
    Eula,
    /// Properties, files and handler data.
    Extended,
    /// Adds nothing to an answer.
    FileDecryption,
    /// Where files are.
    FileUrl,
    /// Titles and descriptions, by language.
    LocalizedProperties,
    /// No derivation is given: adds nothing to an answer.
    Published,
    /// No derivation is given: adds nothing to an answer.
    VerificationRule,
}

impl FragmentType {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Core,
        Self::Eula,
        Self::Extended,
        Self::FileDecryption,
        Self::FileUrl,
        Self::LocalizedProperties,
        Self::Published,
        Self::VerificationRule,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "Core",
            Self::Eula => "Eula",
            Self::Extended => "Extended",
            Self::FileDecryption => "FileDecryption",
            Self::FileUrl => "FileUrl",
            Self::LocalizedProperties => "LocalizedProperties",
            Self::Published => "Published",
            Self::VerificationRule => "VerificationRule",
        }
    }

    /// Whether there is one per language.
    pub fn is_localized(self) -> bool {
        matches!(self, Self::Eula | Self::LocalizedProperties)
    }
}

impl Content for FragmentType {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        cursor.value(|text| {
            let found = Self::ALL.into_iter().find(|kind| kind.name() == crate::soap::trim(text));
            found.ok_or("not a fragment type")
        })
    }

    fn put(&self, xml: &mut Xml<'_>) {
        xml.raw(self.name());
    }
}

impl Item for FragmentType {
    const NAME: &'static str = "XmlUpdateFragmentType";
}

record! {
    /// One fragment of one revision.
    pub struct UpdateData {
        /// The revision; repeated for each of its fragments.
        id: RevisionId = "ID",
        /// The fragment, unescaped.
        xml: Option<String> = "Xml",
    }
}

impl Item for UpdateData {
    const NAME: &'static str = "Update";
}

record! {
    /// Fragments and locations. [`super::ExtendedWriter`] writes large ones.
    pub struct ExtendedUpdateInfo {
        /// The fragments.
        updates: Vec<UpdateData> = "Updates",
        /// Where the files of the revisions are.
        file_locations: Vec<FileLocation> = "FileLocations",
        /// Revisions that are not for this computer.
        out_of_scope_revision_ids: Vec<RevisionId> = "OutOfScopeRevisionIDs",
    }
}

record! {
    /// Answer to GetExtendedUpdateInfo.
    pub struct GetExtendedUpdateInfoAnswer {
        /// Fragments and locations.
        result: Option<ExtendedUpdateInfo> = "GetExtendedUpdateInfoResult",
    }
}

record! {
    /// As [`GetExtendedUpdateInfo`], by identity.
    pub struct GetExtendedUpdateInfo2 {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The revisions.
        update_ids: Vec<WireIdentity> = "updateIDs",
        /// Which fragments.
        info_types: Vec<FragmentType> = "infoTypes",
        /// Languages of localized fragments.
        locales: Vec<String> = "locales",
        /// Sent by agents of Windows 10 and later; not needed.
        device_attributes: ClientOnly<String> = "deviceAttributes",
        /// Who asks; not needed.
        caller_attributes: ClientOnly<String> = "callerAttributes",
    }
}

impl GetExtendedUpdateInfo2 {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say.
    ///
    /// # Errors
    ///
    /// As of [`GetExtendedUpdateInfo::validate`].
    pub fn validate(&self, bounds: &Bounds) -> Result<(), InvalidParameter> {
        if self.update_ids.is_empty() {
            return Err(InvalidParameter::missing("updateIDs"));
        }
        if self.update_ids.len() > bounds.extended_updates {
            return Err(InvalidParameter::new("updateIDs", "too many entries"));
        }
        validate_types(&self.info_types, &self.locales)
    }
}

record! {
    /// Fragments, locations and keys. Plain files have no keys.
    pub struct ExtendedUpdateInfo2 {
        /// The fragments.
        updates: Vec<UpdateData> = "Updates",
        /// Where the files of the revisions are.
        file_locations: Vec<FileLocation> = "FileLocations",
        /// Keys.
        file_decryption_data: Vec<FileDecryption> = "FileDecryptionData",
        /// Keys.
        file_decryption_data2: Vec<FileDecryption2> = "FileDecryptionData2",
        /// Which revisions have encrypted files.
        update_encryption_details: Vec<UpdateEncryptionDetail> = "UpdateEncryptionDetails",
    }
}

record! {
    /// The key of a file.
    pub struct FileDecryption {
        /// SHA-1 of the file.
        file_digest: Option<Binary> = "FileDigest",
        /// The key.
        decryption_key: Option<Binary> = "DecryptionKey",
        /// One entry, equal to the key.
        security_data: Vec<Binary> = "SecurityData",
    }
}

impl Item for FileDecryption {
    const NAME: &'static str = "FileDecryption";
}

record! {
    /// The key of a file.
    pub struct FileDecryption2 {
        /// SHA-1 of the file.
        file_digest: Option<Binary> = "FileDigest",
        /// The key.
        decryption_key: Option<Binary> = "DecryptionKey",
        /// One entry, equal to the key.
        security_data: Vec<Binary> = "SecurityData",
    }
}

impl Item for FileDecryption2 {
    const NAME: &'static str = "FileDecryption2";
}

record! {
    /// Whether a revision has encrypted files.
    pub struct UpdateEncryptionDetail {
        /// The revision.
        update_identity: Option<WireIdentity> = "UpdateIdentity",
        /// Whether it has.
        has_encrypted_files: bool = "HasEncryptedFiles",
    }
}

impl Item for UpdateEncryptionDetail {
    const NAME: &'static str = "UpdateEncryptionDetail";
}

record! {
    /// Answer to GetExtendedUpdateInfo2.
    pub struct GetExtendedUpdateInfo2Answer {
        /// Fragments, locations and keys.
        result: Option<ExtendedUpdateInfo2> = "GetExtendedUpdateInfo2Result",
    }
}
