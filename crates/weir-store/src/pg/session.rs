//! Units of work on a connection.
//!
//! A statement whose answer nobody needs at once is sent and its answer kept in a queue: the next statement that is waited for, or
//! the end of the unit, looks at what is in it. So a unit of work costs about one round trip for each question that it asks.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    ops::ControlFlow,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use futures_util::{FutureExt as _, StreamExt as _, future::join};
use tokio_postgres::{Error, Row, RowStream};

use super::{
    LOCK, dialect, error,
    link::{Link, Purpose, Target},
    value::{Bound, Param},
    wait::wait,
};
use crate::{StoreError, UnitKind, codec::Value, error::Chain, sql::Statement};

const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Tells other front ends, and makes durable. Where the first fails, the second is not run.
const COMMIT_CHANGED: &str = "SELECT pg_notify('weir_change', ''); COMMIT";
/// The same where nothing is to be told. A COMMIT alone would end a transaction that failed without saying so.
const COMMIT: &str = "SELECT 1; COMMIT";
/// What is done when a unit ends well.
const COMMITTING: &str = "making a change durable";
/// Statements that are sent before answers are waited for, and the bytes of their values.
const QUEUE: usize = 512;
const QUEUE_BYTES: usize = 8 * 1024 * 1024;

type Answer = Pin<Box<dyn Future<Output = Result<u64, Error>> + Send>>;

/// A statement that was sent.
struct Sent {
    action: &'static str,
    answer: Answer,
    bytes: usize,
}

/// The rows of a statement that are being handed out.
struct Cursor {
    /// Rows still on their way; none when all have come.
    stream: Option<Pin<Box<RowStream>>>,
    /// Rows that came while another statement was begun.
    rows: VecDeque<Result<Row, Error>>,
}

/// A connection for units of work, one after the other. One that was lost is replaced when the next unit begins.
pub(crate) struct Session {
    target: Arc<Target>,
    kind: UnitKind,
    link: RefCell<Option<Arc<Link>>>,
    queue: RefCell<VecDeque<Sent>>,
    queued_bytes: Cell<usize>,
    cursors: RefCell<Vec<Cursor>>,
    /// No statement of the unit was answered yet.
    untouched: Cell<bool>,
    /// A statement failed: the server does nothing more for this unit, and would take its end for a wish to roll back.
    failed: Cell<bool>,
    /// Rows that the unit changed.
    changed: Cell<u64>,
}

/// A unit of work that has begun. Unless it is committed, nothing of it stays.
pub(crate) struct Unit<'s> {
    session: &'s Session,
    over: bool,
}

/// Rows that were changed before some statements.
pub(crate) struct Counted<'s> {
    session: &'s Session,
    before: u64,
}

impl Session {
    pub(super) fn new(target: Arc<Target>, kind: UnitKind) -> Self {
        Self {
            target,
            kind,
            link: RefCell::new(None),
            queue: RefCell::default(),
            queued_bytes: Cell::new(0),
            cursors: RefCell::default(),
            untouched: Cell::new(true),
            failed: Cell::new(false),
            changed: Cell::new(0),
        }
    }

