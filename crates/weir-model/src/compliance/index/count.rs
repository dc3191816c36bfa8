//! Counting what many computers add up to.

use super::{
    super::{
        Tally,
        accumulator::{Accumulator, LateMasks},
        chunk::Chunk,
        class::Class,
        planes::Planes,
    },
    Index, Members,
};

/// Computers from which on a count is shared out; fewer are counted sooner than threads start.
pub(super) const SHARED_FROM: usize = 20_000;
/// Threads of one count.
const MOST_THREADS: usize = 8;

/// How many threads share a count out.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
}

impl Index {
    /// Sums over members, by class. Large fleets are shared out among the processors.
    pub(super) fn accumulate(&self, members: &Members, classes: &[Class]) -> (Vec<Accumulator>, Vec<LateMasks>) {
        let threads = threads();
        if threads == 1 || self.slots.len() < SHARED_FROM {
            return self.accumulate_part(members, classes, &self.chunks);
        }
        let part = self.chunks.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let work = |chunks| scope.spawn(move || self.accumulate_part(members, classes, chunks));
            let others: Vec<_> = self.chunks.chunks(part).skip(1).map(work).collect();
            let first = self.chunks.chunks(part).next().unwrap_or_default();
            let (mut sums, masks) = self.accumulate_part(members, classes, first);
            for other in others {
                let more = match other.join() {
                    Ok((more, _)) => more,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                for (sums, more) in sums.iter_mut().zip(&more) {
                    sums.merge(more);
                }
            }
            (sums, masks)
        })
    }

    fn accumulate_part(
        &self,
        members: &Members,
        classes: &[Class],
        chunks: &[Chunk],
    ) -> (Vec<Accumulator>, Vec<LateMasks>) {
        let mut by_class = vec![0; self.classes.len()];
        let mut sums: Vec<Accumulator> = classes.iter().map(|_| Accumulator::default()).collect();
        let mut masks: Vec<LateMasks> = classes.iter().map(|_| LateMasks::default()).collect();
        let mut planes: Vec<Planes> = classes.iter().map(|_| Planes::default()).collect();
        for sums in &mut sums {
            sums.reserve(self.columns.len());
        }
        for chunk in chunks {
            self.lanes(members, chunk, &mut by_class);
            let parts = classes.iter().zip(&by_class).zip(&mut sums).zip(&mut masks).zip(&mut planes);
            for ((((class, lanes), sums), masks), planes) in parts.filter(|part| *part.0.0.0.1 != 0) {
                sums.add_many(class, chunk, *lanes, masks, planes);
            }
        }
        for (sums, planes) in sums.iter_mut().zip(planes) {
            sums.absorb(planes);
        }
        (sums, masks)
    }
}

/// What all classes have in sum.
pub(super) fn merged(classes: &[Class], sums: &[Accumulator]) -> Tally {
    let mut tally = Tally::default();
    for (class, sums) in classes.iter().zip(sums) {
        tally.merge(sums.tally(class));
    }
    tally
}
