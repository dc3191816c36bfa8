//! Telling somebody of units of work: when one waits for its connection, begins, and ends. The store reads no clock; who is told
//! may.

/// What a unit of work does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UnitKind {
    /// It has a view.
    Read,
    /// It has the one write transaction.
    Write,
}

/// Is told of units of work. It must be quick and wait for nobody: it is called on the way of each.
pub trait Observer: Send + Sync {
    /// A unit of work waits for its connection. What is returned stays until it ends, on the thread that does it.
    fn unit(&self, kind: UnitKind) -> Box<dyn Observed>;
}

/// One unit of work. It is dropped without a word if no transaction could be begun, or the work panicked.
pub trait Observed {
    /// It has its connection.
    fn begins(&mut self);

    /// It is over; `good` if it did what it was to do, durably where it writes.
    fn ends(&mut self, good: bool);
}
