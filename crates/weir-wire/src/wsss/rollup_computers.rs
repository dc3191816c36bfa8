//! RollupComputers (MS-WSUSSS 3.1.4.15), whose records are in XML attributes.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::CollectionId;

use super::{Cookie, Present, Refusal, Since, attributes::attributed};
use crate::soap::{Item, record};

record! {
    /// Tells of the computers of the sender and of all servers below it.
    pub struct RollupComputers {
        /// The constant cookie.
        cookie: Option<Cookie> = "cookie",
        /// The sender's clock.
        client_time: Option<Timestamp> = "clientTime",
        /// The computers.
        computers: Option<Vec<ComputerRollupInfo>> = "computers",
    }
}

impl RollupComputers {
    /// Checks what the schema does not say, and returns the computers and the sender's clock.
    ///
    /// # Errors
    ///
    /// The list is absent or longer than `limit`, or the time is absent.
    pub fn validate(&self, limit: usize) -> Result<(&[ComputerRollupInfo], Timestamp), Refusal> {
        let computers = self.computers.as_ref().ok_or(Refusal::missing("computers"))?;
        if computers.len() > limit {
            return Err(Refusal::parameter("computers", "more than the configuration allows"));
        }
        Ok((computers, self.client_time.ok_or(Refusal::missing("clientTime"))?))
    }
}

attributed! {
    /// A computer.
    #[derive(Default)]
    pub struct ComputerRollupInfo {
        /// The id that it gave itself.
        computer_id: Option<String> = "ComputerId",
        /// When it last scanned.
        last_sync_time: Since = "LastSyncTime",
        /// 0 unknown, 1 succeeded, 2 failed.
        last_sync_result: i32 = "LastSyncResult",
        /// When it last restarted.
        last_reported_reboot_time: Since = "LastReportedRebootTime",
        /// When it last told the status of updates.
        last_reported_status_time: Since = "LastReportedStatusTime",
        /// When it last sent an inventory.
        last_inventory_time: Since = "LastInventoryTime",
        /// The server that it scans against; zero stands for the receiver.
        parent_server_id: Uuid = "ParentServerId",
    } with {
        /// What it is; only if that changed.
        details: Option<ComputerRollupDetails> = "Details",
    }
}

impl Item for ComputerRollupInfo {
    const NAME: &'static str = "ComputerRollupInfo";
}

attributed! {
    /// What a computer is.
    #[derive(Default)]
    pub struct ComputerRollupDetails {
        /// Its address.
        ip_address: Option<String> = "IPAddress",
        /// Its name.
        full_domain_name: Option<String> = "FullDomainName",
        /// Windows version.
        os_major_version: i32 = "OSMajorVersion",
        /// Windows version.
        os_minor_version: i32 = "OSMinorVersion",
        /// Windows version.
        os_build_number: i32 = "OSBuildNumber",
        /// Service pack.
        os_service_pack_major_number: i32 = "OSServicePackMajorNumber",
        /// Service pack.
        os_service_pack_minor_number: i32 = "OSServicePackMinorNumber",
        /// Such as `en-US`.
        os_locale: Option<String> = "OSLocale",
        /// Such as `Windows`.
        os_family: Option<String> = "OSFamily",
        /// Name of the operating system.
        os_description: Option<String> = "OSDescription",
        /// From the firmware.
        computer_make: Option<String> = "ComputerMake",
        /// From the firmware.
        computer_model: Option<String> = "ComputerModel",
        /// From the firmware.
        bios_version: Option<String> = "BiosVersion",
        /// From the firmware.
        bios_name: Option<String> = "BiosName",
        /// From the firmware.
        bios_release_date: Since = "BiosReleaseDate",
        /// Free text, such as `AMD64`.
        processor_architecture: Option<String> = "ProcessorArchitecture",
        /// `OSVERSIONINFOEX.wSuiteMask`.
        suite_mask: i16 = "SuiteMask",
        /// 1 workstation, 2 domain controller, 3 server.
        old_product_type: u8 = "OldProductType",
        /// `GetProductInfo`.
        new_product_type: i32 = "NewProductType",
        /// `GetSystemMetrics`.
        system_metrics: i32 = "SystemMetrics",
        /// Version of the agent.
        client_version: Option<String> = "ClientVersion",
    } with {
        /// The target groups that it is in.
        target_group_id_list: Option<Vec<CollectionId>> = "TargetGroupIdList",
        /// Names of the target groups that it asked for.
        requested_target_group_names: Option<Vec<String>> = "RequestedTargetGroupNames",
    }
}

/// What the receiver wants done about a computer.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ComputerChange {
    /// Forget it.
    Deleted,
    /// Send it again, with details.
    #[default]
    NewParent,
}

attributed! {
    /// A computer about which something is to be done.
    #[derive(Default, Eq)]
    pub struct ChangedComputer {
        /// The computer.
        computer_id: Option<String> = "ComputerId",
        /// What.
        change: ComputerChange = "Change",
    } with {
    }
}

impl Item for ChangedComputer {
    const NAME: &'static str = "ChangedComputer";
}

record! {
    /// Answer to RollupComputers.
    pub struct RollupComputersAnswer {
        /// At most one entry per computer.
        result: Present<ChangedComputer> = "RollupComputersResult",
    }
}
