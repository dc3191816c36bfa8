//! What a fleet takes: measured unit costs times load, with the arithmetic. `docs/scale.md` explains the formulas.
//!
//! Nothing is assumed to be better than it was measured, and what was not measured stays a gap.

mod sums;
mod units;

use serde::Serialize;

pub use sums::Line;
pub use units::{Read, ReadMachine, Unit};

use sums::Sums;
use units::{Named, Place, ReadRow, Units};

use crate::{budgets::short, row::Database};

/// The fleet, and what is assumed of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ask {
    /// Computers in all.
    pub computers: u64,
    /// Regions, each with a site, a database and front ends of its own; computers are spread evenly.
    pub regions: u64,
    /// Live revisions of the catalogue.
    pub revisions: u64,
    /// Hours between two scans of a computer. Agents take 22 less up to a fifth at random unless told otherwise: 19.8 in the mean.
    pub scan_hours: f64,
    /// The share of all computers that scans in the peak of a morning.
    pub peak_share: f64,
    /// How long that peak is, in minutes.
    pub peak_minutes: f64,
    /// How much of a machine the plan may use: the rest is for what is not in the model, and for one front end that is away.
    pub use_share: f64,
    /// Megabytes of content that a computer takes in a month.
    pub content_mb: f64,
    /// Hours in which most of it goes out.
    pub content_hours: f64,
    /// The share of content that computers get from each other.
    pub content_shared: f64,
    /// Processors of a front end; as many as the measured machine had if none.
    pub cores: Option<u32>,
    /// What keeps the data of a region; PostgreSQL if none and the report has durable reports on it, else the embedded database.
    pub database: Option<Database>,
}

impl Ask {
    /// A fleet in one region, with what is assumed unless something else is said.
    pub fn new(computers: u64) -> Self {
        Self {
            computers,
            regions: 1,
            revisions: 20_000,
            scan_hours: 19.8,
            peak_share: 0.5,
            peak_minutes: 60.0,
            use_share: 0.5,
            content_mb: 1_500.0,
            content_hours: 72.0,
            content_shared: 0.0,
            cores: None,
            database: None,
        }
    }
}

/// Connections of a front end to PostgreSQL: readers, the writer, and the one that hears of changes.
fn connections() -> f64 {
    weir_store::Options::default().readers as f64 + 2.0
}

/// What is no part of a plan, in words.
fn gaps(database: Database) -> Vec<&'static str> {
    let of_the_database = match database {
        Database::Sqlite => {
            "Several front ends need PostgreSQL, which this plan is not for: a region on the embedded database has one, and where \
             more are worked out, one is not enough. `weir bench all --postgres` measures both."
        }
        Database::Postgresql => {
            "Several front ends on one database: their processors are added up, as if each did what one does alone. They write in \
             turn, and what the database takes from all of them is what it took from one, which was on the same machine."
        }
    };
    vec![
        "Handshakes and TLS: scans are measured over plain HTTP with a cookie that the computer has.",
        of_the_database,
        "Roll-ups between regions, and what administrators ask for.",
        "A cold cache, and a network between the load and the server, and between that and PostgreSQL.",
    ]
}

/// Where durable reports on PostgreSQL stand.
fn reports_on_postgresql() -> Place {
    Place::new("report", "reports_postgresql", ReadRow::value)
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// What was asked.
    pub ask: Ask,
    /// What keeps the data of a region.
    pub database: Database,
    /// The measured costs.
    pub units: Vec<Unit>,
    /// The arithmetic, line by line. Of one region, unless a line says otherwise.
    pub lines: Vec<Line>,
    /// What is no part of it.
    pub gaps: Vec<&'static str>,
}

/// Plans a fleet by a report.
pub fn plan(report: &Read, ask: Ask) -> Plan {
    let database = ask.database.unwrap_or_else(|| report.database());
    let mut units = Units::new(report, database);
    let costs = Costs::take(&mut units, &ask, database);
    let cores = Some(f64::from(ask.cores.unwrap_or(report.machine.cores)));
    let mut sums = Sums::default();
    let load = Load::add(&mut sums, &ask);
    let front_ends = processors(&mut sums, &ask, &costs, &load, ("processors of a front end", cores));
    stored(&mut sums, &costs, &load, front_ends);
    network(&mut sums, &ask, &costs, &load);
    events(&mut sums, &ask, &costs, &load);
    Plan { ask, database, units: units.taken, lines: sums.lines, gaps: gaps(database) }
}

