//! Import: the genuine package to committed rows, and how it grows with synthetic catalogues.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use weir_server::import::{Batch, Input};
use weir_store::Actor;
use weir_testkit::catalogue::{Shape, Sizes};
use weir_wire::package;

use crate::{
    engine::Engine,
    fixture,
    measure::{Limit, PAIRS, Row, exponent, median},
};

/// Rows, and the exponent by which the time grows with the number of revisions.
pub(crate) struct Figures {
    /// The package if there is one, and one row per synthetic size.
    pub(crate) rows: Vec<Row>,
    /// Growth with the number of revisions.
    pub(crate) exponent: Option<f64>,
}

/// Imports the package several times into empty stores, then synthetic catalogues of small documents once each.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    package: Option<PathBuf>,
    sizes: &[usize],
    tell: &dyn Fn(&str),
) -> anyhow::Result<Figures> {
    let mut rows = Vec::new();
    match package {
        Some(path) => rows.push(genuine(engine, scratch, &path, tell)?),
        None => rows.push(Row {
            case: "import_package".to_owned(),
            value: f64::NAN,
            unit: "s to committed rows",
            budget: "name the genuine export with --package FILE".to_owned(),
            ..Row::default()
        }),
    }
    let mut growth = Vec::new();
    for size in sizes {
        tell(&format!("import: {size} synthetic documents"));
        let home = engine.home(scratch.join(format!("import-{size}")))?;
        let started = Instant::now();
        let fixture = fixture::make(&home, Shape { revisions: *size, sizes: Sizes::Small, seed: 4 }).await?;
        let seconds = started.elapsed().as_secs_f64();
        growth.push((*size as f64, seconds));
        rows.push(Row {
            case: "import_documents".to_owned(),
            revisions: *size,
            value: seconds,
            unit: "s, generating and publishing included",
            budget: format!(
                "{:.0} documents/s, {:.0} MB/s",
                *size as f64 / seconds,
                fixture.document_bytes as f64 / seconds / 1e6
            ),
            ..Row::default()
        });
        home.remove()?;
    }
    Ok(Figures { rows, exponent: (growth.len() > 1).then(|| exponent(&growth)) })
}

fn genuine(engine: &Engine, scratch: &Path, path: &Path, tell: &dyn Fn(&str)) -> anyhow::Result<Row> {
    tell(&format!("import: {}", path.display()));
    let (mut imports, mut reads, mut records) = (Vec::new(), Vec::new(), 0);
    for turn in 0..PAIRS {
        let (read, count) = tokenise(path)?;
        reads.push(read);
        records = count;
        let home = engine.home(scratch.join(format!("import-package-{turn}")))?;
        let store = home.open()?;
        let started = Instant::now();
        let input = Input { name: path.display().to_string(), source: Box::new(File::open(path)?) };
        let mut batch = Batch::read(vec![input], &|_, _, _| {})?;
        ensure!(!batch.failed, "the package was refused: {:?}", batch.result.errors.first());
        store.try_write(&Actor::system("bench", Timestamp::now()), |tx| batch.store(tx, &|_, _, _| {}))?;
        imports.push(started.elapsed().as_secs_f64());
        drop(store);
        home.remove()?;
    }
    let value = median(imports.clone());
    let ratios = reads.iter().zip(&imports).map(|(read, import)| read / import);
    let ratio = median(ratios.collect());
    imports.sort_by(f64::total_cmp);
    let row = Row {
        case: "import_package".to_owned(),
        revisions: records,
        value,
        unit: "s to committed rows",
        ratio_tokeniser: Some(ratio),
        pairs: PAIRS,
        spread: imports.first().copied().zip(imports.last().copied()),
        budget: "the ratio is that of decompressing and tokenising alone, the spread is in seconds".to_owned(),
        ..Row::default()
    };
    // the design asks it of the embedded database
    Ok(row.within_if(engine.is_embedded(), [Limit::most(0.6)]))
}

/// The baseline: decompresses the package, frames its records and runs the XML reader over them.
fn tokenise(path: &Path) -> anyhow::Result<(f64, usize)> {
    let started = Instant::now();
    let mut reader =
        package::Reader::open(File::open(path)?, &package::Limits::default()).context("opening the package")?;
    let mut records = 0;
    for record in reader.records()? {
        let record = record?;
        let mut xml = quick_xml::Reader::from_str(&record.text);
        while !matches!(std::hint::black_box(xml.read_event()?), quick_xml::events::Event::Eof) {}
        records += 1;
    }
    Ok((started.elapsed().as_secs_f64(), records))
}
