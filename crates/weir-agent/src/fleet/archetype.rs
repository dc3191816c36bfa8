//! What many computers have in common: an image of a system on a model of a computer, with its products, so many months
//! behind.

use uuid::Uuid;
use weir_model::applicability::facts::{Device, System as SystemFacts, WmiInstance, WmiValue};

use super::{
    dice::{Dice, Purpose},
    draft::Draft,
    hardware::{self, Model},
    sheet::Sheet,
    software::{self, Role},
    systems::{self, Architecture, Edition, Kind, System},
};

/// Images of each system. A company has few: one for each department, model and language that need their own.
pub(super) const VARIANTS: u32 = 24;

/// A sheet of facts that computers share, and what the agent tells of them.
#[derive(Debug)]
pub(crate) struct Archetype {
    /// Its number among those of the fleet.
    pub(super) number: u32,
    pub(super) system: &'static System,
    pub(super) edition: Edition,
    pub(super) architecture: Architecture,
    pub(super) model: &'static Model,
    pub(super) role: Role,
    /// Language: short, with its country, LCID.
    pub(super) language: (&'static str, &'static str, u16),
    pub(super) revision: u32,
    pub(super) facts: SystemFacts,
    pub(super) sheet: Sheet,
    pub(super) devices: Vec<Device>,
    pub(super) computer_ids: Vec<Uuid>,
}

impl Archetype {
    /// The archetype of a variant of a system whose computers are of this kind and this many months behind.
    pub(super) fn build(
        seed: u64,
        number: u32,
        system: &'static System,
        variant: u32,
        kind: Kind,
        behind: u32,
    ) -> Self {
        let place = u64::from(system.version.2) << 16 | u64::from(system.server) << 15 | u64::from(variant) << 4;
        let mut dice = Dice::new(seed, Purpose::Variant, place | kind as u64);
        let edition = dice.weighted(system.editions, |edition| edition.weight).copied();
        let edition = edition.unwrap_or(systems::NO_EDITION);
        let architecture = dice.weighted(system.architectures, |it| it.1).map_or(Architecture::X64, |it| it.0);
        let language = systems::language(&mut dice, system.server);
        let model = hardware::draw(&mut dice, kind, architecture);
        let role = Role::draw(&mut dice, system);
        let mut draft = Draft::new(system, &edition, architecture, (language.1, language.2), behind);
        software::install(&mut draft, &mut dice, role, behind);
        let (major, minor, build) = system.version;
        let product_type = match (system.server, role) {
            (false, _) => 1,
            (true, Role::DomainController) => 2,
            (true, _) => 3,
        };
        let facts = SystemFacts {
            version: Some((major, minor, build)),
            service_pack: Some((system.service_pack, 0)),
            suite_mask: Some(edition.suite_mask),
            product_type: Some(product_type),
            platform_id: Some(2),
            architecture: Some(architecture.number()),
            processor_level: Some(if architecture == Architecture::Arm64 { 8 } else { 6 }),
            processor_revision: Some(0x8c01),
            processors: Some(model.processors),
            // 32-bit systems see 3 GiB
            memory_mib: Some(if architecture.is_64() { model.memory_mib } else { model.memory_mib.min(3_072) }),
            language: Some(language.0.to_owned()),
            mui_languages: Some(if language.0 == "en" { Vec::new() } else { vec!["en".to_owned()] }),
            clustered: Some(false),
        };
        Self {
            number,
            system,
            edition,
            architecture,
            model,
            role,
            language,
            revision: draft.revision,
            facts,
            sheet: draft.sheet,
            devices: model.devices(major),
            computer_ids: model.computer_ids(),
        }
    }

    /// The instances of a class of `root\cimv2`; none if the class does not exist here.
    pub(super) fn wmi(&self, class: &str) -> Option<Vec<WmiInstance>> {
        let text = |name: &str, value: &str| (name.to_owned(), WmiValue::Text(value.to_owned()));
        let number = |name: &str, value: i64| (name.to_owned(), WmiValue::Integer(value));
        let (major, minor, build) = self.system.version;
        let bits = if self.architecture.is_64() { 64 } else { 32 };
        let processors = i64::from(self.model.processors);
        let instance = match class.to_ascii_lowercase().as_str() {
            "win32_operatingsystem" => vec![
                text("Caption", &format!("Microsoft {} {}", self.system.name, self.edition.suffix)),
                text("Version", &format!("{major}.{minor}.{build}")),
                text("BuildNumber", &build.to_string()),
                text("OSArchitecture", &format!("{bits}-bit")),
                number("ProductType", i64::from(self.facts.product_type.unwrap_or(1))),
                number("OperatingSystemSKU", i64::from(self.edition.product_info)),
                number("OSLanguage", i64::from(self.language.2)),
                number("ServicePackMajorVersion", i64::from(self.system.service_pack)),
            ],
            "win32_computersystem" => vec![
                text("Manufacturer", self.model.manufacturer),
                text("Model", self.model.name),
                number(
                    "DomainRole",
                    match self.facts.product_type {
                        Some(2) => 5,
                        Some(3) => 3,
                        _ => 1,
                    },
                ),
                text("SystemType", if bits == 64 { "x64-based PC" } else { "X86-based PC" }),
                number("NumberOfLogicalProcessors", processors),
                number("PCSystemType", if self.model.kind == Kind::Laptop { 2 } else { 1 }),
            ],
            "win32_bios" => {
                vec![text("Manufacturer", self.model.manufacturer), text("SMBIOSBIOSVersion", self.model.bios_version)]
            }
            "win32_processor" => vec![
                number("AddressWidth", bits),
                number("Architecture", i64::from(self.architecture.number())),
                number("NumberOfLogicalProcessors", processors),
            ],
            _ => return None,
        };
        Some(vec![instance])
    }
}
