//! This site: its identity, sealing keys, and when its configuration last changed.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{ReadTx, StoreError, WriteTx, codec::args, sql::statements};

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

statements! {
    SITE_SHOW: "reading the site's identity" = "SELECT server_id, config_changed_at FROM site WHERE site_no = 1";
    SITE_CREATE: "giving the site its identity" =
        "INSERT INTO site (site_no, server_id, config_changed_at) VALUES (1, ?1, ?2)";
    SITE_CHANGED: "noting a change of the client configuration" =
        "UPDATE site SET config_changed_at = ?1 WHERE site_no = 1";
    KEYS_LIST: "listing sealing keys" =
        "SELECT key_id, secret, created_at, retired_at FROM sealing_key ORDER BY key_id DESC";
    KEYS_INSERT: "adding a sealing key" =
        "INSERT INTO sealing_key (secret, created_at) VALUES (?1, ?2) RETURNING key_id";
    KEYS_RETIRE: "retiring a sealing key" =
        "UPDATE sealing_key SET retired_at = ?2 WHERE key_id = ?1 AND retired_at IS NULL";
    KEYS_DELETE: "deleting a sealing key" = "DELETE FROM sealing_key WHERE key_id = ?1";
}

impl ReadTx<'_> {
    /// This site; none before [`WriteTx::site_create`].
    pub fn site(&self) -> Result<Option<Site>, StoreError> {
        self.first(&SITE_SHOW, args![], |row| Ok(Site { server_id: row.uuid(0)?, config_changed_at: row.time(1)? }))
    }

    /// Every sealing key, newest first. The first one that is not retired seals.
    pub fn keys_list(&self) -> Result<Vec<SealingKey>, StoreError> {
        self.all(&KEYS_LIST, args![], |row| {
            Ok(SealingKey {
                id: row.int(0)?,
                secret: row.secret(1)?,
                created_at: row.time(2)?,
                retired_at: row.opt_time(3)?,
            })
        })
    }
}

impl WriteTx<'_> {
    /// Gives the site its identity. Fails if it has one.
    pub fn site_create(&self, server_id: Uuid) -> Result<(), StoreError> {
        self.run(&SITE_CREATE, args![server_id, self.actor().at])?;
        Ok(())
    }

    /// Notes that the client configuration changed now.
    pub fn site_config_changed(&self) -> Result<(), StoreError> {
        self.run(&SITE_CHANGED, args![self.actor().at])?;
        Ok(())
    }

    /// Adds a key and returns its id, which is never given again. `secret` comes from a cryptographic generator.
    pub fn keys_insert(&self, secret: [u8; 32]) -> Result<u32, StoreError> {
        self.one(&KEYS_INSERT, args![&secret[..], self.actor().at], |row| row.int(0))
    }

    /// Stops a key from sealing. A retired key keeps its time.
    pub fn keys_retire(&self, id: u32) -> Result<(), StoreError> {
        self.run(&KEYS_RETIRE, args![id, self.actor().at])?;
        Ok(())
    }

    /// Forgets a key: what it sealed can no longer be opened.
    pub fn keys_delete(&self, id: u32) -> Result<(), StoreError> {
        self.run(&KEYS_DELETE, args![id])?;
        Ok(())
    }
}