/// Measured costs by name.
struct Costs {
    rescan: Named,
    driver: Named,
    report: Named,
    rescan_bytes: Named,
    driver_bytes: Named,
    report_bytes: Named,
    reports: Named,
    of_database: OfDatabase,
    index: Named,
    catalogue: Named,
    status: Named,
    stored: Named,
    content: Named,
    first_scans: Named,
    restart: Named,
    synchronized: Named,
}

/// What there is to know of one database and not of the other.
enum OfDatabase {
    /// Durable reports with flushes that take 10 ms more.
    Sqlite(Named),
    /// Processor time of PostgreSQL for a report.
    Postgresql(Named),
}

impl OfDatabase {
    fn take(units: &mut Units<'_>, database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let slow = Place::new("report", "reports_slow_flush", ReadRow::value);
                Self::Sqlite(units.take("durable reports, flushes 10 ms slower", "reports/s", &slow, None))
            }
            Database::Postgresql => {
                let report = Place::new("report", "reports_postgresql", ReadRow::database_cpu_us);
                Self::Postgresql(units.take("status report, at PostgreSQL", "us", &report, None))
            }
        }
    }
}

impl Costs {
    fn take(units: &mut Units<'_>, ask: &Ask, database: Database) -> Self {
        let case = match database {
            Database::Sqlite => "reports",
            Database::Postgresql => "reports_postgresql",
        };
        let report = |of: fn(&ReadRow) -> Option<f64>| Place::new("report", case, of);
        let near = usize::try_from(ask.revisions).ok();
        let scan = |case: &'static str, of: fn(&ReadRow) -> Option<f64>| Place::new("scan", case, of);
        let months = Place::new("morning", "on disk, after 24 months", ReadRow::value);
        Self {
            rescan: units.take("rescan", "us", &scan("steady", ReadRow::cpu_us).coded("xpress"), near),
            driver: units.take("driver pass", "us", &scan("driver", ReadRow::cpu_us), near),
            report: units.take("status report", "us", &report(ReadRow::cpu_us), None),
            rescan_bytes: units.take(
                "bytes of a rescan",
                "bytes",
                &scan("steady", ReadRow::both_ways).coded("xpress"),
                near,
            ),
            driver_bytes: units.take("bytes of a driver pass", "bytes", &scan("driver", ReadRow::both_ways), near),
            report_bytes: units.take("bytes of a report", "bytes", &report(ReadRow::both_ways), None),
            reports: units.take("durable reports", "reports/s", &report(ReadRow::value), None),
            of_database: OfDatabase::take(units, database),
            index: units.take(
                "index for each computer",
                "bytes",
                &Place::new("compliance", "resident", ReadRow::bytes_each),
                None,
            ),
            catalogue: units.take("memory of the catalogue", "MB", &scan("memory", ReadRow::value), near),
            status: units.take("stored for each computer, 24 months", "bytes", &months, None),
            stored: units.take("stored catalogue", "MB", &scan("stored", ReadRow::value), near),
            content: units.take("content", "MB/s", &Place::new("content", "whole", ReadRow::value), None),
            first_scans: units.take(
                "first scans",
                "computers/s",
                &Place::new("storm", "everybody has scanned", ReadRow::rate),
                None,
            ),
            restart: units.take(
                "restart, for each 1000 computers",
                "s",
                &Place::new("recovery", "killed, until a scan is answered", ReadRow::for_each_thousand),
                None,
            ),
            synchronized: units.take(
                "synchronization",
                "revisions/s",
                &Place::new("sync", "sync_first", ReadRow::value).counted_in("revisions/s"),
                near,
            ),
        }
    }
}

