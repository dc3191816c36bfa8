//! API tokens, sessions and one-time sign-in codes. Only SHA-256 hashes of secrets are stored.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::Sha256Digest,
    name,
    rights::{Grant, Role},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
    user::{scope, scope_text},
};

/// An API token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRow {
    /// Its name, unique without regard to case.
    pub name: String,
    /// Whom it stands for.
    pub principal: String,
    /// Whose it is, and what it may do at most; none for the built-in administrator's on the server's own disk.
    pub owner: Option<(u32, Grant)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Not accepted after this.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, about.
    pub used_at: Option<Timestamp>,
}

/// A session of the console.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionRow {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// Whose.
    pub user: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// Not accepted after this.
    pub expires_at: Timestamp,
    /// When it was last used, about.
    pub used_at: Timestamp,
    /// When its secret last changed.
    pub rotated_at: Timestamp,
    /// Address from which it began.
    pub from: Option<String>,
    /// When the user's session before began.
    pub last_visit: Option<Timestamp>,
    /// Who made the sign-in link by which it began; none if it began otherwise.
    pub link_by: Option<u32>,
}

statements! {
    TOKEN_FIND: "looking up an API token" =
        "SELECT name, principal, user_no, role, collections, created_at, created_by, expires_at, used_at FROM api_token
         WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)";
    TOKEN_NAMED: "looking for an API token" =
        "SELECT name, principal, user_no, role, collections, created_at, created_by, expires_at, used_at FROM api_token
         WHERE name_key = ?1";
    TOKEN_LIST: "listing API tokens" =
        "SELECT name, principal, user_no, role, collections, created_at, created_by, expires_at, used_at FROM api_token
         ORDER BY name_key";
    TOKEN_PUT: "storing an API token" =
        "INSERT INTO api_token (hash, name, name_key, principal, created_at, created_by, expires_at, user_no, role, collections)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    TOKEN_USED: "noting the use of an API token" = "UPDATE api_token SET used_at = ?2 WHERE hash = ?1";
    TOKEN_DELETE: "deleting an API token" = "DELETE FROM api_token WHERE name_key = ?1";
    SESSION_FIND: "looking up a session" =
        "SELECT session_id, user_no, created_at, expires_at, used_at, rotated_at, origin, last_visit, link_by
         FROM console_session
         WHERE hash = ?1 AND expires_at > ?2";
    SESSION_FIND_PREVIOUS: "looking up a session by the secret before" =
        "SELECT session_id, user_no, created_at, expires_at, used_at, rotated_at, origin, last_visit, link_by
         FROM console_session
         WHERE previous_hash = ?1 AND previous_until > ?2 AND expires_at > ?2";
    SESSION_LIST: "listing sessions" =
        "SELECT session_id, user_no, created_at, expires_at, used_at, rotated_at, origin, last_visit, link_by
         FROM console_session
         WHERE expires_at > ?1 ORDER BY created_at DESC, session_id";
    SESSION_CREATE: "storing a session" =
        "INSERT INTO console_session (session_id, hash, user_no, created_at, expires_at, used_at, rotated_at, origin, last_visit,
             link_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?4, ?6, ?7, ?8)";
    SESSION_USED: "noting the use of a session" = "UPDATE console_session SET used_at = ?2 WHERE session_id = ?1";
    SESSION_ROTATE: "giving a session another secret" =
        "UPDATE console_session SET previous_hash = hash, previous_until = ?3, hash = ?4, rotated_at = ?5, used_at = ?5
         WHERE session_id = ?1 AND hash = ?2";
    SESSION_RENEW: "giving a session another secret at once" =
        "UPDATE console_session SET hash = ?2, previous_hash = NULL, previous_until = NULL, rotated_at = ?3, used_at = ?3
         WHERE session_id = ?1";
    SESSION_OUTDATE: "making sessions of a user take another secret" =
        "UPDATE console_session SET rotated_at = 0 WHERE user_no = ?1";
    SESSION_DELETE: "ending a session" = "DELETE FROM console_session WHERE session_id = ?1";
    SESSION_END: "ending the sessions of a user" =
        "DELETE FROM console_session WHERE user_no = ?1 AND (session_id <> ?2 OR ?2 IS NULL)";
    CODE_CREATE: "storing a sign-in code" =
        "INSERT INTO sign_in_code (hash, principal, created_at, expires_at, made_by) VALUES (?1, ?2, ?3, ?4, ?5)";
    CODE_TAKE: "using a sign-in code" =
        "DELETE FROM sign_in_code WHERE hash = ?1 RETURNING principal, expires_at, made_by";
    SESSION_PRUNE: "deleting expired sessions" = "DELETE FROM console_session WHERE expires_at <= ?1";
    OLD_SESSION_PRUNE: "deleting sessions of the release before" = "DELETE FROM session WHERE expires_at <= ?1";
    CODE_PRUNE: "deleting expired sign-in codes" = "DELETE FROM sign_in_code WHERE expires_at <= ?1";
}

