//! Units of work of the database: the time that each waits for its connection and has it, and a span of its own.

use std::time::{Duration, Instant};

use tracing::{debug_span, span::EnteredSpan};
use weir_store::{Observed, Observer, UnitKind};

use super::{Unit, meters::meters};

/// Measures units of work.
pub(crate) struct Units;

impl Observer for Units {
    fn unit(&self, kind: UnitKind) -> Box<dyn Observed> {
        let (unit, span) = match kind {
            UnitKind::Read => (Unit::Read, debug_span!("store.read")),
            UnitKind::Write => (Unit::Write, debug_span!("store.write")),
        };
        meters().store_waiting.of(unit.word()).increment(1.0);
        Box::new(Running { unit: unit.word(), asked: Instant::now(), waited: None, _inside: span.entered() })
    }
}

/// A unit of work that waits or runs.
struct Running {
    unit: &'static str,
    asked: Instant,
    /// How long it waited, once it began.
    waited: Option<Duration>,
    _inside: EnteredSpan,
}

impl Observed for Running {
    fn begins(&mut self) {
        let waited = self.asked.elapsed();
        self.waited = Some(waited);
        let meters = meters();
        meters.store_waiting.of(self.unit).decrement(1.0);
        meters.store_wait.of(self.unit).record(waited.as_secs_f64());
    }

    fn ends(&mut self, good: bool) {
        let meters = meters();
        let had = self.asked.elapsed().saturating_sub(self.waited.unwrap_or_default());
        meters.store_unit.of(self.unit).record(had.as_secs_f64());
        if !good {
            meters.store_failures.of(self.unit).increment(1);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it never got its connection
        if self.waited.is_none() {
            meters().store_waiting.of(self.unit).decrement(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use weir_store::{Actor, Options, Store, StoreError};

    use super::*;

    /// Counts what it is told, in order: asked, begun, ended well, ended otherwise.
    #[derive(Clone, Default)]
    struct Counting(Arc<[AtomicUsize; 4]>);

    impl Counting {
        fn all(&self) -> [usize; 4] {
            std::array::from_fn(|at| self.0[at].load(Ordering::Relaxed))
        }

        fn add(&self, at: usize) {
            self.0[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Observer for Counting {
        fn unit(&self, _kind: UnitKind) -> Box<dyn Observed> {
            self.add(0);
            Box::new(self.clone())
        }
    }

    impl Observed for Counting {
        fn begins(&mut self) {
            self.add(1);
        }

        fn ends(&mut self, good: bool) {
            self.add(if good { 2 } else { 3 });
        }
    }

    #[test]
    fn every_unit_of_work_is_told_of_once_however_it_ends() {
        let folder = tempfile::tempdir().expect("folder");
        let database = weir_testkit::engine::database(folder.path());
        let options = Options { database, ..Options::default() };
        let store = Store::open(folder.path(), &options).expect("store");
        let counting = Counting::default();
        store.observe(Arc::new(counting.clone()));
        store.observe(Arc::new(Units));
        let actor = Actor::system("test", jiff::Timestamp::UNIX_EPOCH);
        store.read(|tx| tx.catalogue_version().map(drop)).expect("read");
        store.write(&actor, |tx| tx.change_next().map(drop)).expect("written");
        assert_eq!(counting.all(), [2, 2, 2, 0], "the first who asked is told");
        let refused = store.write(&actor, |_| Err::<(), _>(StoreError::Exhausted("nothing")));
        assert!(refused.is_err());
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = store.read(|_| -> Result<(), StoreError> { panic!("a bug") });
        }));
        assert!(panicked.is_err());
        assert_eq!(counting.all(), [4, 4, 2, 1]);
    }
}
