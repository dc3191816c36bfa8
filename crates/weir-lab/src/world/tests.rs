use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use weir_model::{
    deployment::UPGRADES,
    document::{self, Limits, PublicationState, UpdateDocument},
    ids::{UpdateId, UpdateIdentity},
    update::UpdateType,
};

use super::*;

fn shape(updates: usize) -> Shape {
    Shape { updates, seed: 7, until: date(2026, 11, 30) }
}

/// The documents as the server reads them.
fn read(world: &World) -> Vec<UpdateDocument> {
    let read = |document: &Document| {
        let xml = document.to_xml();
        let read = document::read(&xml, &Limits::default());
        read.unwrap_or_else(|error| panic!("{}: {error}\n{xml}", document.id())).0
    };
    world.documents().map(read).collect()
}

#[test]
fn every_document_is_read_and_every_reference_leads_to_one_before_it() {
    for updates in [FEWEST, 5_000] {
        let world = World::generate(shape(updates));
        let mut before: BTreeMap<UpdateId, UpdateIdentity> = BTreeMap::new();
        let documents = read(&world);
        for document in &documents {
            let relationships = &document.relationships;
            let needed = relationships.prerequisites.iter().flat_map(|clause| &clause.alternatives);
            for id in needed.chain(&relationships.superseded) {
                assert!(before.contains_key(id), "{} names {id}, which is not before it", document.identity);
            }
            for member in relationships.bundled.iter().flat_map(|clause| &clause.alternatives) {
                assert_eq!(before.get(&member.update_id), Some(member), "{}", document.identity);
            }
            // every reference leads backwards, so there is no cycle
            assert!(
                before.insert(document.identity.update_id, document.identity).is_none(),
                "{} twice",
                document.identity
            );
        }
        let visible = documents.iter().filter(|document| document.properties.explicitly_deployable);
        assert_eq!(visible.count(), world.updates.len());
        let slack = world.updates.len().abs_diff(updates);
        assert!(slack <= updates / 4, "{} updates instead of {updates}", world.updates.len());
    }
}

#[test]
fn no_rule_is_of_a_kind_that_is_not_known() {
    let world = World::generate(shape(FEWEST));
    for document in read(&world) {
        for rule in [&document.rules.is_installed, &document.rules.is_installable].into_iter().flatten() {
            let known = rule.expr().unwrap_or_else(|| panic!("{}: no expression", document.identity));
            let text = format!("{known:?}");
            assert!(!text.contains("Unknown") && !text.contains("Misfit"), "{}: {text}", document.identity);
        }
    }
}

#[test]
fn it_is_a_catalogue_as_companies_see_it() {
    let world = World::generate(shape(FEWEST));
    let documents = read(&world);
    let by_id: BTreeMap<UpdateId, &UpdateDocument> =
        documents.iter().map(|document| (document.identity.update_id, document)).collect();
    let count = |kind| world.updates.iter().filter(|update| update.kind == kind).count();
    assert!(count(Kind::Cumulative) > 200, "{}", count(Kind::Cumulative));
    for kind in [
        Kind::Application,
        Kind::Definition,
        Kind::Driver,
        Kind::Feature,
        Kind::Framework,
        Kind::Junk,
        Kind::Preview,
        Kind::ServicingStack,
        Kind::Tool,
    ] {
        assert!(count(kind) > 0, "{kind:?}");
    }
    let expired = documents.iter().filter(|it| it.properties.publication_state == PublicationState::Expired).count();
    assert!(expired > 5 && expired == world.updates.iter().filter(|update| update.expired).count());
    assert!(documents.iter().any(|document| document.properties.eula_id.is_some()));
    let languages: BTreeSet<&str> =
        documents.iter().flat_map(|document| &document.localized).map(|text| text.language.as_str()).collect();
    assert_eq!(languages.into_iter().collect::<Vec<_>>(), ["de", "en", "es", "fr", "ja"]);
    for document in documents.iter().filter(|it| matches!(it.update_type, UpdateType::Software | UpdateType::Driver)) {
        let title = document.localized.iter().find(|text| text.language == "en").map(|text| text.title.as_str());
        let title = title.unwrap_or_default();
        assert!(!title.is_empty() && !title.contains(['{', '}']), "{}: {title}", document.identity);
    }

    // each month replaces the month before, for two years
    let newest = |wanted: &str| {
        let found = world.current().find(|update| update.title.contains(wanted));
        by_id[&found.unwrap_or_else(|| panic!("no {wanted}")).id]
    };
    let mut line = newest("Windows 11, version 24H2 for x64-based Systems");
    let mut length = 1;
    while let Some(older) = line.relationships.superseded.first() {
        line = by_id[older];
        length += 1;
    }
    assert_eq!(length, 25);
    assert!(line.localized.iter().any(|text| text.title.starts_with("2024-11 Cumulative Update")));
    assert!(newest("Office 2016").relationships.bundled.len() > 1);
    let months: BTreeSet<String> =
        world.updates.iter().map(|update| update.released.to_string()[..7].to_owned()).collect();
    assert!(months.len() >= 25 && months.last().is_some_and(|last| last == "2026-11"), "{months:?}");
    assert!(world.updates.iter().all(|update| update.released <= date(2026, 11, 30)));
}

