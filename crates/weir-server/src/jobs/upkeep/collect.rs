//! Removes stored files that nobody needs.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_model::content::FileUse;
use weir_store::{
    Actor, ReadTx, StoreError,
    content::Content as _,
    content_file::{ContentFileRow, ContentState},
};

use super::{Ended, PAGE, Work};
use crate::state::AppState;

/// What came within so many hours stays, unless another time is asked for: files may be brought before what needs them.
const MIN_AGE_HOURS: i64 = 24;

/// What was put aside stays for inspection for so long.
const QUARANTINE: Duration = Duration::from_hours(30 * 24);

#[derive(Clone, Copy)]
struct Rule {
    undeployed: bool,
    /// Files of updates stay where they can be had: what is deployed needs no copy here.
    elsewhere: Option<Elsewhere>,
    /// Only what came before.
    before: Timestamp,
}

#[derive(Clone, Copy)]
struct Elsewhere {
    upstream: bool,
}

enum Verdict {
    Needed,
    Young,
    Over,
}

impl Rule {
    fn judge(self, tx: &ReadTx<'_>, row: &ContentFileRow) -> Result<Verdict, StoreError> {
        let mut used = tx.content_use(row.digest)?;
        if let Some(Elsewhere { upstream }) = self.elsewhere
            && (upstream || !tx.file_sources(row.digest)?.is_empty())
        {
            used = FileUse { live: false, deployed: false, ..used };
        }
        if !used.is_over(self.undeployed) {
            return Ok(Verdict::Needed);
        }
        let came = tx.content_file_added(row.digest)?.unwrap_or(row.verified_at);
        Ok(if came <= self.before { Verdict::Over } else { Verdict::Young })
    }
}

impl Work<'_> {
    /// Goes on at the cursor.
    pub(super) async fn collect(&mut self, input: &Value) -> Result<(), Ended> {
        let flag = |key: &str| input.get(key).and_then(Value::as_bool).unwrap_or_default();
        let hours = input.get("min_age_hours").and_then(Value::as_i64).unwrap_or(MIN_AGE_HOURS);
        let age = SignedDuration::from_hours(hours.clamp(0, 24 * 3_650));
        let policy = self.app.read(crate::content::policy).await?;
        let rule = Rule {
            undeployed: flag("undeployed"),
            elsewhere: policy.catalog_only().then_some(Elsewhere { upstream: policy.upstream_serves }),
            before: Timestamp::now() - age,
        };
        self.kept.collected.dry_run = flag("dry_run");
        let totals = self.app.read(|tx| tx.content_file_totals()).await?;
        (self.kept.progress.files_total, self.kept.progress.bytes_total) = (totals.files, totals.bytes);
        loop {
            let from = self.kept.cursor.clone();
            let judged = self.app.read(move |tx| {
                let page = tx.content_file_list(from.as_deref(), PAGE)?;
                let judged: Result<Vec<_>, StoreError> =
                    page.items.into_iter().map(|row| Ok((rule.judge(tx, &row)?, row))).collect();
                Ok((judged?, page.next))
            });
            let (judged, next) = judged.await?;
            for (verdict, row) in judged {
                let stored = row.state == ContentState::Verified;
                let gone = match verdict {
                    Verdict::Needed => false,
                    Verdict::Young => {
                        self.kept.collected.young += u64::from(stored);
                        false
                    }
                    Verdict::Over => self.kept.collected.dry_run || self.remove(&row, rule).await?,
                };
                if stored {
                    self.kept.progress.files += 1;
                    self.kept.progress.bytes += row.size;
                }
                if gone && stored {
                    self.kept.collected.files += 1;
                    self.kept.collected.bytes += row.size;
                }
                self.kept.cursor = Some(row.digest.to_hex());
                self.step().await?;
            }
            if next.is_none() {
                break;
            }
        }
        if !self.kept.collected.dry_run {
            let store = self.app.state.content.clone();
            let before = SystemTime::now() - QUARANTINE;
            let (files, bytes) = self.patiently(move || store.quarantine_clean(before)).await?;
            (self.kept.collected.quarantined, self.kept.collected.quarantined_bytes) = (files, bytes);
        }
        if self.kept.collected.files > 0 && !self.kept.collected.dry_run {
            // there may be room now for what waits
            self.app.shared().wanted.notify_one();
        }
        Ok(())
    }

    /// The row first: a file without a row is never served, a row without its file would be. What needs the file may have
    /// come since.
    async fn remove(&mut self, row: &ContentFileRow, rule: Rule) -> Result<bool, Ended> {
        let app = self.app;
        let _one_at_a_time = app.shared().content.lock().await;
        let judged = row.clone();
        let deleted = self
            .app
            .write(self.caller, move |tx| {
                if !matches!(rule.judge(tx, &judged)?, Verdict::Over) || !tx.content_file_delete(judged.digest)? {
                    return Ok(false);
                }
                let before = json!({ "bytes": judged.size });
                tx.audit("content.delete", &judged.digest.to_hex(), Some(&before), None)?;
                Ok(true)
            })
            .await?;
        if deleted {
            let (state, gone) = (Arc::clone(&self.app.state), row.clone());
            if self.patiently(move || remove_file(&state, &gone)).await? {
                let digest = row.digest;
                tracing::warn!(%digest, "a content file was taken in while it was removed; it is fetched again");
                self.app.shared().wanted.notify_one();
            }
        }
        Ok(deleted)
    }
}

/// Removes the file of a row that was deleted. True if another front end took the file in meanwhile: it is to be fetched again.
///
/// This is done to its end once it has begun, also when the duty goes: whoever stood still before it finds the file's new row and lets the
/// file be, and a row that comes in between is told that its file is lost, by this or by whoever wrote it (`admin::content::note`).
fn remove_file(state: &AppState, row: &ContentFileRow) -> Result<bool, StoreError> {
    let (digest, extension) = (row.digest, &row.extension);
    let is_verified = |row: Option<ContentFileRow>| row.is_some_and(|row| row.state == ContentState::Verified);
    if state.is_shared() && is_verified(state.store.read(|tx| tx.content_file_show(digest))?) {
        return Ok(false);
    }
    state.content.delete(digest, extension)?;
    if !state.is_shared() || state.content.size(digest, extension)?.is_some() {
        return Ok(false);
    }
    state.store.write(&Actor::system("content", Timestamp::now()), |tx| {
        let again = is_verified(tx.content_file_show(digest)?);
        if again {
            tx.content_file_set_state(digest, ContentState::Lost)?;
        }
        Ok(again)
    })
}
