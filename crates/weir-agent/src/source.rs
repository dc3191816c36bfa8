//! A computer of which there are only facts: nothing can be installed on it.

use std::borrow::Cow;

use weir_model::{applicability::Facts, ids::ComputerId};

use crate::{
    computer::{Computer, Description, Installable, Installed},
    facts::file::Description as Told,
};

/// Facts, and who the computer says it is.
pub struct FactsComputer {
    facts: Box<dyn Facts + Send>,
    description: Description,
}

impl FactsComputer {
    /// A computer of these facts, and what it says of itself beside them. `name` is used if that holds none.
    pub fn new(
        facts: Box<dyn Facts + Send>,
        told: Option<&Told>,
        client_id: ComputerId,
        name: &str,
        target_group: Option<String>,
    ) -> Self {
        let description = describe(&*facts, told.cloned().unwrap_or_default(), client_id, name, target_group);
        Self { facts, description }
    }
}

impl Computer for FactsComputer {
    fn description(&self) -> Cow<'_, Description> {
        Cow::Borrowed(&self.description)
    }

    fn facts(&self) -> &dyn Facts {
        &*self.facts
    }

    fn install(&mut self, _: &Installable<'_>) -> Installed {
        Installed::Cannot
    }

    fn uninstall(&mut self, _: &Installable<'_>) -> Installed {
        Installed::Cannot
    }

    fn restart(&mut self) -> bool {
        false
    }
}

fn describe(
    facts: &dyn Facts,
    told: Told,
    client_id: ComputerId,
    name: &str,
    target_group: Option<String>,
) -> Description {
    let system = facts.system();
    let number = |number: u32| i32::try_from(number).unwrap_or(0);
    let (major, minor, build) = system.version.unwrap_or_default();
    let version = [number(major), number(minor), number(build), number(told.os_revision.unwrap_or_default())];
    // the protocol takes 255 characters
    let name: String = told.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(name).chars().take(255).collect();
    let mut description = Description::new(client_id, name, version);
    description.target_group = target_group;
    let set = |place: &mut String, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            *place = value;
        }
    };
    set(&mut description.manufacturer, told.manufacturer);
    set(&mut description.model, told.model);
    set(&mut description.bios_name, told.bios_name);
    set(&mut description.bios_version, told.bios_version);
    set(&mut description.os_name, told.os_name);
    set(&mut description.locale, told.locale);
    description.bios_date = told.bios_date.unwrap_or(description.bios_date);
    description.locale_id = told.locale_id.map_or(description.locale_id, number);
    description.edition = told.edition.map_or(0, number);
    if let Some((major, minor)) = system.service_pack {
        let small = |number: u16| i16::try_from(number).unwrap_or(0);
        description.service_pack = [small(major), small(minor)];
    }
    description.suite_mask = system.suite_mask.unwrap_or_default().cast_signed();
    description.product_type = system.product_type.and_then(|kind| u8::try_from(kind).ok()).unwrap_or(1);
    description.architecture = Cow::Borrowed(match system.architecture {
        Some(0) => "X86",
        Some(5) => "ARM",
        Some(6) => "IA64",
        Some(9) => "AMD64",
        Some(12) => "ARM64",
        _ => "unknown",
    });
    description
}
