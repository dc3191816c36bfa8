//! Reads every stored file again. What is not as it should be is put aside and not served any more, and what was deployed
//! with it waits for it again.

use std::time::{Duration, Instant};

use weir_store::{
    StoreError,
    alert::AlertSeverity,
    content::{Content as _, ContentStore, Expected, Measured},
    content_file::{ContentFileRow, ContentState},
};

use super::{Ended, PAGE, Work, note};
use crate::admin::{chain, content::MISMATCH};

/// How often a check that finds bad files brings them to scans: a run may take hours, and computers must not be sent for
/// what is gone until it ends.
const PUBLISH: Duration = Duration::from_secs(10);

impl Work<'_> {
    /// Goes on at the cursor.
    pub(super) async fn verify(&mut self) -> Result<(), Ended> {
        let totals = self.app.read(|tx| tx.content_file_totals()).await?;
        (self.kept.progress.files_total, self.kept.progress.bytes_total) = (totals.files, totals.bytes);
        let (mut published, mut published_at) = (self.kept.verified.bad, None::<Instant>);
        loop {
            let from = self.kept.cursor.clone();
            let page = self.app.read(move |tx| tx.content_file_list(from.as_deref(), PAGE)).await?;
            for row in page.items {
                if row.state == ContentState::Verified {
                    self.verify_one(&row).await?;
                }
                self.kept.cursor = Some(row.digest.to_hex());
                let bad = self.kept.verified.bad;
                if bad > published && published_at.is_none_or(|at| at.elapsed() >= PUBLISH) {
                    self.app.publish().await?;
                    (published, published_at) = (bad, Some(Instant::now()));
                }
                self.step().await?;
            }
            if page.next.is_none() {
                break;
            }
        }
        if self.kept.verified.bad > published {
            self.app.publish().await?;
        }
        Ok(())
    }

    async fn verify_one(&mut self, row: &ContentFileRow) -> Result<(), Ended> {
        // a large file is read without keeping others from coming in
        let (content, path) = (self.app.state.content.clone(), ContentStore::relative_path(row.digest, &row.extension));
        let measured = self.patiently(move || content.measure(path.as_ref())).await?;
        let wrong = self.check(row, measured).await?;
        self.kept.progress.files += 1;
        self.kept.progress.bytes += row.size;
        let verified = &mut self.kept.verified;
        verified.checked += 1;
        match wrong {
            None => verified.good += 1,
            Some(message) => {
                verified.bad += 1;
                note(&mut verified.errors, row.digest.to_hex(), message);
            }
        }
        Ok(())
    }

    /// Compares what a file was measured to be; why it is bad, if it is.
    async fn check(&mut self, row: &ContentFileRow, measured: Option<Measured>) -> Result<Option<String>, Ended> {
        let same = |stored: &weir_store::content::Stored| {
            (stored.digest, stored.sha256, stored.size) == (row.digest, row.sha256, row.size)
        };
        let app = self.app;
        let _one_at_a_time = app.shared().content.lock().await;
        let (digest, size) = (row.digest, row.size);
        if measured.is_some_and(|measured| same(&measured.stored)) {
            self.app
                .write(self.caller, move |tx| {
                    tx.content_file_set_state(digest, ContentState::Verified)?;
                    tx.alert_close(MISMATCH, &digest.to_hex())?;
                    Ok(())
                })
                .await?;
            return Ok(None);
        }
        let (content, read) = (self.app.state.content.clone(), row.clone());
        let outcome = self.patiently(move || {
            if content.size(read.digest, &read.extension)?.is_none() {
                return Ok(Some((ContentState::Lost, "the file is gone".to_owned())));
            }
            let expected = Expected { digest: Some(read.digest), sha256: Some(read.sha256), size: Some(size) };
            match content.verify(read.digest, &read.extension, &expected) {
                Ok(_) => Ok(None),
                Err(error @ StoreError::ContentMismatch { .. }) => Ok(Some((ContentState::Quarantined, chain(&error)))),
                Err(error) => Err(error),
            }
        });
        let Some((state, message)) = outcome.await? else { return Ok(None) };
        let text = message.clone();
        self.app
            .write(self.caller, move |tx| {
                // removed in the meantime: nothing is lost
                if tx.content_file_show(digest)?.is_some() {
                    tx.content_file_set_state(digest, state)?;
                    tx.alert_open(MISMATCH, &digest.to_hex(), AlertSeverity::Critical, &text)?;
                }
                Ok(())
            })
            .await?;
        Ok(Some(message))
    }
}
