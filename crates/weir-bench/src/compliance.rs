//! Compliance: the index of what all computers reported, filled from a database, asked about collections of several sizes, and kept up
//! to date.
//!
//! The baseline of a count is a recount from the stored statuses of the same computers, one by one; that of a fill is reading the
//! same bytes without looking at them.

use std::{
    collections::{HashMap, HashSet},
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, UpdateId},
    status::{ComputerStatus, Context, Event, MiscData, UpdateNumber, apply, computer_state, event_id},
    targeting::CollectionKind,
};
use weir_server::live::{Live, Published};
use weir_store::{
    Actor, Store,
    collection::{MemberSource, NewCollection},
    computer::{Contact, StatusRow},
};
use weir_testkit::{
    Random,
    catalogue::{Shape, Sizes},
};

use crate::{
    engine::Engine,
    fixture,
    measure::{Limit, PAIRS, Row, exponent, median, resident},
    readers,
};

/// Updates that computers are asked about, where nothing else is asked for.
pub(crate) const UPDATES: usize = 5_000;
/// Kinds of computers: those of one kind are asked about the same updates and have most of them.
const KINDS: usize = 12;
/// The share of all updates that applies to computers of one kind.
const RELEVANT: f64 = 0.3;
/// Different statuses of each kind.
const VARIANTS: usize = 100;
/// Computers that are stored in one transaction.
const AT_ONCE: usize = 2_000;
/// Collections by size; a computer is in each of them with the probability that makes that size.
const SMALL: usize = 1_000;
const MIDDLE: usize = 20_000;
/// Reports that are followed one by one.
const REPORTS: usize = 200;

/// Rows, the exponent by which counting a whole fleet grows with it, and the figures of the largest fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
    pub(crate) summary: Summary,
}

/// The largest fleet in four figures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    /// All states of all updates over all members of the slowest collection.
    pub(crate) collection_counts_ms: f64,
    /// From an open database to the index.
    pub(crate) rebuild_s: f64,
    /// What the index adds to the process.
    pub(crate) resident_mb: f64,
}

/// Measures fleets of these sizes.
pub(crate) async fn measure(
    engine: &Engine,
    folder: &Path,
    sizes: &[usize],
    updates: usize,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth, mut summary) = (Vec::new(), Vec::new(), Summary::default());
    let base = engine.home(folder.join("compliance"))?;
    // computers report on bundles, which are a ninth of a catalogue
    let shape = Shape { revisions: updates * 10 + 1_000, sizes: Sizes::Small, seed: 5 };
    tell(&format!("compliance: importing {} revisions", shape.revisions));
    let fixture = fixture::build(&base, shape).await?;
    for size in sizes {
        let home = base.copy(folder.join(format!("compliance-{size}")))?;
        let store = home.open()?;
        let updates = reported(&fixture, updates);
        // the design asks for a rebuild from a file
        let embedded = engine.is_embedded();
        let site = Site { store, embedded, numbers: updates.iter().copied().collect(), updates };
        tell(&format!("compliance: storing {size} computers that report on {} updates", site.updates.len()));
        let bytes = site.fill(*size)?;
        home.tidy()?;
        rows.push(row("stored", *size, bytes as f64 / *size as f64, "bytes/computer"));
        let (fleet, whole) = site.measure(*size, tell).await?;
        growth.push((*size as f64, whole));
        summary = fleet.summary;
        rows.extend(fleet.rows);
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)), summary })
}

/// The first updates that computers report on.
fn reported(fixture: &fixture::Fixture, most: usize) -> Vec<(UpdateId, UpdateNumber)> {
    let published: &Published = &fixture.published;
    let revisions = published.snapshot.offers(&published.snapshot.scope(&[CollectionId::UNASSIGNED_COMPUTERS]));
    let reportable = revisions.into_iter().filter(|offer| offer.reportable).map(|offer| offer.identity.update_id);
    reportable.filter_map(|update| Some((update, published.status_number(update)?))).take(most).collect()
}

struct Site {
    store: Store,
    embedded: bool,
    updates: Vec<(UpdateId, UpdateNumber)>,
    numbers: HashMap<UpdateId, UpdateNumber>,
}

