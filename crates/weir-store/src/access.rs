//! API tokens, sessions and one-time sign-in codes. Only SHA-256 hashes of secrets are stored.

use jiff::Timestamp;
use weir_model::ids::Sha256Digest;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

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

statements! {
    TOKEN_FIND: "looking up an API token" =
        "SELECT name, principal, created_at, created_by, expires_at FROM api_token
         WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)";
    TOKEN_LIST: "listing API tokens" =
        "SELECT name, principal, created_at, created_by, expires_at FROM api_token ORDER BY name_key";
    TOKEN_PUT: "storing an API token" =
        "INSERT INTO api_token (hash, name, name_key, principal, created_at, created_by, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    TOKEN_DELETE: "deleting an API token" = "DELETE FROM api_token WHERE name_key = ?1";
    SESSION_FIND: "looking up a session" =
        "SELECT principal, created_at, expires_at FROM session WHERE hash = ?1 AND expires_at > ?2";
    SESSION_CREATE: "storing a session" =
        "INSERT INTO session (hash, principal, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
    SESSION_DELETE: "ending a session" = "DELETE FROM session WHERE hash = ?1";
    CODE_CREATE: "storing a sign-in code" =
        "INSERT INTO sign_in_code (hash, principal, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
    CODE_TAKE: "using a sign-in code" = "DELETE FROM sign_in_code WHERE hash = ?1 RETURNING principal, expires_at";
    SESSION_PRUNE: "deleting expired sessions" = "DELETE FROM session WHERE expires_at <= ?1";
    CODE_PRUNE: "deleting expired sign-in codes" = "DELETE FROM sign_in_code WHERE expires_at <= ?1";
}

fn token(row: &Row<'_>) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        name: row.text(0)?,
        principal: row.text(1)?,
        created_at: row.time(2)?,
        created_by: row.text(3)?,
        expires_at: row.opt_time(4)?,
    })
}

impl ReadTx<'_> {
    /// The token of that hash, unless it has expired at `now`.
    pub fn token_find(&self, hash: Sha256Digest, now: Timestamp) -> Result<Option<TokenRow>, StoreError> {
        self.first(&TOKEN_FIND, args![hash, now], token)
    }

    /// All tokens, by name.
    pub fn token_list(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.all(&TOKEN_LIST, args![], token)
    }

    /// The session of that hash, unless it has expired at `now`.
    pub fn session_find(&self, hash: Sha256Digest, now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        self.first(&SESSION_FIND, args![hash, now], |row| {
            Ok(SessionRow { principal: row.text(0)?, created_at: row.time(1)?, expires_at: row.time(2)? })
        })
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
        self.token_delete(name)?;
        let actor = self.actor();
        let key = name.to_lowercase();
        let values = args![hash, name, &key, principal, actor.at, &actor.name, expires_at];
        self.run(&TOKEN_PUT, values)?;
        Ok(())
    }

    /// Forgets a token. True if there was one.
    pub fn token_delete(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.run(&TOKEN_DELETE, args![&name.to_lowercase()])? > 0)
    }

    /// Stores a session.
    pub fn session_create(&self, hash: Sha256Digest, principal: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        self.run(&SESSION_CREATE, args![hash, principal, self.actor().at, expires_at])?;
        Ok(())
    }

    /// Ends a session. True if there was one.
    pub fn session_delete(&self, hash: Sha256Digest) -> Result<bool, StoreError> {
        Ok(self.run(&SESSION_DELETE, args![hash])? > 0)
    }

    /// Stores a one-time sign-in code.
    pub fn sign_in_code_create(
        &self,
        hash: Sha256Digest,
        principal: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(&CODE_CREATE, args![hash, principal, self.actor().at, expires_at])?;
        Ok(())
    }

    /// Uses a code up: its principal if it was valid at the actor's time; it is gone afterwards in any case.
    pub fn sign_in_code_take(&self, hash: Sha256Digest) -> Result<Option<String>, StoreError> {
        let found = self.first(&CODE_TAKE, args![hash], |row| Ok((row.text(0)?, row.time(1)?)))?;
        Ok(found.filter(|(_, expires_at)| *expires_at > self.actor().at).map(|(principal, _)| principal))
    }

    /// Deletes sessions and codes that expired before the actor's time. Returns how many.
    pub fn access_prune(&self) -> Result<u64, StoreError> {
        let now = self.actor().at;
        Ok((self.run(&SESSION_PRUNE, args![now])? + self.run(&CODE_PRUNE, args![now])?) as u64)
    }
}
