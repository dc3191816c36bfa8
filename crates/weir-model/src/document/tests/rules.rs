use uuid::Uuid;

use super::{parsed, software};
use crate::document::rules::{
    Expr, MetadataKind, PatchTarget, Scalar, StringMatch, TargetVersion, Unknown, Version,
    base::{BaseRule, FilePath, FileRoot, Hive, LoopLogic, RegistryKey, RegistryValue},
    cbs::CbsRule,
    driver::DriverRule,
    msi::{MsiRule, ProductFilter},
};

const PRODUCT: &str = "{90120000-0011-0000-0000-0000000FF1CE}";

fn expr(content: &str) -> Expr {
    let text = software(&format!(
        "<upd:ApplicabilityRules><upd:IsInstalled>{content}</upd:IsInstalled></upd:ApplicabilityRules>"
    ));
    let rule = parsed(&text).rules.is_installed.expect("a rule");
    assert!(rule.source.of(&text).is_some_and(|source| source.contains(content)));
    rule.expr().unwrap_or_else(|| panic!("one expression in {content}")).clone()
}

fn base(content: &str) -> BaseRule {
    match expr(content) {
        Expr::Base(ref rule) => (**rule).clone(),
        other => panic!("{content}: {other:?}"),
    }
}

fn unknown(content: &str) -> Unknown {
    match expr(content) {
        Expr::Unknown(ref unknown) => (**unknown).clone(),
        other => panic!("{content}: {other:?}"),
    }
}

fn key(subkey: &str) -> RegistryKey {
    RegistryKey { hive: Hive::LocalMachine, subkey: subkey.to_owned(), view32: false }
}

fn product() -> Uuid {
    PRODUCT.parse().expect("a GUID")
}

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

#[test]
fn connectives_make_a_tree() {
    let tree = expr(
        "<lar:And><!-- c --><lar:Or><lar:True/></lar:Or><lar:Not> <lar:False /> </lar:Not><lar:And></lar:And></lar:And>",
    );
    let not = Expr::Not(Box::new(Expr::False));
    assert_eq!(tree, Expr::And(vec![Expr::Or(vec![Expr::True]), not, Expr::And(vec![])]));
}

#[test]
fn registry_rules_are_read() {
    let value = || RegistryValue { key: key("S"), name: "V".to_owned() };
    let at = "Key='HKEY_LOCAL_MACHINE' Subkey='S' Value='V'";
    assert_eq!(
        base(&format!("<bar:RegDword {at} Comparison='greaterthan' Data='4294967295' RegType32='true'/>")),
        BaseRule::RegDword {
            value: RegistryValue { key: RegistryKey { view32: true, ..key("S") }, name: "V".to_owned() },
            comparison: Scalar::GreaterThan,
            data: u32::MAX
        }
    );
    assert_eq!(
        base(&format!("<bar:RegSz {at} Comparison='Contains' Data=' x '/>")),
        BaseRule::RegSz { value: value(), comparison: StringMatch::Contains, data: " x ".to_owned() }
    );
    assert_eq!(
        base(&format!("<bar:RegExpandSz {at} Comparison='EndsWith' Data='x'/>")),
        BaseRule::RegExpandSz { value: value(), comparison: StringMatch::EndsWith, data: "x".to_owned() }
    );
    assert_eq!(
        base(&format!("<bar:RegSzToVersion {at} Comparison='LessThanOrEqualTo' Data='1.2'/>")),
        BaseRule::RegSzToVersion { value: value(), comparison: Scalar::LessThanOrEqualTo, data: version("1.2.0.0") }
    );
    assert_eq!(
        base("<bar:RegValueExists Key='HKEY_CURRENT_USER' Subkey='S'/>"),
        BaseRule::RegValueExists { key: RegistryKey { hive: Hive::CurrentUser, ..key("S") }, name: None, kind: None }
    );
    assert_eq!(base("<bar:RegKeyExists Key='HKEY_LOCAL_MACHINE' Subkey='S'/>"), BaseRule::RegKeyExists(key("S")));
    let looped = "<bar:RegKeyLoop Key='HKEY_LOCAL_MACHINE' Subkey='S' TrueIf='None'>\
        <bar:RegKeyExists Key='HKEY_LOOP_TARGET' Subkey='T'/></bar:RegKeyLoop>";
    let body = BaseRule::RegKeyExists(RegistryKey { hive: Hive::LoopTarget, ..key("T") });
    assert_eq!(
        base(looped),
        BaseRule::RegKeyLoop { key: key("S"), true_if: LoopLogic::None, body: Expr::Base(Box::new(body)) }
    );
}

