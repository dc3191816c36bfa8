//! Category scans (checklist 40, 41), and that they take nothing from full scans.

use weir_model::{
    ids::{CollectionId, UpdateId, UpdateIdentity},
    targeting::DeploymentAction,
    update::CategoryKind,
};
use weir_testkit::{Document, agent::fault_code};
use weir_wire::{
    soap::ErrorCode,
    wusp::{Action, CategoryRelationship, StartCategoryScan},
};

use crate::{
    asking::{Asker, number},
    common::{Server, id},
    driver::metadata,
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn category(update: u128, kind: CategoryKind) -> Document {
    Document::category(id(update), 1, kind)
}

/// Company 1, family 2, products 3 (with updates), 4 (without) and 5 (a driver), classifications 6 and 9; detectoid 7 of product
/// 3, 8 of no product; bundle 10 of product 3 with member 11; update 12 of product 3; update 13 of no product; driver 14.
async fn server() -> Server {
    let server = Server::start().await;
    server
        .import(&[
            category(1, CategoryKind::Company),
            category(2, CategoryKind::ProductFamily).in_category(id(1)),
            category(3, CategoryKind::Product).in_category(id(2)),
            category(4, CategoryKind::Product).in_category(id(2)),
            category(5, CategoryKind::Product).in_category(id(2)),
            category(6, CategoryKind::UpdateClassification),
            category(9, CategoryKind::UpdateClassification),
            Document::detectoid(id(7), 1).requires(id(3)),
            Document::detectoid(id(8), 1),
            Document::software(id(10), 1)
                .in_category(id(3))
                .in_category(id(6))
                .requires(id(7))
                .bundles([UpdateIdentity::new(id(11), 1)]),
            Document::member(id(11), 1).requires(id(8)),
            Document::software(id(12), 1).in_category(id(3)),
            Document::software(id(13), 1).in_category(id(6)),
            Document::driver(id(14), 1).driver_metadata(metadata("A")).in_category(id(5)),
        ])
        .await;
    server
}

/// Asks without any cookie; gives what is preferred and what is in error.
async fn start(server: &Server, requested: &[(i32, u128)]) -> Result<(Vec<u128>, Vec<u128>), Option<ErrorCode>> {
    let mut agent = server.agent(77);
    let requested_categories = requested
        .iter()
        .map(|(index, category)| CategoryRelationship { index_of_and_group: *index, category_id: id(*category) })
        .collect();
    let numbers = |ids: Vec<UpdateId>| ids.into_iter().map(number).collect();
    let answer = agent.call(&StartCategoryScan { requested_categories }).await;
    assert!(agent.state.cookie.is_none() && server.computer(&agent).is_none(), "nobody had to say who they are");
    match answer {
        Ok(answer) => Ok((numbers(answer.preferred_category_ids), numbers(answer.requested_category_ids_in_error))),
        Err(error) => Err(fault_code(&error)),
    }
}

#[tokio::test]
async fn c40_start_category_scan() {
    type Case = (&'static str, &'static [(i32, u128)], &'static [u128], &'static [u128]);
    let server = server().await;
    let cases: [Case; 11] = [
        ("a product", &[(0, 3)], &[3], &[]),
        ("a product and a classification", &[(0, 3), (0, 6)], &[3], &[]),
        ("two groups, in any order of entries", &[(0, 3), (1, 4), (0, 6)], &[3, 4], &[]),
        ("an unknown id takes its group along", &[(0, 3), (0, 99), (1, 4)], &[4], &[99]),
        ("an update is no category", &[(0, 12), (1, 4)], &[4], &[12]),
        ("a classification alone", &[(0, 3), (1, 6)], &[], &[]),
        ("two classifications at once", &[(0, 3), (0, 6), (0, 9)], &[], &[]),
        ("two products at once", &[(0, 3), (0, 4), (1, 4)], &[], &[]),
        ("a family and a company", &[(0, 2), (5, 1)], &[2, 1], &[]),
        ("the same twice", &[(0, 3), (0, 3), (1, 3)], &[3], &[]),
        ("nothing but unknown ids", &[(0, 98), (1, 99)], &[], &[98, 99]),
    ];
    for (what, requested, preferred, in_error) in cases {
        let expected = Ok((preferred.to_vec(), in_error.to_vec()));
        assert_eq!(start(&server, requested).await, expected, "{what}");
    }
    assert_eq!(start(&server, &[]).await, Err(Some(ErrorCode::InvalidParameters)));
    assert_eq!(start(&server, &vec![(0, 3); 200]).await, Err(Some(ErrorCode::InvalidParameters)));
    assert_eq!(start(&server, &vec![(0, 3); 199]).await, Ok((vec![3], vec![])));
}

#[tokio::test]
async fn c41_a_product_without_updates_is_its_chain_and_itself() {
    let server = server().await;
    let mut agent = server.agent(1);
    let outcome = agent.category_scan(&[id(4)]).await.expect("scan");
    let pages: Vec<Vec<u128>> =
        outcome.pages.iter().map(|page| page.iter().map(|it| number(it.update_id)).collect()).collect();
    assert_eq!(pages, [vec![1], vec![2], vec![4]], "one per round");
    assert!(outcome.driver_sync_not_needed);
    assert!(agent.category_scan(&[id(5)]).await.expect("scan").pages.concat().iter().any(|it| it.update_id == id(5)));
    assert!(!agent.category_scan(&[id(5)]).await.expect("scan").driver_sync_not_needed);
}

#[tokio::test]
async fn c41_a_filter_takes_what_is_in_the_category_and_what_that_needs() {
    let server = server().await;
    let mut asker = Asker::of(&server, 1).await;
    let outcome = asker.agent.category_scan(&[id(3)]).await.expect("scan");
    let mut numbers: Vec<u128> = outcome.new_updates().map(|it| number(it.update_id)).collect();
    numbers.sort_unstable();
    // the chain of the product, what is in it, the member, the classification, and the member's own detectoid
    assert_eq!(numbers, [1, 2, 3, 6, 7, 8, 10, 11, 12]);
    // a family stands for all its products
    let mut other = Asker::of(&server, 2).await;
    let outcome = other.agent.category_scan(&[id(2)]).await.expect("scan");
    assert!(!outcome.driver_sync_not_needed);
    assert_eq!(outcome.new_updates().count(), 11, "all but 13 and the driver");
    // unknown categories are dropped by StartCategoryScan; named in the filter they let nothing through
    let parameters = other.filtered(&[99], &[], &[]);
    assert_eq!(other.sync(parameters).await.fresh(), []);
}

#[tokio::test]
async fn c41_ids_outside_the_filter_are_told_apart_if_asked_for() {
    let server = server().await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    server.decline(id(12)).await;
    for two_groups in [Some(true), Some(false), None] {
        // 13 is outside the filter, 10 is gated, 12 left the scope
        let mut parameters = asker.filtered(&[3], &[1, 2, 3], &[13, 10, 12, 7]);
        parameters.need_two_group_out_of_scope_updates = two_groups;
        let answer = asker.sync(parameters).await;
        let expected = if two_groups == Some(true) { (vec![12], vec![10, 13]) } else { (vec![10, 12, 13], vec![]) };
        assert_eq!((answer.gone(), answer.hidden()), expected, "{two_groups:?}");
        // without a filter the same holds for what is gated
        let mut parameters = asker.parameters(&[1, 2, 3], &[13, 10, 12, 7]);
        parameters.need_two_group_out_of_scope_updates = two_groups;
        let answer = asker.sync(parameters).await;
        let expected = if two_groups == Some(true) { (vec![12], vec![10, 13]) } else { (vec![10, 12, 13], vec![]) };
        assert_eq!((answer.gone(), answer.hidden()), expected, "{two_groups:?}, unfiltered");
    }
}

#[tokio::test]
async fn filtered_scans_do_not_swallow_the_changes_of_full_scans() {
    let server = server().await;
    let (mut asker, mut scripted) = (Asker::of(&server, 1).await, Asker::of(&server, 2).await);
    asker.scan().await;
    scripted.scan().await;
    server.deploy(id(13), ALL, DeploymentAction::Install).await;
    server.deploy(id(12), ALL, DeploymentAction::Optional).await;
    // a scan for another product sees neither, for the own one sees one of them, again and again nothing new
    let narrow = asker.filtered(&[4], &[1, 2], &[4]);
    assert_eq!(asker.sync(narrow).await.changed(), []);
    let installed = [1, 2, 3, 6, 7, 8];
    let own = asker.filtered(&[3], &installed, &[10, 11, 12]);
    assert_eq!(asker.sync(own.clone()).await.changed(), [12]);
    assert_eq!(asker.sync(own).await.changed(), [], "told once to scans of this filter");
    let answer = asker.software(&installed, &[4, 5, 10, 11, 12, 13]).await;
    assert_eq!(answer.changed(), [12, 13], "the full scan hears of both");
    assert_eq!((answer.action(12), answer.action(13)), (Action::OptionalInstall, Action::Install));
    assert_eq!(asker.software(&installed, &[4, 5, 10, 11, 12, 13]).await.changed(), []);

    // with the scripted agent, and with what leaves
    server.deploy(id(10), ALL, DeploymentAction::Install).await;
    scripted.agent.category_scan(&[id(3)]).await.expect("category scan");
    server.decline(id(13)).await;
    scripted.agent.category_scan(&[id(4)]).await.expect("category scan");
    let outcome = scripted.scan().await;
    assert_eq!(outcome.offered.iter().map(|it| number(it.update_id)).collect::<Vec<_>>(), [10, 12]);
    assert!(!scripted.cached().contains(&13));
}

#[tokio::test]
async fn a_filtered_scan_in_another_collection_takes_nothing_from_full_scans() {
    let server = server().await;
    let ring = server.collection("Ring").await;
    server.deploy(id(12), ring, DeploymentAction::Install).await;
    let mut asker = Asker::of(&server, 1).await;
    asker.scan().await;
    let (installed, other) = ([1, 2, 3, 6, 7, 8], [4, 5, 10, 11, 12, 13]);
    server.join(&asker.agent, ring).await;
    let parameters = asker.filtered(&[3], &installed, &[10, 11, 12]);
    assert_eq!(asker.sync(parameters.clone()).await.action(12), Action::Install);
    // back where the last full scan found it
    server.leave(&asker.agent, ring).await;
    assert_eq!(asker.software(&installed, &other).await.action(12), Action::PreDeploymentCheck);
    assert_eq!(asker.software(&installed, &other).await.changed(), []);
    // and the other way round
    server.join(&asker.agent, ring).await;
    assert_eq!(asker.sync(parameters).await.action(12), Action::Install);
}
