mod damage;
mod files;
mod registry;
mod versions;

use std::path::Path;

use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    applicability::{
        Facts, Gap, GapKind,
        facts::{KeyPath, LicenseValue, PackageState, WmiValue},
    },
    document::rules::base::Hive as Root,
};
use weir_testkit::windows;

use super::*;

/// The disk of the computer that the test kit describes.
fn image() -> (TempDir, OfflineImage) {
    let folder = tempfile::tempdir().expect("folder");
    windows::image(folder.path());
    let image = open(folder.path());
    (folder, image)
}

fn open(folder: &Path) -> OfflineImage {
    OfflineImage::open(folder).expect("an image")
}

fn key(path: &str) -> KeyPath<'_> {
    KeyPath { hive: Root::LocalMachine, path, view32: false }
}

fn key32(path: &str) -> KeyPath<'_> {
    KeyPath { view32: true, ..key(path) }
}

fn kind<T: std::fmt::Debug>(fact: Result<T, Gap>) -> GapKind {
    fact.expect_err("a gap").kind
}

#[test]
fn the_system_is_what_the_registry_says() {
    let (_folder, image) = image();
    assert_eq!(image.warnings(), [""; 0]);
    let system = image.system();
    assert_eq!(system.version, Some((10, 0, 26100)));
    assert_eq!(system.service_pack, Some((0, 0)));
    assert_eq!(system.suite_mask, Some(0x100), "a workstation with terminal services serves one user");
    assert_eq!(system.product_type, Some(1), "of the current control set");
    assert_eq!(system.architecture, Some(9));
    assert_eq!((system.processor_level, system.processor_revision), (Some(6), Some(0x9E0A)));
    assert_eq!(system.processors, Some(8));
    assert_eq!(system.memory_mib, None);
    assert_eq!(system.language.as_deref(), Some("de"));
    assert_eq!(system.mui_languages, Some(vec!["en".to_owned()]));
    assert_eq!(system.clustered, Some(false));
    let computer = image.document().computer.as_ref().expect("a description");
    assert_eq!(computer.name.as_deref(), Some("PC17.example.org"));
    assert_eq!(computer.bios_date.map(|date| date.to_string()).as_deref(), Some("2025-03-01T00:00:00Z"));
    assert_eq!(computer.os_revision, Some(4652));
    assert_eq!(computer.locale.as_deref(), Some("de-DE"));
}

#[test]
fn packages_products_and_licences_are_collected() {
    let (_folder, image) = image();
    let package = |identity: &str| image.package(identity).expect("known");
    assert_eq!(package("PACKAGE_FOR_ROLLUPFIX~31bf3856ad364e35~amd64~~26100.4652.1.15"), Some(PackageState::Installed));
    assert_eq!(package("Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.4061.1.6"), Some(PackageState::Superseded));
    assert_eq!(package("Package_for_KB5054156~31bf3856ad364e35~amd64~~26100.3193.1.3"), Some(PackageState::Staged));
    assert_eq!(package("Package_for_Nothing~31bf3856ad364e35~amd64~~1.0.0.0"), None);
    assert_eq!(image.packages().expect("known").len(), 3);

    let office = Uuid::try_parse("90140000-0011-0000-0000-0000000FF1CE").expect("GUID");
    let product = image.msi_product(office).expect("known").expect("installed");
    assert_eq!(product.version, Some("14.0.7015.1000".parse().expect("version")));
    assert_eq!(product.language, Some(1033));
    let patch = Uuid::try_parse("00000000-0000-0000-0000-0000000000ef").expect("GUID");
    assert_eq!(product.patches, Some(vec![patch]), "the other one is only registered");
    assert_eq!(product.features, Some(vec!["WORDFiles".to_owned()]));
    let component = Uuid::try_parse("22222222-2222-2222-2222-222222222222").expect("GUID");
    assert_eq!(product.components, Some(vec![component]));
    let known = Uuid::try_parse("11111111-1111-1111-1111-111111111111").expect("GUID");
    assert_eq!(image.msi_product(known), Ok(None), "known, not installed");

    assert_eq!(image.license("kernel-productinfo"), Ok(Some(LicenseValue::Dword(48))));
    assert_eq!(image.license("none"), Ok(None));
}

