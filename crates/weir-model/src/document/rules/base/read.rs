//! Reads rules of the base vocabulary.

use super::{
    super::{
        tree::{Attributes, Misfit},
        value::{self, Scalar},
    },
    BaseRule, FilePath, FileRoot, Hive, LoopLogic, RegistryKey, RegistryValue, SystemVersion,
};
use crate::document::value::Value;

/// Reads a rule; none if there is no such rule. `RegKeyLoop` is read by the tree builder, since it has an expression
/// inside.
pub(in crate::document::rules) fn rule(name: &str, a: &Attributes<'_>) -> Option<Result<BaseRule, Misfit>> {
    Some(match name {
        "ClusteredOS" => Ok(BaseRule::ClusteredOs),
        "InstalledOnce" => Ok(BaseRule::InstalledOnce),
        "MuiInstalled" => Ok(BaseRule::MuiInstalled),
        "MuiLanguageInstalled" => a.text("Language").map(|language| BaseRule::MuiLanguageInstalled { language }),
        "PlatformLanguage" => a.text("Language").map(|language| BaseRule::PlatformLanguage { language }),
        "WindowsLanguage" => a.text("Language").map(|language| BaseRule::WindowsLanguage { language }),
        "PlatformVersion" => system_version(a).map(BaseRule::PlatformVersion),
        "WindowsVersion" => system_version(a).map(BaseRule::WindowsVersion),
        "RegKeyExists" => key(a).map(BaseRule::RegKeyExists),
        "LicenseValueExists" => a.text("Value").map(|value| BaseRule::LicenseValueExists { value }),
        "Platform" => a.required("PlatformID").map(|platform_id| BaseRule::Platform { platform_id }),
        _ => return system(name, a).or_else(|| registry(name, a)).or_else(|| file(name, a)),
    })
}

fn system(name: &str, a: &Attributes<'_>) -> Option<Result<BaseRule, Misfit>> {
    let read = || {
        Ok(Some(match name {
            "ClusterResourceOwner" => BaseRule::ClusterResourceOwner {
                value: registry_value(a)?,
                prefix: a.optional("Prefix")?.unwrap_or_default(),
                suffix: a.optional("Suffix")?.unwrap_or_default(),
            },
            "GenericQuery" => BaseRule::GenericQuery {
                namespace: a.text("Namespace")?,
                kind: a.text("Type")?,
                parameter: a.text("Parameter")?,
                comparison: a.optional("Comparison")?,
                value: a.optional("Value")?,
            },
            "LicenseDword" => BaseRule::LicenseDword {
                value: a.text("Value")?,
                comparison: a.required("Comparison")?,
                data: a.required("Data")?,
            },
            "Memory" => BaseRule::Memory { min_size_mb: a.required("MinSizeInMB")?, kind: a.optional("Type")? },
            "NumberOfProcessors" => {
                BaseRule::NumberOfProcessors { comparison: a.required("Comparison")?, number: a.required("Number")? }
            }
            "Processor" => BaseRule::Processor {
                architecture: a.required("Architecture")?,
                level: a.optional("Level")?,
                revision: a.optional("Revision")?,
            },
            "SystemMetric" => BaseRule::SystemMetric {
                index: a.required("Index")?,
                comparison: a.required("Comparison")?,
                value: a.required("Value")?,
            },
            "WmiQuery" => BaseRule::WmiQuery { namespace: a.optional("Namespace")?, query: a.text("WqlQuery")? },
            _ => return Ok(None),
        }))
    };
    read().transpose()
}

fn registry(name: &str, a: &Attributes<'_>) -> Option<Result<BaseRule, Misfit>> {
    let read = || {
        Ok(Some(match name {
            "RegDword" => BaseRule::RegDword {
                value: registry_value(a)?,
                comparison: a.required("Comparison")?,
                data: a.required("Data")?,
            },
            "RegExpandSz" => BaseRule::RegExpandSz {
                value: registry_value(a)?,
                comparison: a.required("Comparison")?,
                data: a.text("Data")?,
            },
            "RegSz" => BaseRule::RegSz {
                value: registry_value(a)?,
                comparison: a.required("Comparison")?,
                data: a.text("Data")?,
            },
            "RegSzToVersion" => BaseRule::RegSzToVersion {
                value: registry_value(a)?,
                comparison: a.required("Comparison")?,
                data: a.required("Data")?,
            },
            "RegValueExists" => {
                BaseRule::RegValueExists { key: key(a)?, name: a.optional("Value")?, kind: a.optional("Type")? }
            }
            "WUv4RegKeySubstring" => {
                BaseRule::WUv4RegKeySubstring { key: key(a)?, name: a.optional("Value")?, data: a.text("Data")? }
            }
            "WUv4RegKeyValue" => {
                BaseRule::WUv4RegKeyValue { key: key(a)?, name: a.optional("Value")?, data: a.text("Data")? }
            }
            _ => return Ok(None),
        }))
    };
    read().transpose()
}

