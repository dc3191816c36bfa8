//! First scans over HTTP, in calls: of a plausible computer and of one to which everything applies, over catalogues of several sizes.

use std::path::Path;

use weir_testkit::{
    Computer, Random, ScriptedAgent,
    catalogue::{Shape, Sizes},
};

use crate::{
    engine::Engine,
    fixture,
    measure::{Limit, Row},
    server::Server,
};

/// Live revisions in scope; the last one is that of the budget.
const SIZES: [usize; 3] = [1_250, 2_500, BUDGET];
const BUDGET: usize = 5_000;
/// The same in a quick run.
const QUICK: [usize; 2] = [300, 600];
/// Revisions that a settled, plausible computer has in its cache, of the size of the budget.
const CACHED: usize = 1_490;
/// Most bytes of new updates in an answer, as the server has it by default; what is around them.
const PAGE: u64 = 5 << 20;
const AROUND: u64 = 1 << 20;

/// Calls of first scans.
pub(crate) async fn measure(
    engine: &Engine,
    scratch: &Path,
    quick: bool,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Vec<Row>> {
    let sizes: &[usize] = if quick { &QUICK } else { &SIZES };
    let mut rows = Vec::new();
    for size in sizes {
        tell(&format!("{size} revisions: first scans"));
        rows.extend(of_size(engine, scratch, *size).await?);
    }
    Ok(rows)
}

async fn of_size(engine: &Engine, scratch: &Path, size: usize) -> anyhow::Result<Vec<Row>> {
    let home = engine.home(scratch.join(format!("first-scan-{size}")))?;
    let fixture = fixture::build(&home, Shape { revisions: size, sizes: Sizes::Genuine, seed: 2 }).await?;
    let server = Server::start(&home)?;
    let plausible = fixture.share_for(CACHED * size / BUDGET);
    let mut rows = Vec::new();
    for (case, share, most) in [("plausible", plausible, 60), ("everything", 1.0, 100)] {
        let mut computer = Computer::numbered(0xf1);
        computer.client_id = uuid::Uuid::new_v4().to_string();
        computer.installed_limit = usize::MAX;
        if share < 1.0 {
            // what does not hold is drawn once; the scan then runs over the wire
            let mut random = Random::new(7);
            let varies = fixture.catalogue.detectoids.iter().chain(&fixture.catalogue.products);
            computer.not_applicable = varies.filter(|_| !random.chance(share)).copied().collect();
        }
        let mut agent = ScriptedAgent::new(&server.client_url()?, computer)?;
        let outcome = agent.scan().await?;
        let delivered = outcome.new_updates().count();
        let largest_entry = fixture.largest_core();
        let within = outcome.largest <= u64::from(largest_entry).max(PAGE) + AROUND;
        let row = Row {
            case: format!("first_scan_{case}"),
            revisions: size,
            value: outcome.calls as f64,
            unit: "calls",
            answer_bytes: Some(outcome.bytes as f64 / outcome.calls.max(1) as f64),
            budget: format!(
                "{delivered} delivered, {:.0} MB, largest answer {:.1} MB with a largest entry of {:.1} MB",
                outcome.bytes as f64 / 1e6,
                outcome.largest as f64 / 1e6,
                f64::from(largest_entry) / 1e6
            ),
            met: (size == BUDGET).then_some(within),
            ..Row::default()
        };
        rows.push(row.within_if(size == BUDGET, [Limit::most(f64::from(most))]));
    }
    drop(server);
    home.remove()?;
    Ok(rows)
}
