//! Every rule of genuine documents, on three computers. The outcome is kept in `applicability.txt`; a change of it must be
//! meant.

use std::{collections::BTreeMap, fmt::Write as _};

use weir_model::{
    applicability::{Applicability, Bounds, Facts, Truth, memory::Memory, refute, satisfy, wql},
    document::{
        CoreFragment, Limits, UpdateDocument,
        rules::{Expr, base::BaseRule, msi::MsiRule},
    },
};

use super::{captures, catalogue::catalogue, computers};

/// What the root of a rule is, for the counts.
fn root(expr: &Expr) -> &'static str {
    match expr {
        Expr::And(_) => "And",
        Expr::Base(rule) => match &**rule {
            BaseRule::RegDword { .. } => "RegDword",
            BaseRule::RegKeyExists(_) => "RegKeyExists",
            BaseRule::RegSz { .. } => "RegSz",
            BaseRule::WindowsVersion(_) => "WindowsVersion",
            BaseRule::WmiQuery { .. } => "WmiQuery",
            _ => "other base rules",
        },
        Expr::Msi(rule) if matches!(**rule, MsiRule::ProductInstalled { .. }) => "MsiProductInstalled",
        Expr::Not(_) => "Not",
        Expr::Or(_) => "Or",
        Expr::True => "True",
        _ => "other rules",
    }
}

/// Counts of true, false and unknown by root, then reasons with how many rules have them.
fn outcome(facts: &dyn Facts) -> String {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (_, document, _) in catalogue() {
        let applicability = Applicability::from(document);
        let answer = applicability.is_installed(facts, &Bounds::default());
        let rule = document.rules.is_installed.as_ref().and_then(|rule| rule.expr()).expect("exactly one");
        let column = match &answer {
            Truth::True => 0,
            Truth::False => 1,
            Truth::Unknown(_) => 2,
        };
        for name in [root(rule), "all"] {
            counts.entry(name).or_default()[column] += 1;
        }
        for gap in answer.gaps() {
            *reasons.entry(gap.to_string()).or_default() += 1;
        }
        assert!(applicability.is_installable(facts, &Bounds::default()).is_false(), "absent");
    }
    let mut text = String::new();
    for (name, [yes, no, unknown]) in counts {
        writeln!(text, "  {name:20} {yes:5} true {no:5} false {unknown:5} unknown").expect("a text");
    }
    for (reason, count) in reasons {
        writeln!(text, "  {count:5} {reason}").expect("a text");
    }
    text
}

#[test]
fn genuine_rules_have_the_outcome_that_is_kept() {
    let mut text = String::new();
    let computers: [(&str, Box<dyn Facts>); 3] = [
        ("Windows 11 24H2", Box::new(computers::windows_11())),
        ("Windows Server 2019", Box::new(computers::server_2019())),
        ("Windows 7 SP1 with Office 2010, an offline image", Box::new(computers::windows_7())),
    ];
    for (name, facts) in &computers {
        writeln!(text, "{name}").expect("a text");
        text.push_str(&outcome(&**facts));
        for (stem, document) in captures::documents() {
            let document = UpdateDocument::parse(&document, &Limits::default()).expect("a genuine document");
            let state = Applicability::from(&document).state(&**facts, &Bounds::default(), &|_| None);
            let state = match state.gaps() {
                [] => format!("{state:?}"),
                gaps => format!("unknown: {}", gaps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
            };
            writeln!(text, "  {stem} {state}").expect("a text");
        }
    }
    assert_eq!(text, include_str!("applicability.txt"), "\n{text}");
}

/// The recorded fragment of a package: what the servicing of the computer has decides.
#[test]
fn a_recorded_package_follows_servicing() {
    use weir_model::applicability::{Change, State, facts::PackageState};

    let (_, text) = captures::files()
        .into_iter()
        .find(|(name, _)| name.starts_with("f1ff1e3d") && name.contains("core"))
        .expect("recorded");
    let core = CoreFragment::parse(&text, &Limits::default()).expect("a fragment");
    let applicability = Applicability::from(&core);
    let mut computer = computers::windows_11();
    let state = |computer: &dyn Facts| applicability.state(computer, &Bounds::default(), &|_| None);
    let identity = |version: &str| format!("Package_for_DotNetRollup_481~31bf3856ad364e35~amd64~~{version}");
    assert_eq!(state(&computer), State::NotApplicable, "servicing would not take it");
    computer.set_package_installable(&identity("10.0.9082.7"));
    assert_eq!(state(&computer), State::Required);
    let newer = Change::SetPackage { identity: identity("10.0.9300.1"), state: PackageState::Installed };
    let mut patched = Memory::over(&computer);
    patched.apply(&newer).expect("possible");
    assert_eq!(state(&patched), State::NotApplicable, "a newer one is there");
    let rule = core.rules.is_installed.as_ref().and_then(|rule| rule.expr()).expect("one rule");
    let changes = satisfy(rule, &computer, applicability.context(), &Bounds::default()).expect("possible");
    assert_eq!(changes, [Change::SetPackage { identity: identity("10.0.9082.7"), state: PackageState::Installed }]);
    computer.apply_all(&changes).expect("possible");
    assert_eq!(state(&computer), State::Installed);
    assert!(matches!(state(&computers::windows_7()), State::Unknown(_)), "an image does not tell");
}

/// Most genuine rules can be made true and false again, and then they are.
#[test]
fn genuine_rules_can_be_satisfied_and_refuted() {
    let computer = computers::server_2019();
    let bounds = Bounds::default();
    let (mut satisfied, mut refuted) = (0, 0);
    for (_, document, _) in catalogue() {
        let applicability = Applicability::from(document);
        let rule = document.rules.is_installed.as_ref().and_then(|rule| rule.expr()).expect("exactly one");
        let mut after = Memory::over(&computer);
        if let Ok(changes) = satisfy(rule, &computer, applicability.context(), &bounds) {
            after.apply_all(&changes).expect("possible");
            assert!(applicability.is_installed(&after, &bounds).is_true(), "{}", document.identity);
            satisfied += 1;
        }
        if let Ok(changes) = refute(rule, &after, applicability.context(), &bounds) {
            let mut back = Memory::over(&after);
            back.apply_all(&changes).expect("possible");
            assert!(applicability.is_installed(&back, &bounds).is_false(), "{}", document.identity);
            refuted += 1;
        }
    }
    assert!(satisfied > 3_000 && refuted > 3_000, "{satisfied} satisfied, {refuted} refuted");
}

#[test]
fn genuine_queries_are_of_the_subset() {
    fn collect<'d>(expr: &'d Expr, queries: &mut Vec<&'d str>) {
        match expr {
            Expr::And(inside) | Expr::Or(inside) => inside.iter().for_each(|expr| collect(expr, queries)),
            Expr::Not(inside) => collect(inside, queries),
            Expr::Base(rule) => match &**rule {
                BaseRule::WmiQuery { query, .. } => queries.push(query),
                BaseRule::RegKeyLoop { body, .. } => collect(body, queries),
                _ => {}
            },
            _ => {}
        }
    }
    let mut queries = Vec::new();
    for (_, document, _) in catalogue() {
        collect(document.rules.is_installed.as_ref().and_then(|rule| rule.expr()).expect("one"), &mut queries);
    }
    assert_eq!(queries.len(), 55);
    for query in queries {
        assert!(wql::parse(query).is_ok(), "{query}");
    }
}
