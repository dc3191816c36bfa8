//! Lists of revisions: anchors, deltas, what is chosen.

use weir_testkit::{Document, upstream::Upstream};
use weir_wire::wsss::Operation;

use super::support::*;

fn ids(list: Option<&Vec<weir_wire::wsss::IdAndDelta>>) -> Vec<(u128, bool)> {
    let number = |id: weir_model::ids::UpdateId| id.0.as_u128() & 0xffff;
    list.expect("a list").iter().map(|id| (number(id.id), id.delta)).collect()
}

#[tokio::test]
async fn item_21_a_first_run_sends_no_empty_anchor_and_orders_the_filter() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    for received in upstream.log() {
        for absent in ["<Anchor", "<configAnchor", "<deploymentAnchor", "DssProtocolVersion"] {
            assert!(!received.body.contains(absent), "{absent} in {}", received.body);
        }
        assert!(received.path.starts_with('/') && !received.path.contains("//"), "{}", received.path);
    }
    // anchors exist now, and the children of the filter stay in the order of the schema
    upstream.clear_log();
    downstream.sync(&upstream).await;
    let lists =
        upstream.log().into_iter().filter(|received| received.operation() == Some(Operation::GetRevisionIdList));
    let bodies: Vec<String> = lists.map(|received| received.body).collect();
    let place = |body: &str, name: &str| body.find(&format!("<{name}>")).unwrap_or_else(|| panic!("{name}: {body}"));
    assert!(place(&bodies[0], "Anchor") < place(&bodies[0], "GetConfig"));
    let order = ["Anchor", "GetConfig", "Get63LanguageOnly", "Categories", "Classifications"];
    let places: Vec<usize> = order.iter().map(|name| place(&bodies[1], name)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(upstream.log().iter().any(|received| received.body.contains("<configAnchor>")));
}

#[tokio::test]
async fn a_first_run_stores_categories_and_what_is_chosen() {
    let other = of_product(Document::software(id(11), 1), OTHER_PRODUCT);
    let upstream = Upstream::start(served([software(10, 1), other]));
    let downstream = Downstream::new().await;
    let outcome = downstream.sync(&upstream).await;
    let expected = all_of(&upstream).into_iter().filter(|identity| *identity != self::identity(11, 1)).collect();
    assert_eq!(downstream.stored(), expected);
    assert_eq!((outcome.added, outcome.revised, outcome.expired), (7, 0, 0));
    assert!(outcome.bytes > 0 && outcome.calls >= 7, "{outcome:?}");
    // nothing is new: two lists, no documents
    upstream.clear_log();
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.added, outcome.revised), (0, 0));
    assert_eq!(count(&upstream, Operation::GetUpdateData), 0);
}

#[tokio::test]
async fn revisions_that_are_new_and_expire_are_counted() {
    let upstream = Upstream::start(served([software(10, 1), software(11, 1)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    upstream.change(|served| {
        served.add(&software(10, 2));
        served.add(&software(11, 2).expired());
        served.add(&software(12, 1));
    });
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.added, outcome.revised, outcome.expired), (1, 2, 1));
}

#[tokio::test]
async fn item_27_a_product_chosen_later_keeps_the_anchor() {
    let other = of_product(Document::software(id(11), 1), OTHER_PRODUCT);
    let upstream = Upstream::start(served([software(10, 1), other]));
    let mut downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    upstream.clear_log();
    downstream.products.insert(id(OTHER_PRODUCT).0);
    let outcome = downstream.sync(&upstream).await;
    let filter = filters(&upstream).remove(1);
    assert!(filter.anchor.text().is_some());
    assert_eq!(ids(filter.categories.as_ref()), [(PRODUCT, true), (OTHER_PRODUCT, false)]);
    assert_eq!(ids(filter.classifications.as_ref()), [(CLASSIFICATION, true)]);
    assert_eq!(outcome.added, 1);
    assert_eq!(batches(&upstream), [vec![identity(11, 1)]], "what is here is not fetched again");
    // from now on both have an anchor
    upstream.clear_log();
    downstream.sync(&upstream).await;
    assert_eq!(ids(filters(&upstream)[1].categories.as_ref()), [(PRODUCT, true), (OTHER_PRODUCT, true)]);
}

#[tokio::test]
async fn a_family_means_its_products_also_those_that_come_later() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let mut downstream = Downstream::new().await;
    downstream.products = [id(FAMILY).0].into();
    downstream.sync(&upstream).await;
    assert!(downstream.stored().contains(&identity(10, 1)));
    upstream.change(|served| {
        let product = Document::category(id(7), 1, weir_model::update::CategoryKind::Product);
        served.add(&product.title("New").in_category(id(FAMILY)));
        served.add(&of_product(Document::software(id(12), 1), 7));
    });
    upstream.clear_log();
    let outcome = downstream.sync(&upstream).await;
    assert_eq!(outcome.added, 2, "the product and its update come in one run");
    let filter = filters(&upstream).remove(1);
    assert_eq!(ids(filter.categories.as_ref()), [(PRODUCT, true), (OTHER_PRODUCT, true), (7, false)]);
}

