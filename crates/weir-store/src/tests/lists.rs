//! Lists of updates, facets, categories and languages.

use weir_model::update::{CategoryKind, UpdateType};

use super::{Scratch, category, in_category, software, update};
use crate::{
    list::{Facets, UpdateFilter},
    revision::NewRevision,
};

fn catalogue() -> Scratch {
    let scratch = Scratch::new();
    let mut family = category(101, CategoryKind::ProductFamily, Some(100));
    family.localized[1].title = " windows\n".to_owned();
    let mut one = software(1, 1);
    one.relationships.prerequisites = vec![in_category(102)];
    let mut two = software(2, 1);
    two.relationships.prerequisites = vec![in_category(102)];
    two.bulletins = vec!["MS08-067".to_owned()];
    scratch.import(vec![
        category(100, CategoryKind::Company, None),
        family,
        category(102, CategoryKind::Product, Some(101)),
        NewRevision { update_type: UpdateType::Detectoid, explicitly_deployable: false, ..software(50, 1) },
        one.clone(),
        two,
        NewRevision { expired: true, ..software(3, 1) },
    ]);
    scratch.import(vec![NewRevision {
        identity: weir_model::ids::UpdateIdentity::new(update(1), 2),
        text: "second".to_owned(),
        ..one
    }]);
    scratch
}

fn numbers(scratch: &Scratch, filter: &UpdateFilter) -> Vec<u128> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = scratch.store.read(|tx| tx.update_list(filter, cursor.as_deref(), 2)).expect("reads");
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|row| row.identity.update_id.0.as_u128() & 0xFFFF));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

#[test]
fn a_row_per_update_newest_arrival_first() {
    let scratch = catalogue();
    assert_eq!(numbers(&scratch, &UpdateFilter::default()), [1, 3, 2, 50, 102, 101, 100]);
    let row = scratch.store.read(|tx| tx.update_show(update(1))).expect("reads").expect("there");
    assert_eq!((row.identity.revision.0, row.title.as_str()), (2, "Title 1"));
    assert_eq!(row.categories, [update(102)]);
    assert_eq!(row.kb_articles, ["5000001"]);
    assert_eq!(scratch.store.read(|tx| tx.update_show(update(77))).expect("reads"), None);
}

#[test]
fn filters_are_joined() {
    let scratch = catalogue();
    scratch.write(|tx| tx.update_decline(update(2)));
    let filter = |change: fn(&mut UpdateFilter)| {
        let mut filter = UpdateFilter::default();
        change(&mut filter);
        numbers(&scratch, &filter)
    };
    assert_eq!(filter(|f| f.update_type = Some(UpdateType::Software)), [1, 3, 2]);
    assert_eq!(filter(|f| f.category_kind = Some(CategoryKind::Product)), [102]);
    assert_eq!(filter(|f| f.declined = Some(true)), [2]);
    assert_eq!(filter(|f| f.expired = Some(true)), [3]);
    assert_eq!(filter(|f| f.explicitly_deployable = Some(false)), [50, 102, 101, 100]);
    assert_eq!(filter(|f| f.categories = vec![update(102)]), [1, 2]);
    assert_eq!(filter(|f| f.categories = vec![update(102), update(101)]), [1, 2, 102]);
    assert_eq!(filter(|f| f.ids = Some(vec![update(3), update(2), update(77)])), [3, 2]);
    assert_eq!(filter(|f| f.ids = Some(vec![])), [0; 0]);
    assert_eq!(
        filter(|f| {
            f.categories = vec![update(102)];
            f.ids = Some(vec![update(3), update(2)]);
        }),
        [2]
    );
    assert_eq!(filter(|f| f.text = Some("TITLE 1".to_owned())), [1, 102, 100]);
    assert_eq!(filter(|f| f.text = Some("kb5000003".to_owned())), [3]);
    assert_eq!(filter(|f| f.text = Some("ms08-067".to_owned())), [2]);
    assert_eq!(filter(|f| f.text = Some(update(50).to_string())), [50]);
    assert_eq!(filter(|f| f.text = Some("100%".to_owned())), [0; 0]);
}

#[test]
fn facets_count_revisions_and_updates() {
    let scratch = catalogue();
    let facets = scratch.store.read(|tx| tx.update_facets(&UpdateFilter::default())).expect("reads");
    assert_eq!(facets, Facets { category: 3, detectoid: 1, driver: 0, software: 4, updates: 7 });
    assert_eq!(facets.total(), 8);
    let product = UpdateFilter { categories: vec![update(102)], ..UpdateFilter::default() };
    let facets = scratch.store.read(|tx| tx.update_facets(&product)).expect("reads");
    assert_eq!((facets.software, facets.updates), (3, 2));
}

#[test]
fn categories_are_a_tree_with_titles() {
    let scratch = catalogue();
    let rows = scratch.store.read(|tx| tx.category_list("EN")).expect("reads");
    let seen: Vec<_> = rows.iter().map(|row| (row.title.as_str(), row.kind, row.parent)).collect();
    assert_eq!(
        seen,
        [
            ("Title 100", CategoryKind::Company, None),
            ("Title 102", CategoryKind::Product, Some(update(101))),
            ("windows", CategoryKind::ProductFamily, Some(update(100))),
        ]
    );
    let german = scratch.store.read(|tx| tx.category_list("de")).expect("reads");
    assert!(german.iter().any(|row| row.title == "Titel 100"));
    let french = scratch.store.read(|tx| tx.category_list("fr")).expect("reads");
    assert!(french.iter().any(|row| row.title == "Title 100"), "the default language stands in");
    assert_eq!(scratch.store.read(|tx| tx.language_list()).expect("reads"), ["de", "en"]);
}