    /// Begins a unit with a view of its own, which its first statement fixes.
    pub(crate) fn begin_read(&self) -> Result<Unit<'_>, StoreError> {
        self.fresh();
        self.connect()?;
        self.queue_text("beginning to read", BEGIN_READ);
        Ok(Unit { session: self, over: false })
    }

    /// Begins the one unit that may write, of all front ends, when it is this one's turn.
    pub(crate) fn begin_write(&self) -> Result<Unit<'_>, StoreError> {
        self.begin(&format!("{BEGIN_WRITE}; SELECT pg_advisory_xact_lock({LOCK})"))
    }

    /// Begins a unit that writes beside the others.
    pub(crate) fn begin_aside(&self) -> Result<Unit<'_>, StoreError> {
        self.begin(BEGIN_WRITE)
    }

    fn begin(&self, text: &str) -> Result<Unit<'_>, StoreError> {
        self.fresh();
        let begin = |link: &Link| self.waiting("beginning to write", link.client.batch_execute(text));
        let unit = Unit { session: self, over: false };
        let link = self.connect()?;
        match begin(&link) {
            Err(StoreError::Unreachable { .. }) if self.link.borrow().is_none() => {
                // the connection was lost while nobody used it
                self.fresh();
                let link = self.connect()?;
                begin(&link)?;
            }
            begun => begun?,
        }
        Ok(unit)
    }

    /// Hands every row to `each` until it breaks off.
    pub(crate) fn each(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let stream = self.open(statement, values)?;
        let depth = self.cursors.borrow().len();
        self.cursors.borrow_mut().push(Cursor { stream: Some(Box::pin(stream)), rows: VecDeque::new() });
        let done = self.rows(depth, statement, each);
        self.close(statement.action, depth);
        done
    }

    /// Lets go of rows that nobody wants. Where the connection lives they are read and dropped; a unit that writes has to hear of a
    /// failure among them, since what it did is gone with it.
    fn close(&self, action: &'static str, depth: usize) {
        let left = {
            let mut cursors = self.cursors.borrow_mut();
            cursors.truncate(depth + 1);
            cursors.pop()
        };
        let Some(Cursor { stream, rows }) = left.filter(|_| self.kind == UnitKind::Write) else { return };
        if let Some(Err(error)) = rows.into_iter().find(Result::is_err) {
            self.fails(action, error);
        }
        if let Some(mut stream) = stream {
            let answer = async move {
                while let Some(row) = stream.next().await {
                    row?;
                }
                Ok::<u64, Error>(0)
            };
            // it was sent before all that is in the queue, so that its answer comes first
            self.queue.borrow_mut().push_front(Sent { action, answer: Box::pin(answer), bytes: 0 });
        }
    }

    fn rows(
        &self,
        depth: usize,
        statement: &'static Statement,
        each: &mut dyn FnMut(&Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let writes = self.kind == UnitKind::Write && !dialect::is_reading(statement.for_postgres());
        while let Some(row) = self.next(depth) {
            let row = row.map_err(|error| self.fails(statement.action, error))?;
            if writes {
                self.changed.set(self.changed.get() + 1);
            }
            if each(&row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn next(&self, depth: usize) -> Option<Result<Row, Error>> {
        let mut stream = {
            let mut cursors = self.cursors.borrow_mut();
            let cursor = cursors.get_mut(depth)?;
            match cursor.rows.pop_front() {
                Some(row) => return Some(row),
                None => cursor.stream.take()?,
            }
        };
        let row = wait(stream.next())?;
        if row.is_ok()
            && let Some(cursor) = self.cursors.borrow_mut().get_mut(depth)
        {
            cursor.stream = Some(stream);
        }
        Some(row)
    }

    fn open(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<RowStream, StoreError> {
        let untouched = self.untouched.replace(false);
        let opened = self.try_open(statement, values);
        let lost = matches!(&opened, Err(StoreError::Unreachable { .. })) && self.link.borrow().is_none();
        if !(lost && untouched && self.kind == UnitKind::Read) {
            return opened;
        }
        // the connection was lost while nobody used it, and nothing was seen of this view: there is time for another
        self.fresh();
        self.untouched.set(false);
        self.connect()?;
        self.queue_text("beginning to read", BEGIN_READ);
        self.try_open(statement, values)
    }

    fn try_open(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<RowStream, StoreError> {
        let link = self.linked(statement.action)?;
        self.waiting(statement.action, async {
            let prepared = link.prepared(statement, values).await?;
            link.client.query_raw(&prepared, values.iter().map(|value| Param(*value))).await
        })
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn run(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let link = self.linked(statement.action)?;
        let rows = self.waiting(statement.action, async {
            let prepared = link.prepared(statement, values).await?;
            link.client.execute_raw(&prepared, values.iter().map(|value| Param(*value))).await
        })?;
        self.changed.set(self.changed.get() + rows);
        Ok(rows)
    }

    /// Runs a statement once for each of these rows of values, and returns of each how many rows it changed. They are on their way
    /// together.
    pub(crate) fn run_each<'v, R: AsRef<[Value<'v>]>>(
        &self,
        statement: &'static Statement,
        rows: &[R],
    ) -> Result<Vec<u64>, StoreError> {
        let counts: Arc<[AtomicU64]> = rows.iter().map(|_| AtomicU64::new(0)).collect();
        for (at, row) in rows.iter().enumerate() {
            let counts = Arc::clone(&counts);
            self.send_and(statement, row.as_ref(), move |changed| {
                if let Some(count) = counts.get(at) {
                    count.store(changed, Ordering::Relaxed);
                }
            })?;
        }
        self.settle(0)?;
        Ok(counts.iter().map(|count| count.load(Ordering::Relaxed)).collect())
    }

    /// Sends a statement and does not wait.
    pub(crate) fn send(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.send_and(statement, values, |_| ())
    }

    /// The same; `then` is told how many rows were changed, when that is known.
    fn send_and(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        then: impl FnOnce(u64) + Send + 'static,
    ) -> Result<(), StoreError> {
        let link = self.linked(statement.action)?;
        let prepared = match link.known(statement, values) {
            Some(known) => known,
            None => self.waiting(statement.action, link.prepared(statement, values))?,
        };
        let values: Vec<Bound> = values.iter().map(|value| Bound::new(*value)).collect();
        let bytes = values.iter().map(Bound::len).sum();
        self.queue(statement.action, bytes, async move {
            let changed = link.client.execute_raw(&prepared, values).await?;
            then(changed);
            Ok::<u64, Error>(changed)
        });
        let waiting = self.queue.borrow().len();
        if waiting > QUEUE || self.queued_bytes.get() > QUEUE_BYTES {
            // the later half stays on its way meanwhile
            self.settle(waiting / 2)?;
        }
        Ok(())
    }

    /// Begins to count rows that statements change.
    pub(crate) fn count(&self) -> Result<Counted<'_>, StoreError> {
        self.settle(0)?;
        Ok(Counted { session: self, before: self.changed.get() })
    }

    /// Begins a part of the unit that may fail alone. What was sent before is no part of it: it fails here, or not at all.
    pub(crate) fn part_begins(&self) -> Result<(), StoreError> {
        self.settle(0)?;
        self.queue_text("separating a part of a change", "SAVEPOINT part");
        Ok(())
    }

    /// Ends a part. All of its statements did what they should, or it fails.
    pub(crate) fn part_ends(&self) -> Result<(), StoreError> {
        self.settle(0)?;
        self.queue_text("separating a part of a change", "RELEASE SAVEPOINT part");
        Ok(())
    }

    /// Undoes a part.
    pub(crate) fn part_fails(&self) {
        // what its statements still have to say does not matter
        self.queue.borrow_mut().clear();
        self.queued_bytes.set(0);
        self.failed.set(false);
        self.queue_text("undoing a part of a change", "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part");
    }

    /// A connection that lives.
    fn connect(&self) -> Result<Arc<Link>, StoreError> {
        let known = self.link.borrow().as_ref().filter(|link| !link.client.is_closed()).map(Arc::clone);
        if let Some(known) = known {
            return Ok(known);
        }
        self.link.replace(None);
        let link = Link::new(self.target.connect(Purpose::Unit(self.kind))?);
        self.link.replace(Some(Arc::clone(&link)));
        Ok(link)
    }

    /// The connection of the unit. What is left of a unit that lost its own must not happen outside of a transaction.
    fn linked(&self, action: &'static str) -> Result<Arc<Link>, StoreError> {
        self.link.borrow().as_ref().map(Arc::clone).ok_or_else(|| StoreError::Unreachable {
            action,
            place: self.target.place.clone(),
            source: "the connection was lost before".into(),
        })
    }

    /// Waits for a statement that is sent now, and for all that was sent before.
    fn waiting<T>(
        &self,
        action: &'static str,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        self.gather();
        self.queued_bytes.set(0);
        let queue = self.queue.take();
        let (before, done) = wait(join(answers(queue), statement));
        self.settled(before)?;
        done.map_err(|error| self.fails(action, error))
    }

    /// Waits for what was sent, except the last so many.
    fn settle(&self, keep: usize) -> Result<(), StoreError> {
        self.gather();
        let mut queue = self.queue.take();
        let rest = queue.split_off(queue.len().saturating_sub(keep));
        self.queued_bytes.set(rest.iter().map(|sent| sent.bytes).sum());
        self.queue.replace(rest);
        self.settled(wait(answers(queue)))
    }

    fn settled(&self, answer: Result<u64, (&'static str, Error)>) -> Result<(), StoreError> {
        match answer {
            Ok(rows) => {
                self.changed.set(self.changed.get() + rows);
                Ok(())
            }
            Err((action, error)) => Err(self.fails(action, error)),
        }
    }

    /// Reads the rows that are on their way: answers come in the order of the statements, and a row that nobody takes keeps all
    /// that follows from coming.
    fn gather(&self) {
        let depths = self.cursors.borrow().len();
        for depth in 0..depths {
            let stream = self.cursors.borrow_mut().get_mut(depth).and_then(|cursor| cursor.stream.take());
            let Some(mut stream) = stream else { continue };
            let mut rows = VecDeque::new();
            while let Some(row) = wait(stream.next()) {
                let is_last = row.is_err();
                rows.push_back(row);
                if is_last {
                    break;
                }
            }
            if let Some(cursor) = self.cursors.borrow_mut().get_mut(depth) {
                cursor.rows.append(&mut rows);
            }
        }
    }

    fn queue_text(&self, action: &'static str, text: &'static str) {
        let Some(link) = self.link.borrow().as_ref().map(Arc::clone) else { return };
        self.queue(action, 0, async move { link.client.batch_execute(text).await.map(|()| 0) });
    }

    /// Sends a statement.
    fn queue(
        &self,
        action: &'static str,
        bytes: usize,
        answer: impl Future<Output = Result<u64, Error>> + Send + 'static,
    ) {
        let mut answer: Answer = Box::pin(answer);
        // it is sent when it is first asked for its answer
        if let Poll::Ready(done) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            answer = Box::pin(std::future::ready(done));
        }
        self.queue.borrow_mut().push_back(Sent { action, answer, bytes });
        self.queued_bytes.set(self.queued_bytes.get() + bytes);
    }

    fn fails(&self, action: &'static str, error: Error) -> StoreError {
        self.failed.set(true);
        if error::is_unusable(&error) && self.link.replace(None).is_some() {
            tracing::warn!(place = self.target.place, action, error = %Chain(&error), "a connection to the database was lost");
        }
        error::failed(&self.target.place, action, error)
    }

    /// Forgets the unit before.
    fn fresh(&self) {
        self.cursors.borrow_mut().clear();
        self.queue.borrow_mut().clear();
        self.queued_bytes.set(0);
        self.untouched.set(true);
        self.failed.set(false);
        self.changed.set(0);
    }
}

/// What was sent, one after the other, and the rows that all of it changed; or the first that failed.
async fn answers(queue: VecDeque<Sent>) -> Result<u64, (&'static str, Error)> {
    let mut rows = 0;
    for sent in queue {
        rows += sent.answer.await.map_err(|error| (sent.action, error))?;
    }
    Ok(rows)
}

impl Unit<'_> {
    /// Makes the unit durable.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        let session = self.session;
        let link = session.linked(COMMITTING)?;
        if session.failed.get() {
            let source = "a statement of it had failed, and was not undone".into();
            return Err(StoreError::Query { action: COMMITTING, source });
        }
        let changed = session.changed.get() > 0 || !session.queue.borrow().is_empty();
        let text = if changed { COMMIT_CHANGED } else { COMMIT };
        let done = session.waiting(COMMITTING, link.client.batch_execute(text));
        self.over = done.is_ok();
        let lost = session.link.borrow().is_none();
        done.map_err(|error| match error {
            StoreError::Query { source, .. } | StoreError::Unreachable { source, .. } if lost => {
                StoreError::Unconfirmed { place: session.target.place.clone(), source }
            }
            error => error,
        })
    }
}

impl Drop for Unit<'_> {
    fn drop(&mut self) {
        self.session.fresh();
        if self.over {
            return;
        }
        let link = self.session.link.borrow().as_ref().map(Arc::clone);
        if let Some(link) = link {
            // sent and not waited for: whatever comes next on this connection comes after it
            let _ = link.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

impl Counted<'_> {
    /// Rows that were changed since.
    pub(crate) fn changed(self) -> Result<u64, StoreError> {
        self.session.settle(0)?;
        Ok(self.session.changed.get() - self.before)
    }
}
