//! Files that downstream servers asked for, and files that rest after a failure.

use jiff::Timestamp;
use weir_model::ids::ContentDigest;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A file that a downstream server asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentRequest {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// When it was first asked for.
    pub requested_at: Timestamp,
    /// By whom.
    pub requested_by: String,
}

/// A file that could not be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentRest {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Failures in a row.
    pub failures: u32,
    /// It is not tried before.
    pub until: Timestamp,
    /// Why the last attempt failed.
    pub reason: String,
}

statements! {
    REQUEST_ADD: "noting that a file was asked for" =
        "INSERT INTO content_request (digest, requested_at, requested_by)
         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM revision_file f WHERE f.digest = ?1)
         ON CONFLICT (digest) DO UPDATE SET requested_by = content_request.requested_by";
    REQUEST_LIST: "listing files that were asked for" =
        "SELECT digest, requested_at, requested_by FROM content_request ORDER BY digest";
    REQUEST_CLEAR: "forgetting that a file was asked for" = "DELETE FROM content_request WHERE digest = ?1";
    REST_LIST: "listing files that rest" = "SELECT digest, failures, until, reason FROM content_rest ORDER BY digest";
    REST_SHOW: "looking whether a file rests" =
        "SELECT digest, failures, until, reason FROM content_rest WHERE digest = ?1";
    REST_PUT: "letting a file rest" =
        "INSERT INTO content_rest (digest, failures, until, reason) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (digest) DO UPDATE SET failures = excluded.failures, until = excluded.until,
             reason = excluded.reason";
    REST_CLEAR: "ending the rest of a file" = "DELETE FROM content_rest WHERE digest = ?1";
    REST_CLEAR_ALL: "ending the rest of all files" = "DELETE FROM content_rest";
}

fn rest(row: &Row<'_>) -> Result<ContentRest, StoreError> {
    Ok(ContentRest { digest: row.digest(0)?, failures: row.int(1)?, until: row.time(2)?, reason: row.text(3)? })
}

impl ReadTx<'_> {
    /// Files that downstream servers asked for, by digest.
    pub fn content_request_list(&self) -> Result<Vec<ContentRequest>, StoreError> {
        self.all(&REQUEST_LIST, args![], |row| {
            Ok(ContentRequest { digest: row.digest(0)?, requested_at: row.time(1)?, requested_by: row.text(2)? })
        })
    }

    /// Files that rest, by digest.
    pub fn content_rest_list(&self) -> Result<Vec<ContentRest>, StoreError> {
        self.all(&REST_LIST, args![], rest)
    }

    /// Whether and how long a file rests.
    pub fn content_rest_show(&self, digest: ContentDigest) -> Result<Option<ContentRest>, StoreError> {
        self.first(&REST_SHOW, args![digest], rest)
    }
}

impl WriteTx<'_> {
    /// Notes files that a downstream server asked for (DownloadFiles, MS-WSUSSS 3.1.4.11), at the actor's time, by
    /// `requested_by`. Answers those that no stored revision names: they are not noted. Afterwards
    /// `weir_server::content::wake` starts the job that fetches them.
    pub fn content_request_add(
        &self,
        digests: &[ContentDigest],
        requested_by: &str,
    ) -> Result<Vec<ContentDigest>, StoreError> {
        let mut unknown = Vec::new();
        for digest in digests {
            if self.run(&REQUEST_ADD, args![*digest, self.actor().at, requested_by])? == 0 {
                unknown.push(*digest);
            }
        }
        Ok(unknown)
    }

    /// Forgets that a file was asked for. True if it was.
    pub fn content_request_clear(&self, digest: ContentDigest) -> Result<bool, StoreError> {
        Ok(self.run(&REQUEST_CLEAR, args![digest])? > 0)
    }

    /// Lets a file rest, in place of what was noted before.
    pub fn content_rest_put(&self, rest: &ContentRest) -> Result<(), StoreError> {
        self.run(&REST_PUT, args![rest.digest, rest.failures, rest.until, &rest.reason])?;
        Ok(())
    }

    /// Ends the rest of a file. True if it rested.
    pub fn content_rest_clear(&self, digest: ContentDigest) -> Result<bool, StoreError> {
        Ok(self.run(&REST_CLEAR, args![digest])? > 0)
    }

    /// Ends the rest of all files; answers how many rested.
    pub fn content_rest_clear_all(&self) -> Result<u64, StoreError> {
        Ok(self.run(&REST_CLEAR_ALL, args![])? as u64)
    }
}
