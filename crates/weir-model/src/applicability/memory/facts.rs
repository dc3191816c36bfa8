//! What a computer in memory answers.

use std::{
    borrow::Cow,
    ops::{Bound, Deref},
};

use uuid::Uuid;

use super::{Memory, Nothing, Uncollected, fold, namespace_name, stored_path};
use crate::{
    applicability::facts::{
        Device, Fact, Facts, FileFacts, Gap, GapKind, KeyPath, LicenseValue, MsiProduct, PackageState, RegistryData,
        System, WmiInstance,
    },
    document::rules::Version,
    ids::UpdateId,
};

/// A system of which nothing is known.
static NO_SYSTEM: System = System {
    version: None,
    service_pack: None,
    suite_mask: None,
    product_type: None,
    platform_id: None,
    architecture: None,
    processor_level: None,
    processor_revision: None,
    processors: None,
    memory_mib: None,
    language: None,
    mui_languages: None,
    clustered: None,
};

impl Facts for Uncollected {
    fn system(&self) -> &System {
        &NO_SYSTEM
    }
}

impl Facts for Nothing {
    fn system(&self) -> &System {
        &NO_SYSTEM
    }

    fn registry_key(&self, _: KeyPath<'_>) -> Fact<bool> {
        Ok(false)
    }

    fn registry_value(&self, _: KeyPath<'_>, _: &str) -> Fact<Option<RegistryData<'_>>> {
        Ok(None)
    }

    fn registry_subkeys(&self, _: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        Ok(None)
    }

    fn file(&self, _: &str) -> Fact<Option<FileFacts>> {
        Ok(None)
    }

    fn special_folder(&self, _: i32) -> Fact<Option<Cow<'_, str>>> {
        Ok(None)
    }

    fn variable(&self, _: &str) -> Fact<Option<Cow<'_, str>>> {
        Ok(None)
    }

    fn msi_product(&self, _: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        Ok(None)
    }

    fn package(&self, _: &str) -> Fact<Option<PackageState>> {
        Ok(None)
    }

    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        Ok(Vec::new())
    }

    fn package_installable(&self, _: &str) -> Fact<bool> {
        Ok(false)
    }

    fn wmi(&self, _: &str, _: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        Ok(None)
    }

    fn license(&self, _: &str) -> Fact<Option<LicenseValue>> {
        Ok(None)
    }

    /// There is no computer without a metric: an index that has no meaning is answered with 0 (`GetSystemMetrics`).
    fn system_metric(&self, _: i32) -> Fact<i32> {
        Ok(0)
    }

    fn cluster_owner(&self, _: &str) -> Fact<bool> {
        Ok(false)
    }

    fn product_release(&self, _: &str) -> Fact<Option<Version>> {
        Ok(None)
    }

    fn installed_once(&self, _: UpdateId) -> Fact<bool> {
        Ok(false)
    }

    fn generic_query(&self, _: &str, _: &str, _: &str) -> Fact<Option<String>> {
        Ok(None)
    }

    fn devices(&self) -> Fact<Cow<'_, [Device]>> {
        Ok(Cow::Borrowed(&[]))
    }

    fn computer_hardware_ids(&self) -> Fact<Cow<'_, [Uuid]>> {
        Ok(Cow::Borrowed(&[]))
    }
}

impl<B> Memory<B>
where
    B: Deref,
    B::Target: Facts,
{
    /// The stored path of a key, and whether the base is asked about it.
    fn stored(&self, key: KeyPath<'_>) -> (String, bool) {
        let path = stored_path(key, self.system());
        let base = !self.registry.hides(&path);
        (path, base)
    }

    /// The nearest folder above a path that is gone, and the path itself, hide what the base has.
    fn is_removed(&self, folded: &str) -> bool {
        let above = folded.match_indices('\\').filter_map(|(at, _)| folded.get(..at));
        above.into_iter().any(|folder| matches!(self.files.get(folder), Some(None)))
    }
}

