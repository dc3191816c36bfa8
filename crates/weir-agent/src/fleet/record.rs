//! Which facts rules ask for, and which facts a computer changed, both as hashes.

use std::{borrow::Cow, cell::RefCell};

use uuid::Uuid;
use weir_model::{
    applicability::facts::{
        Device, Fact, Facts, FileFacts, KeyPath, LicenseValue, MsiProduct, PackageState, RegistryData, System,
        WmiInstance,
    },
    document::rules::Version,
    ids::UpdateId,
};

use super::{
    layer::Layer,
    memo::hash,
    sheet::{above, place},
};

/// What a fact is about.
#[derive(Hash)]
enum About<'a> {
    Devices,
    File(&'a str),
    Key(&'a str),
    Licence(&'a str),
    Once(UpdateId),
    Package(&'a str),
    Packages,
    Product(Uuid),
    Release(&'a str),
    Subkeys(&'a str),
    System,
    Value(&'a str, &'a str),
}

/// Facts that remember what was asked for.
pub(super) struct Recorder<'a> {
    pub(super) facts: &'a dyn Facts,
    pub(super) asked: &'a RefCell<Vec<u32>>,
}

impl Recorder<'_> {
    fn asked(&self, about: About<'_>) {
        self.asked.borrow_mut().push(hash(about));
    }

    fn place(&self, key: KeyPath<'_>) -> String {
        place(key, self.facts.system().architecture.is_some_and(|architecture| architecture != 0))
    }
}

impl Facts for Recorder<'_> {
    fn system(&self) -> &System {
        self.asked(About::System);
        self.facts.system()
    }

    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        self.asked(About::Key(&self.place(key)));
        self.facts.registry_key(key)
    }

    fn registry_value(&self, key: KeyPath<'_>, name: &str) -> Fact<Option<RegistryData<'_>>> {
        self.asked(About::Value(&self.place(key), &name.to_lowercase()));
        self.facts.registry_value(key, name)
    }

    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        self.asked(About::Subkeys(&self.place(key)));
        self.facts.registry_subkeys(key)
    }

    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        self.asked(About::File(&path.trim_end_matches('\\').to_lowercase()));
        self.facts.file(path)
    }

    fn special_folder(&self, csidl: i32) -> Fact<Option<Cow<'_, str>>> {
        self.facts.special_folder(csidl)
    }

    fn variable(&self, name: &str) -> Fact<Option<Cow<'_, str>>> {
        self.facts.variable(name)
    }

    fn msi_product(&self, code: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        self.asked(About::Product(code));
        self.facts.msi_product(code)
    }

    fn package(&self, identity: &str) -> Fact<Option<PackageState>> {
        self.asked(About::Package(&identity.to_lowercase()));
        self.facts.package(identity)
    }

    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        self.asked(About::Packages);
        self.facts.packages()
    }

    fn package_installable(&self, identity: &str) -> Fact<bool> {
        self.asked(About::Packages);
        self.facts.package_installable(identity)
    }

    fn wmi(&self, namespace: &str, class: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        self.facts.wmi(namespace, class)
    }

    fn license(&self, name: &str) -> Fact<Option<LicenseValue>> {
        self.asked(About::Licence(&name.to_lowercase()));
        self.facts.license(name)
    }

    fn system_metric(&self, index: i32) -> Fact<i32> {
        self.facts.system_metric(index)
    }

    fn cluster_owner(&self, resource: &str) -> Fact<bool> {
        self.facts.cluster_owner(resource)
    }

    fn product_release(&self, name: &str) -> Fact<Option<Version>> {
        self.asked(About::Release(&name.to_lowercase()));
        self.facts.product_release(name)
    }

    fn installed_once(&self, update: UpdateId) -> Fact<bool> {
        self.asked(About::Once(update));
        self.facts.installed_once(update)
    }

    fn generic_query(&self, namespace: &str, kind: &str, parameter: &str) -> Fact<Option<String>> {
        self.facts.generic_query(namespace, kind, parameter)
    }

    fn devices(&self) -> Fact<Cow<'_, [Device]>> {
        self.asked(About::Devices);
        self.facts.devices()
    }

    fn computer_hardware_ids(&self) -> Fact<Cow<'_, [Uuid]>> {
        self.facts.computer_hardware_ids()
    }
}

impl Layer {
    /// Hashes of every fact that may differ from the archetype's, sorted.
    pub(super) fn changed(&self) -> Box<[u32]> {
        let mut all = Vec::new();
        for key in self.keys.keys() {
            all.push(hash(About::Key(key)));
            if let Some(above) = above(key) {
                all.push(hash(About::Subkeys(above)));
            }
            all.push(hash(About::Subkeys(key)));
        }
        all.extend(self.values.keys().map(|(key, name)| hash(About::Value(key, name))));
        all.extend(self.files.keys().map(|path| hash(About::File(path))));
        all.extend(self.products.keys().map(|code| hash(About::Product(*code))));
        all.extend(self.packages.keys().map(|identity| hash(About::Package(identity))));
        all.extend(self.licences.keys().map(|name| hash(About::Licence(name))));
        all.extend(self.releases.keys().map(|name| hash(About::Release(name))));
        all.extend(self.once.iter().map(|update| hash(About::Once(*update))));
        if !self.packages.is_empty() {
            all.push(hash(About::Packages));
        }
        if !self.drivers.is_empty() {
            all.push(hash(About::Devices));
        }
        if self.system.is_some() {
            all.push(hash(About::System));
        }
        all.sort_unstable();
        all.dedup();
        all.into_boxed_slice()
    }
}