struct Fleet {
    rows: Vec<Row>,
    summary: Summary,
}

fn row(case: &str, computers: usize, value: f64, unit: &'static str) -> Row {
    Row { case: case.to_owned(), revisions: computers, value, unit, ..Row::default() }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn collection(number: u128) -> CollectionId {
    CollectionId(Uuid::from_u128(0xc0_11ec_0000 + number))
}

impl Site {
    /// A status as an agent of that kind would report it: nearly everything installed, some of it in other states.
    fn status(&self, computer: usize, round: u64) -> ComputerStatus {
        let kind = computer % KINDS;
        let mut random = Random::new(computer as u64 ^ round << 40);
        let mut lists =
            [String::from("V="), String::from("U="), String::from("g="), String::from("h="), String::from("W=")];
        for (place, (update, _)) in self.updates.iter().enumerate() {
            let applies = Random::new((place * KINDS + kind) as u64).fraction() < RELEVANT;
            if !applies {
                continue;
            }
            let dice = random.fraction();
            let list = match dice {
                dice if dice < 0.95 => 0,
                dice if dice < 0.98 => 1,
                dice if dice < 0.99 => 2,
                dice if dice < 0.995 => 3,
                _ => 4,
            };
            if let Some(list) = lists.get_mut(list) {
                list.push_str(&update.to_string());
                list.push(';');
            }
        }
        let now = Timestamp::from_second(1_790_000_000 + round as i64).unwrap_or_default();
        let report = Event {
            instance_id: Uuid::from_u128(computer as u128),
            event_id: event_id::CLIENT_STATUS,
            source_id: 101,
            update: None,
            hresult: 0,
            at: now,
            app_name: String::new(),
            replacement_strings: Vec::new(),
            misc: MiscData::parse(&lists),
        };
        let number = |update| self.numbers.get(&update).copied();
        let mut status = ComputerStatus::default();
        let context = Context { now, anchor: Some(ChangeNumber(u64::MAX >> 8)), number: &number };
        apply(&mut status, &[report], &context);
        status
    }

    fn fill(&self, size: usize) -> anyhow::Result<u64> {
        let actor = Actor::system("bench", Timestamp::now());
        self.store.write(&actor, |tx| {
            for (number, name) in [(0, "Whole"), (1, "Middle"), (2, "Small")] {
                let new = NewCollection {
                    id: collection(number),
                    name: name.to_owned(),
                    parent: None,
                    kind: CollectionKind::TargetGroup,
                };
                tx.collection_create(&new)?;
            }
            Ok(())
        })?;
        // making a status costs more than all that is measured: some of each kind stand for all
        let statuses: Vec<Vec<u8>> = (0..KINDS * VARIANTS).map(|computer| self.status(computer, 0).encode()).collect();
        let mut random = Random::new(17);
        let mut number = 0;
        let mut bytes = 0;
        while number < size {
            let until = (number + AT_ONCE).min(size);
            self.store.write(&actor, |tx| {
                for status in statuses.iter().cycle().skip(number % statuses.len()).take(until - number) {
                    bytes += status.len() as u64;
                    let contact = Contact {
                        id: random.guid().to_string().parse().unwrap_or_else(|_| unreachable!("a guid is an id")),
                        dns_name: "pc.example.com".to_owned(),
                        ip_address: None,
                        plain_http: false,
                        requested_groups: None,
                    };
                    let (no, _) = tx.computer_contact(&contact)?;
                    let mut groups = vec![collection(0)];
                    if random.fraction() < MIDDLE as f64 / size as f64 {
                        groups.push(collection(1));
                    }
                    if random.fraction() < SMALL as f64 / size as f64 {
                        groups.push(collection(2));
                    }
                    tx.computer_set_groups(no, MemberSource::Manual, &groups)?;
                    let row = StatusRow { status: status.clone(), ..StatusRow::default() };
                    tx.computer_status_put(no, &row)?;
                }
                Ok(())
            })?;
            number = until;
        }
        Ok(bytes)
    }

    async fn measure(&self, size: usize, tell: &dyn Fn(&str)) -> anyhow::Result<(Fleet, f64)> {
        let mut rows = Vec::new();
        let live = Live::new(self.store.clone());
        live.republish().await?;
        let pid = std::process::id();
        // what reading costs stays behind in caches; it is not the index
        let read = || {
            self.store.read(|tx| {
                let mut bytes = 0;
                tx.feed_status_each(&mut |_, status| bytes += black_box(status).len())?;
                Ok(bytes)
            })
        };
        read()?;
        tell(&format!("compliance: {size} computers"));
        let before = resident(pid);
        let started = Instant::now();
        self.store.read(|tx| live.compliance(tx).map(drop))?;
        let rebuild = started.elapsed().as_secs_f64();
        let resident_mb = resident(pid).saturating_sub(before) as f64 / 1e6;
        let started = Instant::now();
        read()?;
        let plain = started.elapsed().as_secs_f64();
        let index = self.store.read(|tx| Ok(live.compliance(tx)?.bytes()))? as f64 / 1e6;
        let rebuilt = Row {
            baseline: Some("reading the same bytes"),
            ratio_null: Some(plain / rebuild),
            budget: if self.embedded { "from a warm file" } else { "from a warm database" }.to_owned(),
            ..row("rebuild", size, rebuild, "s")
        };
        let whole = Row {
            budget: format!("of it {index:.0} MB are the index, the rest is what filling it left behind"),
            ..row("resident", size, resident_mb, "MB")
        };
        rows.extend([rebuilt.within_if(self.embedded, [Limit::most(3.0)]), whole.within([Limit::most(400.0)])]);

        let whole = self.count(&live, size, "any collection: whole", Some(collection(0)), 30.0, &mut rows)?;
        let middle = self.count(&live, size, "any collection: 20,000", Some(collection(1)), 30.0, &mut rows)?;
        self.count(&live, size, "collection of 1,000", Some(collection(2)), 5.0, &mut rows)?;
        self.count(&live, size, "all computers", None, 1.0, &mut rows)?;
        self.narrow(&live, size, &mut rows)?;
        self.follow(&live, size, &mut rows)?;
        rows.push(self.beside(&live, size)?);
        let summary = Summary { collection_counts_ms: whole.max(middle), rebuild_s: rebuild, resident_mb };
        Ok((Fleet { rows, summary }, whole))
    }

    /// All states of all updates over the members of a collection.
    fn count(
        &self,
        live: &Live,
        size: usize,
        case: &str,
        within: Option<CollectionId>,
        budget: f64,
        rows: &mut Vec<Row>,
    ) -> anyhow::Result<f64> {
        let mut times = Vec::new();
        for _ in 0..PAIRS {
            let (tally, took) = self.store.read(|tx| {
                let view = live.compliance(tx)?;
                let started = Instant::now();
                let tally = match within {
                    None => view.everybody(),
                    Some(within) => view.count(&view.members(None, &|groups| groups.contains(&within)), None),
                };
                Ok((tally, started.elapsed()))
            })?;
            anyhow::ensure!(!tally.updates.is_empty(), "nothing was counted");
            times.push(milliseconds(took));
        }
        let took = median(times);
        // the recount is the same for all: once is enough, over a part of a large fleet
        let naive = self.recount(within, 5_000)?;
        let counted = Row {
            baseline: Some("a recount from stored statuses"),
            ratio_null: Some(naive / took),
            pairs: PAIRS,
            budget: format!("the baseline takes {naive:.0} ms"),
            ..row(case, size, took, "ms")
        };
        rows.push(counted.within([Limit::most(budget)]));
        Ok(took)
    }

    /// Milliseconds that a recount of so many computers takes, scaled to all members.
    fn recount(&self, within: Option<CollectionId>, most: usize) -> anyhow::Result<f64> {
        let members: HashSet<u32> = self.store.read(|tx| {
            let all = tx.computer_directory()?.into_iter();
            Ok(all.filter(|row| within.is_none_or(|id| row.groups.contains(&id))).map(|row| row.no).collect())
        })?;
        let (mut counted, mut time) = (0, Duration::ZERO);
        self.store.read(|tx| {
            tx.feed_status_each(&mut |no, bytes| {
                if counted == most || !members.contains(&no) {
                    return;
                }
                let started = Instant::now();
                let status = ComputerStatus::decode(bytes).unwrap_or_default();
                let states = self.updates.iter().map(|(_, number)| status.state_of(*number, Some(ChangeNumber(0))));
                black_box(computer_state(true, states));
                time += started.elapsed();
                counted += 1;
            })
        })?;
        Ok(milliseconds(time) * members.len() as f64 / counted.max(1) as f64)
    }

    /// Questions about a few updates: a group of thirty, and who needs one.
    fn narrow(&self, live: &Live, size: usize, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let group: HashSet<UpdateId> =
            self.updates.iter().step_by(self.updates.len() / 30 + 1).map(|it| it.0).collect();
        let middle = self.updates.get(self.updates.len() / 2);
        let one = middle.map(|it| it.0).context("no updates")?;
        let (mut grouped, mut single) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            self.store.read(|tx| {
                let view = live.compliance(tx)?;
                let everybody = view.members(None, &|_| true);
                let started = Instant::now();
                black_box(view.count(&everybody, Some(&group)));
                grouped.push(milliseconds(started.elapsed()));
                let started = Instant::now();
                black_box(view.of_update(&everybody, one));
                single.push(milliseconds(started.elapsed()));
                Ok(())
            })?;
        }
        rows.push(Row { pairs: PAIRS, ..row("group of updates, all computers", size, median(grouped), "ms") });
        rows.push(Row { pairs: PAIRS, ..row("one update, every computer by state", size, median(single), "ms") });
        Ok(())
    }

    /// Reports that arrive one by one, each followed by a question.
    fn follow(&self, live: &Live, size: usize, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let actor = Actor::system("bench", Timestamp::now());
        let mut times = Vec::new();
        for turn in 0..REPORTS {
            let no = u32::try_from(1 + turn * 97 % size).unwrap_or(1);
            let status = self.status(no as usize, 1 + turn as u64).encode();
            let row = StatusRow { status, ..StatusRow::default() };
            self.store.write(&actor, |tx| tx.computer_status_put(no, &row))?;
            let took = self.store.read(|tx| {
                let started = Instant::now();
                live.compliance(tx).map(drop)?;
                Ok(started.elapsed())
            })?;
            times.push(took.as_secs_f64() * 1e6);
        }
        let took = median(times);
        let followed = Row {
            pairs: REPORTS,
            budget: "the report is read from the database and applied".to_owned(),
            ..row("one report followed", size, took, "us")
        };
        rows.push(followed.within([Limit::most(250.0)]));
        Ok(())
    }

    /// The question about all computers, asked without a pause while reports arrive one by one.
    fn beside(&self, live: &Live, size: usize) -> anyhow::Result<Row> {
        let actor = Actor::system("bench", Timestamp::now());
        let ask = || {
            self.store.read(|tx| {
                let started = Instant::now();
                black_box(live.compliance(tx)?.everybody());
                Ok(milliseconds(started.elapsed()))
            })
        };
        let report = |turn: usize| {
            let no = u32::try_from(1 + turn * 131 % size).unwrap_or(1);
            let row =
                StatusRow { status: self.status(no as usize, 1_000 + turn as u64).encode(), ..StatusRow::default() };
            self.store.write(&actor, |tx| tx.computer_status_put(no, &row))
        };
        let (alone, beside) = readers::measure(REPORTS, &ask, &report)?;
        let answered = Row {
            baseline: Some("the same question without reports, 99th percentile"),
            ratio_null: Some(alone.p99 / beside.p99),
            p50_us: Some(beside.p50 * 1e3),
            p99_us: Some(beside.p99 * 1e3),
            budget: format!(
                "all computers, asked {} times beside {REPORTS} reports; slowest {:.2} ms, {:.2} ms without reports",
                beside.times, beside.most, alone.most
            ),
            ..row("reader beside reports", size, beside.p50, "ms")
        };
        Ok(answered.within([Limit::most(1.0)]))
    }
}
