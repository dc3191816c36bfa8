//! API tokens, sessions and one-time sign-in codes. Only SHA-256 hashes of secrets are stored.

use jiff::Timestamp;
use weir_model::ids::Sha256Digest;

use crate::{ReadTx, StoreError, WriteTx};

/// An API token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRow {
    /// Its name, unique without regard to case.
    pub name: String,
    /// Whom it stands for.
    pub principal: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Not accepted after this.
    pub expires_at: Option<Timestamp>,
}

/// A session of the console.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionRow {
    /// Whose.
    pub principal: String,
    /// When it began.
    pub created_at: Timestamp,
    /// Not accepted after this.
    pub expires_at: Timestamp,
}

impl ReadTx<'_> {
    /// The token of that hash, unless it has expired at `now`.
    pub fn token_find(&self, hash: Sha256Digest, now: Timestamp) -> Result<Option<TokenRow>, StoreError> {
        let _ = (hash, now);
        unimplemented!()
    }

    /// All tokens, by name.
    pub fn token_list(&self) -> Result<Vec<TokenRow>, StoreError> {
        unimplemented!()
    }

    /// The session of that hash, unless it has expired at `now`.
    pub fn session_find(&self, hash: Sha256Digest, now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        let _ = (hash, now);
        unimplemented!()
    }
}

impl WriteTx<'_> {
    /// Stores a token, in place of the one of that name if there is one.
    pub fn token_put(
        &self,
        name: &str,
        hash: Sha256Digest,
        principal: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let _ = (name, hash, principal, expires_at);
        unimplemented!()
    }

    /// Forgets a token. True if there was one.
    pub fn token_delete(&self, name: &str) -> Result<bool, StoreError> {
        let _ = name;
        unimplemented!()
    }

    /// Stores a session.
    pub fn session_create(&self, hash: Sha256Digest, principal: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        let _ = (hash, principal, expires_at);
        unimplemented!()
    }

    /// Ends a session. True if there was one.
    pub fn session_delete(&self, hash: Sha256Digest) -> Result<bool, StoreError> {
        let _ = hash;
        unimplemented!()
    }

    /// Stores a one-time sign-in code.
    pub fn sign_in_code_create(
        &self,
        hash: Sha256Digest,
        principal: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let _ = (hash, principal, expires_at);
        unimplemented!()
    }

    /// Uses a code up: its principal if it was valid at the actor's time; it is gone afterwards in any case.
    pub fn sign_in_code_take(&self, hash: Sha256Digest) -> Result<Option<String>, StoreError> {
        let _ = hash;
        unimplemented!()
    }

    /// Deletes sessions and codes that expired before the actor's time. Returns how many.
    pub fn access_prune(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }
}
