//! A genuine export of all categories and detectoids: every document is read, every rule understood, and the counts are
//! those that were made independently of this code.

use std::{collections::BTreeMap, fs::File, sync::OnceLock};

use weir_model::{
    document::{
        Fragments, Limits, PublicationState, UpdateDocument, read,
        rules::{Expr, base::BaseRule, msi::MsiRule},
    },
    update::{CategoryKind, UpdateType},
};
use weir_wire::package;

/// Read once for all tests.
pub(super) fn catalogue() -> &'static [(String, UpdateDocument, Fragments)] {
    static CATALOGUE: OnceLock<Vec<(String, UpdateDocument, Fragments)>> = OnceLock::new();
    CATALOGUE.get_or_init(load)
}

fn load() -> Vec<(String, UpdateDocument, Fragments)> {
    let path = super::shared().join("data/wsusutil-export-2020-04.cab");
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = package::Reader::open(file, &package::Limits::default()).expect("a package");
    let records = reader.records().expect("records");
    records
        .map(|record| {
            let record = record.expect("a whole record");
            let (document, fragments) = read(&record.text, &Limits::default())
                .unwrap_or_else(|error| panic!("record {}: {error}", record.number));
            assert_eq!(document.identity, record.identity);
            (record.text, document, fragments)
        })
        .collect()
}

#[test]
fn a_genuine_catalogue_is_read() {
    let catalogue = catalogue();
    let documents: Vec<_> = catalogue.iter().map(|(_, document, _)| document).collect();
    assert_eq!(documents.len(), 3_690);
    let of = |update_type| documents.iter().filter(|document| document.update_type == update_type).count();
    assert_eq!((of(UpdateType::Category), of(UpdateType::Detectoid)), (399, 3_291));
    let kinds = |kind| {
        let category =
            |document: &&&UpdateDocument| document.category.as_ref().is_some_and(|found| found.kind == Some(kind));
        documents.iter().filter(category).count()
    };
    let kinds =
        [CategoryKind::Company, CategoryKind::ProductFamily, CategoryKind::Product, CategoryKind::UpdateClassification]
            .map(kinds);
    assert_eq!(kinds, [3, 58, 318, 20]);

    let expired =
        documents.iter().filter(|found| found.properties.publication_state == PublicationState::Expired).count();
    assert_eq!(expired, 3);
    assert!(documents.iter().all(|document| {
        let properties = &document.properties;
        properties.default_language == "en" && properties.creation_date.is_some() && properties.publisher_id.is_some()
    }));
    assert!(documents.iter().all(|document| document.properties.other.is_empty() && document.files.is_empty()));
    assert_eq!(documents.iter().filter(|document| document.properties.is_public == Some(true)).count(), 420);
    assert_eq!(documents.iter().map(|document| document.localized.len()).sum::<usize>(), 6_814);
    assert!(documents.iter().all(|document| document.localized_for("en").is_some_and(|found| found.language == "en")));

    let superseded: usize = documents.iter().map(|document| document.relationships.superseded.len()).sum();
    assert_eq!(superseded, 408);
    let clauses: Vec<_> = documents.iter().flat_map(|document| &document.relationships.prerequisites).collect();
    let bare = clauses.iter().filter(|clause| clause.bare).count();
    let categories = clauses.iter().filter(|clause| clause.is_category).count();
    assert_eq!((bare, categories, clauses.len() - bare - categories), (2_980, 376, 393));
    assert_eq!(clauses.iter().map(|clause| clause.alternatives.len()).sum::<usize>(), 4_705);
}

#[test]
fn core_fragments_say_what_their_documents_say() {
    for (_, document, fragments) in catalogue() {
        super::assert_core_says_the_same(document, &fragments.core);
    }
}

