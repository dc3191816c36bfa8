//! The registry of a computer in memory.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{
    applicability::facts::{KeyPath, RegistryData, System},
    document::rules::base::Hive,
};

/// Differences of a registry from that of its base. Paths are stored paths in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    /// Keys that are there, with the values that were set or, if none, removed.
    keys: BTreeMap<Box<str>, BTreeMap<Box<str>, Option<RegistryData<'static>>>>,
    /// Keys that are gone from the base, with everything below them.
    removed: BTreeSet<Box<str>>,
    /// Values that are gone from keys that may not be there themselves.
    removed_values: BTreeSet<(Box<str>, Box<str>)>,
}

impl Registry {
    pub(super) fn add_key(&mut self, path: &str) {
        for (at, _) in path.match_indices('\\') {
            if let Some(above) = path.get(..at) {
                self.keys.entry(above.into()).or_default();
            }
        }
        self.keys.entry(path.into()).or_default();
    }

    pub(super) fn remove_key(&mut self, path: &str) {
        let below = format!("{path}\\");
        self.keys.retain(|key, _| **key != *path && !key.starts_with(&below));
        self.removed.insert(path.into());
    }

    pub(super) fn set(&mut self, path: &str, name: Box<str>, data: RegistryData<'static>) {
        self.add_key(path);
        self.keys.entry(path.into()).or_default().insert(name, Some(data));
    }

    pub(super) fn remove(&mut self, path: &str, name: Box<str>) {
        match self.keys.get_mut(path) {
            Some(values) => {
                values.insert(name, None);
            }
            None => {
                self.removed_values.insert((path.into(), name));
            }
        }
    }

    /// Whether the key was added.
    pub(super) fn has(&self, path: &str) -> bool {
        self.keys.contains_key(path)
    }

    /// Whether what the base has of this key counts.
    pub(super) fn hides(&self, path: &str) -> bool {
        !self.removed.is_empty()
            && (self.removed.contains(path)
                || path.match_indices('\\').any(|(at, _)| path.get(..at).is_some_and(|it| self.removed.contains(it))))
    }

    /// A value that was set, or that was removed: then none.
    pub(super) fn value(&self, path: &str, name: &str) -> Option<&Option<RegistryData<'static>>> {
        if let Some(found) = self.keys.get(path).and_then(|values| values.get(name)) {
            return Some(found);
        }
        let removed = !self.removed_values.is_empty() && self.removed_values.contains(&(path.into(), name.into()));
        removed.then_some(&None)
    }

    /// Names of the subkeys that were added.
    pub(super) fn subkeys(&self, path: &str) -> Vec<&str> {
        let below = format!("{path}\\");
        let from: (Bound<&str>, Bound<&str>) = (Bound::Included(&below), Bound::Unbounded);
        self.keys
            .range::<str, _>(from)
            .map_while(|(key, _)| key.strip_prefix(below.as_str()))
            .filter(|rest| !rest.contains('\\'))
            .collect()
    }
}

/// The path at which a key is stored, in lower case: its root, then what is below it. `HKEY_CLASSES_ROOT` is
/// `Software\Classes` of the machine. On 64-bit systems the 32-bit view of `Software` is below `WOW6432Node`, apart from
/// keys that both views share; a system of unknown architecture counts as one of 32 bits ("Registry Keys Affected by WOW64", Windows documentation, column of Windows 7 and later).
pub fn stored_path(key: KeyPath<'_>, system: &System) -> String {
    let path = key.path.trim_matches('\\').to_lowercase();
    let (root, path) = match key.hive {
        Hive::ClassesRoot if path.is_empty() => ("m:", Cow::Borrowed("software\\classes")),
        Hive::ClassesRoot => ("m:", Cow::Owned(["software\\classes\\", &path].concat())),
        Hive::CurrentUser => ("c:", Cow::Owned(path)),
        Hive::LocalMachine => ("m:", Cow::Owned(path)),
        Hive::LoopTarget => ("l:", Cow::Owned(path)),
        Hive::Users => ("u:", Cow::Owned(path)),
    };
    if path.is_empty() {
        return root.to_owned();
    }
    let wide = matches!(system.architecture, Some(6 | 9 | 12));
    let below = path.strip_prefix("software").filter(|rest| matches!(rest.as_bytes(), [] | [b'\\', ..]));
    match below {
        Some(rest) if root == "m:" && key.view32 && wide && !is_shared(rest.trim_start_matches('\\')) => {
            [root, "\\software\\wow6432node", rest].concat()
        }
        _ => [root, "\\", &path].concat(),
    }
}

/// Whether both views have the same key, below `Software`.
fn is_shared(path: &str) -> bool {
    const REDIRECTED_CLASSES: [&str; 5] = ["clsid", "directshow", "interface", "media type", "mediafoundation"];
    const SHARED: [&str; 22] = [
        "classes",
        "clients",
        "microsoft\\com3",
        "microsoft\\cryptography\\calais\\current",
        "microsoft\\cryptography\\calais\\readers",
        "microsoft\\cryptography\\services",
        "microsoft\\enterprisecertificates",
        "microsoft\\eventsystem",
        "microsoft\\msmq",
        "microsoft\\ole",
        "microsoft\\ras",
        "microsoft\\rpc",
        "microsoft\\systemcertificates",
        "microsoft\\windows\\currentversion\\group policy",
        "microsoft\\windows\\currentversion\\policies",
        "microsoft\\windows\\currentversion\\setup",
        "microsoft\\windows nt\\currentversion\\fonts",
        "microsoft\\windows nt\\currentversion\\profilelist",
        "microsoft\\windows nt\\currentversion\\time zones",
        "policies",
        "registeredapplications",
        "wow6432node",
    ];
    let is_in =
        |path: &str, key: &str| path.strip_prefix(key).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'\\', ..]));
    match path.strip_prefix("classes\\") {
        Some(class) => !REDIRECTED_CLASSES.iter().any(|key| is_in(class, key)),
        None => SHARED.iter().any(|key| is_in(path, key)),
    }
}
