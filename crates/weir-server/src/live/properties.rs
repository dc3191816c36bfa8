//! What no combination of deployments, groups, stops and declines may break.

use std::{collections::BTreeMap, io::Cursor};

use jiff::Timestamp;
use proptest::{collection::vec, prelude::*, sample::subsequence};
use tempfile::TempDir;
use uuid::Uuid;
use weir_model::{
    catalogue::WireAction,
    deployment::Terms,
    ids::{CollectionId, UpdateId},
    targeting::{BranchDeployment, CollectionKind, DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    Actor, Options, Store, StoreError, WriteTx,
    collection::NewCollection,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, NewDeployment, Rows},
};
use weir_testkit::Document;

use super::{Live, Published};
use crate::import::{Batch, Input};

const UPDATES: u128 = 3;
const GROUP: Uuid = Uuid::from_u128(0x6e0);

/// What an administrator does.
#[derive(Clone, Debug)]
enum Step {
    Decline(u128, bool),
    Delete(usize),
    Deploy(u128, usize, DeploymentAction),
    DeployGroup(usize, DeploymentAction),
    Enable(usize, bool),
    Members(Vec<u128>),
    Stop(u128, bool),
}

fn action() -> impl Strategy<Value = DeploymentAction> {
    use DeploymentAction::{Block, Detect, Install, Optional, Uninstall};
    prop::sample::select(vec![Block, Install, Install, Optional, Uninstall, Detect])
}

fn step() -> impl Strategy<Value = Step> {
    let update = || 1..=UPDATES;
    prop_oneof![
        1 => (update(), any::<bool>()).prop_map(|(update, on)| Step::Decline(update, on)),
        1 => (0_usize..6).prop_map(Step::Delete),
        5 => (update(), 0_usize..4, action()).prop_map(|(update, to, action)| Step::Deploy(update, to, action)),
        4 => (0_usize..4, action()).prop_map(|(to, action)| Step::DeployGroup(to, action)),
        2 => (0_usize..6, any::<bool>()).prop_map(|(which, on)| Step::Enable(which, on)),
        3 => subsequence((1..=UPDATES).collect::<Vec<_>>(), 0..=UPDATES as usize).prop_map(Step::Members),
        2 => (update(), any::<bool>()).prop_map(|(update, on)| Step::Stop(update, on)),
    ]
}

fn update(number: u128) -> UpdateId {
    UpdateId(Uuid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 | number))
}

fn collection(number: usize) -> CollectionId {
    match number {
        0 => CollectionId::ALL_COMPUTERS,
        number => CollectionId(Uuid::from_u128(0xc0 + number as u128)),
    }
}

/// Sets of collections that computers are in; 2 is nested in 1.
const SETS: [&[usize]; 6] = [&[], &[1], &[2], &[3], &[1, 3], &[2, 3]];

fn deadline(action: DeploymentAction, to: usize) -> Option<Timestamp> {
    let required = matches!(action, DeploymentAction::Install | DeploymentAction::Uninstall);
    (required && to > 1).then(|| Timestamp::from_second(4_000_000_000 - to as i64).unwrap_or_default())
}

