//! A reader that asks without a pause, alone and beside a writer: what waits for whom.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use weir_store::StoreError;

use crate::load::quantile;

/// What answers took, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answers {
    pub(crate) times: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) most: f64,
}

impl Answers {
    fn of(mut took: Vec<f64>) -> Self {
        took.sort_by(f64::total_cmp);
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&took, share));
        Self { times: took.len(), p50, p99, most }
    }
}

/// Asks `times` times alone; then beside as many writes, until the last of them is done. `ask` says what it took in milliseconds.
pub(crate) fn measure(
    times: usize,
    ask: &(dyn Fn() -> Result<f64, StoreError> + Sync),
    write: &dyn Fn(usize) -> Result<(), StoreError>,
) -> anyhow::Result<(Answers, Answers)> {
    let alone = (0..times.max(1)).map(|_| ask()).collect::<Result<Vec<f64>, _>>()?;
    let done = AtomicBool::new(false);
    let beside = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut took = Vec::new();
            loop {
                // asked at least once, however quick the writer is
                took.push(ask()?);
                if done.load(Ordering::Relaxed) {
                    return Ok::<_, StoreError>(took);
                }
            }
        });
        let written = (0..times).try_for_each(write);
        done.store(true, Ordering::Relaxed);
        let took = reader.join().map_err(|_| anyhow::anyhow!("the reader ended unexpectedly"))?.context("reading")?;
        written.context("writing")?;
        anyhow::Ok(took)
    })?;
    Ok((Answers::of(alone), Answers::of(beside)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn a_reader_asks_until_everything_is_written() {
        let (asked, written) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ask = || Ok(asked.fetch_add(1, Ordering::Relaxed) as f64);
        let write = |_| {
            written.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let (alone, beside) = measure(20, &ask, &write).expect("measured");
        assert_eq!((alone.times, written.load(Ordering::Relaxed)), (20, 20));
        assert!(beside.times >= 1 && asked.load(Ordering::Relaxed) == 20 + beside.times);
        assert!((alone.most - 19.0).abs() < 1e-9 && (alone.p50 - 10.0).abs() < 1e-9, "{alone:?}");
        assert!(beside.p50 <= beside.p99 && beside.p99 <= beside.most);
    }
}
