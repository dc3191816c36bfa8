//! Answers that take long where there is much. They are kept for a while, and found again beside requests, which are told of when they
//! are; where they are quick every request has its own.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use weir_store::{ReadTx, StoreError};

use super::{AdminError, App};

/// In a catalogue of fewer revisions nothing is kept.
const MANY: usize = 10_000;
/// What takes longer than this is kept.
const SLOW: Duration = Duration::from_millis(50);
/// What is kept is found again after this, if somebody asks.
const FRESH: Duration = Duration::from_secs(5);
/// What nobody asks for any more is forgotten.
const IDLE: Duration = Duration::from_mins(15);

/// One kind of them. Clones share it.
#[derive(Debug)]
pub(crate) struct Slow<K, T>(Arc<Shared<K, T>>);

#[derive(Debug)]
struct Shared<K, T> {
    known: Mutex<Option<Known<K, T>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Known<K, T> {
    /// What it is the answer to.
    key: K,
    value: Arc<T>,
    as_of: Timestamp,
    read_at: Instant,
    took: Duration,
}

/// An answer.
pub(crate) struct Found<T> {
    pub(super) value: Arc<T>,
    /// When it was found, if that was before the question.
    pub(super) as_of: Option<Timestamp>,
}

impl<K, T> Default for Slow<K, T> {
    fn default() -> Self {
        Self(Arc::new(Shared { known: Mutex::default(), turn: Arc::default() }))
    }
}

impl<K, T> Clone for Slow<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: PartialEq, T> Known<K, T> {
    fn serves(&self, key: &K, oldest: Duration) -> bool {
        self.key == *key && self.took >= SLOW && self.read_at.elapsed() < oldest
    }
}

impl<K, T> Slow<K, T>
where
    K: Clone + PartialEq + Send + 'static,
    T: Send + Sync + 'static,
{
    /// What `find` finds for a key, or found no longer ago than `oldest`.
    pub(super) async fn current(
        &self,
        app: &App,
        key: K,
        oldest: Duration,
        find: impl FnOnce(&ReadTx<'_>, &K) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Found<T>, AdminError> {
        if app.state.live.current().snapshot.len() < MANY {
            let value = app.read(move |tx| Ok(Arc::new(find(tx, &key)?))).await?;
            return Ok(Found { value, as_of: None });
        }
        if let Some((found, age)) = self.kept(&key, oldest) {
            if age >= FRESH {
                self.renew(app, key, find);
            }
            return Ok(found);
        }
        // one at a time, unless it is known to be quick
        let is_quick = self.0.known.lock().as_ref().is_some_and(|known| known.took < SLOW);
        let turn = if is_quick { None } else { Some(Arc::clone(&self.0.turn).lock_owned().await) };
        if let Some((found, _)) = self.kept(&key, oldest) {
            return Ok(found);
        }
        let value = self.find(app, key, find).await?;
        drop(turn);
        Ok(Found { value, as_of: None })
    }

    fn kept(&self, key: &K, oldest: Duration) -> Option<(Found<T>, Duration)> {
        let known = self.0.known.lock();
        let known = known.as_ref().filter(|known| known.serves(key, oldest))?;
        let found = Found { value: Arc::clone(&known.value), as_of: Some(known.as_of) };
        Some((found, known.read_at.elapsed()))
    }

    async fn find(
        &self,
        app: &App,
        key: K,
        find: impl FnOnce(&ReadTx<'_>, &K) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Arc<T>, AdminError> {
        let known = app.read(move |tx| {
            let (read_at, as_of) = (Instant::now(), Timestamp::now());
            let value = Arc::new(find(tx, &key)?);
            Ok(Known { key, value, as_of, read_at, took: read_at.elapsed() })
        });
        let known = known.await?;
        let value = Arc::clone(&known.value);
        if known.took >= SLOW {
            self.forget_later();
        }
        *self.0.known.lock() = Some(known);
        Ok(value)
    }

    /// Finds it again on a task of its own, unless somebody does. Nobody waits for it.
    fn renew(&self, app: &App, key: K, find: impl FnOnce(&ReadTx<'_>, &K) -> Result<T, StoreError> + Send + 'static) {
        let Ok(turn) = Arc::clone(&self.0.turn).try_lock_owned() else { return };
        let (this, app) = (self.clone(), app.clone());
        tokio::spawn(async move {
            if let Err(error) = this.find(&app, key, find).await {
                // who waits for it is told
                tracing::warn!(error = super::chain(&error), "an answer that is kept could not be found again");
            }
            drop(turn);
        });
    }

    /// Forgets what is kept after a while if it was not found again by then.
    fn forget_later(&self) {
        let shared: Weak<Shared<K, T>> = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(shared) = shared.upgrade() else { return };
            let mut known = shared.known.lock();
            if known.as_ref().is_some_and(|known| known.read_at.elapsed() >= IDLE) {
                *known = None;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_long_serves_others() {
        let known = |took| Known {
            key: 1,
            value: Arc::new("found"),
            as_of: Timestamp::UNIX_EPOCH,
            read_at: Instant::now(),
            took,
        };
        let oldest = Duration::from_secs(60);
        assert!(known(SLOW).serves(&1, oldest));
        assert!(!known(Duration::ZERO).serves(&1, oldest), "it is found each time");
        assert!(!known(SLOW).serves(&2, oldest), "another question");
        assert!(!known(SLOW).serves(&1, Duration::ZERO), "it is too old");
    }
}
