//! SyncUpdates and SyncPrinterCatalog, the requests (MS-WUSP 2.2.2.2.4, 2.2.2.2.9).

use memchr::{memmem, memrchr};
use uuid::Uuid;
use weir_model::ids::{RevisionId, UpdateId};

use super::{
    Cookie, SystemSpec,
    bounds::{Bounds, InvalidParameter, at_most},
    cookie::sealed,
};
use crate::soap::{ClientOnly, Item, record};

record! {
    /// A scan: what is new for this computer?
    pub struct SyncUpdates {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// What the computer has.
        parameters: Option<SyncUpdateParameters> = "parameters",
    }
}

impl SyncUpdates {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the parameters.
    ///
    /// # Errors
    ///
    /// There are none, or a list is too long, or a software scan names devices.
    pub fn validate(&self, bounds: &Bounds) -> Result<&SyncUpdateParameters, InvalidParameter> {
        let parameters = self.parameters.as_ref().ok_or(InvalidParameter::missing("parameters"))?;
        let installed = &parameters.installed_non_leaf_update_ids;
        at_most(installed, bounds.installed_non_leaf, "parameters.InstalledNonLeafUpdateIDs")?;
        let other = &parameters.other_cached_update_ids;
        at_most(other, bounds.other_cached, "parameters.OtherCachedUpdateIDs")?;
        let drivers = &parameters.cached_driver_ids;
        at_most(drivers, bounds.other_cached, "parameters.CachedDriverIDs")?;
        let devices = parameters.system_spec.as_ref().is_some_and(|spec| !spec.is_empty());
        if devices && !parameters.skip_software_sync {
            return Err(InvalidParameter::new("parameters.SystemSpec", "not in a software scan"));
        }
        Ok(parameters)
    }
}

record! {
    /// Parameters of SyncUpdates, in the order that real agents send.
    pub struct SyncUpdateParameters {
        /// To be ignored.
        express_query: bool = "ExpressQuery",
        /// Installed revisions that others depend on: the only ones that meet a prerequisite.
        installed_non_leaf_update_ids: Vec<RevisionId> = "InstalledNonLeafUpdateIDs",
        /// Everything else in the cache that is no driver.
        other_cached_update_ids: Vec<RevisionId> = "OtherCachedUpdateIDs",
        /// The devices; only in a driver pass.
        system_spec: Option<SystemSpec> = "SystemSpec",
        /// Drivers in the cache.
        cached_driver_ids: Vec<RevisionId> = "CachedDriverIDs",
        /// False: software pass. True: driver pass.
        skip_software_sync: bool = "SkipSoftwareSync",
        /// Narrows the scan to these categories.
        filter_category_ids: Vec<CategoryIdentifier> = "FilterCategoryIds",
        /// Whether out-of-scope revisions are wanted in two lists.
        need_two_group_out_of_scope_updates: Option<bool> = "NeedTwoGroupOutOfScopeUpdates",
        /// Sent by agents of Windows 10 and later; not needed.
        also_perform_regular_sync: ClientOnly<bool> = "AlsoPerformRegularSync",
        /// Ids of the computer as a whole.
        computer_spec: Option<ComputerSpec> = "ComputerSpec",
        /// Such as `AMD64.10.0`.
        feature_score_matching_key: Option<String> = "FeatureScoreMatchingKey",
        /// Sent by agents of Windows 10 and later; not needed.
        products_parameters: ClientOnly<ProductsParameters> = "ProductsParameters",
    }
}

impl SyncUpdateParameters {
    /// Parameters that name nothing: those of a first software pass.
    pub fn new() -> Self {
        Self {
            express_query: false,
            installed_non_leaf_update_ids: Vec::new(),
            other_cached_update_ids: Vec::new(),
            system_spec: None,
            cached_driver_ids: Vec::new(),
            skip_software_sync: false,
            filter_category_ids: Vec::new(),
            need_two_group_out_of_scope_updates: Some(true),
            also_perform_regular_sync: ClientOnly(Some(false)),
            computer_spec: Some(ComputerSpec { hardware_ids: Vec::new() }),
            feature_score_matching_key: None,
            products_parameters: ClientOnly(None),
        }
    }

    /// The categories of the filter.
    pub fn filter(&self) -> impl Iterator<Item = UpdateId> {
        self.filter_category_ids.iter().map(|category| category.id)
    }
}

impl Default for SyncUpdateParameters {
    fn default() -> Self {
        Self::new()
    }
}

record! {
    /// A category of the filter.
    pub struct CategoryIdentifier {
        /// Its update id.
        id: UpdateId = "Id",
    }
}

impl Item for CategoryIdentifier {
    const NAME: &'static str = "CategoryIdentifier";
}

record! {
    /// Ids of the computer as a whole.
    pub struct ComputerSpec {
        /// Computer hardware ids, the most specific first.
        hardware_ids: Vec<Uuid> = "HardwareIDs",
    }
}

record! {
    /// What native agents tell about themselves in a scan.
    pub struct ProductsParameters {
        /// Always false as recorded.
        sync_current_version_only: bool = "SyncCurrentVersionOnly",
        /// `name=value;` pairs.
        device_attributes: String = "DeviceAttributes",
        /// `name=value;` pairs.
        caller_attributes: String = "CallerAttributes",
        /// Empty as recorded.
        products: String = "Products",
    }
}

impl ProductsParameters {
    /// The bytes at the end of a request in which [`ProductsParameters::device_attributes`] are looked for; recorded ones have two
    /// thousand.
    const TAIL: usize = 16_384;

    /// The `name=value;` pairs of a SyncUpdates request, looked up in the body that it was parsed from, as they are written there.
    /// No answer depends on them: there is none where they are not found, and nothing about them is an error.
    pub fn device_attributes_of(body: &[u8]) -> Option<&str> {
        let tail = body.get(body.len().saturating_sub(Self::TAIL)..)?;
        let close = memmem::rfind(tail, b"DeviceAttributes>")?;
        let open = memrchr(b'<', tail.get(..close)?)?;
        let text = tail.get(..open)?;
        let begin = memrchr(b'>', text)?;
        std::str::from_utf8(text.get(begin + 1..)?).ok()
    }
}

record! {
    /// Asks for the printer drivers that this computer may use. Never seen in use.
    pub struct SyncPrinterCatalog {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// As in [`SyncUpdateParameters`].
        installed_non_leaf_update_ids: Vec<RevisionId> = "installedNonLeafUpdateIDs",
        /// Printer drivers in the cache.
        printer_update_ids: Vec<RevisionId> = "printerUpdateIDs",
    }
}

impl SyncPrinterCatalog {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say.
    ///
    /// # Errors
    ///
    /// A list is too long.
    pub fn validate(&self, bounds: &Bounds) -> Result<(), InvalidParameter> {
        let installed = &self.installed_non_leaf_update_ids;
        at_most(installed, bounds.installed_non_leaf, "installedNonLeafUpdateIDs")?;
        at_most(&self.printer_update_ids, bounds.other_cached, "printerUpdateIDs")
    }
}
