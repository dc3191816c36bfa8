//! Update documents against genuine ones: the recorded pairs of document and fragments, and a whole catalogue.

mod applicability;
mod captures;
mod catalogue;
mod computers;

use std::path::PathBuf;

use weir_model::document::{ApplicabilityRules, CoreFragment, Limits, UpdateDocument, Verbatim};

/// Where recorded and genuine data lie: `WEIR_SHARED`, else `shared` beside the workspace.
fn shared() -> PathBuf {
    let folder = std::env::var_os("WEIR_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    assert!(
        folder.join("captures").is_dir(),
        "{} has no folder `captures`: set WEIR_SHARED to the folder of recorded data",
        folder.display()
    );
    folder
}

/// Asserts that the Core fragment of a document says what the document says.
fn assert_core_says_the_same(document: &UpdateDocument, core: &str) {
    let read = CoreFragment::parse(core, &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{core}"));
    let properties = &document.properties;
    let expected = CoreFragment {
        identity: document.identity,
        update_type: document.update_type,
        explicitly_deployable: properties.explicitly_deployable,
        auto_select: properties.auto_select,
        os_upgrade: properties.os_upgrade.clone(),
        eula_id: properties.eula_id,
        relationships: document.relationships.clone(),
        rules: without_places(&document.rules),
        drivers: document.drivers.clone(),
    };
    assert_eq!(CoreFragment { rules: without_places(&read.rules), ..read }, expected);
}

/// Rules without the places where they stand, which differ between a document and its fragment.
fn without_places(rules: &ApplicabilityRules) -> ApplicabilityRules {
    let mut rules = rules.clone();
    rules.source = None;
    for rule in [&mut rules.is_installed, &mut rules.is_installable, &mut rules.is_superseded].into_iter().flatten() {
        rule.source = Verbatim::default();
    }
    for metadata in &mut rules.metadata {
        metadata.source = Verbatim::default();
    }
    rules
}
