//! That something changed in the database: for those who look again only then.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Counts changes, whoever makes them.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    count: Mutex<u64>,
    more: Condvar,
}

impl Changes {
    /// Something changed, or may have changed unheard.
    pub(crate) fn happened(&self) {
        let mut count = self.count.lock();
        *count = count.wrapping_add(1);
        drop(count);
        self.more.notify_all();
    }

    pub(crate) fn count(&self) -> u64 {
        *self.count.lock()
    }

    /// Waits until the count is no longer `seen`, at most so long, and returns it.
    pub(crate) fn wait(&self, seen: u64, at_most: Duration) -> u64 {
        let mut count = self.count.lock();
        self.more.wait_while_for(&mut count, |count| *count == seen, at_most);
        *count
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn a_change_ends_the_wait() {
        let changes = Arc::new(Changes::default());
        let seen = changes.count();
        assert_eq!(changes.wait(seen, Duration::from_millis(10)), seen);
        let told = Arc::clone(&changes);
        let thread = thread::spawn(move || told.happened());
        let now = changes.wait(seen, Duration::from_secs(60));
        assert_ne!(now, seen);
        // one that came before is not waited for
        assert_eq!(changes.wait(seen, Duration::from_secs(60)), now);
        thread.join().expect("no panic");
    }
}
