//! Runs of rules.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;
use weir_model::{
    ids::{RevisionNumber, UpdateId},
    rule::{Noted, Trigger},
};

use super::detail::Detail;
use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, pack, unpack_into},
    page::{Page, cursor_number, page_rows},
    sql::statements,
};

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RuleRunResult {
    /// A group was made or filled.
    Done,
    /// No update matched, so that nothing was changed.
    Nothing,
    /// Nothing was changed.
    Failed,
    /// It was due and was not run.
    Skipped,
}

/// A run to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRuleRun {
    /// Of which rule.
    pub rule: Uuid,
    /// What made it happen.
    pub trigger: Trigger,
    /// Its scheduled start.
    pub base_at: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How.
    pub result: RuleRunResult,
    /// What it made, or why it did not.
    pub summary: Value,
    /// Updates that matched.
    pub matched: Vec<Noted>,
    /// Updates that did not.
    pub rejected: Vec<Noted>,
    /// Reasons by number.
    pub reasons: Vec<String>,
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleRunRow {
    /// Its number.
    pub no: i64,
    /// Of which rule.
    pub rule: Uuid,
    /// What made it happen.
    pub trigger: Trigger,
    /// Its scheduled start.
    pub base_at: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Who asked for it.
    pub actor: String,
    /// How it ended.
    pub result: RuleRunResult,
    /// How many updates matched.
    pub matched: u64,
    /// How many did not.
    pub rejected: u64,
    /// What it made, or why it did not.
    pub summary: Value,
    /// What it said of each update is kept still.
    pub detailed: bool,
}

/// What a run said of an update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleRunUpdate {
    /// The update.
    pub update: UpdateId,
    /// Its newest revision now; none if it is gone.
    pub revision: Option<RevisionNumber>,
    /// Its title now; empty if it is gone.
    pub title: String,
    /// It matched.
    pub matched: bool,
    /// Why, or why not.
    pub reason: String,
}

statements! {
    RUN_PUT: "keeping a run of a rule" =
        "INSERT INTO rule_run (rule_id, cause, base_at, started_at, ended_at, actor, result, matched, rejected, summary,
             detail, detail_len)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING run_no";
    RUN_LIST: "listing runs of a rule" =
        "SELECT run_no, rule_id, cause, base_at, started_at, ended_at, actor, result, matched, rejected, summary,
             detail_len
         FROM rule_run WHERE rule_id = ?1 AND run_no < ?2 ORDER BY run_no DESC LIMIT ?3";
    RUN_SHOW: "reading a run of a rule" =
        "SELECT run_no, rule_id, cause, base_at, started_at, ended_at, actor, result, matched, rejected, summary,
             detail_len
         FROM rule_run WHERE run_no = ?1";
    RUN_DETAIL: "reading what a run said of updates" = "SELECT detail, detail_len FROM rule_run WHERE run_no = ?1";
    RUN_AUTOMATIC: "reading when a rule ran by itself" =
        "SELECT started_at FROM rule_run WHERE rule_id = ?1 AND started_at > ?2 AND cause <> 0 AND result <> 3
         ORDER BY run_no";
    RUN_FORGET: "forgetting what old runs said of updates" =
        "UPDATE rule_run SET detail = NULL, detail_len = 0 WHERE rule_id = ?1 AND detail IS NOT NULL AND run_no <=
             (SELECT run_no FROM rule_run WHERE rule_id = ?1 ORDER BY run_no DESC LIMIT 1 OFFSET ?2)";
    RUN_PRUNE: "forgetting old runs" =
        "DELETE FROM rule_run WHERE rule_id = ?1 AND run_no <=
             (SELECT run_no FROM rule_run WHERE rule_id = ?1 ORDER BY run_no DESC LIMIT 1 OFFSET ?2)";
    RUN_UPDATE: "reading an update of a run" =
        "SELECT u.update_id, r.revision, coalesce(r.title, '')
         FROM updates u LEFT JOIN revision r ON r.revision_id = u.newest_revision_id WHERE u.update_no = ?1";
}

/// Runs of a rule that are kept.
const KEPT: u32 = 500;
/// Runs of a rule of which it is kept what they said of each update.
const DETAILED: u32 = 30;

