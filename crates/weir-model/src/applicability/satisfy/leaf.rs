//! Changes for rules about the registry, packages, drivers, licences and releases.

use std::cmp::Ordering;

use super::{Solver, values};
use crate::{
    applicability::{
        Change, Facts, Gap, GapKind,
        evaluate::{self, cut, unsupported},
        facts::{KeyPath, LicenseValue, PackageState, RegistryData},
    },
    document::rules::{
        MetadataKind, StringMatch, Version,
        base::{BaseRule, RegistryKey, RegistryValue},
        cbs::CbsRule,
        driver::DriverRule,
        logic::ProductReleaseVersion,
    },
};

impl Solver<'_> {
    /// Changes for a base rule that is no loop.
    pub(super) fn base(&mut self, rule: &BaseRule, wanted: bool) -> Result<Vec<Change>, Gap> {
        match rule {
            BaseRule::RegKeyExists(key) => {
                let key = self.key(key)?;
                Ok(vec![if wanted { Change::AddKey(key) } else { Change::RemoveKey(key) }])
            }
            BaseRule::RegValueExists { key, name, kind } => {
                let name = name.clone().unwrap_or_default();
                let data = of_type(kind.as_deref())?;
                self.value(key, name, if wanted { Some(data) } else { None })
            }
            BaseRule::RegDword { value, comparison, data } => {
                let comparison = values::wanted(*comparison, wanted);
                let number = values::number(comparison, *data, |it| it.checked_add(1), |it| it.checked_sub(1));
                self.value_or_gone(value, number.map(RegistryData::Dword), wanted)
            }
            BaseRule::RegSz { value, comparison, data } => {
                let found = match self.found(value)? {
                    Some(RegistryData::Sz(found)) => found.into_owned(),
                    _ => String::new(),
                };
                let text = wanted.then(|| RegistryData::Sz(matching(*comparison, &found, data).into()));
                self.value_or_gone(value, text, wanted)
            }
            BaseRule::RegExpandSz { value, comparison: _, data } => {
                let text = wanted.then(|| RegistryData::ExpandSz(data.clone().into()));
                self.value_or_gone(value, text, wanted)
            }
            BaseRule::RegSzToVersion { value, comparison, data } => {
                let version = values::version(values::wanted(*comparison, wanted), *data, 4);
                self.value_or_gone(value, version.map(|version| RegistryData::Sz(version.to_string().into())), wanted)
            }
            BaseRule::WUv4RegKeySubstring { key, name, data } | BaseRule::WUv4RegKeyValue { key, name, data } => {
                let text = wanted.then(|| RegistryData::Sz(data.clone().into()));
                self.value(key, name.clone().unwrap_or_default(), text)
            }
            BaseRule::LicenseDword { value, comparison, data } => {
                let comparison = values::wanted(*comparison, wanted);
                let number = values::number(comparison, *data, |it| it.checked_add(1), |it| it.checked_sub(1));
                Ok(vec![license(value, number, wanted)?])
            }
            BaseRule::LicenseValueExists { value } => Ok(vec![license(value, wanted.then_some(1), wanted)?]),
            BaseRule::InstalledOnce => match self.context.update {
                Some(update) if wanted => Ok(vec![Change::SetInstalledOnce(update)]),
                _ => Err(unsupported("InstalledOnce, which cannot be undone")),
            },
            BaseRule::FileCreated { .. }
            | BaseRule::FileExists { .. }
            | BaseRule::FileModified { .. }
            | BaseRule::FileSize { .. }
            | BaseRule::FileVersion { .. } => self.file(rule, wanted),
            BaseRule::PlatformVersion(stated) | BaseRule::WindowsVersion(stated) => self.windows(stated, wanted),
            BaseRule::ClusterResourceOwner { .. }
            | BaseRule::ClusteredOs
            | BaseRule::Memory { .. }
            | BaseRule::MuiInstalled
            | BaseRule::MuiLanguageInstalled { .. }
            | BaseRule::NumberOfProcessors { .. }
            | BaseRule::Platform { .. }
            | BaseRule::PlatformLanguage { .. }
            | BaseRule::Processor { .. }
            | BaseRule::SystemMetric { .. }
            | BaseRule::WindowsLanguage { .. } => {
                Err(unsupported("hardware, language or cluster, which no update changes"))
            }
            BaseRule::GenericQuery { .. } | BaseRule::RegKeyLoop { .. } | BaseRule::WmiQuery { .. } => {
                Err(unsupported("a query, whose answer nothing known changes"))
            }
        }
    }

    /// Sets a value, or removes it.
    fn value(&self, key: &RegistryKey, name: String, data: Option<RegistryData<'static>>) -> Result<Vec<Change>, Gap> {
        let key = self.key(key)?;
        Ok(vec![match data {
            Some(data) => Change::SetValue { key, name, data },
            None => Change::RemoveValue { key, name },
        }])
    }

    /// The same for a value that some rule compares: to make the rule false it may as well be gone.
    fn value_or_gone(
        &self,
        value: &RegistryValue,
        data: Option<RegistryData<'static>>,
        wanted: bool,
    ) -> Result<Vec<Change>, Gap> {
        if wanted && data.is_none() {
            return Err(unsupported("a comparison that no value satisfies"));
        }
        self.value(&value.key, value.name.clone(), data)
    }

    fn found(&self, value: &RegistryValue) -> Result<Option<RegistryData<'_>>, Gap> {
        let key = self.key(&value.key)?;
        let path = KeyPath { hive: key.hive, path: &key.subkey, view32: key.view32 };
        // What is not known is overwritten.
        Ok(self.state.computer.registry_value(path, &value.name).unwrap_or(None).map(owned))
    }

    pub(super) fn cbs(&self, rule: &CbsRule, wanted: bool) -> Result<Vec<Change>, Gap> {
        let stated = match rule {
            CbsRule::InstalledByIdentity { package_identity } => Some(package_identity),
            _ => self.context.metadata.iter().find_map(|metadata| match &metadata.kind {
                MetadataKind::CbsPackage { identity } => identity.as_ref(),
                _ => None,
            }),
        };
        let identity = stated.ok_or_else(|| Gap::new(GapKind::Misfit, "package without metadata"))?.clone();
        let state = match rule {
            CbsRule::Installed | CbsRule::InstalledByIdentity { .. } => PackageState::Installed,
            CbsRule::Superseded => PackageState::Superseded,
            CbsRule::Installable if wanted => return Ok(vec![Change::RemovePackage { identity }]),
            CbsRule::Installable => return Ok(vec![Change::SetPackage { identity, state: PackageState::Installed }]),
        };
        Ok(vec![if wanted { Change::SetPackage { identity, state } } else { Change::RemovePackage { identity } }])
    }

    /// A driver is installed on every device for which it is better.
    pub(super) fn driver(&self, rule: DriverRule, wanted: bool) -> Result<Vec<Change>, Gap> {
        let standings = evaluate::standings(&self.state.computer, self.context)?;
        let better = standings.into_iter().filter(|standing| standing.order == Ordering::Less);
        match (rule, wanted) {
            (DriverRule::Installed, true) | (DriverRule::Installable, false) => Ok(better
                .map(|standing| Change::SetDriver { device: standing.device, driver: standing.driver })
                .collect()),
            _ => Err(unsupported("another driver than that of the update")),
        }
    }
}

