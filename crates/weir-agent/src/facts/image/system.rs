//! The operating system and the computer, as the registry of an image tells.

use weir_model::{
    applicability::{Fact, facts::RegistryData},
    document::rules,
};

use super::{language, registry::Registry};
use crate::facts::file::{Architecture, Description, Document, ProductType, Section, System, Table, Version};

/// What Windows is.
pub(super) const CURRENT_VERSION: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
/// What is configured.
pub(super) const CONTROL: &str = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control";
/// Environment variables of the system.
pub(super) const ENVIRONMENT: &str = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

/// `VER_SUITE_TERMINAL` and `VER_SUITE_SINGLEUSERTS`.
const TERMINAL: u16 = 0x10;
const SINGLE_USER: u16 = 0x100;

/// Names in `ProductSuite` and their bits (`OSVERSIONINFOEX.wSuiteMask`, Windows documentation), apart from
/// `Terminal Server`, which is not only a bit.
const SUITES: [(&str, u16); 13] = [
    ("Small Business", 0x1),
    ("Enterprise", 0x2),
    ("BackOffice", 0x4),
    ("CommunicationServer", 0x8),
    ("Small Business(Restricted)", 0x20),
    ("EmbeddedNT", 0x40),
    ("DataCenter", 0x80),
    ("Personal", 0x200),
    ("Blade", 0x400),
    ("Embedded(Restricted)", 0x800),
    ("Storage Server", 0x2000),
    ("Compute Server", 0x4000),
    ("WH Server", 0x8000),
];

/// Collects the operating system and the hardware. What a hive does not tell is not known; the rest is.
pub(super) fn system(registry: &Registry, document: &mut Document) {
    let environment = |name| registry.text(ENVIRONMENT, name).ok().flatten();
    let product_type = product_type(registry).ok().flatten();
    document.system = Some(System {
        version: version(registry).ok().flatten(),
        service_pack: service_pack(registry).ok().flatten(),
        suite_mask: suite_mask(registry, product_type, &mut document.warnings).ok().flatten(),
        product_type,
        platform_id: Some(2),
        architecture: architecture(registry).ok().flatten(),
        processor_level: environment("PROCESSOR_LEVEL").and_then(|text| text.parse().ok()),
        processor_revision: environment("PROCESSOR_REVISION").and_then(|text| u16::from_str_radix(&text, 16).ok()),
        processors: environment("NUMBER_OF_PROCESSORS").and_then(|text| text.parse().ok()),
        // No hive has it.
        memory_mib: None,
        language: install_language(registry).ok().flatten().and_then(language::short).map(str::to_owned),
        mui_languages: mui_languages(registry).ok().flatten(),
        clustered: clustered(registry).ok().flatten(),
    });
}

/// The processor architecture of Windows.
pub(super) fn architecture(registry: &Registry) -> Fact<Option<Architecture>> {
    let name = registry.text(ENVIRONMENT, "PROCESSOR_ARCHITECTURE")?.unwrap_or_default();
    Ok(match name.to_ascii_uppercase().as_str() {
        "AMD64" => Some(Architecture::X64),
        "ARM" => Some(Architecture::Arm),
        "ARM64" => Some(Architecture::Arm64),
        "IA64" => Some(Architecture::Ia64),
        "X86" => Some(Architecture::X86),
        _ => None,
    })
}

/// Windows 10 and later have two numbers, which `CurrentVersion` (6.3 for good) does not follow.
fn version(registry: &Registry) -> Fact<Option<Version>> {
    let major = registry.dword(CURRENT_VERSION, "CurrentMajorVersionNumber")?;
    let minor = registry.dword(CURRENT_VERSION, "CurrentMinorVersionNumber")?;
    let before = registry.text(CURRENT_VERSION, "CurrentVersion")?.and_then(|text| text.parse::<rules::Version>().ok());
    let build = registry.text(CURRENT_VERSION, "CurrentBuildNumber")?.and_then(|text| text.trim().parse().ok());
    let numbers = major.zip(minor).or_else(|| {
        before.map(|version| {
            let [major, minor, ..] = version.parts;
            (major, minor)
        })
    });
    Ok(numbers
        .zip(build)
        .map(|((major, minor), build)| Version(rules::Version { parts: [major, minor, build, 0], written: 3 })))
}

/// `CSDVersion` of the system hive: major number in the high byte, minor in the low one.
fn service_pack(registry: &Registry) -> Fact<Option<Version>> {
    let number = registry.dword(&format!(r"{CONTROL}\Windows"), "CSDVersion")?;
    Ok(number.map(|number| Version(rules::Version { parts: [number >> 8 & 0xFF, number & 0xFF, 0, 0], written: 2 })))
}

fn product_type(registry: &Registry) -> Fact<Option<ProductType>> {
    let name = registry.text(&format!(r"{CONTROL}\ProductOptions"), "ProductType")?.unwrap_or_default();
    Ok(match name.to_ascii_lowercase().as_str() {
        "lanmannt" => Some(ProductType::DomainController),
        "servernt" => Some(ProductType::Server),
        "winnt" => Some(ProductType::Workstation),
        _ => None,
    })
}

