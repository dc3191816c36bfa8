//! The computers of the tables.

use uuid::Uuid;

use crate::{
    applicability::{
        Change,
        facts::{
            Device, FileFacts, InstalledDriver, LicenseValue, MsiProduct, PackageState, RegistryData, System, WmiValue,
        },
        generate,
        memory::{Memory, Nothing},
    },
    document::rules::base::{Hive, RegistryKey},
};

/// The first column: 64 bits, an Office, packages, devices.
pub(super) fn workstation() -> Memory<&'static Nothing> {
    let mut computer = common(generate::system());
    for change in products().into_iter().chain(packages()) {
        computer.apply(&change).expect("possible");
    }
    computer.set_package_installable("Possible~31bf3856ad364e35~amd64~~1.0.0.0");
    computer.set_metric(86, 1);
    computer.set_resource("my disk 1");
    let license = |name: &str, value| Change::SetLicense { name: name.to_owned(), value };
    let changes = [
        license("Kernel-ProductInfo", LicenseValue::Dword(48)),
        license("Other-Type", LicenseValue::Other),
        Change::SetInstalledOnce(super::ID.parse().expect("an id")),
        Change::SetRelease {
            name: "Client.OS.rs2.amd64".to_owned(),
            version: "10.0.19041.1".parse().expect("a version"),
        },
    ];
    computer.apply_all(&changes).expect("possible");
    for (parameter, answer) in [("number", "7"), ("version", "1.10"), ("text", "yes")] {
        computer.set_generic("n", "t", parameter, answer);
    }
    let system = vec![
        ("OperatingSystemSKU".to_owned(), WmiValue::Integer(48)),
        ("Caption".to_owned(), WmiValue::Text("Microsoft Windows 10 Pro".to_owned())),
    ];
    computer.set_wmi(r"root\cimv2", "Win32_OperatingSystem", vec![system]);
    computer.set_devices(devices());
    computer.set_computer_hardware_ids(vec![Uuid::from_u128(0x40), Uuid::from_u128(0x41)]);
    computer
}

/// The second column: 32 bits, other languages beside its own, a cluster, and no products.
pub(super) fn server() -> Memory<&'static Nothing> {
    common(System {
        version: Some((6, 1, 7601)),
        service_pack: Some((1, 0)),
        suite_mask: Some(272),
        product_type: Some(3),
        platform_id: Some(2),
        architecture: Some(0),
        processor_level: Some(15),
        processor_revision: Some(1027),
        processors: Some(1),
        memory_mib: Some(2048),
        language: Some("pt-br".to_owned()),
        mui_languages: Some(vec!["de".to_owned(), "nb".to_owned(), "zh-TW".to_owned()]),
        clustered: Some(true),
    })
}

