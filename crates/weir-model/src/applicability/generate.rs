//! Generated expressions and computers, over a world so small that they often meet.

use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::{
    Change,
    facts::{FileFacts, LicenseValue, MsiProduct, PackageState, RegistryData, System},
    memory::{Memory, Nothing},
};
use crate::document::rules::{
    Expr, Scalar, StringMatch, Unknown, Version,
    base::{BaseRule, FilePath, FileRoot, Hive, LoopLogic, RegistryKey, RegistryValue, SystemVersion},
    cbs::CbsRule,
    msi::{MsiRule, ProductFilter},
};

pub(super) fn system() -> System {
    System {
        version: Some((10, 0, 19045)),
        service_pack: Some((0, 0)),
        suite_mask: Some(256),
        product_type: Some(1),
        platform_id: Some(2),
        architecture: Some(9),
        processor_level: Some(6),
        processor_revision: Some(1),
        processors: Some(4),
        memory_mib: Some(8192),
        language: Some("en".to_owned()),
        mui_languages: Some(Vec::new()),
        clustered: Some(false),
    }
}

fn key(loops: bool) -> impl Strategy<Value = RegistryKey> {
    let paths = select(vec!["A", r"A\B", r"a\b\C", r"Software\A", r"Software\A\B", ""]);
    (paths, any::<bool>(), 0..3_u8).prop_map(move |(path, view32, inside)| {
        let hive = if loops && inside > 0 { Hive::LoopTarget } else { Hive::LocalMachine };
        RegistryKey { hive, subkey: path.to_owned(), view32 }
    })
}

fn value(loops: bool) -> impl Strategy<Value = RegistryValue> {
    (key(loops), select(vec!["", "v", "W"])).prop_map(|(key, name)| RegistryValue { key, name: name.to_owned() })
}

fn scalar() -> impl Strategy<Value = Scalar> {
    select(vec![
        Scalar::EqualTo,
        Scalar::GreaterThan,
        Scalar::GreaterThanOrEqualTo,
        Scalar::LessThan,
        Scalar::LessThanOrEqualTo,
    ])
}

fn version() -> impl Strategy<Value = Version> {
    select(vec!["0.0.0.0", "1.0.0.0", "1.0.0.1", "1.65535.0.0", "2.1", "3"])
        .prop_map(|text| text.parse().expect("a version"))
}

fn code() -> impl Strategy<Value = Uuid> {
    (1..3_u128).prop_map(Uuid::from_u128)
}

fn file(loops: bool) -> impl Strategy<Value = FilePath> {
    let root = prop_oneof![
        Just(FileRoot::Absolute),
        select(vec![36, 99]).prop_map(FileRoot::Csidl),
        value(loops).prop_map(FileRoot::Registry),
    ];
    (root, select(vec![r"C:\f", r"\d\f", "%SystemRoot%\\f", "f"]))
        .prop_map(|(root, path)| FilePath { root, path: path.to_owned() })
}

fn matching() -> impl Strategy<Value = StringMatch> {
    select(vec![StringMatch::BeginsWith, StringMatch::Contains, StringMatch::EndsWith, StringMatch::EqualTo])
}

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a", "AB", "1.0.0.0", r"C:\d", "%SystemRoot%"]).prop_map(str::to_owned)
}

fn base(loops: bool) -> impl Strategy<Value = BaseRule> {
    let registry = prop_oneof![
        key(loops).prop_map(BaseRule::RegKeyExists),
        (key(loops), option::of(Just("v".to_owned())), option::of(select(vec!["REG_SZ", "REG_DWORD"])))
            .prop_map(|(key, name, kind)| BaseRule::RegValueExists { key, name, kind: kind.map(str::to_owned) }),
        (value(loops), scalar(), select(vec![0, 1, 5, u32::MAX]))
            .prop_map(|(value, comparison, data)| BaseRule::RegDword { value, comparison, data }),
        (value(loops), matching(), text()).prop_map(|(value, comparison, data)| BaseRule::RegSz {
            value,
            comparison,
            data
        }),
        (value(loops), matching(), text()).prop_map(|(value, comparison, data)| BaseRule::RegExpandSz {
            value,
            comparison,
            data
        }),
        (value(loops), scalar(), version()).prop_map(|(value, comparison, data)| BaseRule::RegSzToVersion {
            value,
            comparison,
            data
        }),
        (key(loops), text()).prop_map(|(key, data)| BaseRule::WUv4RegKeyValue { key, name: None, data }),
    ];
    let files = prop_oneof![
        (file(loops), scalar(), version()).prop_map(|(file, comparison, version)| BaseRule::FileVersion {
            file,
            comparison,
            version
        }),
        (file(loops), scalar(), 0..3_u64).prop_map(|(file, comparison, size)| BaseRule::FileSize {
            file,
            comparison,
            size
        }),
        (file(loops), option::of(version()), option::of(0..3_u64)).prop_map(|(file, version, size)| {
            BaseRule::FileExists { file, version, size, created: None, modified: None, language: None }
        }),
    ];
    let system = prop_oneof![
        (scalar(), option::of(6..12_u32), option::of(0..2_u32), option::of(19_044..19_047_u32), option::of(0..3_u16))
            .prop_map(|(comparison, major, minor, build, product_type)| {
                BaseRule::WindowsVersion(SystemVersion {
                    comparison,
                    major,
                    minor,
                    build,
                    service_pack_major: None,
                    service_pack_minor: None,
                    suite_mask: None,
                    all_suites: false,
                    product_type,
                })
            }),
        select(vec!["en", "de"]).prop_map(|language| BaseRule::WindowsLanguage { language: language.to_owned() }),
        (scalar(), 0..3_u32).prop_map(|(comparison, data)| BaseRule::LicenseDword {
            value: "L".to_owned(),
            comparison,
            data
        }),
        Just(BaseRule::MuiInstalled),
        (0..2_i32).prop_map(|index| BaseRule::SystemMetric { index, comparison: Scalar::EqualTo, value: 0 }),
    ];
    prop_oneof![4 => registry, 2 => files, 1 => system]
}

