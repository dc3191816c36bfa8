//! The sections of a facts file, as JSON writes them (`docs/facts-format.md`).

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;
use weir_model::{applicability::facts, document::rules};

use super::{
    table::{FilePaths, Guids, KeyPaths, Names, Numbers, Table, Text},
    value::{Coverage, Data, Licence, Package, Property, Version},
};
use crate::facts::names::fold;

/// The version of the format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// A facts file. A section that is absent was not collected.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of the format.
    pub weir_facts: u32,
    /// Where the facts come from, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When they were collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<Timestamp>,
    /// What could not be read when they were collected, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What the computer says of itself to the server; rules ask none of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<Description>,
    /// The operating system and the hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    /// Keys of the registry with their values, as they are stored: the 32-bit view of a 64-bit system is below
    /// `WOW6432Node`. A key or value that is null does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<Section<KeyPaths, Option<Values>, Coverage<KeyPaths>>>,
    /// Files and folders. What is null does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Section<FilePaths, Option<File>, Coverage<FilePaths>>>,
    /// Special folders by their number (CSIDL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_folders: Option<Section<Numbers, Option<String>>>,
    /// Environment variables of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<Section<Text, Option<String>>>,
    /// Products of Windows Installer by their codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows_installer: Option<Section<Guids, Option<Product>>>,
    /// Packages of component based servicing by their identities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<Section<Text, Option<Package>>>,
    /// Whether component based servicing would take packages that are not installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installable_packages: Option<Section<Text, bool>>,
    /// Classes of WMI by namespace and name, with all their instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wmi: Option<Section<Namespaces, Classes>>,
    /// Licence values (Software Licensing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licences: Option<Section<Text, Option<Licence>>>,
    /// Answers of `GetSystemMetrics`. What is absent was not collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_metrics: Option<Table<Numbers, i32>>,
    /// Cluster resources, and whether this node owns them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_resources: Option<Section<Text, bool>>,
    /// Releases of installed products by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_releases: Option<Section<Text, Option<Version>>>,
    /// Updates, and whether they were installed at some time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_once: Option<Section<Guids, bool>>,
    /// Answers to generic queries. What is absent was not collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic_queries: Option<Vec<GenericQuery>>,
    /// All devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<Device>>,
    /// All hardware ids of the computer itself, the most specific first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer_hardware_ids: Option<Vec<Uuid>>,
}

/// Entries by name, and whether they are all.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(serialize = "V: Serialize, C: Serialize"))]
#[serde(bound(deserialize = "N: Names, V: Deserialize<'de>, C: Deserialize<'de>"))]
pub struct Section<N, V, C = bool> {
    /// True: what is absent does not exist. False: what is absent was not collected.
    pub complete: C,
    /// What there is.
    pub entries: Table<N, V>,
}

impl<N, V, C> Section<N, V, C> {
    /// A section without entries.
    pub fn empty(complete: C) -> Self {
        Self { complete, entries: Table::default() }
    }
}

/// The values of a registry key by name; the default value has an empty name. A value that is null does not exist.
pub type Values = Table<Text, Option<Data>>;

/// The classes of a namespace; null if there is no such class.
pub type Classes = Table<Text, Option<Vec<Table<Text, Property>>>>;

/// Names of WMI namespaces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Namespaces;

impl Names for Namespaces {
    fn form(name: &str) -> Result<String, String> {
        let local = name.replace('/', "\\");
        Ok(fold(local.strip_prefix("\\\\.\\").unwrap_or(&local).trim_matches('\\')))
    }
}

/// What a computer says of itself to the server (MS-WUSP 2.2.2.2.3, RegisterComputer).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Description {
    /// Its name, fully qualified if it has a domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The name of its BIOS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bios_name: Option<String>,
    /// The version of its BIOS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bios_version: Option<String>,
    /// When its BIOS was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bios_date: Option<Timestamp>,
    /// What Windows calls itself, such as `Windows 10 Pro`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_name: Option<String>,
    /// The revision of the build, the fourth number of its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_revision: Option<u32>,
    /// The edition as `GetProductInfo` numbers it, such as 48 for Professional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    /// The language of Windows as a name, such as `en-US`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The same as a number (LCID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale_id: Option<u32>,
}

/// What kind of Windows it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductType {
    /// A domain controller.
    DomainController,
    /// Another server.
    Server,
    /// A workstation.
    Workstation,
}

/// The architecture of the processor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// 32-bit ARM.
    Arm,
    /// 64-bit ARM.
    Arm64,
    /// Itanium.
    Ia64,
    /// 64-bit x86.
    X64,
    /// 32-bit x86.
    X86,
}

