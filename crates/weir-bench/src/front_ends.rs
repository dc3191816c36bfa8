//! Three front ends on one PostgreSQL against one of them: how many more scans and reports they take, what holds them back, and how
//! long it takes until one offers what another one approved.
//!
//! All three run all the time, so that runs with one and with three can be interleaved; two that nobody asks cost a look at the
//! database each second. Where everything is on one machine its processors are shared, and the rows say by whom.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use weir_model::ids::UpdateId;
use weir_testkit::{
    Computer, Random, ScriptedAgent,
    catalogue::{Shape, Sizes},
};
use weir_wire::wusp::Cookie;

use crate::{
    engine::{Engine, Home},
    fixture::{self, Fixture, Settled},
    load::{Command, TIME, write_bodies},
    measure::{Limit, Load, Rounds, Row, cpu_seconds, median, resident},
    postgres::{Postgres, PostgresAt},
    requests,
    site::Site,
};

/// Front ends.
const COUNT: usize = 3;
/// Revisions of the catalogue.
const REVISIONS: usize = 5_000;
/// Computers whose requests differ.
const COMPUTERS: u64 = 200;
/// Revisions that a settled computer has in its cache.
const CACHED: usize = 1_490;
/// Connections of the load.
const CONNECTIONS: usize = 64;
/// Updates that a report lists.
const LISTED: usize = 300;
/// Different reports.
const BODIES: usize = 1_000;
/// Approvals whose way is measured.
const APPROVALS: usize = 20;
/// How late a front end may be with what another one did, in milliseconds.
const LATEST: f64 = 2_000.0;
/// From this share on the processors of the machine are what holds a run back.
const BUSY: f64 = 0.85;
/// One process of the database that is busy for this share of the time holds back whoever waits for his turn to write.
const TURNS: f64 = 0.7;

/// Measures on the run's PostgreSQL, or else on one of its own; where there is none, says so in a row.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    seconds: f64,
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Vec<Row>> {
    let own;
    let engine = if engine.is_embedded() {
        match Postgres::open(&PostgresAt::Scratch, scratch) {
            Ok(postgres) => own = Engine::on(Arc::new(postgres)),
            Err(error) => return Ok(vec![absent(&error)]),
        }
        &own
    } else {
        engine
    };
    let bench = Bench::prepare(engine, scratch, seconds, quick, tell).await?;
    let mut load = Load::start()?;
    tell("front ends: steady rescans");
    let mut rows = bench.compare(&mut load, "steady rescans", "requests/s", bench.scans()?)?;
    tell("front ends: status reports");
    rows.extend(bench.compare(&mut load, "status reports", "reports/s", bench.reports()?)?);
    drop(load);
    tell("front ends: approvals");
    rows.push(bench.approvals(if quick { 3 } else { APPROVALS }).await?);
    rows.push(bench.memory());
    Ok(rows)
}

/// What is told where there is no PostgreSQL.
fn absent(error: &anyhow::Error) -> Row {
    Row {
        case: "steady rescans".to_owned(),
        revisions: COUNT,
        value: f64::NAN,
        unit: "requests/s",
        budget: format!("not measured: {error:#}"),
        ..Row::default()
    }
}

struct Bench {
    home: Home,
    fixture: Fixture,
    fronts: Vec<Site>,
    /// Where their computers come.
    addresses: Vec<SocketAddr>,
    clients: Vec<(Cookie, Settled)>,
    seconds: f64,
}

/// Processor seconds of each kind of process while a run went on, and how long that was.
#[derive(Clone, Copy, Debug)]
struct Spent {
    seconds: f64,
    front_ends: f64,
    database: f64,
    load: f64,
}

impl Spent {
    /// What held a run back, on a machine with so many processors.
    fn bound(&self, cores: f64) -> String {
        let share = |of: f64| of / self.seconds.max(1e-9) / cores * 100.0;
        let shares = format!(
            "front ends {:.0} %, PostgreSQL {:.0} %, load {:.0} % of {cores:.0} processors",
            share(self.front_ends),
            share(self.database),
            share(self.load)
        );
        let all = share(self.front_ends + self.database + self.load) / 100.0;
        let why = if all >= BUSY {
            "the processors of this machine, which all of them share"
        } else if self.database / self.seconds.max(1e-9) >= TURNS {
            "the database, where one writes at a time"
        } else {
            "waiting: for the disk of the database, for a turn to write, and for each other"
        };
        format!("bound by {why}: {shares}")
    }
}

