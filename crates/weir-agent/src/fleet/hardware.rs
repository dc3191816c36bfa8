//! Hardware: manufacturers, models, firmware, devices and their drivers.
//!
//! Manufacturers and models are invented; vendor and device numbers of the buses are of the kind that real devices have.
//! A company buys few models, each for years: a dozen models carry a whole fleet.

use jiff::civil::{Date, date};
use uuid::Uuid;
use weir_model::applicability::facts::{Device, InstalledDriver};

use super::{
    dice::{Dice, fold},
    systems::{Architecture, Kind},
};

/// A model of a computer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    /// Who made it.
    pub(crate) manufacturer: &'static str,
    /// What it is called.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
    /// Its processor, if only one kind fits.
    pub(crate) arm: bool,
    /// Version of the firmware.
    pub(crate) bios_version: &'static str,
    /// Its date.
    pub(crate) bios_date: Date,
    /// Logical processors.
    pub(crate) processors: u32,
    /// Physical memory in MiB.
    pub(crate) memory_mib: u64,
    /// Devices beside those that every computer has: an index into [`DEVICES`] each.
    devices: &'static [usize],
    /// How often, of its kind.
    weight: u32,
}

/// Every model.
const MODELS: &[Model] = &[
    model(("Nordfels", "ProDesk N40"), Kind::Desktop, "N40.12.3", date(2024, 3, 11), (8, 16), &[0, 2, 4, 8, 11], 34),
    model(("Nordfels", "ProDesk N60"), Kind::Desktop, "N60.2.18", date(2025, 9, 2), (12, 32), &[1, 2, 5, 8, 12], 26),
    model(("Tannberg", "Office Mini 3"), Kind::Desktop, "TM3-1.44", date(2022, 6, 20), (4, 8), &[0, 3, 4, 9], 22),
    model(("Tannberg", "Works 900"), Kind::Desktop, "TW9-3.07", date(2023, 11, 8), (24, 64), &[1, 2, 6, 8, 13], 10),
    model(("Halden", "PanelStation 15"), Kind::Desktop, "1.09", date(2019, 4, 30), (4, 4), &[0, 3, 4], 8),
    model(
        ("Nordfels", "Travel T14"),
        Kind::Laptop,
        "T14.1.62",
        date(2025, 2, 17),
        (12, 16),
        &[0, 2, 4, 7, 8, 10, 14],
        36,
    ),
    model(
        ("Nordfels", "Travel T14 G5"),
        Kind::Laptop,
        "T14E.2.01",
        date(2026, 1, 26),
        (16, 32),
        &[1, 2, 5, 7, 8, 10, 15],
        26,
    ),
    model(("Kestrel", "Air 13"), Kind::Laptop, "KA13 07", date(2023, 8, 14), (8, 16), &[0, 3, 5, 7, 9, 10, 14], 22),
    model(("Kestrel", "Field Rugged"), Kind::Laptop, "KFR 22", date(2021, 12, 1), (8, 8), &[0, 3, 4, 7, 9, 10, 14], 8),
    arm(model(("Kestrel", "Air 13 A"), Kind::Laptop, "KA13A 03", date(2025, 6, 9), (10, 16), &[7, 10, 14], 1)),
    model(("Aurelia", "Virtual Machine"), Kind::Server, "AVM 4.1", date(2024, 1, 1), (4, 16), &[16, 17], 62),
    model(("Aurelia", "Virtual Machine Large"), Kind::Server, "AVM 4.1", date(2024, 1, 1), (16, 64), &[16, 17], 14),
    model(("Halden", "Rack 2200"), Kind::Server, "H22 2.8.1", date(2023, 5, 5), (32, 128), &[3, 6, 18, 19], 16),
    model(("Halden", "Rack 4400"), Kind::Server, "H44 1.5.0", date(2025, 10, 10), (64, 512), &[2, 6, 18, 19], 8),
];

const fn model(
    (manufacturer, name): (&'static str, &'static str),
    kind: Kind,
    bios_version: &'static str,
    bios_date: Date,
    (processors, memory_gib): (u32, u64),
    devices: &'static [usize],
    weight: u32,
) -> Model {
    let memory_mib = memory_gib * 1024;
    Model { manufacturer, name, kind, arm: false, bios_version, bios_date, processors, memory_mib, devices, weight }
}

const fn arm(model: Model) -> Model {
    Model { arm: true, ..model }
}