fn run(row: &Row<'_>) -> Result<RuleRunRow, StoreError> {
    Ok(RuleRunRow {
        no: row.int(0)?,
        rule: row.uuid(1)?,
        trigger: row.coded(2)?,
        base_at: row.time(3)?,
        started_at: row.time(4)?,
        ended_at: row.time(5)?,
        actor: row.text(6)?,
        result: row.coded(7)?,
        matched: row.int(8)?,
        rejected: row.int(9)?,
        summary: row.json(10)?,
        detailed: row.int::<u64>(11)? > 0,
    })
}

impl ReadTx<'_> {
    /// Runs of a rule, newest first.
    pub fn rule_run_list(&self, rule: Uuid, cursor: Option<&str>, limit: u32) -> Result<Page<RuleRunRow>, StoreError> {
        let before: i64 = cursor_number(cursor, i64::MAX)?;
        let rows = self.all(&RUN_LIST, args![rule, before, page_rows(limit)], run)?;
        Ok(Page::cut(rows, limit, |row| row.no.to_string()))
    }

    /// One run.
    pub fn rule_run_show(&self, no: i64) -> Result<Option<RuleRunRow>, StoreError> {
        self.first(&RUN_SHOW, args![no], run)
    }

    /// When runs of a rule began that nobody asked for, after a time.
    pub fn rule_run_automatic(&self, rule: Uuid, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        self.all(&RUN_AUTOMATIC, args![rule, after], |row| row.time(0))
    }

    /// What a run said of updates: those that matched first. `matched` narrows to them, or to the others. Empty for a run
    /// of which it is not kept any more.
    pub fn rule_run_updates(
        &self,
        no: i64,
        matched: Option<bool>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<RuleRunUpdate>, StoreError> {
        let from: usize = cursor_number(cursor, 0)?;
        let stored = self.first(&RUN_DETAIL, args![no], |row| {
            row.opt(0, |row, column| Ok(row.bytes(column)?.to_vec()))?
                .map_or(Ok(None), |bytes| Ok(Some((bytes, row.int::<usize>(1)?))))
        })?;
        let Some((data, len)) = stored.flatten() else { return Ok(Page { items: Vec::new(), next: None }) };
        let mut plain = Vec::new();
        unpack_into(&mut plain, &data, len)?;
        let detail = Detail::decode(&plain)?;
        let lists = [(true, detail.matched), (false, detail.rejected)];
        let rows = lists.into_iter().filter(|(which, _)| matched.is_none_or(|wanted| wanted == *which));
        let mut rows = rows.flat_map(|(which, list)| list.into_iter().map(move |noted| (which, noted))).skip(from);
        let limit = limit.max(1) as usize;
        let mut items = Vec::new();
        for (matched, (update_no, reason)) in rows.by_ref().take(limit) {
            let found = self.first(&RUN_UPDATE, args![update_no], |row| {
                Ok((row.update_id(0)?, row.opt_int(1)?.map(RevisionNumber), row.str(2)?.trim().to_owned()))
            })?;
            let Some((update, revision, title)) = found else { continue };
            let reason = detail.reasons.get(reason as usize).cloned().unwrap_or_default();
            items.push(RuleRunUpdate { update, revision, title, matched, reason });
        }
        let next = rows.next().map(|_| (from + limit).to_string());
        Ok(Page { items, next })
    }
}

impl WriteTx<'_> {
    /// Keeps a run, and forgets old ones. `numbers` are those of the updates. Returns its number.
    pub fn rule_run_put(&self, new: NewRuleRun, numbers: &HashMap<UpdateId, u32>) -> Result<i64, StoreError> {
        let list = |noted: &[Noted]| {
            noted.iter().filter_map(|noted| Some((*numbers.get(&noted.update)?, noted.reason))).collect::<Vec<_>>()
        };
        let (matched, rejected) = (new.matched.len(), new.rejected.len());
        let plain =
            Detail { matched: list(&new.matched), rejected: list(&new.rejected), reasons: new.reasons }.encode();
        // of a run that looked at nothing there is nothing to keep
        let packed = if matched + rejected == 0 { None } else { Some(pack(&plain)?) };
        let len = packed.as_ref().map_or(0, |_| plain.len());
        let summary = new.summary.to_string();
        let values = args![
            new.rule,
            new.trigger,
            new.base_at,
            new.started_at,
            new.ended_at,
            &self.actor().name,
            new.result,
            matched,
            rejected,
            &summary,
            packed.as_ref(),
            len,
        ];
        let no = self.one(&RUN_PUT, values, |row| row.int(0))?;
        self.run(&RUN_FORGET, args![new.rule, DETAILED])?;
        self.run(&RUN_PRUNE, args![new.rule, KEPT])?;
        Ok(no)
    }
}
