//! Scans: steady rescans, driver passes, pages, giant pages, swaps and memory; pages with one entry and first scans have modules of
//! their own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use weir_model::ids::RevisionId;
use weir_testkit::{
    Random,
    catalogue::{Shape, Sizes},
};
use weir_wire::wusp::Cookie;

use crate::{
    engine::{Engine, Home},
    entry, first_scan,
    fixture::{self, Fixture, Settled},
    load::{Command, mean_body, quantile, write_bodies},
    measure::{Figure, Limit, Load, Rounds, Row, exponent, median},
    requests,
    server::Server,
};

/// Computers whose requests differ; a repeated body flatters branch prediction and caches.
const COMPUTERS: u64 = 200;
/// Connections of the load, as the calibration has them.
const CONNECTIONS: usize = 64;
/// Revisions that a settled computer has in its cache.
const CACHED: usize = 1_490;
/// Ids that its request names.
const NAMED: usize = 1_400;
/// A Core fragment below this is typical (90th percentile of the real distribution).
const TYPICAL: u32 = 9_000;
/// From here on a Core fragment is a giant.
const GIANT: u32 = 20 << 20;

/// Sizes and length of a run.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Which database stores are on.
    pub(crate) engine: Engine,
    /// Catalogue sizes in revisions.
    pub(crate) sizes: Vec<usize>,
    /// Seconds of each single run.
    pub(crate) seconds: f64,
    /// Where the data folders go; removed afterwards.
    pub(crate) scratch: PathBuf,
    /// Whether first scans are of small catalogues only.
    pub(crate) quick: bool,
}

/// Rows, and the exponent by which the time in the handler of a steady rescan grows with the catalogue.
pub(crate) struct Figures {
    /// One row per case, size and coding.
    pub(crate) rows: Vec<Row>,
    /// Growth of the steady rescan.
    pub(crate) exponent: Option<f64>,
}

/// Measures everything, telling what it is doing.
pub(crate) async fn measure(plan: &Plan, tell: &dyn Fn(&str)) -> anyhow::Result<Figures> {
    let mut rows = Vec::new();
    let mut growth = Vec::new();
    for size in &plan.sizes {
        let bench = Bench::prepare(plan, *size, tell).await?;
        let steady = bench.steady(tell)?;
        if let Some(p50) = steady.first().and_then(|row| row.p50_us) {
            growth.push((*size as f64, p50));
        }
        rows.extend(steady);
        rows.push(bench.driver(tell)?);
        rows.extend(bench.page(tell)?);
        rows.extend(bench.giant(tell)?);
        rows.extend(bench.swap(tell)?);
        rows.push(bench.memory(tell)?);
        rows.push(bench.stored()?);
    }
    let exponent = (growth.len() > 1).then(|| exponent(&growth));
    if let (Some(power), Some(largest)) = (exponent, plan.sizes.iter().max()) {
        let row = Row {
            case: "steady_growth".to_owned(),
            revisions: *largest,
            value: power,
            unit: "exponent",
            pairs: growth.len(),
            budget: format!("of the median time in the handler, over {:?} revisions", plan.sizes),
            ..Row::default()
        };
        rows.push(row.within([Limit::most(0.25)]));
    }
    rows.extend(entry::measure(&plan.engine, &plan.scratch, tell).await?);
    rows.extend(first_scan::measure(&plan.engine, &plan.scratch, plan.quick, tell).await?);
    Ok(Figures { rows, exponent })
}

struct Client {
    cookie: Cookie,
    settled: Settled,
}

struct Bench<'a> {
    plan: &'a Plan,
    size: usize,
    fixture: Fixture,
    // Fields drop in this order: the server before its database.
    server: Server,
    home: Home,
    clients: Vec<Client>,
    rest: u64,
}

impl<'a> Bench<'a> {
    async fn prepare(plan: &'a Plan, size: usize, tell: &dyn Fn(&str)) -> anyhow::Result<Self> {
        let home = plan.engine.home(plan.scratch.join(format!("scan-{size}")))?;
        tell(&format!("{size} revisions: generating and importing"));
        let fixture = fixture::build(&home, Shape { revisions: size, sizes: Sizes::Genuine, seed: 1 }).await?;
        tell(&format!("{size} revisions: {} MB of documents; starting the server", fixture.document_bytes / 1_000_000));
        let server = Server::start(&home)?;
        let rest = server.resident();
        let share = fixture.share_for(CACHED);
        let base = server.client_url()?;
        let mut clients = Vec::new();
        for number in 0..COMPUTERS {
            let settled = fixture.settle(share, number + 1);
            let cookie = requests::enlist(&base, number, &settled.installed, &settled.other).await?;
            clients.push(Client { cookie, settled });
        }
        Ok(Self { plan, size, fixture, server, home, clients, rest })
    }

