//! Packages of component based servicing.

use weir_model::applicability::{Fact, Gap, GapKind, facts::RegistryData};

use super::registry::Registry;
use crate::facts::file::{Document, Package, Section};

/// Where they are.
const PACKAGES: &str =
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";

/// What `CurrentState` says ("CBS Servicing States Chart", Microsoft TechNet, *Tip of the Day*, 12 October 2015).
/// None if the number is not in the chart: `Some(None)` is a package that is not there.
#[expect(clippy::option_option, reason = "three cases: not understood, not there, a state")]
fn state(number: u32) -> Option<Option<Package>> {
    Some(match number {
        // Absent.
        0x00 => None,
        // Uninstall pending, and what comes before being installed: resolving, resolved, staging, staged. A package that
        // is installed in part counts as not installed, so that it is offered rather than forgotten.
        0x05 | 0x10 | 0x20 | 0x30 | 0x40 | 0x65 => Some(Package::Staged),
        // Superseded.
        0x50 => Some(Package::Superseded),
        // Install pending, installed, permanent.
        0x60 | 0x70 | 0x80 => Some(Package::Installed),
        _ => return None,
    })
}

/// Collects the packages. If the state of one is not understood, the section is not complete and does not name it.
pub(super) fn collect(registry: &Registry, document: &mut Document) -> Fact<()> {
    // Windows without servicing does not exist: without the key nothing is known.
    let Some(names) = registry.subkeys(PACKAGES)? else {
        return Err(Gap::new(GapKind::NotCollected, "packages: the registry has none"));
    };
    let mut section = Section::empty(true);
    for name in names {
        // Identities have five parts; the subkeys of the key hold nothing else in genuine hives.
        if name.matches('~').count() != 4 {
            continue;
        }
        let known = match registry.value(&format!(r"{PACKAGES}\{name}"), "CurrentState")? {
            Some(RegistryData::Dword(number)) => state(number),
            _ => None,
        };
        match known {
            Some(Some(package)) => {
                if section.entries.insert(name, Some(package)).is_err() {
                    section.complete = false;
                }
            }
            Some(None) => {}
            None => {
                section.complete = false;
                document.warnings.push(format!("package {name}: its state is not understood"));
            }
        }
    }
    document.packages = Some(section);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_follow_the_chart() {
        assert_eq!(state(112), Some(Some(Package::Installed)));
        assert_eq!(state(96), Some(Some(Package::Installed)));
        assert_eq!(state(80), Some(Some(Package::Superseded)));
        assert_eq!(state(64), Some(Some(Package::Staged)));
        assert_eq!(state(5), Some(Some(Package::Staged)));
        assert_eq!(state(0), Some(None));
        assert_eq!(state(0xFFFF_FF90), None);
    }
}
