//! Requests that wait for a second person.

use jiff::Timestamp;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, pack, unpack_into},
    page::{Page, cursor_number, page_rows},
    rule::{decode_numbers, encode_numbers},
    sql::statements,
};

/// How far a request is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApprovalState {
    /// Nobody has decided yet.
    Waiting,
    /// Approved, and done.
    Done,
    /// Rejected.
    Rejected,
    /// Approved, but it could not be done.
    Failed,
}

/// What waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Which kind of act, as the setting names it.
    pub kind: String,
    /// What it would do, in words.
    pub subject: String,
    /// HTTP method.
    pub method: String,
    /// Path and query, below the prefix of the REST interface.
    pub target: String,
    /// The JSON body.
    pub body: Option<String>,
    /// Whose request it is.
    pub user: u32,
    /// The token that it came with, by the key of its name.
    pub token: Option<String>,
    /// How the requester proved who it is.
    pub proof: String,
    /// Who made the sign-in link by which the requester came; none if it came otherwise.
    pub link_by: Option<u32>,
}

/// What was shown to who asked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shown {
    /// The things that the request is about, in a form of the caller's.
    pub seen: String,
    /// Numbers of the computers that it reaches, ascending.
    pub reached: Vec<u32>,
}

/// A stored request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApprovalRow {
    /// Its number.
    pub no: i64,
    /// How far it is.
    pub state: ApprovalState,
    /// What waits.
    pub held: Held,
    /// Who asked.
    pub requested_by: String,
    /// From where.
    pub requested_from: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// It cannot be approved after this.
    pub expires_at: Timestamp,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What was said about it.
    pub note: Option<String>,
    /// Status and body of the answer.
    pub answer: Option<(u16, String)>,
}

statements! {
    APPROVAL_LIST: "listing approvals" =
        "SELECT approval_no, state, kind, subject, method, target, body, user_no, token_key, requested_by, requested_from,
             requested_proof, created_at, expires_at, decided_by, decided_at, note, answer_status, answer, link_by
         FROM approval WHERE approval_no < ?1 AND (?2 = 0 OR (state = 0 AND expires_at > ?3))
         ORDER BY approval_no DESC LIMIT ?4";
    APPROVAL_SHOW: "reading an approval" =
        "SELECT approval_no, state, kind, subject, method, target, body, user_no, token_key, requested_by, requested_from,
             requested_proof, created_at, expires_at, decided_by, decided_at, note, answer_status, answer, link_by
         FROM approval WHERE approval_no = ?1";
    APPROVAL_COUNT: "counting requests that wait" =
        "SELECT count(*) FROM approval WHERE user_no = ?1 AND state = 0 AND expires_at > ?2";
    APPROVAL_CREATE: "storing a request that waits" =
        "INSERT INTO approval (state, kind, subject, method, target, body, user_no, token_key, requested_by, requested_from,
             requested_proof, created_at, expires_at, link_by, seen, reached, reached_len)
         VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) RETURNING approval_no";
    APPROVAL_SHOWN: "reading what was shown of a request" =
        "SELECT seen, reached, reached_len FROM approval
         WHERE approval_no = ?1 AND seen IS NOT NULL AND reached IS NOT NULL AND reached_len IS NOT NULL";
    APPROVAL_DECIDE: "deciding about a request" =
        "UPDATE approval SET state = ?2, decided_by = ?3, decided_at = ?4, note = ?5
         WHERE approval_no = ?1 AND state = 0 AND expires_at > ?4";
    APPROVAL_ANSWER: "noting what became of a request" =
        "UPDATE approval SET state = ?2, answer_status = ?3, answer = ?4 WHERE approval_no = ?1";
}

fn approval(row: &Row<'_>) -> Result<ApprovalRow, StoreError> {
    let status: Option<u16> = row.opt_int(17)?;
    Ok(ApprovalRow {
        no: row.int(0)?,
        state: row.coded(1)?,
        held: Held {
            kind: row.text(2)?,
            subject: row.text(3)?,
            method: row.text(4)?,
            target: row.text(5)?,
            body: row.opt_text(6)?,
            user: row.int(7)?,
            token: row.opt_text(8)?,
            proof: row.text(11)?,
            link_by: row.opt_int(19)?,
        },
        requested_by: row.text(9)?,
        requested_from: row.opt_text(10)?,
        created_at: row.time(12)?,
        expires_at: row.time(13)?,
        decided_by: row.opt_text(14)?,
        decided_at: row.opt_time(15)?,
        note: row.opt_text(16)?,
        answer: status.zip(row.opt_text(18)?),
    })
}

impl ReadTx<'_> {
    /// Requests, newest first: all, or only those that wait at `now`.
    pub fn approval_list(
        &self,
        waiting: bool,
        now: Timestamp,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ApprovalRow>, StoreError> {
        let before = cursor_number(cursor, i64::MAX)?;
        let items = self.all(&APPROVAL_LIST, args![before, waiting, now, page_rows(limit)], approval)?;
        Ok(Page::cut(items, limit, |row| row.no.to_string()))
    }

    /// How many requests of a user wait at `now`.
    pub fn approval_count(&self, user: u32, now: Timestamp) -> Result<u64, StoreError> {
        self.one(&APPROVAL_COUNT, args![user, now], |row| row.int(0))
    }

    /// One request.
    pub fn approval_show(&self, no: i64) -> Result<Option<ApprovalRow>, StoreError> {
        self.first(&APPROVAL_SHOW, args![no], approval)
    }

    /// What was shown to who made a request; none if an earlier version stored it.
    pub fn approval_shown(&self, no: i64) -> Result<Option<Shown>, StoreError> {
        self.first(&APPROVAL_SHOWN, args![no], |row| {
            let mut plain = Vec::new();
            unpack_into(&mut plain, row.bytes(1)?, row.int(2)?)?;
            Ok(Shown { seen: row.text(0)?, reached: decode_numbers(&plain)? })
        })
    }
}

impl WriteTx<'_> {
    /// Stores a request of this transaction's actor and returns its number.
    pub fn approval_create(&self, held: &Held, shown: &Shown, expires_at: Timestamp) -> Result<i64, StoreError> {
        let actor = self.actor();
        let plain = encode_numbers(&shown.reached);
        let reached = pack(&plain)?;
        let values = args![
            &held.kind,
            &held.subject,
            &held.method,
            &held.target,
            held.body.as_deref(),
            held.user,
            held.token.as_deref(),
            &actor.name,
            actor.from.as_deref(),
            &held.proof,
            actor.at,
            expires_at,
            held.link_by,
            &shown.seen,
            &reached,
            plain.len()
        ];
        self.one(&APPROVAL_CREATE, values, |row| row.int(0))
    }

    /// Decides about a request. False if it does not wait any more.
    pub fn approval_decide(&self, no: i64, state: ApprovalState, note: Option<&str>) -> Result<bool, StoreError> {
        let actor = self.actor();
        Ok(self.run(&APPROVAL_DECIDE, args![no, state, &actor.name, actor.at, note])? > 0)
    }

    /// Notes the answer to an approved request.
    pub fn approval_answer(&self, no: i64, state: ApprovalState, status: u16, answer: &str) -> Result<(), StoreError> {
        self.run(&APPROVAL_ANSWER, args![no, state, u32::from(status), answer])?;
        Ok(())
    }
}