/// The server knows feature updates by the genuine id of their classification: no group has one.
#[test]
fn feature_updates_are_known_as_such() {
    let world = World::generate(shape(FEWEST));
    let documents = read(&world);
    for update in &world.updates {
        let document = documents.iter().find(|document| document.identity.update_id == update.id);
        let relationships = &document.unwrap_or_else(|| panic!("{} is not there", update.title)).relationships;
        let mut categories = relationships.prerequisites.iter().flat_map(|clause| &clause.alternatives);
        assert_eq!(categories.any(|id| *id == UPGRADES), update.kind == Kind::Feature, "{}", update.title);
    }
}

#[test]
fn previews_and_what_is_replaced_are_not_current() {
    let world = World::generate(shape(FEWEST));
    assert!(world.current().all(|update| !update.title.contains("Preview") && !update.title.contains("Itanium")));
    let current = world.current().filter(|update| update.kind == Kind::Cumulative).count();
    let systems: BTreeSet<&str> = world
        .updates
        .iter()
        .filter(|update| update.kind == Kind::Cumulative)
        .filter_map(|update| update.title.split(" for ").nth(1))
        .collect();
    assert!((systems.len()..=systems.len() + 3).contains(&current), "{current} for {systems:?}");
}

#[test]
fn files_have_the_digests_of_the_documents_and_names_of_their_own() {
    let world = World::generate(shape(FEWEST));
    let mut names: BTreeMap<&str, &[u8]> = BTreeMap::new();
    let mut bytes = 0;
    for payload in world.payloads() {
        assert!(payload.bytes.len() < 200 * 1024, "{}", payload.name);
        match names.insert(&payload.name, &payload.bytes) {
            Some(other) => assert!(other == payload.bytes, "{} is two files", payload.name),
            None => bytes += payload.bytes.len(),
        }
    }
    assert!(names.len() > 400, "{}", names.len());
    assert!(bytes < 40 * 1024 * 1024, "{bytes}");
}

#[test]
fn the_same_shape_gives_the_same_world() {
    let text = |seed| {
        let world = World::generate(Shape { seed, ..shape(FEWEST) });
        world.documents().map(Document::to_xml).collect::<Vec<_>>()
    };
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}

#[test]
fn any_day_will_do() {
    for until in [date(2024, 1, 1), date(2026, 2, 28), date(2026, 11, 9), date(2030, 12, 31)] {
        let world = World::generate(Shape { until, ..shape(FEWEST) });
        assert!(world.updates.iter().all(|update| update.released <= until), "{until}");
        read(&world);
    }
}