/// The operating system and the hardware. What is absent was not collected.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct System {
    /// Major, minor and build number, such as `10.0.26100`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Major and minor number of the service pack, such as `1.0`; `0.0` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_pack: Option<Version>,
    /// `OSVERSIONINFOEX.wSuiteMask`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite_mask: Option<u16>,
    /// What kind of Windows it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_type: Option<ProductType>,
    /// `OSVERSIONINFOEX.dwPlatformId`: 2 is Windows NT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_id: Option<u32>,
    /// The architecture of the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// `SYSTEM_INFO.wProcessorLevel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_level: Option<u16>,
    /// `SYSTEM_INFO.wProcessorRevision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor_revision: Option<u16>,
    /// Logical processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
    /// Physical memory in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// The language of the operating system, a short name such as `en` or `pt-br`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// All user interface languages installed beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mui_languages: Option<Vec<String>>,
    /// Whether the computer is a node of a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clustered: Option<bool>,
}

impl System {
    /// As rules see it.
    pub fn as_fact(&self) -> facts::System {
        let small = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        facts::System {
            version: self
                .version
                .map(|Version(rules::Version { parts: [major, minor, build, _], .. })| (major, minor, build)),
            service_pack: self
                .service_pack
                .map(|Version(rules::Version { parts: [major, minor, ..], .. })| (small(major), small(minor))),
            suite_mask: self.suite_mask,
            product_type: self.product_type.map(|kind| match kind {
                ProductType::Workstation => 1,
                ProductType::DomainController => 2,
                ProductType::Server => 3,
            }),
            platform_id: self.platform_id,
            architecture: self.architecture.map(|architecture| match architecture {
                Architecture::X86 => 0,
                Architecture::Arm => 5,
                Architecture::Ia64 => 6,
                Architecture::X64 => 9,
                Architecture::Arm64 => 12,
            }),
            processor_level: self.processor_level,
            processor_revision: self.processor_revision,
            processors: self.processors,
            memory_mib: self.memory_mib,
            language: self.language.clone(),
            mui_languages: self.mui_languages.clone(),
            clustered: self.clustered,
        }
    }
}

/// A file or folder.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The fixed version of its version resource; null if it has none, absent if nobody looked.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub version: Option<Option<Version>>,
    /// The language of its version resource (LCID), likewise.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub language: Option<Option<u16>>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it was last written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
}

impl File {
    /// As rules see it.
    pub fn as_fact(&self) -> facts::FileFacts {
        facts::FileFacts {
            size: self.size,
            version: self.version.map(|version| version.map(|version| version.0)),
            language: self.language,
            created: self.created,
            modified: self.modified,
        }
    }
}

/// Tells null from absent.
#[expect(clippy::option_option, reason = "JSON has three cases here: absent, null, a value")]
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A product of Windows Installer. A list that is absent was not collected.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Product {
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `ProductVersion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// `ProductLanguage` (LCID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<i32>,
    /// Codes of all patches that are applied to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patches: Option<Vec<Uuid>>,
    /// Names of all its features that are installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// Codes of all its components that are installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<Uuid>>,
}

impl Product {
    /// As rules see it.
    pub fn as_fact(&self) -> facts::MsiProduct {
        facts::MsiProduct {
            version: self.version.map(|version| version.0),
            language: self.language,
            patches: self.patches.clone(),
            features: self.features.clone(),
            components: self.components.clone(),
        }
    }
}

/// A question of `GenericQuery` and its answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GenericQuery {
    /// Its namespace.
    pub namespace: String,
    /// Its kind.
    pub kind: String,
    /// Its parameter.
    pub parameter: String,
    /// The answer; null if there is no such thing.
    #[serde(deserialize_with = "Option::deserialize")]
    pub answer: Option<String>,
}

/// A device and its driver.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Hardware ids, the best match first.
    pub hardware_ids: Vec<String>,
    /// Compatible ids, the best match first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compatible_ids: Vec<String>,
    /// The driver it has; null if it has none.
    #[serde(deserialize_with = "Option::deserialize")]
    pub driver: Option<Driver>,
}

/// The driver of a device.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// Which id it matched.
    pub matching_id: String,
    /// Which hardware id of the computer it was made for, if it was made for some computers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching_computer_id: Option<Uuid>,
    /// Its date.
    pub date: Timestamp,
    /// Its version, four numbers up to 65,535.
    pub version: Version,
    /// Class, such as `Net`.
    #[serde(default)]
    pub class: String,
    /// Manufacturer.
    #[serde(default)]
    pub manufacturer: String,
    /// Provider.
    #[serde(default)]
    pub provider: String,
    /// Model.
    #[serde(default)]
    pub model: String,
    /// Rank, lower is better.
    pub rank: u32,
}

impl Device {
    /// As rules see it.
    pub fn as_fact(&self) -> facts::Device {
        facts::Device {
            hardware_ids: self.hardware_ids.clone(),
            compatible_ids: self.compatible_ids.clone(),
            driver: self.driver.as_ref().map(|driver| facts::InstalledDriver {
                matching_id: driver.matching_id.clone(),
                matching_computer_id: driver.matching_computer_id,
                date_ms: driver.date.as_millisecond(),
                version: driver.version.0.parts.iter().fold(0, |all, part| all << 16 | u64::from(part & 0xFFFF)),
                class: driver.class.clone(),
                manufacturer: driver.manufacturer.clone(),
                provider: driver.provider.clone(),
                model: driver.model.clone(),
                rank: driver.rank,
            }),
        }
    }
}
