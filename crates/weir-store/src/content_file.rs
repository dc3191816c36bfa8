//! What the database knows of content files.

use jiff::Timestamp;
use weir_model::ids::{ContentDigest, Sha256Digest};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    page::{Page, page_rows},
    sql::statements,
};

/// Whether a content file is fit to be served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContentState {
    /// It is here and its digests matched.
    Verified,
    /// It was here and did not match; it was put aside.
    Quarantined,
    /// It should be here and is not.
    Lost,
}

/// A content file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentFileRow {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256.
    pub sha256: Sha256Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Extension of its stored name, with the dot, lower case; may be empty.
    pub extension: String,
    /// Whether it is fit.
    pub state: ContentState,
    /// When its digests were last compared.
    pub verified_at: Timestamp,
}

/// Counts and bytes of content.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ContentTotals {
    /// Verified files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files put aside.
    pub quarantined: u64,
    /// Files that should be here.
    pub lost: u64,
}

statements! {
    CONTENT_SHOW: "reading a content file's state" =
        "SELECT digest, sha256, size, extension, state, verified_at FROM content_file WHERE digest = ?1";
    CONTENT_LIST: "listing content files" =
        "SELECT digest, sha256, size, extension, state, verified_at FROM content_file
         WHERE digest > ?1 ORDER BY digest LIMIT ?2";
    // one pass without a sorter, which grouping would take
    CONTENT_TOTALS: "counting content files" =
        "SELECT count(CASE WHEN state = 0 THEN 1 END), sum(CASE WHEN state = 0 THEN size END),
             count(CASE WHEN state = 1 THEN 1 END), count(CASE WHEN state = 2 THEN 1 END)
         FROM content_file";
    CONTENT_ADDED: "looking when a content file came" = "SELECT added_at FROM content_file WHERE digest = ?1";
    CONTENT_PUT: "noting a content file" =
        "INSERT INTO content_file (digest, sha256, size, extension, state, verified_at, added_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT (digest) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size,
             extension = excluded.extension, state = excluded.state, verified_at = excluded.verified_at,
             added_at = CASE WHEN content_file.state = 0 THEN content_file.added_at ELSE excluded.added_at END";
    CONTENT_STATE: "changing a content file's state" =
        "UPDATE content_file SET state = ?2, verified_at = ?3 WHERE digest = ?1";
    CONTENT_DELETE: "forgetting a content file" =
        "DELETE FROM content_file WHERE digest = ?1";
    FILE_EXPECTED: "looking for documents that name a file" =
        "SELECT sha256, size FROM revision_file WHERE digest = ?1
         ORDER BY CASE WHEN sha256 IS NULL THEN 1 ELSE 0 END, revision_id, position LIMIT 1";
}

fn content_file(row: &Row<'_>) -> Result<ContentFileRow, StoreError> {
    Ok(ContentFileRow {
        digest: row.digest(0)?,
        sha256: row.sha256(1)?,
        size: row.int(2)?,
        extension: row.text(3)?,
        state: row.coded(4)?,
        verified_at: row.time(5)?,
    })
}

impl ReadTx<'_> {
    /// One content file.
    pub fn content_file_show(&self, digest: ContentDigest) -> Result<Option<ContentFileRow>, StoreError> {
        self.first(&CONTENT_SHOW, args![digest], content_file)
    }

    /// Content files, by digest.
    pub fn content_file_list(&self, cursor: Option<&str>, limit: u32) -> Result<Page<ContentFileRow>, StoreError> {
        let after = match cursor {
            Some(text) => ContentDigest::from_hex(text).map_err(|_| StoreError::Cursor(text.to_owned()))?.0.to_vec(),
            None => Vec::new(),
        };
        let items = self.all(&CONTENT_LIST, args![&after, page_rows(limit)], content_file)?;
        Ok(Page::cut(items, limit, |row| row.digest.to_hex()))
    }

    /// Counts and bytes.
    pub fn content_file_totals(&self) -> Result<ContentTotals, StoreError> {
        self.one(&CONTENT_TOTALS, args![], |row| {
            Ok(ContentTotals {
                files: row.int(0)?,
                bytes: row.opt_int(1)?.unwrap_or_default(),
                quarantined: row.int(2)?,
                lost: row.int(3)?,
            })
        })
    }

    /// When a content file came; none if it is not known, or came with a release that did not note it.
    pub fn content_file_added(&self, digest: ContentDigest) -> Result<Option<Timestamp>, StoreError> {
        let added = self.first(&CONTENT_ADDED, args![digest], |row| row.time(0))?;
        Ok(added.filter(|at| *at > Timestamp::UNIX_EPOCH))
    }

    /// Some stored revision names a file of this digest: its SHA-256 if documents give one, and its size.
    pub fn file_expected(&self, digest: ContentDigest) -> Result<Option<(Option<Sha256Digest>, u64)>, StoreError> {
        self.first(&FILE_EXPECTED, args![digest], |row| Ok((row.opt(0, Row::sha256)?, row.int(1)?)))
    }
}

impl WriteTx<'_> {
    /// Notes a content file, in place of what was known of it. True if it was not known as verified.
    pub fn content_file_put(&self, row: &ContentFileRow) -> Result<bool, StoreError> {
        let before = self.content_file_show(row.digest)?;
        let values = args![row.digest, row.sha256, row.size, &row.extension, row.state, row.verified_at];
        self.run(&CONTENT_PUT, values)?;
        Ok(before.is_none_or(|before| before.state != ContentState::Verified))
    }

    /// Changes the state of a content file at the actor's time.
    pub fn content_file_set_state(&self, digest: ContentDigest, state: ContentState) -> Result<(), StoreError> {
        self.run(&CONTENT_STATE, args![digest, state, self.actor().at])?;
        Ok(())
    }

    /// Forgets a content file. True if there was one. Whether something needs it is for [`ReadTx::content_use`] to say,
    /// in the same transaction.
    pub fn content_file_delete(&self, digest: ContentDigest) -> Result<bool, StoreError> {
        Ok(self.run(&CONTENT_DELETE, args![digest])? > 0)
    }
}
