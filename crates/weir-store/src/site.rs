//! This site: its identity, sealing keys, and when its configuration last changed.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{ReadTx, StoreError, WriteTx};

/// A key that cookies are sealed with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealingKey {
    /// Its number, part of every cookie it sealed.
    pub id: u32,
    /// Its bytes.
    pub secret: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped sealing; it still opens until it is deleted.
    pub retired_at: Option<Timestamp>,
}

/// What a site is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// Its GUID, the ServerID of exports and roll-ups.
    pub server_id: Uuid,
    /// Last time something that GetConfig answers was changed.
    pub config_changed_at: Timestamp,
}

impl ReadTx<'_> {
    /// This site; none before [`WriteTx::site_create`].
    pub fn site(&self) -> Result<Option<Site>, StoreError> {
        unimplemented!()
    }

    /// Every sealing key, newest first. The first one that is not retired seals.
    pub fn keys_list(&self) -> Result<Vec<SealingKey>, StoreError> {
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Gives the site its identity. Fails if it has one.
    pub fn site_create(&self, server_id: Uuid) -> Result<(), StoreError> {
        let _ = server_id;
        unimplemented!()
    }

    /// Notes that the client configuration changed now.
    pub fn site_config_changed(&self) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Adds a key and returns its id. `secret` comes from a cryptographic generator.
    pub fn keys_insert(&self, secret: [u8; 32]) -> Result<u32, StoreError> {
        let _ = secret;
        unimplemented!()
    }

    /// Stops a key from sealing.
    pub fn keys_retire(&self, id: u32) -> Result<(), StoreError> {
        let _ = id;
        unimplemented!()
    }

    /// Forgets a key: what it sealed can no longer be opened.
    pub fn keys_delete(&self, id: u32) -> Result<(), StoreError> {
        let _ = id;
        unimplemented!()
    }
}
