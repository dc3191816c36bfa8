//! What rules ask of a computer.
//!
//! Where facts come from (a file, an offline image, a modelled computer) is the business of the caller. A source answers
//! what it knows and gives a [`Gap`] for the rest: "there is no such file" is an answer, "files were not collected" is a gap.

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    document::rules::{Version, base::Hive},
    ids::UpdateId,
};

/// A fact, or why it is not known.
pub type Fact<T> = Result<T, Gap>;

/// Why a fact or a rule is not known.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GapKind {
    /// The rule is of no known vocabulary.
    UnknownRule,
    /// The rule is of a known vocabulary and does not fit its schema.
    Misfit,
    /// The rule is understood, and cannot be answered by this program.
    Unsupported,
    /// The source did not collect it.
    NotCollected,
    /// The source has it, and it cannot be read: damaged, of another type, or forbidden.
    Unreadable,
    /// Answering it would exceed a bound.
    TooMuch,
}

/// What is not known, and why.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// What: a rule's name, a registry path, a class. For people; bounded by whoever makes it.
    pub subject: Cow<'static, str>,
}

impl Gap {
    /// A gap.
    pub fn new(kind: GapKind, subject: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, subject: subject.into() }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.kind {
            GapKind::UnknownRule => "the rule is not known",
            GapKind::Misfit => "the rule does not fit its schema",
            GapKind::Unsupported => "the rule cannot be answered here",
            GapKind::NotCollected => "it was not collected",
            GapKind::Unreadable => "it cannot be read",
            GapKind::TooMuch => "answering it takes too much",
        };
        write!(f, "{}: {why}", self.subject)
    }
}

/// The operating system and the hardware. Absent means not collected.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct System {
    /// Major, minor and build number, such as 10, 0, 26100.
    pub version: Option<(u32, u32, u32)>,
    /// Major and minor number of the service pack.
    pub service_pack: Option<(u16, u16)>,
    /// `OSVERSIONINFOEX.wSuiteMask`.
    pub suite_mask: Option<u16>,
    /// `OSVERSIONINFOEX.wProductType`: 1 workstation, 2 domain controller, 3 server.
    pub product_type: Option<u16>,
    /// `OSVERSIONINFOEX.dwPlatformId`: 2 is Windows NT.
    pub platform_id: Option<u32>,
    /// `SYSTEM_INFO.wProcessorArchitecture`: 0 x86, 5 ARM, 6 Itanium, 9 x64, 12 ARM64.
    pub architecture: Option<u16>,
    /// `SYSTEM_INFO.wProcessorLevel`.
    pub processor_level: Option<u16>,
    /// `SYSTEM_INFO.wProcessorRevision`.
    pub processor_revision: Option<u16>,
    /// Logical processors.
    pub processors: Option<u32>,
    /// Physical memory in MiB.
    pub memory_mib: Option<u64>,
    /// The language of the operating system, a short name such as `en` or `pt-br`.
    pub language: Option<String>,
    /// User interface languages that are installed beside it, short names.
    pub mui_languages: Option<Vec<String>>,
    /// Whether the computer is a node of a cluster.
    pub clustered: Option<bool>,
}