#[test]
fn folders_and_variables_are_those_of_the_machine() {
    let (_folder, image) = image();
    let folder = |csidl| image.special_folder(csidl).expect("known").expect("there").into_owned();
    assert_eq!(folder(36), r"C:\Windows");
    assert_eq!(folder(37), r"C:\Windows\system32");
    assert_eq!(folder(38), r"C:\Program Files");
    assert_eq!(folder(41), r"C:\Windows\SysWOW64");
    assert_eq!(folder(42), r"C:\Program Files (x86)");
    assert_eq!(folder(43), r"C:\Program Files\Common Files");
    assert_eq!(folder(44), r"C:\Program Files (x86)\Common Files");
    assert_eq!(folder(35), r"C:\ProgramData");
    assert_eq!(folder(46), r"C:\Users\Public\Documents");
    assert_eq!(kind(image.special_folder(26)), GapKind::NotCollected, "a user's folder");
    assert_eq!(image.variable("temp").expect("known").as_deref(), Some(r"C:\Windows\TEMP"));
    assert_eq!(kind(image.variable("Path")), GapKind::NotCollected);
}

#[test]
fn what_only_a_running_windows_has_is_a_gap() {
    let (_folder, image) = image();
    assert_eq!(kind(image.devices()), GapKind::NotCollected);
    assert_eq!(kind(image.system_metric(86)), GapKind::NotCollected);
    assert_eq!(kind(image.wmi(r"root\cimv2", "Win32_ComputerSystem")), GapKind::NotCollected);
    assert_eq!(kind(image.registry_key(key(r"HARDWARE\DESCRIPTION"))), GapKind::NotCollected);
    assert_eq!(kind(image.registry_key(KeyPath { hive: Root::CurrentUser, ..key("Software") })), GapKind::NotCollected);
    let systems = image.wmi(r"root\cimv2", "Win32_OperatingSystem").expect("known").expect("there");
    assert!(systems[0].contains(&("BuildNumber".to_owned(), WmiValue::Text("26100".to_owned()))));
    assert!(systems[0].contains(&("Version".to_owned(), WmiValue::Text("10.0.26100".to_owned()))));
}

#[test]
fn an_image_becomes_a_facts_file_that_says_the_same() {
    let (_folder, image) = image();
    let contoso = r"HKEY_LOCAL_MACHINE\SOFTWARE\Contoso".to_owned();
    let version = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion".to_owned();
    let document = image.export(&[contoso, version]).expect("exported");
    let text = FactsFile::write(&document).expect("text");
    let file = FactsFile::parse(text.as_bytes()).expect("valid");
    assert_eq!(file.document(), &document);
    assert_eq!(file.system(), image.system());
    assert_eq!(file.packages(), image.packages());
    let office = Uuid::try_parse("90140000-0011-0000-0000-0000000FF1CE").expect("GUID");
    assert_eq!(file.msi_product(office), image.msi_product(office));
    for csidl in 0..64 {
        assert_eq!(file.special_folder(csidl), image.special_folder(csidl), "{csidl}");
    }
    for (path, name) in [
        (r"SOFTWARE\Contoso\App", "Version"),
        (r"SOFTWARE\Contoso\App", "none"),
        (r"SOFTWARE\Contoso\None", "none"),
        (r"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "UBR"),
        (r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList", "Public"),
    ] {
        assert_eq!(file.registry_value(key(path), name), image.registry_value(key(path), name), "{path} {name}");
        assert_eq!(file.registry_subkeys(key(path)), image.registry_subkeys(key(path)), "{path}");
    }
    assert_eq!(kind(file.registry_key(key(r"SOFTWARE\Microsoft\Windows"))), GapKind::NotCollected);
    assert!(image.export(&["HKLM".to_owned()]).is_err());
    assert!(image.export(&[r"HKEY_LOCAL_MACHINE\HARDWARE".to_owned()]).is_err());
}

#[test]
fn a_folder_without_windows_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let error = OfflineImage::open(folder.path()).expect_err("no Windows").to_string();
    assert!(error.contains("mounted on"), "{error}");
    assert!(OfflineImage::open(&folder.path().join("none")).is_err());
}