#[test]
fn file_rules_are_read() {
    let file = |root| FilePath { root, path: "p".to_owned() };
    assert_eq!(
        base("<bar:FileVersion Csidl='37' Path='p' Comparison='LessThan' Version='6.0.6000.16386'/>"),
        BaseRule::FileVersion {
            file: file(FileRoot::Csidl(37)),
            comparison: Scalar::LessThan,
            version: version("6.0.6000.16386")
        }
    );
    let root = FileRoot::Registry(RegistryValue { key: key("S"), name: String::new() });
    assert_eq!(
        base(
            "<bar:FileExistsPrependRegSz Key='HKEY_LOCAL_MACHINE' Subkey='S' Value='' Path='p' Size='3' Language='9'/>"
        ),
        BaseRule::FileExists {
            file: file(root.clone()),
            version: None,
            created: None,
            modified: None,
            size: Some(3),
            language: Some(9)
        }
    );
    let created = base(
        "<bar:FileCreatedPrependRegSz Key='HKEY_LOCAL_MACHINE' Subkey='S' Path='p' Comparison='EqualTo' \
         Created='2007-01-02T03:04:05'/>",
    );
    let at = "2007-01-02T03:04:05Z".parse().expect("an instant");
    assert_eq!(created, BaseRule::FileCreated { file: file(root), comparison: Scalar::EqualTo, created: at });
    assert_eq!(
        base("<bar:FileSize Path='p' Comparison='EqualTo' Size='9'/>"),
        BaseRule::FileSize { file: file(FileRoot::Absolute), comparison: Scalar::EqualTo, size: 9 }
    );
}

/// Every other element of the vocabulary has a type.
#[test]
fn all_base_rules_are_known() {
    for rule in [
        "ClusteredOS",
        "ClusterResourceOwner Key='HKEY_LOCAL_MACHINE' Subkey='S' Value='V' Prefix='p'",
        "FileModified Path='p' Comparison='EqualTo' Modified='2007-01-02T03:04:05.1234567Z'",
        "FileModifiedPrependRegSz Key='HKEY_LOCAL_MACHINE' Path='p' Comparison='EqualTo' Modified='2007-01-02T03:04:05Z'",
        "FileSizePrependRegSz Key='HKEY_LOCAL_MACHINE' Subkey='S' Path='p' Comparison='EqualTo' Size='1'",
        "FileVersionPrependRegSz Key='HKEY_LOCAL_MACHINE' Subkey='S' Path='p' Comparison='EqualTo' Version='1.0.0.0'",
        "GenericQuery Namespace='n' Type='t' Parameter='p'",
        "InstalledOnce",
        "LicenseDword Value='v' Comparison='EqualTo' Data='1'",
        "LicenseValueExists Value='v'",
        "Memory MinSizeInMB='2048' Type='Physical'",
        "MuiInstalled",
        "MuiLanguageInstalled Language='de'",
        "NumberOfProcessors Comparison='EqualTo' Number='1'",
        "Platform PlatformID='2'",
        "PlatformLanguage Language='de'",
        "PlatformVersion MajorVersion='10'",
        "Processor Architecture='9'",
        "SystemMetric Index='86' Comparison='EqualTo' Value='-1'",
        "WindowsLanguage Language='EN'",
        "WindowsVersion",
        "WmiQuery WqlQuery='select * from x'",
        "WUv4RegKeySubstring Key='HKEY_LOCAL_MACHINE' Subkey='S' Data='d'",
        "WUv4RegKeyValue Key='HKEY_LOCAL_MACHINE' Subkey='S' Data='d'",
    ] {
        base(&format!("<bar:{rule} />"));
    }
}