    fn bodies(&self, name: &str, body: impl Fn(u64, &Client) -> Option<Vec<u8>>) -> anyhow::Result<PathBuf> {
        let bodies: Vec<Vec<u8>> =
            self.clients.iter().zip(0..).filter_map(|(client, number)| body(number, client)).collect();
        ensure!(!bodies.is_empty(), "no computer of this catalogue can send the request of {name}");
        let path = self.home.join(format!("{name}.bodies"));
        write_bodies(&path, &bodies)?;
        Ok(path)
    }

    fn command(&self, path: &str, bodies: &Path, xpress: bool, timed: bool) -> anyhow::Result<Command> {
        Ok(Command {
            address: self.server.client()?,
            head: requests::head(path, xpress, timed),
            bodies: bodies.to_owned(),
            connections: CONNECTIONS,
            seconds: self.plan.seconds,
            requests: None,
            vary: false,
            rate: None,
            others: Vec::new(),
        })
    }

    /// Real against null and, if wanted, the tokeniser, with answers of the real size; then the times in the handler.
    fn compare(
        &self,
        case: &str,
        bodies: &Path,
        xpress: bool,
        budget: (&str, f64, Option<f64>),
    ) -> anyhow::Result<Row> {
        let mut load = Load::start()?;
        let real = self.command(requests::PATH, bodies, xpress, false)?;
        let probe = load.run(&Command { requests: Some(COMPUTERS), ..real.clone() })?;
        ensure!(probe.errors == 0 && probe.statuses.keys().eq([&200]), "{case}: {probe:?}");
        let answer = probe.bytes / probe.requests.max(1);
        let null = self.command(&format!("/bench/null/{answer}"), bodies, xpress, false)?;
        let tokenise = self.command(&format!("/bench/tokenise/{answer}"), bodies, xpress, false)?;
        let alone = real.clone();
        let mut commands = vec![real, null];
        let (text, least_null, least_tokeniser) = budget;
        commands.extend(least_tokeniser.map(|_| tokenise));
        let rounds = Rounds::measure(&mut load, &commands)?;
        let over_null = rounds.ratios_of(0, 1);
        let over_tokeniser = least_tokeniser.map(|_| median(rounds.ratios_of(0, 2)));
        let timed = self.command(requests::PATH, bodies, xpress, true)?;
        self.timings()?;
        load.run(&timed)?;
        let mut timings = self.timings()?;
        timings.sort_by(f64::total_cmp);
        let row = Row {
            case: case.to_owned(),
            revisions: self.size,
            coding: Some(if xpress { "xpress" } else { "identity" }),
            value: rounds.rate(0),
            unit: "requests/s",
            baseline: Some("a handler that drains the request and returns a stored body of the same size"),
            ratio_null: Some(median(over_null.clone())),
            ratio_tokeniser: over_tokeniser,
            pairs: over_null.len(),
            spread: over_null.first().copied().zip(over_null.last().copied()),
            p50_us: Some(quantile(&timings, 0.5)),
            p99_us: Some(quantile(&timings, 0.99)),
            cpu_us: self.server.cost(&mut load, &alone)?,
            request_bytes: Some(mean_body(bodies)?),
            answer_bytes: Some(rounds.answer_bytes(0)),
            budget: format!("{text}; {answer} B answers"),
            ..Row::default()
        };
        let mut limits = vec![Limit::of_at_least(Figure::RatioNull, least_null)];
        limits.extend(least_tokeniser.map(|least| Limit::of_at_least(Figure::RatioTokeniser, least)));
        Ok(row.within(limits))
    }

    fn timings(&self) -> anyhow::Result<Vec<f64>> {
        let body = crate::server::fetch(self.server.client()?, "/bench/timings")?;
        serde_json::from_slice(&body).context("reading the timings")
    }

