//! The base vocabulary (`BaseApplicabilityRules`): operating system, registry, files, WMI, licences.

pub(super) mod read;

use jiff::Timestamp;

use super::value::{Scalar, StringMatch, Version};

/// `@Key`: the root of a registry path.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Hive {
    /// `HKEY_CLASSES_ROOT`.
    ClassesRoot,
    /// `HKEY_CURRENT_USER`.
    CurrentUser,
    /// `HKEY_LOCAL_MACHINE`.
    LocalMachine,
    /// `HKEY_LOOP_TARGET`: the key that the enclosing `RegKeyLoop` stands at.
    LoopTarget,
    /// `HKEY_USERS`.
    Users,
}

/// A registry key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryKey {
    /// `@Key`.
    pub hive: Hive,
    /// `@Subkey`; empty means the hive itself.
    pub subkey: String,
    /// `@RegType32`, default false: the 32-bit view on 64-bit systems.
    pub view32: bool,
}

/// A registry value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryValue {
    /// Where it is.
    pub key: RegistryKey,
    /// `@Value`: its name; empty means the default value.
    pub name: String,
}

/// Where a file is looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileRoot {
    /// `@Path` is complete.
    Absolute,
    /// `@Csidl`: a special folder, as numbered by `SHGetFolderPath`.
    Csidl(i32),
    /// The elements `...PrependRegSz`: the text of a registry value stands before the path.
    Registry(RegistryValue),
}

/// The file that a rule speaks of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilePath {
    /// What stands before the path.
    pub root: FileRoot,
    /// `@Path`, to be canonicalized before use.
    pub path: String,
}

/// `@TrueIf` of a loop over subkeys.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LoopLogic {
    /// The expression holds for every subkey.
    All,
    /// It holds for at least one.
    Any,
    /// It holds for none.
    None,
}

/// `WindowsVersion` and `PlatformVersion`: compared as VerifyVersionInfo does. Absent numbers are not compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SystemVersion {
    /// `@Comparison`, default EqualTo; for the five numbers.
    pub comparison: Scalar,
    /// `@MajorVersion`.
    pub major: Option<u32>,
    /// `@MinorVersion`.
    pub minor: Option<u32>,
    /// `@BuildNumber`.
    pub build: Option<u32>,
    /// `@ServicePackMajor`.
    pub service_pack_major: Option<u16>,
    /// `@ServicePackMinor`.
    pub service_pack_minor: Option<u16>,
    /// `@SuiteMask`.
    pub suite_mask: Option<u16>,
    /// `@AllSuitesMustBePresent`, default false: one suffices.
    pub all_suites: bool,
    /// `@ProductType`: 1 workstation, 2 domain controller, 3 server; genuine rules also have others.
    pub product_type: Option<u16>,
}

