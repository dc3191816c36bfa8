use proptest::prelude::*;
use uuid::Uuid;
use weir_model::{
    applicability::{
        Facts, Gap, GapKind,
        facts::{FileFacts, KeyPath, LicenseValue, PackageState, RegistryData, WmiValue},
    },
    document::rules::base::Hive,
    ids::UpdateId,
};

use super::*;

/// The example of the documentation.
fn example() -> FactsFile {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/facts-format.md")).expect("page");
    let (_, from) = page.split_once("```json\n").expect("an example");
    let (json, _) = from.split_once("```").expect("its end");
    FactsFile::parse(json.as_bytes()).expect("the example is valid")
}

fn parse(body: &str) -> Result<FactsFile, FactsFileError> {
    FactsFile::parse(format!(r#"{{"weir_facts": 1, {body}}}"#).as_bytes())
}

fn message(body: &str) -> String {
    parse(body).expect_err(body).to_string()
}

fn key(path: &str) -> KeyPath<'_> {
    KeyPath { hive: Hive::LocalMachine, path, view32: false }
}

fn key32(path: &str) -> KeyPath<'_> {
    KeyPath { view32: true, ..key(path) }
}

fn not_collected<T: std::fmt::Debug>(fact: Result<T, Gap>) {
    assert_eq!(fact.expect_err("a gap").kind, GapKind::NotCollected);
}

