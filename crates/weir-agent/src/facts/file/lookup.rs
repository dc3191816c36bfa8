//! What a facts file answers.

use std::borrow::Cow;

use uuid::Uuid;
use weir_model::{
    applicability::{
        Fact, Facts, Gap, GapKind,
        facts::{
            Device, FileFacts, KeyPath, LicenseValue, MsiProduct, PackageState, RegistryData, System, WmiInstance,
        },
    },
    document::rules,
    ids::UpdateId,
};

use super::{
    FactsFile, Names, Table, Values,
    document::{Namespaces, Section},
    value::Coverage,
};
use crate::facts::{
    names::{file_path, fold, key_path},
    wow64,
};

/// Longest part of a name that a gap repeats, in characters.
const LONGEST_SUBJECT: usize = 200;

/// A gap that names what is not known.
pub(in crate::facts) fn gap(kind: GapKind, subject: &str) -> Gap {
    Gap::new(kind, subject.chars().take(LONGEST_SUBJECT).collect::<String>())
}

fn missing<T>(subject: &str) -> Fact<T> {
    Err(gap(GapKind::NotCollected, subject))
}

/// Where a key is stored, or why that is not known.
pub(in crate::facts) fn stored(key: KeyPath<'_>, system: &System) -> Fact<String> {
    let Some(path) = key_path(key.hive, key.path) else {
        return Err(gap(GapKind::Unsupported, "the target of a loop"));
    };
    if !key.view32 {
        return Ok(path);
    }
    let physical = wow64::physical(&path);
    match system.architecture {
        Some(6 | 9 | 12) => Ok(physical),
        Some(_) => Ok(path),
        None if physical == path => Ok(path),
        None => missing("processor architecture"),
    }
}

impl<N: Names, V> Section<N, V> {
    /// An entry; what is absent of a complete section is `absent`.
    fn ask<'a, T>(&'a self, name: &str, found: impl FnOnce(&'a V) -> T, absent: T) -> Fact<T> {
        match self.entries.find(name) {
            Some(value) => Ok(found(value)),
            None if self.complete => Ok(absent),
            None => missing(name),
        }
    }
}

/// Asks a section that may be absent.
fn ask<'a, N: Names, V, T>(
    section: Option<&'a Section<N, V>>,
    what: &'static str,
    name: &str,
    found: impl FnOnce(&'a V) -> T,
    absent: T,
) -> Fact<T> {
    section.ok_or_else(|| Gap::new(GapKind::NotCollected, what))?.ask(name, found, absent)
}

/// What is known of a place in a tree.
enum Place<'a, V> {
    /// It is there, with what the file says of it.
    Listed(&'a V),
    /// It is there, because something below it is.
    Implied,
    /// It is not there.
    Absent,
    /// Nobody looked.
    Unknown,
}

/// Looks a place in a tree up by the form of its path.
fn place<'a, N: Names, V>(section: &'a Section<N, Option<V>, Coverage<N>>, form: &str) -> Place<'a, V> {
    if let Some(Some(value)) = section.entries.by_form(form) {
        return Place::Listed(value);
    }
    if section.entries.first_below(form, Option::is_some).is_some() {
        return Place::Implied;
    }
    let gone = |path: &str| matches!(section.entries.by_form(path), Some(None));
    let above = form.match_indices('\\').filter_map(|(at, _)| form.get(..at));
    if gone(form) || above.into_iter().any(gone) || section.complete.covers(form) {
        return Place::Absent;
    }
    Place::Unknown
}

impl FactsFile {
    fn key(&self, key: KeyPath<'_>) -> Fact<(String, Place<'_, Values>)> {
        let section = self.document.registry.as_ref().ok_or_else(|| Gap::new(GapKind::NotCollected, "registry"))?;
        let path = stored(key, &self.system)?;
        let form = fold(&path);
        match place(section, &form) {
            // Roots are always there.
            Place::Unknown | Place::Absent if !form.contains('\\') => Ok((path, Place::Implied)),
            Place::Unknown => missing(&path),
            place => Ok((path, place)),
        }
    }

    /// Whether all of what is at a key was collected.
    fn covers(&self, path: &str) -> bool {
        self.document.registry.as_ref().is_some_and(|section| section.complete.covers(&fold(path)))
    }
}

