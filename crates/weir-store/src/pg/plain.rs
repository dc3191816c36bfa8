//! A connection for what no unit of work does: copying whole tables, and looking at the catalogue of the database.

use std::{
    ops::ControlFlow,
    pin::{Pin, pin},
};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::{Client, CopyInSink, Error, SimpleQueryMessage};

use super::{Closing, LOCK, Postgres, error, link::Purpose, look, migrate, prepare, wait::wait};
use crate::StoreError;

/// Takes the binary form of one row after the other, until it breaks off.
pub(crate) type EachTuple<'e> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>, StoreError> + 'e;

/// Rows in words, NULL as none.
pub(crate) type Words = Vec<Vec<Option<String>>>;

/// The connection. A transaction that is open when it is dropped is rolled back.
pub(crate) struct Plain {
    // Fields drop in this order: the connection, then the runtime that it lives on, if it has one of its own.
    client: Client,
    place: String,
    _runtime: Option<Closing>,
}

/// A table that is being filled.
pub(crate) struct Incoming<'p> {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    plain: &'p Plain,
    action: &'static str,
}

impl Plain {
    /// Connects to a database that can be used. Its schema stays as it is.
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        let (target, runtime) = prepare(url)?;
        let client = target.connect(Purpose::Migrating)?;
        look(&client, &target.place)?;
        Ok(Self { client, place: target.place.clone(), _runtime: Some(runtime) })
    }

    /// One more connection to a database that is open.
    pub(crate) fn beside(postgres: &Postgres) -> Result<Self, StoreError> {
        let client = postgres.target.connect(Purpose::Migrating)?;
        Ok(Self { client, place: postgres.target.place.clone(), _runtime: None })
    }

    /// Where the database is, without the password.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Brings the schema up to date.
    pub(crate) fn migrate(&mut self) -> Result<(), StoreError> {
        migrate::run(&mut self.client, &self.place)
    }

    /// Runs statements that answer nothing.
    pub(crate) fn batch(&self, action: &'static str, sql: &str) -> Result<(), StoreError> {
        wait(self.client.batch_execute(sql)).map_err(|error| self.failed(action, error))
    }

    /// Asks one question that has a short answer.
    pub(crate) fn ask(&self, action: &'static str, sql: &str) -> Result<Words, StoreError> {
        let messages = wait(self.client.simple_query(sql)).map_err(|error| self.failed(action, error))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Asks a question that has yes or no for an answer.
    pub(crate) fn says(&self, action: &'static str, sql: &str) -> Result<bool, StoreError> {
        let answer = self.ask(action, sql)?;
        Ok(answer.first().and_then(|row| row.first()?.as_deref()) == Some("t"))
    }

    /// Whether this connection alone writes until its transaction ends: no front end has a unit of work that writes.
    pub(crate) fn writes_alone(&self) -> Result<bool, StoreError> {
        let sql = format!("SELECT pg_try_advisory_xact_lock({LOCK})");
        self.says("looking whether somebody writes", &sql)
    }

    /// Makes the open transaction durable.
    pub(crate) fn commit(&self, action: &'static str) -> Result<(), StoreError> {
        wait(self.client.batch_execute("COMMIT")).map_err(|failure| {
            if error::is_lost(&failure) {
                StoreError::Unconfirmed { place: self.place.clone(), source: failure.into() }
            } else {
                self.failed(action, failure)
            }
        })
    }

    /// Begins `COPY ... FROM STDIN`.
    pub(crate) fn copy_in(&self, action: &'static str, sql: &str) -> Result<Incoming<'_>, StoreError> {
        let sink = wait(self.client.copy_in(sql)).map_err(|error| self.failed(action, error))?;
        Ok(Incoming { sink: Box::pin(sink), plain: self, action })
    }

    /// Hands all that `COPY ... TO STDOUT` gives to `each`, in pieces of any size, until it breaks off. True if it did not.
    pub(crate) fn copy_out(
        &self,
        action: &'static str,
        sql: &str,
        each: &mut EachTuple<'_>,
    ) -> Result<bool, StoreError> {
        let stream = wait(self.client.copy_out(sql)).map_err(|error| self.failed(action, error))?;
        let mut stream = pin!(stream);
        while let Some(piece) = wait(stream.next()) {
            let piece = piece.map_err(|error| self.failed(action, error))?;
            if each(&piece)?.is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn failed(&self, action: &'static str, error: Error) -> StoreError {
        error::failed(&self.place, action, error)
    }
}

impl Incoming<'_> {
    /// Sends a piece, of any size.
    pub(crate) fn send(&mut self, piece: Vec<u8>) -> Result<(), StoreError> {
        match wait(self.sink.send(Bytes::from(piece))) {
            Ok(()) => Ok(()),
            // the end says why
            Err(error) => {
                let error = wait(self.sink.as_mut().finish()).err().unwrap_or(error);
                Err(self.plain.failed(self.action, error))
            }
        }
    }

    /// Ends it, and says how many rows the table was given. A table that is not ended is given none.
    pub(crate) fn finish(mut self) -> Result<u64, StoreError> {
        wait(self.sink.as_mut().finish()).map_err(|error| self.plain.failed(self.action, error))
    }
}
