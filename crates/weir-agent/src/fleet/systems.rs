//! Operating systems: which ones, how often, in which editions, languages and architectures.
//!
//! Shares are plausible for a company late in 2026, not measured: Windows 11 has replaced Windows 10 on most desks, a
//! fifth pays for extended updates of 22H2, long-term releases run machines, one computer in six is a server, and one
//! percent is what everybody forgot. Names and build numbers are those of the real products; the revision numbers of
//! months are modelled as a straight line ([`System::revision`]).

use super::dice::Dice;

/// What kind of computer a system is installed on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// On somebody's desk.
    Desktop,
    /// Carried around.
    Laptop,
    /// In a machine room, always on.
    Server,
}

/// An edition of a system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edition {
    /// `EditionID` of the registry.
    pub(crate) id: &'static str,
    /// What stands after the system's name.
    pub(crate) suffix: &'static str,
    /// `GetProductInfo`.
    pub(crate) product_info: i32,
    /// `OSVERSIONINFOEX.wSuiteMask`.
    pub(crate) suite_mask: u16,
    /// How often, of the editions of a system.
    pub(crate) weight: u32,
}

const ENTERPRISE: Edition =
    Edition { id: "Enterprise", suffix: "Enterprise", product_info: 4, suite_mask: 0x100, weight: 60 };
const PROFESSIONAL: Edition =
    Edition { id: "Professional", suffix: "Pro", product_info: 48, suite_mask: 0x100, weight: 34 };
const EDUCATION: Edition =
    Edition { id: "Education", suffix: "Education", product_info: 121, suite_mask: 0x100, weight: 6 };
const LTSC: Edition =
    Edition { id: "EnterpriseS", suffix: "Enterprise LTSC", product_info: 125, suite_mask: 0x100, weight: 80 };
const IOT_LTSC: Edition =
    Edition { id: "IoTEnterpriseS", suffix: "IoT Enterprise LTSC", product_info: 191, suite_mask: 0x100, weight: 20 };
const STANDARD: Edition =
    Edition { id: "ServerStandard", suffix: "Standard", product_info: 7, suite_mask: 0x110, weight: 65 };
const DATACENTER: Edition =
    Edition { id: "ServerDatacenter", suffix: "Datacenter", product_info: 8, suite_mask: 0x190, weight: 35 };

/// Stands in where a system has no editions, which none has.
pub(super) const NO_EDITION: Edition = PROFESSIONAL;

const CLIENT: &[Edition] = &[ENTERPRISE, PROFESSIONAL, EDUCATION];
const SEVEN: &[Edition] = &[
    Edition { weight: 40, ..ENTERPRISE },
    Edition { id: "Professional", suffix: "Professional", product_info: 48, suite_mask: 0x100, weight: 60 },
];
const LONG_TERM: &[Edition] = &[LTSC, IOT_LTSC];
const SERVER: &[Edition] = &[STANDARD, DATACENTER];

/// A processor architecture.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Architecture {
    /// 64 bits of ARM.
    Arm64,
    /// 64 bits of AMD and Intel.
    X64,
    /// 32 bits of Intel.
    X86,
}

impl Architecture {
    /// `SYSTEM_INFO.wProcessorArchitecture`.
    pub fn number(self) -> u16 {
        match self {
            Self::Arm64 => 12,
            Self::X64 => 9,
            Self::X86 => 0,
        }
    }

    /// As the environment variable `PROCESSOR_ARCHITECTURE` spells it, and RegisterComputer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "ARM64",
            Self::X64 => "AMD64",
            Self::X86 => "x86",
        }
    }

    /// As identities of packages spell it.
    pub(crate) fn package_name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X64 => "amd64",
            Self::X86 => "x86",
        }
    }

    /// Whether it has a registry view and folders for 32-bit programs.
    pub(crate) fn is_64(self) -> bool {
        self != Self::X86
    }
}

/// A release of Windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System {
    /// As people call it, without the edition.
    pub(crate) name: &'static str,
    /// `ProductName` of the registry, without the edition. Windows 11 calls itself Windows 10 there.
    pub(crate) registry_name: &'static str,
    /// `DisplayVersion`, or `ReleaseId` of older ones; empty before both.
    pub(crate) release: &'static str,
    /// Major, minor, build.
    pub(crate) version: (u32, u32, u32),
    /// Service pack.
    pub(crate) service_pack: u16,
    /// `UBR` two years before the newest month; 0 where the registry has none.
    pub(crate) first_revision: u32,
    /// By how much it grows in a month.
    pub(crate) step: u32,
    /// Whether it is a server.
    pub(crate) server: bool,
    /// Editions.
    pub(crate) editions: &'static [Edition],
    /// Architectures with their weights.
    pub(crate) architectures: &'static [(Architecture, u32)],
    /// How many in a thousand computers.
    pub(crate) share: u32,
}

use Architecture::{Arm64, X64, X86};

const ONLY_X64: &[(Architecture, u32)] = &[(X64, 1)];
/// One Windows 11 computer in twenty has an ARM processor.
const ELEVEN: &[(Architecture, u32)] = &[(X64, 95), (Arm64, 5)];
const TEN: &[(Architecture, u32)] = &[(X64, 93), (X86, 6), (Arm64, 1)];
const OLD: &[(Architecture, u32)] = &[(X64, 70), (X86, 30)];

const BASE: System = System {
    name: "",
    registry_name: "Windows 10",
    release: "",
    version: (10, 0, 0),
    service_pack: 0,
    first_revision: 0,
    step: 0,
    server: false,
    editions: CLIENT,
    architectures: ONLY_X64,
    share: 0,
};