#[test]
fn the_registry_tells_absent_from_unknown() {
    let facts = example();
    let app = key(r"software\contoso\app\");
    assert_eq!(facts.registry_value(app, "VERSION"), Ok(Some(RegistryData::Sz("3.1.4".into()))));
    assert_eq!(facts.registry_value(app, ""), Ok(Some(RegistryData::Sz("the default value".into()))));
    assert_eq!(facts.registry_value(app, "Key"), Ok(Some(RegistryData::Binary(3, vec![0, 255, 16].into()))));
    assert_eq!(facts.registry_value(app, "Nothing"), Ok(Some(RegistryData::Binary(0, vec![].into()))));
    assert_eq!(facts.registry_value(app, "Size"), Ok(Some(RegistryData::Qword(5_000_000_000))));
    // below what is complete, absence is known
    assert_eq!(facts.registry_value(app, "Absent"), Ok(None));
    assert_eq!(facts.registry_key(key(r"SOFTWARE\Contoso\Other")), Ok(false));
    assert_eq!(facts.registry_value(key(r"SOFTWARE\Contoso\Other"), "x"), Ok(None));
    assert_eq!(facts.registry_subkeys(key(r"SOFTWARE\CONTOSO")), Ok(Some(vec!["App".to_owned()])));
    assert_eq!(facts.registry_subkeys(app), Ok(Some(vec![])));
    assert_eq!(facts.registry_subkeys(key(r"SOFTWARE\Contoso\Other")), Ok(None));
    // elsewhere it is not, unless it is said
    let version = key(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion");
    assert_eq!(facts.registry_value(version, "CSDVersion"), Ok(None));
    not_collected(facts.registry_value(version, "ProductName"));
    not_collected(facts.registry_subkeys(version));
    assert_eq!(facts.registry_key(key(r"SOFTWARE\Microsoft\Windows NT")), Ok(true), "something is below it");
    not_collected(facts.registry_key(key(r"SOFTWARE\Microsoft\Office")));
    not_collected(facts.registry_key(key(r"SOFTWARE\Contos")));
    not_collected(facts.registry_key(key(r"SOFTWARE\Contoso2")));
    assert_eq!(facts.registry_key(key(r"SOFTWARE\Microsoft\Fabrikam\Deep\Below")), Ok(false));
    assert_eq!(facts.registry_key(key("")), Ok(true));
    assert_eq!(
        facts.registry_key(KeyPath { hive: Hive::ClassesRoot, ..key("CLSID") }).map_err(|gap| gap.kind),
        Err(GapKind::NotCollected)
    );
}

#[test]
fn the_32_bit_view_is_led_where_it_is_stored() {
    let facts = example();
    assert_eq!(facts.registry_key(key32(r"SOFTWARE\Contoso")), Ok(true));
    not_collected(facts.registry_key(key32(r"SOFTWARE\Contoso\App")));
    let on = |system: &str| {
        let entries = r#""registry": {"complete": true, "entries": {"HKEY_LOCAL_MACHINE\\SOFTWARE\\A": {}}}"#;
        parse(&format!(r#"{entries}, "system": {{{system}}}"#)).expect("valid")
    };
    assert_eq!(on(r#""architecture": "x86""#).registry_key(key32(r"SOFTWARE\A")), Ok(true));
    assert_eq!(on(r#""architecture": "arm64""#).registry_key(key32(r"SOFTWARE\A")), Ok(false));
    not_collected(on("").registry_key(key32(r"SOFTWARE\A")));
    assert_eq!(on("").registry_key(key32(r"SYSTEM\A")), Ok(false), "both views are the same");
}

#[test]
fn files_tell_absent_from_unknown() {
    let facts = example();
    let exe = facts.file(r"c:\program files/APP\app.exe").expect("known").expect("there");
    assert_eq!(exe.version, Some(Some("3.1.4.7".parse().expect("version"))));
    assert_eq!(exe.language, Some(Some(1033)));
    let readme = facts.file(r"C:\Program Files\App\readme.txt").expect("known").expect("there");
    assert_eq!((readme.version, readme.language, readme.created), (Some(None), Some(None), None));
    assert_eq!(facts.file(r"C:\Program Files\App"), Ok(Some(FileFacts::default())));
    assert_eq!(facts.file(r"C:\"), Ok(Some(FileFacts::default())));
    assert_eq!(facts.file(r"C:\Program Files\App\none.dll"), Ok(None));
    assert_eq!(facts.file(r"C:\Windows\System32\OLD.DLL"), Ok(None));
    assert_eq!(facts.file(r"C:\Windows\System32\OLD.DLL\x"), Ok(None));
    not_collected(facts.file(r"C:\Windows\System32\new.dll"));
    not_collected(facts.file(r"D:\x"));
    assert_eq!(facts.file("relative").map_err(|gap| gap.kind), Err(GapKind::Unsupported));
}

#[test]
fn every_other_section_answers() {
    let facts = example();
    assert_eq!(facts.system().version, Some((10, 0, 26100)));
    assert_eq!(facts.system().service_pack, Some((0, 0)));
    assert_eq!(facts.system().architecture, Some(9));
    assert_eq!(facts.system().product_type, Some(1));
    assert_eq!(facts.special_folder(36).expect("known").as_deref(), Some(r"C:\Windows"));
    not_collected(facts.special_folder(38));
    assert_eq!(facts.variable("SYSTEMROOT").expect("known").as_deref(), Some(r"C:\Windows"));
    assert_eq!(facts.variable("None"), Ok(None));
    let office = Uuid::try_parse("{90140000-0011-0000-0000-0000000FF1CE}").expect("GUID");
    let product = facts.msi_product(office).expect("known").expect("there");
    assert_eq!(product.features, Some(vec!["WORDFiles".to_owned()]));
    assert_eq!(facts.msi_product(Uuid::nil()), Ok(None));
    let rollup = "package_for_rollupfix~31bf3856ad364e35~amd64~~26100.4652.1.15";
    assert_eq!(facts.package(rollup), Ok(Some(PackageState::Installed)));
    assert_eq!(facts.package("none"), Ok(None));
    assert_eq!(facts.packages().expect("complete").len(), 2);
    not_collected(facts.package_installable("none"));
    let systems = facts.wmi("//./root/CIMV2", "win32_computersystem").expect("known").expect("there");
    assert!(systems[0].contains(&("Workgroup".to_owned(), WmiValue::Null)));
    assert!(systems[0].contains(&("NumberOfProcessors".to_owned(), WmiValue::Integer(1))));
    assert_eq!(facts.wmi(r"root\cimv2", "Win32_Printer"), Ok(None));
    not_collected(facts.wmi(r"root\cimv2", "Win32_Process"));
    assert_eq!(facts.license("kernel-productinfo"), Ok(Some(LicenseValue::Dword(48))));
    assert_eq!(facts.license("none"), Ok(None));
    not_collected(facts.license("other"));
    assert_eq!(facts.system_metric(86), Ok(0));
    not_collected(facts.system_metric(88));
    assert_eq!(facts.cluster_owner("disk"), Ok(false));
    assert!(facts.product_release("client.os.RS2.amd64").expect("known").is_some());
    not_collected(facts.product_release("other"));
    let once = Uuid::try_parse("3b4b8621-726e-43a6-b43b-37d07ec7019f").expect("GUID");
    assert_eq!(facts.installed_once(UpdateId::from(once)), Ok(true));
    assert_eq!(facts.generic_query("ROOT", "feature", "x"), Ok(None));
    not_collected(facts.generic_query("root", "feature", "y"));
    let devices = facts.devices().expect("known");
    let driver = devices[0].driver.as_ref().expect("a driver");
    assert_eq!(driver.version, 0x000C_0013_0002_002D);
    assert_eq!(facts.computer_hardware_ids().expect("known").len(), 1);
}

#[test]
fn a_section_that_is_absent_proves_nothing() {
    let facts = FactsFile::parse(br#"{"weir_facts": 1}"#).expect("valid");
    not_collected(facts.registry_key(key("SOFTWARE")));
    not_collected(facts.file(r"C:\x"));
    not_collected(facts.special_folder(36));
    not_collected(facts.variable("x"));
    not_collected(facts.msi_product(Uuid::nil()));
    not_collected(facts.package("x"));
    not_collected(facts.packages());
    not_collected(facts.package_installable("x"));
    not_collected(facts.wmi("root", "x"));
    not_collected(facts.license("x"));
    not_collected(facts.system_metric(1));
    not_collected(facts.cluster_owner("x"));
    not_collected(facts.product_release("x"));
    not_collected(facts.installed_once(UpdateId::from(Uuid::nil())));
    not_collected(facts.generic_query("x", "x", "x"));
    not_collected(facts.devices());
    not_collected(facts.computer_hardware_ids());
    let partial = parse(r#""packages": {"complete": false, "entries": {"a": "installed"}}"#).expect("valid");
    not_collected(partial.packages());
    assert_eq!(partial.package("A"), Ok(Some(PackageState::Installed)));
}

#[test]
fn what_is_written_is_read_again() {
    let facts = example();
    let text = FactsFile::write(facts.document()).expect("text");
    let again = FactsFile::parse(text.as_bytes()).expect("valid");
    assert_eq!(again.document(), facts.document());
}

#[test]
fn errors_name_the_place_and_the_next_step() {
    for (body, parts) in [
        (r#""regystry": {}"#, &["unknown field `regystry`", "did you mean `registry`?", "line 1, column "][..]),
        (
            r#""registry": {"complete": false, "entries": {"HKEY_LOCAL_MACHINE\\A": {"v": {"dwrd": 1}}}}"#,
            &["did you mean `dword`?", r"at registry.entries.HKEY_LOCAL_MACHINE\A.v"],
        ),
        (
            r#""registry": {"complete": false, "entries": {"HKEY_LOCAL_MACHINE\\A": {"v": {"dword": "1"}}}}"#,
            &["invalid type: string", r"registry.entries.HKEY_LOCAL_MACHINE\A.v"],
        ),
        (r#""registry": {"complete": false, "entries": {"HKLM\\A": {}}}"#, &["HKEY_LOCAL_MACHINE", "registry.entries"]),
        (r#""registry": {"entries": {}}"#, &["missing field `complete`", "registry"]),
        (r#""registry": {"complete": "yes", "entries": {}}"#, &["true, false or a list of paths"]),
        (r#""packages": {"complete": true, "entries": {"a": "instaled"}}"#, &["did you mean `installed`?"]),
        (r#""packages": {"complete": true, "entries": {"a": "staged", "A": "staged"}}"#, &["twice"]),
        (r#""special_folders": {"complete": true, "entries": {"x": "C:\\"}}"#, &["no whole number"]),
        (r#""windows_installer": {"complete": true, "entries": {"x": null}}"#, &["no GUID"]),
        (r#""files": {"complete": true, "entries": {"C:/x": {}}}"#, &[r"write it as C:\x"]),
        (r#""system": {"version": "ten"}"#, &["system.version", "one to four numbers"]),
        (r#""system": {"architecture": "amd64"}"#, &["`x64`", "system.architecture"]),
        (r#""system": {"processors": -1}"#, &["system.processors"]),
        (r#""devices": [{"hardware_ids": []}]"#, &["missing field `driver`", "devices[0]"]),
        (r#""wmi": {"complete": true, "entries": {"root": {"x": [{"p": []}]}}}"#, &["wmi.entries.root.x[0].p"]),
        (r#""registry": {"complete": true, "entries": {"HKEY_USERS\\a": {"v": {"binary": "0"}}}}"#, &["pairs"]),
    ] {
        let message = message(body);
        for part in parts {
            assert!(message.contains(part), "{body}: {message}");
        }
    }
    let newer = FactsFile::parse(br#"{"weir_facts": 2, "more": 1}"#).expect_err("newer").to_string();
    assert!(newer.contains("version 2"), "{newer}");
    assert!(FactsFile::parse(b"{").is_err());
    assert!(FactsFile::parse(b"").is_err());
    assert!(FactsFile::parse(br#"{"weir_facts": 1} x"#).is_err());
    assert!(FactsFile::parse(b"\xEF\xBB\xBF{\"weir_facts\": 1}").is_ok());
    let deep = format!(r#"{{"weir_facts": 1, "wmi": {}"#, "[".repeat(1_000_000));
    assert!(FactsFile::parse(deep.as_bytes()).is_err());
}

#[test]
fn nothing_exists_below_what_does_not() {
    let registry = r#"{"complete": true, "entries": {"HKEY_USERS\\a": null, "HKEY_USERS\\A\\b\\c": {}}}"#;
    let message = message(&format!(r#""registry": {registry}"#));
    assert!(message.contains("HKEY_USERS") && message.contains("remove one of them"), "{message}");
}

#[test]
fn subkeys_are_in_the_order_of_the_registry() {
    let names = ["b", "a b", "a", "A-1", "a\\x", "Z\\y\\z"];
    let entries: Vec<String> =
        names.iter().map(|name| format!(r#""HKEY_USERS\\{}": {{}}"#, name.replace('\\', "\\\\"))).collect();
    let facts =
        parse(&format!(r#""registry": {{"complete": true, "entries": {{{}}}}}"#, entries.join(","))).expect("valid");
    let users = KeyPath { hive: Hive::Users, path: "", view32: false };
    let subkeys = facts.registry_subkeys(users).expect("known").expect("there");
    assert_eq!(subkeys, ["a", "a b", "A-1", "b", "Z"]);
}

proptest! {
    #[test]
    fn any_bytes_give_an_error_or_facts(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = FactsFile::parse(&text);
    }

    #[test]
    fn a_changed_byte_gives_an_error_or_facts_that_are_read_again(at in 0_usize..6000, byte in any::<u8>()) {
        let mut text = FactsFile::write(example().document()).expect("text").into_bytes();
        let at = at % text.len();
        text[at] = byte;
        if let Ok(facts) = FactsFile::parse(&text) {
            let again = FactsFile::write(facts.document()).expect("text");
            let again = FactsFile::parse(again.as_bytes()).expect("valid");
            prop_assert_eq!(again.document(), facts.document());
        }
    }
}
