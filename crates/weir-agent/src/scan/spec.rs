//! What requests say of the computer: devices, attributes.

use jiff::Timestamp;
use weir_model::applicability::facts;
use weir_wire::{
    soap::Nillable,
    wusp::{Device, InstalledDriver},
};

use super::Options;
use crate::computer::Description;

/// `name=value;` pairs that native agents send and no server needs.
pub(super) struct Attributes {
    /// Of the computer.
    pub(super) device: String,
    /// Of who asks.
    pub(super) caller: String,
}

/// Attributes of a computer, as far as the agent knows them. Values cannot hold the separators.
pub(super) fn attributes(description: &Description, options: &Options, server: Option<&str>) -> Attributes {
    let [major, minor, build, revision] = description.os_version;
    let clean = |text: &str| text.replace([';', '='], " ");
    let device = format!(
        "App=Weir;AppVer={version};FirmwareVersion={firmware};InstallationType={kind};OEMModel={model};\
         OEMName_Uncleaned={maker};OSArchitecture={architecture};OSSkuId={edition};OSUILocale={locale};\
         OSVersion={major}.{minor}.{build}.{revision};ProductType={product};UpdateManagementGroup=2;\
         UpdateServiceUrl={server};",
        version = env!("CARGO_PKG_VERSION"),
        firmware = clean(&description.bios_version),
        kind = if description.product_type == 1 { "Client" } else { "Server" },
        model = clean(&description.model),
        maker = clean(&description.manufacturer),
        architecture = clean(&description.architecture),
        edition = description.edition,
        locale = clean(&description.locale),
        product = match description.product_type {
            1 => "WinNT",
            2 => "LanmanNT",
            _ => "ServerNT",
        },
        server = clean(server.unwrap_or_default()),
    );
    Attributes { device, caller: format!("Interactive=0;SheddingAware=1;Id={};", options.caller) }
}

/// A device as it is sent; none if it has no id by which a driver could be found.
pub(super) fn device(device: &facts::Device) -> Option<Device> {
    if device.hardware_ids.is_empty() && device.compatible_ids.is_empty() {
        return None;
    }
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let driver = device.driver.as_ref().map(|driver| InstalledDriver {
        matching_id: text(&driver.matching_id),
        driver_ver_date: Timestamp::from_millisecond(driver.date_ms).ok(),
        driver_ver_version: driver.version.cast_signed(),
        class: text(&driver.class),
        manufacturer: text(&driver.manufacturer),
        provider: text(&driver.provider),
        model: text(&driver.model),
        matching_computer_hwid: Nillable(driver.matching_computer_id),
        driver_rank: driver.rank.cast_signed(),
        skip_provider_filtering: None,
        is_generic: None,
    });
    Some(Device {
        hardware_ids: device.hardware_ids.clone(),
        compatible_ids: device.compatible_ids.clone(),
        installed_driver: driver,
        extension_drivers: Vec::new(),
        driver_recovery_ids: Vec::new(),
        device_flags: None,
    })
}

/// `FeatureScoreMatchingKey`, such as `AMD64.10.0`; none if the architecture or the version is not known.
pub(super) fn feature_score_key(system: &facts::System) -> Option<String> {
    let architecture = match system.architecture? {
        0 => "X86",
        5 => "ARM",
        6 => "IA64",
        9 => "AMD64",
        12 => "ARM64",
        _ => return None,
    };
    let (major, minor, _) = system.version?;
    Some(format!("{architecture}.{major}.{minor}"))
}
