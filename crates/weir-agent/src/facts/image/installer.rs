//! Products of Windows Installer that are installed for all users.
//!
//! They are recorded below `Installer\UserData\S-1-5-18` under *packed* codes. What their values mean: Windows
//! documentation, "MsiGetProductInfoEx", "MsiGetPatchInfoEx" (State), "Installer properties".

use std::collections::HashMap;

use uuid::Uuid;
use weir_model::{
    applicability::{Fact, facts::RegistryData},
    document::rules,
};

use super::registry::Registry;
use crate::facts::file::{Document, Product, Section, Version};

const USER_DATA: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18";
/// Features as they were chosen; one that was not begins with the sign of absence.
const FEATURES: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\Installer\Features";
const NOT_CHOSEN: char = '\u{6}';
/// `MSIPATCHSTATE_REGISTERED`: known to the product, not applied.
const REGISTERED: u32 = 8;

/// Collects the products.
pub(super) fn collect(registry: &Registry, document: &mut Document) -> Fact<()> {
    let mut section = Section::empty(true);
    let products = format!(r"{USER_DATA}\Products");
    let components = components(registry)?;
    for packed in registry.subkeys(&products)?.unwrap_or_default() {
        let key = format!(r"{products}\{packed}");
        let properties = format!(r"{key}\InstallProperties");
        if !registry.key(&properties)? || registry.dword(&properties, "WindowsInstaller")? == Some(0) {
            // Known, not installed.
            continue;
        }
        let Some(code) = unpack(&packed) else {
            section.complete = false;
            document.warnings.push(format!("Windows Installer: product {packed} has no code"));
            continue;
        };
        let product = Product {
            name: registry.text(&properties, "DisplayName")?,
            version: version(registry, &properties)?,
            language: registry.dword(&properties, "Language")?.map(u32::cast_signed),
            patches: patches(registry, &key)?,
            features: features(registry, &key, &packed)?,
            components: Some(components.get(&code).cloned().unwrap_or_default()),
        };
        if section.entries.insert(code.to_string(), Some(product)).is_err() {
            section.complete = false;
        }
    }
    document.windows_installer = Some(section);
    Ok(())
}

/// `DisplayVersion` as text, else `Version` as a number: major 8 bits, minor 8, build 16.
fn version(registry: &Registry, properties: &str) -> Fact<Option<Version>> {
    let text = registry.text(properties, "DisplayVersion")?;
    if let Some(version) = text.and_then(|text| text.parse::<rules::Version>().ok()) {
        return Ok(Some(Version(version)));
    }
    let number = registry.dword(properties, "Version")?;
    Ok(number.map(|number| {
        let parts = [number >> 24, number >> 16 & 0xFF, number & 0xFFFF, 0];
        Version(rules::Version { parts, written: 3 })
    }))
}

/// Codes of patches that are applied, also those that others supersede or made obsolete. None if one is not understood.
fn patches(registry: &Registry, product: &str) -> Fact<Option<Vec<Uuid>>> {
    let key = format!(r"{product}\Patches");
    let mut patches = Vec::new();
    for packed in registry.subkeys(&key)?.unwrap_or_default() {
        if registry.dword(&format!(r"{key}\{packed}"), "State")? == Some(REGISTERED) {
            continue;
        }
        match unpack(&packed) {
            Some(code) => patches.push(code),
            None => return Ok(None),
        }
    }
    Ok(Some(patches))
}

/// Names of features that are installed: recorded for the product, and not marked as left out. None if either is missing.
fn features(registry: &Registry, product: &str, packed: &str) -> Fact<Option<Vec<String>>> {
    let recorded = registry.values(&format!(r"{product}\Features"))?;
    let chosen = registry.values(&format!(r"{FEATURES}\{packed}"))?;
    let (Some(recorded), Some(chosen)) = (recorded, chosen) else { return Ok(None) };
    let mut installed = Vec::new();
    for (name, _) in recorded.into_iter().filter(|(name, _)| !name.is_empty()) {
        match chosen.iter().find(|(chosen, _)| *chosen == name) {
            Some((_, RegistryData::Sz(parent))) if parent.starts_with(NOT_CHOSEN) => {}
            Some((_, RegistryData::Sz(_))) => installed.push(name),
            // Recorded, and unknown to what was chosen: the two do not belong together.
            _ => return Ok(None),
        }
    }
    Ok(Some(installed))
}

/// Codes of components by the products that installed them. A component without a path is not installed.
fn components(registry: &Registry) -> Fact<HashMap<Uuid, Vec<Uuid>>> {
    let key = format!(r"{USER_DATA}\Components");
    let mut by_product: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for packed in registry.subkeys(&key)?.unwrap_or_default() {
        let Some(component) = unpack(&packed) else { continue };
        for (product, path) in registry.values(&format!(r"{key}\{packed}"))?.unwrap_or_default() {
            let has_path = match path {
                RegistryData::Sz(path) | RegistryData::ExpandSz(path) => !path.is_empty(),
                RegistryData::MultiSz(paths) => paths.iter().any(|path| !path.is_empty()),
                _ => false,
            };
            if let Some(product) = unpack(&product).filter(|product| has_path && !product.is_nil()) {
                by_product.entry(product).or_default().push(component);
            }
        }
    }
    Ok(by_product)
}

/// A code from its packed form: 32 digits; the first three groups are backwards digit by digit, the rest in pairs.
fn unpack(packed: &str) -> Option<Uuid> {
    let digits: Vec<char> = packed.chars().collect();
    if digits.len() != 32 || !packed.is_ascii() {
        return None;
    }
    let mut text = String::with_capacity(32);
    for group in [0..8, 8..12, 12..16] {
        text.extend(digits.get(group)?.iter().rev());
    }
    for pair in digits.get(16..)?.chunks(2) {
        text.extend(pair.iter().rev());
    }
    Uuid::try_parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unpacked() {
        // The code of Office 2010, as Windows keeps it.
        let code = unpack("00004109110000000000000000F01FEC").expect("a code");
        assert_eq!(code.to_string(), "90140000-0011-0000-0000-0000000ff1ce");
        assert_eq!(unpack("00004109110000000000000000F01FE"), None);
        assert_eq!(unpack("0000410911000000000000000 F01FEC"), None);
    }
}