    fn steady(&self, tell: &dyn Fn(&str)) -> anyhow::Result<Vec<Row>> {
        tell(&format!("{} revisions: steady rescans", self.size));
        let bodies = self.bodies("steady", |number, client| {
            let mut other = client.settled.other.clone();
            // a small catalogue does not fill a cache: repeats keep the request's size
            let own = other.len().max(1);
            for turn in 0..NAMED.saturating_sub(client.settled.installed.len() + other.len()) {
                other.push(other[turn % own]);
            }
            let request = requests::software(&client.cookie, client.settled.installed.clone(), other, number);
            Some(requests::body(&request))
        })?;
        let limits =
            |row: Row| row.within([Limit::of_at_most(Figure::P50Us, 40.0), Limit::of_at_most(Figure::P99Us, 250.0)]);
        let identity = (">= 0.5 of null, >= 2.0 of tokeniser, p50 < 40 us, p99 < 250 us", 0.5, Some(2.0));
        let xpress = (">= 0.45 of null, p50 < 40 us, p99 < 250 us", 0.45, None);
        Ok(vec![
            limits(self.compare("steady", &bodies, false, identity)?),
            limits(self.compare("steady", &bodies, true, xpress)?),
        ])
    }

    fn driver(&self, tell: &dyn Fn(&str)) -> anyhow::Result<Row> {
        tell(&format!("{} revisions: driver passes", self.size));
        let bodies = self.bodies("driver", |number, client| {
            Some(requests::body(&requests::driver(&client.cookie, client.settled.installed.clone(), number)))
        })?;
        self.compare("driver", &bodies, false, (">= 0.3 of null", 0.3, None))
    }

    /// Pages of 30 typical entries: each computer lacks 30 small revisions of its own.
    fn page(&self, tell: &dyn Fn(&str)) -> anyhow::Result<Vec<Row>> {
        tell(&format!("{} revisions: pages of 30", self.size));
        let bodies = self.bodies("page", |number, client| {
            let mut other = client.settled.other.clone();
            Random::new(number).shuffle(&mut other);
            let mut left_out = 0;
            other.retain(|id| {
                let small = left_out < 30 && self.fixture.core_len(*id).is_some_and(|length| length < TYPICAL);
                left_out += usize::from(small);
                !small
            });
            let request = requests::software(&client.cookie, client.settled.installed.clone(), other, number);
            (left_out == 30).then(|| requests::body(&request))
        })?;
        let identity = self.compare("page", &bodies, false, (">= 0.45 of null", 0.45, None))?;
        let mut xpress =
            self.compare("page", &bodies, true, (">= 0.35 of null at <= 0.4 of the identity size", 0.35, None))?;
        let (plain, packed) = (self.answer_size(&bodies, false)?, self.answer_size(&bodies, true)?);
        xpress.budget = format!("{}, {:.2} of {plain:.0} B", xpress.budget, packed / plain);
        xpress.met = xpress.met.map(|met| met && packed / plain <= 0.4);
        Ok(vec![identity, xpress])
    }

    fn answer_size(&self, bodies: &Path, xpress: bool) -> anyhow::Result<f64> {
        let command = Command { requests: Some(COMPUTERS), ..self.command(requests::PATH, bodies, xpress, false)? };
        let outcome = Load::start()?.run(&command)?;
        Ok(outcome.bytes as f64 / outcome.requests.max(1) as f64)
    }

    /// The largest revision that some computer has, and the request of that computer without it.
    fn giant_request(&self) -> Option<(u32, PathBuf)> {
        let of = |client: &Client| {
            let sizes = client.settled.other.iter().filter_map(|id| Some((self.fixture.core_len(*id)?, *id)));
            sizes.max()
        };
        let (length, id, client): (u32, RevisionId, &Client) = self
            .clients
            .iter()
            .filter_map(|client| of(client).map(|(length, id)| (length, id, client)))
            .max_by_key(|it| it.0)?;
        let other = client.settled.other.iter().copied().filter(|other| *other != id).collect();
        let request = requests::software(&client.cookie, client.settled.installed.clone(), other, 0);
        let path = self.home.join("giant.bodies");
        write_bodies(&path, &[requests::body(&request)]).ok()?;
        Some((length, path))
    }

