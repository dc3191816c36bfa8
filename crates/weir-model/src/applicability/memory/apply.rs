//! Changes of a computer in memory.

use std::ops::Deref;

use super::{Memory, facts::no_device, fold, stored_path};
use crate::{
    applicability::{
        Change, Gap,
        facts::{Facts, KeyPath},
    },
    document::rules::base::RegistryKey,
};

impl<B> Memory<B>
where
    B: Deref,
    B::Target: Facts,
{
    /// Makes a change. It fails if it speaks of a device that there is not, or whose list the base does not know.
    pub fn apply(&mut self, change: &Change) -> Result<(), Gap> {
        match change {
            Change::AddKey(key) => {
                let path = self.key(key);
                self.registry.add_key(&path);
            }
            Change::RemoveKey(key) => {
                let path = self.key(key);
                self.registry.remove_key(&path);
            }
            Change::SetValue { key, name, data } => {
                let path = self.key(key);
                self.registry.set(&path, fold(name), data.clone());
            }
            Change::RemoveValue { key, name } => {
                let path = self.key(key);
                self.registry.remove(&path, fold(name));
            }
            Change::SetFile { path, file } => {
                self.files.insert(fold(path), Some(file.clone()));
            }
            Change::RemoveFile { path } => {
                let folded = fold(path);
                let below = format!("{folded}\\");
                self.files.retain(|path, _| !path.starts_with(&below));
                self.files.insert(folded, None);
            }
            Change::SetProduct { code, product } => {
                self.products.insert(*code, Some(Box::new(product.clone())));
            }
            Change::RemoveProduct { code } => {
                self.products.insert(*code, None);
            }
            Change::SetPackage { identity, state } => {
                self.packages.insert(fold(identity), Some((identity.as_str().into(), *state)));
            }
            Change::RemovePackage { identity } => {
                self.packages.insert(fold(identity), None);
            }
            Change::SetLicense { name, value } => {
                self.licenses.insert(fold(name), Some(value.clone()));
            }
            Change::RemoveLicense { name } => {
                self.licenses.insert(fold(name), None);
            }
            Change::SetRelease { name, version } => {
                self.releases.insert(fold(name), Some(*version));
            }
            Change::RemoveRelease { name } => {
                self.releases.insert(fold(name), None);
            }
            Change::SetInstalledOnce(update) => {
                self.once.insert(*update);
            }
            Change::SetDriver { device, driver } => {
                let mut devices = match self.devices.take() {
                    Some(devices) => devices,
                    None => self.base.devices()?.into_owned(),
                };
                let place = devices.get_mut(*device).map(|found| found.driver = Some(driver.clone()));
                self.devices = Some(devices);
                place.ok_or_else(|| no_device(*device))?;
            }
            Change::SetVersion(version) => self.system_mut().version = Some(*version),
            Change::SetServicePack(pack) => self.system_mut().service_pack = Some(*pack),
        }
        Ok(())
    }

    /// Makes changes in their order, up to the first that fails.
    pub fn apply_all(&mut self, changes: &[Change]) -> Result<(), Gap> {
        changes.iter().try_for_each(|change| self.apply(change))
    }

    fn key(&self, key: &RegistryKey) -> String {
        let path = KeyPath { hive: key.hive, path: &key.subkey, view32: key.view32 };
        stored_path(path, self.system())
    }
}
