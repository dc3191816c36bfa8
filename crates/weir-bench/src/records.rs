//! What else is asked of stored compliance: failures by code, exposure, the record of the day, freshness, reports as CSV, the bulk
//! export as Parquet. All of it through the functions behind REST, on a filled store.
//!
//! The baseline is a naive pass over all stored statuses in the same run: each is decoded, and each of its entries looked at.

use std::{fmt::Display, hint::black_box, path::Path, time::Instant};

use anyhow::{anyhow, ensure};
use weir_model::status::ComputerStatus;
use weir_server::{
    admin::{AdminError, Measured},
    state::{AppState, ClientSettings},
};
use weir_store::{Store, content::ContentStore};

use crate::{
    engine::Engine,
    fleet::{Fleet, SMALL_NAME},
    measure::{PAIRS, Row, exponent, median},
};

/// Updates that computers report on, where nothing else is asked for.
pub(crate) const UPDATES: usize = 5_000;
/// A report of each group, by id.
const REPORTS: [&str; 6] = [
    "compliance-overall",
    "updates-required-not-deployed",
    EVALUATION,
    "scan-collections",
    "deployment-errors",
    "failing-updates",
];
/// The one that is about a deployment.
const EVALUATION: &str = "evaluation";
/// The case that stands for the suite where one figure is wanted.
const ERRORS: &str = "failures by code";
const EXPORT: &str = "export of a small collection as Parquet";
const FIRST: &str = "exposure, first answer";
const RECORD: &str = "record of the day";

/// Rows, and the exponent by which putting failures into groups grows with the fleet.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) exponent: Option<f64>,
}

/// Something that is measured.
struct Case {
    name: String,
    /// Milliseconds of each run.
    times: Vec<f64>,
    /// How often it could be done while the baseline of its round is done once.
    ratios: Vec<f64>,
}

/// Measures fleets of these sizes.
pub(crate) async fn measure(
    engine: &Engine,
    folder: &Path,
    sizes: &[usize],
    updates: usize,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let (mut rows, mut growth) = (Vec::new(), Vec::<(String, Vec<(f64, f64)>)>::new());
    for size in sizes {
        let home = engine.home(folder.join(format!("records-{size}")))?;
        tell(&format!("records: storing {size} computers that report on {updates} updates"));
        let fleet = Fleet::fill(&home, *size, updates, 0).await?;
        let deployment = fleet.deploy()?.to_string();
        let content = ContentStore::open(&home.join("content"))?;
        let state = AppState::open(fleet.store.clone(), content, ClientSettings::default()).await?;
        let plane = Measured::new(state, home.data()).map_err(refused)?;
        tell(&format!("records: {size} computers"));
        for (name, time, row) in fleet_rows(&fleet, &plane, &deployment, *size).await? {
            match growth.iter_mut().find(|(known, _)| *known == name) {
                Some((_, points)) => points.push((*size as f64, time)),
                None => growth.push((name, vec![(*size as f64, time)])),
            }
            rows.push(row);
        }
        std::fs::remove_dir_all(home.data())?;
    }
    let mut whole = None;
    for (name, points) in growth.iter().filter(|(_, points)| points.len() > 1) {
        let power = exponent(points);
        if name == ERRORS {
            whole = Some(power);
        }
        rows.push(Row { case: format!("growth: {name}"), value: power, unit: "exponent", ..Row::default() });
    }
    Ok(Figures { rows, exponent: whole })
}

fn refused(error: AdminError) -> anyhow::Error {
    anyhow!("{error}")
}

/// Milliseconds since then.
fn since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// The baseline: milliseconds, and how many entries there are.
fn naive(store: &Store) -> anyhow::Result<(f64, u64)> {
    let (started, mut entries, mut failures) = (Instant::now(), 0, 0_u64);
    store.read(|tx| {
        tx.feed_status_each(&mut |_, bytes| {
            let status = ComputerStatus::decode(bytes).unwrap_or_default();
            for entry in status.entries() {
                entries += 1;
                failures += u64::from(entry.error.is_some());
            }
        })
    })?;
    black_box(failures);
    Ok((since(started), entries))
}

/// Runs of all cases, each beside the baseline of its round.
struct Runs {
    cases: Vec<Case>,
    naive: f64,
}

impl Runs {
    fn note(&mut self, name: impl Display, took: f64) {
        let name = name.to_string();
        let ratio = self.naive / took;
        match self.cases.iter_mut().find(|case| case.name == name) {
            Some(case) => {
                case.times.push(took);
                case.ratios.push(ratio);
            }
            None => self.cases.push(Case { name, times: vec![took], ratios: vec![ratio] }),
        }
    }
}

