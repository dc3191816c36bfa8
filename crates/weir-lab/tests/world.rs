//! The world on modelled computers: what rules say of them, and what installing does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use weir_agent::{
    assess::{Assessment, Standing},
    computer::{Computer, Installable, Installed},
    fleet::{Fleet, FleetComputer, Kind, Profile},
    library::Library,
    state::{Cache, Deployed, Entry, Own},
};
use weir_lab::world::{FEWEST, Shape, Update, World};
use weir_model::{
    document::{self, Limits},
    ids::UpdateId,
};
use weir_wire::wusp::Action;

/// Computers that are looked at.
const COMPUTERS: u64 = 300;

fn world() -> World {
    World::generate(Shape { updates: FEWEST, seed: 3, until: date(2026, 11, 30) })
}

/// A cache that holds the whole world, everything in it deployed.
fn cache(world: &World, library: &Library) -> Cache {
    let mut cache = Cache::default();
    let deployed = library.deployed(Deployed {
        id: 1,
        action: Action::Install,
        deadline: None,
        is_assigned: true,
        priority: 2,
        hardware_ids: Vec::new(),
    });
    for (id, document) in (1..).zip(world.documents()) {
        let (_, fragments) = document::read(&document.to_xml(), &Limits::default()).expect("it is read");
        let update = library.update(&fragments.core).expect("its core is read");
        let entry = Entry { id, is_leaf: true, deployed: deployed.clone(), update };
        cache.insert(entry, Own::default());
    }
    cache
}

fn look(cache: &mut Cache, computer: &FleetComputer) -> BTreeMap<UpdateId, Standing> {
    cache.evaluate(|update| computer.evaluate(update));
    let assessment = Assessment::new(cache);
    let standing = |(at, entry): (usize, &Entry)| (entry.identity().update_id, assessment.standing(at));
    cache.entries().iter().enumerate().map(standing).collect()
}

/// A fleet on which nothing fails.
fn fleet() -> std::sync::Arc<Fleet> {
    Fleet::new(5, COMPUTERS, Profile { failure_rate: 0.0, ..Profile::default() })
}

/// Updates of the world as they stand on a computer.
fn of<'w>(world: &'w World, standings: &BTreeMap<UpdateId, Standing>, wanted: Standing) -> Vec<&'w Update> {
    world.updates.iter().filter(|update| standings[&update.id] == wanted).collect()
}

#[test]
fn every_kind_of_computer_needs_has_and_lacks_something() {
    let (world, library) = (world(), Library::new());
    let mut cache = cache(&world, &library);
    let mut kinds: BTreeMap<(Kind, String), [usize; 3]> = BTreeMap::new();
    let mut behind = 0;
    for computer in (0..COMPUTERS).map(|number| fleet().computer(number)) {
        let standings = look(&mut cache, &computer);
        let unknown: Vec<_> = of(&world, &standings, Standing::Unknown).iter().map(|update| &update.title).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", computer.system_name());
        let counts = [Standing::Required, Standing::Installed, Standing::NotApplicable]
            .map(|wanted| of(&world, &standings, wanted).len());
        let sums = kinds.entry((computer.kind(), computer.system_name())).or_default();
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
        // a month of nobody is needed by a computer of another system
        let needed: BTreeSet<&str> = of(&world, &standings, Standing::Required)
            .iter()
            .filter_map(|update| update.title.strip_prefix("2026-11 Cumulative Update for Windows"))
            .collect();
        assert!(needed.len() <= 1, "{}: {needed:?}", computer.system_name());
        behind += needed.len();
    }
    assert!(behind > 0, "everybody has the newest month already");
    let covered = |name: &str| {
        let build =
            ["25H2", "24H2", "23H2", "Windows 10 Pro 22H2", "Server 2025", "Server 2022", "Server 2019", "Server 2016"];
        build.iter().any(|build| name.contains(build) || (*build == "24H2" && name.contains("Server 2025")))
    };
    let mut systems = 0;
    for ((kind, name), [required, installed, not_applicable]) in &kinds {
        assert!(*not_applicable > 0, "{kind:?} {name}");
        if covered(name) {
            systems += 1;
            assert!(*required > 0 && *installed > 0, "{kind:?} {name}: {required} needed, {installed} there");
        }
    }
    assert!(systems >= 8, "{kinds:?}");
}

#[test]
fn installing_the_newest_month_makes_computers_compliant() {
    let (world, library) = (world(), Library::new());
    let mut cache = cache(&world, &library);
    let current: BTreeSet<UpdateId> = world.current().map(|update| update.id).collect();
    let mut installed = 0;
    for mut computer in (0..COMPUTERS).map(|number| fleet().computer(number)) {
        let standings = look(&mut cache, &computer);
        let needed: Vec<UpdateId> = current.iter().filter(|id| standings[id] == Standing::Required).copied().collect();
        for id in &needed {
            let assessment = Assessment::new(&cache);
            let at = cache.update(*id).expect("it is there");
            let members = assessment.members(at);
            let members: Vec<_> = members.into_iter().map(|at| &*cache.entries()[at].update).collect();
            let update = &*cache.entries()[at].update;
            let title = world.updates.iter().find(|update| update.id == *id).map(|update| update.title.as_str());
            let installable = Installable { update, members: &members, title, files: &[] };
            let result = computer.install(&installable);
            let name = computer.system_name();
            assert!(matches!(result, Installed::Done | Installed::AfterRestart), "{name}: {title:?}: {result:?}");
            installed += 1;
        }
        assert!(computer.restart(), "nothing keeps it from restarting");
        let standings = look(&mut cache, &computer);
        for id in &needed {
            let title = world.updates.iter().find(|update| update.id == *id).map(|update| &update.title);
            assert_eq!(standings[id], Standing::Installed, "{}: {title:?}", computer.system_name());
        }
        // what an administrator has declined aside, nothing is left to do, older months included
        let left: Vec<&str> = of(&world, &standings, Standing::Required)
            .into_iter()
            .filter(|update| !update.expired && !update.title.contains("Preview"))
            .map(|update| update.title.as_str())
            .collect();
        assert!(left.is_empty(), "{}: {left:?}", computer.system_name());
    }
    assert!(installed as u64 > COMPUTERS, "{installed}");
}