#[test]
fn installer_rules_are_read() {
    let msi = |content: &str| match expr(content) {
        Expr::Msi(ref rule) => (**rule).clone(),
        other => panic!("{content}: {other:?}"),
    };
    let filter = ProductFilter {
        version_min: Some(version("12.0")),
        exclude_version_min: true,
        version_max: None,
        exclude_version_max: false,
        language: Some(1033),
    };
    assert_eq!(
        msi(&format!(
            "<mar:MsiProductInstalled ProductCode='{PRODUCT}' VersionMin='12.0' ExcludeVersionMin='true' Language='1033'/>"
        )),
        MsiRule::ProductInstalled { product_code: product(), filter }
    );
    assert_eq!(
        msi(&format!(
            "<mar:MsiFeatureInstalledForProduct AllFeaturesRequired='true'><mar:Feature>A</mar:Feature>\
             <mar:Feature>B</mar:Feature><mar:Product>{PRODUCT}</mar:Product></mar:MsiFeatureInstalledForProduct>"
        )),
        MsiRule::FeatureInstalledForProduct {
            features: vec!["A".to_owned(), "B".to_owned()],
            products: vec![product()],
            all_features: true,
            all_products: false
        }
    );
    let components = format!(
        "<mar:MsiComponentInstalledForProduct AllComponentsRequired='false' AllProductsRequired='true'>\
         <mar:Component>{PRODUCT}</mar:Component><mar:Product>{PRODUCT}</mar:Product></mar:MsiComponentInstalledForProduct>"
    );
    assert!(matches!(msi(&components), MsiRule::ComponentInstalledForProduct { all_products: true, .. }));
    let patch = format!("<mar:MsiPatchInstalledForProduct PatchCode='{PRODUCT}' ProductCode='{PRODUCT}'/>");
    assert!(matches!(msi(&patch), MsiRule::PatchInstalledForProduct { .. }));
    for (name, expected) in [
        ("MsiApplicationInstallable", MsiRule::ApplicationInstallable),
        ("MsiApplicationInstalled", MsiRule::ApplicationInstalled),
        ("MsiApplicationSuperseded", MsiRule::ApplicationSuperseded),
        ("MsiPatchInstallable", MsiRule::PatchInstallable),
        ("MsiPatchInstalled", MsiRule::PatchInstalled),
        ("MsiPatchSuperseded", MsiRule::PatchSuperseded),
    ] {
        assert_eq!(msi(&format!("<mar:{name} />")), expected);
    }
}

#[test]
fn the_small_vocabularies_are_read() {
    assert_eq!(expr("<drv:WindowsDriverInstalled/>"), Expr::Driver(DriverRule::Installed));
    assert_eq!(expr("<cbsar:CbsPackageInstallable/>"), Expr::Cbs(Box::new(CbsRule::Installable)));
    let package_identity = "P~31bf3856ad364e35~amd64~~10.0.1.0".to_owned();
    let text = format!("<cbsar:CbsPackageInstalledByIdentity PackageIdentity='{package_identity}'/>");
    assert_eq!(expr(&text), Expr::Cbs(Box::new(CbsRule::InstalledByIdentity { package_identity })));
    let Expr::ProductReleaseVersion(ref release) =
        expr("<upd:ProductReleaseVersion Name='n' Version='1.2' Comparison='LessThan'/>")
    else {
        panic!("a release")
    };
    assert_eq!((release.name.as_str(), release.comparison), ("n", Scalar::LessThan));
}

