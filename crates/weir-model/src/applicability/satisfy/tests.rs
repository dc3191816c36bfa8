//! Changes that make rules hold.

use proptest::prelude::*;

use super::{refute, satisfy};
use crate::{
    applicability::{
        Bounds, Change, Context, GapKind, evaluate,
        facts::{MsiProduct, PackageState, RegistryData},
        generate,
        memory::{Memory, Uncollected},
    },
    document::rules::{
        Expr, Scalar,
        base::{BaseRule, FilePath, FileRoot, Hive, LoopLogic, RegistryKey, RegistryValue, SystemVersion},
        cbs::CbsRule,
        msi::{MsiRule, ProductFilter},
    },
};

fn value(hive: Hive, subkey: &str) -> RegistryValue {
    RegistryValue { key: RegistryKey { hive, subkey: subkey.to_owned(), view32: false }, name: "v".to_owned() }
}

fn dword(hive: Hive, subkey: &str, comparison: Scalar, data: u32) -> Expr {
    Expr::Base(Box::new(BaseRule::RegDword { value: value(hive, subkey), comparison, data }))
}

/// Satisfies an expression on a computer that has nothing, and checks that it does.
fn satisfied(expr: &Expr) -> Vec<Change> {
    let computer = generate::known(&[]);
    let changes = satisfy(expr, &computer, &Context::default(), &Bounds::default()).expect("possible");
    let mut after = Memory::over(&computer);
    after.apply_all(&changes).expect("possible");
    assert!(evaluate(expr, &after, &Context::default(), &Bounds::default()).is_true(), "{changes:?}");
    changes
}

#[test]
fn what_a_genuine_update_asks_for_becomes_true() {
    let file =
        FilePath { root: FileRoot::Registry(value(Hive::LocalMachine, r"SOFTWARE\W")), path: "a.dll".to_owned() };
    let expr = Expr::And(vec![
        Expr::Not(Box::new(dword(Hive::LocalMachine, "S", Scalar::EqualTo, 1))),
        Expr::Base(Box::new(BaseRule::FileVersion {
            file,
            comparison: Scalar::GreaterThanOrEqualTo,
            version: "1.459.547.0".parse().expect("a version"),
        })),
    ]);
    let changes = satisfied(&expr);
    assert!(matches!(&changes[0], Change::SetValue { data: RegistryData::Sz(path), .. } if path.ends_with("Weir")));
    assert!(matches!(&changes[1], Change::SetFile { path, .. } if path == r"C:\Program Files\Weir\a.dll"));
    assert_eq!(changes.len(), 2);
}

#[test]
fn the_first_alternative_that_is_possible_is_taken() {
    let package = CbsRule::InstalledByIdentity { package_identity: "P~t~amd64~~1.0.0.0".to_owned() };
    let hardware = Expr::Base(Box::new(BaseRule::NumberOfProcessors { comparison: Scalar::EqualTo, number: 3 }));
    let first = Expr::And(vec![dword(Hive::LocalMachine, "S", Scalar::EqualTo, 1), hardware]);
    let changes = satisfied(&Expr::Or(vec![first, Expr::Cbs(Box::new(package))]));
    let installed = PackageState::Installed;
    assert_eq!(changes, [Change::SetPackage { identity: "P~t~amd64~~1.0.0.0".to_owned(), state: installed }]);
}

#[test]
fn a_loop_gets_a_subkey_where_it_needs_one() {
    let key = RegistryKey { hive: Hive::LocalMachine, subkey: "L".to_owned(), view32: false };
    let body = dword(Hive::LoopTarget, "", Scalar::GreaterThan, 4);
    let changes = satisfied(&Expr::Base(Box::new(BaseRule::RegKeyLoop { key, true_if: LoopLogic::Any, body })));
    assert!(
        matches!(&changes[1], Change::SetValue { key, data: RegistryData::Dword(5), .. } if key.subkey == r"L\Weir")
    );
}

#[test]
fn products_and_versions_of_windows_are_brought_forward() {
    let code = uuid::Uuid::from_u128(7);
    let filter =
        ProductFilter { version_min: "16.0.4266".parse().ok(), exclude_version_min: true, ..ProductFilter::default() };
    let changes = satisfied(&Expr::Msi(Box::new(MsiRule::ProductInstalled { product_code: code, filter })));
    let Change::SetProduct { product: MsiProduct { version: Some(version), .. }, .. } = &changes[0] else {
        panic!("{changes:?}")
    };
    assert_eq!(version.to_string(), "16.0.4267");
    let windows = SystemVersion {
        comparison: Scalar::GreaterThanOrEqualTo,
        major: Some(10),
        minor: Some(0),
        build: Some(26_100),
        service_pack_major: None,
        service_pack_minor: None,
        suite_mask: None,
        all_suites: false,
        product_type: Some(1),
    };
    assert_eq!(
        satisfied(&Expr::Base(Box::new(BaseRule::WindowsVersion(windows)))),
        [Change::SetVersion((10, 0, 26_100))]
    );
}

#[test]
fn what_cannot_be_is_said() {
    let computer = generate::known(&[]);
    let gap = |expr: &Expr, bounds| satisfy(expr, &computer, &Context::default(), &bounds).expect_err("impossible");
    let one = |data| dword(Hive::LocalMachine, "S", Scalar::EqualTo, data);
    let both = Expr::And(vec![one(1), one(2)]);
    assert_eq!(gap(&both, Bounds::default()).kind, GapKind::Unsupported);
    assert_eq!(gap(&Expr::False, Bounds::default()).kind, GapKind::Unsupported);
    assert_eq!(gap(&one(1), Bounds { changes: 0, ..Bounds::default() }).kind, GapKind::TooMuch);
    let mut deep = one(1);
    for _ in 0..1_000_000 {
        deep = Expr::And(vec![deep]);
    }
    assert_eq!(gap(&deep, Bounds::default()).kind, GapKind::TooMuch);
    let wide = Expr::And((0..2_000).map(|_| Expr::Or(vec![Expr::False; 100])).collect());
    assert!(satisfy(&wide, &computer, &Context::default(), &Bounds::default()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn changes_do_what_they_promise(expr in generate::expr(), changes in generate::changes(), wanted: bool) {
        let computer = generate::known(&changes);
        let context = Context::default();
        let bounds = Bounds::default();
        let solve = if wanted { satisfy } else { refute };
        if let Ok(found) = solve(&expr, &computer, &context, &bounds) {
            let mut after = Memory::over(&computer);
            after.apply_all(&found).expect("possible");
            prop_assert_eq!(evaluate(&expr, &after, &context, &bounds).known(), Some(wanted), "{:?}", found);
        }
    }

    #[test]
    fn nothing_is_changed_where_nothing_is_missing(expr in generate::expr(), changes in generate::changes()) {
        let computer = generate::known(&changes);
        if evaluate(&expr, &computer, &Context::default(), &Bounds::default()).is_true() {
            let found = satisfy(&expr, &computer, &Context::default(), &Bounds::default());
            prop_assert_eq!(found, Ok(Vec::new()));
        }
    }

    #[test]
    fn an_unknown_computer_does_no_harm(expr in generate::expr()) {
        let computer = Memory::over(&Uncollected);
        if let Ok(found) = satisfy(&expr, &computer, &Context::default(), &Bounds::default()) {
            let mut after = Memory::over(&Uncollected);
            after.apply_all(&found).expect("possible");
            prop_assert!(evaluate(&expr, &after, &Context::default(), &Bounds::default()).is_true());
        }
    }
}