#[test]
fn every_rule_of_a_genuine_catalogue_is_understood() {
    let mut counts = BTreeMap::new();
    for (_, document, _) in catalogue() {
        let rule = document.rules.is_installed.as_ref().expect("always there");
        assert!(document.rules.is_installable.is_none() && document.rules.is_superseded.is_none());
        count(rule.expr().expect("exactly one"), &mut counts);
    }
    let expected = [
        ("And", 1_878),
        ("False", 6),
        ("FileCreated", 4),
        ("FileExists", 147),
        ("FileModified", 7),
        ("FileVersion", 272),
        ("InstalledByIdentity", 72),
        ("LicenseDword", 40),
        ("MsiComponent", 11),
        ("MsiFeature", 9),
        ("MsiPatch", 3),
        ("MsiProduct", 41_887),
        ("MuiInstalled", 1),
        ("Not", 598),
        ("Or", 1_362),
        ("Processor", 295),
        ("RegDword", 1_910),
        ("RegKeyExists", 623),
        ("RegKeyLoop", 5),
        ("RegSz", 954),
        ("RegSzToVersion", 325),
        ("RegValueExists", 1_074),
        ("SystemMetric", 13),
        ("True", 123),
        ("WindowsLanguage", 99),
        ("WindowsVersion", 534),
        ("WmiQuery", 55),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

fn count(expr: &Expr, counts: &mut BTreeMap<&'static str, usize>) {
    let (name, inside): (_, &[Expr]) = match expr {
        Expr::And(inside) => ("And", inside),
        Expr::Or(inside) => ("Or", inside),
        Expr::Not(inside) => ("Not", std::slice::from_ref(inside)),
        Expr::True => ("True", &[]),
        Expr::False => ("False", &[]),
        Expr::Cbs(_) => ("InstalledByIdentity", &[]),
        Expr::Msi(rule) => match &**rule {
            MsiRule::ComponentInstalledForProduct { components, products, .. } => {
                assert!(!components.is_empty() && !products.is_empty());
                ("MsiComponent", &[])
            }
            MsiRule::FeatureInstalledForProduct { features, products, .. } => {
                assert!(!features.is_empty() && !products.is_empty());
                ("MsiFeature", &[])
            }
            MsiRule::PatchInstalledForProduct { .. } => ("MsiPatch", &[]),
            MsiRule::ProductInstalled { .. } => ("MsiProduct", &[]),
            other => panic!("{other:?}"),
        },
        Expr::Base(rule) => base(rule),
        other => panic!("{other:?}"),
    };
    *counts.entry(name).or_insert(0) += 1;
    for expr in inside {
        count(expr, counts);
    }
}

fn base(rule: &BaseRule) -> (&'static str, &[Expr]) {
    let name = match rule {
        BaseRule::FileCreated { .. } => "FileCreated",
        BaseRule::FileExists { .. } => "FileExists",
        BaseRule::FileModified { .. } => "FileModified",
        BaseRule::FileVersion { .. } => "FileVersion",
        BaseRule::LicenseDword { .. } => "LicenseDword",
        BaseRule::MuiInstalled => "MuiInstalled",
        BaseRule::Processor { .. } => "Processor",
        BaseRule::RegDword { .. } => "RegDword",
        BaseRule::RegKeyExists(_) => "RegKeyExists",
        BaseRule::RegKeyLoop { body, .. } => return ("RegKeyLoop", std::slice::from_ref(body)),
        BaseRule::RegSz { .. } => "RegSz",
        BaseRule::RegSzToVersion { .. } => "RegSzToVersion",
        BaseRule::RegValueExists { .. } => "RegValueExists",
        BaseRule::SystemMetric { .. } => "SystemMetric",
        BaseRule::WindowsLanguage { .. } => "WindowsLanguage",
        BaseRule::WindowsVersion(_) => "WindowsVersion",
        BaseRule::WmiQuery { .. } => "WmiQuery",
        other => panic!("{other:?}"),
    };
    (name, &[])
}

/// A derived fragment is a sequence of elements: put back into a document, it is read as well, and says the same.
#[test]
fn fragments_of_a_genuine_catalogue_are_well_formed() {
    for (text, document, fragments) in catalogue() {
        assert_eq!(Fragments::derive(text).as_ref(), Ok(fragments));
        let wrapped = wrap(&fragments.core);
        let again = UpdateDocument::parse(&wrapped, &Limits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", document.identity));
        assert_eq!(again.identity, document.identity);
        assert_eq!(again.update_type, document.update_type);
        assert_eq!(again.relationships, document.relationships);
        assert_eq!(again.rules.is_installed.is_some(), document.rules.is_installed.is_some());
        let derived = Fragments::derive(&wrapped).expect("well-formed");
        assert_eq!(derived.core, fragments.core);
        assert_eq!(fragments.localized.len(), document.localized.len());
        assert!(!fragments.core.contains("xmlns") && !fragments.extended.contains("xmlns"));
    }
}

fn wrap(core: &str) -> String {
    format!("<Update xmlns=\"http://schemas.microsoft.com/msus/2002/12/Update\">{core}</Update>")
}

/// Every way of damaging a genuine document is an error or another document, never a panic.
#[test]
fn damaged_genuine_documents_are_refused_or_read() {
    let catalogue = catalogue();
    let limits = Limits::default();
    let (mut refused, mut accepted) = (0, 0);
    for (index, (text, ..)) in catalogue.iter().enumerate().step_by(37) {
        let text = &text[..text.len().min(20_000)];
        for cut in (0..text.len()).step_by(1 + text.len() / 40) {
            if !text.is_char_boundary(cut) {
                continue;
            }
            assert!(read(&text[..cut], &limits).is_err(), "document {index} cut at {cut}");
            let (before, after) = text.split_at(cut);
            let next = after.chars().next().map_or(0, char::len_utf8);
            for insert in ["", "<", ">", "&", "\"", "\u{0}", "x", " ", "/", "<!DOCTYPE x>"] {
                match read(&format!("{before}{insert}{}", &after[next..]), &limits) {
                    Ok(_) => accepted += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 10_000 && accepted > 100, "{refused} refused, {accepted} accepted");
}