/// The data of a registry value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RegistryData<'a> {
    /// `REG_BINARY`, and every type that has no variant of its own (its number stands before the bytes).
    Binary(u32, Cow<'a, [u8]>),
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_EXPAND_SZ`, as stored.
    ExpandSz(Cow<'a, str>),
    /// `REG_MULTI_SZ`.
    MultiSz(Cow<'a, [String]>),
    /// `REG_QWORD`.
    Qword(u64),
    /// `REG_SZ`.
    Sz(Cow<'a, str>),
}

/// A registry key. Paths are compared without regard to case; they have no slash at either end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyPath<'a> {
    /// The root; never [`Hive::LoopTarget`].
    pub hive: Hive,
    /// The path below it, empty for the root itself.
    pub path: &'a str,
    /// Whether the 32-bit view is asked for (`WOW6432Node` on 64-bit systems, the same as the other on 32-bit ones).
    pub view32: bool,
}

/// A file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FileFacts {
    /// Size in bytes.
    pub size: Option<u64>,
    /// The fixed version of its version resource; `Some(None)` if it has none, `None` if nobody looked.
    pub version: Option<Option<Version>>,
    /// The language of its version resource (LCID), likewise.
    pub language: Option<Option<u16>>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last written.
    pub modified: Option<Timestamp>,
}

/// A product of Windows Installer that is installed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MsiProduct {
    /// `ProductVersion`.
    pub version: Option<Version>,
    /// `ProductLanguage` (LCID).
    pub language: Option<i32>,
    /// Codes of the patches that are applied to it; none if not collected.
    pub patches: Option<Vec<Uuid>>,
    /// Names of its features that are installed; none if not collected.
    pub features: Option<Vec<String>>,
    /// Codes of its components that are installed; none if not collected.
    pub components: Option<Vec<Uuid>>,
}

/// A package of component based servicing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PackageState {
    /// Installed, or installed once the computer has restarted.
    Installed,
    /// Known and replaced by a newer one.
    Superseded,
    /// Known (staged), not installed.
    Staged,
}

/// A licence value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LicenseValue {
    /// A number.
    Dword(u32),
    /// Anything else.
    Other,
}

/// A value of a WMI instance.
#[derive(Clone, Debug, PartialEq)]
pub enum WmiValue {
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// NULL.
    Null,
    /// A number with a fraction.
    Real(f64),
    /// A text; dates are texts too.
    Text(String),
}

/// An instance of a WMI class: properties by name, which is compared without regard to case.
pub type WmiInstance = Vec<(String, WmiValue)>;

/// A device and its driver.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Device {
    /// Hardware ids, the best match first.
    pub hardware_ids: Vec<String>,
    /// Compatible ids, the best match first.
    pub compatible_ids: Vec<String>,
    /// The driver it has; none if it has none.
    pub driver: Option<InstalledDriver>,
}

/// The driver of a device.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InstalledDriver {
    /// Which id it matched.
    pub matching_id: String,
    /// Which hardware id of the computer it was made for, if it was made for some computers only.
    pub matching_computer_id: Option<Uuid>,
    /// Its date, as milliseconds since 1970 UTC.
    pub date_ms: i64,
    /// Its version as a.b.c.d: `a << 48 | b << 32 | c << 16 | d`.
    pub version: u64,
    /// Class, such as `Net`.
    pub class: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Provider.
    pub provider: String,
    /// Model.
    pub model: String,
    /// Rank, lower is better. Bits 16 to 23 are the feature score (MS-WUSP 2.2.2.2.4, `DriverRank`).
    pub rank: u32,
}

/// A computer, as far as rules ask. Every method that a source does not have says that it was not collected.
#[expect(unused_variables, reason = "the parameters are named for those who implement the trait")]
pub trait Facts {
    /// The operating system and the hardware.
    fn system(&self) -> &System;

    /// Whether a key exists.
    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        Err(Gap::new(GapKind::NotCollected, "registry"))
    }

    /// A value; none if the key or the value does not exist. An empty name is the default value.
    fn registry_value(&self, key: KeyPath<'_>, name: &str) -> Fact<Option<RegistryData<'_>>> {
        Err(Gap::new(GapKind::NotCollected, "registry"))
    }

    /// Names of the subkeys of a key, in the order of the registry; none if the key does not exist.
    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        Err(Gap::new(GapKind::NotCollected, "registry"))
    }

    /// A file or folder by its full path with backslashes, compared without regard to case; none if it does not exist.
    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        Err(Gap::new(GapKind::NotCollected, "files"))
    }

    /// The path of a special folder as `SHGetFolderPath` numbers it, for example 36 `C:\Windows`; none if this computer has
    /// no such folder.
    fn special_folder(&self, csidl: i32) -> Fact<Option<Cow<'_, str>>> {
        Err(Gap::new(GapKind::NotCollected, "special folders"))
    }

    /// An environment variable of the system, such as `SystemRoot`; none if it is not set.
    fn variable(&self, name: &str) -> Fact<Option<Cow<'_, str>>> {
        Err(Gap::new(GapKind::NotCollected, "environment variables"))
    }

    /// A product of Windows Installer; none if it is not installed.
    fn msi_product(&self, code: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        Err(Gap::new(GapKind::NotCollected, "Windows Installer"))
    }

    /// A package of component based servicing by its identity `name~token~architecture~culture~version`, compared without
    /// regard to case; none if it is not known to the computer.
    fn package(&self, identity: &str) -> Fact<Option<PackageState>> {
        Err(Gap::new(GapKind::NotCollected, "packages"))
    }

    /// All identities of packages that are known to the computer, with their state.
    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        Err(Gap::new(GapKind::NotCollected, "packages"))
    }

    /// Whether component based servicing would take a package, by its identity, which it does not have installed.
    fn package_installable(&self, identity: &str) -> Fact<bool> {
        Err(Gap::new(GapKind::NotCollected, "applicability of packages"))
    }

    /// All instances of a WMI class; none if the namespace or the class does not exist.
    fn wmi(&self, namespace: &str, class: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        Err(Gap::new(GapKind::NotCollected, "WMI"))
    }

    /// A licence value; none if there is none of that name.
    fn license(&self, name: &str) -> Fact<Option<LicenseValue>> {
        Err(Gap::new(GapKind::NotCollected, "licences"))
    }

    /// `GetSystemMetrics(index)`.
    fn system_metric(&self, index: i32) -> Fact<i32> {
        Err(Gap::new(GapKind::NotCollected, "system metrics"))
    }

    /// Whether this node owns a cluster resource.
    fn cluster_owner(&self, resource: &str) -> Fact<bool> {
        Err(Gap::new(GapKind::NotCollected, "cluster resources"))
    }

    /// The release of an installed product by its name, such as `Client.OS.rs2.amd64`; none if it is not installed.
    fn product_release(&self, name: &str) -> Fact<Option<Version>> {
        Err(Gap::new(GapKind::NotCollected, "product releases"))
    }

    /// Whether an update was installed at some time, whatever was removed since.
    fn installed_once(&self, update: UpdateId) -> Fact<bool> {
        Err(Gap::new(GapKind::NotCollected, "history of updates"))
    }

    /// The answer to a question of `GenericQuery`, as a text; none if there is no such thing.
    fn generic_query(&self, namespace: &str, kind: &str, parameter: &str) -> Fact<Option<String>> {
        Err(Gap::new(GapKind::NotCollected, "generic queries"))
    }

    /// The devices.
    fn devices(&self) -> Fact<Cow<'_, [Device]>> {
        Err(Gap::new(GapKind::NotCollected, "devices"))
    }

    /// Hardware ids of the computer itself (`ComputerHardwareIds`), the most specific first.
    fn computer_hardware_ids(&self) -> Fact<Cow<'_, [Uuid]>> {
        Err(Gap::new(GapKind::NotCollected, "hardware ids of the computer"))
    }
}
