//! What changed on one computer since its image was made, and the facts of both together.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use uuid::Uuid;
use weir_model::{
    applicability::{
        Change,
        facts::{
            Device, Fact, Facts, FileFacts, InstalledDriver, KeyPath, LicenseValue, MsiProduct, PackageState,
            RegistryData, System, WmiInstance,
        },
    },
    document::rules::Version,
    ids::UpdateId,
};

use super::{
    archetype::Archetype,
    sheet::{names, place},
    systems::Architecture,
};

/// Changes of one computer. None stands for what is gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layer {
    /// Registry keys by place, with their names as written.
    pub(super) keys: BTreeMap<Box<str>, Option<Box<str>>>,
    /// Registry values by place and lower-case name.
    pub(super) values: BTreeMap<(Box<str>, Box<str>), Option<RegistryData<'static>>>,
    /// Files by lower-case path.
    pub(super) files: BTreeMap<Box<str>, Option<FileFacts>>,
    /// Products of Windows Installer.
    pub(super) products: BTreeMap<Uuid, Option<MsiProduct>>,
    /// Packages by lower-case identity, with the identity as written.
    pub(super) packages: BTreeMap<Box<str>, Option<(Box<str>, PackageState)>>,
    /// Updates that were installed once.
    pub(super) once: BTreeSet<UpdateId>,
    /// Drivers by the number of their device.
    pub(super) drivers: BTreeMap<usize, Option<InstalledDriver>>,
    /// The system, if it was replaced.
    pub(super) system: Option<Box<System>>,
    /// Licence values by lower-case name.
    pub(super) licences: BTreeMap<Box<str>, Option<LicenseValue>>,
    /// Releases of products by lower-case name.
    pub(super) releases: BTreeMap<Box<str>, Option<Version>>,
}

impl Layer {
    /// Sets or removes a registry key. Keys above a new one come into being; what is below a removed one is gone.
    pub(super) fn set_key(&mut self, base: &Archetype, place: &str, written: &str, there: bool) {
        if there {
            for (place, name) in names(place, written) {
                self.keys.insert(place.into(), Some(name.into()));
            }
            return;
        }
        let below =
            |other: &str| other.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'));
        self.values.retain(|(at, _), _| !below(at));
        for (known, (_, values)) in base.sheet.keys.iter().filter(|(known, _)| below(known)) {
            self.keys.insert(known.clone(), None);
            // should the key come back, its old values do not
            self.values.extend(values.keys().map(|name| ((known.clone(), name.clone()), None)));
        }
        for (_, state) in self.keys.iter_mut().filter(|(known, _)| below(known)) {
            *state = None;
        }
        self.keys.insert(place.into(), None);
    }
}

/// A computer's facts: its changes over its archetype.
#[derive(Clone, Debug)]
pub(super) struct Layered {
    pub(super) archetype: Arc<Archetype>,
    pub(super) layer: Layer,
}

impl Layered {
    /// Takes in changes.
    pub(super) fn apply(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            self.layer.apply(&self.archetype, change);
        }
    }

    fn place(&self, key: KeyPath<'_>) -> String {
        place(key, self.archetype.architecture.is_64())
    }

    /// Whether a key is there, by its place.
    fn has(&self, place: &str) -> bool {
        match self.layer.keys.get(place) {
            Some(state) => state.is_some(),
            None => self.archetype.sheet.keys.contains_key(place),
        }
    }
}

