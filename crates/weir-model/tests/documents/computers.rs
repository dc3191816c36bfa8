//! Three computers as real ones are, for rules of genuine documents.

use std::borrow::Cow;

use uuid::Uuid;
use weir_model::{
    applicability::{
        Change, Fact, Facts,
        facts::{FileFacts, KeyPath, LicenseValue, MsiProduct, PackageState, RegistryData, System, WmiValue},
        memory::{Memory, Nothing},
    },
    document::rules::base::{Hive, RegistryKey},
};

/// A source such as an offline image: registry, files and products, and nothing that only a running system tells.
#[derive(Debug)]
pub(super) struct Offline;

impl Facts for Offline {
    fn system(&self) -> &System {
        Nothing.system()
    }
    fn registry_key(&self, key: KeyPath<'_>) -> Fact<bool> {
        Nothing.registry_key(key)
    }
    fn registry_value(&self, _: KeyPath<'_>, _: &str) -> Fact<Option<RegistryData<'_>>> {
        Ok(None)
    }
    fn registry_subkeys(&self, key: KeyPath<'_>) -> Fact<Option<Vec<String>>> {
        Nothing.registry_subkeys(key)
    }
    fn file(&self, path: &str) -> Fact<Option<FileFacts>> {
        Nothing.file(path)
    }
    fn special_folder(&self, _: i32) -> Fact<Option<Cow<'_, str>>> {
        Ok(None)
    }
    fn variable(&self, _: &str) -> Fact<Option<Cow<'_, str>>> {
        Ok(None)
    }
    fn msi_product(&self, _: Uuid) -> Fact<Option<Cow<'_, MsiProduct>>> {
        Ok(None)
    }
}

fn key(subkey: &str, view32: bool) -> RegistryKey {
    RegistryKey { hive: Hive::LocalMachine, subkey: subkey.to_owned(), view32 }
}

fn value(subkey: &str, name: &str, data: RegistryData<'static>) -> Change {
    Change::SetValue { key: key(subkey, false), name: name.to_owned(), data }
}

fn sz(text: &str) -> RegistryData<'static> {
    RegistryData::Sz(text.to_owned().into())
}

fn file(path: &str, version: &str) -> Change {
    let version = Some(version.parse().ok());
    Change::SetFile { path: path.to_owned(), file: FileFacts { version, size: Some(1 << 20), ..FileFacts::default() } }
}

fn product(code: &str, version: &str, language: i32) -> Change {
    let product = MsiProduct {
        version: version.parse().ok(),
        language: Some(language),
        patches: Some(Vec::new()),
        features: Some(Vec::new()),
        components: Some(Vec::new()),
    };
    Change::SetProduct { code: code.parse().expect("a GUID"), product }
}

