//! What holds after all instructions of a policy.

use std::collections::BTreeMap;

use super::{
    super::{
        known::{Branch, Known, known, known_at},
        registry::{Change, Data, Entry, Root},
    },
    Finding, Severity,
};

/// The key that most values are in.
pub(super) const UPDATE_KEY: &str = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";

/// Values of the computer's policy by their names.
pub(super) struct View<'e> {
    values: BTreeMap<&'static str, &'e Data>,
}

impl<'e> View<'e> {
    pub(super) fn new(entries: &'e [Entry]) -> Self {
        let mut values: BTreeMap<&'static str, &'e Data> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.root() == Root::LocalMachine) {
            let within = |known: &Known, deep: bool| {
                let (path, key) = (known.branch.path().to_lowercase(), entry.key().to_lowercase());
                path == key || (deep && path.starts_with(&format!("{key}\\")))
            };
            match entry.change() {
                Change::CreateKey => {}
                Change::DeleteKey => values.retain(|name, _| !known(name).is_ok_and(|known| within(known, true))),
                Change::DeleteValues => values.retain(|name, _| !known(name).is_ok_and(|known| within(known, false))),
                Change::DeleteValue(name) => {
                    if let Some(known) = known_at(entry.key(), name) {
                        values.remove(known.name);
                    }
                }
                Change::Set(name, data) => {
                    if let Some(known) = known_at(entry.key(), name) {
                        values.insert(known.name, data);
                    }
                }
            }
        }
        Self { values }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static Known, &'e Data)> {
        self.values.iter().filter_map(|(name, data)| Some((known(name).ok()?, *data)))
    }

    pub(super) fn data(&self, name: &str) -> Option<&'e Data> {
        self.values.get(name).copied()
    }

    /// A number within its range.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let data = self.data(name)?;
        let fits = known(name).is_ok_and(|known| known.shape.fits(data));
        if fits { data.number() } else { None }
    }

    pub(super) fn is(&self, name: &str, number: u32) -> bool {
        self.number(name) == Some(number)
    }

    pub(super) fn text(&self, name: &str) -> Option<&'e str> {
        self.data(name)?.text()
    }

    /// A finding about a value of the table.
    pub(super) fn finding(
        &self,
        severity: Severity,
        code: &'static str,
        name: &'static str,
        breaks: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Finding {
        let branch = known(name).map_or(Branch::Update, |known| known.branch);
        Finding {
            severity,
            code,
            key: format!("{}\\{}", Root::LocalMachine.name(), branch.path()),
            value: name.to_owned(),
            found: self.data(name).map(ToString::to_string),
            breaks: breaks.into(),
            next_step: next_step.into(),
        }
    }
}