#[test]
fn what_does_not_fit_is_kept_as_unknown() {
    let rule = unknown("<x:New xmlns:x='urn:new' a='1'><lar:True/>text</x:New>");
    assert_eq!((rule.namespace.as_str(), rule.name.as_str(), rule.misfit), ("urn:new", "New", None));
    assert_eq!(rule.attributes, [("a".to_owned(), "1".to_owned())]);
    assert_eq!(rule.children, [Expr::True]);
    for (content, misfit) in [
        ("<lar:Not/>", "0 expressions inside instead of one"),
        ("<lar:Not><lar:True/><lar:False/></lar:Not>", "2 expressions inside instead of one"),
        ("<bar:RegDword Key='HKLM' Comparison='EqualTo' Data='1'/>", "Key \"HKLM\""),
        ("<bar:RegDword Key='HKEY_USERS' Comparison='Contains' Data='1'/>", "Comparison \"Contains\""),
        ("<bar:RegDword Key='HKEY_USERS' Comparison='EqualTo' Data='-1'/>", "Data \"-1\""),
        ("<bar:FileExists/>", "Path is missing"),
        ("<mar:MsiProductInstalled ProductCode='x'/>", "ProductCode \"x\""),
        ("<bar:MuiInstalled><lar:True/></bar:MuiInstalled>", "expressions inside"),
    ] {
        let rule = unknown(content);
        assert_eq!(rule.misfit.as_deref(), Some(misfit), "{content}");
        assert_eq!(
            rule.children.len(),
            content.matches("<lar:").count() - usize::from(content.starts_with("<lar:Not"))
        );
    }
    for content in ["<bar:New/>", "<lar:Xor/>", "<mar:New/>", "<cbsar:New/>", "<drv:New/>", "<upd:New/>", "<New/>"] {
        assert_eq!(unknown(content).misfit, None, "{content}");
    }
}

#[test]
fn all_rules_and_metadata_of_an_update_are_found() {
    let text = software(&format!(
        "<upd:ApplicabilityRules><upd:IsInstalled><lar:True/></upd:IsInstalled><upd:IsInstallable/>\
         <upd:IsSuperseded><lar:True/><lar:False/></upd:IsSuperseded><upd:Metadata>\
         <mar:MsiPatchMetadata><p:MsiPatch xmlns:p='http://www.microsoft.com/msi/patch_applicability.xsd'/>\
         <mar:FallbackPatchCode>{PRODUCT}</mar:FallbackPatchCode></mar:MsiPatchMetadata>\
         <mar:MsiApplicationMetadata><mar:ProductCode Version='1.2.3'>{PRODUCT}</mar:ProductCode></mar:MsiApplicationMetadata>\
         <cbsar:CbsPackageApplicabilityMetadata><a/></cbsar:CbsPackageApplicabilityMetadata><x/>\
         </upd:Metadata></upd:ApplicabilityRules>"
    ));
    let rules = parsed(&text).rules;
    let roots = |rule: &Option<crate::document::rules::Rule>| rule.as_ref().map(|rule| rule.roots.len());
    assert_eq!(
        (roots(&rules.is_installed), roots(&rules.is_installable), roots(&rules.is_superseded)),
        (Some(1), Some(0), Some(2))
    );
    assert!(rules.is_superseded.is_some_and(|rule| rule.expr().is_none()));
    let kinds: Vec<_> = rules.metadata.iter().map(|metadata| metadata.kind.clone()).collect();
    let product = Some(product());
    assert_eq!(
        kinds,
        [
            MetadataKind::MsiPatch { patch: None, fallback_patch_code: product },
            MetadataKind::MsiApplication { product_code: product, version: Some(version("1.2.3")), recache: None },
            MetadataKind::CbsPackage { identity: None },
            MetadataKind::Other,
        ]
    );
    let sources: Vec<_> = rules.metadata.iter().map(|metadata| metadata.source.of(&text).expect("inside")).collect();
    assert!(sources[0].starts_with("<mar:MsiPatchMetadata><p:MsiPatch") && sources[3] == "<x/>", "{sources:?}");
}

