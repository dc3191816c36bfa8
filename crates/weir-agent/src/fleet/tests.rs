//! What a fleet is made of.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_model::{
    applicability::facts::{KeyPath, RegistryData},
    document::rules::base::Hive,
};

use super::{Fleet, FleetComputer, Kind, Profile, dice::fold};
use crate::computer::Computer as _;

fn fleet(size: u64) -> std::sync::Arc<Fleet> {
    Fleet::new(42, size, Profile::default())
}

fn machine(path: &str, view32: bool) -> KeyPath<'_> {
    KeyPath { hive: Hive::LocalMachine, path, view32 }
}

fn text(computer: &FleetComputer, path: &str, name: &str) -> Option<String> {
    match computer.facts().registry_value(machine(path, false), name) {
        Ok(Some(RegistryData::Sz(text))) => Some(text.into_owned()),
        Ok(None) => None,
        other => panic!("{path} {name}: {other:?}"),
    }
}

#[test]
fn the_same_seed_gives_the_same_thousand_computers() {
    let digest = |seed| {
        let fleet = Fleet::new(seed, 1_000, Profile::default());
        let mut archetypes = HashMap::new();
        let mut digest = 0;
        for number in 0..1_000 {
            let computer = fleet.computer(number);
            let archetype = computer.archetype();
            let shared = *archetypes.entry(archetype.number).or_insert_with(|| fold(0, &format!("{archetype:?}")));
            let own = format!("{:?} {:?} {shared}", computer.description(), computer.habits());
            digest = fold(digest, &own);
        }
        format!("{digest:032x}")
    };
    assert_eq!(digest(42), digest(42));
    assert_ne!(digest(42), digest(43));
    insta::assert_snapshot!(digest(42));
}

#[test]
fn a_computer_does_not_depend_on_the_size_of_the_fleet() {
    let (small, large) = (fleet(10), fleet(1_000_000));
    for number in [0, 3, 9, 500] {
        assert_eq!(small.computer(number).description(), large.computer(number).description());
        assert_eq!(small.computer(number).archetype().number, large.computer(number).archetype().number);
    }
}

#[test]
fn a_fleet_is_what_its_tables_say() {
    let fleet = fleet(20_000);
    let mut systems: BTreeMap<String, usize> = BTreeMap::new();
    let (mut servers, mut laptops, mut archetypes) = (0, 0, BTreeSet::new());
    for number in 0..20_000 {
        let computer = fleet.computer(number);
        let name = computer.system_name();
        let windows = name.split(" Enterprise").next().unwrap_or_default().split(" Pro").next().unwrap_or_default();
        *systems.entry(windows.split(" Education").next().unwrap_or_default().to_owned()).or_default() += 1;
        servers += usize::from(computer.kind() == Kind::Server);
        laptops += usize::from(computer.kind() == Kind::Laptop);
        archetypes.insert(computer.archetype().number);
    }
    assert!((3_000..3_600).contains(&servers), "{servers} servers");
    assert!((9_000..10_500).contains(&laptops), "{laptops} laptops");
    assert!((11_000..13_000).contains(&systems["Windows 11"]), "{systems:?}");
    assert!((80..260).contains(&systems["Windows 7"]), "{systems:?}");
    // computers share what they have in common
    assert!(archetypes.len() < 3_500, "{} archetypes", archetypes.len());
}

#[test]
fn facts_are_those_of_the_system() {
    const WINDOWS: &str = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    let fleet = fleet(2_000);
    let mut seen = BTreeSet::new();
    for number in 0..2_000 {
        let computer = fleet.computer(number);
        let facts = computer.facts();
        let (_, _, build) = facts.system().version.expect("a version");
        assert_eq!(text(&computer, WINDOWS, "currentbuildNUMBER"), Some(build.to_string()));
        let name = text(&computer, WINDOWS, "ProductName").expect("a name");
        assert_eq!(computer.description().os_name, name);
        assert!(!name.contains("Windows 11"), "Windows 11 calls itself Windows 10 in the registry");
        assert_eq!(facts.system().product_type == Some(1), computer.kind() != Kind::Server);
        let kernel = facts.file("C:\\WINDOWS\\system32\\ntoskrnl.exe").expect("known").expect("there");
        assert_eq!(kernel.version.flatten().expect("a version").parts[2], build);
        // programs of 32 bits have a view of their own where there are others
        let office = "SOFTWARE\\Microsoft\\EdgeUpdate";
        let is_64 = facts.system().architecture != Some(0);
        if facts.system().version >= Some((10, 0, 0)) {
            assert_eq!(facts.registry_key(machine(office, true)), Ok(true));
            assert_eq!(facts.registry_key(machine(office, false)), Ok(!is_64));
        }
        assert!(facts.devices().expect("known").len() > 7);
        seen.insert(name);
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn subkeys_are_listed_as_written() {
    let computer = fleet(1).computer(0);
    let names =
        computer.facts().registry_subkeys(machine("software\\microsoft", false)).expect("known").expect("there");
    assert!(names.contains(&"Windows NT".to_owned()) && names.contains(&"NET Framework Setup".to_owned()), "{names:?}");
    assert_eq!(computer.facts().registry_subkeys(machine("SOFTWARE\\Nobody", false)), Ok(None));
    let hive = computer.facts().registry_subkeys(machine("", false)).expect("known").expect("there");
    assert_eq!(hive, ["SOFTWARE", "SYSTEM"]);
}