/// Changes for `ProductReleaseVersion`.
pub(super) fn release(rule: &ProductReleaseVersion, wanted: bool) -> Result<Vec<Change>, Gap> {
    let misfit = |_| Gap::new(GapKind::Misfit, format!("ProductReleaseVersion, Version {:?}", cut(&rule.version)));
    let stated: Version = rule.version.parse().map_err(misfit)?;
    let name = rule.name.clone();
    match values::version(values::wanted(rule.comparison, wanted), stated, 4) {
        Some(version) => Ok(vec![Change::SetRelease { name, version }]),
        None if wanted => Err(unsupported("a comparison that no value satisfies")),
        None => Ok(vec![Change::RemoveRelease { name }]),
    }
}

fn license(name: &str, number: Option<u32>, wanted: bool) -> Result<Change, Gap> {
    match number {
        Some(number) => Ok(Change::SetLicense { name: name.to_owned(), value: LicenseValue::Dword(number) }),
        None if wanted => Err(unsupported("a comparison that no value satisfies")),
        None => Ok(Change::RemoveLicense { name: name.to_owned() }),
    }
}

/// A text that matches, made of the one that is there where it can stay.
fn matching(comparison: StringMatch, found: &str, stated: &str) -> String {
    match comparison {
        StringMatch::BeginsWith => [stated, found].concat(),
        StringMatch::Contains | StringMatch::EndsWith => [found, stated].concat(),
        StringMatch::EqualTo => stated.to_owned(),
    }
}

/// Data of a type.
fn of_type(kind: Option<&str>) -> Result<RegistryData<'static>, Gap> {
    let Some(kind) = kind else { return Ok(RegistryData::Sz("".into())) };
    Ok(match kind.trim().to_ascii_uppercase().as_str() {
        "REG_BINARY" => RegistryData::Binary(3, (&[][..]).into()),
        "REG_DWORD" => RegistryData::Dword(0),
        "REG_EXPAND_SZ" => RegistryData::ExpandSz("".into()),
        "REG_FULL_RESOURCE_DESCRIPTOR" => RegistryData::Binary(9, (&[][..]).into()),
        "REG_MULTI_SZ" => RegistryData::MultiSz(Vec::new().into()),
        "REG_QWORD" => RegistryData::Qword(0),
        "REG_SZ" => RegistryData::Sz("".into()),
        _ => return Err(Gap::new(GapKind::Misfit, format!("RegValueExists, Type {:?}", cut(kind)))),
    })
}

fn owned(data: RegistryData<'_>) -> RegistryData<'static> {
    match data {
        RegistryData::Binary(kind, bytes) => RegistryData::Binary(kind, bytes.into_owned().into()),
        RegistryData::Dword(number) => RegistryData::Dword(number),
        RegistryData::ExpandSz(text) => RegistryData::ExpandSz(text.into_owned().into()),
        RegistryData::MultiSz(texts) => RegistryData::MultiSz(texts.into_owned().into()),
        RegistryData::Qword(number) => RegistryData::Qword(number),
        RegistryData::Sz(text) => RegistryData::Sz(text.into_owned().into()),
    }
}