/// The most frequent one.
pub(super) const FIRST: &System = &System { release: "24H2", version: (10, 0, 26_100), ..BASE };

/// Every system of a fleet.
pub(crate) const SYSTEMS: &[System] = &[
    System {
        name: "Windows 11",
        release: "25H2",
        version: (10, 0, 26_200),
        first_revision: 5_074,
        step: 140,
        architectures: ELEVEN,
        share: 190,
        ..BASE
    },
    System {
        name: "Windows 11",
        release: "24H2",
        version: (10, 0, 26_100),
        first_revision: 2_033,
        step: 265,
        architectures: ELEVEN,
        share: 265,
        ..BASE
    },
    System {
        name: "Windows 11",
        release: "23H2",
        version: (10, 0, 22_631),
        first_revision: 4_317,
        step: 120,
        architectures: ELEVEN,
        share: 120,
        ..BASE
    },
    System {
        name: "Windows 11",
        release: "22H2",
        version: (10, 0, 22_621),
        first_revision: 4_317,
        step: 120,
        architectures: ELEVEN,
        share: 25,
        ..BASE
    },
    System {
        name: "Windows 10",
        release: "22H2",
        version: (10, 0, 19_045),
        first_revision: 5_011,
        step: 115,
        architectures: TEN,
        share: 180,
        ..BASE
    },
    System {
        name: "Windows 10",
        release: "21H2",
        version: (10, 0, 19_044),
        first_revision: 5_011,
        step: 115,
        editions: LONG_TERM,
        architectures: &[(X64, 90), (X86, 10)],
        share: 24,
        ..BASE
    },
    System {
        name: "Windows 10",
        release: "1809",
        version: (10, 0, 17_763),
        first_revision: 6_414,
        step: 122,
        editions: LONG_TERM,
        share: 14,
        ..BASE
    },
    System {
        name: "Windows 10",
        release: "1607",
        version: (10, 0, 14_393),
        first_revision: 7_428,
        step: 110,
        editions: LONG_TERM,
        architectures: OLD,
        share: 6,
        ..BASE
    },
    System {
        name: "Windows 8.1",
        registry_name: "Windows 8.1",
        version: (6, 3, 9_600),
        first_revision: 22_221,
        step: 40,
        architectures: OLD,
        share: 4,
        ..BASE
    },
    System {
        name: "Windows 7",
        registry_name: "Windows 7",
        version: (6, 1, 7_601),
        service_pack: 1,
        editions: SEVEN,
        architectures: OLD,
        share: 8,
        ..BASE
    },
    System {
        name: "Windows Server 2025",
        registry_name: "Windows Server 2025",
        release: "24H2",
        version: (10, 0, 26_100),
        first_revision: 2_033,
        step: 265,
        server: true,
        editions: SERVER,
        share: 24,
        ..BASE
    },
    System {
        name: "Windows Server 2022",
        registry_name: "Windows Server 2022",
        release: "21H2",
        version: (10, 0, 20_348),
        first_revision: 2_762,
        step: 75,
        server: true,
        editions: SERVER,
        share: 62,
        ..BASE
    },
    System {
        name: "Windows Server 2019",
        registry_name: "Windows Server 2019",
        release: "1809",
        version: (10, 0, 17_763),
        first_revision: 6_414,
        step: 122,
        server: true,
        editions: SERVER,
        share: 46,
        ..BASE
    },
    System {
        name: "Windows Server 2016",
        registry_name: "Windows Server 2016",
        release: "1607",
        version: (10, 0, 14_393),
        first_revision: 7_428,
        step: 110,
        server: true,
        editions: SERVER,
        share: 23,
        ..BASE
    },
    System {
        name: "Windows Server 2012 R2",
        registry_name: "Windows Server 2012 R2",
        version: (6, 3, 9_600),
        first_revision: 22_221,
        step: 40,
        server: true,
        editions: SERVER,
        share: 9,
        ..BASE
    },
];

impl System {
    /// `UBR`, the fourth number of the version, with the updates of the month that is `behind` months before the newest
    /// one of the model.
    pub(crate) fn revision(&self, behind: u32) -> u32 {
        self.first_revision + self.step * super::patches::MONTHS.saturating_sub(behind)
    }

    /// `ProductName` of the registry.
    pub(crate) fn product_name(&self, edition: &Edition) -> String {
        format!("{} {}", self.registry_name, edition.suffix)
    }
}

/// A language: short name, name with country, LCID, how many in a hundred. One company, most of it speaks English.
pub(crate) const LANGUAGES: &[(&str, &str, u16, u32)] = &[
    ("en", "en-US", 1033, 46),
    ("de", "de-DE", 1031, 15),
    ("fr", "fr-FR", 1036, 10),
    ("es", "es-ES", 3082, 7),
    ("ja", "ja-JP", 1041, 5),
    ("pt-br", "pt-BR", 1046, 4),
    ("it", "it-IT", 1040, 4),
    ("nl", "nl-NL", 1043, 3),
    ("pl", "pl-PL", 1045, 2),
    ("zh-cn", "zh-CN", 2052, 2),
    ("sv", "sv-SE", 1053, 1),
    ("ko", "ko-KR", 1042, 1),
];

/// Draws a language: servers speak English, whoever uses them.
pub(crate) fn language(dice: &mut Dice, server: bool) -> (&'static str, &'static str, u16) {
    let drawn = dice.weighted(LANGUAGES, |language| language.3);
    match drawn {
        Some(&(short, long, lcid, _)) if !server => (short, long, lcid),
        _ => ("en", "en-US", 1033),
    }
}
