//! Requests that carry a key of the caller's: what was answered, so that the same request is not carried out twice.

use jiff::Timestamp;
use weir_model::ids::Sha256Digest;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A request with a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyedRequest {
    /// Whose key it is.
    pub principal: String,
    /// SHA-256 of the key.
    pub key: Sha256Digest,
    /// Method and address.
    pub request: String,
    /// SHA-256 of the body.
    pub body: Sha256Digest,
}

/// What is known of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyedAnswer {
    /// Method and address of the request that used it.
    pub request: String,
    /// SHA-256 of that request's body.
    pub body: Sha256Digest,
    /// The status that was answered; none if it is not known how the request ended.
    pub status: Option<u16>,
    /// The body that was answered, if it was kept.
    pub answer: Option<String>,
    /// When the request came.
    pub created_at: Timestamp,
}

statements! {
    KEY_SHOW: "looking for the key of a request" =
        "SELECT request, body_hash, status, answer, created_at FROM idempotency WHERE principal = ?1 AND key_hash = ?2";
    KEY_TAKE: "keeping the key of a request" =
        "INSERT INTO idempotency (principal, key_hash, request, body_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    KEY_ANSWER: "keeping the answer to a request" =
        "UPDATE idempotency SET status = ?3, answer = ?4 WHERE principal = ?1 AND key_hash = ?2";
    KEY_RELEASE: "forgetting the key of a request" = "DELETE FROM idempotency WHERE principal = ?1 AND key_hash = ?2";
    KEY_PRUNE: "forgetting old keys of requests" = "DELETE FROM idempotency WHERE created_at < ?1";
    KEY_COUNT: "counting the keys of requests" = "SELECT count(*) FROM idempotency WHERE principal = ?1";
}

fn answer(row: &Row<'_>) -> Result<KeyedAnswer, StoreError> {
    Ok(KeyedAnswer {
        request: row.text(0)?,
        body: row.sha256(1)?,
        status: row.opt_int(2)?,
        answer: row.opt_text(3)?,
        created_at: row.time(4)?,
    })
}

impl ReadTx<'_> {
    /// What is known of a principal's key.
    pub fn idempotency_show(&self, principal: &str, key: Sha256Digest) -> Result<Option<KeyedAnswer>, StoreError> {
        self.first(&KEY_SHOW, args![principal, key], answer)
    }

    /// How many keys of a principal are kept.
    pub fn idempotency_count(&self, principal: &str) -> Result<u64, StoreError> {
        self.one(&KEY_COUNT, args![principal], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Takes a key at the actor's time, unless it was used at `oldest` or later: then what is known of it.
    pub fn idempotency_take(&self, asked: &KeyedRequest, oldest: Timestamp) -> Result<Option<KeyedAnswer>, StoreError> {
        let known = self.idempotency_show(&asked.principal, asked.key)?;
        if let Some(known) = known {
            if known.created_at >= oldest {
                return Ok(Some(known));
            }
            self.idempotency_release(&asked.principal, asked.key)?;
        }
        self.run(&KEY_TAKE, args![&asked.principal, asked.key, &asked.request, asked.body, self.actor().at])?;
        Ok(None)
    }

    /// Keeps how a request with a key was answered.
    pub fn idempotency_answer(
        &self,
        principal: &str,
        key: Sha256Digest,
        status: u16,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        self.run(&KEY_ANSWER, args![principal, key, i32::from(status), answer])?;
        Ok(())
    }

    /// Forgets a key: a request with it is carried out. True if there was one.
    pub fn idempotency_release(&self, principal: &str, key: Sha256Digest) -> Result<bool, StoreError> {
        Ok(self.run(&KEY_RELEASE, args![principal, key])? > 0)
    }

    /// Forgets keys that were used before a time. Returns how many.
    pub fn idempotency_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.run(&KEY_PRUNE, args![before])? as u64)
    }
}