/// Registry and files, which both have.
fn common(system: System) -> Memory<&'static Nothing> {
    let mut computer = Memory::new(system);
    computer.set_folder(36, r"C:\Windows");
    computer.set_folder(37, r"C:\Windows\system32");
    computer.set_folder(99, r"C:\Weir\");
    computer.set_variable("SystemRoot", r"C:\Windows");
    let sz = |text: &str| RegistryData::Sz(text.to_owned().into());
    let key = |subkey: &str, view32| RegistryKey { hive: Hive::LocalMachine, subkey: subkey.to_owned(), view32 };
    let mut set = |subkey: &str, view32, name: &str, data| {
        let change = Change::SetValue { key: key(subkey, view32), name: name.to_owned(), data };
        computer.apply(&change).expect("possible");
    };
    for (name, data) in [
        ("", sz("default")),
        ("Text", sz("RS4_RELEASE")),
        ("Version", sz("10.5.2.1")),
        ("Short", sz(" 7.2")),
        ("Odd", sz("6.3.9600.17415 (winblue_r4)")),
        ("Disk", sz("disk")),
        ("Folder", sz(r"C:\Weir\")),
        ("Number", RegistryData::Dword(5)),
        ("Big", RegistryData::Dword(u32::MAX)),
        ("Long", RegistryData::Qword(5)),
        ("Binary", RegistryData::Binary(3, vec![1, 2].into())),
        ("Multi", RegistryData::MultiSz(vec!["a".to_owned()].into())),
        ("Expand", RegistryData::ExpandSz(r"%SystemRoot%\System32".into())),
        ("Unset", RegistryData::ExpandSz("100%Nowhere%5%".into())),
    ] {
        set(r"SOFTWARE\Weir", false, name, data);
    }
    set(r"SOFTWARE\Narrow", true, "Number", RegistryData::Dword(32));
    for (name, number) in [("a", 1), ("b", 2)] {
        set(&[r"SOFTWARE\Weir\Loop\", name].concat(), false, "N", RegistryData::Dword(number));
    }
    for name in ["a", "b", "c"] {
        set(&[r"SOFTWARE\Weir\Loop\", name, r"\Deep"].concat(), false, "Kind", sz("x"));
    }
    set(r"SOFTWARE\Weir\Loop\c", false, "Odd", sz("1.2.3.4.5"));
    set(r"SOFTWARE\Weir\Empty", false, "x", sz(""));
    let library = FileFacts {
        size: Some(100),
        version: Some("10.0.1.2".parse().ok()),
        language: Some(Some(1033)),
        created: "2020-01-01T00:00:00Z".parse().ok(),
        modified: "2021-06-01T12:00:00Z".parse().ok(),
    };
    let text = FileFacts { size: Some(0), version: Some(None), language: Some(None), ..FileFacts::default() };
    for (path, file) in [
        (r"C:\Windows\System32\a.dll", library),
        (r"C:\Weir\b.txt", text),
        // Nobody looked at this one.
        (r"C:\Weir\c.bin", FileFacts::default()),
    ] {
        computer.apply(&Change::SetFile { path: path.to_owned(), file }).expect("possible");
    }
    computer
}

fn products() -> Vec<Change> {
    let office = MsiProduct {
        version: "15.0.4420.1017".parse().ok(),
        language: Some(1033),
        patches: Some(vec![code(21)]),
        features: Some(vec!["WORD".to_owned(), "EXCEL".to_owned()]),
        components: Some(vec![code(31), code(32)]),
    };
    let viewer = MsiProduct { features: Some(vec!["WORD".to_owned()]), ..MsiProduct::default() };
    // The third is installed, and nothing else is known of it.
    [(1, office), (2, viewer), (3, MsiProduct::default())]
        .map(|(number, product)| Change::SetProduct { code: code(number), product })
        .into()
}

/// `{00000000-0000-0000-0000-0000000000NN}`, written in decimal.
fn code(number: u32) -> Uuid {
    format!("00000000-0000-0000-0000-0000000000{number:02}").parse().expect("a GUID")
}

fn packages() -> Vec<Change> {
    [
        ("Package_for_KB1~31bf3856ad364e35~amd64~~10.0.1.5", PackageState::Installed),
        ("Old~31bf3856ad364e35~amd64~~1.0.0.0", PackageState::Superseded),
        ("Staged~31bf3856ad364e35~amd64~~1.0.0.0", PackageState::Staged),
    ]
    .map(|(identity, state)| Change::SetPackage { identity: identity.to_owned(), state })
    .into()
}

fn devices() -> Vec<Device> {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let driver = |id: &str, class: &str, maker: &str| InstalledDriver {
        matching_id: id.to_owned(),
        // 2020-01-01.
        date_ms: 1_577_836_800_000,
        version: 1 << 48,
        class: class.to_owned(),
        manufacturer: maker.to_owned(),
        provider: maker.to_owned(),
        rank: 0x00FF_0000,
        ..InstalledDriver::default()
    };
    vec![
        Device {
            hardware_ids: ids(&[r"PCI\VEN_1&DEV_2", r"PCI\VEN_1"]),
            compatible_ids: ids(&[r"PCI\CC_0200"]),
            driver: Some(driver(r"pci\ven_1", "Net", "Acme")),
        },
        Device { hardware_ids: ids(&[r"USB\BARE"]), ..Device::default() },
        Device {
            hardware_ids: ids(&[r"PRN\A"]),
            driver: Some(driver(r"PRN\A", "Printer", "Umbra")),
            ..Device::default()
        },
    ]
}