/// A `bar:*` rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BaseRule {
    /// `ClusterResourceOwner`: this node owns the resource that the registry value names.
    ClusterResourceOwner {
        /// Holds the name.
        value: RegistryValue,
        /// `@Prefix` of the name.
        prefix: String,
        /// `@Suffix` of the name.
        suffix: String,
    },
    /// `ClusteredOS`.
    ClusteredOs,
    /// `FileCreated`, `FileCreatedPrependRegSz`.
    FileCreated {
        /// The file.
        file: FilePath,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Created`.
        created: Timestamp,
    },
    /// `FileExists`, `FileExistsPrependRegSz`: it is there and has every stated property.
    FileExists {
        /// The file.
        file: FilePath,
        /// `@Version`.
        version: Option<Version>,
        /// `@Created`.
        created: Option<Timestamp>,
        /// `@Modified`.
        modified: Option<Timestamp>,
        /// `@Size` in bytes.
        size: Option<u64>,
        /// `@Language`: a decimal language id (LCID).
        language: Option<u16>,
    },
    /// `FileModified`, `FileModifiedPrependRegSz`.
    FileModified {
        /// The file.
        file: FilePath,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Modified`.
        modified: Timestamp,
    },
    /// `FileSize`, `FileSizePrependRegSz`.
    FileSize {
        /// The file.
        file: FilePath,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Size` in bytes.
        size: u64,
    },
    /// `FileVersion`, `FileVersionPrependRegSz`.
    FileVersion {
        /// The file.
        file: FilePath,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Version`.
        version: Version,
    },
    /// `GenericQuery`: a question to a component of the computer.
    GenericQuery {
        /// `@Namespace`.
        namespace: String,
        /// `@Type`.
        kind: String,
        /// `@Parameter`.
        parameter: String,
        /// `@Comparison`.
        comparison: Option<Scalar>,
        /// `@Value`.
        value: Option<String>,
    },
    /// `InstalledOnce`: was installed at some time.
    InstalledOnce,
    /// `LicenseDword`.
    LicenseDword {
        /// `@Value`: name of the licence value.
        value: String,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Data`.
        data: u32,
    },
    /// `LicenseValueExists`.
    LicenseValueExists {
        /// `@Value`: name of the licence value.
        value: String,
    },
    /// `Memory`, which no published schema has: so much is there.
    Memory {
        /// `@MinSizeInMB`.
        min_size_mb: u64,
        /// `@Type` of memory; absent means physical.
        kind: Option<String>,
    },
    /// `MuiInstalled`.
    MuiInstalled,
    /// `MuiLanguageInstalled`.
    MuiLanguageInstalled {
        /// `@Language`: a short name, compared without regard to case.
        language: String,
    },
    /// `NumberOfProcessors`.
    NumberOfProcessors {
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Number`.
        number: u32,
    },
    /// `Platform`.
    Platform {
        /// `@PlatformID`: 2 is Windows NT.
        platform_id: u32,
    },
    /// `PlatformLanguage`.
    PlatformLanguage {
        /// `@Language`: a short name, compared without regard to case.
        language: String,
    },
    /// `PlatformVersion`.
    PlatformVersion(SystemVersion),
    /// `Processor`.
    Processor {
        /// `@Architecture`: 0 x86, 5 ARM, 6 Itanium, 9 x64, 12 ARM64.
        architecture: u16,
        /// `@Level`.
        level: Option<u16>,
        /// `@Revision`.
        revision: Option<u16>,
    },
    /// `RegDword`.
    RegDword {
        /// The value.
        value: RegistryValue,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Data`.
        data: u32,
    },
    /// `RegExpandSz`.
    RegExpandSz {
        /// The value.
        value: RegistryValue,
        /// `@Comparison`.
        comparison: StringMatch,
        /// `@Data`.
        data: String,
    },
    /// `RegKeyExists`.
    RegKeyExists(RegistryKey),
    /// `RegKeyLoop`: over the subkeys of a key.
    RegKeyLoop {
        /// The key.
        key: RegistryKey,
        /// `@TrueIf`.
        true_if: LoopLogic,
        /// Evaluated for each subkey, which it calls `HKEY_LOOP_TARGET`.
        body: super::Expr,
    },
    /// `RegSz`.
    RegSz {
        /// The value.
        value: RegistryValue,
        /// `@Comparison`.
        comparison: StringMatch,
        /// `@Data`.
        data: String,
    },
    /// `RegSzToVersion`: the text of the value is a version.
    RegSzToVersion {
        /// The value.
        value: RegistryValue,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Data`.
        data: Version,
    },
    /// `RegValueExists`.
    RegValueExists {
        /// The key.
        key: RegistryKey,
        /// `@Value`: its name; absent or empty means the default value.
        name: Option<String>,
        /// `@Type`, such as `REG_DWORD`.
        kind: Option<String>,
    },
    /// `SystemMetric`.
    SystemMetric {
        /// `@Index`, as GetSystemMetrics numbers it.
        index: i32,
        /// `@Comparison`.
        comparison: Scalar,
        /// `@Value`.
        value: i32,
    },
    /// `WindowsLanguage`.
    WindowsLanguage {
        /// `@Language`: a short name, compared without regard to case.
        language: String,
    },
    /// `WindowsVersion`.
    WindowsVersion(SystemVersion),
    /// `WmiQuery`: the query gives at least one row.
    WmiQuery {
        /// `@Namespace`, such as `root\cimv2`, in any case and with either slash.
        namespace: Option<String>,
        /// `@WqlQuery`.
        query: String,
    },
    /// `WUv4RegKeySubstring`.
    WUv4RegKeySubstring {
        /// The key.
        key: RegistryKey,
        /// `@Value`: its name; absent or empty means the default value.
        name: Option<String>,
        /// `@Data`.
        data: String,
    },
    /// `WUv4RegKeyValue`.
    WUv4RegKeyValue {
        /// The key.
        key: RegistryKey,
        /// `@Value`: its name; absent or empty means the default value.
        name: Option<String>,
        /// `@Data`.
        data: String,
    },
}
