//! Core fragments as computers read them.

use super::{ID, software};
use crate::{
    document::{
        CoreFragment, DocumentError, Fault, Limits,
        rules::{Expr, MetadataKind, cbs::CbsRule, driver::DriverRule, msi::MsiRule},
    },
    update::UpdateType,
};

fn parse(text: &str) -> Result<CoreFragment, DocumentError> {
    CoreFragment::parse(text, &Limits::default())
}

fn with(inside: &str) -> String {
    format!(
        "<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Software\" />\
         <ApplicabilityRules>{inside}</ApplicabilityRules>"
    )
}

#[test]
fn properties_are_those_of_the_fragment() {
    let text = format!(
        "<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Driver\" \
         ExplicitlyDeployable=\"true\" AutoSelectOnWebSites=\"true\" OSUpgrade=\"swap\" EulaID=\"{ID}\" />"
    );
    let core = parse(&text).expect("a fragment");
    assert_eq!((core.identity.update_id.to_string().as_str(), core.identity.revision.0), (ID, 7));
    assert_eq!(core.update_type, UpdateType::Driver);
    assert!(core.explicitly_deployable && core.auto_select);
    assert_eq!(core.os_upgrade.as_deref(), Some("swap"));
    assert_eq!(core.eula_id.map(|id| id.to_string()).as_deref(), Some(ID));
    assert!(core.rules.is_installed.is_none() && core.relationships.prerequisites.is_empty());
}

#[test]
fn names_are_resolved_as_fragments_have_them() {
    let core = parse(&with(
        "<IsInstalled><And><Not><False /></Not><Or><True /></Or><CbsPackageInstalled /><d.WindowsDriverInstalled />\
         <m.MsiFeatureInstalledForProduct><m.Feature>F</m.Feature>\
         <m.Product>{11111111-2222-3333-4444-555555555555}</m.Product></m.MsiFeatureInstalledForProduct>\
         <b.ClusteredOS /><ProductReleaseVersion Name=\"N\" Version=\"1\" /><b. /><Nand /></And></IsInstalled>",
    ))
    .expect("a fragment");
    let rule = core.rules.is_installed.expect("a rule");
    let Some(Expr::And(rules)) = rule.expr() else { panic!("{rule:?}") };
    assert!(matches!(&rules[0], Expr::Not(inner) if **inner == Expr::False));
    assert!(matches!(&rules[1], Expr::Or(inner) if **inner == [Expr::True]));
    assert!(matches!(&rules[2], Expr::Cbs(rule) if **rule == CbsRule::Installed));
    assert_eq!(rules[3], Expr::Driver(DriverRule::Installed));
    let Expr::Msi(feature) = &rules[4] else { panic!("{:?}", rules[4]) };
    let MsiRule::FeatureInstalledForProduct { features, products, .. } = &**feature else { panic!("{feature:?}") };
    assert_eq!((features.as_slice(), products.len()), (["F".to_owned()].as_slice(), 1));
    assert!(matches!(&rules[5], Expr::Base(_)));
    assert!(matches!(&rules[6], Expr::ProductReleaseVersion(_)));
    assert!(matches!(&rules[7], Expr::Unknown(unknown) if unknown.name == "b."));
    assert!(matches!(&rules[8], Expr::Unknown(unknown) if unknown.name == "Nand"));
}

#[test]
fn declarations_in_a_fragment_are_of_foreign_namespaces() {
    let core = parse(&with(
        "<IsInstalled><And xmlns=\"urn:other\" /></IsInstalled><Metadata><CbsPackageApplicabilityMetadata>\
         <assembly xmlns=\"urn:schemas-microsoft-com:asm.v3\"><And /></assembly></CbsPackageApplicabilityMetadata></Metadata>",
    ))
    .expect("a fragment");
    let rule = core.rules.is_installed.expect("a rule");
    assert!(matches!(rule.expr(), Some(Expr::Unknown(unknown)) if unknown.namespace == "urn:other"));
    assert_eq!(core.rules.metadata.len(), 1);
    assert_eq!(core.rules.metadata[0].kind, MetadataKind::CbsPackage { identity: None });
}

#[test]
fn what_is_no_fragment_is_refused() {
    let fault = |text: &str| parse(text).expect_err("refused").fault;
    assert_eq!(fault(""), Fault::MissingElement("UpdateIdentity"));
    let identity = format!("<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" />");
    assert_eq!(fault(&identity), Fault::MissingElement("Properties"));
    assert!(matches!(fault(&format!("{identity}{identity}")), Fault::ElementTwice(_)));
    assert!(matches!(fault(&format!("{identity}text")), Fault::Syntax(_)));
    assert!(matches!(fault("<upd:UpdateIdentity />"), Fault::UnboundPrefix(_)));
    assert!(matches!(fault(&software("")), Fault::MissingElement("UpdateIdentity") | Fault::UnboundPrefix(_)));
    let deep = with(&format!("<IsInstalled>{}", "<Not>".repeat(1_000_000)));
    assert!(matches!(fault(&deep), Fault::Limit { .. }));
}