/// Draws a model.
pub(crate) fn draw(dice: &mut Dice, kind: Kind, architecture: Architecture) -> &'static Model {
    static FALLBACK: Model =
        model(("Aurelia", "Virtual Machine"), Kind::Server, "AVM 4.1", date(2024, 1, 1), (4, 16), &[16, 17], 1);
    let arm = architecture == Architecture::Arm64;
    let fits = |model: &Model| {
        let fits = if arm { model.arm } else { model.kind == kind && !model.arm };
        if fits { model.weight } else { 0 }
    };
    dice.weighted(MODELS, fits).unwrap_or(&FALLBACK)
}

impl Model {
    /// Hardware ids of the computer itself, the most specific first.
    pub(crate) fn computer_ids(&self) -> Vec<Uuid> {
        // version 5 in a name space of the model: the same model has the same ids
        const SPACE: Uuid = Uuid::from_u128(0x5be0_7b6e_2bb4_4d5f_9d3c_2f0c_7e6a_3d11);
        let id = |text: String| Uuid::from_u128(fold(SPACE.as_u128(), &text));
        vec![
            id(format!("{}&{}&{}", self.manufacturer, self.name, self.bios_version)),
            id(format!("{}&{}", self.manufacturer, self.name)),
            id(self.manufacturer.to_owned()),
        ]
    }

    /// The devices, with drivers as old as the firmware, of systems from this major version on.
    pub(crate) fn devices(&self, major: u32) -> Vec<Device> {
        let mut devices: Vec<Device> = COMMON.iter().map(|device| device.build(self, major)).collect();
        devices.extend(
            self.devices.iter().filter_map(|index| DEVICES.get(*index)).map(|device| device.build(self, major)),
        );
        devices
    }
}

/// A kind of device.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The hardware id without subsystem.
    id: &'static str,
    /// The compatible id.
    compatible: &'static str,
    class: &'static str,
    provider: &'static str,
    name: &'static str,
    /// Version of the driver: a.b.c.d.
    version: [u16; 4],
    /// Whether the driver came with Windows.
    inbox: bool,
}

/// What every computer has.
const COMMON: &[Part] = &[
    part("ACPI\\VEN_PNP&DEV_0C08", "*PNP0C08", "System", "Microsoft", "ACPI system", [10, 0, 19_041, 1], true),
    part("ACPI\\VEN_PNP&DEV_0100", "*PNP0100", "System", "Microsoft", "System timer", [10, 0, 19_041, 1], true),
    part("ROOT\\VOLMGR", "ROOT\\VOLMGR", "System", "Microsoft", "Volume manager", [10, 0, 19_041, 1], true),
    part("ROOT\\BASICDISPLAY", "ROOT\\BASICDISPLAY", "Display", "Microsoft", "Basic display", [10, 0, 19_041, 1], true),
    part(
        "HID\\VID_046D&PID_C31C",
        "HID_DEVICE_SYSTEM_KEYBOARD",
        "Keyboard",
        "Microsoft",
        "Keyboard",
        [10, 0, 19_041, 1],
        true,
    ),
    part("HID\\VID_046D&PID_C077", "HID_DEVICE_SYSTEM_MOUSE", "Mouse", "Microsoft", "Mouse", [10, 0, 19_041, 1], true),
];

