//! What expressions ask of computers, in memory: lists are narrowed by any of them without a look at each row of the database.
//!
//! What changes of a computer is followed; the times of its calls, its address and what it registered anew are read again after a
//! while, off the path of requests. What nobody asks for any more is forgotten: it takes about a kilobyte a computer.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use weir_store::{ReadTx, StoreError, membership::MembershipRow};

use super::{AdminError, App};

/// Read again after this, while the answer is given from what is here.
const AGE: Duration = Duration::from_secs(10);
/// Older than this it is not answered from.
const OLDEST: Duration = Duration::from_secs(60);
/// Forgotten if nobody asked for so long.
const IDLE: Duration = Duration::from_mins(5);
/// Rows read at once.
const PAGE: u32 = 2_000;
/// Of more computers than these that changed, reading all is quicker if they are more than a quarter.
const FEW: usize = 2_000;

/// What is kept, and the turns to follow it and to read it anew.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    facts: Arc<Mutex<Option<Arc<Facts>>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The turn to read all of it anew, beside those who follow.
    renewal: Arc<tokio::sync::Mutex<()>>,
}

/// The computers that scan here, without what they reported.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The change of computers up to which they were read.
    feed: u64,
    /// When all of them were read.
    read_at: Instant,
    /// By row number.
    rows: Vec<Arc<MembershipRow>>,
}

impl Facts {
    /// The computers as they are; what is not followed as it was a minute ago at most.
    pub(crate) async fn current(app: &App) -> Result<Arc<Self>, AdminError> {
        let kept = || app.shared().facts.facts.lock().clone();
        let feed = app.read(|tx| tx.feed_version()).await?;
        let fresh = |facts: &Arc<Self>| facts.feed >= feed && facts.read_at.elapsed() < OLDEST;
        let found = if let Some(facts) = kept().filter(fresh) {
            facts
        } else {
            let turn = Arc::clone(&app.shared().facts.turn).lock_owned().await;
            match kept().filter(fresh) {
                Some(facts) => facts,
                None => Self::follow(app, kept().filter(|facts| facts.read_at.elapsed() < OLDEST), turn).await?,
            }
        };
        if found.read_at.elapsed() >= AGE {
            Self::renew(app);
        }
        Ok(found)
    }

    /// Reads what changed, or everything, in the turn of the caller.
    async fn follow(
        app: &App,
        known: Option<Arc<Self>>,
        turn: tokio::sync::OwnedMutexGuard<()>,
    ) -> Result<Arc<Self>, AdminError> {
        let facts = app
            .read(move |tx| match known {
                Some(known) => known.followed(tx),
                None => Self::read(tx),
            })
            .await?;
        let facts = Arc::new(facts);
        *app.shared().facts.facts.lock() = Some(Arc::clone(&facts));
        drop(turn);
        forget_later(&app.shared().facts.facts);
        Ok(facts)
    }

    /// Reads everything anew on a task of its own, unless somebody does. Nobody waits for it.
    fn renew(app: &App) {
        let Ok(turn) = Arc::clone(&app.shared().facts.renewal).try_lock_owned() else { return };
        let app = app.clone();
        tokio::spawn(async move {
            match app.read(Self::read).await {
                Ok(facts) => {
                    // what changed meanwhile is followed by the next question
                    *app.shared().facts.facts.lock() = Some(Arc::new(facts));
                    forget_later(&app.shared().facts.facts);
                }
                // the next list says so
                Err(error) => {
                    tracing::warn!(error = super::chain(&error), "what is known of computers could not be read again");
                }
            }
            drop(turn);
        });
    }

    fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let (feed, read_at) = (tx.feed_version()?, Instant::now());
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = tx.membership_page(after, PAGE, false)?;
            let Some(last) = page.last() else { return Ok(Self { feed, read_at, rows }) };
            after = last.computer.no;
            rows.extend(page.into_iter().map(|row| Arc::new(slim(row))));
        }
    }

    fn followed(&self, tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let feed = tx.feed_version()?;
        let changed: BTreeSet<u32> = tx.feed_since(self.feed)?.into_iter().collect();
        if changed.len() > FEW.max(self.rows.len() / 4) {
            return Self::read(tx);
        }
        let kept = self.rows.iter().filter(|row| !changed.contains(&row.computer.no));
        let mut rows: Vec<Arc<MembershipRow>> = kept.cloned().collect();
        for no in changed {
            rows.extend(tx.membership_of(no, false)?.map(|row| Arc::new(slim(row))));
        }
        rows.sort_by_key(|row| row.computer.no);
        Ok(Self { feed, read_at: self.read_at, rows })
    }

    /// A computer that scans here.
    pub(super) fn find(&self, no: u32) -> Option<&Arc<MembershipRow>> {
        let at = self.rows.binary_search_by_key(&no, |row| row.computer.no).ok()?;
        self.rows.get(at)
    }
}

/// A row without what no expression asks for.
fn slim(mut row: MembershipRow) -> MembershipRow {
    if let Some(registration) = &mut row.computer.registration {
        registration.dns_name = String::new();
        registration.bios_name = None;
        registration.oem = None;
        registration.device_type = None;
        registration.firmware_version = None;
        registration.mobile_operator = None;
    }
    row
}

/// Forgets what is kept after a while if nobody read it anew by then. The server may stop meanwhile.
fn forget_later(kept: &Arc<Mutex<Option<Arc<Facts>>>>) {
    let kept: Weak<Mutex<Option<Arc<Facts>>>> = Arc::downgrade(kept);
    tokio::spawn(async move {
        tokio::time::sleep(IDLE).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut kept = kept.lock();
        if kept.as_ref().is_some_and(|facts| facts.read_at.elapsed() >= IDLE) {
            *kept = None;
        }
    });
}
