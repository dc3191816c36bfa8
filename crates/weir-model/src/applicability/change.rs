//! Changes of facts, such as installing an update makes them.

use uuid::Uuid;

use super::facts::{FileFacts, InstalledDriver, LicenseValue, MsiProduct, PackageState, RegistryData};
use crate::{
    document::rules::{Version, base::RegistryKey},
    ids::UpdateId,
};

/// One change of the facts of a computer. Names and paths are those that rules use, compared without regard to case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A registry key exists, and the keys above it.
    AddKey(RegistryKey),
    /// A registry key is gone, with everything below it.
    RemoveKey(RegistryKey),
    /// A registry value is set; its key exists.
    SetValue {
        /// The key.
        key: RegistryKey,
        /// Its name, empty for the default value.
        name: String,
        /// Its data.
        data: RegistryData<'static>,
    },
    /// A registry value is gone.
    RemoveValue {
        /// The key.
        key: RegistryKey,
        /// Its name, empty for the default value.
        name: String,
    },
    /// A file is there, with these facts.
    SetFile {
        /// Its full path.
        path: String,
        /// What is known of it.
        file: FileFacts,
    },
    /// A file is gone, or a folder with everything below it.
    RemoveFile {
        /// Its full path.
        path: String,
    },
    /// A product of Windows Installer is installed, with these facts.
    SetProduct {
        /// Its code.
        code: Uuid,
        /// What is known of it.
        product: MsiProduct,
    },
    /// A product of Windows Installer is gone.
    RemoveProduct {
        /// Its code.
        code: Uuid,
    },
    /// A package of component based servicing has a state.
    SetPackage {
        /// Its identity.
        identity: String,
        /// Its state.
        state: PackageState,
    },
    /// A package of component based servicing is no longer known.
    RemovePackage {
        /// Its identity.
        identity: String,
    },
    /// A licence value is set.
    SetLicense {
        /// Its name.
        name: String,
        /// Its value.
        value: LicenseValue,
    },
    /// A licence value is gone.
    RemoveLicense {
        /// Its name.
        name: String,
    },
    /// A product of `ProductReleaseVersion` is installed in a release.
    SetRelease {
        /// Its name.
        name: String,
        /// Its release.
        version: Version,
    },
    /// A product of `ProductReleaseVersion` is gone.
    RemoveRelease {
        /// Its name.
        name: String,
    },
    /// An update was installed at some time.
    SetInstalledOnce(UpdateId),
    /// A device has a driver.
    SetDriver {
        /// The place of the device in [`Facts::devices`](super::Facts::devices).
        device: usize,
        /// Its driver.
        driver: InstalledDriver,
    },
    /// The operating system has another major, minor and build number.
    SetVersion((u32, u32, u32)),
    /// The operating system has another service pack: its major and minor number.
    SetServicePack((u16, u16)),
}
