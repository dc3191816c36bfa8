//! Pages (checklist 24, 34).

use weir_model::document::escape_into;
use weir_server::state::ClientSettings;
use weir_testkit::{
    Document,
    catalogue::{Catalogue, Shape, Sizes},
};
use weir_wire::wusp::UpdateInfo;

use crate::{
    asking::Asker,
    common::{Server, id},
};

/// What paging allows for the markup around a Core fragment.
const OVERHEAD: u64 = 512;

fn software(update: u128) -> Document {
    Document::software(id(update), 1)
}

/// Bytes that an entry takes of the budget.
fn cost(update: &UpdateInfo) -> u64 {
    let mut escaped = String::new();
    escape_into(&mut escaped, update.xml.as_deref().expect("Core"));
    escaped.len() as u64 + OVERHEAD
}

/// Asks until nothing is left; gives the updates and the Truncated of each page.
async fn pages(asker: &mut Asker) -> Vec<(Vec<u128>, bool)> {
    let (mut cached, mut pages) = (Vec::new(), Vec::new());
    loop {
        let answer = asker.software(&[], &cached).await;
        cached.extend(answer.fresh());
        pages.push((answer.fresh(), answer.info.truncated));
        if !answer.info.truncated {
            return pages;
        }
    }
}

fn lengths(pages: &[(Vec<u128>, bool)]) -> Vec<(usize, bool)> {
    pages.iter().map(|(updates, truncated)| (updates.len(), *truncated)).collect()
}

#[tokio::test]
async fn c24_pages_have_a_size_and_truncated_is_exact() {
    let server = Server::start().await;
    server.set(|settings| settings.page_entries = 5);
    let documents: Vec<_> = (10..20).map(software).collect();
    server.import(&documents).await;
    let mut asker = Asker::of(&server, 1).await;
    let full = pages(&mut asker).await;
    assert_eq!(lengths(&full), [(5, true), (5, false)], "a full page with nothing behind it is the last");
    let mut all: Vec<u128> = full.into_iter().flat_map(|(updates, _)| updates).collect();
    all.sort_unstable();
    assert_eq!(all, (10..20).collect::<Vec<_>>(), "each once");

    server.import(&[software(20), software(21)]).await;
    assert_eq!(lengths(&pages(&mut asker).await), [(5, true), (5, true), (2, false)]);
    server.set(|settings| settings.page_entries = 12);
    assert_eq!(lengths(&pages(&mut asker).await), [(12, false)]);
    server.set(|settings| settings.page_entries = 11);
    assert_eq!(lengths(&pages(&mut asker).await), [(11, true), (1, false)]);
}

#[tokio::test]
async fn c24_pages_keep_a_byte_budget() {
    let server = Server::start().await;
    let documents: Vec<_> = (10..16).map(|update| software(update).rules_of_size(10_000)).collect();
    server.import(&documents).await;
    let mut asker = Asker::of(&server, 1).await;
    server.set(|settings| settings.page_bytes = 0);
    let answer = asker.software(&[], &[]).await;
    assert_eq!(answer.fresh().len(), 6, "0 is no budget");
    let one = cost(&answer.info.new_updates[0]);
    assert!(answer.info.new_updates.iter().all(|update| cost(update) == one), "the entries are of one size");
    for (budget, expected) in [
        (3 * one, vec![(3, true), (3, false)]),
        (3 * one - 1, vec![(2, true), (2, true), (2, false)]),
        (4 * one - 1, vec![(3, true), (3, false)]),
        (4 * one, vec![(4, true), (2, false)]),
        (6 * one, vec![(6, false)]),
        // an entry that is larger than the budget comes alone
        (1, vec![(1, true), (1, true), (1, true), (1, true), (1, true), (1, false)]),
    ] {
        for fill in [true, false] {
            server.set(|settings| {
                settings.page_bytes = budget;
                settings.page_filling = fill;
            });
            assert_eq!(lengths(&pages(&mut asker).await), expected, "{budget} bytes, filling {fill}");
        }
    }
}

#[tokio::test]
async fn c24_a_page_is_filled_around_a_large_entry() {
    let server = Server::start().await;
    let small = |update| software(update).rules_of_size(1_000);
    server.import(&[small(10), software(11).rules_of_size(200_000), small(12)]).await;
    let mut asker = Asker::of(&server, 1).await;
    server.set(|settings| settings.page_bytes = 20_000);
    assert_eq!(pages(&mut asker).await, [(vec![10, 12], true), (vec![11], false)]);
    server.set(|settings| settings.page_filling = false);
    assert_eq!(pages(&mut asker).await, [(vec![10], true), (vec![11], true), (vec![12], false)]);
}

#[tokio::test]
async fn c24_drivers_are_paged_too() {
    use crate::driver::{device, driver_parameters, metadata};
    let server = Server::start().await;
    let hardware: Vec<String> = (0..7).map(|place| format!("PCI\\{place}")).collect();
    let documents: Vec<_> = hardware
        .iter()
        .zip(10..)
        .map(|(hardware, update)| Document::driver(id(update), 1).driver_metadata(metadata(hardware)))
        .collect();
    server.import(&documents).await;
    server.set(|settings| settings.page_entries = 3);
    let mut asker = Asker::of(&server, 1).await;
    let devices: Vec<_> = hardware.iter().map(|hardware| device(&[hardware])).collect();
    let mut cached = Vec::new();
    for expected in [(3, true), (3, true), (1, false)] {
        let mut parameters = driver_parameters(asker.parameters(&[], &[]), devices.clone());
        parameters.cached_driver_ids = asker.rids(&cached);
        let answer = asker.sync(parameters).await;
        assert_eq!((answer.fresh().len(), answer.info.truncated), expected);
        assert_eq!(answer.gone(), []);
        cached.extend(answer.fresh());
    }
    cached.sort_unstable();
    assert_eq!(cached, (10..17).collect::<Vec<_>>());
}

#[tokio::test]
async fn c34_five_thousand_revisions_within_two_hundred_calls() {
    let catalogue = Catalogue::generate(Shape { revisions: 5_000, sizes: Sizes::Small, seed: 34 });
    let documents: Vec<Document> = catalogue.documents().collect();
    assert_eq!(documents.len(), 5_000);
    let server = Server::start().await;
    server.import(&documents).await;
    let wsus = ClientSettings { page_entries: 30, page_filling: false, ..ClientSettings::default() };
    for (number, settings, most) in [(1, ClientSettings::default(), 100), (2, wsus, 200)] {
        server.set(|present| *present = settings);
        let mut asker = Asker::of(&server, number).await;
        // the scripted agent gives up after 200 calls
        asker.agent.computer.installed_limit = 4_000;
        let outcome = asker.scan().await;
        assert!(outcome.calls <= most, "{} calls", outcome.calls);
        assert_eq!(asker.agent.state.cache.len(), 5_000, "everything applies to this computer");
        assert_eq!(outcome.new_updates().count(), 5_000, "and came once");
        let again = asker.scan().await;
        assert_eq!((again.calls, again.new_updates().count(), again.changed.len()), (1, 0, 0));
    }
}