impl Bench {
    async fn prepare(
        engine: &Engine,
        scratch: &Path,
        seconds: f64,
        quick: bool,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<Self> {
        let home = engine.home(scratch.join("front-ends"))?;
        let revisions = if quick { REVISIONS / 10 } else { REVISIONS };
        tell(&format!("front ends: generating and importing {revisions} revisions"));
        let shape = Shape { revisions, sizes: Sizes::Small, seed: 11 };
        let fixture = fixture::build(&home, shape).await?;
        tell(&format!("front ends: starting {COUNT}"));
        let start = |number| Site::start(&home.beside(home.join(format!("front{number}")))?, &[]);
        let fronts = (0..COUNT).map(start).collect::<anyhow::Result<Vec<_>>>()?;
        let address = |front: &Site| Ok(front.url()?.trim_start_matches("http://").parse()?);
        let addresses = fronts.iter().map(address).collect::<anyhow::Result<Vec<SocketAddr>>>()?;
        let share = fixture.share_for(CACHED);
        let mut clients = Vec::new();
        for (number, front) in (0..COMPUTERS).zip(fronts.iter().cycle()) {
            let settled = fixture.settle(share, number + 1);
            let cookie = requests::enlist(front.url()?, number, &settled.installed, &settled.other).await?;
            clients.push((cookie, settled));
        }
        Ok(Self { home, fixture, fronts, addresses, clients, seconds })
    }

    fn first(&self) -> anyhow::Result<SocketAddr> {
        self.addresses.first().copied().context("there is no front end")
    }

    fn command(&self, head: String, name: &str, bodies: &[Vec<u8>], vary: bool) -> anyhow::Result<Command> {
        let path = self.home.join(format!("{name}.bodies"));
        write_bodies(&path, bodies)?;
        Ok(Command {
            address: self.first()?,
            head,
            bodies: path,
            connections: CONNECTIONS,
            seconds: self.seconds,
            requests: None,
            vary,
            rate: None,
            others: Vec::new(),
        })
    }

    /// Rescans of computers that have everything.
    fn scans(&self) -> anyhow::Result<Command> {
        let request = |((cookie, settled), number): (&(Cookie, Settled), u64)| {
            requests::body(&requests::software(cookie, settled.installed.clone(), settled.other.clone(), number))
        };
        let bodies: Vec<Vec<u8>> = self.clients.iter().zip(0..).map(request).collect();
        self.command(requests::head(requests::PATH, false, false), "scans", &bodies, false)
    }

    /// Reports of all that a computer knows.
    fn reports(&self) -> anyhow::Result<Command> {
        let time: Timestamp = TIME.parse()?;
        let mut random = Random::new(5);
        let mut bodies = Vec::with_capacity(BODIES);
        for ((cookie, _), number) in self.clients.iter().zip(0..).cycle().take(BODIES) {
            let mut updates = self.fixture.catalogue.deployable.clone();
            random.shuffle(&mut updates);
            let listed: Vec<String> = updates.iter().take(LISTED).map(|id| id.to_string().to_uppercase()).collect();
            let (needed, installed) = listed.split_at(random.between(1, (listed.len() / 2).max(1)).min(listed.len()));
            let lists = vec![format!("U={}", needed.join(";")), format!("V={}", installed.join(";"))];
            let client = Computer::numbered(number).client_id;
            bodies.push(requests::report(&client, cookie.clone(), time, lists)?);
        }
        self.command(requests::report_head(requests::REPORTS), "reports", &bodies, true)
    }

    /// The same load for one front end and for all of them, in turn.
    fn compare(&self, load: &mut Load, case: &str, unit: &'static str, one: Command) -> anyhow::Result<Vec<Row>> {
        let others = self.addresses.iter().skip(1).copied().collect();
        let commands = [Command { others, ..one.clone() }, one];
        let rounds = Rounds::measure(load, &commands)?;
        let cores = available_parallelism().map_or(1.0, |count| count.get() as f64);
        let ratios = rounds.ratios_of(0, 1);
        let mut rows = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            let spent = self.spent(load, command)?;
            rows.push(Row {
                case: case.to_owned(),
                revisions: 1 + command.others.len(),
                value: rounds.rate(at),
                unit,
                p50_us: Some(rounds.figure(at, |outcome| outcome.p50_us)),
                p99_us: Some(rounds.figure(at, |outcome| outcome.p99_us)),
                answer_bytes: Some(rounds.answer_bytes(at)),
                budget: format!("{CONNECTIONS} connections; {}", spent.bound(cores)),
                ..Row::default()
            });
        }
        if let Some(several) = rows.first_mut() {
            several.baseline = Some("the same load for one front end on the same database");
            several.ratio_null = Some(median(ratios.clone()));
            several.pairs = ratios.len();
            several.spread = ratios.first().copied().zip(ratios.last().copied());
        }
        rows.reverse();
        Ok(rows)
    }