/// What comes from computers of one region.
struct Load {
    computers: Named,
    scans: Named,
    peak: Named,
    regions: Named,
}

impl Load {
    fn add(sums: &mut Sums, ask: &Ask) -> Self {
        let all = ("computers", Some(ask.computers as f64));
        let regions = ("regions", Some(ask.regions.max(1) as f64));
        let computers = sums.line("computers of a region", "", "_ / _", [all, regions], |[all, regions]| all / regions);
        let hours = ("hours between scans", Some(ask.scan_hours));
        let scans = sums
            .line("scans a day", "", "_ x 24 / _", [computers, hours], |[computers, hours]| computers * 24.0 / hours);
        sums.line("scans a second, mean", "/s", "_ / 86400", [scans], |[scans]| scans / 86_400.0);
        let (share, minutes) =
            (("share in the peak", Some(ask.peak_share)), ("minutes of the peak", Some(ask.peak_minutes)));
        let peak = sums.line(
            "scans a second, at the peak",
            "/s",
            "_ x _ / (_ x 60)",
            [computers, share, minutes],
            |[computers, share, minutes]| computers * share / (minutes * 60.0),
        );
        Self { computers, scans, peak, regions }
    }
}

/// Processors and memory of front ends. How many a region has.
fn processors(sums: &mut Sums, ask: &Ask, costs: &Costs, load: &Load, cores: Named) -> Named {
    let scan = sums.line(
        "processor time of a scan with its report",
        "ms",
        "(_ + _ + _) / 1000",
        [costs.rescan, costs.driver, costs.report],
        |[rescan, driver, report]| (rescan + driver + report) / 1e3,
    );
    sums.line("processor time a day", "s", "_ x _ / 1000", [load.scans, scan], |[scans, scan]| scans * scan / 1e3);
    let busy =
        sums.line("processors at the peak", "", "_ x _ / 1000", [load.peak, scan], |[peak, scan]| peak * scan / 1e3);
    let used = ("share that is used", Some(ask.use_share));
    let scanning =
        sums.line("front ends for scans", "", "ceil(_ / (_ x _))", [busy, cores, used], |[busy, cores, used]| {
            (busy / (cores * used)).ceil()
        });
    let shared = ("share from other computers", Some(ask.content_shared));
    let (megabytes, hours) = (("MB of content", Some(ask.content_mb)), ("hours of content", Some(ask.content_hours)));
    let content = sums.line(
        "content",
        "MB/s",
        "_ x _ x (1 - _) / (_ x 3600)",
        [load.computers, megabytes, shared, hours],
        |[computers, megabytes, shared, hours]| computers * megabytes * (1.0 - shared) / (hours * 3_600.0),
    );
    let serving = sums.line(
        "front ends for content",
        "",
        "ceil(_ / (_ x _))",
        [content, costs.content, used],
        |[content, rate, used]| (content / (rate * used)).ceil(),
    );
    let front_ends = sums.line(
        "front ends of a region, one of them to spare",
        "",
        "_ + _ + 1",
        [scanning, serving],
        |[scanning, serving]| scanning + serving + 1.0,
    );
    sums.line("front ends in all regions", "", "_ x _", [load.regions, front_ends], |[regions, front_ends]| {
        regions * front_ends
    });
    sums.line(
        "memory of a front end",
        "MB",
        "_ + _ x _ / 1000000",
        [costs.catalogue, load.computers, costs.index],
        |[catalogue, computers, index]| catalogue + computers * index / 1e6,
    );
    front_ends
}

