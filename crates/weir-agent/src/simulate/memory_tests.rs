//! How much memory a large fleet takes.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use weir_wire::{
    soap::Binary,
    wusp::{Action, Cookie},
};

use super::{drive::Member, process};
use crate::{
    computer::Computer as _,
    fleet::{Fleet, Profile},
    library::Library,
    state::{Deployed, Entry, Own, State},
};

/// Computers, as the largest sites have them.
const COMPUTERS: u64 = 150_000;
/// Revisions in the cache of each: what a settled computer has (design, section 9).
const CACHED: usize = 1_490;
/// Different revisions.
const REVISIONS: usize = 2_000;

/// Members as a simulation holds them after a scan: the cache of an archetype is held together, what a computer makes of
/// it is its own.
#[test]
#[expect(clippy::print_stdout, reason = "the figure is what it is run for")]
#[ignore = "takes gigabytes and a minute; run it alone, with --ignored --nocapture, for the figure"]
fn a_hundred_and_fifty_thousand_computers_fit_in_8_gb() {
    let library = Library::new();
    let updates: Vec<_> = (0..REVISIONS)
        .map(|number| {
            let text = format!(
                "<UpdateIdentity UpdateID=\"{number:08x}-0000-4000-8000-000000000000\" RevisionNumber=\"1\" />\
                 <Properties UpdateType=\"Software\" ExplicitlyDeployable=\"true\" /><ApplicabilityRules><IsInstalled>\
                 <b.RegKeyExists Key=\"HKEY_LOCAL_MACHINE\" Subkey=\"SOFTWARE\\Weir\\{number}\" /></IsInstalled>\
                 </ApplicabilityRules>"
            );
            library.update(&text).expect("a fragment")
        })
        .collect();
    let deployed = library.deployed(Deployed {
        id: 1,
        action: Action::Evaluate,
        deadline: None,
        is_assigned: true,
        priority: 2,
        hardware_ids: Vec::new(),
    });
    let before = process::memory().0;
    let fleet = Fleet::new(1, COMPUTERS, Profile::default());
    let mut caches: HashMap<String, State> = HashMap::new();
    let mut members = Vec::with_capacity(COMPUTERS as usize);
    for number in 0..COMPUTERS {
        let computer = fleet.computer(number);
        let (system, role) = (computer.system_name(), computer.role());
        let kind = format!("{system} {role:?} {}", computer.description().model);
        let of_kind = caches.len();
        let state = caches.entry(kind).or_insert_with(|| {
            let mut state = State::default();
            // each kind of computer is offered something else
            for at in 0..CACHED {
                let Some(update) = updates.get((at + of_kind) % REVISIONS) else { continue };
                let entry = Entry {
                    id: update.number().cast_signed(),
                    is_leaf: at % 10 != 0,
                    deployed: Arc::clone(&deployed),
                    update: Arc::clone(update),
                };
                state.cache.insert(entry, Own { verdict: computer.evaluate(update), ..Own::default() });
            }
            state.cache.settle(&library);
            state
        });
        let cookie = Cookie { expiration: Some(Timestamp::UNIX_EPOCH), encrypted_data: Some(Binary(vec![7; 220])) };
        let state = State { cookie: Some(cookie), registered: true, ..state.clone() };
        members.push(std::sync::Mutex::new(Some(Box::new(Member { computer, state }))));
    }
    let after = process::memory().0;
    let each = (after - before) / COMPUTERS;
    println!("{} MB resident, {each} bytes for each computer, {} kinds", after >> 20, caches.len());
    assert_eq!(members.len() as u64, COMPUTERS);
    assert!(after < 8 << 30, "{after} bytes");
}
