//! A computer in memory: what it answers after changes.

use std::sync::Arc;

use super::{Memory, Uncollected, stored_path};
use crate::{
    applicability::{
        Change, GapKind,
        facts::{Facts, FileFacts, KeyPath, MsiProduct, PackageState, RegistryData, System},
    },
    document::rules::base::{Hive, RegistryKey},
};

fn key(subkey: &str) -> RegistryKey {
    RegistryKey { hive: Hive::LocalMachine, subkey: subkey.to_owned(), view32: false }
}

fn path(path: &str) -> KeyPath<'_> {
    KeyPath { hive: Hive::LocalMachine, path, view32: false }
}

fn sz(text: &str) -> RegistryData<'static> {
    RegistryData::Sz(text.to_owned().into())
}

fn set(subkey: &str, name: &str, data: &str) -> Change {
    Change::SetValue { key: key(subkey), name: name.to_owned(), data: sz(data) }
}

fn x64() -> System {
    System { architecture: Some(9), ..System::default() }
}

#[test]
fn a_value_brings_its_keys_with_it_in_any_case() {
    let mut computer = Memory::new(x64());
    computer.apply(&set(r"SOFTWARE\Weir\Agent", "Version", "1.0")).expect("possible");
    assert_eq!(computer.registry_key(path(r"software\WEIR")), Ok(true));
    assert_eq!(computer.registry_value(path(r"Software\weir\agent"), "VERSION"), Ok(Some(sz("1.0"))));
    assert_eq!(computer.registry_value(path(r"Software\weir\agent"), "Other"), Ok(None));
    assert_eq!(computer.registry_subkeys(path("SOFTWARE")), Ok(Some(vec!["weir".to_owned()])));
    assert_eq!(computer.registry_subkeys(path("")), Ok(Some(vec!["software".to_owned()])));
    assert_eq!(computer.registry_subkeys(path(r"SOFTWARE\None")), Ok(None));
}

#[test]
fn what_is_gone_hides_what_the_base_has() {
    let mut base = Memory::new(x64());
    for change in [set(r"A\B\C", "V", "1"), set(r"A\D", "V", "2"), set("A", "W", "3")] {
        base.apply(&change).expect("possible");
    }
    let base = Arc::new(base);
    let mut computer = Memory::over(Arc::clone(&base));
    computer.apply(&Change::RemoveKey(key(r"A\B"))).expect("possible");
    computer.apply(&Change::RemoveValue { key: key("A"), name: "w".to_owned() }).expect("possible");
    assert_eq!(computer.registry_key(path(r"A\B\C")), Ok(false));
    assert_eq!(computer.registry_value(path(r"A\B\C"), "V"), Ok(None));
    assert_eq!(computer.registry_value(path(r"A\D"), "V"), Ok(Some(sz("2"))));
    assert_eq!(computer.registry_value(path("A"), "W"), Ok(None));
    assert_eq!(computer.registry_subkeys(path("A")), Ok(Some(vec!["d".to_owned()])));
    computer.apply(&set(r"A\B\E", "V", "4")).expect("possible");
    assert_eq!(computer.registry_subkeys(path(r"A\B")), Ok(Some(vec!["e".to_owned()])));
    assert_eq!(computer.registry_key(path(r"A\B\C")), Ok(false));
    assert_eq!(base.registry_key(path(r"A\B\C")), Ok(true), "the base stays as it is");
}