/// What the database of a region has to take.
fn stored(sums: &mut Sums, costs: &Costs, load: &Load, front_ends: Named) {
    sums.line(
        "reports at the peak, as a share of what one database takes",
        "",
        "_ / _",
        [load.peak, costs.reports],
        |[peak, rate]| peak / rate,
    );
    match costs.of_database {
        OfDatabase::Sqlite(slow) => {
            let what = "the same, with flushes that take 10 ms more";
            sums.line(what, "", "_ / _", [load.peak, slow], |[peak, rate]| peak / rate);
        }
        OfDatabase::Postgresql(report) => {
            let what = "processors of PostgreSQL at the peak, for reports";
            sums.line(what, "", "_ x _ / 1000000", [load.peak, report], |[peak, report]| peak * report / 1e6);
            let of_one = ("connections of a front end", Some(connections()));
            let what = "connections to PostgreSQL";
            sums.line(what, "", "_ x _", [front_ends, of_one], |[front_ends, of_one]| front_ends * of_one);
        }
    }
    sums.line(
        "database on disk, after 24 months",
        "GB",
        "(_ x _ / 1000000 + _) / 1000",
        [load.computers, costs.status, costs.stored],
        |[computers, status, stored]| (computers * status / 1e6 + stored) / 1e3,
    );
}

/// What goes over the lines of a region, content aside.
fn network(sums: &mut Sums, ask: &Ask, costs: &Costs, load: &Load) {
    let bytes = sums.line(
        "bytes of a scan with its report",
        "bytes",
        "_ + _ + _",
        [costs.rescan_bytes, costs.driver_bytes, costs.report_bytes],
        |[rescan, driver, report]| rescan + driver + report,
    );
    sums.line(
        "network at the peak, without content",
        "Mbit/s",
        "_ x _ x 8 / 1000000",
        [load.peak, bytes],
        |[peak, bytes]| peak * bytes * 8.0 / 1e6,
    );
    sums.line("network a day, without content", "GB", "_ x _ / 1000000000", [load.scans, bytes], |[scans, bytes]| {
        scans * bytes / 1e9
    });
    let megabytes = ("MB of content", Some(ask.content_mb));
    sums.line(
        "content a month, all of it",
        "TB",
        "_ x _ / 1000000",
        [load.computers, megabytes],
        |[computers, megabytes]| computers * megabytes / 1e6,
    );
}

/// What does not happen every day.
fn events(sums: &mut Sums, ask: &Ask, costs: &Costs, load: &Load) {
    sums.line(
        "first scans of all computers, by one front end, small fragments",
        "h",
        "_ / _ / 3600",
        [load.computers, costs.first_scans],
        |[computers, rate]| computers / rate / 3_600.0,
    );
    sums.line(
        "away after kill -9, until a scan is answered",
        "s",
        "_ x _ / 1000",
        [load.computers, costs.restart],
        |[computers, restart]| computers * restart / 1e3,
    );
    let revisions = ("revisions", Some(ask.revisions as f64));
    sums.line(
        "the catalogue of a new region",
        "min",
        "_ / _ / 60",
        [revisions, costs.synchronized],
        |[revisions, rate]| revisions / rate / 60.0,
    );
}

impl Plan {
    /// In lines, for people.
    pub fn text(&self) -> Vec<String> {
        let ask = &self.ask;
        let mut lines = vec![
            format!(
                "{} computers, {} regions, {} revisions, each region on {}",
                ask.computers,
                ask.regions,
                ask.revisions,
                match self.database {
                    Database::Sqlite => "the embedded database",
                    Database::Postgresql => "PostgreSQL with several front ends",
                }
            ),
            format!(
                "assumed: a scan every {} h; {} of all in {} minutes of the morning; {} of a machine is used; {} MB of content for each \
                 computer in {} h, {} of it from other computers",
                ask.scan_hours,
                ask.peak_share,
                ask.peak_minutes,
                ask.use_share,
                ask.content_mb,
                ask.content_hours,
                ask.content_shared
            ),
            String::new(),
            "MEASURED".to_owned(),
        ];
        for unit in &self.units {
            let value = unit.value.map_or_else(|| "-".to_owned(), |value| format!("{} {}", short(value), unit.unit));
            lines.push(format!("{:<40} {value:<20} {}", unit.name, unit.from));
        }
        lines.extend([String::new(), "A REGION".to_owned()]);
        lines.extend(self.lines.iter().flat_map(Line::text));
        lines.extend([String::new(), "NOT IN THE MODEL".to_owned()]);
        lines.extend(self.gaps.iter().map(|gap| (*gap).to_owned()));
        lines
    }
}

#[cfg(test)]
mod tests;
