//! A computer in memory.
//!
//! [`Memory`] keeps what differs from a base, which any other source may be: nothing at all ([`Nothing`]), a source that
//! knows nothing ([`Uncollected`]), or what thousands of computers share, behind an `Arc`. It is compact: a computer
//! without differences has a few hundred bytes.

mod apply;
mod facts;
mod registry;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use uuid::Uuid;

pub use self::registry::stored_path;
use super::facts::{Device, Facts, FileFacts, LicenseValue, MsiProduct, PackageState, System, WmiInstance};
use crate::{document::rules::Version, ids::UpdateId};

/// A computer of which everything is known and that has nothing, apart from its [`System`], of which nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

/// A computer of which nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uncollected;

/// Namespace, type and parameter of a generic query.
type Question = (Box<str>, Box<str>, Box<str>);

/// A computer: a base and what differs from it.
#[derive(Clone, Debug, Default)]
pub struct Memory<B = &'static Nothing> {
    base: B,
    system: Option<Box<System>>,
    registry: registry::Registry,
    /// By path in lower case; none for what is gone.
    files: BTreeMap<Box<str>, Option<FileFacts>>,
    folders: BTreeMap<i32, Option<Box<str>>>,
    variables: BTreeMap<Box<str>, Option<Box<str>>>,
    products: BTreeMap<Uuid, Option<Box<MsiProduct>>>,
    /// By identity in lower case: the identity as given, and the state.
    packages: BTreeMap<Box<str>, Option<(Box<str>, PackageState)>>,
    installable: BTreeSet<Box<str>>,
    wmi: BTreeMap<(Box<str>, Box<str>), Vec<WmiInstance>>,
    licenses: BTreeMap<Box<str>, Option<LicenseValue>>,
    metrics: BTreeMap<i32, i32>,
    resources: BTreeSet<Box<str>>,
    releases: BTreeMap<Box<str>, Option<Version>>,
    generic: BTreeMap<Question, Box<str>>,
    once: BTreeSet<UpdateId>,
    devices: Option<Vec<Device>>,
    computer_ids: Option<Vec<Uuid>>,
}

impl Memory {
    /// A computer of which everything is known: it has nothing.
    pub fn new(system: System) -> Self {
        Self { system: Some(Box::new(system)), ..Self::over(&Nothing) }
    }
}

impl<B> Memory<B>
where
    B: Deref,
    B::Target: Facts,
{
    /// A computer that does not differ from its base yet.
    pub fn over(base: B) -> Self {
        Self {
            base,
            system: None,
            registry: registry::Registry::default(),
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
            variables: BTreeMap::new(),
            products: BTreeMap::new(),
            packages: BTreeMap::new(),
            installable: BTreeSet::new(),
            wmi: BTreeMap::new(),
            licenses: BTreeMap::new(),
            metrics: BTreeMap::new(),
            resources: BTreeSet::new(),
            releases: BTreeMap::new(),
            generic: BTreeMap::new(),
            once: BTreeSet::new(),
            devices: None,
            computer_ids: None,
        }
    }

    /// What it differs from.
    pub fn base(&self) -> &B::Target {
        &self.base
    }

    /// The operating system and the hardware, to be changed.
    pub fn system_mut(&mut self) -> &mut System {
        self.system.get_or_insert_with(|| Box::new(self.base.system().clone()))
    }

    /// States the path of a special folder.
    pub fn set_folder(&mut self, csidl: i32, path: &str) {
        self.folders.insert(csidl, Some(path.into()));
    }

    /// States an environment variable.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.insert(fold(name), Some(value.into()));
    }

    /// States all instances of a WMI class.
    pub fn set_wmi(&mut self, namespace: &str, class: &str, instances: Vec<WmiInstance>) {
        self.wmi.insert((namespace_name(namespace), fold(class)), instances);
    }

    /// States a system metric.
    pub fn set_metric(&mut self, index: i32, value: i32) {
        self.metrics.insert(index, value);
    }

    /// States that this node owns a cluster resource.
    pub fn set_resource(&mut self, resource: &str) {
        self.resources.insert(fold(resource));
    }

    /// States that component based servicing would take a package.
    pub fn set_package_installable(&mut self, identity: &str) {
        self.installable.insert(fold(identity));
    }

    /// States the answer to a generic query.
    pub fn set_generic(&mut self, namespace: &str, kind: &str, parameter: &str, answer: &str) {
        self.generic.insert((fold(namespace), fold(kind), fold(parameter)), answer.into());
    }

    /// States all devices.
    pub fn set_devices(&mut self, devices: Vec<Device>) {
        self.devices = Some(devices);
    }

    /// States the hardware ids of the computer itself.
    pub fn set_computer_hardware_ids(&mut self, ids: Vec<Uuid>) {
        self.computer_ids = Some(ids);
    }
}

/// Text as it is compared.
fn fold(text: &str) -> Box<str> {
    text.to_lowercase().into_boxed_str()
}

/// A namespace of WMI as it is compared: either slash, any case.
fn namespace_name(namespace: &str) -> Box<str> {
    fold(&namespace.replace('/', "\\")).trim_matches('\\').into()
}