/// The suites. With `Terminal Server`, workstations report one user only (0x0100), servers that bit and the one of terminal
/// services (0x0110), unless they serve applications (0x0010; `TSAppCompat`).
fn suite_mask(registry: &Registry, product_type: Option<ProductType>, warnings: &mut Vec<String>) -> Fact<Option<u16>> {
    let Some(RegistryData::MultiSz(names)) = registry.value(&format!(r"{CONTROL}\ProductOptions"), "ProductSuite")?
    else {
        return Ok(None);
    };
    let mut mask = 0;
    for name in names.iter().filter(|name| !name.is_empty()) {
        let suite = SUITES.iter().find(|(suite, _)| suite.eq_ignore_ascii_case(name)).map(|(_, bit)| *bit);
        let suite = match product_type {
            _ if suite.is_some() => suite,
            _ if !name.eq_ignore_ascii_case("Terminal Server") => None,
            Some(ProductType::Workstation) => Some(SINGLE_USER),
            Some(_) => match registry.dword(&format!(r"{CONTROL}\Terminal Server"), "TSAppCompat")? {
                Some(0) => Some(SINGLE_USER | TERMINAL),
                Some(1) => Some(TERMINAL),
                _ => None,
            },
            None => None,
        };
        let Some(suite) = suite else {
            warnings.push(format!("suite mask: {name:?} is not understood"));
            return Ok(None);
        };
        mask |= suite;
    }
    Ok(Some(mask))
}

/// `InstallLanguage`: four hexadecimal digits of a language id.
fn install_language(registry: &Registry) -> Fact<Option<u32>> {
    let digits = registry.text(&format!(r"{CONTROL}\Nls\Language"), "InstallLanguage")?;
    Ok(digits.and_then(|digits| u32::from_str_radix(digits.trim(), 16).ok()))
}

/// User interface languages beside the one that Windows was installed in.
fn mui_languages(registry: &Registry) -> Fact<Option<Vec<String>>> {
    let Some(names) = registry.subkeys(&format!(r"{CONTROL}\MUI\UILanguages"))? else { return Ok(None) };
    let own = install_language(registry)?.and_then(language::short);
    let short = |name: &String| language::of_name(name).map_or_else(|| name.to_ascii_lowercase(), str::to_owned);
    let mut languages: Vec<String> = names.iter().map(short).filter(|name| Some(name.as_str()) != own).collect();
    languages.sort_unstable();
    languages.dedup();
    Ok(Some(languages))
}

/// A node of a cluster has the cluster service; whether it is one that joined, an image does not tell.
fn clustered(registry: &Registry) -> Fact<Option<bool>> {
    let service = registry.key(r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\ClusSvc")?;
    Ok((!service).then_some(false))
}

/// Collects what the computer says of itself.
pub(super) fn describe(registry: &Registry, document: &mut Document) {
    let text = |key: &str, name: &str| registry.text(key, name).ok().flatten();
    let information = format!(r"{CONTROL}\SystemInformation");
    let tcpip = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
    // The name on the network may be longer.
    let host =
        text(tcpip, "NV Hostname").or_else(|| text(&format!(r"{CONTROL}\ComputerName\ComputerName"), "ComputerName"));
    let domain = text(tcpip, "NV Domain").or_else(|| text(tcpip, "Domain"));
    let locale_id = install_language(registry).ok().flatten();
    document.computer = Some(Description {
        name: host.map(|host| match domain {
            Some(domain) => format!("{host}.{domain}"),
            None => host,
        }),
        manufacturer: text(&information, "SystemManufacturer"),
        model: text(&information, "SystemProductName"),
        bios_name: None,
        bios_version: text(&information, "BIOSVersion"),
        bios_date: text(&information, "BIOSReleaseDate").and_then(|date| {
            let date = jiff::civil::Date::strptime("%m/%d/%Y", date.trim()).ok()?;
            Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        }),
        os_name: text(CURRENT_VERSION, "ProductName"),
        os_revision: registry.dword(CURRENT_VERSION, "UBR").ok().flatten(),
        edition: None,
        locale: locale_id.and_then(language::tag).map(str::to_owned),
        locale_id,
    });
}

/// Collects what an image can tell of WMI: what `Win32_OperatingSystem` repeats from the registry. Properties that are not
/// listed stay unknown.
pub(super) fn wmi(document: &mut Document) {
    use crate::facts::file::Property;
    use weir_model::applicability::facts::WmiValue;

    let (Some(system), Some(computer)) = (&document.system, &document.computer) else { return };
    let mut windows = Table::default();
    let mut add = |name: &str, value: Option<WmiValue>| {
        if let Some(value) = value {
            // Names of properties are short and differ.
            let _ = windows.insert(name, Property(value));
        }
    };
    let version = system.version.map(|version| version.0);
    add("Version", version.map(|version| WmiValue::Text(version.to_string())));
    add("BuildNumber", version.map(|rules::Version { parts: [.., build, _], .. }| WmiValue::Text(build.to_string())));
    // WMI calls it "Microsoft Windows ...", and Windows 11 differently from the registry: no Caption.
    let kind = system.product_type.map(|kind| match kind {
        ProductType::Workstation => 1,
        ProductType::DomainController => 2,
        ProductType::Server => 3,
    });
    add("ProductType", kind.map(WmiValue::Integer));
    let pack = system.service_pack.map(|pack| pack.0.parts);
    add("ServicePackMajorVersion", pack.map(|[major, ..]| WmiValue::Integer(major.into())));
    add("ServicePackMinorVersion", pack.map(|[_, minor, ..]| WmiValue::Integer(minor.into())));
    add("OSLanguage", computer.locale_id.map(|id| WmiValue::Integer(id.into())));
    if windows.is_empty() {
        return;
    }
    let mut classes = Table::default();
    let _ = classes.insert("Win32_OperatingSystem", Some(vec![windows]));
    let mut section = Section::empty(false);
    let _ = section.entries.insert(r"root\cimv2", classes);
    document.wmi = Some(section);
}