#[test]
fn manifests_in_metadata_are_read_as_far_as_rules_need() {
    let other = "{99999999-2222-3333-4444-555555555555}";
    let text = software(&format!(
        "<upd:ApplicabilityRules><upd:Metadata>\
         <mar:MsiPatchMetadata><p:MsiPatch xmlns:p='http://www.microsoft.com/msi/patch_applicability.xsd' PatchGUID='{other}'>\
         <p:TargetProduct><p:TargetProductCode Validate='true'>{PRODUCT}</p:TargetProductCode>\
         <p:TargetVersion Validate='true' ComparisonType='LessThanOrEqual' ComparisonFilter='MajorMinor'>1.2</p:TargetVersion>\
         <p:TargetLanguage Validate='false'>1033</p:TargetLanguage><p:UpgradeCode>{other}</p:UpgradeCode></p:TargetProduct>\
         <p:TargetProductCode>{PRODUCT}</p:TargetProductCode><p:ObsoletedPatch>{PRODUCT}</p:ObsoletedPatch>\
         <p:SequenceData><p:PatchFamily>F</p:PatchFamily></p:SequenceData></p:MsiPatch></mar:MsiPatchMetadata>\
         <mar:MsiPatchMetadata><p:MsiPatch xmlns:p='x' PatchGUID='{other}'><p:TargetProductCode>?</p:TargetProductCode>\
         </p:MsiPatch></mar:MsiPatchMetadata>\
         <cbsar:CbsPackageApplicabilityMetadata><assembly xmlns='urn:schemas-microsoft-com:asm.v3'>\
         <assemblyIdentity name='P' version='1.0.0.7' language='neutral' processorArchitecture='amd64' publicKeyToken='31bf'/>\
         <package><parent><assemblyIdentity name='Q'/></parent></package></assembly></cbsar:CbsPackageApplicabilityMetadata>\
         </upd:Metadata></upd:ApplicabilityRules>"
    ));
    let metadata = parsed(&text).rules.metadata;
    let MetadataKind::MsiPatch { patch: Some(patch), .. } = &metadata[0].kind else { panic!("{:?}", metadata[0]) };
    let target = PatchTarget {
        product_code: Some(product()),
        version: Some(TargetVersion { version: version("1.2"), comparison: Scalar::LessThanOrEqualTo, numbers: 2 }),
        ..PatchTarget::default()
    };
    assert_eq!((patch.targets.as_slice(), patch.sequenced, patch.targets_rtm), ([target].as_slice(), true, false));
    assert_eq!(
        (patch.product_codes.as_slice(), patch.obsoleted.as_slice()),
        ([product()].as_slice(), [product()].as_slice())
    );
    assert!(patch.patch_code.is_some_and(|code| code != product()));
    assert_eq!(metadata[1].kind, MetadataKind::MsiPatch { patch: None, fallback_patch_code: None });
    assert_eq!(metadata[2].kind, MetadataKind::CbsPackage { identity: Some("P~31bf~amd64~~1.0.0.7".to_owned()) });
}

#[test]
fn deep_rules_are_built_and_dropped_without_recursion() {
    let depth = 250;
    let text = format!("{}<lar:True/>{}", "<lar:Not>".repeat(depth), "</lar:Not>".repeat(depth));
    let expr = expr(&text);
    let (mut inside, mut found) = (&expr, 0);
    while let Expr::Not(inner) = inside {
        inside = inner;
        found += 1;
    }
    assert_eq!((found, inside), (depth, &Expr::True));

    let mut deep = Expr::True;
    for level in 0..1_000_000 {
        deep = match level % 4 {
            0 => Expr::Not(Box::new(deep)),
            1 => Expr::And(vec![Expr::False, deep]),
            2 => Expr::Unknown(Box::new(Unknown { children: vec![deep], ..Unknown::default() })),
            _ => Expr::Base(Box::new(BaseRule::RegKeyLoop { key: key("S"), true_if: LoopLogic::Any, body: deep })),
        };
    }
    drop(deep);
}

#[test]
fn versions_compare_by_number() {
    for (low, high) in [("1.9", "1.10"), ("1", "1.0.0.1"), ("9.9.9.9", "10"), ("0.0.0.0", "4294967295.0")] {
        assert!(version(low) < version(high), "{low} {high}");
    }
    assert_eq!(version("1.2"), version("1.2.0.0"));
    assert_eq!(version(" 1.02 ").to_string(), "1.2");
    for wrong in ["", ".", "1.", "1..2", "1.2.3.4.5", "-1", "+1", "1.a", "4294967296", "1 .2"] {
        assert!(wrong.parse::<Version>().is_err(), "{wrong:?}");
    }
}

#[test]
fn comparisons_admit_their_orders() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    for (comparison, admitted) in [
        (Scalar::EqualTo, [false, true, false]),
        (Scalar::GreaterThan, [false, false, true]),
        (Scalar::GreaterThanOrEqualTo, [false, true, true]),
        (Scalar::LessThan, [true, false, false]),
        (Scalar::LessThanOrEqualTo, [true, true, false]),
    ] {
        assert_eq!([Less, Equal, Greater].map(|order| comparison.admits(order)), admitted, "{comparison:?}");
    }
}