    fn giant(&self, tell: &dyn Fn(&str)) -> anyhow::Result<Vec<Row>> {
        tell(&format!("{} revisions: pages with a giant", self.size));
        let (length, bodies) = self.giant_request().context("no computer has anything large")?;
        let mut rows = Vec::new();
        for xpress in [false, true] {
            let mut load = Load::start()?;
            let command = self.command(requests::PATH, &bodies, xpress, false)?;
            let alone = load.run(&Command { connections: 1, seconds: 2.0, ..command.clone() })?;
            let before = self.server.resident();
            let watch = self.server.watch();
            let together = load.run(&Command { seconds: 4.0, requests: Some(4 * CONNECTIONS as u64), ..command })?;
            let grown = watch.peak().saturating_sub(before);
            ensure!(together.errors == 0, "giant pages broke: {together:?}");
            let of_size = format!(
                "fragment of {:.1} MB{}",
                f64::from(length) / 1e6,
                if length < GIANT { " (this catalogue has no larger one)" } else { "" }
            );
            let row = |case: &str, value: f64, unit, budget: String| Row {
                case: case.to_owned(),
                revisions: self.size,
                coding: Some(if xpress { "xpress" } else { "identity" }),
                value,
                unit,
                pairs: alone.requests as usize,
                budget,
                ..Row::default()
            };
            let first = row("giant", alone.first_byte_p50_us / 1e3, "ms to first byte", of_size);
            let rate = format!("{CONNECTIONS} at once: {:.1} answers/s", together.rate());
            let memory = row("giant_memory", grown as f64 / 1e6, "MB more", rate);
            rows.extend([first.within([Limit::most(20.0)]), memory.within([Limit::most(64.0)])]);
        }
        Ok(rows)
    }

    /// Compiling and swapping, and the slowest request while it happens over and over.
    fn swap(&self, tell: &dyn Fn(&str)) -> anyhow::Result<[Row; 2]> {
        tell(&format!("{} revisions: rebuild and swap", self.size));
        let bodies = self.home.join("steady.bodies");
        let address = self.server.client()?;
        let command = Command { seconds: 6.0, connections: 8, ..self.command(requests::PATH, &bodies, false, false)? };
        let quiet = Load::start()?.run(&command)?;
        let mut load = Load::start()?;
        let running = std::thread::spawn(move || load.run(&command));
        let mut times = Vec::new();
        while !running.is_finished() {
            times.push(serde_json::from_slice::<f64>(&crate::server::fetch(address, "/bench/publish")?)?);
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let busy = running.join().map_err(|_| anyhow::anyhow!("the load ended badly"))??;
        let most = if self.size <= 20_000 { 60.0 } else { 300.0 };
        let row = |case: &str, value: f64, unit| Row {
            case: case.to_owned(),
            revisions: self.size,
            value,
            unit,
            pairs: times.len(),
            ..Row::default()
        };
        let slowest = Row {
            baseline: Some("the slowest request of the same load without swaps"),
            ratio_null: Some(quiet.max_us / busy.max_us),
            budget: format!("the slowest of {} requests; {:.1} ms without swaps", busy.requests, quiet.max_us / 1e3),
            ..row("swap_slowest", busy.max_us / 1e3, "ms max")
        };
        // a machine that is slow without swaps, too, is not slow because of them
        let slowest = slowest.within([Limit::most((1.5 * quiet.max_us / 1e3).max(50.0))]);
        Ok([row("swap", median(times.clone()), "ms under load").within([Limit::most(most)]), slowest])
    }

    /// Resident memory after everything above, with 64 giant pages in flight.
    fn memory(&self, tell: &dyn Fn(&str)) -> anyhow::Result<Row> {
        tell(&format!("{} revisions: memory", self.size));
        let mut peak = 0;
        if let Some((_, bodies)) = self.giant_request() {
            let watch = self.server.watch();
            Load::start()?.run(&Command {
                requests: Some(2 * CONNECTIONS as u64),
                seconds: 4.0,
                ..self.command(requests::PATH, &bodies, false, false)?
            })?;
            peak = watch.peak();
        }
        let row = Row {
            case: "memory".to_owned(),
            revisions: self.size,
            value: peak.max(self.server.resident()) as f64 / 1e6,
            unit: "MB resident",
            budget: format!("after everything above; {:.0} MB after the start", self.rest as f64 / 1e6),
            ..Row::default()
        };
        Ok(row.within_if(self.size == 20_000, [Limit::most(350.0)]))
    }

    /// What the catalogue takes on disk.
    fn stored(&self) -> anyhow::Result<Row> {
        Ok(Row {
            case: "stored".to_owned(),
            revisions: self.size,
            value: self.home.stored()? as f64 / 1e6,
            unit: "MB on disk",
            budget: format!("{:.0} MB of documents", self.fixture.document_bytes as f64 / 1e6),
            ..Row::default()
        })
    }
}