fn token(row: &Row<'_>) -> Result<TokenRow, StoreError> {
    let role: Option<Role> = row.opt(3, Row::coded)?;
    let owner = match (row.opt_int(2)?, role) {
        (Some(user), Some(role)) => Some((user, Grant { role, scope: scope(row, 4)? })),
        _ => None,
    };
    Ok(TokenRow {
        name: row.text(0)?,
        principal: row.text(1)?,
        owner,
        created_at: row.time(5)?,
        created_by: row.text(6)?,
        expires_at: row.opt_time(7)?,
        used_at: row.opt_time(8)?,
    })
}

fn session(row: &Row<'_>) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: row.uuid(0)?,
        user: row.int(1)?,
        created_at: row.time(2)?,
        expires_at: row.time(3)?,
        used_at: row.time(4)?,
        rotated_at: row.time(5)?,
        from: row.opt_text(6)?,
        last_visit: row.opt_time(7)?,
        link_by: row.opt_int(8)?,
    })
}

impl ReadTx<'_> {
    /// The token of that hash, unless it has expired at `now`.
    pub fn token_find(&self, hash: Sha256Digest, now: Timestamp) -> Result<Option<TokenRow>, StoreError> {
        self.first(&TOKEN_FIND, args![hash, now], token)
    }

    /// The token of that name, without regard to case, expired or not.
    pub fn token_named(&self, name: &str) -> Result<Option<TokenRow>, StoreError> {
        self.first(&TOKEN_NAMED, args![&name::key(name)], token)
    }

    /// All tokens, by name.
    pub fn token_list(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.all(&TOKEN_LIST, args![], token)
    }

    /// The session of that hash, unless it has expired at `now`; and whether the hash is that of its secret of now, not of
    /// the one before.
    pub fn session_find(&self, hash: Sha256Digest, now: Timestamp) -> Result<Option<(SessionRow, bool)>, StoreError> {
        if let Some(found) = self.first(&SESSION_FIND, args![hash, now], session)? {
            return Ok(Some((found, true)));
        }
        Ok(self.first(&SESSION_FIND_PREVIOUS, args![hash, now], session)?.map(|found| (found, false)))
    }

    /// Sessions that have not expired at `now`, newest first.
    pub fn session_list(&self, now: Timestamp) -> Result<Vec<SessionRow>, StoreError> {
        self.all(&SESSION_LIST, args![now], session)
    }
}

