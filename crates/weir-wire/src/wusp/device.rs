//! The devices of a driver scan (MS-WUSP 2.2.2.2.4).

use std::ops::Range;

use jiff::Timestamp;
use uuid::Uuid;

use crate::soap::{Binding, Content, Cursor, Item, Limits, Malformed, Nillable, Reason, Xml, record};

/// The device list of a SyncUpdates request.
///
/// It makes up nearly all of a driver pass, and most driver passes meet a catalogue without a driver in scope. So a read
/// request only remembers where the list is; [`SystemSpec::devices`] reads it when it is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemSpec(Spec);

#[derive(Clone, Debug, PartialEq)]
enum Spec {
    /// Where the list is in the body: its content and its end tag, whose name is given.
    Unread {
        range: Range<usize>,
        name: Box<str>,
        bindings: Vec<Binding>,
    },
    Devices(Vec<Device>),
}

impl SystemSpec {
    /// A list to be sent.
    pub fn new(devices: Vec<Device>) -> Self {
        Self(Spec::Devices(devices))
    }

    /// Whether it names no device: as good as absent.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Spec::Devices(devices) if devices.is_empty())
    }

    /// Reads the list out of the body that the request was parsed from.
    ///
    /// # Errors
    ///
    /// The list is malformed, or exceeds a limit. Another body than that of the request gives an error, or devices that
    /// nobody sent.
    pub fn devices(&self, body: &[u8], limits: &Limits) -> Result<Vec<Device>, Reason> {
        match &self.0 {
            Spec::Devices(devices) => Ok(devices.clone()),
            Spec::Unread { range, name, bindings } => {
                let broken = Reason::Xml { position: range.start };
                let text = body.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(broken)?;
                let mut cursor = Cursor::inside(text, name, bindings, limits);
                let devices = Vec::<Device>::read(&mut cursor)?;
                cursor.finish()?;
                Ok(devices)
            }
        }
    }
}

impl Content for SystemSpec {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let name = cursor.open_name().into();
        let bindings = cursor.bindings().to_vec();
        let range = cursor.skip_fast()?;
        let blank = cursor.slice(&range).trim_start_matches([' ', '\t', '\r', '\n']);
        let empty = blank.is_empty() || blank.starts_with("</");
        Ok(if empty { Self::new(Vec::new()) } else { Self(Spec::Unread { range, name, bindings }) })
    }

    fn put(&self, xml: &mut Xml<'_>) {
        if let Spec::Devices(devices) = &self.0 {
            devices.put(xml);
        }
    }
}

record! {
    /// One device of a computer.
    pub struct Device {
        /// From the most to the least specific.
        hardware_ids: Vec<String> = "HardwareIDs",
        /// From the most to the least specific; all less so than the hardware ids.
        compatible_ids: Vec<String> = "CompatibleIDs",
        /// The driver it has.
        installed_driver: Option<InstalledDriver> = "installedDriver",
        /// The extension drivers it has.
        extension_drivers: Vec<ExtensionDriver> = "extensionDrivers" | "extensionDriver",
        /// Drivers to recover.
        driver_recovery_ids: Vec<RecoveryId> = "DriverRecoveryIDs",
        /// 1: not Plug and Play, such as a printer.
        device_flags: Option<u8> = "DeviceFlags",
    }
}

impl Item for Device {
    const NAME: &'static str = "Device";
}

/// Names a driver to recover.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecoveryId(pub String);

impl Content for RecoveryId {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        String::read(cursor).map(Self)
    }

    fn put(&self, xml: &mut Xml<'_>) {
        self.0.put(xml);
    }
}

impl Item for RecoveryId {
    const NAME: &'static str = "DriverRecoveryID";
}

record! {
    /// The driver of a device. Without a MatchingID the device has none.
    pub struct InstalledDriver {
        /// The hardware or compatible id that the driver was chosen for.
        matching_id: Option<String> = "MatchingID",
        /// Date of the driver.
        driver_ver_date: Option<Timestamp> = "DriverVerDate",
        /// Version of the driver: a.b.c.d as four numbers of 16 bits, the first the highest.
        driver_ver_version: i64 = "DriverVerVersion",
        /// A GUID in braces, or `Printer`.
        class: Option<String> = "Class",
        /// Of printers.
        manufacturer: Option<String> = "Manufacturer",
        /// Of printers.
        provider: Option<String> = "Provider",
        /// Of printers.
        model: Option<String> = "Model",
        /// The computer hardware id that the driver was chosen for.
        matching_computer_hwid: Nillable<Uuid> = "MatchingComputerHWID",
        /// Rank; bits 16 to 23 are the feature score. -1: unknown.
        driver_rank: i32 = "DriverRank",
        /// Sent by agents of Windows 10 and later.
        skip_provider_filtering: Option<bool> = "SkipProviderFiltering",
        /// Sent by agents of Windows 10 and later.
        is_generic: Option<bool> = "IsGeneric",
    }
}

record! {
    /// An extension driver of a device. The service description spells list and entry `extensionDriver`, agents send
    /// `extensionDrivers` and `ExtensionDriver`; both are read.
    pub struct ExtensionDriver {
        /// What it extends: extensions with the same id replace each other.
        extension_id: Option<String> = "ExtensionId",
        /// Date of the driver.
        driver_ver_date: Option<Timestamp> = "DriverVerDate",
        /// Version of the driver, as of [`InstalledDriver`].
        driver_ver_version: i64 = "DriverVerVersion",
        /// A GUID in braces.
        class: Option<String> = "Class",
        /// Rank, as of [`InstalledDriver`].
        driver_rank: i32 = "DriverRank",
        /// The computer hardware id that the driver was chosen for.
        matching_computer_hwid: Nillable<Uuid> = "MatchingComputerHWID",
    }
}

impl Item for ExtensionDriver {
    const NAME: &'static str = "ExtensionDriver";

    fn is(name: &str) -> bool {
        name.eq_ignore_ascii_case(Self::NAME)
    }
}
