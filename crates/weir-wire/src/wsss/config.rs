//! GetConfigData (MS-WSUSSS 3.1.4.4).

use super::{AnchorText, Cookie, Present, Refusal, authorization::sealed};
use crate::soap::{Item, nested, record};

record! {
    /// Asks for limits, languages and the content mode.
    pub struct GetConfigData {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The NewConfigAnchor of before.
        config_anchor: AnchorText = "configAnchor",
    }
}

impl GetConfigData {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the anchor.
    ///
    /// # Errors
    ///
    /// The anchor has another form.
    pub fn validate(&self) -> Result<Option<super::Anchor>, Refusal> {
        self.config_anchor.anchor().map_err(|_| Refusal::parameter("configAnchor", "not an anchor of this server"))
    }
}

record! {
    /// A language and whether the server synchronizes it.
    pub struct ServerSyncLanguageData {
        /// An LCID; 0 stands for all.
        language_id: i32 = "LanguageID",
        /// Such as `en`.
        short_language: Option<String> = "ShortLanguage",
        /// Such as `English`.
        long_language: Option<String> = "LongLanguage",
        /// Whether it is wanted.
        enabled: bool = "Enabled",
    }
}

impl Item for ServerSyncLanguageData {
    const NAME: &'static str = "ServerSyncLanguageData";
}

record! {
    /// Configuration of a server, in the order of the recorded one. Absent numbers are read as 0.
    pub struct ServerSyncConfigData {
        /// Whether it holds no content; then files come from their publisher.
        catalog_only_sync: bool = "CatalogOnlySync",
        /// Whether it fetches files only after an approval.
        lazy_sync: bool = "LazySync",
        /// Whether it keeps express files.
        server_hosts_psf_files: bool = "ServerHostsPsfFiles",
        /// 0 unless it is Microsoft's own.
        max_number_of_computer_ids_in_request: i32 = "MaxNumberOfComputerIdsInRequest",
        /// 0 unless it is Microsoft's own.
        max_number_of_driver_sets_per_request: i32 = "MaxNumberOfDriverSetsPerRequest",
        /// 0 unless it is Microsoft's own.
        max_number_of_pnp_hardware_ids_in_request: i32 = "MaxNumberOfPnpHardwareIdsInRequest",
        /// Revisions in one GetUpdateData.
        max_number_of_updates_per_request: i32 = "MaxNumberOfUpdatesPerRequest",
        /// To be given back next time.
        new_config_anchor: AnchorText = "NewConfigAnchor",
        /// The server's protocol, `x.y`.
        protocol_version: Option<String> = "ProtocolVersion",
        /// Languages that changed since the anchor.
        language_update_list: Present<ServerSyncLanguageData> = "LanguageUpdateList",
        /// Revisions in one GetUpdateDecryptionData; 0 if it is not offered.
        max_updates_per_decryption_request: i32 = "MaxUpdatesPerRequestInGetUpdateDecryptionData",
    }
}

impl ServerSyncConfigData {
    /// What recorded servers allow in one GetUpdateData.
    pub const UPDATES_PER_REQUEST: i32 = 100;

    /// How many revisions one GetUpdateData may name: at least 1, and the usual 100 if the server does not say.
    pub fn updates_per_request(&self) -> usize {
        match usize::try_from(self.max_number_of_updates_per_request) {
            Ok(0) | Err(_) => Self::UPDATES_PER_REQUEST as usize,
            Ok(number) => number,
        }
    }
}

record! {
    /// Answer to GetConfigData.
    pub struct GetConfigDataAnswer {
        /// The configuration.
        result: ServerSyncConfigData = "GetConfigDataResult",
    }
}

nested! { ServerSyncConfigData, }
