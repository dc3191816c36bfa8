//! Transactions: what a unit of work is given.

use std::{marker::PhantomData, ops::Deref};

use crate::{Actor, StoreError};

/// A consistent view of the database.
pub struct ReadTx<'a> {
    _connection: PhantomData<&'a ()>,
}

/// The write transaction. Reads through it see its own writes.
pub struct WriteTx<'a> {
    read: ReadTx<'a>,
    actor: &'a Actor,
}

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}

impl WriteTx<'_> {
    /// Who asked for this transaction.
    pub fn actor(&self) -> &Actor {
        self.actor
    }

    /// Takes the next number of the one global order of changes. It becomes visible with the transaction.
    pub fn change_next(&self) -> Result<weir_model::ids::ChangeNumber, StoreError> {
        unimplemented!()
    }
}
