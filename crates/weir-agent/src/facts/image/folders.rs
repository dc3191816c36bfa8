//! Special folders and environment variables that do not depend on a user.

use std::collections::BTreeMap;

use weir_model::applicability::{Fact, facts::RegistryData};

use super::{
    registry::Registry,
    system::{CURRENT_VERSION, ENVIRONMENT, architecture},
};
use crate::facts::{
    file::{Architecture, Document, Section},
    names::fold,
};

const WINDOWS: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion";
const PROFILES: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// Folders that all users share: CSIDL (`shlobj.h`) and the value in `User Shell Folders`.
const SHARED: [(i32, &str); 11] = [
    (22, "Common Start Menu"),
    (23, "Common Programs"),
    (24, "Common Startup"),
    (25, "Common Desktop"),
    (35, "Common AppData"),
    (45, "Common Templates"),
    (46, "Common Documents"),
    (47, "Common Administrative Tools"),
    (53, "CommonMusic"),
    (54, "CommonPictures"),
    (55, "CommonVideo"),
];

/// Variables in a text that lead to each other.
const MOST_EXPANSIONS: usize = 100;

/// Collects variables and folders.
pub(super) fn collect(registry: &Registry, document: &mut Document) -> Fact<()> {
    let mut variables = Variables::default();
    let root = registry.text(CURRENT_VERSION, "SystemRoot")?;
    if let Some(root) = &root {
        variables.set("SystemRoot", root);
        variables.set("windir", root);
        if let Some(drive) = root.get(..2).filter(|drive| drive.ends_with(':')) {
            variables.set("SystemDrive", drive);
        }
    }
    let installed = |name: &str| registry.text(WINDOWS, name);
    let (programs, programs86) = (installed("ProgramFilesDir")?, installed("ProgramFilesDir (x86)")?);
    let (common, common86) = (installed("CommonFilesDir")?, installed("CommonFilesDir (x86)")?);
    for (name, value) in [
        ("ProgramFiles", &programs),
        ("ProgramFiles(x86)", &programs86),
        ("CommonProgramFiles", &common),
        ("CommonProgramFiles(x86)", &common86),
        ("ProgramData", &registry.text(PROFILES, "ProgramData")?),
        ("ALLUSERSPROFILE", &registry.text(PROFILES, "ProgramData")?),
        ("PUBLIC", &registry.text(PROFILES, "Public")?),
    ] {
        if let Some(value) = value {
            variables.set(name, value);
        }
    }
    for (name, value) in registry.values(ENVIRONMENT)?.unwrap_or_default() {
        if let RegistryData::Sz(text) | RegistryData::ExpandSz(text) = value {
            // What the session manager sets wins: these repeat it with references to itself.
            if !variables.has(&name) {
                variables.set(&name, &text);
            }
        }
    }

    let mut folders = Section::empty(false);
    let mut folder = |csidl: i32, path: Option<String>| {
        if let Some(path) = path.and_then(|path| variables.expand(&path)) {
            let _ = folders.entries.insert(csidl.to_string(), Some(path));
        }
    };
    let is_wide = architecture(registry)?
        .map(|architecture| matches!(architecture, Architecture::X64 | Architecture::Arm64 | Architecture::Ia64));
    let below = |name: &str| root.as_ref().map(|root| format!(r"{root}\{name}"));
    folder(20, below("Fonts"));
    folder(36, root.clone());
    folder(37, below("system32"));
    folder(41, is_wide.and_then(|wide| below(if wide { "SysWOW64" } else { "system32" })));
    // On 32-bit Windows there is one folder for both.
    folder(42, if is_wide == Some(false) { programs.clone() } else { programs86 });
    folder(44, if is_wide == Some(false) { common.clone() } else { common86 });
    folder(38, programs);
    folder(43, common);
    let shell = format!(r"{WINDOWS}\Explorer\User Shell Folders");
    for (csidl, name) in SHARED {
        folder(csidl, registry.text(&shell, name)?);
    }
    document.special_folders = Some(folders);

    let mut section = Section::empty(false);
    for (name, value) in variables.0.values() {
        if let Some(value) = variables.expand(value) {
            let _ = section.entries.insert(name.clone(), Some(value));
        }
    }
    document.variables = Some(section);
    Ok(())
}

/// Variables by the form of their names: name and value.
#[derive(Default)]
struct Variables(BTreeMap<String, (String, String)>);

impl Variables {
    fn set(&mut self, name: &str, value: &str) {
        self.0.insert(fold(name), (name.to_owned(), value.to_owned()));
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(&fold(name))
    }

    /// A text with the values of the variables in it; none if one is not known or leads to itself.
    fn expand(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for _ in 0..MOST_EXPANSIONS {
            let Some((before, rest)) = text.split_once('%') else { return Some(text) };
            let (name, after) = rest.split_once('%')?;
            let (_, value) = self.0.get(&fold(name))?;
            if text.len() + value.len() > 100_000 {
                return None;
            }
            text = format!("{before}{value}{after}");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_far_as_they_are_known() {
        let mut variables = Variables::default();
        variables.set("SystemDrive", "C:");
        variables.set("ProgramData", r"%systemdrive%\ProgramData");
        variables.set("Loop", "%Loop%x");
        assert_eq!(variables.expand(r"%ProgramData%\x").as_deref(), Some(r"C:\ProgramData\x"));
        assert_eq!(variables.expand(r"%Loop%"), None);
        assert_eq!(variables.expand(r"%None%\x"), None);
        assert_eq!(variables.expand(r"100%").as_deref(), None);
    }
}