/// The rows of a fleet, each with the name of its case and its milliseconds.
async fn fleet_rows(
    fleet: &Fleet,
    plane: &Measured,
    deployment: &str,
    size: usize,
) -> anyhow::Result<Vec<(String, f64, Row)>> {
    // the index, the search over updates and caches of the system are there before anything is measured
    let mut groups = plane.errors().await.map_err(refused)?;
    ensure!(groups > 1, "{groups} groups of failures");
    naive(&fleet.store)?;
    let mut runs = Runs { cases: Vec::new(), naive: naive(&fleet.store)?.0 };
    let started = Instant::now();
    let exposed = plane.exposure().await.map_err(refused)?;
    let first = (since(started), runs.naive);
    ensure!(exposed > 0 && exposed <= size as u64, "{exposed} computers are exposed");
    let (mut baselines, mut entries, mut subjects, mut bytes) = (Vec::new(), 0, 0, 0);
    for round in 0..PAIRS {
        let (took, seen) = naive(&fleet.store)?;
        (runs.naive, entries) = (took, seen);
        baselines.push(took);
        let started = Instant::now();
        groups = plane.errors().await.map_err(refused)?;
        runs.note(ERRORS, since(started));
        fleet.report(round)?;
        let started = Instant::now();
        plane.exposure().await.map_err(refused)?;
        runs.note("exposure after one report", since(started));
        let started = Instant::now();
        plane.exposure().await.map_err(refused)?;
        runs.note("exposure, nothing changed", since(started));
        let started = Instant::now();
        subjects = plane.record().await.map_err(refused)?;
        runs.note(RECORD, since(started));
        let started = Instant::now();
        let computers = plane.freshness().await.map_err(refused)?;
        runs.note("freshness", since(started));
        ensure!(computers == size as u64, "{computers} computers instead of {size}");
        for id in REPORTS {
            let given =
                if id == EVALUATION { vec![("deployment".to_owned(), deployment.to_owned())] } else { Vec::new() };
            let started = Instant::now();
            ensure!(plane.report(id, &given).await.map_err(refused)? > 0, "the report {id} is empty");
            runs.note(format_args!("{id} as CSV"), since(started));
        }
        let started = Instant::now();
        bytes = plane.export(SMALL_NAME).await.map_err(refused)?;
        runs.note(EXPORT, since(started));
    }
    let (naive, listed) = (median(baselines), fleet.listed_by_few()?);
    let budget = |name: &str| match name {
        ERRORS => {
            format!("the baseline takes {naive:.0} ms; {groups} groups")
        }
        EXPORT => format!("{listed} rows, {bytes} bytes; the ratio is to decoded entries/s"),
        FIRST => format!("documents and everybody, once; {exposed} computers are exposed"),
        RECORD => format!("{subjects} subjects"),
        _ => String::new(),
    };
    let row = |name: &str, value: f64, ratio: f64| Row {
        case: name.to_owned(),
        revisions: size,
        value,
        unit: "ms",
        baseline: Some("decoding every stored status and looking at its entries"),
        ratio_null: Some(ratio),
        budget: budget(name),
        ..Row::default()
    };
    let (took, baseline) = first;
    let mut rows = vec![(FIRST.to_owned(), took, row(FIRST, took, baseline / took))];
    for Case { name, times, mut ratios } in runs.cases {
        let took = median(times);
        let mut found = Row { pairs: PAIRS, ..row(&name, took, 0.0) };
        if name == EXPORT {
            // rates of both: it is of a part of the computers
            for ratio in &mut ratios {
                *ratio *= listed as f64 / entries as f64;
            }
            (found.value, found.unit) = (listed as f64 * 1e3 / took, "rows/s");
        }
        ratios.sort_by(f64::total_cmp);
        found.spread = ratios.first().copied().zip(ratios.last().copied());
        found.ratio_null = Some(median(ratios));
        rows.push((name, took, found));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_small_fleet_answers_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        let figures = measure(&Engine::default(), folder.path(), &[240, 480], 1_000, &|_| {}).await.expect("measures");
        // six reports and six others, the first answer, and the growth of each
        assert_eq!(figures.rows.len(), 2 * 13 + 13);
        assert!(figures.exponent.is_some());
        assert!(figures.rows.iter().all(|row| row.value.is_finite()), "{:?}", figures.rows);
    }
}