#[tokio::test]
async fn nothing_chosen_synchronizes_categories_and_says_so() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let mut downstream = Downstream::new().await;
    downstream.products.clear();
    let outcome = downstream.sync(&upstream).await;
    assert_eq!(outcome.added, 6);
    assert!(outcome.notes.iter().any(|note| note.contains("weir products list")), "{:?}", outcome.notes);
    assert_eq!(filters(&upstream).len(), 1, "a list without both is not asked for");
}

#[tokio::test]
async fn item_26_several_revisions_of_one_update_and_upper_case_ids_are_taken() {
    let upper = software(10, 3).to_xml().replace(&id(10).to_string(), &id(10).to_string().to_uppercase());
    let mut served = served([]);
    served.lists_old_revisions = true;
    served.add_text(upper.clone());
    served.add(&software(10, 1));
    served.add(&software(10, 2));
    let upstream = Upstream::start(served);
    let downstream = Downstream::new().await;
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.added, outcome.revised), (7, 2));
    let rows = downstream.read(|tx| tx.revision_list_of(id(10)));
    let newest: Vec<(u32, bool)> = rows.iter().map(|row| (row.identity.revision.0, row.is_newest)).collect();
    assert_eq!(newest, [(1, false), (2, false), (3, true)]);
    assert_eq!(downstream.text(identity(10, 3)), upper);
}

#[tokio::test]
async fn a_revision_that_goes_backwards_is_stored_and_is_not_the_newest() {
    let upstream = Upstream::start(served([software(10, 200)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    upstream.change(|served| {
        served.revisions.remove(&identity(10, 200));
        served.add(&software(10, 101));
    });
    let outcome = downstream.sync(&upstream).await;
    assert_eq!((outcome.added, outcome.revised), (0, 1));
    let rows = downstream.read(|tx| tx.revision_list_of(id(10)));
    assert_eq!(rows.iter().find(|row| row.is_newest).map(|row| row.identity), Some(identity(10, 200)));
}

#[tokio::test]
async fn members_are_fetched_to_any_depth_and_cycles_end() {
    let member = |number: u128| Document::member(id(number), 1);
    let documents = [
        software(10, 1).bundles([identity(20, 1), identity(21, 1)]),
        member(20).bundles([identity(22, 1)]),
        member(21),
        // a cycle, and a member that nobody has
        member(22).bundles([identity(20, 1), identity(10, 1), identity(99, 1)]),
    ];
    let mut served = served(documents);
    served.lists_members = false;
    let upstream = Upstream::start(served);
    let downstream = Downstream::new().await;
    let outcome = downstream.try_sync(&upstream.url()).await.expect("synchronizes");
    let stored = downstream.stored();
    for number in [10, 20, 21, 22] {
        assert!(stored.contains(&identity(number, 1)), "{number}");
    }
    let named: Vec<_> = outcome.problems.iter().map(|problem| problem.revision).collect();
    assert_eq!(named, [identity(99, 1)]);
    // members come before their bundles
    let number = |of: u128| downstream.read(|tx| tx.revision_find(identity(of, 1))).expect("stored").id;
    assert!(number(21) < number(10) && number(22) < number(10));
}

#[tokio::test]
async fn another_source_begins_anew_and_keeps_the_catalogue() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let downstream = Downstream::new().await;
    downstream.sync(&upstream).await;
    let other = Upstream::start(served([software(10, 1), software(11, 1)]));
    let mut order = downstream.order(&other.url());
    order.upstream.as_mut().expect("source").identity = "another".to_owned();
    let progress = weir_server::sync::progress::Progress::new();
    let caller = Downstream::caller();
    let outcome = weir_server::sync::engine::synchronize(&downstream.app, &caller, &order, &progress).await;
    let outcome = outcome.expect("synchronizes");
    assert!(filters(&other).iter().all(|filter| filter.anchor.text().is_none()));
    assert_eq!((outcome.added, batches(&other)), (1, vec![vec![identity(11, 1)]]));
    assert!(outcome.notes.iter().any(|note| note.contains("another one")), "{:?}", outcome.notes);
}

#[tokio::test]
async fn languages_are_asked_for_with_deltas() {
    let upstream = Upstream::start(served([software(10, 1)]));
    let mut downstream = Downstream::new().await;
    downstream.languages = [1033].into();
    downstream.sync(&upstream).await;
    upstream.clear_log();
    downstream.languages.insert(1031);
    let outcome = downstream.sync(&upstream).await;
    let filter = filters(&upstream).remove(1);
    let languages = filter.languages.expect("languages");
    assert_eq!(
        languages.iter().map(|language| (language.id, language.delta)).collect::<Vec<_>>(),
        [(1031, false), (1033, true)]
    );
    assert!(outcome.notes.iter().any(|note| note.contains("1031")), "the upstream has no German: {:?}", outcome.notes);
}
