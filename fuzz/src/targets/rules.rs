//! Rules: any expression has an answer, bounds and missing facts only take answers away, and changes that are proposed do
//! what they promise.

use weir_model::{
    applicability::{
        Applicability, Bounds, Change, evaluate,
        facts::{FileFacts, MsiProduct, RegistryData, System, WmiValue},
        memory::{Memory, Uncollected},
        satisfy,
    },
    document::{
        CoreFragment, Limits,
        rules::base::{Hive, RegistryKey},
    },
};

const ID: &str = "11111111-2222-3333-4444-555555555555";

pub(super) fn run(data: &[u8]) -> bool {
    let rule = &*String::from_utf8_lossy(data);
    let text = format!(
        "<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Software\" />\
         <ApplicabilityRules><IsInstalled>{rule}</IsInstalled></ApplicabilityRules>"
    );
    let limits = Limits { bytes: 1 << 20, elements: 10_000, ..Limits::default() };
    let Ok(core) = CoreFragment::parse(&text, &limits) else { return false };
    let applicability = Applicability::from(&core);
    let bounds = Bounds { steps: 20_000, ..Bounds::default() };
    let mut whole = Memory::new(system());
    let mut partial = Memory::over(&Uncollected);
    *partial.system_mut() = system();
    for change in changes() {
        whole.apply(&change).expect("no devices");
        partial.apply(&change).expect("no devices");
    }
    whole.set_wmi("root\\cimv2", "A", vec![vec![("b".to_owned(), WmiValue::Text("c".to_owned()))]]);
    let answer = applicability.is_installed(&whole, &bounds);
    if let Some(known) = applicability.is_installed(&partial, &bounds).known() {
        assert_eq!(answer.known(), Some(known));
    }
    let tight = Bounds { steps: 5, ..bounds };
    if let Some(known) = applicability.is_installed(&whole, &tight).known() {
        assert_eq!(answer.known(), Some(known));
    }
    assert_eq!(answer.known().is_none(), !answer.gaps().is_empty());
    let Some(expr) = core.rules.is_installed.as_ref().and_then(|rule| rule.expr()) else { return true };
    if let Ok(changes) = satisfy(expr, &whole, applicability.context(), &bounds) {
        let mut after = Memory::over(&whole);
        after.apply_all(&changes).expect("proposed");
        assert!(evaluate(expr, &after, applicability.context(), &bounds).is_true());
    }
    true
}

fn system() -> System {
    System {
        version: Some((10, 0, 19_045)),
        service_pack: Some((0, 0)),
        suite_mask: Some(256),
        product_type: Some(1),
        platform_id: Some(2),
        architecture: Some(9),
        processors: Some(4),
        language: Some("en".to_owned()),
        mui_languages: Some(Vec::new()),
        clustered: Some(false),
        ..System::default()
    }
}

fn changes() -> Vec<Change> {
    let key = |subkey: &str| RegistryKey { hive: Hive::LocalMachine, subkey: subkey.to_owned(), view32: false };
    let value = |subkey: &str, name: &str, data| Change::SetValue { key: key(subkey), name: name.to_owned(), data };
    vec![
        value("A", "", RegistryData::Sz("C:\\a".into())),
        value("A\\B", "v", RegistryData::Dword(1)),
        value("A\\C", "v", RegistryData::ExpandSz("%a%b".into())),
        Change::SetFile { path: "C:\\a\\b".to_owned(), file: FileFacts { size: Some(1), ..FileFacts::default() } },
        Change::SetProduct {
            code: ID.parse().expect("a GUID"),
            product: MsiProduct { language: Some(1033), ..MsiProduct::default() },
        },
    ]
}
