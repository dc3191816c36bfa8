//! Devices of a driver pass, from the wire to the catalogue engine.

use weir_model::catalogue::{Device, InstalledDriver, InstalledExtension};
use weir_wire::wusp;

/// The first instant of year 1, which agents send for a driver without a date.
const NO_DATE: i64 = -62_135_596_800_000;

pub(super) fn device(wire: wusp::Device) -> Device {
    Device {
        hardware_ids: wire.hardware_ids,
        compatible_ids: wire.compatible_ids,
        installed: wire.installed_driver.map(installed),
        extensions: wire.extension_drivers.into_iter().map(extension).collect(),
    }
}

fn installed(wire: wusp::InstalledDriver) -> InstalledDriver {
    InstalledDriver {
        matching_id: wire.matching_id,
        date_ms: wire.driver_ver_date.map_or(NO_DATE, jiff::Timestamp::as_millisecond),
        version: wire.driver_ver_version.cast_unsigned(),
        class: wire.class.unwrap_or_default(),
        manufacturer: wire.manufacturer.unwrap_or_default(),
        provider: wire.provider.unwrap_or_default(),
        matching_computer_id: wire.matching_computer_hwid.0,
        rank: wire.driver_rank,
    }
}

fn extension(wire: wusp::ExtensionDriver) -> InstalledExtension {
    InstalledExtension {
        extension_id: wire.extension_id.unwrap_or_default(),
        date_ms: wire.driver_ver_date.map_or(NO_DATE, jiff::Timestamp::as_millisecond),
        version: wire.driver_ver_version.cast_unsigned(),
        class: wire.class.unwrap_or_default(),
        rank: wire.driver_rank,
        matching_computer_id: wire.matching_computer_hwid.0,
    }
}
