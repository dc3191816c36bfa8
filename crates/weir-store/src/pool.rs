//! Connections of readers, lent to one unit of work at a time.

use std::ops::Deref;

use parking_lot::{Condvar, Mutex};

/// Connections that wait for work.
pub(crate) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    freed: Condvar,
}

impl<T> Pool<T> {
    pub(crate) fn new(connections: Vec<T>) -> Self {
        Self { idle: Mutex::new(connections), freed: Condvar::new() }
    }

    /// One of them, waiting until one is free.
    pub(crate) fn lend(&self) -> Loan<'_, T> {
        let mut idle = self.idle.lock();
        loop {
            if let Some(connection) = idle.pop() {
                return Loan { connection: Some(connection), pool: self };
            }
            self.freed.wait(&mut idle);
        }
    }
}

/// A connection on loan; dropping it, on a panic too, gives it back.
pub(crate) struct Loan<'p, T> {
    connection: Option<T>,
    pool: &'p Pool<T>,
}

impl<T> Deref for Loan<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.connection.as_ref().expect("only drop takes the connection")
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        self.pool.idle.lock().extend(self.connection.take());
        self.pool.freed.notify_one();
    }
}