impl WriteTx<'_> {
    /// Stores a token, in place of the one of that name if there is one. Without an owner it is the built-in
    /// administrator's.
    pub fn token_put(
        &self,
        name: &str,
        hash: Sha256Digest,
        principal: &str,
        owner: Option<(u32, &Grant)>,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.token_delete(name)?;
        let actor = self.actor();
        let key = name::key(name);
        let scope = owner.and_then(|(_, grant)| scope_text(&grant.scope));
        let (user, role) = owner.map(|(user, grant)| (user, grant.role)).unzip();
        let values =
            args![hash, name, &key, principal, actor.at, &actor.name, expires_at, user, role, scope.as_deref()];
        self.run(&TOKEN_PUT, values)?;
        Ok(())
    }

    /// Notes that a token was used.
    pub fn token_used(&self, hash: Sha256Digest) -> Result<(), StoreError> {
        self.run(&TOKEN_USED, args![hash, self.actor().at])?;
        Ok(())
    }

    /// Forgets a token. True if there was one.
    pub fn token_delete(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.run(&TOKEN_DELETE, args![&name::key(name)])? > 0)
    }

    /// Stores a session of a user; `link_by`: who made the sign-in link by which it begins.
    pub fn session_create(
        &self,
        id: Uuid,
        hash: Sha256Digest,
        user: u32,
        expires_at: Timestamp,
        last_visit: Option<Timestamp>,
        link_by: Option<u32>,
    ) -> Result<(), StoreError> {
        let actor = self.actor();
        let values = args![id, hash, user, actor.at, expires_at, actor.from.as_deref(), last_visit, link_by];
        self.run(&SESSION_CREATE, values)?;
        Ok(())
    }

    /// Notes that a session was used.
    pub fn session_used(&self, id: Uuid) -> Result<(), StoreError> {
        self.run(&SESSION_USED, args![id, self.actor().at])?;
        Ok(())
    }

    /// Gives a session another secret; the one of now is accepted until then. False if another request did so first.
    pub fn session_rotate(
        &self,
        id: Uuid,
        old: Sha256Digest,
        until: Timestamp,
        new: Sha256Digest,
    ) -> Result<bool, StoreError> {
        Ok(self.run(&SESSION_ROTATE, args![id, old, until, new, self.actor().at])? > 0)
    }

    /// Gives a session another secret; the one of now is not accepted any more. False if the session has ended.
    pub fn session_renew(&self, id: Uuid, new: Sha256Digest) -> Result<bool, StoreError> {
        Ok(self.run(&SESSION_RENEW, args![id, new, self.actor().at])? > 0)
    }

    /// Makes every session of a user take another secret with its next request.
    pub fn session_outdate(&self, user: u32) -> Result<(), StoreError> {
        self.run(&SESSION_OUTDATE, args![user])?;
        Ok(())
    }

    /// Ends a session. True if there was one.
    pub fn session_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&SESSION_DELETE, args![id])? > 0)
    }

    /// Ends all sessions of a user, or all but one. Returns how many.
    pub fn session_end(&self, user: u32, but: Option<Uuid>) -> Result<u64, StoreError> {
        Ok(self.run(&SESSION_END, args![user, but])? as u64)
    }

    /// Stores a one-time sign-in code; `made_by`: the user who made it, none if the server did.
    pub fn sign_in_code_create(
        &self,
        hash: Sha256Digest,
        principal: &str,
        expires_at: Timestamp,
        made_by: Option<u32>,
    ) -> Result<(), StoreError> {
        self.run(&CODE_CREATE, args![hash, principal, self.actor().at, expires_at, made_by])?;
        Ok(())
    }

    /// Uses a code up: its principal and who made it, if it was valid at the actor's time; it is gone afterwards in any case.
    pub fn sign_in_code_take(&self, hash: Sha256Digest) -> Result<Option<(String, Option<u32>)>, StoreError> {
        let found = self.first(&CODE_TAKE, args![hash], |row| Ok((row.text(0)?, row.time(1)?, row.opt_int(2)?)))?;
        let valid = found.filter(|(_, expires_at, _)| *expires_at > self.actor().at);
        Ok(valid.map(|(principal, _, made_by)| (principal, made_by)))
    }

    /// Deletes sessions and codes that expired before the actor's time. Returns how many.
    pub fn access_prune(&self) -> Result<u64, StoreError> {
        let now = self.actor().at;
        let mut count = 0;
        for statement in [&SESSION_PRUNE, &OLD_SESSION_PRUNE, &CODE_PRUNE] {
            count += self.run(statement, args![now])?;
        }
        Ok(count as u64)
    }
}