struct Site {
    store: Store,
    live: Live,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = weir_testkit::engine::database(folder.path());
        let options = Options { database, ..Options::default() };
        let store = Store::open(folder.path(), &options).expect("opens");
        let site = Self { live: Live::new(store.clone()), store, _folder: folder };
        let inputs = (1..=UPDATES).map(|number| Input {
            name: number.to_string(),
            source: Box::new(Cursor::new(Document::software(update(number), 1).to_xml().into_bytes())),
        });
        let mut batch = Batch::read(inputs.collect(), &|_, _, _| ()).expect("reads");
        site.store.try_write(&actor(), |tx| batch.store(tx, &|_, _, _| ())).expect("imports");
        site.write(|tx| {
            for (number, parent) in [(1, None), (2, Some(1)), (3, None)] {
                tx.collection_create(&NewCollection {
                    id: collection(number),
                    name: format!("Ring {number}"),
                    parent: parent.map(collection),
                    kind: CollectionKind::TargetGroup,
                })?;
            }
            tx.update_group_put(GROUP, "Group", &[]).map(drop)
        });
        site
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.write(&actor(), work).expect("writes")
    }

    fn rows(&self, rows: Rows) -> Vec<DeploymentRow> {
        let filter = DeploymentFilter { rows, ..DeploymentFilter::default() };
        self.store.read(|tx| tx.deployment_list(&filter, None, 1_000)).expect("reads").items
    }

    fn deploy(&self, deployed: Deployed, to: CollectionId, action: DeploymentAction, deadline: Option<Timestamp>) {
        let new = NewDeployment {
            guid: Uuid::new_v4(),
            deployed,
            collection: to,
            action,
            available_at: Timestamp::UNIX_EPOCH,
            deadline_at: deadline,
            // of the parent's there may be several for one update and collection
            origin: DeploymentOrigin::Parent,
            active: false,
            terms: Terms::default(),
        };
        match self.store.write(&actor(), |tx| tx.deployment_create(&new)) {
            Ok(_) => {}
            // a group is deployed to a collection once
            Err(StoreError::Constraint { .. }) if matches!(deployed, Deployed::Group(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn step(&self, step: &Step) {
        let people = || self.rows(Rows::People);
        match step {
            Step::Decline(number, true) => drop(self.write(|tx| tx.update_decline(update(*number)))),
            Step::Decline(number, false) => drop(self.write(|tx| tx.update_undecline(update(*number)))),
            Step::Delete(which) => {
                if let Some(row) = people().get(*which) {
                    self.write(|tx| tx.deployment_delete(row.id));
                }
            }
            Step::Deploy(number, to, action) => {
                let deployed = Deployed::Update { id: update(*number), revision: None };
                self.deploy(deployed, collection(*to), *action, deadline(*action, *to));
            }
            Step::DeployGroup(to, action) => {
                self.deploy(Deployed::Group(GROUP), collection(*to), *action, deadline(*action, *to));
            }
            Step::Enable(which, on) => {
                if let Some(row) = people().get(*which) {
                    self.write(|tx| tx.deployment_set_enabled(row.id, *on));
                }
            }
            Step::Members(members) => {
                let members: Vec<UpdateId> = members.iter().copied().map(update).collect();
                self.write(|tx| tx.update_group_put(GROUP, "Group", &members));
            }
            Step::Stop(number, true) => drop(self.write(|tx| tx.update_stop_put(update(*number), "why"))),
            Step::Stop(number, false) => drop(self.write(|tx| tx.update_stop_remove(update(*number)))),
        }
    }

    /// What goes out: for each set of collections and update the action, and the deadline of what decides.
    fn answers(&self, runtime: &tokio::runtime::Runtime) -> BTreeMap<(usize, u128), (WireAction, Option<Timestamp>)> {
        let published = runtime.block_on(self.live.republish()).expect("publishes");
        let mut answers = BTreeMap::new();
        for (set, numbers) in SETS.iter().enumerate() {
            let groups: Vec<CollectionId> = numbers.iter().copied().map(collection).collect();
            let scope = published.snapshot.scope(&groups);
            for offer in published.snapshot.offers(&scope) {
                let id = offer.identity.update_id;
                let number = id.0.as_u128() & 0xff;
                let won = winner(&published, &groups, id).filter(|_| is_offer(offer.action));
                answers.insert((set, number), (offer.action, won.and_then(|won| won.deadline)));
            }
        }
        answers
    }
}

fn winner(published: &Published, groups: &[CollectionId], update: UpdateId) -> Option<BranchDeployment> {
    published.snapshot.effective(groups, update).ruling.winner
}

fn is_offer(action: WireAction) -> bool {
    matches!(action, WireAction::Install | WireAction::OptionalInstall | WireAction::Uninstall)
}

fn actor() -> Actor {
    Actor::system("test", Timestamp::UNIX_EPOCH)
}

/// Whether on some branch of these collections the nearest deployments of the update hold a block.
fn is_blocked(rows: &[DeploymentRow], set: &[usize], of: UpdateId) -> bool {
    let own = |number: &usize| match number {
        2 => vec![2, 1, 0],
        number => vec![*number, 0],
    };
    let branches: Vec<Vec<usize>> = if set.is_empty() { vec![vec![0]] } else { set.iter().map(own).collect() };
    branches.iter().any(|branch| {
        let at = |to: usize| {
            let is = move |row: &&DeploymentRow| {
                row.enabled
                    && row.collection == collection(to)
                    && matches!(row.deployed, Deployed::Update { id, .. } if id == of)
            };
            rows.iter().filter(is).collect::<Vec<_>>()
        };
        let nearest = branch.iter().map(|to| at(*to)).find(|here| !here.is_empty()).unwrap_or_default();
        nearest.iter().any(|row| row.action == DeploymentAction::Block)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn offers_obey_blocks_stops_and_declines_and_groups_are_their_members(steps in vec(step(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let site = Site::new();
        for step in &steps {
            site.step(step);
        }
        let answers = site.answers(&runtime);
        let rows = site.rows(Rows::Computers);
        for ((set, number), (action, _)) in &answers {
            let id = update(*number);
            let (flags, stop) = site.store.read(|tx| Ok((tx.update_flags(id)?, tx.update_stop_show(id)?))).expect("reads");
            if flags.declined.is_some() || stop.is_some() || is_blocked(&rows, SETS[*set], id) {
                prop_assert!(!is_offer(*action), "set {} update {}: {:?}", set, number, action);
            }
        }

        // the same without groups, and without what is switched off
        let plain = Site::new();
        for row in rows.iter().filter(|row| row.enabled) {
            plain.deploy(row.deployed, row.collection, row.action, row.deadline_at);
        }
        for number in 1..=UPDATES {
            let id = update(number);
            let (flags, stop) = site.store.read(|tx| Ok((tx.update_flags(id)?, tx.update_stop_show(id)?))).expect("reads");
            plain.step(&Step::Decline(number, flags.declined.is_some()));
            plain.step(&Step::Stop(number, stop.is_some()));
        }
        prop_assert_eq!(plain.answers(&runtime), answers);

        // every member of an enabled deployment of the group is deployed, and nothing else is
        for row in site.rows(Rows::People) {
            let Deployed::Group(group) = row.deployed else { continue };
            let (_, members) = site.store.read(|tx| tx.update_group_show(group)).expect("reads").expect("there");
            let mut deployed: Vec<UpdateId> = site.rows(Rows::Members(row.id)).iter().filter_map(|row| match row.deployed {
                Deployed::Update { id, .. } => Some(id),
                Deployed::Group(_) => None,
            }).collect();
            deployed.sort_unstable();
            prop_assert_eq!(deployed, members);
        }
    }
}