#[test]
fn the_32_bit_view_is_below_wow6432node_on_64_bit_systems_only() {
    let view32 = |path| KeyPath { hive: Hive::LocalMachine, path, view32: true };
    for (asked, stored) in [
        (r"SOFTWARE\Weir", r"m:\software\wow6432node\weir"),
        ("Software", r"m:\software\wow6432node"),
        (r"SOFTWARE\WOW6432Node\Weir", r"m:\software\wow6432node\weir"),
        (r"SOFTWARE\Policies\Weir", r"m:\software\policies\weir"),
        (r"SOFTWARE\PoliciesOf\Weir", r"m:\software\wow6432node\policiesof\weir"),
        (r"SOFTWARE\Classes\CLSID\x", r"m:\software\wow6432node\classes\clsid\x"),
        (r"SOFTWARE\Classes\.txt", r"m:\software\classes\.txt"),
        (r"SOFTWARES\x", r"m:\softwares\x"),
        (r"SYSTEM\x", r"m:\system\x"),
        ("", "m:"),
    ] {
        assert_eq!(stored_path(view32(asked), &x64()), stored, "{asked}");
    }
    let x86 = System { architecture: Some(0), ..System::default() };
    assert_eq!(stored_path(view32(r"SOFTWARE\Weir"), &x86), r"m:\software\weir");
    assert_eq!(
        stored_path(KeyPath { hive: Hive::ClassesRoot, path: ".txt", view32: false }, &x64()),
        r"m:\software\classes\.txt"
    );
}

#[test]
fn files_make_folders_and_folders_take_files_away() {
    let mut computer = Memory::new(x64());
    let file = FileFacts { size: Some(1), ..FileFacts::default() };
    computer
        .apply(&Change::SetFile { path: r"C:\Windows\System32\a.dll".to_owned(), file: file.clone() })
        .expect("possible");
    let computer = Arc::new(computer);
    assert_eq!(computer.file(r"c:\windows\SYSTEM32\A.dll"), Ok(Some(file.clone())));
    assert_eq!(computer.file(r"c:\windows"), Ok(Some(FileFacts::default())));
    assert_eq!(computer.file(r"c:\win"), Ok(None));
    let mut other = Memory::over(Arc::clone(&computer));
    other.apply(&Change::RemoveFile { path: r"C:\WINDOWS\system32".to_owned() }).expect("possible");
    assert_eq!(other.file(r"c:\windows\SYSTEM32\A.dll"), Ok(None));
    other
        .apply(&Change::SetFile { path: r"C:\Windows\System32\a.dll".to_owned(), file: file.clone() })
        .expect("possible");
    assert_eq!(other.file(r"c:\windows\SYSTEM32\A.dll"), Ok(Some(file)));
}

#[test]
fn what_the_base_does_not_know_stays_a_gap() {
    let mut computer = Memory::over(&Uncollected);
    let product = MsiProduct::default();
    let code = "11111111-2222-3333-4444-555555555555".parse().expect("a GUID");
    computer.apply(&Change::SetProduct { code, product: product.clone() }).expect("possible");
    assert_eq!(computer.msi_product(code).expect("known").as_deref(), Some(&product));
    assert_eq!(computer.file("C:\\x").expect_err("a gap").kind, GapKind::NotCollected);
    assert_eq!(computer.packages().expect_err("a gap").kind, GapKind::NotCollected);
    computer.apply(&Change::RemoveFile { path: "C:\\x".to_owned() }).expect("possible");
    assert_eq!(computer.file("C:\\x\\y"), Ok(None));
    let driver = Change::SetDriver { device: 0, driver: crate::applicability::facts::InstalledDriver::default() };
    assert!(computer.apply(&driver).is_err());
}

#[test]
fn packages_are_listed_once() {
    let mut base = Memory::new(x64());
    let package = |identity: &str, state| Change::SetPackage { identity: identity.to_owned(), state };
    base.apply(&package("A~t~amd64~~1.0.0.0", PackageState::Installed)).expect("possible");
    let mut computer = Memory::over(&base);
    computer.apply(&package("a~T~amd64~~1.0.0.0", PackageState::Superseded)).expect("possible");
    computer.apply(&package("B~t~amd64~~1.0.0.0", PackageState::Staged)).expect("possible");
    let listed: Vec<_> = computer.packages().expect("known").into_iter().map(|(_, state)| state).collect();
    assert_eq!(listed, [PackageState::Superseded, PackageState::Staged]);
    computer.apply(&Change::RemovePackage { identity: "b~t~amd64~~1.0.0.0".to_owned() }).expect("possible");
    assert_eq!(computer.packages().expect("known").len(), 1);
    assert_eq!(computer.package("A~t~amd64~~1.0.0.0"), Ok(Some(PackageState::Superseded)));
}