    /// One more run, and who used the processors meanwhile.
    fn spent(&self, load: &mut Load, command: &Command) -> anyhow::Result<Spent> {
        let look = |load: &Load| {
            let fronts: f64 = self.fronts.iter().filter_map(|front| cpu_seconds(front.pid())).sum();
            (fronts, self.home.cpu_seconds().unwrap_or_default(), cpu_seconds(load.pid()).unwrap_or_default())
        };
        let before = look(load);
        let outcome = load.run(command)?;
        let after = look(load);
        Ok(Spent {
            seconds: outcome.seconds,
            front_ends: after.0 - before.0,
            database: after.1 - before.1,
            load: after.2 - before.2,
        })
    }

    /// From an approval on one front end, answered, to the end of a scan on another one that offers it.
    async fn approvals(&self, count: usize) -> anyhow::Result<Row> {
        let [first, .., last] = self.fronts.as_slice() else { anyhow::bail!("it takes two front ends") };
        let mut agent = ScriptedAgent::new(last.url()?, Computer::numbered(0xfe))?;
        agent.scan().await?;
        let mut times = Vec::with_capacity(count);
        let known = self.fixture.catalogue.deployable.iter().copied().filter(|update| has(&agent, *update));
        for update in known.take(count).collect::<Vec<_>>() {
            let wanted = update.to_string();
            let create = ["deployments", "create", "--update", &wanted, "--collection", "All Computers"];
            first.weir(&[&create[..], &["--action", "install"]].concat())?;
            let approved = Instant::now();
            while !agent.scan().await?.offered.iter().any(|offered| offered.update_id == update) {
                ensure!(approved.elapsed() < Duration::from_secs(30), "an approval does not reach another front end");
            }
            times.push(approved.elapsed().as_secs_f64() * 1e3);
        }
        ensure!(!times.is_empty(), "the catalogue has nothing to approve");
        let longest = times.iter().copied().fold(0.0, f64::max);
        let row = Row {
            case: "approval elsewhere".to_owned(),
            revisions: COUNT,
            value: longest,
            unit: "ms at most",
            pairs: times.len(),
            p50_us: Some(median(times.clone()) * 1e3),
            budget: format!("{} approvals, each until another front end has offered it in a scan", times.len()),
            ..Row::default()
        };
        Ok(row.within([Limit::most(LATEST)]))
    }

    fn memory(&self) -> Row {
        let most = self.fronts.iter().map(|front| resident(front.pid())).max().unwrap_or_default();
        Row {
            case: "resident, the largest of them".to_owned(),
            revisions: COUNT,
            value: most as f64 / 1e6,
            unit: "MB",
            ..Row::default()
        }
    }
}

/// Whether a computer got the update, so that an approval changes what it does.
fn has(agent: &ScriptedAgent, update: UpdateId) -> bool {
    agent.state.cache.values().any(|cached| cached.identity.update_id == update)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_held_it_back() {
        let spent = Spent { seconds: 2.0, front_ends: 2.4, database: 0.8, load: 0.6 };
        assert_eq!(
            spent.bound(2.0),
            "bound by the processors of this machine, which all of them share: front ends 60 %, PostgreSQL 20 %, load 15 % of 2 processors"
        );
        assert!(spent.bound(8.0).starts_with("bound by waiting"), "{}", spent.bound(8.0));
        let written = Spent { database: 1.8, ..spent };
        assert!(written.bound(8.0).starts_with("bound by the database"), "{}", written.bound(8.0));
    }
}
