//! Every rule type against its table. The tables are in `tables`; what the computers of their columns have is here.

mod computers;
mod forms;
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use self::computers::{server, workstation};
use super::{super::GapKind, Context, evaluate};
use crate::{
    applicability::{
        Bounds, Facts, Truth,
        memory::{Memory, Uncollected},
    },
    document::{CoreFragment, Limits, rules::Expr},
};

const ID: &str = "11111111-2222-3333-4444-555555555555";

const TABLES: [&str; 4] = [
    include_str!("tables/base.txt"),
    include_str!("tables/files.txt"),
    include_str!("tables/logic.txt"),
    include_str!("tables/products.txt"),
];

/// Every element of the published schemas, and those of genuine documents that have none.
const RULES: [&str; 59] = [
    "And",
    "CbsPackageInstallable",
    "CbsPackageInstalled",
    "CbsPackageInstalledByIdentity",
    "CbsPackageSuperseded",
    "ClusterResourceOwner",
    "ClusteredOS",
    "False",
    "FileCreated",
    "FileCreatedPrependRegSz",
    "FileExists",
    "FileExistsPrependRegSz",
    "FileModified",
    "FileModifiedPrependRegSz",
    "FileSize",
    "FileSizePrependRegSz",
    "FileVersion",
    "FileVersionPrependRegSz",
    "GenericQuery",
    "InstalledOnce",
    "LicenseDword",
    "LicenseValueExists",
    "Memory",
    "MsiApplicationInstallable",
    "MsiApplicationInstalled",
    "MsiApplicationSuperseded",
    "MsiComponentInstalledForProduct",
    "MsiFeatureInstalledForProduct",
    "MsiPatchInstallable",
    "MsiPatchInstalled",
    "MsiPatchInstalledForProduct",
    "MsiPatchSuperseded",
    "MsiProductInstalled",
    "MuiInstalled",
    "MuiLanguageInstalled",
    "Not",
    "NumberOfProcessors",
    "Or",
    "Platform",
    "PlatformLanguage",
    "PlatformVersion",
    "Processor",
    "ProductReleaseVersion",
    "RegDword",
    "RegExpandSz",
    "RegKeyExists",
    "RegKeyLoop",
    "RegSz",
    "RegSzToVersion",
    "RegValueExists",
    "SystemMetric",
    "True",
    "WUv4RegKeySubstring",
    "WUv4RegKeyValue",
    "WindowsDriverInstallable",
    "WindowsDriverInstalled",
    "WindowsDriverSuperseded",
    "WindowsLanguage",
    "WindowsVersion",
];

/// One line of a table.
struct Row<'t> {
    rule: &'t str,
    expected: [char; 3],
    metadata: &'t str,
    xml: &'t str,
}

fn rows() -> Vec<Row<'static>> {
    let mut metadata = BTreeMap::new();
    let mut rows = Vec::new();
    let mut rule = "";
    for line in TABLES.into_iter().flat_map(str::lines).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(heading) = line.strip_prefix("== ") {
            let (name, cited) = heading.split_once(" | ").expect("a heading cites its source");
            assert!(!cited.is_empty());
            rule = name;
        } else if let Some(named) = line.strip_prefix("meta ") {
            let (name, xml) = named.split_once(" = ").expect("a name and its metadata");
            metadata.insert(name, xml);
        } else {
            let mut letters = line.chars().step_by(2);
            let expected = std::array::from_fn(|_| letters.next().expect("three answers"));
            let mut xml = line[6..].trim();
            let mut named = "";
            if let Some((name, rest)) = xml.strip_prefix('{').and_then(|rest| rest.split_once("} ")) {
                named = metadata.get(name).unwrap_or_else(|| panic!("no metadata {name}"));
                xml = rest;
            }
            rows.push(Row { rule, expected, metadata: named, xml });
        }
    }
    rows
}

/// An update whose IsInstalled rule is this.
fn core(rule: &str, metadata: &str) -> CoreFragment {
    let text = format!(
        "<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Software\" />\
         <ApplicabilityRules><IsInstalled>{rule}</IsInstalled><Metadata>{metadata}</Metadata></ApplicabilityRules>"
    );
    CoreFragment::parse(&text, &Limits::default()).unwrap_or_else(|error| panic!("{rule}: {error}"))
}

