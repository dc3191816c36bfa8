//! Documents that a Windows server had, and the fragments that it gave a computer for them.

use std::{collections::BTreeMap, fs};

use weir_model::{
    document::{CoreFragment, Fragments, Limits, UpdateDocument, read},
    ids::{ContentDigest, Sha256Digest, UpdateIdentity},
    update::{CategoryKind, UpdateType},
};

/// Every file of the folder by name.
pub(super) fn files() -> BTreeMap<String, String> {
    let folder = super::shared().join("captures/updates");
    fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.expect("readable folder").path();
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("UTF-8"))
        })
        .collect()
}

/// The whole documents by `id-rREVISION`.
pub(super) fn documents() -> BTreeMap<String, String> {
    let whole = files().into_iter().filter_map(|(name, text)| {
        let stem = name.strip_suffix(".xml")?;
        (!stem.contains('.')).then(|| (stem.to_owned(), text))
    });
    whole.collect()
}

fn document(prefix: &str) -> UpdateDocument {
    let (_, text) = documents().into_iter().find(|(stem, _)| stem.starts_with(prefix)).expect("a recorded document");
    UpdateDocument::parse(&text, &Limits::default()).expect("a genuine document")
}

#[test]
fn derived_fragments_equal_the_recorded_ones() {
    let documents = documents();
    let mut compared = 0;
    for (name, recorded) in files() {
        let Some((stem, kind)) = name.strip_suffix(".xml").and_then(|name| name.split_once('.')) else { continue };
        let Some(document) = documents.get(stem) else {
            assert!(stem.starts_with("f1ff1e3d"), "{name} has no document");
            continue;
        };
        let fragments = Fragments::derive(document).unwrap_or_else(|error| panic!("{stem}: {error}"));
        let derived = match kind {
            "core" => fragments.core,
            "extended" => fragments.extended,
            _ => {
                let language = kind.strip_prefix("localized-").expect("core, extended or localized");
                let texts = fragments.localized.into_iter().find(|texts| texts.language == language);
                texts.unwrap_or_else(|| panic!("{stem} has no {language}")).xml
            }
        };
        assert_eq!(derived, recorded, "{name}");
        compared += 1;
    }
    assert!(compared >= 12, "only {compared} fragments compared");
}

/// A fragment is itself a sequence of elements without namespaces, so it must come out of a document made of it
/// unchanged, apart from the elements that got a prefix.
#[test]
fn one_pass_gives_what_two_passes_give() {
    for (stem, text) in documents() {
        let (document, fragments) = read(&text, &Limits::default()).expect("a genuine document");
        assert_eq!(document, UpdateDocument::parse(&text, &Limits::default()).expect("the same"), "{stem}");
        assert_eq!(fragments, Fragments::derive(&text).expect("the same"), "{stem}");
        let identity = format!("{}-r{}", document.identity.update_id, document.identity.revision);
        assert_eq!(identity, stem);
    }
}

#[test]
fn core_fragments_say_what_their_documents_say() {
    for (_, text) in documents() {
        let (document, fragments) = read(&text, &Limits::default()).expect("a genuine document");
        super::assert_core_says_the_same(&document, &fragments.core);
    }
    let cores = files().into_iter().filter(|(name, _)| name.contains(".core"));
    let read: Vec<_> = cores
        .map(|(name, text)| {
            let core = CoreFragment::parse(&text, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(name.starts_with(&format!("{}-r{}", core.identity.update_id, core.identity.revision)), "{name}");
            core
        })
        .collect();
    assert_eq!(read.len(), 5);
    let packages = read.iter().flat_map(|core| &core.rules.metadata).count();
    assert_eq!(packages, 1, "one of them is of a package");
}

#[test]
fn a_category_is_read() {
    let document = document("dd78b8a1");
    assert_eq!(document.update_type, UpdateType::Category);
    let category = document.category.expect("category information");
    assert_eq!(category.kind, Some(CategoryKind::Product));
    assert_eq!((category.prohibits_subcategories, category.excluded_by_default), (Some(true), Some(true)));
    assert_eq!((category.prohibits_updates, category.display_order), (None, None));
    let [clause] = document.relationships.prerequisites.as_slice() else { panic!("one clause") };
    assert!(clause.is_category && !clause.bare);
    assert_eq!(clause.alternatives, ["6964aab4-c5b5-43bd-a17d-ffb4346a8e1d".parse().expect("valid")]);
    assert_eq!(document.properties.creation_date.expect("stated").to_string(), "2015-08-25T20:09:50.002Z");
    let handler = document.handler_data.expect("handler data");
    assert_eq!(handler.type_name, "cat:Category");
    assert_eq!(handler.type_namespace, "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/Category");
}

#[test]
fn a_leaf_with_a_file_is_read() {
    let document = document("266f6222");
    let [file] = document.files.as_slice() else { panic!("one file") };
    assert_eq!(Ok(file.digest), ContentDigest::from_base64("h/W9BGlYUAaqXTp30cZi/SiV3c0="));
    assert_eq!(file.sha256, Sha256Digest::from_base64("Amt0qymy5KsROiwIXm4QIIV75Ju4r+Cl28Pg8gaLXUA=").ok());
    assert_eq!((file.name.as_str(), file.size, file.extension()), ("AM_Delta.exe", 11_606_440, Some("exe")));
    assert_eq!(document.properties.max_download_size, Some(11_606_440));
    assert!(!document.properties.explicitly_deployable);
    let bare: Vec<_> = document.relationships.prerequisites.iter().map(|clause| clause.bare).collect();
    assert_eq!(bare, [true, true, true, false]);
    let rules = &document.rules;
    assert!(rules.is_installed.as_ref().is_some_and(|rule| rule.expr().is_some()));
    assert!(rules.is_installable.as_ref().is_some_and(|rule| rule.expr().is_some()));
    assert!(rules.is_superseded.is_none() && rules.metadata.is_empty());
}

#[test]
fn a_bundle_is_read() {
    let document = document("a2fef9b0");
    assert!(document.properties.explicitly_deployable && document.properties.auto_select);
    assert_eq!(document.properties.kb_articles, ["2267602"]);
    assert_eq!(document.properties.support_url.as_deref(), Some("https://go.microsoft.com/fwlink/?LinkId=52661"));
    let relationships = &document.relationships;
    assert_eq!(relationships.superseded.len(), 10);
    let sizes: Vec<_> = relationships.bundled.iter().map(|clause| clause.alternatives.len()).collect();
    assert_eq!(sizes, [7, 7, 7, 103]);
    let last = relationships.bundled[3].alternatives[102];
    assert_eq!(last, UpdateIdentity::new("3baa1bb8-21ec-4c3a-8bc7-f613ff818fd2".parse().expect("valid"), 200));
    assert_eq!(document.localized_for("DE-at").map(|texts| texts.language.as_str()), Some("de"));
    assert_eq!(document.localized_for("xx").map(|texts| texts.language.as_str()), Some("en"));
}