impl<B> Facts for Memory<B>
where
    B: Deref,
    B::Target: Facts,
{
    fn system(&self) -> &System {
        self.system.as_deref().unwrap_or_else(|| self.base.system())
    }

    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        let (path, base) = self.stored(key);
        if self.registry.has(&path) {
            return Ok(true);
        }
        if base { self.base.registry_key(key) } else { Ok(false) }
    }

    fn registry_value(&self, key: KeyPath<'_>, name: &str) -> Fact<Option<RegistryData<'_>>> {
        let (path, base) = self.stored(key);
        if let Some(found) = self.registry.value(&path, &fold(name)) {
            return Ok(found.clone());
        }
        if base { self.base.registry_value(key, name) } else { Ok(None) }
    }

    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        let (path, base) = self.stored(key);
        let added = self.registry.subkeys(&path);
        let below = if base { self.base.registry_subkeys(key)? } else { None };
        if below.is_none() && !self.registry.has(&path) {
            return Ok(None);
        }
        let mut names = below.unwrap_or_default();
        let full = |name: &str| [&path, "\\", &name.to_lowercase()].concat();
        names.retain(|name| !self.registry.hides(&full(name)));
        for name in added {
            if !names.iter().any(|known| known.to_lowercase() == name) {
                names.push(name.to_owned());
            }
        }
        Ok(Some(names))
    }

    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        let folded = fold(path);
        if let Some(Some(found)) = self.files.get(&folded) {
            return Ok(Some(found.clone()));
        }
        // A folder is there if something in it is.
        let below = format!("{folded}\\");
        let mut inside = self.files.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
        if inside.by_ref().take_while(|(path, _)| path.starts_with(&below)).any(|(_, file)| file.is_some()) {
            return Ok(Some(FileFacts::default()));
        }
        let removed = self.files.contains_key(&folded) || self.is_removed(&folded);
        if removed { Ok(None) } else { self.base.file(path) }
    }

    fn special_folder(&self, csidl: i32) -> Fact<Option<Cow<'_, str>>> {
        match self.folders.get(&csidl) {
            Some(found) => Ok(found.as_deref().map(Cow::Borrowed)),
            None => self.base.special_folder(csidl),
        }
    }

    fn variable(&self, name: &str) -> Fact<Option<Cow<'_, str>>> {
        match self.variables.get(&fold(name)) {
            Some(found) => Ok(found.as_deref().map(Cow::Borrowed)),
            None => self.base.variable(name),
        }
    }

    fn msi_product(&self, code: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        match self.products.get(&code) {
            Some(found) => Ok(found.as_deref().map(Cow::Borrowed)),
            None => self.base.msi_product(code),
        }
    }

    fn package(&self, identity: &str) -> Fact<Option<PackageState>> {
        match self.packages.get(&fold(identity)) {
            Some(found) => Ok(found.as_ref().map(|(_, state)| *state)),
            None => self.base.package(identity),
        }
    }

    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        let mut all = self.base.packages()?;
        if !self.packages.is_empty() {
            all.retain(|(identity, _)| !self.packages.contains_key(&fold(identity)));
            let own = self.packages.values().flatten();
            all.extend(own.map(|(identity, state)| (Cow::Borrowed(&**identity), *state)));
        }
        Ok(all)
    }

    fn package_installable(&self, identity: &str) -> Fact<bool> {
        if self.installable.contains(&fold(identity)) { Ok(true) } else { self.base.package_installable(identity) }
    }

    fn wmi(&self, namespace: &str, class: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        match self.wmi.get(&(namespace_name(namespace), fold(class))) {
            Some(found) => Ok(Some(Cow::Borrowed(found))),
            None => self.base.wmi(namespace, class),
        }
    }

    fn license(&self, name: &str) -> Fact<Option<LicenseValue>> {
        match self.licenses.get(&fold(name)) {
            Some(found) => Ok(found.clone()),
            None => self.base.license(name),
        }
    }

    fn system_metric(&self, index: i32) -> Fact<i32> {
        self.metrics.get(&index).map_or_else(|| self.base.system_metric(index), |found| Ok(*found))
    }

    fn cluster_owner(&self, resource: &str) -> Fact<bool> {
        if self.resources.contains(&fold(resource)) { Ok(true) } else { self.base.cluster_owner(resource) }
    }

    fn product_release(&self, name: &str) -> Fact<Option<Version>> {
        self.releases.get(&fold(name)).map_or_else(|| self.base.product_release(name), |found| Ok(*found))
    }

    fn installed_once(&self, update: UpdateId) -> Fact<bool> {
        if self.once.contains(&update) { Ok(true) } else { self.base.installed_once(update) }
    }

    fn generic_query(&self, namespace: &str, kind: &str, parameter: &str) -> Fact<Option<String>> {
        match self.generic.get(&(fold(namespace), fold(kind), fold(parameter))) {
            Some(found) => Ok(Some(found.to_string())),
            None => self.base.generic_query(namespace, kind, parameter),
        }
    }

    fn devices(&self) -> Fact<Cow<'_, [Device]>> {
        self.devices.as_deref().map_or_else(|| self.base.devices(), |found| Ok(Cow::Borrowed(found)))
    }

    fn computer_hardware_ids(&self) -> Fact<Cow<'_, [Uuid]>> {
        self.computer_ids.as_deref().map_or_else(|| self.base.computer_hardware_ids(), |found| Ok(Cow::Borrowed(found)))
    }
}

/// The gap of a source that nobody asked.
pub(super) fn no_device(device: usize) -> Gap {
    Gap::new(GapKind::Unsupported, format!("device {device}, which the computer does not have"))
}
