//! Repairs stored content: reads everything again, takes in what lies in the content folder unknown or under another name,
//! and has what is missing then fetched.

use std::{collections::HashSet, sync::Arc};

use weir_model::{
    content::Holding,
    ids::{ContentDigest, Sha256Digest},
};
use weir_store::{
    content::{ContentStore, Expected, Measured, Stray},
    content_file::ContentState,
};

use super::{Ended, OUTAGE, PAGE, Work, note};
use crate::{
    admin::{AdminError, blocking, chain, content},
    jobs::downloads,
};

/// Files of others that are looked at in one run: what is beyond is for the next one.
const MOST_STRAYS: usize = 1_000_000;

impl Work<'_> {
    /// True if nothing is left that somebody has to bring.
    pub(super) async fn repair(&mut self) -> Result<bool, Ended> {
        if !self.kept.read {
            self.verify().await?;
            (self.kept.read, self.kept.cursor) = (true, None);
            self.tell().await?;
        }
        self.adopt_strays().await?;
        self.count().await?;
        self.app.publish().await?;
        self.app.shared().wanted.notify_one();
        Ok(self.kept.repaired.without_source == 0)
    }

    async fn adopt_strays(&mut self) -> Result<(), Ended> {
        let known = Arc::new(self.known().await?);
        let store = self.app.state.content.clone();
        let strays = self.patiently(move || {
            let mut strays: Vec<Stray> = Vec::new();
            store.walk(&mut |stray| {
                let at_home = stray.proper.as_ref().is_some_and(|(digest, _)| known.contains(digest));
                if !at_home && strays.len() < MOST_STRAYS {
                    strays.push(stray);
                }
            })?;
            strays.sort_unstable();
            Ok(strays)
        });
        let strays = strays.await?;
        self.kept.progress.files_total += strays.len() as u64;
        self.kept.progress.bytes_total += strays.iter().map(|stray| stray.size).sum::<u64>();
        for stray in strays {
            let mut wait = OUTAGE.0;
            let adopted = loop {
                match self.adopt(&stray).await {
                    Err(AdminError::Store(error)) if error.is_outage() => self.outlast(&error, &mut wait).await?,
                    outcome => break outcome,
                }
            };
            match adopted {
                Ok(true) => self.kept.repaired.adopted += 1,
                Ok(false) => {
                    self.kept.repaired.unknown += 1;
                    self.kept.repaired.unknown_bytes += stray.size;
                }
                Err(error) => note(&mut self.kept.repaired.errors, stray.path.display().to_string(), chain(&error)),
            }
            self.kept.progress.files += 1;
            self.kept.progress.bytes += stray.size;
            self.step().await?;
        }
        Ok(())
    }

    /// Digests of verified files.
    async fn known(&self) -> Result<HashSet<ContentDigest>, AdminError> {
        self.app
            .read(|tx| {
                let (mut known, mut cursor) = (HashSet::new(), None);
                loop {
                    let page = tx.content_file_list(cursor.as_deref(), PAGE)?;
                    let verified = page.items.iter().filter(|row| row.state == ContentState::Verified);
                    known.extend(verified.map(|row| row.digest));
                    cursor = page.next;
                    if cursor.is_none() {
                        return Ok(known);
                    }
                }
            })
            .await
    }

    /// Takes one file in, if some update names it.
    async fn adopt(&self, stray: &Stray) -> Result<bool, AdminError> {
        let (store, path) = (self.app.state.content.clone(), stray.path.clone());
        let Some(measured) = blocking(move || Ok(store.measure(&path)?)).await? else { return Ok(false) };
        let digest = measured.stored.digest;
        let named = self.app.read(move |tx| Ok((tx.file_expected(digest)?, tx.file_name(digest)?))).await?;
        let (Some((sha256, size)), name) = named else { return Ok(false) };
        if !is(&measured, sha256, size) {
            return Ok(false);
        }
        let extension = ContentStore::extension(&name.unwrap_or_default());
        let _one_at_a_time = self.app.shared().content.lock().await;
        let (store, wanted) = (self.app.state.content.clone(), extension.clone());
        let (measured, moved) = blocking(move || {
            let moved = store.adopt(&measured, &wanted)?;
            Ok((measured, moved))
        })
        .await?;
        if moved {
            content::note(self.app, self.caller, measured.stored, extension).await?;
        }
        Ok(moved)
    }

    /// What is still missing, and lets it be tried at once.
    async fn count(&mut self) -> Result<(), Ended> {
        let verified = std::mem::take(&mut self.kept.verified);
        let (queued, without) = self
            .app
            .write(self.caller, |tx| {
                tx.content_rest_clear_all()?;
                let policy = crate::content::policy(tx)?;
                let (mut queued, mut without) = (0, 0);
                for wanted in downloads::wanted(tx, &policy)?.0 {
                    if wanted.file.source || policy.upstream_serves { queued += 1 } else { without += 1 }
                }
                let nowhere = |file: &weir_store::content_need::NeededFile| file.holding == Holding::Nowhere;
                without += tx.deployment_files_missing(&policy)?.into_iter().filter(nowhere).count() as u64;
                Ok((queued, without))
            })
            .await?;
        let repaired = &mut self.kept.repaired;
        (repaired.checked, repaired.bad) = (verified.checked, verified.bad);
        (repaired.queued, repaired.without_source) = (queued, without);
        for error in verified.errors {
            note(&mut repaired.errors, error.file, error.message);
        }
        Ok(())
    }
}

fn is(measured: &Measured, sha256: Option<Sha256Digest>, size: u64) -> bool {
    let stored = &measured.stored;
    let expected = Expected { digest: Some(stored.digest), sha256, size: Some(size) };
    expected.size == Some(stored.size) && expected.sha256.is_none_or(|sha256| sha256 == stored.sha256)
}
