use std::fs;

use weir_model::applicability::facts::RegistryData;
use weir_testkit::windows::HiveFile;

use super::*;

#[test]
fn keys_and_values_are_found_whatever_their_case() {
    let (_folder, image) = image();
    let version = key(r"software\MICROSOFT\windows nt\currentversion");
    assert_eq!(image.registry_key(version), Ok(true));
    assert_eq!(image.registry_value(version, "ubr"), Ok(Some(RegistryData::Dword(4652))));
    assert_eq!(image.registry_value(version, "SystemRoot"), Ok(Some(RegistryData::Sz(r"C:\Windows".into()))));
    assert_eq!(image.registry_value(version, "none"), Ok(None));
    assert_eq!(image.registry_value(version, ""), Ok(None));
    assert_eq!(image.registry_key(key(r"SOFTWARE\None\Below")), Ok(false));
    assert_eq!(image.registry_value(key(r"SOFTWARE\None"), "x"), Ok(None));
    assert_eq!(image.registry_subkeys(key(r"SOFTWARE\None")), Ok(None));
    assert_eq!(image.registry_subkeys(key(r"SOFTWARE\Contoso")), Ok(Some(vec!["App".to_owned()])));
    assert_eq!(image.registry_key(key("")), Ok(true));
    assert_eq!(image.registry_key(key("SOFTWARE")), Ok(true));
}

#[test]
fn the_current_control_set_is_the_one_that_select_names() {
    let (_folder, image) = image();
    let options = r"Control\ProductOptions";
    let value = |set: &str| {
        let path = format!(r"SYSTEM\{set}\{options}");
        image.registry_value(key(&path), "ProductType").expect("known").map(|data| match data {
            RegistryData::Sz(text) => text.into_owned(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(value("CurrentControlSet").as_deref(), Some("WinNT"));
    assert_eq!(value("ControlSet001").as_deref(), Some("ServerNT"));
    assert_eq!(value("ControlSet003"), None);
}

#[test]
fn the_32_bit_view_is_below_its_node_and_behind_its_link() {
    let (_folder, image) = image();
    let text = |path| image.registry_value(path, "Version");
    assert_eq!(text(key(r"SOFTWARE\Contoso\App")), Ok(Some(RegistryData::Sz("3.1".into()))));
    assert_eq!(text(key32(r"SOFTWARE\Contoso\App")), Ok(Some(RegistryData::Sz("2.0".into()))));
    assert_eq!(text(key(r"SOFTWARE\Wow6432Node\Contoso\App")), Ok(Some(RegistryData::Sz("2.0".into()))));
    assert_eq!(image.registry_key(key32(r"SOFTWARE\Classes\CLSID\{A}")), Ok(true));
    assert_eq!(image.registry_key(key(r"SOFTWARE\Classes\CLSID\{A}")), Ok(false));
    assert_eq!(image.registry_key(key(r"SOFTWARE\WOW6432Node\Classes\CLSID\{A}")), Ok(true), "through the link");
    assert_eq!(image.registry_key(KeyPath { hive: Root::ClassesRoot, ..key32(r"CLSID\{A}") }), Ok(true));
    assert_eq!(image.registry_key(key(r"SOFTWARE\WOW6432Node\Classes\None")), Ok(false));
}

#[test]
fn links_that_lead_to_each_other_or_nowhere_are_gaps() {
    let (folder, _) = image();
    let mut hive = HiveFile::new();
    hive.link("A", r"\REGISTRY\MACHINE\SOFTWARE\B")
        .link("B", r"\REGISTRY\MACHINE\SOFTWARE\A")
        .link("C", "somewhere")
        .link("D", r"\REGISTRY\MACHINE\HARDWARE");
    fs::write(folder.path().join("WINDOWS/system32/CONFIG/Software"), hive.bytes(&["A", "B", "C", "D"])).expect("file");
    let image = open(folder.path());
    assert_eq!(kind(image.registry_key(key(r"SOFTWARE\A\x"))), GapKind::TooMuch);
    assert_eq!(kind(image.registry_key(key(r"SOFTWARE\C\x"))), GapKind::Unreadable);
    assert_eq!(kind(image.registry_key(key(r"SOFTWARE\D\x"))), GapKind::NotCollected);
}

#[test]
fn data_of_every_type_are_read() {
    use regf::DataType;

    let (folder, _) = image();
    let mut hive = HiveFile::new();
    let big: Vec<u8> = (0..40_000_u32).map(|number| number as u8).collect();
    hive.multi_sz("K", "multi", &["a", "b"])
        .multi_sz("K", "none", &[])
        .expand_sz("K", "expand", "%x%")
        .set("K", "qword", DataType::Qword, &5_000_000_000_u64.to_le_bytes())
        .set("K", "short", DataType::Dword, &[1, 2])
        .set("K", "big", DataType::Binary, &big)
        .set("K", "none type", DataType::None, &[])
        .set("K", "no end", DataType::String, &[b'a', 0, b'b', 0])
        .set("K", "odd", DataType::String, &[b'a', 0, b'b'])
        .sz("K", "", "default");
    fs::write(folder.path().join("WINDOWS/system32/CONFIG/Software"), hive.bytes(&[])).expect("file");
    let image = open(folder.path());
    let value = |name| image.registry_value(key(r"SOFTWARE\K"), name).expect("known").expect("there");
    assert_eq!(value("multi"), RegistryData::MultiSz(vec!["a".to_owned(), "b".to_owned()].into()));
    assert_eq!(value("none"), RegistryData::MultiSz(vec![].into()));
    assert_eq!(value("expand"), RegistryData::ExpandSz("%x%".into()));
    assert_eq!(value("qword"), RegistryData::Qword(5_000_000_000));
    assert_eq!(value("short"), RegistryData::Binary(4, vec![1, 2].into()));
    assert_eq!(value("big"), RegistryData::Binary(3, big.into()));
    assert_eq!(value("none type"), RegistryData::Binary(0, vec![].into()));
    assert_eq!(value("no end"), RegistryData::Sz("ab".into()));
    assert_eq!(value("odd"), RegistryData::Sz("a".into()));
    assert_eq!(value(""), RegistryData::Sz("default".into()));
}

#[test]
fn a_package_whose_state_is_not_understood_makes_the_list_incomplete() {
    let (folder, _) = image();
    let mut hive = windows::software_hive();
    let packages = r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";
    hive.dword(&format!(r"{packages}\Odd~31bf3856ad364e35~amd64~~1.0.0.0"), "CurrentState", 0xFFFF_FF90);
    let bytes = hive.bytes(&windows::SOFTWARE_LINKS);
    fs::write(folder.path().join("WINDOWS/system32/CONFIG/Software"), bytes).expect("file");
    let image = open(folder.path());
    assert_eq!(kind(image.packages()), GapKind::NotCollected);
    assert_eq!(kind(image.package("Odd~31bf3856ad364e35~amd64~~1.0.0.0")), GapKind::NotCollected);
    assert!(image.warnings().iter().any(|warning| warning.contains("Odd~")), "{:?}", image.warnings());
}
