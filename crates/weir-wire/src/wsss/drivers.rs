//! GetDriverIdList and GetDriverSetData (MS-WSUSSS 3.1.4.8, 3.1.4.9), which only Microsoft's own server carries out.

use uuid::Uuid;
use weir_model::ids::UpdateIdentity;

use super::{AnchorText, Cookie, IdAndDelta, Present, Refusal, authorization::sealed};
use crate::soap::{ErrorCode, Item, nested, record};

record! {
    /// Asks for drivers.
    pub struct GetDriverIdList {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// Which drivers.
        filter: Option<ServerSyncDriverFilter> = "filter",
    }
}

impl GetDriverIdList {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks that nothing is asked of a server whose limits are 0, and returns the filter.
    ///
    /// # Errors
    ///
    /// There is no filter, or it names a computer or a device.
    pub fn validate(&self) -> Result<&ServerSyncDriverFilter, Refusal> {
        let filter = self.filter.as_ref().ok_or(Refusal::missing("filter"))?;
        if !filter.computer_ids.is_empty() || !filter.pnp_hardware_ids.is_empty() {
            return Err(Refusal::parameter("filter", "drivers are exchanged as ordinary updates"));
        }
        Ok(filter)
    }
}

record! {
    /// Which drivers are asked for.
    #[derive(Default)]
    pub struct ServerSyncDriverFilter {
        /// The first Anchor of before.
        anchor: AnchorText = "Anchor",
        /// Products.
        categories: Vec<IdAndDelta> = "Categories",
        /// Computer hardware ids; driver sets are found by them.
        computer_ids: Vec<IdAndDelta> = "ComputerIds",
        /// Drivers are found by them.
        pnp_hardware_ids: Vec<HardwareIdAndDelta> = "PnpHardwareIds",
    }
}

record! {
    /// A hardware id, and whether only changes since the anchor are wanted of it.
    #[derive(Eq)]
    pub struct HardwareIdAndDelta {
        /// In any case.
        id: String = "Id",
        /// False: everything, although an anchor is given.
        delta: bool = "Delta",
    }
}

impl Item for HardwareIdAndDelta {
    const NAME: &'static str = "HardwareIdAndDelta";
}

record! {
    /// Drivers that are new.
    #[derive(Default)]
    pub struct DriverIdList {
        /// To be given back next time.
        anchor: AnchorText = "Anchor",
        /// Drivers.
        new_revisions: Present<UpdateIdentity> = "NewRevisions",
        /// Driver sets.
        new_driver_sets: Present<Uuid> = "NewDriverSets",
        /// Driver sets that are no more.
        removed_driver_sets: Present<Uuid> = "RemovedDriverSets",
    }
}

record! {
    /// Answer to GetDriverIdList.
    pub struct GetDriverIdListAnswer {
        /// Drivers.
        result: DriverIdList = "GetDriverIdListResult",
    }
}

record! {
    /// Asks for documents of driver sets.
    pub struct GetDriverSetData {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// Which.
        driver_sets: Option<Vec<Uuid>> = "driverSets",
    }
}

impl GetDriverSetData {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the driver sets.
    ///
    /// # Errors
    ///
    /// The list is absent (InvalidParameters), or longer than `limit` (TooManyIds).
    pub fn validate(&self, limit: usize) -> Result<&[Uuid], Refusal> {
        let sets = self.driver_sets.as_ref().ok_or(Refusal::missing("driverSets"))?;
        if sets.len() > limit {
            let problem = "more than the configuration allows";
            return Err(Refusal { code: ErrorCode::TooManyIds, path: "driverSets", problem });
        }
        Ok(sets)
    }
}

record! {
    /// The document of a driver set.
    pub struct ServerSyncDriverSetData {
        /// The driver set.
        driver_set_id: Uuid = "DriverSetId",
        /// The document.
        driver_set_xml: Option<String> = "DriverSetXml",
    }
}

impl Item for ServerSyncDriverSetData {
    const NAME: &'static str = "ServerSyncDriverSetData";
}

record! {
    /// Documents of driver sets.
    #[derive(Default)]
    pub struct DriverSetData {
        /// The documents.
        driver_sets: Present<ServerSyncDriverSetData> = "DriverSets",
    }
}

record! {
    /// Answer to GetDriverSetData.
    pub struct GetDriverSetDataAnswer {
        /// The documents.
        result: DriverSetData = "GetDriverSetDataResult",
    }
}

nested! { DriverIdList, DriverSetData, }