fn file(name: &str, a: &Attributes<'_>) -> Option<Result<BaseRule, Misfit>> {
    let prepended = name.strip_suffix("PrependRegSz");
    let read = || {
        let file = || {
            let root = match (prepended, a.optional("Csidl")?) {
                (Some(_), _) => FileRoot::Registry(registry_value(a)?),
                (None, Some(folder)) => FileRoot::Csidl(folder),
                (None, None) => FileRoot::Absolute,
            };
            Ok(FilePath { root, path: a.text("Path")? })
        };
        Ok(Some(match prepended.unwrap_or(name) {
            "FileCreated" => BaseRule::FileCreated {
                file: file()?,
                comparison: a.required("Comparison")?,
                created: a.required("Created")?,
            },
            "FileExists" => BaseRule::FileExists {
                file: file()?,
                version: a.optional("Version")?,
                created: a.optional("Created")?,
                modified: a.optional("Modified")?,
                size: a.optional("Size")?,
                language: a.optional("Language")?,
            },
            "FileModified" => BaseRule::FileModified {
                file: file()?,
                comparison: a.required("Comparison")?,
                modified: a.required("Modified")?,
            },
            "FileSize" => {
                BaseRule::FileSize { file: file()?, comparison: a.required("Comparison")?, size: a.required("Size")? }
            }
            "FileVersion" => BaseRule::FileVersion {
                file: file()?,
                comparison: a.required("Comparison")?,
                version: a.required("Version")?,
            },
            _ => return Ok(None),
        }))
    };
    read().transpose()
}

/// `RegistryKeyAttributes`.
pub(in crate::document::rules) fn key(a: &Attributes<'_>) -> Result<RegistryKey, Misfit> {
    Ok(RegistryKey {
        hive: a.required("Key")?,
        subkey: a.optional("Subkey")?.unwrap_or_default(),
        view32: a.flag("RegType32")?,
    })
}

/// `RegistryValueAttributes`. The name may be absent, for the default value.
fn registry_value(a: &Attributes<'_>) -> Result<RegistryValue, Misfit> {
    Ok(RegistryValue { key: key(a)?, name: a.optional("Value")?.unwrap_or_default() })
}

fn system_version(a: &Attributes<'_>) -> Result<SystemVersion, Misfit> {
    Ok(SystemVersion {
        comparison: a.optional("Comparison")?.unwrap_or(Scalar::EqualTo),
        major: a.optional("MajorVersion")?,
        minor: a.optional("MinorVersion")?,
        build: a.optional("BuildNumber")?,
        service_pack_major: a.optional("ServicePackMajor")?,
        service_pack_minor: a.optional("ServicePackMinor")?,
        suite_mask: a.optional("SuiteMask")?,
        all_suites: a.flag("AllSuitesMustBePresent")?,
        product_type: a.optional("ProductType")?,
    })
}

impl Value for Hive {
    const EXPECTED: &'static str = "a root of the registry";

    fn read(text: &str) -> Option<Self> {
        const ALL: [(&str, Hive); 5] = [
            ("HKEY_CLASSES_ROOT", Hive::ClassesRoot),
            ("HKEY_CURRENT_USER", Hive::CurrentUser),
            ("HKEY_LOCAL_MACHINE", Hive::LocalMachine),
            ("HKEY_LOOP_TARGET", Hive::LoopTarget),
            ("HKEY_USERS", Hive::Users),
        ];
        value::find(&ALL, text)
    }
}

impl Value for LoopLogic {
    const EXPECTED: &'static str = "Any, All or None";

    fn read(text: &str) -> Option<Self> {
        value::find(&[("All", Self::All), ("Any", Self::Any), ("None", Self::None)], text)
    }
}