/// What every Windows has, by its numbers.
fn windows(edition: &str, name: &str, version: &str, build: &str) -> Vec<Change> {
    const CURRENT: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    vec![
        value(CURRENT, "ProductName", sz(name)),
        value(CURRENT, "EditionID", sz(edition)),
        value(CURRENT, "CurrentVersion", sz(version)),
        value(CURRENT, "CurrentBuildNumber", sz(build)),
        value(CURRENT, "SystemRoot", sz(r"C:\Windows")),
        value(r"SOFTWARE\Microsoft\Windows\CurrentVersion", "ProgramFilesDir", sz(r"C:\Program Files")),
        value(r"SYSTEM\CurrentControlSet\Control\ProductOptions", "ProductType", sz("WinNT")),
        value(r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment", "OS", sz("Windows_NT")),
    ]
}

fn folders<B>(computer: &mut Memory<B>)
where
    B: std::ops::Deref,
    B::Target: Facts,
{
    for (number, path) in [
        (35, r"C:\ProgramData"),
        (36, r"C:\Windows"),
        (37, r"C:\Windows\system32"),
        (38, r"C:\Program Files"),
        (43, r"C:\Program Files\Common Files"),
    ] {
        computer.set_folder(number, path);
    }
    for (name, path) in
        [("SystemRoot", r"C:\Windows"), ("windir", r"C:\Windows"), ("ProgramFiles", r"C:\Program Files")]
    {
        computer.set_variable(name, path);
    }
}

fn x64(version: (u32, u32, u32), product_type: u16) -> System {
    System {
        version: Some(version),
        service_pack: Some((0, 0)),
        suite_mask: Some(if product_type == 1 { 256 } else { 272 }),
        product_type: Some(product_type),
        platform_id: Some(2),
        architecture: Some(9),
        processor_level: Some(6),
        processor_revision: Some(0x8E0A),
        processors: Some(8),
        memory_mib: Some(16_384),
        language: Some("en".to_owned()),
        mui_languages: Some(Vec::new()),
        clustered: Some(false),
    }
}

/// Windows 11 24H2, Enterprise, with Defender, .NET and Office of the Microsoft Store kind (no MSI).
pub(super) fn windows_11() -> Memory<&'static Nothing> {
    let mut computer = Memory::new(x64((10, 0, 26_100), 1));
    folders(&mut computer);
    computer.set_folder(42, r"C:\Program Files (x86)");
    computer.set_folder(44, r"C:\Program Files (x86)\Common Files");
    computer.set_folder(41, r"C:\Windows\SysWOW64");
    let net = r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full";
    let changes = [
        value(r"SOFTWARE\Microsoft\Windows Defender", "InstallLocation", sz(r"C:\Program Files\Windows Defender\")),
        value(
            r"SOFTWARE\Microsoft\Windows Defender\Signature Updates",
            "SignatureLocation",
            sz(r"C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{1}"),
        ),
        file(r"C:\Program Files\Windows Defender\mpclient.dll", "4.18.25010.11"),
        value(net, "Release", RegistryData::Dword(533_320)),
        value(net, "Version", sz("4.8.09032")),
        value(net, "Install", RegistryData::Dword(1)),
        file(r"C:\Windows\system32\ntoskrnl.exe", "10.0.26100.3194"),
        file(r"C:\Windows\system32\wuaueng.dll", "10.0.26100.3194"),
        file(r"C:\Windows\system32\kernel32.dll", "10.0.26100.3194"),
        Change::SetLicense { name: "Kernel-ProductInfo".to_owned(), value: LicenseValue::Dword(4) },
        Change::SetPackage {
            identity: "Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.3194.1.5".to_owned(),
            state: PackageState::Installed,
        },
    ];
    computer.apply_all(&windows("Enterprise", "Windows 10 Enterprise", "6.3", "26100")).expect("possible");
    computer.apply_all(&changes).expect("possible");
    wmi(&mut computer, 4, "Microsoft Windows 11 Enterprise", "Dell Inc.", "Latitude 7440");
    computer
}

/// Windows Server 2019 Datacenter with SQL Server 2016 and the Exchange management tools.
pub(super) fn server_2019() -> Memory<&'static Nothing> {
    let mut computer = Memory::new(x64((10, 0, 17_763), 3));
    folders(&mut computer);
    computer.set_folder(42, r"C:\Program Files (x86)");
    computer.set_folder(44, r"C:\Program Files (x86)\Common Files");
    let sql = r"SOFTWARE\Microsoft\Microsoft SQL Server";
    let instance = r"SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL13.MSSQLSERVER\Setup";
    let changes = [
        value(r"SYSTEM\CurrentControlSet\Control\ProductOptions", "ProductType", sz("ServerNT")),
        value(
            r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Server\ServerLevels",
            "ServerCore",
            RegistryData::Dword(1),
        ),
        value(sql, "InstalledInstances", RegistryData::MultiSz(vec!["MSSQLSERVER".to_owned()].into())),
        value(instance, "Version", sz("13.0.1601.5")),
        value(instance, "PatchLevel", sz("13.2.5026.0")),
        value(instance, "Edition", sz("Standard Edition")),
        value(instance, "SP", RegistryData::Dword(2)),
        value(r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release", RegistryData::Dword(461_814)),
        file(r"C:\Windows\system32\ntoskrnl.exe", "10.0.17763.6893"),
        file(r"C:\Windows\system32\wuaueng.dll", "10.0.17763.6893"),
        Change::SetLicense { name: "Kernel-ProductInfo".to_owned(), value: LicenseValue::Dword(8) },
    ];
    computer
        .apply_all(&windows("ServerDatacenter", "Windows Server 2019 Datacenter", "6.3", "17763"))
        .expect("possible");
    computer.apply_all(&changes).expect("possible");
    wmi(&mut computer, 8, "Microsoft Windows Server 2019 Datacenter", "Microsoft Corporation", "Virtual Machine");
    computer
}

/// Windows 7 SP1, 32 bits, with Office 2010, seen through an offline image.
pub(super) fn windows_7() -> Memory<&'static Offline> {
    let mut computer = Memory::over(&Offline);
    *computer.system_mut() = System {
        service_pack: Some((1, 0)),
        architecture: Some(0),
        processors: Some(2),
        memory_mib: Some(4_096),
        // An image does not tell whether the computer is a node of a cluster.
        clustered: None,
        ..x64((6, 1, 7601), 1)
    };
    folders(&mut computer);
    let changes = [
        value(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "CSDVersion", sz("Service Pack 1")),
        value(r"SOFTWARE\Microsoft\Internet Explorer", "svcVersion", sz("11.0.9600.19036")),
        value(r"SOFTWARE\Microsoft\Internet Explorer", "Version", sz("9.11.9600.19036")),
        value(
            r"SOFTWARE\Microsoft\Office\14.0\Common\InstallRoot",
            "Path",
            sz(r"C:\Program Files\Microsoft Office\Office14\"),
        ),
        file(r"C:\Windows\system32\ntoskrnl.exe", "6.1.7601.24499"),
        file(r"C:\Windows\system32\wuaueng.dll", "7.6.7601.24436"),
        file(r"C:\Program Files\Internet Explorer\iexplore.exe", "11.0.9600.19036"),
        file(r"C:\Program Files\Microsoft Office\Office14\WINWORD.EXE", "14.0.7182.5000"),
        // Office 2010 Professional Plus, and its English proofing tools.
        product("90140000-0011-0000-0000-0000000FF1CE", "14.0.7015.1000", 0),
        product("90140000-001F-0409-0000-0000000FF1CE", "14.0.7015.1000", 1033),
        product("90140000-001B-0409-0000-0000000FF1CE", "14.0.7015.1000", 1033),
    ];
    computer.apply_all(&windows("Professional", "Windows 7 Professional", "6.1", "7601")).expect("possible");
    computer.apply_all(&changes).expect("possible");
    computer
}

fn wmi(computer: &mut Memory<&'static Nothing>, sku: i64, caption: &str, manufacturer: &str, model: &str) {
    let text = |text: &str| WmiValue::Text(text.to_owned());
    let instance =
        |pairs: &[(&str, WmiValue)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let system = instance(&[("OperatingSystemSKU", WmiValue::Integer(sku)), ("Caption", text(caption))]);
    computer.set_wmi(r"root\cimv2", "Win32_OperatingSystem", vec![system]);
    let hardware = instance(&[
        ("Manufacturer", text(manufacturer)),
        ("Model", text(model)),
        ("Domain", text("corp.example")),
        ("PartOfDomain", WmiValue::Boolean(true)),
        ("TotalPhysicalMemory", text("17179869184")),
    ]);
    computer.set_wmi(r"root\cimv2", "Win32_ComputerSystem", vec![hardware]);
    let disk = instance(&[("DeviceID", text(r"\\.\PHYSICALDRIVE0")), ("Size", text("512105932800"))]);
    computer.set_wmi(r"root\cimv2", "Win32_DiskDrive", vec![disk]);
}