fn leaf(loops: bool) -> impl Strategy<Value = Expr> {
    let msi = prop_oneof![
        (code(), option::of(version()), any::<bool>(), option::of(version())).prop_map(
            |(product_code, min, exclude, max)| {
                let filter = ProductFilter {
                    version_min: min,
                    exclude_version_min: exclude,
                    version_max: max,
                    ..ProductFilter::default()
                };
                MsiRule::ProductInstalled { product_code, filter }
            }
        ),
        (code(), code()).prop_map(|(patch_code, product_code)| MsiRule::PatchInstalledForProduct {
            patch_code,
            product_code,
            filter: ProductFilter::default(),
        }),
        (vec(code(), 1..3), any::<bool>(), any::<bool>()).prop_map(|(products, all_features, all_products)| {
            let features = vec!["F".to_owned(), "G".to_owned()];
            MsiRule::FeatureInstalledForProduct { features, products, all_features, all_products }
        }),
    ];
    let package = select(vec!["P~t~amd64~~1.0.0.0", "P~t~amd64~~2.0.0.0"])
        .prop_map(|identity| CbsRule::InstalledByIdentity { package_identity: identity.to_owned() });
    prop_oneof![
        1 => Just(Expr::True),
        1 => Just(Expr::False),
        1 => Just(Expr::Unknown(Box::new(Unknown { name: "New".to_owned(), ..Unknown::default() }))),
        8 => base(loops).prop_map(|rule| Expr::Base(Box::new(rule))),
        3 => msi.prop_map(|rule| Expr::Msi(Box::new(rule))),
        1 => package.prop_map(|rule| Expr::Cbs(Box::new(rule))),
    ]
}

/// An expression, with loops. Outside a loop no rule speaks of the key of a loop.
pub(super) fn expr() -> impl Strategy<Value = Expr> {
    let body = tree(leaf(true).boxed(), 2, 8);
    let looped = (key(false), select(vec![LoopLogic::All, LoopLogic::Any, LoopLogic::None]), body)
        .prop_map(|(key, true_if, body)| Expr::Base(Box::new(BaseRule::RegKeyLoop { key, true_if, body })));
    tree(prop_oneof![6 => leaf(false), 1 => looped].boxed(), 4, 24)
}

fn tree(leaf: BoxedStrategy<Expr>, depth: u32, size: u32) -> impl Strategy<Value = Expr> {
    leaf.prop_recursive(depth, size, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Expr::And),
            vec(inner.clone(), 1..4).prop_map(Expr::Or),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let data = prop_oneof![
        select(vec![0, 1, 5]).prop_map(RegistryData::Dword),
        text().prop_map(|text| RegistryData::Sz(text.into())),
        text().prop_map(|text| RegistryData::ExpandSz(text.into())),
    ];
    let path = select(vec![r"C:\f", r"C:\Windows\f", r"C:\d\f"]);
    prop_oneof![
        (value(false), data).prop_map(|(value, data)| Change::SetValue { key: value.key, name: value.name, data }),
        value(false).prop_map(|value| Change::RemoveValue { key: value.key, name: value.name }),
        key(false).prop_map(Change::AddKey),
        key(false).prop_map(Change::RemoveKey),
        (path.clone(), option::of(option::of(version())), option::of(0..3_u64)).prop_map(|(path, version, size)| {
            Change::SetFile { path: path.to_owned(), file: FileFacts { size, version, ..FileFacts::default() } }
        }),
        path.prop_map(|path| Change::RemoveFile { path: path.to_owned() }),
        (code(), option::of(version()), option::of(vec(code(), 0..2)), option::of(Just(vec!["F".to_owned()])))
            .prop_map(|(code, version, patches, features)| {
                Change::SetProduct { code, product: MsiProduct { version, patches, features, ..MsiProduct::default() } }
            }),
        code().prop_map(|code| Change::RemoveProduct { code }),
        Just(Change::SetPackage { identity: "p~T~amd64~~1.0.0.0".to_owned(), state: PackageState::Installed }),
        (0..3_u32).prop_map(|number| Change::SetLicense { name: "l".to_owned(), value: LicenseValue::Dword(number) }),
    ]
}

/// Changes that make up a computer.
pub(super) fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 0..12)
}

/// A computer of which everything is known.
pub(super) fn known(changes: &[Change]) -> Memory<&'static Nothing> {
    let mut computer = Memory::new(system());
    computer.set_folder(36, r"C:\Windows");
    computer.set_variable("SystemRoot", r"C:\Windows");
    computer.apply_all(changes).expect("no devices");
    computer
}
