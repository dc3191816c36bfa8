//! Offers: how long after one change of a deployment every distinct set of collections has its scope again, at several
//! numbers of computers. The work is per set, so that it should hardly grow with the computers.
//!
//! The baseline compiles the scopes of all sets, cold, on one core, from a snapshot that is there.

use std::{
    collections::HashSet,
    io::Cursor,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    deployment::Terms,
    ids::{CollectionId, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};
use weir_server::{
    import::{Batch, Input},
    live::{GroupSet, Live},
};
use weir_store::{
    Actor, Store, WriteTx,
    collection::{MemberSource, NewCollection},
    computer::Contact,
    deployment::{Deployed, NewDeployment},
};
use weir_testkit::{
    Random,
    catalogue::{Catalogue, Shape, Sizes},
};

use crate::{
    engine::{Engine, Home},
    measure::{PAIRS, Row, exponent, median},
};

/// Revisions of the catalogue.
const REVISIONS: usize = 5_000;
/// Places (nested), and roles that lie across them.
const PLACES: u128 = 60;
const INNER: u128 = 6;
const ROLES: u128 = 12;
/// Deployments before the change.
const DEPLOYMENTS: usize = 400;
/// Computers of one transaction.
const TOGETHER: usize = 2_000;

/// Rows, and the exponent by which the time grows with the computers.
pub(crate) struct Figures {
    /// Two rows per size.
    pub(crate) rows: Vec<Row>,
    /// Growth of the time from the change to the last scope.
    pub(crate) exponent: Option<f64>,
}

/// Measures at these numbers of computers.
pub(crate) async fn measure(
    engine: &Engine,
    folder: &Path,
    computers: &[usize],
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for count in computers {
        let home = engine.home(folder.join(count.to_string()))?;
        let site = Site::fill(&home, *count, tell)?;
        home.tidy()?;
        site.live.open().await?;
        let sets = site.sets();
        tell(&format!("offers: {count} computers in {} sets of collections", sets.len()));
        let (mut published, mut whole, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            let started = Instant::now();
            site.change(pair)?;
            let now = site.live.republish().await?;
            published.push(milliseconds(started.elapsed()));
            for set in &sets {
                now.scope(set);
            }
            let took = milliseconds(started.elapsed());
            whole.push(took);
            let started = Instant::now();
            for set in &sets {
                std::hint::black_box(now.snapshot.scope(set.collections()));
            }
            ratios.push(milliseconds(started.elapsed()) / took);
        }
        ratios.sort_by(f64::total_cmp);
        let took = median(whole);
        growth.push((*count as f64, took));
        let row = |case: &str, value: f64| Row {
            case: case.to_owned(),
            revisions: *count,
            value,
            unit: "ms",
            pairs: PAIRS,
            budget: format!("{} sets of collections, {REVISIONS} revisions", sets.len()),
            ..Row::default()
        };
        rows.push(row("change to swap", median(published)));
        rows.push(Row {
            ratio_null: Some(median(ratios.clone())),
            spread: ratios.first().copied().zip(ratios.last().copied()),
            baseline: Some("compiling all scopes, cold, on one core"),
            ..row("change to the last scope", took)
        });
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A server's store with its catalogue, without listeners.
struct Site {
    store: Store,
    live: Live,
    updates: Vec<UpdateId>,
    computers: Vec<weir_model::ids::ComputerId>,
}

fn collection(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(0xb0b0_0000 + number))
}

fn actor() -> Actor {
    Actor::system("bench", Timestamp::now())
}

impl Site {
    fn fill(home: &Home, count: usize, tell: &dyn Fn(&str)) -> anyhow::Result<Self> {
        let store = home.open()?;
        tell(&format!("offers: importing {REVISIONS} synthetic revisions"));
        let catalogue = Catalogue::generate(Shape { revisions: REVISIONS, sizes: Sizes::Small, seed: 11 });
        let inputs = catalogue.documents().enumerate().map(|(number, document)| Input {
            name: number.to_string(),
            source: Box::new(Cursor::new(document.to_xml().into_bytes())),
        });
        let mut batch = Batch::read(inputs.collect(), &|_, _, _| ()).context("reading the catalogue")?;
        store.try_write(&actor(), |tx| batch.store(tx, &|_, _, _| ())).context("storing the catalogue")?;
        let mut site = Self { live: Live::new(store.clone()), store, updates: Vec::new(), computers: Vec::new() };
        site.store.write(&actor(), collections)?;
        tell(&format!("offers: making {count} computers"));
        site.members(count)?;
        let rows = site.store.read(|tx| tx.catalogue_revisions(weir_model::ids::RevisionId(0)))?;
        let deployable = rows.iter().filter(|row| row.explicitly_deployable).map(|row| row.identity.update_id);
        let distinct: HashSet<UpdateId> = deployable.collect();
        site.updates = distinct.into_iter().collect();
        site.updates.sort_unstable();
        anyhow::ensure!(site.updates.len() > PAIRS, "the synthetic catalogue has nothing to deploy");
        let mut random = Random::new(5);
        site.store.write(&actor(), |tx| {
            for number in 0..DEPLOYMENTS {
                let to = collection(random.below((PLACES + ROLES) as usize) as u128);
                let Some(update) = site.updates.get(PAIRS + number % (site.updates.len() - PAIRS)) else { continue };
                tx.deployment_create(&deployment(*update, to))?;
            }
            Ok(())
        })?;
        Ok(site)
    }

    /// Every computer is in one place and, one in two, has a role.
    fn members(&mut self, count: usize) -> anyhow::Result<()> {
        let mut random = Random::new(3);
        let numbers: Vec<usize> = (0..count).collect();
        for chunk in numbers.chunks(TOGETHER) {
            let made: Vec<_> = self.store.try_write(&actor(), |tx| {
                let mut made = Vec::with_capacity(chunk.len());
                for number in chunk {
                    let id: weir_model::ids::ComputerId = Uuid::from_u128(*number as u128 + 1).to_string().parse()?;
                    let contact = Contact {
                        id: id.clone(),
                        dns_name: format!("pc{number}.example"),
                        ip_address: None,
                        plain_http: false,
                        requested_groups: None,
                    };
                    let (no, _) = tx.computer_contact(&contact)?;
                    let place = random.below((PLACES * (INNER + 1)) as usize) as u128;
                    let place = if place < PLACES { place } else { PLACES + ROLES + place - PLACES };
                    tx.collection_add(collection(place), no, MemberSource::Manual)?;
                    if random.below(2) == 0 {
                        let role = PLACES + random.below(ROLES as usize) as u128;
                        tx.collection_add(collection(role), no, MemberSource::Manual)?;
                    }
                    made.push(id);
                }
                Ok::<_, anyhow::Error>(made)
            })?;
            self.computers.extend(made);
        }
        Ok(())
    }

    /// The distinct sets of collections that computers are in.
    fn sets(&self) -> Vec<Arc<GroupSet>> {
        let sets: HashSet<Arc<GroupSet>> = self
            .computers
            .iter()
            .filter_map(|id| self.live.directory.find(id))
            .map(|computer| Arc::clone(&computer.groups))
            .collect();
        sets.into_iter().collect()
    }

    /// One more deployment, to a place.
    fn change(&self, number: usize) -> anyhow::Result<()> {
        let update = self.updates.get(number).context("an update")?;
        let new = deployment(*update, collection(number as u128 % PLACES));
        self.store.write(&actor(), |tx| tx.deployment_create(&new))?;
        Ok(())
    }
}

/// Places below All Computers, with some inside each, and roles.
fn collections(tx: &WriteTx<'_>) -> Result<(), weir_store::StoreError> {
    let make = |number: u128, parent: Option<u128>| {
        tx.collection_create(&NewCollection {
            id: collection(number),
            name: format!("Collection {number}"),
            parent: parent.map(collection),
            kind: CollectionKind::TargetGroup,
        })
        .map(drop)
    };
    for number in 0..PLACES + ROLES {
        make(number, None)?;
    }
    for place in 0..PLACES {
        for inner in 0..INNER {
            make(PLACES + ROLES + place * INNER + inner, Some(place))?;
        }
    }
    Ok(())
}

fn deployment(update: UpdateId, to: CollectionId) -> NewDeployment {
    NewDeployment {
        guid: Uuid::new_v4(),
        deployed: Deployed::Update { id: update, revision: None },
        collection: to,
        // detection needs no content, so that the change is seen at once
        action: DeploymentAction::Detect,
        available_at: Timestamp::UNIX_EPOCH,
        deadline_at: None,
        // of the parent's there may be several for one update and collection
        origin: DeploymentOrigin::Parent,
        active: false,
        terms: Terms::default(),
    }
}
