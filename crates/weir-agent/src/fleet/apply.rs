//! Changes of facts, taken into the layer of one computer.

use weir_model::{
    applicability::{
        Change,
        facts::{KeyPath, RegistryData},
    },
    document::rules::base::RegistryKey,
};

use super::{archetype::Archetype, layer::Layer, sheet::place};

impl Layer {
    /// Takes in one change.
    pub(super) fn apply(&mut self, base: &Archetype, change: Change) {
        let at = |key: &RegistryKey| place(path(key), base.architecture.is_64());
        match change {
            Change::AddKey(key) => self.set_key(base, &at(&key), &key.subkey, true),
            Change::RemoveKey(key) => self.set_key(base, &at(&key), &key.subkey, false),
            Change::SetValue { key, name, data } => {
                let place = at(&key);
                self.set_key(base, &place, &key.subkey, true);
                self.values.insert((place.into(), name.to_lowercase().into()), Some(compact(data)));
            }
            Change::RemoveValue { key, name } => {
                self.values.insert((at(&key).into(), name.to_lowercase().into()), None);
            }
            Change::SetFile { path, file } => {
                self.files.insert(file_place(&path), Some(file));
            }
            Change::RemoveFile { path } => {
                let place = file_place(&path);
                let below = |known: &str| known.strip_prefix(&*place).is_some_and(|rest| rest.starts_with('\\'));
                for known in base.sheet.files.keys().filter(|known| below(known)) {
                    self.files.insert(known.clone(), None);
                }
                for (_, file) in self.files.iter_mut().filter(|(known, _)| below(known)) {
                    *file = None;
                }
                self.files.insert(place, None);
            }
            Change::SetProduct { code, product } => {
                self.products.insert(code, Some(product));
            }
            Change::RemoveProduct { code } => {
                self.products.insert(code, None);
            }
            Change::SetPackage { identity, state } => {
                self.packages.insert(identity.to_lowercase().into(), Some((identity.into(), state)));
            }
            Change::RemovePackage { identity } => {
                self.packages.insert(identity.to_lowercase().into(), None);
            }
            Change::SetLicense { name, value } => {
                self.licences.insert(name.to_lowercase().into(), Some(value));
            }
            Change::RemoveLicense { name } => {
                self.licences.insert(name.to_lowercase().into(), None);
            }
            Change::SetRelease { name, version } => {
                self.releases.insert(name.to_lowercase().into(), Some(version));
            }
            Change::RemoveRelease { name } => {
                self.releases.insert(name.to_lowercase().into(), None);
            }
            Change::SetInstalledOnce(update) => {
                self.once.insert(update);
            }
            Change::SetDriver { device, driver } => {
                self.drivers.insert(device, Some(driver));
            }
            Change::SetVersion(version) => self.system(base).version = Some(version),
            Change::SetServicePack(pack) => self.system(base).service_pack = Some(pack),
        }
    }

    fn system(&mut self, base: &Archetype) -> &mut weir_model::applicability::facts::System {
        self.system.get_or_insert_with(|| Box::new(base.facts.clone()))
    }
}

fn path(key: &RegistryKey) -> KeyPath<'_> {
    KeyPath { hive: key.hive, path: key.subkey.trim_matches('\\'), view32: key.view32 }
}

/// The place of a file as layers keep it.
fn file_place(path: &str) -> Box<str> {
    path.trim_end_matches('\\').to_lowercase().into()
}

/// The same data without room to grow.
fn compact(data: RegistryData<'static>) -> RegistryData<'static> {
    match data {
        RegistryData::Sz(text) => RegistryData::Sz(text.into_owned().into_boxed_str().into_string().into()),
        other => other,
    }
}