fn letter(answer: &Truth) -> char {
    match answer {
        Truth::False => 'f',
        Truth::True => 't',
        Truth::Unknown(gaps) => match gaps.kept()[0].kind {
            GapKind::Misfit => 'm',
            GapKind::NotCollected => 'n',
            GapKind::TooMuch => 'x',
            GapKind::UnknownRule => 'u',
            GapKind::Unreadable => 'r',
            GapKind::Unsupported => 's',
        },
    }
}

#[test]
fn rules_answer_as_their_tables_say() {
    let (workstation, server) = (workstation(), server());
    let nothing = Memory::over(&Uncollected);
    let computers: [&dyn Facts; 3] = [&workstation, &server, &nothing];
    let mut wrong = Vec::new();
    for row in rows() {
        let core = core(row.xml, row.metadata);
        let rule = core.rules.is_installed.as_ref().and_then(|rule| rule.expr()).expect("one rule");
        let answers = computers.map(|facts| evaluate(rule, facts, &Context::from(&core), &Bounds::default()));
        let found = answers.each_ref().map(letter);
        if found != row.expected {
            wrong.push(format!("{:?} instead of {:?}: {}\n    {answers:?}", found, row.expected, row.xml));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_type_has_a_table_with_all_answers() {
    let mut tables: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for row in rows() {
        tables.entry(row.rule).or_default().push(row);
    }
    for (rule, rows) in &tables {
        assert!(rows.len() >= 10, "{rule} has {} rows", rows.len());
        let distinct: BTreeSet<_> = rows.iter().map(|row| (row.metadata, row.xml)).collect();
        assert_eq!(distinct.len(), rows.len(), "{rule} repeats a row");
        let letters: BTreeSet<char> = rows.iter().flat_map(|row| row.expected).collect();
        assert!(letters.contains(&'t') && letters.contains(&'f') && letters.len() >= 3, "{rule} lacks an answer");
    }
    let missing: Vec<_> = RULES.iter().filter(|rule| !tables.contains_key(*rule)).collect();
    assert!(missing.is_empty(), "no table for {missing:?}");
}

/// A rule of the list that the reader does not know would be `Unknown` without a misfit.
#[test]
fn every_rule_type_is_read() {
    let known = |row: &Row<'_>| {
        let core = core(row.xml, row.metadata);
        let rule = core.rules.is_installed.expect("a rule");
        !matches!(rule.expr(), Some(Expr::Unknown(unknown)) if unknown.misfit.is_none())
    };
    let rows = rows();
    for rule in RULES {
        assert!(rows.iter().any(|row| row.rule == rule && known(row)), "{rule} is not read");
    }
}

#[test]
fn what_takes_too_much_is_unknown() {
    let computer = workstation();
    let context = Context::default();
    let evaluate = |expr: &Expr, bounds: Bounds| evaluate(expr, &computer, &context, &bounds);
    let mut deep = Expr::True;
    for _ in 0..1_000_000 {
        deep = Expr::Not(Box::new(deep));
    }
    assert_eq!(letter(&evaluate(&deep, Bounds::default())), 'x');
    assert!(evaluate(&deep, Bounds { steps: 1_000_001, ..Bounds::default() }).is_true());

    let looped = core(
        "<b.RegKeyLoop Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\Loop\" TrueIf=\"Any\"><False /></b.RegKeyLoop>",
        "",
    );
    let looped = looped.rules.is_installed.as_ref().and_then(|rule| rule.expr()).expect("a rule");
    assert!(evaluate(looped, Bounds::default()).is_false());
    assert_eq!(letter(&evaluate(looped, Bounds { subkeys: 2, ..Bounds::default() })), 'x');
    assert_eq!(letter(&evaluate(looped, Bounds { steps: 2, ..Bounds::default() })), 'x');
    let either = Expr::Or(vec![looped.clone(), Expr::True]);
    assert!(evaluate(&either, Bounds { subkeys: 2, ..Bounds::default() }).is_true());
}

#[test]
fn reasons_are_distinct_and_bounded() {
    let unknown = |name: usize| core(&format!("<b.New{name} />"), "").rules.is_installed.expect("a rule").roots;
    let many = Expr::And((0..40).flat_map(|number| unknown(number % 20)).collect());
    let Truth::Unknown(gaps) = evaluate(&many, &workstation(), &Context::default(), &Bounds::default()) else {
        panic!("unknown")
    };
    assert_eq!((gaps.kept().len(), gaps.more()), (16, true));
    assert_eq!(gaps.kept().iter().collect::<BTreeSet<_>>().len(), 16);
}
