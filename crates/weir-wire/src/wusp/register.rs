//! RegisterComputer (MS-WUSP 2.2.2.2.3, 3.1.5.5).

use jiff::Timestamp;

use super::{Cookie, bounds::InvalidParameter, cookie::sealed};
use crate::soap::record;

record! {
    /// Tells what kind of computer this is.
    pub struct RegisterComputer {
        /// The cookie.
        cookie: Option<Cookie> = "cookie",
        /// The computer.
        computer_info: Option<ComputerInfo> = "computerInfo",
    }
}

impl RegisterComputer {
    /// The sealed bytes of the cookie; `None` means InvalidCookie.
    pub fn sealed(&self) -> Option<&[u8]> {
        sealed(self.cookie.as_ref())
    }

    /// Checks what the schema does not say, and returns the description.
    ///
    /// # Errors
    ///
    /// There is none, or it lacks the computer's name.
    pub fn validate(&self) -> Result<&ComputerInfo, InvalidParameter> {
        let info = self.computer_info.as_ref().ok_or(InvalidParameter::missing("computerInfo"))?;
        match info.dns_name.as_deref() {
            Some(name) if !crate::soap::trim(name).is_empty() => Ok(info),
            _ => Err(InvalidParameter::missing("computerInfo.DnsName")),
        }
    }
}

record! {
    /// A computer's description of itself: informational only, and hostile text when displayed (MS-WUSP 5.1).
    pub struct ComputerInfo {
        /// The name, that of GetAuthorizationCookie.
        dns_name: Option<String> = "DnsName",
        /// Windows version.
        os_major_version: i32 = "OSMajorVersion",
        /// Windows version.
        os_minor_version: i32 = "OSMinorVersion",
        /// Windows version.
        os_build_number: i32 = "OSBuildNumber",
        /// Service pack.
        os_service_pack_major_number: i16 = "OSServicePackMajorNumber",
        /// Service pack.
        os_service_pack_minor_number: i16 = "OSServicePackMinorNumber",
        /// Such as `en-US`.
        os_locale: Option<String> = "OSLocale",
        /// From the firmware.
        computer_manufacturer: Option<String> = "ComputerManufacturer",
        /// From the firmware.
        computer_model: Option<String> = "ComputerModel",
        /// From the firmware.
        bios_version: Option<String> = "BiosVersion",
        /// From the firmware.
        bios_name: Option<String> = "BiosName",
        /// From the firmware.
        bios_release_date: Option<Timestamp> = "BiosReleaseDate",
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
        client_version_major_number: i16 = "ClientVersionMajorNumber",
        /// Version of the agent.
        client_version_minor_number: i16 = "ClientVersionMinorNumber",
        /// Version of the agent.
        client_version_build_number: i16 = "ClientVersionBuildNumber",
        /// Version of the agent.
        client_version_qfe_number: i16 = "ClientVersionQfeNumber",
        /// Name of the operating system; Windows 11 says `Windows 10 Pro`.
        os_description: Option<String> = "OSDescription",
        /// Maker.
        oem: Option<String> = "OEM",
        /// Model.
        device_type: Option<String> = "DeviceType",
        /// From the firmware.
        firmware_version: Option<String> = "FirmwareVersion",
        /// Of phones.
        mobile_operator: Option<String> = "MobileOperator",
    }
}

record! {
    /// Answer to RegisterComputer: empty.
    pub struct RegisterComputerAnswer {}
}