impl Facts for Layered {
    fn system(&self) -> &System {
        self.layer.system.as_deref().unwrap_or(&self.archetype.facts)
    }

    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        Ok(key.path.is_empty() || self.has(&self.place(key)))
    }

    fn registry_value(&self, key: KeyPath<'_>, name: &str) -> Fact<Option<RegistryData<'_>>> {
        let place = self.place(key);
        let name = name.to_lowercase();
        if self.layer.keys.get(place.as_str()).is_some_and(Option::is_none) {
            return Ok(None);
        }
        if !self.layer.values.is_empty()
            && let Some(value) = self.layer.values.get(&(place.as_str().into(), name.as_str().into()))
        {
            return Ok(value.as_ref().map(borrowed));
        }
        let values = self.archetype.sheet.keys.get(place.as_str());
        Ok(values.and_then(|(_, values)| values.get(name.as_str())).map(borrowed))
    }

    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        let place = self.place(key);
        if !key.path.is_empty() && !self.has(&place) {
            return Ok(None);
        }
        // the hive is one letter, everything below a key begins with the key and a backslash
        let prefix = if place.len() == 1 { place.clone() } else { format!("{place}\\") };
        let child =
            |other: &str| other.strip_prefix(&prefix).is_some_and(|rest| !rest.is_empty() && !rest.contains('\\'));
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        let base = &self.archetype.sheet.keys;
        for (other, (name, _)) in base
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .take_while(|(it, _)| it.starts_with(&prefix))
        {
            if child(other) {
                names.insert(other, name);
            }
        }
        for (other, state) in self.layer.keys.iter().filter(|(other, _)| child(other)) {
            if let Some(name) = state {
                names.entry(other).or_insert(name);
            } else {
                names.remove(&**other);
            }
        }
        Ok(Some(names.into_values().map(str::to_owned).collect()))
    }

    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        let path = path.trim_end_matches('\\').to_lowercase();
        let changed = self.layer.files.get(path.as_str());
        Ok(changed.cloned().unwrap_or_else(|| self.archetype.sheet.files.get(path.as_str()).cloned()))
    }

    fn special_folder(&self, csidl: i32) -> Fact<Option<Cow<'_, str>>> {
        let is_64 = self.archetype.architecture.is_64();
        // MS-DOCS KNOWNFOLDERID: what 32-bit systems answer is the folder of the only programs they have
        Ok(match csidl {
            35 => Some("C:\\ProgramData"),
            36 => Some("C:\\Windows"),
            37 => Some("C:\\Windows\\System32"),
            38 => Some("C:\\Program Files"),
            41 => Some(if is_64 { "C:\\Windows\\SysWOW64" } else { "C:\\Windows\\System32" }),
            42 => Some(if is_64 { "C:\\Program Files (x86)" } else { "C:\\Program Files" }),
            43 => Some("C:\\Program Files\\Common Files"),
            44 if is_64 => Some("C:\\Program Files (x86)\\Common Files"),
            44 => Some("C:\\Program Files\\Common Files"),
            _ => None,
        }
        .map(Cow::Borrowed))
    }

    fn variable(&self, name: &str) -> Fact<Option<Cow<'_, str>>> {
        let is_64 = self.archetype.architecture.is_64();
        let value = match name.to_ascii_lowercase().as_str() {
            "systemroot" | "windir" => "C:\\Windows",
            "systemdrive" => "C:",
            "programfiles" | "programw6432" => "C:\\Program Files",
            "programfiles(x86)" if is_64 => "C:\\Program Files (x86)",
            "commonprogramfiles" => "C:\\Program Files\\Common Files",
            "commonprogramfiles(x86)" if is_64 => "C:\\Program Files (x86)\\Common Files",
            "programdata" | "allusersprofile" => "C:\\ProgramData",
            "processor_architecture" => self.archetype.architecture.name(),
            _ => return Ok(None),
        };
        Ok(Some(Cow::Borrowed(value)))
    }

    fn msi_product(&self, code: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        let product = match self.layer.products.get(&code) {
            Some(changed) => changed.as_ref(),
            None => self.archetype.sheet.products.get(&code),
        };
        Ok(product.map(Cow::Borrowed))
    }

    fn package(&self, identity: &str) -> Fact<Option<PackageState>> {
        let identity = identity.to_lowercase();
        let package = match self.layer.packages.get(identity.as_str()) {
            Some(changed) => changed.as_ref(),
            None => self.archetype.sheet.packages.get(identity.as_str()),
        };
        Ok(package.map(|package| package.1))
    }

    fn packages(&self) -> Fact<Vec<(Cow<'_, str>, PackageState)>> {
        let mut all: BTreeMap<&str, &(Box<str>, PackageState)> =
            self.archetype.sheet.packages.iter().map(|(key, package)| (&**key, package)).collect();
        for (key, state) in &self.layer.packages {
            match state {
                Some(package) => all.insert(key, package),
                None => all.remove(&**key),
            };
        }
        Ok(all.into_values().map(|(identity, state)| (Cow::Borrowed(&**identity), *state)).collect())
    }

    fn package_installable(&self, identity: &str) -> Fact<bool> {
        // name~token~architecture~culture~version
        let mut parts = identity.split('~');
        let (name, _, arch, _, version) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        let own = self.archetype.architecture.package_name();
        let fits = arch.is_some_and(|arch| arch.eq_ignore_ascii_case(own) || arch.eq_ignore_ascii_case("neutral"));
        let rollup = name.is_some_and(|name| name.eq_ignore_ascii_case("Package_for_RollupFix"));
        let Some(version) = version.and_then(|version| version.parse::<Version>().ok()) else { return Ok(fits) };
        // a roll-up is of one build, and only forwards
        let [build, revision, ..] = version.parts;
        let (_, _, own_build) = self.archetype.system.version;
        Ok(fits && (!rollup || build == own_build && revision > self.archetype.revision))
    }

    fn generic_query(&self, _namespace: &str, _kind: &str, _parameter: &str) -> Fact<Option<String>> {
        Ok(None)
    }

    fn wmi(&self, namespace: &str, class: &str) -> Fact<Option<Cow<'_, [WmiInstance]>>> {
        let namespace = namespace.replace('/', "\\");
        let namespace = namespace.trim_matches('\\').to_ascii_lowercase();
        let known = matches!(namespace.as_str(), "root\\cimv2" | ".\\root\\cimv2");
        Ok(known.then(|| self.archetype.wmi(class)).flatten().map(Cow::Owned))
    }

    fn license(&self, name: &str) -> Fact<Option<LicenseValue>> {
        Ok(self.layer.licences.get(name.to_lowercase().as_str()).cloned().flatten())
    }

    fn system_metric(&self, _index: i32) -> Fact<i32> {
        // no tablets, no media centres, no starter editions
        Ok(0)
    }

    fn cluster_owner(&self, _resource: &str) -> Fact<bool> {
        Ok(false)
    }

    fn product_release(&self, name: &str) -> Fact<Option<Version>> {
        let name = name.to_ascii_lowercase();
        if let Some(changed) = self.layer.releases.get(name.as_str()) {
            return Ok(*changed);
        }
        let (major, minor, build) = self.archetype.system.version;
        let arch = match self.archetype.architecture {
            Architecture::Arm64 => "arm64",
            Architecture::X64 => "amd64",
            Architecture::X86 => "x86",
        };
        let kind = if self.archetype.system.server { "server" } else { "client" };
        let own = format!("{kind}.os.rs2.{arch}");
        let version = Version { parts: [major, minor, build, self.archetype.revision], written: 4 };
        Ok((major >= 10 && name == own).then_some(version))
    }

    fn installed_once(&self, update: UpdateId) -> Fact<bool> {
        Ok(self.layer.once.contains(&update))
    }

    fn devices(&self) -> Fact<Cow<'_, [Device]>> {
        if self.layer.drivers.is_empty() {
            return Ok(Cow::Borrowed(&self.archetype.devices));
        }
        let mut devices = self.archetype.devices.clone();
        for (number, driver) in &self.layer.drivers {
            if let Some(device) = devices.get_mut(*number) {
                device.driver.clone_from(driver);
            }
        }
        Ok(Cow::Owned(devices))
    }

    fn computer_hardware_ids(&self) -> Fact<Cow<'_, [Uuid]>> {
        Ok(Cow::Borrowed(&self.archetype.computer_ids))
    }
}

/// The same data, borrowed.
fn borrowed<'a>(data: &'a RegistryData<'static>) -> RegistryData<'a> {
    match data {
        RegistryData::Binary(kind, bytes) => RegistryData::Binary(*kind, Cow::Borrowed(bytes)),
        RegistryData::Dword(number) => RegistryData::Dword(*number),
        RegistryData::ExpandSz(text) => RegistryData::ExpandSz(Cow::Borrowed(text)),
        RegistryData::MultiSz(texts) => RegistryData::MultiSz(Cow::Borrowed(texts)),
        RegistryData::Qword(number) => RegistryData::Qword(*number),
        RegistryData::Sz(text) => RegistryData::Sz(Cow::Borrowed(text)),
    }
}