/// What models choose from.
const DEVICES: &[Part] = &[
    part(
        "PCI\\VEN_8086&DEV_9A49",
        "PCI\\CC_030000",
        "Display",
        "Intel Corporation",
        "Graphics X",
        [31, 0, 101, 5186],
        false,
    ),
    part(
        "PCI\\VEN_8086&DEV_7D55",
        "PCI\\CC_030000",
        "Display",
        "Intel Corporation",
        "Graphics A",
        [32, 0, 101, 6314],
        false,
    ),
    part("PCI\\VEN_8086&DEV_15FA", "PCI\\CC_020000", "Net", "Intel", "Ethernet I219", [12, 19, 2, 60], false),
    part("PCI\\VEN_10EC&DEV_8168", "PCI\\CC_020000", "Net", "Realtek", "Ethernet 8168", [10, 68, 815, 2023], false),
    part(
        "HDAUDIO\\FUNC_01&VEN_10EC&DEV_0257",
        "HDAUDIO\\FUNC_01",
        "MEDIA",
        "Realtek Semiconductor Corp.",
        "Audio 257",
        [6, 0, 9506, 1],
        false,
    ),
    part(
        "HDAUDIO\\FUNC_01&VEN_14F1&DEV_1F87",
        "HDAUDIO\\FUNC_01",
        "MEDIA",
        "Conexant",
        "Audio 1F87",
        [9, 0, 232, 70],
        false,
    ),
    part("PCI\\VEN_10DE&DEV_2504", "PCI\\CC_030000", "Display", "NVIDIA", "Graphics N", [32, 0, 15, 6094], false),
    part("PCI\\VEN_8086&DEV_51F0", "PCI\\CC_028000", "Net", "Intel", "Wireless AX", [23, 60, 1, 2], false),
    part("PCI\\VEN_8086&DEV_A0E0", "PCI\\CC_078000", "System", "Intel", "Management engine", [2433, 6, 3, 0], false),
    part(
        "PCI\\VEN_1022&DEV_1537",
        "PCI\\CC_108000",
        "System",
        "Advanced Micro Devices Inc.",
        "Security processor",
        [5, 33, 0, 0],
        false,
    ),
    part("USB\\VID_04F2&PID_B6DD", "USB\\CLASS_0E", "Camera", "Microsoft", "Camera", [10, 0, 19_041, 1], true),
    part(
        "USBPRINT\\NORDFELSLASER_4000",
        "NORDFELS_LASER_4000",
        "Printer",
        "Nordfels",
        "Laser 4000",
        [61, 250, 1, 24_923],
        false,
    ),
    part("USB\\VID_413C&PID_2113", "USB\\CLASS_03", "HIDClass", "Microsoft", "Input device", [10, 0, 19_041, 1], true),
    part(
        "PCI\\VEN_144D&DEV_A80A",
        "PCI\\CC_010802",
        "SCSIAdapter",
        "Microsoft",
        "NVM controller",
        [10, 0, 19_041, 1],
        true,
    ),
    part(
        "USB\\VID_8087&PID_0026",
        "USB\\CLASS_E0",
        "Bluetooth",
        "Intel Corporation",
        "Bluetooth",
        [23, 60, 0, 1],
        false,
    ),
    part("PCI\\VEN_8086&DEV_A82E", "PCI\\CC_0C0330", "USB", "Intel", "Dock controller", [1, 41, 1193, 0], false),
    part(
        "PCI\\VEN_1AF4&DEV_1000",
        "PCI\\CC_020000",
        "Net",
        "Aurelia",
        "Virtual network",
        [100, 95, 104, 26_200],
        false,
    ),
    part(
        "PCI\\VEN_1AF4&DEV_1001",
        "PCI\\CC_010000",
        "SCSIAdapter",
        "Aurelia",
        "Virtual disk",
        [100, 95, 104, 26_200],
        false,
    ),
    part(
        "PCI\\VEN_1000&DEV_0097",
        "PCI\\CC_010700",
        "SCSIAdapter",
        "Broadcom",
        "Disk controller",
        [2, 61, 31, 0],
        false,
    ),
    part("PCI\\VEN_14E4&DEV_165F", "PCI\\CC_020000", "Net", "Broadcom", "Ethernet 165F", [221, 0, 8, 0], false),
];

const fn part(
    id: &'static str,
    compatible: &'static str,
    class: &'static str,
    provider: &'static str,
    name: &'static str,
    version: [u16; 4],
    inbox: bool,
) -> Part {
    Part { id, compatible, class, provider, name, version, inbox }
}

impl Part {
    fn build(&self, model: &Model, major: u32) -> Device {
        // the subsystem tells the maker of the computer
        let subsystem = fold(0, model.name) as u32;
        let hardware_ids = if self.id.starts_with("PCI\\") || self.id.starts_with("HDAUDIO\\") {
            vec![format!("{}&SUBSYS_{subsystem:08X}", self.id), self.id.to_owned()]
        } else {
            vec![self.id.to_owned()]
        };
        // the driver that Windows brings knows the compatible id, its maker's the hardware id
        let matching_id = if self.inbox { self.compatible.to_owned() } else { self.id.to_owned() };
        let [a, b, c, d] = self.version.map(u64::from);
        let date = if self.inbox { date(2006, 6, 21) } else { model.bios_date };
        let days = i64::from((date - date_of_epoch()).get_days());
        let rank = if self.inbox { 0x00ff_2000 } else { 0x00ff_0001 };
        Device {
            hardware_ids,
            compatible_ids: vec![self.compatible.to_owned()],
            driver: Some(InstalledDriver {
                matching_id,
                matching_computer_id: None,
                date_ms: days * 86_400_000,
                version: if self.inbox && major < 10 { 6 << 48 | 1 << 32 } else { a << 48 | b << 32 | c << 16 | d },
                class: self.class.to_owned(),
                manufacturer: self.provider.to_owned(),
                provider: self.provider.to_owned(),
                model: self.name.to_owned(),
                rank,
            }),
        }
    }
}

fn date_of_epoch() -> Date {
    date(1970, 1, 1)
}