impl Facts for FactsFile {
    fn system(&self) -> &System {
        &self.system
    }

    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        Ok(!matches!(self.key(key)?.1, Place::Absent))
    }

    fn registry_value(&self, key: KeyPath<'_>, name: &str) -> Fact<Option<RegistryData<'_>>> {
        let (path, place) = self.key(key)?;
        let value = match place {
            Place::Absent => return Ok(None),
            Place::Listed(values) => values.find(name),
            Place::Implied | Place::Unknown => None,
        };
        match value {
            Some(value) => Ok(value.as_ref().map(super::Data::as_fact)),
            None if self.covers(&path) => Ok(None),
            None => missing(&format!("{path}, value {name:?}")),
        }
    }

    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        let (path, place) = self.key(key)?;
        if matches!(place, Place::Absent) {
            return Ok(None);
        }
        let Some(section) = self.document.registry.as_ref().filter(|_| self.covers(&path)) else {
            return missing(&format!("{path}, subkeys"));
        };
        let form = fold(&path);
        let mut names: Vec<String> = Vec::new();
        let mut last = String::new();
        for (below, written, value) in section.entries.below(&form) {
            // Folding keeps the number of characters, so that the name can be cut out of what was written.
            let skip = form.chars().count() + 1;
            let child = below.get(form.len() + 1..).and_then(|rest| rest.split('\\').next()).unwrap_or_default();
            if value.is_some() && child != last {
                names.push(written.chars().skip(skip).take_while(|character| *character != '\\').collect());
                child.clone_into(&mut last);
            }
        }
        // The order of names is not that of paths: a backslash sorts after some characters.
        names.sort_by_cached_key(|name| fold(name));
        names.dedup_by_key(|name| fold(name));
        Ok(Some(names))
    }

    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        let section = self.document.files.as_ref().ok_or_else(|| Gap::new(GapKind::NotCollected, "files"))?;
        let normal = file_path(path).ok_or_else(|| gap(GapKind::Unsupported, path))?;
        match place(section, &fold(&normal)) {
            Place::Listed(file) => Ok(Some(file.as_fact())),
            Place::Implied => Ok(Some(FileFacts::default())),
            Place::Absent => Ok(None),
            Place::Unknown => missing(&normal),
        }
    }

    fn special_folder(&self, csidl: i32) -> Fact<Option<Cow<'_, str>>> {
        let found = |path: &'_ Option<String>| path.clone().map(Cow::Owned);
        ask(self.document.special_folders.as_ref(), "special folders", &csidl.to_string(), found, None)
            .map_err(|gap| Gap::new(gap.kind, format!("special folder {csidl}")))
    }

    fn variable(&self, name: &str) -> Fact<Option<Cow<'_, str>>> {
        let section = self.document.variables.as_ref();
        ask(section, "environment variables", name, |text| text.as_deref().map(Cow::Borrowed), None)
    }

    fn msi_product(&self, code: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        let section = self.document.windows_installer.as_ref();
        let found = |product: &'_ Option<super::Product>| product.as_ref().map(|product| Cow::Owned(product.as_fact()));
        ask(section, "Windows Installer", &code.to_string(), found, None)
    }

    fn package(&self, identity: &str) -> Fact<Option<PackageState>> {
        ask(self.document.packages.as_ref(), "packages", identity, |state| state.map(Into::into), None)
    }

    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        match &self.document.packages {
            Some(section) if section.complete => {
                let known = section.entries.iter();
                Ok(known.filter_map(|(name, state)| state.map(|state| (name.into(), state.into()))).collect())
            }
            _ => missing("packages"),
        }
    }

    fn package_installable(&self, identity: &str) -> Fact<bool> {
        ask(self.document.installable_packages.as_ref(), "applicability of packages", identity, |is| *is, false)
    }

    fn wmi(&self, namespace: &str, class: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        let section = self.document.wmi.as_ref().ok_or_else(|| Gap::new(GapKind::NotCollected, "WMI"))?;
        let form = Namespaces::form(namespace).unwrap_or_default();
        match section.entries.by_form(&form).and_then(|classes| classes.find(class)) {
            Some(instances) => Ok(instances.as_ref().map(|instances| instances.iter().map(instance).collect())),
            None if section.complete => Ok(None),
            None => missing(&format!("WMI class {class}")),
        }
    }

    fn license(&self, name: &str) -> Fact<Option<LicenseValue>> {
        ask(self.document.licences.as_ref(), "licences", name, |value| value.map(Into::into), None)
    }

    fn system_metric(&self, index: i32) -> Fact<i32> {
        let metrics = self.document.system_metrics.as_ref();
        let found = metrics.and_then(|metrics| metrics.find(&index.to_string()));
        found.copied().ok_or_else(|| gap(GapKind::NotCollected, &format!("system metric {index}")))
    }

    fn cluster_owner(&self, resource: &str) -> Fact<bool> {
        ask(self.document.cluster_resources.as_ref(), "cluster resources", resource, |owns| *owns, false)
    }

    fn product_release(&self, name: &str) -> Fact<Option<rules::Version>> {
        let section = self.document.product_releases.as_ref();
        ask(section, "product releases", name, |release| release.map(|version| version.0), None)
    }

    fn installed_once(&self, update: UpdateId) -> Fact<bool> {
        let name = update.to_string();
        ask(self.document.installed_once.as_ref(), "history of updates", &name, |was| *was, false)
    }

    fn generic_query(&self, namespace: &str, kind: &str, parameter: &str) -> Fact<Option<String>> {
        let same = |a: &str, b: &str| fold(a) == fold(b);
        let known = self.document.generic_queries.iter().flatten().find(|known| {
            same(&known.namespace, namespace) && same(&known.kind, kind) && same(&known.parameter, parameter)
        });
        match known {
            Some(known) => Ok(known.answer.clone()),
            None => missing(&format!("generic query {kind} {parameter:?}")),
        }
    }

    fn devices(&self) -> Fact<Cow<'_, [Device]>> {
        match &self.devices {
            Some(devices) => Ok(Cow::Borrowed(devices)),
            None => missing("devices"),
        }
    }

    fn computer_hardware_ids(&self) -> Fact<Cow<'_, [Uuid]>> {
        match &self.document.computer_hardware_ids {
            Some(ids) => Ok(Cow::Borrowed(ids)),
            None => missing("hardware ids of the computer"),
        }
    }
}

fn instance(properties: &Table<super::Text, super::Property>) -> WmiInstance {
    properties.iter().map(|(name, value)| (name.to_owned(), value.0.clone())).collect()
}
